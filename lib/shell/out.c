#include "lib/shell/out.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/xtext.h"
#include "queue/name.h"

#define VALUE_MAX ((size_t)16 * 1024 * 1024) /* no value is longer than a whole head */

/* ---- what may be seen --------------------------------------------------------------------- */

/* The length of the UTF-8 character at `p`, and itself; 0 if there is none. */
static size_t utf8(const unsigned char *p, size_t len, uint32_t *character)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (n == 0 || n > len || p[0] > 0xf4)
		return 0;
	*character = n == 1 ? p[0] : p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*character = *character << 6 | (p[i] & 0x3f);
	}
	if (*character < smallest[n] || (*character >= 0xd800 && *character < 0xe000))
		return 0;
	return *character > 0x10ffff ? 0 : n;
}

/* Controls, and what turns the direction of text, breaks lines or takes no room. */
static bool harmless(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} bad[] = {{0, 0x1f}, {0x5c, 0x5c}, {0x7f, 0x9f}, {0xad, 0xad}, {0x61c, 0x61c},
	    {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff},
	    {0xfff9, 0xfffb}, {0xe0000, 0xe0fff}};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (c >= bad[i].from && c <= bad[i].to)
			return false;
	}
	return true;
}

void out_visible(FILE *file, const char *bytes, size_t len, bool quote)
{
	const unsigned char *p = (const unsigned char *)bytes;

	for (size_t at = 0; at < len;) {
		uint32_t c = 0;
		size_t n = utf8(p + at, len - at, &c);

		if (n > 0 && harmless(c)) {
			if (quote && c == '"')
				(void)fputc('\\', file);
			(void)fwrite(bytes + at, 1, n, file);
		}
		for (size_t i = 0; (n == 0 || !harmless(c)) && i < (n == 0 ? 1 : n); i++)
			(void)fprintf(file, "%s\\x%02x", quote ? "\\" : "", p[at + i]);
		at += n == 0 ? 1 : n;
	}
}

/* ---- records ------------------------------------------------------------------------------ */

void out_open(struct out *o, const struct shell *sh, const char *heading)
{
	*o = (struct out){.file = stdout, .json = sh->json};
	if (heading != NULL && sh->terminal && !sh->json)
		(void)fprintf(o->file, "%s\n", heading);
}

int out_close(struct out *o, int code)
{
	if (fflush(o->file) == 0 && !ferror(o->file))
		return code;
	complain("standard output cannot be written");
	return EXIT_ENVIRON;
}

/* What stands before a field's value. */
static void begin_field(struct out *o, const char *key, size_t key_len)
{
	if (!o->json) {
		if (o->fields++ > 0)
			(void)fputc('\t', o->file);
		return;
	}
	(void)fputs(o->fields++ == 0 ? "{\"" : ",\"", o->file);
	out_visible(o->file, key, key_len, true);
	(void)fputs("\":", o->file);
}

static void put_field(struct out *o, const char *key, size_t key_len, const char *bytes, size_t len)
{
	begin_field(o, key, key_len);
	if (o->json)
		(void)fputc('"', o->file);
	out_visible(o->file, bytes, len, o->json);
	if (o->json)
		(void)fputc('"', o->file);
}

void out_bytes(struct out *o, const char *key, const char *bytes, size_t len)
{
	const char *shown = key != NULL ? key : "value";

	put_field(o, shown, strlen(shown), bytes, len);
}

void out_text(struct out *o, const char *key, const char *text)
{
	out_bytes(o, key, text, strlen(text));
}

void out_number(struct out *o, const char *key, uint64_t number)
{
	begin_field(o, key, strlen(key));
	(void)fprintf(o->file, "%llu", (unsigned long long)number);
}

void out_none(struct out *o, const char *key)
{
	const char *shown = key != NULL ? key : "value";

	begin_field(o, shown, strlen(shown));
	(void)fputs(o->json ? "null" : "-", o->file);
}

void out_time(struct out *o, const char *key, int64_t seconds)
{
	char text[CLOCK_TEXT];

	if (seconds < 0) {
		out_none(o, key);
	} else if (seconds >= DUE_NEVER) {
		out_text(o, key, "never");
	} else {
		clock_format(seconds * CLOCK_SECOND, text);
		(void)memcpy(text + 19, "Z", 2); /* whole seconds are enough for people */
		out_text(o, key, text);
	}
}

/* A field whose value is xtext. */
static void put_xtext(struct out *o, const char *key, size_t key_len, const char *bytes, size_t len)
{
	struct buf b;
	char *room;
	size_t n;

	buf_init(&b, VALUE_MAX);
	room = len > 0 ? buf_reserve(&b, len) : NULL;
	if (room != NULL && xtext_decode(bytes, len, room, &n))
		put_field(o, key, key_len, room, n);
	else
		put_field(o, key, key_len, bytes, len);
	buf_free(&b);
}

void out_xtext(struct out *o, const char *key, const char *bytes, size_t len)
{
	put_xtext(o, key, strlen(key), bytes, len);
}

void out_xtext_cut(struct out *o, const char *key, const char *bytes, size_t len, size_t most)
{
	static const char rest[] = "...";
	struct buf b;
	char *room;
	size_t n = 0;

	buf_init(&b, VALUE_MAX);
	room = len > most ? buf_reserve(&b, len + sizeof rest) : NULL;
	if (room == NULL || !xtext_decode(bytes, len, room, &n) || n <= most) {
		out_xtext(o, key, bytes, len);
	} else {
		for (n = most; n > 0 && most - n < 4 && ((unsigned char)room[n] & 0xc0) == 0x80;)
			n--;
		memcpy(room + n, rest, sizeof rest);
		out_bytes(o, key, room, n + sizeof rest - 1);
	}
	buf_free(&b);
}

/* "key=xtext": to a pipe the key stands before the value, in JSON it is the key. */
static void out_pair(struct out *o, const char *pair, size_t key_len, size_t len)
{
	struct out bare = {.file = o->file};

	if (o->json) {
		put_xtext(o, pair, key_len, pair + key_len + 1, len - key_len - 1);
		return;
	}
	begin_field(o, "", 0);
	out_visible(o->file, pair, key_len, false);
	(void)fputc('=', o->file);
	put_xtext(&bare, "", 0, pair + key_len + 1, len - key_len - 1);
}

void out_words(struct out *o, const char *word, const char *line, size_t len)
{
	char key[32];
	unsigned words = 0;

	for (size_t at = 0; at < len; at++) {
		const char *begin = line + at;
		const char *blank = memchr(begin, ' ', len - at);
		size_t n = blank != NULL ? (size_t)(blank - begin) : len - at;
		const char *equals = memchr(begin, '=', n);

		if (equals != NULL && equals > begin) {
			out_pair(o, begin, (size_t)(equals - begin), n);
		} else if (n > 0) {
			words++;
			(void)snprintf(key, sizeof key, words == 1 ? "%s" : "%s%u", word, words);
			put_xtext(o, key, strlen(key), begin, n);
		}
		at += n;
	}
}

void out_end(struct out *o)
{
	(void)fputs(o->json ? (o->fields == 0 ? "{}\n" : "}\n") : "\n", o->file);
	o->fields = 0;
}

/* ---- complaints --------------------------------------------------------------------------- */

static void PRINTF_LIKE(2, 0) complain_args(const char *subject, const char *format, va_list args)
{
	(void)fputs("seki: ", stderr);
	if (subject != NULL) {
		out_visible(stderr, subject, strlen(subject), false);
		(void)fputs(": ", stderr);
	}
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
}

void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain_args(NULL, format, args);
	va_end(args);
}

void complain_about(const char *subject, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain_args(subject, format, args);
	va_end(args);
}

int complain_usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain_args(NULL, format, args);
	va_end(args);
	return EXIT_USAGE;
}
