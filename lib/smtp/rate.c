#include "lib/smtp/rate.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/base/clock.h"

#define SETS   4096 /* a power of two */
#define WAYS   4
#define MINUTE (60 * CLOCK_SECOND)

struct line {
	struct ip ip;
	int64_t begun; /* of its minute; 0: free */
	int64_t seen;
	int64_t count;
};

struct rate {
	uint64_t key; /* so that nobody can choose addresses that push others out */
	struct line line[SETS][WAYS];
};

struct rate *rate_new(void)
{
	struct rate *r = calloc(1, sizeof *r);

	if (r == NULL || getrandom(&r->key, sizeof r->key, 0) != (ssize_t)sizeof r->key) {
		free(r);
		return NULL;
	}
	return r;
}

/* A multiplicative hash under a secret odd factor; what is needed is spread, not proof. */
static size_t set_of(const struct rate *r, const struct ip *ip)
{
	uint64_t half[2];
	uint64_t h;

	memcpy(half, ip->bytes, sizeof half);
	h = (half[0] ^ r->key) * (r->key | 1);
	h = ((h >> 29) ^ h ^ half[1]) * ((r->key >> 7) | 1);
	return (size_t)(h >> 52) & (SETS - 1); /* the high bits depend on all of the address */
}

int64_t rate_note(struct rate *r, const struct ip *ip, int64_t now)
{
	struct ip who = *ip;
	struct line *set, *oldest;

	if (!ip_is_v4(&who))
		memset(who.bytes + 8, 0, 8);
	set = r->line[set_of(r, &who)];
	oldest = set;
	for (size_t i = 0; i < WAYS; i++) {
		struct line *line = &set[i];

		if (line->begun != 0 && ip_equal(&line->ip, &who)) {
			if (now - line->begun >= MINUTE)
				*line = (struct line){.ip = who, .begun = now};
			line->seen = now;
			return ++line->count;
		}
		if (line->seen < oldest->seen)
			oldest = line;
	}
	*oldest = (struct line){.ip = who, .begun = now, .seen = now, .count = 1};
	return 1;
}
