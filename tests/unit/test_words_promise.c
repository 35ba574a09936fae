#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/words/promise.h"
#include "tests/unit/mail_kit.h"

static const struct norm_tables *tables;

static int prepare(void **state)
{
	(void)state;
	tables = norm_prepare();
	return tables == NULL;
}

static bool promises(const char *text, struct promise *p)
{
	promise_open(p);
	(void)promise_take(p, text, strlen(text));
	promise_end(p);
	return p->found;
}

/* S3-03: what says that something comes with the mail, and what does not. */
static void test_sentences(void **state)
{
	static const char *const yes[] = {"見積書を添付いたします。", "添付の通りです",
	    "添付ファイルをご覧ください", "資料を添\n付しました。", "別紙をご参照ください。",
	    "請求書をお送りいたします。", "Please find attached the file.", "I have attached it.",
	    "PLEASE SEE ATTACHED.", "開かないでください。\n\n資料を添付します。"};
	static const char *const no[] = {"添付ファイルは開かないでください。",
	    "先日お送りした資料の件です。", "資料を添付していただけますか。",
	    "添付漏れがありました。", "It came without attachment.", "サンプルをお送りします。",
	    "見積書は来週お送りします。", "", "。", "\n\n"};
	struct promise p;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(yes); i++)
		if (!promises(yes[i], &p))
			fail_msg("none: %s", yes[i]);
	for (size_t i = 0; i < COUNT_OF(no); i++)
		if (promises(no[i], &p))
			fail_msg("one: %s", no[i]);
}

static void test_tells_the_sentence(void **state)
{
	struct promise p;

	(void)state;
	assert_true(promises("佐藤様\n\nお世話になります。見積書を\n添付します。失礼します。", &p));
	assert_string_equal(p.sentence, "見積書を添付します。");
	assert_false(promise_take(&p, "x", 1));
}

/* The pieces in which a text comes do not matter; nor does its length. */
static void test_pieces_and_length(void **state)
{
	static const char text[] = "見積書を\n添付します。";
	struct promise p;

	(void)state;
	for (size_t cut = 0; cut < sizeof text; cut++) {
		if (((unsigned char)text[cut] & 0xc0) == 0x80)
			continue;
		promise_open(&p);
		(void)promise_take(&p, text, cut);
		(void)promise_take(&p, text + cut, sizeof text - 1 - cut);
		promise_end(&p);
		assert_true(p.found);
	}
	promise_open(&p);
	for (size_t i = 0; i < 100000; i++)
		assert_true(promise_take(&p, "あ", 3));
	(void)promise_take(&p, "資料を添付します", strlen("資料を添付します"));
	promise_end(&p);
	assert_true(p.found);
}

struct score {
	size_t mails;
	size_t found;
	size_t labels;
	size_t both;
};

static void judge(void *context, const char *path, struct mail *m)
{
	struct score *s = context;
	struct promise p;
	bool label = strcmp(m->promise, "yes") == 0;

	promise_open(&p);
	(void)promise_take(&p, m->body.bytes, m->body.len);
	promise_end(&p);
	s->mails++;
	s->found += p.found;
	s->labels += label;
	s->both += p.found && label;
	if (p.found != label)
		print_message("%s: %s, but %s\n", path, m->promise, p.found ? p.sentence : "none");
}

/* S3-03, S2-16 on the labelled mails. */
static void test_labelled_mails(void **state)
{
	struct score s = {0};

	(void)state;
	assert_int_equal(mail_each("tests/corpus/promise", tables, judge, &s), 30);
	print_message("promise: %zu found, %zu due, %zu both\n", s.found, s.labels, s.both);
	assert_true(s.both * 100 >= s.labels * 90);
	assert_true(s.both * 100 >= s.found * 90);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sentences),
	    cmocka_unit_test(test_tells_the_sentence),
	    cmocka_unit_test(test_pieces_and_length),
	    cmocka_unit_test(test_labelled_mails),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
