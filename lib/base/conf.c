#include "lib/base/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"

#define NEAR_EDITS    2
#define NEAR_WORD_MAX 63
#define READ_STEP     4096

bool conf_blame(struct conf_fault *fault, unsigned line, unsigned column, const char *format, ...)
{
	va_list args;

	fault->line = line;
	fault->column = column;
	va_start(args, format);
	(void)vsnprintf(fault->text, sizeof fault->text, format, args);
	va_end(args);
	return false;
}

void conf_fault_show(const struct conf_fault *fault, char *text, size_t room)
{
	const char *colon = fault->file[0] != '\0' ? ":" : "";

	if (fault->line == 0)
		(void)snprintf(text, room, "%s%s%s%s", fault->file, colon,
		    fault->file[0] != '\0' ? " " : "", fault->text);
	else if (fault->column == 0)
		(void)snprintf(
		    text, room, "%s%s%u: %s", fault->file, colon, fault->line, fault->text);
	else
		(void)snprintf(text, room, "%s%s%u:%u: %s", fault->file, colon, fault->line,
		    fault->column, fault->text);
}

/* ---- the file as a whole ---- */

static bool control(char c)
{
	return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

static bool blame_control(struct conf_fault *fault, unsigned line, unsigned column, char c)
{
	if (c == '\r')
		return conf_blame(fault, line, column,
		    "a carriage return: lines end in a newline alone, save the file so");
	return conf_blame(
	    fault, line, column, "a control character (byte 0x%02x)", (unsigned char)c);
}

/*
 * Looked at before any line is used: half a file must not take effect by halves, and a control
 * character shows differently from what it does.
 */
static bool whole(const char *bytes, size_t len, struct conf_fault *fault)
{
	static const char mark[] = "\xef\xbb\xbf";
	unsigned line = 1;
	size_t start = 0;

	if (len >= 3 && memcmp(bytes, mark, 3) == 0)
		return conf_blame(fault, 1, 1, "a byte order mark: save the file without it");

	for (size_t i = 0; i < len; i++) {
		unsigned column = (unsigned)(i - start) + 1;

		if (bytes[i] == '\n') {
			line++;
			start = i + 1;
		} else if (column > CONF_LINE_MAX) {
			return conf_blame(
			    fault, line, 0, "the line is longer than %d bytes", CONF_LINE_MAX);
		} else if (control(bytes[i])) {
			return blame_control(fault, line, column, bytes[i]);
		}
	}

	if (start < len)
		return conf_blame(fault, line, 0,
		    "the last line does not end in a newline: is the file half-written?");
	return true;
}

/* ---- lines and words ---- */

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cuts `text` into words where it stands. */
static bool split(char *text, struct conf_line *line, struct conf_fault *fault)
{
	char *p = text;

	line->words = 0;
	for (;;) {
		while (blank(*p))
			p++;
		if (*p == '\0' || *p == '#')
			return true;

		if (line->words == CONF_WORDS_MAX)
			return conf_blame(fault, line->number, (unsigned)(p - text) + 1,
			    "more than %d words in a line", CONF_WORDS_MAX);
		line->word[line->words++] =
		    (struct conf_word){.text = p, .column = (unsigned)(p - text) + 1};

		while (*p != '\0' && !blank(*p))
			p++;
		if (*p != '\0')
			*p++ = '\0';
	}
}

bool conf_parse(const char *bytes, size_t len, const char *file, conf_take *take, void *context,
    struct conf_fault *fault)
{
	struct conf_line line;
	char text[CONF_LINE_MAX + 1];
	const char *end;

	*fault = (struct conf_fault){.line = 0};
	(void)snprintf(fault->file, sizeof fault->file, "%s", file);
	if (len > CONF_FILE_MAX)
		return conf_blame(
		    fault, 0, 0, "is larger than %zu MB", CONF_FILE_MAX / (1024 * 1024));
	if (!whole(bytes, len, fault))
		return false;

	line.number = 0;
	for (size_t at = 0; at < len; at = (size_t)(end - bytes) + 1) {
		size_t n;

		/* whole() has seen the newline, and that the line fits. */
		end = memchr(bytes + at, '\n', len - at);
		n = (size_t)(end - (bytes + at));
		memcpy(text, bytes + at, n);
		text[n] = '\0';
		line.number++;
		if (!split(text, &line, fault))
			return false;
		if (line.words > 0 && !take(context, &line, fault))
			return false;
	}
	return true;
}

/* ---- files ---- */

/* Reads to the end. One byte above the bound is let in, so that conf_parse() sees it. */
static bool read_all(int fd, struct buf *b)
{
	for (;;) {
		char *end = buf_reserve(b, READ_STEP);
		ssize_t n;

		if (end == NULL) {
			errno = ENOMEM;
			return b->len > CONF_FILE_MAX;
		}

		n = read(fd, end, READ_STEP);
		if (n == 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			b->len += (size_t)n;
	}
}

static bool read_file(int fd, struct buf *b, struct conf_fault *fault)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return conf_blame(fault, 0, 0, "cannot be read: %s", strerrordesc_np(errno));
	if (!S_ISREG(st.st_mode))
		return conf_blame(fault, 0, 0, "is not a regular file");
	if (!read_all(fd, b))
		return conf_blame(fault, 0, 0, "cannot be read: %s", strerrordesc_np(errno));
	return true;
}

bool conf_read(int etc, const char *name, bool optional, conf_take *take, void *context,
    struct conf_fault *fault)
{
	struct buf b;
	bool good;
	char file[sizeof fault->file];
	/* Not blocking: a FIFO put there must not stop a start. */
	int fd = openat(etc, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	(void)snprintf(file, sizeof file, "etc/%s", name);
	*fault = (struct conf_fault){.line = 0};
	(void)snprintf(fault->file, sizeof fault->file, "%s", file);
	if (fd < 0 && errno == ENOENT)
		return optional || conf_blame(fault, 0, 0, "the file is missing");
	if (fd < 0)
		return conf_blame(fault, 0, 0, "cannot be opened: %s", strerrordesc_np(errno));

	buf_init(&b, CONF_FILE_MAX + 2 * READ_STEP);
	good = read_file(fd, &b, fault) && conf_parse(b.bytes, b.len, file, take, context, fault);
	buf_free(&b);
	(void)close(fd); /* only read: nothing can be lost */
	return good;
}

/* ---- the near word ---- */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/*
 * How many letters must be put in, left out, replaced or swapped with their neighbour to make one
 * word of the other (optimal string alignment). Both are at most NEAR_WORD_MAX bytes long.
 */
static unsigned edits(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned row[3][NEAR_WORD_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		row[0][j] = (unsigned)j;

	for (size_t i = 1; i <= a_len; i++) {
		unsigned *now = row[i % 3];
		const unsigned *last = row[(i + 2) % 3];
		const unsigned *before = row[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned n = last[j - 1] + (a[i - 1] != b[j - 1]);

			n = least(n, least(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				n = least(n, before[j - 2] + 1);
			now[j] = n;
		}
	}
	return row[a_len % 3][b_len];
}

const char *conf_near(const char *word, const void *known, size_t n, size_t stride)
{
	const char *nearest = NULL;
	unsigned fewest = NEAR_EDITS + 1;
	size_t len = strlen(word);

	if (len > NEAR_WORD_MAX)
		return NULL;

	for (size_t i = 0; i < n; i++) {
		const char *candidate;
		size_t candidate_len;
		unsigned distance;

		memcpy(&candidate, (const char *)known + i * stride, sizeof candidate);
		candidate_len = strlen(candidate);
		if (candidate_len > NEAR_WORD_MAX)
			continue;

		/* As many edits as letters: nothing is left of the word, so it is not near. */
		distance = edits(word, len, candidate, candidate_len);
		if (distance < fewest && distance < candidate_len) {
			nearest = candidate;
			fewest = distance;
		}
	}
	return nearest;
}
