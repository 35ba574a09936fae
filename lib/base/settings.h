/*
 * The settings: every bound of every program, in one table with its type, its limits and its
 * default. etc/settings holds lines "NAME VALUE"; a name that is not in the table is an error, a
 * name that is left out has its default. Syntax and meaning: sekisho-settings(5).
 */
#ifndef SEKISHO_BASE_SETTINGS_H
#define SEKISHO_BASE_SETTINGS_H

#include "lib/base/compat.h"
#include "lib/base/conf.h"

/* clang-format off */

/*
 * TYPE      field of struct settings     how it is written
 * YESNO     bool                         yes | no
 * NUMBER    int64_t                      digits
 * SIZE      int64_t bytes                digits and B, KB, MB, GB (1 KB = 1,024 bytes)
 * SPAN      int64_t microseconds         digits and s, m, h, d, w
 * TEXT      char[SETTING_TEXT_MAX]       one word
 * LIST      char[SETTING_TEXT_MAX]       words, joined by one space each
 * CHOICE    int64_t, index into words    one of the words in the default's row ("a|b|c": a is default)
 *
 * S(TYPE, name in etc/settings, field, default, smallest, largest, what it is)
 */
#define SETTINGS(S) \
S(YESNO,  "trial",                 trial,                 "no",     0, 0, "this instance is a trial or a test: say what an installed service would refuse, and go on") \
S(TEXT,   "hostname",              hostname,              "-",      0, 0, "the name in the banner and in Received; - is the machine's own") \
S(YESNO,  "spool-any-filesystem",  spool_any_filesystem,  "no",     0, 0, "run on a file system whose journal was not tested") \
S(NUMBER, "space-percent",         space_percent,         "5",      0, 90, "new mail gets 452 below this much free space, or below space-bytes, whichever is less") \
S(SIZE,   "space-bytes",           space_bytes,           "256MB",  0, 1099511627776, "see space-percent") \
S(NUMBER, "space-files",           space_files,           "1000",   0, 1000000000, "new mail gets 452 when fewer files than this can still be made") \
S(SIZE,   "ballast",               ballast,               "16MB",   0, 17179869184, "space kept aside for trailers and logs on a full disk") \
S(SPAN,   "sweep-every",           sweep_every,           "5m",     1, 86400, "each stage reads its whole directory this often, in case an event was lost") \
S(SIZE,   "trailer-max",           trailer_max,           "4MB",    65536, 67108864, "a leg with more records than this stops for the operator") \
S(NUMBER, "legs-max",              legs_max,              "50",     1, 10000, "a message that would become more legs waits for the operator") \
S(SIZE,   "split-max",             split_max,             "2GB",    1, 1099511627776, "a message whose legs would take more space waits for the operator") \
S(SPAN,   "keep-sent",             keep_sent,             "26w",    0, 315360000, "how long head, header and trailer of sent mail are kept; 0s is for ever") \
S(SPAN,   "keep-trash",            keep_trash,            "14d",    0, 315360000, "how long discarded mail can be brought back; 0s is for ever") \
S(SPAN,   "keep-refused",          keep_refused,          "14d",    0, 315360000, "how long refused mail is kept; 0s is for ever") \
S(SPAN,   "keep-bad",              keep_bad,              "0s",     0, 315360000, "how long what could not be read is kept; 0s is for ever") \
S(LIST,   "smtp-listen",           smtp_listen,           "*:25",   0, 0, "where seki-smtpd listens: ADDRESS:PORT, [V6]:PORT or *:PORT") \
S(NUMBER, "smtp-sessions",         smtp_sessions,         "200",    1, 10000, "SMTP sessions at once") \
S(NUMBER, "smtp-sessions-source",  smtp_sessions_source,  "100",    1, 10000, "SMTP sessions at once from one address") \
S(NUMBER, "smtp-reuse",            smtp_reuse,            "100",    1, 10000, "connections of one relay source that one process serves before it ends; 1 is never again") \
S(SPAN,   "smtp-reuse-time",       smtp_reuse_time,       "60s",    1, 3600, "how old such a process may become") \
S(SPAN,   "smtp-timeout",          smtp_timeout,          "5m",     1, 3600, "silence that ends a session") \
S(SPAN,   "smtp-transaction-time", smtp_transaction_time, "1h",     1, 86400, "from MAIL to the final dot at most") \
S(NUMBER, "smtp-errors",           smtp_errors,           "20",     1, 1000, "wrong commands after which a session is closed") \
S(NUMBER, "recipients",            recipients,            "1000",   1, 10000, "recipients of one message") \
S(SIZE,   "message-size",          message_size,          "150MB",  65536, 17179869184, "largest message taken") \
S(CHOICE, "bare-newline",          bare_newline,          "refuse|repair", 0, 0, "a CR or LF that stands alone in a message") \
S(NUMBER, "queue-clients",         queue_clients,         "256",    1, 4096, "messages received at once by seki-queue") \
S(SPAN,   "queue-timeout",         queue_timeout,         "10m",    1, 86400, "silence after which seki-queue gives a half-sent message up") \
S(LIST,   "plan-states",           plan_states,           "deliver", 0, 0, "for tests and trials: the states that every message passes, out of approve hold encrypt stagger deliver") \
S(SPAN,   "plan-hold",             plan_hold,             "0s",     0, 31536000, "for tests and trials: how long hold keeps a message, from its acceptance") \
S(SPAN,   "plan-stagger",          plan_stagger,          "0s",     0, 31536000, "for tests and trials: how long stagger keeps a message, from its acceptance") \
S(CHOICE, "plan-divide",           plan_divide,           "no|domain|recipient", 0, 0, "for tests and trials: a leg of its own for each recipient domain or recipient") \
S(TEXT,   "route",                 route,                 "maildir:outbox", 0, 0, "where seki-deliver sends mail: maildir:PATH, relative to the instance") \
S(NUMBER, "deliver-workers",       deliver_workers,       "4",      1, 64, "deliveries at once") \
S(SPAN,   "retry-first",           retry_first,           "5m",     1, 86400, "the first wait after a delivery that failed for now; each further wait is twice as long") \
S(SPAN,   "retry-longest",         retry_longest,         "4h",     1, 604800, "the longest such wait") \
S(SPAN,   "clock-step",            clock_step,            "5m",     1, 86400, "a step of the wall clock of more than this is suspect: timers freeze") \
S(SPAN,   "clock-gap",             clock_gap,             "72h",    1, 31536000, "a start this long after the time last seen is suspect: timers freeze") \
S(SPAN,   "clock-mark-every",      clock_mark_every,      "60s",    1, 3600, "how often the time is written down")

/* clang-format on */

#define SETTING_TEXT_MAX 512

enum setting_type {
	SETTING_YESNO,
	SETTING_NUMBER,
	SETTING_SIZE,
	SETTING_SPAN,
	SETTING_TEXT,
	SETTING_LIST,
	SETTING_CHOICE,
};

enum bare_newline { BARE_NEWLINE_REFUSE, BARE_NEWLINE_REPAIR };
enum plan_divide { PLAN_DIVIDE_NO, PLAN_DIVIDE_DOMAIN, PLAN_DIVIDE_RECIPIENT };

#define SETTING_FIELD_YESNO(field)  bool field
#define SETTING_FIELD_NUMBER(field) int64_t field
#define SETTING_FIELD_SIZE(field)   int64_t field
#define SETTING_FIELD_SPAN(field)   int64_t field
#define SETTING_FIELD_CHOICE(field) int64_t field
#define SETTING_FIELD_TEXT(field)   char field[SETTING_TEXT_MAX]
#define SETTING_FIELD_LIST(field)   char field[SETTING_TEXT_MAX]

struct settings {
#define S(type, name, field, fallback, smallest, largest, what) SETTING_FIELD_##type(field);
	SETTINGS(S)
#undef S
};

/* One row of the table, for what lists or documents the settings. */
struct setting {
	const char *name;
	enum setting_type type;
	const char *fallback; /* the default as it would be written; a CHOICE: all words, "a|b" */
	int64_t smallest;     /* in seconds for a SPAN */
	int64_t largest;
	const char *what;
	size_t offset; /* into struct settings */
};

/* The table itself; `*n` rows in the order above. */
const struct setting *settings_table(size_t *n);

/* Sets every field to its default. */
void settings_default(struct settings *s);

/*
 * Reads the file "settings" in the directory `etc` into `s`, defaults first. A missing file is an
 * error. Returns false with the first fault in `fault`; `s` is then not to be used.
 */
NODISCARD bool settings_read(int etc, struct settings *s, struct conf_fault *fault);

/* Writes the value in force as it would stand in etc/settings. `room` >= SETTING_TEXT_MAX. */
void settings_show(const struct settings *s, const struct setting *row, char *text, size_t room);

#endif
