#include "lib/seal/output.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#define QUOTED_LINE 75 /* and the '=' of a soft break */

static bool write_all(struct output *out, const char *bytes, size_t len)
{
	while (len > 0 && out->error == 0) {
		ssize_t n = write(out->fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			out->error = n < 0 ? errno : ENOSPC;
			break;
		}
		bytes += n;
		len -= (size_t)n;
	}
	return out->error == 0;
}

bool output_flush(struct output *out)
{
	bool done = write_all(out, out->bytes, out->used);

	out->used = 0;
	return done;
}

bool output_bytes(struct output *out, const char *bytes, size_t len)
{
	out->size += len;
	if (len > sizeof out->bytes - out->used && !output_flush(out))
		return false;
	if (len > sizeof out->bytes)
		return write_all(out, bytes, len);
	memcpy(out->bytes + out->used, bytes, len);
	out->used += len;
	return out->error == 0;
}

bool output_buf(struct output *out, const struct buf *bytes)
{
	return bytes->len == 0 || output_bytes(out, bytes->bytes, bytes->len);
}

bool output_copy(struct output *out, const struct source *source, uint64_t from, uint64_t to)
{
	while (from < to) {
		ssize_t n;

		if (out->used == sizeof out->bytes && !output_flush(out))
			return false;
		n = source_read(source, from, out->bytes + out->used,
		    to - from < sizeof out->bytes - out->used ? (size_t)(to - from)
							      : sizeof out->bytes - out->used);
		if (n <= 0) {
			out->error = n < 0 ? errno : EIO;
			return false;
		}
		out->used += (size_t)n;
		out->size += (uint64_t)n;
		from += (uint64_t)n;
	}
	return out->error == 0;
}

/* ---- encodings ---- */

void encode_open(struct encode *e, enum transfer encoding, struct output *out)
{
	*e = (struct encode){.out = out, .encoding = encoding, .held = -1};
}

static bool base64_line(struct encode *e)
{
	unsigned char text[4 * (ENCODE_LINE + 2) / 3 + 1];
	int n = EVP_EncodeBlock(text, (const unsigned char *)e->line, (int)e->used);

	e->used = 0;
	return output_bytes(e->out, (const char *)text, (size_t)n) &&
	       output_bytes(e->out, "\r\n", 2);
}

static bool base64(struct encode *e, const char *bytes, size_t len)
{
	while (len > 0) {
		size_t room = sizeof e->line - e->used, step = len < room ? len : room;

		memcpy(e->line + e->used, bytes, step);
		e->used += step;
		bytes += step;
		len -= step;
		if (e->used == sizeof e->line && !base64_line(e))
			return false;
	}
	return true;
}

static bool quoted(struct encode *e, const char *text, size_t len)
{
	if (e->column + len > QUOTED_LINE) {
		if (!output_bytes(e->out, "=\r\n", 3))
			return false;
		e->column = 0;
	}
	e->column += len;
	return output_bytes(e->out, text, len);
}

/* `ends`: a line ends behind it, or may be taken to. */
static bool quoted_byte(struct encode *e, unsigned char c, bool ends)
{
	static const char digits[] = "0123456789ABCDEF";
	bool blank = c == ' ' || c == '\t';
	/* A dot alone, and "From ", are changed by some programs on the way. */
	bool start = e->column == 0 && (c == '.' || c == 'F');

	if (!start && ((c > ' ' && c <= '~' && c != '=') || (blank && !ends)))
		return quoted(e, &(char){(char)c}, 1);
	return quoted(e, (char[]){'=', digits[c >> 4], digits[c & 15]}, 3);
}

static bool quoted_bytes(struct encode *e, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int held = e->held;

		e->held = (unsigned char)bytes[i];
		if (held == '\r' && bytes[i] == '\n') {
			e->held = -1;
			e->column = 0;
			if (!output_bytes(e->out, "\r\n", 2))
				return false;
		} else if (held >= 0 && !quoted_byte(e, (unsigned char)held, bytes[i] == '\r')) {
			return false;
		}
	}
	return true;
}

bool encode_bytes(struct encode *e, const char *bytes, size_t len)
{
	if (e->encoding == TRANSFER_BASE64)
		return base64(e, bytes, len);
	if (e->encoding == TRANSFER_QUOTED)
		return quoted_bytes(e, bytes, len);
	return output_bytes(e->out, bytes, len);
}

bool encode_end(struct encode *e)
{
	if (e->encoding == TRANSFER_BASE64)
		return e->used == 0 || base64_line(e);
	if (e->encoding == TRANSFER_QUOTED && e->held >= 0)
		return quoted_byte(e, (unsigned char)e->held, true);
	return true;
}
