/*
 * What headers say beside the subject: fields that a reader of the message is shown, the descriptions
 * of parts, and all of the header of a message within the message.
 */
#include <string.h>

#include "lib/inspect/facts.h"
#include "lib/inspect/unclear.h"
#include "lib/mime/field.h"
#include "lib/mime/word.h"

#define LINE_GROWTH 4 /* a byte of some charset becomes three of UTF-8, and a line has an end */

/* Fields whose '@' makes no address: they number messages and parts. */
static bool is_identifier(const struct field *f)
{
	return field_is(f, "Message-ID") || field_is(f, "In-Reply-To") ||
	       field_is(f, "References") || field_is(f, "Content-ID") ||
	       field_is(f, "Resent-Message-ID");
}

static bool is_shown(const struct field *f)
{
	return field_is(f, "Comments") || field_is(f, "Keywords") ||
	       field_is(f, "Content-Description");
}

/* A field as text: its name, and its body decoded. False: there was no room for all of it. */
static bool add_field(struct inspection *i, const struct field *f, bool named, struct buf *text)
{
	size_t from;
	unsigned flags = 0;
	const char *body;
	bool whole;

	if (named) {
		buf_add(text, f->name, f->name_len);
		buf_add_text(text, ": ");
	}
	from = text->len;
	whole = word_decode(f->body, f->body_len, text, &flags);
	body = text->len > from ? text->bytes + from : "";
	if (text_unclear(body, text->len - from) ||
	    ((flags & WORD_CHARSET) != 0 && text_guessed(body, text->len - from)))
		tell_uninspectable(i, i->current, "charset", NULL);
	for (size_t k = from; is_identifier(f) && k < text->len; k++) {
		if (text->bytes[k] == '@')
			text->bytes[k] = ' ';
	}
	buf_add_text(text, "\n");
	return whole && buf_ok(text);
}

/* Lines that are no field are a reader's, too. */
static void take_fields(struct inspection *i, const struct buf *header, bool all, struct buf *text)
{
	struct field f;
	size_t at = 0;
	bool whole = true;

	while (header->len > 0 && field_next(header->bytes, header->len, &at, &f)) {
		if (all || (f.name_len > 0 && is_shown(&f)))
			whole = add_field(i, &f, all && f.name_len > 0, text) && whole;
	}
	if (!whole)
		tell_uninspectable(i, i->current, "header", NULL);
}

static void tell_header(struct inspection *i, size_t k)
{
	const struct mime_part *p = &i->tree.parts[k];
	bool nested = i->view[k].nested, all = nested && MIME_HAS(p->flags, ROOT);
	struct buf header, text;
	size_t most = (size_t)i->by->ask.limits.inspect_header;

	/* The scanner has kept the description of a part that has one. */
	if (k > 0 && !all && *p->description == '\0')
		return;
	if (!mime_path(&i->tree, k, i->current, sizeof i->current))
		(void)memcpy(i->current, "0", 2);
	buf_init(&header, 2 * most);
	buf_init(&text, LINE_GROWTH * most);
	if (!part_header(i, k, &header))
		tell_uninspectable(i, i->current, "read", NULL);
	take_fields(i, &header, all, &text);
	if (text.len > 0)
		texts_one(i->texts, nested ? PLACE_FILES : PLACE_BODY, text.bytes, text.len);
	buf_free(&header);
	buf_free(&text);
}

void tell_headers(struct inspection *i)
{
	for (size_t k = 0; k < i->tree.count && !i->out->gone; k++)
		tell_header(i, k);
}

void tell_header_text(struct inspection *i, const char *bytes, size_t len)
{
	struct buf header = {.bytes = (char *)(uintptr_t)bytes, .len = len}, text;

	buf_init(&text, LINE_GROWTH * len + LINE_GROWTH);
	take_fields(i, &header, true, &text);
	if (text.len > 0)
		texts_one(i->texts, PLACE_FILES, text.bytes, text.len);
	buf_free(&text);
}
