/* Text of any charset, HTML, and PDF with a converter that answers as the test says (S1-28, S1-30, M8, M12). */
#include "extract_kit.h"

static void check(const char *label, const void *bytes, size_t len, const char *expected)
{
	struct kit kit;

	kit_begin(&kit);
	kit.label = label;
	assert_string_equal(kit_look(&kit, bytes, len), expected);
	kit_end(&kit);
}

#define CHECK(label, bytes, expected) check(label, bytes, sizeof(bytes) - 1, expected)

static void charsets(void **state)
{
	(void)state;
	CHECK("", "plain\n", "plain\n|");
	CHECK("", "\x8a\xd6\x8f\x8a\x82\xcc\x8c\xa9\x90\xcf\x8f\x91\x82\xc5\x82\xb7",
	    "関所の見積書です|");
	CHECK("iso-2022-jp", "\x1b$B4X=j\x1b(B", "関所|");
	CHECK("utf-8", "\xe9\x96\xa2,\xe6\x89\x80\n", "関,所\n|");
	CHECK("", "\xff\xfe\xa2\x95\x40\x62", "関所|");
	CHECK("", "", "");
}

/* What nobody can read was not looked at. */
static void letters_that_are_none(void **state)
{
	char bytes[4096];
	struct kit kit;

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = i % 2 == 0 ? 'a' : (char)0xff;
	kit_begin(&kit);
	kit.label = "utf-8";
	(void)kit_look(&kit, bytes, sizeof bytes);
	assert_true(kit.found.format != FORMAT_TEXT || strstr(kit.said.bytes, "!format") != NULL);
	kit_end(&kit);
}

static void pages(void **state)
{
	static const char page[] =
	    "<html><body><p>wo<b>r</b>d</p><!-- BESIDE --><p>\xe9\x96\xa2</p></body></html>";
	struct kit kit;
	const char *said;

	(void)state;
	kit_begin(&kit);
	said = kit_look(&kit, page, sizeof page - 1);
	assert_int_equal(kit.found.format, FORMAT_HTML);
	assert_non_null(strstr(said, "word"));
	assert_non_null(strstr(said, "関"));
	/* What is not shown is a text of its own. */
	assert_non_null(strchr(said, '|'));
	assert_non_null(strstr(strchr(said, '|'), "BESIDE"));
	assert_null(strchr(said, '!'));
	kit_end(&kit);
}

static void a_long_page_is_told(void **state)
{
	size_t len = (size_t)3 * 1024 * 1024;
	char *page = malloc(len);
	struct kit kit;
	const char *said;

	(void)state;
	assert_non_null(page);
	memset(page, 'x', len);
	for (size_t i = 0; i < len; i += 64)
		page[i] = ' ';
	memcpy(page, "<html><body><p>", 15);
	memcpy(page + len - 9, "LAST WORD", 9);
	kit_begin(&kit);
	said = kit_look(&kit, page, len);
	assert_non_null(strstr(said, "LAST WORD"));
	assert_non_null(strstr(said, "!size"));
	kit_end(&kit);
	free(page);
}

/* ---- PDF ---- */

#define LOCKED "%PDF-1.4\ntrailer<</Root 1 0 R/Encrypt 2 0 R>>"
#define PLAIN  "%PDF-1.4\ntrailer<</Root 1 0 R>>"

static void look_pdf(
    struct kit *kit, const char *pdf, const char *expected, enum file_encrypted encrypted)
{
	assert_string_equal(kit_look(kit, pdf, strlen(pdf)), expected);
	assert_int_equal(kit->found.format, FORMAT_PDF);
	assert_int_equal(kit->found.encrypted, encrypted);
}

static void a_pdf_is_converted(void **state)
{
	struct kit kit;

	(void)state;
	kit_begin(&kit);
	kit.converts = "text";
	look_pdf(&kit, PLAIN, "text|", ENCRYPTED_NO);
	look_pdf(&kit, LOCKED, "text|", ENCRYPTED_NO); /* by its owner alone */
	kit.converts = NULL;
	look_pdf(&kit, PLAIN, "!converter", ENCRYPTED_NO);
	look_pdf(&kit, LOCKED, "!converter", ENCRYPTED_UNKNOWN);
	kit.locked = true;
	look_pdf(&kit, LOCKED, "!encrypted", ENCRYPTED_ALL);
	look_pdf(&kit, PLAIN, "!encrypted", ENCRYPTED_ALL);
	kit.limits.convert = 10;
	look_pdf(&kit, LOCKED, "!size", ENCRYPTED_UNKNOWN);
	assert_int_equal(kit.asked, 0);
	kit_end(&kit);
}

/* S1-30: whether it is encrypted is found out without its text, too; mostly without a converter. */
static void a_pdf_that_is_only_glanced_at(void **state)
{
	struct kit kit;

	(void)state;
	kit_begin(&kit);
	kit.shallow = kit.locked = true;
	look_pdf(&kit, LOCKED, "", ENCRYPTED_ALL);
	assert_int_equal(kit.asked, 1);
	look_pdf(&kit, "%PDF-1.4\n<</#45#6ecryp#74 2 0 R>>", "", ENCRYPTED_ALL);
	look_pdf(&kit, "%PDF-1.4\n<</Encrypt<<>>>>", "", ENCRYPTED_ALL);
	look_pdf(&kit, "%PDF-1.4\n<</EncryptMetadata false/XEncrypt 1>>", "", ENCRYPTED_NO);
	assert_int_equal(kit.asked, 0);
	kit_end(&kit);
}

/* The names that matter may stand across the ends of what is read at once. */
static void a_name_anywhere_in_a_pdf(void **state)
{
	size_t len = 70000;
	char *pdf = malloc(len);
	struct kit kit;

	(void)state;
	assert_non_null(pdf);
	kit_begin(&kit);
	kit.shallow = kit.locked = true;
	for (size_t at = 65536 - 26; at < 65536 + 4; at++) {
		memset(pdf, 'x', len);
		memcpy(pdf, "%PDF-1.4\n", 9);
		memcpy(pdf + at, "/#45#6e#63#72#79#70#74 ", 23);
		(void)kit_look(&kit, pdf, len);
		assert_int_equal(kit.found.encrypted, ENCRYPTED_ALL);
	}
	kit_end(&kit);
	free(pdf);
}

static void files_in_a_pdf_are_told(void **state)
{
	struct kit kit;

	(void)state;
	kit_begin(&kit);
	kit.converts = "text";
	look_pdf(&kit, "%PDF-1.4\n<</Type/EmbeddedFile>>", "text!format|", ENCRYPTED_NO);
	look_pdf(&kit, "%PDF-1.4\n<</EF<</F 2 0 R>>>>", "text!format|", ENCRYPTED_NO);
	look_pdf(&kit, "%PDF-1.4\n<</EFX 1>>", "text|", ENCRYPTED_NO);
	kit_end(&kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(charsets),
	    cmocka_unit_test(letters_that_are_none),
	    cmocka_unit_test(pages),
	    cmocka_unit_test(a_long_page_is_told),
	    cmocka_unit_test(a_pdf_is_converted),
	    cmocka_unit_test(a_pdf_that_is_only_glanced_at),
	    cmocka_unit_test(a_name_anywhere_in_a_pdf),
	    cmocka_unit_test(files_in_a_pdf_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
