#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/words/partners.h"

static const struct norm_tables *tables;

static const char list[] =
    "# partners\n"
    "alpha.example alpha-group.example | 株式会社アルファ商事 | アルファ | Alpha "
    "Trading Co., Ltd.\n"
    "beta.example|ベータ製作所\n"
    "gamma.example | ガンマ電機㈱\n"
    "ito.example | 有限会社伊藤\n"
    "sub.alpha.example | アルファ物流\n"
    "ab.example | AB\n"
    "xn--r8jz45g.example | 例え | ガンマ電機\n"
    "hikari.example | ひかり電器\n";

static int prepare(void **state)
{
	(void)state;
	tables = norm_prepare();
	return tables == NULL;
}

static struct partners *parse(const char *text)
{
	struct conf_fault fault;
	struct partners *p = partners_parse(text, strlen(text), "etc/partners", tables, &fault);

	if (p == NULL)
		print_error("%u:%u: %s\n", fault.line, fault.column, fault.text);
	assert_non_null(p);
	return p;
}

struct seen {
	const struct partners *p;
	const char *text;
	char said[1024];
	size_t used;
};

static bool see(void *context, size_t partner, size_t at, size_t len)
{
	struct seen *s = context;

	s->used += (size_t)snprintf(s->said + s->used, sizeof s->said - s->used, "%s=%.*s;",
	    partner_domain(s->p, partner), (int)len, s->text + at);
	return true;
}

static void check(const struct partners *p, const char *text, const char *said)
{
	struct seen s = {.p = p};
	struct buf normal;

	buf_init(&normal, 4096);
	assert_true(norm_text(tables, text, strlen(text), &normal));
	s.text = normal.bytes;
	partners_find(p, normal.bytes, normal.len, see, &s);
	if (strcmp(s.said, said) != 0)
		print_error("of: %s\n", text);
	assert_string_equal(s.said, said);
	buf_free(&normal);
}

/* S1-12c: the company is found however it is written. */
static void test_found(void **state)
{
	static const char *const samples[][2] = {
	    {"アルファ商事株式会社", "alpha.example=アルファ商事株式会社;"},
	    {"株式会社アルファ商事", "alpha.example=株式会社アルファ商事;"},
	    {"㈱アルファ商事", "alpha.example=(株)アルファ商事;"},
	    {"アルファ商事（株）", "alpha.example=アルファ商事(株);"},
	    {"ｱﾙﾌｧ商事", "alpha.example=アルファ商事;"},
	    {"アルファの田中", "alpha.example=アルファ;"},
	    {"アルファ様", "alpha.example=アルファ;"},
	    {"アルファ営業部", "alpha.example=アルファ;"},
	    {"alpha trading", "alpha.example=alpha trading;"},
	    {"ALPHA TRADING CO.,LTD.", "alpha.example=ALPHA TRADING CO.,LTD.;"},
	    {"アルファ\n商事と", "alpha.example=アルファ\n商事;"},
	    {"ベータ製作所、アルファ", "beta.example=ベータ製作所;alpha.example=アルファ;"},
	    {"アルファ物流", "sub.alpha.example=アルファ物流;"},
	    {"ガンマ電機", "gamma.example=ガンマ電機;xn--r8jz45g.example=ガンマ電機;"},
	    {"(有)伊藤", "ito.example=(有)伊藤;"},
	    {"AB社", "ab.example=AB;"},
	    {"AB Inc.", "ab.example=AB Inc.;"},
	    {"ヒカリ電器", "hikari.example=ヒカリ電器;"},
	};
	struct partners *p = parse(list);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(samples); i++)
		check(p, samples[i][0], samples[i][1]);
	partners_free(p);
}

/* S1-12c: words and other companies are none. */
static void test_not_found(void **state)
{
	static const char *const samples[] = {"アルファベット", "東京アルファ商事",
	    "アルファ商事リース", "アルファ工業株式会社", "株式会社アルファ工業", "新アルファ",
	    "伊藤様", "伊藤", "AB型", "ABC", "tab", "x@alpha.example", "info@alpha-trading.example",
	    "Alpha Tradings", "株式会社", "アル ファベット", ""};
	struct partners *p = parse(list);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(samples); i++)
		check(p, samples[i], "");
	partners_free(p);
}

static size_t of_domain(const struct partners *p, const char *domain)
{
	size_t partner = partners_of_domain(p, domain);

	return partner == PARTNER_NONE ? 99 : partner;
}

static void test_domains(void **state)
{
	struct partners *p = parse(list);

	(void)state;
	assert_int_equal(partners_count(p), 8);
	assert_int_equal(of_domain(p, "alpha.example"), 0);
	assert_int_equal(of_domain(p, "Mail.ALPHA-group.example."), 0);
	assert_int_equal(of_domain(p, "x.sub.alpha.example"), 4);
	assert_int_equal(of_domain(p, "例え.example"), 6);
	assert_int_equal(of_domain(p, "notalpha.example"), 99);
	assert_int_equal(of_domain(p, "example"), 99);
	assert_int_equal(of_domain(p, ""), 99);
	assert_int_equal(of_domain(p, "[192.0.2.1]"), 99);
	assert_string_equal(partner_name(p, 0), "株式会社アルファ商事");
	assert_string_equal(partner_domain(p, 0), "alpha.example");
	partners_free(p);
}

static void test_names(void **state)
{
	struct partners *p = parse(list);
	size_t partners[2];

	(void)state;
	assert_int_equal(
	    partners_of_name(p, "ガンマ電機(株)", strlen("ガンマ電機(株)"), partners, 2), 2);
	assert_int_equal(partners[0], 2);
	assert_int_equal(partners[1], 6);
	assert_int_equal(partners_of_name(p, "伊藤", strlen("伊藤"), partners, 2), 1);
	assert_int_equal(partners_of_name(p, "株式会社", strlen("株式会社"), partners, 2), 0);
	partners_free(p);
}

static void test_faults(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *told;
	} samples[] = {
	    {"alpha.example アルファ\n", 1, "name is missing"},
	    {"\nアル_ファ! | アルファ\n", 2, "a domain was expected"},
	    {"| アルファ\n", 1, "before the first |"},
	    {"alpha.example |\n", 1, "name was expected"},
	    {"alpha.example | アルファ | \n", 1, "name was expected"},
	    {"alpha.example | 株式会社\n", 1, "this is no name"},
	    {"a.example | A\nb.example A.example | B\n", 2, "stands in line 1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		struct conf_fault fault;

		assert_null(partners_parse(
		    samples[i].text, strlen(samples[i].text), "etc/partners", tables, &fault));
		assert_int_equal(fault.line, samples[i].line);
		if (strstr(fault.text, samples[i].told) == NULL)
			fail_msg("%s: %s", samples[i].told, fault.text);
	}
}

static void test_the_file_as_installed(void **state)
{
	struct conf_fault fault;
	int etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct partners *p = partners_read(etc, "partners", tables, &fault);

	(void)state;
	assert_non_null(p);
	assert_int_equal(partners_count(p), 0);
	partners_free(p);
	p = partners_read(etc, "no-such-file", tables, &fault);
	assert_non_null(p);
	close(etc);
	assert_int_equal(partners_count(p), 0);
	check(p, "アルファ", "");
	partners_free(p);
}

static bool named(void *context, size_t partner, unsigned places)
{
	unsigned *all = context;

	*all = *all * 100 + (unsigned)partner * 10 + places;
	return true;
}

/* In windows: each company once, with its places. */
static void test_windows(void **state)
{
	struct partners *p = parse(list);
	struct partners_named *n = partners_named_new(p);
	struct window_reader reader = {.look = partners_look, .context = n};
	struct windows *w = windows_new(&reader, 1);
	unsigned all = 0;

	(void)state;
	assert_non_null(n);
	assert_non_null(w);
	windows_begin(w, PLACE_SUBJECT);
	windows_feed(w, "ベータ製作所", strlen("ベータ製作所"));
	windows_end(w);
	windows_begin(w, PLACE_BODY);
	for (size_t i = 0; i < 65530; i++)
		windows_feed(w, ".", 1);
	windows_feed(w, "アルファ物流", strlen("アルファ物流"));
	for (size_t i = 0; i < 65530; i++)
		windows_feed(w, ".", 1);
	windows_feed(w, "ベータ製作所", strlen("ベータ製作所"));
	windows_end(w);

	partners_named_each(n, named, &all);
	assert_int_equal(all, 1342); /* 1 in subject and body, 4 in the body */
	assert_true(partners_named_in(n, 1, 1U << PLACE_SUBJECT));
	assert_false(partners_named_in(n, 0, ~0U));
	windows_free(w);
	partners_named_free(n);
	partners_free(p);
}

static bool count(void *context, size_t partner, size_t at, size_t len)
{
	(void)partner;
	(void)at;
	(void)len;
	++*(size_t *)context;
	return true;
}

/* As many as there may be, and a text that is hard for them: linear, and bounded. */
static void test_many(void **state)
{
	struct buf text, mail;
	struct conf_fault fault;
	struct partners *p;
	size_t n = 0;
	clock_t start = clock();

	(void)state;
	buf_init(&text, CONF_FILE_MAX);
	buf_init(&mail, CONF_FILE_MAX);
	for (unsigned i = 0; i < PARTNERS_MAX; i++)
		buf_addf(&text,
		    "d%u.example | a a a a a a a a a a a a a a a a %u | 株式会社企業%u号\n", i, i,
		    i);
	p = partners_parse(text.bytes, text.len, "etc/partners", tables, &fault);
	assert_non_null(p);
	for (unsigned i = 0; i < 200000; i++)
		buf_add_text(&mail, "a ");
	partners_find(p, mail.bytes, mail.len, count, &n);
	assert_int_equal(n, 0);
	partners_find(p, "株式会社企業99999号", strlen("株式会社企業99999号"), count, &n);
	assert_int_equal(n, 1);
	partners_free(p);

	buf_add_text(&text, "more.example | x\n");
	assert_null(partners_parse(text.bytes, text.len, "etc/partners", tables, &fault));
	buf_free(&text);
	buf_free(&mail);
	if (clock() - start > 20 * CLOCKS_PER_SEC)
		fail_msg("took too long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_found),
	    cmocka_unit_test(test_not_found),
	    cmocka_unit_test(test_domains),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_faults),
	    cmocka_unit_test(test_the_file_as_installed),
	    cmocka_unit_test(test_windows),
	    cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
