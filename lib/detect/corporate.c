/*
 * Corporate numbers: a check digit and twelve digits (法人番号の指定等に関する省令 art. 2). A qualified
 * invoice issuer's registration number is "T" and one of them.
 */
#include "lib/detect/numbers.h"

#define CORPORATE_LEN 13

static bool checked(const char *digits)
{
	unsigned sum = 0;

	for (unsigned n = 1; n < CORPORATE_LEN; n++) { /* 1: the lowest of the twelve */
		unsigned digit = (unsigned)(digits[CORPORATE_LEN - n] - '0');

		sum += digit * (n % 2 == 1 ? 1 : 2);
	}
	return 9 - sum % 9 == (unsigned)(digits[0] - '0');
}

/* The code of an article or a book (EAN-13), which are of 13 digits as well. */
static bool article(const char *digits)
{
	unsigned prefix = (unsigned)(digits[0] - '0') * 10 + (unsigned)(digits[1] - '0');
	unsigned sum = 0;

	if (prefix != 97 && prefix != 45 && prefix != 49)
		return false;
	for (size_t i = 0; i < CORPORATE_LEN; i++)
		sum += (unsigned)(digits[i] - '0') * (i % 2 == 0 ? 1 : 3);
	return sum % 10 == 0;
}

/* 13 digits, or 1-4-4-4. */
static bool shaped(const struct row *row, struct candidate *c)
{
	const struct group *g = row->groups;
	char sign = g[0].joint;

	if (g[0].len == CORPORATE_LEN) {
		c->end = g[0].begin + CORPORATE_LEN;
		c->form = FORM_BARE;
		return true;
	}
	if (row->n < 4 || g[0].len != 1 || g[1].len != 4 || g[2].len != 4 || g[3].len != 4)
		return false;
	if (sign != '-' || g[1].joint != sign || g[2].joint != sign || g[3].joint == sign)
		return false;

	c->end = g[3].begin + 4;
	c->form = FORM_GROUPED;
	return true;
}

/* Where the "T" of an invoice issuer's number stands: "T1234...", "T-1234..."; else `begin`. */
static size_t registered(const struct detect_window *w, size_t begin)
{
	size_t at = begin;

	if (at > 1 && (w->text[at - 1] == '-' || w->text[at - 1] == ' '))
		at--;
	return at > 0 && w->text[at - 1] == 'T' ? at - 1 : begin;
}

bool corporate_at(const struct detect_window *w, const struct row *row, struct candidate *c)
{
	char digits[CORPORATE_LEN];
	size_t begin = row->groups[0].begin;
	size_t mark = registered(w, begin);

	*c = (struct candidate){.begin = begin, .kind = DETECT_CORPORATE, .named = mark < begin};
	if (!shaped(row, c) || !digits_open(w, mark) || !digits_shut(w, c->end))
		return false;

	digits_take(w, c->begin, c->end, digits, sizeof(digits));
	c->right = checked(digits) && !digits_dull(digits + 1, CORPORATE_LEN - 1);
	c->article = article(digits);

	return true;
}
