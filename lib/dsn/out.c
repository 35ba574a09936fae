#include "lib/dsn/out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "lib/base/clock.h"
#include "lib/mime/utf8.h"

#define FOLD_AFTER  70   /* at the next blank */
#define FOLD_AT     900  /* wherever it is */
#define QUOTED_LINE 75   /* and the '=' of a soft break */
#define BASE64_LINE 57   /* bytes that become 76 */
#define WORDS_LINE  76   /* of a line with encoded words (RFC 2047 section 2) */
#define WORD_MAX    1024 /* for one more letter than fits, and libc's steps */

void out_flush(struct out *out)
{
	if (out->used > 0 && !out->stopped && !out->put(out->context, out->bytes, out->used))
		out->stopped = true;
	out->used = 0;
}

void out_bytes(struct out *out, const char *bytes, size_t len)
{
	while (len > 0) {
		size_t room = sizeof out->bytes - out->used;
		size_t step = len < room ? len : room;

		memcpy(out->bytes + out->used, bytes, step);
		out->used += step;
		bytes += step;
		len -= step;
		if (out->used == sizeof out->bytes)
			out_flush(out);
	}
}

void out_text(struct out *out, const char *text)
{
	out_bytes(out, text, strlen(text));
}

void outf(struct out *out, const char *format, ...)
{
	char text[1001];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (n > 0)
		out_bytes(out, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

/* ---- texts of strangers ---- */

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static char plain(char c)
{
	return c >= ' ' && c <= '~' ? c : '?';
}

/*
 * Blanks and line ends are kept until something visible follows: so no line ends in a blank, and none
 * is of blanks alone, which some programs take for the end of a header.
 */
static void clean(struct out *out, const char *text, size_t most, size_t column, bool fold)
{
	size_t written = 0;
	bool gap = false, line = false;

	for (; *text != '\0' && written < most; text++) {
		if (blank(*text) || *text == '\r' || *text == '\n') {
			gap = true;
			line = line || *text == '\n';
			continue;
		}

		if (written > 0 && fold && ((gap && (line || column > FOLD_AFTER)))) {
			out_text(out, "\r\n ");
			column = 1;
		} else if (fold && column >= FOLD_AT) {
			out_text(out, "\r\n ");
			column = 1;
		} else if (written > 0 && gap) {
			out_bytes(out, " ", 1);
			column++;
		}
		out_bytes(out, &(char){plain(*text)}, 1);
		written++;
		column++;
		gap = false;
		line = false;
	}
}

void out_clean(struct out *out, const char *text, size_t most)
{
	clean(out, text, most, 0, false);
}

void out_folded(struct out *out, const char *text, size_t most, size_t column)
{
	clean(out, text, most, column, true);
}

/* ---- encodings ---- */

static void base64(struct out *out, const char *bytes, size_t len)
{
	unsigned char text[4 * (BASE64_LINE + 2) / 3 + 1];
	int n = EVP_EncodeBlock(text, (const unsigned char *)bytes, (int)len);

	out_bytes(out, (const char *)text, (size_t)n);
}

void out_base64(struct out *out, const char *bytes, size_t len)
{
	for (size_t at = 0; at < len; at += BASE64_LINE) {
		base64(out, bytes + at, len - at < BASE64_LINE ? len - at : BASE64_LINE);
		out_text(out, "\r\n");
	}
}

/* What stands in an encoded word for `len` bytes of the text; false: no memory. */
static bool encode(const char *text, size_t len, struct letter_jis *jis, struct buf *word)
{
	buf_clear(word);
	if (jis != NULL)
		return letter_jis_add(jis, text, len, word);
	buf_add(word, text, len);
	return buf_ok(word);
}

/*
 * Makes a word of at most `room` bytes; returns how much of the text it is, 0 without memory. A letter
 * is never divided, and each word ends in ASCII (RFC 2047 section 5).
 */
static size_t take_word(
    const char *text, size_t len, size_t room, struct letter_jis *jis, struct buf *word)
{
	size_t taken = 0;

	while (taken < len) {
		uint32_t point;
		size_t letter = utf8_step(text + taken, len - taken, &point);

		letter = letter > 0 ? letter : 1;
		if (!encode(text, taken + letter, jis, word) || word->len > room)
			break;
		taken += letter;
	}
	return encode(text, taken, jis, word) ? taken : 0;
}

void out_words(struct out *out, const char *text, size_t column, struct letter_jis *jis)
{
	const char *start = jis != NULL ? "=?ISO-2022-JP?B?" : "=?UTF-8?B?";
	size_t around = strlen(start) + 2;
	size_t len = strlen(text);
	struct buf word;

	buf_init(&word, WORD_MAX);
	for (size_t at = 0, step; at < len; at += step) {
		step = take_word(
		    text + at, len - at, (WORDS_LINE - around - column) / 4 * 3, jis, &word);
		if (step == 0) {
			errno = ENOMEM;
			out->stopped = true;
			break;
		}
		out_text(out, at > 0 ? "\r\n " : "");
		out_text(out, start);
		base64(out, word.bytes, word.len);
		out_text(out, "?=");
		column = 1;
	}
	buf_free(&word);
}

static void quoted(struct out *out, const char *text, size_t len)
{
	if (out->column + len > QUOTED_LINE) {
		out_text(out, "=\r\n");
		out->column = 0;
	}
	out_bytes(out, text, len);
	out->column += len;
}

static void quoted_byte(struct out *out, unsigned char c, bool line_ends)
{
	static const char digits[] = "0123456789ABCDEF";

	if ((c > ' ' && c <= '~' && c != '=') || ((c == ' ' || c == '\t') && !line_ends))
		quoted(out, &(char){(char)c}, 1);
	else
		quoted(out, (char[]){'=', digits[c >> 4], digits[c & 15]}, 3);
}

void out_quoted(struct out *out, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int held = out->held;

		out->held = (unsigned char)bytes[i];
		if (held == '\r' && bytes[i] == '\n') {
			out_text(out, "\r\n");
			out->column = 0;
			out->held = -1;
		} else if (held >= 0) {
			quoted_byte(out, (unsigned char)held, bytes[i] == '\r');
		}
	}
}

void out_quoted_end(struct out *out)
{
	if (out->held >= 0)
		quoted_byte(out, (unsigned char)out->held, true);
	out->held = -1;
	out->column = 0;
}

/* ---- times ---- */

void out_date(struct out *out, int64_t wall)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t seconds = (time_t)(wall / CLOCK_SECOND);
	struct tm t = {.tm_mday = 1};

	(void)gmtime_r(&seconds, &t);
	outf(out, "%s, %d %s %04d %02d:%02d:%02d +0000", days[t.tm_wday % 7], t.tm_mday,
	    months[t.tm_mon % 12], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}
