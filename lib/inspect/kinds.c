#include "lib/inspect/kinds.h"

#include <string.h>

#define IS(format) (UINT64_C(1) << FORMAT_##format)

/* What an extension promises. Text that is not of a format of its own is text. */
static const struct {
	const char *extension;
	uint64_t formats;
	const char *type; /* beginning of the type by the bytes, where the format is not enough */
} extensions[] = {
    {".pdf", IS(PDF), NULL}, {".zip", IS(ZIP), NULL}, {".zi_", IS(ZIP), NULL},
    {".jar", IS(ZIP), NULL}, {".7z", IS(SEVENZIP), NULL}, {".rar", IS(RAR), NULL},
    {".lzh", IS(LZH), NULL}, {".lha", IS(LZH), NULL}, {".cab", IS(CAB), NULL},
    {".tar", IS(TAR), NULL}, {".tar.gz", IS(GZIP), NULL}, {".tgz", IS(GZIP), NULL},
    {".gz", IS(GZIP), NULL}, {".tar.bz2", IS(BZIP), NULL}, {".bz2", IS(BZIP), NULL},
    {".tar.xz", IS(XZ), NULL}, {".xz", IS(XZ), NULL}, {".tar.zst", IS(ZSTD), NULL},
    {".zst", IS(ZSTD), NULL}, {".iso", IS(ISO), NULL}, {".docx", IS(OOXML) | IS(OLE), NULL},
    {".docm", IS(OOXML) | IS(OLE), NULL}, {".xlsx", IS(OOXML) | IS(OLE), NULL},
    {".xlsm", IS(OOXML) | IS(OLE), NULL}, {".pptx", IS(OOXML) | IS(OLE), NULL},
    {".pptm", IS(OOXML) | IS(OLE), NULL}, {".doc", IS(DOC) | IS(OLE) | IS(RTF), NULL},
    {".xls", IS(XLS) | IS(OLE), NULL}, {".ppt", IS(PPT) | IS(OLE), NULL},
    {".msg", IS(MSG) | IS(OLE), NULL}, {".odt", IS(ODF), NULL}, {".ods", IS(ODF), NULL},
    {".odp", IS(ODF), NULL}, {".rtf", IS(RTF), NULL}, {".txt", IS(TEXT) | IS(EMPTY), NULL},
    {".csv", IS(TEXT) | IS(EMPTY), NULL}, {".tsv", IS(TEXT) | IS(EMPTY), NULL},
    {".log", IS(TEXT) | IS(EMPTY), NULL}, {".ics", IS(TEXT), NULL}, {".vcf", IS(TEXT), NULL},
    {".xml", IS(TEXT) | IS(HTML), NULL}, {".json", IS(TEXT), NULL},
    {".html", IS(HTML) | IS(TEXT), NULL}, {".htm", IS(HTML) | IS(TEXT), NULL},
    {".eml", IS(MAIL) | IS(TEXT), NULL}, {".jpg", IS(IMAGE), "image/jpeg"},
    {".jpeg", IS(IMAGE), "image/jpeg"}, {".png", IS(IMAGE), "image/png"},
    {".gif", IS(IMAGE), "image/gif"}, {".bmp", IS(IMAGE), "image/"},
    {".tif", IS(IMAGE), "image/tiff"}, {".tiff", IS(IMAGE), "image/tiff"},
    {".webp", IS(IMAGE), "image/webp"}, {".svg", IS(IMAGE) | IS(TEXT) | IS(HTML), NULL},
    {".heic", IS(IMAGE), NULL}, {".mp3", IS(AUDIO), NULL}, {".wav", IS(AUDIO), NULL},
    {".mp4", IS(VIDEO), NULL}, {".mov", IS(VIDEO), NULL}, {".avi", IS(VIDEO), NULL},
    {".mpg", IS(VIDEO), NULL}, {".exe", IS(PROGRAM), NULL}, {".dll", IS(PROGRAM), NULL},
    {".p7s", IS(SIGNATURE) | IS(OTHER), NULL},
    {".dat", ~UINT64_C(0), NULL}, /* winmail.dat, and whatever else is called so */
};

/* What a declared type promises; types that promise nothing are not here. */
static const struct {
	const char *type; /* the whole, or with a '/' at the end its beginning */
	uint64_t formats;
} declarations[] = {
    {"application/pdf", IS(PDF)},
    {"application/zip", IS(ZIP) | IS(OOXML) | IS(ODF)},
    {"application/x-zip-compressed", IS(ZIP) | IS(OOXML) | IS(ODF)},
    {"application/x-7z-compressed", IS(SEVENZIP)},
    {"application/msword", IS(DOC) | IS(OLE) | IS(RTF) | IS(OOXML)},
    {"application/vnd.ms-excel", IS(XLS) | IS(OLE) | IS(OOXML) | IS(TEXT)},
    {"application/vnd.ms-powerpoint", IS(PPT) | IS(OLE) | IS(OOXML)},
    {"application/rtf", IS(RTF)},
    {"application/ms-tnef", IS(TNEF)},
    {"text/html", IS(HTML) | IS(TEXT) | IS(EMPTY)},
    {"text/", IS(TEXT) | IS(HTML) | IS(RTF) | IS(EMPTY) | IS(MAIL)},
    {"image/svg+xml", IS(IMAGE) | IS(TEXT) | IS(HTML)},
    {"image/", IS(IMAGE)},
    {"audio/", IS(AUDIO) | IS(VIDEO)},
    {"video/", IS(VIDEO) | IS(AUDIO)},
    {"message/rfc822", IS(MAIL) | IS(TEXT)},
};

bool kind_is_extension(const char *extension)
{
	for (size_t i = 0; i < COUNT_OF(extensions); i++) {
		if (strcmp(extension, extensions[i].extension) == 0)
			return true;
	}
	return false;
}

enum answer { SAYS_NOTHING, SAYS_YES, SAYS_NO };

static enum answer by_extension(enum file_format format, const char *type, const char *extension)
{
	for (size_t i = 0; i < COUNT_OF(extensions); i++) {
		if (strcmp(extension, extensions[i].extension) != 0)
			continue;
		if ((extensions[i].formats & (UINT64_C(1) << format)) == 0)
			return SAYS_NO;
		if (extensions[i].type == NULL || format != FORMAT_IMAGE)
			return SAYS_YES;
		return strncmp(type, extensions[i].type, strlen(extensions[i].type)) == 0 ? SAYS_YES
											  : SAYS_NO;
	}
	/* A program is never what an extension without a promise lets expect. */
	return format == FORMAT_PROGRAM ? SAYS_NO : SAYS_NOTHING;
}

static enum answer by_declaration(enum file_format format, const char *declared)
{
	for (size_t i = 0; i < COUNT_OF(declarations); i++) {
		const char *type = declarations[i].type;
		size_t len = strlen(type);
		bool same = type[len - 1] == '/' ? strncmp(declared, type, len) == 0
						 : strcmp(declared, type) == 0;

		if (same)
			return (declarations[i].formats & (UINT64_C(1) << format)) != 0 ? SAYS_YES
											: SAYS_NO;
	}
	if (strstr(declared, "openxmlformats") != NULL)
		return format == FORMAT_OOXML || format == FORMAT_OLE ? SAYS_YES : SAYS_NO;
	if (strstr(declared, "opendocument") != NULL)
		return format == FORMAT_ODF ? SAYS_YES : SAYS_NO;
	return SAYS_NOTHING;
}

const char *kind_as_named(
    enum file_format format, const char *type, const char *extension, const char *declared)
{
	enum answer name = by_extension(format, type, extension);
	enum answer declaration = by_declaration(format, declared);

	if (name == SAYS_NO || declaration == SAYS_NO)
		return "no";
	return name == SAYS_YES || declaration == SAYS_YES ? "yes" : "unknown";
}
