/* Who is away (S4-18): a change is durable before it is true, and over restarts. */
#include "tests/unit/queue_kit.h"

#include "lib/hold/absences.h"

#define ALICE "alice@example.co.jp"
#define BOB   "bob@example.co.jp"
#define FILE_ "lib/hold/absences"

static int enter(void **state)
{
	static char root[256];

	*state = root;
	kit_enter(root);
	assert_int_equal(mkdir("lib/hold", 0755), 0);
	return 0;
}

static int leave(void **state)
{
	kit_leave(*state);
	return 0;
}

static bool set(struct absences *a, const char *who, int64_t from, int64_t until, int64_t now)
{
	const struct absence one = {who, from * CLOCK_SECOND, until * CLOCK_SECOND, who};

	return absences_set(a, &one, now * CLOCK_SECOND);
}

static bool away(const struct absences *a, const char *who, int64_t now)
{
	return absent(a, who, now * CLOCK_SECOND);
}

static void from_is_in_and_until_is_out(void **state)
{
	struct absences *a = absences_read();

	(void)state;
	assert_non_null(a);
	assert_false(away(a, ALICE, 100));
	assert_true(set(a, ALICE, 100, 200, 1));
	assert_false(away(a, ALICE, 99));
	assert_true(away(a, ALICE, 100));
	assert_true(away(a, ALICE, 199));
	assert_false(away(a, ALICE, 200));
	assert_false(away(a, BOB, 150));
	absences_free(a);
}

static void a_restart_forgets_nobody(void **state)
{
	struct absences *a = absences_read();
	uint64_t serial = absences_serial(a);

	(void)state;
	assert_true(set(a, ALICE, 100, 200, 1));
	assert_true(set(a, ALICE, 300, 400, 1));
	assert_true(set(a, BOB, 150, 250, 1));
	assert_true(absences_serial(a) != serial);
	absences_free(a);
	a = absences_read();
	assert_true(away(a, ALICE, 100) && away(a, ALICE, 350) && away(a, BOB, 150));
	assert_false(away(a, ALICE, 250));
	assert_int_equal(absences_next(a, 120 * CLOCK_SECOND), 150 * CLOCK_SECOND);
	assert_int_equal(absences_next(a, 150 * CLOCK_SECOND), 300 * CLOCK_SECOND);
	assert_int_equal(absences_next(a, 300 * CLOCK_SECOND), 0);
	absences_free(a);
}

/* All of one address are taken away; those that are over are forgotten with the next change. */
static void taken_back(void **state)
{
	struct absences *a = absences_read();
	struct kit_bytes text;

	(void)state;
	assert_true(set(a, ALICE, 100, 200, 1));
	assert_true(set(a, ALICE, 300, 400, 1));
	assert_true(set(a, BOB, 150, 250, 1));
	assert_true(set(a, ALICE, 0, 0, 1));
	assert_false(away(a, ALICE, 150) || away(a, ALICE, 350));
	assert_true(away(a, BOB, 150));
	assert_true(set(a, ALICE, 300, 400, 260));
	text = kit_file(FILE_);
	assert_null(strstr(text.at, BOB));
	kit_free(&text);
	absences_free(a);
}

static size_t lines(void)
{
	struct kit_bytes text = kit_file(FILE_);
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.at[i] == '\n';
	kit_free(&text);
	return n;
}

/* Nobody fills the table: what meets becomes one, and an address has no more than its share. */
static void one_address_has_few(void **state)
{
	struct absences *a = absences_read();

	(void)state;
	assert_true(set(a, ALICE, 100, 200, 1));
	assert_true(set(a, ALICE, 400, 500, 1));
	assert_true(set(a, BOB, 150, 450, 1));
	assert_int_equal(lines(), 3);
	assert_true(set(a, ALICE, 200, 300, 1)); /* they touch */
	assert_int_equal(lines(), 3);
	assert_true(set(a, ALICE, 250, 450, 1)); /* both */
	assert_int_equal(lines(), 2);
	assert_true(away(a, ALICE, 100) && away(a, ALICE, 350) && away(a, ALICE, 499));
	assert_false(away(a, ALICE, 99) || away(a, ALICE, 500));
	assert_true(away(a, BOB, 449) && !away(a, BOB, 450));

	for (int64_t i = 1; i < ABSENCES_EACH; i++)
		assert_true(set(a, ALICE, 1000 * i, 1000 * i + 1, 1));
	errno = 0;
	assert_false(set(a, ALICE, 900000, 900001, 1));
	assert_int_equal(errno, EDQUOT);
	assert_false(away(a, ALICE, 900000));
	assert_int_equal(lines(), ABSENCES_EACH + 1);
	/* Others still can; and she can when some are over, or by what meets one of hers. */
	assert_true(set(a, BOB, 900000, 900001, 1));
	assert_true(set(a, ALICE, 19000, 19500, 1));
	assert_true(set(a, ALICE, 900000, 900001, 1000));
	assert_int_equal(lines(), ABSENCES_EACH + 1); /* what was over has gone */
	absences_free(a);
}

static void what_changes_nothing_is_not_written(void **state)
{
	struct absences *a = absences_read();
	uint64_t serial;

	(void)state;
	assert_true(set(a, ALICE, 0, 0, 1));
	assert_false(kit_stands(FILE_));
	assert_true(set(a, ALICE, 100, 200, 1));
	serial = absences_serial(a);
	assert_int_equal(unlink(FILE_), 0);
	assert_true(set(a, ALICE, 100, 200, 1));
	assert_true(set(a, ALICE, 120, 130, 1)); /* inside */
	assert_true(set(a, BOB, 0, 0, 1));
	assert_false(kit_stands(FILE_));
	assert_int_equal(absences_serial(a), serial);
	assert_false(set(a, ALICE, 100, 200, 300)); /* it is over */
	assert_int_equal(errno, EINVAL);
	assert_true(set(a, ALICE, 0, 0, 1));
	assert_true(kit_stands(FILE_));
	assert_true(absences_serial(a) != serial);
	absences_free(a);
}

static void what_cannot_be_written_is_not_true(void **state)
{
	struct absences *a = absences_read();

	(void)state;
	assert_true(set(a, BOB, 150, 250, 1));
	assert_int_equal(rename("lib/hold", "lib/elsewhere"), 0);
	assert_false(set(a, ALICE, 100, 200, 1));
	assert_false(away(a, ALICE, 150));
	assert_true(away(a, BOB, 150));
	assert_int_equal(rename("lib/elsewhere", "lib/hold"), 0);

	errno = 0;
	assert_false(set(a, ALICE, 200, 200, 1));
	assert_int_equal(errno, EINVAL);
	assert_false(set(a, "", 100, 200, 1));
	absences_free(a);
}

static void what_cannot_be_read_is_said_and_kept(void **state)
{
	static const char *const wrong[] = {"x", ALICE "\n", ALICE " now then by=x\n",
	    ALICE " 2026-11-22T09:40:00.000000Z 2026-11-22T09:40:00.000000Z by=x\n",
	    ALICE " 2026-11-22T09:40:00.000000Z 2026-11-23T09:40:00.000000Z\n",
	    ALICE " 2026-11-22T09:40:00.000000Z 2026-11-23T09:40:00.000000Z by=\n",
	    ALICE " 2026-11-22T09:40:00.000000Z 2026-11-23T09:40:00.000000Z by=x more\n",
	    ALICE " 2026-11-22T09:40:00.000000Z 2026-11-23T09:40:00.000000Z by=x"};
	struct absences *a;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		kit_write(FILE_, wrong[i], strlen(wrong[i]));
		errno = 0;
		assert_null(absences_read());
		assert_int_equal(errno, EPROTO);
	}
	a = absences_none();
	assert_non_null(a);
	assert_false(away(a, ALICE, 1795340000));
	assert_true(kit_stands(FILE_ ".bad"));
	absences_free(a);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, enter, leave)
	const struct CMUnitTest tests[] = {
	    T(from_is_in_and_until_is_out),
	    T(a_restart_forgets_nobody),
	    T(taken_back),
	    T(one_address_has_few),
	    T(what_changes_nothing_is_not_written),
	    T(what_cannot_be_written_is_not_true),
	    T(what_cannot_be_read_is_said_and_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
