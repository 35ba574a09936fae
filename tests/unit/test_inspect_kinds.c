/* Whether a file is what its name and its declared type say (M12, S1-13). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/inspect/kinds.h"

struct row {
	enum file_format format;
	const char *type;      /* by the bytes */
	const char *extension; /* lower case */
	const char *declared;
	const char *wanted;
};

static void compare(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		const char *said = kind_as_named(r->format, r->type, r->extension, r->declared);

		if (strcmp(said, r->wanted) != 0)
			fail_msg("%s as \"%s\", declared %s: %s, not %s", r->type, r->extension,
			    r->declared, said, r->wanted);
	}
}

#define OCTETS "application/octet-stream"
#define WORD   "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
#define EXE    "application/vnd.microsoft.portable-executable"

static void test_what_is_as_it_says(void **state)
{
	static const struct row rows[] = {
	    {FORMAT_PDF, "application/pdf", ".pdf", OCTETS, "yes"},
	    {FORMAT_PDF, "application/pdf", ".pdf", "application/pdf", "yes"},
	    {FORMAT_PDF, "application/pdf", "", "application/pdf", "yes"},
	    {FORMAT_ZIP, "application/zip", ".zip", "application/x-zip-compressed", "yes"},
	    {FORMAT_OOXML, WORD, ".docx", WORD, "yes"},
	    {FORMAT_OOXML, WORD, ".docx", OCTETS, "yes"},
	    {FORMAT_OLE, "application/x-ole-storage", ".docx", WORD, "yes"}, /* it is encrypted */
	    {FORMAT_DOC, "application/msword", ".doc", "application/msword", "yes"},
	    {FORMAT_RTF, "text/rtf", ".doc", "application/msword", "yes"},
	    {FORMAT_GZIP, "application/gzip", ".tar.gz", OCTETS, "yes"},
	    {FORMAT_TEXT, "text/plain", ".txt", "text/plain", "yes"},
	    {FORMAT_EMPTY, "application/x-empty", ".txt", "text/plain", "yes"},
	    {FORMAT_IMAGE, "image/jpeg", ".jpg", "image/jpeg", "yes"},
	    {FORMAT_IMAGE, "image/png", ".png", OCTETS, "yes"},
	    {FORMAT_HTML, "text/html", ".html", "text/html", "yes"},
	    {FORMAT_PROGRAM, EXE, ".exe", OCTETS, "yes"},
	    {FORMAT_MAIL, "message/rfc822", ".eml", "message/rfc822", "yes"},
	    {FORMAT_TNEF, "application/vnd.ms-tnef", ".dat", "application/ms-tnef", "yes"},
	};

	(void)state;
	compare(rows, COUNT_OF(rows));
}

static void test_what_contradicts(void **state)
{
	static const struct row rows[] = {
	    {FORMAT_PROGRAM, EXE, ".pdf", OCTETS, "no"},
	    {FORMAT_PROGRAM, EXE, ".txt", "text/plain", "no"},
	    {FORMAT_PROGRAM, EXE, "", OCTETS, "no"},
	    {FORMAT_PROGRAM, EXE, ".xyz", OCTETS, "no"},
	    {FORMAT_PROGRAM, EXE, ".exe", "image/png", "no"}, /* the name does not undo the claim */
	    {FORMAT_PDF, "application/pdf", ".txt", "text/plain", "no"},
	    {FORMAT_PDF, "application/pdf", ".pdf", "image/png", "no"},
	    {FORMAT_ZIP, "application/zip", ".docx", OCTETS, "no"},
	    {FORMAT_ZIP, "application/zip", "", WORD, "no"},
	    {FORMAT_OOXML, WORD, ".txt", OCTETS, "no"},
	    {FORMAT_IMAGE, "image/png", ".jpg", OCTETS, "no"},
	    {FORMAT_TEXT, "text/plain", ".jpg", "image/jpeg", "no"},
	    {FORMAT_RAR, "application/vnd.rar", ".zip", "application/zip", "no"},
	    {FORMAT_OTHER, OCTETS, ".pdf", "application/pdf", "no"},
	    {FORMAT_OTHER, OCTETS, ".txt", "text/plain", "no"},
	};

	(void)state;
	compare(rows, COUNT_OF(rows));
}

static void test_what_promises_nothing(void **state)
{
	static const struct row rows[] = {
	    {FORMAT_OTHER, OCTETS, ".xyz", OCTETS, "unknown"},
	    {FORMAT_OTHER, OCTETS, "", OCTETS, "unknown"},
	    {FORMAT_TEXT, "text/plain", ".xyz", OCTETS, "unknown"},
	    {FORMAT_ZIP, "application/zip", "", OCTETS, "unknown"},
	    {FORMAT_PDF, "application/pdf", ".xyz", "application/x-unknown", "unknown"},
	};

	(void)state;
	compare(rows, COUNT_OF(rows));
}

/* Whatever the three are, there is an answer, and an executable file is never as named by chance. */
static void test_every_format(void **state)
{
	static const char *const extensions[] = {"", ".pdf", ".zip", ".docx", ".txt", ".jpg",
	    ".exe", ".xyz", ".tar.gz", ".", ".\xE3\x81\x82"};
	static const char *const declared[] = {OCTETS, "text/plain", "image/png", WORD, "/",
	    "text/", "application/vnd.oasis.opendocument.text", "x/y"};

	(void)state;
	for (unsigned f = 0; f < FORMAT_COUNT; f++) {
		for (size_t e = 0; e < COUNT_OF(extensions); e++) {
			for (size_t d = 0; d < COUNT_OF(declared); d++) {
				const char *said =
				    kind_as_named(f, "x/y", extensions[e], declared[d]);

				assert_true(strcmp(said, "yes") == 0 || strcmp(said, "no") == 0 ||
					    strcmp(said, "unknown") == 0);
				if (f == FORMAT_PROGRAM && strcmp(extensions[e], ".exe") != 0)
					assert_string_equal(said, "no");
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_is_as_it_says),
	    cmocka_unit_test(test_what_contradicts),
	    cmocka_unit_test(test_what_promises_nothing),
	    cmocka_unit_test(test_every_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
