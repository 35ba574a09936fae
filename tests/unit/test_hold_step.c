/*
 * Which steps of approve/ and hold/ seki-hold knows (law 4): every other form, and every argument that is
 * not known, is odd, for a reason of its own; nothing passes unread.
 */
#include "tests/unit/queue_kit.h"

#include "lib/hold/plan_step.h"

#define LATER "2026-11-22T10:40:00.000000Z"
#define LAST  "2026-12-01T00:00:00.000000Z"

static struct hold_plan_step read_step(const char *text, int64_t amended)
{
	static char lines[512];
	static struct plan plan;

	plan.steps = 0;
	(void)snprintf(lines, sizeof lines, " %s\n deliver\n", text);
	if (!plan_parse(&plan, lines, strlen(lines)))
		fail_msg("no plan: %s", text);
	return hold_plan_step(&plan.step[0], amended);
}

static void what_is_known(void **state)
{
	static const struct {
		const char *text;
		enum step_form form;
		bool discard;
		const char *time;
		enum step_notice notice;
	} rows[] = {
	    {"hold no", STEP_NO, false, NULL, NOTICE_UNSAID},
	    {"approve no", STEP_NO, false, NULL, NOTICE_UNSAID},
	    {"hold until=" LATER, STEP_UNTIL, false, LATER, NOTICE_UNSAID},
	    {"hold until=" LATER " rule=must/50-x:3", STEP_UNTIL, false, LATER, NOTICE_UNSAID},
	    {"hold until=" LATER " notice=always rule=a:1", STEP_UNTIL, false, LATER,
		NOTICE_ALWAYS},
	    {"hold operator", STEP_OPERATOR, false, NULL, NOTICE_UNSAID},
	    {"hold operator why=facts reason=killed door=foreign-sender rule=a:1", STEP_OPERATOR,
		false, NULL, NOTICE_UNSAID},
	    {"hold confirmed rule=a:1", STEP_CONFIRMED, false, NULL, NOTICE_UNSAID},
	    {"hold confirmed notice=never", STEP_CONFIRMED, false, NULL, NOTICE_NEVER},
	    {"hold checked notice=digest rule=a:1", STEP_CHECKED, false, NULL, NOTICE_DIGEST},
	    {"hold discard=" LATER, STEP_CONFIRMED, true, LATER, NOTICE_UNSAID},
	    {"hold discard=confirmed notice=risky", STEP_CONFIRMED, true, NULL, NOTICE_RISKY},
	    {"hold discard=checked rule=a:1", STEP_CHECKED, true, NULL, NOTICE_UNSAID},
	    {"hold window=Sat-Sun rule=a:1", STEP_WINDOW, false, NULL, NOTICE_UNSAID},
	    {"approve by=boss:eve@x.example", STEP_APPROVE, false, NULL, NOTICE_UNSAID},
	    {"approve by=any:staff then=address:eve@x.example then=2:chiefs notice=always "
	     "rule=must/a:1",
		STEP_APPROVE, false, NULL, NOTICE_ALWAYS},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct hold_plan_step step = read_step(rows[i].text, 0);
		int64_t time = rows[i].time != NULL ? kit_time(rows[i].time) : 0;

		if (step.form != rows[i].form || step.discard != rows[i].discard ||
		    step.notice != rows[i].notice || step.time != time)
			fail_msg("%s: form %d discard %d notice %d time %lld", rows[i].text,
			    step.form, step.discard, step.notice, (long long)step.time);
	}
}

static void what_is_not_known_is_odd(void **state)
{
	static const char argument[] = "an argument in the plan that this version does not know";
	static const char none[] = "no time that ends it";
	static const char approval[] = "an approval that this version cannot ask for";
	static const struct {
		const char *text, *why;
	} rows[] = {
	    {"hold until=" LATER " else=discard", argument},
	    {"hold until=" LATER " discard", argument},
	    {"hold until=" LATER " until=" LAST, argument},
	    {"hold until=" LATER " rule=a rule=b", argument},
	    {"hold until=" LATER " why=x", argument},
	    {"hold until=" LATER " ", argument},
	    {"hold until=" LATER "  rule=a", argument},
	    {"hold until=" LATER " rule=", argument},
	    {"hold until=" LATER " notice=", argument},
	    {"hold until=" LATER " notice=sometimes", argument},
	    {"hold until=" LATER " notice=never notice=always", argument},
	    {"hold operator then=boss", argument},
	    {"hold operator why=x why=y", argument},
	    {"hold operator until=" LATER, argument},
	    {"hold no rule=must/a:1", argument},
	    {"hold no no", argument},
	    {"approve no rule=must/a:1", argument},
	    {"approve no no", argument},
	    {"approve by=any:staff by=any:chiefs", argument},
	    {"approve by=any:staff else=any:chiefs", argument},
	    {"hold confirmed until=" LATER, argument},
	    {"hold discard=confirmed discard=checked", argument},
	    {"hold", none},
	    {"hold people no", none}, /* law_until alone would let it pass at once */
	    {"hold until=", none},
	    {"hold until=yesterday", none},
	    {"hold discard=yesterday", none},
	    {"hold discard=", none},
	    {"hold discard", none},
	    {"hold operators", none},
	    {"hold window=", none},
	    {"hold window", none},
	    {"hold rule=a until=" LATER, none},
	    {"approve", approval},
	    {"approve yes", approval},
	    {"approve by=", approval},
	    {"approve then=any:staff", approval},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct hold_plan_step step = read_step(rows[i].text, 0);

		if (step.form != STEP_ODD)
			fail_msg("%s: form %d", rows[i].text, step.form);
		if (strcmp(step.odd, rows[i].why) != 0)
			fail_msg("%s: %s", rows[i].text, step.odd);
	}
}

/* Law 5: what people add only makes a wait longer. */
static void an_end_is_only_put_off(void **state)
{
	struct hold_plan_step step;

	(void)state;
	step = read_step("hold until=" LATER, kit_time(LAST));
	assert_int_equal(step.time, kit_time(LAST));
	step = read_step("hold until=" LAST, kit_time(LATER));
	assert_int_equal(step.time, kit_time(LAST));
	step = read_step("hold discard=" LATER, kit_time(LAST));
	assert_int_equal(step.time, kit_time(LAST));
}

static void a_window_is_its_text(void **state)
{
	struct hold_plan_step step = read_step("hold window=Mon-Fri+2019:00-09:30 rule=a:1", 0);

	(void)state;
	assert_int_equal(step.window_len, strlen("Mon-Fri+2019:00-09:30"));
	assert_memory_equal(step.window, "Mon-Fri+2019:00-09:30", step.window_len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_known),
	    cmocka_unit_test(what_is_not_known_is_odd),
	    cmocka_unit_test(an_end_is_only_put_off),
	    cmocka_unit_test(a_window_is_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
