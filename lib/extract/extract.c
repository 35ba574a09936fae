#include "lib/extract/extract.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/extract/magic.h"
#include "lib/extract/state.h"
#include "lib/extract/zip.h"
#include "lib/text/charset.h"

#define PATH_MAX_BYTES ((size_t)4096) /* of a path in a fault; longer ones are cut */
#define FREE_EXPANSION ((uint64_t)8 * 1024 * 1024)

const char *file_format_word(enum file_format format)
{
	static const char *const words[] = {
#define F(name, word, type) [FORMAT_##name] = word,
	    FILE_FORMATS(F)
#undef F
	};

	return format < FORMAT_COUNT ? words[format] : "";
}

const char *extract_fault_word(enum extract_fault fault)
{
	static const char *const words[] = {
#define U(name, word) [EXTRACT_##name] = word,
	    EXTRACT_FAULTS(U)
#undef U
	};

	return fault < EXTRACT_FAULT_COUNT ? words[fault] : "";
}

const char *convert_tool_word(enum convert_tool tool)
{
	static const char *const words[] = {
#define T(name, word) [CONVERT_##name] = word,
	    CONVERT_TOOLS(T)
#undef T
	};

	return tool < CONVERT_TOOL_COUNT ? words[tool] : "";
}

/* ---- tables ---------------------------------------------------------------------------------- */

/*
 * The modules of iconv are files, which the sandbox cannot open: whoever opened one keeps it loaded.
 */
static void keep_charsets(struct extract_tables *tables)
{
	static const char *const pairs[][2] = {
	    {"UTF-8", "ISO-8859-1"},
	    {"UTF-8", "CP932"},
	    {"UTF-8", "UTF-16LE"},
	};

	for (size_t i = 0; i < COUNT_OF(pairs); i++)
		tables->kept[i] = iconv_open(pairs[i][0], pairs[i][1]);
}

struct extract_tables *extract_prepare(void)
{
	struct extract_tables *tables = calloc(1, sizeof *tables);

	if (tables == NULL)
		return NULL;

	tables->magic = magic_prepare();
	if (tables->magic == NULL) {
		free(tables);
		return NULL;
	}
	tables->locale = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);
	tables->locale_opened = tables->locale != (locale_t)0;
	keep_charsets(tables);
	tzset(); /* some archives have local times: libarchive asks for the zone */
	return tables;
}

void extract_tables_free(struct extract_tables *tables)
{
	if (tables == NULL)
		return;
	for (size_t i = 0; i < COUNT_OF(tables->kept); i++) {
		if (tables->kept[i] != (iconv_t)-1)
			iconv_close(tables->kept[i]);
	}
	if (tables->locale_opened)
		freelocale(tables->locale);
	magic_set_free(tables->magic);
	free(tables);
}

struct extract *extract_new(const struct extract_setup *setup)
{
	struct extract *x = calloc(1, sizeof *x);

	if (x != NULL)
		x->setup = *setup;
	return x;
}

void extract_free(struct extract *x)
{
	free(x);
}

/* ---- telling --------------------------------------------------------------------------------- */

/* What concerns the message and not the file is told once for each file of the message. */
static bool told_before(struct extract *x, enum extract_fault fault)
{
	unsigned bit = 1U << fault;
	bool before = (x->limits_told & bit) != 0;

	x->limits_told |= bit;
	return before;
}

void inside_fault(struct inside *in, enum extract_fault fault)
{
	const struct extract_told *told = &in->x->setup.told;

	if (!in->deep)
		return;
	if (fault == EXTRACT_DEPTH && told_before(in->x, fault))
		return;
	told->fault(told->context, fault, in->path);
}

/* `path` and `name` with a '/' between them, cut at whole letters. NULL: no memory. */
static char *joined(const char *path, const char *name)
{
	size_t before = strlen(path), len = strlen(name);
	char *joined;

	before = before < PATH_MAX_BYTES ? before : PATH_MAX_BYTES;
	if (len > PATH_MAX_BYTES - before) {
		len = PATH_MAX_BYTES - before;
		while (len > 0 && ((unsigned char)name[len] & 0xc0) == 0x80)
			len--;
	}
	joined = malloc(before + 1 + len + 1);
	if (joined == NULL)
		return NULL;

	memcpy(joined, path, before);
	if (before > 0)
		joined[before++] = '/';
	memcpy(joined + before, name, len);
	joined[before + len] = '\0';
	return joined;
}

void inside_fault_at(struct inside *in, enum extract_fault fault, const char *name)
{
	struct inside at = *in;
	char *path = joined(in->path, name);

	if (path != NULL)
		at.path = path;
	inside_fault(&at, fault);
	free(path);
}

bool inside_text(struct inside *in, const char *utf8, size_t len)
{
	const struct extract_told *told = &in->x->setup.told;

	if (!in->deep)
		return false;
	if (len == 0)
		return true;
	in->x->text_open = true;
	return told->text(told->context, utf8, len);
}

void inside_text_ends(struct inside *in)
{
	const struct extract_told *told = &in->x->setup.told;

	if (in->x->text_open)
		told->text_ends(told->context);
	in->x->text_open = false;
}

static bool take_text(void *context, const char *bytes, size_t len)
{
	struct inside *in = context;

	return inside_text(in, bytes, len);
}

struct sink inside_sink(struct inside *in)
{
	return (struct sink){take_text, in};
}

/* ---- limits ---------------------------------------------------------------------------------- */

static bool beyond_ratio(const struct extract_limits *limits, uint64_t out, uint64_t in)
{
	uint64_t most;

	if (out <= FREE_EXPANSION)
		return false;
	if (__builtin_mul_overflow(in, limits->ratio, &most))
		return false;
	return out - FREE_EXPANSION > most;
}

bool inside_expand(struct inside *in, uint64_t out_more, uint64_t out_all, uint64_t in_all)
{
	struct extract *x = in->x;

	if (__builtin_add_overflow(x->expanded, out_more, &x->expanded))
		x->expanded = UINT64_MAX;
	if (x->expanded > x->setup.limits.expansion) {
		if (in->deep && !told_before(x, EXTRACT_EXPANSION))
			inside_fault(in, EXTRACT_EXPANSION);
		return false;
	}
	if (beyond_ratio(&x->setup.limits, out_all, in_all)) {
		inside_fault(in, EXTRACT_EXPANSION);
		return false;
	}
	return true;
}

bool inside_part(struct inside *in)
{
	struct extract *x = in->x;

	if (x->members >= x->setup.limits.members) {
		if (!told_before(x, EXTRACT_MEMBERS))
			inside_fault(in, EXTRACT_MEMBERS);
		return false;
	}
	x->members++;
	return true;
}

bool inside_member(struct inside *in, const struct extract_member *member)
{
	struct extract *x = in->x;
	struct extract_member told = *member;

	if (!in->deep)
		return true;
	if (!inside_part(in))
		return false;
	told.level = in->level + 1;
	x->setup.told.member(x->setup.told.context, &told);
	return true;
}

/* ---- the scratch file ------------------------------------------------------------------------ */

void spill_begin(struct extract *x, struct spill *spill)
{
	*spill = (struct spill){.x = x, .start = x->scratch_end};
}

bool spill_write(struct spill *spill, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n =
		    pwrite(spill->x->setup.scratch, bytes, len, (off_t)(spill->start + spill->len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n == 0 ? EIO : errno;
			return false;
		}
		bytes += n;
		len -= (size_t)n;
		spill->len += (uint64_t)n;
		spill->x->scratch_end = spill->start + spill->len;
	}
	return true;
}

struct source spill_source(const struct spill *spill)
{
	return (struct source){spill->x->setup.scratch, spill->start, spill->len};
}

void spill_end(struct spill *spill)
{
	spill->x->scratch_end = spill->start;
	spill->len = 0;
}

/* ---- members --------------------------------------------------------------------------------- */

void unpack_begin(struct unpacking *u)
{
	spill_begin(u->in->x, &u->spill);
	u->size = 0;
}

static bool unpack_take(void *context, const char *bytes, size_t len)
{
	struct unpacking *u = context;

	uint64_t copied = len < u->copies ? len : u->copies;

	u->size += len;
	u->copies -= copied;
	u->out += len - copied;
	if (!inside_expand(u->in, len - copied, u->out, u->in->file.size)) {
		u->stopped = true;
		return false;
	}
	if (!spill_write(&u->spill, bytes, len)) {
		inside_fault(u->in, EXTRACT_READ);
		u->stopped = true;
		return false;
	}
	return true;
}

struct sink unpack_sink(struct unpacking *u)
{
	return (struct sink){unpack_take, u};
}

void unpack_look(struct unpacking *u, const char *name)
{
	struct source file = spill_source(&u->spill);

	inside_file(u->in, &file, name);
}

void unpack_end(struct unpacking *u)
{
	spill_end(&u->spill);
}

bool is_utf8(const void *bytes, size_t len)
{
	const unsigned char *p = bytes, *end;

	if (len == 0)
		return true;
	for (end = p + len; p < end;) {
		unsigned c = *p++;
		unsigned more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
		uint32_t point = more == 0 ? c : c & (0x3fU >> more);

		if ((c >= 0x80 && c < 0xc2) || c > 0xf4 || (size_t)(end - p) < more)
			return false;
		for (unsigned i = 0; i < more; i++, p++) {
			if ((*p & 0xc0) != 0x80)
				return false;
			point = point << 6 | (*p & 0x3fU);
		}
		if ((more == 2 && (point < 0x800 || (point >= 0xd800 && point < 0xe000))) ||
		    (more == 3 && (point < 0x10000 || point > 0x10ffff)))
			return false;
	}
	return true;
}

const char *member_name(const void *raw, size_t len, struct buf *name)
{
	struct buf text;
	const char *label = is_utf8(raw, len) ? "UTF-8" : "CP932";

	buf_clear(name);
	buf_init(&text, MEMBER_NAME_MAX);
	if (!charset_convert(label, raw, len, &text))
		text.len = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.bytes[i] == '\0')
			buf_add_text(name, "\xef\xbf\xbd");
		else
			buf_add(name, text.bytes + i, 1);
	}
	buf_add(name, "", 1);
	buf_free(&text);
	return buf_ok(name) ? name->bytes : "";
}

/* ---- the dispatcher -------------------------------------------------------------------------- */

static bool is_zip_format(enum file_format format)
{
	return format == FORMAT_ZIP || format == FORMAT_OOXML || format == FORMAT_ODF;
}

/* A binary that no reader here knows. */
static void read_other(struct inside *in)
{
	if (strcmp(in->found->type, MAGIC_ENVELOPED) == 0) {
		in->found->encrypted = ENCRYPTED_ALL;
		inside_fault(in, EXTRACT_ENCRYPTED);
	} else {
		inside_fault(in, EXTRACT_FORMAT);
	}
}

/* A PGP message in letters looks like text, and says nothing to a reader of text. */
static void read_letters(struct inside *in)
{
	if (strcmp(in->found->type, MAGIC_PGP) == 0) {
		in->found->encrypted = ENCRYPTED_ALL;
		inside_fault(in, EXTRACT_ENCRYPTED);
	}
	if (in->deep)
		read_text(in);
}

static void read_program(struct inside *in)
{
	struct inside within = *in;
	uint64_t at;

	if (!in->deep)
		return;
	if (strncmp(in->found->type, "text/", 5) == 0) {
		read_text(in);
		return;
	}

	inside_fault(in, EXTRACT_FORMAT);
	if (magic_archive_within(&in->file, &at)) {
		struct extract_file found = {0};

		inside_fault(in, EXTRACT_AMBIGUOUS);
		within.file = source_part(&in->file, at, in->file.size);
		within.found = &found;
		found.format =
		    format_of(in->x->setup.tables, &within.file, "", found.type, sizeof found.type);
		if (found.format == FORMAT_SEVENZIP || found.format == FORMAT_RAR)
			read_archive(&within);
		in->found->encrypted = found.encrypted;
	}
}

static void read_format(struct inside *in)
{
	switch (in->found->format) {
	case FORMAT_TEXT:
	case FORMAT_HTML:
		read_letters(in);
		break;
	case FORMAT_RTF:
		read_rtf(in);
		break;
	case FORMAT_PDF:
		read_pdf(in);
		break;
	case FORMAT_OOXML:
	case FORMAT_ODF:
		read_zip_office(in);
		break;
	case FORMAT_OLE:
	case FORMAT_DOC:
	case FORMAT_XLS:
	case FORMAT_PPT:
	case FORMAT_MSG:
		read_ole(in);
		break;
	case FORMAT_ZIP:
	case FORMAT_SEVENZIP:
	case FORMAT_RAR:
	case FORMAT_LZH:
	case FORMAT_CAB:
	case FORMAT_TAR:
	case FORMAT_GZIP:
	case FORMAT_BZIP:
	case FORMAT_XZ:
	case FORMAT_ZSTD:
	case FORMAT_ISO:
		read_archive(in);
		break;
	case FORMAT_TNEF:
		if (in->deep)
			read_tnef(in);
		break;
	case FORMAT_MAIL:
		if (in->deep)
			read_mail(in);
		break;
	case FORMAT_PROGRAM:
		read_program(in);
		break;
	case FORMAT_EMPTY:
	case FORMAT_IMAGE: /* they have no text that a program could read */
	case FORMAT_AUDIO:
	case FORMAT_VIDEO:
	case FORMAT_SIGNATURE:
		break;
	case FORMAT_OTHER:
	case FORMAT_COUNT:
		read_other(in);
		break;
	}
}

static void look(struct inside *in)
{
	struct extract_file *found = in->found;
	bool as_zip;

	found->encrypted = ENCRYPTED_NO;
	found->format =
	    format_of(in->x->setup.tables, &in->file, in->name, found->type, sizeof found->type);
	as_zip = is_zip_format(found->format);
	read_format(in);
	inside_text_ends(in);

	/*
	 * A ZIP is found from its end: it may stand behind a program or a picture, and then one
	 * program shows the one and another the other.
	 */
	if (!as_zip && in->deep && zip_ends_here(&in->file)) {
		read_zip(in); /* tells that it is ambiguous */
		inside_text_ends(in);
	}
}

void inside_file_labelled(
    struct inside *in, const struct source *file, const char *name, const char *label)
{
	struct extract_file found = {0};
	struct inside within = {
	    .x = in->x,
	    .file = *file,
	    .name = name,
	    .label = label,
	    .level = in->level + 1,
	    .deep = in->deep,
	    .found = &found,
	};
	char *path;

	inside_text_ends(in);
	path = joined(in->path, name);
	if (path == NULL) {
		inside_fault(in, EXTRACT_MEMORY);
		return;
	}
	within.path = path;

	/* The file itself may be read at any depth; what it contains may not. */
	if (within.level > in->x->setup.limits.depth)
		inside_fault(&within, EXTRACT_DEPTH);
	else
		look(&within);
	free(path);
}

void inside_file(struct inside *in, const struct source *file, const char *name)
{
	inside_file_labelled(in, file, name, "");
}

void extract_file(struct extract *x, const struct source *file, const char *name, const char *label,
    bool deep, struct extract_file *found)
{
	struct inside in = {
	    .x = x,
	    .file = *file,
	    .name = name,
	    .label = label,
	    .path = "",
	    .deep = deep,
	    .found = found,
	};

	*found = (struct extract_file){0};
	x->limits_told = 0;
	x->scratch_end = 0;
	look(&in);
}
