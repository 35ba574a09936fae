/* Sets of rules: taken apart, checked against etc/allow, numbered, opened; and what is odd about them. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/inspect/protocol.h"
#include "lib/org/compile.h"
#include "lib/policy/set.h"

/* ---- bundles ---- */

static void bundle_begin(struct buf *b)
{
	buf_init(b, 16 * 1024 * 1024);
	buf_add_text(b, "sekisho-rules 1\n");
}

static void bundle_file(struct buf *b, const char *name, const char *text)
{
	buf_addf(b, "file %s %zu\n%s", name, strlen(text), text);
}

/* Pairs of names and texts up to NULL. */
static struct policy *read_set(struct conf_fault *fault, const char *const *files)
{
	struct policy *policy;
	struct buf b;

	bundle_begin(&b);
	for (; *files != NULL; files += 2)
		bundle_file(&b, files[0], files[1]);
	assert_true(buf_ok(&b));
	policy = policy_read(b.bytes, b.len, "rules", NULL, fault);
	buf_free(&b);
	return policy;
}

#define SET(...)                                                                                   \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static void assert_blamed(const char *const *files, const char *expected)
{
	struct conf_fault fault;
	char said[512];

	assert_null(read_set(&fault, files));
	conf_fault_show(&fault, said, sizeof said);
	assert_string_equal(said, expected);
}

/* S0-07: must, then groups in order of name, then users, then default; files by name. */
static void layers_in_order(void **state)
{
	static const struct {
		enum policy_layer layer;
		const char *owner;
		size_t rules;
	} expected[] = {{LAYER_MUST, NULL, 2}, {LAYER_GROUP, "a", 2}, {LAYER_GROUP, "b", 1},
	    {LAYER_USER, "x@y.jp", 1}, {LAYER_DEFAULT, NULL, 1}};
	struct conf_fault fault;
	struct policy *p = read_set(&fault,
	    SET("default/90", "rule d\n always\n do hold no\n", "group/b",
		"rule b\n always\n do hold 5m\n", "must/20", "rule m2\n always\n do hold no\n",
		"must/10", "rule m1\n always\n do keep\n", "user/x@y.jp/10",
		"rule u\n always\n do bcc all\n", "group/a/20", "rule a2\n always\n do hold no\n",
		"group/a/10", "rule a1\n always\n do hold no\n", "allow",
		"group hold\nuser bcc hold # c\n"));

	(void)state;
	assert_non_null(p);
	assert_int_equal(p->blocks, COUNT_OF(expected));
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		assert_int_equal(p->block[i].layer, expected[i].layer);
		assert_int_equal(p->block[i].rules, expected[i].rules);
		assert_true((p->block[i].owner == NULL) == (expected[i].owner == NULL));
		if (expected[i].owner != NULL)
			assert_string_equal(p->block[i].owner, expected[i].owner);
	}
	assert_string_equal(p->block[0].rule[0].name, "m1");
	assert_string_equal(p->block[0].rule[1].file, "must/20");
	assert_string_equal(p->block[1].rule[0].name, "a1");
	assert_int_equal(p->rules, 7);
	assert_int_equal(p->group_may, 1u << FUNCTION_HOLD);
	assert_int_equal(p->user_may, 1u << FUNCTION_BCC | 1u << FUNCTION_HOLD);
	/* Whose mail waits is told what to look at. */
	assert_true(p->asks_checks && p->asks_facts && p->asks_past);
	policy_close(p);
}

/* S0-09: a group or user decides what etc/allow says, and nothing else. */
static void what_may_be_decided(void **state)
{
	(void)state;
	assert_blamed(SET("group/a", "rule r\n always\n do hold 5m\n"),
	    "group/a:3:5: a group's file may not decide hold; the line \"group hold\" in etc/allow "
	    "would permit it");
	assert_blamed(
	    SET("allow", "group hold\nuser keep\n"), "etc/allow:2:6: no function \"keep\"");
	assert_blamed(SET("allow", "user hold\n", "user/a@x.jp",
			  "rule r\n always\n do hold no\n do refuse \"x\"\n"),
	    "user/a@x.jp:4:5: \"refuse\" is for administrators: no user's file has it");
	assert_blamed(SET("allow", "user hold refuse\n"),
	    "etc/allow:1:11: \"refuse\" is for administrators: no user may");
	assert_blamed(SET("allow", "users hold\n"),
	    "etc/allow:1:1: expected group or user, and functions, not \"users\"");
	assert_blamed(SET("allow", "user\n"), "etc/allow:1: expected functions behind \"user\"");
	assert_blamed(SET("allow", "user hodl\n"), "etc/allow:1:6: no function \"hodl\": hold?");
	assert_blamed(SET("must/10", "rule r\n allways\n do keep\n"),
	    "must/10:2:2: expected a condition, unless or do, not \"allways\": always?");
}

static void damaged_bundles(void **state)
{
	static const char *const bad[] = {"", "sekisho-rules 2\n", "sekisho-rules 1\nfile\n",
	    "sekisho-rules 1\nfile must/a 5\nrule", "sekisho-rules 1\nfile must/a x\n",
	    "sekisho-rules 1\nfile must/a 99999999999\n", "sekisho-rules 1\nfile must/a -1\n",
	    "sekisho-rules 1\nfile must/a 0", "sekisho-rules 1\nfile must 0\n",
	    "sekisho-rules 1\nfile must/../a 0\n", "sekisho-rules 1\nfile must/a/b 0\n",
	    "sekisho-rules 1\nfile mast/a 0\n", "sekisho-rules 1\nfile group/ 0\n",
	    "sekisho-rules 1\nfile group/a/ 0\n", "sekisho-rules 1\nfile group/a/b/c 0\n",
	    "sekisho-rules 1\nfile must/a 0\nfile must/a 0\n",
	    "sekisho-rules 1\nfile allow 0\nfile allow 0\n"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct conf_fault fault;

		assert_null(policy_read(bad[i], strlen(bad[i]), "rules", NULL, &fault));
		assert_string_equal(fault.file, "rules");
		assert_true(fault.text[0] != '\0');
	}
}

/* ---- asking ---- */

static void assert_asks(const char *rules, const char *expected)
{
	struct conf_fault fault;
	struct policy *p = read_set(&fault, SET("must/10", rules));
	struct buf ask;

	assert_non_null(p);
	buf_init(&ask, 65536);
	policy_ask(p, &ask);
	buf_add(&ask, "", 1);
	assert_string_equal(ask.bytes, expected);
	assert_true(p->asks_facts == (expected[0] != '\0'));
	buf_free(&ask);
	policy_close(p);
}

/* What no rule looks at is not looked for: "that which is not asked costs nothing". */
static void only_what_is_needed_is_asked(void **state)
{
	(void)state;
	assert_asks("rule r\n always\n from group g, <>\n to external, not@x.jp, first-time\n"
		    " recipients > 3\n companies > 1\n message size > 1MB\n when 19:00-20:00\n"
		    " do keep\n",
	    "");
	assert_asks("rule r\n file any\n do keep\n", "want files\n");
	assert_asks("rule r\n file name *.doc size > 1KB nameless\n do keep\n", "want files\n");
	assert_asks("rule r\n file encrypted\n do keep\n", "want files\nwant inside\n");
	assert_asks("rule r\n unless file type as-named\n do keep\n", "want files\nwant inside\n");
	assert_asks("rule r\n files >= 3\n do keep\n", "want files\n");
	assert_asks("rule r\n message uninspectable\n do keep\n", "want inside\n");
	assert_asks("rule r\n message promises-file\n do keep\n", "want promise\n");
	assert_asks("rule r\n message reply\n do keep\n", "want files\n");
	assert_asks("rule r\n visible > 3\n do keep\n", "want addresses\n");
	assert_asks("rule r\n header Cc boss\n do keep\n", "want addresses\n");
	assert_asks("rule r\n from mismatched\n do keep\n", "want addresses\n");
	assert_asks("rule r\n to lookalike\n do keep\n", "want addresses\n");
	assert_asks("rule r\n company other\n do keep\n", "want company\n");
	assert_asks(
	    "rule r\n pii card >= 1, name > 3 in files\n do keep\n", "pii card\npii name\n");
}

/* The same text is looked for once, whoever asks; numbers are those of the facts. */
static void texts_are_numbered(void **state)
{
	static const char text[] =
	    "rule a\n words \"x y\", list l, \"z\"\n do keep\n"
	    "rule b\n words \"z\", \"x y\"\n regex \"\\d+\"\n do keep\n"
	    "rule c\n regex \"\\d+\"\n regex \"a=b\"\n words list l\n"
	    " header X-A \"p\"\n header subject \"q\"\n header x-a \"r\"\n do keep\n";
	struct conf_fault fault;
	struct policy *p = read_set(&fault, SET("must/10", text));
	const struct rule *rule;

	(void)state;
	assert_non_null(p);
	rule = p->block[0].rule;
	assert_int_equal(p->words, 2);
	assert_string_equal(p->word[0], "x y");
	assert_int_equal(rule[0].condition[0].text[0].number, 1);
	assert_int_equal(rule[0].condition[0].text[1].number, 0);
	assert_int_equal(rule[0].condition[0].text[2].number, 2);
	assert_int_equal(rule[1].condition[0].text[0].number, 2);
	assert_int_equal(rule[1].condition[0].text[1].number, 1);
	assert_int_equal(rule[2].condition[1].text[0].number, 2);
	assert_int_equal(rule[2].condition[3].field_number, 1);
	assert_int_equal(rule[2].condition[4].field_number, 2);
	assert_int_equal(rule[2].condition[5].field_number, 1);
	policy_close(p);
	assert_asks(text,
	    "list l\nword x+20y\nword z\nregex \\d+2B\nregex a+3Db\nfield x-a\nfield subject\n");
}

/* What is asked is what the inspector understands. */
static void the_inspector_reads_it(void **state)
{
	struct conf_fault fault;
	struct policy *p = read_set(&fault,
	    SET("must/10", "rule a\n words \"見積\", list l\n regex \"\\\\d\"\n header X-A \"p\"\n"
			   " pii card > 1\n file encrypted\n do keep\n"));
	struct ask read;
	struct buf ask;
	char why[256];

	(void)state;
	assert_non_null(p);
	buf_init(&ask, 65536);
	policy_ask(p, &ask);
	ask_init(&read);
	assert_true(ask_read(&read, ask.bytes, ask.len, why, sizeof why));
	assert_int_equal(read.words, 1);
	assert_string_equal(read.word[0], "見積");
	assert_string_equal(read.regex[0], "\\d");
	assert_int_equal(read.want, p->want);
	assert_int_equal(read.kinds, p->kinds);
	ask_free(&read);
	buf_free(&ask);
	policy_close(p);
}

static void too_much_to_ask(void **state)
{
	struct conf_fault fault;
	struct buf b, rules;
	char said[512];

	(void)state;
	buf_init(&rules, 1024 * 1024);
	for (size_t i = 0; i <= ASK_REGEXES_MAX; i++)
		buf_addf(&rules, "rule r%zu\n regex \"a%zu\"\n do keep\n", i, i);
	buf_add(&rules, "", 1);
	bundle_begin(&b);
	bundle_file(&b, "must/10", rules.bytes);
	assert_null(policy_read(b.bytes, b.len, "rules", NULL, &fault));
	conf_fault_show(&fault, said, sizeof said);
	assert_string_equal(said, "must/10:1502:2: all rules together look for too many words, "
				  "expressions or fields");
	buf_free(&b);
	buf_free(&rules);
}

/* ---- generations ---- */

struct place {
	char path[64];
	int etc, compiled;
};

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
}

static int enter(void **state)
{
	static struct place place;
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(
	    place.path, sizeof place.path, "%.40s/set.XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(place.path) == NULL || chdir(place.path) != 0)
		return -1;
	(void)mkdir("etc", 0755);
	(void)mkdir("lib", 0755);
	(void)mkdir("lib/compiled", 0755);
	(void)mkdir("etc/policy", 0755);
	(void)mkdir("etc/policy/must", 0755);
	put("etc/groups", "temps a@x.jp\n");
	place.etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	place.compiled = open("lib/compiled", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &place;
	return place.etc >= 0 && place.compiled >= 0 ? 0 : -1;
}

static int leave(void **state)
{
	struct place *place = *state;
	char command[128];

	(void)close(place->etc);
	(void)close(place->compiled);
	(void)snprintf(command, sizeof command, "rm -rf '%s'", place->path);
	return chdir("/") == 0 ? system(command) : -1;
}

static void a_generation_is_opened(void **state)
{
	struct place *place = *state;
	struct conf_fault fault;
	char name[COMPILED_NAME];
	struct policy *p;

	put("etc/policy/must/10", "rule r\n from group temps\n do hold 5m\n");
	assert_true(compile_generation(place->etc, place->compiled, name, &fault));
	p = policy_open_current(&fault);
	assert_non_null(p);
	assert_int_equal(p->rules, 1);
	assert_memory_equal(p->rules_digest, name, 16);
	assert_string_equal(p->org_digest, name + 17);
	assert_true(org_in_group(p->org, "temps", "a@x.jp"));
	policy_close(p);
}

/* S4-09: for what its sender is to look at, where mail may wait for time or people; never by a shadow. */
static void S4_09_checks_are_asked(void **state)
{
	static const char checks[] = "want addresses\nwant files\nwant greeting\nwant promise\n"
				     "pii card\npii mynumber\npii phone\npii address\npii mail\n";
	static const char *const waiting[] = {"hold 5m", "hold until 09:00", "hold until checked",
	    "hold until confirmed else discard", "approve by boss"};
	static const char *const others[] = {
	    "hold no", "hold for operator", "approve no", "stagger 5m", "refuse \"x\""};
	char rule[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(waiting); i++) {
		(void)snprintf(rule, sizeof rule, "rule r\n always\n do %s\n", waiting[i]);
		assert_asks(rule, checks);
		(void)snprintf(rule, sizeof rule, "rule r shadow\n always\n do %s\n", waiting[i]);
		assert_asks(rule, "");
	}
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		(void)snprintf(rule, sizeof rule, "rule r\n always\n do %s\n", others[i]);
		assert_asks(rule, "");
	}
}

/* Our own domains are told where companies are looked for, and nowhere else. */
static void own_domains_are_asked(void **state)
{
	static const char *const rules[] = {
	    "rule r\n company other\n do keep\n", "rule r\n file any\n do keep\n"};
	static const char *const asked[] = {
	    "want company\nown example.jp\nown x.jp\n", "want files\n"};
	struct place *place = *state;

	put("etc/domains", "x.jp internal\nexample.jp internal\nother.jp affiliated\n");
	for (size_t i = 0; i < COUNT_OF(rules); i++) {
		struct conf_fault fault;
		char name[COMPILED_NAME];
		struct policy *p;
		struct buf ask;

		put("etc/policy/must/10", rules[i]);
		assert_true(compile_generation(place->etc, place->compiled, name, &fault));
		p = policy_open_current(&fault);
		assert_non_null(p);
		buf_init(&ask, 65536);
		policy_ask(p, &ask);
		buf_add(&ask, "", 1);
		assert_string_equal(ask.bytes, asked[i]);
		buf_free(&ask);
		policy_close(p);
	}
}

/* A byte that is not the one that was compiled is found, and nothing is judged by it. */
static void a_damaged_generation_is_not_opened(void **state)
{
	struct place *place = *state;
	struct conf_fault fault;
	char name[COMPILED_NAME], path[128], said[512], expected[512];
	int fd;

	put("etc/policy/must/10", "rule r\n always\n do hold 5m\n");
	assert_true(compile_generation(place->etc, place->compiled, name, &fault));
	(void)snprintf(path, sizeof path, "lib/compiled/%s/rules", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "6", 1, 16 + 16 + 24), 1);
	assert_int_equal(close(fd), 0);
	assert_null(policy_open_current(&fault));
	conf_fault_show(&fault, said, sizeof said);
	(void)snprintf(
	    expected, sizeof expected, "%s: is not what its name says: compile again", path);
	assert_string_equal(said, expected);
}

/* From a restored copy: whole in itself, and not what its generation was judged by. */
static void another_generations_database_is_not_opened(void **state)
{
	struct place *place = *state;
	struct conf_fault fault;
	char first[COMPILED_NAME], second[COMPILED_NAME], from[128], to[128];

	put("etc/policy/must/10", "rule r\n always\n do hold 5m\n");
	put("etc/domains", "x.jp internal\n");
	assert_true(compile_generation(place->etc, place->compiled, first, &fault));
	put("etc/domains", "y.jp internal\n");
	assert_true(compile_generation(place->etc, place->compiled, second, &fault));
	assert_string_not_equal(first, second);
	(void)snprintf(from, sizeof from, "lib/compiled/%s/" ORG_FILE, first);
	(void)snprintf(to, sizeof to, "lib/compiled/%s/" ORG_FILE, second);
	assert_int_equal(rename(from, to), 0);
	assert_null(policy_open_current(&fault));
	assert_string_equal(fault.file, to);
	assert_string_equal(fault.text, "is not what its name says: compile again");
}

static void without_a_generation(void **state)
{
	struct conf_fault fault;

	(void)state;
	(void)unlink("lib/compiled/current");
	assert_null(policy_open_current(&fault));
	assert_string_equal(fault.file, COMPILED_CURRENT);
	assert_int_equal(symlink("../../etc", "lib/compiled/current"), 0);
	assert_null(policy_open_current(&fault));
	assert_int_equal(unlink("lib/compiled/current"), 0);
}

/* S0-07: names that do not exist are errors, with the near one and its place. */
static void names_are_checked(void **state)
{
	struct place *place = *state;
	struct org_names *names = NULL;
	struct rule_names known = {.known = org_name_known};
	struct conf_fault fault;
	char name[COMPILED_NAME], said[512];
	int dir;

	put("etc/policy/must/10", "rule r\n from group temp\n do hold 5m\n");
	assert_true(compile_generation(place->etc, place->compiled, name, &fault));
	dir = openat(place->compiled, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	assert_true(org_check(place->etc, &names, &fault));
	known.context = names;
	assert_null(policy_open_checked(dir, name, &known, &fault));
	conf_fault_show(&fault, said, sizeof said);
	assert_string_equal(said, "must/10:2:13: no group \"temp\"; near: temps (etc/groups:1)");
	org_names_free(names);
	(void)close(dir);
}

/* seki-inspect would refuse the whole ask: no mail at all would be judged. */
static void what_the_inspector_refuses(void **state)
{
	static const struct {
		const char *line, *said;
	} bad[] = {
	    {"words \"\xe2\x80\x8b\"",
		"must/10:2:2: \"\xe2\x80\x8b\" cannot be found in a text: no letters, or too many"},
	    {"regex \"Ａ+\"", "must/10:2:2: Ａ never stands in the text that is searched: it is "
			      "\"A\" there"},
	};
	struct place *place = *state;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct conf_fault fault;
		char name[COMPILED_NAME], text[256], said[512];
		int dir;

		(void)snprintf(text, sizeof text, "rule r\n %s\n do hold 5m\n", bad[i].line);
		put("etc/policy/must/10", text);
		assert_true(compile_generation(place->etc, place->compiled, name, &fault));
		dir = openat(place->compiled, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(dir >= 0);
		assert_null(policy_open(dir, name, &fault));
		conf_fault_show(&fault, said, sizeof said);
		assert_string_equal(said, bad[i].said);
		(void)close(dir);
	}
}

/* ---- warnings ---- */

static bool note(void *context, const char *where, const char *text)
{
	buf_addf(context, "%s: %s\n", where, text);
	return true;
}

static void assert_warns(const char *const *files, const char *expected)
{
	struct conf_fault fault;
	struct policy *p = read_set(&fault, files);
	struct buf said;

	assert_non_null(p);
	buf_init(&said, 1024 * 1024);
	policy_warnings(p, note, &said);
	buf_add(&said, "", 1);
	assert_string_equal(said.bytes, expected);
	buf_free(&said);
	policy_close(p);
}

static void never_reached(void **state)
{
	static const struct {
		const char *first, *second;
		bool never;
	} cases[] = {
	    {"to external", "to external\n file any", true},
	    {"to external\n file any", "to external", false},
	    {"to external", "to external\n unless file any", true},
	    {"to external\n unless file any", "to external", false},
	    {"to external\n unless file any", "to external\n unless file any", true},
	    {"to external\n unless file encrypted", "to external\n unless file any", true},
	    {"to external\n unless file any", "to external\n unless file encrypted", false},
	    {"to external\n unless from group a", "to external\n unless from group a, group b",
		true},
	    {"to external, internal", "to internal", true},
	    {"to internal", "to external, internal", false},
	    {"to not internal", "to external", true},
	    {"to external", "to not internal", false},
	    {"to not @a.jp", "to not @a.jp, @b.jp", true},
	    {"to @.jp", "to @a.jp, @b.c.jp", true},
	    {"to @.a.jp", "to @a.jp", false},
	    {"to @a.jp", "to x@a.jp", false}, /* who may have another address elsewhere */
	    {"from any", "from group a", true},
	    {"to first-time", "to first-time for site", true},
	    {"to first-time for site", "to first-time", false},
	    {"to tls >= starttls", "to tls >= sts", true},
	    {"visible >= 5", "visible external >= 5", true},
	    {"visible external >= 5", "visible >= 5", false},
	    {"visible external >= 5", "visible external > 9", true},
	    {"visible external > 9", "visible external >= 9", false},
	    {"files size >= 2MB", "files size >= 10MB", true},
	    {"file any", "files >= 3", true},
	    {"file any", "file name *.doc", true},
	    {"file name *.doc, *.xls", "file name *.doc size > 1KB", true},
	    {"file name *.doc", "file name *.doc, *.xls", false},
	    {"file name not *.txt", "file name not *.txt, *.csv", true},
	    {"files >= 1", "file encrypted", true},
	    {"words \"a\", list b", "words \"a\" in body", true},
	    {"words \"a\" in body", "words \"a\"", false},
	    {"words \"a\" >= 2", "words \"a\"", false},
	    {"words \"a\"", "words \"a\" >= 2 in subject", true},
	    {"pii card >= 1, name >= 10", "pii name >= 20 in files", true},
	    {"pii name >= 20", "pii name >= 10", false},
	    {"company other", "company other in body", true},
	    {"when 19:00-09:30", "when 20:00-21:00", true},
	    {"when 19:00-09:30", "when Mon 19:00-24:00, Fri 00:00-09:00", true},
	    {"when 19:00-09:30", "when 18:59-20:00", false},
	    {"when Sat-Sun, holiday", "when holiday", true},
	    {"when holiday", "when Sun", false},
	    {"when not Mon-Fri", "when Sun 10:00-11:00", true},
	    {"header Cc group a, group b", "header Cc group a", true},
	    {"header Cc group a", "header To group a", false},
	    {"regex \"a\"", "regex \"a\"\n to external", true},
	    {"message signed", "message signed\n when Mon", true},
	    {"message signed", "message not signed", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char rules[1024], expected[512] = "";
		unsigned line = 4;

		(void)snprintf(rules, sizeof rules,
		    "rule a\n %s\n do hold 5m\nrule b\n %s\n do hold 60m\n", cases[i].first,
		    cases[i].second);
		for (const char *c = cases[i].first; *c != '\0'; c++)
			line += *c == '\n';
		if (cases[i].never)
			(void)snprintf(expected, sizeof expected,
			    "must/10:%u: never reached: must/10:1 decides hold for everything that "
			    "matches here\n",
			    line);
		assert_warns(SET("must/10", rules), expected);
	}
	/* Another function, an additive one, a shadow: each is reached. */
	assert_warns(
	    SET("must/10", "rule a\n always\n do hold 5m\nrule b\n always\n do keep\n"), "");
	assert_warns(SET("must/10", "rule a\n always\n do forward refused a@x.jp\n"
				    "rule b\n always\n do forward refused b@x.jp\n"),
	    "");
	assert_warns(
	    SET("must/10", "rule a shadow\n always\n do hold 5m\nrule b\n always\n do hold no\n"),
	    "");
	/* A table decides for those who stand in it. */
	assert_warns(
	    SET("must/10", "rule a shadow\n to any\n do as table t\nrule b\n always\n do keep\n"),
	    "");
	/* Of two functions one. */
	assert_warns(SET("must/10", "rule a\n always\n do hold 5m\n"
				    "rule b\n to external\n do hold 60m\n do keep\n"),
	    "must/10:6: \"hold 60m\" is never reached: must/10:1 decides hold for all mail\n");
}

/* S0-09: nobody's own file keeps the administrator from taking a function away. */
static void left_out(void **state)
{
	(void)state;
	assert_warns(
	    SET("allow", "user hold\n", "user/a@x.jp", "rule r\n words \"secret\"\n do zip\n"),
	    "user/a@x.jp:3: is left out: a user's file may not decide files; the line \"user "
	    "files\" in etc/allow would permit it\n");
}

/* S0-08: what must/ decides is a floor. */
static void below_the_floor(void **state)
{
	static const char must[] = "rule a\n to external\n do hold 10m\n do notice always\n";
	static const char floor[] =
	    "changes nothing: must/10:1 has decided \"hold 10m\", and a later "
	    "layer may only be stricter";
	char expected[512];

	(void)state;
	(void)snprintf(expected, sizeof expected, "group/g:3: \"hold 5m\" %s\n", floor);
	assert_warns(SET("allow", "group hold notice\n", "must/10", must, "group/g",
			 "rule b\n to external\n do hold 5m\n"),
	    expected);
	assert_warns(SET("allow", "group hold\n", "must/10", must, "group/g",
			 "rule b\n to external\n do hold 11m\n"),
	    "");
	assert_warns(SET("allow", "group hold\n", "must/10", must, "group/g",
			 "rule b\n always\n do hold no\n"),
	    "");
	assert_warns(
	    SET("allow", "group hold\n", "must/10", "rule a\n always\n do hold 10m else discard\n",
		"group/g", "rule b\n always\n do hold until 09:00\n"),
	    "group/g:3: \"hold until 09:00\" changes nothing: must/10:1 has decided \"hold 10m "
	    "else "
	    "discard\", and a later layer may only be stricter\n");
	assert_warns(
	    SET("allow", "group hold\n", "must/10", "rule a\n always\n do hold until 09:00\n",
		"group/g", "rule b\n always\n do hold 3h\n"),
	    "");
	(void)snprintf(expected, sizeof expected,
	    "default/90:1: never reached: must/10:1 decides hold for everything that matches "
	    "here\n");
	assert_warns(
	    SET("must/10", must, "default/90", "rule b\n to external\n do hold 60m\n"), expected);
}

static void contradictions(void **state)
{
	static const struct {
		const char *a, *b;
		const char *shown_a, *shown_b;
	} cases[] = {
	    {"from group x", "from not group x", NULL, NULL},
	    {"visible >= 5", "visible < 3", NULL, NULL},
	    {"visible external >= 5", "visible < 3", NULL, NULL},
	    {"to internal", "to external, affiliated", NULL, NULL},
	    {"to @a.jp", "to @b.jp", NULL, NULL},
	    {"to tls >= sts", "to tls < verified", NULL, NULL},
	    {"file any", "files = 0", NULL, NULL},
	    {"file encrypted", "unless file any", NULL, NULL},
	    {"unless to external", "to external", NULL, NULL},
	    {"message signed", "message not signed", NULL, NULL},
	    {"when Mon-Fri", "when Sat", NULL, NULL},
	    {"when 09:00-12:00", "when 12:00-13:00", NULL, NULL},
	    {"pii card >= 1", "pii card = 0", NULL, NULL},
	    {"words not \"a\"", "words \"a\"", NULL, NULL},
	    {"files size > 2MB", "files size < 1MB", "files size > 2097152B",
		"files size < 1048576B"},
	};
	static const char *const fine[][2] = {
	    {"from group x", "from not group y"},
	    {"visible >= 5", "visible external < 3"},
	    {"to a@a.jp", "to b@b.jp"},                     /* two addresses of one person */
	    {"header Cc group a", "header Cc not group a"}, /* two addresses in Cc */
	    {"file encrypted", "file not encrypted"},       /* two files */
	    {"pii card >= 1 in body", "pii card = 0 in files"},
	    {"when Mon", "when 09:00-10:00"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char rules[512], expected[512];

		(void)snprintf(
		    rules, sizeof rules, "rule a\n %s\n %s\n do hold 5m\n", cases[i].a, cases[i].b);
		(void)snprintf(expected, sizeof expected,
		    "must/10:3: never matches: \"%s\" (line 2) and \"%s\" cannot both hold\n",
		    cases[i].shown_a != NULL ? cases[i].shown_a : cases[i].a,
		    cases[i].shown_b != NULL ? cases[i].shown_b : cases[i].b);
		assert_warns(SET("must/10", rules), expected);
	}
	for (size_t i = 0; i < COUNT_OF(fine); i++) {
		char rules[512];

		(void)snprintf(
		    rules, sizeof rules, "rule a\n %s\n %s\n do hold 5m\n", fine[i][0], fine[i][1]);
		assert_warns(SET("must/10", rules), "");
	}
}

static void what_waits(void **state)
{
	(void)state;
	assert_warns(
	    SET("must/10", "rule a\n always\n do bcc all\nrule b shadow\n always\n do bcc each\n"),
	    "must/10:3: mail that matches waits: this version cannot \"bcc all\" yet\n");
	assert_warns(SET("must/10", "rule a\n to external\n do zip twice\n"),
	    "must/10:3: mail that matches waits: this version cannot \"zip twice\" yet\n"
	    "must/10:3: Gmail and others refuse an archive within an archive: such mail comes "
	    "back\n");
	assert_warns(SET("must/10", "rule a\n do hold no\n"),
	    "must/10:1: has no condition, so it matches all mail: say \"always\"\n");
}

/* ---- figures ---- */

/* Arena and parsing: 1,000 rules in less than 1 MB and, with all room for slow machines, 0.5 s. */
static void a_thousand_rules(void **state)
{
	struct timespec begin, end;
	struct mallinfo2 before, after;
	struct conf_fault fault;
	struct buf b, rules;
	struct policy *p;
	double seconds;

	(void)state;
	buf_init(&rules, 4 * 1024 * 1024);
	for (size_t i = 0; i < 1000; i++)
		buf_addf(&rules,
		    "rule rule-number-%zu\n    from    group sales\n    to      external\n"
		    "    file    any\n    do      hold %zum\n\n",
		    i, i + 1);
	buf_add(&rules, "", 1);
	bundle_begin(&b);
	bundle_file(&b, "must/10", rules.bytes);
	assert_true(buf_ok(&b));
	before = mallinfo2();
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	p = policy_read(b.bytes, b.len, "rules", NULL, &fault);
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	assert_non_null(p);
	seconds = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
	print_message("1,000 rules: %.1f ms\n", seconds * 1e3);
	after = mallinfo2();
	print_message(
	    "%zu bytes\n", after.uordblks + after.hblkhd - before.uordblks - before.hblkhd);
	assert_true(after.uordblks + after.hblkhd < before.uordblks + before.hblkhd + 1024 * 1024);
	assert_int_equal(p->rules, 1000);
	assert_true(seconds < 0.5);
	policy_close(p);
	buf_free(&b);
	buf_free(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(layers_in_order),
	    cmocka_unit_test(what_may_be_decided),
	    cmocka_unit_test(damaged_bundles),
	    cmocka_unit_test(only_what_is_needed_is_asked),
	    cmocka_unit_test(S4_09_checks_are_asked),
	    cmocka_unit_test(texts_are_numbered),
	    cmocka_unit_test(the_inspector_reads_it),
	    cmocka_unit_test(too_much_to_ask),
	    cmocka_unit_test_setup_teardown(a_generation_is_opened, enter, leave),
	    cmocka_unit_test_setup_teardown(own_domains_are_asked, enter, leave),
	    cmocka_unit_test_setup_teardown(a_damaged_generation_is_not_opened, enter, leave),
	    cmocka_unit_test_setup_teardown(
		another_generations_database_is_not_opened, enter, leave),
	    cmocka_unit_test_setup_teardown(without_a_generation, enter, leave),
	    cmocka_unit_test_setup_teardown(names_are_checked, enter, leave),
	    cmocka_unit_test_setup_teardown(what_the_inspector_refuses, enter, leave),
	    cmocka_unit_test(never_reached),
	    cmocka_unit_test(left_out),
	    cmocka_unit_test(below_the_floor),
	    cmocka_unit_test(contradictions),
	    cmocka_unit_test(what_waits),
	    cmocka_unit_test(a_thousand_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
