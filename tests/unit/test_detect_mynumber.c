/* My Number and corporate numbers: check digits, words, lists (C2; 123456789018 is the valid form of 12345678901). */
#include "numbers_kit.h"

#define MINE "mynumber 123456789018"
#define CORP "corporate 7000012050002"

static void test_written(void **state)
{
	static const struct text_case cases[] = {
	    {"マイナンバー:1234-5678-9018", MINE},
	    {"マイナンバー 1234 5678 9018", MINE},
	    {"個人番号 123456789018", MINE},
	    {"個人番号は「123456789018」です", MINE},
	    {"個人番号を次のとおりお知らせします。\n\n  123456789018\n", MINE},
	    {"MYNO=123456789018", MINE},
	    {"my_number: 123456789018", MINE},
	    {"マイナンバー 1234.5678.9018", MINE},
	    {"マイナンバー 1234  5678   9018", MINE},
	    {"マイナンバー 1234_5678_9018", MINE},
	    {"マイナンバー 1234・5678・9018", MINE},
	    {"マイナンバー 1234ー5678ー9018", MINE},
	    {"マイナンバー 1234:5678:9018", MINE},
	    {"個人番号 1 2 3 4 5 6 7 8 9 0 1 8", MINE},
	    {"個人番号 123456789018、電話 03-1234-5678", MINE " phone 0312345678"},
	};

	(void)state;
	check_all(cases, COUNT_OF(cases), ALL_NUMBERS);
}

/* One number of 12 digits in ten has a right check digit: alone it is none. */
static void test_none(void **state)
{
	static const struct text_case cases[] = {
	    {"123456789018", ""},
	    {"個人番号 123456789017", ""},
	    {"1 2 3 4 5 6 7 8 9 0 1 8", ""},
	    {"1234_5678_9018", ""},
	    {"個人番号 1 2 3 4 5 6 7 8 9 0 1 7", ""},
	    {"個人番号 000000000000", ""},
	    {"受付番号 123456789018", ""},
	    {"伝票番号: 1234-5678-9018", ""},
	    {"お問い合わせ番号 123456789018", ""},
	    {"会議ID 1234 5678 9018", ""},
	    {"個人番号 1234567890180", ""},
	    {"個人番号 a123456789018", ""},
	    {"個人番号 1234-5678-9018-0000", ""},
	    {"202611220938", ""},
	    {"0.123456789018", ""},
	    {"[.1234.5678.9018]", ""},
	};

	(void)state;
	check_all(cases, COUNT_OF(cases), ALL_NUMBERS);
}

/* A table has its head far above; a list without any speaks for itself when all are right. */
static void test_lists(void **state)
{
	static const struct text_case cases[] = {
	    {"氏名,個人番号,受付番号\n佐藤,123456789018,331268818568\n田中,423347533406,"
	     "123456789018\n",
		MINE " mynumber 423347533406"},
	    {"123456789018\n331268818568\n423347533406\n",
		MINE " mynumber 331268818568 mynumber 423347533406"},
	    {"123456789018\n331268818569\n423347533407\n423347533408\n", ""},
	    {"123456789018\n123456789018\n123456789018\n", ""},
	    {"個人番号 123456789018\n...\n確認 123456789018\n", MINE},
	};

	(void)state;
	check_all(cases, COUNT_OF(cases), ALL_NUMBERS);
}

/* The head of a long table is out of sight; each row speaks for the next. */
static void test_long_table(void **state)
{
	size_t room = 4 * WINDOW_SIZE;
	char *text = malloc(room);
	size_t len;
	size_t rows = 0;
	const char *line;

	(void)state;
	assert_non_null(text);
	len = (size_t)snprintf(text, room, "No,氏名,個人番号,備考\n");
	for (; len + 400 < room; rows++)
		len += (size_t)snprintf(text + len, room - len, "%zu,佐藤,%s,%0200zu\n", rows,
		    rows % 2 == 0 ? "123456789018" : "331268818568", (size_t)1);
	len += (size_t)snprintf(text + len, room - len, "%zu,佐藤,423347533406,\n", rows);
	line = found(text, len, ALL_NUMBERS);
	assert_string_equal(line, MINE " mynumber 331268818568 mynumber 423347533406");
	free(text);
}

static void test_corporate(void **state)
{
	static const struct text_case cases[] = {
	    {"法人番号 7000012050002", CORP},
	    {"法人番号は7000012050002です", CORP},
	    {"法人番号 7-0000-1205-0002", CORP},
	    {"T7000012050002", CORP},
	    {"T-7000012050002", CORP},
	    {"登録番号 T7000012050002", CORP},
	    {"取引先,登録番号\nA,T7000012050002\n", CORP},
	    {"登録番号 T4955610056380",
		"corporate 4955610056380"}, /* an article's code would be right too */
	    {"7000012050002", ""},
	    {"T7000012050003", ""},
	    {"法人番号 7000012050003", ""},
	    {"CAT7000012050002", ""},
	    {"JAN 4955610056380", ""},
	    {"ISBN 9784003101018", ""},
	    {"1732240800000", ""},
	};

	(void)state;
	check_all(cases, COUNT_OF(cases), ALL_NUMBERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_written),
	    cmocka_unit_test(test_none),
	    cmocka_unit_test(test_lists),
	    cmocka_unit_test(test_long_table),
	    cmocka_unit_test(test_corporate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
