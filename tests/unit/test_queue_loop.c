/* S12: the loop mark is the gateway's own, and is found again however it was folded. */
#include "tests/unit/queue_kit.h"

#include "queue/loop.h"

static const struct loop_key key = {{7, 1, 2}}, other = {{7, 1, 3}};

/* A body with the right mark for KIT_ID where "%s" stands. */
static size_t marks(const struct loop_key *k, const char *format)
{
	char mark[LOOP_MARK + 1], body[4096];
	int n;

	assert_true(loop_mark(&key, KIT_ID, mark));
	n = snprintf(body, sizeof body, format, mark, mark);
	assert_true(n >= 0 && (size_t)n < sizeof body);
	return loop_marks_in(k, body, (size_t)n);
}

static void a_mark_belongs_to_its_id_and_key(void **state)
{
	char mark[LOOP_MARK + 1], again[LOOP_MARK + 1];

	(void)state;
	assert_true(loop_mark(&key, KIT_ID, mark));
	assert_int_equal(strlen(mark), LOOP_MARK);
	assert_int_equal(strspn(mark, "0123456789abcdef"), LOOP_MARK);
	assert_true(loop_mark(&key, KIT_ID, again));
	assert_string_equal(mark, again);
	assert_true(loop_mark_is(&key, KIT_ID, mark));
	assert_false(loop_mark_is(&key, KIT_OTHER_ID, mark));
	assert_false(loop_mark_is(&other, KIT_ID, mark));
	for (size_t i = 0; i < LOOP_MARK; i++) {
		mark[i] = mark[i] == '0' ? '1' : '0';
		assert_false(loop_mark_is(&key, KIT_ID, mark));
		mark[i] = again[i];
	}
}

static void S12_folded_anew(void **state)
{
	static const char *const good[] = {
	    " from pc1 ([192.0.2.10])\r\n\tby gw with ESMTPSA id " KIT_ID
	    "\r\n\t(mark %s); Sun, 22 Nov 2026 09:35:01 +0000\r\n",
	    "from pc1 by gw id " KIT_ID " (mark %s); date",
	    "from pc1 by gw id\r\n " KIT_ID "\r\n (mark\r\n  %s)\r\n ; date",
	    "from pc1 by gw id\n\t" KIT_ID "(mark %s);date",
	    "by gw ID " KIT_ID " ( MARK   %s ) for <a@b>; date",
	    "by gw id " KIT_OTHER_ID " id " KIT_ID " (mark 0000000000000000) (mark %s)",
	    "id " KIT_ID " mark %s",
	};
	static const char *const bad[] = {
	    "",
	    " ",
	    "from pc1 by gw id " KIT_OTHER_ID " (mark %s); date",
	    "from pc1 by gw (mark %s) id " KIT_ID "; date", /* the mark follows its id */
	    "from pc1 by gw id " KIT_ID " (%s); date",
	    "from pc1 by gw id " KIT_ID "x (mark %s); date",
	    "from pc1 by gw id " KIT_ID " (mark %sx); date",
	    "from pc1 by gw id " KIT_ID " (marked %s); date",
	    "from pc1 by gw grid " KIT_ID " (mark %s); date",
	    "id 0196C0FFEE4F2C1D8A31B7E09C55D210 (mark %s); date",
	    "id " KIT_ID,
	    "id",
	    "mark",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		if (marks(&key, good[i]) != 1)
			fail_msg("not found in: %s", good[i]);
		assert_int_equal(marks(&other, good[i]), 0);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (marks(&key, bad[i]) != 0)
			fail_msg("found in: %s", bad[i]);
	}
}

/* No more is compared than LOOP_MARK_MAX, however many a stranger writes. */
static void bounded(void **state)
{
	static const char wrong[] = " (mark 0000000000000000)";
	char mark[LOOP_MARK + 1], body[4096] = "id " KIT_ID;

	(void)state;
	assert_true(loop_mark(&key, KIT_ID, mark));
	for (int i = 0; i < LOOP_MARK_MAX; i++)
		(void)strcat(body, wrong);
	(void)strcat(strcat(body, " mark "), mark);
	assert_int_equal(loop_marks_in(&key, body, strlen(body)), 0);
}

/* Every length of a body: nothing is read behind its end. */
static void cut_anywhere(void **state)
{
	char mark[LOOP_MARK + 1], body[256];
	size_t len;

	(void)state;
	assert_true(loop_mark(&key, KIT_ID, mark));
	len = (size_t)snprintf(body, sizeof body, "by gw id " KIT_ID " (mark %s", mark);
	for (size_t n = 0; n <= len; n++) {
		char *copy = malloc(n + 1);

		assert_non_null(copy);
		memcpy(copy, body, n);
		assert_int_equal(loop_marks_in(&key, copy, n), n == len);
		free(copy);
	}
}

/* ---- the file ----------------------------------------------------------------------------- */

static char root[256];

static int enter(void **state)
{
	(void)state;
	kit_enter(root);
	assert_int_equal(mkdir(LOOP_FOLDER, 0750), 0);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	kit_leave(root);
	return 0;
}

static void made_once(void **state)
{
	struct loop_key a, b;
	struct stat st;

	(void)state;
	assert_false(loop_key_read(LOOP_FOLDER, &a));
	assert_int_equal(errno, ENOENT);
	kit_write(LOOP_FOLDER "/key.new", "half", 4); /* a predecessor was killed */
	assert_true(loop_key_make(LOOP_FOLDER));
	assert_true(loop_key_read(LOOP_FOLDER, &a));
	assert_true(loop_key_make(LOOP_FOLDER));
	assert_true(loop_key_read(LOOP_FOLDER, &b));
	assert_memory_equal(&a, &b, sizeof a);
	assert_int_equal(stat(LOOP_FOLDER "/key", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_size, 65);
	assert_int_equal(kit_count(LOOP_FOLDER, NULL), 1);

	assert_int_equal(unlink(LOOP_FOLDER "/key"), 0);
	assert_true(loop_key_make(LOOP_FOLDER));
	assert_true(loop_key_read(LOOP_FOLDER, &b));
	assert_memory_not_equal(&a, &b, sizeof a);
}

static void malformed(void **state)
{
	static const char right[] =
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";
	static const char *const texts[] = {"", "\n",
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n",
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n\n",
	    "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\n"};
	struct loop_key k;

	(void)state;
	kit_write(LOOP_FOLDER "/key", right, sizeof right - 1);
	assert_true(loop_key_read(LOOP_FOLDER, &k));
	assert_int_equal(k.bytes[1], 0x23);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		kit_write(LOOP_FOLDER "/key", texts[i], strlen(texts[i]));
		assert_false(loop_key_read(LOOP_FOLDER, &k));
		assert_int_equal(errno, EBADMSG);
	}
	assert_int_equal(unlink(LOOP_FOLDER "/key"), 0);
	assert_int_equal(symlink("/etc/passwd", LOOP_FOLDER "/key"), 0);
	assert_false(loop_key_read(LOOP_FOLDER, &k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_mark_belongs_to_its_id_and_key),
	    cmocka_unit_test(S12_folded_anew),
	    cmocka_unit_test(bounded),
	    cmocka_unit_test(cut_anywhere),
	    cmocka_unit_test_setup_teardown(made_once, enter, leave),
	    cmocka_unit_test_setup_teardown(malformed, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
