/*
 * What has happened before: who has written to whom, who is registered. Asked of seki-db(8), the one
 * owner of the databases, over run/db/socket; told to it by way of trays, files to which a program
 * appends and which seki-db empties: whoever delivers mail never waits for a database, and what is told
 * while seki-db is down is not lost.
 *
 * Nothing here logs. What the two say to each other stands in lib/past/protocol.h.
 */
#ifndef SEKISHO_PAST_PAST_H
#define SEKISHO_PAST_PAST_H

#include "lib/base/buf.h"
#include "lib/base/compat.h"
#include "lib/base/tray.h"

#define PAST_SOCKET "run/db/socket"
#define PAST_TRAYS  "lib/history/trays" /* and in it a file for each program */

/* ---- asking ---- */

struct past_rcpt_question {
	const char *address; /* normal form (lib/org/org.h) */
	const char *name;    /* display name in To or Cc, UTF-8; "" or NULL if none is known */
};

struct past_question {
	const char *sender; /* normal form; "" is <> */
	const char **group; /* the names of the groups that it is in, in any order */
	size_t groups;
	struct past_rcpt_question *rcpt;
	size_t rcpts;
	bool lookalike; /* wanted, too: it costs more */
	void *memory;   /* one malloc(3) behind all of it, or NULL: it is somebody else's */
};
void past_question_free(struct past_question *question);

enum past_look {
	LOOK_NONE,
	LOOK_EDIT,    /* one letter from a known address, or its domain from a known one */
	LOOK_TLD,     /* the same but for the top-level domain */
	LOOK_NAME,    /* the display name of somebody known at another company */
	LOOK_DORMANT, /* known, and not written to for longer than the setting dormant */
};
const char *past_look_word(enum past_look look); /* "none", "edit", "tld" … */

/* Of one recipient: mails really delivered to it. */
struct past_rcpt {
	uint64_t by_sender;
	uint64_t
	    by_group; /* by anybody in a group of the sender's: of these groups the largest count */
	uint64_t by_site;
	int64_t last; /* seconds, of the last one by anybody; 0: none */
	enum past_look look;
	char like[256]; /* the known address, or "@domain", that it looks like; "" */
};

struct past {
	bool registered; /* the sender is enrolled */
	struct past_rcpt *rcpt;
	size_t rcpts;
};

/* Asks; at most `patience` microseconds. NULL with errno: nobody there, no answer in time (ETIMEDOUT),
 * it cannot tell now (EIO), no memory. Free with past_free. */
NODISCARD struct past *past_ask(const struct past_question *question, int64_t patience);
void past_free(struct past *past);

/* Whether `sender` (normal form) is enrolled; `enrol`: it is from now on, durably. 1, 0, -1 errno. */
int past_enrolled(const char *sender, bool enrol, int64_t patience);

/* Takes an enrolled address away; for root and the owner of the instance. 1; 0: it was not there; -1
 * errno. */
int past_remove(const char *address, int64_t patience);

/* Sees each enrolled address, in order, and since when (seconds). False with errno: not all were seen. */
typedef void past_see(void *context, const char *address, int64_t since);
NODISCARD bool past_enrolments(past_see *see, void *context, int64_t patience);

/* ---- registered addresses, by month ---- */

struct past_month {
	char month[8]; /* "2026-11", in the site's time zone */
	uint64_t peak; /* the most that were registered at once */
	uint64_t now;  /* that are registered: in etc/people, and enrolled */
	uint64_t enrolled;
};

/* Months for which there is a number, oldest first; `month` is one of them, or "" for all. At most
 * `room`; the newest, if there are more. Returns how many, -1 with errno. `now` and `enrolled` are of
 * this moment in every row. */
ssize_t past_months(const char *month, struct past_month *months, size_t room, int64_t patience);

/* ---- what rules did, and would have done ---- */

enum past_kind {
	PAST_DID,    /* a rule did it */
	PAST_SHADOW, /* a shadow rule would have */
	PAST_WATCH,  /* it would have, but for watch-only */
};
const char *past_kind_word(enum past_kind kind); /* "did", "shadow", "watch" */

struct past_row {
	enum past_kind kind;
	const char *where, *rule, *function, *outcome; /* as in the records of a leg, decoded */
	uint64_t mails, rcpts;
};

struct past_rows {
	char from[11], to[11]; /* "2026-11-16": the days, both counted */
	uint64_t judged, legs, refused, held;
	struct past_row *row; /* by kind, the most frequent first */
	size_t rows;
	void *memory;
};

/* Of `days` whole days (1 to 366): those before today, or, `today`, up to this moment. NULL with
 * errno. Free with past_rows_free. */
NODISCARD struct past_rows *past_rows(unsigned days, bool today, int64_t patience);
void past_rows_free(struct past_rows *rows);

/* The report of the `days` days before today, text for a mail in Japanese and English, lines ending in
 * LF. False with errno; what is in `text` is then of no use. */
NODISCARD bool past_report(unsigned days, struct buf *text, int64_t patience);

/*
 * The weekly report is due each Monday at 08:00 of the site, once, and after a downtime as soon as
 * somebody asks, once for all that were missed. 1: it is due, and `week` names the Monday
 * ("2026-11-23"); 0: it is not; -1 errno. Ask once a minute, send it, and tell that it is done,
 * which is durable when it returns true. A program that dies in between sends it again: name the mail
 * by `week`, where that can be seen.
 */
int past_report_due(char week[11], int64_t patience);
NODISCARD bool past_report_done(const char week[11], int64_t patience);

/* ---- telling ---- */

/*
 * The tray of `program` in the instance's directory (the current one); NULL: no memory. What is told
 * last may be lost at a power cut, or be counted twice: then a recipient is new once more, or a count too
 * high; nobody becomes known who is not.
 */
NODISCARD struct tray *tray_open(const char *program);

/*
 * The lines, xtext; TIME in seconds, addresses in any form. "=" is an empty value.
 *
 *   tray RANDOM                          first in each tray (lib/base/tray.h)
 *   delivered TIME FROM RCPT
 *   member TIME SENDER [GROUP…]          the groups of a sender; told when it was judged
 *   named TIME ADDRESS NAME              a display name that was seen
 *   judged TIME LEGS refused|- held|-    a message
 *   would TIME WHERE RULE FUNCTION OUTCOME N shadow|watch      of N recipients
 *   did TIME WHERE RULE FUNCTION OUTCOME N
 *   people TIME N                        registered addresses in etc/people
 *   sent TIME ID K FROM LOGIN SUBJECT N DELIVERED FAILED RETURNED [RCPT…]
 *                                        a leg has come to its end: of N recipients so many; of their
 *                                        addresses the first ones. LOGIN handed it in; "=": none
 */
void tray_put_delivered(struct buf *out, int64_t time, const char *from, const char *rcpt);
void tray_put_member(
    struct buf *out, int64_t time, const char *sender, const char *const *group, size_t groups);
void tray_put_named(struct buf *out, int64_t time, const char *address, const char *name);
void tray_put_judged(struct buf *out, int64_t time, size_t legs, bool refused, bool held);
void tray_put_decision(struct buf *out, enum past_kind kind, int64_t time, const char *where,
    const char *rule, const char *function, const char *outcome, size_t rcpts);

/* A leg that has come to its end. */
struct past_leg {
	const char *id, *k;
	const char *from, *login; /* login: "" if there was none */
	const char *subject;      /* UTF-8 */
	size_t rcpts, delivered, failed, returned;
	const char *const *rcpt; /* the first `named` of them */
	size_t named;
};
#define PAST_NAMED_MAX ((size_t)20) /* recipients that are told */
void tray_put_sent(struct buf *out, int64_t time, const struct past_leg *leg);

/* How many registered addresses etc/people has: told by "seki compile", to the tray "seki". */
NODISCARD bool past_people(uint64_t addresses);

#endif
