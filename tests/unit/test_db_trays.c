/* Trays are read once, whatever dies in between. */
#include "db_kit.h"

#include <sys/file.h>
#include <sys/wait.h>

#define ALICE "alice@example.co.jp"
#define BOB   "bob@partner.example"
#define TRAY  "lib/history/trays/seki-deliver"
#define LINE  "delivered 1795392000 " ALICE " " BOB "\n"

static struct kit kit;

static int enter(void **state)
{
	(void)state;
	kit_enter(&kit);
	kit_open(&kit, KIT_NOW);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	kit_close(&kit);
	kit_leave(&kit);
	return 0;
}

static void append(const char *text)
{
	int fd = open(TRAY, O_WRONLY | O_APPEND);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static off_t size_of(void)
{
	struct stat st;

	assert_int_equal(stat(TRAY, &st), 0);
	return st.st_size;
}

static uint64_t count(void)
{
	return kit_ask(&kit, KIT_NOW, ALICE, NULL, BOB).by_sender;
}

static void test_read_and_emptied(void **state)
{
	(void)state;
	append(LINE LINE);
	kit_read(&kit, KIT_NOW);
	assert_int_equal(count(), 2);
	assert_int_equal(size_of(), 0);
	append(LINE);
	kit_read(&kit, KIT_NOW);
	assert_int_equal(count(), 3);
}

/* A last line without its end waits for it. */
static void test_torn_line_waits(void **state)
{
	(void)state;
	append(LINE "delivered 1795392000 " ALICE);
	kit_read(&kit, KIT_NOW);
	assert_int_equal(count(), 1);
	kit_read(&kit, KIT_NOW);
	assert_int_equal(count(), 1);
	append(" " BOB "\n");
	kit_read(&kit, KIT_NOW);
	assert_int_equal(count(), 2);
	assert_int_equal(size_of(), 0);
}

/* What is none is passed over, and what stands beside it is read. */
static void test_lines_that_are_none(void **state)
{
	static const char *const none[] = {"\n", "delivered\n", "delivered x a b\n",
	    "delivered 1795392000 a\n", "delivered 1795392000 a b c\n",
	    "delivered 1795392000 a =\n", "sent 1795392000 a b\n", "delivered 1795392000 a=b c\n",
	    "delivered 1795392000 +0g c\n", "judged 1795392000 x - -\n", "judged 1795392000 1 -\n",
	    "would 1795392000 w r f o 1 maybe\n", "would 1795392000 w r f o 1\n",
	    "did 1795392000 w r f o -1\n", "people 1795392000\n", "people 1795392000 -1\n",
	    "named 1795392000 nobody name\n", "member 1795392000\n", "delivered -1 a b\n",
	    "\x01\xff\n", "delivered 1795392000 " ALICE " " BOB "torn" LINE};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(none); i++)
		append(none[i]);
	append(LINE);
	kit_read(&kit, KIT_NOW);
	assert_int_equal(count(), 1);
	assert_int_equal(size_of(), 0);
}

/* S4: a line without an end does not keep others from being read for ever. */
static void test_endless_line(void **state)
{
	char *bytes = malloc(600000);

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'x', 599999);
	bytes[599999] = '\0';
	append(bytes);
	free(bytes);
	kit_read(&kit, KIT_NOW);
	append("\n" LINE);
	kit_read(&kit, KIT_NOW);
	assert_int_equal(count(), 1);
	assert_int_equal(size_of(), 0);
}

/* Somebody tells just now: it is emptied another time, and nothing is read twice. */
static void test_locked_while_read(void **state)
{
	int fd = open(TRAY, O_RDONLY);

	(void)state;
	assert_int_equal(flock(fd, LOCK_EX), 0);
	append(LINE);
	kit_read(&kit, KIT_NOW);
	assert_int_equal(count(), 1);
	assert_true(size_of() > 0);
	append(LINE);
	(void)close(fd);
	kit_read(&kit, KIT_NOW);
	assert_int_equal(count(), 2);
	assert_int_equal(size_of(), 0);
}

/* It ends when all was read and the tray not yet emptied: nothing is counted again. */
static void test_restart_before_emptying(void **state)
{
	int fd = open(TRAY, O_RDONLY);

	(void)state;
	assert_int_equal(flock(fd, LOCK_EX), 0);
	append(LINE LINE);
	kit_read(&kit, KIT_NOW);
	assert_true(size_of() > 0);
	kit_close(&kit);
	(void)close(fd);
	append(LINE);
	kit_open(&kit, KIT_NOW);
	kit_read(&kit, KIT_NOW);
	assert_int_equal(count(), 3);
	assert_int_equal(size_of(), 0);
}

/* It ends when the tray was emptied, and others have told as much again: nothing is left out. */
static void test_restart_behind_emptying(void **state)
{
	(void)state;
	append(LINE LINE);
	kit_read(&kit, KIT_NOW);
	assert_int_equal(size_of(), 0);
	kit_close(&kit);
	append("delivered 1795392001 " ALICE " " BOB "\n" LINE LINE);
	kit_open(&kit, KIT_NOW);
	kit_read(&kit, KIT_NOW);
	assert_int_equal(count(), 5);
}

/* The same, told by programs in the same second: every line is the same. */
static void test_equal_lines_behind_emptying(void **state)
{
	struct tray *tray = tray_open("seki-deliver");

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_true(tray_add(tray, LINE, strlen(LINE)));
		kit_read(&kit, KIT_NOW);
		assert_int_equal(size_of(), 0);
		kit_close(&kit);
		assert_true(tray_add(tray, LINE LINE, 2 * strlen(LINE)));
		kit_open(&kit, KIT_NOW);
		kit_read(&kit, KIT_NOW);
		assert_int_equal(count(), 3 * (i + 1));
	}
	tray_close(tray);
}

/* An operator puts a new one there. */
static void test_another_file(void **state)
{
	(void)state;
	append(LINE);
	kit_read(&kit, KIT_NOW);
	assert_int_equal(unlink(TRAY), 0);
	kit_read(&kit, KIT_NOW);
	kit_file(TRAY);
	append("delivered 1795392001 " ALICE " " BOB "\n");
	kit_read(&kit, KIT_NOW);
	assert_int_equal(count(), 2);
}

/* Several writers, each killed at any moment, and a reader that is killed, too: nobody is left out
 * whose line was told and read, and nothing hangs. */
static void test_kill_9_at_any_moment(void **state)
{
	uint64_t before = 0;

	(void)state;
	kit_close(&kit);
	for (int round = 0; round < 12; round++) {
		pid_t reader = fork(), writer;

		if (reader == 0) {
			kit_open(&kit, KIT_NOW);
			for (;;)
				(void)trays_read(kit.trays, KIT_NOW);
		}
		writer = fork();
		assert_true(reader > 0 && writer >= 0);
		if (writer == 0) {
			struct tray *tray = tray_open("seki-deliver");

			for (;;)
				(void)!tray_add(tray, LINE, strlen(LINE));
		}
		(void)usleep(20000 + (useconds_t)round * 7919);
		assert_int_equal(kill(writer, SIGKILL), 0);
		assert_int_equal(kill(reader, SIGKILL), 0);
		assert_int_equal(waitpid(writer, NULL, 0), writer);
		assert_int_equal(waitpid(reader, NULL, 0), reader);
		kit_open(&kit, KIT_NOW);
		kit_read(&kit, KIT_NOW);
		assert_true(count() > before);
		before = count();
		assert_int_equal(kit_ask(&kit, KIT_NOW, ALICE, NULL, BOB).by_site, before);
		kit_close(&kit);
	}
	kit_open(&kit, KIT_NOW);
}

/* What was told is counted exactly, when nobody dies but the reader. */
static void test_reader_killed(void **state)
{
	struct tray *tray = tray_open("seki-deliver");
	uint64_t told = 0;

	(void)state;
	kit_close(&kit);
	for (int round = 0; round < 12; round++) {
		pid_t reader = fork();

		if (reader == 0) {
			kit_open(&kit, KIT_NOW);
			for (;;)
				(void)trays_read(kit.trays, KIT_NOW);
		}
		assert_true(reader > 0);
		for (int i = 0; i < 300 + 100 * round; i++) {
			told += tray_add(tray, LINE, strlen(LINE));
		}
		(void)usleep((useconds_t)round * 2500);
		(void)kill(reader, SIGKILL);
		assert_int_equal(waitpid(reader, NULL, 0), reader);
	}
	tray_close(tray);
	kit_open(&kit, KIT_NOW);
	kit_read(&kit, KIT_NOW);
	assert_int_equal(count(), told);
}

/* ---- the store ---- */

static void spoil(const char *path, off_t from, off_t to)
{
	int fd = open(path, O_WRONLY);
	char bytes[512];

	assert_true(fd >= 0);
	memset(bytes, 0x5a, sizeof bytes);
	for (off_t at = from; at < to; at += (off_t)sizeof bytes)
		assert_int_equal(pwrite(fd, bytes, sizeof bytes, at), sizeof bytes);
	(void)close(fd);
}

/* What recovery cannot mend is told as such, in words, and not opened. */
static void test_damaged(void **state)
{
	char fault[512] = "";
	struct store *store;

	(void)state;
	append(LINE);
	kit_read(&kit, KIT_NOW);
	kit_close(&kit);
	spoil("lib/history/db/count.db", 0, 512);
	assert_int_equal(store_open("lib/history/db", &store, fault, sizeof fault), STORE_DAMAGED);
	assert_null(store);
	assert_true(strlen(fault) > 10);
	/* Moved away, it begins anew. */
	assert_int_equal(rename("lib/history/db", "lib/history/db.bad"), 0);
	assert_int_equal(mkdir("lib/history/db", 0700), 0);
	kit_open(&kit, KIT_NOW);
	assert_int_equal(count(), 0);
}

/* One at a time. */
static void test_second_opener(void **state)
{
	char fault[512] = "";
	struct store *store;

	(void)state;
	assert_int_equal(store_open("lib/history/db", &store, fault, sizeof fault), STORE_UNABLE);
	assert_non_null(strstr(fault, "another program"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_read_and_emptied),
	    T(test_torn_line_waits),
	    T(test_lines_that_are_none),
	    T(test_endless_line),
	    T(test_locked_while_read),
	    T(test_restart_before_emptying),
	    T(test_restart_behind_emptying),
	    T(test_equal_lines_behind_emptying),
	    T(test_another_file),
	    T(test_kill_9_at_any_moment),
	    T(test_reader_killed),
	    T(test_damaged),
	    T(test_second_opener),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
