/* Look-alikes, case by case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/db/look.h"

static struct look *made(const char *const *known, size_t n)
{
	struct look *look = look_new();

	assert_non_null(look);
	for (size_t i = 0; i < n; i++)
		assert_true(look_add(look, known[i]));
	return look;
}

/* What `asked` looks like when `known` is known. */
static void check(const char *known, const char *asked, enum past_look want, const char *like)
{
	struct look *look = made(&known, 1);
	char got[256];
	enum past_look is = look_find(look, asked, got);

	if (is != want || strcmp(got, like) != 0)
		fail_msg("%s, known %s: %s \"%s\", not %s \"%s\"", asked, known, past_look_word(is),
		    got, past_look_word(want), like);
	look_free(look);
}

static void test_edits(void **state)
{
	static const struct {
		const char *a, *b;
		bool one;
	} all[] = {{"tanaka", "tanak", true}, {"tanaka", "tanakaa", true},
	    {"tanaka", "anaka", true}, {"tanaka", "xtanaka", true}, {"tanaka", "tonaka", true},
	    {"tanaka", "tanakb", true}, {"tanaka", "atnaka", true}, {"tanaka", "tanaak", true},
	    {"tanaka", "tnaaka", true}, {"tanaka", "tanaka", false}, {"tanaka", "tana", false},
	    {"tanaka", "tonakb", false}, {"tanaka", "naktaa", false}, {"abcd", "bcde", false},
	    {"", "a", true}, {"", "", false}, {"", "ab", false}, {"aa", "a", true},
	    {"aab", "abb", true}, {"ab", "cd", false}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		const char *a = all[i].a, *b = all[i].b;

		if (look_one_edit(a, strlen(a), b, strlen(b)) != all[i].one ||
		    look_one_edit(b, strlen(b), a, strlen(a)) != all[i].one)
			fail_msg("%s, %s", a, b);
	}
}

/* N9: one letter too many, too few, another one, two that changed places. */
static void test_one_edit_before_the_at(void **state)
{
	static const char known[] = "hanako.sato@alpha.example";

	(void)state;
	check(known, "hanako.satoo@alpha.example", LOOK_EDIT, known);
	check(known, "hanakosato@alpha.example", LOOK_EDIT, known);
	check(known, "hanako.sata@alpha.example", LOOK_EDIT, known);
	check(known, "hanako.saot@alpha.example", LOOK_EDIT, known);
	check(known, "ahnako.sato@alpha.example", LOOK_EDIT, known);
	check(known, "hanako.kato@alpha.example", LOOK_EDIT, known);
	check(known, "hanako.kat@alpha.example", LOOK_NONE, "");
	check(known, "taro.yamada@alpha.example", LOOK_NONE, "");
	check("ab@alpha.example", "ac@alpha.example", LOOK_NONE, "");
	check("ab@alpha.example", "abc@alpha.example", LOOK_EDIT, "ab@alpha.example");
	check("abc@alpha.example", "abd@alpha.example", LOOK_EDIT, "abc@alpha.example");
}

/* N9: the domain is an edit away, the person the same. */
static void test_one_edit_of_the_domain(void **state)
{
	static const char known[] = "hanako@alpha.example";

	(void)state;
	check(known, "hanako@alpah.example", LOOK_EDIT, known);
	check(known, "hanako@alph.example", LOOK_EDIT, known);
	check(known, "hanako@alphaa.example", LOOK_EDIT, known);
	check(known, "hanako@alpho.example", LOOK_EDIT, known);
	check(known, "hanako@alhpa.exmple", LOOK_NONE, "");
	/* Also of a short one, at which others are known. */
	check("hanako@nec.example", "hanako@ntc.example", LOOK_EDIT, "hanako@nec.example");
}

/* Nobody is known there: the person may be any, if chance would not do it. */
static void test_strange_domain(void **state)
{
	static const char *const known[] = {"hanako@alpha.example", "jiro@alpho.example"};
	struct look *look = made(known, 2);
	char like[256];

	(void)state;
	check("hanako@alpha.example", "taro@alpah.example", LOOK_EDIT, "@alpha.example");
	check("hanako@gmail.com", "taro@gmial.com", LOOK_EDIT, "@gmail.com");
	check("hanako@nec.example", "taro@ntc.example", LOOK_NONE, "");
	check("hanako@alphas.example", "taro@alpha.example", LOOK_EDIT, "@alphas.example");
	check("hanako@beta.example", "taro@betas.example", LOOK_NONE, "");
	/* Both companies are known: somebody new at one of them is no mistake. */
	assert_int_equal(look_find(look, "taro@alpho.example", like), LOOK_NONE);
	assert_int_equal(look_find(look, "hanako@alpho.example", like), LOOK_EDIT);
	look_free(look);
}

/* N9: .co.jp and .com twins. */
static void test_other_tld(void **state)
{
	(void)state;
	check("hanako@alpha.co.jp", "hanako@alpha.com", LOOK_TLD, "hanako@alpha.co.jp");
	check("hanako@alpha.com", "hanako@alpha.co.jp", LOOK_TLD, "hanako@alpha.com");
	check("hanako@alpha.co.jp", "hanako@alpha.jp", LOOK_TLD, "hanako@alpha.co.jp");
	check("hanako@alpha.co.jp", "hanako@alpha.or.jp", LOOK_TLD, "hanako@alpha.co.jp");
	check("hanako@alpha.co.jp", "taro@alpha.com", LOOK_TLD, "@alpha.co.jp");
	check("hanako@alpha.co.jp", "taro@beta.com", LOOK_NONE, "");
	check("hanako@mail.alpha.co.jp", "hanako@alpha.com", LOOK_NONE, "");
	check("hanako@ab.co.jp", "taro@ab.com", LOOK_NONE, "");
	check("hanako@ab.co.jp", "hanako@ab.com", LOOK_TLD, "hanako@ab.co.jp");
	/* co.jp is no company. */
	check("hanako@alpha.co.jp", "hanako@co.jp", LOOK_NONE, "");
}

/* Two known addresses are never look-alikes; nor is one of itself. */
static void test_known_ones(void **state)
{
	static const char *const known[] = {"sato@alpha.example", "kato@alpha.example",
	    "sato@alpah.example", "sato@alpha.com", "sato@alpha.co.jp"};
	struct look *look = made(known, COUNT_OF(known));
	char like[256];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		assert_true(look_has(look, known[i]));
		assert_int_equal(look_find(look, known[i], like), LOOK_NONE);
	}
	assert_false(look_has(look, "sat@alpha.example"));
	look_free(look);
}

static void test_no_address(void **state)
{
	static const char *const odd[] = {"", "@", "a@", "@alpha.example", "postmaster", "a@b@c"};
	struct look *look = made(odd, COUNT_OF(odd));
	char like[256];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(odd); i++)
		assert_int_equal(look_find(look, odd[i], like), LOOK_NONE);
	look_free(look);
}

/* Many are known and forgotten again; who stays is found. */
static void test_removing(void **state)
{
	struct look *look = look_new();
	char address[64], like[256];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(address, sizeof address, "person%04d.x@firma%d.example", i, i % 50);
		assert_true(look_add(look, address));
		assert_true(look_add(look, address));
	}
	assert_int_equal(look_count(look), 5000);
	for (int i = 1; i < 5000; i++) {
		(void)snprintf(address, sizeof address, "person%04d.x@firma%d.example", i, i % 50);
		look_remove(look, address);
		look_remove(look, address);
		assert_false(look_has(look, address));
	}
	assert_int_equal(look_count(look), 1);
	assert_true(look_has(look, "person0000.x@firma0.example"));
	assert_int_equal(look_find(look, "person0001.x@firma0.example", like), LOOK_EDIT);
	assert_string_equal(like, "person0000.x@firma0.example");
	assert_int_equal(look_find(look, "person0009.x@beta.example", like), LOOK_NONE);
	assert_true(look_add(look, "person0001.x@firma0.example"));
	assert_int_equal(look_find(look, "person0001.x@firma0.example", like), LOOK_NONE);
	look_free(look);
}

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Every edit of some of 100,000 known addresses is found, and 1,000 are asked for within 50 ms. */
static void test_many(void **state)
{
	struct look *look = look_new();
	char address[64], like[256];
	double begun;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		(void)snprintf(
		    address, sizeof address, "p%d.%d@f%d.example", i * 7, i % 31, i % 5000);
		assert_true(look_add(look, address));
	}
	begun = seconds();
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(
		    address, sizeof address, "p%d.%dx@f%d.example", i * 7, i % 31, i % 5000);
		if (look_find(look, address, like) != LOOK_EDIT)
			fail_msg("%s", address);
	}
	print_message("1,000 of 100,000: %.1f ms\n", (seconds() - begun) * 1e3);
	assert_true(seconds() - begun < 0.5); /* ten times, for a busy machine and sanitizers */
	look_free(look);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_edits),
	    cmocka_unit_test(test_one_edit_before_the_at),
	    cmocka_unit_test(test_one_edit_of_the_domain),
	    cmocka_unit_test(test_strange_domain),
	    cmocka_unit_test(test_other_tld),
	    cmocka_unit_test(test_known_ones),
	    cmocka_unit_test(test_no_address),
	    cmocka_unit_test(test_removing),
	    cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
