#include "lib/words/list.h"

#include <stdlib.h>
#include <string.h>

#include "lib/text/charset.h"

#define TEXT_MAX ((size_t)64 * 1024 * 1024)
#define SLOTS    ((size_t)1 << 18) /* for WORDS_MAX words: a power of two, less than half full */
_Static_assert(SLOTS > 2 * WORDS_MAX, "room in the table of words");

/* A word: as the file has it and, behind that, folded. Its number is its id in the automaton. */
struct word {
	uint32_t at; /* in `text` */
	uint32_t len;
	uint32_t folded_len;
	uint32_t list;
};

struct list {
	char name[256];
	uint32_t first; /* its words stand in a row */
	uint32_t end;
};

struct word_lists {
	const struct norm_tables *tables;
	struct list *lists;
	size_t lists_len;
	struct word *words;
	size_t words_len;
	struct buf text;
	struct buf line; /* the words of the line that is read */
	uint32_t *slots; /* word number + 1, by the hash of list and folded word */
	struct keyword_builder *builder;
	struct keywords *keywords;
};

struct word_lists *word_lists_new(const struct norm_tables *tables)
{
	struct word_lists *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	l->tables = tables;
	buf_init(&l->text, TEXT_MAX);
	buf_init(&l->line, CONF_LINE_MAX + 1);
	l->lists = calloc(WORD_LISTS_MAX, sizeof *l->lists);
	l->words = calloc(WORDS_MAX, sizeof *l->words);
	l->slots = calloc(SLOTS, sizeof *l->slots);
	l->builder = keyword_builder_new(tables);
	if (l->lists == NULL || l->words == NULL || l->slots == NULL || l->builder == NULL) {
		word_lists_free(l);
		return NULL;
	}
	return l;
}

void word_lists_free(struct word_lists *l)
{
	if (l == NULL)
		return;
	keywords_free(l->keywords);
	keyword_builder_free(l->builder);
	buf_free(&l->text);
	buf_free(&l->line);
	free(l->lists);
	free(l->words);
	free(l->slots);
	free(l);
}

/* ---- reading ---- */

/* A letter of UTF-8 that norm.c made, folded, and written back. */
static void fold_letter(const struct norm_tables *tables, const unsigned char **at, struct buf *out)
{
	const unsigned char *s = *at;
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	uint32_t p = n == 1 ? s[0] : s[0] & (0x7fu >> n);
	unsigned char bytes[3];

	for (size_t i = 1; i < n; i++)
		p = p << 6 | (s[i] & 0x3f);
	*at = s + n;
	p = norm_fold(tables, p);
	for (size_t i = 0; i < sizeof bytes; i++) /* it is compared only */
		bytes[i] = (unsigned char)(p >> (16 - 8 * i));
	buf_add(out, bytes, sizeof bytes);
}

/* Behind the word of the line, what makes it the same as another. */
static bool add_folded(struct word_lists *l, const char *word, size_t len)
{
	struct buf normal;
	bool fine;

	buf_init(&normal, 64 * (len + 1));
	fine = norm_text(l->tables, word, len, &normal);
	for (const unsigned char *at = (const unsigned char *)normal.bytes;
	     fine && at < (const unsigned char *)normal.bytes + normal.len;)
		fold_letter(l->tables, &at, &l->text);
	buf_free(&normal);
	return fine && buf_ok(&l->text);
}

static const char *folded(const struct word_lists *l, const struct word *w)
{
	return l->text.bytes + w->at + w->len;
}

static bool same(const struct word_lists *l, const struct word *a, const struct word *b)
{
	return a->list == b->list && a->folded_len == b->folded_len &&
	       memcmp(folded(l, a), folded(l, b), a->folded_len) == 0;
}

/* Where the word is in the table, or belongs (FNV-1a). */
static uint32_t *slot_of(struct word_lists *l, const struct word *w)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ w->list;
	size_t slot;

	for (size_t i = 0; i < w->folded_len; i++)
		hash = (hash ^ (unsigned char)folded(l, w)[i]) * UINT64_C(0x100000001b3);
	slot = (size_t)(hash ^ hash >> 32) & (SLOTS - 1);
	while (l->slots[slot] != 0 && !same(l, &l->words[l->slots[slot] - 1], w))
		slot = (slot + 1) & (SLOTS - 1);
	return &l->slots[slot];
}

static const char *reason(enum keyword_added added)
{
	switch (added) {
	case KEYWORD_ADDED:
		break;
	case KEYWORD_EMPTY:
		return "nothing is left of this word";
	case KEYWORD_TOO_LONG:
		return "this word is too long";
	case KEYWORD_FULL:
		return "the lists are too long";
	case KEYWORD_NO_MEMORY:
		return "no memory";
	}
	return "";
}

static bool is_utf8(const char *bytes, size_t len)
{
	struct buf same;
	bool fine;

	buf_init(&same, 3 * len + 3);
	fine = charset_convert("utf-8", bytes, len, &same) && same.len == len &&
	       memcmp(same.bytes, bytes, len) == 0;
	buf_free(&same);
	return fine;
}

/* The word in `line`, unless the list has it. */
static bool add_word(struct word_lists *l, const struct conf_line *line, struct conf_fault *fault)
{
	struct word w = {.at = (uint32_t)l->text.len,
	    .len = (uint32_t)l->line.len,
	    .list = (uint32_t)l->lists_len - 1};
	enum keyword_added added;
	uint32_t *slot;

	if (!is_utf8(l->line.bytes, l->line.len))
		return conf_blame(fault, line->number, line->word[0].column, "this is not UTF-8");
	if (l->words_len == WORDS_MAX)
		return conf_blame(fault, line->number, 0, "more than %zu words", WORDS_MAX);
	buf_add(&l->text, l->line.bytes, l->line.len);
	if (!add_folded(l, l->line.bytes, l->line.len))
		return conf_blame(fault, line->number, 0, "no memory");
	w.folded_len = (uint32_t)(l->text.len - w.at - w.len);

	slot = slot_of(l, &w);
	if (*slot != 0) {
		l->text.len = w.at;
		return true;
	}
	added = keyword_add(l->builder, l->line.bytes, l->line.len, (uint32_t)l->words_len);
	if (added != KEYWORD_ADDED)
		return conf_blame(fault, line->number, line->word[0].column, "%s", reason(added));
	l->words[l->words_len++] = w;
	*slot = (uint32_t)l->words_len;
	return true;
}

static bool take_line(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	struct word_lists *l = context;

	buf_clear(&l->line);
	for (size_t i = 0; i < line->words; i++) {
		if (i > 0)
			buf_add(&l->line, " ", 1);
		buf_add_text(&l->line, line->word[i].text);
	}
	if (!buf_ok(&l->line))
		return conf_blame(fault, line->number, 0, "no memory");
	return add_word(l, line, fault);
}

static bool begin_list(struct word_lists *l, const char *name, struct conf_fault *fault)
{
	struct list *list = &l->lists[l->lists_len];

	if (l->lists_len == WORD_LISTS_MAX)
		return conf_blame(fault, 0, 0, "more than %zu lists", WORD_LISTS_MAX);
	if (strlen(name) >= sizeof list->name)
		return conf_blame(fault, 0, 0, "the name of a list is too long");
	memcpy(list->name, name, strlen(name) + 1);
	list->first = list->end = (uint32_t)l->words_len;
	l->lists_len++;
	return true;
}

static bool end_list(struct word_lists *l, bool fine)
{
	l->lists[l->lists_len - 1].end = (uint32_t)l->words_len;
	return fine;
}

bool word_lists_read(
    struct word_lists *l, int etc, const char *file, const char *name, struct conf_fault *fault)
{
	return begin_list(l, name, fault) &&
	       end_list(l, conf_read(etc, file, false, take_line, l, fault));
}

bool word_lists_parse(struct word_lists *l, const char *bytes, size_t len, const char *file,
    const char *name, struct conf_fault *fault)
{
	return begin_list(l, name, fault) &&
	       end_list(l, conf_parse(bytes, len, file, take_line, l, fault));
}

bool word_lists_build(struct word_lists *l)
{
	l->keywords = keywords_build(l->builder);
	keyword_builder_free(l->builder);
	l->builder = NULL;
	free(l->slots);
	l->slots = NULL;
	return l->keywords != NULL;
}

size_t word_lists_count(const struct word_lists *l)
{
	return l->lists_len;
}

const char *word_lists_name(const struct word_lists *l, size_t list)
{
	return l->lists[list].name;
}

size_t word_lists_find(const struct word_lists *l, const char *name)
{
	for (size_t i = 0; i < l->lists_len; i++) {
		if (strcmp(l->lists[i].name, name) == 0)
			return i;
	}
	return SIZE_MAX;
}

/* ---- the tally ---- */

struct word_tally {
	const struct word_lists *lists;
	struct keyword_scan *scan;
	enum detect_place place;
	uint32_t (*count)[PLACE_COUNT][2]; /* by word; [1]: quoted */
};

static void hit(void *context, uint32_t id, bool quoted)
{
	struct word_tally *t = context;
	uint32_t *count = &t->count[id][t->place][quoted];

	*count += *count < UINT32_MAX;
}

struct word_tally *word_tally_new(const struct word_lists *l)
{
	struct word_tally *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->lists = l;
	t->count = calloc(l->words_len + 1, sizeof *t->count);
	t->scan = keyword_scan_open(l->keywords, hit, t);
	if (t->count == NULL || t->scan == NULL) {
		word_tally_free(t);
		return NULL;
	}
	return t;
}

void word_tally_free(struct word_tally *t)
{
	if (t == NULL)
		return;
	keyword_scan_free(t->scan);
	free(t->count);
	free(t);
}

void word_tally_begin(struct word_tally *t, enum detect_place place)
{
	t->place = place;
}

void word_tally_feed(struct word_tally *t, const char *text, size_t len, bool quoted)
{
	keyword_scan_feed(t->scan, text, len, quoted);
}

void word_tally_end(struct word_tally *t)
{
	keyword_scan_end(t->scan);
}

static uint64_t count_of(const struct word_tally *t, uint32_t word, unsigned places, bool quoted)
{
	uint64_t count = 0;

	for (unsigned place = 0; place < PLACE_COUNT; place++) {
		if ((places >> place & 1) != 0)
			count += (uint64_t)t->count[word][place][0] +
				 (quoted ? t->count[word][place][1] : 0);
	}
	return count;
}

size_t word_tally_distinct(const struct word_tally *t, size_t list, unsigned places, bool quoted)
{
	const struct list *words = &t->lists->lists[list];
	size_t n = 0;

	for (uint32_t w = words->first; w < words->end; w++)
		n += count_of(t, w, places, quoted) > 0;
	return n;
}

uint64_t word_tally_all(const struct word_tally *t, size_t list, unsigned places, bool quoted)
{
	const struct list *words = &t->lists->lists[list];
	uint64_t n = 0;

	for (uint32_t w = words->first; w < words->end; w++)
		n += count_of(t, w, places, quoted);
	return n;
}

void word_tally_each(const struct word_tally *t, size_t list, unsigned places, bool quoted,
    word_see *see, void *context)
{
	const struct list *words = &t->lists->lists[list];

	for (uint32_t w = words->first; w < words->end; w++) {
		const struct word *word = &t->lists->words[w];
		uint64_t count = count_of(t, w, places, quoted);

		if (count > 0 && !see(context, t->lists->text.bytes + word->at, word->len, count))
			return;
	}
}
