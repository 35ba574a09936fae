/*
 * What stands between a message's header and the queue. The first byte says whose mail it is, the
 * second where it is cut; the rest is the content as DATA transmits it. However it is cut, the
 * verdict is the same, and no byte is lost or invented but the field with the secret, which a
 * second, slower reader takes out by itself.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/smtp/data.h"
#include "lib/smtp/gate.h"

#define FIELD     "X-Example-Proof"
#define SMALL     (1 << 0) /* bits of the first byte */
#define SHARED    (1 << 1)
#define LOGIN     (1 << 2)
#define LINE_MAX  200
#define ROOM      ((size_t)1 << 20)
#define THE_LOGIN "alice@example.co.jp"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tables {
	struct relay relay;
	struct people *people;
	struct loop_key loop;
};

static void put(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(fd);
}

/* The tables are read once, from a directory of this process's own. */
static const struct tables *tables(void)
{
	static struct tables *t;
	struct conf_fault fault = {0};
	char path[64];
	int etc;

	if (t != NULL)
		return t;
	(void)snprintf(path, sizeof path, "/dev/shm/fuzz_gate.XXXXXX");
	t = calloc(1, sizeof *t);
	if (t == NULL || mkdtemp(path) == NULL)
		abort();
	etc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (etc < 0 || mkdirat(etc, "secrets", 0700) != 0)
		abort();
	put(etc, "relay", "192.0.2.9 @example.co.jp cloud secret=cloud\n");
	put(etc, "people", THE_LOGIN " alias=a.sato@example.co.jp\n");
	put(etc, "secrets/cloud", FIELD ": 0123456789abcdef\n");
	relay_init(&t->relay);
	t->people = people_read(etc, &fault);
	if (t->people == NULL || !relay_read(etc, &t->relay, &fault))
		abort();
	memset(t->loop.bytes, 7, sizeof t->loop.bytes);
	(void)unlinkat(etc, "secrets/cloud", 0);
	(void)unlinkat(etc, "secrets", AT_REMOVEDIR);
	(void)unlinkat(etc, "relay", 0);
	(void)unlinkat(etc, "people", 0);
	close(etc);
	(void)rmdir(path);
	return t;
}

static struct gate_rules rules_of(uint8_t kind)
{
	const struct tables *t = tables();
	struct gate_rules rules = {.people = t->people,
	    .relay = &t->relay,
	    .loop = &t->loop,
	    .header_max = (kind & SMALL) != 0 ? 300 : 4096,
	    .line_max = LINE_MAX,
	    .received_max = 5,
	    .loop_passes = 1};
	struct ip ip;

	if (!ip_parse("192.0.2.9", &ip))
		abort();
	if ((kind & SHARED) != 0)
		rules.source = relay_find(&t->relay, &ip);
	if ((kind & LOGIN) != 0)
		rules.login = THE_LOGIN;
	return rules;
}

static void collect(void *context, const char *bytes, size_t len)
{
	buf_add(context, bytes, len);
}

/* What the gate is given never has a CR or LF alone. */
static void decode(const uint8_t *data, size_t size, struct buf *content)
{
	struct data d;
	size_t used;

	data_init(&d, true, collect, content);
	if (data_feed(&d, (const char *)data, size, &used) == DATA_BARE || !buf_ok(content))
		abort();
}

static void take(struct gate *g, const char *bytes, size_t len, bool end, struct buf *out)
{
	const char *head, *rest;
	size_t head_len, rest_len;
	bool some = gate_take(g, bytes, len, end, &head, &head_len, &rest, &rest_len);

	if (some != (head_len + rest_len > 0))
		abort();
	if (some && g->fault != GATE_FINE && g->fault != GATE_FOREIGN)
		abort();
	buf_add(out, head, head_len);
	buf_add(out, rest, rest_len);
}

/* In pieces of a length that `seed` chooses anew each time; 0: in one. */
static enum gate_fault pass(
    const struct gate_rules *rules, const struct buf *in, uint32_t seed, struct buf *out)
{
	enum gate_fault fault;
	struct gate g;
	size_t at = 0;

	gate_init(&g, rules);
	while (at < in->len) {
		size_t n = in->len - at;

		if (seed != 0) {
			seed = seed * 1664525u + 1013904223u;
			n = (seed >> 16) % (1 + (seed >> 8) % 64) + 1;
		}
		n = n < in->len - at ? n : in->len - at;
		n = n < GATE_PIECE_MAX ? n : GATE_PIECE_MAX;
		take(&g, in->bytes + at, n, false, out);
		at += n;
	}
	take(&g, "", 0, true, out);
	if (!buf_ok(out))
		abort();
	fault = g.fault;
	gate_free(&g);
	return fault;
}

/* ---- the second reader: line by line ---- */

static size_t line_length(const char *at, const char *end)
{
	const char *p = at;

	while (p < end && !(p > at && p[-1] == '\r' && p[0] == '\n'))
		p++;
	return (size_t)(p - at) + (p < end ? 1 : 0);
}

static bool is_secret(const char *line, size_t len)
{
	size_t n = strlen(FIELD);

	if (len <= n || strncasecmp(line, FIELD, n) != 0)
		return false;
	while (n < len && (line[n] == ' ' || line[n] == '\t'))
		n++;
	return n < len && line[n] == ':';
}

static void without_secret(const struct buf *in, struct buf *out)
{
	const char *at = in->bytes, *end = at + in->len;
	bool header = true, secret = false;

	while (at < end) {
		size_t n = line_length(at, end);

		if (n == 2 && at[0] == '\r')
			header = secret = false;
		else if (header && at[0] != ' ' && at[0] != '\t')
			secret = is_secret(at, n);
		if (!secret)
			buf_add(out, at, n);
		at += n;
	}
}

static bool same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

/* A line that is too long may be seen before the header is judged, or behind that. */
static bool agree(enum gate_fault one, enum gate_fault many)
{
	if (one == GATE_LINE)
		return many != GATE_FINE && many != GATE_FOREIGN;
	return one == many;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf content, one, many, right;
	struct gate_rules rules;
	enum gate_fault fault;

	if (size < 2 || size > ROOM / 4)
		return 0;
	rules = rules_of(data[0]);
	buf_init(&content, ROOM);
	buf_init(&one, ROOM);
	buf_init(&many, ROOM);
	buf_init(&right, ROOM);
	decode(data + 2, size - 2, &content);

	fault = pass(&rules, &content, 0, &one);
	if (!agree(fault, pass(&rules, &content, 1u + data[1], &many)))
		abort();
	if ((rules.source == NULL && fault == GATE_UNPROVEN) ||
	    (rules.login == NULL && fault == GATE_FOREIGN))
		abort();
	if (fault == GATE_FINE || fault == GATE_FOREIGN) {
		if (rules.source != NULL)
			without_secret(&content, &right);
		if (!same(&one, rules.source != NULL ? &right : &content) || !same(&many, &one))
			abort();
	}
	buf_free(&content);
	buf_free(&one);
	buf_free(&many);
	buf_free(&right);
	return 0;
}
