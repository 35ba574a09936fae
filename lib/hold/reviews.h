/*
 * What was sent without its approval, by the act `urgent`, and is to be reviewed afterwards:
 * lib/hold/reviews, kept by seki-hold, one line for each:
 *
 *   TIME id=ID.K from=XTEXT by=XTEXT reason=XTEXT asked=XTEXT[,XTEXT…] [subject=XTEXT] [rcpts=N]
 *   [reviewed=TIME who=XTEXT verdict=fine|wrong [comment=XTEXT]]                              (one line)
 *
 * Lines of older versions have no subject and no number of recipients.
 *
 * Written as a whole (queue/state_file.h), before the mail goes. The lines of the last week are what the
 * setting urgent-per-week counts; older ones go when they have been reviewed for REVIEWS_KEPT.
 */
#ifndef SEKISHO_HOLD_REVIEWS_H
#define SEKISHO_HOLD_REVIEWS_H

#include "lib/base/buf.h"
#include "lib/base/compat.h"

#define REVIEWS_FILE  "lib/hold/reviews"
#define REVIEWS_MAX   ((size_t)10000)
#define REVIEWS_BYTES ((size_t)16 * 1024 * 1024)
#define REVIEWS_KEPT  ((int64_t)90 * 86400 * 1000000) /* microseconds */
#define REVIEW_ASKED  ((size_t)20) /* of those who are asked, so many are written down */

enum review_verdict { REVIEW_OPEN, REVIEW_FINE, REVIEW_WRONG };

/* Values are xtext as they stand in the file, NUL-ended, and live as long as the reviews. */
struct review {
	int64_t time;   /* microseconds: when it was sent */
	const char *id; /* ID.K */
	const char *from, *by, *reason;
	const char *asked;   /* parted by ',' */
	const char *subject; /* "": there is none, or it is not known */
	size_t rcpts;        /* 0: not known */
	enum review_verdict verdict;
	int64_t reviewed; /* 0: not yet */
	const char *who, *comment;
};

struct reviews {
	struct review *review; /* the oldest first */
	size_t n;
	struct buf text;
};

/* Reads the file; none is there: none. False with errno: EPROTO for one that cannot be understood. Free with
 * reviews_free after true. */
NODISCARD bool reviews_read(struct reviews *reviews);
void reviews_free(struct reviews *reviews);

/* How many of `by` (xtext) are younger than a week. */
size_t reviews_of_week(const struct reviews *reviews, const char *by, int64_t now);

/* Adds one, durably. False with errno: nothing has changed; ENOSPC too if there are REVIEWS_MAX. */
NODISCARD bool reviews_add(const struct review *review, int64_t now);

/* Takes the open review of that ID.K and time away again, durably: the mail did not go. False with errno (logged):
 * it stands there still. */
NODISCARD bool reviews_take_back(const char *id, int64_t time, int64_t now);

/* Whether `who` (xtext) is one of those who are asked about it. */
NODISCARD bool review_asks(const struct review *review, const char *who);

struct stage;

enum review_end {
	REVIEW_DONE,
	REVIEW_NONE,    /* there is no such review */
	REVIEW_NOT_HIS, /* he is not asked */
	REVIEW_CLOSED,  /* somebody was faster */
	REVIEW_FAILED,  /* the audit, or the file, could not be written: nothing has changed */
};

/*
 * Closes the review of ID.K: `who` (xtext; NULL: an operator, by `via`) has looked at it. The audit is told,
 * durably, before.
 */
enum review_end reviews_close(struct stage *stage, const char *id, const char *who,
    enum review_verdict verdict, const char *comment, const char *via);

#endif
