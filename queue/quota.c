#include "queue/quota.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/base/clock.h"
#include "queue/quota_table.h"

#define CHAINS_FIRST   ((size_t)64)
#define MINUTE         (60 * CLOCK_SECOND)
#define MINUTES_BEFORE ((int64_t)7 * 24 * 60)

int64_t quota_minute(int64_t now)
{
	return now / MINUTE + MINUTES_BEFORE;
}

/* ---- the table ---------------------------------------------------------------------------- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* FNV-1a, from a start that nobody outside knows. */
static size_t chain_of(const struct quota *q, enum quota_kind kind, const char *who)
{
	uint64_t h = q->seed ^ (uint64_t)kind;

	for (; *who != '\0'; who++)
		h = (h ^ (unsigned char)lower(*who)) * UINT64_C(1099511628211);
	return (size_t)(h ^ h >> 32) & (q->chains - 1);
}

static bool same(const struct quota_entry *e, enum quota_kind kind, const char *who)
{
	const char *p = e->who;

	if (e->kind != kind)
		return false;
	while (*p != '\0' && *p == lower(*who)) {
		p++;
		who++;
	}
	return *p == *who;
}

static struct quota_entry *find(const struct quota *q, enum quota_kind kind, const char *who)
{
	struct quota_entry *e = q->chain[chain_of(q, kind, who)];

	while (e != NULL && !same(e, kind, who))
		e = e->next;
	return e;
}

static void take_out_of_order(struct quota *q, struct quota_entry *e)
{
	*(e->older != NULL ? &e->older->newer : &q->oldest) = e->newer;
	*(e->newer != NULL ? &e->newer->older : &q->newest) = e->older;
	e->older = e->newer = NULL;
}

static void make_newest(struct quota *q, struct quota_entry *e)
{
	e->older = q->newest;
	e->newer = NULL;
	*(q->newest != NULL ? &q->newest->newer : &q->oldest) = e;
	q->newest = e;
}

static bool counts_anything(const struct quota_entry *e)
{
	uint32_t any = e->frozen;

	for (size_t i = 0; i < QUOTA_HOURS; i++)
		any |= e->hours[i];
	return any != 0;
}

static void forget(struct quota *q, struct quota_entry *e)
{
	struct quota_entry **link = &q->chain[chain_of(q, e->kind, e->who)];

	while (*link != e)
		link = &(*link)->next;
	*link = e->next;
	take_out_of_order(q, e);
	free(e);
	q->n--;
}

/* Forgets the one that was not seen for the longest time. */
static void forget_oldest(struct quota *q, int64_t minute)
{
	quota_advance(q->oldest, minute);
	q->forgotten += counts_anything(q->oldest);
	forget(q, q->oldest);
}

/* Twice as many chains; without memory for them they only become longer. */
static void grow(struct quota *q)
{
	size_t chains = q->chains * 2;
	struct quota_entry **chain = calloc(chains, sizeof(struct quota_entry *));

	if (chain == NULL)
		return;
	free(q->chain);
	q->chain = chain;
	q->chains = chains;
	for (struct quota_entry *e = q->oldest; e != NULL; e = e->newer) {
		struct quota_entry **first = &q->chain[chain_of(q, e->kind, e->who)];

		e->next = *first;
		*first = e;
	}
}

struct quota_entry *quota_entry(
    struct quota *q, enum quota_kind kind, const char *who, int64_t minute)
{
	struct quota_entry *e = find(q, kind, who), **first;
	size_t len = strlen(who);

	if (e != NULL) {
		take_out_of_order(q, e);
		make_newest(q, e);
		return e;
	}

	while (q->n >= q->most)
		forget_oldest(q, minute);
	e = calloc(1, sizeof *e + len + 1);
	if (e == NULL)
		return NULL;
	e->kind = kind;
	e->minute = minute;
	for (size_t i = 0; i < len; i++)
		e->who[i] = lower(who[i]);
	first = &q->chain[chain_of(q, kind, who)];
	e->next = *first;
	*first = e;
	make_newest(q, e);
	if (++q->n > q->chains)
		grow(q);
	return e;
}

void quota_clear(struct quota *q)
{
	while (q->oldest != NULL)
		forget(q, q->oldest);
}

struct quota *quota_new(size_t entries)
{
	struct quota *q = calloc(1, sizeof *q);

	if (q == NULL)
		return NULL;
	q->most = entries > 0 ? entries : 1;
	q->chains = CHAINS_FIRST;
	q->chain = calloc(q->chains, sizeof(struct quota_entry *));
	if (q->chain == NULL || getrandom(&q->seed, sizeof q->seed, 0) != (ssize_t)sizeof q->seed) {
		quota_free(q);
		return NULL;
	}
	return q;
}

void quota_free(struct quota *q)
{
	if (q == NULL)
		return;
	if (q->chain != NULL)
		quota_clear(q);
	free(q->chain);
	free(q);
}

void quota_set_entries(struct quota *q, size_t entries)
{
	q->most = entries > 0 ? entries : 1;
	while (q->n > q->most)
		forget_oldest(q, q->newest->minute);
}

size_t quota_entries(const struct quota *q)
{
	return q->n;
}

size_t quota_forgotten(struct quota *q)
{
	size_t n = q->forgotten;

	q->forgotten = 0;
	return n;
}

/* ---- counting ----------------------------------------------------------------------------- */

void quota_advance(struct quota_entry *e, int64_t minute)
{
	int64_t passed = minute - e->minute;
	int64_t hours = minute / 60 - e->minute / 60;

	if (passed <= 0)
		return;
	for (int64_t i = 1; i <= passed && i <= QUOTA_MINUTES; i++)
		e->minutes[(e->minute + i) % QUOTA_MINUTES] = 0;
	for (int64_t i = 1; i <= hours && i <= QUOTA_HOURS; i++)
		e->hours[(e->minute / 60 + i) % QUOTA_HOURS] = 0;
	e->minute = minute;
}

static int64_t sum(const uint32_t *bucket, size_t n)
{
	int64_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += bucket[i];
	return total;
}

static void add(uint32_t *bucket, size_t rcpts)
{
	uint32_t most = UINT32_MAX - *bucket;

	*bucket += rcpts < most ? (uint32_t)rcpts : most;
}

static void subtract(uint32_t *bucket, size_t rcpts)
{
	*bucket -= rcpts < *bucket ? (uint32_t)rcpts : *bucket;
}

struct quota_count quota_count(struct quota *q, enum quota_kind kind, const char *who, size_t rcpts,
    int64_t now, const struct quota_limits *limits)
{
	int64_t minute = quota_minute(now), hour, day;
	struct quota_entry *e = quota_entry(q, kind, who, minute);

	if (e == NULL)
		return (struct quota_count){.verdict = QUOTA_NO_MEMORY};
	quota_advance(e, minute);
	add(&e->minutes[e->minute % QUOTA_MINUTES], rcpts);
	add(&e->hours[e->minute / 60 % QUOTA_HOURS], rcpts);

	hour = sum(e->minutes, QUOTA_MINUTES);
	day = sum(e->hours, QUOTA_HOURS);
	if (limits->hour > 0 && hour > limits->hour)
		return (struct quota_count){QUOTA_OVER_HOUR, hour, limits->hour};
	if (limits->day > 0 && day > limits->day)
		return (struct quota_count){QUOTA_OVER_DAY, day, limits->day};
	return (struct quota_count){.verdict = QUOTA_WITHIN};
}

void quota_take_back(
    struct quota *q, enum quota_kind kind, const char *who, size_t rcpts, int64_t then, int64_t now)
{
	struct quota_entry *e = find(q, kind, who);
	int64_t minute = quota_minute(then);

	if (e == NULL)
		return;
	quota_advance(e, quota_minute(now));
	if (e->minute - minute < QUOTA_MINUTES)
		subtract(&e->minutes[minute % QUOTA_MINUTES], rcpts);
	if (e->minute / 60 - minute / 60 < QUOTA_HOURS)
		subtract(&e->hours[minute / 60 % QUOTA_HOURS], rcpts);
}

/* ---- frozen ------------------------------------------------------------------------------- */

bool quota_is_frozen(const struct quota *q, enum quota_kind kind, const char *who)
{
	const struct quota_entry *e = find(q, kind, who);

	return e != NULL && e->frozen;
}

bool quota_set_frozen(struct quota *q, enum quota_kind kind, const char *who, int64_t now)
{
	struct quota_entry *e = quota_entry(q, kind, who, quota_minute(now));

	if (e != NULL)
		e->frozen = true;
	return e != NULL;
}

void quota_thaw(struct quota *q, quota_still *still, void *context)
{
	for (struct quota_entry *e = q->oldest; e != NULL; e = e->newer) {
		if (!e->frozen || still(context, e->kind, e->who))
			continue;
		e->frozen = false;
		memset(e->minutes, 0, sizeof e->minutes);
		memset(e->hours, 0, sizeof e->hours);
	}
}
