/*
 * Links by which people log in: asked for, mailed after a while, opened once. They stand in memory alone, as a
 * restart may cost them: of the token and the browser's nonce only the SHA-256.
 *
 * Who asks is told the same, in the same time, whether a mail goes out or not. So nothing is looked up when he asks:
 * what was asked for waits for a moment that chance chooses, and is then judged (by the caller) and mailed. Those
 * of one address from one network (an IPv4 /24, an IPv6 /48) wait longer each time.
 *
 * They are counted twice. What is asked for counts by the address as it was typed, whether there is one or not: so
 * whoever is told that it was too much learns nothing. What is mailed counts by the person's own address: so aliases
 * bring nobody more mail; nobody is told of that. Either way a network has so many for an address, and all together
 * some times as many: so a stranger uses up nobody's links but those of his own network. A source at which a link of
 * this address was opened before has so many of its own.
 *
 * Pure but for chance: times are passed in, microseconds of clock_boot().
 */
#ifndef SEKISHO_LOGIN_LINKS_H
#define SEKISHO_LOGIN_LINKS_H

#include "lib/auth/memo.h"
#include "lib/login/ask.h"
#include "lib/login/record.h"

#define LINKS_MOST                                                                                 \
	((size_t)4096)      /* at once; for one more the oldest of the network with most goes */
#define LINKS_NUMBER_TEXT 5 /* four digits and a NUL */
#define LINKS_TRIES       5 /* wrong numbers, and the link is dead */
#define LINKS_NETWORKS                                                                             \
	8 /* times login-links: for one address in an hour, from all networks together */

enum links_state {
	LINKS_NONE,
	LINKS_WAITS,  /* to be mailed at `due` */
	LINKS_MAILED, /* good until `due` */
};

struct links_one {
	enum links_state state;
	int64_t due;
	uint64_t turn;                /* a greater one was asked for later */
	char asked[GATE_ADDRESS_MAX]; /* as it was asked for, in normal form */
	char address
	    [GATE_ADDRESS_MAX]; /* the same at first; whose it is, once the caller has put that here */
	char source[RECORD_SOURCE_MAX];
	unsigned char network[MEMO_KEY];      /* which the source is of */
	bool english;                         /* what the browser was shown */
	unsigned char token[RECORD_NAME_LEN]; /* SHA-256 */
	unsigned char nonce[RECORD_NAME_LEN];
	char number[LINKS_NUMBER_TEXT];
	unsigned tries; /* wrong numbers so far */
};

struct links;

struct links_limits {
	int64_t a_person; /* for one address from one network in an hour */
	int64_t a_source; /* from one source (IPv6: a /64) in an hour */
};

/* NULL: no memory, or no chance. */
NODISCARD struct links *links_new(const struct links_limits *limits);
void links_free(struct links *links);
void links_limit(struct links *links, const struct links_limits *limits);

/* What is told to the browser that asks. */
struct links_told {
	char nonce[LOGIN_TOKEN_TEXT];   /* to keep */
	char number[LINKS_NUMBER_TEXT]; /* to show */
};

enum links_asked {
	LINKS_WILL,          /* it will be judged, and mailed perhaps */
	LINKS_SOURCE_CAPPED, /* it will not */
	LINKS_ADDRESS_CAPPED,
	LINKS_BROKEN, /* no chance, or `source` is no address: `told` is of no use */
};

enum links_asked links_ask(struct links *links, const char *address, const char *source,
    bool english, int64_t now, struct links_told *told);

/* The next one whose mail is due, or NULL. It is to be given to links_mail or links_drop. */
struct links_one *links_due(struct links *links, int64_t now);

/* Counts that it is to be mailed to `one->address`. False: that has had enough. */
NODISCARD bool links_may_mail(struct links *links, const struct links_one *one, int64_t now);

/* Makes its token, the caller's to wipe; the link is good for `span` from now on. False: no chance. */
NODISCARD bool links_mail(struct links *links, struct links_one *one, int64_t now, int64_t span,
    char token[LOGIN_TOKEN_TEXT]);
void links_drop(struct links *links, struct links_one *one);

/* When something is due, or INT64_MAX. */
int64_t links_next(const struct links *links);

enum links_opened {
	LINKS_OPENED, /* `address` is whose; the link is used up */
	LINKS_NUMBER, /* it was another browser that asked: its number is needed, or was wrong */
	LINKS_DEAD,   /* there is no such link, or it was used, or its time is over */
};

/* Opens a link; `nonce` and `number` may be NULL. `source`, an address, is known for this person from then on. */
enum links_opened links_open(struct links *links, const char *token, const char *nonce,
    const char *number, const char *source, int64_t now, char address[GATE_ADDRESS_MAX]);

#endif
