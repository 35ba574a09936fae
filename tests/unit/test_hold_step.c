/*
 * Which steps of approve/ and hold/ this version carries out (law 4): every other form, and every argument
 * that is not known, stops the leg with a reason of its own; nothing passes unread.
 */
#include "tests/unit/queue_kit.h"

#include "lib/hold/hold.h"
#include "queue/law.h"

static struct stage stage;

#define NEVER "by nothing but a person"

/* What is decided about `text` as the open step of a leg: an action's letter and, stopped, why. */
static void assert_step(const char *text, char action, const char *why)
{
	char lines[512], got;
	struct stage_opened o = {.fd = -1};
	struct plan plan = {.steps = 0};
	struct stage_outcome outcome;
	static const char letters[] = {[STAGE_PASS] = 'p', [STAGE_WAIT] = 'w', [STAGE_STOP] = 's'};

	(void)snprintf(lines, sizeof lines, " %s\n deliver\n", text);
	if (!plan_parse(&plan, lines, strlen(lines)))
		fail_msg("no plan: %s", text);
	o.leg.plan = plan;
	o.law = (struct law){.verdict = LAW_ACT, .step = &o.leg.plan.step[0]};
	outcome = hold_step(&stage, plan_word_state(o.law.step->word), &o);
	got = letters[outcome.action];
	if (got != action)
		fail_msg("%s: '%c', not '%c'", text, got, action);
	if (action == 's')
		assert_string_equal(outcome.why, why);
	if (action == 'w' && why != NULL)
		assert_int_equal(outcome.until, DUE_NEVER);
	/* Where it is stopped nothing but a person ends it: no time can be read from it. */
	if (action == 's' && o.law.step->word == WORD_HOLD && strstr(text, "until=") == NULL &&
	    strstr(text, " no") == NULL)
		assert_int_equal(law_until(&o.leg, o.law.step), -1);
}

static void setup(void)
{
	settings_default(&stage.settings);
	stage.watch = (struct watch){
	    .settings = &stage.settings, .wall = kit_time(KIT_NOW), .boot = clock_boot()};
}

static void what_is_carried_out(void **state)
{
	(void)state;
	setup();
	assert_step("hold no", 'p', NULL);
	assert_step("approve no", 'p', NULL);
	assert_step("hold until=2026-11-22T09:39:59.000000Z", 'p', NULL);
	assert_step("hold until=2026-11-22T09:39:59.000000Z rule=must/50-x:3", 'p', NULL);
	assert_step("hold until=2026-11-22T10:40:00.000000Z", 'w', NULL);
	assert_step("hold until=2026-11-22T10:40:00.000000Z rule=must/50-x:3", 'w', NULL);
	assert_step("hold operator", 'w', NEVER);
	assert_step("hold operator why=rule rule=must/50-x:3", 'w', NEVER);
	assert_step(
	    "hold operator why=facts reason=killed door=foreign-sender rule=must/a:1", 'w', NEVER);
}

/* One reason for each form. */
static void what_waits_for_a_later_version(void **state)
{
	static const char approval[] = "an approval that this version cannot ask for";
	static const char confirmed[] =
	    "a confirmation by the sender that this version cannot ask for";
	static const char checked[] = "a check by the sender that this version cannot ask for";
	static const char discard[] =
	    "a hold that ends in discarding, which this version cannot do";

	(void)state;
	setup();
	assert_step("approve by=boss:eve@example.co.jp rule=must/50-x:3", 's', approval);
	assert_step(
	    "approve by=any:staff then=address:eve@example.co.jp then=2:chiefs rule=must/a:1", 's',
	    approval);
	assert_step("approve", 's', approval);
	assert_step("approve yes", 's', approval);
	assert_step("hold confirmed rule=must/50-x:3", 's', confirmed);
	assert_step("hold checked rule=must/50-x:3", 's', checked);
	assert_step("hold discard=2026-11-22T10:40:00.000000Z rule=must/50-x:3", 's', discard);
	assert_step("hold discard=2020-11-22T10:40:00.000000Z rule=must/50-x:3", 's', discard);
	assert_step("hold discard=confirmed rule=must/50-x:3", 's', discard);
	assert_step("hold discard=checked rule=must/50-x:3", 's', discard);
}

static void what_is_not_known_never_passes(void **state)
{
	static const char why[] = "an argument in the plan that this version does not know";
	static const char none[] = "no time that ends it";

	(void)state;
	setup();
	assert_step("hold until=2020-11-22T10:40:00.000000Z else=discard", 's', why);
	assert_step("hold until=2020-11-22T10:40:00.000000Z discard", 's', why);
	assert_step(
	    "hold until=2020-11-22T10:40:00.000000Z until=2030-11-22T10:40:00.000000Z", 's', why);
	assert_step("hold until=2020-11-22T10:40:00.000000Z rule=a rule=b", 's', why);
	assert_step("hold until=2020-11-22T10:40:00.000000Z why=x", 's', why);
	assert_step("hold until=2020-11-22T10:40:00.000000Z ", 's', why);
	assert_step("hold until=2020-11-22T10:40:00.000000Z  rule=a", 's', why);
	assert_step("hold until=2020-11-22T10:40:00.000000Z rule=", 's', why);
	assert_step("hold operator then=boss", 's', why);
	assert_step("hold operator why=x why=y", 's', why);
	assert_step("hold operator until=2020-11-22T10:40:00.000000Z", 's', why);
	assert_step("hold no rule=must/a:1", 's', why);
	assert_step("hold no no", 's', why);
	assert_step("approve no rule=must/a:1", 's', why);
	assert_step("approve no no", 's', why);
	assert_step("hold confirmed until=2020-11-22T10:40:00.000000Z", 's', why);
	assert_step("hold", 's', none);
	assert_step("hold people no", 's', none); /* law_until alone would let it pass at once */
	assert_step("hold until=", 's', none);
	assert_step("hold until=yesterday", 's', none);
	assert_step("hold operators", 's', none);
	assert_step("hold rule=a until=2020-11-22T10:40:00.000000Z", 's', none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_carried_out),
	    cmocka_unit_test(what_waits_for_a_later_version),
	    cmocka_unit_test(what_is_not_known_never_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
