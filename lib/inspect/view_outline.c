/* The outline of a message: what a page shows of it before anything else. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/inspect/bodies.h"
#include "lib/inspect/view.h"
#include "lib/mime/field.h"
#include "lib/mime/word.h"

struct outline {
	struct inspection *i;
	json_t *object;
	bool cut;
	bool failed;
};

/* ---- texts ---- */

/* What is longer than `most` ends between two letters. */
static void shorten(struct buf *text, size_t most, bool *cut)
{
	if (text->len <= most)
		return;
	while (most > 0 && ((unsigned char)text->bytes[most] & 0xC0) == 0x80)
		most--;
	text->len = most;
	*cut = true;
}

static void set(struct outline *o, const char *key, json_t *value)
{
	if (value == NULL || json_object_set_new(o->object, key, value) != 0)
		o->failed = true;
}

static json_t *text_of(const struct buf *text)
{
	return json_stringn(text->len > 0 ? text->bytes : "", text->len);
}

/* ---- the header ---- */

/* A field that stands there several times is shown with all of them: programs differ in which they take. */
static void add_field(struct buf *shown, const struct field *f, const char *between)
{
	struct buf decoded;
	const char *at;
	size_t len;

	buf_init(&decoded, 2 * VIEW_FIELD_MAX);
	(void)!word_decode(f->body, f->body_len, &decoded, NULL);
	at = decoded.len > 0 ? decoded.bytes : "";
	len = decoded.len;
	while (len > 0 && strchr(" \t\r\n", *at) != NULL) {
		at++;
		len--;
	}
	if (shown->len > 0 && len > 0)
		buf_add_text(shown, between);
	view_add(shown, at, len, false);
	buf_free(&decoded);
}

static void outline_field(
    struct outline *o, const struct buf *header, const char *name, const char *key)
{
	const char *between =
	    strcmp(key, "subject") == 0 || strcmp(key, "date") == 0 ? " / " : ", ";
	struct buf shown;
	struct field f;
	size_t at = 0;

	buf_init(&shown, 8 * VIEW_FIELD_MAX);
	while (shown.len <= VIEW_FIELD_MAX && header->len > 0 &&
	       field_next(header->bytes, header->len, &at, &f)) {
		if (f.name_len > 0 && field_is(&f, name))
			add_field(&shown, &f, between);
	}
	shorten(&shown, VIEW_FIELD_MAX, &o->cut);
	set(o, key, text_of(&shown));
	buf_free(&shown);
}

static void outline_header(struct outline *o)
{
	static const struct {
		const char *name, *key;
	} fields[] = {
	    {"Subject", "subject"}, {"From", "from"}, {"To", "to"}, {"Cc", "cc"}, {"Date", "date"}};
	const struct buf *header = inspection_header(o->i);
	struct buf none;

	buf_init(&none, 1);
	o->cut = o->cut || header == NULL;
	for (size_t k = 0; k < COUNT_OF(fields); k++)
		outline_field(o, header != NULL ? header : &none, fields[k].name, fields[k].key);
}

/* ---- the text ---- */

static void outline_text(struct outline *o)
{
	struct buf text;
	bool cut = false;

	buf_init(&text, VIEW_TEXT_MAX + 8192);
	if (!view_first_text(o->i, &text, &cut))
		o->cut = true;
	cut = cut || !buf_ok(&text);
	shorten(&text, VIEW_TEXT_MAX, &cut);
	set(o, "text", text_of(&text));
	set(o, "text-cut", json_boolean(cut));
	buf_free(&text);
}

/* ---- the files ---- */

static json_t *warnings_of(const struct view_file *file)
{
	json_t *words = json_array();

	for (unsigned w = 0; w < VIEW_WARNING_COUNT; w++) {
		if ((file->warnings & (1u << w)) != 0 &&
		    json_array_append_new(words, json_string(view_warning_word(w))) != 0) {
			json_decref(words);
			return NULL;
		}
	}
	return words;
}

/* Types are words of strangers. */
static json_t *clean(const char *word)
{
	struct buf shown;
	json_t *value;

	buf_init(&shown, 1024);
	view_add(&shown, word, strlen(word), false);
	value = text_of(&shown);
	buf_free(&shown);
	return value;
}

static void outline_file(
    struct outline *o, json_t *files, size_t part, const struct view_file *file)
{
	char path[MIME_PATH_MAX];
	json_t *one;

	if (!mime_path(&o->i->tree, part, path, sizeof path) || strlen(path) > VIEW_PART_MAX) {
		o->cut = true;
		return;
	}
	one = json_pack("{s:s, s:o, s:o, s:o, s:I, s:o, s:b}", "part", path, "name",
	    clean(file->name.text), "type", clean(file->type), "kind", clean(file->kind), "size",
	    (json_int_t)file->size, "warnings", warnings_of(file), "inline", file->shown);
	if (one == NULL || json_array_append_new(files, one) != 0)
		o->failed = true;
}

static void outline_files(struct outline *o)
{
	json_t *files = json_array();
	struct view_file *file = malloc(sizeof *file);

	if (file == NULL || files == NULL)
		o->failed = true;
	for (size_t k = 0; !o->failed && k < o->i->tree.count; k++) {
		if (json_array_size(files) == VIEW_FILES_MAX) {
			o->cut = true;
			break;
		}
		if (!view_look_at_file(o->i, k, file))
			continue;
		outline_file(o, files, k, file);
		o->cut = o->cut || file->unopened;
	}
	free(file);
	set(o, "files", files);
}

/* ---- all of it ---- */

struct output {
	int fd;
	off_t at;
};

static int write_piece(const char *bytes, size_t len, void *context)
{
	struct output *o = context;

	while (len > 0) {
		ssize_t n = pwrite(o->fd, bytes, len, o->at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
		o->at += n;
	}
	return 0;
}

static bool write_all(const json_t *object, int out)
{
	struct output output = {.fd = out};

	return json_dump_callback(object, write_piece, &output, JSON_COMPACT) == 0 &&
	       ftruncate(out, output.at) == 0;
}

enum view_told inspection_outline(struct inspection *i, const struct view_bounds *bounds, int out)
{
	struct outline o = {.i = i, .object = json_object()};
	enum view_told told = VIEW_TOLD_FAILED;

	if (o.object == NULL)
		return told;
	outline_header(&o);
	outline_text(&o);
	set(&o, "html", json_boolean(view_look_at_html(i, bounds)));
	/* A text that is a file by its bytes is told as one, too; its reader sees a text all the same. */
	for (size_t k = 0; k < i->tree.count; k++)
		body_settle(i, k);
	outline_files(&o);
	o.cut = o.cut || i->tree.limits != 0;
	if (!o.failed && write_all(o.object, out))
		told = o.cut ? VIEW_TOLD_CUT : VIEW_TOLD;
	json_decref(o.object);
	return told;
}
