#include "lib/shell/rule_tests.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/source.h"
#include "lib/base/zone.h"
#include "lib/shell/check.h"
#include "lib/shell/compose.h"
#include "lib/shell/judge_kit.h"
#include "lib/shell/moment.h"
#include "lib/shell/rule_tests_read.h"

#define SUFFIX      ".test"
#define SHOWN       "etc/" RULE_TESTS_FOLDER "/"
#define DEFAULT_AT  "2001-01-10 12:00:00" /* a Wednesday: a test is as green at night as by day */
#define DAY         (24 * 3600)
#define SCRATCH     "/var/tmp"
#define MESSAGE_MAX (UINT64_C(1) << 30)
#define READ_STEP   ((size_t)65536)

struct running {
	int folder; /* of the tests */
	struct settings settings;
	struct judge_kit *kit;
	struct rule_tests_count count;
	int code;
};

/* ---- what failed -------------------------------------------------------------------------- */

static void begin_failure(const struct rule_test *t, unsigned line)
{
	(void)fprintf(stderr, "%s:%u: test ", t->file, line);
	out_visible(stderr, t->name, strlen(t->name), false);
	(void)fputs(": ", stderr);
}

static void show(const char *text)
{
	out_visible(stderr, text, strlen(text), false);
}

/* The test cannot be run at all. */
static void cannot_run(
    struct running *r, const struct rule_test *t, const char *what, const char *why, int code)
{
	begin_failure(t, t->line);
	show(what);
	(void)fprintf(stderr, ": %s\n", why);
	r->code = worse(r->code, code);
}

/* ---- the message -------------------------------------------------------------------------- */

static bool write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

static bool put_inline(const struct rule_test *t, struct source *content)
{
	int fd = open(SCRATCH, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return false;
	if (!write_all(fd, t->message.bytes, t->message.len)) {
		(void)close(fd);
		return false;
	}
	*content = (struct source){.fd = fd, .size = t->message.len};
	return true;
}

/* A file beside the test. -1 after it was complained about. */
static int open_beside(
    struct running *r, const struct rule_test *t, const char *name, struct source *content)
{
	int fd = openat(r->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (uint64_t)st.st_size <= MESSAGE_MAX) {
		*content = (struct source){.fd = fd, .size = (uint64_t)st.st_size};
		return fd;
	}
	cannot_run(r, t, name, fd < 0 ? strerrordesc_np(errno) : "no regular file, or too large",
	    EXIT_CONFIG);
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static bool put_composed(
    struct running *r, const struct rule_test *t, int64_t at, struct source *content)
{
	struct compose_file *file = calloc(t->attach.n + 1, sizeof *file);
	struct compose c = {
	    .from = t->from,
	    .to = addresses_list(&t->to),
	    .tos = t->to.n,
	    .cc = addresses_list(&t->cc),
	    .ccs = t->cc.n,
	    .subject = t->subject != NULL ? t->subject : "test",
	    .text = t->text != NULL ? t->text : "test\n",
	    .file = file,
	    .date = at,
	};
	bool good = file != NULL;

	c.text_len = strlen(c.text);
	while (good && c.files < t->attach.n) {
		struct source beside;
		int fd = open_beside(r, t, t->attach.address[c.files], &beside);

		good = fd >= 0;
		if (good)
			file[c.files] = (struct compose_file){t->attach.address[c.files], fd};
		c.files += good;
	}
	if (good && !compose_message(&c, content)) {
		cannot_run(r, t, "its message", strerrordesc_np(errno), EXIT_ENVIRON);
		good = false;
	}
	for (size_t i = 0; i < c.files; i++)
		(void)close(file[i].fd);
	free(file);
	return good;
}

/* The content, whose descriptor is the caller's. */
static bool make_message(
    struct running *r, const struct rule_test *t, int64_t at, struct source *content)
{
	if (t->message_file != NULL)
		return open_beside(r, t, t->message_file, content) >= 0;
	if (!t->inlined)
		return put_composed(r, t, at, content);
	if (put_inline(t, content))
		return true;
	cannot_run(r, t, "its message", strerrordesc_np(errno), EXIT_ENVIRON);
	return false;
}

/* ---- the past ----------------------------------------------------------------------------- */

static bool is_among(const struct addresses *list, const char *address)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcasecmp(list->address[i], address) == 0)
			return true;
	}
	return false;
}

/* What the test says has happened: nobody was written to but those it knows. */
static bool make_past(
    const struct rule_test *t, const struct leg *leg, int64_t at, struct past *past)
{
	*past = (struct past){.registered = t->registered, .rcpts = leg->rcpts};
	past->rcpt = calloc(leg->rcpts, sizeof *past->rcpt);
	for (size_t i = 0; past->rcpt != NULL && i < leg->rcpts; i++) {
		struct past_rcpt *p = &past->rcpt[i];

		if (is_among(&t->known, leg->rcpt[i].address)) {
			p->by_sender = p->by_group = p->by_site = 1;
			p->last = at / CLOCK_SECOND - DAY;
		}
		if (is_among(&t->lookalike, leg->rcpt[i].address))
			p->look = LOOK_EDIT;
	}
	return past->rcpt != NULL;
}

/* ---- what came, and what was to come ------------------------------------------------------ */

struct outcome {
	struct running *r;
	const struct rule_test *t;
	const struct leg *leg;
	const struct judged *judged;
	bool red;
};

static bool would_be(const struct policy_decision *d)
{
	return d->shadow || d->watched;
}

/* As texts of rules are compared: quotes do not count, blanks are folded. */
static bool same_action(const char *a, const char *b)
{
	for (;;) {
		while (*a == '"')
			a++;
		while (*b == '"')
			b++;
		if (*a != *b)
			return false;
		if (*a == '\0')
			return true;
		a++;
		b++;
	}
}

static bool matches(const struct rule_test_expect *e, const struct policy_decision *d)
{
	if ((int)d->function != e->function || would_be(d) != e->would ||
	    (e->rule != NULL && strcmp(e->rule, d->rule) != 0))
		return false;
	return e->action[0] == '\0' ||
	       same_action(e->action, rule_test_bare(e->function, d->outcome));
}

static void begin_expected(struct outcome *o, const struct rule_test_expect *e)
{
	o->red = true;
	begin_failure(o->t, e->line);
	(void)fputs("expected ", stderr);
	show(e->said);
	(void)fputc('\n', stderr);
}

static void show_decision(const struct policy_decision *d)
{
	(void)fprintf(stderr, "    got %s%s ", would_be(d) ? "would " : "",
	    policy_function_word(d->function));
	show(d->outcome);
	(void)fputs(", by ", stderr);
	show(d->where);
	(void)fputc(' ', stderr);
	show(d->rule);
	if (d->evidence[0] != '\0') {
		(void)fputs(": ", stderr);
		show(d->evidence);
	}
	(void)fputc('\n', stderr);
}

/* Every decision about the recipient, of the function or of all. */
static void show_got(struct outcome *o, const struct rule_test_expect *e, size_t rcpt)
{
	const struct policy_judgement *j = &o->judged->judgement;
	size_t shown = 0;

	(void)fputs("    for ", stderr);
	show(o->leg->rcpt[rcpt].address);
	(void)fputc('\n', stderr);
	for (size_t i = 0; i < j->decisions; i++) {
		const struct policy_decision *d = &j->decision[i];

		if (!judged_concerns(d, rcpt) ||
		    (e->function >= 0 && (int)d->function != e->function))
			continue;
		show_decision(d);
		shown++;
	}
	if (shown == 0)
		(void)fputs("    got nothing: no rule decides it\n", stderr);
}

/* Whether the recipient got what the line expects. */
static bool holds(struct outcome *o, const struct rule_test_expect *e, size_t rcpt)
{
	const struct policy_judgement *j = &o->judged->judgement;

	for (size_t i = 0; i < j->decisions; i++) {
		const struct policy_decision *d = &j->decision[i];

		if (!judged_concerns(d, rcpt))
			continue;
		if (e->kind == EXPECT_ACTION && matches(e, d))
			return true;
		if (e->kind == EXPECT_NOTHING && would_be(d) == e->would &&
		    (e->function < 0 || (int)d->function == e->function))
			return false;
	}
	return e->kind == EXPECT_NOTHING;
}

static void check_rcpt(struct outcome *o, const struct rule_test_expect *e)
{
	bool met = false;

	for (size_t i = 0; i < o->leg->rcpts; i++) {
		if (e->rcpt != NULL && strcasecmp(e->rcpt, o->leg->rcpt[i].address) != 0)
			continue;
		met = true;
		if (holds(o, e, i))
			continue;
		begin_expected(o, e);
		show_got(o, e, i);
	}
	if (met)
		return;
	begin_expected(o, e);
	(void)fputs("    no such recipient\n", stderr);
}

static void check_refusal(struct outcome *o, const struct rule_test_expect *e)
{
	const struct policy_refusal *refusal = &o->judged->judgement.refusal;
	bool wanted = e->kind == EXPECT_REFUSED;

	if (refusal->refused == wanted &&
	    (!wanted || e->action[0] == '\0' || same_action(e->action, refusal->why)))
		return;
	begin_expected(o, e);
	if (!refusal->refused) {
		(void)fputs("    got passed: no rule refuses it\n", stderr);
		return;
	}
	(void)fputs("    got refused ", stderr);
	show(refusal->why);
	(void)fputs(", by ", stderr);
	show(refusal->where);
	(void)fputc('\n', stderr);
}

/* ---- one test ----------------------------------------------------------------------------- */

static void judge(struct running *r, const struct rule_test *t, const struct leg *leg,
    const struct source *content, int64_t at)
{
	struct past past;
	struct judge_case c = {.leg = leg,
	    .content = content,
	    .since = at,
	    .past = &past,
	    .registered = t->registered};
	struct judged judged = {.past = NULL};
	struct outcome o = {.r = r, .t = t, .leg = leg, .judged = &judged};

	if (!make_past(t, leg, at, &past)) {
		cannot_run(r, t, "it", "no memory", EXIT_ENVIRON);
	} else if (judge_message(r->kit, &c, &judged) != JUDGED) {
		cannot_run(r, t, "it", "cannot be judged", EXIT_ENVIRON);
	} else {
		for (size_t i = 0; i < t->expects; i++) {
			const struct rule_test_expect *e = &t->expect[i];

			if (e->kind == EXPECT_REFUSED || e->kind == EXPECT_PASSED)
				check_refusal(&o, e);
			else
				check_rcpt(&o, e);
		}
		if (o.red) {
			size_t n = r->count.passed + r->count.failed;

			r->count.red[n / 8] |= (unsigned char)(1u << n % 8);
		}
		r->count.passed += !o.red;
		r->count.failed += o.red;
		if (o.red)
			r->code = worse(r->code, EXIT_NO);
	}
	judged_free(&judged);
	free(past.rcpt);
}

static void run_with_message(
    struct running *r, const struct rule_test *t, const struct source *content, int64_t at)
{
	struct addresses from = {.n = 0}, to = {.n = 0};
	const struct addresses *rcpt = t->all.n > 0 ? &t->all : &to;
	struct envelope e = {.leg = {.rcpts = 0}};
	const char *sender = t->from;

	if ((t->from == NULL || t->all.n == 0) &&
	    !judge_kit_addresses(r->kit, content, &from, &to)) {
		cannot_run(r, t, "its message", "cannot be read", EXIT_ENVIRON);
	} else {
		if (sender == NULL)
			sender = from.n > 0 ? from.address[0] : "";
		if (rcpt->n == 0 ||
		    !envelope_make(&e, sender, addresses_list(rcpt), rcpt->n, at, content->size))
			cannot_run(r, t, "its envelope",
			    "no recipient, or an address that can stand in none", EXIT_CONFIG);
		else
			judge(r, t, &e.leg, content, at);
	}
	envelope_free(&e);
	addresses_free(&from);
	addresses_free(&to);
}

static bool run_test(void *context, const struct rule_test *t)
{
	struct running *r = context;
	int64_t at = moment_parse(t->at != NULL ? t->at : DEFAULT_AT);
	struct source content;

	if (r->count.passed + r->count.failed >= RULE_TESTS_MAX) {
		cannot_run(r, t, "it", "there are too many tests", EXIT_CONFIG);
		return false;
	}
	if (make_message(r, t, at, &content)) {
		run_with_message(r, t, &content, at);
		(void)close(content.fd);
	}
	/* What cannot be run fails for one test as for all. */
	return r->code < EXIT_ENVIRON;
}

/* ---- all files ---------------------------------------------------------------------------- */

static bool read_file(int folder, const char *name, struct buf *b, struct conf_fault *fault)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;
	char *room = NULL;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		(void)conf_blame(
		    fault, 0, 0, "%s", fd < 0 ? strerrordesc_np(errno) : "no regular file");
	} else {
		while ((room = buf_reserve(b, READ_STEP)) != NULL &&
		       (n = read(fd, room, READ_STEP)) > 0)
			b->len += (size_t)n;
		if (n != 0)
			(void)conf_blame(fault, 0, 0, "cannot be read, or is too large");
	}
	if (fd >= 0)
		(void)close(fd);
	return n == 0;
}

static void run_file(struct running *r, const char *name)
{
	struct conf_fault fault = {.line = 0};
	char shown[sizeof fault.file];
	struct buf b;
	bool good;

	(void)snprintf(shown, sizeof shown, SHOWN "%.80s", name);
	(void)snprintf(fault.file, sizeof fault.file, "%s", shown);
	buf_init(&b, RULE_TEST_BYTES + READ_STEP);
	/* Read through before any of it is run: half a file proves nothing. */
	good = read_file(r->folder, name, &b, &fault) &&
	       rule_tests_read(b.bytes, b.len, shown, NULL, NULL, &fault) &&
	       rule_tests_read(b.bytes, b.len, shown, run_test, r, &fault);
	if (!good && fault.text[0] != '\0') {
		complain_fault(&fault);
		r->code = worse(r->code, EXIT_CONFIG);
	}
	buf_free(&b);
}

static int is_test(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return e->d_name[0] != '.' && len > sizeof SUFFIX - 1 &&
	       strcmp(e->d_name + len - (sizeof SUFFIX - 1), SUFFIX) == 0;
}

static void run_all(struct running *r)
{
	struct dirent **entry = NULL;
	int n = scandirat(r->folder, ".", &entry, is_test, alphasort);

	if (n < 0) {
		complain_about(SHOWN, "%s", strerrordesc_np(errno));
		r->code = EXIT_ENVIRON;
	}
	for (int i = 0; i < n; i++) {
		if (r->code < EXIT_ENVIRON)
			run_file(r, entry[i]->d_name);
		free(entry[i]);
	}
	free(entry);
}

int rule_tests_run(int etc, const struct policy *policy, struct rule_tests_count *count)
{
	struct running r = {.code = EXIT_FINE};
	struct conf_fault fault;

	if (count != NULL)
		*count = (struct rule_tests_count){0};
	r.folder = openat(etc, RULE_TESTS_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r.folder < 0 && (errno == ENOENT || errno == ENOTDIR))
		return EXIT_FINE;
	if (r.folder < 0) {
		complain_about(SHOWN, "%s", strerrordesc_np(errno));
		return EXIT_ENVIRON;
	}
	if (!settings_read(etc, &r.settings, &fault)) {
		complain_fault(&fault);
		(void)close(r.folder);
		return EXIT_CONFIG;
	}
	/* Watching changes what is done, and not what rules say. */
	r.settings.watch_only = WATCH_ONLY_NO;
	r.kit = judge_kit_new(&r.settings, policy, true);
	if (r.kit != NULL && zone_set(r.settings.time_zone))
		run_all(&r);
	else
		r.code = EXIT_ENVIRON;
	judge_kit_free(r.kit);
	(void)close(r.folder);
	if (count != NULL)
		*count = r.count;
	return r.code;
}

bool rule_tests_within(const struct rule_tests_count *a, const struct rule_tests_count *b)
{
	/* Somebody may have written tests between the runs. */
	if (a->passed + a->failed != b->passed + b->failed)
		return false;
	for (size_t i = 0; i < sizeof a->red; i++) {
		if ((a->red[i] & ~b->red[i]) != 0)
			return false;
	}
	return true;
}
