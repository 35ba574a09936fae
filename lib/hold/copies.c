/*
 * Copies of one message: a table in memory of what has just been told, so that somebody who hears of one
 * copy does not hear of twenty. It forgets; then somebody is told of another copy, and that is all.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/hold/notices.h"

#define COPIES     1024
#define REMEMBERED (24 * 3600 * CLOCK_SECOND) /* by the boot clock */
#define DRAFTED    (600 * CLOCK_SECOND) /* of drafts: what is thrown away later is another matter */
#define FNV_START  UINT64_C(14695981039346656037)
#define FNV_PRIME  UINT64_C(1099511628211)

struct copy {
	uint64_t key; /* 0: free */
	int64_t time; /* boot clock */
	struct leg_name name;
	bool done;
};

struct copies {
	pthread_mutex_t lock;
	size_t next; /* the oldest, which is written over */
	struct copy copy[COPIES];
};

struct copies *copies_new(void)
{
	struct copies *copies = calloc(1, sizeof *copies);

	if (copies != NULL)
		(void)pthread_mutex_init(&copies->lock, NULL);
	return copies;
}

void copies_free(struct copies *copies)
{
	if (copies == NULL)
		return;
	(void)pthread_mutex_destroy(&copies->lock);
	free(copies);
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * FNV_PRIME;
	return hash;
}

/* How and by whom it was thrown away: only those that went together come back together. */
static uint64_t mix_end(uint64_t hash, const struct leg *leg)
{
	static const char *const keys[] = {"cause", "by"};
	struct leg_record record, last = {.text = NULL};
	size_t at = 0;

	while (leg_next_record(leg, &at, &record)) {
		if (leg_record_is(&record, "discarded"))
			last = record;
	}
	for (size_t i = 0; last.text != NULL && i < COUNT_OF(keys); i++) {
		size_t len = 0;
		const char *value = leg_record_value(&last, keys[i], &len);

		hash = mix(mix(hash, value, value != NULL ? len : 0), " ", 1);
	}
	return hash;
}

/* What makes two notices the same but for the copy they are about; never 0. */
static uint64_t key_of(
    enum spool_state state, const struct leg *leg, uint64_t group, const struct notice_owed *owed)
{
	uint32_t small[4] = {
	    (uint32_t)state, (uint32_t)owed->what, (uint32_t)owed->step, leg->restores};
	uint64_t hash = mix(FNV_START, small, sizeof small);

	hash = mix(hash, &group, sizeof group);
	hash = mix(hash, &owed->asked, sizeof owed->asked);
	hash = mix(hash, owed->to, strlen(owed->to));
	if (owed->what == TELL_DRAFT)
		hash = mix_end(hash, leg);
	return hash != 0 ? hash : 1;
}

static struct copy *find(struct copies *copies, uint64_t key)
{
	for (size_t i = 0; i < COPIES; i++) {
		if (copies->copy[i].key == key)
			return &copies->copy[i];
	}
	return NULL;
}

/* The oldest that is not being told just now. */
static struct copy *take_one(struct copies *copies)
{
	for (size_t i = 0; i < COPIES; i++) {
		struct copy *one = &copies->copy[copies->next];

		copies->next = (copies->next + 1) % COPIES;
		if (one->key == 0 || one->done)
			return one;
	}
	return NULL;
}

enum copies_answer copies_ask(struct copies *copies, enum spool_state state, const struct leg *leg,
    uint64_t group, const struct notice_owed *owed)
{
	enum copies_answer answer = COPIES_FIRST;
	uint64_t key = key_of(state, leg, group, owed);
	int64_t now = clock_boot();
	struct copy *one;

	(void)pthread_mutex_lock(&copies->lock);
	one = find(copies, key);
	if (one != NULL && one->done &&
	    now - one->time > (owed->what == TELL_DRAFT ? DRAFTED : REMEMBERED)) {
		one->key = 0;
		one = NULL;
	}
	if (one != NULL && name_same_leg(&one->name, &leg->name)) {
		/* Its own record is missing: it was not told, or not written down. */
		one->done = false;
	} else if (one != NULL) {
		answer = one->done ? COPIES_COPY : COPIES_BUSY;
	} else if ((one = take_one(copies)) != NULL) {
		*one = (struct copy){.key = key, .time = now, .name = leg->name};
	}
	(void)pthread_mutex_unlock(&copies->lock);
	return answer;
}

static void settle(struct copies *copies, const struct leg *leg, bool done)
{
	(void)pthread_mutex_lock(&copies->lock);
	for (size_t i = 0; i < COPIES; i++) {
		struct copy *one = &copies->copy[i];

		if (one->key == 0 || one->done || !name_same_leg(&one->name, &leg->name))
			continue;
		one->done = done;
		one->key = done ? one->key : 0;
	}
	(void)pthread_mutex_unlock(&copies->lock);
}

void copies_done(struct copies *copies, const struct leg *leg)
{
	settle(copies, leg, true);
}

void copies_failed(struct copies *copies, const struct leg *leg)
{
	settle(copies, leg, false);
}
