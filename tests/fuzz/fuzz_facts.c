/*
 * What an inspector says of a message, whoever has taken it over: it is read, and judged by rules of every
 * kind. The plan is one, or the message is refused; evidence is short, one line, and UTF-8.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/mime/utf8.h"
#include "lib/org/compile.h"
#include "lib/policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char rules[] =
    "rule a\n  file name *.exe, *.見積 not encrypted size >= 1KB\n  do hold 5m\n"
    "rule b\n  file not inspectable type not as-named\n  do zip\n"
    "rule c\n  pii name >= 10, card >= 1 in body, files\n  do hold for operator\n"
    "rule d\n  words \"x\", list ng >= 2\n  do insert end footer\n"
    "rule e\n  regex \"[0-9]+\" < 3 in names\n  do tls dane\n"
    "rule f\n  header To not sender\n  unless header Cc boss\n  do approve by boss\n"
    "rule g\n  header X-Tag \"tag\"\n  do archive\n"
    "rule h\n  visible external >= 3\n  hidden = 0\n  do bcc all\n"
    "rule i\n  company other in body, names\n  do stagger 5m\n"
    "rule j\n  company none\n  do password p\n"
    "rule k\n  message virus\n  do refuse \"virus\"\n"
    "rule l\n  message not uninspectable\n  message not promises-file\n  do notice never\n"
    "rule m\n  from mismatched\n  files size > 1MB\n  files <= 5\n  do link\n"
    "rule n shadow\n  message automatic\n  do bounce nobody\n";

/* Once: the organisation below /dev/shm, the rules by it. */
static struct policy *policy(void)
{
	static struct policy *made;
	char path[64], bundle[sizeof rules + 64];
	struct conf_fault fault = {.line = 0};
	int dir, etc, n;

	if (made != NULL)
		return made;
	(void)snprintf(path, sizeof path, "/dev/shm/fuzz_facts.%d", (int)getpid());
	(void)mkdir(path, 0700);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)mkdirat(dir, "etc", 0700);
	etc = openat(dir, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (etc < 0 || !org_compile(etc, dir, NULL, &fault))
		abort();
	n = snprintf(bundle, sizeof bundle, "sekisho-rules 1\nfile must/10-a %zu\n%s",
	    sizeof rules - 1, rules);
	made = policy_read(bundle, (size_t)n, "rules", NULL, &fault);
	if (made == NULL)
		abort();
	made->org = org_open(dir);
	if (made->org == NULL)
		abort();
	return made;
}

static void check_text(const char *text)
{
	size_t len = strlen(text), step;
	uint32_t point;

	if (len > 300)
		abort();
	for (size_t at = 0; at < len; at += step) {
		step = utf8_step(text + at, len - at, &point);
		if (step == 0 || point < ' ')
			abort();
	}
}

static void check(const struct policy_judgement *j, size_t rcpts)
{
	size_t seen = 0;
	struct plan plan;

	for (size_t g = 0; g < j->groups; g++) {
		seen += j->group[g].rcpts;
		if (!j->refusal.refused &&
		    !plan_parse(&plan, j->group[g].plan.bytes, j->group[g].plan.len))
			abort();
		if (memchr(j->group[g].records.bytes, '\0', j->group[g].records.len) != NULL)
			abort();
	}
	for (size_t i = 0; i < j->decisions; i++)
		check_text(j->decision[i].evidence);
	if (seen != rcpts)
		abort();
}

static void judge(const struct facts *facts)
{
	struct leg_rcpt rcpt[] = {{.address = (char[]){"b@x.example"}},
	    {.address = (char[]){"C@y.example"}}, {.address = (char[]){"x"}}};
	struct leg leg = {.from = (char[]){"a@example.co.jp"},
	    .client = "192.0.2.1 helo=x",
	    .rcpts = 3,
	    .rcpt = rcpt,
	    .size = 4096};
	struct settings settings;
	struct policy_case c = {
	    .settings = &settings, .policy = policy(), .leg = &leg, .facts = facts};
	struct policy_judgement j;
	struct past_question question;

	settings_default(&settings);
	if (policy_judge(&c, &j) != POLICY_JUDGED)
		abort();
	check(&j, leg.rcpts);
	policy_judgement_free(&j);
	if (!policy_past_question(&c, &question) || question.rcpts != leg.rcpts)
		abort();
	past_question_free(&question);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct facts *facts = facts_new();
	const char *text = (const char *)data, *end;
	const struct facts_against *against;

	if (facts == NULL)
		abort();
	/* Whole lines, in several pieces: what behind the last newline is left over is none. */
	end = size > 0 ? memrchr(text, '\n', size) : NULL;
	if (end != NULL) {
		const char *half = memchr(text + size / 2, '\n', size - size / 2);
		size_t first = half != NULL ? (size_t)(half - text) + 1 : 0;

		facts_lines(facts, text, first);
		facts_lines(facts, text + first, size - first);
	}
	facts_end(facts, size % 2 == 0);

	against = facts_against(facts);
	if (strpbrk(against->reason, " \n=\"") != NULL ||
	    strpbrk(against->ambiguity, " \n=\"") != NULL)
		abort();
	judge(facts);
	facts_free(facts);
	return 0;
}
