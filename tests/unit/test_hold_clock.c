/* The times of a leg in approve/ and hold/: ends, warnings, escalation (design "Time", S1-24c, S3-07). */
#include "tests/unit/hold_kit.h"

#include <time.h>

#include "lib/hold/clock.h"

static struct settings settings;

static struct hold_times times_of(const char *step_text, const char *records)
{
	struct approval approval = {.stages = 0};
	struct hold_plan_step step;
	struct hold_times times;
	struct leg leg;
	char plan[256];

	(void)snprintf(plan, sizeof plan, " %s\n deliver\n", step_text);
	hold_kit_leg(HOLD_KIT_ALICE, plan, records, &leg);
	step = hold_plan_step(&leg.plan.step[0], leg.amended_until);
	if (step.form == STEP_APPROVE)
		assert_int_equal(approval_read(&leg, &leg.plan.step[0], &approval), APPROVAL_READ);
	times = hold_times(&settings, NULL, &leg, &step, &approval);
	if (step.form == STEP_APPROVE)
		approval_free(&approval);
	leg_free(&leg);
	return times;
}

static int64_t at(const char *text)
{
	return text[0] == '\0' ? 0 : kit_time(text);
}

#define JUDGED "2026-11-23T09:00:00.000000Z judged rules=1 org=2\n" /* a Monday */

static void each_step_has_its_times(void **state)
{
	static const struct {
		const char *step, *records, *pass, *warn, *escalate, *discard, *expire;
	} rows[] = {
	    {"hold operator", JUDGED, "", "", "", "", ""},
	    {"hold confirmed", JUDGED, "", "", "", "", ""},
	    {"hold window=Sun", JUDGED, "", "", "", "", ""},
	    {"hold until=2026-11-23T10:00:00Z", JUDGED, "2026-11-23T10:00:00Z", "", "", "", ""},
	    {"hold until=2026-11-23T10:00:00Z",
		JUDGED "2026-11-23T09:30:00.000000Z extended until=2026-11-24T00:00:00.000000Z\n",
		"2026-11-24T00:00:00Z", "", "", "", ""},
	    {"hold discard=confirmed", JUDGED, "", "2026-11-25T09:00:00Z", "",
		"2026-11-26T09:00:00Z", ""},
	    {"hold discard=checked", JUDGED "2026-11-24T09:00:00.000000Z approved plan=x by=y\n",
		"", "2026-11-26T09:00:00Z", "", "2026-11-27T09:00:00Z", ""},
	    /* A short one is warned of at once. */
	    {"hold discard=2026-11-23T12:00:00Z", JUDGED, "", "2026-11-23T09:00:00Z", "",
		"2026-11-23T12:00:00Z", ""},
	    {"approve by=any:staff", JUDGED, "", "", "2026-11-23T13:00:00Z", "",
		"2026-11-24T16:00:00Z"},
	};

	(void)state;
	settings_default(&settings);
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	tzset();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct hold_times t = times_of(rows[i].step, rows[i].records);

		if (t.pass != at(rows[i].pass) || t.warn != at(rows[i].warn) ||
		    t.escalate != at(rows[i].escalate) || t.discard != at(rows[i].discard) ||
		    t.expire != at(rows[i].expire))
			fail_msg("row %zu, %s", i, rows[i].step);
	}
}

static void settings_change_them(void **state)
{
	struct hold_times t;

	(void)state;
	settings_default(&settings);
	settings.approve_expiry = APPROVE_EXPIRY_DISCARD;
	t = times_of("approve by=any:staff", JUDGED);
	assert_int_equal(t.warn, kit_time("2026-11-24T14:00:00Z"));
	assert_int_equal(t.lead, 2 * 3600 * CLOCK_SECOND);
	settings.approve_warn = settings.approve_escalate = 0;
	t = times_of("approve by=any:staff", JUDGED);
	assert_int_equal(t.warn, 0);
	assert_int_equal(t.escalate, 0);
	assert_true(hold_times_warned(&t));
	settings.approve_expire = 0;
	t = times_of("approve by=any:staff", JUDGED);
	assert_int_equal(t.expire, 0);
	settings.warn_before = 0;
	t = times_of("hold discard=confirmed", JUDGED);
	assert_int_equal(t.warn, 0);
	assert_true(t.discard > 0);
}

static void a_late_warning_puts_the_end_off(void **state)
{
	struct hold_times t;
	int64_t late = kit_time("2026-12-01T00:00:00Z");

	(void)state;
	settings_default(&settings);
	t = times_of("hold discard=confirmed", JUDGED);
	assert_false(hold_times_warned(&t));
	assert_false(hold_times_over(&t, late));
	assert_int_equal(hold_times_if_warned(&t, late), late + 12 * 3600 * CLOCK_SECOND);
	assert_int_equal(hold_times_if_warned(&t, t.warn), t.discard);
	t = times_of("hold discard=confirmed",
	    JUDGED "2026-12-01T00:00:00.000000Z noticed what=warning to=a notice=none\n");
	assert_int_equal(t.discard, late + 12 * 3600 * CLOCK_SECOND);
	assert_int_equal(hold_times_if_warned(&t, late), t.discard);
	assert_false(hold_times_over(&t, t.discard - 1));
	assert_true(hold_times_over(&t, t.discard));

	/* Of another stage, and of another word: not warned. */
	settings.approve_expiry = APPROVE_EXPIRY_DISCARD;
	t = times_of("approve by=any:staff",
	    JUDGED "2026-11-24T14:00:00.000000Z noticed what=warning step=2 to=a notice=none\n"
		   "2026-11-24T14:00:00.000000Z noticed what=request step=1 to=a notice=none\n");
	assert_int_equal(t.warned, 0);
	t = times_of("approve by=any:staff",
	    JUDGED "2026-11-24T14:00:00.000000Z noticed what=warning step=1 to=a notice=none\n");
	assert_true(hold_times_warned(&t));
}

static void the_next_is_the_soonest_to_come(void **state)
{
	const struct hold_times t = {.warn = 10, .escalate = 20, .expire = 30};

	(void)state;
	assert_int_equal(hold_times_next(&t, 5), 10);
	assert_int_equal(hold_times_next(&t, 10), 20);
	assert_int_equal(hold_times_next(&t, 29), 30);
	assert_int_equal(hold_times_next(&t, 30), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_step_has_its_times),
	    cmocka_unit_test(settings_change_them),
	    cmocka_unit_test(a_late_warning_puts_the_end_off),
	    cmocka_unit_test(the_next_is_the_soonest_to_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
