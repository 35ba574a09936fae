/* What the header of the message says: its subject, fields by name, and what kind of mail it is. */
#include <string.h>
#include <strings.h>

#include "lib/inspect/facts.h"
#include "lib/inspect/unclear.h"
#include "lib/mime/field.h"
#include "lib/mime/word.h"

#define ID_MAX ((size_t)998) /* a line, RFC 5322 section 2.1.1 */

/* What is seen on the way through the header. */
struct header_view {
	struct buf text; /* decoded: the subject */
	struct field id; /* Message-ID */
	size_t ids;      /* how many there are */
	unsigned words;  /* enum word_flag of it */
	bool cut;        /* it did not fit */
	bool automatic;
	bool reply;
};

/* Whether a body is the word; what may follow it, a comment or a parameter, aside. */
static bool says(const struct field *f, const char *word)
{
	size_t at = 0, len = strlen(word);

	while (at < f->body_len && (f->body[at] == ' ' || f->body[at] == '\t'))
		at++;
	if (f->body_len - at < len || strncasecmp(f->body + at, word, len) != 0)
		return false;
	return at + len == f->body_len || strchr(" \t\r\n;(", f->body[at + len]) != NULL;
}

static bool is_empty(const struct field *f)
{
	for (size_t i = 0; i < f->body_len; i++) {
		if (strchr(" \t\r\n", f->body[i]) == NULL)
			return false;
	}
	return true;
}

/* RFC 3834 section 5, and what was used before it. */
static bool is_automatic(const struct field *f)
{
	if (field_is(f, "Auto-Submitted"))
		return !says(f, "no");
	if (field_is(f, "Precedence"))
		return says(f, "bulk") || says(f, "list") || says(f, "junk");
	return field_is(f, "List-Id") || field_is(f, "List-Unsubscribe");
}

/* Appends a body, decoded, without the blanks before it. False: there was no room for all of it. */
static bool decode_body(const struct field *f, struct buf *s, unsigned *words)
{
	size_t from = s->len, blanks = 0;
	bool whole = word_decode(f->body, f->body_len, s, words);

	while (from + blanks < s->len && strchr(" \t", s->bytes[from + blanks]) != NULL)
		blanks++;
	if (blanks > 0) {
		s->len -= blanks;
		memmove(s->bytes + from, s->bytes + from + blanks, s->len - from);
	}
	return whole;
}

static void take_subject(struct header_view *v, const struct field *f)
{
	unsigned words = 0;

	/* Two subjects: both are read, for one program shows the first and another the last. */
	if (v->text.len > 0)
		buf_add_text(&v->text, "\n");
	if (!decode_body(f, &v->text, &words))
		v->cut = true;
	v->words |= words;
}

static void look_at(struct header_view *v, const struct field *f)
{
	if (is_automatic(f))
		v->automatic = true;
	if ((field_is(f, "In-Reply-To") || field_is(f, "References")) && !is_empty(f))
		v->reply = true;
	if (field_is(f, "Subject"))
		take_subject(v, f);
	if (field_is(f, "Message-ID")) {
		v->id = *f;
		v->ids++;
	}
}

static bool has_prefix(const char *text, size_t len, const char *prefix)
{
	return len >= strlen(prefix) && strncasecmp(text, prefix, strlen(prefix)) == 0;
}

static void view_header(struct inspection *i, struct header_view *v)
{
	const struct buf *header = inspection_header(i);
	struct field f;
	size_t at = 0;

	while (
	    header != NULL && header->len > 0 && field_next(header->bytes, header->len, &at, &f)) {
		if (f.name_len > 0)
			look_at(v, &f);
	}
}

/* The text, NUL-ended for the fact; `len` gets its length. */
static const char *end_text(struct header_view *v, size_t *len)
{
	struct buf *s = &v->text;
	size_t most = s->bound - 1;

	if (s->len > most) { /* the last letter makes room for the NUL */
		v->cut = true;
		while (most > 0 && ((unsigned char)s->bytes[most] & 0xC0) == 0x80)
			most--;
		s->len = most;
	}
	*len = s->len;
	s->failed = false;
	buf_add(s, "", 1);
	if (buf_ok(s))
		return s->bytes;
	v->cut = true;
	*len = 0;
	return "";
}

/* What keeps a text of the header from having been looked at as its reader sees it. */
static void tell_doubts(
    struct inspection *i, const struct header_view *v, const char *text, size_t len)
{
	if (v->cut)
		tell_uninspectable(i, "0", "header", NULL);
	if (text_unclear(text, len) || ((v->words & WORD_CHARSET) != 0 && text_guessed(text, len)))
		tell_uninspectable(i, "0", "charset", NULL);
}

/* A fact's value ends at a NUL, and nobody is shown one. */
static void drop_nuls(struct buf *text)
{
	size_t used = 0;

	for (size_t at = 0; at < text->len; at++) {
		if (text->bytes[at] != '\0')
			text->bytes[used++] = text->bytes[at];
	}
	text->len = used;
}

/* One field that was asked for. What is cut of it may be what a rule looks for: that is told. */
static void tell_field(struct inspection *i, size_t number, const struct field *f)
{
	struct header_view v = {.cut = false};
	struct buf *text = &v.text;
	size_t len;

	buf_init(text, (size_t)i->by->ask.limits.inspect_header);
	v.cut = !decode_body(f, text, &v.words);
	drop_nuls(text);
	while (text->len > 0 && strchr(" \t", text->bytes[text->len - 1]) != NULL)
		text->len--;
	FACT(i->out, "field", kv_num("number", (int64_t)number), kv("text", end_text(&v, &len)));
	v.cut = v.cut || len > FACT_VALUE_MAX;
	tell_doubts(i, &v, len > 0 ? text->bytes : "", len);
	buf_free(text);
}

void tell_fields(struct inspection *i)
{
	const struct ask *ask = &i->by->ask;
	const struct buf *header = ask->fields > 0 ? inspection_header(i) : NULL;
	struct field f;
	size_t at = 0;

	while (
	    header != NULL && header->len > 0 && field_next(header->bytes, header->len, &at, &f)) {
		for (size_t k = 0; k < ask->fields && f.name_len > 0; k++) {
			if (field_is(&f, ask->field[k]))
				tell_field(i, k + 1, &f);
		}
	}
}

static const char *yes(bool is)
{
	return is ? "yes" : "no";
}

/* "smime", "pgp" or "no": what a part of the message, not one within, says about itself. */
static const char *protection(const struct inspection *i, bool sealed)
{
	for (size_t k = 0; k < i->tree.count; k++) {
		const struct mime_part *p = &i->tree.parts[k];
		const char *protocol = mime_param(p, "protocol");

		if (i->view[k].nested)
			continue;
		if (MIME_HAS(p->flags, MULTIPART) &&
		    strcmp(p->subtype, sealed ? "encrypted" : "signed") == 0)
			return strstr(protocol, "pgp") != NULL ? "pgp" : "smime";
		if (strcmp(p->subtype, "pkcs7-mime") == 0 ||
		    strcmp(p->subtype, "x-pkcs7-mime") == 0) {
			bool is_signed =
			    strcasecmp(mime_param(p, "smime-type"), "signed-data") == 0;

			if (is_signed != sealed)
				return "smime";
		}
	}
	return i->armoured && sealed ? "pgp" : "no";
}

/* As it stands there. Of two nobody knows which counts: the message has none. */
static void tell_id(struct inspection *i, const struct header_view *v)
{
	const struct field *f = &v->id;
	size_t from = 0, to = f->body_len;
	char id[ID_MAX + 1];

	while (from < to && strchr(" \t\r\n", f->body[from]) != NULL)
		from++;
	while (to > from && strchr(" \t\r\n", f->body[to - 1]) != NULL)
		to--;
	if (v->ids != 1 || to == from || to - from > ID_MAX ||
	    memchr(f->body + from, '\0', to - from) != NULL)
		return;
	memcpy(id, f->body + from, to - from);
	id[to - from] = '\0';
	FACT(i->out, "message-id", kv("text", id));
}

void tell_subject(struct inspection *i)
{
	struct header_view v = {.automatic = i->from != NULL && *i->from == '\0'};
	const char *subject;
	size_t len;

	buf_init(&v.text, (size_t)i->by->ask.limits.inspect_header);
	view_header(i, &v);
	subject = end_text(&v, &len);
	if (len > 0)
		texts_one(i->texts, PLACE_SUBJECT, subject, len);
	FACT(i->out, "subject", kv("text", subject));
	tell_id(i, &v);
	tell_doubts(i, &v, subject, len);
	i->automatic = v.automatic;
	i->reply = v.reply || has_prefix(subject, len, "Re:");
	buf_free(&v.text);
}

void tell_message(struct inspection *i)
{
	FACT(i->out, "message", kv_num("size", (int64_t)i->message.size),
	    kv("signed", protection(i, false)), kv("encrypted", protection(i, true)),
	    kv("automatic", yes(i->automatic)), kv("reply", yes(i->reply)),
	    kv_num("files", (int64_t)i->files), kv_num("files-size", (int64_t)i->files_size),
	    kv("promises-file", yes(i->promises && i->files == 0)));
}
