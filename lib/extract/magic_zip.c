/* What kind of ZIP: an archive, or a document that is a package of parts. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/extract/magic.h"
#include "lib/extract/state.h"
#include "lib/extract/zip.h"

#define MEMBERS_ASKED ((uint64_t)20000)
#define TYPES_MOST    ((size_t)1024 * 1024)

struct seen {
	struct zip zip;
	struct buf types;    /* [Content_Types].xml */
	struct buf mimetype; /* ODF, EPUB */
	bool folders;        /* word/, xl/, ppt/ … */
	bool odf_manifest;
	bool odf_content;
	bool java;
	bool android;
};

static bool is_named(const struct zip_entry *entry, const char *name)
{
	return entry->name_len == strlen(name) &&
	       strncasecmp((const char *)entry->name, name, entry->name_len) == 0;
}

static bool is_below(const struct zip_entry *entry, const char *folder)
{
	return entry->name_len > strlen(folder) &&
	       strncasecmp((const char *)entry->name, folder, strlen(folder)) == 0;
}

/* As much as there is room for. */
static bool take(void *context, const char *bytes, size_t len)
{
	struct buf *into = context;

	for (size_t i = 0; i < len && buf_ok(into); i++) {
		if (bytes[i] != '\0') /* UTF-16 reads like ASCII without its zeros */
			buf_add(into, bytes + i, 1);
	}
	return buf_ok(into);
}

static void see_entry(struct seen *s, const struct zip_entry *entry)
{
	struct buf *into = NULL;

	if (is_named(entry, "[Content_Types].xml") && s->types.len == 0)
		into = &s->types;
	else if (is_named(entry, "mimetype") && s->mimetype.len == 0)
		into = &s->mimetype;
	if (into != NULL && !entry->encrypted &&
	    zip_unpack(&s->zip, entry, (struct sink){take, into}) != ZIP_OK)
		into->failed = false; /* its beginning will do */
	if (into != NULL && into->len == 0)
		buf_add_text(into, "-");

	s->folders |= is_below(entry, "word/") || is_below(entry, "xl/") ||
		      is_below(entry, "ppt/") || is_below(entry, "visio/");
	s->odf_manifest |= is_named(entry, "META-INF/manifest.xml");
	s->odf_content |= is_named(entry, "content.xml");
	s->java |= is_named(entry, "META-INF/MANIFEST.MF");
	s->android |= is_named(entry, "AndroidManifest.xml");
}

/* The main part's type in [Content_Types].xml, and the document's. */
static const char *office_type(const struct seen *s)
{
	static const char *const pairs[][2] = {
#define P "application/vnd.openxmlformats-officedocument."
	    {"wordprocessingml.document.main", P "wordprocessingml.document"},
	    {"wordprocessingml.template.main", P "wordprocessingml.template"},
	    {"spreadsheetml.sheet.main", P "spreadsheetml.sheet"},
	    {"spreadsheetml.template.main", P "spreadsheetml.template"},
	    {"presentationml.presentation.main", P "presentationml.presentation"},
	    {"presentationml.slideshow.main", P "presentationml.slideshow"},
	    {"presentationml.template.main", P "presentationml.template"},
#undef P
	    {"ms-word.document.macroEnabled.main",
		"application/vnd.ms-word.document.macroEnabled.12"},
	    {"ms-word.template.macroEnabledTemplate.main",
		"application/vnd.ms-word.template.macroEnabled.12"},
	    {"ms-excel.sheet.macroEnabled.main", "application/vnd.ms-excel.sheet.macroEnabled.12"},
	    {"ms-excel.template.macroEnabled.main",
		"application/vnd.ms-excel.template.macroEnabled.12"},
	    {"ms-excel.addin.macroEnabled.main", "application/vnd.ms-excel.addin.macroEnabled.12"},
	    {"ms-excel.sheet.binary.macroEnabled.main",
		"application/vnd.ms-excel.sheet.binary.macroEnabled.12"},
	    {"ms-powerpoint.presentation.macroEnabled.main",
		"application/vnd.ms-powerpoint.presentation.macroEnabled.12"},
	    {"ms-powerpoint.slideshow.macroEnabled.main",
		"application/vnd.ms-powerpoint.slideshow.macroEnabled.12"},
	    {"ms-visio.drawing.main", "application/vnd.ms-visio.drawing"},
	};

	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		if (memmem(s->types.bytes, s->types.len, pairs[i][0], strlen(pairs[i][0])) != NULL)
			return pairs[i][1];
	}
	return s->folders ? "application/vnd.openxmlformats-officedocument" : NULL;
}

static bool mimetype_begins(const struct seen *s, const char *word)
{
	return s->mimetype.len >= strlen(word) &&
	       memcmp(s->mimetype.bytes, word, strlen(word)) == 0;
}

static enum file_format judge(struct seen *s, char *type, size_t room)
{
	const char *office = s->types.len > 0 ? office_type(s) : NULL;

	if (office != NULL) {
		(void)snprintf(type, room, "%s", office);
		return FORMAT_OOXML;
	}
	if (mimetype_begins(s, "application/vnd.oasis.opendocument") ||
	    mimetype_begins(s, "application/vnd.sun.xml.")) {
		size_t len = 0;

		while (len < s->mimetype.len && s->mimetype.bytes[len] > ' ' &&
		       s->mimetype.bytes[len] < 0x7f)
			len++;
		(void)snprintf(
		    type, room, "%.*s", (int)(len < room ? len : room - 1), s->mimetype.bytes);
		return FORMAT_ODF;
	}
	if (s->odf_manifest && s->odf_content) {
		(void)snprintf(type, room, "application/vnd.oasis.opendocument");
		return FORMAT_ODF;
	}

	(void)snprintf(type, room, "%s",
	    mimetype_begins(s, "application/epub+zip") ? "application/epub+zip"
	    : s->android                               ? "application/vnd.android.package-archive"
	    : s->java                                  ? "application/java-archive"
						       : "application/zip");
	return FORMAT_ZIP;
}

enum file_format zip_format(const struct source *file, char *type, size_t room)
{
	struct seen s = {0};
	struct zip_walk walk;
	struct zip_entry entry;
	enum file_format format;

	buf_init(&s.types, TYPES_MOST);
	buf_init(&s.mimetype, 256);
	if (zip_open(&s.zip, file) == ZIP_OK) {
		zip_walk_begin(&walk, &s.zip);
		while (walk.count < MEMBERS_ASKED && zip_walk_next(&walk, &entry) == ZIP_OK)
			see_entry(&s, &entry);
		zip_walk_end(&walk);
	}
	format = judge(&s, type, room);
	buf_free(&s.types);
	buf_free(&s.mimetype);
	return format;
}
