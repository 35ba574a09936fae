#include <string.h>

#include "lib/detect/numbers.h"

#define JAPANESE_NEAR ((size_t)60)
#define JOINTS        "-./,\"_*|:~"
#define BLANKS_MOST   3 /* between two groups: more of them part columns */

/* Behind up to BLANKS_MOST blanks. */
static size_t behind_blanks(const struct detect_window *w, size_t at)
{
	size_t end = at;

	while (end < w->len && end - at < BLANKS_MOST && w->text[end] == ' ')
		end++;
	return end;
}

size_t digits_wide_joint(const struct detect_window *w, size_t at, char *sign)
{
	static const struct {
		const char *text;
		char sign;
	} wide[] = {{"ー", '-'}, {"・", 'o'}, {"·", 'o'}, {"•", 'o'}, {"、", 'k'}};

	for (size_t i = 0; at < w->len && i < COUNT_OF(wide); i++) {
		size_t len = strlen(wide[i].text);

		if (w->len - at > len && memcmp(w->text + at, wide[i].text, len) == 0) {
			*sign = wide[i].sign;
			return len;
		}
	}
	return 0;
}

/*
 * The separator at `at`: its sign, and in `*next` where the next group begins. A line may break after
 * any separator; what quotes the line below ("> ") belongs to the break.
 */
static char joint_at(const struct detect_window *w, size_t at, size_t *next)
{
	size_t begin = at, wide;
	char sign = ' ';

	at = behind_blanks(w, at);
	wide = digits_wide_joint(w, at, &sign);
	if (wide > 0) {
		at = behind_blanks(w, at + wide);
	} else if (at == begin && at < w->len && w->text[at] != '\n' && !sign_at(w, at, JOINTS)) {
		return '\0';
	} else if (sign_at(w, at, JOINTS)) {
		sign = w->text[at++];
		if (sign == '"') { /* cells of a CSV file: "4111 1111","1111 1111" */
			if (at + 1 >= w->len || w->text[at] != ',' || w->text[at + 1] != '"')
				return '\0';
			at += 2;
			sign = ',';
		}
		at = behind_blanks(w, at);
	}
	if (at < w->len && w->text[at] == '\n') {
		sign = '\n';
		at++;
		while (at < w->len && (w->text[at] == ' ' || w->text[at] == '>'))
			at++;
	}
	*next = at;
	return digit_at(w, at) ? sign : '\0';
}

void digits_row(const struct detect_window *w, size_t at, struct row *row)
{
	row->n = 0;
	for (;;) {
		struct group *g = &row->groups[row->n++];
		size_t next = at;

		*g = (struct group){.begin = at};
		while (digit_at(w, at))
			at++;
		g->len = at - g->begin;
		g->joint = joint_at(w, at, &next);
		if (g->joint == '\0' || row->n == GROUPS_MAX)
			return;
		at = next;
	}
}

size_t digits_take(
    const struct detect_window *w, size_t begin, size_t end, char *digits, size_t room)
{
	size_t n = 0;

	for (size_t i = begin; i < end && n < room; i++) {
		if (digit_at(w, i))
			digits[n++] = w->text[i];
	}
	return n;
}

bool digits_dull(const char *digits, size_t len)
{
	for (size_t i = 1; i < len; i++) {
		if (digits[i] != digits[0])
			return false;
	}
	return true;
}

static bool word_at(const struct detect_window *w, size_t at)
{
	return digit_at(w, at) || letter_at(w, at) || (at < w->len && w->text[at] == '_');
}

/* A byte of a letter outside ASCII. */
static bool wide_at(const struct detect_window *w, size_t at)
{
	return (unsigned char)w->text[at] >= 0x80;
}

bool digits_open(const struct detect_window *w, size_t begin)
{
	size_t before = begin - 1;

	if (begin == 0)
		return true;
	if (word_at(w, before) || sign_at(w, before, "+#$@\\%^~"))
		return false;
	if (begin >= 2 && memcmp(w->text + begin - 2, "\xC2\xA5", 2) == 0) /* ¥ */
		return false;
	/* A fraction, a time, a sign of minus, a path, a piece of what is written with hyphens. */
	if (sign_at(w, before, "."))
		return begin > 1 && (letter_at(w, before - 1) || wide_at(w, before - 1));
	if (sign_at(w, before, ":"))
		return begin == 1 || !digit_at(w, before - 1);
	if (sign_at(w, before, "-"))
		return begin > 1 && wide_at(w, before - 1);
	if (sign_at(w, before, "/"))
		return begin > 1 && !word_at(w, before - 1) && !sign_at(w, before - 1, "/:.");
	return true;
}

/* What counts things or money, not a number that names something. */
static bool counter_at(const struct detect_window *w, size_t at)
{
	static const char *const counters[] = {"円", "万", "億", "個", "件", "台", "バイト"};

	for (size_t i = 0; i < COUNT_OF(counters); i++) {
		size_t len = strlen(counters[i]);

		if (w->len - at >= len && memcmp(w->text + at, counters[i], len) == 0)
			return true;
	}
	return false;
}

bool digits_shut(const struct detect_window *w, size_t end)
{
	if (end >= w->len)
		return true;
	if (word_at(w, end) || sign_at(w, end, "%@\\+^$"))
		return false;
	if (sign_at(w, end, ".-/:~"))
		return !word_at(w, end + 1);
	return !counter_at(w, end);
}

bool digits_in_japanese(const struct detect_window *w, size_t begin, size_t end)
{
	for (size_t i = begin; i > 0 && begin - i < JAPANESE_NEAR && w->text[i - 1] != '\n'; i--) {
		if ((unsigned char)w->text[i - 1] >= 0xE3 && (unsigned char)w->text[i - 1] <= 0xE9)
			return true;
	}
	for (size_t i = end; i < w->len && i - end < JAPANESE_NEAR && w->text[i] != '\n'; i++) {
		if ((unsigned char)w->text[i] >= 0xE3 && (unsigned char)w->text[i] <= 0xE9)
			return true;
	}
	return false;
}

static bool hex_at(const struct detect_window *w, size_t at)
{
	return digit_at(w, at) || (letter_at(w, at) && (unsigned char)(w->text[at] | 0x20) <= 'f');
}

bool digits_embedded(const struct detect_window *w, size_t begin, size_t end)
{
	size_t at = end + 1;
	bool digit = false;

	if (end < w->len && w->text[end] == ' ') {
		for (; hex_at(w, at); at++)
			digit = digit || digit_at(w, at);
		if (digit && !word_at(w, at))
			return true;
	}

	digit = false;
	if (begin > 1 && w->text[begin - 1] == ' ') {
		for (at = begin - 1; at > 0 && hex_at(w, at - 1); at--)
			digit = digit || digit_at(w, at - 1);
		return digit && (at == 0 || !word_at(w, at - 1));
	}
	return false;
}
