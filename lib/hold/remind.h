/* The digest of what waits for somebody. Between remind.c and reviews_tell.c. */
#ifndef SEKISHO_HOLD_REMIND_H
#define SEKISHO_HOLD_REMIND_H

#include "lib/hold/job.h"
#include "lib/hold/notices.h"

#define REMIND_PEOPLE ((size_t)10000) /* that are told in one look */
#define REMIND_ROWS   ((size_t)10000) /* of all of them together; what is beyond is counted */

enum remind_kind { REMIND_CONFIRM, REMIND_HELD, REMIND_APPROVE, REMIND_WAITS, REMIND_REVIEW };

/* One mail in a digest. */
struct remind_row {
	int64_t time;
	enum remind_kind kind;
	char *subject, *from, *rcpt, *url; /* owned; NULL: none */
};

/* Somebody, and what waits for him. */
struct reminder {
	char *address;
	size_t count;
	bool due; /* something has waited for so long, or he is told by digests alone */
	struct remind_row *row; /* NOTICE_ROWS_MAX at most, the oldest */
	size_t rows;
};

struct reminders {
	const struct hold_view *view;
	const struct absences *absences;
	int64_t now;
	struct reminder **one; /* by address */
	size_t n, room, rows;
	bool failed; /* no memory */
};

/* Notes that `row` (texts copied) waits for him; `due` as in struct reminder. */
void reminders_add(
    struct reminders *reminders, const char *address, bool due, const struct remind_row *row);

/* Urgent mail that is still to be reviewed. lib/hold/reviews_tell.c */
void reminders_add_reviews(struct reminders *reminders);

#endif
