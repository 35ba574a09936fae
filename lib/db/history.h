/*
 * What seki-db(8) knows, in a store: who has written to whom, who is registered, what happened each
 * day. Addresses of trays are brought into their normal form here. Times are seconds.
 *
 * Keys and values (numbers are 8 bytes, the lowest first; "0" is a NUL byte):
 *
 *   meta    "tray/NAME" offset, hash · "people" n · "week" the Monday of the last report
 *   count   "s" SENDER 0 RCPT, "g" GROUP 0 RCPT, "a" RCPT: mails delivered, time of the last
 *   sender  "e" ADDRESS: enrolled since · "m" SENDER: time, groups each with a NUL
 *   name    FOLDED 0 ADDRESS: time
 *   day     "d" DAY: judged, legs, refused, held
 *           "m" MONTH: the most registered addresses
 *           "r" DAY KIND WHERE 0 RULE 0 FUNCTION 0 OUTCOME: mails, recipients; KIND is d, s or w
 *   sent    "f" ADDRESS 0 ID, "l" LOGIN 0 ID: when it ended, recipients, of them delivered, failed, returned;
 *           then, each with a NUL: what a search looks at, reverse-path, subject, three recipients, the names
 *           of its legs. ID is 16 bytes, each inverted: the newest comes first. Under a login stands what has
 *           another reverse-path
 */
#ifndef SEKISHO_DB_HISTORY_H
#define SEKISHO_DB_HISTORY_H

#include "lib/db/store.h"
#include "lib/past/past.h"
#include "lib/past/protocol.h"

struct history;

/* Reads what is kept in memory: the known addresses. The store stays the caller's. NULL: logged. */
NODISCARD struct history *history_open(struct store *store, int64_t now);
void history_close(struct history *h);

/* After how many seconds a recipient is dormant, and what is not touched any more is forgotten (0:
 * never). */
void history_bounds(struct history *h, int64_t dormant, int64_t keep);

/* After how many seconds what was sent is forgotten; 0: never. */
void history_keep_sent(struct history *h, int64_t keep);

/* ---- telling: within a transaction of the store ---- */

enum history_took { HISTORY_TOOK, HISTORY_NO_LINE, HISTORY_FAILED };
enum history_took history_take(struct history *h, const struct past_line *line, int64_t now);

/* ---- asking ---- */

/* A sender, and the groups that it is in. The texts are the caller's. */
struct history_sender {
	const char *address;
	const char *const *group;
	size_t groups;
	bool lookalike;
};

/* False: it cannot be told (logged). */
NODISCARD bool history_ask(struct history *h, const struct history_sender *sender, const char *rcpt,
    const char *name, int64_t now, struct past_rcpt *answer);

enum store_found history_enrolled(struct history *h, const char *address);

/* Adds "address ADDRESS SINCE" for each, and "end". False: logged, or there is no room. */
NODISCARD bool history_enrolments(struct history *h, struct buf *out);

/* In transactions of their own, durable when they return true. */
NODISCARD bool history_enrol(struct history *h, const char *address, int64_t now);
enum store_found history_remove(struct history *h, const char *address, int64_t now);

/* ---- what was sent ---- */

struct sent_question {
	uint64_t first; /* from 0 */
	size_t count;
	const char *query;       /* "": everything */
	const char *const *name; /* "f" and an address in normal form, or "l" and a login */
	size_t names;            /* at most PAST_SENT_NAMES */
};

/* Adds "mail …" for each on the page, and "end TOTAL all|more". False: logged, or there is no memory. */
NODISCARD bool history_sent(struct history *h, const struct sent_question *q, struct buf *out);

/* ---- months, weeks and days ---- */

/* The month has a number, also if nothing happened in it. To be called once a minute, and before what
 * changes the number. False: logged. */
NODISCARD bool history_month(struct history *h, int64_t now);

/* Adds "month MONTH PEAK" for each, and "end NOW ENROLLED". False: logged. */
NODISCARD bool history_months(struct history *h, struct buf *out);

/* Adds the lines of a report (lib/past/protocol.h). False: logged. */
NODISCARD bool history_report(
    struct history *h, unsigned days, bool today, int64_t now, struct buf *out);

/* The week whose report is due, or "". False: logged. */
NODISCARD bool history_due(struct history *h, int64_t now, char week[11]);
NODISCARD bool history_done(struct history *h, const char *week);

/* ---- forgetting ---- */

/* Looks at some more of what is old, in a transaction of its own. False: logged. */
NODISCARD bool history_forget(struct history *h, int64_t now);

#endif
