/* What is attached: its name, its type by what it says and by what it is, and what is inside. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/hex.h"
#include "lib/inspect/bodies.h"
#include "lib/inspect/facts.h"
#include "lib/inspect/kinds.h"
#include "lib/inspect/tables.h"
#include "lib/inspect/unclear.h"
#include "lib/text/charset.h"

#define DIGEST_WINDOW  ((size_t)65536)
#define MARKS_MAX      160
#define SIGNATURE_MAX  ((uint64_t)65536) /* of a detached one, with its certificates */
#define SIGNATURE_HEAD 512               /* what its content would stand in */
#define VERSION_MAX    64                /* of what says that PGP follows */

/* ---- what the extraction tells ---- */

/*
 * A name as it was decoded, folders and all: what detectors look for may stand anywhere in it. Names
 * wait while a text is open, and are looked at behind all files.
 */
static void keep_name(struct inspection *i, const char *name, size_t len, const char *member)
{
	size_t from = i->names.len;

	if (len == 0)
		return;
	if (len > FILENAME_READ_MAX) {
		tell_uninspectable(i, i->current, "names-long", member);
		len = FILENAME_READ_MAX;
	}
	if (text_unclear(name, len))
		tell_uninspectable(i, i->current, "charset", member);
	if (from + len + 1 > i->names.bound) {
		tell_uninspectable(i, i->current, "members", NULL);
		return;
	}
	buf_add(&i->names, name, len);
	buf_add_text(&i->names, "\n");
	/* One line each, and so for each folder: a separator is no part of what stands beside it. */
	for (size_t k = from; buf_ok(&i->names) && k + 1 < i->names.len; k++) {
		char *c = &i->names.bytes[k];

		if (*c == '/' || *c == '\\')
			*c = '\n';
		else if (strchr("\r\n", *c) != NULL)
			*c = ' ';
	}
}

static bool told_text(void *context, const char *utf8, size_t len)
{
	struct inspection *i = context;

	if (!i->text_open)
		texts_begin(i->texts, i->place);
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

/* "path,double" */
static void join_marks(const struct filename *name, char text[MARKS_MAX])
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned m = 0; m < FILENAME_MARK_COUNT; m++) {
		const char *word = filename_mark_word(m);

		if ((name->marks & (1u << m)) == 0 || used + strlen(word) + 2 > MARKS_MAX)
			continue;
		if (used > 0)
			text[used++] = ',';
		used = (size_t)(stpcpy(text + used, word) - text);
	}
}

static void told_member(void *context, const struct extract_member *member)
{
	struct inspection *i = context;
	struct filename name;
	char marks[MARKS_MAX];

	filename_canonical(tables_norm(i->by->tables), member->name, strlen(member->name), &name);
	keep_name(i, member->name, strlen(member->name), name.text);
	if (member->is_folder)
		return;
	/* Folders in archives are ordinary. */
	if (!filename_leads_out(member->name, strlen(member->name)))
		name.marks &= ~(1u << FILENAME_PATH);
	join_marks(&name, marks);
	FACT(i->out, "member", kv("part", i->current), kv_num("level", (int64_t)member->level),
	    kv("name", name.text), kv("extension", name.extension), kv("marks", marks),
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

	i->place = PLACE_FILES;
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
static void tell_names(struct inspection *i, size_t part, const struct filename *first)
{
	struct param_readings names;
	struct filename other;
	char marks[MARKS_MAX];
	bool guessed = false;

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
		keep_name(i, param_reading(&names, k), names.all[k].len, NULL);
		guessed = guessed || text_guessed(param_reading(&names, k), names.all[k].len);
		if (strcmp(other.text, first->text) == 0)
			continue;
		join_marks(&other, marks);
		FACT(i->out, "file-name", kv("part", i->current), kv("name", other.text),
		    kv("extension", other.extension), kv("marks", marks));
	}
	if ((names.flags & PARAM_CHARSET) != 0 && guessed)
		tell_uninspectable(i, i->current, "charset", NULL);
	if ((names.flags & PARAM_MANY) != 0)
		tell_uninspectable(i, i->current, "names-long", NULL);
	/* One that stands in no field: a file in the message has no other. */
	if (names.count == 0)
		keep_name(i, first->text, strlen(first->text), NULL);
	param_readings_free(&names);
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
	char type[2 * MIME_TYPE_MAX + 2], marks[MARKS_MAX], hex[65] = "-";

	(void)stpcpy(stpcpy(stpcpy(type, p->type), "/"), p->subtype);
	join_marks(name, marks);
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
	const char *at = i->cids.len > 0 ? i->cids.bytes : "", *end = at + i->cids.len;

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

/* One that is attached is shown where it stands beside the HTML text, and nowhere else. */
static bool is_inline(
    const struct inspection *i, const struct mime_part *p, const struct extract_file *found)
{
	if (found->format != FORMAT_IMAGE || !is_shown(i, p))
		return false;
	return strcmp(p->disposition, "attachment") != 0 || part_is_within(i, p, "related");
}

/* "Version: 1", which is all that stands there (RFC 3156 section 4). */
static bool is_pgp_version(const struct source *file)
{
	char text[VERSION_MAX + 1], *at = text;
	size_t len = (size_t)file->size;
	ssize_t n;

	if (file->size > VERSION_MAX)
		return false;
	n = source_read(file, 0, text, len);
	if (n < 0)
		return false;
	text[n] = '\0';
	at += strspn(at, " \t\r\n");
	if (strncasecmp(at, "Version:", 8) != 0)
		return false;
	at += 8;
	at += strspn(at, " \t");
	if (*at != '1')
		return false;
	at++;
	return at[strspn(at, " \t\r\n")] == '\0' && (size_t)n == strlen(text);
}

/* Whether a signature of S/MIME has no content within (RFC 5652 section 5.2), as a detached one. */
static bool is_detached(const struct source *file)
{
	static const char der[] = "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
	static const char ber[] = "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\0\0";
	char head[SIGNATURE_HEAD];
	ssize_t n =
	    source_read(file, 0, head, file->size < sizeof head ? (size_t)file->size : sizeof head);

	return n > 0 && (memmem(head, (size_t)n, der, sizeof der - 1) != NULL ||
			    memmem(head, (size_t)n, ber, sizeof ber - 1) != NULL);
}

/* What stands in the place of a signature is one if its bytes are. */
static bool is_signature(
    const struct mime_part *p, const struct source *file, const struct extract_file *found)
{
	if (strcmp(p->subtype, "pgp-encrypted") == 0)
		return is_pgp_version(file);
	return found->format == FORMAT_SIGNATURE && file->size <= SIGNATURE_MAX &&
	       (strstr(found->type, "pgp") != NULL || is_detached(file));
}

/* What the bytes say that the part is. */
void part_settle_role(
    struct inspection *i, size_t part, const struct source *file, const struct extract_file *found)
{
	const struct mime_part *p = &i->tree.parts[part];
	enum part_role *role = &i->view[part].role;

	if (*role == ROLE_FILE && is_inline(i, p, found))
		*role = ROLE_INLINE;
	if (*role == ROLE_SIGNATURE && !is_signature(p, file, found))
		*role = ROLE_FILE;
}

static bool is_letters(const struct extract_file *found)
{
	return found->format == FORMAT_TEXT || found->format == FORMAT_HTML ||
	       strncmp(found->type, "text/", 5) == 0;
}

/* Text that is declared as HTML is read as that, too, whatever it looks like; armour as text. */
static void read_as_declared(struct inspection *i, size_t part, const struct extract_file *found)
{
	const struct mime_part *p = &i->tree.parts[part];
	bool is_html = strcmp(p->subtype, "html") == 0 || strcmp(p->subtype, "xhtml+xml") == 0;

	bool armour = found->format == FORMAT_SIGNATURE && strstr(found->type, "pgp") != NULL;

	if (!armour && (!is_letters(found) || found->format == FORMAT_HTML ||
			   (!is_html && !MIME_HAS(p->flags, TWO_TYPES))))
		return;
	texts_begin(i->texts, PLACE_FILES);
	/* Armour is letters, and anything may stand behind it. */
	if (armour)
		(void)!body_text(i, part, texts_sink(i->texts), NULL);
	else
		(void)!body_as_html(i, part, texts_sink(i->texts));
	texts_end(i->texts);
}

/* Looks into a file whose facts were told. */
static void open_file(struct inspection *i, size_t part, const struct filename *name,
    const struct source *file, struct extract_file *found)
{
	const struct mime_part *p = &i->tree.parts[part];

	extract_file(i->extract, file, name->text, p->charset, true, found);
	told_text_ends(i);
	/* Nothing here opens what a signature wraps, and what is too large for one. */
	if (found->format == FORMAT_SIGNATURE && strstr(found->type, "pgp") == NULL &&
	    (file->size > SIGNATURE_MAX || !is_detached(file)))
		tell_uninspectable(i, i->current, "format", NULL);
	if (is_letters(found) && file_unclear(p->charset, file))
		tell_uninspectable(i, i->current, "charset", NULL);
	read_as_declared(i, part, found);
}

/* With one of its encodings undone. */
static void tell_file_decoded(
    struct inspection *i, size_t part, enum transfer encoding, const struct filename *name)
{
	const struct mime_part *p = &i->tree.parts[part];
	struct extract_file found = {.encrypted = ENCRYPTED_UNKNOWN};
	struct source file;

	if (!part_decode(i, part, encoding, &file)) {
		tell_uninspectable(i, i->current, errno == EFBIG ? "expansion" : "read", NULL);
		file = source_part(&i->message, p->body, p->end - p->body);
	}
	extract_file(i->extract, &file, name->text, p->charset, false, &found);
	part_settle_role(i, part, &file, &found);
	count_file(i, part, file.size);
	tell_file(i, part, name, &file, &found);
	/* Whoever asks for files alone asks for encryption, too; texts are asked for by the rest. */
	if (inspection_is_deep(i) && !role_is_text(i->view[part].role))
		open_file(i, part, name, &file, &found);
}

void tell_one_file(struct inspection *i, size_t part)
{
	const struct mime_part *p = &i->tree.parts[part];
	struct filename name;

	filename_canonical(tables_norm(i->by->tables), p->name, strlen(p->name), &name);
	tell_file_decoded(i, part, p->encoding, &name);
	/* Two programs see two files. */
	if (p->encoding_last != p->encoding)
		tell_file_decoded(i, part, p->encoding_last, &name);
	if (p->encoding == TRANSFER_UNKNOWN || p->encoding_last == TRANSFER_UNKNOWN)
		tell_uninspectable(i, i->current, "encoding", NULL);
	tell_names(i, part, &name);
}

/* Text that is shown, of a format of its own (RTF): what its reader sees is found by that format. */
static void open_shown(struct inspection *i, size_t part, enum transfer encoding)
{
	struct extract_file found;
	struct source file;

	if (!part_decode(i, part, encoding, &file)) {
		tell_uninspectable(i, i->current, errno == EFBIG ? "expansion" : "read", NULL);
		return;
	}
	i->place = i->view[part].nested ? PLACE_FILES : PLACE_BODY;
	extract_file(i->extract, &file, "", i->tree.parts[part].charset, true, &found);
	told_text_ends(i);
	i->place = PLACE_FILES;
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
	keep_name(i, decoded.bytes, decoded.len, NULL);
	buf_free(&decoded);
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
	count_file(i, part, file.size);
	tell_file(i, part, &name, &file, &found);
	tell_names(i, part, &name);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The dot of an extension behind a mail address, which would make it part of the domain. */
static void end_address(char *name, size_t len)
{
	char extension[16] = "";
	size_t dot = len, n;

	while (dot > 0 && name[dot - 1] != '.')
		dot--;
	n = len - dot + 1;
	if (dot == 0 || n >= sizeof extension || memchr(name, '@', len) == NULL)
		return;
	for (size_t k = 0; k < n; k++)
		extension[k] = (char)(is_letter(name[dot - 1 + k]) ? name[dot - 1 + k] | 0x20
								   : name[dot - 1 + k]);
	if (kind_is_extension(extension))
		name[dot - 1] = '\n';
}

/* People write "_" where a blank would be, and an extension ends what a name says. */
static void part_values(char *names, size_t len)
{
	for (size_t at = 0; at < len;) {
		const char *newline = memchr(names + at, '\n', len - at);
		size_t end = newline == NULL ? len : (size_t)(newline - names);

		end_address(names + at, end - at);
		for (size_t k = at; k < end; k++) {
			bool ends = k > at && k + 1 < end && is_digit(names[k - 1]) &&
				    is_letter(names[k + 1]);

			if (names[k] == '_' || (names[k] == '.' && ends))
				names[k] = '\n';
		}
		at = end + 1;
	}
}

static void look_at_names(struct inspection *i)
{
	char *values;

	if (i->names.len == 0)
		return;
	values = malloc(i->names.len);
	if (values == NULL) {
		tell_uninspectable(i, "0", "memory", NULL);
		return;
	}
	memcpy(values, i->names.bytes, i->names.len);
	part_values(values, i->names.len);
	texts_names(i->texts, i->names.bytes, values, i->names.len);
	free(values);
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
		if (i->view[k].role == ROLE_BODY && i->view[k].other && inspection_is_deep(i)) {
			open_shown(i, k, i->tree.parts[k].encoding);
			if (i->tree.parts[k].encoding_last != i->tree.parts[k].encoding)
				open_shown(i, k, i->tree.parts[k].encoding_last);
		}
		if (!is_file(i, k))
			continue;
		if (i->view[k].role == ROLE_MESSAGE && i->tree.parts[k].children > 0)
			tell_message_file(i, k);
		else
			tell_one_file(i, k);
	}
	look_at_names(i);
}
