#include "lib/extract/magic.h"

#include <errno.h>
#include <magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/extract/state.h"

#define HEAD       EXTRACT_HEAD
#define OVERLAY    ((size_t)2 * 1024 * 1024) /* how far a program reaches before its archive */
#define PDF_WITHIN ((size_t)1024)            /* readers of PDF accept junk before it */

struct magic_set {
	magic_t cookie;
};

struct magic_set *magic_prepare(void)
{
	/* Text is judged by ourselves; containers are looked into by their readers. */
	int flags = MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR |
		    MAGIC_NO_CHECK_TOKENS | MAGIC_NO_CHECK_CDF | MAGIC_NO_CHECK_JSON |
		    MAGIC_NO_CHECK_CSV | MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_ENCODING |
		    MAGIC_NO_CHECK_TEXT;
	struct magic_set *set = calloc(1, sizeof *set);

	if (set == NULL)
		return NULL;
	set->cookie = magic_open(flags);
	if (set->cookie == NULL || magic_load(set->cookie, NULL) != 0) {
		int error = errno != 0 ? errno : ENOENT;

		magic_set_free(set);
		errno = error;
		return NULL;
	}
	return set;
}

void magic_set_free(struct magic_set *set)
{
	if (set == NULL)
		return;
	if (set->cookie != NULL)
		magic_close(set->cookie);
	free(set);
}

/* ---- signatures ------------------------------------------------------------------------------ */

struct signature {
	size_t at;
	const char *bytes;
	size_t len;
	enum file_format format;
	const char *type; /* NULL: the one of the format */
};

#define S(at, bytes, format, type)                                                                 \
	{                                                                                          \
		at, bytes, sizeof(bytes) - 1, FORMAT_##format, type                                \
	}

/* Short ones, and those of text, are not here: they need a second look. */
static const struct signature signatures[] = {
    S(0, "7z\xbc\xaf\x27\x1c", SEVENZIP, NULL),
    S(0, "Rar!\x1a\x07\x00", RAR, NULL),
    S(0, "Rar!\x1a\x07\x01\x00", RAR, NULL),
    S(0, "MSCF\0\0\0\0", CAB, NULL),
    S(0, "\x1f\x8b\x08", GZIP, NULL),
    S(4, "1AY&SY", BZIP, NULL),
    S(4, "\x17\x72\x45\x38\x50\x90", BZIP, NULL),
    S(0,
	"\xfd"
	"7zXZ\0",
	XZ, NULL),
    S(0, "\x28\xb5\x2f\xfd", ZSTD, NULL),
    S(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE, NULL),
    S(0, "\x78\x9f\x3e\x22", TNEF, NULL),
    S(32769, "CD001", ISO, NULL),
    S(34817, "CD001", ISO, NULL),
    S(0,
	"\x7f"
	"ELF",
	PROGRAM, "application/x-elf"),
    S(0, "\xfe\xed\xfa\xce", PROGRAM, "application/x-mach-binary"),
    S(0, "\xfe\xed\xfa\xcf", PROGRAM, "application/x-mach-binary"),
    S(0, "\xce\xfa\xed\xfe", PROGRAM, "application/x-mach-binary"),
    S(0, "\xcf\xfa\xed\xfe", PROGRAM, "application/x-mach-binary"),
    S(0, "\xca\xfe\xba\xbe", PROGRAM, "application/x-java-applet"),
    S(0, "\0asm", PROGRAM, "application/wasm"),
    S(0, "L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", PROGRAM, "application/x-ms-shortcut"),
    S(0, "\x89PNG\r\n\x1a\n", IMAGE, "image/png"),
    S(0, "\xff\xd8\xff", IMAGE, "image/jpeg"),
    S(0, "GIF87a", IMAGE, "image/gif"),
    S(0, "GIF89a", IMAGE, "image/gif"),
    S(0, "II*\0", IMAGE, "image/tiff"),
    S(0, "MM\0*", IMAGE, "image/tiff"),
    S(8, "WEBPVP8", IMAGE, "image/webp"),
    S(40, " EMF", IMAGE, "image/emf"),
    S(0, "VCLMTF", IMAGE, "image/x-svm"),
    S(0, "8BPS\0\1", IMAGE, "image/vnd.adobe.photoshop"),
    S(0, "8BPS\0\2", IMAGE, "image/vnd.adobe.photoshop"),
    S(522, "\0\x11\x02\xff\x0c\0", IMAGE, "image/x-pict"),
    S(10, "\0\x11\x02\xff\x0c\0", IMAGE, "image/x-pict"),
    S(0, "wOFF", IMAGE, "font/woff"),
    S(0, "wOF2", IMAGE, "font/woff2"),
    S(0, "ttcf\0", IMAGE, "font/collection"),
};

#undef S

static bool stands_at(const unsigned char *head, size_t len, size_t at, const char *bytes, size_t n)
{
	return at <= len && len - at >= n && memcmp(head + at, bytes, n) == 0;
}

static const char *type_of(enum file_format format)
{
	static const char *const types[] = {
#define F(name, word, type) [FORMAT_##name] = type,
	    FILE_FORMATS(F)
#undef F
	};

	return types[format];
}

/* Sum of the header's bytes with the field of the sum as blanks. */
bool magic_is_tar(const unsigned char *head, size_t len)
{
	char digits[9] = "";
	unsigned long sum = 8 * ' ';

	if (len < 512 || head[0] == '\0')
		return false;
	for (size_t i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? 0 : head[i];
	memcpy(digits, head + 148, 8);
	return strtoul(digits, NULL, 8) == sum;
}

/* "-lh5-", "-lz4-", "-pm2-" behind the length and the sum of the header. */
static bool is_lzh(const unsigned char *head, size_t len)
{
	return len > 21 && head[2] == '-' && head[6] == '-' &&
	       (memcmp(head + 3, "lh", 2) == 0 || memcmp(head + 3, "lz", 2) == 0 ||
		   memcmp(head + 3, "pm", 2) == 0) &&
	       head[20] <= 3;
}

/* "MZ" alone is a word; with the rest of an old header, or bytes that are no text, it is a program. */
static bool is_dos_program(const unsigned char *head, size_t len)
{
	return len >= 2 && (memcmp(head, "MZ", 2) == 0 || memcmp(head, "ZM", 2) == 0) &&
	       !magic_is_text(head, len);
}

static bool is_zip(const unsigned char *head, size_t len)
{
	return stands_at(head, len, 0, "PK\3\4", 4) || stands_at(head, len, 0, "PK\5\6", 4) ||
	       stands_at(head, len, 0, "PK\7\b", 4) || stands_at(head, len, 0, "PK00PK", 6);
}

/* PKCS #7 in DER (RFC 5652): a SEQUENCE that begins with the OID of its kind. */
static enum file_format pkcs7(const unsigned char *head, size_t len)
{
	static const unsigned char oid[] = {
	    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07};
	size_t at;

	if (len < 24 || head[0] != 0x30)
		return FORMAT_COUNT;
	for (at = 2; at <= 6; at++) {
		if (memcmp(head + at, oid, sizeof oid) != 0)
			continue;
		if (head[at + sizeof oid] == 2)
			return FORMAT_SIGNATURE;
		if (head[at + sizeof oid] == 3 || head[at + sizeof oid] == 6)
			return FORMAT_OTHER;
	}
	return FORMAT_COUNT;
}

/* A directory of tables whose first has a name of four letters (OpenType, "Font Tables"). */
static bool is_font(const unsigned char *head, size_t len)
{
	if (!stands_at(head, len, 0, "\0\1\0\0\0", 5) && !stands_at(head, len, 0, "OTTO\0", 5) &&
	    !stands_at(head, len, 0, "true\0", 5))
		return false;
	if (len < 28 || head[5] == 0 || head[5] > 64)
		return false;
	for (size_t i = 12; i < 16; i++) {
		if (head[i] < ' ' || head[i] > '~')
			return false;
	}
	return true;
}

/* FORMAT_COUNT: none of ours. */
static enum file_format by_signature(const unsigned char *head, size_t len, const char **type)
{
	enum file_format format;

	for (size_t i = 0; i < COUNT_OF(signatures); i++) {
		const struct signature *s = &signatures[i];

		/* The record of a header of EMF is the first ([MS-EMF] section 2.3.4.2). */
		if (s->at == 40 && !stands_at(head, len, 0, "\1\0\0\0", 4))
			continue;
		if (stands_at(head, len, s->at, s->bytes, s->len)) {
			*type = s->type != NULL ? s->type : type_of(s->format);
			return s->format;
		}
	}

	format = FORMAT_COUNT;
	if (is_lzh(head, len))
		format = FORMAT_LZH;
	else if (magic_is_tar(head, len))
		format = FORMAT_TAR;
	else if (memmem(head, len < PDF_WITHIN ? len : PDF_WITHIN, "%PDF-", 5) != NULL)
		format = FORMAT_PDF;
	if (format != FORMAT_COUNT) {
		*type = type_of(format);
		return format;
	}

	if (is_font(head, len)) {
		*type = "font/sfnt";
		return FORMAT_IMAGE; /* pictures of letters */
	}
	if (is_dos_program(head, len)) {
		*type = "application/vnd.microsoft.portable-executable";
		return FORMAT_PROGRAM;
	}
	format = pkcs7(head, len);
	*type = format == FORMAT_OTHER ? MAGIC_ENVELOPED : "application/pkcs7-signature";
	return format;
}

/* Stray control characters make no file of what is declared to be text; a NUL does. */
static bool is_rough_text(const unsigned char *head, size_t len)
{
	size_t controls = 0;

	if (magic_is_text(head, len))
		return true;
	for (size_t i = 0; i < len; i++) {
		if (head[i] == '\0')
			return false;
		controls += head[i] < ' ' && strchr("\t\n\v\f\r\b\x1b\x0e\x0f", head[i]) == NULL;
	}
	return controls <= 2 + len / 50;
}

enum file_format extract_text_kind(const char *head, size_t len)
{
	const unsigned char *bytes = (const unsigned char *)head;
	const char *known = "";
	char type[96];
	enum file_format format;

	if (len == 0)
		return FORMAT_EMPTY;
	if (is_zip(bytes, len))
		return FORMAT_COUNT;
	format = by_signature(bytes, len, &known);
	/* "%PDF-" and "GIF89a" may be what a text speaks of. */
	if (magic_is_text(bytes, len) &&
	    (format == FORMAT_IMAGE || (format == FORMAT_PDF && strncmp(head, "%PDF-", 5) != 0)))
		format = FORMAT_COUNT;
	if (format != FORMAT_COUNT)
		return FORMAT_COUNT;
	return is_rough_text(bytes, len) ? magic_text_kind(bytes, len, "", type, sizeof type)
					 : FORMAT_OTHER;
}

/* ---- everything else ------------------------------------------------------------------------- */

static enum file_format by_type(const char *type)
{
	static const struct {
		const char *begins;
		enum file_format format;
	} kinds[] = {
	    {"image/x-tga", FORMAT_OTHER}, /* so little of a signature that much looks like it */
	    {"image/x-pcx", FORMAT_OTHER},
	    {"image/", FORMAT_IMAGE},
	    {"audio/", FORMAT_AUDIO},
	    {"video/", FORMAT_VIDEO},
	    {"application/ogg", FORMAT_AUDIO},
	    {"application/vnd.microsoft.portable-executable", FORMAT_PROGRAM},
	    {"application/x-dosexec", FORMAT_PROGRAM},
	    {"application/x-executable", FORMAT_PROGRAM},
	    {"application/x-sharedlib", FORMAT_PROGRAM},
	    {"application/x-mach-binary", FORMAT_PROGRAM},
	    {"application/x-ms-shortcut", FORMAT_PROGRAM},
	};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (strncmp(type, kinds[i].begins, strlen(kinds[i].begins)) == 0)
			return kinds[i].format;
	}
	return FORMAT_OTHER;
}

static enum file_format by_database(
    struct extract_tables *tables, const unsigned char *head, size_t len, char *type, size_t room)
{
	const char *said = NULL;

	if (tables != NULL && tables->magic != NULL)
		said = magic_buffer(tables->magic->cookie, head, len);
	if (said == NULL || strchr(said, '/') == NULL || strncmp(said, "text/", 5) == 0)
		said = type_of(FORMAT_OTHER);
	(void)snprintf(type, room, "%s", said);
	return by_type(type);
}

static enum file_format format_of_head(struct extract_tables *tables, const struct source *file,
    const unsigned char *head, size_t len, const char *name, char *type, size_t room)
{
	const char *known = "";
	enum file_format format;

	if (is_zip(head, len))
		return zip_format(file, type, room);
	format = by_signature(head, len, &known);
	if (format != FORMAT_COUNT) {
		(void)snprintf(type, room, "%s", known);
		return format;
	}
	if (magic_is_text(head, len))
		return magic_text_kind(head, len, name, type, room);
	return by_database(tables, head, len, type, room);
}

enum file_format format_of(struct extract_tables *tables, const struct source *file,
    const char *name, char *type, size_t room)
{
	enum file_format format = FORMAT_OTHER;
	unsigned char *head;
	ssize_t len;

	(void)snprintf(type, room, "%s", type_of(file->size == 0 ? FORMAT_EMPTY : FORMAT_OTHER));
	if (file->size == 0)
		return FORMAT_EMPTY;

	head = malloc(HEAD);
	if (head == NULL)
		return FORMAT_OTHER;
	len = source_read(file, 0, head, HEAD);
	if (len > 0)
		format = format_of_head(tables, file, head, (size_t)len, name, type, room);
	free(head);
	return format;
}

bool magic_archive_within(const struct source *file, uint64_t *at)
{
	size_t room = file->size < OVERLAY ? (size_t)file->size : OVERLAY;
	char *bytes = malloc(room + 1);
	const char *found = NULL;
	ssize_t len;

	if (bytes == NULL)
		return false;
	len = source_read(file, 0, bytes, room);
	if (len > 0) {
		found = memmem(bytes, (size_t)len, "7z\xbc\xaf\x27\x1c", 6);
		if (found == NULL)
			found = memmem(bytes, (size_t)len, "Rar!\x1a\x07", 6);
	}
	if (found != NULL)
		*at = (uint64_t)(found - bytes);
	free(bytes);
	return found != NULL;
}
