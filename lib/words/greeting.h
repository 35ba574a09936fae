/*
 * Whom a mail greets (S3-04, N10): the company and the person in its first lines, whether the person
 * is given an honorific, and whether that is one of the recipients.
 *
 *   株式会社アルファ          company  株式会社アルファ
 *   営業部 田中様             person   田中, honorific 様
 */
#ifndef SEKISHO_WORDS_GREETING_H
#define SEKISHO_WORDS_GREETING_H

#include "lib/base/sink.h"
#include "lib/text/norm.h"
#include "lib/words/partners.h"

#define GREETING_HEAD_MAX  ((size_t)2048) /* bytes of a text that are looked at */
#define GREETING_LINES_MAX ((size_t)20)
#define GREETING_NAMES_MAX ((size_t)8) /* persons, and companies; further ones are not looked at */
#define GREETING_NAME_MAX  ((size_t)120)
#define GREETING_LINE_MAX  ((size_t)240)

/* ---- the first lines ---- */

/* Collects the beginning of a text; zero it first. */
struct greeting_head {
	size_t len;
	char text[GREETING_HEAD_MAX]; /* whole letters; not NUL-ended */
};

/*
 * A sink for the normalised text of the body without its quoted replies. Wants no more (false) when
 * it is full.
 */
bool greeting_take(void *head, const char *text, size_t len);

/* ---- what is in them ---- */

enum greeting_honorific {
	HONORIFIC_NONE,    /* nobody is named */
	HONORIFIC_GIVEN,   /* everybody who is named is given one */
	HONORIFIC_MISSING, /* somebody is not */
};

struct greeting_name {
	char text[GREETING_NAME_MAX +
		  1];       /* as written, normalised; a person's without the honorific */
	char honorific[32]; /* of a person, or 御中 of a company; "" if there is none */
};

struct greeting {
	bool found;    /* somebody is greeted */
	bool everyone; /* nobody by name: 各位, 皆様, ご担当者様 */
	enum greeting_honorific honorific;
	size_t companies;
	size_t persons;
	struct greeting_name company[GREETING_NAMES_MAX];
	struct greeting_name person[GREETING_NAMES_MAX];
	char line[GREETING_LINE_MAX + 1]; /* that names the person, else the company, as evidence */
};

/* Reads normalised text. Never fails; without memory of its own. */
void greeting_read(
    const struct norm_tables *tables, const char *text, size_t len, struct greeting *greeting);

/* ---- and whether that is a recipient ---- */

struct greeting_recipient {
	const char *address; /* local@domain */
	const char *name;    /* display name in UTF-8, "" if there is none */
};

/*
 * How a name in kanji is read, in katakana ("タナカ"), from a dictionary. False: not known. The name is
 * normalised; `reading` gets up to `room` bytes, NUL-ended.
 */
struct greeting_reader {
	bool (*reading)(void *context, const char *name, size_t len, char *reading, size_t room);
	void *context;
};

/* V(NAME, word) */
#define GREETING_VERDICTS(V)                                                                       \
	V(NONE, "none")   /* nobody is greeted by name */                                          \
	V(FITS, "fits")   /* a company or person is a recipient's, and none is another's */        \
	V(OTHER, "other") /* a company is a partner's whose domain no recipient has, or a */       \
			  /* person is none of the recipients, all of whom are known by name */    \
	V(UNKNOWN, "unknown") /* neither can be said */

enum greeting_verdict {
#define V(name, word) GREETING_##name,
	GREETING_VERDICTS(V)
#undef V
	    GREETING_VERDICT_COUNT
};

/* "none", "fits" … */
const char *greeting_verdict_word(enum greeting_verdict verdict);

/*
 * Compares a greeting with all recipients of a message, hidden ones among them; one that is given
 * with a name and again without one counts once. `partners` and `reader` may be NULL: then the one
 * from the other is not known. Time is linear in `n`.
 */
NODISCARD enum greeting_verdict greeting_compare(const struct greeting *greeting,
    const struct greeting_recipient *recipients, size_t n, const struct partners *partners,
    const struct greeting_reader *reader, const struct norm_tables *tables);

#endif
