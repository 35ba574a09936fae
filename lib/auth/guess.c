#include "lib/auth/guess.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/auth/ask.h"

#define SLOTS     9 /* the eighths of a window that are behind us, and the one that runs */
#define PREFIX_64 8
#define PREFIX_48 6
#define MAPPED    12 /* bytes before an IPv4 address, as in IPv4-mapped ones without their marks */

/* Failures of one source or login, by the eighth of a window in which they were. */
struct tally {
	int64_t slot;    /* the number of the newest */
	int64_t alarmed; /* when the cap was reached last; 0: never */
	uint32_t count[SLOTS];
};

struct guess {
	unsigned char secret[MEMO_SECRET];
	struct guess_limits limits;
	struct memo sources;
	struct memo logins;
	struct memo known; /* login and source of those who were right */
	struct memo pairs; /* and what was wrong of these */
};

struct guess *guess_new(
    size_t entries, const unsigned char secret[MEMO_SECRET], const struct guess_limits *limits)
{
	struct guess *g = calloc(1, sizeof *g);

	if (g == NULL)
		return NULL;
	memcpy(g->secret, secret, MEMO_SECRET);
	g->limits = *limits;
	if (memo_init(&g->sources, entries, sizeof(struct tally)) &&
	    memo_init(&g->logins, entries, sizeof(struct tally)) &&
	    memo_init(&g->known, entries, 1) && memo_init(&g->pairs, entries, sizeof(struct tally)))
		return g;
	guess_free(g);
	return NULL;
}

void guess_free(struct guess *g)
{
	if (g == NULL)
		return;
	memo_free(&g->sources);
	memo_free(&g->logins);
	memo_free(&g->known);
	memo_free(&g->pairs);
	explicit_bzero(g->secret, sizeof g->secret);
	free(g);
}

void guess_limit(struct guess *g, const struct guess_limits *limits)
{
	if (limits->window != g->limits.window) {
		memo_clear(&g->sources);
		memo_clear(&g->logins);
		memo_clear(&g->pairs);
	}
	g->limits = *limits;
}

/* ---- who ---- */

bool guess_place(const char *source, enum guess_width width, unsigned char place[GUESS_PLACE])
{
	struct in6_addr six;
	struct in_addr four;
	bool is_six = inet_pton(AF_INET6, source, &six) == 1;

	memset(place, 0, GUESS_PLACE);
	if (is_six && !IN6_IS_ADDR_V4MAPPED(&six)) {
		memcpy(place, &six, width == GUESS_SOURCE ? PREFIX_64 : PREFIX_48);
		return true;
	}
	if (is_six)
		memcpy(place + MAPPED, &six.s6_addr[MAPPED], sizeof four);
	else if (inet_pton(AF_INET, source, &four) == 1)
		memcpy(place + MAPPED, &four, sizeof four);
	else
		return false;
	if (width == GUESS_NETWORK)
		place[GUESS_PLACE - 1] = 0;
	return true;
}

static bool keys_of(const struct guess *g, const char *source, enum guess_width width,
    const char *login, struct guess_who *who)
{
	char both[GUESS_PLACE + AUTH_LOGIN_MAX];
	unsigned char place[GUESS_PLACE];
	char *lower = both + GUESS_PLACE;
	size_t len = strnlen(login, AUTH_LOGIN_MAX);

	if (!guess_place(source, width, place))
		return false;
	for (size_t i = 0; i < len; i++)
		lower[i] = (char)(login[i] >= 'A' && login[i] <= 'Z' ? login[i] + 32 : login[i]);

	memcpy(both, place, GUESS_PLACE);
	memo_key(g->secret, 's', place, GUESS_PLACE, who->source);
	memo_key(g->secret, 'l', lower, len, who->login);
	memo_key(g->secret, 'b', both, GUESS_PLACE + len, who->both);
	return true;
}

bool guess_who(const struct guess *g, const char *source, const char *login, struct guess_who *who)
{
	return keys_of(g, source, GUESS_SOURCE, login, who);
}

bool guess_who_there(
    const struct guess *g, const char *source, const char *login, struct guess_who *who)
{
	if (!keys_of(g, source, GUESS_NETWORK, login, who))
		return false;
	memcpy(who->source, who->both, MEMO_KEY);
	memcpy(who->login, who->both, MEMO_KEY);
	return true;
}

/* ---- counting ---- */

static int64_t slot_of(const struct guess *g, int64_t now)
{
	return now / (g->limits.window / (SLOTS - 1) + 1);
}

static int64_t total(
    const struct guess *g, const struct memo *m, const unsigned char *key, int64_t now)
{
	const struct tally *t = memo_find(m, key);
	int64_t slot = slot_of(g, now);
	int64_t sum = 0;

	if (t == NULL)
		return 0;
	for (int64_t i = 0; i < SLOTS; i++) {
		if (t->slot - i > slot - SLOTS && t->slot - i >= 0)
			sum += t->count[(t->slot - i) % SLOTS];
	}
	return sum;
}

/* Empties the slots that have come round since the last failure. */
static void advance(struct tally *t, int64_t slot)
{
	if (slot - t->slot >= SLOTS)
		memset(t->count, 0, sizeof t->count);
	else
		for (int64_t i = t->slot + 1; i <= slot; i++)
			t->count[i % SLOTS] = 0;
	if (slot > t->slot)
		t->slot = slot;
}

/* Counts one failure. Returns whether it reaches the cap for the first time in a window. */
static bool count(
    struct guess *g, struct memo *m, const unsigned char *key, int64_t now, int64_t cap)
{
	struct tally *t = memo_take(m, key);

	advance(t, slot_of(g, now));
	if (t->count[t->slot % SLOTS] < UINT32_MAX)
		t->count[t->slot % SLOTS]++;

	if (total(g, m, key, now) < cap || (t->alarmed != 0 && now - t->alarmed < g->limits.window))
		return false;
	t->alarmed = now;
	return true;
}

bool guess_known(const struct guess *g, int64_t now, const struct guess_who *who)
{
	return memo_find(&g->known, who->both) != NULL &&
	       total(g, &g->pairs, who->both, now) < g->limits.pair;
}

enum guess_verdict guess_may(const struct guess *g, int64_t now, const struct guess_who *who)
{
	if (guess_known(g, now, who))
		return GUESS_MAY;
	if (total(g, &g->sources, who->source, now) >= g->limits.source)
		return GUESS_SOURCE_CAPPED;
	if (total(g, &g->logins, who->login, now) >= g->limits.login)
		return GUESS_LOGIN_CAPPED;
	return GUESS_MAY;
}

void guess_right(struct guess *g, const struct guess_who *who)
{
	(void)memo_take(&g->known, who->both);
}

int64_t guess_delay(const struct guess *g, int64_t now, const struct guess_who *who)
{
	int64_t source = total(g, &g->sources, who->source, now);
	int64_t login = total(g, &g->logins, who->login, now);
	int64_t n = source > login ? source : login;
	int64_t delay = n > 0 ? g->limits.delay : 0;

	for (; n > 1 && delay > 0 && delay < g->limits.longest; n--)
		delay *= 2;
	return delay < g->limits.longest ? delay : g->limits.longest;
}

struct guess_failure guess_wrong(struct guess *g, int64_t now, const struct guess_who *who)
{
	struct guess_failure f = {0};

	f.source_reached = count(g, &g->sources, who->source, now, g->limits.source);
	f.login_reached = count(g, &g->logins, who->login, now, g->limits.login);
	if (memo_find(&g->known, who->both) != NULL)
		(void)count(g, &g->pairs, who->both, now, g->limits.pair);
	f.delay = guess_delay(g, now, who);
	return f;
}
