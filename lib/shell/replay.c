/* replay: which messages would fare otherwise under other rules. */
#include "lib/shell/shell.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/shell/check.h"
#include "lib/shell/fate.h"
#include "lib/shell/legs.h"
#include "lib/shell/moment.h"
#include "lib/shell/trial.h"

#define USAGE       "usage: seki replay [-j] [--at TIME] [--policy DIR] FILE|DIR|ID..."
#define DEPTH_MAX   32
#define LEG_MARK    "sekisho-leg "
#define TRAILER_MAX ((size_t)64 * 1024 * 1024)

struct replaying {
	struct trial trial;    /* the rules that are tried */
	struct policy *policy; /* and those that are in force */
	struct judge_kit *kit;
	struct out out;
	int64_t at; /* of messages that no leg says when they came */
	struct instance in;
	bool opened; /* `in` is */
	size_t messages, changed, unknown, forgotten;
	int code;
};

/* ---- two judgements ----------------------------------------------------------------------- */

static bool real(const struct policy_decision *d)
{
	return !d->shadow && !d->watched;
}

/* Whether `j` has decided the same about the recipient, by whatever rule. */
static bool decided_so(
    const struct policy_judgement *j, const struct policy_decision *d, size_t rcpt)
{
	for (size_t i = 0; i < j->decisions; i++) {
		const struct policy_decision *other = &j->decision[i];

		if (other->function == d->function && real(other) &&
		    strcmp(other->outcome, d->outcome) == 0 && judged_concerns(other, rcpt))
			return true;
	}
	return false;
}

/* Adds what `j` decides and `other` does not. */
static void add_lines(struct verdict *v, struct verdict_line *line,
    const struct policy_judgement *j, const struct policy_judgement *other, size_t rcpt,
    const char *mark)
{
	for (size_t i = 0; i < j->decisions; i++) {
		const struct policy_decision *d = &j->decision[i];

		if (!real(d) || !judged_concerns(d, rcpt) || decided_so(other, d, rcpt))
			continue;
		line[v->lines] = judged_line(d);
		line[v->lines++].mark = mark;
	}
}

/* What becomes of the recipient, or "A -> B" if it is another thing now. False: it is the same. */
static bool add_fates(
    struct buf *text, const struct judged *before, const struct judged *after, size_t rcpt)
{
	struct buf other;
	bool same;

	buf_init(&other, FATE_TEXT);
	judged_fate(text, before, rcpt);
	judged_fate(&other, after, rcpt);
	same = text->len == other.len &&
	       (text->len == 0 || memcmp(text->bytes, other.bytes, text->len) == 0);
	if (!same) {
		buf_add_text(text, " -> ");
		buf_add(text, other.bytes, other.len);
	}
	buf_add(text, "", 1);
	buf_free(&other);
	return !same;
}

/* Prints every recipient for whom something changes. Returns whether there is one. */
static bool compare(struct replaying *r, const char *name, const struct leg *leg,
    const struct judged *before, const struct judged *after)
{
	const struct policy_judgement *old = &before->judgement, *new = &after->judgement;
	struct verdict_line *line = calloc(old->decisions + new->decisions + 1, sizeof *line);
	bool changed = false;
	struct buf fate;

	if (line == NULL) {
		complain("no memory");
		r->code = EXIT_ENVIRON;
		return false;
	}
	buf_init(&fate, 2 * FATE_TEXT);
	for (size_t i = 0; i < leg->rcpts; i++) {
		struct verdict v = {.key = "path", .value = name, .line = line};
		bool other;

		buf_clear(&fate);
		other = add_fates(&fate, before, after, i);
		add_lines(&v, line, old, new, i, "-");
		add_lines(&v, line, new, old, i, "+");
		if (!other && v.lines == 0)
			continue;
		if (!changed && !r->out.json) {
			out_visible(r->out.file, name, strlen(name), false);
			(void)fputc('\n', r->out.file);
		}
		changed = true;
		v.address = leg->rcpt[i].address;
		v.class = judge_kit_class(r->trial.kit, v.address);
		v.fate = buf_ok(&fate) ? fate.bytes : "";
		verdict_print(&r->out, &v);
	}
	buf_free(&fate);
	free(line);
	return changed;
}

/* ---- one message -------------------------------------------------------------------------- */

static void replay_leg(
    struct replaying *r, const char *name, const struct leg *leg, const struct judge_case *c)
{
	struct judged before = {.past = NULL}, after = {.past = NULL};
	enum judged_how how = judge_message(r->kit, c, &before);

	if (how == JUDGED)
		how = judge_message(r->trial.kit, c, &after);
	switch (how) {
	case JUDGED:
		r->messages++;
		r->changed += compare(r, name, leg, &before, &after);
		r->forgotten += before.past_unknown || after.past_unknown;
		break;
	case JUDGED_UNKNOWN:
		r->messages++;
		r->unknown++;
		complain_about(name,
		    "its content was removed after delivery, and a rule asks for it: unknown");
		break;
	case JUDGED_FAILED:
		r->code = EXIT_ENVIRON;
		break;
	}
	judged_free(&before);
	judged_free(&after);
}

static void replay_spooled(struct replaying *r, const char *name, const struct leg *leg, int fd)
{
	struct source content = {.fd = fd, .start = (uint64_t)leg->content, .size = leg->size};
	struct judge_case c = {.leg = leg, .since = leg->accepted};

	c.content = leg->emptied ? NULL : &content;
	replay_leg(r, name, leg, &c);
}

static void replay_content(struct replaying *r, const char *name, const struct source *content)
{
	struct addresses from = {.n = 0}, to = {.n = 0};
	struct envelope e = {.leg = {.rcpts = 0}};
	struct judge_case c = {.leg = &e.leg, .content = content, .since = r->at};

	if (!judge_kit_addresses(r->trial.kit, content, &from, &to)) {
		r->code = EXIT_ENVIRON;
	} else if (to.n == 0 || !envelope_make(&e, from.n > 0 ? from.address[0] : "",
				    addresses_list(&to), to.n, r->at, content->size)) {
		complain_about(name, "it names no recipient; passed over");
		r->code = worse(r->code, EXIT_NO);
	} else {
		replay_leg(r, name, &e.leg, &c);
	}
	envelope_free(&e);
	addresses_free(&from);
	addresses_free(&to);
}

static void replay_file(struct replaying *r, const char *name, const struct source *content)
{
	char mark[sizeof LEG_MARK] = "";
	const char *why = "";
	struct leg leg;

	if (source_read(content, 0, mark, sizeof LEG_MARK - 1) <= 0 ||
	    strcmp(mark, LEG_MARK) != 0) {
		replay_content(r, name, content);
		return;
	}
	switch (leg_read(content->fd, TRAILER_MAX, &leg, &why)) {
	case LEG_FINE:
		replay_spooled(r, name, &leg, content->fd);
		leg_free(&leg);
		break;
	case LEG_ENVIRON:
		why = strerrordesc_np(errno);
		/* fall through */
	case LEG_UNREADABLE:
	case LEG_TOO_LONG:
		complain_about(name, "%s", why);
		r->code = worse(r->code, EXIT_NO);
		break;
	}
}

/* ---- files, folders, legs ----------------------------------------------------------------- */

static void replay_path(
    struct replaying *r, int folder, const char *entry, const char *shown, int depth);

static bool passed_over(const struct dirent *e)
{
	/* What is being written into a Maildir is no message yet. */
	return e->d_name[0] == '.' || (e->d_type == DT_DIR && strcmp(e->d_name, "tmp") == 0) ||
	       e->d_type == DT_LNK;
}

/* Takes `fd`. */
static void replay_folder(struct replaying *r, int fd, const char *shown, int depth)
{
	DIR *d = depth < DEPTH_MAX ? fdopendir(fd) : NULL;
	const struct dirent *e;

	if (d == NULL) {
		complain_about(shown, "cannot be listed, or lies too deep");
		r->code = worse(r->code, EXIT_NO);
		(void)close(fd);
		return;
	}
	while (r->code < EXIT_ENVIRON && (e = readdir(d)) != NULL) {
		struct buf path;

		if (passed_over(e))
			continue;
		buf_init(&path, 65536);
		buf_addf(&path, "%s/%s", shown, e->d_name);
		buf_add(&path, "", 1);
		if (buf_ok(&path))
			replay_path(r, dirfd(d), e->d_name, path.bytes, depth + 1);
		buf_free(&path);
	}
	(void)closedir(d);
}

static void replay_path(
    struct replaying *r, int folder, const char *entry, const char *shown, int depth)
{
	int fd = openat(folder, entry, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	struct source content;

	if (fd < 0 || fstat(fd, &st) != 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))) {
		complain_about(shown, "%s", fd < 0 ? strerrordesc_np(errno) : "no regular file");
		r->code = worse(r->code, EXIT_NO);
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	if (S_ISDIR(st.st_mode)) {
		replay_folder(r, fd, shown, depth);
		return;
	}
	content = (struct source){.fd = fd, .size = (uint64_t)st.st_size};
	replay_file(r, shown, &content);
	(void)close(fd);
}

static enum visit replay_named(
    void *context, const struct names *names, const struct entry *e, size_t nth)
{
	struct replaying *r = context;
	struct found f;

	(void)nth;
	switch (found_open(&r->in, names, e, &f)) {
	case FOUND_GONE:
		return VISIT_GONE;
	case FOUND_FOREIGN:
	case FOUND_FAILED:
		r->code = worse(r->code, EXIT_NO);
		return VISIT_DONE;
	case FOUND:
		break;
	}
	if (f.read) {
		replay_spooled(r, entry_leg(names, e), &f.leg, f.fd);
	} else {
		complain_about(entry_name(names, e), "damaged: %s", f.why);
		r->code = worse(r->code, EXIT_NO);
	}
	found_close(&f);
	return r->code < EXIT_ENVIRON ? VISIT_DONE : VISIT_STOP;
}

/* A word is a file if there is one, and an id if it looks like one. */
static bool is_id(const struct replaying *r, const char *word)
{
	struct leg_name name;
	size_t digits = strspn(word, "0123456789abcdef");

	if (faccessat(r->trial.here, word, F_OK, 0) == 0)
		return false;
	return name_parse(word, &name) || (word[digits] == '\0' && digits >= 8) ||
	       strcmp(word, "-") == 0;
}

static void replay_word(struct replaying *r, char *word)
{
	if (!is_id(r, word)) {
		replay_path(r, r->trial.here, word, word, 0);
		return;
	}
	if (!r->opened && instance_open(&r->in) != EXIT_FINE) {
		r->code = EXIT_ENVIRON;
		return;
	}
	r->opened = true;
	r->code = worse(r->code, legs_named(&r->in, 1, &word, replay_named, r));
}

/* ---- the command -------------------------------------------------------------------------- */

static void print_counts(struct replaying *r)
{
	struct out *o = &r->out;

	if (o->json) {
		out_number(o, "messages", r->messages);
		out_number(o, "changed", r->changed);
		out_number(o, "unknown", r->unknown);
		out_end(o);
	} else {
		(void)fprintf(o->file, "%zu of %zu messages change fate", r->changed, r->messages);
		if (r->unknown > 0)
			(void)fprintf(
			    o->file, "; of %zu it cannot be known: no content", r->unknown);
		(void)fputc('\n', o->file);
	}
	if (r->forgotten > 0)
		complain("of %zu messages a rule asks what was sent before, and seki-db does not "
			 "answer: unknown under both",
		    r->forgotten);
}

struct replay_options {
	const char *policy, *at;
	bool json;
};

/* Returns the index of the first word; -1 after a complaint. */
static int take_options(struct replay_options *o, int argc, char **argv)
{
	int i = 0;

	while (i < argc && argv[i][0] == '-' && argv[i][1] != '\0') {
		bool valued = i + 1 < argc;

		if (strcmp(argv[i], "-j") == 0 || strcmp(argv[i], "--json") == 0)
			o->json = true;
		else if (valued && strcmp(argv[i], "--policy") == 0)
			o->policy = argv[++i];
		else if (valued && strcmp(argv[i], "--at") == 0)
			o->at = argv[++i];
		else
			break;
		i++;
	}
	if (i < argc && (argv[i][0] != '-' || argv[i][1] == '\0'))
		return i;
	complain(USAGE);
	return -1;
}

/* The rules in force, beside those that are tried. */
static int open_current(struct replaying *r)
{
	struct conf_fault fault = {.line = 0};

	r->policy = policy_open_current(&fault);
	if (r->policy == NULL) {
		complain_fault(&fault);
		return EXIT_CONFIG;
	}
	r->kit = judge_kit_new(&r->trial.settings, r->policy, false);
	return r->kit != NULL ? EXIT_FINE : EXIT_ENVIRON;
}

int shell_replay(const struct shell *sh, int argc, char **argv)
{
	struct shell shown = *sh;
	struct replaying r = {.code = EXIT_FINE};
	struct replay_options options = {.policy = NULL};
	int first = take_options(&options, argc, argv);

	if (first < 0)
		return EXIT_USAGE;
	shown.json = sh->json || options.json;
	out_open(&r.out, &shown, NULL);
	r.code = trial_open(&r.trial, sh, options.policy);
	r.at = options.at != NULL ? moment_parse(options.at) : clock_wall();
	if (r.at < 0)
		r.code = complain_usage("--at is like \"2026-11-22 18:59:59\"");
	/* While rules are only watched none changes anything: what is asked is what they say. */
	r.trial.settings.watch_only = WATCH_ONLY_NO;
	if (r.code == EXIT_FINE)
		r.code = open_current(&r);
	if (r.code == EXIT_FINE) {
		for (int i = first; i < argc && r.code < EXIT_ENVIRON; i++)
			replay_word(&r, argv[i]);
		print_counts(&r);
	}
	judge_kit_free(r.kit);
	policy_close(r.policy);
	if (r.opened)
		instance_close(&r.in);
	trial_close(&r.trial);
	return out_close(&r.out, r.code);
}
