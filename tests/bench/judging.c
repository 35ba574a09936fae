/*
 * judging RULES RECIPIENTS ROUNDS: what it costs to judge one message by so many rules, once its facts
 * are there. Prints "rules=… rcpts=… least=… median=… private=…" (microseconds; bytes that a judgement
 * takes and keeps until it is freed).
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/org/compile.h"
#include "lib/policy/policy.h"

static void give_up(const char *what)
{
	fprintf(stderr, "judging: %s\n", what);
	exit(1);
}

static void put(int dir, const char *name, const char *bytes, size_t len)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || close(fd) != 0)
		give_up(name);
}

/* ---- the organisation ---- */

static struct org *make_org(const char *top)
{
	static const char *const folders[] = {"etc", "etc/lists", "etc/tables", "made"};
	struct conf_fault fault = {.line = 0};
	struct buf people;
	char list[32];
	int dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC), etc, made;

	for (size_t i = 0; i < COUNT_OF(folders); i++) {
		if (mkdirat(dir, folders[i], 0700) != 0)
			give_up(folders[i]);
	}
	put(dir, "etc/domains", "example.co.jp internal\n", 23);
	buf_init(&people, SIZE_MAX);
	for (int i = 0; i < 20; i++)
		buf_addf(&people, "g%d\n", i);
	put(dir, "etc/groups", people.bytes, people.len);
	buf_clear(&people);
	for (int i = 0; i < 10000; i++)
		buf_addf(&people, "u%d@example.co.jp group=g%d boss=u0@example.co.jp\n", i, i % 20);
	put(dir, "etc/people", people.bytes, people.len);
	for (int i = 0; i < 20; i++) {
		(void)snprintf(list, sizeof list, "etc/lists/l%d", i);
		buf_clear(&people);
		buf_addf(&people, "@list%d.example\nvip@x%d.example\n", i, i);
		put(dir, list, people.bytes, people.len);
	}
	etc = openat(dir, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	made = openat(dir, "made", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!org_compile(etc, made, NULL, &fault))
		give_up(fault.text);
	buf_free(&people);
	return org_open(made);
}

/* ---- the rules ---- */

/* As sites have them: of each kind of condition some; most match nothing of the message. */
static void add_rule(struct buf *text, int i)
{
	static const char *const lines[] = {"to @domain%d.example\n  do hold 5m",
	    "to list l%d\n  file any\n  do zip",
	    "from group g%d\n  to external\n  file any\n  unless header Cc boss\n  do approve by "
	    "boss",
	    "to person%d@partner.example, other@partner.example\n  do stagger 60m",
	    "to external\n  pii card >= %d, phone >= 1000 in files\n  do refuse \"card\"",
	    "words \"secret%d\" in subject, body\n  do hold for operator",
	    "file name *.ex%d, *.scr, *.tar.gz\n  do refuse \"type\"",
	    "visible external >= %d\n  to external\n  do bcc all",
	    "to not internal, @domain%d.example\n  when 01:00-02:00\n  do hold until 09:00",
	    "to @.sub%d.example\n  files size >= 900MB\n  do link for 7d"};

	buf_addf(text, "rule r%d\n  ", i);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	buf_addf(text, lines[(size_t)i % COUNT_OF(lines)],
	    i % 10 == 1 || i % 10 == 2 ? i / 10 % 20 : 1000 + i);
#pragma GCC diagnostic pop
	buf_add_text(text, "\n");
}

static struct policy *make_policy(int rules)
{
	struct conf_fault fault = {.line = 0};
	struct policy *policy;
	struct buf text, all;

	buf_init(&text, SIZE_MAX);
	buf_init(&all, SIZE_MAX);
	for (int i = 0; i < rules; i++)
		add_rule(&text, i);
	buf_addf(&all, "sekisho-rules 1\nfile must/10-all %zu\n", text.len);
	buf_add(&all, text.bytes, text.len);
	policy = policy_read(all.bytes, all.len, "rules", NULL, &fault);
	if (policy == NULL)
		give_up(fault.text);
	buf_free(&text);
	buf_free(&all);
	return policy;
}

/* ---- the message ---- */

static struct facts *make_facts(int rcpts)
{
	struct facts *facts = facts_new();
	struct buf lines;

	buf_init(&lines, SIZE_MAX);
	buf_add_text(&lines, "message size=1000000 signed=no encrypted=no automatic=no reply=yes "
			     "files=2 files-size=900000 promises-file=no\npart path=1 role=body\n"
			     "address field=from address=u3@example.co.jp name=U\n");
	for (int i = 0; i < rcpts; i++)
		buf_addf(
		    &lines, "address field=to address=rcpt%d@example%d.example name=R\n", i, i);
	for (int i = 2; i < 4; i++)
		buf_addf(&lines,
		    "file part=%d role=file counts=yes name=report-%d.xlsx size=450000 "
		    "as-named=yes encrypted=no\n",
		    i, i);
	for (int i = 1; i < 50; i++)
		buf_addf(&lines, "word number=%d place=files count=1 text=x\n", 10000 + i);
	buf_add_text(
	    &lines, "pii kind=name places=files count=30\npii kind=phone places=body count=2\n");
	facts_lines(facts, lines.bytes, lines.len);
	facts_end(facts, true);
	buf_free(&lines);
	return facts;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_time(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int main(int argc, char **argv)
{
	int rules = argc == 4 ? atoi(argv[1]) : 0, rcpts = argc == 4 ? atoi(argv[2]) : 0;
	int rounds = argc == 4 ? atoi(argv[3]) : 0;
	char top[] = "/tmp/judging.XXXXXX";
	double *times = calloc((size_t)rounds + 1, sizeof *times);
	struct leg_rcpt *rcpt = calloc((size_t)rcpts + 1, sizeof *rcpt);
	struct settings settings;
	struct leg leg = {.from = (char[]){"u3@example.co.jp"}, .client = "192.0.2.1 helo=x"};
	struct policy_case c = {.settings = &settings, .leg = &leg};
	struct policy *policy;
	size_t kept = 0;

	if (rules < 1 || rcpts < 1 || rounds < 1 || times == NULL || rcpt == NULL ||
	    mkdtemp(top) == NULL)
		give_up("usage: judging RULES RECIPIENTS ROUNDS");
	settings_default(&settings);
	policy = make_policy(rules);
	policy->org = make_org(top);
	for (int i = 0; i < rcpts; i++) {
		if (asprintf(&rcpt[i].address, "rcpt%d@example%d.example", i, i) < 0)
			give_up("no memory");
	}
	leg.rcpt = rcpt;
	leg.rcpts = (size_t)rcpts;
	leg.size = 1000000;
	c.policy = policy;
	c.facts = make_facts(rcpts);
	c.since = clock_parse("2026-11-25T03:00:00Z", 20);
	for (int i = 0; i < rounds; i++) {
		size_t before = mallinfo2().uordblks;
		struct policy_judgement j;
		double begin = now();

		if (policy_judge(&c, &j) != POLICY_JUDGED)
			give_up("not judged");
		times[i] = now() - begin;
		kept = mallinfo2().uordblks - before;
		policy_judgement_free(&j);
	}
	qsort(times, (size_t)rounds, sizeof *times, by_time);
	printf("rules=%d rcpts=%d least=%.0f median=%.0f private=%zu\n", rules, rcpts, times[0],
	    times[rounds / 2], kept);
	policy_close(policy);
	return 0;
}
