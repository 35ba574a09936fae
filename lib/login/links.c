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

struct links {
	struct guess *guess;
	uint64_t turns;
	size_t end; /* all behind are LINKS_NONE */
	struct links_one one[LINKS_MOST];
};

static struct guess_limits limits(int64_t a_person)
{
	return (struct guess_limits){.window = WINDOW,
	    .source = a_person * LINKS_SOURCE,
	    .login = a_person,
	    .delay = DELAY,
	    .longest = DELAY_MOST};
}

struct links *links_new(int64_t a_person)
{
	struct guess_limits l = limits(a_person);
	struct links *links = calloc(1, sizeof *links);
	unsigned char secret[MEMO_SECRET];

	if (links != NULL && getrandom(secret, sizeof secret, 0) == (ssize_t)sizeof secret)
		links->guess = guess_new(REMEMBER, secret, &l);
	explicit_bzero(secret, sizeof secret);
	if (links != NULL && links->guess != NULL)
		return links;
	links_free(links);
	return NULL;
}

void links_free(struct links *links)
{
	if (links == NULL)
		return;
	guess_free(links->guess);
	explicit_bzero(links, sizeof *links);
	free(links);
}

void links_limit(struct links *links, int64_t a_person)
{
	struct guess_limits l = limits(a_person);

	guess_limit(links->guess, &l);
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

/* A free place, or that of the oldest one. */
static struct links_one *place_for_one(struct links *links)
{
	struct links_one *oldest = &links->one[0];

	for (size_t i = 0; i < LINKS_MOST; i++) {
		struct links_one *one = &links->one[i];

		if (one->state == LINKS_NONE)
			return one;
		if (one->turn < oldest->turn)
			oldest = one;
	}
	links_drop(links, oldest);
	return oldest;
}

void links_drop(struct links *links, struct links_one *one)
{
	explicit_bzero(one, sizeof *one);
	while (links->end > 0 && links->one[links->end - 1].state == LINKS_NONE)
		links->end--;
}

enum links_asked links_ask(struct links *links, const char *address, const char *source,
    bool english, int64_t now, struct links_told *told)
{
	struct guess_who who;
	enum guess_verdict verdict;
	struct links_one *one;
	int64_t delay;

	if (!tell(told) || !guess_who(links->guess, source, address, &who) ||
	    strlen(address) >= GATE_ADDRESS_MAX || strlen(source) >= RECORD_SOURCE_MAX)
		return LINKS_BROKEN;
	verdict = guess_may(links->guess, now, &who);
	if (verdict != GUESS_MAY)
		return verdict == GUESS_SOURCE_CAPPED ? LINKS_SOURCE_CAPPED : LINKS_ADDRESS_CAPPED;
	delay = guess_delay(links->guess, now, &who); /* 0 the first time */
	(void)guess_wrong(links->guess, now, &who).delay;

	one = place_for_one(links);
	if (one >= links->one + links->end)
		links->end = (size_t)(one - links->one) + 1;
	*one = (struct links_one){.state = LINKS_WAITS,
	    .due = now + delay + by_chance(),
	    .turn = links->turns++,
	    .english = english};
	(void)snprintf(one->address, sizeof one->address, "%s", address);
	(void)snprintf(one->source, sizeof one->source, "%s", source);
	(void)snprintf(one->number, sizeof one->number, "%s", told->number);
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
    const char *number, int64_t now, char address[GATE_ADDRESS_MAX])
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
	links_drop(links, one);
	return LINKS_OPENED;
}
