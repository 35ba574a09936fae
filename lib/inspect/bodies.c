#include "lib/inspect/bodies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/inspect/calendar.h"
#include "lib/inspect/refs.h"
#include "lib/inspect/texts.h"
#include "lib/inspect/unclear.h"
#include "lib/mime/uu.h"
#include "lib/text/charset.h"
#include "lib/text/html.h"

#define BESIDE_MAX   ((size_t)2 * 1024 * 1024) /* what HTML hides, until its text has ended */
#define HEADERS_MAX  ((size_t)1024 * 1024)     /* of a part that is a header */
#define UU_FILES_MAX ((size_t)100)             /* of one text */

/* A file that stood in the text; its bytes are in i->part. */
struct uu_file {
	char name[UU_NAME_MAX + 1];
	size_t name_len;
	uint64_t start;
	uint64_t size;
	bool whole;
	enum uu_kind kind;
};

/*
 * One body on its way: transfer → files in it, or lines unfolded → charset → HTML, and files in that
 * → quotes → text.
 */
struct body {
	struct inspection *i;
	size_t part;
	bool is_html;
	bool is_calendar;
	bool again; /* the same bytes were read before: the files in them are known */
	struct sink text;
	struct sink quoted;
	struct charset *charset;
	struct html *html;
	struct uu_reader *uu;
	struct buf beside;
	struct ref_reader refs;
	struct calendar calendar;
	bool escaped;  /* of the calendar's text */
	size_t armour; /* letters of the line that begins a message of PGP */
	uint64_t letters;
	struct uu_file *file;
	size_t files;
	uint64_t written;
	bool failed;
	bool doubtful; /* bytes that its charset does not have */
	bool bruised;  /* and no more of them than one cut letter of UTF-8 */
	bool unclear;  /* and so many that it was not read */
};

/* ---- references by cid: ---- */

static void keep_reference(void *context, const char *id, size_t len)
{
	struct body *b = context;

	buf_add(&b->i->cids, id, len);
	buf_add_text(&b->i->cids, "\n");
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

static void look_for_armours(struct body *b, const char *utf8, size_t len)
{
	for (size_t k = 0; k < len; k++)
		look_for_armour(b, utf8[k]);
}

/* ---- behind the charset ---- */

static bool take_html(void *context, const char *utf8, size_t len, unsigned how)
{
	struct body *b = context;

	if ((how & HTML_BESIDE) != 0) {
		buf_add(&b->beside, utf8, len);
		return true;
	}
	look_for_armours(b, utf8, len);
	if ((how & HTML_QUOTED) != 0)
		return sink_put(&b->quoted, utf8, len);
	return uu_feed(b->uu, utf8, len);
}

static bool take_utf8(void *context, const char *utf8, size_t len)
{
	struct body *b = context;

	b->letters += letters_in(utf8, len);
	if (b->is_html) {
		ref_feed(&b->refs, utf8, len);
		return html_feed(b->html, utf8, len);
	}
	look_for_armours(b, utf8, len);
	return b->is_calendar ? calendar_unescape(&b->escaped, utf8, len, b->text)
			      : sink_put(&b->text, utf8, len);
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
	if (b->again)
		return true;
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

	while (len > 0 && !b->again) {
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

	if (b->again)
		return true;
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

	if (b->is_calendar)
		return calendar_feed(&b->calendar, bytes, len);
	return b->is_html ? take_text(b, bytes, len) : uu_feed(b->uu, bytes, len);
}

static bool attachment_begins(void *context)
{
	return file_begins(context, UU_BASE64, "", 0);
}

static void attachment_unopened(void *context)
{
	struct body *b = context;

	tell_uninspectable(b->i, b->i->current, "format", NULL);
}

/* ---- from end to end ---- */

static bool open_body(struct body *b, const char *label)
{
	const struct inspect_limits *l = &b->i->by->ask.limits;
	struct html_limits limits = {(size_t)l->inspect_html, HTML_MEMORY, HTML_CPU_MS};
	struct uu_events events = {b->is_html ? b->text : (struct sink){take_text, b}, file_begins,
	    file_goes_on, file_ends, b};
	struct calendar_events lines = {
	    {take_text, b}, attachment_begins, file_goes_on, file_ends, attachment_unopened, b};

	buf_init(&b->beside, BESIDE_MAX);
	b->letters = b->armour = 0;
	b->escaped = false;
	b->charset = charset_open(label, (struct sink){take_utf8, b});
	b->html = b->is_html ? html_open(&limits, take_html, b) : NULL;
	b->uu = uu_open(&events);
	ref_open(&b->refs, keep_reference, b);
	calendar_open(&b->calendar, &lines);
	return b->charset != NULL && b->uu != NULL && (b->html != NULL || !b->is_html);
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
	bool good = true;

	if (b->is_calendar)
		good = calendar_end(&b->calendar);
	else if (!b->is_html)
		good = uu_end(b->uu);
	good = charset_end(b->charset) && good;
	if (b->html != NULL) {
		good = html_end(b->html, &told) && good;
		good = uu_end(b->uu) && good;
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
	b->doubtful = charset_failures(b->charset) > 0;
	b->bruised = charset_bruised(b->charset, b->letters);
	b->unclear = charset_unclear(label, b->charset, b->letters);
	if (b->beside.len > 0)
		good = pour_beside(b) && good;
	if (!good || b->failed)
		tell_uninspectable(i, i->current, "read", NULL);
	close_body(b);
	return good;
}

/* In both encodings: of two, one program takes the first, another the last. */
static bool read_encodings(struct body *b, const char *label)
{
	const struct mime_part *p = &b->i->tree.parts[b->part];
	bool good = read_as(b, p->encoding, label), doubtful = b->doubtful, unclear = b->unclear;
	bool bruised = b->bruised;

	if (p->encoding_last == p->encoding)
		return good;
	good = read_as(b, p->encoding_last, label) && good;
	b->unclear = b->unclear || unclear;
	b->bruised = (b->bruised || !b->doubtful) && (bruised || !doubtful);
	b->doubtful = b->doubtful || doubtful;
	return good;
}

/* How programs may read it, by its beginning; where that cannot be had, by its label. */
static void readings_of(struct body *b, struct charset_readings *readings)
{
	const struct mime_part *p = &b->i->tree.parts[b->part];
	struct buf head;

	if (!part_head(b->i, b->part, p->encoding, &head))
		buf_clear(&head);
	charset_readings_of(
	    p->charset, head.len > 0 ? head.bytes : "", head.len, b->is_html, readings);
	buf_free(&head);
}

static bool read_again(struct body *b, const char *label)
{
	bool good;

	b->again = true;
	good = sink_put(&b->text, "\n\n", 2) && read_encodings(b, label);
	b->again = false;
	return good;
}

static bool read_body(struct body *b)
{
	struct charset_readings r;
	bool good, unclear, doubtful;

	readings_of(b, &r);
	good = read_encodings(b, r.label);
	unclear = b->unclear;
	doubtful = b->doubtful && *r.label != '\0' && charset_known(r.label);

	/* It is not in the charset that it claims: some programs look at it and see which it is. */
	if (good && ((doubtful && !b->bruised) || r.differ))
		FACT(b->i->out, "ambiguous", kv("part", b->i->current), kv("why", "charset"));
	for (size_t k = 0; good && k < r.count; k++)
		good = read_again(b, r.others[k]);
	if (good && doubtful) {
		good = read_again(b, "");
		unclear = unclear && b->unclear;
	}
	b->unclear = unclear;
	return good;
}

/* As it is declared, and as whatever else a program may take it for. */
static bool read_each_way(struct body *b)
{
	const struct mime_part *p = &b->i->tree.parts[b->part];
	bool good = read_body(b);

	if (b->i->view[b->part].role != ROLE_BODY || !part_may_be_html(p) || !good)
		return good;
	b->is_html = !b->is_html;
	return sink_put(&b->text, "\n\n", 2) && read_body(b);
}

/* Text of UTF-16 or UTF-32 looks like no text; whether it is any, its conversion tells. */
static bool is_wide(const char *label)
{
	struct charset *c = charset_open(label, (struct sink){NULL, NULL});
	bool wide = c != NULL && strncmp(charset_name(c), "utf-16", 6) == 0;

	wide = wide || (c != NULL && strncmp(charset_name(c), "utf-32", 6) == 0);
	charset_free(c);
	return wide;
}

/* Calendars and cards have folded lines; they are of bytes, which those of wide letters are not. */
static bool is_folded(const struct mime_part *p)
{
	static const char *const subtypes[] = {"calendar", "vcard", "x-vcard", "directory"};

	for (size_t k = 0; k < COUNT_OF(subtypes); k++) {
		if (strcmp(p->subtype, subtypes[k]) == 0)
			return !is_wide(p->charset);
	}
	return false;
}

static struct body body_of(struct inspection *i, size_t part)
{
	const struct mime_part *p = &i->tree.parts[part];

	return (struct body){.i = i,
	    .part = part,
	    .is_html = strcmp(p->subtype, "html") == 0,
	    .is_calendar = is_folded(p)};
}

bool body_text(struct inspection *i, size_t part, struct sink text, const struct body_told *told)
{
	struct body b = body_of(i, part);
	bool good;

	b.text = text;
	b.quoted = told != NULL ? told->quoted : text;
	good = read_body(&b);
	free(b.file);
	return good;
}

bool body_as_html(struct inspection *i, size_t part, struct sink text)
{
	struct body b = body_of(i, part);
	bool good;

	b.text = b.quoted = text;
	b.is_html = true;
	b.is_calendar = false;
	good = read_body(&b);
	free(b.file);
	return good;
}

/* ---- what its bytes are ---- */

/* What one encoding of it makes of it. */
struct bytes_view {
	bool is_file; /* of a known kind */
	bool no_text;
	bool other; /* text of a format of its own */
};

static void judge_encoding(
    struct inspection *i, size_t part, enum transfer encoding, struct bytes_view *view)
{
	const struct mime_part *p = &i->tree.parts[part];
	enum file_format kind = FORMAT_COUNT;
	struct buf head;

	if (part_head(i, part, encoding, &head))
		kind = extract_text_kind(head.len > 0 ? head.bytes : "", head.len);
	else
		tell_uninspectable(i, i->current, buf_ok(&head) ? "read" : "memory", NULL);
	buf_free(&head);
	if (kind == FORMAT_COUNT)
		view->is_file = true;
	if (kind == FORMAT_OTHER && !is_wide(p->charset))
		view->no_text = true;
	if (kind == FORMAT_RTF || (kind == FORMAT_MAIL && strcmp(p->subtype, "plain") != 0))
		view->other = true;
}

/*
 * Whatever its type says: a text that is a file is told as one and opened, and one of a format of its
 * own is opened beside being read. False: it is not for this process.
 */
static bool judge_bytes(struct inspection *i, size_t part, struct bytes_view *view)
{
	const struct mime_part *p = &i->tree.parts[part];

	*view = (struct bytes_view){.is_file = false};
	judge_encoding(i, part, p->encoding, view);
	if (p->encoding_last != p->encoding)
		judge_encoding(i, part, p->encoding_last, view);
	if (i->shared && (view->is_file || view->no_text || view->other)) {
		i->alone = true;
		return false;
	}
	if (view->is_file || view->no_text)
		i->view[part].role = ROLE_FILE;
	i->view[part].other = view->other;
	return true;
}

void body_settle(struct inspection *i, size_t part)
{
	struct bytes_view view;

	if (role_is_text(i->view[part].role))
		(void)!judge_bytes(i, part, &view);
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

/* A file is read as text, too: what it holds may be shown as such. It greets nobody. */
static enum detect_place place_of(const struct inspection *i, size_t part)
{
	enum part_role role = i->view[part].role;

	if (i->view[part].nested || role == ROLE_REPORT || role == ROLE_FILE)
		return PLACE_FILES;
	return PLACE_BODY;
}

static void tell_doubts(const struct body *b)
{
	const struct mime_part *p = &b->i->tree.parts[b->part];

	/* Of a file its reader tells. */
	if (b->i->view[b->part].role == ROLE_FILE)
		return;
	if (b->unclear)
		tell_uninspectable(b->i, b->i->current, "charset", NULL);
	if (p->encoding == TRANSFER_UNKNOWN || p->encoding_last == TRANSFER_UNKNOWN)
		tell_uninspectable(b->i, b->i->current, "encoding", NULL);
}

static bool add_bytes(void *context, const char *bytes, size_t len)
{
	buf_add(context, bytes, len);
	return buf_ok(context);
}

/* The header that a report brings back, its encoded words decoded. */
static void tell_returned_header(struct inspection *i, size_t part)
{
	const struct mime_part *p = &i->tree.parts[part];
	struct source raw = source_part(&i->message, p->body, p->end - p->body);
	struct transfer_reader reader;
	struct buf header;

	if (i->view[part].role != ROLE_REPORT || strstr(p->subtype, "headers") == NULL)
		return;
	buf_init(&header, HEADERS_MAX);
	if (!transfer_source(&reader, p->encoding, &raw, (struct sink){add_bytes, &header}))
		tell_uninspectable(i, i->current, "header", NULL);
	tell_header_text(i, header.len > 0 ? header.bytes : "", header.len);
	buf_free(&header);
}

static bool has_yenc(const struct body *b)
{
	for (size_t k = 0; k < b->files; k++) {
		if (b->file[k].kind == UU_YENC)
			return true;
	}
	return false;
}

static void tell_body(struct inspection *i, size_t part)
{
	struct body b = body_of(i, part);
	enum part_role role = i->view[part].role;
	struct bytes_view view;

	if (!mime_path(&i->tree, part, i->current, sizeof i->current))
		(void)memcpy(i->current, "0", 2);
	if (!judge_bytes(i, part, &view))
		return;
	b.text = texts_sink(i->texts);
	b.quoted = (struct sink){feed_quoted, i->texts};
	/* The text of a message that is attached is what a file says. */
	texts_begin(i->texts, place_of(i, part));
	(void)!read_each_way(&b);
	texts_end(i->texts);
	/* What made it no text was taken out of it, and is a file of its own. */
	if (!view.is_file && has_yenc(&b))
		i->view[part].role = role;
	tell_doubts(&b);
	tell_returned_header(i, part);
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
	for (size_t k = 0; k < i->tree.count && !i->out->gone && !i->alone; k++) {
		/* Invitations and reports are read here, and told as parts with the files. */
		if (role_is_text(i->view[k].role))
			tell_body(i, k);
	}
	if (i->alone)
		return;
	/* Behind the bodies, so that none of it is taken for their first lines. */
	for (size_t k = 0; k < i->tree.count && !i->out->gone; k++)
		tell_surroundings(i, k);
}
