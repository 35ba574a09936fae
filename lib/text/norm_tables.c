/* The tables of norm.c, made once from those of utf8proc. */
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "lib/text/norm_inside.h"

#define COMPAT     (UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE)
#define LONGEST    32 /* letters that one becomes: 18 (U+FDFA) */
#define MAPPED     ((size_t)8192)
#define BYTES      ((size_t)65536)
#define ACT_PAGES  ((size_t)256)
#define FOLD_PAGES ((size_t)64)

struct pair {
	uint32_t from;
	uint32_t to;
};

/*
 * Beyond NFKC. Letters of IBM's and NEC's rows that are another way of writing a usual one, in names
 * above all; hyphens, dashes and tildes.
 */
static const struct pair alike[] = {
    {0x9ad9, 0x9ad8},  /* 髙 高 */
    {0xfa11, 0x5d0e},  /* 﨑 崎 */
    {0x5d5c, 0x5d0e},  /* 嵜 崎 */
    {0x20bb7, 0x5409}, /* 𠮷 吉 */
    {0x6801, 0x67f3},  /* 栁 柳 */
    {0x6ff5, 0x6ff1},  /* 濵 濱 */
    {0x7028, 0x702c},  /* 瀨 瀬 */
    {0x5fb7, 0x5fb3},  /* 德 徳 */
    {0x9751, 0x9752},  /* 靑 青 */
    {0x6df8, 0x6e05},  /* 淸 清 */
    {0x9115, 0x90f7},  /* 鄕 郷 */
    {0x6a6b, 0x6a2a},  /* 橫 横 */
    {0x589e, 0x5897},  /* 增 増 */
    {0x5bec, 0x5bdb},  /* 寬 寛 */
    {0x9ed1, 0x9ed2},  /* 黑 黒 */
    {0x5167, 0x5185},  /* 內 内 */
    {0x7dd6, 0x7dd2},  /* 緖 緒 */
    {0x9304, 0x9332},  /* 錄 録 */
    {0x654e, 0x6559},  /* 敎 教 */
    {0x69c7, 0x69d9},  /* 槇 槙 */
    {0x7464, 0x7476},  /* 瑤 瑶 */
    {0x66fb, 0x6607},  /* 曻 昇 */
    {0x02d7, '-'}, {0x058a, '-'}, {0x05be, '-'}, {0x1806, '-'}, {0x2010, '-'}, {0x2011, '-'},
    {0x2012, '-'}, {0x2013, '-'}, {0x2014, '-'}, {0x2015, '-'}, {0x2043, '-'}, {0x2212, '-'},
    {0x2500, '-'}, /* a line of boxes, which stands for a dash in numbers */
    {0x2796, '-'}, {0x2e3a, '-'}, {0x2e3b, '-'}, {0x10ead, '-'}, {0x301c, '~'}, {0x3030, '~'},
    {0x223c, '~'}, {0x2800, ' '}, /* a Braille pattern without dots */
};

/* What is found out about the letters before the table is made. */
struct seen {
	uint8_t first[NORM_POINTS / 8];  /* may be the first of a composed letter */
	uint8_t second[NORM_POINTS / 8]; /* or a later one */
};

static void set(uint8_t *bits, uint32_t point)
{
	bits[point / 8] |= (uint8_t)(1u << point % 8);
}

static bool is_set(const uint8_t *bits, uint32_t point)
{
	return (bits[point / 8] >> point % 8 & 1) != 0;
}

/* Planes 4 to 13 have no letters. */
static uint32_t next_point(uint32_t point)
{
	point++;
	return point == 0xd800 ? 0xe000 : point == 0x40000 ? 0xe0000 : point;
}

/* Digits of all scripts, and ➊, ❹, ➀ and ⓵, which NFKC leaves as they are; or `point`. */
static uint32_t digit_of(uint32_t point)
{
	static const uint32_t ones[] = {0x24f5, 0x2776, 0x2780, 0x278a}; /* 1 to 9 each */
	uint32_t zero = point;

	for (size_t i = 0; i < COUNT_OF(ones); i++) {
		if (point >= ones[i] && point < ones[i] + 9)
			return '1' + point - ones[i];
	}
	if (point == 0x24ff)
		return '0';
	if (point < 0x80 || utf8proc_category((int32_t)point) != UTF8PROC_CATEGORY_ND)
		return point;
	while (utf8proc_category((int32_t)zero - 1) == UTF8PROC_CATEGORY_ND)
		zero--;
	return '0' + (point - zero) % 10;
}

static uint32_t written_alike(uint32_t point)
{
	for (size_t i = 0; i < COUNT_OF(alike); i++) {
		if (alike[i].from == point)
			return alike[i].to;
	}
	return digit_of(point);
}

/* Keycaps, circles, underlines: marks that go over a letter and make no other of it. */
static bool only_drawn(const struct seen *seen, uint32_t point, const utf8proc_property_t *p)
{
	bool latin = (point >= 0x300 && point < 0x370) || (point >= 0x20d0 && point < 0x2100);

	return p->category == UTF8PROC_CATEGORY_ME ||
	       (latin && p->category == UTF8PROC_CATEGORY_MN && !is_set(seen->second, point) &&
		   !is_set(seen->first, point));
}

/* The letters of `point` taken apart: how many. */
static size_t apart(uint32_t point, utf8proc_option_t how, int32_t *letters)
{
	utf8proc_ssize_t n =
	    utf8proc_decompose_char((int32_t)point, letters, LONGEST, how, &(int){0});

	if (n <= 0 || n > LONGEST) {
		letters[0] = (int32_t)point;
		return 1;
	}
	return (size_t)n;
}

static struct seen *see(void)
{
	struct seen *seen = calloc(1, sizeof *seen);
	int32_t letters[LONGEST];

	for (uint32_t p = 0; seen != NULL && p < NORM_POINTS; p = next_point(p)) {
		size_t n = apart(p, UTF8PROC_STABLE | UTF8PROC_DECOMPOSE, letters);

		if (n < 2)
			continue;
		set(seen->first, p);
		set(seen->first, (uint32_t)letters[0]);
		for (size_t i = 1; i < n; i++)
			set(seen->second, (uint32_t)letters[i]);
	}
	return seen;
}

static bool joins(const struct seen *seen, uint32_t point)
{
	return utf8proc_get_property((int32_t)point)->combining_class != 0 ||
	       is_set(seen->second, point);
}

/* ---- what becomes of a letter ---- */

/* Being written: the tables, and how full they are. */
struct making {
	struct norm_tables *t;
	const struct seen *seen;
	size_t mapped;
	size_t bytes;
};

static unsigned of_category(uint32_t point, const utf8proc_property_t *p)
{
	if (point == '\n' || point == '\r' || point == 0x85 ||
	    p->category == UTF8PROC_CATEGORY_ZL || p->category == UTF8PROC_CATEGORY_ZP)
		return NORM_LINE;
	if (point >= 0xfff9 && point <= 0xfffb) /* marks of annotations */
		return NORM_DROP;
	if (p->category == UTF8PROC_CATEGORY_CC || p->category == UTF8PROC_CATEGORY_ZS)
		return NORM_SPACE;
	return p->ignorable ? NORM_DROP : NORM_PLAIN;
}

/* A row for a letter that becomes `n` others. 0: no room. */
static unsigned map(struct making *m, const int32_t *letters, size_t n)
{
	struct norm_mapped row = {.at = (uint32_t)m->bytes};
	utf8proc_uint8_t utf8[4];

	if (m->mapped == MAPPED || m->bytes + n * sizeof utf8 > BYTES)
		return 0;
	for (size_t i = 0; i < n; i++) {
		uint32_t to = written_alike((uint32_t)letters[i]);
		utf8proc_ssize_t len = utf8proc_encode_char((int32_t)to, utf8);

		if (only_drawn(m->seen, to, utf8proc_get_property((int32_t)to)))
			continue; /* ‾ is a blank and such a mark */

		/* From the last letter on that is no mark; nothing, if marks leave it alone. */
		if (!joins(m->seen, to))
			row.held = (uint8_t)(is_set(m->seen->first, to) ? row.len : row.len + len);
		memcpy(m->t->bytes + m->bytes, utf8, (size_t)len);
		m->bytes += (size_t)len;
		row.len = (uint8_t)(row.len + len);
	}
	m->t->mapped[m->mapped++] = row;
	return (unsigned)(NORM_MAPPED + m->mapped - 1);
}

static unsigned act_for(struct making *m, uint32_t point, bool *full)
{
	int32_t letters[LONGEST];
	unsigned act = of_category(point, utf8proc_get_property((int32_t)point));
	uint32_t like = written_alike(point);
	utf8proc_ssize_t n;

	if (only_drawn(m->seen, point, utf8proc_get_property((int32_t)point)))
		return NORM_DROP;
	if (act != NORM_PLAIN)
		return act;
	if (like != point) {
		letters[0] = (int32_t)like;
		n = 1;
	} else {
		n = (utf8proc_ssize_t)apart(norm_mark(point), COMPAT, letters);
		if (joins(m->seen, (uint32_t)letters[0]))
			return NORM_JOIN;
		n = utf8proc_normalize_utf32(letters, n, COMPAT);
	}
	if (n <= 0 || (n == 1 && letters[0] == (int32_t)point))
		return is_set(m->seen->first, point) ? NORM_HOLD : NORM_PLAIN;

	act = map(m, letters, (size_t)n);
	*full = *full || act == 0;
	return act;
}

static bool make_acts(struct norm_tables *t, const struct seen *seen)
{
	struct making m = {.t = t, .seen = seen};
	size_t pages = 1; /* the first is plain throughout */
	bool full = false;

	for (size_t page = 0; page < NORM_PAGES; page++) {
		uint16_t acts[NORM_PAGE] = {0};
		bool plain = true;

		if (page * NORM_PAGE >= 0x40000 && page * NORM_PAGE < 0xe0000)
			continue;
		for (size_t i = 0; i < NORM_PAGE; i++) {
			uint32_t point = (uint32_t)(page * NORM_PAGE + i);
			bool surrogate = point >= 0xd800 && point < 0xe000;

			acts[i] = surrogate ? NORM_PLAIN : (uint16_t)act_for(&m, point, &full);
			plain = plain && acts[i] == NORM_PLAIN;
		}
		if (plain)
			continue;
		if (pages == ACT_PAGES || full)
			return false;
		memcpy(t->act[pages], acts, sizeof acts);
		t->act_page[page] = (uint16_t)pages++;
	}
	return true;
}

/* ---- folding ---- */

static uint32_t folded(uint32_t point)
{
	int32_t letters[LONGEST];
	size_t n;

	if ((point >= 0x3041 && point <= 0x3096) || point == 0x309d || point == 0x309e)
		return point + 0x60;
	n = apart(point, UTF8PROC_CASEFOLD, letters);
	return n == 1 ? (uint32_t)letters[0] : (uint32_t)utf8proc_tolower((int32_t)point);
}

static bool make_folds(struct norm_tables *t)
{
	size_t pages = 1; /* the first folds nothing */

	for (size_t page = 0; page < NORM_PAGES; page++) {
		int32_t add[NORM_PAGE];
		bool any = false;

		for (size_t i = 0; i < NORM_PAGE; i++) {
			uint32_t point = (uint32_t)(page * NORM_PAGE + i);
			bool letter = point < 0x20000 && (point < 0xd800 || point >= 0xe000);

			add[i] = letter ? (int32_t)folded(point) - (int32_t)point : 0;
			any = any || add[i] != 0;
		}
		if (!any)
			continue;
		if (pages == FOLD_PAGES)
			return false;
		memcpy(t->fold[pages], add, sizeof add);
		t->fold_page[page] = (uint16_t)pages++;
	}
	return true;
}

void norm_tables_free(const struct norm_tables *tables)
{
	struct norm_tables *t = (struct norm_tables *)(uintptr_t)tables; /* made here */

	if (t == NULL)
		return;
	free(t->act);
	free(t->fold);
	free(t->mapped);
	free(t->bytes);
	free(t);
}

const struct norm_tables *norm_prepare(void)
{
	struct norm_tables *t = calloc(1, sizeof *t);
	struct seen *seen = see();

	if (t == NULL || seen == NULL)
		goto fail;
	/* Pages that stay untouched cost no memory. */
	t->act = calloc(ACT_PAGES, sizeof *t->act);
	t->fold = calloc(FOLD_PAGES, sizeof *t->fold);
	t->mapped = calloc(MAPPED, sizeof *t->mapped);
	t->bytes = calloc(BYTES, 1);
	if (t->act == NULL || t->fold == NULL || t->mapped == NULL || t->bytes == NULL)
		goto fail;
	if (!make_acts(t, seen) || !make_folds(t))
		goto fail;

	free(seen);
	return t;

fail:
	free(seen);
	norm_tables_free(t);
	return NULL;
}

uint32_t norm_fold(const struct norm_tables *tables, uint32_t point)
{
	if (point >= NORM_POINTS)
		return point;
	return (uint32_t)((int32_t)point +
			  tables->fold[tables->fold_page[point / NORM_PAGE]][point % NORM_PAGE]);
}

bool norm_folds(const struct norm_tables *tables, uint32_t page)
{
	return page < NORM_PAGES && tables->fold_page[page] != 0;
}
