#include "lib/people/edit.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINE_MAX    ((size_t)64 * 1024) /* while it is edited; the reader's bound is smaller */
#define FIRST_ROOM  ((size_t)64)
#define FIRST_SLOTS ((size_t)256)

struct line {
	const char *text; /* without its newline */
	size_t len;
	char *own; /* what `text` is, if it was changed */
	bool removed;
	unsigned mark;
};

struct people_file {
	struct line *line;
	size_t n;
	size_t room;
	uint32_t *slots; /* a hash table of addresses: 0, or a line's number from 1 on */
	size_t slot_count;
	size_t people;
};

/* ---- words of a line ---- */

struct word {
	const char *text;
	size_t len;
};

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The word at or behind `at`; false: there is none but a comment. */
static bool next_word(const char *text, size_t len, size_t at, struct word *word)
{
	size_t end;

	while (at < len && blank(text[at]))
		at++;
	if (at == len || text[at] == '#')
		return false;
	for (end = at; end < len && !blank(text[end]); end++)
		continue;
	*word = (struct word){.text = text + at, .len = end - at};
	return true;
}

static size_t end_of(const struct word *word, const char *text)
{
	return (size_t)(word->text - text) + word->len;
}

/* Whether it is "KEY=…"; `value` is what stands behind the '='. */
static bool is_key(const struct word *word, enum people_key key, struct word *value)
{
	const char *name = people_key_word(key);
	size_t len = strlen(name);

	if (word->len <= len || memcmp(word->text, name, len) != 0 || word->text[len] != '=')
		return false;
	*value = (struct word){.text = word->text + len + 1, .len = word->len - len - 1};
	return true;
}

/* The part of "A,B,C" at `at`, which is moved behind its comma; false: there is none. */
static bool next_part(const struct word *value, size_t *at, struct word *part)
{
	size_t end = *at;

	if (*at > value->len)
		return false;
	while (end < value->len && value->text[end] != ',')
		end++;
	*part = (struct word){.text = value->text + *at, .len = end - *at};
	*at = end + 1;
	return true;
}

/* ---- the index ---- */

static unsigned char small(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* FNV-1a. */
static size_t slot_of(const struct people_file *f, const struct word *address)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < address->len; i++)
		hash = (hash ^ small(address->text[i])) * UINT64_C(0x100000001b3);
	return (size_t)(hash ^ hash >> 32) & (f->slot_count - 1);
}

/* The slot of the address, or a free one. */
static size_t find_slot(const struct people_file *f, const struct word *address)
{
	size_t slot = slot_of(f, address);

	for (; f->slots[slot] != 0; slot = (slot + 1) & (f->slot_count - 1)) {
		const struct line *line = &f->line[f->slots[slot] - 1];
		struct word own;

		if (next_word(line->text, line->len, 0, &own) && own.len == address->len &&
		    strncasecmp(own.text, address->text, own.len) == 0)
			break;
	}
	return slot;
}

static struct line *find(const struct people_file *f, const char *address)
{
	struct word word = {.text = address, .len = strlen(address)};
	size_t slot = find_slot(f, &word);
	struct line *line = f->slots[slot] != 0 ? &f->line[f->slots[slot] - 1] : NULL;

	return line != NULL && !line->removed ? line : NULL;
}

static bool grow_slots(struct people_file *f)
{
	size_t old_count = f->slot_count;
	uint32_t *old = f->slots;

	if (2 * (f->people + 1) <= f->slot_count)
		return true;
	f->slot_count = old_count > 0 ? 2 * old_count : FIRST_SLOTS;
	f->slots = calloc(f->slot_count, sizeof *f->slots);
	if (f->slots == NULL) {
		f->slots = old;
		f->slot_count = old_count;
		return false;
	}
	for (size_t i = 0; i < old_count; i++) {
		struct word own;

		if (old[i] == 0)
			continue;
		if (next_word(f->line[old[i] - 1].text, f->line[old[i] - 1].len, 0, &own))
			f->slots[find_slot(f, &own)] = old[i];
	}
	free(old);
	return true;
}

static struct line *add_line(struct people_file *f, const char *text, size_t len)
{
	struct word address;

	if (f->n == f->room) {
		size_t room = f->room > 0 ? 2 * f->room : FIRST_ROOM;
		struct line *bigger = reallocarray(f->line, room, sizeof *bigger);

		if (bigger == NULL)
			return NULL;
		f->line = bigger;
		f->room = room;
	}
	if (!grow_slots(f))
		return NULL;
	f->line[f->n++] = (struct line){.text = text, .len = len};
	if (next_word(text, len, 0, &address)) {
		f->people++;
		f->slots[find_slot(f, &address)] = (uint32_t)f->n;
	}
	return &f->line[f->n - 1];
}

struct people_file *people_file_new(const char *bytes, size_t len)
{
	struct people_file *f = calloc(1, sizeof *f);
	bool good = f != NULL && grow_slots(f);

	for (size_t at = 0; good && at < len;) {
		const char *end = memchr(bytes + at, '\n', len - at);
		size_t n = end != NULL ? (size_t)(end - (bytes + at)) : len - at;

		good = add_line(f, bytes + at, n) != NULL;
		at += n + 1;
	}
	if (good)
		return f;
	people_file_free(f);
	return NULL;
}

void people_file_free(struct people_file *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++)
		free(f->line[i].own);
	free(f->line);
	free(f->slots);
	free(f);
}

/* ---- values ---- */

bool people_value_good(enum people_key key, const char *text)
{
	if (text[0] == '\0' || (key != PEOPLE_NAME && text[0] == '#'))
		return false;
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < ' ' || c == 0x7f || (key != PEOPLE_NAME && (c == ' ' || c == ',')))
			return false;
	}
	return true;
}

/* As it stands in a line: in names a blank, a comma and a plus are "+XX". */
static void add_value(struct buf *b, enum people_key key, const char *text)
{
	for (; *text != '\0'; text++) {
		if (key == PEOPLE_NAME && strchr(" ,+", *text) != NULL)
			buf_addf(b, "+%02X", (unsigned)(unsigned char)*text);
		else
			buf_add(b, text, 1);
	}
}

static bool same_value(enum people_key key, const char *text, const struct word *part)
{
	struct buf written;
	bool same;

	buf_init(&written, LINE_MAX);
	add_value(&written, key, text);
	same = buf_ok(&written) && written.len == part->len &&
	       (key == PEOPLE_NAME ? memcmp(written.bytes, part->text, part->len) == 0
				   : strncasecmp(written.bytes, part->text, part->len) == 0);
	buf_free(&written);
	return same;
}

static bool wished(enum people_key key, const struct people_wish *wish, const struct word *part)
{
	for (size_t i = 0; i < wish->n; i++) {
		if (same_value(key, wish->text[i], part))
			return true;
	}
	return false;
}

/* Whether the line says `text` for the key. */
static bool says(const char *line, size_t len, enum people_key key, const char *text)
{
	struct word word, value, part;

	for (size_t at = 0; next_word(line, len, at, &word); at = end_of(&word, line)) {
		if (!is_key(&word, key, &value))
			continue;
		for (size_t i = 0; next_part(&value, &i, &part);) {
			if (same_value(key, text, &part))
				return true;
		}
	}
	return false;
}

/* Whether the line says nothing of the key that is not wished. */
static bool says_no_more(
    const char *line, size_t len, enum people_key key, const struct people_wish *wish)
{
	struct word word, value, part;

	for (size_t at = 0; next_word(line, len, at, &word); at = end_of(&word, line)) {
		if (!is_key(&word, key, &value))
			continue;
		for (size_t i = 0; next_part(&value, &i, &part);) {
			if (!wished(key, wish, &part))
				return false;
		}
	}
	return true;
}

static bool fits(const char *line, size_t len, enum people_key key, const struct people_wish *wish)
{
	for (size_t i = 0; i < wish->n; i++) {
		if (!says(line, len, key, wish->text[i]))
			return false;
	}
	return !wish->whole || says_no_more(line, len, key, wish);
}

/* ---- a line, written anew ---- */

static bool wished_before(const struct people_wish *wish, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (strcasecmp(wish->text[i], wish->text[at]) == 0)
			return true;
	}
	return false;
}

/* "KEY=A,B": what stands there already, unless it is to be replaced, and what is wished. */
static void add_word(struct buf *b, const char *line, size_t len, enum people_key key,
    const struct people_wish *wish)
{
	struct word word, value, part;
	char before = '=';

	buf_add_text(b, people_key_word(key));
	for (size_t at = 0; next_word(line, len, at, &word); at = end_of(&word, line)) {
		if (wish->whole || !is_key(&word, key, &value))
			continue;
		for (size_t i = 0; next_part(&value, &i, &part);) {
			buf_add(b, &before, 1);
			buf_add(b, part.text, part.len);
			before = ',';
		}
	}
	for (size_t i = 0; i < wish->n; i++) {
		if (wished_before(wish, i) || (!wish->whole && says(line, len, key, wish->text[i])))
			continue;
		buf_add(b, &before, 1);
		add_value(b, key, wish->text[i]);
		before = ',';
	}
}

/* The line with the wish fulfilled: in the place of the key's first word, or behind the last word. */
static void rewrite(struct buf *b, const char *line, size_t len, enum people_key key,
    const struct people_wish *wish)
{
	bool put = wish->n == 0;
	struct word word, value;
	size_t at = 0;

	for (; next_word(line, len, at, &word); at = end_of(&word, line)) {
		size_t start = (size_t)(word.text - line);

		if (!is_key(&word, key, &value)) {
			buf_add(b, line + at, start - at + word.len);
			continue;
		}
		if (put)
			continue;
		buf_add(b, line + at, start - at);
		add_word(b, line, len, key, wish);
		put = true;
	}
	if (!put) {
		buf_add_text(b, " ");
		add_word(b, line, len, key, wish);
	}
	buf_add(b, line + at, len - at);
}

/* Takes what the buffer has as the line's text. */
static bool set_text(struct line *line, struct buf *b)
{
	char *own = buf_ok(b) ? malloc(b->len + 1) : NULL;

	if (own == NULL)
		return false;
	memcpy(own, b->bytes, b->len);
	own[b->len] = '\0';
	free(line->own);
	line->own = own;
	line->text = own;
	line->len = b->len;
	return true;
}

enum people_done people_file_change(
    struct people_file *f, const struct people_change *change, unsigned mark)
{
	struct line *line = find(f, change->address);
	enum people_done done = line != NULL ? PEOPLE_SAME : PEOPLE_ADDED;
	struct buf b;

	if (line == NULL) {
		line = add_line(f, change->address, strlen(change->address));
		if (line == NULL)
			return PEOPLE_FAILED;
	}
	line->mark = mark;
	buf_init(&b, LINE_MAX);
	if (done == PEOPLE_ADDED) {
		buf_add_text(&b, change->address);
		if (!set_text(line, &b))
			done = PEOPLE_FAILED;
	}
	for (size_t key = 0; done != PEOPLE_FAILED && key < PEOPLE_KEY_COUNT; key++) {
		const struct people_wish *wish = &change->key[key];

		if (!wish->given || fits(line->text, line->len, (enum people_key)key, wish))
			continue;
		buf_clear(&b);
		rewrite(&b, line->text, line->len, (enum people_key)key, wish);
		if (!set_text(line, &b))
			done = PEOPLE_FAILED;
		else if (done == PEOPLE_SAME)
			done = PEOPLE_CHANGED;
	}
	buf_free(&b);
	return done;
}

unsigned people_file_mark(const struct people_file *f, const char *address)
{
	const struct line *line = find(f, address);

	return line != NULL ? line->mark : 0;
}

bool people_file_remove(struct people_file *f, const char *address)
{
	struct line *line = find(f, address);

	if (line == NULL)
		return false;
	line->removed = true;
	return true;
}

void people_file_remove_unmarked(struct people_file *f,
    void (*removed)(void *context, const char *address, size_t len), void *context)
{
	for (size_t i = 0; i < f->n; i++) {
		struct line *line = &f->line[i];
		struct word address;

		if (line->removed || line->mark != 0 ||
		    !next_word(line->text, line->len, 0, &address))
			continue;
		line->removed = true;
		removed(context, address.text, address.len);
	}
}

bool people_file_write(const struct people_file *f, struct buf *into)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->line[i].removed)
			continue;
		buf_add(into, f->line[i].text, f->line[i].len);
		buf_add(into, "\n", 1);
	}
	return buf_ok(into);
}
