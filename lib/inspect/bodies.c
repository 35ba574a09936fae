#include "lib/inspect/bodies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/hex.h"
#include "lib/inspect/tables.h"
#include "lib/inspect/texts.h"
#include "lib/mime/uu.h"
#include "lib/text/charset.h"
#include "lib/text/html.h"

#define BESIDE_MAX   ((size_t)2 * 1024 * 1024) /* what HTML hides, until its text has ended */
#define CID_MAX      ((size_t)255)
#define UU_FILES_MAX ((size_t)100) /* of one text */

/* A file that stood in the text; its bytes are in i->part. */
struct uu_file {
	char name[UU_NAME_MAX + 1];
	size_t name_len;
	uint64_t start;
	uint64_t size;
	bool whole;
	enum uu_kind kind;
};

/* One body on its way: transfer → files in it → charset → HTML → quotes → text. */
struct body {
	struct inspection *i;
	size_t part;
	bool is_html;
	struct sink text;
	struct sink quoted;
	struct charset *charset;
	struct html *html;
	struct uu_reader *uu;
	struct buf beside;
	size_t armour; /* letters of the line that begins a message of PGP */
	size_t cid;    /* of "cid:", and behind it the reference itself */
	char reference[CID_MAX + 1];
	size_t reference_len;
	struct uu_file *file;
	size_t files;
	uint64_t written;
	bool failed;
	bool unclear; /* bytes that its charset does not have */
};

/* ---- references by cid: ---- */

/* A reference is a URL: "%40" is "@" (RFC 2392). */
static void undo_percent(struct body *b)
{
	size_t used = 0;

	for (size_t k = 0; k < b->reference_len; k++) {
		char c = b->reference[k];

		if (c == '%' && k + 2 < b->reference_len && hex_digit(b->reference[k + 1]) >= 0 &&
		    hex_digit(b->reference[k + 2]) >= 0) {
			c = (char)(hex_digit(b->reference[k + 1]) << 4 |
				   hex_digit(b->reference[k + 2]));
			k += 2;
		}
		b->reference[used++] = c;
	}
	b->reference_len = used;
}

static void keep_reference(struct body *b)
{
	undo_percent(b);
	if (b->reference_len > 0) {
		buf_add(&b->i->cids, b->reference, b->reference_len);
		buf_add_text(&b->i->cids, "\n");
	}
	b->reference_len = 0;
	b->cid = 0;
}

/* Letters that end a reference in an attribute. */
static bool ends_reference(char c)
{
	return (unsigned char)c <= ' ' || strchr("\"'<>)", c) != NULL;
}

static void look_for_reference(struct body *b, char c)
{
	static const char word[] = "cid:";

	if (b->cid == sizeof word - 1) {
		if (!ends_reference(c) && b->reference_len < CID_MAX)
			b->reference[b->reference_len++] = c;
		else
			keep_reference(b);
		return;
	}
	if ((c | 0x20) == word[b->cid] || c == word[b->cid])
		b->cid++;
	else
		b->cid = (c | 0x20) == word[0];
}

/* ---- a message of PGP in the text ---- */

static void look_for_armour(struct body *b, char c)
{
	static const char line[] = "-----BEGIN PGP MESSAGE-----";

	if (c == line[b->armour])
		b->armour++;
	else
		b->armour = c == line[0];
	if (b->armour < sizeof line - 1)
		return;
	b->armour = 0;
	if (!b->i->armoured)
		tell_uninspectable(b->i, b->i->current, "encrypted", NULL);
	b->i->armoured = true;
}

/* ---- behind the charset ---- */

static bool take_html(void *context, const char *utf8, size_t len, unsigned how)
{
	struct body *b = context;

	if ((how & HTML_BESIDE) != 0) {
		buf_add(&b->beside, utf8, len);
		return true;
	}
	if ((how & HTML_QUOTED) != 0)
		return sink_put(&b->quoted, utf8, len);
	return sink_put(&b->text, utf8, len);
}

static bool take_utf8(void *context, const char *utf8, size_t len)
{
	struct body *b = context;

	for (size_t k = 0; k < len; k++) {
		if (b->is_html)
			look_for_reference(b, utf8[k]);
		else
			look_for_armour(b, utf8[k]);
	}
	return b->is_html ? html_feed(b->html, utf8, len) : sink_put(&b->text, utf8, len);
}

/* ---- files in the text ---- */

static bool take_text(void *context, const char *bytes, size_t len)
{
	struct body *b = context;

	return charset_feed(b->charset, bytes, len);
}

static bool file_begins(void *context, enum uu_kind kind, const char *name, size_t len)
{
	struct body *b = context;
	struct uu_file *f;

	if (b->i->shared) {
		b->i->alone = true;
		return false;
	}
	if (b->file == NULL)
		b->file = calloc(UU_FILES_MAX, sizeof *b->file);
	if (b->file == NULL || b->files == UU_FILES_MAX) {
		tell_uninspectable(b->i, b->i->current, b->file == NULL ? "memory" : "parts", NULL);
		return false;
	}
	f = &b->file[b->files++];
	*f = (struct uu_file){.name_len = len, .start = b->written, .kind = kind};
	memcpy(f->name, name, len);
	return true;
}

static bool file_goes_on(void *context, const char *bytes, size_t len)
{
	struct body *b = context;

	while (len > 0) {
		ssize_t n = pwrite(b->i->part, bytes, len, (off_t)b->written);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			b->failed = true;
			return false;
		}
		b->written += (uint64_t)n;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

static bool file_ends(void *context, bool whole)
{
	struct body *b = context;
	struct uu_file *f;

	if (b->files == 0)
		return false;
	f = &b->file[b->files - 1];
	f->size = b->written - f->start;
	f->whole = whole;
	return true;
}

static bool take_bytes(void *context, const char *bytes, size_t len)
{
	struct body *b = context;

	return b->uu != NULL ? uu_feed(b->uu, bytes, len) : take_text(b, bytes, len);
}

/* ---- from end to end ---- */

static bool open_body(struct body *b, const char *label)
{
	const struct inspect_limits *l = &b->i->by->ask.limits;
	struct html_limits limits = {(size_t)l->inspect_html, HTML_MEMORY, HTML_CPU_MS};
	struct uu_events events = {{take_text, b}, file_begins, file_goes_on, file_ends, b};

	buf_init(&b->beside, BESIDE_MAX);
	b->charset = charset_open(label, (struct sink){take_utf8, b});
	if (b->is_html)
		b->html = html_open(&limits, take_html, b);
	else
		b->uu = uu_open(&events);
	return b->charset != NULL && (b->html != NULL || b->uu != NULL);
}

static void close_body(struct body *b)
{
	charset_free(b->charset);
	html_free(b->html);
	uu_free(b->uu);
	buf_free(&b->beside);
}

/* Everything that was kept back, from the first to the last. */
static bool end_body(struct body *b)
{
	struct html_told told = {.too_long = false};
	bool good = (b->uu == NULL || uu_end(b->uu)) && charset_end(b->charset);

	if (b->html != NULL) {
		good = html_end(b->html, &told) && good;
		keep_reference(b);
		if (told.too_long || told.too_complex)
			tell_uninspectable(b->i, b->i->current, "html", NULL);
	}
	return good;
}

/* What HTML hides is a text of its own: it stands beside the lines that are read. */
static bool pour_beside(struct body *b)
{
	if (!buf_ok(&b->beside))
		tell_uninspectable(b->i, b->i->current, "html", NULL);
	return sink_put(&b->text, "\n\n", 2) && sink_put(&b->text, b->beside.bytes, b->beside.len);
}

/* A body of this encoding and charset, read once. */
static bool read_as(struct body *b, enum transfer encoding, const char *label)
{
	struct inspection *i = b->i;
	const struct mime_part *p = &i->tree.parts[b->part];
	struct source raw = source_part(&i->message, p->body, p->end - p->body);
	struct transfer_reader reader;
	bool good;

	if (!open_body(b, label)) {
		tell_uninspectable(i, i->current, "memory", NULL);
		close_body(b);
		return false;
	}
	good = transfer_source(&reader, encoding, &raw, (struct sink){take_bytes, b});
	good = end_body(b) && good;
	b->unclear = charset_failures(b->charset) > 0;
	if (b->beside.len > 0)
		good = pour_beside(b) && good;
	if (!good || b->failed)
		tell_uninspectable(i, i->current, "read", NULL);
	close_body(b);
	return good;
}

static bool read_body(struct body *b)
{
	const struct mime_part *p = &b->i->tree.parts[b->part];
	bool good = read_as(b, p->encoding, p->charset);

	/* Declared twice: one program takes the first, another the last. */
	if (p->encoding_last != p->encoding)
		good = read_as(b, p->encoding_last, p->charset) && good;
	/* It is not in the charset that it claims: some programs look at it and see which it is. */
	if (good && b->unclear && *p->charset != '\0') {
		FACT(b->i->out, "ambiguous", kv("part", b->i->current), kv("why", "charset"));
		good = read_as(b, p->encoding, "");
	}
	return good;
}

bool body_text(struct inspection *i, size_t part, struct sink text, const struct body_told *told)
{
	struct body b = {.i = i,
	    .part = part,
	    .is_html = strcmp(i->tree.parts[part].subtype, "html") == 0,
	    .text = text,
	    .quoted = told != NULL ? told->quoted : text};
	bool good = read_body(&b);

	free(b.file);
	return good;
}

/* ---- the facts ---- */

static bool feed_quoted(void *context, const char *utf8, size_t len)
{
	return texts_feed_quoted(context, utf8, len);
}

/* Files that stood in the text count like any other; their part is that of the text. */
static void tell_uu_files(struct body *b)
{
	for (size_t k = 0; k < b->files; k++) {
		const struct uu_file *f = &b->file[k];
		struct source file = {b->i->part, f->start, f->size};

		tell_file_in_text(b->i, b->part, f->name, f->name_len, &file);
		if (!f->whole || f->kind == UU_YENC)
			tell_uninspectable(
			    b->i, b->i->current, f->kind == UU_YENC ? "format" : "damaged", NULL);
	}
	free(b->file);
}

static void tell_body(struct inspection *i, size_t part)
{
	struct body b = {.i = i,
	    .part = part,
	    .is_html = strcmp(i->tree.parts[part].subtype, "html") == 0,
	    .text = texts_sink(i->texts),
	    .quoted = {feed_quoted, i->texts}};

	if (!mime_path(&i->tree, part, i->current, sizeof i->current))
		(void)memcpy(i->current, "0", 2);
	/* The text of a message that is attached is what a file says. */
	texts_begin(i->texts,
	    i->view[part].nested || i->view[part].role == ROLE_REPORT ? PLACE_FILES : PLACE_BODY);
	(void)!read_body(&b);
	texts_end(i->texts);
	tell_uu_files(&b);
}

static bool feed_text(void *context, const char *utf8, size_t len)
{
	return texts_feed(context, utf8, len);
}

static bool feed_charset(void *context, const char *bytes, size_t len)
{
	return charset_feed(context, bytes, len);
}

/* What stands around the parts of a multipart: a mail program without MIME shows it. */
static void tell_around(struct inspection *i, size_t part, uint64_t from, uint64_t to)
{
	struct source raw = source_part(&i->message, from, to - from);
	struct transfer_reader reader;
	struct charset *charset;

	if (raw.size == 0)
		return;
	charset = charset_open("", (struct sink){feed_text, i->texts});
	if (charset == NULL) {
		tell_uninspectable(i, i->current, "memory", NULL);
		return;
	}
	texts_begin(i->texts, i->view[part].nested ? PLACE_FILES : PLACE_BODY);
	if (!transfer_source(
		&reader, TRANSFER_BINARY, &raw, (struct sink){feed_charset, charset}) ||
	    !charset_end(charset))
		tell_uninspectable(i, i->current, "read", NULL);
	texts_end(i->texts);
	charset_free(charset);
}

static void tell_surroundings(struct inspection *i, size_t k)
{
	const struct mime_part *p = &i->tree.parts[k];

	if (!MIME_HAS(p->flags, MULTIPART) || mime_is_leaf(p))
		return;
	if (!mime_path(&i->tree, k, i->current, sizeof i->current))
		(void)memcpy(i->current, "0", 2);
	tell_around(i, k, p->body, p->preamble);
	tell_around(i, k, p->epilogue, p->end);
}

void tell_bodies(struct inspection *i)
{
	for (size_t k = 0; k < i->tree.count && !i->out->gone; k++) {
		/* Invitations and reports are read here, and told as parts with the files. */
		if (role_is_text(i->view[k].role))
			tell_body(i, k);
	}
	/* Behind the bodies, so that none of it is taken for their first lines. */
	for (size_t k = 0; k < i->tree.count && !i->out->gone; k++)
		tell_surroundings(i, k);
}
