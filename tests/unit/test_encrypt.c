/* What seki-encrypt makes of a plan's steps and of a leg's records. */
#include "tests/unit/queue_kit.h"

#include <time.h>

#include "lib/encrypt/steps.h"
#include "lib/seal/client.h"

#define LINES                                                                                      \
	" approve by=boss:boss@example.co.jp\n encrypt insert=history rule=must/10:1\n deliver\n"

static struct step read_text(const char *text)
{
	struct plan_step line = {.word = WORD_ENCRYPT, .text = text, .len = strlen(text)};

	return step_read(&line);
}

static void S1_26b_steps_are_read_strictly(void **state)
{
	static const struct {
		const char *text;
		enum step_word word;
		const char *name;
	} table[] = {
	    {"encrypt keep", STEP_KEEP, NULL},
	    {"encrypt insert=top text=caution rule=must/10-x:3", STEP_TOP, "caution"},
	    {"encrypt insert=end text=A-1_b", STEP_END, "A-1_b"},
	    {"encrypt insert=history rule=must/10-x:3", STEP_HISTORY, NULL},
	    {"encrypt insert=history text=x", STEP_OTHER, NULL},
	    {"encrypt insert=middle text=x", STEP_OTHER, NULL},
	    {"encrypt insert=top", STEP_OTHER, NULL},
	    {"encrypt insert=top text=", STEP_OTHER, NULL},
	    {"encrypt insert=top text=../settings", STEP_OTHER, NULL},
	    {"encrypt insert=top text=a+2Fb", STEP_OTHER, NULL},
	    {"encrypt insert=top text=x unless=y", STEP_OTHER, NULL},
	    {"encrypt insert=top text=x zip", STEP_OTHER, NULL},
	    {"encrypt keep zip", STEP_OTHER, NULL},
	    {"encrypt zip", STEP_OTHER, NULL},
	    {"encrypt", STEP_OTHER, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct step step = read_text(table[i].text);

		if (step.word != table[i].word)
			fail_msg("%s: %d", table[i].text, (int)step.word);
		if (table[i].name != NULL) {
			assert_int_equal(step.text_len, strlen(table[i].name));
			assert_memory_equal(step.text, table[i].name, step.text_len);
		}
	}
}

/* A leg with these records behind its plan; %s in them is the plan's digest. */
static void make_leg(struct leg *leg, const char *records)
{
	struct kit_bytes trailer = {NULL, 0}, b;
	char digest[17];

	kit_digest(KIT_ID, "1", LINES, digest);
	kit_plan(&trailer, KIT_ID, "1", LINES);
	for (const char *at = records; *at != '\0'; at++) {
		if (*at == '%')
			kit_text(&trailer, digest);
		else
			kit_add(&trailer, at, 1);
	}
	b = kit_leg((struct kit_leg){.trailer = trailer.at});
	assert_int_equal(kit_read(b.at, b.len, leg), LEG_FINE);
	kit_free(&trailer);
	kit_free(&b);
}

static void assert_history(const char *records, const char *wanted)
{
	struct leg leg;
	struct buf text;

	make_leg(&leg, records);
	buf_init(&text, 65536);
	assert_true(step_write_history(&leg, &text));
	buf_add(&text, "", 1);
	if (wanted == NULL) {
		assert_string_equal(text.bytes, "");
	} else {
		const char *behind = strstr(text.bytes, "sent:\n\n");

		assert_non_null(behind);
		assert_string_equal(behind + 7, wanted);
	}
	buf_free(&text);
	leg_free(&leg);
}

#define AT   "2026-11-22T09:40:00.000000Z "
#define THEN "2026-11-22 18:40 (UTC+09:00)  "

static void S1_26b_history_tells_who_said_yes_and_nothing_else(void **state)
{
	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	assert_history("", NULL);
	assert_history(AT "held plan=% ended=due\n" AT "approved plan=% ended=nobody\n" AT
			  "vote plan=% step=1 say=no by=x@example.co.jp via=web\n" AT
			  "vote plan=0123456789abcdef step=1 say=yes by=x@example.co.jp via=web\n",
	    NULL);
	assert_history(AT "vote plan=% content=0 step=1 say=yes by=boss@example.co.jp via=web "
			  "comment=secret\n" AT
			  "approved plan=% ended=votes by=boss@example.co.jp\n",
	    THEN "承認 / Approved: boss@example.co.jp\n");
	assert_history(AT
	    "vote plan=% step=1 say=yes by=d@example.co.jp for=boss@example.co.jp via=web\n",
	    THEN "承認 / Approved: d@example.co.jp(代理 / for: boss@example.co.jp)\n");
	assert_history(AT "held plan=% ended=confirmed by=alice@example.co.jp via=web\n" AT
			  "approved plan=% ended=operator by=root via=shell reason=secret\n" AT
			  "held plan=% ended=checked by=a+0Ab@example.co.jp\n",
	    THEN "送信前の確認 / Confirmed: alice@example.co.jp\n" THEN
		 "承認 / Approved: 運用管理者 / the operator\n" THEN
		 "項目ごとの確認 / Checked item by item: a?b@example.co.jp\n");
}

static void S1_26b_same_text_is_put_in_once(void **state)
{
	struct step end = read_text("encrypt insert=end text=x"),
		    top = read_text("encrypt insert=top text=x"),
		    history = read_text("encrypt insert=history");
	struct leg leg;

	(void)state;
	make_leg(&leg, AT "sealed plan=0123456789abcdef insert=end text=x inserted=yes\n" AT
			  "sealed plan=0123456789abcdef insert=top text=x inserted=nothing\n" AT
			  "sealed plan=0123456789abcdef insert=history inserted=wrapped\n");
	assert_true(step_is_inserted(&leg, &end));
	assert_false(step_is_inserted(&leg, &top));
	assert_true(step_is_inserted(&leg, &history));
	end = read_text("encrypt insert=end text=xy");
	assert_false(step_is_inserted(&leg, &end));
	leg_free(&leg);
}

static void texts_of_etc_are_bounded_and_are_text(void **state)
{
	struct step step = read_text("encrypt insert=end text=x");
	static char large[STEP_ETC_TEXT_MAX + 1];
	char root[256];
	struct buf text;
	bool later;
	int etc;

	(void)state;
	kit_enter(root);
	assert_int_equal(mkdir("texts", 0755), 0);
	etc = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	buf_init(&text, 4 * STEP_ETC_TEXT_MAX);
	assert_non_null(step_read_text(etc, &step, &text, &later));
	assert_false(later);
	kit_write("texts/x", "確認\n", 7);
	assert_null(step_read_text(etc, &step, &text, &later));
	assert_int_equal(text.len, 7);
	kit_write("texts/x", "a\xff", 2);
	assert_non_null(step_read_text(etc, &step, &text, &later));
	kit_write("texts/x", "a\0b", 3);
	assert_non_null(step_read_text(etc, &step, &text, &later));
	memset(large, 'x', sizeof large);
	buf_clear(&text);
	kit_write("texts/x", large, sizeof large - 1);
	assert_null(step_read_text(etc, &step, &text, &later));
	kit_write("texts/x", large, sizeof large);
	assert_non_null(step_read_text(etc, &step, &text, &later));
	assert_false(later);
	buf_free(&text);
	(void)close(etc);
	kit_leave(root);
}

/* What seki-seal says is of strangers' bytes: it is read strictly. */
static void N12_answers_are_read_strictly(void **state)
{
	static const char *const wrong[] = {"", "done", "done 1", "done x removed=1 inserted=yes",
	    "done 1 removed=1 inserted=maybe", "done 1 removed=-1 inserted=yes",
	    "done 1 removed=1 inserted=yes ", "done 99999999999999999999999 removed=1 inserted=no",
	    "no", "no ", "no A", "no a b", "later a\n",
	    "no aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "yes 1"};
	struct seal_result r;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		if (seal_answer_read(wrong[i], &r))
			fail_msg("%s", wrong[i]);
	}
	assert_true(seal_answer_read("done 12 removed=3 inserted=wrapped", &r));
	assert_int_equal(r.end, SEAL_DONE);
	assert_int_equal(r.size, 12);
	assert_int_equal(r.removed, 3);
	assert_int_equal(r.inserted, SEAL_INSERTED_WRAPPED);
	assert_true(seal_answer_read("no header-too-long", &r));
	assert_int_equal(r.end, SEAL_NO);
	assert_string_equal(r.why, "header-too-long");
	assert_true(seal_answer_read("later space", &r));
	assert_int_equal(r.end, SEAL_LATER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(S1_26b_steps_are_read_strictly),
	    cmocka_unit_test(S1_26b_history_tells_who_said_yes_and_nothing_else),
	    cmocka_unit_test(S1_26b_same_text_is_put_in_once),
	    cmocka_unit_test(texts_of_etc_are_bounded_and_are_text),
	    cmocka_unit_test(N12_answers_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
