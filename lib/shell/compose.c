#include "lib/shell/compose.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"

#define SCRATCH    "/var/tmp"
#define BOUNDARY   "=_seki_trial_0b4c1d7e9a52f386" /* no line of base64 begins like it */
#define LINE_IN    57 /* bytes of a line of base64: 76 characters (RFC 2045 section 6.8) */
#define ENCODED    45 /* bytes of an encoded word: at most 75 characters (RFC 2047 section 2) */
#define NAME_BYTES ((size_t)255)

/* ---- encodings ---------------------------------------------------------------------------- */

/* Four characters for each three bytes; what is missing at the end is "=". */
static void base64(FILE *out, const unsigned char *in, size_t len)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = (uint32_t)in[i] << 16;

		if (i + 1 < len)
			bits |= (uint32_t)in[i + 1] << 8;
		if (i + 2 < len)
			bits |= in[i + 2];
		(void)fputc(letters[bits >> 18], out);
		(void)fputc(letters[bits >> 12 & 63], out);
		(void)fputc(i + 1 < len ? letters[bits >> 6 & 63] : '=', out);
		(void)fputc(i + 2 < len ? letters[bits & 63] : '=', out);
	}
}

static bool plain(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
			return false;
	}
	return true;
}

/* How much of `text`, at most `most` bytes, ends with a whole character. */
static size_t whole(const char *text, size_t len, size_t most)
{
	if (len <= most)
		return len;
	while (most > 1 && ((unsigned char)text[most] & 0xc0) == 0x80)
		most--;
	return most;
}

static void put_subject(FILE *out, const char *subject)
{
	size_t len = strlen(subject);

	(void)fputs("Subject:", out);
	if (plain(subject) && len <= 900) {
		(void)fprintf(out, " %s\r\n", subject);
		return;
	}
	for (size_t at = 0; at < len;) {
		size_t n = whole(subject + at, len - at, ENCODED);

		(void)fputs(at == 0 ? " =?UTF-8?B?" : "\r\n =?UTF-8?B?", out);
		base64(out, (const unsigned char *)subject + at, n);
		(void)fputs("?=", out);
		at += n;
	}
	(void)fputs("\r\n", out);
}

/* RFC 2231 section 4. */
static void put_name(FILE *out, const char *name)
{
	static const char fine[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
	size_t len = strlen(name);

	(void)fputs("Content-Disposition: attachment;\r\n filename*=UTF-8''", out);
	for (size_t i = 0; i < len && i < NAME_BYTES; i++) {
		if (strchr(fine, name[i]) != NULL)
			(void)fputc(name[i], out);
		else
			(void)fprintf(out, "%%%02X", (unsigned char)name[i]);
	}
	(void)fputs("\r\n", out);
}

/* ---- the message -------------------------------------------------------------------------- */

static void put_addresses(FILE *out, const char *field, const char *const *address, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i == 0)
			(void)fprintf(out, "%s: <%s>", field, address[i]);
		else
			(void)fprintf(out, ",\r\n <%s>", address[i]);
	}
	if (n > 0)
		(void)fputs("\r\n", out);
}

static void put_header(FILE *out, const struct compose *c)
{
	time_t seconds = (time_t)(c->date / CLOCK_SECOND);
	struct tm tm;
	char date[64];

	if (c->from[0] != '\0')
		(void)fprintf(out, "From: <%s>\r\n", c->from);
	put_addresses(out, "To", c->to, c->tos);
	put_addresses(out, "Cc", c->cc, c->ccs);
	put_subject(out, c->subject);
	if (gmtime_r(&seconds, &tm) != NULL &&
	    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &tm) > 0)
		(void)fprintf(out, "Date: %s\r\n", date);
	(void)fputs("Message-ID: <trial@sekisho.invalid>\r\nMIME-Version: 1.0\r\n", out);
}

static void put_text(FILE *out, const struct compose *c)
{
	(void)fputs("Content-Type: text/plain; charset=UTF-8\r\n"
		    "Content-Transfer-Encoding: base64\r\n\r\n",
	    out);
	for (size_t at = 0; at < c->text_len; at += LINE_IN) {
		size_t n = c->text_len - at < LINE_IN ? c->text_len - at : LINE_IN;

		base64(out, (const unsigned char *)c->text + at, n);
		(void)fputs("\r\n", out);
	}
}

/* Reads until the line is full or the file ends; -1 with errno. */
static ssize_t read_line(int fd, unsigned char line[LINE_IN])
{
	size_t got = 0;

	while (got < LINE_IN) {
		ssize_t n = read(fd, line + got, LINE_IN - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

static bool put_file(FILE *out, const struct compose_file *file)
{
	unsigned char line[LINE_IN];
	ssize_t n;

	(void)fputs("\r\n--" BOUNDARY "\r\nContent-Type: application/octet-stream\r\n"
		    "Content-Transfer-Encoding: base64\r\n",
	    out);
	put_name(out, file->name);
	(void)fputs("\r\n", out);
	while ((n = read_line(file->fd, line)) > 0) {
		base64(out, line, (size_t)n);
		(void)fputs("\r\n", out);
	}
	return n == 0 && !ferror(out);
}

static bool put_message(FILE *out, const struct compose *c)
{
	put_header(out, c);
	if (c->files == 0) {
		put_text(out, c);
		return true;
	}
	(void)fputs("Content-Type: multipart/mixed; boundary=\"" BOUNDARY "\"\r\n\r\n--" BOUNDARY
		    "\r\n",
	    out);
	put_text(out, c);
	for (size_t i = 0; i < c->files; i++) {
		if (!put_file(out, &c->file[i]))
			return false;
	}
	(void)fputs("\r\n--" BOUNDARY "--\r\n", out);
	return true;
}

bool compose_message(const struct compose *c, struct source *content)
{
	int fd = open(SCRATCH, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int other = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	FILE *out = other >= 0 ? fdopen(other, "w") : NULL;
	struct stat st;
	bool good;

	if (out == NULL) {
		if (other >= 0)
			(void)close(other);
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	good = put_message(out, c) && !ferror(out);
	good = fclose(out) == 0 && good && fstat(fd, &st) == 0;
	if (good)
		*content = (struct source){.fd = fd, .size = (uint64_t)st.st_size};
	else
		(void)close(fd);
	return good;
}
