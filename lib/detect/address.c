/*
 * An address begins with the name of a prefecture or, where that is left out, of a city, ward, town or
 * village. These end in one of a few letters, so the text is searched for those letters; a table says
 * whether what stands before is a name. Then a town's name of any letters is read up to a block
 * number. What is written together decides, not what belongs together on the map.
 */
#include <string.h>

#include "lib/detect/address_block.h"
#include "lib/detect/address_places.h"
#include "lib/detect/detect.h"
#include "lib/detect/letters.h"

#define PLACE_LETTERS 7 /* of the longest name of a place */
#define PLACE_BYTES   ((size_t)PLACE_LETTERS * 4)
#define TOWN_LETTERS  32 /* between a city and its block number */
#define TOWN_GAPS     3
#define LATIN_LETTERS 8 /* 丸の内JPタワー */

/* An address that is being read. */
struct address {
	const char *text;
	size_t len;
	size_t start;
	size_t at;
	bool prefecture;
	bool district;
	bool known; /* a city of the table */
	bool line_broken;
};

/* A town's name and its block number. */
struct town {
	size_t letters;
	size_t latin;
	size_t gaps;       /* with letters on both sides */
	bool broken;       /* one of them with a line break */
	bool numbered;     /* 北1条西2 */
	bool gap_at_block; /* just before the block number */
	uint32_t last;
	enum address_block block;
	size_t block_at;
	size_t end;
};

static bool punctuation(char c)
{
	return c == ' ' || c == '\n' || c == '>' || c == '|' || c == ',' || c == '"';
}

/*
 * Behind blanks, one line's end with the marks of a quotation, and, between columns, a comma with its
 * quotation marks.
 */
static size_t behind_gap(const struct address *a, size_t at, bool columns, bool *broken)
{
	size_t most = at + 16;
	bool newline = false;
	bool comma = false;

	*broken = false;
	for (; at < a->len && at < most; at++) {
		char c = a->text[at];

		if (c == '\n' && !newline)
			newline = true;
		else if (c == ',' && columns && !comma)
			comma = true;
		else if (!(c == ' ' || (c == '"' && columns) ||
			     ((c == '>' || c == '|') && newline)))
			break;
	}
	*broken = newline;
	return at;
}

static bool place_letter(uint32_t p)
{
	return letter_japanese(p);
}

/* 市, 区, 町, 村, 郡. */
static bool place_end(uint32_t p)
{
	return p == 0x5e02 || p == 0x533a || p == 0x753a || p == 0x6751 || p == 0x90e1;
}

/* Where the longest place of the table ends that begins at `at`; 0: none. */
static size_t known_place(const struct address *a, size_t at)
{
	size_t end = at;
	size_t found = 0;

	for (size_t i = 0; i < PLACE_LETTERS; i++) {
		uint32_t p = letter_next(a->text, a->len, &end);

		if (!place_letter(p))
			break;
		if (place_end(p) && address_place(a->text + at, end - at))
			found = end;
	}
	return found;
}

/* The same for a place that is in no table: up to the first letter that ends one. */
static size_t strange_place(const struct address *a, size_t at)
{
	size_t end = at;

	for (size_t i = 0; i < PLACE_LETTERS; i++) {
		uint32_t p = letter_next(a->text, a->len, &end);

		if (!place_letter(p))
			break;
		if (i > 0 && place_end(p))
			return end;
	}
	return 0;
}

/* Districts, cities and wards, one behind another. */
static bool read_places(struct address *a)
{
	size_t found = known_place(a, a->at);

	if (found == 0) {
		found = strange_place(a, a->at);
		if (found == 0)
			return false;
	} else {
		a->known = true;
	}

	for (;;) {
		bool broken;
		size_t next;

		/* 郡 */
		if (found - a->at >= 3 && memcmp(a->text + found - 3, "\xe9\x83\xa1", 3) == 0)
			a->district = true;
		a->at = found;
		next = behind_gap(a, a->at, true, &broken);
		found = known_place(a, next);
		if (found == 0 || broken)
			return true;
	}
}

/* What no town is called, but what is said of a city. */
static bool speech(const struct address *a, const struct town *t, size_t start)
{
	static const char *const words[] = {"を", "から", "まで", "です", "ます", "した", "して",
	    "する", "され", "ので", "には", "とは", "では", "いた", "および", "または", "など",
	    "より", "にて", "にあ", "にお", "への", "での", "との", "として", "役所", "役場",
	    "市民", "議会", "営住宅", "営バス", "株式会社", "有限会社", "駅から"};
	static const char *const particles[] = {
	    "の", "は", "が", "に", "で", "と", "も", "へ", "や"};
	const char *town = a->text + start;
	size_t len = t->block_at - start;

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (memmem(town, len, words[i], strlen(words[i])) != NULL)
			return true;
	}
	for (size_t i = 0; i < COUNT_OF(particles); i++) {
		size_t at = strlen(particles[i]);

		if (len < at || memcmp(town, particles[i], at) != 0)
			continue;
		if (!letter_hiragana(letter_next(town, len, &at)))
			return true;
	}
	return false;
}

/* A number in the town: the block, or a part of the town's name. False: neither. */
static bool read_number(const struct address *a, struct town *t, size_t *at)
{
	size_t unit;

	t->block = address_block(a->text, a->len, *at, &t->end);
	t->block_at = *at;
	if (t->block != ADDRESS_BLOCK_NONE && t->block != ADDRESS_BLOCK_BARE)
		return true;

	unit = address_unit(a->text, a->len, *at);
	if (unit > 0) {
		t->block = ADDRESS_BLOCK_NONE;
		t->numbered = true;
		*at = unit;
		t->letters++;
		return true;
	}
	return t->block == ADDRESS_BLOCK_BARE;
}

static bool read_gap(const struct address *a, struct town *t, size_t *at)
{
	bool broken;
	size_t next = behind_gap(a, *at, t->letters == 0, &broken);
	size_t peek = next;

	if (next == *at)
		return false;
	t->gap_at_block = letter_digit(letter_next(a->text, a->len, &peek));
	if (t->letters > 0 && !t->gap_at_block) {
		t->gaps++;
		t->broken = t->broken || broken;
	}
	*at = next;
	return t->gaps <= TOWN_GAPS;
}

/* From behind the city to behind the block number. */
static bool read_town(const struct address *a, struct town *t)
{
	size_t at = a->at;

	*t = (struct town){.block = ADDRESS_BLOCK_NONE};
	while (t->letters <= TOWN_LETTERS) {
		size_t next = at;
		uint32_t p = letter_next(a->text, a->len, &next);

		if (letter_digit(p) || address_numeral(p)) {
			size_t before = at;
			bool fits = read_number(a, t, &at);

			if (t->block != ADDRESS_BLOCK_NONE)
				return true;
			if (at != before)
				continue;
			if (!fits && letter_digit(p))
				return false;
		}

		if (letter_japanese(p) || (letter_latin(p) && t->latin++ < LATIN_LETTERS)) {
			t->letters++;
			t->last = p;
			t->gap_at_block = false;
			at = next;
		} else if (!read_gap(a, t, &at)) {
			return false;
		}
	}
	return false;
}

static bool digits_before(const char *text, size_t *at, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (*at == 0 || !letter_digit((unsigned char)text[*at - 1]))
			return false;
		(*at)--;
	}
	return true;
}

static bool postcode_before(const struct address *a)
{
	size_t at = a->start;

	while (at > 0 && a->start - at < 8 && punctuation(a->text[at - 1]))
		at--;
	if (!digits_before(a->text, &at, 4))
		return false;
	if (at > 0 && a->text[at - 1] == '-')
		at--;
	return digits_before(a->text, &at, 3);
}

/* 町, 字, 通, 甲, 乙, 丙, 丁, 村, 沢, 東, 西, 南, 北: a bare number behind them is a block. */
static bool before_bare_number(uint32_t p)
{
	static const uint32_t letters[] = {0x753a, 0x5b57, 0x901a, 0x7532, 0x4e59, 0x4e19, 0x4e01,
	    0x6751, 0x6ca2, 0x6771, 0x897f, 0x5357, 0x5317};

	for (size_t i = 0; i < COUNT_OF(letters); i++) {
		if (p == letters[i])
			return true;
	}
	return false;
}

/* Whether place, town and number together are an address, not a remark. */
static bool believable(const struct address *a, const struct town *t)
{
	bool anchored = a->prefecture || postcode_before(a);

	if (!a->known && !anchored && (t->block < ADDRESS_BLOCK_DASHES || t->letters < 2))
		return false;
	if (t->broken && t->block != ADDRESS_BLOCK_SURE)
		return false;
	if (speech(a, t, a->at))
		return false;

	switch (t->block) {
	case ADDRESS_BLOCK_SURE:
		return a->known || t->letters > 0;
	case ADDRESS_BLOCK_DASHES:
		return anchored || (t->letters > 0 && t->gaps < 2);
	case ADDRESS_BLOCK_PAIR:
		return anchored ? a->known || t->letters > 0 : t->letters > 0 && t->gaps == 0;
	case ADDRESS_BLOCK_BARE:
		return !t->gap_at_block && t->gaps == 0 &&
		       (t->letters > 0 ? anchored || t->numbered || before_bare_number(t->last)
				       : a->prefecture && a->district);
	case ADDRESS_BLOCK_NONE:
		break;
	}
	return false;
}

/* The address without what separates its words. */
static void tell(const struct address *a, size_t end, enum detect_place place, struct hits *hits)
{
	char value[HITS_VALUE_MAX];
	size_t len = 0;

	for (size_t at = a->start; at < end && len < sizeof value; at++) {
		if (!punctuation(a->text[at]))
			value[len++] = a->text[at];
	}
	hits_add(hits, DETECT_ADDRESS, place, value, len);
}

/* Reads what begins at a->start, with a->at behind the prefecture, if there is one. 0: no address. */
static size_t read_address(struct address *a)
{
	struct town town;
	bool broken;

	if (a->prefecture)
		a->at = behind_gap(a, a->at, true, &broken);
	if (!read_places(a) || !read_town(a, &town) || !believable(a, &town))
		return 0;
	return town.end;
}

/* Where a prefecture begins that ends at `end`; false: none does. */
static bool prefecture_start(const char *text, size_t end, size_t *start)
{
	*start = end;
	for (size_t i = 0; i < 4; i++) {
		if (letter_before(text, start) == LETTER_NONE)
			return false;
		if (i > 1 && address_prefecture(text + *start, end - *start))
			return true;
	}
	return false;
}

/* The same for a place: the longest of the table, or else all letters up to what is none. */
static bool place_start(const char *text, size_t end, bool town, size_t *start)
{
	size_t at = end;
	bool found = false;

	for (size_t i = 0; i < PLACE_LETTERS; i++) {
		size_t before = at;

		if (!place_letter(letter_before(text, &at))) {
			/* A strange town would make addresses of half of all Chinese words. */
			if (!found && !town && i > 1) {
				*start = before;
				found = true;
			}
			break;
		}
		if (address_place(text + at, end - at)) {
			*start = at;
			found = true;
		}
		if (at == 0) {
			if (!found && !town && i > 1) {
				*start = 0;
				found = true;
			}
			break;
		}
	}
	return found;
}

/* Which letter ends here that may end the first name of an address. */
enum place_kind { PLACE_KIND_NONE, PLACE_KIND_PREFECTURE, PLACE_KIND_CITY, PLACE_KIND_TOWN };

static enum place_kind kind_at(const unsigned char *p)
{
	switch (p[0]) {
	case 0xe5:
		if ((p[1] == 0xb8 && p[2] == 0x82) || (p[1] == 0x8c && p[2] == 0xba))
			return PLACE_KIND_CITY;                             /* 市 区 */
		return p[1] == 0xba && p[2] == 0x9c ? PLACE_KIND_PREFECTURE /* 府 */
						    : PLACE_KIND_NONE;
	case 0xe6:
		return p[1] == 0x9d && p[2] == 0x91 ? PLACE_KIND_TOWN /* 村 */ : PLACE_KIND_NONE;
	case 0xe7:
		if (p[1] == 0x94 && p[2] == 0xba)
			return PLACE_KIND_TOWN;                             /* 町 */
		return p[1] == 0x9c && p[2] == 0x8c ? PLACE_KIND_PREFECTURE /* 県 */
						    : PLACE_KIND_NONE;
	case 0xe9:
		if (p[1] == 0x83 && p[2] == 0xa1)
			return PLACE_KIND_TOWN; /* 郡 */
		return (p[1] == 0x83 && p[2] == 0xbd) || (p[1] == 0x81 && p[2] == 0x93)
			   ? PLACE_KIND_PREFECTURE /* 都 道 */
			   : PLACE_KIND_NONE;
	default:
		return PLACE_KIND_NONE;
	}
}

void detect_addresses(const struct detect_window *window, struct hits *hits)
{
	const char *text = window->text;
	size_t at = 0;
	size_t told = 0; /* the end of the last address */

	while (at + 3 <= window->len) {
		enum place_kind kind = kind_at((const unsigned char *)text + at);
		struct address a = {.text = text, .len = window->len};
		size_t end;

		if (kind == PLACE_KIND_NONE) {
			at++;
			continue;
		}
		at += 3;

		a.prefecture = kind == PLACE_KIND_PREFECTURE;
		if (!(a.prefecture ? prefecture_start(text, at, &a.start)
				   : place_start(text, at, kind == PLACE_KIND_TOWN, &a.start)))
			continue;
		if (a.start < told)
			continue;
		if (a.start >= window->settled) {
			/* What ends farther on may begin earlier, but not by more than a name. */
			if (at - window->settled > PLACE_BYTES)
				break;
			continue;
		}

		a.at = a.prefecture ? at : a.start;
		end = read_address(&a);
		if (end == 0)
			continue;
		if (a.start >= window->from)
			tell(&a, end, window->place, hits);
		told = end;
		at = end;
	}
}
