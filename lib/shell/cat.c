#include "lib/shell/shell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/shell/legs.h"
#include "lib/shell/who.h"
#include "queue/audit.h"
#include "queue/digest.h"

#define CHUNK     ((size_t)65536)
#define FROM_TOLD ((size_t)320)

struct copying {
	const struct instance *in;
	struct out out;
	bool terminal;
	char *chunk; /* of CHUNK bytes */
	struct digest *digest;
	struct audit *audit;
	char first[LEG_DIGEST_LEN + 1]; /* of the argument's first leg */
	int code;
};

/*
 * To a terminal line by line, harmless; to anything else byte for byte. A line's end is CRLF in
 * the file.
 */
static void put_content(struct copying *c, const char *bytes, size_t len)
{
	if (!c->terminal) {
		(void)fwrite(bytes, 1, len, c->out.file);
		return;
	}
	while (len > 0) {
		const char *newline = memchr(bytes, '\n', len);
		size_t n = newline != NULL ? (size_t)(newline - bytes) : len;

		out_visible(c->out.file, bytes, n > 0 && bytes[n - 1] == '\r' ? n - 1 : n, false);
		if (newline == NULL)
			return;
		(void)fputc('\n', c->out.file);
		bytes = newline + 1;
		len -= n + 1;
	}
}

static int copy(struct copying *c, const struct found *f, const char *leg)
{
	uint64_t left = f->leg.size;
	off_t at = f->leg.content;
	char hex[DIGEST_HEX];

	digest_restart(c->digest);
	while (left > 0 && !ferror(c->out.file)) {
		size_t want = left < CHUNK ? (size_t)left : CHUNK;
		ssize_t n = pread(f->fd, c->chunk, want, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			complain_about(leg, "cannot be read: %s",
			    n == 0 ? "it is too short" : strerrordesc_np(errno));
			return EXIT_ENVIRON;
		}
		digest_add(c->digest, c->chunk, (size_t)n);
		put_content(c, c->chunk, (size_t)n);
		at += n;
		left -= (uint64_t)n;
	}
	digest_end(c->digest, hex);
	if (left == 0 && strcmp(hex, f->leg.sha256) != 0) {
		complain_about(leg, "this is not what was accepted: its digest is another");
		return EXIT_NO;
	}
	return EXIT_FINE;
}

/* What can be said about a leg before its content is copied; EXIT_FINE: copy it. */
static int objection(const struct copying *c, const struct found *f, const char *leg)
{
	if (!f->read) {
		complain_about(leg, "is damaged: %s", f->why);
		return EXIT_NO;
	}
	if (c->first[0] != '\0' && strcmp(c->first, f->leg.sha256) != 0) {
		complain_about(leg, "its content is another than the one printed: name it by ID.K");
		return EXIT_NO;
	}
	if (f->leg.emptied) {
		complain_about(
		    leg, "its body was removed after delivery; seki show tells the rest");
		return EXIT_NO;
	}
	return EXIT_FINE;
}

/* Who reads a body is written down before he has it. EXIT_FINE: it was. */
static int tell_audit(const struct copying *c, const struct found *f, const char *leg)
{
	char name[WHO_ROOM];
	struct buf line;
	bool said;

	who(name);
	buf_init(&line, AUDIT_LINE_MAX);
	audit_begin(&line, "read");
	audit_put(&line, "id", leg);
	audit_put_bytes(&line, "from", f->leg.from, strnlen(f->leg.from, FROM_TOLD));
	audit_put(&line, "by", name);
	audit_put(&line, "via", "shell");
	said = audit_say_line(c->audit, true, &line);
	if (!said)
		complain_about(leg,
		    "is not shown, for it cannot be written to the audit log that you read it: %s",
		    strerrordesc_np(errno));
	buf_free(&line);
	return said ? EXIT_FINE : EXIT_ENVIRON;
}

static enum visit cat_leg(
    void *context, const struct names *names, const struct entry *e, size_t nth)
{
	struct copying *c = context;
	const char *leg = entry_leg(names, e);
	struct found f;
	int code;

	switch (found_open(c->in, names, e, &f)) {
	case FOUND_GONE:
		return VISIT_GONE;
	case FOUND_FOREIGN:
		complain_about(leg, "is no leg of the spool's users");
		c->code = worse(c->code, EXIT_NO);
		return VISIT_DONE;
	case FOUND_FAILED:
		c->code = worse(c->code, EXIT_ENVIRON);
		return VISIT_DONE;
	case FOUND:
		break;
	}
	if (nth == 0)
		c->first[0] = '\0';
	code = objection(c, &f, leg);
	if (code == EXIT_FINE && c->first[0] == '\0')
		code = tell_audit(c, &f, leg);
	if (code == EXIT_FINE && c->first[0] == '\0') {
		code = copy(c, &f, leg);
		memcpy(c->first, f.leg.sha256, sizeof c->first);
	}
	c->code = worse(c->code, code);
	found_close(&f);
	return ferror(c->out.file) ? VISIT_STOP : VISIT_DONE;
}

int shell_cat(const struct shell *sh, int argc, char **argv)
{
	struct instance in;
	struct copying c = {.in = &in, .terminal = sh->terminal};
	int code = instance_open(&in);

	if (code != EXIT_FINE)
		return code;
	c.chunk = malloc(CHUNK);
	c.digest = digest_new();
	c.audit = audit_reach("seki");
	if (c.audit != NULL)
		audit_settings(c.audit, &in.settings);
	out_open(&c.out, sh, NULL);
	if (c.chunk != NULL && c.digest != NULL && c.audit != NULL) {
		code = legs_named(&in, argc, argv, cat_leg, &c);
		code = worse(code, c.code);
	} else {
		complain("no memory");
		code = EXIT_ENVIRON;
	}
	audit_leave(c.audit);
	free(c.chunk);
	if (c.digest != NULL)
		digest_free(c.digest);
	instance_close(&in);
	return out_close(&c.out, code);
}
