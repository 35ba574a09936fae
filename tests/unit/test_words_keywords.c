#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/words/keywords.h"

static int prepare(void **state)
{
	*state = (void *)(uintptr_t)norm_prepare();
	return *state != NULL ? 0 : -1;
}

static int release(void **state)
{
	norm_tables_free(*state);
	return 0;
}

struct seen {
	char text[4096];
	size_t len;
	unsigned count;
};

static void hit(void *context, uint32_t id, bool quoted)
{
	struct seen *s = context;

	s->count++;
	if (s->len < sizeof s->text - 16)
		s->len += (size_t)snprintf(
		    s->text + s->len, sizeof s->text - s->len, "%u%s ", id, quoted ? "q" : "");
}

/* An automaton of words, given with | between them; they are 1, 2, 3. */
static struct keywords *automaton(const struct norm_tables *t, const char *words)
{
	struct keyword_builder *b = keyword_builder_new(t);
	struct keywords *k;
	uint32_t id = 1;

	assert_non_null(b);
	while (*words != '\0') {
		size_t len = strcspn(words, "|");

		assert_int_equal(keyword_add(b, words, len, id++), KEYWORD_ADDED);
		words += len + (words[len] == '|');
	}
	k = keywords_build(b);
	assert_non_null(k);
	keyword_builder_free(b);
	return k;
}

/* What is found in a text, however it is cut. */
static void finds(
    const struct norm_tables *t, const char *words, const char *text, const char *expected)
{
	struct keywords *k = automaton(t, words);
	struct buf normal;

	buf_init(&normal, 100000);
	assert_true(norm_text(t, text, strlen(text), &normal));
	for (size_t piece = 1; piece < 9; piece++) {
		struct seen s = {.len = 0};
		struct keyword_scan *scan = keyword_scan_open(k, hit, &s);

		assert_non_null(scan);
		for (size_t at = 0; at < normal.len;) {
			size_t n = piece < normal.len - at ? piece : normal.len - at;

			while (at + n < normal.len &&
			       ((unsigned char)normal.bytes[at + n] & 0xc0) == 0x80)
				n++;
			keyword_scan_feed(scan, normal.bytes + at, n, false);
			at += n;
		}
		keyword_scan_end(scan);
		assert_string_equal(s.text, expected);
		keyword_scan_free(scan);
	}
	buf_free(&normal);
	keywords_free(k);
}

#define FINDS(words, text, expected) finds(*state, (words), (text), (expected))

/* S1-27: width, case and the kind of kana make no difference. */
static void folding(void **state)
{
	FINDS("見積書", "御見積書です", "1 ");
	FINDS("memo", "ＭＥＭＯ Memo mémo", "1 1 ");
	FINDS("ＭＥＭＯ", "memo", "1 ");
	FINDS("みつもり", "ﾐﾂﾓﾘ ミツモリ みつもり", "1 1 1 ");
	FINDS("ガス", "かﾞす ｶﾞｽ が\xe3\x82\x99す", "1 1 ");
	FINDS("(株)", "㈱山田", "1 ");
	FINDS("高橋", "髙橋", "1 ");
	FINDS("03-1234", "０３－１２３４", "1 ");
	FINDS("データ", "データ デ－タ", "1 "); /* a dash is no long vowel */
}

static void overlapping(void **state)
{
	FINDS("機密|密書|機密書類|類", "部外秘機密書類。", "1 2 3 4 ");
	FINDS("he*|*she*|*his|*hers", "ushers", "2 4 ");
	FINDS("a|a", "a", "2 1 ");
	FINDS("アアア", "アアアアア", "1 1 1 ");
}

/* Latin words match as whole words, Japanese ones anywhere. */
static void borders(void **state)
{
	FINDS("ass", "assist class ass. (ass) Ass", "1 1 1 ");
	FINDS("ass*", "assist class", "1 ");
	FINDS("*ass", "assist class", "1 ");
	FINDS("*ass*", "assist class", "1 1 ");
	FINDS("memo", "社内memoを memos", "1 ");
	FINDS("A-100", "A-100 A-1000 BA-100", "1 ");
	FINDS("社内memo", "社内memo 社内memos", "1 ");
	FINDS("memo帳", "memo帳 amemo帳", "1 ");
	FINDS("secret", "secret", "1 ");
	FINDS("été", "Été étés", "1 ");
	FINDS("проект", "Проект проекты", "1 ");
	FINDS("c++", "c++ c+", "1 ");
	FINDS("100", "100円 1000円", "1 ");
}

/* A line's end or a soft hyphen inside a word does not hide it. */
static void line_ends(void **state)
{
	FINDS("機密書類", "機密\n書類", "1 ");
	FINDS("機密書類", "機密  \r\n　 書類", "1 ");
	FINDS("機密書類", "機\n密\n書\n類", "1 ");
	FINDS("機密書類", "機密\n\n書類", ""); /* an empty line ends it */
	FINDS("機密書類", "機密 書類", "");
	FINDS("confidential", "confi\ndential", "1 ");
	FINDS("confidential",
	    "con\xc2\xad"
	    "fiden\xc2\xad\ntial",
	    "1 ");
	FINDS("confidential", "confi dential", "");
	FINDS("top secret", "top secret top\nsecret top  \n secret top   secret topsecret",
	    "1 1 1 1 ");
	FINDS("top secret", "top\n\nsecret", "");
	FINDS("社外 秘", "社外 秘 社外\n秘 社外秘", "1 1 ");
	FINDS("ass", "pass\nass\nassist", "1 ");
	FINDS("secret", "a\nsecret\nb", "1 ");
	FINDS("memo帳", "memo\n帳", "1 ");
	FINDS("密", "機\n密", "1 "); /* once, though both ways find it */
	FINDS("a b|ab|b", "a\nb", "2 1 3 ");
}

static void many_ways(void **state)
{
	FINDS("m e m o|memo", "m\ne\nm\no", "2 1 ");
	FINDS("a b c d e f g|abcdefg|ab cd efg", "a\nb\nc\nd\ne\nf\ng\n", "2 3 1 ");
}

static void quoted_text(void **state)
{
	struct keywords *k = automaton(*state, "機密|memo");
	struct seen s = {.len = 0};
	struct keyword_scan *scan = keyword_scan_open(k, hit, &s);

	assert_non_null(scan);
	keyword_scan_feed(scan, "機密\n", 7, false);
	keyword_scan_feed(scan, "機密 memo", 11, true);
	keyword_scan_feed(scan, "\nmemo", 5, false);
	keyword_scan_end(scan);
	assert_string_equal(s.text, "1 1q 2q 2 ");

	s.len = 0;
	keyword_scan_feed(scan, "機", 3, false);
	keyword_scan_end(scan);
	keyword_scan_feed(scan, "密", 3, false); /* of another text */
	keyword_scan_end(scan);
	assert_int_equal(s.len, 0);
	keyword_scan_free(scan);
	keywords_free(k);
}

static void what_is_no_word(void **state)
{
	struct keyword_builder *b = keyword_builder_new(*state);
	char text[2000];
	struct keywords *k;

	assert_non_null(b);
	memset(text, 'a', sizeof text);
	assert_int_equal(keyword_add(b, "", 0, 1), KEYWORD_EMPTY);
	assert_int_equal(keyword_add(b, "  \xe3\x80\x80", 5, 1), KEYWORD_EMPTY);
	assert_int_equal(keyword_add(b, "\xc2\xad", 2, 1), KEYWORD_EMPTY);
	assert_int_equal(keyword_add(b, "*", 1, 1), KEYWORD_EMPTY);
	assert_int_equal(keyword_add(b, text, sizeof text, 1), KEYWORD_TOO_LONG);
	assert_int_equal(keyword_add(b, text, KEYWORD_LETTERS_MAX, 1), KEYWORD_ADDED);
	keyword_builder_free(b);

	b = keyword_builder_new(*state); /* none at all */
	k = keywords_build(b);
	assert_non_null(k);
	keyword_builder_free(b);
	keywords_free(k);
	FINDS("x", "", "");
	FINDS("x", "\xff\xfe x \xff", "1 ");
}

static uint64_t next(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

/* Random words over few letters in random text, against a search for each of them. */
static void as_a_simple_search(void **state)
{
	static const char *const letters[] = {"ア", "イ", "機", "密", "ウ"};
	uint64_t random = 88172645463325252u;

	for (unsigned round = 0; round < 300; round++) {
		char words[40][32], text[2000] = "";
		struct keyword_builder *b = keyword_builder_new(*state);
		struct keywords *k;
		struct seen s = {.len = 0};
		struct keyword_scan *scan;
		unsigned expected = 0;

		assert_non_null(b);
		for (size_t i = 0; i < COUNT_OF(words); i++) {
			size_t n = next(&random) % 5 + 1;

			words[i][0] = '\0';
			for (size_t j = 0; j < n; j++)
				strcat(words[i], letters[next(&random) % COUNT_OF(letters)]);
			assert_int_equal(
			    keyword_add(b, words[i], strlen(words[i]), (uint32_t)i), KEYWORD_ADDED);
		}
		for (unsigned i = 0; i < 500; i++)
			strcat(text, letters[next(&random) % COUNT_OF(letters)]);
		for (size_t i = 0; i < COUNT_OF(words); i++) {
			for (const char *at = text; (at = strstr(at, words[i])) != NULL; at++)
				expected++;
		}

		k = keywords_build(b);
		assert_non_null(k);
		scan = keyword_scan_open(k, hit, &s);
		assert_non_null(scan);
		keyword_scan_feed(scan, text, strlen(text), false);
		keyword_scan_end(scan);
		assert_int_equal(s.count, expected);
		keyword_scan_free(scan);
		keywords_free(k);
		keyword_builder_free(b);
	}
}

/* Ten thousand words: each is found, and nothing else. */
static void ten_thousand(void **state)
{
	struct keyword_builder *b = keyword_builder_new(*state);
	struct keyword_scan *scan;
	struct seen s = {.len = 0};
	struct keywords *k;
	char word[64];

	assert_non_null(b);
	for (unsigned i = 0; i < 10000; i++) {
		int len = snprintf(word, sizeof word, "機密%c%c%04u号", (int)('a' + i % 26),
		    (int)('a' + i / 26 % 26), i);

		assert_int_equal(keyword_add(b, word, (size_t)len, i), KEYWORD_ADDED);
	}
	k = keywords_build(b);
	assert_non_null(k);
	keyword_builder_free(b);

	scan = keyword_scan_open(k, hit, &s);
	assert_non_null(scan);
	for (unsigned i = 0; i < 10000; i++) {
		int len = snprintf(word, sizeof word, "の機密%c%c%04u号", (int)('a' + i % 26),
		    (int)('a' + i / 26 % 26), i);

		keyword_scan_feed(scan, word, (size_t)len, false);
	}
	keyword_scan_end(scan);
	assert_int_equal(s.count, 10000);
	keyword_scan_free(scan);
	keywords_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(folding),
	    cmocka_unit_test(overlapping),
	    cmocka_unit_test(borders),
	    cmocka_unit_test(line_ends),
	    cmocka_unit_test(many_ways),
	    cmocka_unit_test(quoted_text),
	    cmocka_unit_test(what_is_no_word),
	    cmocka_unit_test(as_a_simple_search),
	    cmocka_unit_test(ten_thousand),
	};
	return cmocka_run_group_tests(tests, prepare, release);
}
