/*
 * What people may not do although the table would let them: approve what they may have written, put mail off for
 * ever, fill a leg until nobody can read it; and what they are answered when it is half done (S1-15, S1-20, N14).
 * link: -Wl,--wrap=hold_noted,--wrap=hold_tell_result,--wrap=order_audit,--wrap=stage_close_step
 */
#include "tests/unit/act_kit.h"

/* The law is asked before the vote; after it the answer is no "no": the next look sends the mail. */
static void a_vote_that_stands_is_no_no(void **state)
{
	struct order_answer answer;

	(void)state;
	put(HOLD_KIT_ALICE, STATE_APPROVE, " approve by=any:staff\n teleport\n deliver\n", "");
	answer = act_now(ACT_APPROVE, ERIN, STATE_APPROVE);
	assert_int_equal(answer.result, ORDER_NO);
	assert_string_equal(told, "");
	assert_taken("approve", "teleport\n deliver\n");

	no_close = true;
	put(HOLD_KIT_ALICE, STATE_APPROVE, " approve by=any:staff\n deliver\n", "");
	answer = act_now(ACT_APPROVE, ERIN, STATE_APPROVE);
	assert_int_equal(answer.result, ORDER_UNKNOWN);
	assert_int_equal(answer.state, STATE_APPROVE);
	assert_string_equal(told, "");
	assert_true(timetable_next(&stage.due[STATE_APPROVE]) <= stage_now(&stage) + STAGE_AGAIN);
	assert_taken("approve", " say=yes by=erin@x.example via=web comment=because\n");
}

/* The records of the last assert: none but the plan's. */
static void assert_untouched(void)
{
	char stands[16];
	struct kit_bytes b = take(stands);

	assert_string_equal(stands, "approve");
	assert_null(strstr(b.at, "vote "));
	assert_null(strstr(b.at, "approved "));
	kit_free(&b);
}

/* The mailbox that is the login has written it, so has everybody who has it; and an unknown login may be anybody. */
static void nobody_approves_what_he_may_have_written(void **state)
{
	static const char info[] =
	    "from info@x.example\n" HOLD_KIT_TO "client 192.0.2.10 auth=info@x.example\n";
	static const char printer[] =
	    "from alice@x.example\n" HOLD_KIT_TO "client 192.0.2.10 auth=printer7\n";

	(void)state;
	put(info, STATE_APPROVE, " approve by=any:staff\n deliver\n", "");
	assert_int_equal(act_now(ACT_APPROVE, ALICE, STATE_APPROVE).result, ORDER_NO);
	assert_int_equal(act_now(ACT_APPROVE, ERIN, STATE_APPROVE).result, ORDER_NO);
	assert_untouched();
	put(printer, STATE_APPROVE, " approve by=any:staff\n deliver\n", "");
	assert_int_equal(act_now(ACT_APPROVE, FRANK, STATE_APPROVE).result, ORDER_NO);
	assert_false(possible(ACT_URGENT, ALICE, STATE_APPROVE));
	assert_int_equal(act_now(ACT_APPROVE, NULL, STATE_APPROVE).result, ORDER_DONE);
	assert_taken("deliver", " ended=operator by=root ");

	/* Nobody is two people by what stands behind the '+'. */
	put(HOLD_KIT_ALICE, STATE_APPROVE, " approve by=2:all\n deliver\n", "");
	assert_int_equal(
	    act_now(ACT_APPROVE, "judy+1@x.example", STATE_APPROVE).state, STATE_APPROVE);
	assert_taken("approve", " by=judy@x.example ");
	put(HOLD_KIT_ALICE, STATE_APPROVE, " approve by=2:all\n deliver\n",
	    AT "vote $ step=1 say=yes by=judy@x.example via=web\n");
	assert_int_equal(act_now(ACT_APPROVE, "judy+2@x.example", STATE_APPROVE).result, ORDER_NO);
	assert_taken("approve", "via=web\n");
}

/* Counted from its acceptance, or from when it was brought back: it is not put off for ever. */
static void nothing_is_put_off_for_ever(void **state)
{
	struct act act = act_of(ACT_EXTEND, ALICE, STATE_HOLD);

	(void)state;
	stage.watch.wall = kit_time("2026-12-20T00:00:00Z");
	act.order.until = kit_time("2026-12-23T00:00:00Z");
	put(HOLD_KIT_ALICE, STATE_HOLD, " hold discard=2026-12-21T00:00:00Z\n deliver\n", "");
	assert_int_equal(act_on_leg(&hold, &act).result, ORDER_NO);
	act.order.until = kit_time("2026-12-22T09:35:00Z");
	assert_int_equal(act_on_leg(&hold, &act).result, ORDER_DONE);
	act.order.until = kit_time("2026-12-23T00:00:00Z");
	assert_taken("hold", " extended until=2026-12-22T09:35:00.000000Z ");
	put(HOLD_KIT_ALICE, STATE_HOLD, " hold discard=2026-12-21T00:00:00Z\n deliver\n",
	    "2026-12-01T00:00:00.000000Z discarded by=x via=y\n"
	    "2026-12-02T00:00:00.000000Z restored by=x via=y\n&");
	assert_int_equal(act_on_leg(&hold, &act).result, ORDER_DONE);
	assert_taken("hold", " extended until=2026-12-23T00:00:00.000000Z ");
}

static void an_end_is_put_off_a_hundred_times(void **state)
{
	struct kit_bytes records = {NULL, 0};

	(void)state;
	for (size_t i = 0; i < ACT_EXTENSIONS_MAX; i++) {
		put(HOLD_KIT_ALICE, STATE_HOLD, " hold " UNTIL "\n deliver\n",
		    i > 0 ? records.at : "");
		if (i == 0 || i == ACT_EXTENSIONS_MAX - 1)
			assert_int_equal(act_now(ACT_EXTEND, ALICE, STATE_HOLD).result, ORDER_DONE);
		assert_taken("hold", "deliver\n");
		kit_addf(&records, AT "extended until=2026-11-22T11:00:00.%06zuZ by=x via=y\n", i);
	}
	put(HOLD_KIT_ALICE, STATE_HOLD, " hold " UNTIL "\n deliver\n", records.at);
	assert_false(possible(ACT_EXTEND, ALICE, STATE_HOLD));
	assert_int_equal(act_now(ACT_EXTEND, ALICE, STATE_HOLD).result, ORDER_NO);
	assert_int_equal(act_now(ACT_RELEASE, ALICE, STATE_HOLD).result, ORDER_DONE);
	assert_taken("deliver", " ended=released ");
	kit_free(&records);
}

/* What people say again and again makes no leg that nobody can read: there is room to throw it away. */
static void a_full_leg_can_be_thrown_away(void **state)
{
	static const struct {
		const char *plan;
		enum spool_state state;
		enum act_word word;
		const char *who;
		bool done;
	} rows[] = {{" hold " UNTIL "\n", STATE_HOLD, ACT_EXTEND, ALICE, false},
	    {" hold " UNTIL "\n", STATE_HOLD, ACT_REMOVE, NULL, false},
	    {" hold confirmed\n", STATE_HOLD, ACT_RELEASE, ALICE, false},
	    {" hold confirmed\n", STATE_HOLD, ACT_DISCARD, ALICE, true},
	    {" approve by=2:staff\n", STATE_APPROVE, ACT_APPROVE, ERIN, false},
	    {" approve by=2:staff\n", STATE_APPROVE, ACT_REJECT, ERIN, true},
	    {" approve by=2:staff\n", STATE_APPROVE, ACT_RETURN, ERIN, true},
	    {" approve by=2:staff\n", STATE_APPROVE, ACT_DISCARD, NULL, true}};
	struct kit_bytes records = {NULL, 0};

	(void)state;
	stage.settings.trailer_max = 1 << 20;
	while (records.len < (1 << 20) - ACT_ROOM_KEPT)
		kit_addf(&records, AT "told %0900d\n", 1);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (size_t full = 0; full < 2; full++) {
			char plan[128];
			enum order_result expected = rows[i].done || !full ? ORDER_DONE : ORDER_NO;

			(void)snprintf(plan, sizeof plan, "%s deliver\n", rows[i].plan);
			put(HOLD_KIT_ALICE, rows[i].state, plan, full ? records.at : "");
			if (act_now(rows[i].word, rows[i].who, rows[i].state).result != expected)
				fail_msg("row %zu, full %zu", i, full);
			assert_taken(expected == ORDER_NO ? state_name(rows[i].state)
				     : rows[i].word == ACT_DISCARD || rows[i].done ? "trash"
				     : rows[i].word == ACT_RELEASE                 ? "deliver"
								   : state_name(rows[i].state),
			    "deliver\n");
		}
	}
	kit_free(&records);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_vote_that_stands_is_no_no),
	    TEST(nobody_approves_what_he_may_have_written),
	    TEST(nothing_is_put_off_for_ever),
	    TEST(an_end_is_put_off_a_hundred_times),
	    TEST(a_full_leg_can_be_thrown_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
