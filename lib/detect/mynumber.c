/* My Number: 11 digits and a check digit (the Ordinance on My Number, 平成26年総務省令第85号, art. 5). */
#include "lib/detect/numbers.h"

#define MYNUMBER_LEN 12

static bool checked(const char *digits)
{
	unsigned sum = 0;
	unsigned check;

	for (unsigned n = 1; n < MYNUMBER_LEN; n++) { /* 1: the lowest of the eleven */
		unsigned digit = (unsigned)(digits[MYNUMBER_LEN - 1 - n] - '0');

		sum += digit * (n <= 6 ? n + 1 : n - 5);
	}
	check = sum % 11 <= 1 ? 0 : 11 - sum % 11;
	return check == (unsigned)(digits[MYNUMBER_LEN - 1] - '0');
}

bool mynumber_right(const char *digits)
{
	return checked(digits) && !digits_dull(digits, MYNUMBER_LEN);
}

/* 12 digits, or 4-4-4 with one sign between. */
static bool shaped(const struct detect_window *w, const struct row *row, struct candidate *c)
{
	const struct group *g = row->groups;
	char sign = g[0].joint;

	if (g[0].len == MYNUMBER_LEN) {
		c->end = g[0].begin + MYNUMBER_LEN;
		c->form = FORM_BARE;
		return true;
	}
	if (row->n < 3 || g[0].len != 4 || g[1].len != 4 || g[2].len != 4)
		return false;
	if (sign != g[1].joint || sign == '/' || sign == '\0' ||
	    (sign != ' ' && strchr(DIGITS_JOINTS, sign) == NULL))
		return false;
	if (g[2].joint == sign && sign != ' ')
		return false;

	c->end = g[2].begin + 4;
	c->form = sign == ' ' ? FORM_BLANKS : FORM_GROUPED;
	if (g[2].joint == ' ' && g[3].len == 4)
		c->form =
		    FORM_LOOSE; /* a fourth group: a cell of its own, or all of it something else */
	c->embedded = sign == ' ' && digits_embedded(w, c->begin, c->end);
	return true;
}

bool mynumber_at(const struct detect_window *w, const struct row *row, struct candidate *c)
{
	char digits[MYNUMBER_LEN];

	*c = (struct candidate){.begin = row->groups[0].begin, .kind = DETECT_MYNUMBER};
	if (!shaped(w, row, c) || !digits_open(w, c->begin) || !digits_shut(w, c->end))
		return false;
	digits_take(w, c->begin, c->end, digits, sizeof(digits));
	c->right = mynumber_right(digits);
	return true;
}
