/* What the halves of partners.h know of each other: the table, and names without their forms. */
#ifndef SEKISHO_WORDS_PARTNERS_INSIDE_H
#define SEKISHO_WORDS_PARTNERS_INSIDE_H

#include "lib/base/buf.h"
#include "lib/words/partners.h"

#define LETTER_BYTES 4 /* of UTF-8, at most */

struct partner {
	uint32_t domain; /* where it stands in `text` */
	uint32_t name;
	unsigned line;
};

/* One of a partner's names, or domains, as it is compared. */
struct partner_key {
	uint32_t at; /* in `text`; not NUL-ended */
	uint16_t len;
	uint32_t partner;
};

struct partners {
	const struct norm_tables *tables;
	struct buf text;
	struct partner *partner;
	size_t n;
	struct partner_key *name; /* sorted */
	size_t names;
	struct partner_key *domain; /* sorted */
	size_t domains;
	uint8_t first[8192]; /* bits: the last 16 bits of the first letters of all names */
};

/* The key nearest to `text` in their order: less than 0, 0, more than 0. */
NODISCARD int partner_key_order(const char *a, size_t a_len, const char *b, size_t b_len);

/*
 * A name, normalised, as it is compared: folded, without the form of a company; blanks stay as one
 * space where they part words of ASCII. Returns its bytes in `core`, 0 if nothing is left or it
 * does not fit.
 */
NODISCARD size_t partner_core(
    const struct norm_tables *tables, const char *name, size_t len, char core[PARTNER_NAME_MAX]);

/* A letter as UTF-8; how many bytes. */
size_t partner_letter(uint32_t point, char bytes[LETTER_BYTES]);

/* How many bytes of a company's form end at `text + len`, or begin at `text`, blanks before or
 * behind it included; 0 if there is none. The text is normalised, folded or not. */
NODISCARD size_t partner_form_before(const char *text, size_t len);
NODISCARD size_t partner_form_behind(const char *text, size_t len);

#endif
