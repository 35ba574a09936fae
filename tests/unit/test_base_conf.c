#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/conf.h"

/* The lines as they were taken: "NUMBER COLUMN=WORD COLUMN=WORD|". */
struct taken {
	char text[8192];
	size_t used;
	size_t lines;
	unsigned refuse; /* the line at which to stop; 0: none */
};

static bool take(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	struct taken *t = context;
	size_t room = sizeof t->text;

	t->lines++;
	if (line->number == t->refuse)
		return conf_blame(
		    fault, line->number, line->word[0].column, "not \"%s\"", line->word[0].text);

	t->used += (size_t)snprintf(t->text + t->used, room - t->used, "%u", line->number);
	for (size_t i = 0; i < line->words && t->used < room; i++)
		t->used += (size_t)snprintf(t->text + t->used, room - t->used, " %u=%s",
		    line->word[i].column, line->word[i].text);
	assert_true(t->used < room - 1);
	t->text[t->used++] = '|';
	t->text[t->used] = '\0';
	return true;
}

static void assert_takes(const char *bytes, size_t len, const char *expected)
{
	struct taken t = {.used = 0};
	struct conf_fault fault;

	assert_true(conf_parse(bytes, len, "etc/x", take, &t, &fault));
	assert_string_equal(t.text, expected);
}

#define TAKES(text, expected) assert_takes((text), sizeof(text) - 1, (expected))

static void assert_blames(const char *bytes, size_t len, size_t lines, const char *expected)
{
	struct taken t = {.used = 0};
	struct conf_fault fault;
	char shown[512];

	assert_false(conf_parse(bytes, len, "etc/x", take, &t, &fault));
	conf_fault_show(&fault, shown, sizeof shown);
	assert_string_equal(shown, expected);
	assert_int_equal(t.lines, lines);
}

#define BLAMES(text, lines, expected) assert_blames((text), sizeof(text) - 1, (lines), (expected))

static void words_and_their_columns(void **state)
{
	(void)state;
	TAKES("", "");
	TAKES("\n\n", "");
	TAKES("a\n", "1 1=a|");
	TAKES("a b\n", "1 1=a 3=b|");
	TAKES("\ta  b\t\tc \n", "1 2=a 5=b 8=c|");
	TAKES("\n  \n x\n", "3 2=x|");
	TAKES("\xe9\x96\xa2 b\n", "1 1=\xe9\x96\xa2 5=b|");
}

static void comments_begin_where_a_word_could(void **state)
{
	(void)state;
	TAKES("# all of it\n", "");
	TAKES("a #b c\n", "1 1=a|");
	TAKES("a#b c# d\n", "1 1=a#b 5=c# 8=d|");
	TAKES("\t#\n", "");
	TAKES("a\t#\nb\n", "1 1=a|2 1=b|");
}

static void a_bad_byte_is_a_fault_before_any_line_is_taken(void **state)
{
	(void)state;
	BLAMES("a\nb \0c\n", 0, "etc/x:2:3: a control character (byte 0x00)");
	BLAMES("a\x1b[2J\n", 0, "etc/x:1:2: a control character (byte 0x1b)");
	BLAMES("a\x7f\n", 0, "etc/x:1:2: a control character (byte 0x7f)");
	BLAMES("# in a comment \x01\n", 0, "etc/x:1:16: a control character (byte 0x01)");
	BLAMES("a\n\x0b\n", 0, "etc/x:2:1: a control character (byte 0x0b)");
	BLAMES("a b\r\nc\r\n", 0,
	    "etc/x:1:4: a carriage return: lines end in a newline alone, save the file so");
	BLAMES("\xef\xbb\xbf"
	       "a b\n",
	    0, "etc/x:1:1: a byte order mark: save the file without it");
}

static void half_a_file_is_a_fault(void **state)
{
	(void)state;
	BLAMES(
	    "a", 0, "etc/x:1: the last line does not end in a newline: is the file half-written?");
	BLAMES("a\nb\n# c", 0,
	    "etc/x:3: the last line does not end in a newline: is the file half-written?");
	BLAMES("a\n ", 0,
	    "etc/x:2: the last line does not end in a newline: is the file half-written?");
}

static void lines_up_to_their_bound(void **state)
{
	char text[CONF_LINE_MAX + 8];
	struct taken t = {.used = 0};
	struct conf_fault fault;

	(void)state;
	memset(text, 'a', sizeof text);
	text[CONF_LINE_MAX] = '\n';
	assert_true(conf_parse(text, CONF_LINE_MAX + 1, "etc/x", take, &t, &fault));
	assert_int_equal(t.used, strlen("1 1=") + CONF_LINE_MAX + 1);

	memset(text, 'a', sizeof text);
	text[0] = '\n';
	text[CONF_LINE_MAX + 2] = '\n';
	assert_blames(text, CONF_LINE_MAX + 3, 0, "etc/x:2: the line is longer than 4096 bytes");
}

static void words_up_to_their_bound(void **state)
{
	char text[2 * CONF_WORDS_MAX + 3];
	struct taken t = {.used = 0};
	struct conf_fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = i % 2 == 0 ? 'w' : ' ';
	text[2 * CONF_WORDS_MAX - 1] = '\n';
	assert_true(conf_parse(text, 2 * CONF_WORDS_MAX, "etc/x", take, &t, &fault));

	text[2 * CONF_WORDS_MAX - 1] = ' ';
	text[2 * CONF_WORDS_MAX + 1] = '\n';
	assert_blames(
	    text, 2 * CONF_WORDS_MAX + 2, 0, "etc/x:1:257: more than 128 words in a line");

	/* A comment behind the last word that may be there is none too many. */
	text[2 * CONF_WORDS_MAX] = '#';
	t = (struct taken){.used = 0};
	assert_true(conf_parse(text, 2 * CONF_WORDS_MAX + 2, "etc/x", take, &t, &fault));
}

static void files_up_to_their_bound(void **state)
{
	char *text = malloc(CONF_FILE_MAX + 1);
	struct taken t = {.used = 0};
	struct conf_fault fault;

	(void)state;
	assert_non_null(text);
	memset(text, '\n', CONF_FILE_MAX + 1);
	assert_true(conf_parse(text, CONF_FILE_MAX, "etc/x", take, &t, &fault));
	assert_blames(text, CONF_FILE_MAX + 1, 0, "etc/x: is larger than 16 MB");
	free(text);
}

static void whoever_takes_may_refuse(void **state)
{
	static const char text[] = "a\n b\nc\n";
	struct taken t = {.refuse = 2};
	struct conf_fault fault;
	char shown[128];

	(void)state;
	assert_false(conf_parse(text, sizeof text - 1, "etc/x", take, &t, &fault));
	conf_fault_show(&fault, shown, sizeof shown);
	assert_string_equal(shown, "etc/x:2:2: not \"b\"");
	assert_int_equal(t.lines, 2);
}

static void faults_show_the_parts_that_are_there(void **state)
{
	struct conf_fault fault = {.file = "etc/x"};
	char text[64], narrow[8];

	(void)state;
	assert_false(conf_blame(&fault, 12, 9, "%d needs a unit", 60));
	conf_fault_show(&fault, text, sizeof text);
	assert_string_equal(text, "etc/x:12:9: 60 needs a unit");
	conf_fault_show(&fault, narrow, sizeof narrow);
	assert_string_equal(narrow, "etc/x:1");

	assert_false(conf_blame(&fault, 12, 0, "t"));
	conf_fault_show(&fault, text, sizeof text);
	assert_string_equal(text, "etc/x:12: t");
	assert_false(conf_blame(&fault, 0, 0, "t"));
	conf_fault_show(&fault, text, sizeof text);
	assert_string_equal(text, "etc/x: t");

	fault.file[0] = '\0';
	conf_fault_show(&fault, text, sizeof text);
	assert_string_equal(text, "t");
	assert_false(conf_blame(&fault, 3, 4, "t"));
	conf_fault_show(&fault, text, sizeof text);
	assert_string_equal(text, "3:4: t");
}

static void a_long_fault_is_cut(void **state)
{
	struct conf_fault fault = {.line = 0};
	char word[1024];

	(void)state;
	memset(word, 'w', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	assert_false(conf_blame(&fault, 1, 1, "%s", word));
	assert_int_equal(strlen(fault.text), sizeof fault.text - 1);
}

/* ---- files ---- */

struct place {
	char path[32];
	int dir;
};

static int set_up(void **state)
{
	static struct place p;

	(void)snprintf(p.path, sizeof p.path, "/dev/shm/seki-conf-XXXXXX");
	if (mkdtemp(p.path) == NULL)
		return -1;
	p.dir = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &p;
	return p.dir < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"file", "fifo", "link"};
	struct place *p = *state;

	for (size_t i = 0; i < COUNT_OF(names); i++)
		(void)unlinkat(p->dir, names[i], 0);
	(void)unlinkat(p->dir, "directory", AT_REMOVEDIR);
	(void)close(p->dir);
	return rmdir(p->path);
}

static void put_file(const struct place *p, const char *bytes, size_t len)
{
	int fd = openat(p->dir, "file", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(close(fd), 0);
}

static void assert_read_blames(const struct place *p, const char *name, const char *expected)
{
	struct taken t = {.used = 0};
	struct conf_fault fault;
	char shown[512];

	for (int optional = 0; optional < 2; optional++) {
		memset(&fault, '#', sizeof fault);
		assert_false(conf_read(p->dir, name, optional != 0, take, &t, &fault));
		conf_fault_show(&fault, shown, sizeof shown);
		assert_string_equal(shown, expected);
		assert_int_equal(t.lines, 0);
	}
}

static void a_file_is_read(void **state)
{
	const struct place *p = *state;
	struct taken t = {.used = 0};
	struct conf_fault fault;

	put_file(p, "a b\n#\nc\n", 8);
	assert_true(conf_read(p->dir, "file", false, take, &t, &fault));
	assert_string_equal(t.text, "1 1=a 3=b|3 1=c|");

	put_file(p, "", 0);
	t = (struct taken){.used = 0};
	assert_true(conf_read(p->dir, "file", false, take, &t, &fault));
	assert_int_equal(t.lines, 0);
}

static void a_file_that_is_not_there(void **state)
{
	const struct place *p = *state;
	struct taken t = {.used = 0};
	struct conf_fault fault;
	char shown[128];

	assert_true(conf_read(p->dir, "none", true, take, &t, &fault));
	assert_int_equal(t.lines, 0);
	assert_false(conf_read(p->dir, "none", false, take, &t, &fault));
	conf_fault_show(&fault, shown, sizeof shown);
	assert_string_equal(shown, "etc/none: the file is missing");
}

static void a_file_is_named_in_its_faults(void **state)
{
	const struct place *p = *state;

	put_file(p, "a\nb", 3);
	assert_read_blames(p, "file",
	    "etc/file:2: the last line does not end in a newline: is the file half-written?");
}

/* Neither waits for a writer nor reads what is no file. */
static void what_is_no_file(void **state)
{
	const struct place *p = *state;

	assert_int_equal(mkdirat(p->dir, "directory", 0700), 0);
	assert_int_equal(mkfifoat(p->dir, "fifo", 0600), 0);
	assert_int_equal(symlinkat("link", p->dir, "link"), 0);
	assert_read_blames(p, "directory", "etc/directory: is not a regular file");
	assert_read_blames(p, "fifo", "etc/fifo: is not a regular file");
	assert_read_blames(
	    p, "link", "etc/link: cannot be opened: Too many levels of symbolic links");
}

static void a_file_above_the_bound(void **state)
{
	const struct place *p = *state;
	char *text = malloc(CONF_FILE_MAX + 20000);
	struct taken t = {.used = 0};
	struct conf_fault fault;

	assert_non_null(text);
	memset(text, '\n', CONF_FILE_MAX + 20000);
	put_file(p, text, CONF_FILE_MAX);
	assert_true(conf_read(p->dir, "file", false, take, &t, &fault));
	put_file(p, text, CONF_FILE_MAX + 1);
	assert_read_blames(p, "file", "etc/file: is larger than 16 MB");
	put_file(p, text, CONF_FILE_MAX + 20000);
	assert_read_blames(p, "file", "etc/file: is larger than 16 MB");
	free(text);
}

/* ---- near words ---- */

struct record {
	const char *name;
	int other;
};

static const struct record records[] = {
    {"smtp-listen", 1}, {"smtp-errors", 2}, {"hold", 3}, {"no", 4}, {"keep-bad", 5}};

static void assert_near(const char *word, const char *expected)
{
	const char *near = conf_near(word, records, COUNT_OF(records), sizeof records[0]);

	if (expected == NULL)
		assert_null(near);
	else
		assert_string_equal(near, expected);
}

static void near_words(void **state)
{
	(void)state;
	assert_near("smtp-listen", "smtp-listen");
	assert_near("smtp-lisen", "smtp-listen");   /* one is missing */
	assert_near("smtp-llisten", "smtp-listen"); /* one too many */
	assert_near("smtp_listen", "smtp-listen");  /* another one */
	assert_near("smtp-litsen", "smtp-listen");  /* two changed places: one edit */
	assert_near("smpt-litsen", "smtp-listen");  /* two of that */
	assert_near("sntp-lister", "smtp-listen");
	assert_near("smtp-xxsten", "smtp-listen");
	assert_near("smtp-xxxten", NULL);
	assert_near("smtp-err", NULL);
	assert_near("hodl", "hold");
	assert_near("", NULL);
}

static void of_short_words_something_must_be_left(void **state)
{
	(void)state;
	assert_near("on", "no");
	assert_near("n", "no");
	assert_near("ab", NULL);
	assert_near("x", NULL);
}

static void the_nearest_and_then_the_first(void **state)
{
	static const char *const words[] = {"kept", "keep", "keen"};

	(void)state;
	assert_string_equal(conf_near("keeq", words, 3, sizeof words[0]), "keep");
	assert_string_equal(conf_near("keenn", words, 3, sizeof words[0]), "keen");
	assert_null(conf_near("keep", words, 0, sizeof words[0]));
}

static void long_words_are_near_nothing(void **state)
{
	static const char limit[] =
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const char *const words[] = {limit};
	char word[5000];

	(void)state;
	assert_int_equal(strlen(limit), 63);
	assert_string_equal(conf_near(limit + 1, words, 1, sizeof words[0]), limit);
	memset(word, 'a', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	assert_null(conf_near(word, words, 1, sizeof words[0]));
	word[64] = '\0';
	assert_null(conf_near(word, words, 1, sizeof words[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_and_their_columns),
	    cmocka_unit_test(comments_begin_where_a_word_could),
	    cmocka_unit_test(a_bad_byte_is_a_fault_before_any_line_is_taken),
	    cmocka_unit_test(half_a_file_is_a_fault),
	    cmocka_unit_test(lines_up_to_their_bound),
	    cmocka_unit_test(words_up_to_their_bound),
	    cmocka_unit_test(files_up_to_their_bound),
	    cmocka_unit_test(whoever_takes_may_refuse),
	    cmocka_unit_test(faults_show_the_parts_that_are_there),
	    cmocka_unit_test(a_long_fault_is_cut),
	    cmocka_unit_test_setup_teardown(a_file_is_read, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_file_that_is_not_there, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_file_is_named_in_its_faults, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(what_is_no_file, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(a_file_above_the_bound, set_up, tear_down),
	    cmocka_unit_test(near_words),
	    cmocka_unit_test(of_short_words_something_must_be_left),
	    cmocka_unit_test(the_nearest_and_then_the_first),
	    cmocka_unit_test(long_words_are_near_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
