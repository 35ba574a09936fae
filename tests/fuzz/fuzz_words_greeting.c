/*
 * The words of a message: its partners, its greeting and what it promises. The first line of the input
 * is a recipient, the rest a text. What is found lies within the text, whole letters; how the text is
 * cut into pieces changes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/words/greeting.h"
#include "lib/words/promise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char list[] =
    "alpha.example | 株式会社アルファ商事 | アルファ | Alpha Trading Co., Ltd.\n"
    "ab.example | AB | 伊藤\n"
    "a.example | a a a | a a\n";

static bool see(void *context, size_t partner, size_t at, size_t len)
{
	const struct buf *text = context;

	if (partner >= 3 || len == 0 || at > text->len || len > text->len - at ||
	    ((unsigned char)text->bytes[at] & 0xc0) == 0x80)
		abort();
	return true;
}

static bool reading(void *context, const char *name, size_t len, char *text, size_t room)
{
	(void)context;
	if (len == 0 || room < 16 || (unsigned char)name[0] % 2 == 0)
		return false;
	memcpy(text, "アイモノ", 13);
	return true;
}

static void greet(const struct norm_tables *tables, const struct partners *partners,
    const char *recipient, const struct buf *text)
{
	const struct greeting_reader reader = {.reading = reading};
	struct greeting_recipient r[2] = {{.address = recipient, .name = recipient},
	    {.address = "tanaka@alpha.example", .name = ""}};
	struct greeting_head head = {.len = 0};
	struct greeting g;

	(void)greeting_take(&head, text->bytes, text->len);
	greeting_read(tables, head.text, head.len, &g);
	if (g.companies > GREETING_NAMES_MAX || g.persons > GREETING_NAMES_MAX ||
	    (g.persons > 0) != (g.honorific != HONORIFIC_NONE) || (g.persons > 0 && !g.found))
		abort();
	if (greeting_compare(&g, r, 2, partners, &reader, tables) >= GREETING_VERDICT_COUNT)
		abort();
}

static void promised(const struct buf *text)
{
	static struct promise whole, pieces;
	size_t at = 0, end;

	promise_open(&whole);
	(void)promise_take(&whole, text->bytes, text->len);
	promise_end(&whole);
	promise_open(&pieces);
	for (; at < text->len; at = end) {
		for (end = at + 1;
		     end < text->len && ((unsigned char)text->bytes[end] & 0xc0) == 0x80; end++)
			continue;
		if (!promise_take(&pieces, text->bytes + at, end - at))
			break;
	}
	promise_end(&pieces);
	if (whole.found != pieces.found || strcmp(whole.sentence, pieces.sentence) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct norm_tables *tables;
	static struct partners *partners;
	const char *newline = size > 0 ? memchr(data, '\n', size) : NULL;
	struct conf_fault fault;
	struct buf text;
	char recipient[256] = "";
	size_t line;

	if (tables == NULL) {
		tables = norm_prepare();
		if (tables == NULL)
			abort();
		partners = partners_parse(list, sizeof list - 1, "partners", tables, &fault);
		if (partners == NULL)
			abort();
	}
	if (newline == NULL)
		return 0;
	line = (size_t)(newline - (const char *)data);
	if (line < sizeof recipient)
		memcpy(recipient, data, line);

	buf_init(&text, size * 24 + 64);
	if (norm_text(tables, newline + 1, size - line - 1, &text) && text.len > 0) {
		partners_find(partners, text.bytes, text.len, see, &text);
		greet(tables, partners, recipient, &text);
		promised(&text);
	}
	buf_free(&text);
	partners_free(partners_parse((const char *)data, size, "partners", tables, &fault));
	return 0;
}
