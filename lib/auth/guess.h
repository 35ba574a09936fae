/*
 * What slows and stops the guessing of passwords: failures are counted by source (an IPv4 address,
 * an IPv6 /64) and by login. Each failure of either doubles the time for which a wrong answer is
 * withheld; too many of a source, and nothing from there is checked; too many of a login, and it is
 * not checked. Neither stops a login from a source from which it was right before, so that nobody
 * can lock its owner out, nor one stale password an office: such a pair has a bound of its own, and
 * is as any other beyond that. A login that does not exist counts as any other.
 *
 * Pure: the time is passed in, in microseconds of clock_boot(). A failure counts for `window`, and
 * an eighth more at most.
 */
#ifndef SEKISHO_AUTH_GUESS_H
#define SEKISHO_AUTH_GUESS_H

#include "lib/auth/memo.h"

struct guess_limits {
	int64_t window; /* how long a failure counts */
	int64_t source; /* failures of a source at which it is capped */
	int64_t login;  /* the same of a login */
	int64_t
	    pair; /* of a login that was right before from this source: neither cap stops it until then */
	int64_t delay;   /* after the first failure; twice as long after each further one */
	int64_t longest; /* at most */
};

struct guess;

/* Who asks, as keys. */
struct guess_who {
	unsigned char source[MEMO_KEY];
	unsigned char login[MEMO_KEY];
	unsigned char both[MEMO_KEY];
};

#define GUESS_PLACE 16

/* How much of an address is one place. */
enum guess_width {
	GUESS_SOURCE,  /* an IPv4 address, an IPv6 /64: one customer's */
	GUESS_NETWORK, /* an IPv4 /24, an IPv6 /48: one organisation's */
};

/* The bytes of the place that an address, as text, is at. False if it is no address. */
NODISCARD bool guess_place(
    const char *source, enum guess_width width, unsigned char place[GUESS_PLACE]);

enum guess_verdict {
	GUESS_MAY,
	GUESS_SOURCE_CAPPED,
	GUESS_LOGIN_CAPPED,
};

/* What a failure led to. */
struct guess_failure {
	int64_t delay;       /* the answer is withheld for so long */
	bool source_reached; /* with it the cap was reached: an alarm, once a window */
	bool login_reached;
};

/*
 * Remembers `entries` sources, logins, and pairs of them. `secret` makes the keys. NULL without
 * memory.
 */
NODISCARD struct guess *guess_new(
    size_t entries, const unsigned char secret[MEMO_SECRET], const struct guess_limits *limits);
void guess_free(struct guess *g);

/* Other limits from now on. Another window forgets what was counted. */
void guess_limit(struct guess *g, const struct guess_limits *limits);

/* The keys of a client. False if `source` is no address. ASCII letters of either case are equal. */
NODISCARD bool guess_who(
    const struct guess *g, const char *source, const char *login, struct guess_who *who);

/*
 * The same for counting what a network did to a login, and nothing else: all three keys are that
 * pair's.
 */
NODISCARD bool guess_who_there(
    const struct guess *g, const char *source, const char *login, struct guess_who *who);

/* Whether it was right before and is within the bound that such pairs have: no cap stops it. */
NODISCARD bool guess_known(const struct guess *g, int64_t now, const struct guess_who *who);

/* Whether a password may be checked. */
NODISCARD enum guess_verdict guess_may(
    const struct guess *g, int64_t now, const struct guess_who *who);

/* The password was right: the source is known for this login from now on. */
void guess_right(struct guess *g, const struct guess_who *who);

/* It was wrong. */
NODISCARD struct guess_failure guess_wrong(
    struct guess *g, int64_t now, const struct guess_who *who);

/* How long the next answer that is not "right" is withheld: 0 before the first failure. */
NODISCARD int64_t guess_delay(const struct guess *g, int64_t now, const struct guess_who *who);

#endif
