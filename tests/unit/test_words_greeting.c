#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/mail_kit.h"

static const struct norm_tables *tables;
static struct partners *partners;

static int prepare(void **state)
{
	struct conf_fault fault;
	FILE *file = fopen("tests/corpus/partners", "r");
	char text[8192];
	size_t len;

	(void)state;
	tables = norm_prepare();
	assert_non_null(tables);
	assert_non_null(file);
	len = fread(text, 1, sizeof text, file);
	fclose(file);
	partners = partners_parse(text, len, "tests/corpus/partners", tables, &fault);
	if (partners == NULL)
		print_error("line %u: %s\n", fault.line, fault.text);
	assert_non_null(partners);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	partners_free(partners);
	return 0;
}

/* What was read: "company|company / person+honorific|person+honorific / word". */
static const char *seen(const char *text)
{
	static char said[1024];
	static const char *const words[] = {"none", "given", "missing"};
	struct greeting g;
	struct buf normal;
	size_t used = 0;

	buf_init(&normal, 1 << 20);
	assert_true(norm_text(tables, text, strlen(text), &normal));
	greeting_read(tables, normal.bytes, normal.len, &g);
	buf_free(&normal);
	said[0] = '\0';
	for (size_t i = 0; i < g.companies; i++)
		used += (size_t)snprintf(said + used, sizeof said - used, "%s%s%s%s",
		    i > 0 ? "|" : "", g.company[i].text, g.company[i].honorific[0] ? "+" : "",
		    g.company[i].honorific);
	used += (size_t)snprintf(said + used, sizeof said - used, " / ");
	for (size_t i = 0; i < g.persons; i++)
		used += (size_t)snprintf(said + used, sizeof said - used, "%s%s%s%s",
		    i > 0 ? "|" : "", g.person[i].text, g.person[i].honorific[0] ? "+" : "",
		    g.person[i].honorific);
	(void)snprintf(said + used, sizeof said - used, " / %s%s", words[g.honorific],
	    g.everyone ? " everyone" : "");
	return said;
}

/* S3-04: the company, the person and the honorific in the first lines. */
static void test_reads_the_head(void **state)
{
	static const char *const samples[][2] = {
	    {"株式会社アルファ\n営業部 佐藤花子様\n\nお世話になっております。",
		"株式会社アルファ / 佐藤花子+様 / given"},
	    {"アルファ商事㈱営業部長 佐藤様\n", "アルファ商事(株) / 佐藤+様 / given"},
	    {"佐藤 花子 様", " / 佐藤花子+様 / given"},
	    {"佐藤さん、お疲れさまです。", " / 佐藤+さん / given"},
	    {"佐藤部長 お疲れ様です", " / 佐藤+部長 / given"},
	    {"お疲れ様です。佐藤です。", " /  / none"},
	    {"営業部服部様", " / 服部+様 / given"},
	    {"服部様", " / 服部+様 / given"},
	    {"各位\n", " /  / none everyone"},
	    {"アルファ商事株式会社 御中", "アルファ商事株式会社+御中 /  / none"},
	    {"株式会社アルファ 田中\n\nお世話になります。", "株式会社アルファ / 田中 / missing"},
	    {"アルファの田中です。お世話になります。", " /  / none"},
	    {"Dear Mr. Sato and Ms. Tanaka,\n\nHello.", " / Sato+Mr|Tanaka+Ms / given"},
	    {"Hi all,\n", " /  / none everyone"},
	    {"Tanaka-san,\n", " / Tanaka+san / given"},
	    {"Alpha Trading Co., Ltd.\n佐藤様\n", "Alpha Trading Co., Ltd. / 佐藤+様 / given"},
	    {"吉田様、松田様\n", " / 吉田+様|松田+様 / given"},
	    {"吉田様、松田\n", " / 吉田+様|松田 / missing"},
	    {"柴田、お疲れさまです。", " / 柴田 / missing"},
	    {"柴田、今井の2名で伺います。", " /  / none"},
	    {"本日、佐藤様と打ち合わせました。", " /  / none"},
	    {"営業部阿部\n\nお世話になります。", " / 阿部 / missing"},
	    {"みなと銀行浜松町支店\n柴田様\n", "みなと銀行 / 柴田+様 / given"},
	    {"", " /  / none"},
	    {"\n\n \n", " /  / none"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(samples); i++)
		assert_string_equal(seen(samples[i][0]), samples[i][1]);
}

static enum greeting_verdict verdict(const char *text, const char *address, const char *name)
{
	struct greeting_recipient r = {.address = address, .name = name};
	struct greeting g;
	struct buf normal;

	buf_init(&normal, 1 << 20);
	assert_true(norm_text(tables, text, strlen(text), &normal));
	greeting_read(tables, normal.bytes, normal.len, &g);
	buf_free(&normal);
	return greeting_compare(&g, &r, 1, partners, NULL, tables);
}

/* N10: the recipients' names, in whatever script they are written. */
static void test_compares_names(void **state)
{
	static const struct {
		const char *text;
		const char *address;
		const char *name;
		enum greeting_verdict verdict;
	} samples[] = {
	    {"佐藤様", "x@y.example", "佐藤花子", GREETING_FITS},
	    {"佐藤花子様", "x@y.example", "佐藤", GREETING_FITS},
	    {"佐藤花子様", "x@y.example", "佐藤 太郎", GREETING_OTHER},
	    {"斉藤様", "x@y.example", "齋藤 一", GREETING_FITS},
	    {"高橋様", "x@y.example", "髙橋 一", GREETING_FITS},
	    {"林様", "x@y.example", "小林 健", GREETING_OTHER},
	    {"佐藤様", "x@y.example", "Hanako Sato", GREETING_FITS},
	    {"佐藤様", "x@y.example", "Taro Tanaka", GREETING_OTHER},
	    {"佐藤様", "x@y.example", "営業部", GREETING_UNKNOWN},
	    {"佐藤様", "x@y.example", "アルファ商事 佐藤様", GREETING_FITS},
	    {"佐藤様", "sato@y.example", "", GREETING_FITS},
	    {"佐藤様", "hanako.satoh@y.example", "", GREETING_FITS},
	    {"佐藤様", "hsato@y.example", "", GREETING_FITS},
	    {"佐藤様", "tanaka@y.example", "", GREETING_OTHER},
	    {"佐藤様", "info@y.example", "", GREETING_UNKNOWN},
	    {"佐藤様", "tnk@y.example", "", GREETING_UNKNOWN},
	    {"伊藤様", "itou@y.example", "", GREETING_FITS},
	    {"大野様", "ohno@y.example", "", GREETING_FITS},
	    {"Dear Mr. Sato,", "x@y.example", "佐藤花子", GREETING_FITS},
	    {"Dear Mr. Sato,", "x@y.example", "田中花子", GREETING_OTHER},
	    {"アルファ様", "x@alpha.example", "", GREETING_FITS},
	    {"アルファ様", "x@gamma-denki.example", "", GREETING_OTHER},
	    {"株式会社アルファ 御中", "x@sub.alpha-group.example", "", GREETING_FITS},
	    {"ガンマ電機 御中", "x@alpha.example", "", GREETING_OTHER},
	    {"各位", "x@y.example", "", GREETING_NONE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		enum greeting_verdict said =
		    verdict(samples[i].text, samples[i].address, samples[i].name);

		if (said != samples[i].verdict)
			print_error("%s to %s <%s>: %s\n", samples[i].text, samples[i].name,
			    samples[i].address, greeting_verdict_word(said));
		assert_int_equal(said, samples[i].verdict);
	}
}

static bool reads(void *context, const char *name, size_t len, char *reading, size_t room)
{
	(void)context;
	if (strncmp(name, "四十物", len) != 0)
		return false;
	return (size_t)snprintf(reading, room, "アイモノ") < room;
}

/* A name in no list of ours is read by a dictionary. */
static void test_a_dictionary_reads(void **state)
{
	struct greeting_reader reader = {.reading = reads};
	struct greeting_recipient r = {.address = "aimono@y.example", .name = ""};
	struct greeting g;

	(void)state;
	greeting_read(tables, "四十物様", strlen("四十物様"), &g);
	assert_int_equal(greeting_compare(&g, &r, 1, NULL, NULL, tables), GREETING_UNKNOWN);
	assert_int_equal(greeting_compare(&g, &r, 1, NULL, &reader, tables), GREETING_FITS);
}

/* Who stands in a field and in the envelope is one recipient; hidden ones count. */
static void test_all_recipients(void **state)
{
	struct greeting_recipient r[] = {{.address = "x@y.example", .name = "田中太郎"},
	    {.address = "x@y.example", .name = ""}, {.address = "z@y.example", .name = "佐藤"}};
	struct greeting g;

	(void)state;
	greeting_read(tables, "佐藤様", strlen("佐藤様"), &g);
	assert_int_equal(greeting_compare(&g, r, 1, NULL, NULL, tables), GREETING_OTHER);
	assert_int_equal(greeting_compare(&g, r, 2, NULL, NULL, tables), GREETING_OTHER);
	assert_int_equal(greeting_compare(&g, r, 3, NULL, NULL, tables), GREETING_FITS);
	assert_int_equal(greeting_compare(&g, r, 0, NULL, NULL, tables), GREETING_UNKNOWN);
}

/* The head is collected up to its bound, in whole letters. */
static void test_the_head_is_bounded(void **state)
{
	struct greeting_head head = {.len = 0};

	(void)state;
	assert_true(greeting_take(&head, "aa", 2));
	for (size_t i = 0; i < 681; i++)
		assert_true(greeting_take(&head, "あ", 3));
	assert_false(greeting_take(&head, "aaああ", 8));
	assert_int_equal(head.len, GREETING_HEAD_MAX - 1);
}

/* ---- labelled mails ---- */

struct score {
	size_t mails;
	size_t right;
	size_t found; /* of the verdict that warns */
	size_t labels;
	size_t both;
};

static void count(
    struct score *s, const char *path, const char *label, const char *said, const char *warns)
{
	if (label[0] == '\0')
		return;
	s->mails++;
	s->right += strcmp(label, said) == 0;
	s->found += strcmp(said, warns) == 0;
	s->labels += strcmp(label, warns) == 0;
	s->both += strcmp(said, warns) == 0 && strcmp(label, warns) == 0;
	if (strcmp(label, said) != 0)
		print_message("%s: %s, but %s\n", path, label, said);
}

struct scores {
	struct score greeting;
	struct score honorific;
};

static void judge(void *context, const char *path, struct mail *m)
{
	static const char *const words[] = {"none", "given", "missing"};
	struct scores *s = context;
	struct greeting g;

	greeting_read(tables, m->body.bytes, m->body.len, &g);
	count(&s->greeting, path, m->greeting,
	    greeting_verdict_word(
		greeting_compare(&g, m->recipient, m->recipients, partners, NULL, tables)),
	    "other");
	count(&s->honorific, path, m->honorific, words[g.honorific], "missing");
}

static void check(const struct score *s, const char *what)
{
	print_message("%s: %zu of %zu right; %zu warnings, %zu due, %zu of them given\n", what,
	    s->right, s->mails, s->found, s->labels, s->both);
	assert_true(s->mails >= 30);
	assert_true(s->both * 100 >= s->labels * 90); /* recall */
	assert_true(s->both * 100 >= s->found * 95);  /* precision */
	assert_true(s->right * 100 >= s->mails * 90);
}

/* S3-04, N10 on the labelled mails. */
static void test_labelled_mails(void **state)
{
	struct scores s = {.greeting = {0}};

	(void)state;
	assert_int_equal(mail_each("tests/corpus/greeting", tables, judge, &s), 30);
	assert_int_equal(mail_each("tests/corpus/honorific", tables, judge, &s), 30);
	check(&s.greeting, "greeting");
	check(&s.honorific, "honorific");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reads_the_head),
	    cmocka_unit_test(test_compares_names),
	    cmocka_unit_test(test_a_dictionary_reads),
	    cmocka_unit_test(test_all_recipients),
	    cmocka_unit_test(test_the_head_is_bounded),
	    cmocka_unit_test(test_labelled_mails),
	};

	return cmocka_run_group_tests(tests, prepare, finish);
}
