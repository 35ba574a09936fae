/* Changing people's rules: who may, what is checked, what is put in force, and what is left behind by whoever is
 * killed in the middle (S0-03, S0-07, S1-24c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/xtext.h"
#include "lib/mine/answer.h"
#include "lib/mine/file.h"
#include "lib/org/compile.h"
#include "lib/policy/policy.h"

#define ALICE "alice@example.co.jp"
#define BOB   "bob@example.co.jp"

struct kit {
	char path[128];
	int home; /* the directory before */
	struct settings settings;
	struct gate_key key;
	struct mine mine;
	json_t *answer;
	enum mine_tested tested;
	const char *by_hand; /* what somebody writes in Alice's file while tests run */
};

static void put(const char *path, const char *text);

static enum mine_tested pass_tests(void *context, const char *generation)
{
	const struct kit *k = context;

	assert_int_equal(strlen(generation), 33);
	if (k->by_hand != NULL)
		put("etc/policy/user/" ALICE, k->by_hand);
	return k->tested;
}

/* ---- an instance -------------------------------------------------------------------------- */

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void folder(const char *path)
{
	assert_int_equal(mkdir(path, 0755), 0);
}

static void compile(struct kit *k, char name[COMPILED_NAME])
{
	int etc = open("etc", O_RDONLY | O_DIRECTORY),
	    compiled = open(COMPILED, O_RDONLY | O_DIRECTORY);
	struct conf_fault fault;
	char text[512];

	(void)k;
	if (!compile_generation(etc, compiled, name, &fault)) {
		conf_fault_show(&fault, text, sizeof text);
		fail_msg("%s", text);
	}
	close(etc);
	close(compiled);
}

static void settings(struct kit *k)
{
	struct conf_fault fault;
	int etc = open("etc", O_RDONLY | O_DIRECTORY);

	assert_true(settings_read(etc, &k->settings, &fault));
	close(etc);
}

static void open_kit(struct kit *k)
{
	const char *tmp = getenv("TMPDIR");
	char name[COMPILED_NAME];

	*k = (struct kit){.home = open(".", O_RDONLY | O_DIRECTORY), .tested = MINE_TESTS_FINE};
	(void)snprintf(k->path, sizeof k->path, "%.90s/mine.XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(k->path));
	assert_int_equal(chdir(k->path), 0);
	folder("etc");
	folder("etc/policy");
	folder("etc/policy/must");
	folder("etc/policy/user");
	folder("etc/policy/default");
	folder("etc/passwords");
	folder("lib");
	folder("lib/gate");
	folder("lib/audit");
	folder("lib/audit/trays");
	folder(COMPILED);
	put("etc/settings", "audit no\nown-rules 4\n");
	put("etc/domains", "example.co.jp internal\n");
	put("etc/people", ALICE " alias=a.tanaka@example.co.jp\n" BOB "\n");
	put("etc/allow", "user hold approve bcc password\n");
	put("etc/policy/must/50-all", "rule floor\n    to external\n    do hold 10m\n");
	put("etc/policy/default/90", "rule rest\n    always\n    do hold 1m\n");
	put("etc/passwords/fixed", "by-hand\n");
	compile(k, name);
	settings(k);
	assert_true(gate_key_read(true, &k->key));
	k->mine = (struct mine){.settings = &k->settings,
	    .key = &k->key,
	    .audit = audit_reach("seki-rules"),
	    .etc = open("etc", O_RDONLY | O_DIRECTORY),
	    .users = open("etc/policy/user", O_RDONLY | O_DIRECTORY),
	    .compiled = open(COMPILED, O_RDONLY | O_DIRECTORY),
	    .test = pass_tests,
	    .context = k};
	audit_settings(k->mine.audit, &k->settings);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void close_kit(struct kit *k)
{
	json_decref(k->answer);
	close(k->mine.etc);
	close(k->mine.users);
	close(k->mine.compiled);
	audit_leave(k->mine.audit);
	assert_int_equal(fchdir(k->home), 0);
	close(k->home);
	assert_int_equal(nftw(k->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* ---- asking ------------------------------------------------------------------------------- */

static void ask_line(struct kit *k, const char *line)
{
	json_decref(k->answer);
	k->answer = mine_answer(&k->mine, line, strlen(line));
	assert_non_null(k->answer);
	/* As the process that serves one request ends. */
	close(k->mine.compiled);
	k->mine.compiled = open(COMPILED, O_RDONLY | O_DIRECTORY);
}

static const char *text_of(const struct kit *k, const char *key)
{
	const char *text = json_string_value(json_object_get(k->answer, key));

	return text != NULL ? text : "";
}

static const char *line_for(const struct kit *k, const char *who, int64_t until, const char *words)
{
	static char line[MINE_REQUEST_MAX];
	char ticket[GATE_SESSION_TEXT];

	assert_true(gate_session_write(&k->key, who, until, ticket));
	(void)snprintf(line, sizeof line, "session=%s %s", ticket, words);
	return line;
}

/* Words behind the ticket, as they are sent. Returns "done", or the code, or the other result. */
static const char *ask(struct kit *k, const char *who, const char *words)
{
	ask_line(k, line_for(k, who, clock_wall() + 60 * CLOCK_SECOND, words));
	return strcmp(text_of(k, "result"), "no") == 0 ? text_of(k, "code") : text_of(k, "result");
}

static void digest_now(struct kit *k, const char *who, char digest[DIGEST_HEX])
{
	assert_string_equal(ask(k, who, "rules"), "done");
	(void)snprintf(digest, DIGEST_HEX, "%s", text_of(k, "digest"));
}

static const char *add(struct kit *k, const char *who, const char *form)
{
	char digest[DIGEST_HEX], words[4096];

	digest_now(k, who, digest);
	(void)snprintf(words, sizeof words, "add digest=%s %s", digest, form);
	return ask(k, who, words);
}

static const char *cut(struct kit *k, const char *who, int n)
{
	char digest[DIGEST_HEX], words[200];

	digest_now(k, who, digest);
	(void)snprintf(words, sizeof words, "remove digest=%s n=%d", digest, n);
	return ask(k, who, words);
}

/* ---- what is there ------------------------------------------------------------------------ */

static void file_of(const char *who, char text[8192])
{
	char path[400];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof path, "etc/policy/user/%s", who);
	fd = open(path, O_RDONLY);
	n = fd >= 0 ? read(fd, text, 8191) : 0;
	assert_true(n >= 0);
	text[n] = '\0';
	if (fd >= 0)
		close(fd);
}

static void current(char name[COMPILED_NAME])
{
	ssize_t n = readlink(COMPILED_CURRENT, name, COMPILED_NAME - 1);

	assert_true(n > 0);
	name[n] = '\0';
}

/* What is in force for somebody is what his file says, and what "seki compile" would make of it all. */
static void assert_settled(struct kit *k, const char *who)
{
	char now[COMPILED_NAME], again[COMPILED_NAME], text[8192], path[400];
	struct conf_fault fault;
	struct buf rules;
	const char *found;
	struct stat st;
	size_t n;

	current(now);
	file_of(who, text);
	(void)snprintf(path, sizeof path, "user/%s", who);
	buf_init(&rules, 1 << 20);
	assert_true(policy_current_rules(&rules, &fault));
	found = policy_rules_find(rules.bytes, rules.len, path, &n);
	assert_int_equal(n, strlen(text));
	if (n > 0)
		assert_memory_equal(found, text, n);
	buf_free(&rules);
	(void)snprintf(path, sizeof path, "etc/policy/user/.%s.old", who);
	assert_int_equal(stat(path, &st), -1);
	(void)snprintf(path, sizeof path, "etc/policy/user/.%s.new", who);
	assert_int_equal(stat(path, &st), -1);
	compile(k, again);
	assert_string_equal(now, again);
}

/* ---- tests -------------------------------------------------------------------------------- */

#define HOLD30 "when-to=@x.example do=hold do-time=30m"

static void test_a_rule_of_ones_own(void **state)
{
	struct kit k;
	char text[8192];

	(void)state;
	open_kit(&k);
	assert_string_equal(ask(&k, ALICE, "try " HOLD30), "done");
	assert_string_equal(
	    text_of(&k, "text"), "rule own-1\n    to      @x.example\n    do      hold 30m\n");
	file_of(ALICE, text);
	assert_string_equal(text, ""); /* a trial writes nothing */
	assert_settled(&k, ALICE);

	assert_string_equal(add(&k, ALICE, HOLD30), "done");
	file_of(ALICE, text);
	assert_string_equal(text, "rule own-1\n    to      @x.example\n    do      hold 30m\n");
	assert_settled(&k, ALICE);

	/* Another way to the same person; another name; a second rule. */
	assert_string_equal(
	    add(&k, "a.tanaka@example.co.jp", "name=b when-to=c@d.example do=hold do-time=2h"),
	    "done");
	assert_int_equal(json_integer_value(json_object_get(k.answer, "n")), 2);
	file_of(ALICE, text);
	assert_string_equal(text, "rule own-1\n    to      @x.example\n    do      hold 30m\n\n"
				  "rule b\n    to      c@d.example\n    do      hold 2h\n");
	assert_settled(&k, ALICE);

	assert_string_equal(cut(&k, ALICE, 1), "done");
	file_of(ALICE, text);
	assert_string_equal(text, "rule b\n    to      c@d.example\n    do      hold 2h\n");
	assert_settled(&k, ALICE);
	assert_string_equal(cut(&k, ALICE, 1), "done");
	assert_int_equal(access("etc/policy/user/" ALICE, F_OK), -1);
	assert_settled(&k, ALICE);
	assert_string_equal(cut(&k, ALICE, 1), "none");
	close_kit(&k);
}

static void test_who_asks(void **state)
{
	static const char *const bad[] = {"x@other.example", "a/b@example.co.jp",
	    "\"a b\"@example.co.jp", "#a@example.co.jp", ".a@example.co.jp", "a@example.co.jp.bak",
	    "..@example.co.jp"};
	struct gate_key none = {{0}};
	struct kit k;
	char line[2048];

	(void)state;
	open_kit(&k);
	ask_line(&k, line_for(&k, ALICE, clock_wall() - 1, "rules"));
	assert_string_equal(text_of(&k, "result"), "expired");
	(void)snprintf(line, sizeof line, "%s",
	    line_for(&k, ALICE, clock_wall() + 60 * CLOCK_SECOND, "rules"));
	line[12] = line[12] == 'A' ? 'B' : 'A';
	ask_line(&k, line);
	assert_string_equal(text_of(&k, "result"), "forged");
	ask_line(&k, "rules");
	assert_string_equal(text_of(&k, "code"), "request");
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_string_equal(ask(&k, bad[i], "rules"), "nobody");
	/* Somebody of this house without a line in etc/people may. */
	assert_string_equal(ask(&k, "new@example.co.jp", "rules"), "done");
	/* Without a key nobody is believed. */
	k.mine.key = &none;
	assert_string_equal(ask(&k, ALICE, "rules"), "forged");
	close_kit(&k);
}

static void test_what_is_not_allowed(void **state)
{
	char text[8192];
	struct kit k;

	(void)state;
	open_kit(&k);
	assert_string_equal(add(&k, ALICE, "do=stagger do-time=60m"), "not-allowed");
	assert_string_equal(add(&k, ALICE, "do=refuse"), "not-allowed");
	assert_string_equal(add(&k, ALICE, "do=password do-password=fixed"), "done");
	assert_string_equal(add(&k, ALICE, "do=password do-password=other"), "field");
	assert_string_equal(text_of(&k, "why"), "unknown");
	assert_string_equal(text_of(&k, "field"), "do-password");
	assert_string_equal(add(&k, ALICE, "name=own-1 " HOLD30), "field");
	assert_string_equal(text_of(&k, "why"), "used");
	assert_string_equal(add(&k, ALICE, "when-words=+E2+80+8B do=hold do-time=5m"), "field");
	assert_string_equal(text_of(&k, "field"), "when-words");
	assert_string_equal(add(&k, ALICE, HOLD30), "done");
	assert_string_equal(add(&k, ALICE, HOLD30), "done");
	assert_string_equal(add(&k, ALICE, HOLD30), "done");
	assert_string_equal(add(&k, ALICE, HOLD30), "many"); /* own-rules 4 */
	assert_string_equal(ask(&k, ALICE, "try " HOLD30), "many");
	assert_string_equal(add(&k, BOB, HOLD30), "done");
	file_of(BOB, text);
	assert_non_null(strstr(text, "own-1"));
	assert_settled(&k, ALICE);
	assert_settled(&k, BOB);
	close_kit(&k);
}

/* S1-24c: one's own rule makes it longer, never shorter than etc/policy/must, and he is told. */
static void test_warnings(void **state)
{
	struct kit k;

	(void)state;
	open_kit(&k);
	assert_string_equal(ask(&k, ALICE, "try when-to=external do=hold do-time=5m"), "done");
	assert_string_equal(json_string_value(json_object_get(
				json_array_get(json_object_get(k.answer, "warnings"), 0), "code")),
	    "changes-nothing");
	assert_string_equal(ask(&k, ALICE, "try when-to=external do=hold do-time=20m"), "done");
	assert_int_equal(json_array_size(json_object_get(k.answer, "warnings")), 0);
	assert_string_equal(ask(&k, ALICE, "try do=bcc do-bcc=all"), "done");
	assert_string_equal(json_string_value(json_object_get(
				json_array_get(json_object_get(k.answer, "warnings"), 0), "code")),
	    "cannot");
	assert_string_equal(add(&k, ALICE, HOLD30), "done");
	assert_string_equal(
	    add(&k, ALICE, "when-to=b@x.example,@x.example do=hold do-time=30m"), "done");
	assert_string_equal(add(&k, ALICE, HOLD30), "done");
	assert_string_equal(json_string_value(json_object_get(
				json_array_get(json_object_get(k.answer, "warnings"), 0), "code")),
	    "never-reached");
	close_kit(&k);
}

static void test_two_browsers(void **state)
{
	char digest[DIGEST_HEX], words[400];
	struct kit k;

	(void)state;
	open_kit(&k);
	digest_now(&k, ALICE, digest);
	assert_string_equal(add(&k, ALICE, HOLD30), "done");
	(void)snprintf(words, sizeof words, "add digest=%s " HOLD30, digest);
	assert_string_equal(ask(&k, ALICE, words), "changed");
	assert_string_equal(ask(&k, ALICE, "add " HOLD30), "changed");
	(void)snprintf(words, sizeof words, "remove digest=%s n=1", digest);
	assert_string_equal(ask(&k, ALICE, words), "changed");
	assert_settled(&k, ALICE);
	close_kit(&k);
}

/* What an administrator is just writing stays out of force; what he has broken stops nobody. */
static void test_an_administrator_at_work(void **state)
{
	char before[COMPILED_NAME], text[8192];
	struct conf_fault fault;
	struct policy *policy;
	struct kit k;

	(void)state;
	open_kit(&k);
	put("etc/policy/must/60-new", "rule half-writt");
	put("etc/allow", "user hold approve bcc password stagger\n");
	put("etc/domains", "example.co.jp internal\nx.example internal\n");
	assert_string_equal(add(&k, ALICE, "do=stagger do-time=60m"), "not-allowed");
	assert_string_equal(add(&k, ALICE, HOLD30), "done");
	policy = policy_open_current(&fault);
	assert_non_null(policy);
	assert_int_equal(policy->rules, 3);
	assert_int_equal(org_class(policy->org, "b@x.example"), CLASS_EXTERNAL);
	policy_close(policy);
	current(before);

	/* A rule of his own that etc/allow does not let him have any more is an administrator's business. */
	put("etc/policy/must/60-new", "");
	put("etc/allow", "user bcc\n");
	assert_string_equal(cut(&k, ALICE, 1), "done");
	file_of(ALICE, text);
	assert_string_equal(text, "");
	close_kit(&k);
}

/* A file that somebody else wrote is shown, and left alone. */
static void test_written_by_hand(void **state)
{
	static const char mine[] =
	    "# mine\nrule a shadow\n    to external\n    do hold 20m   # why\n\n"
	    "# next\nrule b\n    always\n    do hold 5m\n# the end\n";
	char digest[DIGEST_HEX], words[300], text[8192], name[COMPILED_NAME];
	json_t *rules;
	struct kit k;

	(void)state;
	open_kit(&k);
	/* One of ours with what no form has: comments stay, and only whole rules go. */
	put("etc/policy/user/" ALICE, mine);
	compile(&k, name);
	assert_string_equal(ask(&k, ALICE, "rules"), "done");
	assert_false(json_is_true(json_object_get(k.answer, "hand")));
	rules = json_object_get(k.answer, "rules");
	assert_int_equal(json_array_size(rules), 2);
	assert_true(json_is_null(json_object_get(json_array_get(rules, 0), "fields")));
	assert_string_equal(json_string_value(json_object_get(json_array_get(rules, 0), "text")),
	    "rule a shadow\n    to external\n    do hold 20m   # why\n");
	assert_true(json_is_object(json_object_get(json_array_get(rules, 1), "fields")));
	assert_string_equal(cut(&k, ALICE, 1), "done");
	file_of(ALICE, text);
	assert_string_equal(
	    text, "# mine\n# next\nrule b\n    always\n    do hold 5m\n# the end\n");
	assert_settled(&k, ALICE);

	/* A directory is an administrator's, whoever runs this. */
	folder("etc/policy/user/" BOB);
	put("etc/policy/user/" BOB "/10-a", "rule a\n    always\n    do hold 5m\n");
	compile(&k, name);
	assert_string_equal(ask(&k, BOB, "rules"), "done");
	assert_true(json_is_true(json_object_get(k.answer, "hand")));
	assert_int_equal(json_array_size(json_object_get(k.answer, "rules")), 1);
	digest_now(&k, BOB, digest);
	(void)snprintf(words, sizeof words, "add digest=%s " HOLD30, digest);
	assert_string_equal(ask(&k, BOB, words), "hand");
	(void)snprintf(words, sizeof words, "remove digest=%s n=1", digest);
	assert_string_equal(ask(&k, BOB, words), "hand");

	/* So is what belongs to somebody else. */
	if (geteuid() == 0) {
		assert_int_equal(chown("etc/policy/user/" ALICE, 65534, 65534), 0);
		assert_string_equal(add(&k, ALICE, HOLD30), "hand");
		assert_int_equal(chown("etc/policy/user/" ALICE, 0, 0), 0);
	}
	/* One that cannot be read is shown as it is. */
	put("etc/policy/user/" ALICE, "rule\xff\n");
	assert_string_equal(ask(&k, ALICE, "rules"), "done");
	assert_string_equal(text_of(&k, "text"), "rule?\n");
	assert_true(json_is_object(json_object_get(k.answer, "fault")));
	assert_string_equal(add(&k, ALICE, HOLD30), "fault");
	close_kit(&k);
}

/* A link in the place of a file leads nobody anywhere: neither this program nor who compiles as root. */
static void test_links(void **state)
{
	struct generation generation;
	struct conf_fault fault;
	struct kit k;

	(void)state;
	open_kit(&k);
	put("secret", "rule a\n    always\n    do hold 5m\n");
	assert_int_equal(symlink("../../../secret", "etc/policy/user/" ALICE), 0);
	assert_string_equal(ask(&k, ALICE, "rules"), "later");
	assert_false(compile_prepare(k.mine.etc, k.mine.compiled, &generation, NULL, &fault));
	assert_string_equal(fault.file, "etc/policy/user/" ALICE);
	assert_int_equal(unlink("etc/policy/user/" ALICE), 0);
	folder("elsewhere");
	assert_int_equal(symlink("../../../elsewhere", "etc/policy/user/" ALICE), 0);
	assert_false(compile_prepare(k.mine.etc, k.mine.compiled, &generation, NULL, &fault));
	close_kit(&k);
}

static void test_nothing_without_the_audit_log(void **state)
{
	char before[COMPILED_NAME], after[COMPILED_NAME], text[8192];
	struct kit k;

	(void)state;
	open_kit(&k);
	assert_string_equal(add(&k, ALICE, HOLD30), "done");
	current(before);
	put("etc/settings", "own-rules 4\n");
	settings(&k);
	audit_settings(k.mine.audit, &k.settings);
	assert_string_equal(add(&k, ALICE, "do=hold do-time=5m"), "later");
	assert_string_equal(cut(&k, ALICE, 1), "later");
	current(after);
	assert_string_equal(before, after);
	file_of(ALICE, text);
	assert_string_equal(text, "rule own-1\n    to      @x.example\n    do      hold 30m\n");
	assert_settled(&k, ALICE);
	close_kit(&k);
}

/* What new mail is to have of the disk is not taken for rules. */
static void test_nothing_without_room(void **state)
{
	struct kit k;

	(void)state;
	open_kit(&k);
	k.settings.space_percent = 1000;
	k.settings.space_bytes = INT64_MAX;
	assert_string_equal(add(&k, ALICE, HOLD30), "later");
	assert_settled(&k, ALICE);
	k.settings.space_percent = 0;
	/* Nor without names of files, of which new mail is to find so many. */
	k.settings.space_files = INT64_MAX / 4;
	assert_string_equal(add(&k, ALICE, HOLD30), "later");
	k.settings.space_files = 0;
	assert_string_equal(add(&k, ALICE, HOLD30), "done");
	close_kit(&k);
}

/* What is written by hand while the tests run is not overwritten. */
static void test_changed_meanwhile(void **state)
{
	static const char hand[] = "rule by-hand\n    always\n    do hold 3m\n";
	char text[8192];
	struct kit k;

	(void)state;
	open_kit(&k);
	k.by_hand = hand;
	assert_string_equal(add(&k, ALICE, HOLD30), "changed");
	file_of(ALICE, text);
	assert_string_equal(text, hand);
	close_kit(&k);
}

/* So many changes in an hour, of one and of all: one person's do not take those of another. */
static void test_often(void **state)
{
	struct kit k;
	int64_t now = 1;

	(void)state;
	open_kit(&k);
	k.mine.often = often_new();
	assert_non_null(k.mine.often);
	k.settings.own_rules_changes = 2;
	k.settings.own_rules_changes_all = 3;
	assert_string_equal(add(&k, ALICE, HOLD30), "done");
	assert_string_equal(cut(&k, ALICE, 1), "done");
	assert_string_equal(add(&k, ALICE, HOLD30), "often");
	assert_string_equal(add(&k, BOB, HOLD30), "done");
	assert_string_equal(cut(&k, BOB, 1), "often");
	/* An hour later. */
	now = clock_boot() + 3600 * CLOCK_SECOND;
	assert_true(often_count(k.mine.often, ALICE, now, 1, 1));
	assert_false(often_count(k.mine.often, ALICE, now, 1, 2));
	assert_true(often_count(k.mine.often, BOB, now, 1, 2));
	close_kit(&k);
}

/* Words of one person; what is taken away is never too much. */
static void test_words_of_one_person(void **state)
{
	struct buf file;
	char name[COMPILED_NAME];
	struct kit k;

	(void)state;
	open_kit(&k);
	k.settings.own_rules = 10;
	buf_init(&file, 1 << 20);
	for (unsigned i = 0; i < 3; i++) {
		buf_addf(&file, "rule w%u\n    words \"w%u\"", i, i * 100);
		for (unsigned n = 1; n < (i < 2 ? 95 : 9); n++)
			buf_addf(&file, ", \"w%u\"", i * 100 + n);
		buf_add_text(&file, " in subject\n    do hold 5m\n\n");
	}
	buf_add(&file, "", 1);
	put("etc/policy/user/" ALICE, file.bytes);
	buf_free(&file);
	compile(&k, name);
	assert_string_equal(add(&k, ALICE, "when-words=z do=hold do-time=5m"), "done");
	assert_string_equal(add(&k, ALICE, "when-words=x do=hold do-time=5m"), "large");
	assert_string_equal(add(&k, BOB, "when-words=x do=hold do-time=5m"), "done");
	assert_string_equal(cut(&k, ALICE, 1), "done");
	close_kit(&k);
}

static void test_red_tests_refuse(void **state)
{
	struct kit k;

	(void)state;
	open_kit(&k);
	k.tested = MINE_TESTS_RED;
	assert_string_equal(add(&k, ALICE, HOLD30), "tests");
	assert_settled(&k, ALICE);
	k.tested = MINE_TESTS_UNABLE;
	assert_string_equal(add(&k, ALICE, HOLD30), "later");
	assert_settled(&k, ALICE);
	close_kit(&k);
}

/* lib/compiled/current cannot be replaced: the old file is back. */
static void test_a_fault_puts_the_old_file_back(void **state)
{
	char text[8192], name[COMPILED_NAME];
	struct kit k;

	(void)state;
	open_kit(&k);
	assert_string_equal(add(&k, ALICE, HOLD30), "done");
	current(name);
	folder(COMPILED "/.current"); /* where the new link is made */
	put(COMPILED "/.current/x", "");
	assert_string_equal(add(&k, ALICE, "do=hold do-time=5m"), "later");
	file_of(ALICE, text);
	assert_string_equal(text, "rule own-1\n    to      @x.example\n    do      hold 30m\n");
	assert_string_equal(add(&k, BOB, "do=hold do-time=5m"), "later");
	file_of(BOB, text);
	assert_string_equal(text, "");
	assert_string_equal(cut(&k, ALICE, 1), "later");
	assert_int_equal(unlink(COMPILED "/.current/x"), 0);
	assert_int_equal(rmdir(COMPILED "/.current"), 0);
	assert_settled(&k, ALICE);
	assert_settled(&k, BOB);
	close_kit(&k);
}

/* ---- killed ------------------------------------------------------------------------------- */

static enum mine_point last;

static void die_at(enum mine_point point)
{
	if (point == last)
		_exit(99);
}

/* One change, by a process that dies at that point; then what the next one finds. */
static void killed_at(struct kit *k, enum mine_point point, bool adds)
{
	char before[8192], after[8192], digest[DIGEST_HEX], words[300];
	char before_name[COMPILED_NAME], after_name[COMPILED_NAME];
	int status;
	pid_t pid;

	digest_now(k, ALICE, digest);
	file_of(ALICE, before);
	current(before_name);
	(void)snprintf(words, sizeof words,
	    adds ? "add digest=%s name=k%d do=hold do-time=5m" : "remove digest=%s n=1", digest,
	    (int)point);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		last = point;
		k->mine.at = die_at;
		/* A lock of its own, which goes with it. */
		k->mine.compiled = open(COMPILED, O_RDONLY | O_DIRECTORY);
		(void)ask(k, ALICE, words);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 99);
	assert_true(mine_finish(&k->mine) >= 0);
	close(k->mine.compiled);
	k->mine.compiled = open(COMPILED, O_RDONLY | O_DIRECTORY);
	file_of(ALICE, after);
	current(after_name);
	if (point == MINE_PUBLISHED) {
		assert_string_not_equal(before, after);
		assert_string_not_equal(before_name, after_name);
	} else {
		assert_string_equal(before, after);
		assert_string_equal(before_name, after_name);
	}
	assert_settled(k, ALICE);
}

static void test_killed_in_the_middle(void **state)
{
	struct kit k;

	(void)state;
	open_kit(&k);
	for (unsigned point = 0; point < MINE_POINTS; point++)
		killed_at(&k, (enum mine_point)point, true); /* the first one */
	for (unsigned point = 0; point < MINE_POINTS - 1; point++)
		killed_at(&k, (enum mine_point)point, false);
	for (unsigned point = 0; point < MINE_POINTS - 1; point++)
		killed_at(&k, (enum mine_point)point, true); /* another one */
	killed_at(&k, MINE_PUBLISHED, false);
	assert_string_equal(add(&k, ALICE, HOLD30), "done");
	assert_settled(&k, ALICE);
	close_kit(&k);
}

/* 40 changes: what is in force is what all of etc/ makes, after each of them. */
static void test_many_changes(void **state)
{
	static const char *const who[] = {ALICE, BOB, "a@example.co.jp", "z@example.co.jp"};
	char form[200];
	struct kit k;

	(void)state;
	open_kit(&k);
	for (unsigned i = 0; i < 40; i++) {
		const char *person = who[(i * 7) % COUNT_OF(who)];

		(void)snprintf(form, sizeof form, "do=hold do-time=%um", i + 1);
		if (i % 3 == 2)
			(void)cut(&k, person, 1);
		else
			(void)add(&k, person, form);
		assert_settled(&k, person);
	}
	close_kit(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_rule_of_ones_own),
	    cmocka_unit_test(test_who_asks),
	    cmocka_unit_test(test_what_is_not_allowed),
	    cmocka_unit_test(test_warnings),
	    cmocka_unit_test(test_two_browsers),
	    cmocka_unit_test(test_an_administrator_at_work),
	    cmocka_unit_test(test_written_by_hand),
	    cmocka_unit_test(test_links),
	    cmocka_unit_test(test_nothing_without_the_audit_log),
	    cmocka_unit_test(test_nothing_without_room),
	    cmocka_unit_test(test_changed_meanwhile),
	    cmocka_unit_test(test_often),
	    cmocka_unit_test(test_words_of_one_person),
	    cmocka_unit_test(test_red_tests_refuse),
	    cmocka_unit_test(test_a_fault_puts_the_old_file_back),
	    cmocka_unit_test(test_killed_in_the_middle),
	    cmocka_unit_test(test_many_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
