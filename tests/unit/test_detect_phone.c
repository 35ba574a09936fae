/* Phone numbers of Japan (S1-11, S2-68: ten of them), and dates, addresses and ids that are none (C2). */
#include "numbers_kit.h"

#define TOKYO  "phone 0312345678"
#define MOBILE "phone 09012345678"

static void test_written(void **state)
{
	static const struct text_case cases[] = {
	    {"TEL 03-1234-5678", TOKYO},
	    {"03-1234-5678", TOKYO},
	    {"(03)1234-5678", TOKYO},
	    {"(03) 1234-5678", TOKYO},
	    {"電話03(1234)5678", TOKYO},
	    {"03.1234.5678", TOKYO},
	    {"03 1234 5678", TOKYO},
	    {"03ー1234ー5678", TOKYO}, /* the long vowel for a hyphen */
	    {"03 - 1234 - 5678", TOKYO},
	    {"090  1234  5678", MOBILE},
	    {"090   1234   5678", MOBILE},
	    {"090_1234_5678", MOBILE},
	    {"090*1234*5678", MOBILE},
	    {"090|1234|5678", MOBILE},
	    {"090:1234:5678", MOBILE},
	    {"090~1234~5678", MOBILE},
	    {"090・1234・5678", MOBILE},
	    {"090•1234•5678", MOBILE},
	    {"090、1234、5678", MOBILE},
	    {"電話 03-1234-\n5678", TOKYO},
	    {"Tel:0312345678", TOKYO},
	    {"TEL03-1234-5678", TOKYO},
	    {"Tel.03-1234-5678", TOKYO},
	    {"TEL/FAX 03-1234-5678", TOKYO},
	    {"T:03-1234-5678", TOKYO},
	    {"03-1234-5678(内線12)", TOKYO},
	    {"03-1234-5678~9", TOKYO},
	    {"03-1234-5678/090-1234-5678", TOKYO " " MOBILE},
	    {"03-1234-5678、090-1234-5678", TOKYO " " MOBILE},
	    {"taro@example.jp / 09012345678", MOBILE},
	    {"<a href=\"tel:0312345678\">", TOKYO},
	    {"電話 03-12345678", TOKYO},
	    {"佐藤 0312345678", TOKYO},
	};

	(void)state;
	check_all(cases, COUNT_OF(cases), ALL_NUMBERS);
}

static void test_plan(void **state)
{
	static const struct text_case cases[] = {
	    {"011-219-8034", "phone 0112198034"}, {"0466-12-3456", "phone 0466123456"},
	    {"04992-2-1111", "phone 0499221111"}, {"04-7123-4567", "phone 0471234567"},
	    {"090-1234-5678", MOBILE}, {"080-1234-5678", "phone 08012345678"},
	    {"070-1234-5678", "phone 07012345678"}, {"050-1234-5678", "phone 05012345678"},
	    {"0120-123-456", "phone 0120123456"}, {"0120-12-3456", "phone 0120123456"},
	    {"0120(123)456", "phone 0120123456"}, {"0800-123-4567", "phone 08001234567"},
	    {"0570-012-345", "phone 0570012345"}, {"0110-12-3456", ""}, /* no such area */
	    {"03-123-4567", ""}, {"090-123-4567", ""},
	    {"03-0123-4567", ""}, /* no exchange begins with 0 */
	};

	(void)state;
	check_all(cases, COUNT_OF(cases), ALL_NUMBERS);
}

static void test_abroad(void **state)
{
	static const struct text_case cases[] = {
	    {"+81 3 1234 5678", TOKYO},
	    {"+81-3-1234-5678", TOKYO},
	    {"+81.3.1234.5678", TOKYO},
	    {"+81(0)3-1234-5678", TOKYO},
	    {"+81 (0)3 1234 5678", TOKYO},
	    {"+81 (3) 1234-5678", TOKYO},
	    {"(+81) 3-1234-5678", TOKYO},
	    {"tel:+81-3-1234-5678", TOKYO},
	    {"+81312345678", TOKYO},
	    {"+819012345678", MOBILE},
	    {"+81-90-1234-5678", MOBILE},
	    {"0081-3-1234-5678", TOKYO},
	    {"+82-3-1234-5678", ""},
	    {"+81-3-1234", ""},
	};

	(void)state;
	check_all(cases, COUNT_OF(cases), ALL_NUMBERS);
}

static void test_none(void **state)
{
	static const struct text_case cases[] = {
	    {"2026-11-22", ""},
	    {"2026/11/22 09:30:15", ""},
	    {"03-11-2026", ""},
	    {"〒100-0001", ""},
	    {"192.168.0.1", ""},
	    {"10.03.1234.5678", ""},
	    {"1.03.1234.5678", ""},
	    {"0123456789", ""},
	    {"id 0312345678", ""},

	    {"00312345678", ""},
	    {"03-1234-5678-9", ""},
	    {"1-03-1234-5678", ""},
	    {"A-03-1234-5678", ""},
	    {"BP-045-221-3345", ""},
	    {"ISBN 0-13-110362-8", ""},
	    {"注文番号 03-1234-5678", ""},
	    {"口座番号 0312345678", ""},
	    {"管理番号:045-123-4567", ""},
	    {"顧客コード 0012345678", ""},
	    {"0031-11-1129", ""},
	    {"0.25.1 123262 In-cell graphics", ""},
	    {"00000000-0000-0000-0000-000000000000", ""},
	};

	(void)state;
	check_all(cases, COUNT_OF(cases), ALL_NUMBERS);
}

/* In a list a number needs no word of its own. */
static void test_lists(void **state)
{
	static const struct text_case cases[] = {
	    {"name,phone\nA,0312345678\nB,0612345678\n", TOKYO " phone 0612345678"},
	    {"a 0323456789\nb 0623456789\nc 0523456789\n",
		"phone 0323456789 phone 0623456789 phone 0523456789"},
	    {"name,order\nA,0312345678\nB,0612345678\n", ""},
	};

	(void)state;
	check_all(cases, COUNT_OF(cases), ALL_NUMBERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_written),
	    cmocka_unit_test(test_plan),
	    cmocka_unit_test(test_abroad),
	    cmocka_unit_test(test_none),
	    cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
