/* Looking at the mail before it is returned: what form it can have, and which boundary. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/base/hex.h"
#include "lib/dsn/part.h"
#include "lib/mime/field.h"
#include "lib/mime/utf8.h"

#define STEP           16384
#define BOUNDARY_BYTES 16
#define BOUNDARY_TRIES 8
#define BOUNDARY_START "=_dsn_" /* neither base64 nor quoted-printable can write it */

bool part_read(const struct dsn *dsn, uint64_t at, char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = pread(dsn->fd, bytes, len, dsn->offset + (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = ENODATA;
		if (n <= 0)
			return false;
		bytes += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return true;
}

/* ---- the header ---- */

bool part_header(const struct dsn *dsn, struct buf *header)
{
	size_t state = 0, end = 0;

	while (end == 0 && header->len < dsn->size && header->len < DSN_HEADER_MAX) {
		uint64_t rest = dsn->size - header->len;
		size_t step = rest < STEP ? (size_t)rest : STEP;
		char *to = buf_reserve(header, step);

		if (to == NULL) {
			errno = ENOMEM;
			return false;
		}
		if (!part_read(dsn, header->len, to, step))
			return false;
		header->len += step;
		end = header_end(header->bytes, header->len, &state);
	}

	if (end > 0)
		header->len = end - 2; /* an empty line is CRLF */
	if (header->len > DSN_HEADER_MAX || (end == 0 && header->len < dsn->size)) {
		size_t len = header->len < DSN_HEADER_MAX ? header->len : DSN_HEADER_MAX;

		while (len > 0 && header->bytes[len - 1] != '\n')
			len--;
		header->len = len;
	}
	return true;
}

static bool is_utf8(const char *bytes, size_t len)
{
	for (size_t at = 0, step; at < len; at += step) {
		uint32_t point;

		step = utf8_step(bytes + at, len - at, &point);
		if (step == 0)
			return false;
	}
	return true;
}

/* "<left@right>", printable ASCII without blanks: only so is it written into our own header. */
static bool is_message_id(const char *text, size_t len)
{
	if (len < 5 || len > DSN_ORIGINAL_ID_MAX || text[0] != '<' || text[len - 1] != '>')
		return false;
	for (size_t i = 1; i + 1 < len; i++) {
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '<' || text[i] == '>')
			return false;
	}
	return memchr(text, '@', len) != NULL;
}

static void find_message_id(const struct buf *header, struct dsn_form *form)
{
	size_t at = 0;
	struct field field;

	while (field_next(header->bytes, header->len, &at, &field)) {
		const char *text = field.body;
		size_t len = field.body_len;

		if (!field_is(&field, "Message-ID"))
			continue;
		while (len > 0 && memchr(" \t\r\n", text[0], 4) != NULL) {
			text++;
			len--;
		}
		while (len > 0 && memchr(" \t\r\n", text[len - 1], 4) != NULL)
			len--;
		if (is_message_id(text, len))
			memcpy(form->original_id, text, len);
		return;
	}
}

/* ---- lines ---- */

/* What stands in the way of 7bit and 8bit (RFC 2045 sections 2.7 and 2.8). */
struct lines {
	bool high;   /* a byte beyond ASCII */
	bool unsafe; /* a NUL, a CR or LF on its own, a line over 998 bytes */
	char last;
	size_t len;
};

static void lines_look(struct lines *l, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = bytes[i];

		if ((c == '\n') != (l->last == '\r') || c == '\0')
			l->unsafe = true;
		if ((unsigned char)c >= 0x80)
			l->high = true;
		l->len = c == '\n' ? 0 : l->len + (c != '\r');
		if (l->len > PART_LINE_MAX)
			l->unsafe = true;
		l->last = c;
	}
}

static bool lines_safe(const struct lines *l)
{
	return !l->unsafe && l->last != '\r';
}

/* ---- the boundary ---- */

static bool choose_boundary(struct dsn_form *form)
{
	unsigned char random[BOUNDARY_BYTES];

	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		return false;
	_Static_assert(sizeof BOUNDARY_START + 2 * BOUNDARY_BYTES <= sizeof form->boundary, "room");
	memcpy(form->boundary, BOUNDARY_START, sizeof BOUNDARY_START - 1);
	hex_encode(random, sizeof random, form->boundary + sizeof BOUNDARY_START - 1);
	return true;
}

/*
 * Reads the first `len` bytes, looks at their lines, and whether the boundary is in them. Its last
 * bytes are kept before the next ones, so that it is not missed between two pieces.
 */
static bool look(const struct dsn *dsn, const struct dsn_form *form, uint64_t len,
    struct lines *lines, bool *clash)
{
	char bytes[DSN_BOUNDARY_MAX + STEP];
	size_t mark = strlen(form->boundary), kept = 0;

	*lines = (struct lines){0};
	*clash = false;
	for (uint64_t at = 0; at < len;) {
		size_t step = len - at < STEP ? (size_t)(len - at) : STEP;

		if (!part_read(dsn, at, bytes + kept, step))
			return false;
		lines_look(lines, bytes + kept, step);
		if (memmem(bytes, kept + step, form->boundary, mark) != NULL)
			*clash = true;

		at += step;
		step += kept;
		kept = step < mark - 1 ? step : mark - 1;
		memmove(bytes, bytes + step - kept, kept);
	}
	return true;
}

/* Looks again with another boundary as long as the mail holds it; once is enough in this universe. */
static bool look_all(
    const struct dsn *dsn, struct dsn_form *form, uint64_t len, struct lines *lines)
{
	bool clash = true;

	for (int i = 0; clash && i < BOUNDARY_TRIES; i++) {
		if (!choose_boundary(form) || !look(dsn, form, len, lines, &clash))
			return false;
	}
	if (clash)
		errno = EPROTO;
	return !clash;
}

/* ---- the form ---- */

static bool some_failed(const struct dsn *dsn)
{
	for (size_t i = 0; i < dsn->rcpts; i++) {
		if (dsn->rcpt[i].action == DSN_FAILED)
			return true;
	}
	return false;
}

static bool choose_form(const struct dsn *dsn, const struct buf *header, struct dsn_form *form)
{
	struct lines own = {0}, lines;
	bool full = dsn->ret == DSN_RETURN_FULL && some_failed(dsn);

	lines_look(&own, header->bytes, header->len);
	form->header = header->len;
	form->global = own.high && is_utf8(header->bytes, header->len);
	find_message_id(header, form);

	form->full = full && dsn->size <= dsn->full_max;
	if (form->full) {
		if (!look_all(dsn, form, dsn->size, &lines))
			return false;
		form->full = lines_safe(&lines);
		form->high = lines.high;
	}
	form->cut = full && !form->full;
	if (!form->full) {
		if (!look_all(dsn, form, form->header, &lines))
			return false;
		form->quoted = !lines_safe(&own) || (own.high && !form->global);
		form->high = own.high;
	}

	form->utf8 = part_address_fits(dsn->to) && !part_ascii(dsn->to);
	form->eight_bit = form->utf8 || (form->high && !form->quoted);
	return true;
}

bool dsn_prepare(const struct dsn *dsn, struct dsn_form *form)
{
	struct buf header;
	bool good;
	int error;

	*form = (struct dsn_form){.utf8 = false};
	buf_init(&header, PART_HEADER_ROOM);
	good = part_header(dsn, &header) && choose_form(dsn, &header, form);
	error = errno;
	buf_free(&header);
	errno = error;
	return good;
}
