/* What a page says of an attachment: its name, what it is, and what to be careful of. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/extract/ole.h"
#include "lib/extract/zip.h"
#include "lib/inspect/kinds.h"
#include "lib/inspect/tables.h"
#include "lib/inspect/view.h"
#include "lib/mime/field.h"
#include "lib/mime/word.h"

#define NAME_BYTES   ((size_t)1024)
#define MEMBERS_SEEN 10000 /* of a ZIP, whose names are read without unpacking it */

const char *view_warning_word(enum view_warning warning)
{
	static const char *const words[] = {
#define W(name, word) word,
	    VIEW_WARNINGS(W)
#undef W
	};

	return words[warning];
}

static void warn(struct view_file *file, enum view_warning warning)
{
	file->warnings |= 1u << warning;
}

/* ---- members of archives ---- */

/* Extensions of what is run, and of what holds other files; each between blanks. */
static const char programs[] = " .exe .com .scr .pif .bat .cmd .msi .msp .msix .appx .cpl .dll "
			       ".ocx .sys .js .jse .vbs .vbe .vb .wsf "
			       ".wsh .wsc .sct .hta .ps1 .psm1 .psc1 .sh .py .pyw .pl .rb .jar "
			       ".class .jnlp .lnk .url .desktop .reg "
			       ".inf .chm .hlp .msc .gadget .scf .application .appref .xll .xlam "
			       ".app .command .dmg .pkg .deb .rpm "
			       ".apk .elf .run .settingcontent-ms .library-ms .search-ms ";
static const char archives[] = " .zip .7z .rar .lzh .lha .cab .tar .tar.gz .tgz .tar.bz2 .tbz "
			       ".tbz2 .tar.xz .txz .tar.zst .gz .bz2 .xz "
			       ".zst .iso .img .arj .ace .z ";

static bool is_in(const char *list, const char *extension)
{
	size_t len = strlen(extension);

	for (const char *at = list; len > 0 && (at = strstr(at, extension)) != NULL; at += len) {
		if (at[-1] == ' ' && at[len] == ' ')
			return true;
	}
	return false;
}

struct members {
	struct inspection *i;
	struct view_file *file;
	bool deep; /* names within are looked for */
};

/* An archive within one is known by its name: by its bytes, it would have to be unpacked first. */
static void see_name(struct members *m, const char *raw)
{
	struct filename name;

	filename_canonical(tables_norm(m->i->by->tables), raw, strlen(raw), &name);
	if (is_in(programs, name.extension))
		warn(m->file, VIEW_WARNS_PROGRAM);
	if (is_in(archives, name.extension))
		warn(m->file, VIEW_WARNS_NESTED);
}

static void told_member(void *context, const struct extract_member *member)
{
	struct members *m = context;

	if (member->is_folder)
		return;
	if (member->encrypted)
		warn(m->file, VIEW_WARNS_ENCRYPTED);
	see_name(m, member->name);
}

static void told_fault(void *context, enum extract_fault fault, const char *member)
{
	struct members *m = context;

	(void)member;
	if (fault == EXTRACT_ENCRYPTED)
		warn(m->file, VIEW_WARNS_ENCRYPTED);
}

static bool told_text(void *context, const char *utf8, size_t len)
{
	(void)context;
	(void)utf8;
	(void)len;
	return false; /* names are wanted, and no text */
}

static void told_text_ends(void *context)
{
	(void)context;
}

/*
 * Nobody converts here. A file that was to be converted although no text is wanted says that it is encrypted, be it
 * against changes alone (lib/extract/pdf.c).
 */
static bool told_convert(void *context, enum convert_tool tool, const struct source *file,
    struct sink out, bool *encrypted)
{
	struct members *m = context;

	if (!m->deep)
		warn(m->file, VIEW_WARNS_ENCRYPTED);
	(void)tool;
	(void)file;
	(void)out;
	*encrypted = false;
	return false;
}

/* All names of a ZIP; what is unpacked below ends at a limit. */
static void see_zip(struct members *m, const struct source *file)
{
	struct zip_walk walk;
	struct zip_entry entry;
	struct buf name;
	struct zip zip;

	if (zip_open(&zip, file) != ZIP_OK)
		return;
	buf_init(&name, NAME_BYTES * 4);
	zip_walk_begin(&walk, &zip);
	for (int n = 0; n < MEMBERS_SEEN && zip_walk_next(&walk, &entry) == ZIP_OK; n++) {
		if (!entry.is_folder)
			see_name(m, zip_name(&entry, &name));
	}
	zip_walk_end(&walk);
	buf_free(&name);
}

static bool is_archive(enum file_format format)
{
	static const enum file_format formats[] = {FORMAT_ZIP, FORMAT_SEVENZIP, FORMAT_RAR,
	    FORMAT_LZH, FORMAT_CAB, FORMAT_TAR, FORMAT_GZIP, FORMAT_BZIP, FORMAT_XZ, FORMAT_ZSTD,
	    FORMAT_ISO};

	for (size_t k = 0; k < COUNT_OF(formats); k++) {
		if (format == formats[k])
			return true;
	}
	return false;
}

/* ---- macros ---- */

/* Where Word and Excel keep them (MS-OVBA, section 2.2.1). */
static bool has_macros_of_ole(const struct source *file)
{
	enum ole_status status;
	struct ole *ole = ole_open(file, &status);
	bool has = false;

	for (uint32_t k = 0; ole != NULL && !has && k < ole_entries(ole); k++) {
		const struct ole_entry *entry = ole_entry(ole, k);
		char name[33];

		ole_name(entry, name);
		has = entry->kind == OLE_STORAGE &&
		      (strcasecmp(name, "VBA") == 0 || strcasecmp(name, "Macros") == 0 ||
			  strcasecmp(name, "_VBA_PROJECT_CUR") == 0);
	}
	ole_close(ole);
	return has;
}

static bool has_macros(const struct source *file, const struct extract_file *found)
{
	enum file_format f = found->format;

	if (f == FORMAT_OOXML)
		return strcasestr(found->type, "macroEnabled") != NULL;
	return (f == FORMAT_OLE || f == FORMAT_DOC || f == FORMAT_XLS || f == FORMAT_PPT) &&
	       has_macros_of_ole(file);
}

/* ---- its name ---- */

static bool find_subject(const struct buf *header, struct buf *subject)
{
	struct field f;
	size_t at = 0;

	while (header->len > 0 && field_next(header->bytes, header->len, &at, &f)) {
		if (f.name_len > 0 && field_is(&f, "Subject")) {
			(void)!word_decode(f.body, f.body_len, subject, NULL);
			return true;
		}
	}
	return false;
}

/* A message has no name of its own: its subject is one. Of the part in it, which is the next. */
static void name_by_subject(struct inspection *i, size_t part, struct filename *name)
{
	struct buf header, subject;
	size_t within = part + 1;

	if (within >= i->tree.count || i->tree.parts[within].parent != part)
		return;
	buf_init(&header, 2 * (size_t)i->by->ask.limits.inspect_header);
	buf_init(&subject, NAME_BYTES);
	if (part_header(i, within, &header) && find_subject(&header, &subject) && subject.len > 0) {
		size_t blanks = 0;

		/* A subject has slashes of its own: what stands before one is no folder. */
		for (size_t k = 0; k < subject.len; k++) {
			if (strchr("/\\:", subject.bytes[k]) != NULL)
				subject.bytes[k] = '_';
		}
		while (blanks < subject.len && strchr(" \t", subject.bytes[blanks]) != NULL)
			blanks++;
		subject.bound += 8;
		buf_add_text(&subject, ".eml");
		filename_canonical(
		    tables_norm(i->by->tables), subject.bytes + blanks, subject.len - blanks, name);
	}
	buf_free(&header);
	buf_free(&subject);
}

static void read_name(struct inspection *i, size_t part, struct view_file *file)
{
	const struct mime_part *p = &i->tree.parts[part];

	filename_canonical(tables_norm(i->by->tables), p->name, strlen(p->name), &file->name);
	if (*file->name.text == '\0' && i->view[part].role == ROLE_MESSAGE)
		name_by_subject(i, part, &file->name);
	if ((file->name.marks & (1u << FILENAME_DIRECTION)) != 0)
		warn(file, VIEW_WARNS_NAME);
	if ((file->name.marks & (1u << FILENAME_DOUBLE)) != 0)
		warn(file, VIEW_WARNS_DOUBLE);
}

/* ---- one file ---- */

bool view_has_time(const struct inspection *i)
{
	const struct inspect_limits *l = &i->by->ask.limits;
	int64_t most = (l->inspect_cpu < l->inspect_time ? l->inspect_cpu : l->inspect_time) / 4;
	struct timespec used;

	return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0 &&
	       (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000 < most;
}

static bool is_told(enum part_role role)
{
	switch (role) {
	case ROLE_FILE:
	case ROLE_INLINE:
	case ROLE_SIGNATURE:
	case ROLE_CALENDAR:
	case ROLE_REPORT:
	case ROLE_MESSAGE:
	case ROLE_SEALED:
		return true;
	case ROLE_CONTAINER:
	case ROLE_BODY:
	case ROLE_COUNT:
		break;
	}
	return false;
}

/* What the bytes are; `deep`: and what is in an archive. */
static void open_file(struct inspection *i, struct view_file *file, const struct source *bytes,
    const char *label, bool deep, struct extract_file *found)
{
	struct members members = {i, file, deep};

	if (deep && found->format == FORMAT_ZIP)
		see_zip(&members, bytes);
	i->told = (struct extract_told){
	    &members, told_text, told_text_ends, told_member, told_fault, told_convert};
	if (files_ready(i))
		extract_file(i->extract, bytes, file->name.text, label, deep, found);
	extract_free(i->extract);
	i->extract = NULL;
	i->told = (struct extract_told){.context = NULL};
}

static void judge(struct inspection *i, size_t part, struct view_file *file,
    const struct source *bytes, struct extract_file *found)
{
	const struct mime_part *p = &i->tree.parts[part];

	file->unopened = is_archive(found->format) && !view_has_time(i);
	if (is_archive(found->format) && !file->unopened)
		open_file(i, file, bytes, p->charset, true, found);
	if (found->encrypted == ENCRYPTED_ALL || found->encrypted == ENCRYPTED_SOME)
		warn(file, VIEW_WARNS_ENCRYPTED);
	if (found->format == FORMAT_PROGRAM || is_in(programs, file->name.extension))
		warn(file, VIEW_WARNS_PROGRAM);
	if (has_macros(bytes, found))
		warn(file, VIEW_WARNS_MACROS);
	/* A program that is called one is what its name says. */
	if (found->format == FORMAT_PROGRAM && is_in(programs, file->name.extension))
		return;
	if (strcmp(kind_as_named(found->format, found->type, file->name.extension, file->type),
		"no") == 0)
		warn(file, VIEW_WARNS_TYPE);
}

bool view_look_at_file(struct inspection *i, size_t part, struct view_file *file)
{
	const struct mime_part *p = &i->tree.parts[part];
	struct extract_file found = {.encrypted = ENCRYPTED_UNKNOWN};
	struct source bytes;

	if (!is_told(i->view[part].role) || p->letter != 0)
		return false;
	*file = (struct view_file){.warnings = 0};
	(void)stpcpy(stpcpy(stpcpy(file->type, p->type), "/"), p->subtype);
	read_name(i, part, file);
	if (i->view[part].role == ROLE_SEALED)
		warn(file, VIEW_WARNS_ENCRYPTED);
	if (i->view[part].role == ROLE_MESSAGE && p->children > 0) {
		file->size = p->end - p->body;
		(void)snprintf(file->kind, sizeof file->kind, "message/rfc822");
		return true;
	}
	if (!part_decode(i, part, p->encoding, &bytes)) {
		file->size = p->end - p->body;
		return true;
	}
	file->size = bytes.size;
	open_file(i, file, &bytes, p->charset, false, &found);
	part_settle_role(i, part, &bytes, &found);
	file->shown = i->view[part].role == ROLE_INLINE;
	judge(i, part, file, &bytes, &found);
	(void)snprintf(file->kind, sizeof file->kind, "%s", found.type);
	return true;
}
