#include "lib/detect/address_block.h"

#include <string.h>

#include "lib/detect/letters.h"

#define NUMBER_MAX 5 /* digits, or letters of a number in kanji */
#define PARTS_MAX  4 /* 1-2-3-405 */

/* What is counted, so that "3-5" before it is no block. */
static const char counters[] =
    "年月日時分秒名人個件円台本枚回階歳倍割度点位冊口校杯匹頭週泊箱万千億%~.:/";

static bool letter_is_one_of(const char *text, size_t len, size_t at, const char *letters)
{
	size_t end = at;

	if (letter_next(text, len, &end) == LETTER_NONE)
		return false;

	for (size_t i = 0, n = strlen(letters); i < n;) {
		size_t start = i;

		(void)letter_next(letters, n, &i);
		if (i - start == end - at && memcmp(letters + start, text + at, end - at) == 0)
			return true;
	}
	return false;
}

bool address_numeral(uint32_t point)
{
	switch (point) {
	case 0x3007: /* 〇 */
	case 0x4e00: /* 一 */
	case 0x4e8c: /* 二 */
	case 0x4e09: /* 三 */
	case 0x56db: /* 四 */
	case 0x4e94: /* 五 */
	case 0x516d: /* 六 */
	case 0x4e03: /* 七 */
	case 0x516b: /* 八 */
	case 0x4e5d: /* 九 */
	case 0x5341: /* 十 */
	case 0x767e: /* 百 */
		return true;
	default:
		return false;
	}
}

static bool word(const char *text, size_t len, size_t *at, const char *expected)
{
	size_t n = strlen(expected);

	if (len - *at < n || memcmp(text + *at, expected, n) != 0)
		return false;
	*at += n;
	return true;
}

static bool digit(const char *text, size_t len, size_t at)
{
	return at < len && letter_digit((unsigned char)text[at]);
}

/* Moves `*at` behind a number; `*kanji` says in which figures. No block begins with 0. */
static bool number(const char *text, size_t len, size_t *at, bool *kanji)
{
	size_t end = *at;
	size_t n = 0;

	*kanji = !digit(text, len, end);
	if (*kanji) {
		for (size_t next = end;
		     n <= NUMBER_MAX && address_numeral(letter_next(text, len, &next)); end = next)
			n++;
	} else {
		if (text[end] == '0')
			return false;
		for (; n <= NUMBER_MAX && digit(text, len, end); end++)
			n++;
	}

	if (n == 0 || n > NUMBER_MAX)
		return false;
	*at = end;
	return true;
}

/* A number in the same figures as those before. */
static bool number_like(const char *text, size_t len, size_t *at, bool kanji)
{
	size_t end = *at;
	bool found;

	if (!number(text, len, &end, &found) || found != kanji)
		return false;
	*at = end;
	return true;
}

static size_t behind_blanks(const char *text, size_t len, size_t at)
{
	size_t most = 2;

	while (most-- > 0 && at < len && text[at] == ' ')
		at++;
	return at;
}

/* Whether what stands behind says that the number before it counts something, or goes on. */
static bool counts(const char *text, size_t len, size_t at)
{
	size_t next = at;

	if (word(text, len, &next, "日本"))
		return false;
	return letter_is_one_of(text, len, at, counters) ||
	       (at < len && letter_latin((unsigned char)text[at])) ||
	       (at < len && text[at] == '-' && digit(text, len, at + 1));
}

static bool room_number(const char *text, size_t len, size_t at)
{
	return word(text, len, &at, "号") && letter_is_one_of(text, len, at, "室棟館");
}

/* 号 at the end, which names no house and no room. */
static void take_go(const char *text, size_t len, size_t *at)
{
	if (!room_number(text, len, *at))
		(void)word(text, len, at, "号");
}

static bool separator(const char *text, size_t len, size_t *at)
{
	return word(text, len, at, "-") || word(text, len, at, "の") || word(text, len, at, "ノ");
}

/* Behind 番地: の4, -4, 4, each perhaps with 号. */
static void take_branch(const char *text, size_t len, size_t *end, bool kanji)
{
	size_t at = *end;

	(void)separator(text, len, &at);
	if (!number_like(text, len, &at, kanji) || room_number(text, len, at))
		return;
	if (counts(text, len, at))
		return;
	take_go(text, len, &at);
	*end = at;
}

/* Behind 番: 9号, 9, の9; without them 番 is the end. */
static enum address_block after_ban(const char *text, size_t len, size_t *end, bool kanji)
{
	size_t at = behind_blanks(text, len, *end);
	size_t next;

	(void)separator(text, len, &at);
	if (number_like(text, len, &at, kanji) && !room_number(text, len, at)) {
		next = at;
		if (word(text, len, &next, "号") || !counts(text, len, at)) {
			take_go(text, len, &at);
			*end = at;
			return ADDRESS_BLOCK_SURE;
		}
	}

	next = *end;
	if (letter_japanese(letter_next(text, len, &next)))
		return ADDRESS_BLOCK_NONE;
	return ADDRESS_BLOCK_PAIR;
}

/* ,000 behind a number, not a column that begins with 090-. */
static bool thousands(const char *text, size_t len, size_t at)
{
	if (at >= len || text[at] != ',')
		return false;
	for (size_t i = 1; i <= 3; i++) {
		if (!digit(text, len, at + i))
			return false;
	}
	return !digit(text, len, at + 4) && (at + 4 >= len || text[at + 4] != '-');
}

static bool date(const char *text, size_t start, size_t first_end, size_t parts)
{
	return parts == 3 && first_end - start == 4 &&
	       (memcmp(text + start, "19", 2) == 0 || memcmp(text + start, "20", 2) == 0);
}

/* 1-2, 1-2-3, 1の2, 2-3号; `*end` stands behind the first number. */
static enum address_block dashes(
    const char *text, size_t len, size_t start, size_t *end, bool kanji)
{
	size_t first_end = *end;
	size_t last_but_one = *end;
	size_t parts = 1;

	while (parts < PARTS_MAX) {
		size_t at = *end;

		if (!separator(text, len, &at) || !number_like(text, len, &at, kanji))
			break;
		last_but_one = *end;
		*end = at;
		parts++;
	}

	if (parts > 1 && room_number(text, len, *end)) {
		*end = last_but_one;
		parts--;
	} else if (parts > 1 && word(text, len, end, "番地")) {
		take_branch(text, len, end, kanji);
		return ADDRESS_BLOCK_SURE;
	} else if (parts > 1 && word(text, len, end, "番")) {
		return after_ban(text, len, end, kanji);
	} else if (parts > 1 && word(text, len, end, "号")) {
		return ADDRESS_BLOCK_SURE;
	} else if ((parts < 3 || *end < len) && counts(text, len, *end)) {
		return ADDRESS_BLOCK_NONE;
	}

	if (date(text, start, first_end, parts) || (kanji && parts == 1))
		return ADDRESS_BLOCK_NONE;
	if (parts == 1)
		return thousands(text, len, *end) ? ADDRESS_BLOCK_NONE : ADDRESS_BLOCK_BARE;
	return parts == 2 ? ADDRESS_BLOCK_PAIR : ADDRESS_BLOCK_DASHES;
}

/* What is left without 丁目: 20番9号, 123番地4, 2-3, 45. */
static enum address_block after_chome(const char *text, size_t len, size_t at, size_t *end)
{
	bool kanji;

	*end = at;
	if (!number(text, len, end, &kanji))
		return ADDRESS_BLOCK_NONE;

	if (word(text, len, end, "番地")) {
		take_branch(text, len, end, kanji);
		return ADDRESS_BLOCK_SURE;
	}
	if (word(text, len, end, "番"))
		return after_ban(text, len, end, kanji);
	return dashes(text, len, at, end, kanji);
}

static bool chome(const char *text, size_t len, size_t *at)
{
	size_t end = *at;
	bool kanji;

	if (word(text, len, at, "丁目"))
		return true;
	/* Sakai leaves 目 out: 1丁2番3号. */
	if (!word(text, len, &end, "丁"))
		return false;
	*at = end;
	return number(text, len, &end, &kanji);
}

enum address_block address_block(const char *text, size_t len, size_t at, size_t *end)
{
	size_t chome_end = at;
	enum address_block rest;
	size_t next;
	bool kanji;

	if (!number(text, len, &chome_end, &kanji) || !chome(text, len, &chome_end))
		return after_chome(text, len, at, end);

	next = chome_end;
	(void)separator(text, len, &next);
	next = behind_blanks(text, len, next);
	rest = after_chome(text, len, next, end);
	/* "1丁目 3" may be a floor. */
	if (rest == ADDRESS_BLOCK_NONE || (rest == ADDRESS_BLOCK_BARE && next != chome_end))
		*end = chome_end;
	else if (rest == ADDRESS_BLOCK_BARE)
		take_go(text, len, end);
	return ADDRESS_BLOCK_SURE;
}

size_t address_unit(const char *text, size_t len, size_t at)
{
	static const char *const units[] = {"条", "線", "地割", "番町", "番丁", "丁", "区", "町"};
	bool kanji;

	if (!number(text, len, &at, &kanji))
		return 0;
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (word(text, len, &at, units[i]))
			return at;
	}
	return 0;
}
