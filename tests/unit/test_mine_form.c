/* Forms of people's rules: read, written in the language, read back (S0-03, S0-07, S0-16, S0-21, S2-28). Whatever
 * stands in a field, what comes out is the one rule that was meant, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mine/form.h"

struct seen {
	const struct rule *rule;
	size_t n;
};

static bool see(void *context, const struct rule *rule, struct conf_fault *fault)
{
	struct seen *seen = context;

	(void)fault;
	seen->rule = rule;
	seen->n++;
	return true;
}

struct kit {
	struct arena *arena;
	struct mine_form form;
	struct rule rule;
	struct mine_wrong wrong;
	struct buf text;
	enum mine_key line[MINE_LINES];
};

static void begin(struct kit *k)
{
	*k = (struct kit){.arena = arena_new((size_t)16 * 1024 * 1024)};
	assert_non_null(k->arena);
	buf_init(&k->text, MINE_RULE_MAX);
}

static void end(struct kit *k)
{
	arena_free(k->arena);
	buf_free(&k->text);
}

/* Pairs of keys and values up to MINE_KEY_COUNT. */
static bool make(struct kit *k, const char *const *pairs)
{
	k->form = (struct mine_form){.value = {NULL}};
	for (; *pairs != NULL; pairs += 2) {
		unsigned key = 0;

		while (
		    key < MINE_KEY_COUNT && strcmp(mine_key_word((enum mine_key)key), *pairs) != 0)
			key++;
		assert_true(key < MINE_KEY_COUNT);
		k->form.value[key] = pairs[1];
	}
	buf_clear(&k->text);
	if (!mine_form_read(k->arena, &k->form, "own-1", &k->rule, &k->wrong))
		return false;
	mine_rule_write(&k->rule, &k->text, k->line);
	assert_true(buf_ok(&k->text));
	return true;
}

/* What the language makes of the text; NULL: a fault. */
static const struct rule *parse(struct kit *k, size_t *n)
{
	struct seen seen = {.n = 0};
	struct conf_fault fault;
	bool good = rules_parse(k->arena, k->text.bytes, k->text.len, "user/a@b.example",
	    LAYER_USER, "a@b.example", NULL, see, &seen, &fault);

	*n = seen.n;
	return good ? seen.rule : NULL;
}

#define FORM(...)                                                                                  \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static void writes(const char *const *pairs, const char *text)
{
	const struct rule *back;
	json_t *fields;
	struct kit k;
	size_t n;

	begin(&k);
	if (!make(&k, pairs))
		fail_msg("%s: %s", mine_key_word(k.wrong.field), k.wrong.text);
	assert_int_equal(k.text.len, strlen(text));
	assert_memory_equal(k.text.bytes, text, k.text.len);
	back = parse(&k, &n);
	assert_non_null(back);
	assert_int_equal(n, 1);
	assert_true(mine_rule_same(back, &k.rule));

	/* The form that the rule shows makes that rule. */
	fields = mine_rule_fields(k.arena, back);
	assert_non_null(fields);
	for (unsigned i = 0; i < MINE_KEY_COUNT; i++)
		k.form.value[i] =
		    json_string_value(json_object_get(fields, mine_key_word((enum mine_key)i)));
	assert_true(mine_form_read(k.arena, &k.form, back->name, &k.rule, &k.wrong));
	assert_true(mine_rule_same(back, &k.rule));
	json_decref(fields);
	end(&k);
}

static void refuses(const char *const *pairs, const char *field, const char *why)
{
	struct kit k;

	begin(&k);
	assert_false(make(&k, pairs));
	assert_string_equal(mine_key_word(k.wrong.field), field);
	assert_string_equal(k.wrong.why, why);
	end(&k);
}

/* ---- one by one --------------------------------------------------------------------------- */

static void test_conditions(void **state)
{
	(void)state;
	writes(
	    FORM("do", "hold", "do-time", "30m"), "rule own-1\n    always\n    do      hold 30m\n");
	writes(FORM("name", "my-customers", "when-to", "@Customer.Example", "do", "hold", "do-time",
		   "30m"),
	    "rule my-customers\n    to      @customer.example\n    do      hold 30m\n");
	writes(FORM("when-to", "Bob@X.example,\r\ny.example  @.z.example、external,first-time\n",
		   "do", "hold", "do-time", "60m"),
	    "rule own-1\n    to      bob@x.example, @y.example, @.z.example, external, first-time\n"
	    "    do      hold 60m\n");
	writes(FORM("when-to", "@日本語.example", "do", "hold", "do-time", "5m"),
	    "rule own-1\n    to      @xn--wgv71a119e.example\n    do      hold 5m\n");
	writes(FORM("when-subject", "見積 書、  \"a\\b\" ,　社外秘　", "do", "hold", "do-time",
		   "confirmed"),
	    "rule own-1\n    words   \"見積 書\", \"\\\"a\\\\b\\\"\", \"社外秘\" in subject\n"
	    "    do      hold until confirmed\n");
	writes(FORM("when-words", "quotation", "when-attachment", "open", "do", "hold", "do-time",
		   "09:00 workday"),
	    "rule own-1\n    words   \"quotation\"\n    file    not encrypted\n"
	    "    do      hold until 09:00 workday\n");
	writes(FORM("when-attachment", "no", "do", "hold", "do-time", "no"),
	    "rule own-1\n    unless  file any\n    do      hold no\n");
	writes(FORM("when-attachment", "yes", "when-names", "*.xlsx, 名簿 *.pdf", "when-size",
		   "2048KB", "do", "hold", "do-time", "checked", "do-else", "discard"),
	    "rule own-1\n    file    any\n    file    name \"*.xlsx\", \"名簿 *.pdf\"\n"
	    "    files   size >= 2MB\n    do      hold until checked else discard\n");
	writes(FORM("when-visible", "5", "when-recipients", "10", "when-class", "external", "do",
		   "bcc", "do-bcc", "all"),
	    "rule own-1\n    recipients external >= 10\n    visible external >= 5\n"
	    "    do      bcc all\n");
	writes(FORM("when-time", "22:00-07:00,Sat-Sun, holiday", "do", "hold", "do-time", "09:00"),
	    "rule own-1\n    when    22:00-07:00, Sat-Sun, holiday\n"
	    "    do      hold until 09:00\n");
}

static void test_actions(void **state)
{
	(void)state;
#define DOES(text, ...) writes(FORM(__VA_ARGS__), "rule own-1\n    always\n    do      " text "\n")
	DOES("hold 24s", "do", "hold", "do-time", "24s");
	DOES("hold 60m", "do", "hold", "do-time", "1h");
	DOES("hold 2h", "do", "hold", "do-time", "120m");
	DOES("hold 1d", "do", "hold", "do-time", "24h");
	DOES("hold 30m else discard", "do", "hold", "do-time", "30m", "do-else", "discard");
	DOES("approve by boss", "do", "approve", "do-who", "boss");
	DOES("approve no", "do", "approve", "do-who", "no");
	DOES("approve by ceo@example.co.jp", "do", "approve", "do-who", "CEO@example.co.jp");
	DOES("keep", "do", "files", "do-files", "keep");
	DOES("zip", "do", "files", "do-files", "zip", "do-time", "30m");
	DOES("link", "do", "files", "do-files", "link");
	DOES("link for 7d", "do", "files", "do-files", "link", "do-time", "1w");
	DOES("password random-10", "do", "password", "do-password", "random-10");
	DOES("bcc each", "do", "bcc", "do-bcc", "each");
	DOES("stagger no", "do", "stagger", "do-time", "no");
	DOES("stagger 60m", "do", "stagger", "do-time", "60m");
	DOES("tls dane", "do", "tls", "do-tls", "dane");
	DOES("notice risky", "do", "notice", "do-notice", "risky");
	DOES("insert top a.b", "do", "insert", "do-text", "top a.b");
	DOES("insert end history", "do", "insert", "do-text", "end history");
	DOES("sign example.co.jp", "do", "sign", "do-name", "Example.co.jp");
	DOES("route lab", "do", "route", "do-name", "lab");
	DOES("add bcc boss", "do", "add-bcc", "do-who", "boss");
	DOES("copy a+b@x.example", "do", "copy", "do-who", "a+b@x.example");
	DOES("archive", "do", "archive");
	/* Fields of other functions say nothing. */
	DOES("hold 5m", "do", "hold", "do-time", "5m", "do-bcc", "\n", "do-who", "rule", "do-files",
	    "x");
#undef DOES
}

static void test_what_is_refused(void **state)
{
	char many[2048] = "", longer[400];

	(void)state;
	for (int i = 0; i < 101; i++)
		(void)strcat(many, "a@b.example ");
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';

	refuses(FORM("when-to", "@x.example"), "do", "missing");
	refuses(FORM("do", "fly"), "do", "unknown");
	refuses(FORM("do", "refuse"), "do", "unknown");
	refuses(FORM("do", "hold"), "do-time", "missing");
	refuses(FORM("do", "hold", "do-time", "60"), "do-time", "wrong");
	refuses(FORM("do", "hold", "do-time", "0m"), "do-time", "wrong");
	refuses(FORM("do", "hold", "do-time", "367d"), "do-time", "wrong");
	refuses(FORM("do", "hold", "do-time", "99999999999999999999m"), "do-time", "wrong");
	refuses(FORM("do", "hold", "do-time", "operator"), "do-time", "wrong");
	refuses(FORM("do", "hold", "do-time", "24:00"), "do-time", "wrong");
	refuses(FORM("do", "hold", "do-time", "9:00"), "do-time", "wrong");
	refuses(FORM("do", "hold", "do-time", "09:00 workday else discard"), "do-time", "wrong");
	refuses(FORM("do", "hold", "do-time", "no", "do-else", "discard"), "do-else", "wrong");
	refuses(FORM("do", "hold", "do-time", "5m", "do-else", "hold"), "do-else", "wrong");
	refuses(FORM("do", "approve", "do-who", "sender"), "do-who", "wrong");
	refuses(FORM("do", "files", "do-files", "as table t"), "do-files", "wrong");
	refuses(FORM("do", "bcc", "do-bcc", "all\n    do refuse \"x\""), "do-bcc", "wrong");
	refuses(FORM("do", "password", "do-password", "../../secret"), "do-password", "wrong");
	refuses(FORM("do", "insert", "do-text", "top a\n"), "do-text", "wrong");
	refuses(FORM("name", "a b", "do", "archive"), "name", "wrong");
	refuses(FORM("name", ".a", "do", "archive"), "name", "wrong");
	refuses(FORM("name", "a\nrule b", "do", "archive"), "name", "wrong");
	refuses(FORM("name", longer, "do", "archive"), "name", "long");
	refuses(FORM("when-to", "nobody", "do", "archive"), "when-to", "wrong");
	refuses(FORM("when-to", "\"a b\"@x.example", "do", "archive"), "when-to", "wrong");
	refuses(FORM("when-to", "group", "do", "archive"), "when-to", "wrong");
	refuses(FORM("when-to", many, "do", "archive"), "when-to", "many");
	refuses(FORM("when-subject", " , 、\n", "do", "archive"), "when-subject", "missing");
	refuses(FORM("when-subject", longer, "do", "archive"), "when-subject", "long");
	refuses(FORM("when-subject", "a\x01", "do", "archive"), "when-subject", "wrong");
	refuses(FORM("when-words", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u", "do", "archive"),
	    "when-words", "many");
	refuses(FORM("when-attachment", "on", "do", "archive"), "when-attachment", "wrong");
	refuses(FORM("when-names", "a/b", "do", "archive"), "when-names", "wrong");
	refuses(FORM("when-recipients", "0", "do", "archive"), "when-recipients", "wrong");
	refuses(FORM("when-visible", "5 external", "do", "archive"), "when-visible", "wrong");
	refuses(
	    FORM("when-visible", "5", "when-class", "all", "do", "archive"), "when-class", "wrong");
	refuses(FORM("when-size", "2", "do", "archive"), "when-size", "wrong");
	refuses(FORM("when-size", "0MB", "do", "archive"), "when-size", "wrong");
	refuses(FORM("when-time", "at night", "do", "archive"), "when-time", "wrong");
	refuses(FORM("when-time", "Sat\nalways", "do", "archive"), "when-time", "wrong");
}

/* What an administrator wrote, and no form can show, is not shown as one: it would be another rule. */
static void test_rules_without_a_form(void **state)
{
	static const char *const texts[] = {
	    "rule a\n    to not external\n    do hold 5m\n",
	    "rule a\n    unless to external\n    do hold 5m\n",
	    "rule a shadow\n    always\n    do hold 5m\n",
	    "rule a\n    always\n    do hold 5m\n    do stagger 5m\n",
	    "rule a\n    to external\n    to partner\n    do hold 5m\n",
	    "rule a\n    to group g\n    do hold 5m\n",
	    "rule a\n    to first-time for site\n    do hold 5m\n",
	    "rule a\n    words \"a, b\"\n    do hold 5m\n",
	    "rule a\n    words \"a\" >= 2\n    do hold 5m\n",
	    "rule a\n    words \"a\" in body\n    do hold 5m\n",
	    "rule a\n    words list ng\n    do hold 5m\n",
	    "rule a\n    file name *.pdf size >= 1MB\n    do hold 5m\n",
	    "rule a\n    file encrypted\n    do hold 5m\n",
	    "rule a\n    visible < 5\n    do hold 5m\n",
	    "rule a\n    visible external >= 5\n    recipients >= 5\n    do hold 5m\n",
	    "rule a\n    files size < 1MB\n    do hold 5m\n",
	    "rule a\n    pii card >= 1\n    do hold 5m\n",
	    "rule a\n    message reply\n    do hold 5m\n",
	    "rule a\n    regex \"x\"\n    do hold 5m\n",
	    "rule a\n    always\n    do hold for operator\n",
	    "rule a\n    always\n    do approve by boss then boss\n",
	    "rule a\n    always\n    do approve by any of group g\n",
	    "rule a\n    always\n    do zip twice\n",
	    "rule a\n    always\n    do zip as .zi_\n",
	    "rule a\n    always\n    do link times 5\n",
	    "rule a\n    always\n    do as table t\n",
	    "rule a\n    always\n    do tls sts else link\n",
	    "rule a\n    always\n    do add bcc group g\n",
	};
	const struct rule *rule;
	struct kit k;
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		begin(&k);
		buf_add_text(&k.text, texts[i]);
		rule = parse(&k, &n);
		if (rule == NULL || n != 1)
			fail_msg("%s", texts[i]);
		if (mine_rule_fields(k.arena, rule) != NULL)
			fail_msg("a form for: %s", texts[i]);
		end(&k);
	}
}

/* ---- whatever stands in a field ----------------------------------------------------------- */

static uint64_t seed = 88172645463325252u;

static unsigned random_below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % n);
}

static void random_value(char *to, size_t room)
{
	static const char *const pieces[] = {"\"", "\\", "\\\"", "\n", "\r\n", "\t", "#", ",", ";",
	    "<", ">", "=", ">=", "'", "`", "$(x)", "%s%n", "{{x}}", "rule x", "rule x shadow",
	    "\nrule x\n", "    do refuse \"x\"", "do hold no", "unless ", "not ", "always",
	    "list ng", "group sales", "@", "@.", "a@b.example", "b.example", "x", "見積", "　",
	    "、", "，", "“", "\xe2\x80\xae", "\xe2\x80\x8b", "\xc2\xa0", "\xf0\x9f\x98\x80", " ",
	    "  ", "0", "5", "30m", "09:00", "2MB", "..", "/", "../etc/passwd", "*", "?", "~",
	    "\x01", "\x7f", "-", "yes", "boss", "external", "top a", "Mon-Fri", "a.b",
	    "end history", "in subject", ">= 2", "::", "\xc2\x85", "\xef\xbb\xbf"};
	unsigned n = 1 + random_below(6);

	to[0] = '\0';
	while (n-- > 0) {
		const char *piece = pieces[random_below(COUNT_OF(pieces))];

		if (strlen(to) + strlen(piece) + 1 < room)
			(void)strcat(to, piece);
	}
}

/* W3: no value is more than a value. */
static void test_any_value(void **state)
{
	static const char *const functions[] = {"hold", "approve", "files", "password", "bcc",
	    "stagger", "tls", "notice", "insert", "sign", "route", "add-bcc", "copy", "archive"};
	unsigned made = 0, read = 0;

	(void)state;
	for (unsigned round = 0; round < 60000; round++) {
		char value[MINE_KEY_COUNT][128];
		const struct rule *back;
		const char *pairs[2 * MINE_KEY_COUNT + 1];
		size_t n = 0, rules, newlines = 0;
		struct kit k;

		for (unsigned key = MINE_NAME; key < MINE_KEY_COUNT; key++) {
			if (key != MINE_DO && random_below(4) != 0)
				continue;
			random_value(value[key], sizeof value[key]);
			pairs[n++] = mine_key_word((enum mine_key)key);
			pairs[n++] = key == MINE_DO ? functions[random_below(COUNT_OF(functions))]
						    : value[key];
		}
		pairs[n] = NULL;
		begin(&k);
		if (make(&k, pairs)) {
			made++;
			for (size_t i = 0; i < k.text.len; i++)
				newlines += k.text.bytes[i] == '\n';
			assert_int_equal(newlines, k.rule.conditions + 2);
			back = parse(&k, &rules);
			/* What the language refuses is told; what it takes is the very rule. */
			if (back != NULL) {
				read++;
				assert_int_equal(rules, 1);
				if (!mine_rule_same(back, &k.rule))
					fail_msg("%.*s", (int)k.text.len, k.text.bytes);
			}
		}
		end(&k);
	}
	/* The test must have seen something. */
	assert_true(made > 300 && read > 200);
}

/* ---- requests ----------------------------------------------------------------------------- */

static void takes(const char *line, bool good)
{
	static struct mine_request request;

	if (mine_request_parse(line, strlen(line), &request) != good)
		fail_msg("%s", line);
}

static void test_requests(void **state)
{
	static char longest[MINE_REQUEST_MAX + 1];

	(void)state;
	takes("session=x rules", true);
	takes("session=x try do=hold do-time=30m when-to=", true);
	takes("session=x add digest=0 do=hold name=a+20b", true);
	takes("session=x remove digest=0 n=1", true);
	takes("", false);
	takes("rules", false);
	takes("cap=x rules", false);
	takes("session= rules", false);
	takes("session=x", false);
	takes("session=x fly", false);
	takes("session=x rules ", false);
	takes("session=x  rules", false);
	takes("session=x rules n=1", false);
	takes("session=x try digest=0", false);
	takes("session=x add n=1", false);
	takes("session=x remove do=hold", false);
	takes("session=x try do=hold do=hold", false);
	takes("session=x try do", false);
	takes("session=x try =hold", false);
	takes("session=x try do=a+0a", false);
	takes("session=x try do=a+FF", false);
	takes("session=x try do=a+00", false);
	takes("session=x try when-words=\xe8\xa6\x8b", false);
	takes("session=x try other=1", false);
	memset(longest, 'x', sizeof longest - 1);
	takes(longest, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_conditions),
	    cmocka_unit_test(test_actions),
	    cmocka_unit_test(test_what_is_refused),
	    cmocka_unit_test(test_rules_without_a_form),
	    cmocka_unit_test(test_any_value),
	    cmocka_unit_test(test_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
