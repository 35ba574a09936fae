/*
 * Telling the audit log, and asking whether it is being kept. Programs append lines to a tray each
 * has for itself (lib/base/tray.h); seki-audit(8) chains them into lib/audit/log. What the words of
 * a line mean stands in sekisho-audit(5).
 *
 *     TIME what=WORD key=XTEXT …        TIME: of now, "2026-11-22T09:35:01.123456Z"
 *
 * WORD and keys: a-z, 0-9 and "-", beginning with a letter. The keys program, at, chain, prev and
 * seq are seki-audit's own. A key may stand there several times.
 *
 * What a person decides is said durably before it is recorded in the leg; what time or a rule
 * decides is said before it is recorded. Who cannot say it does not do it: the mail waits.
 *
 * Nothing here logs.
 */
#ifndef SEKISHO_QUEUE_AUDIT_H
#define SEKISHO_QUEUE_AUDIT_H

#include "lib/base/buf.h"
#include "lib/base/compat.h"
#include "lib/base/settings.h"

#define AUDIT_TRAYS    "lib/audit/trays" /* and in it a file for each program that tells */
#define AUDIT_STATE    "run/audit/state" /* what seki-audit says of itself */
#define AUDIT_LINE_MAX ((size_t)16384)   /* bytes of a line, without its newline */

/*
 * The state is one line of exactly AUDIT_STATE_LEN bytes, filled up with blanks in front of its newline,
 * that seki-audit writes over itself, so that it can say that there is no room:
 *
 *     fine BOOT seq=N chain=HEX64      BOOT: microseconds of the boot clock
 *     failed BOOT reason=XTEXT
 */
#define AUDIT_STATE_LEN ((size_t)1024)

struct audit;

/*
 * The audit log as `program` reaches it, in the instance's directory (the current one), with the
 * defaults of the settings audit, audit-lag and tray-max until audit_settings. Opens nothing yet.
 * NULL: no memory.
 */
NODISCARD struct audit *audit_reach(const char *program);
void audit_leave(struct audit *audit);

/* Takes what the settings say, at start and at each reload. With "audit no" everything is said and well. */
void audit_settings(struct audit *audit, const struct settings *settings);

/*
 * Says one line of `len` bytes, without its newline. `durable`: it is on the disk when this returns.
 * Any thread may. False with errno: it was not said, and will not be in the log (EMSGSIZE: longer
 * than AUDIT_LINE_MAX; EINVAL: it is no such line; EFBIG: seki-audit has not read for too long;
 * EAGAIN: somebody keeps the tray locked; ENOENT, ENOSPC, EIO …).
 */
NODISCARD bool audit_say(struct audit *audit, bool durable, const char *line, size_t len);

/*
 * Whether seki-audit takes what is said: its word is not older than audit-lag, by the boot clock, and
 * is "fine". Any thread may ask, for each message: it is looked at once in a second.
 */
NODISCARD bool audit_well(struct audit *audit);

#define AUDIT_REASON_MAX ((size_t)400) /* bytes of audit_reason, with its NUL */

/* What to tell a person when it is not: "seki-audit cannot write: No space left on device; see its log". */
void audit_reason(struct audit *audit, char *text, size_t room);

/* ---- building a line ---- */

/* Empties `line`, which was made by buf_init (bound AUDIT_LINE_MAX), and begins it: now, and what=. */
void audit_begin(struct buf *line, const char *what);

/* Adds a pair. The value is any bytes that end in a NUL; NULL or "": nothing is added. */
void audit_put(struct buf *line, const char *key, const char *value);
void audit_put_bytes(struct buf *line, const char *key, const char *value, size_t len);
void audit_put_number(struct buf *line, const char *key, int64_t number);
/* A value that is xtext already, as a record of a leg has it; an empty one is not added. */
void audit_put_xtext(struct buf *line, const char *key, const char *value, size_t len);

/* audit_say of what was built; false with ENOMEM or EMSGSIZE if it did not fit. */
NODISCARD bool audit_say_line(struct audit *audit, bool durable, const struct buf *line);

/* Whether `len` bytes are a line that may be said. */
NODISCARD bool audit_line_valid(const char *line, size_t len);

#endif
