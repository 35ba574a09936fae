/* What is attached: its name, its type by what it says and by what it is, and what is inside. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/hex.h"
#include "lib/inspect/facts.h"
#include "lib/inspect/kinds.h"
#include "lib/inspect/tables.h"
#include "lib/text/charset.h"

#define DIGEST_WINDOW ((size_t)65536)

/* ---- what the extraction tells ---- */

/* Names wait while a text is open; a full buffer is looked at as soon as none is. */
static void keep_name(struct inspection *i, const char *name)
{
	if (*name == '\0')
		return;
	if (i->names.len + strlen(name) + 1 > i->names.bound) {
		tell_uninspectable(i, i->current, "members", NULL);
		return;
	}
	buf_add_text(&i->names, name);
	buf_add_text(&i->names, "\n");
}

static bool told_text(void *context, const char *utf8, size_t len)
{
	struct inspection *i = context;

	if (!i->text_open)
		texts_begin(i->texts, PLACE_FILES);
	i->text_open = true;
	return texts_feed(i->texts, utf8, len);
}

static void told_text_ends(void *context)
{
	struct inspection *i = context;

	if (i->text_open)
		texts_end(i->texts);
	i->text_open = false;
}

static const char *yes(bool is)
{
	return is ? "yes" : "no";
}

static void told_member(void *context, const struct extract_member *member)
{
	struct inspection *i = context;
	struct filename name;

	filename_canonical(tables_norm(i->by->tables), member->name, strlen(member->name), &name);
	keep_name(i, name.text);
	if (member->is_folder)
		return;
	FACT(i->out, "member", kv("part", i->current), kv_num("level", (int64_t)member->level),
	    kv("name", name.text), kv("extension", name.extension),
	    kv_num("size", (int64_t)member->size), kv("encrypted", yes(member->encrypted)));
}

static void told_fault(void *context, enum extract_fault fault, const char *member)
{
	struct inspection *i = context;

	tell_uninspectable(i, i->current, extract_fault_word(fault), member);
}

bool files_ready(struct inspection *i)
{
	const struct inspect_limits *l = &i->by->ask.limits;
	struct extract_setup setup = {.tables = tables_extract(i->by->tables),
	    .limits = {.depth = (unsigned)l->inspect_depth,
		.members = (uint64_t)l->inspect_members,
		.expansion = (uint64_t)l->inspect_expansion,
		.ratio = (uint64_t)l->inspect_ratio,
		.convert = (uint64_t)l->convert_size,
		.html = (uint64_t)l->inspect_html},
	    .told = i->told.context != NULL ? i->told
					    : (struct extract_told){i, told_text, told_text_ends,
						  told_member, told_fault, convert_for},
	    .scratch = i->unpacked};

	i->extract = extract_new(&setup);
	return i->extract != NULL;
}

/* ---- digests ---- */

static bool digest(const struct source *file, char hex[65])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char *window = malloc(DIGEST_WINDOW), sum[32];
	bool good = md != NULL && window != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;

	for (uint64_t at = 0; good && at < file->size;) {
		ssize_t n = source_read(file, at, window, DIGEST_WINDOW);

		good = n > 0 && EVP_DigestUpdate(md, window, (size_t)n) == 1;
		at += n > 0 ? (uint64_t)n : 0;
	}
	good = good && EVP_DigestFinal_ex(md, sum, NULL) == 1;
	if (good)
		hex_encode(sum, sizeof sum, hex);
	EVP_MD_CTX_free(md);
	free(window);
	return good;
}

/* ---- one file ---- */

/* The names that mail programs may show: told when they differ, for rules look at each. */
static void tell_other_names(struct inspection *i, size_t part, const struct filename *first)
{
	struct param_readings names;
	struct filename other;

	param_readings_init(&names);
	if (!mime_names(&i->message, &i->tree.parts[part], (size_t)i->by->ask.limits.inspect_header,
		&names)) {
		tell_uninspectable(i, i->current, "memory", NULL);
		param_readings_free(&names);
		return;
	}
	for (size_t k = 0; k < names.count; k++) {
		filename_canonical(
		    tables_norm(i->by->tables), param_reading(&names, k), names.all[k].len, &other);
		if (strcmp(other.text, first->text) == 0)
			continue;
		FACT(i->out, "file-name", kv("part", i->current), kv("name", other.text),
		    kv("extension", other.extension));
		keep_name(i, other.text);
	}
	param_readings_free(&names);
}

static void join_marks(const struct filename *name, char *text, size_t room)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned m = 0; m < FILENAME_MARK_COUNT; m++) {
		const char *word = filename_mark_word(m);

		if ((name->marks & (1u << m)) == 0 || used + strlen(word) + 2 > room)
			continue;
		if (used > 0)
			text[used++] = ',';
		used = (size_t)(stpcpy(text + used, word) - text);
	}
}

static const char *encrypted_word(enum file_encrypted encrypted)
{
	static const char *const words[] = {"no", "all", "some", "unknown"};

	return words[encrypted];
}

/* A message is named by its subject when it has no name; here it is enough to say that it has none. */
static void tell_file_as(struct inspection *i, size_t part, enum part_role as,
    const struct filename *name, const struct source *file, const struct extract_file *found)
{
	const struct mime_part *p = &i->tree.parts[part];
	const char *role = part_role_word(as);
	char type[2 * MIME_TYPE_MAX + 2], marks[160], hex[65] = "-";

	(void)stpcpy(stpcpy(stpcpy(type, p->type), "/"), p->subtype);
	join_marks(name, marks, sizeof marks);
	if ((i->by->ask.want & (1u << WANT_DIGESTS)) != 0 && !digest(file, hex))
		tell_uninspectable(i, i->current, "read", NULL);
	FACT(i->out, "file", kv("part", i->current), kv("role", role),
	    kv("counts", yes(role_counts(as))), kv("name", name->text),
	    kv("extension", name->extension),
	    kv("nameless", yes(as == ROLE_FILE && *name->text == '\0')), kv("marks", marks),
	    kv_num("size", (int64_t)file->size), kv("declared", type), kv("type", found->type),
	    kv("format", file_format_word(found->format)),
	    kv("as-named", kind_as_named(found->format, found->type, name->extension, type)),
	    kv("encrypted", encrypted_word(found->encrypted)), kv("sha256", hex),
	    kv("nested", yes(i->view[part].nested)));
}

static void tell_file(struct inspection *i, size_t part, const struct filename *name,
    const struct source *file, const struct extract_file *found)
{
	tell_file_as(i, part, i->view[part].role, name, file, found);
}

static void count_file(struct inspection *i, size_t part, uint64_t size)
{
	if (!role_counts(i->view[part].role))
		return;
	i->files++;
	if (__builtin_add_overflow(i->files_size, size, &i->files_size))
		i->files_size = INT64_MAX;
}

/* Whether an HTML text shows it, by its Content-ID. */
static bool is_shown(const struct inspection *i, const struct mime_part *p)
{
	size_t len = strlen(p->id);
	const char *at = i->cids.bytes, *end = at + i->cids.len;

	if (len == 0)
		return false;
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		if (newline == NULL)
			return false;
		if ((size_t)(newline - at) == len && memcmp(at, p->id, len) == 0)
			return true;
		at = newline + 1;
	}
	return false;
}

static bool is_image(const struct extract_file *found)
{
	return found->format == FORMAT_IMAGE;
}

void tell_one_file(struct inspection *i, size_t part)
{
	const struct mime_part *p = &i->tree.parts[part];
	struct extract_file found = {.encrypted = ENCRYPTED_UNKNOWN};
	struct filename name;
	struct source file;
	/* Whoever asks for files alone asks for encryption, too; texts are asked for by the rest. */
	bool deep = inspection_is_deep(i);

	filename_canonical(tables_norm(i->by->tables), p->name, strlen(p->name), &name);
	keep_name(i, name.text);
	if (!part_decode(i, part, &file)) {
		tell_uninspectable(i, i->current, errno == EFBIG ? "expansion" : "read", NULL);
		file = source_part(&i->message, p->body, p->end - p->body);
	}
	extract_file(i->extract, &file, name.text, p->charset, false, &found);
	if (i->view[part].role == ROLE_FILE && is_shown(i, p) && is_image(&found))
		i->view[part].role = ROLE_INLINE;
	count_file(i, part, file.size);
	tell_file(i, part, &name, &file, &found);
	tell_other_names(i, part, &name);
	if (deep && i->view[part].role != ROLE_SIGNATURE && !role_is_text(i->view[part].role))
		extract_file(i->extract, &file, name.text, p->charset, true, &found);
	told_text_ends(i);
}

void tell_file_in_text(
    struct inspection *i, size_t part, const char *raw, size_t len, const struct source *file)
{
	struct extract_file found = {.encrypted = ENCRYPTED_UNKNOWN};
	struct filename name;
	struct buf decoded;

	buf_init(&decoded, FILENAME_READ_MAX);
	if (!charset_convert("", raw, len, &decoded))
		tell_uninspectable(i, i->current, "memory", NULL);
	filename_canonical(
	    tables_norm(i->by->tables), decoded.len > 0 ? decoded.bytes : "", decoded.len, &name);
	buf_free(&decoded);
	keep_name(i, name.text);
	extract_file(i->extract, file, name.text, "", false, &found);
	i->files++;
	if (__builtin_add_overflow(i->files_size, file->size, &i->files_size))
		i->files_size = INT64_MAX;
	tell_file_as(i, part, ROLE_FILE, &name, file, &found);
	if (inspection_is_deep(i))
		extract_file(i->extract, file, name.text, "", true, &found);
	told_text_ends(i);
}

/* What the scanner says cannot be opened, whatever it is. */
static const char *closed_by(const struct inspection *i, size_t part)
{
	const struct mime_part *p = &i->tree.parts[part];

	if (MIME_HAS(p->flags, PARTIAL))
		return "partial";
	if (MIME_HAS(p->flags, EXTERNAL))
		return "external";
	return i->view[part].role == ROLE_SEALED ? "encrypted" : NULL;
}

static bool is_file(const struct inspection *i, size_t part)
{
	switch (i->view[part].role) {
	case ROLE_FILE:
	case ROLE_SIGNATURE:
	case ROLE_REPORT:
		return true;
	case ROLE_CALENDAR:
		return true;
	case ROLE_MESSAGE: /* its parts are told; one that is encoded is opened as a file */
		return true;
	case ROLE_CONTAINER:
	case ROLE_BODY:
	case ROLE_INLINE:
	case ROLE_SEALED:
	case ROLE_COUNT:
		break;
	}
	return false;
}

/* A message whose parts were scanned is told as a file, but not opened a second time. */
static void tell_message_file(struct inspection *i, size_t part)
{
	const struct mime_part *p = &i->tree.parts[part];
	struct extract_file found = {.format = FORMAT_MAIL, .type = "message/rfc822"};
	struct source file = source_part(&i->message, p->body, p->end - p->body);
	struct filename name;

	filename_canonical(tables_norm(i->by->tables), p->name, strlen(p->name), &name);
	keep_name(i, name.text);
	count_file(i, part, file.size);
	tell_file(i, part, &name, &file, &found);
}

void tell_files(struct inspection *i)
{
	if (inspection_is_plain(i) && i->files == 0)
		return;
	for (size_t k = 0; k < i->tree.count && !i->out->gone; k++) {
		const char *closed = closed_by(i, k);

		if (!mime_path(&i->tree, k, i->current, sizeof i->current))
			(void)memcpy(i->current, "0", 2);
		if (closed != NULL)
			tell_uninspectable(i, i->current, closed, NULL);
		if (!is_file(i, k))
			continue;
		if (i->view[k].role == ROLE_MESSAGE && i->tree.parts[k].children > 0)
			tell_message_file(i, k);
		else
			tell_one_file(i, k);
	}
	if (i->names.len > 0)
		texts_one(i->texts, PLACE_NAMES, i->names.bytes, i->names.len);
}
