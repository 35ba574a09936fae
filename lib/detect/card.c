/* Payment cards: an issuer's prefix and its length, the check digit of ISO/IEC 7812-1, the groups. */
#include <string.h>

#include "lib/detect/numbers.h"

#define CARD_MIN   14
#define CARD_MAX   19
#define PREFIX_LEN 4
#define EMPTY_TAIL 8 /* so many zeros at the end: a round number, no account */

struct issuer {
	unsigned from; /* the first four digits */
	unsigned to;
	size_t shortest;
	size_t longest;
};

static const struct issuer issuers[] = {
    {4000, 4999, 16, 16}, /* Visa */
    {5100, 5599, 16, 16}, /* Mastercard */
    {2221, 2720, 16, 16}, /* Mastercard */
    {3528, 3589, 16, 16}, /* JCB */
    {3400, 3499, 15, 15}, /* American Express */
    {3700, 3799, 15, 15}, /* American Express */
    {3000, 3059, 14, 14}, /* Diners Club */
    {3095, 3095, 14, 14}, /* Diners Club */
    {3600, 3699, 14, 14}, /* Diners Club */
    {3800, 3999, 14, 14}, /* Diners Club */
    {6011, 6011, 16, 16}, /* Discover */
    {6440, 6599, 16, 16}, /* Discover */
    {6200, 6299, 16, 19}, /* UnionPay */
};

static bool issued(const char *digits, size_t len)
{
	unsigned prefix = 0;

	for (size_t i = 0; i < PREFIX_LEN; i++)
		prefix = prefix * 10 + (unsigned)(digits[i] - '0');
	for (size_t i = 0; i < COUNT_OF(issuers); i++) {
		if (prefix >= issuers[i].from && prefix <= issuers[i].to)
			return len >= issuers[i].shortest && len <= issuers[i].longest;
	}
	return false;
}

static bool luhn(const char *digits, size_t len)
{
	unsigned sum = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(digits[len - 1 - i] - '0');

		if (i % 2 == 1)
			digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
		sum += digit;
	}
	return sum % 10 == 0;
}

static bool is_card(const char *digits, size_t len)
{
	return issued(digits, len) && luhn(digits, len) &&
	       memcmp(digits + len - EMPTY_TAIL, "00000000", EMPTY_TAIL) != 0;
}

/* Whether the first `n` groups are how cards of their length are written: 4-4-4-4, 4-6-5, 4-6-4. */
static bool usual_groups(const struct row *row, size_t n, size_t digits)
{
	static const struct {
		size_t digits;
		size_t n;
		size_t groups[4];
	} usual[] = {{16, 4, {4, 4, 4, 4}}, {15, 3, {4, 6, 5}}, {14, 3, {4, 6, 4}}};

	for (size_t i = 0; i < COUNT_OF(usual); i++) {
		bool fits = usual[i].digits == digits && usual[i].n == n;

		for (size_t k = 0; fits && k < n; k++)
			fits = row->groups[k].len == usual[i].groups[k];
		if (fits)
			return true;
	}
	return false;
}

/* What joins the first `n` groups: one sign, and perhaps a line's end. 0: different signs. */
static char joints(const struct row *row, size_t n, size_t *breaks)
{
	char sign = '\n';

	*breaks = 0;
	for (size_t i = 0; i + 1 < n; i++) {
		char joint = row->groups[i].joint;

		*breaks += joint == '\n';
		if (joint == '\n' || joint == sign)
			continue;
		if (sign != '\n')
			return '\0';
		sign = joint;
	}
	return sign;
}

/* "AX3412 ...": tickets name the issuer by two letters, right before the number. */
static bool opened(const struct detect_window *w, size_t begin)
{
	static const char codes[] = "AXVICAJCMCDC";
	struct detect_window before = *w;

	if (digits_open(w, begin))
		return true;
	if (begin < 2)
		return false;
	for (size_t i = 0; i + 2 < sizeof(codes); i += 2) {
		if (memcmp(w->text + begin - 2, codes + i, 2) == 0)
			return before.len > 0 && digits_open(&before, begin - 2);
	}
	return false;
}

static bool grouped(const struct detect_window *w, const struct row *row, size_t n, size_t digits,
    struct candidate *c)
{
	size_t breaks;
	char sign = joints(row, n, &breaks);
	char behind = row->groups[n - 1].joint;

	if (sign == '\0' || (behind == sign && strchr("-./", sign) != NULL))
		return false;

	c->embedded = (sign == ' ' || sign == '\n') && digits_embedded(w, c->begin, c->end);
	if (!usual_groups(row, n, digits) || sign == ',' || sign == '\n' ||
	    breaks > (sign == ' ' ? 0U : 1U))
		c->form = FORM_LOOSE;
	else if (sign == ' ')
		c->form = FORM_BLANKS;
	else
		c->form = FORM_GROUPED;
	return true;
}

bool card_at(const struct detect_window *w, const struct row *row, struct candidate *c)
{
	char digits[CARD_MAX];
	size_t len = 0;

	*c = (struct candidate){.begin = row->groups[0].begin, .kind = DETECT_CARD};
	if (row->groups[0].len < PREFIX_LEN)
		return false;
	for (size_t n = 1; n <= row->n && len <= CARD_MAX; n++) {
		const struct group *g = &row->groups[n - 1];

		len += g->len;
		c->end = g->begin + g->len;
		if (g->len < PREFIX_LEN || len > CARD_MAX)
			return false;
		if (len < CARD_MIN || !digits_shut(w, c->end))
			continue;
		if (n == 1 ? !opened(w, c->begin)
			   : !opened(w, c->begin) || !grouped(w, row, n, len, c))
			continue;

		digits_take(w, c->begin, c->end, digits, sizeof(digits));
		c->right = is_card(digits, len);
		if (c->right || c->form == FORM_BARE || c->form == FORM_BLANKS)
			return true;
	}
	return false;
}
