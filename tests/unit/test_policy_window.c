/* Hours in which mail may not leave: in plans, and looked up again by whoever would let it go. */
#include "tests/unit/policy_kit.h"

#include "lib/policy/window.h"

#define ALICE  "alice@example.co.jp"
#define NIGHT  "rule night\n  to external\n  when 19:00-09:30\n  do refuse \"x\"\n"
#define NIGHT2 "rule again\n  when 19:00-09:30\n  do refuse \"z\"\n"
#define WAIT   "rule wait\n  to external\n  do hold 5m\n"
#define HELD   "hold until=2026-11-25T03:05:00.000000Z"

static void zone(const char *name)
{
	(void)setenv("TZ", name, 1);
	tzset();
}

/* ---- the step ----------------------------------------------------------------------------- */

/* S1-23: judged at acceptance; what waits may come into the night, and waits for its end. */
static void S1_23_waits_for_the_end_of_the_night(void **state)
{
	struct kit *k = *state;

	kit_rules(k, NIGHT WAIT);
	kit_mail(k, ALICE, "b@x.example carol@example.co.jp");
	kit_expect(k, "1: " HELD " | hold window=19:00-09:30 | deliver; 2: deliver");
	assert_non_null(strstr(kit_plans(k, true), "hold window=19:00-09:30 rule=must/10-test:1"));
	k->since = kit_time("2026-11-25T11:00:00Z");
	kit_expect(k, "refused x");
	/* What waits for nothing leaves now, or never. */
	kit_rules(k, NIGHT);
	k->since = kit_time("2026-11-25T03:00:00Z");
	kit_expect(k, "1,2: deliver");
}

/* Whatever makes it wait: people, an operator, its own turn. */
static void any_waiting_has_its_hours(void **state)
{
	struct kit *k = *state;

	kit_mail(k, ALICE, "b@x.example");
	kit_rules(k, NIGHT "rule a\n  always\n  do approve by boss\n");
	kit_expect(k, "1: approve by=boss:ceo@example.co.jp | hold window=19:00-09:30 | deliver");
	kit_rules(k, NIGHT "rule a\n  always\n  do hold for operator\n");
	kit_expect(k, "1: hold operator why=rule | hold window=19:00-09:30 | deliver");
	kit_rules(k, NIGHT "rule a\n  always\n  do stagger 5m\n");
	kit_expect(k, "1: hold window=19:00-09:30 | stagger wait=300 | deliver");
}

/* Several rules, turned round, with exceptions, and times of two lines. */
static void hours_of_several_rules(void **state)
{
	struct kit *k = *state;

	kit_mail(k, ALICE, "b@x.example");
	kit_rules(k, NIGHT "rule days\n  when Sat-Sun, holiday\n  do refuse \"y\"\n" NIGHT2 WAIT);
	kit_expect(k, "1: " HELD " | hold window=19:00-09:30;Sat-Sun,holiday | deliver");
	kit_rules(k, "rule a\n  when not workday 09:00-18:00\n  do refuse \"x\"\n" WAIT);
	kit_expect(k, "1: " HELD " | hold window=not+20workday+2009:00-18:00 | deliver");
	kit_rules(k, "rule a\n  unless when 09:00-18:00\n  do refuse \"x\"\n" WAIT);
	kit_expect(k, "1: " HELD " | hold window=not+2009:00-18:00 | deliver");
	kit_rules(k, "rule a\n  when 22:00-07:00\n  unless when Sat\n  do refuse \"x\"\n" WAIT);
	kit_expect(k, "1: " HELD " | hold window=22:00-07:00&not+20Sat | deliver");
}

/* A rule that would not have refused it at that time forbids nothing. */
static void rules_that_forbid_nothing(void **state)
{
	struct kit *k = *state;
	static const char *const rules[] = {
	    "rule a\n  from ceo@example.co.jp\n  when 19:00-09:30\n  do refuse \"x\"\n" WAIT,
	    "rule a\n  to internal\n  when 19:00-09:30\n  do refuse \"x\"\n" WAIT,
	    "rule a shadow\n  when 19:00-09:30\n  do refuse \"x\"\n" WAIT,
	    "rule a\n  when 19:00-09:30\n  do hold 60m\n" WAIT,
	    "rule a\n  when 19:00-09:30\n  do refuse no\n" WAIT,
	    /* An exception that stands first. */
	    "rule e\n  from group sales\n  do refuse no\n" NIGHT WAIT,
	};

	kit_mail(k, ALICE, "b@x.example");
	for (size_t i = 0; i < COUNT_OF(rules); i++) {
		kit_rules(k, rules[i]);
		kit_expect(k, "1: " HELD " | deliver");
	}
	/* An exception of another, and one that stands behind, do not help. */
	kit_rules(k, "rule e\n  from group temps\n  do refuse no\n" NIGHT WAIT);
	kit_expect(k, "1: " HELD " | hold window=19:00-09:30 | deliver");
	kit_rules(k, NIGHT "rule e\n  from group sales\n  do refuse no\n" WAIT);
	kit_expect(k, "1: " HELD " | hold window=19:00-09:30 | deliver");
}

/* What speaks of the mail itself is found out first; what nobody can find out forbids. */
static void hours_of_mail_with_a_file(void **state)
{
	struct kit *k = *state;

	kit_rules(k, "rule a\n  file any\n  when 19:00-09:30\n  do refuse \"x\"\n" WAIT);
	kit_mail(k, ALICE, "b@x.example");
	kit_expect(k, "needs facts");
	kit_facts(k, "");
	kit_expect(k, "1: " HELD " | deliver");
	kit_facts(k, "file part=2 role=file counts=yes name=a size=3\n");
	kit_expect(k, "1: " HELD " | hold window=19:00-09:30 | deliver");
	kit_facts(k, "uninspectable part=0 reason=time\n");
	kit_expect(k, "1: " HELD " | hold window=19:00-09:30 | deliver");
	/* Mail that does not wait is not opened for it. */
	kit_mail(k, ALICE, "carol@example.co.jp");
	kit_expect(k, "1: deliver");
}

/* ---- looking ------------------------------------------------------------------------------ */

static void check(
    struct kit *k, const char *text, const char *time, bool inside, const char *expected)
{
	struct window w;
	int64_t now = kit_time(time);

	assert_true(window_look(text, strlen(text), k->org, now, &w));
	if (w.inside != inside)
		fail_msg("%s at %s", text, time);
	if (expected == NULL) {
		assert_int_equal(w.ends, inside ? -1 : now);
	} else if (w.ends != kit_time(expected)) {
		char shown[CLOCK_TEXT];

		clock_format(w.ends, shown);
		fail_msg("%s at %s ends %s", text, time, shown);
	}
}

static void when_it_is_over(void **state)
{
	struct kit *k = *state;

	check(k, "19:00-09:30", "2026-11-25T09:59:59.999999Z", false, NULL);
	check(k, "19:00-09:30", "2026-11-25T10:00:00.500000Z", true, "2026-11-26T00:30:00Z");
	check(k, "19:00-09:30", "2026-11-26T00:29:59.999999Z", true, "2026-11-26T00:30:00Z");
	check(k, "19:00-09:30", "2026-11-26T00:30:00Z", false, NULL);
	/* From Friday evening over the weekend to Monday. */
	check(k, "Sat-Sun;19:00-09:30", "2026-11-27T12:00:00Z", true, "2026-11-30T00:30:00Z");
	/* 2026-11-23 is a holiday, a Monday. */
	check(k, "Sat-Sun,holiday", "2026-11-20T15:00:00Z", true, "2026-11-23T15:00:00Z");
	check(
	    k, "not+20workday+2009:00-18:00", "2026-11-20T09:00:00Z", true, "2026-11-24T00:00:00Z");
	check(k, "22:00-07:00&not+20Sat", "2026-11-27T14:00:00Z", true, "2026-11-27T15:00:00Z");
	check(k, "22:00-07:00&not+20Sat", "2026-11-28T13:30:00Z", false, NULL);
	check(k, "00:00-24:00", "2026-11-25T03:00:00Z", true, NULL);
	check(k, "Mon-Fri,Sat-Sun", "2026-11-25T03:00:00Z", true, NULL);
	check(k, "not+20holiday", "2027-01-02T03:00:00Z", true, NULL);
}

/* Clocks that are put forward and back: what the clock on the wall says counts. */
static void over_summer_time(void **state)
{
	struct kit *k = *state;

	zone("Europe/Berlin");
	/* 2026-03-29: 01:59:59 is followed by 03:00:00 (01:00 UTC). */
	check(k, "22:00-02:30", "2026-03-28T22:00:00Z", true, "2026-03-29T01:00:00Z");
	check(k, "22:00-03:30", "2026-03-28T22:00:00Z", true, "2026-03-29T01:30:00Z");
	check(k, "22:00-07:00", "2026-03-28T22:00:00Z", true, "2026-03-29T05:00:00Z");
	/* 2026-10-25: 02:59:59 is followed by 02:00:00 (01:00 UTC): out at 02:30, and in once more. */
	check(k, "22:00-02:30", "2026-10-24T22:00:00Z", true, "2026-10-25T00:30:00Z");
	check(k, "22:00-02:30", "2026-10-25T01:10:00Z", true, "2026-10-25T01:30:00Z");
	check(k, "22:00-07:00", "2026-10-24T22:00:00Z", true, "2026-10-25T06:00:00Z");
	zone("Australia/Lord_Howe"); /* by half an hour */
	check(k, "22:00-02:10", "2026-10-03T14:00:00Z", true, "2026-10-03T15:30:00Z");
	zone("Asia/Tokyo");
}

static void texts_that_are_none(void **state)
{
	struct kit *k = *state;
	static const char *const bad[] = {"", "x", "19:00", "19:00-09:30;", ";", "&",
	    "19:00-09:30&", "not", "not+20not+20Sat", "+", "19:00-19:00", "25:00-26:00", "Sat,",
	    "19:00-09:30;soon"};
	struct window w;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (window_look(
			bad[i], strlen(bad[i]), k->org, kit_time("2026-11-25T03:00:00Z"), &w))
			fail_msg("%s", bad[i]);
	}
	assert_true(window_look("holiday", 7, NULL, kit_time("2026-11-23T03:00:00Z"), &w));
	assert_false(w.inside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(S1_23_waits_for_the_end_of_the_night),
	    cmocka_unit_test(any_waiting_has_its_hours),
	    cmocka_unit_test(hours_of_several_rules),
	    cmocka_unit_test(rules_that_forbid_nothing),
	    cmocka_unit_test(hours_of_mail_with_a_file),
	    cmocka_unit_test(when_it_is_over),
	    cmocka_unit_test(over_summer_time),
	    cmocka_unit_test(texts_that_are_none),
	};

	return cmocka_run_group_tests(tests, kit_organisation, kit_end);
}
