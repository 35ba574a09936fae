/* What a leg says of its own refusal (S0-34, S0-35, S1-32), whatever is written there. */
#include "tests/unit/queue_kit.h"

#include "lib/notice/refusal.h"

#define REFUSED KIT_NOW " refused rule=must/20-files:3 name=three-files why=no+20more"

static enum notice_refused read_trailer(const char *trailer, struct notice_refusal *refusal)
{
	struct kit_bytes b = kit_leg((struct kit_leg){.trailer = trailer});
	enum notice_refused result;
	struct leg leg;

	assert_int_equal(kit_read(b.at, b.len, &leg), LEG_FINE);
	kit_free(&b);
	result = notice_refusal_read(&leg, refusal);
	leg_free(&leg); /* nothing of it may be needed any more */
	return result;
}

static void a_refusal(void **state)
{
	struct notice_refusal r;

	(void)state;
	assert_int_equal(
	    read_trailer(REFUSED " tell=sender forward=a@example.co.jp,b@example.co.jp\n", &r),
	    NOTICE_REFUSED);
	assert_string_equal(r.where, "must/20-files:3");
	assert_string_equal(r.name, "three-files");
	assert_string_equal(r.why, "no more");
	assert_int_equal(r.time, kit_time(KIT_NOW));
	assert_true(r.tell);
	assert_false(r.told);
	assert_int_equal(r.forwards, 2);
	assert_string_equal(r.forward[0].to, "a@example.co.jp");
	assert_string_equal(r.forward[1].to, "b@example.co.jp");
	assert_true(notice_refusal_owes(&r));
	notice_refusal_free(&r);
}

/* S0-35, S1-32: each of the combinations, and what is left of each after each record. */
static void S1_32_what_is_owed(void **state)
{
	static const struct {
		const char *trailer;
		bool owes;
	} rows[] = {
	    {REFUSED " tell=nobody\n", false},
	    {REFUSED " tell=sender\n", true},
	    {REFUSED " tell=sender\n" KIT_NOW " told notice=" KIT_OTHER_ID "\n", false},
	    {REFUSED " tell=sender\n" KIT_NOW " told notice=none reason=null-sender\n", false},
	    {REFUSED " tell=nobody forward=a@x.example\n", true},
	    {REFUSED " tell=nobody forward=a@x.example\n" KIT_NOW
		     " forwarded to=a@x.example notice=" KIT_OTHER_ID "\n",
		false},
	    {REFUSED " tell=nobody forward=a@x.example,b@x.example\n" KIT_NOW
		     " forwarded to=a@x.example notice=" KIT_OTHER_ID "\n",
		true},
	    {REFUSED " tell=sender forward=a@x.example\n" KIT_NOW
		     " forwarded to=a@x.example notice=" KIT_OTHER_ID "\n",
		true},
	    {REFUSED " tell=sender forward=a@x.example\n" KIT_NOW " told notice=" KIT_OTHER_ID "\n",
		true},
	    /* Told of an earlier refusal, and then refused anew. */
	    {REFUSED " tell=sender\n" KIT_NOW " told notice=" KIT_OTHER_ID "\n" KIT_NOW
		     " restored by=root\n" REFUSED " tell=sender\n",
		true},
	    /* By a person's hand: no rule asks for anything. */
	    {KIT_NOW " refused\n", false},
	    {KIT_NOW " refused by=root\n", false},
	    /* Words that only look like it. */
	    {REFUSED " tell=sender\n" KIT_NOW " note told=x\n", true},
	    {REFUSED " tell=sender\nplan 1 sha256=0123456789abcdef\n deliver told\n", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct notice_refusal r;

		if (read_trailer(rows[i].trailer, &r) != NOTICE_REFUSED)
			fail_msg("no refusal: %s", rows[i].trailer);
		if (notice_refusal_owes(&r) != rows[i].owes)
			fail_msg("owed: %s", rows[i].trailer);
		notice_refusal_free(&r);
	}
}

static void no_refusal(void **state)
{
	static const char *const none[] = {"", KIT_NOW " note refused\n",
	    REFUSED " tell=sender\n" KIT_NOW " restored by=root\n",
	    REFUSED " tell=sender\n" KIT_NOW " discarded by=root\n",
	    "plan 1 sha256=0123456789abcdef\n refused tell=sender\n"};
	static const char *const odd[] = {REFUSED " tell=everybody\n", REFUSED " tell=\n",
	    REFUSED " tell=SENDER\n", REFUSED " tell=sender forward=\n",
	    REFUSED " tell=sender forward=,\n", REFUSED " tell=sender forward=a@x.example,\n",
	    REFUSED " tell=nobody forward=,a@x.example\n"};
	struct notice_refusal r;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(none); i++) {
		if (read_trailer(none[i], &r) != NOTICE_NOT_REFUSED)
			fail_msg("a refusal: %s", none[i]);
	}
	for (size_t i = 0; i < COUNT_OF(odd); i++) {
		if (read_trailer(odd[i], &r) != NOTICE_REFUSED_ODD)
			fail_msg("understood: %s", odd[i]);
	}
}

static void addresses_with_commas_and_twice(void **state)
{
	struct notice_refusal r;

	(void)state;
	assert_int_equal(read_trailer(REFUSED
			     " tell=nobody forward=+22a,b\\+22,+22@x.example,c@x.example,"
			     "c@x.example,+E7+9B+A3@x.example\n" KIT_NOW
			     " forwarded to=+22a,b\\+22,+22@x.example notice=" KIT_OTHER_ID "\n",
			     &r),
	    NOTICE_REFUSED);
	assert_int_equal(r.forwards, 3);
	assert_string_equal(r.forward[0].to, "\"a,b\\\",\"@x.example");
	assert_true(r.forward[0].done);
	assert_string_equal(r.forward[1].to, "c@x.example");
	assert_false(r.forward[1].done);
	assert_string_equal(r.forward[2].to, "\xe7\x9b\xa3@x.example");
	notice_refusal_free(&r);
}

/* The record of the refusal may leave it to the decision. */
static void the_name_of_the_rule(void **state)
{
	static const char decided[] =
	    KIT_NOW " decided function=hold outcome=no rule=must/9:9 name=other\n" KIT_NOW
		    " decided function=refuse outcome=x rule=must/20-files:3 name=three+20files\n";
	char trailer[1024];
	struct notice_refusal r;

	(void)state;
	(void)snprintf(trailer, sizeof trailer,
	    "%s" KIT_NOW " refused rule=must/20-files:3 why=w tell=sender\n" KIT_NOW
	    " decided function=refuse outcome=x rule=must/20-files:3 name=later\n",
	    decided);
	assert_int_equal(read_trailer(trailer, &r), NOTICE_REFUSED);
	assert_string_equal(r.name, "three files");
	notice_refusal_free(&r);

	(void)snprintf(trailer, sizeof trailer,
	    "%s" KIT_NOW " refused rule=must/2:3 why=w tell=sender\n", decided);
	assert_int_equal(read_trailer(trailer, &r), NOTICE_REFUSED);
	assert_string_equal(r.name, "");
	notice_refusal_free(&r);
	(void)snprintf(trailer, sizeof trailer, "%s" REFUSED " tell=sender\n", decided);
	assert_int_equal(read_trailer(trailer, &r), NOTICE_REFUSED);
	assert_string_equal(r.name, "three-files");
	notice_refusal_free(&r);
}

static void hostile_values(void **state)
{
	struct notice_refusal r;
	struct kit_bytes b = {NULL, 0};

	(void)state;
	assert_int_equal(read_trailer(KIT_NOW " refused rule=a+2 name=+00+FF why=a+0D+0Ab+00c "
					      "tell=sender\n",
			     &r),
	    NOTICE_REFUSED);
	assert_string_equal(r.where, "a+2"); /* no xtext: as it stands */
	assert_string_equal(r.name, "?\xff");
	assert_string_equal(r.why, "a\r\nb?c");
	notice_refusal_free(&r);

	kit_text(&b, REFUSED " tell=nobody forward=");
	for (int i = 0; i < NOTICE_FORWARDS_MAX; i++)
		kit_addf(&b, "%sa%d@x.example", i > 0 ? "," : "", i);
	kit_text(&b, "\n");
	assert_int_equal(read_trailer(b.at, &r), NOTICE_REFUSED);
	assert_int_equal(r.forwards, NOTICE_FORWARDS_MAX);
	notice_refusal_free(&r);
	b.len--;
	kit_text(&b, ",one-more@x.example\n");
	assert_int_equal(read_trailer(b.at, &r), NOTICE_REFUSED_ODD);
	kit_free(&b);

	kit_text(&b, KIT_NOW " refused tell=sender why=");
	for (int i = 0; i < 100000; i++)
		kit_text(&b, "+E3");
	kit_text(&b, "\n");
	assert_int_equal(read_trailer(b.at, &r), NOTICE_REFUSED);
	assert_int_equal(strlen(r.why), 100000);
	notice_refusal_free(&r);
	kit_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_refusal),
	    cmocka_unit_test(S1_32_what_is_owed),
	    cmocka_unit_test(no_refusal),
	    cmocka_unit_test(addresses_with_commas_and_twice),
	    cmocka_unit_test(the_name_of_the_rule),
	    cmocka_unit_test(hostile_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
