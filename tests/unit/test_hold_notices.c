/*
 * What a leg owes to whom (S2-45, S4-08): a table of plans, records, settings and times; who stands in for
 * whom is somebody of lib/hold/approval.h.
 */
#include "tests/unit/notices_kit.h"

#include "lib/policy/window.h"

#define DUE     "20261122T104000Z"
#define HELD    "spool/hold/" DUE "." KIT_ID ".1"
#define NAME    DUE "." KIT_ID ".1"
#define UNTIL   " hold until=2026-11-22T10:40:00.000000Z"
#define CHECK   KIT_NOW " check fact=first-time rcpt=1\n"
#define ASKED   "spool/approve/99991231T235959Z." KIT_ID ".1"
#define ASKNAME "99991231T235959Z." KIT_ID ".1"
#define APPROVE " approve by=boss:bob@example.co.jp\n deliver\n"
#define TODAY   "2026-11-22T" /* a Sunday: no working time goes by */

static char got[2048];
static struct notices notices;

/* "what[/step] to [english] [none]" of each, parted by ';'. */
static const char *owed(enum spool_state state, const char *name, const char *now, bool frozen)
{
	struct stage_opened o;

	hold_open(state, name, &o);
	got[0] = '\0';
	assert_int_equal(
	    notices_of(&view, absences, state, &o, kit_time(now), frozen, &notices), NOTICES_READ);
	for (size_t i = 0; i < notices.n; i++) {
		const struct notice_owed *one = &notices.owed[i];
		size_t len = strlen(got);

		(void)snprintf(got + len, sizeof got - len, "%s%s/%zu %s%s%s%s",
		    len > 0 ? "; " : "", notice_what_name(one->what), one->step, one->to,
		    one->asked ? " asked" : "", one->english ? " en" : "",
		    one->none != NULL ? " none" : "");
	}
	free(notices.owed);
	hold_close(&o);
	return got;
}

static const char *held(const char *plan, const char *records)
{
	hold_put(HELD, NULL, plan, records);
	return owed(STATE_HOLD, NAME, KIT_NOW, false);
}

#define TOLD_ALICE "hold/0 alice@example.co.jp"

static void S2_45_the_sender_is_told_when_the_rule_says_so(void **state)
{
	(void)state;
	assert_string_equal(held(UNTIL "\n deliver\n", ""), "");
	assert_string_equal(held(UNTIL "\n deliver\n", CHECK), TOLD_ALICE);
	assert_int_equal(notices.ends, kit_time("2026-11-22T10:40:00.000000Z"));
	assert_string_equal(held(UNTIL " notice=always\n deliver\n", ""), TOLD_ALICE);
	assert_string_equal(held(UNTIL " notice=never\n deliver\n", CHECK), "");
	assert_string_equal(held(UNTIL " notice=digest\n deliver\n", CHECK), "");
	/* Checks of a judgement that has been made anew count no more. */
	assert_string_equal(held(UNTIL "\n deliver\n", KIT_ACCEPTED
				" check fact=visible value=12\n" KIT_NOW " judged rules=0 org=0\n"),
	    "");
}

static void the_setting_stands_where_no_rule_says_it(void **state)
{
	(void)state;
	view.settings.hold_notice = HOLD_NOTICE_ALWAYS;
	assert_string_equal(held(UNTIL "\n deliver\n", ""), TOLD_ALICE);
	view.settings.hold_notice = HOLD_NOTICE_NEVER;
	assert_string_equal(held(UNTIL "\n deliver\n", CHECK), "");
	view.settings.hold_notice = HOLD_NOTICE_DIGEST;
	assert_string_equal(held(UNTIL "\n deliver\n", CHECK), "");
	assert_string_equal(held(UNTIL " notice=risky\n deliver\n", CHECK), TOLD_ALICE);
}

static void who_must_act_is_told(void **state)
{
	(void)state;
	assert_string_equal(held(" hold confirmed\n deliver\n", ""), TOLD_ALICE);
	assert_true(notices.must_act);
	assert_string_equal(held(" hold checked\n deliver\n", ""), TOLD_ALICE);
	assert_string_equal(held(" hold confirmed notice=never\n deliver\n", ""), "");
	assert_string_equal(held(" hold operator why=rule\n deliver\n", ""), "");
}

static void each_once(void **state)
{
	static const char plan[] = " hold confirmed\n deliver\n";
	struct kit_bytes records = {NULL, 0};

	(void)state;
	kit_text(&records,
	    KIT_NOW " noticed what=hold to=alice@example.co.jp notice=" KIT_OTHER_ID "\n");
	assert_string_equal(held(plan, records.at), "");
	/* Brought back and judged again it begins anew. */
	kit_text(&records,
	    KIT_NOW " discarded by=root via=shell\n" KIT_NOW " restored by=root via=shell\n");
	kit_plan(&records, KIT_ID, "1", plan);
	assert_string_equal(held(plan, records.at), TOLD_ALICE);
	kit_free(&records);
}

static void what_has_come_is_owed_no_more(void **state)
{
	(void)state;
	hold_put(HELD, NULL, UNTIL "\n deliver\n", CHECK);
	assert_string_equal(owed(STATE_HOLD, NAME, "2026-11-22T10:40:00.000000Z", false), "");
	/* A clock that nobody believes says nothing. */
	assert_string_equal(
	    owed(STATE_HOLD, NAME, "2026-11-22T10:40:00.000000Z", true), TOLD_ALICE);
}

static void machines_and_strangers_are_not_told(void **state)
{
	static const char *const envelopes[] = {"from <>\nto b@x.example\nclient 192.0.2.1\n",
	    "from zoe@elsewhere.example\nto b@x.example\nclient 192.0.2.1\n",
	    "from alice@example.co.jp\nto b@x.example\nclient - origin=gateway\n"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(envelopes); i++) {
		hold_put(HELD, envelopes[i], " hold confirmed\n deliver\n", CHECK);
		assert_string_equal(owed(STATE_HOLD, NAME, KIT_NOW, false), "");
	}
	/* Nobody is known. */
	org_close(view.org);
	view.org = NULL;
	hold_put(HELD, NULL, " hold confirmed\n deliver\n", CHECK);
	assert_string_equal(owed(STATE_HOLD, NAME, KIT_NOW, false), "");
}

/* ---- approvals ---------------------------------------------------------------------------- */

static const char *asked(const char *records, const char *now)
{
	hold_put(ASKED, NULL, APPROVE, records);
	return owed(STATE_APPROVE, ASKNAME, now, false);
}

static void S4_08_the_boss_is_asked_and_the_sender_told(void **state)
{
	(void)state;
	assert_string_equal(
	    asked("", KIT_NOW), TOLD_ALICE "; request/1 bob@example.co.jp asked en");
	assert_string_equal(
	    asked(KIT_NOW " noticed what=hold to=alice@example.co.jp notice=none\n" KIT_NOW
			  " noticed what=request step=1 to=bob@example.co.jp notice=" KIT_OTHER_ID
			  "\n",
		KIT_NOW),
	    "");
	/* `never` is said of the sender; somebody must still be asked. */
	hold_put(ASKED, NULL, " approve by=boss:bob@example.co.jp notice=never\n deliver\n", "");
	assert_string_equal(
	    owed(STATE_APPROVE, ASKNAME, KIT_NOW, false), "request/1 bob@example.co.jp asked en");
}

static void the_deputy_of_who_is_absent_is_asked(void **state)
{
	const struct absence away = {.address = "bob@example.co.jp",
	    .from = kit_time(TODAY "10:00:00.000000Z"),
	    .until = kit_time(TODAY "18:00:00.000000Z"),
	    .by = "bob@example.co.jp"};

	(void)state;
	assert_true(absences_set(absences, &away, kit_time(KIT_NOW)));
	(void)asked("", TODAY "09:59:59.000000Z");
	assert_null(strstr(got, "carol"));
	(void)asked("", TODAY "10:00:00.000000Z");
	assert_non_null(strstr(got, "request/1 carol@example.co.jp asked"));
}

/* After approve-escalate of working time deputies and the boss's boss are asked, too; and only they. */
static void the_escalation_asks_others(void **state)
{
	static const char asked_bob[] =
	    KIT_NOW " noticed what=hold to=alice@example.co.jp notice=none\n" KIT_NOW
		    " noticed what=request step=1 to=bob@example.co.jp notice=" KIT_OTHER_ID "\n";

	(void)state;
	assert_string_equal(asked(asked_bob, KIT_NOW), "");
	assert_true(notices.next > kit_time(KIT_NOW));
	assert_true(notices.next == notices.times.escalate || notices.next == notices.times.warn);
	hold_put(ASKED, NULL, APPROVE, asked_bob);
	{
		char when[CLOCK_TEXT];

		clock_format(notices.times.escalate, when);
		(void)owed(STATE_APPROVE, ASKNAME, when, false);
	}
	assert_null(strstr(got, "bob"));
	assert_non_null(strstr(got, "request/1 carol@example.co.jp asked"));
	assert_non_null(strstr(got, "request/1 eve@example.co.jp asked"));
}

static void who_is_to_lose_it_is_warned_first(void **state)
{
	char when[CLOCK_TEXT];

	(void)state;
	view.settings.approve_expiry = APPROVE_EXPIRY_DISCARD;
	(void)asked("", KIT_NOW);
	assert_null(strstr(got, "warning"));
	clock_format(notices.times.warn, when);
	(void)asked("", when);
	assert_non_null(strstr(got, "warning/1 alice@example.co.jp"));
	assert_non_null(strstr(got, "warning/1 bob@example.co.jp asked en"));
	/* Whoever wants no notices is warned all the same. */
	view.settings.hold_notice = HOLD_NOTICE_NEVER;
	(void)asked("", when);
	assert_non_null(strstr(got, "warning/1 alice@example.co.jp"));
	assert_null(strstr(got, "hold/"));
	/* Not by a clock that nobody believes; it is looked at again. */
	(void)owed(STATE_APPROVE, ASKNAME, when, true);
	assert_null(strstr(got, "warning"));
	assert_true(notices.next > kit_time(when));
}

/* ---- what was thrown away ----------------------------------------------------------------- */

#define TRASH "spool/trash/" KIT_ID ".1"
#define REQUEST                                                                                    \
	KIT_NOW " noticed what=request step=1 to=bob@example.co.jp notice=" KIT_OTHER_ID "\n"

static const char *thrown(const char *records)
{
	hold_put(TRASH, NULL, APPROVE, records);
	return owed(STATE_TRASH, KIT_ID ".1", KIT_NOW, false);
}

static void what_was_thrown_away_comes_back_as_a_draft(void **state)
{
	(void)state;
	assert_string_equal(thrown(KIT_NOW " discarded by=root via=shell tell=draft\n"),
	    "draft/0 alice@example.co.jp");
	assert_string_equal(thrown(KIT_NOW " discarded by=root via=shell\n"), "");
	assert_string_equal(
	    thrown(KIT_NOW " discarded by=root via=shell tell=draft\n" KIT_NOW
			   " noticed what=draft to=alice@example.co.jp notice=" KIT_OTHER_ID "\n"),
	    "");
	/* The second time is another time. */
	assert_string_equal(
	    thrown(KIT_NOW " discarded by=root via=shell tell=draft\n" KIT_NOW
			   " noticed what=draft to=alice@example.co.jp notice=" KIT_OTHER_ID
			   "\n" KIT_NOW " restored by=root via=shell\n" KIT_NOW
			   " discarded by=root via=shell tell=draft\n"),
	    "draft/0 alice@example.co.jp");
	/* What was kept long enough is owed nothing more. */
	assert_string_equal(
	    thrown("2025-11-22T09:40:00.000000Z discarded by=root via=shell tell=draft\n"), "");
}

static void who_was_asked_hears_that_it_is_decided(void **state)
{
	(void)state;
	assert_string_equal(thrown(REQUEST KIT_NOW " discarded by=alice@example.co.jp via=web\n"),
	    "result/0 bob@example.co.jp asked en");
	/* But not who decided it himself, and nobody who was not asked. */
	assert_string_equal(
	    thrown(REQUEST KIT_NOW " discarded by=bob@example.co.jp via=web\n"), "");
	assert_string_equal(thrown(KIT_NOW " discarded by=alice@example.co.jp via=web\n"), "");
}

/* ---- for whom it waits -------------------------------------------------------------------- */

static bool note(void *context, const char *address, bool is_asked, int64_t since)
{
	size_t len = strlen(got);

	(void)context;
	(void)snprintf(got + len, sizeof got - len, "%s%s%s%s", len > 0 ? "; " : "", address,
	    is_asked ? " asked" : "", since > 0 ? " told" : "");
	return true;
}

static const char *waiting(enum spool_state state, const char *name)
{
	struct stage_opened o;

	hold_open(state, name, &o);
	got[0] = '\0';
	assert_true(notices_waiting(&view, absences, &o, kit_time(KIT_NOW), note, NULL));
	hold_close(&o);
	return got;
}

static void the_digest_has_what_only_somebody_ends(void **state)
{
	(void)state;
	/* He is to have his own notice first. */
	hold_put(HELD, NULL, " hold confirmed\n deliver\n", "");
	assert_string_equal(waiting(STATE_HOLD, NAME), "");
	hold_put(HELD, NULL, " hold confirmed\n deliver\n",
	    KIT_NOW " noticed what=hold to=alice@example.co.jp notice=" KIT_OTHER_ID "\n");
	assert_string_equal(waiting(STATE_HOLD, NAME), "alice@example.co.jp told");
	hold_put(HELD, NULL, UNTIL "\n deliver\n", CHECK);
	assert_string_equal(waiting(STATE_HOLD, NAME), "");
	hold_put(HELD, NULL, UNTIL " notice=digest\n deliver\n", CHECK);
	assert_string_equal(waiting(STATE_HOLD, NAME), "alice@example.co.jp");
	hold_put(ASKED, NULL, APPROVE, REQUEST);
	assert_string_equal(waiting(STATE_APPROVE, ASKNAME), "bob@example.co.jp asked told");
}

/* ---- copies ------------------------------------------------------------------------------- */

static void C6_of_copies_one_is_told(void **state)
{
	struct copies *copies = copies_new();
	struct notice_owed one = {.what = TELL_HOLD, .to = "alice@example.co.jp"};
	struct leg first = {.restores = 0}, second = {.restores = 0};

	(void)state;
	assert_non_null(copies);
	assert_true(name_parse(KIT_ID ".1", &first.name));
	assert_true(name_parse(KIT_OTHER_ID ".1", &second.name));
	assert_int_equal(copies_ask(copies, STATE_HOLD, &first, 7, &one), COPIES_FIRST);
	assert_int_equal(copies_ask(copies, STATE_HOLD, &second, 7, &one), COPIES_BUSY);
	/* It could not be told: the other one is. */
	copies_failed(copies, &first);
	assert_int_equal(copies_ask(copies, STATE_HOLD, &second, 7, &one), COPIES_FIRST);
	copies_done(copies, &second);
	assert_int_equal(copies_ask(copies, STATE_HOLD, &first, 7, &one), COPIES_COPY);
	/* Another message, another person, another matter. */
	assert_int_equal(copies_ask(copies, STATE_HOLD, &first, 8, &one), COPIES_FIRST);
	assert_int_equal(copies_ask(copies, STATE_APPROVE, &first, 7, &one), COPIES_FIRST);
	first.restores = 1;
	assert_int_equal(copies_ask(copies, STATE_HOLD, &first, 7, &one), COPIES_FIRST);
	copies_free(copies);
}

static void C6_copies_that_are_thrown_away_together_make_one_draft(void **state)
{
	static const char alice[] = KIT_NOW " discarded by=alice@example.co.jp cause=person\n";
	static const char boss[] = KIT_NOW " discarded by=boss@example.co.jp cause=rejected\n";
	struct copies *copies = copies_new();
	struct notice_owed one = {.what = TELL_DRAFT, .to = "alice@example.co.jp"};
	struct leg first = {.restores = 0}, second = {.restores = 0}, third = {.restores = 0};

	(void)state;
	assert_non_null(copies);
	assert_true(name_parse(KIT_ID ".1", &first.name));
	assert_true(name_parse(KIT_OTHER_ID ".1", &second.name));
	assert_true(name_parse(KIT_OTHER_ID ".2", &third.name));
	buf_init(&first.trailer_bytes, 1000);
	buf_init(&second.trailer_bytes, 1000);
	buf_init(&third.trailer_bytes, 1000);
	buf_add_text(&first.trailer_bytes, alice);
	buf_add_text(&second.trailer_bytes, alice);
	buf_add_text(&third.trailer_bytes, boss);
	assert_int_equal(copies_ask(copies, STATE_TRASH, &first, 7, &one), COPIES_FIRST);
	copies_done(copies, &first);
	assert_int_equal(copies_ask(copies, STATE_TRASH, &second, 7, &one), COPIES_COPY);
	/* What another threw away he hears of. */
	assert_int_equal(copies_ask(copies, STATE_TRASH, &third, 7, &one), COPIES_FIRST);
	buf_free(&first.trailer_bytes);
	buf_free(&second.trailer_bytes);
	buf_free(&third.trailer_bytes);
	copies_free(copies);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, hold_enter, hold_leave)
	const struct CMUnitTest tests[] = {
	    T(S2_45_the_sender_is_told_when_the_rule_says_so),
	    T(the_setting_stands_where_no_rule_says_it),
	    T(who_must_act_is_told),
	    T(each_once),
	    T(what_has_come_is_owed_no_more),
	    T(machines_and_strangers_are_not_told),
	    T(S4_08_the_boss_is_asked_and_the_sender_told),
	    T(the_deputy_of_who_is_absent_is_asked),
	    T(the_escalation_asks_others),
	    T(who_is_to_lose_it_is_warned_first),
	    T(what_was_thrown_away_comes_back_as_a_draft),
	    T(who_was_asked_hears_that_it_is_decided),
	    T(the_digest_has_what_only_somebody_ends),
	    T(C6_of_copies_one_is_told),
	    T(C6_copies_that_are_thrown_away_together_make_one_draft),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
