/* Archives that libarchive reads, and files that are compressed one by one. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/extract/magic.h"
#include "lib/extract/state.h"
#include "lib/extract/unpack.h"

#define WINDOW ((size_t)65536)

/* ---- libarchive over a stretch of a file ------------------------------------------------------ */

static la_ssize_t window_read(struct archive *a, void *context, const void **bytes)
{
	struct unpack_file *u = context;
	ssize_t n = source_read(&u->file, u->at, u->window, WINDOW);

	if (n < 0) {
		archive_set_error(a, errno, "read");
		return ARCHIVE_FATAL;
	}
	*bytes = u->window;
	u->at += (uint64_t)n;
	return n;
}

static la_int64_t window_skip(struct archive *a, void *context, la_int64_t len)
{
	struct unpack_file *u = context;
	uint64_t left = u->file.size - u->at;
	uint64_t by = len < 0 ? 0 : (uint64_t)len;

	(void)a;
	by = by < left ? by : left;
	u->at += by;
	return (la_int64_t)by;
}

static la_int64_t window_seek(struct archive *a, void *context, la_int64_t offset, int whence)
{
	struct unpack_file *u = context;
	int64_t from = whence == SEEK_SET   ? 0
		       : whence == SEEK_CUR ? (int64_t)u->at
					    : (int64_t)u->file.size;
	int64_t to;

	if (__builtin_add_overflow(from, offset, &to) || to < 0 || (uint64_t)to > u->file.size) {
		archive_set_error(a, EINVAL, "seek");
		return ARCHIVE_FATAL;
	}
	u->at = (uint64_t)to;
	return to;
}

bool unpack_open(struct unpack_file *u, struct archive *a, const struct source *file)
{
	*u = (struct unpack_file){.file = *file, .window = malloc(WINDOW)};
	if (u->window == NULL) {
		archive_set_error(a, ENOMEM, "memory");
		return false;
	}
	return archive_read_set_callback_data(a, u) == ARCHIVE_OK &&
	       archive_read_set_read_callback(a, window_read) == ARCHIVE_OK &&
	       archive_read_set_skip_callback(a, window_skip) == ARCHIVE_OK &&
	       archive_read_set_seek_callback(a, window_seek) == ARCHIVE_OK &&
	       archive_read_open1(a) == ARCHIVE_OK;
}

void unpack_close(struct unpack_file *u)
{
	free(u->window);
	u->window = NULL;
}

static bool says(const char *text, const char *word)
{
	return text != NULL && strcasestr(text, word) != NULL;
}

enum zip_state unpack_failure(struct archive *a)
{
	const char *text = archive_error_string(a);

	if (archive_errno(a) == ENOMEM || says(text, "memory"))
		return ZIP_MEMORY;
	if (archive_errno(a) == EIO)
		return ZIP_READ;
	if (says(text, "ncrypt") || says(text, "passphrase"))
		return ZIP_HIDDEN;
	if (says(text, "unsupported") || says(text, "not supported") || says(text, "unknown"))
		return ZIP_METHOD;
	return ZIP_DAMAGED;
}

/* A member's bytes into the sink. */
static enum zip_state pump(struct archive *a, struct sink out)
{
	char *bytes = malloc(WINDOW);
	enum zip_state state = ZIP_OK;

	if (bytes == NULL)
		return ZIP_MEMORY;
	for (;;) {
		la_ssize_t n = archive_read_data(a, bytes, WINDOW);

		if (n < 0) {
			state = unpack_failure(a);
			break;
		}
		if (n == 0)
			break;
		if (!sink_put(&out, bytes, (size_t)n)) {
			state = ZIP_STOPPED;
			break;
		}
	}
	free(bytes);
	return state;
}

enum zip_state unpack_zip_member(const struct source *file, struct sink out)
{
	struct unpack_file u = {0};
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	enum zip_state state = ZIP_OK;
	int said = ARCHIVE_FATAL;

	if (a == NULL)
		return ZIP_MEMORY;
	if (archive_read_support_format_zip_streamable(a) == ARCHIVE_OK && unpack_open(&u, a, file))
		said = archive_read_next_header(a, &entry);
	if (said == ARCHIVE_OK || said == ARCHIVE_WARN)
		state = pump(a, out);
	else
		state = unpack_failure(a);
	(void)archive_read_free(a);
	unpack_close(&u);
	return state;
}

/* ---- archives --------------------------------------------------------------------------------- */

struct reading {
	struct unpacking u;
	struct unpack_file file;
	struct archive *a;
	struct buf name;
	uint64_t files;
	uint64_t encrypted;
	bool names_only; /* nothing here reads what the members hold */
	bool latin;      /* names were read as ISO 8859-1, byte by byte */
};

static bool is_filter(enum file_format format)
{
	return format == FORMAT_GZIP || format == FORMAT_BZIP || format == FORMAT_XZ ||
	       format == FORMAT_ZSTD;
}

/* Only what the format needs: fewer parsers for a stranger to choose from. */
static bool enable(struct reading *r, enum file_format format)
{
	struct archive *a = r->a;
	int worst = ARCHIVE_OK;

	if (format == FORMAT_GZIP)
		worst = archive_read_support_filter_gzip(a);
	else if (format == FORMAT_BZIP)
		worst = archive_read_support_filter_bzip2(a);
	else if (format == FORMAT_XZ)
		worst = archive_read_support_filter_xz(a);
	else if (format == FORMAT_ZSTD)
		worst = archive_read_support_filter_zstd(a);
	else if (format == FORMAT_SEVENZIP)
		worst = archive_read_support_format_7zip(a);
	else if (format == FORMAT_LZH)
		worst = archive_read_support_format_lha(a);
	else if (format == FORMAT_CAB)
		worst = archive_read_support_format_cab(a);
	else if (format == FORMAT_ISO)
		worst = archive_read_support_format_iso9660(a);
	else if (format == FORMAT_ZIP)
		worst = archive_read_support_format_zip_streamable(a);

	/*
	 * What comes out of a filter is counted byte by byte before anything reads it: as a file
	 * of its own, which may be a TAR.
	 */
	if (is_filter(format) && archive_read_support_format_raw(a) < ARCHIVE_WARN)
		return false;
	/* A second archive behind the end of the first is seen by some programs. */
	if (format == FORMAT_TAR && (archive_read_support_format_tar(a) < ARCHIVE_WARN ||
					archive_read_set_option(a, "tar",
					    "read_concatenated_archives", "1") < ARCHIVE_WARN))
		return false;

	/* Bytes as they are; which charset they are in is found out by ourselves. */
	r->latin = format == FORMAT_LZH || format == FORMAT_CAB;
	if (r->latin && archive_read_set_options(a, "hdrcharset=ISO-8859-1") != ARCHIVE_OK)
		return false;
	return worst >= ARCHIVE_WARN;
}

/* ISO 8859-1 in UTF-8 back to bytes; false: it holds other letters, so it never was. */
static bool from_latin(const char *name, struct buf *raw)
{
	buf_clear(raw);
	for (const unsigned char *p = (const unsigned char *)name; *p != '\0'; p++) {
		unsigned char c = *p;

		if (c >= 0x80) {
			if (c > 0xc3 || (p[1] & 0xc0) != 0x80)
				return false;
			c = (unsigned char)((c & 3) << 6 | (p[1] & 0x3f));
			p++;
		}
		buf_add(raw, &c, 1);
	}
	return buf_ok(raw);
}

static const char *entry_name(struct reading *r, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);
	struct buf raw;

	if (name == NULL)
		name = archive_entry_pathname_utf8(entry);
	if (name == NULL)
		return "";
	buf_init(&raw, MEMBER_NAME_MAX);
	if (r->latin && from_latin(name, &raw))
		name = member_name(raw.bytes, raw.len, &r->name);
	else
		name = member_name(name, strlen(name), &r->name);
	buf_free(&raw);
	return name;
}

/* What was compressed alone has the name of the file without its ending, if it brings none. */
static const char *inner_name(struct reading *r, const char *told)
{
	static const char *const ends[][2] = {{".gz", ""}, {".bz2", ""}, {".xz", ""}, {".zst", ""},
	    {".tgz", ".tar"}, {".tbz2", ".tar"}, {".tbz", ".tar"}, {".txz", ".tar"}};
	const char *outer = r->u.in->name, *slash = strrchr(outer, '/');
	size_t len;

	if (*told != '\0' && strcmp(told, "data") != 0)
		return told;
	outer = slash != NULL ? slash + 1 : outer;
	len = strlen(outer);
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		size_t end = strlen(ends[i][0]);

		if (len > end && strcasecmp(outer + len - end, ends[i][0]) == 0) {
			buf_clear(&r->name);
			buf_add(&r->name, outer, len - end);
			buf_add(&r->name, ends[i][1], strlen(ends[i][1]) + 1);
			return buf_ok(&r->name) ? r->name.bytes : "";
		}
	}
	return outer;
}

static void tell_failure(struct inside *in, enum zip_state state, const char *name)
{
	enum extract_fault fault = EXTRACT_DAMAGED;

	if (state == ZIP_MEMORY)
		fault = EXTRACT_MEMORY;
	else if (state == ZIP_METHOD)
		fault = EXTRACT_FORMAT;
	else if (state == ZIP_HIDDEN)
		fault = EXTRACT_ENCRYPTED;
	else if (state == ZIP_READ)
		fault = EXTRACT_READ;
	inside_fault_at(in, fault, name);
}

static bool read_member(struct reading *r, const char *name)
{
	struct unpacking *u = &r->u;
	enum zip_state state;

	unpack_begin(u);
	state = pump(r->a, unpack_sink(u));
	if (!u->stopped) {
		if (state != ZIP_OK)
			tell_failure(u->in, state, name);
		if (u->size > 0 || state == ZIP_OK)
			unpack_look(u, name);
	}
	unpack_end(u);
	return !u->stopped;
}

/* ISO names its root, too. */
static bool is_root(const struct extract_member *member)
{
	return member->is_folder && strcmp(member->name, ".") == 0;
}

static bool see_member(struct reading *r, struct archive_entry *entry)
{
	struct inside *in = r->u.in;
	struct extract_member member = {
	    .name = entry_name(r, entry),
	    .size = archive_entry_size_is_set(entry) ? (uint64_t)archive_entry_size(entry) : 0,
	    .encrypted = archive_entry_is_data_encrypted(entry) != 0,
	    .is_folder = archive_entry_filetype(entry) == AE_IFDIR,
	};
	bool is_file = archive_entry_filetype(entry) == AE_IFREG;

	if (is_root(&member))
		return true;
	if (is_file) {
		r->files++;
		r->encrypted += member.encrypted;
	}
	if (!in->deep)
		return true;
	if (!inside_member(in, &member))
		return false;
	/* A flag first: some formats give the cipher's bytes as if they were the file's. */
	if (member.encrypted || r->names_only || !is_file)
		return true;
	return read_member(r, member.name);
}

/* What one file was compressed to: a TAR is read as if it stood there itself. */
static bool see_content(struct reading *r, struct archive_entry *entry)
{
	struct inside *in = r->u.in, within = *in;
	struct unpacking *u = &r->u;
	struct extract_member member = {.name = inner_name(r, entry_name(r, entry))};
	unsigned char head[512];
	struct source file;
	enum zip_state state;
	ssize_t n;

	unpack_begin(u);
	state = pump(r->a, unpack_sink(u));
	file = spill_source(&u->spill);
	member.size = file.size;
	n = source_read(&file, 0, head, sizeof head);
	if (!u->stopped && state != ZIP_OK)
		tell_failure(in, state, "");
	if (!u->stopped && n > 0 && magic_is_tar(head, (size_t)n)) {
		within.file = file;
		read_by_library(&within, FORMAT_TAR);
	} else if (!inside_member(in, &member)) {
		u->stopped = true;
	} else if (!u->stopped) {
		unpack_look(u, member.name);
	}
	unpack_end(u);
	return !u->stopped;
}

/* The last header was read: was it the end? */
static enum zip_state walk_members(struct reading *r, bool *going)
{
	struct archive_entry *entry;

	*going = true;
	for (;;) {
		int said = archive_read_next_header(r->a, &entry);

		if (said == ARCHIVE_EOF)
			return ZIP_END;
		if (said == ARCHIVE_RETRY)
			continue;
		if (said != ARCHIVE_OK && said != ARCHIVE_WARN) {
			if (archive_read_has_encrypted_entries(r->a) == 1)
				return ZIP_HIDDEN;
			return unpack_failure(r->a);
		}
		*going = archive_format(r->a) == ARCHIVE_FORMAT_RAW ? see_content(r, entry)
								    : see_member(r, entry);
		if (!*going)
			return ZIP_STOPPED;
	}
}

/* Bytes behind what was unpacked: other programs may read on there. */
static void check_rest(struct reading *r)
{
	struct source *file = &r->file.file;
	char bytes[4096];
	uint64_t at = (uint64_t)archive_filter_bytes(r->a, -1);

	while (at < file->size) {
		ssize_t n = source_read(file, at, bytes, sizeof bytes);

		if (n <= 0)
			return;
		for (ssize_t i = 0; i < n; i++) {
			if (bytes[i] != '\0') {
				inside_fault(r->u.in, EXTRACT_AMBIGUOUS);
				return;
			}
		}
		at += (uint64_t)n;
	}
}

static void conclude(struct reading *r, enum zip_state state, bool going)
{
	struct inside *in = r->u.in;

	if (state == ZIP_HIDDEN) {
		in->found->encrypted = ENCRYPTED_ALL;
		inside_fault(in, EXTRACT_ENCRYPTED);
		return;
	}
	if (going && state != ZIP_END)
		tell_failure(in, state, "");
	if (r->names_only && r->files > r->encrypted)
		inside_fault(in, EXTRACT_FORMAT);
	if (r->encrypted > 0) {
		inside_fault(in, EXTRACT_ENCRYPTED);
		in->found->encrypted =
		    r->encrypted == r->files && state == ZIP_END ? ENCRYPTED_ALL : ENCRYPTED_SOME;
	} else if (state != ZIP_END) {
		in->found->encrypted = ENCRYPTED_UNKNOWN;
	}
	if (state == ZIP_END && in->deep && is_filter(in->found->format))
		check_rest(r);
}

void read_by_library(struct inside *in, enum file_format format)
{
	struct reading r = {.u.in = in, .a = archive_read_new()};
	enum zip_state state = ZIP_MEMORY;
	bool going = true;

	buf_init(&r.name, MEMBER_NAME_MAX);
	r.names_only = format == FORMAT_CAB || format == FORMAT_ISO;
	r.u.copies = format == FORMAT_TAR ? in->file.size : 0;
	if (r.a != NULL && enable(&r, format)) {
		if (unpack_open(&r.file, r.a, &in->file))
			state = walk_members(&r, &going);
		else
			state = unpack_failure(r.a);
	}
	conclude(&r, state, going);
	if (r.a != NULL)
		(void)archive_read_free(r.a);
	unpack_close(&r.file);
	buf_free(&r.name);
}

/* Formats that cannot be encrypted need no look when nothing else is asked. */
static bool may_be_encrypted(enum file_format format)
{
	return format == FORMAT_ZIP || format == FORMAT_SEVENZIP || format == FORMAT_RAR;
}

void read_archive(struct inside *in)
{
	struct extract_tables *tables = in->x->setup.tables;
	locale_t before = (locale_t)0;

	if (!in->deep && !may_be_encrypted(in->found->format))
		return;
	if (tables != NULL && tables->locale_opened)
		before = uselocale(tables->locale);

	if (in->found->format == FORMAT_ZIP)
		read_zip(in);
	else if (in->found->format == FORMAT_RAR)
		read_rar(in);
	else
		read_by_library(in, in->found->format);

	if (before != (locale_t)0)
		(void)uselocale(before);
}
