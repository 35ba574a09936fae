#include "lib/login/links.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>

#include "lib/auth/guess.h"

#define WINDOW     (3600 * CLOCK_SECOND)
#define REMEMBER   ((size_t)16384) /* addresses and sources that are counted */
#define DELAY      CLOCK_SECOND    /* of the first mail; each further one waits twice as long */
#define DELAY_MOST (30 * CLOCK_SECOND)
#define CHANCE     CLOCK_SECOND /* and so much more or less */
#define NUMBERS    10000

#define NETS (2 * LINKS_MOST) /* a power of two, never more than half full */

/* What one address has: in all, by its sources, and by the network of whoever asks. */
struct tallies {
	struct guess *whole, *there;
};

/* While a place is looked for: how many a network has. */
struct net {
	size_t n;
	struct links_one *oldest;
};

struct links {
	unsigned char secret[MEMO_SECRET];
	struct tallies asked;  /* by what was typed: whoever asks is told */
	struct tallies mailed; /* by own addresses: nobody is */
	uint64_t turns;
	size_t end; /* all behind are LINKS_NONE */
	struct links_one one[LINKS_MOST];
	struct net net[NETS];
};

/* ---- counting ----------------------------------------------------------------------------- */

static struct guess_limits in_all(int64_t a_source, int64_t a_person)
{
	return (struct guess_limits){.window = WINDOW,
	    .source = a_source,
	    .login = LINKS_NETWORKS * a_person,
	    .pair = a_person};
}

static struct guess_limits in_one(int64_t a_person)
{
	return (struct guess_limits){.window = WINDOW,
	    .source = INT64_MAX,
	    .login = a_person,
	    .delay = DELAY,
	    .longest = DELAY_MOST};
}

static bool make(
    struct tallies *t, const unsigned char secret[MEMO_SECRET], int64_t a_source, int64_t a_person)
{
	struct guess_limits whole = in_all(a_source, a_person), there = in_one(a_person);

	t->whole = guess_new(REMEMBER, secret, &whole);
	t->there = guess_new(REMEMBER, secret, &there);
	return t->whole != NULL && t->there != NULL;
}

static void limit(struct tallies *t, int64_t a_source, int64_t a_person)
{
	struct guess_limits whole = in_all(a_source, a_person), there = in_one(a_person);

	guess_limit(t->whole, &whole);
	guess_limit(t->there, &there);
}

/* Counts one more, if it may be; `*delay` is how long it waits for those before it, 0 the first time. */
static enum links_asked spend(
    struct tallies *t, const char *address, const char *source, int64_t now, int64_t *delay)
{
	struct guess_who who, there;

	if (!guess_who(t->whole, source, address, &who) ||
	    !guess_who_there(t->there, source, address, &there))
		return LINKS_BROKEN;
	switch (guess_may(t->whole, now, &who)) {
	case GUESS_SOURCE_CAPPED:
		return LINKS_SOURCE_CAPPED;
	case GUESS_LOGIN_CAPPED:
		return LINKS_ADDRESS_CAPPED;
	case GUESS_MAY:
		break;
	}
	if (!guess_known(t->whole, now, &who) && guess_may(t->there, now, &there) != GUESS_MAY)
		return LINKS_ADDRESS_CAPPED;
	*delay = guess_delay(t->there, now, &there);
	(void)guess_wrong(t->whole, now, &who).delay;
	(void)guess_wrong(t->there, now, &there).delay;
	return LINKS_WILL;
}

static void knows(const struct tallies *t, const char *address, const char *source)
{
	struct guess_who who;

	if (guess_who(t->whole, source, address, &who))
		guess_right(t->whole, &who);
}

struct links *links_new(const struct links_limits *l)
{
	struct links *links = calloc(1, sizeof *links);

	if (links != NULL &&
	    getrandom(links->secret, sizeof links->secret, 0) == (ssize_t)sizeof links->secret &&
	    make(&links->asked, links->secret, l->a_source, l->a_person) &&
	    make(&links->mailed, links->secret, INT64_MAX, l->a_person))
		return links;
	links_free(links);
	return NULL;
}

void links_free(struct links *links)
{
	if (links == NULL)
		return;
	guess_free(links->asked.whole);
	guess_free(links->asked.there);
	guess_free(links->mailed.whole);
	guess_free(links->mailed.there);
	explicit_bzero(links, sizeof *links);
	free(links);
}

void links_limit(struct links *links, const struct links_limits *l)
{
	limit(&links->asked, l->a_source, l->a_person);
	limit(&links->mailed, INT64_MAX, l->a_person);
}

/* ---- places ------------------------------------------------------------------------------- */

void links_drop(struct links *links, struct links_one *one)
{
	explicit_bzero(one, sizeof *one);
	while (links->end > 0 && links->one[links->end - 1].state == LINKS_NONE)
		links->end--;
}

/* That of its network, or an empty one. Its key is a digest that nobody can choose. */
static struct net *net_of(struct links *links, const struct links_one *one)
{
	uint64_t at;

	memcpy(&at, one->network, sizeof at);
	while (links->net[at % NETS].n > 0 &&
	       memcmp(links->net[at % NETS].oldest->network, one->network, MEMO_KEY) != 0)
		at++;
	return &links->net[at % NETS];
}

/* All places are taken: the oldest of the network that has most, so that nobody drives out all others. */
static struct links_one *least_missed(struct links *links)
{
	const struct net *most = &links->net[0];

	memset(links->net, 0, sizeof links->net);
	for (size_t i = 0; i < LINKS_MOST; i++) {
		struct links_one *one = &links->one[i];
		struct net *net = net_of(links, one);

		if (net->n++ == 0 || one->turn < net->oldest->turn)
			net->oldest = one;
	}
	for (size_t i = 0; i < NETS; i++) {
		const struct net *net = &links->net[i];

		if (net->n > most->n ||
		    (net->n > 0 && net->n == most->n && net->oldest->turn < most->oldest->turn))
			most = net;
	}
	return most->oldest;
}

static struct links_one *place_for_one(struct links *links)
{
	struct links_one *one = links->one;

	while (one < links->one + LINKS_MOST && one->state != LINKS_NONE)
		one++;
	if (one == links->one + LINKS_MOST) {
		one = least_missed(links);
		links_drop(links, one);
	}
	if (one >= links->one + links->end)
		links->end = (size_t)(one - links->one) + 1;
	return one;
}

/* ---- asking ------------------------------------------------------------------------------- */

static bool random_token(char token[LOGIN_TOKEN_TEXT])
{
	unsigned char bytes[32];

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return false;
	(void)gate_letters(bytes, sizeof bytes, token);
	explicit_bzero(bytes, sizeof bytes);
	return true;
}

static bool tell(struct links_told *told)
{
	uint64_t number;

	/* Of so many the first ones are not noticeably likelier. */
	if (!random_token(told->nonce) ||
	    getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
		return false;
	(void)snprintf(told->number, sizeof told->number, "%04u", (unsigned)(number % NUMBERS));
	return true;
}

static int64_t by_chance(void)
{
	uint32_t n = 0;

	if (getrandom(&n, sizeof n, 0) != (ssize_t)sizeof n)
		return CHANCE;
	return (int64_t)(n % (uint32_t)CHANCE);
}

enum links_asked links_ask(struct links *links, const char *address, const char *source,
    bool english, int64_t now, struct links_told *told)
{
	unsigned char place[GUESS_PLACE];
	enum links_asked asked;
	struct links_one *one;
	int64_t delay = 0;

	if (!tell(told) || !guess_place(source, GUESS_NETWORK, place) ||
	    strlen(address) >= GATE_ADDRESS_MAX || strlen(source) >= RECORD_SOURCE_MAX)
		return LINKS_BROKEN;
	asked = spend(&links->asked, address, source, now, &delay);
	if (asked != LINKS_WILL)
		return asked;

	one = place_for_one(links);
	*one = (struct links_one){.state = LINKS_WAITS,
	    .due = now + delay + by_chance(),
	    .turn = links->turns++,
	    .english = english};
	(void)snprintf(one->asked, sizeof one->asked, "%s", address);
	(void)snprintf(one->address, sizeof one->address, "%s", address);
	(void)snprintf(one->source, sizeof one->source, "%s", source);
	(void)snprintf(one->number, sizeof one->number, "%s", told->number);
	memo_key(links->secret, 'n', place, sizeof place, one->network);
	record_name(told->nonce, one->nonce);
	return LINKS_WILL;
}

/* ---- mailing ------------------------------------------------------------------------------ */

struct links_one *links_due(struct links *links, int64_t now)
{
	struct links_one *first = NULL;

	for (size_t i = 0; i < links->end; i++) {
		struct links_one *one = &links->one[i];

		if (one->state == LINKS_MAILED && one->due <= now)
			links_drop(links, one);
		if (one->state == LINKS_WAITS && one->due <= now &&
		    (first == NULL || one->due < first->due))
			first = one;
	}
	return first;
}

bool links_may_mail(struct links *links, const struct links_one *one, int64_t now)
{
	int64_t delay = 0;

	return spend(&links->mailed, one->address, one->source, now, &delay) == LINKS_WILL;
}

bool links_mail(struct links *links, struct links_one *one, int64_t now, int64_t span,
    char token[LOGIN_TOKEN_TEXT])
{
	if (!random_token(token)) {
		links_drop(links, one);
		return false;
	}
	record_name(token, one->token);
	one->state = LINKS_MAILED;
	one->due = now + span;
	return true;
}

int64_t links_next(const struct links *links)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < links->end; i++) {
		if (links->one[i].state != LINKS_NONE && links->one[i].due < next)
			next = links->one[i].due;
	}
	return next;
}

/* ---- opening ------------------------------------------------------------------------------ */

static struct links_one *find(struct links *links, const char *token, int64_t now)
{
	unsigned char name[RECORD_NAME_LEN];

	if (strlen(token) != LOGIN_TOKEN_LEN)
		return NULL;
	record_name(token, name);
	for (size_t i = 0; i < links->end; i++) {
		struct links_one *one = &links->one[i];

		if (one->state == LINKS_MAILED && one->due > now &&
		    CRYPTO_memcmp(one->token, name, sizeof name) == 0)
			return one;
	}
	return NULL;
}

static bool same_browser(const struct links_one *one, const char *nonce)
{
	unsigned char name[RECORD_NAME_LEN];

	if (nonce == NULL || strlen(nonce) != LOGIN_TOKEN_LEN)
		return false;
	record_name(nonce, name);
	return CRYPTO_memcmp(one->nonce, name, sizeof name) == 0;
}

static bool same_number(const struct links_one *one, const char *number)
{
	return strlen(number) == LINKS_NUMBER_TEXT - 1 &&
	       CRYPTO_memcmp(one->number, number, LINKS_NUMBER_TEXT - 1) == 0;
}

enum links_opened links_open(struct links *links, const char *token, const char *nonce,
    const char *number, const char *source, int64_t now, char address[GATE_ADDRESS_MAX])
{
	struct links_one *one = find(links, token, now);

	if (one == NULL)
		return LINKS_DEAD;
	if (!same_browser(one, nonce)) {
		/* Only to have looked is no try. */
		if (number == NULL || number[0] == '\0')
			return LINKS_NUMBER;
		if (!same_number(one, number)) {
			if (++one->tries < LINKS_TRIES)
				return LINKS_NUMBER;
			links_drop(links, one);
			return LINKS_DEAD;
		}
	}
	memcpy(address, one->address, GATE_ADDRESS_MAX);
	knows(&links->asked, one->asked, source);
	knows(&links->mailed, one->address, source);
	links_drop(links, one);
	return LINKS_OPENED;
}
