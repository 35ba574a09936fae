/* Names of legs and states, and ids. */
#include "tests/unit/queue_kit.h"

#include "queue/id.h"
#include "queue/name.h"

static void round_trips(void **state)
{
	static const char *const with_due[] = {
	    "20261122T093501Z." KIT_ID ".1",
	    "99991231T235959Z." KIT_ID ".1.2.3",
	    "19700101T000000Z." KIT_ID ".10.200",
	};
	static const char *const without[] = {KIT_ID ".1", KIT_ID ".1.50", KIT_ID ".9.9.9.9.9"};
	char text[NAME_TEXT];
	struct leg_name name;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(with_due); i++) {
		assert_true(name_parse(with_due[i], &name));
		assert_true(name.due >= 0);
		name_format(&name, STATE_HOLD, text);
		assert_string_equal(text, with_due[i]);
		name_format(&name, STATE_SENT, text);
		assert_string_equal(text, with_due[i] + DUE_LEN + 1);
	}
	for (size_t i = 0; i < COUNT_OF(without); i++) {
		assert_true(name_parse(without[i], &name));
		assert_int_equal(name.due, DUE_NONE);
		name_format(&name, STATE_NEW, text);
		assert_string_equal(text, without[i]);
	}
}

static void dues_are_times(void **state)
{
	struct leg_name name;
	char text[NAME_TEXT];

	(void)state;
	assert_true(name_parse("99991231T235959Z." KIT_ID ".1", &name));
	assert_int_equal(name.due, DUE_NEVER);
	assert_true(name_parse("20261122T093501Z." KIT_ID ".1", &name));
	assert_int_equal(name.due, 1795340101);
	name.due = INT64_MAX; /* later than any name can say */
	name_format(&name, STATE_HOLD, text);
	assert_string_equal(text, "99991231T235959Z." KIT_ID ".1");
	name.due = DUE_NONE;
	name_format(&name, STATE_HOLD, text);
	assert_string_equal(text, "19700101T000000Z." KIT_ID ".1");
}

static void bad_names(void **state)
{
	static const char *const bad[] = {
	    "",
	    ".",
	    "..",
	    "ballast",
	    KIT_ID,
	    KIT_ID ".",
	    KIT_ID ".0",
	    KIT_ID ".01",
	    KIT_ID ".1.",
	    KIT_ID "..1",
	    KIT_ID ".1..2",
	    KIT_ID ".1.02",
	    KIT_ID ".-1",
	    KIT_ID ".+1",
	    KIT_ID ".1a",
	    KIT_ID ".1 ",
	    KIT_ID ".1\n",
	    KIT_ID ".1/../x",
	    "." KIT_ID ".1",
	    "0196C0FFEE4F2C1D8A31B7E09C55D210.1",
	    "0196c0ffee4f2c1d8a31b7e09c55d21.1",
	    "0196c0ffee4f2c1d8a31b7e09c55d2100.1",
	    "0196c0ffee4f2c1d8a31b7e09c55d21g.1",
	    "20261122T093501Z",
	    "20261122T093501Z.",
	    "20261122T093501Z" KIT_ID ".1",
	    "20261122T093501Z.." KIT_ID ".1",
	    "20261122T093501." KIT_ID ".1",
	    "20261122 093501Z." KIT_ID ".1",
	    "20261322T093501Z." KIT_ID ".1",
	    "20260230T093501Z." KIT_ID ".1",
	    "20261122T243501Z." KIT_ID ".1",
	    "20261122T096001Z." KIT_ID ".1",
	    "20261122T093560Z." KIT_ID ".1",
	    "-0261122T093501Z." KIT_ID ".1",
	    "20261122T093501Z.20261122T093501Z." KIT_ID ".1",
	};
	struct leg_name name;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (name_parse(bad[i], &name))
			fail_msg("taken for a name: \"%s\"", bad[i]);
	}
}

/* Every single byte of a name, replaced by every other: what is taken is written back the same. */
static void mutated_names(void **state)
{
	static const char whole[] = "20261122T093501Z." KIT_ID ".1.2";
	char text[sizeof whole], back[NAME_TEXT];
	struct leg_name name;

	(void)state;
	for (size_t at = 0; at < sizeof whole; at++) {
		for (int byte = 0; byte < 256; byte++) {
			memcpy(text, whole, sizeof whole);
			text[at] = (char)byte;
			if (at == sizeof whole - 1 && byte != 0)
				continue; /* no end */
			if (!name_parse(text, &name))
				continue;
			name_format(&name, name.due == DUE_NONE ? STATE_NEW : STATE_HOLD, back);
			assert_string_equal(back, text);
		}
	}
}

static void paths_of_divisions(void **state)
{
	char k[K_MAX], longest[K_MAX + 8];
	size_t depth = 0;

	(void)state;
	assert_true(k_child("1", 1, k));
	assert_string_equal(k, "1.1");
	assert_true(k_child("1.7", 10000, k));
	assert_string_equal(k, "1.7.10000");

	(void)snprintf(longest, sizeof longest, "1");
	while (k_child(longest, 9, k)) {
		assert_true(k_valid(k));
		(void)snprintf(longest, sizeof longest, "%s", k);
		depth++;
	}
	assert_int_equal(strlen(longest), K_MAX - 1);
	assert_int_equal(depth, (K_MAX - 2) / 2);

	(void)strcat(longest, "1"); /* one digit too long */
	assert_false(k_valid(longest));
	assert_false(k_valid(""));
	assert_false(k_valid("1."));
	assert_false(k_valid(".1"));
	assert_false(k_valid("1.0"));
}

static void longest_name(void **state)
{
	char text[2 * NAME_TEXT], back[NAME_TEXT];
	struct leg_name name;
	size_t n;

	(void)state;
	n = (size_t)snprintf(text, sizeof text, "20261122T093501Z." KIT_ID ".");
	memset(text + n, '1', K_MAX - 1);
	text[n + K_MAX - 1] = '\0';
	assert_true(name_parse(text, &name));
	name_format(&name, STATE_HOLD, back);
	assert_string_equal(back, text);
	text[n + K_MAX - 1] = '1';
	text[n + K_MAX] = '\0';
	assert_false(name_parse(text, &name));
	memset(text + n, '1', sizeof text - n - 1);
	text[sizeof text - 1] = '\0';
	assert_false(name_parse(text, &name));
}

static void states_by_name(void **state)
{
	static const bool due[] = {
	    false, false, true, true, true, true, true, false, false, false, false};
	enum spool_state found;

	(void)state;
	assert_int_equal(COUNT_OF(kit_states), STATE_COUNT);
	for (size_t i = 0; i < STATE_COUNT; i++) {
		assert_string_equal(state_name((enum spool_state)i), kit_states[i]);
		assert_true(state_by_name(kit_states[i], &found));
		assert_int_equal(found, i);
		assert_int_equal(state_has_due(found), due[i]);
	}
	assert_false(state_by_name("", &found));
	assert_false(state_by_name("HOLD", &found));
	assert_false(state_by_name("hold/", &found));
	assert_false(state_by_name("split", &found));
}

static void same_leg(void **state)
{
	struct leg_name a, b;

	(void)state;
	assert_true(name_parse("20261122T093501Z." KIT_ID ".1", &a));
	assert_true(name_parse(KIT_ID ".1", &b));
	assert_true(name_same_leg(&a, &b));
	assert_true(name_parse(KIT_ID ".1.1", &b));
	assert_false(name_same_leg(&a, &b));
	assert_true(name_parse(KIT_OTHER_ID ".1", &b));
	assert_false(name_same_leg(&a, &b));
}

static void ids(void **state)
{
	static const int64_t walls[] = {0, 1795340101123456, INT64_C(0xffffffffffff) * 1000};
	char id[ID_TEXT], other[ID_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(walls); i++) {
		assert_true(id_make(walls[i], id));
		assert_int_equal(strlen(id), ID_LEN);
		assert_true(id_valid(id, ID_LEN));
		assert_int_equal(id_time(id), walls[i] / 1000 * 1000);
		assert_true(id_make(walls[i], other));
		assert_string_not_equal(id, other);
	}
	assert_true(id_make(1000, id));
	assert_true(id_make(2000, other));
	assert_true(strcmp(id, other) < 0);

	assert_false(id_valid(KIT_ID, ID_LEN - 1));
	assert_false(id_valid("", 0));
	assert_false(id_valid("0196C0ffee4f2c1d8a31b7e09c55d210", ID_LEN));
	assert_false(id_valid("0196c0ffee4f2c1d8a31b7e09c55d21 ", ID_LEN));
}

/* The clock stands still, and no id comes twice (Q7: names are unique without the clock). */
static void Q7_ids_without_a_clock(void **state)
{
	enum { N = 20000 };
	static char made[N][ID_TEXT];

	(void)state;
	for (size_t i = 0; i < N; i++)
		assert_true(id_make(0, made[i]));
	qsort(made, N, ID_TEXT, (int (*)(const void *, const void *))strcmp);
	for (size_t i = 1; i < N; i++)
		assert_string_not_equal(made[i - 1], made[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(round_trips),
	    cmocka_unit_test(dues_are_times),
	    cmocka_unit_test(bad_names),
	    cmocka_unit_test(mutated_names),
	    cmocka_unit_test(paths_of_divisions),
	    cmocka_unit_test(longest_name),
	    cmocka_unit_test(states_by_name),
	    cmocka_unit_test(same_leg),
	    cmocka_unit_test(ids),
	    cmocka_unit_test(Q7_ids_without_a_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
