#include "lib/auth/guess.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/auth/ask.h"

#define SLOTS     9 /* the eighths of a window that are behind us, and the one that runs */
#define ADDRESS   16
#define PREFIX_64 8

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
	    memo_init(&g->known, entries, 1))
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
	explicit_bzero(g->secret, sizeof g->secret);
	free(g);
}

void guess_limit(struct guess *g, const struct guess_limits *limits)
{
	if (limits->window != g->limits.window) {
		memo_clear(&g->sources);
		memo_clear(&g->logins);
	}
	g->limits = *limits;
}

/* ---- who ---- */

/* The bytes that stand for a source: of an IPv6 address the /64, which is one customer's. */
static bool source_bytes(const char *text, unsigned char bytes[ADDRESS])
{
	struct in6_addr six;
	struct in_addr four;

	memset(bytes, 0, ADDRESS);
	if (inet_pton(AF_INET, text, &four) == 1) {
		memcpy(bytes + 12, &four, 4);
		return true;
	}
	if (inet_pton(AF_INET6, text, &six) != 1)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&six))
		memcpy(bytes + 12, &six.s6_addr[12], 4);
	else
		memcpy(bytes, &six, PREFIX_64);
	return true;
}

bool guess_who(const struct guess *g, const char *source, const char *login, struct guess_who *who)
{
	char both[ADDRESS + AUTH_LOGIN_MAX];
	unsigned char address[ADDRESS];
	char *lower = both + ADDRESS;
	size_t len = strnlen(login, AUTH_LOGIN_MAX);

	if (!source_bytes(source, address))
		return false;
	for (size_t i = 0; i < len; i++)
		lower[i] = (char)(login[i] >= 'A' && login[i] <= 'Z' ? login[i] + 32 : login[i]);

	memcpy(both, address, ADDRESS);
	memo_key(g->secret, 's', address, ADDRESS, who->source);
	memo_key(g->secret, 'l', lower, len, who->login);
	memo_key(g->secret, 'b', both, ADDRESS + len, who->both);
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

enum guess_verdict guess_may(const struct guess *g, int64_t now, const struct guess_who *who)
{
	if (total(g, &g->sources, who->source, now) >= g->limits.source)
		return GUESS_SOURCE_CAPPED;
	if (total(g, &g->logins, who->login, now) >= g->limits.login &&
	    memo_find(&g->known, who->both) == NULL)
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
	f.delay = guess_delay(g, now, who);
	return f;
}
