#include "lib/scan/body.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define STEP ((size_t)64 * 1024)

/* ---- the header --------------------------------------------------------------------------- */

/* Behind the line at `at`: `end` if it has no end. */
static const char *line_end(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	return newline != NULL ? newline + 1 : end;
}

static bool is_empty(const char *at, const char *line_end)
{
	return line_end[-1] == '\n' &&
	       (line_end - at == 1 || (line_end - at == 2 && at[0] == '\r'));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Behind a field: its line, and those that begin with a blank. */
static const char *field_end(const char *at, const char *end)
{
	const char *next = line_end(at, end);

	while (next < end && is_blank(*next))
		next = line_end(next, end);
	return next;
}

/* A carriage return alone, or a NUL: what somebody else may take for the end of a line, or of all. */
static bool is_odd(const char *at, const char *end)
{
	for (; at < end; at++) {
		if (*at == '\0' || (*at == '\r' && (at + 1 == end || at[1] != '\n')))
			return true;
	}
	return false;
}

/* The length of a field's name; 0: it is no field (RFC 5322 section 2.2; a blank before the colon is 4.5's). */
static size_t name_len(const char *at, const char *end)
{
	size_t len = 0, blanks = 0, room = (size_t)(end - at);

	while (len < room && at[len] > ' ' && at[len] <= '~' && at[len] != ':')
		len++;
	while (len + blanks < room && is_blank(at[len + blanks]))
		blanks++;
	return len + blanks < room && at[len + blanks] == ':' ? len : 0;
}

/* Whether copies of one message have the field in common. */
static bool is_common(const char *at, const char *end)
{
	static const char *const names[] = {
	    "From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "MIME-Version"};
	static const char content[] = "Content-";
	size_t len = name_len(at, end);

	if (len == 0 || is_odd(at, end))
		return true;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (strlen(names[i]) == len && strncasecmp(at, names[i], len) == 0)
			return true;
	}
	return len >= sizeof content - 1 && strncasecmp(at, content, sizeof content - 1) == 0;
}

/* Adds what counts of the header. Returns how many bytes it has, with its empty line. */
static size_t add_header(struct digest *digest, const char *bytes, size_t len)
{
	const char *at = bytes, *end = bytes + len;

	while (at < end) {
		const char *next = line_end(at, end);

		if (is_empty(at, next)) {
			at = next;
			break;
		}
		next = field_end(at, end);
		if (is_common(at, next))
			digest_add(digest, at, (size_t)(next - at));
		at = next;
	}
	digest_add(digest, "\r\n", 2);
	return (size_t)(at - bytes);
}

/* ---- the content -------------------------------------------------------------------------- */

/* Reads the whole piece. False: it is not all there. */
static bool read_piece(int fd, const struct leg *leg, uint64_t from, char *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n =
		    pread(fd, bytes + done, len - done, leg->content + (off_t)(from + done));

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* Whether the empty line is there, so that what lies behind it is no header. */
static bool has_end(const char *bytes, size_t len)
{
	const char *end = bytes + len;

	for (const char *at = bytes; at < end;) {
		const char *next = line_end(at, end);

		if (is_empty(at, next))
			return true;
		at = next;
	}
	return false;
}

static bool add_content(struct digest *digest, int fd, const struct leg *leg, char *bytes)
{
	size_t head = leg->size < BODY_HEADER_MAX ? (size_t)leg->size : BODY_HEADER_MAX;
	uint64_t at;

	if (!read_piece(fd, leg, 0, bytes, head) || (head < leg->size && !has_end(bytes, head)))
		return false;
	at = add_header(digest, bytes, head);
	while (at < leg->size) {
		size_t most = leg->size - at < STEP ? (size_t)(leg->size - at) : STEP;

		if (!read_piece(fd, leg, at, bytes, most))
			return false;
		digest_add(digest, bytes, most);
		at += most;
	}
	return true;
}

bool body_digest(int fd, const struct leg *leg, char hex[DIGEST_HEX])
{
	struct digest *digest = digest_new();
	char *bytes = malloc(BODY_HEADER_MAX);
	bool fine = digest != NULL && bytes != NULL && add_content(digest, fd, leg, bytes);

	if (fine)
		digest_end(digest, hex);
	digest_free(digest);
	free(bytes);
	return fine;
}
