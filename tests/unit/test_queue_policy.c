/* The fixed plan: what the settings ask for, and before it what the door asks for. */
#include "tests/unit/queue_kit.h"

#include "lib/policy/policy.h"

static enum policy_verdict judge(const struct settings *settings, const struct leg *leg,
    const struct facts *facts, struct policy_judgement *j)
{
	struct policy_case c = {
	    .settings = settings, .leg = leg, .facts = facts, .since = kit_time(KIT_NOW)};

	return policy_judge(&c, j);
}

/* Nothing that the settings or the client line say makes it more than that, or more than one leg. */
static void the_gateways_own_mail_is_not_judged(void **state)
{
	struct leg_rcpt rcpt[3] = {{.address = (char[]){"a@x.example"}},
	    {.address = (char[]){"b@y.example"}}, {.address = (char[]){"c@x.example"}}};
	struct leg leg = {.from = (char[]){""}, .rcpts = 3, .rcpt = rcpt};
	static const int64_t divisions[] = {
	    PLAN_DIVIDE_NO, PLAN_DIVIDE_DOMAIN, PLAN_DIVIDE_RECIPIENT};
	static const char *const own[] = {
	    "- origin=gateway", "- hold=foreign-sender origin=gateway"};
	struct policy_judgement j;
	struct settings settings;

	(void)state;
	settings_default(&settings);
	(void)snprintf(settings.plan_states, sizeof settings.plan_states,
	    "approve hold encrypt stagger deliver");
	settings.plan_hold = settings.plan_stagger = CLOCK_SECOND;
	for (size_t i = 0; i < COUNT_OF(divisions) * COUNT_OF(own); i++) {
		settings.plan_divide = divisions[i % COUNT_OF(divisions)];
		leg.client = own[i / COUNT_OF(divisions)];
		assert_int_equal(judge(&settings, &leg, NULL, &j), POLICY_JUDGED);
		assert_int_equal(j.groups, 1);
		assert_int_equal(j.group[0].rcpts, 3);
		assert_int_equal(j.group[0].plan.len, strlen(" deliver\n"));
		assert_memory_equal(j.group[0].plan.bytes, " deliver\n", strlen(" deliver\n"));
		policy_judgement_free(&j);
	}

	settings.plan_divide = PLAN_DIVIDE_RECIPIENT;
	leg.client = "192.0.2.1 helo=gateway origin=gatewa";
	assert_int_equal(judge(&settings, &leg, NULL, &j), POLICY_JUDGED);
	assert_int_equal(j.groups, 3);
	policy_judgement_free(&j);
}

static void assert_plan_of(
    const char *lines, const char *states, const char *client, const char *expected)
{
	struct facts *facts = facts_new();
	struct leg_rcpt rcpt = {.address = (char[]){"bob@partner.example"}};
	struct leg leg = {.from = (char[]){"a@b"}, .client = client, .rcpts = 1, .rcpt = &rcpt};
	struct policy_judgement j;
	struct settings settings;
	struct plan plan;

	settings_default(&settings);
	(void)snprintf(settings.plan_states, sizeof settings.plan_states, "%s", states);
	settings.plan_facts = PLAN_FACTS_YES;
	assert_non_null(facts);
	facts_lines(facts, lines, strlen(lines));
	facts_end(facts, true);
	assert_int_equal(judge(&settings, &leg, facts, &j), POLICY_JUDGED);
	assert_int_equal(j.groups, 1);
	assert_int_equal(j.group[0].records.len, 0);
	assert_int_equal(j.group[0].plan.len, strlen(expected));
	assert_memory_equal(j.group[0].plan.bytes, expected, strlen(expected));
	assert_true(plan_parse(&plan, j.group[0].plan.bytes, j.group[0].plan.len));
	policy_judgement_free(&j);
	facts_free(facts);
}

static void assert_plan(const char *states, const char *client, const char *expected)
{
	assert_plan_of("", states, client, expected);
}

/* I3: plans only get stricter by it. */
static void I3_held_for_an_operator(void **state)
{
	(void)state;
	assert_plan("deliver", "192.0.2.1 helo=x", " deliver\n");
	assert_plan("deliver", "192.0.2.1 helo=x hold=foreign-sender",
	    " hold operator why=foreign-sender\n deliver\n");
	assert_plan("approve hold deliver", "192.0.2.1 hold=foreign-sender auth=x",
	    " hold operator why=foreign-sender\n approve no\n hold no\n deliver\n");
	assert_plan("deliver", "192.0.2.1 helo=hold", " deliver\n");
	assert_plan("deliver", "192.0.2.1 threshold=x", " deliver\n");
}

/* Whatever stands there, it is a wish to hold, and one line. */
static void odd_reasons(void **state)
{
	char client[2048];

	(void)state;
	assert_plan("deliver", "- hold=a+20no", " hold operator why=a+20no\n deliver\n");
	assert_plan("deliver", "- hold=a+0Ab", " hold operator why=a+0Ab\n deliver\n");
	assert_plan("deliver", "- hold=", " hold operator why=unknown\n deliver\n");
	assert_plan("deliver", "- hold=a=b", " hold operator why=unknown\n deliver\n");
	assert_plan("deliver", "- hold=a+2", " hold operator why=unknown\n deliver\n");
	(void)snprintf(client, sizeof client, "- hold=%0*d", 1000, 1);
	assert_plan("deliver", client, " hold operator why=unknown\n deliver\n");
}

/* S1-22, S1-30, M3: what the facts say against a message waits for an operator: the worst of it. */
static void held_for_what_the_facts_say(void **state)
{
	static const struct {
		const char *facts;
		const char *step;
	} rows[] = {
	    {"", ""},
	    {"virus verdict=clean\n", ""},
	    {"uninspectable part=2 reason=encrypted\n",
		" hold operator why=uninspectable reason=encrypted\n"},
	    {"uninspectable part=2\n", " hold operator why=uninspectable reason=unknown\n"},
	    {"ambiguous part=1 why=bare-cr\n", " hold operator why=ambiguous reason=bare-cr\n"},
	    {"ambiguous part=1\n", " hold operator why=ambiguous reason=unknown\n"},
	    {"virus verdict=found name=Eicar\n", " hold operator why=virus\n"},
	    {"ambiguous part=1 why=nul\nuninspectable part=0 reason=parts\n",
		" hold operator why=uninspectable reason=parts\n"},
	    {"ambiguous part=1 why=nul\nuninspectable part=0 reason=parts\n"
	     "virus verdict=found\n",
		" hold operator why=virus\n"},
	};
	char plan[256];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		(void)snprintf(plan, sizeof plan, "%s approve no\n deliver\n", rows[i].step);
		assert_plan_of(rows[i].facts, "approve deliver", "192.0.2.1 helo=x", plan);
		/* Nobody holds what tells that something has happened. */
		assert_plan_of(rows[i].facts, "approve deliver", "- origin=gateway", " deliver\n");
	}
}

/* I3: one step, one release; and nobody who releases why=foreign-sender releases a virus. */
static void held_by_the_door_and_for_the_facts(void **state)
{
	static const char client[] = "192.0.2.1 hold=foreign-sender auth=x";
	static const char nul[] = "ambiguous part=1 why=nul\n";
	static const char sealed[] =
	    "ambiguous part=1 why=nul\nuninspectable part=2 reason=encrypted\n";
	static const char virus[] = "ambiguous part=1 why=nul\nvirus verdict=found name=x\n";

	(void)state;
	assert_plan_of(nul, "deliver", client,
	    " hold operator why=ambiguous reason=nul door=foreign-sender\n deliver\n");
	assert_plan_of(sealed, "deliver", client,
	    " hold operator why=uninspectable reason=encrypted door=foreign-sender\n deliver\n");
	assert_plan_of(virus, "hold deliver", client,
	    " hold operator why=virus door=foreign-sender\n hold no\n deliver\n");
	assert_plan_of(
	    virus, "deliver", "- hold=a+2", " hold operator why=virus door=unknown\n deliver\n");
}

/* plan-facts asks for an inspection first; without it nobody asks, and nothing is held. */
static void plan_facts_asks_for_facts(void **state)
{
	struct leg_rcpt rcpt = {.address = (char[]){"bob@partner.example"}};
	struct leg leg = {
	    .from = (char[]){"a@b"}, .client = "192.0.2.1", .rcpts = 1, .rcpt = &rcpt};
	struct policy_judgement j;
	struct settings settings;

	(void)state;
	settings_default(&settings);
	assert_int_equal(judge(&settings, &leg, NULL, &j), POLICY_JUDGED);
	policy_judgement_free(&j);
	settings.plan_facts = PLAN_FACTS_YES;
	assert_int_equal(judge(&settings, &leg, NULL, &j), POLICY_NEEDS_FACTS);
	policy_judgement_free(&j);
}

/* S2-35: the setting unknown-senders, whatever rules there are. */
static void unknown_senders(void **state)
{
	struct leg_rcpt rcpt = {.address = (char[]){"bob@partner.example"}};
	struct leg leg = {
	    .from = (char[]){"a@b"}, .client = "192.0.2.1", .rcpts = 1, .rcpt = &rcpt};
	static const char held[] = " hold operator why=unknown-sender\n deliver\n";
	struct settings settings;
	struct policy_case c = {.settings = &settings, .leg = &leg, .unregistered = true};
	struct policy_judgement j;

	(void)state;
	settings_default(&settings);
	settings.unknown_senders = UNKNOWN_HOLD;
	assert_int_equal(policy_judge(&c, &j), POLICY_JUDGED);
	assert_int_equal(j.group[0].plan.len, strlen(held));
	assert_memory_equal(j.group[0].plan.bytes, held, strlen(held));
	policy_judgement_free(&j);

	settings.unknown_senders = UNKNOWN_REFUSE;
	assert_int_equal(policy_judge(&c, &j), POLICY_JUDGED);
	assert_true(j.refusal.refused && j.refusal.tell_sender);
	assert_int_equal(j.groups, 1);
	assert_int_equal(j.group[0].plan.len, 0);
	assert_int_equal(j.decisions, 1);
	policy_judgement_free(&j);

	/* S2-38: watch-only is for everything. */
	settings.watch_only = WATCH_ONLY_YES;
	for (int64_t what = UNKNOWN_RELAY; what <= UNKNOWN_REFUSE; what++) {
		settings.unknown_senders = what;
		assert_int_equal(policy_judge(&c, &j), POLICY_JUDGED);
		assert_false(j.refusal.refused);
		assert_int_equal(j.group[0].plan.len, strlen(" deliver\n"));
		policy_judgement_free(&j);
	}
	settings.watch_only = WATCH_ONLY_NO;

	/* Whoever could not be enrolled waits. */
	settings.unknown_senders = UNKNOWN_ENROL;
	assert_int_equal(policy_judge(&c, &j), POLICY_JUDGED);
	assert_int_equal(j.group[0].plan.len, strlen(held));
	policy_judgement_free(&j);

	settings.unknown_senders = UNKNOWN_REFUSE;
	c.unregistered = false;
	assert_int_equal(policy_judge(&c, &j), POLICY_JUDGED);
	assert_false(j.refusal.refused);
	policy_judgement_free(&j);
	c.unregistered = true;
	settings.unknown_senders = UNKNOWN_RELAY;
	assert_int_equal(policy_judge(&c, &j), POLICY_JUDGED);
	assert_false(j.refusal.refused);
	policy_judgement_free(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(I3_held_for_an_operator),
	    cmocka_unit_test(odd_reasons),
	    cmocka_unit_test(held_for_what_the_facts_say),
	    cmocka_unit_test(held_by_the_door_and_for_the_facts),
	    cmocka_unit_test(the_gateways_own_mail_is_not_judged),
	    cmocka_unit_test(plan_facts_asks_for_facts),
	    cmocka_unit_test(unknown_senders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
