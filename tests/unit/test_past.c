/* Lines, trays, and what is written into them. */
#include "db_kit.h"

#include <errno.h>
#include <pthread.h>
#include <sys/file.h>

#define TRAY "lib/history/trays/seki-deliver"
#define HEAD 22 /* bytes of the line that a tray begins with */

static struct kit kit;

static int enter(void **state)
{
	(void)state;
	kit_enter(&kit);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	kit_leave(&kit);
	return 0;
}

/* ---- lines ---- */

static bool cut(const char *text, struct past_line *line)
{
	static char bytes[2 * PAST_LINE_MAX];

	(void)snprintf(bytes, sizeof bytes, "%s", text);
	return past_line_cut(bytes, strlen(text), line);
}

static void test_a_line_is_cut(void **state)
{
	struct past_line line;

	(void)state;
	assert_true(cut("rcpt a@b = +E5+B1+B1", &line));
	assert_int_equal(line.words, 4);
	assert_string_equal(line.word[1], "a@b");
	assert_string_equal(line.word[2], "");
	assert_string_equal(line.word[3], "\xe5\xb1\xb1");
}

static void test_what_is_no_line(void **state)
{
	static const char *const none[] = {
	    "", " ", "a  b", " a", "a ", "a b=c", "a +4", "a +4a", "a +00b", "a \x80", "a\tb"};
	struct past_line line;
	char words[2 * PAST_WORDS_MAX + 3], value[PAST_VALUE_MAX + 2];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(none); i++)
		assert_false(cut(none[i], &line));

	for (size_t i = 0; i < sizeof words; i++)
		words[i] = i % 2 == 0 ? 'w' : ' ';
	words[2 * PAST_WORDS_MAX - 1] = '\0';
	assert_true(cut(words, &line));
	assert_int_equal(line.words, PAST_WORDS_MAX);
	words[2 * PAST_WORDS_MAX - 1] = ' ';
	words[2 * PAST_WORDS_MAX + 1] = '\0';
	assert_false(cut(words, &line));

	memset(value, 'v', sizeof value);
	value[PAST_VALUE_MAX - 1] = '\0';
	assert_true(cut(value, &line));
	value[PAST_VALUE_MAX - 1] = 'v';
	value[PAST_VALUE_MAX] = '\0';
	assert_false(cut(value, &line));
}

static void test_numbers(void **state)
{
	uint64_t n;

	(void)state;
	assert_true(past_number("9999999999999999999", &n));
	assert_true(n == 9999999999999999999u);
	assert_true(past_number("0", &n));
	assert_int_equal(n, 0);
	assert_false(past_number("", &n));
	assert_false(past_number("-1", &n));
	assert_false(past_number("1x", &n));
	assert_false(past_number("10000000000000000000", &n));
}

/* What is written is read, whatever stands in the values. */
static void test_put_and_cut(void **state)
{
	static const char *const groups[] = {"sales", "\xe5\x96\xb6\xe6\xa5\xad"};
	struct buf out;
	struct past_line line;

	(void)state;
	buf_init(&out, 1 << 16);
	tray_put_member(&out, 7, "", groups, 2);
	assert_true(buf_ok(&out));
	assert_int_equal(out.bytes[out.len - 1], '\n');
	assert_true(past_line_cut(out.bytes, out.len - 1, &line));
	assert_int_equal(line.words, 5);
	assert_string_equal(line.word[0], "member");
	assert_string_equal(line.word[1], "7");
	assert_string_equal(line.word[2], "");
	assert_string_equal(line.word[4], groups[1]);
	buf_clear(&out);
	tray_put_decision(
	    &out, PAST_WATCH, 8, "must/50-a:1", "a b\n", "hold", "until 09:00 \"x\"", 3);
	assert_true(past_line_cut(out.bytes, out.len - 1, &line));
	assert_int_equal(line.words, 8);
	assert_string_equal(line.word[3], "a b\n");
	assert_string_equal(line.word[5], "until 09:00 \"x\"");
	assert_string_equal(line.word[7], "watch");
	buf_free(&out);
}

/* ---- trays ---- */

static off_t size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* A tray is never made, and is found when it is there. */
static void test_tray_not_there(void **state)
{
	struct tray *tray = tray_open("seki-nobody");

	(void)state;
	assert_non_null(tray);
	assert_false(tray_add(tray, "a\n", 2));
	assert_int_equal(errno, ENOENT);
	kit_file("lib/history/trays/seki-nobody");
	assert_true(tray_add(tray, "a\n", 2));
	assert_int_equal(size_of("lib/history/trays/seki-nobody"), HEAD + 2);
	tray_close(tray);
}

/* S4: a bound, to the byte. */
static void test_tray_bound(void **state)
{
	struct tray *tray = tray_open("seki-deliver");

	(void)state;
	tray_bound(tray, HEAD + 10);
	assert_true(tray_add(tray, "12345678\n", 9));
	assert_false(tray_add(tray, "\n\n", 2));
	assert_int_equal(errno, EFBIG);
	assert_true(tray_add(tray, "\n", 1));
	assert_int_equal(size_of(TRAY), HEAD + 10);
	tray_close(tray);
}

/* A line that somebody did not finish does not become the beginning of the next one. */
static void test_tray_torn(void **state)
{
	struct tray *tray = tray_open("seki-deliver");
	int fd = open(TRAY, O_WRONLY | O_APPEND);
	char bytes[64];

	(void)state;
	assert_int_equal(write(fd, "torn", 4), 4);
	assert_true(tray_add(tray, "whole\n", 6));
	(void)close(fd);
	fd = open(TRAY, O_RDONLY);
	assert_int_equal(read(fd, bytes, sizeof bytes), 11);
	assert_memory_equal(bytes, "torn\nwhole\n", 11);
	(void)close(fd);
	tray_close(tray);
}

/* Somebody keeps it locked: it is not waited for, and told as such. */
static void test_tray_locked(void **state)
{
	struct tray *tray = tray_open("seki-deliver");
	int fd = open(TRAY, O_RDONLY);

	(void)state;
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_false(tray_add(tray, "a\n", 2));
	assert_int_equal(errno, EAGAIN);
	(void)close(fd);
	assert_true(tray_add(tray, "a\n", 2));
	tray_close(tray);
}

#define ADDED 200

static void *add_many(void *context)
{
	for (int i = 0; i < ADDED; i++)
		assert_true(tray_add(context, "abcdefgh\n", 9));
	return NULL;
}

static void test_tray_threads(void **state)
{
	struct tray *tray = tray_open("seki-deliver");
	pthread_t thread[4];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(thread); i++)
		assert_int_equal(pthread_create(&thread[i], NULL, add_many, tray), 0);
	for (size_t i = 0; i < COUNT_OF(thread); i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(size_of(TRAY), HEAD + COUNT_OF(thread) * ADDED * 9);
	tray_close(tray);
}

/* Nobody there: an errno, at once. */
static void test_ask_without_server(void **state)
{
	struct past_rcpt_question rcpt = {"bob@partner.example", ""};
	struct past_question q = {.sender = "a@b.example", .rcpt = &rcpt, .rcpts = 1};
	char week[11];

	(void)state;
	assert_null(past_ask(&q, 1000000));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(past_enrolled("a@b.example", true, 1000000), -1);
	assert_int_equal(past_report_due(week, 1000000), -1);
	assert_null(past_rows(7, false, 1000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_line_is_cut),
	    cmocka_unit_test(test_what_is_no_line),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_put_and_cut),
	    cmocka_unit_test_setup_teardown(test_tray_not_there, enter, leave),
	    cmocka_unit_test_setup_teardown(test_tray_bound, enter, leave),
	    cmocka_unit_test_setup_teardown(test_tray_torn, enter, leave),
	    cmocka_unit_test_setup_teardown(test_tray_locked, enter, leave),
	    cmocka_unit_test_setup_teardown(test_tray_threads, enter, leave),
	    cmocka_unit_test_setup_teardown(test_ask_without_server, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
