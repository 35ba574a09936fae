/* Every word by which seki-hold, seki-login and seki-rules say why not has words on the pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/compat.h"
#include "lib/web/reasons.h"

/* What the pages say of a word that they do not know. */
static const char general[] = "That is not possible just now.";

static char *text_of(const char *path)
{
	FILE *f = fopen(path, "re");
	size_t room = (size_t)1024 * 1024, n;
	char *text = calloc(1, room);

	assert_non_null(f);
	assert_non_null(text);
	n = fread(text, 1, room - 1, f);
	assert_true(n > 0 && n < room - 1);
	(void)fclose(f);
	return text;
}

static void check(const char *where, const char *code, size_t len)
{
	char word[64];

	assert_true(len > 0 && len < sizeof word);
	memcpy(word, code, len);
	word[len] = '\0';
	if (strcmp(reasons_say(word), general) == 0)
		fail_msg("the pages have no words for %s of %s", word, where);
}

/* The words behind `mark` at the beginnings of lines, from `from` to the next "\n.El". */
static size_t check_list(const char *page, const char *from, const char *mark)
{
	char *text = text_of(page);
	const char *at = strstr(text, from), *end = at != NULL ? strstr(at, "\n.El") : NULL;
	size_t n = 0;

	assert_non_null(end);
	while ((at = strstr(at, mark)) != NULL && at < end) {
		size_t len;

		at += strlen(mark);
		len = strcspn(at, " \n");
		/* "that is not possible" is what the general sentence says. */
		if (len != strlen("impossible") || strncmp(at, "impossible", len) != 0)
			check(page, at, len);
		n++;
	}
	free(text);
	return n;
}

static void reasons_of_seki_hold_have_words(void **state)
{
	(void)state;
	assert_true(check_list("man/sekisho-gate.5", ".Ss Reasons", "\n.It Li ") >= 40);
}

static void reasons_of_seki_rules_have_words(void **state)
{
	(void)state;
	assert_true(check_list("man/sekisho-mine.5", "nothing has changed.", "\n.It Li ") >= 12);
}

/* Those that stand in the running text of sekisho-gate(5) and sekisho-login(5). */
static void other_reasons_have_words(void **state)
{
	static const char *const words[] = {"request", "words", "state", "room", "shown", "nobody",
	    "rights", "cross-message", "no-organisation", "pin", "login", "restored", "wrong",
	    "capped", "later", "number", "none", "weak"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(words); i++)
		check("sekisho-gate(5) or sekisho-login(5)", words[i], strlen(words[i]));
	assert_string_equal(reasons_say("<x>"), general);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reasons_of_seki_hold_have_words),
	    cmocka_unit_test(reasons_of_seki_rules_have_words),
	    cmocka_unit_test(other_reasons_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
