/*
 * What the detectors of numbers share: groups of digits, the borders of a number, the words that say
 * what a number is, and candidates that wait for a decision. Of no use outside this folder.
 *
 * A number by itself says little: one number of 12 digits in ten has the check digit of a My Number.
 * So each window is read twice. First every run of digits of the right shape is noted, with a right
 * check digit or without; then each of them is judged by what stands around it: a word that names it,
 * the head of its column, numbers of its kind beside it.
 */
#ifndef SEKISHO_DETECT_NUMBERS_H
#define SEKISHO_DETECT_NUMBERS_H

#include <string.h>

#include "lib/detect/detect.h"

/* ---- groups of digits (digits.c) ---------------------------------------------------------------- */

#define GROUPS_MAX 8

/* Signs that join groups of one number: 'o' stands for a dot in the middle, 'k' for 、. */
#define DIGITS_JOINTS "-./_*|:~ok"

struct group {
	size_t begin;
	size_t len;
	char
	    joint; /* what joins it with the next group: a sign of DIGITS_JOINTS, ' ', ',', '\n', 0 */
};

/* Groups that stand in a row, each joined with the next by one separator. */
struct row {
	struct group groups[GROUPS_MAX];
	size_t n;
};

/* The row that begins with the digit at `at`. A row of more than GROUPS_MAX groups ends with a joint. */
void digits_row(const struct detect_window *w, size_t at, struct row *row);

/* The length of a sign outside ASCII that joins groups, ー among them; 0: none. */
size_t digits_wide_joint(const struct detect_window *w, size_t at, char *sign);

/* The digits between `begin` and `end`; returns how many, at most `room`. */
size_t digits_take(
    const struct detect_window *w, size_t begin, size_t end, char *digits, size_t room);

/* Whether all digits are the same. */
bool digits_dull(const char *digits, size_t len);

/* Whether a number may begin at `begin`, or end before `end`: it is no part of something longer. */
bool digits_open(const struct detect_window *w, size_t begin);
bool digits_shut(const struct detect_window *w, size_t end);

/* Whether a number, perhaps a hexadecimal one, stands before or behind with one blank between. */
bool digits_embedded(const struct detect_window *w, size_t begin, size_t end);

/* Whether kana or kanji stand in the same line within some 60 bytes. */
bool digits_in_japanese(const struct detect_window *w, size_t begin, size_t end);

static inline bool digit_at(const struct detect_window *w, size_t at)
{
	return at < w->len && w->text[at] >= '0' && w->text[at] <= '9';
}

static inline bool letter_at(const struct detect_window *w, size_t at)
{
	char c = at < w->len ? w->text[at] : '\0';

	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Whether one of `signs` stands at `at`. */
static inline bool sign_at(const struct detect_window *w, size_t at, const char *signs)
{
	return at < w->len && w->text[at] != '\0' && strchr(signs, w->text[at]) != NULL;
}

/* ---- candidates --------------------------------------------------------------------------------- */

enum form {
	FORM_BARE,    /* digits alone */
	FORM_GROUPED, /* in the groups in which such numbers are written */
	FORM_BLANKS,  /* so too, but with blanks between, as columns of a table have */
	FORM_LOOSE,   /* in other groups: split over two cells or lines */
};

struct candidate {
	size_t begin;
	size_t end;
	enum detect_kind kind;
	enum form form;
	bool right;    /* its check digit, its prefix, its area code */
	bool embedded; /* more numbers stand right before or behind it */
	bool named;    /* its own prefix says what it is: "T", "+81" */
	bool article;  /* it may as well be the code of an article */
	bool glued;    /* more is written right at it: a word in its line must name it */
	bool portable; /* a phone number of no area: 090, 050 */
	uint16_t column;
};

/* Each looks at `at`, where a digit run begins, and fills `c` if something of its shape stands there. */
bool card_at(const struct detect_window *w, const struct row *row, struct candidate *c);
bool mynumber_at(const struct detect_window *w, const struct row *row, struct candidate *c);
bool corporate_at(const struct detect_window *w, const struct row *row, struct candidate *c);
bool phone_at(const struct detect_window *w, size_t at, struct candidate *c);

/* A card or a My Number, a blank behind each of its digits: "4 1 1 1 ...". */
bool spaced_at(const struct detect_window *w, size_t at, struct candidate *c);

/* Whether so many digits have the issuer, the length and the check digit of a card. */
bool card_right(const char *digits, size_t len);

/* Whether twelve digits are a My Number. */
bool mynumber_right(const char *digits);

/* The national digits of a phone candidate; returns how many. */
size_t phone_digits(
    const struct detect_window *w, const struct candidate *c, char *digits, size_t room);

/* ---- words that name a number (labels.c) --------------------------------------------------------- */

enum label {
	LABEL_NONE,
	LABEL_CARD,
	LABEL_MYNUMBER,
	LABEL_CORPORATE,
	LABEL_PHONE,
	LABEL_OTHER,  /* a number of another kind: an order's, an account's */
	LABEL_NUMBER, /* some number: "No.", "番号" */
	LABEL_COUNT
};

#define COLUMNS_MAX     64
#define LABEL_WORDS_MAX 200
#define LABEL_BUCKETS   256

struct label_mark {
	size_t end; /* behind the word; 0: none was seen */
	size_t line;
	uint16_t column;
};

struct labels {
	size_t at; /* read up to here */
	size_t line;
	size_t line_begin;
	uint16_t column; /* commas before, in this line */
	bool quoted;
	bool digits;                         /* the line holds numbers: it is no head of a table */
	struct label_mark last[LABEL_COUNT]; /* of each sort, the last one */
	uint8_t line_head[COLUMNS_MAX];      /* what this line would name its columns */
	uint8_t head[COLUMNS_MAX];           /* what the head of the table does */
	uint16_t head_columns;               /* 0: in no table */

	uint8_t first[LABEL_BUCKETS];  /* the words by how they begin: 1 + the number of one */
	uint8_t next[LABEL_WORDS_MAX]; /* and of the next */
};

void labels_begin(struct labels *l);

/* Reads on to `to`. */
void labels_read(struct labels *l, const struct detect_window *w, size_t to);

/* The word that stands nearest before, in the same line, and how many bytes lie between. */
enum label labels_nearest(const struct labels *l, size_t *gap);

/* What the head of the table calls this column. */
enum label labels_column(const struct labels *l);

/* Whether the next word in the line, right behind a number that ends at `end`, is of `sort`. */
bool labels_behind(
    const struct labels *l, const struct detect_window *w, size_t end, enum label sort);

/* Whether one stands before in the same line. */
bool labels_in_line(const struct labels *l, enum label sort);

/* Whether one stands before within `bytes`. */
bool labels_above(const struct labels *l, enum label sort, size_t bytes);

#endif
