/* Payment cards: an issuer's prefix and its length, the check digit of ISO/IEC 7812-1, the groups. */
#include <string.h>

#include "lib/detect/numbers.h"

#define CARD_MIN   14
#define CARD_MAX   19
#define PREFIX_LEN 4
#define WORD_MOST  ((size_t)16) /* letters of a word that is glued to a number */
#define EMPTY_TAIL 8            /* so many zeros at the end: a round number, no account */

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

bool card_right(const char *digits, size_t len)
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

/* A word, or a sign of money or of numbers: "VISA4111", "No4111", "#4111". */
static bool glued_before(const struct detect_window *w, size_t begin)
{
	size_t at = begin;

	if (begin >= 2 && memcmp(w->text + begin - 2, "\xC2\xA5", 2) == 0) /* ¥ */
		return true;
	if (sign_at(w, begin - 1, "#$_"))
		return begin == 1 || !digit_at(w, begin - 2);
	while (at > 0 && begin - at < WORD_MOST && letter_at(w, at - 1))
		at--;
	return at < begin && (at == 0 || (!digit_at(w, at - 1) && !letter_at(w, at - 1)));
}

/* A month, and perhaps a year, behind a hyphen or a stroke: "-12", "/1227", "/12/27". */
static bool expiry_at(const struct detect_window *w, size_t at)
{
	unsigned month;
	size_t digits = 0;

	if (!sign_at(w, at, "-/") || !digit_at(w, at + 1) || !digit_at(w, at + 2))
		return false;
	month = (unsigned)(w->text[at + 1] - '0') * 10 + (unsigned)(w->text[at + 2] - '0');
	at += 3;
	if (sign_at(w, at, "-/") && digit_at(w, at + 1))
		at++;
	for (; digit_at(w, at); at++)
		digits++;
	return month >= 1 && month <= 12 && (digits == 0 || digits == 2 || digits == 4) &&
	       !letter_at(w, at);
}

/* A word, a sign or what counts money behind it: "4111...a", "4111...円", "4111.../1227". */
static bool glued_behind(const struct detect_window *w, size_t end)
{
	size_t at = end;

	if (expiry_at(w, end))
		return true;
	if (sign_at(w, end, "$_"))
		return !digit_at(w, end + 1);
	while (at - end < WORD_MOST && letter_at(w, at))
		at++;
	if (at > end)
		return !digit_at(w, at) && !letter_at(w, at);
	return (unsigned char)w->text[end] >= 0x80; /* 円 */
}

/* Whether what stands right before and behind lets a number be one. */
static bool bordered(const struct detect_window *w, struct candidate *c)
{
	bool open = opened(w, c->begin);
	bool shut = digits_shut(w, c->end);

	c->glued = !open || !shut;
	return (open || glued_before(w, c->begin)) && (shut || glued_behind(w, c->end));
}

static bool grouped(const struct detect_window *w, const struct row *row, size_t n, size_t digits,
    struct candidate *c)
{
	size_t breaks;
	char sign = joints(row, n, &breaks);
	char behind = row->groups[n - 1].joint;

	if (sign == '\0' ||
	    (behind == sign && strchr(DIGITS_JOINTS, sign) != NULL && !expiry_at(w, c->end)))
		return false;
	c->glued = c->glued || (behind == sign && sign != ' ' && sign != '\n');

	c->embedded = (sign == ' ' || sign == '\n') && digits_embedded(w, c->begin, c->end);
	if (!usual_groups(row, n, digits) || sign == ',' || sign == '\n' ||
	    breaks > (sign == ' ' ? 0U : 1U))
		c->form = FORM_LOOSE;
	else if (sign == ' ')
		c->form = FORM_BLANKS;
	else
		c->form = FORM_GROUPED;

	/* In the groups of a card it needs no word. */
	if (digits == 16 && c->form != FORM_LOOSE && (behind != sign || row->groups[n].len == 2))
		c->glued = false;
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
		if (len < CARD_MIN || !bordered(w, c) || (n > 1 && !grouped(w, row, n, len, c)))
			continue;

		digits_take(w, c->begin, c->end, digits, sizeof(digits));
		c->right = card_right(digits, len);
		if (c->right || (!c->glued && (c->form == FORM_BARE || c->form == FORM_BLANKS)))
			return true;
	}
	return false;
}

#define SPACED_SHORTEST 12

bool spaced_at(const struct detect_window *w, size_t at, struct candidate *c)
{
	char digits[CARD_MAX];
	size_t len = 0;

	*c = (struct candidate){.begin = at, .form = FORM_LOOSE, .glued = true};
	if (!digits_open(w, at) || (at >= 2 && w->text[at - 1] == ' ' && digit_at(w, at - 2)))
		return false;
	for (; digit_at(w, at) && len < CARD_MAX; at += 2) {
		digits[len++] = w->text[at];
		c->end = at + 1;
		if (c->end >= w->len || w->text[c->end] != ' ')
			break;
	}
	if (len < SPACED_SHORTEST || !digits_shut(w, c->end) ||
	    (w->len - c->end > 1 && w->text[c->end] == ' ' && digit_at(w, c->end + 1)))
		return false;

	c->kind = len == SPACED_SHORTEST ? DETECT_MYNUMBER : DETECT_CARD;
	c->right = len == SPACED_SHORTEST ? mynumber_right(digits)
					  : len >= CARD_MIN && card_right(digits, len);
	return c->right;
}
