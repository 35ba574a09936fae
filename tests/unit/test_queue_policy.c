/* The fixed plan: what the settings ask for, and before it what the door asks for. */
#include "tests/unit/queue_kit.h"

#include "lib/policy/policy.h"

static const struct policy_facts none;

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
		assert_true(policy_judge(&settings, &leg, &none, kit_time(KIT_NOW), &j));
		assert_int_equal(j.groups, 1);
		assert_int_equal(j.group[0].rcpts, 3);
		assert_int_equal(j.group[0].plan.len, strlen(" deliver\n"));
		assert_memory_equal(j.group[0].plan.bytes, " deliver\n", strlen(" deliver\n"));
		policy_judgement_free(&j);
	}

	settings.plan_divide = PLAN_DIVIDE_RECIPIENT;
	leg.client = "192.0.2.1 helo=gateway origin=gatewa";
	assert_true(policy_judge(&settings, &leg, &none, kit_time(KIT_NOW), &j));
	assert_int_equal(j.groups, 3);
	policy_judgement_free(&j);
}

static void assert_plan_of(
    const struct policy_facts *facts, const char *states, const char *client, const char *expected)
{
	struct leg_rcpt rcpt = {.address = (char[]){"bob@partner.example"}};
	struct leg leg = {.from = (char[]){"a@b"}, .client = client, .rcpts = 1, .rcpt = &rcpt};
	struct policy_judgement j;
	struct settings settings;
	struct plan plan;

	settings_default(&settings);
	(void)snprintf(settings.plan_states, sizeof settings.plan_states, "%s", states);
	assert_true(policy_judge(&settings, &leg, facts, kit_time(KIT_NOW), &j));
	assert_int_equal(j.groups, 1);
	assert_int_equal(j.group[0].plan.len, strlen(expected));
	assert_memory_equal(j.group[0].plan.bytes, expected, strlen(expected));
	assert_true(plan_parse(&plan, j.group[0].plan.bytes, j.group[0].plan.len));
	policy_judgement_free(&j);
}

static void assert_plan(const char *states, const char *client, const char *expected)
{
	assert_plan_of(&none, states, client, expected);
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
		struct policy_facts facts;
		const char *step;
	} rows[] = {
	    {{.known = true}, ""},
	    {{.known = true, .uninspectable = true, .reason = "encrypted"},
		" hold operator why=uninspectable reason=encrypted\n"},
	    {{.known = true, .uninspectable = true},
		" hold operator why=uninspectable reason=unknown\n"},
	    {{.known = true, .ambiguous = true, .ambiguity = "bare-cr"},
		" hold operator why=ambiguous reason=bare-cr\n"},
	    {{.known = true, .ambiguous = true}, " hold operator why=ambiguous reason=unknown\n"},
	    {{.known = true, .virus = true}, " hold operator why=virus\n"},
	    {{.known = true,
		 .uninspectable = true,
		 .reason = "parts",
		 .ambiguous = true,
		 .ambiguity = "nul"},
		" hold operator why=uninspectable reason=parts\n"},
	    {{.known = true,
		 .virus = true,
		 .uninspectable = true,
		 .reason = "parts",
		 .ambiguous = true,
		 .ambiguity = "nul"},
		" hold operator why=virus\n"},
	};
	char plan[256];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		(void)snprintf(plan, sizeof plan, "%s approve no\n deliver\n", rows[i].step);
		assert_plan_of(&rows[i].facts, "approve deliver", "192.0.2.1 helo=x", plan);
		/* Nobody holds what tells that something has happened. */
		assert_plan_of(&rows[i].facts, "approve deliver", "- origin=gateway", " deliver\n");
	}
}

/* I3: one step, one release; and nobody who releases why=foreign-sender releases a virus. */
static void held_by_the_door_and_for_the_facts(void **state)
{
	static const char client[] = "192.0.2.1 hold=foreign-sender auth=x";
	struct policy_facts facts = {.known = true, .ambiguous = true, .ambiguity = "nul"};

	(void)state;
	assert_plan_of(&facts, "deliver", client,
	    " hold operator why=ambiguous reason=nul door=foreign-sender\n deliver\n");
	facts.uninspectable = true;
	(void)stpcpy(facts.reason, "encrypted");
	assert_plan_of(&facts, "deliver", client,
	    " hold operator why=uninspectable reason=encrypted door=foreign-sender\n deliver\n");
	facts.virus = true;
	assert_plan_of(&facts, "hold deliver", client,
	    " hold operator why=virus door=foreign-sender\n hold no\n deliver\n");
	assert_plan_of(
	    &facts, "deliver", "- hold=a+2", " hold operator why=virus door=unknown\n deliver\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(I3_held_for_an_operator),
	    cmocka_unit_test(odd_reasons),
	    cmocka_unit_test(held_for_what_the_facts_say),
	    cmocka_unit_test(held_by_the_door_and_for_the_facts),
	    cmocka_unit_test(the_gateways_own_mail_is_not_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
