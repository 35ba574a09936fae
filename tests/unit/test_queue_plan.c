/* Plans: their digest binds them to one leg, deliver ends them, unknown words are seen. */
#include "tests/unit/queue_kit.h"

#include "queue/plan.h"

static const char full[] = " approve no\n hold until=2026-11-22T10:35:01.123456Z rule=a/b:1\n"
			   " encrypt keep\n stagger no\n deliver\n";

static void words_and_states(void **state)
{
	static const struct {
		enum plan_word word;
		enum spool_state state;
		const char *closing;
	} expected[] = {
	    {WORD_APPROVE, STATE_APPROVE, "approved"},
	    {WORD_HOLD, STATE_HOLD, "held"},
	    {WORD_ENCRYPT, STATE_ENCRYPT, "sealed"},
	    {WORD_STAGGER, STATE_STAGGER, "staggered"},
	    {WORD_DELIVER, STATE_DELIVER, NULL},
	};
	struct plan plan;

	(void)state;
	assert_true(plan_parse(&plan, full, sizeof full - 1));
	assert_int_equal(plan.steps, COUNT_OF(expected));
	for (size_t i = 0; i < plan.steps; i++) {
		assert_int_equal(plan.step[i].word, expected[i].word);
		assert_false(plan.step[i].closed);
		assert_int_equal(plan_word_state(expected[i].word), expected[i].state);
		assert_ptr_equal(plan_find(&plan, expected[i].word), &plan.step[i]);
		if (expected[i].closing == NULL)
			assert_null(plan_closing(expected[i].word));
		else
			assert_string_equal(plan_closing(expected[i].word), expected[i].closing);
	}
	assert_null(plan_closing(WORD_UNKNOWN));
	assert_null(plan_find(&plan, WORD_UNKNOWN));
}

static void digest_binds_the_leg(void **state)
{
	char mine[PLAN_DIGEST_LEN + 1], other[PLAN_DIGEST_LEN + 1];
	static const struct {
		const char *id, *k, *lines;
	} others[] = {
	    {KIT_OTHER_ID, "1", full},
	    {KIT_ID, "1.1", full},
	    {KIT_ID, "2", full},
	    {KIT_ID, "1", " deliver\n"},
	};
	struct plan plan;

	(void)state;
	plan_digest(KIT_ID, "1", full, sizeof full - 1, mine);
	kit_digest(KIT_ID, "1", full, other);
	assert_string_equal(mine, other); /* as queue/README.md says it is computed */
	assert_true(plan_read(&plan, KIT_ID, "1", full, sizeof full - 1, 5, mine));

	for (size_t i = 0; i < COUNT_OF(others); i++) {
		const char *lines = others[i].lines;

		plan_digest(others[i].id, others[i].k, lines, strlen(lines), other);
		assert_string_not_equal(mine, other);
		assert_false(plan_read(&plan, KIT_ID, "1", full, sizeof full - 1, 5, other));
	}
	assert_false(plan_read(&plan, KIT_ID, "1", full, sizeof full - 1, 4, mine));
	assert_false(plan_read(&plan, KIT_ID, "1", full, sizeof full - 1, 6, mine));
	assert_false(plan_read(&plan, KIT_ID, "1", full, sizeof full - 2, 5, mine));
}

/* Every byte of the lines changed: never the same plan by the same digest. */
static void mutated_lines(void **state)
{
	char mine[PLAN_DIGEST_LEN + 1], lines[sizeof full];
	struct plan plan;

	(void)state;
	plan_digest(KIT_ID, "1", full, sizeof full - 1, mine);
	for (size_t at = 0; at < sizeof full - 1; at++) {
		for (int flip = 1; flip < 256; flip <<= 1) {
			memcpy(lines, full, sizeof full);
			lines[at] = (char)(lines[at] ^ flip);
			assert_false(
			    plan_read(&plan, KIT_ID, "1", lines, sizeof full - 1, 5, mine));
		}
	}
}

static void deliver_is_last_and_only_there(void **state)
{
	static const char *const bad[] = {
	    "",
	    " hold no\n",
	    " deliver",
	    "deliver\n",
	    " deliver\n deliver\n",
	    " deliver\n hold no\n",
	    " hold no\n deliver\n encrypt keep\n",
	    " hold no\n deliver\n deliver\n",
	    " hold no\ndeliver\n",
	    " delivers\n",
	    " Deliver\n",
	    "  deliver\n",
	};
	struct plan plan;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (plan_parse(&plan, bad[i], strlen(bad[i])))
			fail_msg("taken for a plan: \"%s\"", bad[i]);
	}
	assert_true(plan_parse(&plan, " deliver\n", 9));
	assert_true(plan_parse(&plan, " deliver at=once\n", 17));
	assert_int_equal(plan.step[0].word, WORD_DELIVER);
}

static void unknown_words(void **state)
{
	static const char lines[] = " quarantine x\n holdx no\n hol no\n \n deliver\n";
	struct plan plan;

	(void)state;
	assert_true(plan_parse(&plan, lines, sizeof lines - 1));
	assert_int_equal(plan.steps, 5);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(plan.step[i].word, WORD_UNKNOWN);
	assert_ptr_equal(plan_open_step(&plan), &plan.step[0]);
}

static void too_many_steps(void **state)
{
	struct kit_bytes b = {NULL, 0};
	struct plan plan;

	(void)state;
	for (size_t i = 0; i < PLAN_STEPS_MAX - 1; i++)
		kit_text(&b, " hold no\n");
	kit_text(&b, " deliver\n");
	assert_true(plan_parse(&plan, b.at, b.len));
	assert_int_equal(plan.steps, PLAN_STEPS_MAX);
	kit_free(&b);

	for (size_t i = 0; i < PLAN_STEPS_MAX; i++)
		kit_text(&b, " hold no\n");
	kit_text(&b, " deliver\n");
	assert_false(plan_parse(&plan, b.at, b.len));
	kit_free(&b);
}

static void arguments(void **state)
{
	static const char text[] = "hold until=X untilx=Y rule=a/b:1 empty= until=Z";
	struct plan_step step = {.text = text, .len = sizeof text - 1};
	const char *value;
	size_t len = 99;

	(void)state;
	value = plan_argument(&step, "until", &len);
	assert_non_null(value);
	assert_int_equal(len, 1);
	assert_int_equal(*value, 'X'); /* the first counts */
	value = plan_argument(&step, "untilx", &len);
	assert_non_null(value);
	assert_int_equal(*value, 'Y');
	assert_non_null(plan_argument(&step, "empty", &len));
	assert_int_equal(len, 0);
	assert_null(plan_argument(&step, "unti", &len));
	assert_null(plan_argument(&step, "ntil", &len));
	assert_null(plan_argument(&step, "hold", &len));
	step.len = 8; /* "hold unt" */
	assert_null(plan_argument(&step, "until", &len));
	step.len = 0;
	assert_null(plan_argument(&step, "until", &len));
}

static void the_open_step(void **state)
{
	struct plan plan;

	(void)state;
	assert_true(plan_parse(&plan, full, sizeof full - 1));
	for (size_t i = 0; i < plan.steps; i++) {
		assert_ptr_equal(plan_open_step(&plan), &plan.step[i]);
		plan.step[i].closed = true;
	}
	assert_null(plan_open_step(&plan));
	plan.steps = 0;
	assert_null(plan_open_step(&plan));
}

/* What plan_write writes is what a reader written here demands. */
static void written_as_documented(void **state)
{
	struct kit_bytes expected = {NULL, 0};
	struct buf b;

	(void)state;
	kit_plan(&expected, KIT_ID, "1.3", full);
	buf_init(&b, KIT_MAX);
	plan_write(&b, KIT_ID, "1.3", full, sizeof full - 1);
	assert_true(buf_ok(&b));
	assert_int_equal(b.len, expected.len);
	assert_memory_equal(b.bytes, expected.at, b.len);
	buf_free(&b);
	kit_free(&expected);
}

/* Law 4: a word or an argument that is not known is not passed over. */
static void what_a_program_knows(void **state)
{
	static const char *const words[] = {"hold", "operator", NULL};
	static const char *const keys[] = {"until", "rule", NULL};
	static const struct {
		const char *text;
		bool known;
	} steps[] = {{"hold", true}, {"hold operator", true}, {"hold until=X rule=must/1:2", true},
	    {"hold until=X else=discard", false}, {"hold confirmed", false}, {"hold until", false},
	    {"hold unti=X", false}, {"hold operator=1", false}, {"hold  until=X", false},
	    {"hold until=X ", true}, {"hold =X", false}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		struct plan_step step = {.text = steps[i].text, .len = strlen(steps[i].text)};

		if (plan_knows(&step, words, keys) != steps[i].known)
			fail_msg("\"%s\"", steps[i].text);
		assert_true(plan_step_is(&step, steps[i].text));
		step.len--;
		assert_false(plan_step_is(&step, steps[i].text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_and_states),
	    cmocka_unit_test(digest_binds_the_leg),
	    cmocka_unit_test(mutated_lines),
	    cmocka_unit_test(deliver_is_last_and_only_there),
	    cmocka_unit_test(unknown_words),
	    cmocka_unit_test(too_many_steps),
	    cmocka_unit_test(arguments),
	    cmocka_unit_test(the_open_step),
	    cmocka_unit_test(what_a_program_knows),
	    cmocka_unit_test(written_as_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
