/*
 * The counts in memory. Internal to queue/quota*.c.
 */
#ifndef SEKISHO_QUEUE_QUOTA_TABLE_H
#define SEKISHO_QUEUE_QUOTA_TABLE_H

#include "queue/quota.h"

struct quota_entry {
	struct quota_entry *next;          /* of its chain */
	struct quota_entry *older, *newer; /* by when it was last counted */
	int64_t minute;                    /* the minute up to which the buckets below are right */
	uint32_t minutes[QUOTA_MINUTES];   /* by minute modulo their number */
	uint32_t hours[QUOTA_HOURS];
	enum quota_kind kind;
	bool frozen;
	char who[]; /* lower case */
};

struct quota {
	struct quota_entry **chain;
	size_t chains; /* a power of two */
	size_t n, most, forgotten;
	uint64_t seed; /* so that nobody can choose names that share a chain */
	struct quota_entry *oldest, *newest;
};

/* The minute of a time. Times are counted from a week before the clock began, so that what was
 * counted before the machine was started has a minute that is not negative. */
int64_t quota_minute(int64_t now);

/* Finds an entry, or makes it with nothing counted, and makes it the newest. NULL: no memory. */
struct quota_entry *quota_entry(
    struct quota *q, enum quota_kind kind, const char *who, int64_t minute);

/* Empties the buckets whose time is over. */
void quota_advance(struct quota_entry *e, int64_t minute);

/* Forgets everything. */
void quota_clear(struct quota *q);

#endif
