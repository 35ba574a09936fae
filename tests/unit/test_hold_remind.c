/*
 * The digest: one for each person, every remind-every, not in quiet hours, and none once it is handled.
 * link: -Wl,--wrap=notice_ask_gate
 */
#include "tests/unit/notices_kit.h"

#define ASK   "99991231T235959Z." KIT_ID ".1"
#define PATH  "spool/approve/" ASK
#define PLAN  " approve by=boss:bob@example.co.jp\n deliver\n"
#define ABOUT "2026-11-24T09:00:00.000000Z about subject=the+20offer size=1 files=0\n"
#define ASKED                                                                                      \
	"2026-11-24T09:00:00.000000Z noticed what=request step=1 to=bob@example.co.jp "            \
	"notice=none\n"
#define DAY   "2026-11-24T" /* a Tuesday */
#define HOURS (3600 * CLOCK_SECOND)

static char seen[2048], vars[4096];
static enum notice_result result;
static struct remind_job job;

void __wrap_notice_ask_gate(const char *path, int leg, const struct notice_gate *gate,
    int timeout_ms, struct notice_answer *a);

void __wrap_notice_ask_gate(const char *path, int leg, const struct notice_gate *gate,
    int timeout_ms, struct notice_answer *a)
{
	struct kit_bytes file = kit_file(REMIND_FILE);
	size_t len = strlen(seen);

	(void)path;
	assert_int_equal(leg, -1);
	assert_true(timeout_ms > 0);
	/* It is written down before he is told. */
	assert_non_null(strstr(file.at, gate->to));
	kit_free(&file);
	(void)snprintf(seen + len, sizeof seen - len, "%s:%s%s ", gate->template, gate->to,
	    gate->english ? ":en" : ":ja");
	vars[0] = '\0';
	for (size_t i = 0; i < gate->vars; i++) {
		len = strlen(vars);
		(void)snprintf(
		    vars + len, sizeof vars - len, "%s=%s;", gate->var[i].name, gate->var[i].value);
	}
	*a = (struct notice_answer){.result = result, .reason = "not-now"};
	memcpy(a->id, KIT_OTHER_ID, sizeof KIT_OTHER_ID);
}

static int enter(void **state)
{
	assert_int_equal(hold_enter(state), 0);
	result = NOTICE_KEPT;
	job = (struct remind_job){.stage = &stage, .absences = absences};
	job.job.view = &view;
	return 0;
}

static int leave(void **state)
{
	remind_forget(&job);
	return hold_leave(state);
}

/* What is told at that time, if it is time for a look. */
static const char *at(const char *now, bool frozen)
{
	seen[0] = '\0';
	job.next = 0;
	if (!remind_due(&job, &view, kit_time(now), frozen))
		return "no look";
	job.patience_ms = 1000;
	remind_work(&job.job);
	return seen;
}

#define BOB "digest:bob@example.co.jp:en "

static void who_was_told_is_reminded_after_remind_every(void **state)
{
	(void)state;
	hold_put(PATH, NULL, PLAN, ABOUT ASKED);
	assert_string_equal(at(DAY "12:59:59.000000Z", false), "");
	assert_string_equal(at(DAY "13:00:00.000000Z", false), BOB);
	assert_non_null(strstr(vars, "mail-subject=the offer;"));
	assert_non_null(strstr(vars, "mail-state=waits for your approval;"));
	assert_non_null(strstr(vars, "mail-url=https://mail.example.co.jp/gate/m/?"));
	assert_non_null(strstr(vars, "count=1;"));
	assert_string_equal(at(DAY "16:59:59.000000Z", false), "");
	/* As after a restart. */
	remind_forget(&job);
	assert_string_equal(at(DAY "16:59:59.000000Z", false), "");
	assert_string_equal(at(DAY "17:00:00.000000Z", false), BOB);
}

static void it_stops_when_it_is_handled(void **state)
{
	(void)state;
	hold_put(PATH, NULL, PLAN, ABOUT ASKED);
	assert_string_equal(at(DAY "13:00:00.000000Z", false), BOB);
	assert_int_equal(unlink(PATH), 0);
	assert_string_equal(at(DAY "17:30:00.000000Z", false), "");
}

static void nobody_is_disturbed(void **state)
{
	(void)state;
	hold_put(PATH, NULL, PLAN, ABOUT ASKED);
	assert_string_equal(at(DAY "19:30:00.000000Z", false), "no look");
	assert_string_equal(at("2026-11-28T13:00:00.000000Z", false), "no look"); /* a Saturday */
	assert_string_equal(at(DAY "13:00:00.000000Z", true), "no look");
	view.settings.remind_every = 0;
	assert_string_equal(at(DAY "13:00:00.000000Z", false), "no look");
}

static void who_could_not_be_told_has_his_turn_soon(void **state)
{
	(void)state;
	hold_put(PATH, NULL, PLAN, ABOUT ASKED);
	result = NOTICE_LATER;
	assert_string_equal(at(DAY "13:00:00.000000Z", false), BOB);
	result = NOTICE_KEPT;
	assert_string_equal(at(DAY "13:30:00.000000Z", false), BOB);
	assert_string_equal(at(DAY "13:31:00.000000Z", false), "");
}

/* What cannot be written down is not told: nobody gets it twice. */
static void without_its_record_there_is_none(void **state)
{
	(void)state;
	hold_put(PATH, NULL, PLAN, ABOUT ASKED);
	assert_int_equal(rmdir("lib/hold"), 0);
	assert_string_equal(at(DAY "13:00:00.000000Z", false), "");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, enter, leave)
	const struct CMUnitTest tests[] = {
	    T(who_was_told_is_reminded_after_remind_every),
	    T(it_stops_when_it_is_handled),
	    T(nobody_is_disturbed),
	    T(who_could_not_be_told_has_his_turn_soon),
	    T(without_its_record_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
