/* What a file is, by its bytes and not by its name (M4, M12: text by label, a program by its bytes). */
#include "extract_kit.h"

#include "lib/extract/magic.h"
#include "lib/extract/state.h"

struct sample {
	const char *bytes;
	size_t len;
	const char *name;
	enum file_format format;
	const char *type;
};

#define S(bytes, name, format, type)                                                               \
	{                                                                                          \
		bytes, sizeof(bytes) - 1, name, FORMAT_##format, type                              \
	}

static enum file_format format_of_bytes(struct extract_tables *tables, const void *bytes,
    size_t len, const char *name, char *type, size_t room)
{
	struct source file = {memfd_create("file", MFD_CLOEXEC), 0, len};
	enum file_format format;

	assert_true(file.fd >= 0);
	assert_int_equal(write(file.fd, bytes, len), (ssize_t)len);
	format = format_of(tables, &file, name, type, room);
	(void)close(file.fd);
	return format;
}

static void bytes_tell_the_format(void **state)
{
	static const struct sample samples[] = {
	    S("", "a.exe", EMPTY, "application/x-empty"),
	    S("plain words\n", "", TEXT, "text/plain"),
	    S("a,b\n1,2\n", "list.CSV", TEXT, "text/csv"),
	    S("\x8c\xa9\x90\xcf\x8f\x91\x82\xcc\x8c\x8f\n", "", TEXT, "text/plain"),
	    S("\x1b$B8+@Q=q\x1b(B\n", "", TEXT, "text/plain"),
	    S("\xff\xfeh\0e\0l\0l\0o\0", "", TEXT, "text/plain"),
	    S("h\0e\0l\0l\0o\0w\0", "", TEXT, "text/plain"),
	    S("\0h\0e\0l\0l\0o", "", TEXT, "text/plain"),
	    S("<!-- x --> <HTML><p>a", "a.txt", HTML, "text/html"),
	    S("\xef\xbb\xbf<!DOCTYPE html><p>a", "", HTML, "text/html"),
	    S("\xff\xfe<\0h\0t\0m\0l\0>\0", "", HTML, "text/html"),
	    S("a <b>c</b>", "a.htm", HTML, "text/html"),
	    S("{\\rtf1 x}", "a.doc", RTF, "text/rtf"),
	    S("<?xml version=\"1.0\"?><a/>", "", TEXT, "text/xml"),
	    S("#!/usr/bin/env python\n", "a.txt", PROGRAM, "text/x-script"),
	    S("@ECHO OFF\r\ndel x\r\n", "a.txt", PROGRAM, "text/x-msdos-batch"),
	    S("WScript.Echo 1\n", "a.vbs", PROGRAM, "text/x-script"),
	    S("From: a\nTo: b\n\ntext", "", MAIL, "message/rfc822"),
	    S("Received: x\n y\nDate: z\n\n", "", MAIL, "message/rfc822"),
	    S("From: a\nonly this\n", "", TEXT, "text/plain"),
	    S("X-Any: a\nSubject: b\n\n", "a.eml", MAIL, "message/rfc822"),
	    S("-----BEGIN PGP MESSAGE-----\n", "", TEXT, MAGIC_PGP),
	    S("-----BEGIN PGP SIGNATURE-----\n", "", SIGNATURE, "application/pgp-signature"),
	    S("%PDF-1.4\n", "", PDF, "application/pdf"),
	    S("\r\njunk\0junk %PDF-1.4\n", "", PDF, "application/pdf"),
	    S("MZ is a text\n", "", TEXT, "text/plain"),
	    S("MZ\x90\0\3\0\0\0\4", "a.txt", PROGRAM,
		"application/vnd.microsoft.portable-executable"),
	    S("\x7f"
	      "ELF\2\1\1",
		"", PROGRAM, "application/x-elf"),
	    S("\xcf\xfa\xed\xfe\7\0\0\1", "", PROGRAM, "application/x-mach-binary"),
	    S("\x89PNG\r\n\x1a\n\0", "a.txt", IMAGE, "image/png"),
	    S("7z\xbc\xaf\x27\x1c\0\4", "", SEVENZIP, "application/x-7z-compressed"),
	    S("Rar!\x1a\x07\x00\xcf", "", RAR, "application/vnd.rar"),
	    S("Rar!\x1a\x07\x01\x00", "", RAR, "application/vnd.rar"),
	    S("MSCF\0\0\0\0", "", CAB, "application/vnd.ms-cab-compressed"),
	    S("\x1f\x8b\x08\0\0\0\0\0", "", GZIP, "application/gzip"),
	    S("BZh91AY&SY\0", "", BZIP, "application/x-bzip2"),
	    S("\xfd"
	      "7zXZ\0\0\4",
		"", XZ, "application/x-xz"),
	    S("\x28\xb5\x2f\xfd\4\0", "", ZSTD, "application/zstd"),
	    S("\x78\x9f\x3e\x22\0\0\1", "", TNEF, "application/vnd.ms-tnef"),
	    S("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", "", OLE, "application/x-ole-storage"),
	    S("\"\x1f-lh5-<\0\0\0l\7\0\0\xf6"
	      "8w] \0\f",
		"", LZH, "application/x-lzh"),
	    S("PK\3\4 and no directory\0", "", ZIP, "application/zip"),
	    S("\0\1\2\3 of no kind", "a.png", OTHER, "application/octet-stream"),
	};
	char type[96];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		const struct sample *s = &samples[i];
		enum file_format format =
		    format_of_bytes(NULL, s->bytes, s->len, s->name, type, sizeof type);

		if (format != s->format || strcmp(type, s->type) != 0)
			fail_msg("sample %zu: %s %s", i, file_format_word(format), type);
	}
}

static void the_database_knows_the_rest(void **state)
{
	struct extract_tables *tables = extract_prepare();
	char type[96];

	(void)state;
	assert_non_null(tables);
	assert_int_equal(
	    format_of_bytes(tables, "RIFF\x24\0\0\0WAVEfmt ", 16, "", type, sizeof type),
	    FORMAT_AUDIO);
	assert_string_equal(type, "audio/x-wav");
	assert_int_equal(
	    format_of_bytes(tables, "\x1f\x9d\x90\0\0\0", 6, "", type, sizeof type), FORMAT_OTHER);
	assert_string_equal(type, "application/x-compress");
	extract_tables_free(tables);
	extract_tables_free(NULL);
}

static void iso_is_known_by_its_sector(void **state)
{
	char *bytes = calloc(1, 40000), type[96];

	(void)state;
	memcpy(bytes + 32769, "CD001", 5);
	assert_int_equal(format_of_bytes(NULL, bytes, 40000, "", type, sizeof type), FORMAT_ISO);
	free(bytes);
}

/* The type has room or is cut; it is ended in any case. */
static void a_type_is_cut(void **state)
{
	char type[8];

	(void)state;
	(void)format_of_bytes(NULL, "words", 5, "", type, sizeof type);
	assert_string_equal(type, "text/pl");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bytes_tell_the_format),
	    cmocka_unit_test(the_database_knows_the_rest),
	    cmocka_unit_test(iso_is_known_by_its_sector),
	    cmocka_unit_test(a_type_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
