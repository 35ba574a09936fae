#include "queue/leg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/xtext.h"
#include "queue/digest.h"
#include "queue/record.h"

#define RECEIVED_MAX  ((size_t)4096) /* longer than any that queue/receive.c writes */
#define FIRST_READ    ((size_t)4096)
#define SIZE_DIGITS   12
#define SEPARATOR_LEN (1 + 3 + ID_LEN + 1) /* "\n-- ID\n" */
#define HEAD_LINE_LEN (5 + LEG_DIGEST_LEN + 1)

/* ---- lines of a head ---------------------------------------------------------------------- */

/* A cursor over lines; each line is NUL-ended in place. */
struct lines {
	char *at;
	char *end;
};

/* The next line without its newline, or NULL at the end or at a line without one. */
static char *next_line(struct lines *in)
{
	char *line = in->at;
	char *newline = line < in->end ? memchr(line, '\n', (size_t)(in->end - line)) : NULL;

	if (newline == NULL || memchr(line, '\0', (size_t)(newline - line)) != NULL)
		return NULL;
	*newline = '\0';
	in->at = newline + 1;
	return line;
}

/* If `line` is "KEY rest", returns rest. */
static char *value_of(char *line, const char *key)
{
	size_t len = strlen(key);

	if (line == NULL || strncmp(line, key, len) != 0 || line[len] != ' ')
		return NULL;
	return line + len + 1;
}

static bool params_fine(const char *params)
{
	for (const char *p = params; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || (unsigned char)*p > '~')
			return false;
	}
	return true;
}

/* Splits "XTEXT params" and decodes the address in place. An empty reverse-path is "<>". */
static bool read_address(char *rest, bool may_be_empty, char **address, const char **params)
{
	char *blank = strchr(rest, ' ');
	size_t len = blank != NULL ? (size_t)(blank - rest) : strlen(rest);

	*params = blank != NULL ? blank + 1 : rest + len;
	*address = rest;
	if (!params_fine(*params) || len == 0)
		return false;

	if (may_be_empty && len == 2 && memcmp(rest, "<>", 2) == 0) {
		rest[0] = '\0';
		return true;
	}
	if (!xtext_decode(rest, len, rest, &len) || memchr(rest, '\0', len) != NULL)
		return false;
	if (rest + len != *params)
		rest[len] = '\0';
	return true;
}

static bool add_rcpt(struct leg *leg, size_t *room, char *rest)
{
	struct leg_rcpt *rcpt;

	if (leg->rcpts == LEG_RCPTS_MAX)
		return false;
	if (leg->rcpts == *room) {
		size_t more = *room == 0 ? 4 : *room * 2;
		struct leg_rcpt *grown = reallocarray(leg->rcpt, more, sizeof *grown);

		if (grown == NULL)
			return false;
		leg->rcpt = grown;
		*room = more;
	}

	rcpt = &leg->rcpt[leg->rcpts];
	*rcpt = (struct leg_rcpt){.fate = RCPT_OPEN};
	if (!read_address(rest, false, &rcpt->address, &rcpt->params))
		return false;
	leg->rcpts++;
	return true;
}

/* Reads from, to…, client. Returns the line behind them, or NULL if they are malformed. */
static char *read_envelope_lines(struct lines *in, struct leg *leg)
{
	char *line = next_line(in);
	char *rest = value_of(line, "from");
	size_t room = 0;

	if (rest == NULL || !read_address(rest, true, &leg->from, &leg->from_params))
		return NULL;

	for (line = next_line(in); (rest = value_of(line, "to")) != NULL; line = next_line(in)) {
		if (!add_rcpt(leg, &room, rest))
			return NULL;
	}

	rest = value_of(line, "client");
	if (rest == NULL || leg->rcpts == 0 || !params_fine(rest))
		return NULL;
	leg->client = rest;
	return in->at;
}

bool leg_read_envelope(char *text, size_t len, struct leg *leg)
{
	struct lines in = {.at = text, .end = text + len};

	*leg = (struct leg){.name = {.due = DUE_NONE}};
	buf_init(&leg->head_bytes, LEG_HEAD_MAX);
	buf_init(&leg->trailer_bytes, 0);
	if (read_envelope_lines(&in, leg) == NULL || in.at != in.end) {
		leg_free(leg);
		return false;
	}
	return true;
}

/* ---- the head as a whole ------------------------------------------------------------------ */

static bool read_number(const char *text, uint64_t *number)
{
	*number = 0;
	if (strlen(text) != SIZE_DIGITS)
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		*number = *number * 10 + (uint64_t)(*text - '0');
	}
	return true;
}

static bool read_digest(const char *text, char digest[LEG_DIGEST_LEN + 1])
{
	if (strlen(text) != LEG_DIGEST_LEN || strspn(text, "0123456789abcdef") != LEG_DIGEST_LEN)
		return false;
	memcpy(digest, text, LEG_DIGEST_LEN + 1);
	return true;
}

/* Reads the proven lines of a head, in their order. */
static bool read_head_lines(struct lines *in, struct leg *leg)
{
	char *line = next_line(in), *rest;

	if (line == NULL || strcmp(line, "sekisho-leg 1") != 0)
		return false;

	rest = value_of(next_line(in), "id");
	if (rest == NULL || strlen(rest) != ID_LEN || !id_valid(rest, ID_LEN))
		return false;
	memcpy(leg->name.id, rest, ID_TEXT);

	rest = value_of(next_line(in), "leg");
	if (rest == NULL || !k_valid(rest))
		return false;
	(void)snprintf(leg->name.k, sizeof leg->name.k, "%s", rest);

	if (read_envelope_lines(in, leg) == NULL)
		return false;

	rest = value_of(next_line(in), "accepted");
	leg->accepted = rest == NULL ? -1 : clock_parse(rest, strlen(rest));
	if (leg->accepted < 0)
		return false;

	rest = value_of(next_line(in), "size");
	if (rest == NULL || !read_number(rest, &leg->size))
		return false;

	rest = value_of(next_line(in), "sha256");
	return rest != NULL && read_digest(rest, leg->sha256) && in->at == in->end;
}

/* The bytes of the head, its empty line included, or 0 if it has no end within what was read. */
static size_t head_length(const struct buf *b)
{
	const char *p = b->bytes, *end = b->bytes + b->len, *newline;

	while (p < end && (newline = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		if (newline + 1 < end && newline[1] == '\n')
			return (size_t)(newline + 2 - b->bytes);
		p = newline + 1;
	}
	return 0;
}

/* Checks the last line, "head DIGEST", against every byte above it. */
static bool head_proves_itself(const char *bytes, size_t len)
{
	char hex[DIGEST_HEX];
	const char *last;

	if (len < HEAD_LINE_LEN + 1)
		return false;
	last = bytes + len - 1 - HEAD_LINE_LEN;
	if (memcmp(last, "head ", 5) != 0)
		return false;
	digest_of(bytes, (size_t)(last - bytes), hex);
	return memcmp(last + 5, hex, LEG_DIGEST_LEN) == 0;
}

/* ---- reading the file --------------------------------------------------------------------- */

/* Reads [at, at + want) behind what `b` holds; less at the end of the file. */
static bool read_at(int fd, off_t at, size_t want, struct buf *b)
{
	char *room = buf_reserve(b, want);
	size_t got = 0;

	if (room == NULL) {
		errno = ENOMEM;
		return false;
	}
	while (got < want) {
		ssize_t n = pread(fd, room + got, want - got, at + (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	b->len += got;
	return true;
}

/* Reads until the head is whole: first a page, then ever more. */
static enum leg_fault read_head(int fd, struct leg *leg, const char **why)
{
	struct buf *b = &leg->head_bytes;
	struct lines in;
	size_t len, before;

	buf_init(b, LEG_HEAD_MAX);
	for (;;) {
		size_t left = LEG_HEAD_MAX - b->len, want = b->len == 0 ? FIRST_READ : b->len;

		before = b->len;
		if (!read_at(fd, (off_t)b->len, want < left ? want : left, b))
			return LEG_ENVIRON;
		len = head_length(b);
		if (len > 0)
			break;
		*why = "no head";
		if (b->len == before || b->len == LEG_HEAD_MAX)
			return LEG_UNREADABLE;
	}

	*why = "head digest";
	if (!head_proves_itself(b->bytes, len))
		return LEG_UNREADABLE;

	*why = "head";
	in = (struct lines){.at = b->bytes, .end = b->bytes + len - 1 - HEAD_LINE_LEN};
	if (!read_head_lines(&in, leg))
		return LEG_UNREADABLE;
	leg->content = (off_t)len;
	return LEG_FINE;
}

/* Demands the separator at its exact place and reads the trailer behind it. */
static enum leg_fault read_tail(int fd, size_t trailer_max, struct leg *leg, const char **why)
{
	struct buf *b = &leg->trailer_bytes;
	char expected[SEPARATOR_LEN + 1];
	struct stat st;
	off_t separator = leg->content + (off_t)leg->size;
	size_t len;

	if (fstat(fd, &st) != 0)
		return LEG_ENVIRON;
	*why = "shorter than its size";
	if (st.st_size < separator + SEPARATOR_LEN)
		return LEG_UNREADABLE;

	leg->trailer = separator + SEPARATOR_LEN;
	leg->file_end = st.st_size;
	len = (size_t)(st.st_size - separator);
	*why = "trailer-max";
	if (len - SEPARATOR_LEN > trailer_max)
		return LEG_TOO_LONG;

	/* Whoever holds the leg may add the records that it writes. */
	buf_init(b, len + LEG_RECORDS_MAX);
	if (!read_at(fd, separator, len, b))
		return LEG_ENVIRON;
	(void)snprintf(expected, sizeof expected, "\n-- %s\n", leg->name.id);
	*why = "separator";
	if (b->len < SEPARATOR_LEN || memcmp(b->bytes, expected, SEPARATOR_LEN) != 0)
		return LEG_UNREADABLE;

	memmove(b->bytes, b->bytes + SEPARATOR_LEN, b->len - SEPARATOR_LEN);
	b->len -= SEPARATOR_LEN;
	return record_read_all(leg, why) ? LEG_FINE : LEG_UNREADABLE;
}

enum leg_fault leg_read(int fd, size_t trailer_max, struct leg *leg, const char **why)
{
	enum leg_fault fault;

	*leg = (struct leg){.name = {.due = DUE_NONE}};
	*why = "";
	fault = read_head(fd, leg, why);
	if (fault == LEG_FINE)
		fault = read_tail(fd, trailer_max, leg, why);
	if (fault != LEG_FINE) {
		int error = errno;

		leg_free(leg);
		errno = error;
	}
	return fault;
}

void leg_free(struct leg *leg)
{
	buf_free(&leg->head_bytes);
	buf_free(&leg->trailer_bytes);
	free(leg->rcpt);
	leg->rcpt = NULL;
	leg->rcpts = 0;
}

size_t leg_open_rcpts(const struct leg *leg)
{
	size_t open = 0;

	for (size_t i = 0; i < leg->rcpts; i++)
		open += leg->rcpt[i].fate == RCPT_OPEN || leg->rcpt[i].owed;
	return open;
}

const char *leg_param(const char *params, const char *key, size_t *len)
{
	size_t key_len = strlen(key);

	for (const char *p = params; *p != '\0';) {
		size_t n = strcspn(p, " ");

		if (n > key_len && strncmp(p, key, key_len) == 0 && p[key_len] == '=') {
			*len = n - key_len - 1;
			return p + key_len + 1;
		}
		p += n;
		p += *p == ' ';
	}
	return NULL;
}

/* ---- writing ------------------------------------------------------------------------------ */

void leg_write_head(struct buf *out, const struct leg_head *head)
{
	char accepted[CLOCK_TEXT], hex[DIGEST_HEX];
	size_t from = out->len;

	clock_format(head->accepted, accepted);
	buf_addf(out, "sekisho-leg 1\nid %s\nleg %s\n", head->id, head->k);
	buf_add(out, head->envelope, head->envelope_len);
	buf_addf(out, "accepted %s\nsize %0*llu\nsha256 %-*s\n", accepted, SIZE_DIGITS,
	    (unsigned long long)head->size, LEG_DIGEST_LEN,
	    head->sha256 != NULL ? head->sha256 : "");

	/* A head whose content is still being received is blank where it would prove itself. */
	hex[0] = '\0';
	if (buf_ok(out) && head->sha256 != NULL)
		digest_of(out->bytes + from, out->len - from, hex);
	buf_addf(out, "head %-*s\n\n", LEG_DIGEST_LEN, hex);
}

void leg_write_address(struct buf *out, const char *word, const char *address, const char *params)
{
	buf_addf(out, "%s ", word);
	if (address[0] == '\0')
		buf_add_text(out, "<>");
	else
		buf_add_xtext(out, address, strlen(address));
	buf_addf(out, "%s%s\n", params[0] != '\0' ? " " : "", params);
}

void leg_write_separator(struct buf *out, const char *id)
{
	buf_addf(out, "\n-- %s\n", id);
}

uint64_t leg_received(int fd, const struct leg *leg)
{
	static const char name[] = "Received: ";
	char top[RECEIVED_MAX];
	size_t most = leg->size < sizeof top ? (size_t)leg->size : sizeof top;
	ssize_t n = pread(fd, top, most, leg->content);
	const char *at = top, *end;

	if (n < (ssize_t)sizeof name || memcmp(top, name, sizeof name - 1) != 0)
		return 0;
	/* The field ends at the first line end behind which the next line does not begin with a blank. */
	while ((end = memchr(at, '\n', (size_t)(top + n - at))) != NULL && end + 1 < top + n) {
		at = end + 1;
		if (*at != ' ' && *at != '\t')
			return (uint64_t)(at - top);
	}
	return 0;
}
