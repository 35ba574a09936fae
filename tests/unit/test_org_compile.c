/* What is wrong in etc/ is told with its place; generations are made and put in force (S2-40). */
#include "tests/unit/org_kit.h"

#include "lib/org/password.h"

/* ---- faults ---- */

struct wrong {
	const char *path, *text, *told;
};

/* Each alone in an etc/ with the group "temps" in line 2 of etc/groups. */
static void assert_all_told(const struct wrong *wrong, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct kit k;

		kit_open(&k);
		kit_write(&k, "policy/must/README", "");
		if (strcmp(wrong[i].path, "groups") != 0)
			kit_write(&k, "groups", "# ours\ntemps\nsales\n");
		kit_write(&k, wrong[i].path, wrong[i].text);
		kit_blames(&k, wrong[i].told);
		kit_close(&k);
	}
}

static void people_and_groups_are_checked(void **state)
{
	static const struct wrong wrong[] = {
	    {"people", "a@b.example group=temp\n",
		"etc/people:1:19: no group \"temp\"; near: temps (etc/groups:2)"},
	    {"people", "a@b.example group=sales,managers\n",
		"etc/people:1:25: no group \"managers\""},
	    {"people", "a@b.example alias=a@日本.example\nb@b.example alias=A@xn--wgv71a.example\n",
		"etc/people:2: a@xn--wgv71a.example stands in line 1 already"},
	    {"people", "a@b.example boss=a@b..c\n",
		"etc/people:1:18: \"a@b..c\" cannot be an address"},
	    {"people", "a@b.example name=\xff\n", "etc/people:1:18: the name is not UTF-8"},
	    {"people", "a@b.example name=+E3+81\n", "etc/people:1:18: the name is not UTF-8"},
	    {"groups", ".temps\n",
		"etc/groups:1:1: the name of a group is 1 to 64 letters, digits, '-', '_' and '.'"},
	    {"groups", "temps a@b.example b.example\n",
		"etc/groups:1:19: an address, @DOMAIN or @.DOMAIN is expected, not \"b.example\""},
	    {"groups", "temps @\n",
		"etc/groups:1:7: an address, @DOMAIN or @.DOMAIN is expected, not \"@\""},
	};

	(void)state;
	assert_all_told(wrong, COUNT_OF(wrong));
}

static void places_are_checked(void **state)
{
	static const struct wrong wrong[] = {
	    {"domains", "a.example internl\n",
		"etc/domains:1:11: DOMAIN internal|affiliated is expected, not \"internl\"; near: "
		"internal"},
	    {"domains", "a.example\n", "etc/domains:1: DOMAIN internal|affiliated is expected"},
	    {"domains", "a.example internal x\n",
		"etc/domains:1:20: DOMAIN internal|affiliated is expected"},
	    {"domains", "a..example internal\n",
		"etc/domains:1:1: DOMAIN, or .DOMAIN for all below it, is expected, not "
		"\"a..example\""},
	    {"domains", "a.example internal\n\n@A.example affiliated\n",
		"etc/domains:3: a.example stands in line 1 already"},
	    {"lists/vip", "a@b.example\nb.example\n",
		"etc/lists/vip:2:1: an address, @DOMAIN or @.DOMAIN is expected, not "
		"\"b.example\""},
	    {"lists/v ip", "a@b.example\n",
		"etc/lists/v ip: a name has 1 to 64 letters, digits, '-', '_' and '.', and no '.' "
		"in "
		"front"},
	    {"lists/vip/more", "a@b.example\n",
		"etc/lists/vip: is a directory; a file is expected"},
	    {"tables/t", "@a.example\n",
		"etc/tables/t:1: actions are expected behind the destination, as in \"zip; "
		"password "
		"NAME\""},
	    {"tables/t", "a.example zip\n",
		"etc/tables/t:1:1: an address, @DOMAIN or @.DOMAIN is expected, not \"a.example\""},
	    {"tables/t", "@a.example keep\n@A.example. zip\n",
		"etc/tables/t:2: @a.example stands in line 1 already"},
	    {"tables/tls", "a.example tls\n",
		"etc/tables/tls:1:11: DOMAIN none|starttls|verified|sts|dane is expected, not "
		"\"tls\"; near: sts"},
	    {"holidays", "2027-02-29\n",
		"etc/holidays:1:1: a day is expected, as 2026-01-01, not \"2027-02-29\""},
	    {"holidays", "2026-1-1 x\n",
		"etc/holidays:1:1: a day is expected, as 2026-01-01, not \"2026-1-1\""},
	    {"holidays", "2026-01-01 a\n2026-01-01 b\n",
		"etc/holidays:2: 2026-01-01 stands in line 1 already"},
	    {"partners", "a.example\n",
		"etc/partners:1: the company's name is missing: DOMAIN ... | NAME | NAME ..."},
	    {"texts/t", "ok\nbad \xff\n", "etc/texts/t:2: this is not UTF-8"},
	    {"texts/t", "ok\rbad\n", "etc/texts/t:1: a control character (byte 0x0d)"},
	};

	(void)state;
	assert_all_told(wrong, COUNT_OF(wrong));
}

/* What lib/rules says of a row has the place of the row's word. */
static void rows_are_read_as_rules_are(void **state)
{
	struct conf_fault fault;
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_write(&k, "policy/must/README", "");
	kit_write(&k, "passwords/random-10", "generate 10 upper lower\n");
	kit_write(&k, "tables/t", "# t\n@a.example   zip; password random-1 # comment\n");
	assert_false(org_check(k.etc, NULL, &fault));
	assert_string_equal(fault.file, "etc/tables/t");
	assert_int_equal(fault.line, 2);
	assert_int_equal(fault.column, 28);
	assert_non_null(strstr(fault.text, "random-10 (etc/passwords/random-10)"));
	kit_write(&k, "tables/t", "@a.example   zip; password random-10\n");
	assert_true(org_check(k.etc, NULL, &fault));
	kit_close(&k);
}

static void names_are_known(void **state)
{
	struct org_names *names;
	struct conf_fault fault;
	struct kit k;
	char near[64];

	(void)state;
	kit_open(&k);
	kit_write(&k, "policy/must/README", "");
	kit_write(&k, "groups", "sales\n# x\ntemps a@b.example\nsales c@b.example\n");
	kit_write(&k, "lists/vip", "");
	kit_write(&k, "tables/destinations", "");
	kit_write(&k, "tables/tls", "");
	kit_write(&k, "words/secret", "");
	kit_write(&k, "texts/a", "");
	kit_write(&k, "passwords/p", "by-hand\n");
	assert_true(org_check(k.etc, &names, &fault));
	assert_true(org_name_known(names, RULE_NAME_GROUP, "sales", near, sizeof near));
	assert_false(org_name_known(names, RULE_NAME_GROUP, "temp", near, sizeof near));
	assert_string_equal(near, "temps (etc/groups:3)");
	assert_false(org_name_known(names, RULE_NAME_GROUP, "xxxxxxxx", near, sizeof near));
	assert_string_equal(near, "");
	assert_true(org_name_known(names, RULE_NAME_LIST, "vip", near, sizeof near));
	assert_true(org_name_known(names, RULE_NAME_WORDS, "secret", near, sizeof near));
	assert_true(org_name_known(names, RULE_NAME_TEXT, "a", near, sizeof near));
	assert_true(org_name_known(names, RULE_NAME_PASSWORD, "p", near, sizeof near));
	assert_true(org_name_known(names, RULE_NAME_TABLE, "destinations", near, sizeof near));
	assert_false(org_name_known(names, RULE_NAME_TABLE, "destination", near, sizeof near));
	assert_string_equal(near, "destinations (etc/tables/destinations)");
	assert_false(org_name_known(names, RULE_NAME_TABLE, "tls", near, sizeof near));
	org_names_free(names);
	kit_close(&k);
}

/* ---- password policies ---- */

static bool policy(const char *text, struct password_policy *p, char told[512])
{
	struct conf_fault fault;
	bool good = password_policy_parse(text, strlen(text), "etc/passwords/p", p, &fault);

	if (!good)
		conf_fault_show(&fault, told, 512);
	return good;
}

static void password_policies_are_read(void **state)
{
	static const struct {
		const char *text, *told;
	} wrong[] = {
	    {"", "etc/passwords/p: it does not say where the password comes from: generate, fixed "
		 "or "
		 "by-hand"},
	    {"fixed secret\n",
		"etc/passwords/p:1:7: the password itself stands in etc/secrets, never here"},
	    {"fixed\nby-hand\n",
		"etc/passwords/p:2:1: a policy says once where the password comes from"},
	    {"generate 3 upper\n",
		"etc/passwords/p:1:10: a number of letters from 4 to 128 is expected, not \"3\""},
	    {"generate 10\n", "etc/passwords/p:1: \"generate N upper lower digit symbol\" is "
			      "expected, one of them "
			      "or more"},
	    {"generate 10 uper\n",
		"etc/passwords/p:1:13: upper, lower, digit or symbol is expected, not \"uper\"; "
		"near: upper"},
	    {"fixed\ntel sender\n", "etc/passwords/p:2:1: generate, fixed, by-hand, tell, after or "
				    "hint is expected, not "
				    "\"tel\"; near: tell"},
	    {"fixed\ntell hint\n", "etc/passwords/p: \"tell hint\" needs a line \"hint TEXT\""},
	    {"fixed\nafter 3\n",
		"etc/passwords/p:2:7: a span of at most 7d is expected, as 3m, not \"3\""},
	    {"fixed\nafter 8d\n",
		"etc/passwords/p:2:7: a span of at most 7d is expected, as 3m, not \"8d\""},
	    {"fixed\ntell sender\ntell both\n", "etc/passwords/p:3:1: tell stands twice"},
	};
	struct password_policy p;
	char told[512];

	(void)state;
	assert_true(
	    policy("generate   10 upper lower digit symbol\ntell recipient\nafter 3m\n", &p, told));
	assert_int_equal(p.source, PASSWORD_GENERATED);
	assert_int_equal(p.length, 10);
	assert_int_equal(p.letters, 15);
	assert_int_equal(p.tell, PASSWORD_TO_RECIPIENT);
	assert_true(p.after == 180 * INT64_C(1000000));
	assert_true(policy("fixed\ntell hint\nhint last 4  digits\n", &p, told));
	assert_int_equal(p.source, PASSWORD_FIXED);
	assert_string_equal(p.hint, "last 4 digits");
	assert_true(policy("by-hand\n", &p, told));
	assert_int_equal(p.tell, PASSWORD_TO_SENDER);
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		assert_false(policy(wrong[i].text, &p, told));
		assert_string_equal(told, wrong[i].told);
	}
}

/* ---- the rules' file ---- */

static char *slurp(int dir, const char *path)
{
	static char bytes[65536];
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, bytes, sizeof bytes - 1);

	assert_true(fd >= 0 && n >= 0);
	bytes[n] = '\0';
	close(fd);
	return bytes;
}

static void rules_are_bundled_in_order(void **state)
{
	struct conf_fault fault;
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_write(&k, "policy/must/README", "");
	kit_write(&k, "groups", "sales\nstaff\n");
	kit_write(&k, "allow", "user hold\n");
	kit_write(&k, "policy/README", "not read");
	kit_write(&k, "policy/tests/a.test", "not read");
	kit_write(&k, "policy/default/90-rest", "D");
	kit_write(&k, "policy/must/50-b", "B\n");
	kit_write(&k, "policy/must/10-a", "");
	kit_write(&k, "policy/must/10-a~", "old");
	kit_write(&k, "policy/must/#10-a#", "old");
	kit_write(&k, "policy/must/README", "not read");
	kit_write(&k, "policy/group/sales/20-y", "Y");
	kit_write(&k, "policy/group/sales/10-x", "X");
	kit_write(&k, "policy/group/staff", "S");
	kit_write(&k, "policy/user/a@b.example", "U");
	assert_true(rules_bundle(k.etc, k.out, &fault));
	assert_string_equal(slurp(k.out, COMPILED_RULES),
	    "sekisho-rules 1\nfile allow 10\nuser hold\n"
	    "file must/10-a 0\nfile must/50-b 2\nB\n"
	    "file group/sales/10-x 1\nXfile group/sales/20-y 1\nYfile group/staff 1\nS"
	    "file user/a@b.example 1\nUfile default/90-rest 1\nD");
	kit_close(&k);
}

static void misplaced_rules_are_a_fault(void **state)
{
	static const struct wrong wrong[] = {
	    {"policy/group/temp/10-a", "",
		"etc/policy/group/temp: no group \"temp\"; near: temps (etc/groups:2)"},
	    {"policy/user/taro", "", "etc/policy/user/taro: the name is not a user's address"},
	    {"policy/user/Taro@B.example/10-a", "",
		"etc/policy/user/Taro@B.example: the address is written as taro@b.example here"},
	    {"policy/user/\"a b\"@c.example", "",
		"etc/policy/user/\"a b\"@c.example: a blank in a user's address"},
	    {"policy/must/sub/10-a", "",
		"etc/policy/must/sub: is a directory; files with rules are expected"},
	    {"policy/must/10 a", "",
		"etc/policy/must/10 a: a name has 1 to 64 letters, digits, '-', '_' and '.', and "
		"no "
		"'.' in front"},
	    {"policy/defaults/10-a", "",
		"etc/policy/defaults: the directories must, group, user, default and tests are "
		"expected"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct conf_fault fault;
		struct kit k;
		char text[512];

		kit_open(&k);
		kit_write(&k, "policy/must/README", "");
		kit_write(&k, "groups", "# ours\ntemps\nsales\n");
		kit_write(&k, wrong[i].path, wrong[i].text);
		assert_false(rules_bundle(k.etc, k.out, &fault));
		conf_fault_show(&fault, text, sizeof text);
		assert_string_equal(text, wrong[i].told);
		kit_close(&k);
	}
}

/* Rules that were moved away are not "no rules". */
static void missing_rules_are_a_fault(void **state)
{
	struct conf_fault fault;
	struct kit k;

	(void)state;
	kit_open(&k);
	assert_false(rules_bundle(k.etc, k.out, &fault));
	assert_string_equal(fault.file, "etc/policy/must");
	kit_write(&k, "policy/must/README", "");
	assert_true(rules_bundle(k.etc, k.out, &fault));
	kit_close(&k);
}

/* ---- generations ---- */

static void current(struct kit *k, char name[COMPILED_NAME])
{
	ssize_t n = readlinkat(k->out, "current", name, COMPILED_NAME - 1);

	assert_in_range(n, 33, 33);
	name[n] = '\0';
}

static bool is_there(struct kit *k, const char *name, const char *file)
{
	char path[128];

	(void)snprintf(path, sizeof path, "%s/%s", name, file);
	return faccessat(k->out, path, F_OK, 0) == 0;
}

static void make(struct kit *k, char name[COMPILED_NAME])
{
	struct conf_fault fault;
	char linked[COMPILED_NAME];

	assert_true(compile_generation(k->etc, k->out, name, &fault));
	current(k, linked);
	assert_string_equal(name, linked);
}

/* The rules of all are kept, org.cdb of two: a leg names the rules that it was judged by. */
static void generations_follow_each_other(void **state)
{
	char a[COMPILED_NAME], b[COMPILED_NAME], c[COMPILED_NAME], again[COMPILED_NAME];
	struct kit k;
	struct stat st;

	(void)state;
	kit_open(&k);
	kit_write(&k, "policy/must/README", "");
	kit_write(&k, "policy/must/10-a", "one");
	make(&k, a);
	make(&k, again);
	assert_string_equal(a, again);
	kit_write(&k, "policy/must/10-a", "two");
	make(&k, b);
	assert_string_not_equal(a, b);
	assert_memory_equal(a + 16, b + 16, 17); /* the same people */
	assert_true(is_there(&k, a, ORG_FILE));
	kit_write(&k, "groups", "sales\nstaff @x.example\n");
	make(&k, c);
	assert_memory_equal(b, c, 16); /* the same rules */
	assert_string_not_equal(b, c);
	assert_true(is_there(&k, a, COMPILED_RULES));
	assert_false(is_there(&k, a, ORG_FILE));
	assert_true(is_there(&k, b, ORG_FILE));
	assert_true(is_there(&k, c, ORG_FILE));

	/* Back again: what was taken away is there anew. */
	kit_write(&k, "groups", "");
	kit_write(&k, "policy/must/10-a", "one");
	make(&k, again);
	assert_string_equal(a, again);
	assert_true(is_there(&k, a, ORG_FILE));
	assert_false(is_there(&k, b, ORG_FILE));
	assert_true(is_there(&k, c, ORG_FILE));

	assert_int_equal(fstatat(k.out, again, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	(void)snprintf(again, sizeof again, "current/%s", COMPILED_RULES);
	assert_int_equal(fstatat(k.out, again, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	/* No more than etc/ says to everybody; programs that are no stage ask it. */
	assert_int_equal(fstatat(k.out, "current/" ORG_FILE, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	kit_close(&k);
}

static void a_damaged_generation_is_mended(void **state)
{
	char a[COMPILED_NAME], path[128];
	struct org *org;
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_write(&k, "policy/must/README", "");
	kit_write(&k, "policy/must/10-a", "one");
	make(&k, a);
	(void)snprintf(path, sizeof path, "%s/%s", a, COMPILED_RULES);
	assert_int_equal(unlinkat(k.out, path, 0), 0);
	make(&k, a);
	assert_true(is_there(&k, a, COMPILED_RULES));
	(void)snprintf(path, sizeof path, "../compiled/%s/%s", a, ORG_FILE);
	kit_write(&k, path, "torn");
	make(&k, a);
	assert_true(is_there(&k, a, ORG_FILE));
	close(k.out);
	(void)snprintf(path, sizeof path, "%s/compiled/%s", k.path, a);
	k.out = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	org = org_open(k.out);
	assert_non_null(org);
	org_close(org);
	kit_close(&k);
}

/* A red test: what was prepared goes away again, and what was current stays. */
static void a_generation_may_be_abandoned(void **state)
{
	char a[COMPILED_NAME], linked[COMPILED_NAME];
	struct generation g;
	struct conf_fault fault;
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_write(&k, "policy/must/README", "");
	make(&k, a);
	kit_write(&k, "policy/must/10-a", "red");
	assert_true(compile_prepare(k.etc, k.out, &g, NULL, &fault));
	assert_true(g.made);
	assert_true(is_there(&k, g.name, COMPILED_RULES));
	current(&k, linked);
	assert_string_equal(a, linked);
	compile_abandon(k.out, &g);
	assert_false(is_there(&k, g.name, COMPILED_RULES));
	assert_int_not_equal(faccessat(k.out, g.name, F_OK, 0), 0);

	/* The one in force is never taken away. */
	kit_write(&k, "policy/must/10-a", "");
	make(&k, a);
	assert_true(compile_prepare(k.etc, k.out, &g, NULL, &fault));
	assert_true(g.current);
	compile_abandon(k.out, &g);
	assert_true(is_there(&k, a, COMPILED_RULES));
	assert_true(is_there(&k, a, ORG_FILE));
	kit_close(&k);
}

static void a_fault_changes_nothing(void **state)
{
	char a[COMPILED_NAME], b[COMPILED_NAME];
	struct conf_fault fault;
	struct kit k;

	(void)state;
	kit_open(&k);
	kit_write(&k, "policy/must/README", "");
	make(&k, a);
	kit_write(&k, "domains", "x\n");
	assert_false(compile_generation(k.etc, k.out, b, &fault));
	assert_string_equal(fault.file, "etc/domains");
	current(&k, b);
	assert_string_equal(a, b);
	assert_int_not_equal(faccessat(k.out, ".new", F_OK, 0), 0);

	/* What somebody who was killed has left is in nobody's way. */
	assert_int_equal(mkdirat(k.out, ".new", 0755), 0);
	kit_write(&k, "../compiled/.new/rules", "half");
	assert_int_equal(symlinkat("nowhere", k.out, ".current"), 0);
	kit_write(&k, "domains", "x.example internal\n");
	make(&k, b);
	assert_string_not_equal(a, b);
	kit_close(&k);
}

/* The samples as installed are right, and name every holiday of two years. */
static void the_samples_compile(void **state)
{
	struct kit k;
	struct org *org;
	struct org_names *names;
	struct conf_fault fault;

	(void)state;
	kit_open(&k);
	kit_write(&k, "policy/must/README", "");
	close(k.etc);
	k.etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	org = kit_org(&k);
	assert_true(org_holiday(org, 2026, 9, 22));
	assert_true(org_holiday(org, 2027, 3, 22));
	assert_false(org_holiday(org, 2026, 9, 24));
	org_close(org);
	assert_true(org_check(k.etc, &names, &fault));
	assert_false(org_name_known(names, RULE_NAME_LIST, "README", NULL, 0));
	assert_false(org_name_known(names, RULE_NAME_TEXT, "README", NULL, 0));
	org_names_free(names);
	kit_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(people_and_groups_are_checked),
	    cmocka_unit_test(places_are_checked),
	    cmocka_unit_test(rows_are_read_as_rules_are),
	    cmocka_unit_test(names_are_known),
	    cmocka_unit_test(password_policies_are_read),
	    cmocka_unit_test(rules_are_bundled_in_order),
	    cmocka_unit_test(misplaced_rules_are_a_fault),
	    cmocka_unit_test(missing_rules_are_a_fault),
	    cmocka_unit_test(generations_follow_each_other),
	    cmocka_unit_test(a_damaged_generation_is_mended),
	    cmocka_unit_test(a_generation_may_be_abandoned),
	    cmocka_unit_test(a_fault_changes_nothing),
	    cmocka_unit_test(the_samples_compile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
