/*
 * Payment cards (S1-28): every way of writing one, and what looks like one and is none (C2). The numbers
 * are the card companies' own for tests.
 */
#include "numbers_kit.h"

#define VISA   "card 4111111111111111"
#define MASTER "card 5555555555554444"

static void test_written(void **state)
{
	static const struct text_case cases[] = {
	    {"4111111111111111", VISA},
	    {"4111 1111 1111 1111", VISA},
	    {"4111-1111-1111-1111", VISA},
	    {"4111.1111.1111.1111", VISA},
	    {"4111/1111/1111/1111", VISA},
	    {"4111 - 1111 - 1111 - 1111", VISA},
	    {"番号は4111111111111111です。", VISA},
	    {"「4111-1111-1111-1111」", VISA},
	    {"カード:4111111111111111(12/28)", VISA},
	    {"Please charge 4111 1111 1111 1111 for this.", VISA},
	    {"pan=4111111111111111 rc=timeout", VISA},
	    {"cardNumber:\"4111111111111111\"", VISA},
	    {"CARD_NO=4111111111111111;", VISA},
	    {"  4111111111111111 5555-5555-5555-4444\n", VISA " " MASTER},
	    {"山田 太郎,4111111111111111,12/28\n", VISA},
	    {"PNR Q4TT8L AX3782 822463 10005 EXP1128", "card 378282246310005"},
	};

	(void)state;
	check_all(cases, COUNT_OF(cases), ALL_NUMBERS);
}

/* S1-28: what one may put between the groups, or around the number, and a reader still sees a card. */
static void test_disguised(void **state)
{
	static const struct text_case cases[] = {
	    {"4111  1111  1111  1111", VISA}, {"4111   1111   1111   1111", VISA},
	    {"4111_1111_1111_1111", VISA}, {"4111*1111*1111*1111", VISA},
	    {"4111|1111|1111|1111", VISA}, {"4111 | 1111 | 1111 | 1111", VISA},
	    {"4111:1111:1111:1111", VISA}, {"4111~1111~1111~1111", VISA},
	    {"4111・1111・1111・1111", VISA}, {"4111·1111·1111·1111", VISA},
	    {"4111•1111•1111•1111", VISA}, {"4111ー1111ー1111ー1111", VISA},
	    {"4111、1111、1111、1111", VISA}, {"VISA4111111111111111", VISA},
	    {"No4111-1111-1111-1111", VISA}, {"カード_4111111111111111", VISA},
	    {"カード #4111111111111111", VISA}, {"カード $4111111111111111", VISA},
	    {"カード ¥4111111111111111", VISA}, {"カード 4111111111111111円", VISA},
	    {"4111-1111-1111-1111円", VISA}, {"カード x4111111111111111x", VISA},
	    {"カード 4111111111111111-12", VISA}, {"カード 4111111111111111/1227", VISA},
	    {"4111-1111-1111-1111-12", VISA}, {"4111 1111 1111 1111/12/27", VISA},
	    {"カード 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", VISA},
	    {"4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", ""}, /* nothing names it */
	    {"カード 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 2", ""},
	    {"カード 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", ""}, {"4111111111111111円", ""},
	    {"#4111111111111111", ""}, {"カード 0a4111111111111111", ""},
	    {"4111:1111_1111~1111", ""}, {"4111-1111-1111-1111-1111", ""},
	    {"2001:4111:1111:1111:1111", ""}, {"4111    1111    1111    1111", ""}, /* columns */
	};

	(void)state;
	check_all(cases, COUNT_OF(cases), ALL_NUMBERS);
}

/* Each issuer with its length; S1-28: a card of 15 digits. */
static void test_issuers(void **state)
{
	static const struct text_case cases[] = {
	    {"378282246310005", "card 378282246310005"},
	    {"3782-822463-10005", "card 378282246310005"},
	    {"30569309025904", "card 30569309025904"},
	    {"3056 930902 5904", "card 30569309025904"},
	    {"38520000023237", "card 38520000023237"},
	    {"3530111333300000", "card 3530111333300000"},
	    {"6011111111111117", "card 6011111111111117"},
	    {"5105105105105100", "card 5105105105105100"},
	    {"2223003122003222", "card 2223003122003222"},
	    {"6200000000000005", "card 6200000000000005"},
	    {"4000000000000000", ""},
	    {"6250941006528599", "card 6250941006528599"},
	    {"1234567812345670", ""}, /* right by Luhn, of no issuer */
	    {"411111111111111", ""},  /* 15 digits are no Visa */
	    {"4111111111111112", ""}, /* wrong by Luhn */
	    {"0000000000000000", ""},
	};

	(void)state;
	check_all(cases, COUNT_OF(cases), ALL_NUMBERS);
}

/* S1-28: digits broken over two cells or two lines. */
static void test_broken(void **state)
{
	static const struct text_case cases[] = {
	    {"4111 1111 1111 1111\n", VISA}, /* two cells of four and four, a tab between */
	    {"カード番号 期限\n41111111 11111111 12/28\n", VISA},
	    {"カード番号,期限\n41111111,11111111,12/28\n", VISA},
	    {"カード番号\n41111111\n11111111\n", VISA},
	    {"カードは 4111-1111-\n1111-1111 です", VISA},
	    {"> カード 4111 1111\n> 1111 1111\n", VISA},
	    {"41111111 11111111", ""},
	    {"4111\n1111\n1111\n1111\n", ""},
	    {"4111 1111-1111 1111", ""},
	};

	(void)state;
	check_all(cases, COUNT_OF(cases), ALL_NUMBERS);
}

/* C2: times, ids, fractions, pieces of longer things. S1-28: a time of 16 digits. */
static void test_none(void **state)
{
	static const struct text_case cases[] = {
	    {"2026112209301504", ""},
	    {"20261122093015123", ""},
	    {"開始 20261122093015 終了 20261122093016", ""},
	    {"550e8400-e29b-41d4-a716-446655440000", ""},
	    {"00000000-4111-1111-1111-111111111111", ""},
	    {"411111111111111a", ""},
	    {"a4111111111111111", ""},
	    {"4111111111111111x", ""},
	    {"id_4111111111111111", ""},
	    {"0.4111111111111111", ""},
	    {"3.4111111111111111", ""},
	    {"-4111111111111111", ""},
	    {"41111111111111114", ""},
	    {"4111-1111-1111-1111-1111", ""},
	    {"1-4111-1111-1111-1111", ""},
	    {"4111111111111111-a", ""},
	    {"\xC2\xA5"
	     "4111111111111111",
		""},
	    {"4111111111111111円", ""},
	    {"4111111111111111%", ""},
	    {"https://x.example/4111111111111111", ""},
	    {"/var/4111111111111111/x", ""},
	    {"?id=4111111111111111", ""},
	    {"x+4111111111111111", ""},
	    {"5422 5423 5424 5425 5426 5427 5428 5429", ""},
	    {"542F 5430 5431 5432 5433", ""},
	};

	(void)state;
	check_all(cases, COUNT_OF(cases), ALL_NUMBERS);
}

/* A word that says what a number is decides. */
static void test_words(void **state)
{
	static const struct text_case cases[] = {
	    {"注文番号 4111111111111111", ""},
	    {"注文番号: 4111-1111-1111-1111", ""},
	    {"伝票No.4111111111111111", ""},
	    {"Tracking: 4111111111111111", ""},
	    {"serial 4111111111111111", ""},
	    {"session=4111111111111111", ""},
	    {"会員番号 利用日 金額\n4111-1111-1111-1111 26/10/18 18,700円\n", VISA},
	    {"注文番号 12345 カード 4111111111111111", VISA},
	    {"TEL 03-1234-5678 4111111111111111", VISA " phone 0312345678"},
	    {"控えはJCBでした。\nこちらの番号です → 3530111333300000\n", "card 3530111333300000"},
	    {"4111111111111111(VISA)", VISA},
	};

	(void)state;
	check_all(cases, COUNT_OF(cases), ALL_NUMBERS);
}

/* A column of long numbers of which few are right is no column of cards; one with its head is. */
static void test_columns(void **state)
{
	char text[8192] = "";
	size_t len = 0;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%u,%u,45390000123%05u\n",
		    i, i * 7, i * 13 + 4); /* of these one in ten is right */
	assert_string_equal(found(text, len, ALL_NUMBERS), "");

	snprintf(
	    text, sizeof(text), "No,注文番号,カード番号\n1,4111111111111111,5555555555554444\n");
	assert_string_equal(found(text, strlen(text), ALL_NUMBERS), MASTER);
}

/* Whoever asks for cards alone gets cards alone. */
static void test_wanted(void **state)
{
	static const char text[] = "カード 4111111111111111 電話 03-1234-5678";

	(void)state;
	assert_string_equal(found(text, sizeof(text) - 1, 1U << DETECT_CARD), VISA);
	assert_string_equal(found(text, sizeof(text) - 1, 1U << DETECT_PHONE), "phone 0312345678");
	assert_string_equal(found(text, sizeof(text) - 1, 0), "");
}

/* Wherever it stands in a long text, a card is found once. */
static void test_seams(void **state)
{
	static const char card[] = " カード 4111 1111 1111 1111 ";
	size_t len = 2 * WINDOW_SIZE;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	for (size_t at = WINDOW_SIZE - 1200; at < WINDOW_SIZE + 60; at += 9) {
		memset(text, 'x', len);
		memcpy(text + at, card, sizeof(card) - 1);
		assert_string_equal(found(text, len, ALL_NUMBERS), VISA);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_written),
	    cmocka_unit_test(test_disguised),
	    cmocka_unit_test(test_issuers),
	    cmocka_unit_test(test_broken),
	    cmocka_unit_test(test_none),
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_columns),
	    cmocka_unit_test(test_wanted),
	    cmocka_unit_test(test_seams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
