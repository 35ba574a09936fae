/* The spool's own calls: what they open, move, append, and what they leave when they fail. */
#include "tests/unit/queue_kit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define NAME KIT_ID ".1"

static char root[256];
static struct settings settings;
static struct spool spool;

static int enter(void **state)
{
	(void)state;
	kit_enter(root);
	settings_default(&settings);
	assert_true(spool_open(&spool, &settings, "scan"));
	return 0;
}

static int leave(void **state)
{
	(void)state;
	spool_close(&spool);
	kit_leave(root);
	return 0;
}

/* ---- opening ------------------------------------------------------------------------------ */

static enum spool_opened try_open(const char *name)
{
	int fd = -1;
	enum spool_opened opened = spool_open_leg(&spool, STATE_NEW, name, &fd);

	if (opened == SPOOL_OPENED) {
		assert_true(fd >= 0);
		(void)close(fd);
	}
	return opened;
}

static void Q8_only_our_own_regular_files(void **state)
{
	(void)state;
	kit_write("spool/new/" NAME, "x", 1);
	assert_int_equal(try_open(NAME), SPOOL_OPENED);
	assert_int_equal(try_open("nothing"), SPOOL_GONE);

	assert_int_equal(symlink(NAME, "spool/new/symlink"), 0);
	assert_int_equal(try_open("symlink"), SPOOL_FOREIGN);
	assert_int_equal(symlink("nowhere", "spool/new/dangling"), 0);
	assert_int_equal(try_open("dangling"), SPOOL_FOREIGN);
	assert_int_equal(mkfifo("spool/new/fifo", 0660), 0);
	assert_int_equal(try_open("fifo"), SPOOL_FOREIGN); /* and does not wait */
	assert_int_equal(mkdir("spool/new/directory", 0700), 0);
	assert_int_equal(try_open("directory"), SPOOL_FOREIGN);
	if (geteuid() == 0) {
		assert_int_equal(mknod("spool/new/device", S_IFCHR | 0600, 0x103), 0);
		assert_int_equal(try_open("device"), SPOOL_FOREIGN);
		kit_write("spool/new/stranger", "x", 1);
		assert_int_equal(chown("spool/new/stranger", 65534, 65534), 0);
		assert_int_equal(try_open("stranger"), SPOOL_FOREIGN);
	}
	assert_int_equal(link("spool/new/" NAME, "spool/second"), 0);
	assert_int_equal(try_open(NAME), SPOOL_FOREIGN);
	assert_int_equal(unlink("spool/second"), 0);
	assert_int_equal(try_open(NAME), SPOOL_OPENED);
}

static void a_spool_that_is_not_whole(void **state)
{
	struct spool other;

	(void)state;
	assert_false(spool_open(&other, &settings, "nobody"));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(rename("spool/trash", "spool/away"), 0);
	assert_false(spool_open(&other, &settings, NULL));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(symlink("away", "spool/trash"), 0);
	assert_false(spool_open(&other, &settings, NULL)); /* a link is no state */
	assert_int_equal(unlink("spool/trash"), 0);
	assert_int_equal(rename("spool/away", "spool/trash"), 0);
}

static void Q9_locks(void **state)
{
	struct spool other;

	(void)state;
	assert_true(spool_lock(&spool, STATE_NEW));
	assert_true(spool_lock_split(&spool));
	assert_true(spool_open(&other, &settings, "scan"));
	assert_false(spool_lock(&other, STATE_NEW));
	assert_int_equal(errno, EWOULDBLOCK);
	assert_false(spool_lock_split(&other));
	assert_true(spool_lock(&other, STATE_HOLD));
	spool_close(&spool); /* as a process that has ended */
	assert_true(spool_lock(&other, STATE_NEW));
	spool_close(&other);
	assert_true(spool_open(&spool, &settings, "scan"));
}

/* ---- moving ------------------------------------------------------------------------------- */

static void one_rename_and_never_over_another(void **state)
{
	struct kit_bytes b;
	bool there;

	(void)state;
	kit_write("spool/new/" NAME, "a", 1);
	assert_int_equal(spool_move(&spool, STATE_NEW, NAME, STATE_HOLD, "x"), SPOOL_MOVED);
	assert_false(kit_stands("spool/new/" NAME));
	assert_true(kit_stands("spool/hold/x"));
	assert_int_equal(spool_move(&spool, STATE_NEW, NAME, STATE_HOLD, "x"), SPOOL_MOVE_GONE);

	kit_write("spool/new/" NAME, "b", 1);
	assert_int_equal(spool_move(&spool, STATE_NEW, NAME, STATE_HOLD, "x"), SPOOL_MOVE_TAKEN);
	b = kit_file("spool/hold/x");
	assert_string_equal(b.at, "a");
	kit_free(&b);
	assert_true(kit_stands("spool/new/" NAME));
	assert_true(spool_has(&spool, STATE_HOLD, "x", &there));
	assert_true(there);
	assert_true(spool_has(&spool, STATE_HOLD, "y", &there));
	assert_false(there);
	assert_true(spool_remove(&spool, STATE_NEW, NAME));
	assert_true(spool_remove(&spool, STATE_NEW, NAME));
	assert_true(spool_remove(&spool, STATE_HOLD, "x"));
}

static void quarantine_finds_a_free_name(void **state)
{
	static const char *const expected[] = {"odd", "odd.2", "odd.3", "odd.4"};
	char path[64], long_name[NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		kit_write("spool/new/odd", &"0123"[i], 1);
		assert_true(spool_quarantine(&spool, STATE_NEW, "odd"));
		(void)snprintf(path, sizeof path, "spool/bad/%s", expected[i]);
		assert_true(kit_stands(path));
		assert_false(kit_stands("spool/new/odd"));
	}
	assert_true(spool_quarantine(&spool, STATE_NEW, "odd")); /* gone: somebody was faster */

	memset(long_name, 'n', NAME_MAX);
	long_name[NAME_MAX] = '\0';
	for (size_t i = 0; i < 3; i++) {
		char long_path[NAME_MAX + 32];

		(void)snprintf(long_path, sizeof long_path, "spool/new/%s", long_name);
		kit_write(long_path, "x", 1);
		assert_true(spool_quarantine(&spool, STATE_NEW, long_name));
		assert_false(kit_stands(long_path));
	}
	assert_int_equal(kit_count("spool/bad", NULL), 7);
}

/* ---- appending ---------------------------------------------------------------------------- */

static int append_to(const char *path)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void assert_holds(const char *path, const char *text)
{
	struct kit_bytes b = kit_file(path);

	assert_int_equal(b.len, strlen(text));
	assert_memory_equal(b.at, text, b.len);
	kit_free(&b);
}

static void append_cuts_the_torn_tail(void **state)
{
	int fd;

	(void)state;
	kit_write("leg", "whole\ntorn\0\0\0", 13);
	fd = append_to("leg");
	assert_true(spool_append(fd, 6, "next\n", 5));
	assert_holds("leg", "whole\nnext\n");
	assert_true(spool_append(fd, 11, "more\n", 5));
	assert_holds("leg", "whole\nnext\nmore\n");
	(void)close(fd);
	fd = open("leg", O_RDONLY | O_CLOEXEC);
	assert_false(spool_append(fd, 16, "x\n", 2));
	assert_holds("leg", "whole\nnext\nmore\n");
	(void)close(fd);
}

/* Q3, Q5: the disk takes only a part of the record. Nothing of it may stay. */
static void append_with_too_little_room(void **state)
{
	pid_t child;
	int status;

	(void)state;
	kit_write("leg", "whole\n", 6);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct rlimit limit = {.rlim_cur = 9, .rlim_max = 9};
		int fd = open("leg", O_RDWR | O_APPEND | O_CLOEXEC);
		bool fine;

		(void)signal(SIGXFSZ, SIG_IGN);
		fine = fd >= 0 && setrlimit(RLIMIT_FSIZE, &limit) == 0;
		fine = fine && !spool_append(fd, 6, "0123456789\n", 11) && errno == ENOSPC;
		fine = fine && !spool_append(fd, 6, "0123456789\n", 11);
		fine = fine && spool_append(fd, 6, "ab\n", 3);
		_exit(fine ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_holds("leg", "whole\nab\n");
}

static void filled_in_and_punched_out(void **state)
{
	char bytes[65536], back[65536];
	int fd;

	(void)state;
	memset(bytes, 'b', sizeof bytes);
	kit_write("leg", bytes, sizeof bytes);
	fd = open("leg", O_RDWR | O_CLOEXEC);
	assert_true(spool_fill_in(fd, "head", 4, 0));
	assert_true(spool_punch(fd, 4096, 32768));
	assert_true(spool_punch(fd, 5, 0));
	assert_true(spool_punch(fd, 5, -1));
	assert_int_equal(pread(fd, back, sizeof back, 0), sizeof back);
	assert_memory_equal(back, "headb", 5);
	for (size_t i = 4096; i < 4096 + 32768; i++)
		assert_int_equal(back[i], 0);
	assert_memory_equal(back + 36864, bytes, sizeof bytes - 36864);
	assert_true(spool_sync(fd));
	(void)close(fd);
	assert_false(spool_sync(fd));
	assert_false(spool_fill_in(fd, "x", 1, 0));
}

/* ---- making, listing, room ---------------------------------------------------------------- */

static void made_only_once(void **state)
{
	struct stat st;
	mode_t mask = umask(007);
	bool there;
	int fd;

	(void)state;
	fd = spool_create(&spool, NAME);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	(void)close(fd);
	assert_int_equal(spool_create(&spool, NAME), -1);
	assert_int_equal(errno, EEXIST);
	fd = spool_split_create(&spool, "." NAME ".1");
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(spool_split_create(&spool, "." NAME ".1"), -1);
	assert_true(spool_split_has(&spool, "." NAME ".1", &there));
	assert_true(there);
	assert_true(spool_split_remove(&spool, "." NAME ".1"));
	assert_true(spool_split_remove(&spool, "." NAME ".1"));
	assert_true(spool_split_has(&spool, "." NAME ".1", &there));
	assert_false(there);
	assert_true(spool_remove(&spool, STATE_TMP, NAME));
	(void)umask(mask);
}

static bool count_name(void *context, const char *name)
{
	size_t *n = context;

	assert_string_not_equal(name, ".");
	assert_string_not_equal(name, "..");
	return ++*n < 3;
}

static void listed(void **state)
{
	size_t n = 0;

	(void)state;
	assert_true(spool_list(&spool, STATE_STAGGER, count_name, &n));
	assert_int_equal(n, 0);
	kit_write("spool/stagger/a", "", 0);
	kit_write("spool/stagger/.b", "", 0);
	assert_true(spool_list(&spool, STATE_STAGGER, count_name, &n));
	assert_int_equal(n, 2);
	kit_write("spool/stagger/c", "", 0);
	kit_write("spool/stagger/d", "", 0);
	n = 0;
	assert_true(spool_list(&spool, STATE_STAGGER, count_name, &n)); /* a stop is no failure */
	assert_int_equal(n, 3);
	assert_true(spool_changed(&spool, STATE_STAGGER, "a") > 0);
	assert_int_equal(spool_changed(&spool, STATE_STAGGER, "nothing"), -1);
}

static void Q5_room_and_ballast(void **state)
{
	struct spool_room room;

	(void)state;
	assert_true(spool_room(&spool, &room));
	assert_true(room.bytes <= room.total && room.files > 0);
	assert_int_equal(spool_ballast_size(&spool), 0);
	assert_true(spool_ballast(&spool, 1 << 20));
	assert_int_equal(spool_ballast_size(&spool), 1 << 20);
	assert_true(spool_ballast(&spool, 1 << 16)); /* the setting has changed */
	assert_int_equal(spool_ballast_size(&spool), 1 << 16);
	assert_false(spool_ballast(&spool, INT64_C(1) << 60)); /* more than there is */
	assert_false(kit_stands("spool/tmp/ballast"));
	assert_true(spool_ballast(&spool, 0));
	assert_true(spool_ballast(&spool, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(Q8_only_our_own_regular_files, enter, leave),
	    cmocka_unit_test_setup_teardown(a_spool_that_is_not_whole, enter, leave),
	    cmocka_unit_test_setup_teardown(Q9_locks, enter, leave),
	    cmocka_unit_test_setup_teardown(one_rename_and_never_over_another, enter, leave),
	    cmocka_unit_test_setup_teardown(quarantine_finds_a_free_name, enter, leave),
	    cmocka_unit_test_setup_teardown(append_cuts_the_torn_tail, enter, leave),
	    cmocka_unit_test_setup_teardown(append_with_too_little_room, enter, leave),
	    cmocka_unit_test_setup_teardown(filled_in_and_punched_out, enter, leave),
	    cmocka_unit_test_setup_teardown(made_only_once, enter, leave),
	    cmocka_unit_test_setup_teardown(listed, enter, leave),
	    cmocka_unit_test_setup_teardown(Q5_room_and_ballast, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
