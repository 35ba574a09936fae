/* rules: the sets of rules that were ever in force, so that an old decision can be explained. */
#include "lib/shell/shell.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/org/compile.h"
#include "lib/shell/moment.h"
#include "lib/shell/out.h"

#define DIGEST_DIGITS ((size_t)16)
#define PREFIX_MIN    ((size_t)4)
#define BUNDLE_MAX    ((size_t)256 * 1024 * 1024)
#define BUNDLE_MARK   "sekisho-rules 1\n"
#define TAB           8

struct kept {
	char name[COMPILED_NAME]; /* RULES-ORG */
	int64_t since;            /* seconds */
	bool current;
};

struct kept_all {
	struct kept *of;
	size_t n, room;
};

static bool is_kept(const char *name)
{
	static const char digits[] = "0123456789abcdef";

	return strlen(name) == 2 * DIGEST_DIGITS + 1 && strspn(name, digits) == DIGEST_DIGITS &&
	       name[DIGEST_DIGITS] == '-' &&
	       strspn(name + DIGEST_DIGITS + 1, digits) == DIGEST_DIGITS;
}

static bool add(struct kept_all *g, int dir, const char *name, const char *current)
{
	char path[COMPILED_NAME + sizeof COMPILED_RULES];
	struct kept *one;
	struct stat st;

	(void)snprintf(path, sizeof path, "%.*s/%s", COMPILED_NAME - 1, name, COMPILED_RULES);
	if (fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
		return true;
	if (g->n == g->room) {
		size_t room = g->room == 0 ? 16 : 2 * g->room;
		struct kept *more = reallocarray(g->of, room, sizeof *more);

		if (more == NULL)
			return false;
		g->of = more;
		g->room = room;
	}
	one = &g->of[g->n++];
	(void)snprintf(one->name, sizeof one->name, "%.*s", COMPILED_NAME - 1, name);
	one->since = st.st_mtime;
	one->current = strcmp(name, current) == 0;
	return true;
}

static int by_age(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	if (x->since != y->since)
		return x->since < y->since ? -1 : 1;
	return strcmp(x->name, y->name);
}

static bool read_all(struct kept_all *g, int dir)
{
	char current[COMPILED_NAME] = "";
	ssize_t len = readlinkat(dir, "current", current, sizeof current - 1);
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = again >= 0 ? fdopendir(again) : NULL;
	const struct dirent *e;
	bool good = d != NULL;

	current[len > 0 ? len : 0] = '\0';
	if (d == NULL && again >= 0)
		(void)close(again);
	while (good && (e = readdir(d)) != NULL) {
		if (is_kept(e->d_name))
			good = add(g, dir, e->d_name, current);
	}
	if (d != NULL)
		(void)closedir(d);
	if (g->n > 0)
		qsort(g->of, g->n, sizeof *g->of, by_age);
	return good;
}

static int list(struct out *o, const struct kept_all *g)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct kept *one = &g->of[i];
		char since[MOMENT_TEXT];

		moment_text(one->since * CLOCK_SECOND, since);
		out_bytes(o, "rules", one->name, DIGEST_DIGITS);
		out_text(o, "organisation", one->name + DIGEST_DIGITS + 1);
		out_text(o, "compiled", since);
		out_text(o, "state", one->current ? "current" : "kept");
		out_end(o);
	}
	return g->n > 0 ? EXIT_FINE : EXIT_NO;
}

/* ---- one of them -------------------------------------------------------------------------- */

static bool read_bundle(int dir, const char *name, struct buf *b)
{
	char path[COMPILED_NAME + sizeof COMPILED_RULES];
	int fd;
	ssize_t n = -1;
	char *room;

	(void)snprintf(path, sizeof path, "%.*s/%s", COMPILED_NAME - 1, name, COMPILED_RULES);
	fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	while (fd >= 0 && (room = buf_reserve(b, 65536)) != NULL && (n = read(fd, room, 65536)) > 0)
		b->len += (size_t)n;
	if (fd >= 0)
		(void)close(fd);
	return n == 0;
}

/* A line of a file of rules; tabs as blanks, so that it stays one field. */
static void put_line(struct out *o, const char *file, unsigned number, const char *line, size_t len)
{
	char where[512];
	struct buf text;

	buf_init(&text, BUNDLE_MAX);
	for (size_t i = 0, column = 0; i < len; i++) {
		size_t n = line[i] == '\t' ? TAB - column % TAB : 1;

		if (line[i] == '\t')
			buf_addf(&text, "%*s", (int)n, "");
		else
			buf_add(&text, &line[i], 1);
		column += n;
	}
	if (o->json) {
		out_text(o, "file", file);
		out_number(o, "line", number);
	} else {
		(void)snprintf(where, sizeof where, "%s:%u", file, number);
		out_text(o, "where", where);
	}
	out_bytes(o, "text", text.len > 0 ? text.bytes : "", text.len);
	out_end(o);
	buf_free(&text);
}

static void put_file(struct out *o, const char *file, const char *bytes, size_t len)
{
	unsigned number = 1;

	for (size_t at = 0; at < len; number++) {
		const char *newline = memchr(bytes + at, '\n', len - at);
		size_t n = newline != NULL ? (size_t)(newline - bytes) - at : len - at;

		put_line(o, file, number, bytes + at, n);
		at += n + 1;
	}
}

/* "file NAME SIZE\n" and SIZE bytes, again and again. */
static bool put_bundle(struct out *o, const struct buf *b)
{
	size_t at = sizeof BUNDLE_MARK - 1;

	if (b->len < at || memcmp(b->bytes, BUNDLE_MARK, at) != 0)
		return false;
	while (at < b->len) {
		char head[512], name[400];
		const char *newline = memchr(b->bytes + at, '\n', b->len - at);
		size_t n = newline != NULL ? (size_t)(newline - b->bytes) - at : sizeof head;
		unsigned long long size = 0;

		if (n >= sizeof head)
			return false;
		memcpy(head, b->bytes + at, n);
		head[n] = '\0';
		at += n + 1;
		if (sscanf(head, "file %399s %llu", name, &size) != 2 || size > b->len - at)
			return false;
		put_file(o, name, b->bytes + at, (size_t)size);
		at += (size_t)size;
	}
	return true;
}

static int print(struct out *o, int dir, const struct kept_all *g, const char *digest)
{
	const struct kept *found = NULL;
	size_t len = strlen(digest);
	struct buf b;
	int code = EXIT_FINE;

	for (size_t i = 0; i < g->n; i++) {
		if (len < PREFIX_MIN || strncmp(g->of[i].name, digest, len) != 0)
			continue;
		if (found != NULL && memcmp(found->name, g->of[i].name, DIGEST_DIGITS) != 0) {
			complain_about(digest, "is the beginning of several: write more of it");
			return EXIT_NO;
		}
		found = &g->of[i];
	}
	if (found == NULL) {
		complain_about(digest, "no such rules are kept; \"seki rules\" lists them");
		return EXIT_NO;
	}
	buf_init(&b, BUNDLE_MAX);
	if (!read_bundle(dir, found->name, &b) || !put_bundle(o, &b)) {
		complain_about(found->name, "cannot be read, or is damaged");
		code = EXIT_ENVIRON;
	}
	buf_free(&b);
	return code;
}

int shell_rules(const struct shell *sh, int argc, char **argv)
{
	struct kept_all g = {.n = 0};
	struct out o;
	int code, dir;

	if (argc > 1)
		return complain_usage("usage: seki rules [DIGEST]");
	dir = open(COMPILED, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	out_open(&o, sh, argc == 0 ? "RULES\tORGANISATION\tCOMPILED\tSTATE" : NULL);
	if (dir >= 0 && read_all(&g, dir)) {
		code = argc == 0 ? list(&o, &g) : print(&o, dir, &g, argv[0]);
	} else {
		complain_about(COMPILED, "%s", strerrordesc_np(errno));
		code = EXIT_ENVIRON;
	}
	if (dir >= 0)
		(void)close(dir);
	free(g.of);
	return out_close(&o, code);
}
