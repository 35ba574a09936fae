/* Local times: spans at the second and over midnight, weekdays, holidays, summer time. */
#include "tests/unit/policy_kit.h"

#define ALICE "alice@example.co.jp"

static void zone(const char *name)
{
	(void)setenv("TZ", name, 1);
	tzset();
}

static bool holds_at(struct kit *k, const char *when, const char *time)
{
	char rule[256];

	(void)snprintf(rule, sizeof rule, "rule a\n  when %s\n  do zip\n", when);
	kit_rules(k, rule);
	k->since = kit_time(time);
	return strcmp(kit_plans(k, false), "1: deliver") != 0;
}

/* S1-23: half open; 19:00:00 is in, 09:30:00 is out. Times are UTC, nine hours behind Tokyo. */
static void S1_23_spans(void **state)
{
	struct kit *k = *state;
	static const struct {
		const char *when, *time;
		bool is;
	} rows[] = {
	    {"19:00-09:30", "2026-11-25T09:59:59.999999Z", false},
	    {"19:00-09:30", "2026-11-25T10:00:00Z", true},
	    {"19:00-09:30", "2026-11-25T14:59:59.999999Z", true},
	    {"19:00-09:30", "2026-11-25T15:00:00Z", true},
	    {"19:00-09:30", "2026-11-26T00:29:59.999999Z", true},
	    {"19:00-09:30", "2026-11-26T00:30:00Z", false},
	    {"not 19:00-09:30", "2026-11-26T00:30:00Z", true},
	    {"not 19:00-09:30", "2026-11-26T00:29:59Z", false},
	    {"09:00-17:00", "2026-11-25T00:00:00Z", true},
	    {"09:00-17:00", "2026-11-24T23:59:59Z", false},
	    {"09:00-17:00", "2026-11-25T07:59:59Z", true},
	    {"09:00-17:00", "2026-11-25T08:00:00Z", false},
	    {"00:00-24:00", "2026-11-25T14:59:59Z", true},
	    {"00:00-24:00", "2026-11-25T15:00:00Z", true},
	    {"22:00-24:00", "2026-11-25T14:59:59.999999Z", true},
	    {"22:00-24:00", "2026-11-25T15:00:00Z", false},
	    /* 2026-11-25 is a Wednesday. */
	    {"Wed", "2026-11-24T15:00:00Z", true},
	    {"Wed", "2026-11-24T14:59:59Z", false},
	    {"Wed", "2026-11-25T14:59:59Z", true},
	    {"Wed", "2026-11-25T15:00:00Z", false},
	    {"Mon-Fri", "2026-11-25T03:00:00Z", true},
	    {"Sat-Sun", "2026-11-27T15:00:00Z", true},
	    {"Sat-Sun", "2026-11-29T15:00:00Z", false},
	    {"Fri-Mon", "2026-11-29T15:00:00Z", true},
	    {"Fri-Mon", "2026-11-30T15:00:00Z", false},
	    /* A span over midnight belongs to the day on which it began. */
	    {"Fri 22:00-07:00", "2026-11-27T13:00:00Z", true},
	    {"Fri 22:00-07:00", "2026-11-27T21:59:59Z", true},
	    {"Fri 22:00-07:00", "2026-11-27T22:00:00Z", false},
	    {"Fri 22:00-07:00", "2026-11-26T21:00:00Z", false},
	    {"Fri 22:00-07:00", "2026-11-28T13:30:00Z", false},
	    {"Sun 22:00-07:00", "2026-11-29T20:00:00Z", true},
	    /* 2026-11-23 is a holiday, a Monday. */
	    {"holiday", "2026-11-23T03:00:00Z", true},
	    {"holiday", "2026-11-23T15:00:00Z", false},
	    {"holiday", "2026-11-29T03:00:00Z", false},
	    {"workday", "2026-11-23T03:00:00Z", false},
	    {"workday", "2026-11-24T03:00:00Z", true},
	    {"workday", "2026-11-28T03:00:00Z", false},
	    {"workday 09:00-17:00", "2026-11-24T03:00:00Z", true},
	    {"workday 09:00-17:00", "2026-11-23T03:00:00Z", false},
	    {"holiday 22:00-06:00", "2026-11-23T20:00:00Z", true},
	    {"22:00-07:00, Sat-Sun, holiday", "2026-11-23T03:00:00Z", true},
	    {"22:00-07:00, Sat-Sun, holiday", "2026-11-24T03:00:00Z", false},
	    {"22:00-07:00, Sat-Sun, holiday", "2026-11-24T13:00:00Z", true},
	};

	kit_mail(k, ALICE, "b@x.example");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (holds_at(k, rows[i].when, rows[i].time) != rows[i].is)
			fail_msg("when %s at %s", rows[i].when, rows[i].time);
	}
}

/* Clocks that are put forward and back: what the clock on the wall says counts. */
static void spans_and_summer_time(void **state)
{
	struct kit *k = *state;
	static const struct {
		const char *when, *time;
		bool is;
	} rows[] = {
	    /* Berlin 2026-03-29: 01:59:59 is followed by 03:00:00 (01:00 UTC). */
	    {"02:00-03:00", "2026-03-29T00:59:59Z", false},
	    {"02:00-03:00", "2026-03-29T01:00:00Z", false},
	    {"03:00-04:00", "2026-03-29T01:00:00Z", true},
	    {"22:00-03:30", "2026-03-29T01:29:59Z", true},
	    {"22:00-03:30", "2026-03-29T01:30:00Z", false},
	    /* 2026-10-25: 02:59:59 is followed by 02:00:00 (01:00 UTC). */
	    {"02:00-03:00", "2026-10-25T00:00:00Z", true},
	    {"02:00-03:00", "2026-10-25T01:59:59Z", true},
	    {"02:00-03:00", "2026-10-25T02:00:00Z", false},
	    {"Sat 22:00-02:30", "2026-10-25T00:29:59Z", true},
	    {"Sat 22:00-02:30", "2026-10-25T00:45:00Z", false},
	    {"Sat 22:00-02:30", "2026-10-25T01:15:00Z", true},
	};

	zone("Europe/Berlin");
	kit_mail(k, ALICE, "b@x.example");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (holds_at(k, rows[i].when, rows[i].time) != rows[i].is)
			fail_msg("when %s at %s", rows[i].when, rows[i].time);
	}
	zone("Asia/Tokyo");
}

static void check_until(struct kit *k, const char *until, const char *time, const char *expected)
{
	char rule[256], plan[256];

	(void)snprintf(rule, sizeof rule, "rule a\n  always\n  do hold until %s\n", until);
	kit_rules(k, rule);
	k->since = kit_time(time);
	(void)snprintf(plan, sizeof plan, "1: hold %s | deliver", expected);
	kit_expect(k, plan);
}

/* The next such time, at or after; on a workday: over weekends and holidays. */
static void hold_until_the_next(void **state)
{
	struct kit *k = *state;

	kit_mail(k, ALICE, "b@x.example");
	check_until(k, "09:00", "2026-11-25T00:00:00Z", "until=2026-11-25T00:00:00.000000Z");
	check_until(k, "09:00", "2026-11-25T00:00:00.000001Z", "until=2026-11-26T00:00:00.000000Z");
	check_until(k, "09:00", "2026-11-24T23:59:59.999999Z", "until=2026-11-25T00:00:00.000000Z");
	check_until(k, "00:00", "2026-11-25T03:00:00Z", "until=2026-11-25T15:00:00.000000Z");
	/* From Friday evening over the weekend; over the holiday of Monday 23rd as well. */
	check_until(
	    k, "09:00 workday", "2026-11-27T13:00:00Z", "until=2026-11-30T00:00:00.000000Z");
	check_until(
	    k, "09:00 workday", "2026-11-20T13:00:00Z", "until=2026-11-24T00:00:00.000000Z");
	check_until(
	    k, "09:00 workday", "2026-11-23T23:00:00Z", "until=2026-11-24T00:00:00.000000Z");
	check_until(
	    k, "09:00 workday", "2026-12-31T03:00:00Z", "until=2027-01-01T00:00:00.000000Z");
	check_until(
	    k, "09:00 workday", "2025-12-31T03:00:00Z", "until=2026-01-02T00:00:00.000000Z");

	zone("Europe/Berlin");
	/* Comes twice: the first that is not over. */
	check_until(k, "02:30", "2026-10-24T22:00:00Z", "until=2026-10-25T00:30:00.000000Z");
	check_until(k, "02:30", "2026-10-25T00:30:01Z", "until=2026-10-25T01:30:00.000000Z");
	check_until(k, "02:30", "2026-10-25T01:30:01Z", "until=2026-10-26T01:30:00.000000Z");
	/* Never comes: the clock shows 03:30 then. */
	check_until(k, "02:30", "2026-03-28T22:00:00Z", "until=2026-03-29T01:30:00.000000Z");
	zone("Asia/Tokyo");
}

/* S1-01: what is thrown away unless a person confirms it no later layer lets leave by itself, nor earlier. */
static void a_floor_that_discards_stays(void **state)
{
	struct kit *k = *state;
	static const char two_hours[] = "hold discard=2026-11-25T02:58:00.000000Z | deliver";
	/* At 09:58 in Tokyo. */
	static const struct {
		const char *must, *user, *plan;
	} rows[] = {
	    {"2h else discard", "3h", two_hours},
	    {"2h else discard", "until 09:00", two_hours},
	    {"2h else discard", "1h else discard", two_hours},
	    {"2h else discard", "3h else discard",
		"hold discard=2026-11-25T03:58:00.000000Z | deliver"},
	    {"2h else discard", "until 09:00 else discard",
		"hold discard=2026-11-26T00:00:00.000000Z | deliver"},
	    {"2h else discard", "until confirmed", "hold confirmed | deliver"},
	    {"until 09:00 else discard", "30d",
		"hold discard=2026-11-26T00:00:00.000000Z | deliver"},
	    {"until confirmed else discard", "until confirmed", "hold discard=confirmed | deliver"},
	    /* What ends later is stricter, however it is said. */
	    {"60m", "until 10:00", "hold until=2026-11-25T01:58:00.000000Z | deliver"},
	    {"1m", "until 10:00", "hold until=2026-11-25T01:00:00.000000Z | deliver"},
	    {"until 10:00", "60m", "hold until=2026-11-25T01:58:00.000000Z | deliver"},
	    {"until 10:00", "1m", "hold until=2026-11-25T01:00:00.000000Z | deliver"},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char must[128], user[128], plan[128];
		const struct kit_rule_file files[] = {
		    {"allow", "user hold\n"}, {"must/10-a", must}, {"user/" ALICE, user}};

		(void)snprintf(must, sizeof must, "rule a\n  always\n  do hold %s\n", rows[i].must);
		(void)snprintf(user, sizeof user, "rule b\n  always\n  do hold %s\n", rows[i].user);
		(void)snprintf(plan, sizeof plan, "1: %s", rows[i].plan);
		kit_rule_files(k, files, COUNT_OF(files));
		kit_mail(k, ALICE, "b@x.example");
		k->since = kit_time("2026-11-25T00:58:00Z");
		kit_expect(k, plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(S1_23_spans),
	    cmocka_unit_test(spans_and_summer_time),
	    cmocka_unit_test(hold_until_the_next),
	    cmocka_unit_test(a_floor_that_discards_stays),
	};

	return cmocka_run_group_tests(tests, kit_organisation, kit_end);
}
