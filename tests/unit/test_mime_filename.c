/* The canonical name of an attachment (M4, S1-13): one name for rules, pages and archives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mime/filename.h"

#define M(name) (1u << FILENAME_##name)
#define BAD     "\xEF\xBF\xBD"

static const struct norm_tables *tables;

static int prepare(void **state)
{
	(void)state;
	tables = norm_prepare();
	return tables == NULL;
}

struct row {
	const char *given, *text, *extension;
	unsigned marks;
};

static void describe(unsigned marks, char *text, size_t room)
{
	text[0] = '\0';
	for (unsigned m = 0; m < FILENAME_MARK_COUNT; m++) {
		if ((marks & (1u << m)) != 0)
			(void)snprintf(
			    text + strlen(text), room - strlen(text), " %s", filename_mark_word(m));
	}
}

static void compare(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		char have[256], want[256];
		struct filename f;

		memset(&f, 0x55, sizeof f);
		filename_canonical(tables, r->given, strlen(r->given), &f);
		describe(f.marks, have, sizeof have);
		describe(r->marks, want, sizeof want);
		if (strcmp(f.text, r->text) != 0 || strcmp(f.extension, r->extension) != 0 ||
		    f.marks != r->marks)
			fail_msg("%s: \"%s\" \"%s\"%s, not \"%s\" \"%s\"%s", r->given, f.text,
			    f.extension, have, r->text, r->extension, want);
	}
}

static void test_ordinary_names(void **state)
{
	static const struct row rows[] = {
	    {"a.txt", "a.txt", ".txt", 0},
	    {"A.TXT", "A.TXT", ".txt", 0},
	    {"見積書.xlsx", "見積書.xlsx", ".xlsx", 0},
	    {"見積書　２０２６年.xlsx", "見積書　２０２６年.xlsx", ".xlsx", M(WIDTH)},
	    {"README", "README", "", 0},
	    {"a b c.pdf", "a b c.pdf", ".pdf", 0},
	    {"", "", "", 0},
	    {"a.tar.gz", "a.tar.gz", ".tar.gz", 0},
	    {"A.TAR.BZ2", "A.TAR.BZ2", ".tar.bz2", 0},
	    {"2026.11.23 report.pdf", "2026.11.23 report.pdf", ".pdf", 0},
	    {"Ver1.2.docx", "Ver1.2.docx", ".docx", 0},
	    {"Müller.pdf", "Müller.pdf", ".pdf", 0},
	    {"отчёт.pdf", "отчёт.pdf", ".pdf", 0},
	};

	(void)state;
	compare(rows, COUNT_OF(rows));
}

/* Letters that deceive the reader are taken out; what then is the extension is what opens it. */
static void test_letters_that_deceive(void **state)
{
	static const struct row rows[] = {
	    {"invoice\u202Efdp.exe", "invoicefdp.exe", ".exe", M(DIRECTION)},
	    {"\u2066a\u2069.txt", "a.txt", ".txt", M(DIRECTION)},
	    {"a\u200F.txt", "a.txt", ".txt", M(DIRECTION)},
	    {"a\u061C.txt", "a.txt", ".txt", M(DIRECTION)},
	    {"a\u200B.t\u00ADxt", "a.txt", ".txt", M(UNSEEN)},
	    {"a\uFEFF.txt", "a.txt", ".txt", M(UNSEEN)},
	    {"a.ex\u200De", "a.exe", ".exe", M(UNSEEN)},
	    {"請求書．ｅｘｅ", "請求書．ｅｘｅ", ".exe", M(WIDTH)},
	    {"a.ｐdf", "a.ｐdf", ".pdf", M(WIDTH)},
	    {"раypal.pdf", "раypal.pdf", ".pdf", M(MIXED)}, /* Cyrillic er and a */
	    {"αdmin.txt", "αdmin.txt", ".txt", M(MIXED)},   /* Greek alpha */
	    {"見積α版.txt", "見積α版.txt", ".txt", 0},      /* a word of its own */
	    {"a\x01\x1F\x7F.txt", "a.txt", ".txt", M(CONTROL)},
	    {"a\r\nb.txt", "ab.txt", ".txt", M(CONTROL)},
	    {"a\tb.txt", "ab.txt", ".txt", M(CONTROL)},
	    {"a\xC2\x85.txt", "a.txt", ".txt", M(CONTROL)},
	    {"a\xFF.txt", "a" BAD ".txt", ".txt", M(INVALID)},
	    {"a\xC0\xAF.txt", "a" BAD BAD ".txt", ".txt", M(INVALID)},
	    {"a\xED\xA0\x80.txt", "a" BAD BAD BAD ".txt", ".txt", M(INVALID)},
	};

	(void)state;
	compare(rows, COUNT_OF(rows));
}

static void test_folders(void **state)
{
	static const struct row rows[] = {
	    {"../../etc/passwd", "passwd", "", M(PATH)},
	    {"C:\\Users\\a.txt", "a.txt", ".txt", M(PATH)},
	    {"C:a.txt", "a.txt", ".txt", M(PATH)},
	    {"/a.txt", "a.txt", ".txt", M(PATH)},
	    {"\\\\server\\share\\a.txt", "a.txt", ".txt", M(PATH)},
	    {"a／b.txt", "b.txt", ".txt", M(PATH) | M(WIDTH)},
	    {"a/../b.txt", "b.txt", ".txt", M(PATH)},
	    {"a/", "", "", M(PATH)},
	};

	(void)state;
	compare(rows, COUNT_OF(rows));
}

/* M12: what would be written elsewhere, and what is but in a folder. */
static void test_folders_that_lead_out(void **state)
{
	static const char *const out[] = {"/a.txt", "\\\\server\\a.txt", "C:\\a.txt", "C:a.txt",
	    "../a.txt", "a/../b.txt", "a\\..\\b.txt", "／a.txt"};
	static const char *const in[] = {"a.txt", "a/b.txt", "a\\b\\c.txt", "a..b/c.txt", "...a/c"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(out); i++)
		assert_true(filename_leads_out(out[i], strlen(out[i])));
	for (size_t i = 0; i < COUNT_OF(in); i++)
		assert_false(filename_leads_out(in[i], strlen(in[i])));
}

static void test_what_file_systems_do_not_take(void **state)
{
	static const struct row rows[] = {
	    {"a<b>c:d\"e|f?g*.txt", "a_b_c_d_e_f_g_.txt", ".txt", M(FORBIDDEN)},
	    {"CON", "_CON", "", M(RESERVED)},
	    {"con.txt", "_con.txt", ".txt", M(RESERVED)},
	    {"NUL.tar.gz", "_NUL.tar.gz", ".tar.gz", M(RESERVED)},
	    {"COM1.txt", "_COM1.txt", ".txt", M(RESERVED)},
	    {"LPT9", "_LPT9", "", M(RESERVED)},
	    {"COM0.txt", "COM0.txt", ".txt", 0},
	    {"CONTENT.txt", "CONTENT.txt", ".txt", 0},
	    {"-rf.txt", "_-rf.txt", ".txt", M(RESERVED)},
	    {"a.txt.", "a.txt", ".txt", M(TAIL)},
	    {"a.exe . .", "a.exe", ".exe", M(TAIL)},
	    {"a.txt ", "a.txt", ".txt", M(TAIL)},
	    {"...", "", "", M(TAIL)},
	    {"..", "", "", M(TAIL)},
	    {".", "", "", M(TAIL)},
	};

	(void)state;
	compare(rows, COUNT_OF(rows));
}

static void test_second_extensions(void **state)
{
	static const struct row rows[] = {
	    {"quote.pdf.exe", "quote.pdf.exe", ".exe", M(DOUBLE)},
	    {"a.jpg.scr", "a.jpg.scr", ".scr", M(DOUBLE)},
	    {"a.txt.js", "a.txt.js", ".js", M(DOUBLE)},
	    {"見積.docx   .exe", "見積.docx   .exe", ".exe", M(DOUBLE)},
	    {"a.tar.xz", "a.tar.xz", ".tar.xz", 0},
	    {"a.pdf.zip", "a.pdf.zip", ".zip", M(DOUBLE)},
	    {"a.txt.gz", "a.txt.gz", ".gz", 0},
	    {"v1.2b.pdf", "v1.2b.pdf", ".pdf", 0},
	    {"Mr.Sato.docx", "Mr.Sato.docx", ".docx", 0},
	    {"a.pdf.sato", "a.pdf.sato", ".sato", 0},
	};

	(void)state;
	compare(rows, COUNT_OF(rows));
}

static void test_long_names(void **state)
{
	char given[20000];
	struct filename f;

	(void)state;
	for (size_t len = 200; len < sizeof given; len += len < 300 ? 1 : 997) {
		memset(given, 'a', len);
		memcpy(given + len - 7, ".tar.gz", 7);
		filename_canonical(tables, given, len, &f);
		assert_true(strlen(f.text) <= FILENAME_MAX_BYTES);
		assert_string_equal(f.extension, ".tar.gz");
		assert_string_equal(f.text + strlen(f.text) - 7, ".tar.gz");
		assert_int_equal(f.marks, len > FILENAME_MAX_BYTES ? M(LONG) : 0);
	}
	/* Whole letters, where three bytes are one. */
	for (size_t i = 0; i + 3 <= 1200; i += 3)
		memcpy(given + i, "\xE3\x81\x82", 3);
	memcpy(given + 1200, ".txt", 4);
	filename_canonical(tables, given, 1204, &f);
	assert_int_equal(f.marks, M(LONG));
	assert_int_equal((strlen(f.text) - 4) % 3, 0);
	assert_string_equal(f.extension, ".txt");
}

/* What rules compare: one form, whatever the width and case. */
static void test_folded(void **state)
{
	static const char *const same[][2] = {{"ＭＥＭＯ.TXT", "memo.txt"},
	    {"ﾐﾂﾓﾘ.pdf", "ミツモリ.pdf"}, {"cafe\u0301.txt", "CAFÉ.TXT"}, {"a\u200B.txt", "A.txt"}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(same); i++) {
		struct filename a, b;

		filename_canonical(tables, same[i][0], strlen(same[i][0]), &a);
		filename_canonical(tables, same[i][1], strlen(same[i][1]), &b);
		assert_string_equal(a.folded, b.folded);
		assert_string_equal(a.extension, b.extension);
	}
}

/* Doing it twice changes nothing, and whatever comes, what stays can be a file's name. */
static void test_whatever_comes(void **state)
{
	static const char *const pieces[] = {"a", ".", "..", "/", "\\", " ", "\u202E", "\u200B",
	    "\xFF", "\n", "CON", ":", "見", "．", "ｅ", ".exe", ".pdf", "-", "", "\xE3\x81", "*",
	    "\u3000", "α"};
	unsigned random = 4711;

	(void)state;
	for (int n = 0; n < 20000; n++) {
		struct filename f, again;
		char given[512] = "";

		for (int i = 0; i < 8; i++) {
			random = random * 1664525u + 1013904223u;
			strcat(given, pieces[(random >> 16) % COUNT_OF(pieces)]);
		}
		filename_canonical(tables, given, strlen(given), &f);
		assert_null(strpbrk(f.text, "/\\:*?\"<>|\r\n\t"));
		assert_string_not_equal(f.text, ".");
		assert_string_not_equal(f.text, "..");
		if (f.text[0] != '\0')
			assert_null(strchr(". ", f.text[strlen(f.text) - 1]));
		assert_true(f.extension[0] == '\0' || f.extension[0] == '.');
		filename_canonical(tables, f.text, strlen(f.text), &again);
		if (strcmp(again.text, f.text) != 0 || strcmp(again.extension, f.extension) != 0)
			fail_msg("%s, then %s, then %s", given, f.text, again.text);
	}
	{
		struct filename f;

		filename_canonical(tables, "a\0.exe", 6, &f);
		assert_string_equal(f.text, "a.exe");
		assert_int_equal(f.marks, M(CONTROL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ordinary_names),
	    cmocka_unit_test(test_letters_that_deceive),
	    cmocka_unit_test(test_folders),
	    cmocka_unit_test(test_folders_that_lead_out),
	    cmocka_unit_test(test_what_file_systems_do_not_take),
	    cmocka_unit_test(test_second_extensions),
	    cmocka_unit_test(test_long_names),
	    cmocka_unit_test(test_folded),
	    cmocka_unit_test(test_whatever_comes),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
