/* audit verify, show and accept: the log that seki-audit(8) keeps. */
#include "lib/shell/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/audit/state.h"
#include "lib/audit/walk.h"
#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/hex.h"
#include "lib/base/xtext.h"
#include "lib/shell/out.h"
#include "lib/shell/since.h"
#include "lib/shell/who.h"

#define USAGE                                                                                      \
	"audit verify [--from FILE] [--head CHAIN] | audit show [--since T] [--id ID] [--by WHO] " \
	"[--what WORD] | audit accept --reason TEXT"

static int open_log(void)
{
	int dir = open(AUDIT_LOG, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		complain(AUDIT_LOG ": %s", strerrordesc_np(errno));
	return dir;
}

/* ---- verify ------------------------------------------------------------------------------- */

struct verifying {
	struct out *out; /* NULL: faults are only seen by `accept` */
	void (*take)(void *context, const struct walk_fault *fault);
	void *context;
	struct log_claim claim; /* what seki-audit says that there is */
	const char *head;       /* a chain that must be there; NULL: none */
	bool head_seen, other;  /* `other`: a line is another than seki-audit wrote */
};

static void put_fault(struct out *o, const struct walk_fault *f)
{
	char where[64];

	(void)snprintf(where, sizeof where, "%s:%llu", f->file, (unsigned long long)f->line);
	out_text(o, "what", f->accepted ? "accepted" : "fault");
	out_text(o, "where", where);
	out_text(o, "why", f->text);
	out_end(o);
}

static void see_fault(void *context, const struct walk_fault *fault)
{
	struct verifying *v = context;

	if (v->out != NULL)
		put_fault(v->out, fault);
	if (v->take != NULL && !fault->accepted)
		v->take(v->context, fault);
}

static void see_line(void *context, const struct chain_line *line)
{
	struct verifying *v = context;

	if (v->claim.known && line->seq == v->claim.end.seq)
		v->other = memcmp(line->chain, v->claim.end.chain, DIGEST_HEX - 1) != 0;
	if (v->head != NULL && memcmp(line->chain, v->head, DIGEST_HEX - 1) == 0)
		v->head_seen = true;
}

/* What the lines cannot tell: that there were more, or others. */
static void verify_end(struct verifying *v, struct walk *w)
{
	char text[128], sha256[DIGEST_HEX], month[CLOCK_TEXT];
	struct walk_fault fault = {
	    .file = w->file, .line = w->lines, .offset = w->size, .sha256 = sha256, .text = text};

	digest_of("", 0, sha256);
	if (w->file[0] == '\0') {
		clock_format(clock_wall(), month);
		month[CHAIN_FILE - 1] = '\0';
		fault.file = month;
	}
	if (v->claim.known && v->claim.end.seq > w->end.seq)
		(void)snprintf(text, sizeof text, "numbers %llu to %llu are missing at the end",
		    (unsigned long long)w->end.seq + 1, (unsigned long long)v->claim.end.seq);
	else if (v->other)
		(void)snprintf(text, sizeof text, "number %llu is another than seki-audit wrote",
		    (unsigned long long)v->claim.end.seq);
	else if (v->head != NULL && !v->head_seen)
		(void)snprintf(text, sizeof text, "no line has the chain %.64s", v->head);
	else
		return;
	fault.accepted = walk_is_accepted(w->accepted, fault.file, fault.offset, sha256);
	if (fault.accepted)
		w->accepted_faults++;
	else
		w->faults++;
	see_fault(v, &fault);
}

/* Walks through all of it. False after a complaint. */
static bool verify(struct verifying *v, struct walk *w)
{
	struct walk_accepted accepted;
	int dir = open_log();
	bool fine = false;

	if (dir < 0)
		return false;
	v->claim = state_read(); /* before the lines: there are at least so many */
	if (!walk_accepted_read(AUDIT_ACCEPTED, &accepted)) {
		complain(AUDIT_ACCEPTED ": %s", strerrordesc_np(errno));
		(void)close(dir);
		return false;
	}
	w->accepted = &accepted;
	w->live = true;
	w->fault = see_fault;
	w->line = see_line;
	w->context = v;
	fine = walk_log(dir, w);
	if (fine)
		verify_end(v, w);
	else
		complain(AUDIT_LOG "/%s: %s", w->file, strerrordesc_np(errno));
	walk_accepted_free(&accepted);
	(void)close(dir);
	return fine;
}

static void put_head(struct out *o, const struct walk *w)
{
	out_text(o, "what", "head");
	out_number(o, "seq", w->end.seq);
	out_text(o, "chain", w->end.chain);
	out_number(o, "lines", w->lines);
	out_number(o, "files", w->files);
	out_number(o, "faults", w->faults);
	out_number(o, "accepted", w->accepted_faults);
	out_end(o);
}

static bool is_chain(const char *text)
{
	unsigned char value[(DIGEST_HEX - 1) / 2];

	return strlen(text) == DIGEST_HEX - 1 && hex_decode(text, value, sizeof value);
}

static int audit_verify(const struct shell *sh, int argc, char **argv)
{
	struct walk w = {.from = NULL};
	struct out o;
	struct verifying v = {.out = &o};
	bool fine;

	for (int i = 0; i < argc; i += 2) {
		if (i + 1 < argc && strcmp(argv[i], "--from") == 0 && walk_is_file(argv[i + 1]))
			w.from = argv[i + 1];
		else if (i + 1 < argc && strcmp(argv[i], "--head") == 0 && is_chain(argv[i + 1]))
			v.head = argv[i + 1];
		else
			return complain_usage("audit verify [--from YYYY-MM] [--head CHAIN], of "
					      "64 digits");
	}
	out_open(&o, sh, NULL);
	fine = verify(&v, &w);
	if (fine)
		put_head(&o, &w);
	return out_close(&o, !fine ? EXIT_ENVIRON : w.faults > 0 ? EXIT_NO : EXIT_FINE);
}

/* ---- accept ------------------------------------------------------------------------------- */

struct accepting {
	struct buf lines;
	struct audit *audit;
	const char *reason;
	char who[WHO_ROOM];
	size_t n;
	bool unsaid;
};

static void accept_fault(void *context, const struct walk_fault *f)
{
	struct accepting *a = context;
	char now[CLOCK_TEXT];
	struct buf line;

	clock_format(clock_wall(), now);
	buf_addf(&a->lines, "%s file=%s offset=%llu sha256=%s by=", now, f->file,
	    (unsigned long long)f->offset, f->sha256);
	buf_add_xtext(&a->lines, a->who, strlen(a->who));
	buf_add_text(&a->lines, " reason=");
	buf_add_xtext(&a->lines, a->reason, strlen(a->reason));
	buf_add_text(&a->lines, "\n");
	a->n++;

	buf_init(&line, AUDIT_LINE_MAX);
	audit_begin(&line, "accepted");
	audit_put(&line, "file", f->file);
	audit_put_number(&line, "line", (int64_t)f->line);
	audit_put_number(&line, "offset", (int64_t)f->offset);
	audit_put(&line, "sha256", f->sha256);
	audit_put(&line, "why", f->text);
	audit_put(&line, "by", a->who);
	audit_put(&line, "via", "shell");
	audit_put(&line, "reason", a->reason);
	if (!audit_say_line(a->audit, true, &line))
		a->unsaid = true;
	buf_free(&line);
}

/* Behind what is there, durably: root alone may. */
static bool write_accepted(const struct buf *lines)
{
	int fd = open(AUDIT_ACCEPTED, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	bool fine =
	    fd >= 0 && write(fd, lines->bytes, lines->len) == (ssize_t)lines->len && fsync(fd) == 0;

	if (!fine)
		complain(AUDIT_ACCEPTED ": %s", strerrordesc_np(errno));
	if (fd >= 0)
		(void)close(fd);
	return fine;
}

static int accept_all(struct accepting *a)
{
	struct walk w = {.from = NULL};
	struct verifying v = {.take = accept_fault, .context = a};

	if (!verify(&v, &w))
		return EXIT_ENVIRON;
	if (a->n == 0) {
		complain("the audit log has no fault that is not accepted already");
		return EXIT_NO;
	}
	if (a->unsaid || !buf_ok(&a->lines)) {
		complain(
		    "that cannot be written to the audit log itself: %s", strerrordesc_np(errno));
		return EXIT_ENVIRON;
	}
	if (!write_accepted(&a->lines))
		return EXIT_ENVIRON;
	(void)printf("%zu accepted: seki-audit goes on within a few seconds\n", a->n);
	return fflush(stdout) == 0 ? EXIT_FINE : EXIT_ENVIRON;
}

static int audit_accept(int argc, char **argv)
{
	struct accepting a = {.n = 0};
	int code = EXIT_ENVIRON;

	if (argc != 2 || strcmp(argv[0], "--reason") != 0 || argv[1][0] == '\0' ||
	    strlen(argv[1]) > 1000)
		return complain_usage("audit accept --reason TEXT, of at most 1000 bytes");
	a.reason = argv[1];
	who(a.who);
	buf_init(&a.lines, (size_t)4 * 1024 * 1024);
	a.audit = audit_reach("seki");
	if (a.audit != NULL)
		code = accept_all(&a);
	else
		complain("no memory");
	audit_leave(a.audit);
	buf_free(&a.lines);
	return code;
}

/* ---- show --------------------------------------------------------------------------------- */

struct showing {
	struct out out;
	int64_t since; /* 0: from the beginning */
	const char *id, *by, *what;
	char id_bytes[160], by_bytes[1024]; /* xtext, as lines have it */
};

/* A whole id has all its legs: "ID" finds "ID.1". */
static bool has_id(const struct showing *s, const struct chain_line *line)
{
	const char *value;
	size_t len, n = strlen(s->id_bytes);

	return chain_pair(line, "id", &value, &len) && len >= n &&
	       memcmp(value, s->id_bytes, n) == 0 &&
	       (len == n || value[n] == '.' || strchr(s->id_bytes, '.') == NULL);
}

static bool is_wanted(const struct showing *s, const struct chain_line *line)
{
	const char *value;
	size_t len;

	if (line->wall < s->since)
		return false;
	if (s->what != NULL && !chain_is(line->what, line->what_len, s->what))
		return false;
	if (s->by != NULL &&
	    (!chain_pair(line, "by", &value, &len) || !chain_is(value, len, s->by_bytes)))
		return false;
	return s->id == NULL || has_id(s, line);
}

/* Each pair, decoded; a key that is there again gets a number, so that an object has it once. */
static void put_pairs(struct out *o, const struct chain_line *line)
{
	const char *p = line->pairs, *end = line->pairs + line->pairs_len;

	while (p < end) {
		const char *key = p + 1, *next = memchr(key, ' ', (size_t)(end - key));
		const char *equals = memchr(key, '=', (size_t)(end - key));
		char name[64];
		unsigned before = 0;
		size_t n = (size_t)(equals - key);

		if (next == NULL)
			next = end;
		for (const char *q = line->pairs; q < p; q++) {
			if (*q == ' ' && (size_t)(p - q) > n + 1 && memcmp(q, p, n + 2) == 0)
				before++;
		}
		(void)snprintf(
		    name, sizeof name, before == 0 ? "%.*s" : "%.*s%u", (int)n, key, before + 1);
		out_xtext(o, name, equals + 1, (size_t)(next - equals - 1));
		p = next;
	}
}

static void show_line(void *context, const struct chain_line *line)
{
	struct showing *s = context;
	struct out *o = &s->out;

	if (!is_wanted(s, line))
		return;
	out_number(o, "seq", line->seq);
	out_bytes(o, "time", line->time, CLOCK_TEXT - 1);
	out_bytes(o, "program", line->program, line->program_len);
	out_bytes(o, "what", line->what, line->what_len);
	if (o->json)
		put_pairs(o, line);
	else
		out_words(o, "word", line->pairs + (line->pairs_len > 0),
		    line->pairs_len - (line->pairs_len > 0));
	out_end(o);
}

static bool as_xtext(const char *text, char *out, size_t room)
{
	size_t len = strlen(text), n;

	if (xtext_room(len) >= room)
		return false;
	n = xtext_encode_cut(text, len, out, room - 1);
	out[n] = '\0';
	return true;
}

/* One option and its value. False after a complaint. */
static bool show_option(struct showing *s, const char *option, const char *value)
{
	if (strcmp(option, "--since") == 0) {
		s->since = since_parse(value, clock_wall());
		if (s->since < 0)
			complain_about(value, "a time is expected: 2h, 2026-11-22");
		return s->since >= 0;
	}
	if (strcmp(option, "--what") == 0)
		s->what = value;
	else if (strcmp(option, "--id") == 0)
		s->id = value;
	else if (strcmp(option, "--by") == 0)
		s->by = value;
	else
		return complain_usage(USAGE) == EXIT_FINE;
	if ((s->id != NULL && !as_xtext(s->id, s->id_bytes, sizeof s->id_bytes)) ||
	    (s->by != NULL && !as_xtext(s->by, s->by_bytes, sizeof s->by_bytes))) {
		complain_about(value, "it is too long");
		return false;
	}
	return true;
}

/* The month of `since`: a line stands in the file of that in which it was chained, or of a later one. */
static void first_file(int64_t since, char file[CLOCK_TEXT])
{
	clock_format(since, file);
	file[CHAIN_FILE - 1] = '\0';
}

static int audit_show(const struct shell *sh, int argc, char **argv)
{
	static struct showing s; /* one a process */
	struct walk_accepted accepted = {.n = 0};
	char file[CLOCK_TEXT];
	struct walk w = {.line = show_line, .context = &s, .live = true};
	int dir, code = EXIT_FINE;

	for (int i = 0; i < argc; i += 2) {
		if (i + 1 == argc)
			return complain_usage(USAGE);
		if (!show_option(&s, argv[i], argv[i + 1]))
			return EXIT_USAGE;
	}
	if (s.since > 0) {
		first_file(s.since, file);
		w.from = file;
	}
	dir = open_log();
	if (dir < 0)
		return EXIT_ENVIRON;
	if (walk_accepted_read(AUDIT_ACCEPTED, &accepted))
		w.accepted = &accepted;
	out_open(&s.out, sh, "SEQ\tTIME\tPROGRAM\tWHAT\tREST");
	if (!walk_log(dir, &w)) {
		complain(AUDIT_LOG "/%s: %s", w.file, strerrordesc_np(errno));
		code = EXIT_ENVIRON;
	} else if (w.faults > 0) {
		complain("the chain has faults: \"seki audit verify\" tells which");
		code = EXIT_NO;
	}
	walk_accepted_free(&accepted);
	(void)close(dir);
	return out_close(&s.out, code);
}

int shell_audit(const struct shell *sh, int argc, char **argv)
{
	if (argc > 0 && strcmp(argv[0], "verify") == 0)
		return audit_verify(sh, argc - 1, argv + 1);
	if (argc > 0 && strcmp(argv[0], "show") == 0)
		return audit_show(sh, argc - 1, argv + 1);
	if (argc > 0 && strcmp(argv[0], "accept") == 0)
		return audit_accept(argc - 1, argv + 1);
	return complain_usage(USAGE);
}
