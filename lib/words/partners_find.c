/*
 * Where a text names a partner.
 *
 * A name begins and ends at a border, so that アルファ is not found in アルファベット, nor アルファ商事
 * in 東京アルファ商事, which is another company. A border is: an end of the text; anything that is no
 * letter (but not the dots, hyphens and '@' of domains and addresses next to Latin letters, nor ・
 * next to katakana); the form of a company; hiragana next to any other letter, which is a particle.
 * Behind a name, too: words that follow a company's name when one writes to it or of it (社, 様, 営業部,
 * 本社 …). Between kanji, katakana and Latin letters there is none else: アルファ工業 is not アルファ.
 *
 * A name of one or two letters, or of up to three Latin ones, is a word, a surname or an abbreviation
 * as well: it needs the form of a company next to it, or 社 or 御中 behind it.
 *
 * Of the names that begin at one place the longest counts; and nothing is looked for within it.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/detect/letters.h"
#include "lib/words/partners_inside.h"

#define GAP_MAX 2 /* blanks within a name: a line break, and what indents the next line */

enum class {
	CLASS_NONE, /* the end, or no letter */
	CLASS_KANJI,
	CLASS_KATAKANA,
	CLASS_HIRAGANA,
	CLASS_LATIN,
};

/* Words behind a company's name that are no part of it. */
static const char *const tails[] = {
    "社",
    "様",
    "殿",
    "御中",
    "各位",
    "本社",
    "本部",
    "本店",
    "支社",
    "支店",
    "支部",
    "支所",
    "工場",
    "営業",
    "総務",
    "経理",
    "人事",
    "技術",
    "開発",
    "製造",
    "購買",
    "資材",
    "品質",
    "企画",
    "管理",
    "情報",
    "法務",
    "広報",
    "生産",
    "物流",
    "販売",
    "業務",
    "財務",
    "購買",
    "調達",
    "研究所",
    "東京支",
    "大阪支",
    "名古屋支",
    "代表",
    "社長",
    "会長",
    "専務",
    "常務",
    "取締役",
    "部長",
    "課長",
    "係長",
    "主任",
    "所長",
    "店長",
    "担当",
    "宛",
    "側",
    "向け",
    "経由",
    "グループ各社",
};

/* Those that make a company of a word that may be anything. */
static const char *const company_tails[] = {"社", "御中", "本社", "支社"};

static bool begins(const char *text, size_t len, const char *with)
{
	size_t n = strlen(with);

	return n <= len && memcmp(text, with, n) == 0;
}

static bool begins_any(const char *text, size_t len, const char *const *with, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (begins(text, len, with[i]))
			return true;
	return false;
}

static enum class class_of(uint32_t point) {
	if (letter_kanji(point)) return CLASS_KANJI;
	if (letter_katakana(point) || point == 0x30fb) return CLASS_KATAKANA;
	if (letter_hiragana(point)) return CLASS_HIRAGANA;
	if (letter_latin(point) || letter_digit(point) ||
	    (point >= 0xc0 && point < 0x2000)) return CLASS_LATIN;
	return CLASS_NONE;
}

/* ---- borders ---- */

/* What joins Latin letters to one word of a domain, an address, a path or a compound. */
static bool joins_latin(uint32_t point)
{
	return point == '.' || point == '@' || point == '-' || point == '_' || point == '/' ||
	       point == '&' || point == '+' || point == '\'';
}

/* Whether letters of both classes next to each other are two words. */
static bool parts(enum class one, enum class other)
{
	if (one == CLASS_NONE || other == CLASS_NONE)
		return true;
	return one != other && (one == CLASS_HIRAGANA || other == CLASS_HIRAGANA);
}

/* `first` is the first letter of what begins at `at`. */
static bool border_before(const char *text, size_t at, uint32_t first)
{
	size_t before = at;
	uint32_t point = letter_before(text, &before);

	if (class_of(first) == CLASS_LATIN && joins_latin(point)) {
		size_t more = before;

		return class_of(letter_before(text, &more)) != CLASS_LATIN;
	}
	return parts(class_of(point), class_of(first));
}

static bool border_behind(const char *text, size_t len, size_t at, uint32_t last)
{
	size_t behind = at;
	uint32_t point = letter_next(text, len, &behind);

	if (class_of(last) == CLASS_LATIN && joins_latin(point)) {
		size_t more = behind;

		return class_of(letter_next(text, len, &more)) != CLASS_LATIN;
	}
	if (parts(class_of(point), class_of(last)))
		return true;
	return begins_any(text + at, len - at, tails, COUNT_OF(tails));
}

/* ---- a name ---- */

struct finder {
	const struct partners *p;
	const char *text;
	size_t len;
	partners_see *see;
	void *context;
};

/* Keys [low, high) begin alike; those of them that go on with `byte` at `depth`. */
static void narrow(
    const struct partners *p, size_t *low, size_t *high, size_t depth, unsigned char byte)
{
	size_t bound[2];

	for (unsigned i = 0; i < 2; i++) {
		size_t a = *low, b = *high;

		while (a < b) {
			size_t mid = a + (b - a) / 2;
			const struct partner_key *key = &p->name[mid];
			unsigned at = key->len <= depth
					  ? 0
					  : (unsigned char)p->text.bytes[key->at + depth] + 1U;

			if (at < byte + 1U + i)
				a = mid + 1;
			else
				b = mid;
		}
		bound[i] = a;
	}
	*low = bound[0];
	*high = bound[1];
}

struct match {
	size_t low; /* the keys [low, high) are it; none: low == high */
	size_t high;
	size_t end; /* in the text */
	uint32_t last;
};

/* Whether what was found at [at, end) counts as the name. */
static bool counts(const struct finder *f, size_t at, const struct match *m, uint32_t first)
{
	const struct partner_key *key = &f->p->name[m->low];
	size_t before = partner_form_before(f->text, at);
	size_t behind = partner_form_behind(f->text + m->end, f->len - m->end);
	bool latin = class_of(first) == CLASS_LATIN && class_of(m->last) == CLASS_LATIN;
	bool is_short = key->len <= (latin ? 3 : 6);

	if (is_short && before == 0 && behind == 0 &&
	    !begins_any(f->text + m->end, f->len - m->end, company_tails, COUNT_OF(company_tails)))
		return false;
	return (before > 0 || border_before(f->text, at, first)) &&
	       (behind > 0 || border_behind(f->text, f->len, m->end, m->last));
}

/* One letter of the text, folded, or the blank that parts two words of ASCII. */
static bool go_on(const struct partners *p, struct match *m, size_t *depth, uint32_t point)
{
	char bytes[LETTER_BYTES];
	size_t n = partner_letter(norm_fold(p->tables, point), bytes);

	for (size_t i = 0; i < n && m->low < m->high; i++)
		narrow(p, &m->low, &m->high, (*depth)++, (unsigned char)bytes[i]);
	return m->low < m->high;
}

/* The keys of exactly `depth` bytes among [low, high), which stand first; their end. */
static size_t complete(const struct partners *p, const struct match *m, size_t depth)
{
	size_t i = m->low;

	while (i < m->high && p->name[i].len == depth)
		i++;
	return i;
}

/* The longest name that begins at `at` and counts. */
static struct match longest(const struct finder *f, size_t at)
{
	struct match m = {.low = 0, .high = f->p->names};
	struct match best = {.low = 0};
	size_t depth = 0, gap = 0;
	uint32_t first = 0;

	for (size_t i = at; i < f->len;) {
		uint32_t point = letter_next(f->text, f->len, &i);

		if (point == ' ' || point == '\n') {
			if (++gap > GAP_MAX)
				break;
			continue;
		}
		if (gap > 0 && point < 0x80 && m.last < 0x80 && !go_on(f->p, &m, &depth, ' '))
			break;
		gap = 0;
		if (first == 0)
			first = point;
		if (point == LETTER_NONE || !go_on(f->p, &m, &depth, point))
			break;
		m.last = point;
		if (f->p->name[m.low].len == depth) {
			struct match here = m;

			here.end = i;
			here.high = complete(f->p, &m, depth);
			if (counts(f, at, &here, first))
				best = here;
		}
	}
	return best;
}

/* Tells each whose name it is, with the company's form around it. False: `see` said stop. */
static bool tell(const struct finder *f, size_t at, const struct match *m)
{
	size_t before = partner_form_before(f->text, at);
	size_t end = m->end + partner_form_behind(f->text + m->end, f->len - m->end);

	for (size_t i = m->low; i < m->high; i++)
		if (!f->see(f->context, f->p->name[i].partner, at - before, end - at + before))
			return false;
	return true;
}

/* Whether some name begins with this letter. */
static bool may_begin(const struct partners *p, uint32_t point)
{
	unsigned bit = (uint16_t)norm_fold(p->tables, point);

	return (p->first[bit / 8] & 1U << bit % 8) != 0;
}

void partners_find(
    const struct partners *p, const char *text, size_t len, partners_see *see, void *context)
{
	struct finder f = {.p = p, .text = text, .len = len, .see = see, .context = context};
	enum class before = CLASS_NONE;

	if (p->names == 0)
		return;
	for (size_t at = 0; at < len;) {
		size_t next = at;
		uint32_t point = letter_next(text, len, &next);
		struct match m = {.low = 0};

		if (point != LETTER_NONE && may_begin(p, point) &&
		    (parts(before, class_of(point)) || partner_form_before(text, at) > 0))
			m = longest(&f, at);
		if (m.low < m.high) {
			if (!tell(&f, at, &m))
				return;
			before = class_of(m.last);
			at = m.end;
			continue;
		}
		before = class_of(point);
		at = next;
	}
}

/* ---- a message's ---- */

struct partners_named {
	const struct partners *p;
	const struct detect_window *window;
	size_t n;
	uint8_t places[];
};

struct partners_named *partners_named_new(const struct partners *p)
{
	struct partners_named *named;
	size_t size;

	if (!size_add(sizeof *named, p->n, &size))
		return NULL;
	named = calloc(1, size);
	if (named == NULL)
		return NULL;
	named->p = p;
	named->n = p->n;
	return named;
}

void partners_named_free(struct partners_named *named)
{
	free(named);
}

static bool note(void *context, size_t partner, size_t at, size_t len)
{
	struct partners_named *named = context;

	(void)len;
	if (at >= named->window->settled)
		return false;
	if (at >= named->window->from)
		named->places[partner] |= (uint8_t)(1U << named->window->place);
	return true;
}

void partners_look(void *context, const struct detect_window *window)
{
	struct partners_named *named = context;

	named->window = window;
	partners_find(named->p, window->text, window->len, note, named);
	named->window = NULL;
}

bool partners_named_in(const struct partners_named *named, size_t partner, unsigned places)
{
	return (named->places[partner] & places) != 0;
}

void partners_named_each(const struct partners_named *named, partners_named_see *see, void *context)
{
	for (size_t i = 0; i < named->n; i++)
		if (named->places[i] != 0 && !see(context, i, named->places[i]))
			return;
}
