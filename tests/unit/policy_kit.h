/*
 * What the tests of judging share: an organisation, rules as text, messages as envelope and facts, and
 * the plan of each leg as text. Included by one program each; everything is below TMPDIR.
 *
 *     example.co.jp is ours, group.example affiliated, all else outside. alice (boss: ceo) and carol
 *     (bosses: alice, ceo) are sales and employees, ted a temp; ceo has no boss.
 */
#ifndef SEKISHO_TESTS_POLICY_KIT_H
#define SEKISHO_TESTS_POLICY_KIT_H

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
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/org/compile.h"
#include "lib/policy/policy.h"

#define KIT_RCPTS ((size_t)1000)

static const struct {
	const char *name, *text;
} kit_files[] = {
    {"etc/domains", "example.co.jp internal\ngroup.example affiliated\n"},
    {"etc/groups",
	"sales\nemployees\ntemps\ncheckers checker@example.co.jp\nstaff @example.co.jp\n"},
    {"etc/people",
	"ceo@example.co.jp group=employees\n"
	"alice@example.co.jp alias=a.tanaka@example.co.jp group=sales,employees "
	"boss=ceo@example.co.jp\n"
	"carol@example.co.jp group=sales,employees boss=alice@example.co.jp,ceo@example.co.jp\n"
	"ted@example.co.jp group=temps boss=alice@example.co.jp\n"},
    {"etc/lists/vip", "vip@partner.example\n@vip.example\n"},
    {"etc/lists/machines", "printer@example.co.jp\n"},
    {"etc/tables/destinations", "@partner.example zip as .zi_; password fixed\n"
				"tanaka@partner.example zip zipcrypto; password tanaka\n"
				"@other.example link for 14d; password random\n"},
    {"etc/tables/tls", "partner.example starttls\ndane.example dane\n"},
    {"etc/partners", "partner.example | 株式会社パートナー商事\n"
		     "other.example other.co.jp | アザー工業\n"},
    {"etc/holidays", "2026-11-23\n2026-01-01\n"},
    {"etc/passwords/fixed", "by-hand\n"},
    {"etc/passwords/tanaka", "by-hand\n"},
    {"etc/passwords/random", "generate 10 upper lower digit\n"},
    {"etc/texts/greeting", "Hello.\n"},
    {"etc/texts/footer", "Bye.\n"},
    {"etc/words/ng", "社外秘\n"},
};

struct kit_rule_file {
	const char *name, *text;
};

struct kit {
	char dir[64];
	int compiled; /* where org.cdb stands */
	struct org *org;
	struct policy *policy;
	struct settings settings;

	/* The message. */
	struct leg leg;
	uint64_t added; /* bytes of it that the gateway put on top */
	struct leg_rcpt rcpt[KIT_RCPTS];
	char *texts[KIT_RCPTS + 1];
	struct facts *facts;
	struct past past;
	struct past_rcpt past_rcpt[KIT_RCPTS];
	bool has_past;
	bool unregistered;
	unsigned checks; /* POLICY_CHECK_*: nothing is asked for them, unless a test says so */
	bool past_nameless;
	const char *body;
	int64_t since;
	struct policy_judgement j;
	enum policy_verdict verdict;
};

static inline int64_t kit_time(const char *text)
{
	int64_t time = clock_parse(text, strlen(text));

	assert_true(time >= 0);
	return time;
}

/* ---- files -------------------------------------------------------------------------------- */

static inline void kit_write(int dir, const char *name, const char *text, size_t len)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(close(fd), 0);
}

static inline void kit_blame(const struct conf_fault *fault)
{
	char text[512];

	conf_fault_show(fault, text, sizeof text);
	fail_msg("%s", text);
}

static inline int kit_organisation(void **state)
{
	static const char *const folders[] = {
	    "etc", "etc/lists", "etc/tables", "etc/passwords", "etc/texts", "etc/words", "made"};
	const char *tmp = getenv("TMPDIR");
	struct kit *k = calloc(1, sizeof *k);
	struct conf_fault fault = {.line = 0};
	int dir, etc;

	assert_non_null(k);
	(void)setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	(void)snprintf(k->dir, sizeof k->dir, "%.40s/policy.XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(k->dir));
	dir = open(k->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < COUNT_OF(folders); i++)
		assert_int_equal(mkdirat(dir, folders[i], 0700), 0);
	for (size_t i = 0; i < COUNT_OF(kit_files); i++)
		kit_write(dir, kit_files[i].name, kit_files[i].text, strlen(kit_files[i].text));
	etc = openat(dir, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	k->compiled = openat(dir, "made", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!org_compile(etc, k->compiled, NULL, &fault))
		kit_blame(&fault);
	k->org = org_open(k->compiled);
	assert_non_null(k->org);
	close(etc);
	close(dir);
	*state = k;
	return 0;
}

static inline int kit_remove(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

/* The organisation is everybody's. */
static inline void kit_close_policy(struct kit *k)
{
	policy_judgement_free(&k->j);
	if (k->policy != NULL)
		k->policy->org = NULL;
	policy_close(k->policy);
	k->policy = NULL;
}

static inline int kit_end(void **state)
{
	struct kit *k = *state;

	kit_close_policy(k);
	org_close(k->org);
	facts_free(k->facts);
	for (size_t i = 0; i < COUNT_OF(k->texts); i++)
		free(k->texts[i]);
	close(k->compiled);
	(void)nftw(k->dir, kit_remove, 8, FTW_DEPTH | FTW_PHYS);
	free(k);
	return 0;
}

/* ---- rules -------------------------------------------------------------------------------- */

/* Files of rules, in order of layer and name; "allow" may be the first. */
static inline void kit_rule_files(struct kit *k, const struct kit_rule_file *file, size_t n)
{
	struct conf_fault fault = {.line = 0};
	struct buf all;

	buf_init(&all, SIZE_MAX);
	buf_add_text(&all, "sekisho-rules 1\n");
	for (size_t i = 0; i < n; i++) {
		buf_addf(&all, "file %s %zu\n", file[i].name, strlen(file[i].text));
		buf_add_text(&all, file[i].text);
	}
	assert_true(buf_ok(&all));
	kit_close_policy(k);
	k->policy = policy_read(all.bytes, all.len, "rules", NULL, &fault);
	if (k->policy == NULL)
		kit_blame(&fault);
	buf_free(&all);
	k->policy->org = k->org;
	(void)stpcpy(k->policy->rules_digest, "0123456789abcdef");
	(void)stpcpy(k->policy->org_digest, "fedcba9876543210");
}

/* One file, must/10-test. */
static inline void kit_rules(struct kit *k, const char *text)
{
	kit_rule_files(k, &(struct kit_rule_file){"must/10-test", text}, 1);
}

/* ---- the message -------------------------------------------------------------------------- */

static inline void kit_mail_to(struct kit *k, const char *from, const char *const *to, size_t n)
{
	assert_true(n <= KIT_RCPTS);
	for (size_t i = 0; i < COUNT_OF(k->texts); i++) {
		free(k->texts[i]);
		k->texts[i] = NULL;
	}
	k->texts[KIT_RCPTS] = strdup(from);
	for (size_t i = 0; i < n; i++) {
		k->texts[i] = strdup(to[i]);
		k->rcpt[i] = (struct leg_rcpt){.address = k->texts[i]};
		k->past_rcpt[i] = (struct past_rcpt){.by_sender = 1, .by_group = 1, .by_site = 1};
	}
	k->leg = (struct leg){.from = k->texts[KIT_RCPTS],
	    .client = "192.0.2.1 helo=x",
	    .rcpts = n,
	    .rcpt = k->rcpt,
	    .size = 4096};
	facts_free(k->facts);
	k->facts = NULL;
	k->past = (struct past){.rcpt = k->past_rcpt, .rcpts = n};
	k->has_past = k->unregistered = k->past_nameless = false;
	k->checks = 0;
	k->body = NULL;
	k->since = kit_time("2026-11-25T03:00:00Z"); /* a Wednesday, noon in Tokyo */
	settings_default(&k->settings);
}

/* "a@x b@y": recipients with a blank between them. */
static inline void kit_mail(struct kit *k, const char *from, const char *to)
{
	char *copy = strdup(to), *rest, *word;
	const char *list[KIT_RCPTS];
	size_t n = 0;

	for (word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
		list[n++] = word;
	kit_mail_to(k, from, list, n);
	free(copy);
}

/* Lines of facts; a line "message" is added unless there is one. */
static inline void kit_facts(struct kit *k, const char *lines)
{
	static const char message[] = "message size=4096 signed=no encrypted=no automatic=no "
				      "reply=no files=0 files-size=0 promises-file=no\n";

	facts_free(k->facts);
	k->facts = facts_new();
	assert_non_null(k->facts);
	if (strncmp(lines, "message ", 8) != 0)
		facts_lines(k->facts, message, strlen(message));
	facts_lines(k->facts, lines, strlen(lines));
	facts_end(k->facts, true);
}

/* ---- judging ------------------------------------------------------------------------------ */

static inline struct policy_case kit_case(const struct kit *k)
{
	return (struct policy_case){.settings = &k->settings,
	    .policy = k->policy,
	    .leg = &k->leg,
	    .added = k->added,
	    .facts = k->facts,
	    .past = k->has_past ? &k->past : NULL,
	    .since = k->since,
	    .unregistered = k->unregistered,
	    .checks = k->checks,
	    .past_nameless = k->past_nameless,
	    .body = k->body};
}

static inline enum policy_verdict kit_verdict(struct kit *k)
{
	struct policy_case c = kit_case(k);

	policy_judgement_free(&k->j);
	return k->verdict = policy_judge(&c, &k->j);
}

/*
 * Each leg as "1,3: PLAN|LINE; 2: …", without rule=; "needs facts", "needs past", "refused WHY".
 */
static inline const char *kit_plans(struct kit *k, bool rules)
{
	static char text[65536];
	char *at = text;

	switch (kit_verdict(k)) {
	case POLICY_NEEDS_FACTS:
		return "needs facts";
	case POLICY_NEEDS_PAST:
		return "needs past";
	case POLICY_NEEDS_BODY:
		return "needs body";
	case POLICY_FAILED:
		return "failed";
	case POLICY_JUDGED:
		break;
	}
	if (k->j.refusal.refused) {
		(void)snprintf(text, sizeof text, "refused %s", k->j.refusal.why);
		return text;
	}
	for (size_t g = 0; g < k->j.groups; g++) {
		const struct policy_group *group = &k->j.group[g];
		const char *line = group->plan.bytes;

		at = stpcpy(at, g > 0 ? "; " : "");
		for (size_t i = 0; i < group->rcpts; i++)
			at += sprintf(at, "%s%zu", i > 0 ? "," : "", group->rcpt[i] + 1);
		at = stpcpy(at, ":");
		while (line < group->plan.bytes + group->plan.len) {
			const char *end = memchr(
			    line, '\n', (size_t)(group->plan.bytes + group->plan.len - line));
			const char *rule = memmem(line, (size_t)(end - line), " rule=", 6);
			const char *cut = rule != NULL && !rules ? rule : end;

			assert_int_equal(*line, ' ');
			at = stpcpy(at, line > group->plan.bytes ? " |" : "");
			at = mempcpy(at, line, (size_t)(cut - line));
			assert_true(at < text + sizeof text - 4096);
			*at = '\0';
			line = end + 1;
		}
	}
	return text;
}

#define kit_expect(k, expected) assert_string_equal(kit_plans(k, false), expected)

/* The records of a leg, NUL-ended. */
static inline const char *kit_records(const struct kit *k, size_t group)
{
	static char text[65536];
	const struct buf *records = &k->j.group[group].records;

	assert_true(records->len < sizeof text);
	memcpy(text, records->bytes, records->len);
	text[records->len] = '\0';
	return text;
}

/* The decision of that function for the recipient (from 0), or NULL. */
static inline const struct policy_decision *kit_decision(
    const struct kit *k, enum policy_function function, size_t rcpt)
{
	for (size_t i = 0; i < k->j.decisions; i++) {
		for (size_t r = 0; r < k->j.decision[i].rcpts; r++) {
			if (k->j.decision[i].function == function &&
			    k->j.decision[i].rcpt[r] == rcpt)
				return &k->j.decision[i];
		}
	}
	return NULL;
}

#endif
