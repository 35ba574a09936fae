/* Word and Excel (S1-28): what is not shown, and what is no text, does not part the digits of a number. */
#include <archive.h>
#include <archive_entry.h>

#include "extract_kit.h"
#include "lib/extract/office.h"

static void add_part(struct archive *a, const char *name, const char *xml)
{
	struct archive_entry *entry = archive_entry_new();

	assert_non_null(entry);
	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (la_int64_t)strlen(xml));
	assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(a, xml, strlen(xml)), strlen(xml));
	archive_entry_free(entry);
}

/* A package of one part beside the list of types. */
static void says(const char *name, const char *xml, const char *expected)
{
	static char package[65536];
	struct archive *a = archive_write_new();
	struct kit kit;
	size_t len = 0;

	assert_non_null(a);
	assert_int_equal(archive_write_set_format_zip(a), ARCHIVE_OK);
	assert_int_equal(archive_write_set_bytes_in_last_block(a, 1), ARCHIVE_OK);
	assert_int_equal(archive_write_open_memory(a, package, sizeof package, &len), ARCHIVE_OK);
	add_part(a, "[Content_Types].xml", "<Types/>");
	add_part(a, name, xml);
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);

	kit_begin(&kit);
	if (strstr(kit_look(&kit, package, len), expected) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", expected, kit.said.bytes);
	kit_end(&kit);
}

#define RUN(properties, text) "<w:r><w:rPr>" properties "</w:rPr><w:t>" text "</w:t></w:r>"
#define WORD(runs)            "<w:document xmlns:w='w'><w:body><w:p>" runs "</w:p></w:body></w:document>"

static void hidden_runs(void **state)
{
	(void)state;
	says("word/document.xml",
	    WORD(RUN("", "4111") RUN("<w:vanish/>", "99") RUN("", "11111111") RUN("", "1111")),
	    "4111111111111111\n99");
	says("word/document.xml",
	    WORD(RUN("", "4111") RUN("<w:vanish w:val='1'/>", "9") RUN("<w:vanish/>", "8")
		    RUN("", "1111")),
	    "41111111\n9\n8");
	says("word/document.xml",
	    WORD(RUN("", "4111") RUN("<w:vanish w:val='0'/>", "99") RUN("", "1111")), "4111991111");
	says("word/document.xml",
	    WORD("<w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr>" RUN("", "4111") RUN("", "1111")),
	    "41111111");
}

static void plain(const char *text, const char *expected)
{
	char copy[256];
	size_t len = strlen(text);

	assert_true(len < sizeof copy);
	memcpy(copy, text, len);
	len = margin_plain(copy, len);
	copy[len] = '\0';
	assert_string_equal(copy, expected);
}

static void codes_of_margins(void **state)
{
	(void)state;
	plain("41&B11&B1111", "41111111");
	plain("&LA&CB&RC", "\nA\nB\nC");
	plain("&\"Arial,Bold\"4111&\"-,Regular\"1111", "41111111");
	plain("&12 4111&K01+0001111&KFF00001111", " 411111111111");
	plain("&124111", "4111"); /* a size has no six digits */
	plain("A&&B &P/&N &D", "A&B / ");
	plain("&", "");
	plain("&\"", "");
	plain("&\"open 4111", "open 4111");
	plain("&K12", "12");
	plain("R & D", "R  D");
	plain("", "");
}

static void margins_of_a_sheet(void **state)
{
	(void)state;
	says("xl/worksheets/sheet1.xml",
	    "<worksheet><sheetData/><headerFooter><oddHeader>&amp;L41&amp;B11&amp;B "
	    "1111</oddHeader>"
	    "<evenFooter>&amp;\"Arial\"&amp;12 "
	    "090-1234-5678</evenFooter></headerFooter></worksheet>",
	    "4111 1111\n 090-1234-5678");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hidden_runs),
	    cmocka_unit_test(codes_of_margins),
	    cmocka_unit_test(margins_of_a_sheet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
