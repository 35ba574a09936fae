/*
 * Links by which people log in: asked for, mailed after a while, opened once. They stand in memory alone, as a
 * restart may cost them: of the token and the browser's nonce only the SHA-256.
 *
 * Who asks is told the same, in the same time, whether a mail goes out or not. So nothing is looked up when he asks:
 * what was asked for waits for a moment that chance chooses, and is then judged (by the caller) and mailed. Those
 * of one address or one source wait longer each time.
 *
 * Pure but for chance: times are passed in, microseconds of clock_boot().
 */
#ifndef SEKISHO_LOGIN_LINKS_H
#define SEKISHO_LOGIN_LINKS_H

#include "lib/login/ask.h"
#include "lib/login/record.h"

#define LINKS_MOST        ((size_t)4096) /* at once; the oldest one is forgotten for one more */
#define LINKS_NUMBER_TEXT 5              /* four digits and a NUL */
#define LINKS_TRIES       5              /* wrong numbers, and the link is dead */
#define LINKS_SOURCE      20 /* times login-links: what may be asked for from one source in an hour */

enum links_state {
	LINKS_NONE,
	LINKS_WAITS,  /* to be mailed at `due` */
	LINKS_MAILED, /* good until `due` */
};

struct links_one {
	enum links_state state;
	int64_t due;
	uint64_t turn;                  /* a greater one was asked for later */
	char address[GATE_ADDRESS_MAX]; /* in normal form */
	char source[RECORD_SOURCE_MAX];
	bool english;                         /* what the browser was shown */
	unsigned char token[RECORD_NAME_LEN]; /* SHA-256 */
	unsigned char nonce[RECORD_NAME_LEN];
	char number[LINKS_NUMBER_TEXT];
	unsigned tries; /* wrong numbers so far */
};

struct links;

/* `a_person`: how many one address is mailed in an hour. NULL: no memory, or no chance. */
NODISCARD struct links *links_new(int64_t a_person);
void links_free(struct links *links);
void links_limit(struct links *links, int64_t a_person);

/* What is told to the browser that asks. */
struct links_told {
	char nonce[LOGIN_TOKEN_TEXT];   /* to keep */
	char number[LINKS_NUMBER_TEXT]; /* to show */
};

enum links_asked {
	LINKS_WILL,          /* it will be judged, and mailed perhaps */
	LINKS_SOURCE_CAPPED, /* it will not: nobody is told */
	LINKS_ADDRESS_CAPPED,
	LINKS_BROKEN, /* no chance, or `source` is no address: `told` is of no use */
};

enum links_asked links_ask(struct links *links, const char *address, const char *source,
    bool english, int64_t now, struct links_told *told);

/* The next one whose mail is due, or NULL. It is to be given to links_mail or links_drop. */
struct links_one *links_due(struct links *links, int64_t now);

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

/* Opens a link; `nonce` and `number` may be NULL. */
enum links_opened links_open(struct links *links, const char *token, const char *nonce,
    const char *number, int64_t now, char address[GATE_ADDRESS_MAX]);

#endif
