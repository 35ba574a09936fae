/*
 * How many recipients each login and each source has had: counting alone, without a clock and
 * without a file. Times are microseconds of a clock that never jumps (clock_boot).
 *
 * The hour is the minute that is running and the 59 before it; the day is the hour that is running
 * and the 23 before it. So both windows slide, by steps of a minute and of an hour, and are up to
 * one step shorter than their names.
 *
 * No function here locks anything: one thread at a time.
 */
#ifndef SEKISHO_QUEUE_QUOTA_H
#define SEKISHO_QUEUE_QUOTA_H

#include "lib/base/buf.h"
#include "lib/base/compat.h"
#include "queue/origin.h"

#define QUOTA_MINUTES 60
#define QUOTA_HOURS   24

enum quota_kind { QUOTA_LOGIN, QUOTA_SOURCE };

/* Recipients in each window; 0: any number. */
struct quota_limits {
	int64_t hour, day;
};

enum quota_verdict {
	QUOTA_WITHIN,
	QUOTA_OVER_HOUR,
	QUOTA_OVER_DAY,
	QUOTA_NO_MEMORY, /* not counted */
};

struct quota; /* everybody's counts; opaque */
struct quota_entry;

/* Counts at most `entries` logins and sources. NULL: no memory. */
NODISCARD struct quota *quota_new(size_t entries);
void quota_free(struct quota *q);

/* Another number of them from now on; those that are too many are forgotten, the longest unseen
 * first. */
void quota_set_entries(struct quota *q, size_t entries);
size_t quota_entries(const struct quota *q);

/* How many were forgotten for want of a place though their counts were not zero; then zero again. */
size_t quota_forgotten(struct quota *q);

/* What one message adds, and what came of it. */
struct quota_count {
	enum quota_verdict verdict;
	int64_t count, limit; /* of the window that is over; otherwise 0 */
};

/*
 * Counts `rcpts` recipients of `who` (a login, or a source as queue/origin.h writes it; ASCII case
 * does not matter) at `now`. What is over a limit is counted too.
 */
struct quota_count quota_count(struct quota *q, enum quota_kind kind, const char *who, size_t rcpts,
    int64_t now, const struct quota_limits *limits);

/* Takes back what quota_count counted at `then`: the message was not kept after all. */
void quota_take_back(struct quota *q, enum quota_kind kind, const char *who, size_t rcpts,
    int64_t then, int64_t now);

/*
 * Whether mail of this one is known to be frozen. Setting it makes an entry if there is none;
 * false: no memory.
 */
NODISCARD bool quota_is_frozen(const struct quota *q, enum quota_kind kind, const char *who);
NODISCARD bool quota_set_frozen(
    struct quota *q, enum quota_kind kind, const char *who, int64_t now);

/* Whether one is still frozen, as the operator's file says. */
typedef bool quota_still(void *context, enum quota_kind kind, const char *who);

/* Asks about each that is known to be frozen; one that is not any more begins at zero. */
void quota_thaw(struct quota *q, quota_still *still, void *context);

/* ---- the text of lib/quota/counts ---- */

/*
 * Writes everything that is not zero or frozen. `wall`: the wall clock, by which a reader after a
 * restart knows how old it is.
 */
void quota_write(struct quota *q, struct buf *out, int64_t now, int64_t wall);

/*
 * Reads what quota_write wrote into an empty `q`, as of `now` and `wall`; the time that has passed
 * since is counted, but for one that runs backwards: then none has. False with a literal reason: it
 * is not what quota_write writes, to its last byte; `q` is then empty again. Entries beyond the
 * bound are left out.
 */
NODISCARD bool quota_read(
    struct quota *q, const char *text, size_t len, int64_t now, int64_t wall, const char **why);

#endif
