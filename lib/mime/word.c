#include "lib/mime/word.h"

#include <string.h>
#include <strings.h>

#include "lib/base/hex.h"
#include "lib/mime/transfer.h"
#include "lib/mime/utf8.h"
#include "lib/text/charset.h"

#define ESCAPE        '\033'
#define WORST_LETTERS 4 /* bytes of UTF-8 that one byte of a body may become, at most */

struct word {
	char charset[CHARSET_LABEL_MAX + 1];
	bool base64;
	const char *text;
	size_t len;
	size_t end; /* behind it */
};

struct decoder {
	const char *body;
	size_t len;
	size_t close;     /* the first "?=" at or behind `searched`; len: there is none */
	size_t searched;  /* so that no byte is searched twice */
	struct buf bytes; /* of words of one charset, decoded */
	char charset[CHARSET_LABEL_MAX + 1];
	bool open;        /* there are such words, maybe of no bytes */
	bool jis;         /* the bytes end amid the two-byte letters of ISO-2022-JP */
	bool charsets;    /* there were words */
	struct buf plain; /* text without the ends of its lines */
	struct buf out;
	unsigned flags;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---- one word ---- */

/* Where the "?=" is that ends a word whose text begins at `at`. */
static size_t close_of(struct decoder *d, size_t at)
{
	if (at > d->close || at < d->searched) {
		const char *found = memmem(d->body + at, d->len - at, "?=", 2);

		d->searched = at;
		d->close = found == NULL ? d->len : (size_t)(found - d->body);
	}
	return d->close;
}

/* The label of a charset, up to the '?' behind it; a language is skipped. 0: there is none. */
static size_t read_charset(const struct decoder *d, size_t at, struct word *word)
{
	size_t len = 0, end = at;

	while (end < d->len && end - at <= (size_t)2 * CHARSET_LABEL_MAX) {
		char c = d->body[end];

		if (c == '?')
			break;
		if (c <= ' ' || c >= 0x7f || c == '=')
			return 0;
		end++;
	}
	if (end >= d->len || d->body[end] != '?')
		return 0;

	while (at + len < end && d->body[at + len] != '*' && len < CHARSET_LABEL_MAX)
		len++;
	memcpy(word->charset, d->body + at, len);
	word->charset[len] = '\0';
	return end;
}

/* The word at `at`, where "=?" stands. */
static bool read_word(struct decoder *d, size_t at, struct word *word)
{
	size_t end = read_charset(d, at + 2, word);
	char encoding;

	if (end == 0 || d->len - end < 3 || d->body[end + 2] != '?')
		return false;
	encoding = d->body[end + 1];
	if (strchr("bBqQ", encoding) == NULL || encoding == '\0')
		return false;

	word->base64 = encoding == 'b' || encoding == 'B';
	word->text = d->body + end + 3;
	end = close_of(d, end + 3);
	if (end == d->len)
		return false;
	word->len = (size_t)(d->body + end - word->text);
	word->end = end + 2;
	/* The end is one of another word: this one has none. */
	return memmem(word->text, word->len, "=?", 2) == NULL;
}

/* RFC 2047 section 4.2, into at most `len` bytes. */
static size_t decode_q(const char *text, size_t len, char *into, unsigned *flags)
{
	size_t made = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '=' && len - i > 2 && hex_digit(text[i + 1]) >= 0 &&
		    hex_digit(text[i + 2]) >= 0) {
			into[made++] = (char)(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
			i += 2;
			continue;
		}
		if (c == '=' || is_blank(c) || (unsigned char)c >= 0x7f)
			*flags |= WORD_SLOPPY;
		if (c == '\r' || c == '\n')
			continue;
		into[made++] = c == '_' ? ' ' : c;
	}
	return made;
}

/* The decoded bytes of a word, at the end of `bytes`. Returns how many, `failed` is set on failure. */
static size_t decode(struct decoder *d, const struct word *word)
{
	char *into = buf_reserve(&d->bytes, word->len);
	unsigned flags = 0;
	size_t made;

	if (into == NULL)
		return 0;
	if (!word->base64)
		return decode_q(word->text, word->len, into, &d->flags);

	made = transfer_base64(word->text, word->len, into, &flags);
	if (flags != 0 || memchr(word->text, ' ', word->len) != NULL)
		d->flags |= WORD_SLOPPY;
	return made;
}

/* ---- words of one charset ---- */

/*
 * The state in which text of ISO-2022-JP leaves off, and (not NULL) that it goes on in: what its first
 * escape ends.
 */
static bool jis_state(const char *bytes, size_t len, bool state, bool *begins)
{
	bool first = true;

	for (size_t i = 0; i + 1 < len; i++) {
		const char *escape = memchr(bytes + i, ESCAPE, len - 1 - i);

		if (escape == NULL)
			break;
		i = (size_t)(escape - bytes);
		if (first)
			*begins = escape[1] == '(';
		first = false;
		state = escape[1] == '$';
	}
	return state;
}

static bool is_jis(const char *charset)
{
	return strncasecmp(charset, "iso-2022-", 9) == 0;
}

/*
 * Each word begins in ASCII, by the standard; but a client that cut the text without care goes on in
 * the middle, and then an escape to ASCII is the next that comes.
 */
static void join_jis(struct decoder *d, size_t made)
{
	const char *bytes = d->bytes.bytes + d->bytes.len;
	bool goes_on = false;
	bool after = jis_state(bytes, made, false, &goes_on);

	if (d->jis && !goes_on && made > 0 && bytes[0] != ESCAPE) {
		char *room = buf_reserve(&d->bytes, made + 3);

		if (room == NULL)
			return;
		memmove(room + 3, room, made);
		memcpy(room, "\033(B", 3);
		d->bytes.len += 3;
	}
	d->jis = after;
}

static bool flush_words(struct decoder *d)
{
	bool fine = true;

	if (!d->open)
		return true;
	if (!charset_known(d->charset))
		d->flags |= WORD_CHARSET;
	if (d->bytes.len > 0)
		fine = charset_convert(d->charset, d->bytes.bytes, d->bytes.len, &d->out);
	buf_clear(&d->bytes);
	d->open = false;
	d->jis = false;
	return fine;
}

static bool add_word(struct decoder *d, const struct word *word)
{
	bool same = strcasecmp(word->charset, d->charset) == 0;
	size_t made;

	if (d->charsets && !same)
		d->flags |= WORD_MIXED;
	if (!same && !flush_words(d))
		return false;

	memcpy(d->charset, word->charset, sizeof d->charset);
	d->charsets = true;
	d->open = true;
	d->flags |= WORD_SEEN;
	made = decode(d, word);
	if (!buf_ok(&d->bytes))
		return false;
	if (is_jis(d->charset))
		join_jis(d, made);
	d->bytes.len += made;
	return buf_ok(&d->bytes);
}

/* ---- what is between words ---- */

/* Whether it is more than ASCII; line ends are taken out by then. */
static bool is_raw(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)bytes[i] >= 0x80 || bytes[i] == ESCAPE)
			return true;
	}
	return false;
}

static bool add_text(struct decoder *d, const char *text, size_t len)
{
	buf_clear(&d->plain);
	for (size_t at = 0; at < len;) {
		size_t n = at;

		while (n < len && text[n] != '\r' && text[n] != '\n')
			n++;
		buf_add(&d->plain, text + at, n - at);
		at = n + 1;
	}
	if (!buf_ok(&d->plain))
		return false;

	if (is_raw(d->plain.bytes, d->plain.len)) {
		d->flags |= WORD_RAW;
		return charset_convert("", d->plain.bytes, d->plain.len, &d->out);
	}
	buf_add(&d->out, d->plain.bytes, d->plain.len);
	return buf_ok(&d->out);
}

static bool all_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_blank(text[i]))
			return false;
	}
	return true;
}

/* The text from `from` to `to`: nothing, if it is but blanks between two words. */
static bool add_between(struct decoder *d, size_t from, size_t to, bool word_follows)
{
	if (from == to || (d->open && word_follows && all_blank(d->body + from, to - from)))
		return true;
	return flush_words(d) && add_text(d, d->body + from, to - from);
}

static bool decode_all(struct decoder *d)
{
	size_t done = 0, at = 0;
	struct word word;

	while (at < d->len) {
		const char *found = memmem(d->body + at, d->len - at, "=?", 2);

		if (found == NULL)
			break;
		at = (size_t)(found - d->body);
		if (!read_word(d, at, &word)) {
			d->flags |= WORD_HALF;
			at++;
			continue;
		}
		if (!add_between(d, done, at, true) || !add_word(d, &word))
			return false;
		done = at = word.end;
	}
	return add_between(d, done, d->len, false) && flush_words(d);
}

/* ---- the whole ---- */

/* As much as there is room for, in whole letters. */
static bool hand_over(const struct buf *from, struct buf *out)
{
	size_t room = out->bound - out->len;
	size_t len = from->len;

	if (len > room) {
		len = room;
		while (len > 0 && ((unsigned char)from->bytes[len] & 0xc0) == 0x80)
			len--;
	}
	buf_add(out, from->bytes, len);
	return buf_ok(out) && len == from->len;
}

bool word_decode(const char *body, size_t len, struct buf *out, unsigned *flags)
{
	struct decoder d = {.body = body, .len = len, .searched = 1};
	size_t most = 0;
	bool fine = false;

	if (!size_mul(len, WORST_LETTERS, &most) || !size_add(most, 64, &most))
		return false;
	buf_init(&d.bytes, most);
	buf_init(&d.plain, len);
	buf_init(&d.out, most);

	fine = decode_all(&d);
	for (size_t i = 0; i < d.out.len; i++) {
		if (d.out.bytes[i] == '\0' || d.out.bytes[i] == '\r' || d.out.bytes[i] == '\n')
			d.flags |= WORD_CONTROL;
	}
	fine = hand_over(&d.out, out) && fine;
	if (flags != NULL)
		*flags = d.flags;

	buf_free(&d.bytes);
	buf_free(&d.plain);
	buf_free(&d.out);
	return fine;
}
