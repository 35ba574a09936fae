#include "lib/text/charset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text/charset_inside.h"

#define PASS_AFTER ((size_t)64) /* so much plain ASCII is no longer the beginning of UTF-16 */

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* ---- tables ---- */

struct charset_tables {
	size_t n;
	iconv_t open[64];
};

/* Beside those of the forms, what the escapes of ISO-2022-JP lead to. */
static const char *const more_tables[] = {"EUC-KR"};

struct charset_tables *charset_prepare(void)
{
	struct charset_tables *t = calloc(1, sizeof *t);
	const struct charset_form *form;
	bool japanese = false;

	for (size_t i = 0; t != NULL && i < COUNT_OF(t->open); i++) {
		const char *name = i < COUNT_OF(more_tables) ? more_tables[i] : NULL;
		iconv_t table;

		if (name == NULL) {
			form = charset_form_at(i - COUNT_OF(more_tables));
			if (form == NULL)
				break;
			name = form->table;
		}
		table = name != NULL ? iconv_open("UTF-8", name) : CHARSET_NONE;
		if (table != CHARSET_NONE) {
			t->open[t->n++] = table;
			japanese = japanese || strcmp(name, "CP932") == 0;
		}
	}
	if (!japanese) {
		charset_tables_free(t);
		return NULL;
	}
	return t;
}

void charset_tables_free(struct charset_tables *tables)
{
	if (tables == NULL)
		return;
	for (size_t i = 0; i < tables->n; i++)
		(void)iconv_close(tables->open[i]);
	free(tables);
}

/* ---- output ---- */

static void flush(struct charset *c)
{
	if (c->made_len > 0 && !c->refused && !c->out.take(c->out.context, c->made, c->made_len))
		c->refused = true;
	c->made_len = 0;
}

void charset_put(struct charset *c, const char *utf8, size_t len)
{
	if (len > CHARSET_MADE - c->made_len)
		flush(c);
	if (len > CHARSET_MADE / 2) { /* a long stretch is not copied */
		flush(c);
		if (!c->refused && !c->out.take(c->out.context, utf8, len))
			c->refused = true;
		return;
	}
	memcpy(c->made + c->made_len, utf8, len);
	c->made_len += len;
}

void charset_point(struct charset *c, uint32_t point)
{
	char utf8[4];
	size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = len - 1; i > 0; i--) {
		utf8[i] = (char)(0x80 | (point & 0x3f));
		point >>= 6;
	}
	utf8[0] = (char)(lead[len] | point);
	charset_put(c, utf8, len);
}

void charset_fail(struct charset *c)
{
	c->failures++;
	charset_put(c, replacement, sizeof replacement - 1);
}

/* ---- by libc's tables ---- */

/*
 * How much of a letter that cannot be converted is passed over: its first byte, and the second if
 * both are beyond ASCII, so that the rest is not read half a letter late.
 */
static size_t failed_len(const char *bytes, size_t len)
{
	return len > 1 && (unsigned char)bytes[0] >= 0x80 && (unsigned char)bytes[1] >= 0x80 ? 2
											     : 1;
}

size_t charset_by_table(
    struct charset *c, iconv_t table, const char *bytes, size_t len, size_t unit, bool last)
{
	size_t at = 0;

	while (at < len && !c->refused) {
		char *in = (char *)(uintptr_t)(bytes + at); /* iconv(3) reads it only */
		size_t left = len - at, room = CHARSET_MADE - c->made_len;
		char *out = c->made + c->made_len;
		size_t result = iconv(table, &in, &left, &out, &room);
		int error = errno;

		at = len - left;
		c->made_len = CHARSET_MADE - room;
		if (result != (size_t)-1 || (error == EINVAL && !last))
			break;
		if (error == EILSEQ && left == 1 && unit == 0 && !last)
			break; /* how much fails is known with the next byte */
		if (error == E2BIG) {
			flush(c);
		} else { /* EILSEQ, or EINVAL at the end */
			size_t failed = unit > 0 ? unit : failed_len(bytes + at, len - at);

			at += error == EINVAL || failed > left ? left : failed;
			charset_fail(c);
		}
	}
	return at;
}

/* ---- a conversion ---- */

struct charset *charset_open(const char *label, struct sink out)
{
	struct charset *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->out = out;
	c->table = CHARSET_NONE;
	c->jis.other = CHARSET_NONE;
	c->labelled = charset_form_of(label);
	if (c->labelled == NULL)
		c->labelled = charset_form_at(0);
	buf_init(&c->sample, CHARSET_SAMPLE);
	return c;
}

void charset_free(struct charset *c)
{
	if (c == NULL)
		return;
	if (c->table != CHARSET_NONE)
		(void)iconv_close(c->table);
	if (c->jis.other != CHARSET_NONE)
		(void)iconv_close(c->jis.other);
	buf_free(&c->sample);
	free(c);
}

const char *charset_name(const struct charset *c)
{
	return c->form != NULL ? c->form->name : c->labelled->name;
}

uint64_t charset_failures(const struct charset *c)
{
	return c->failures;
}

static bool all_ascii(const char *bytes, size_t len, size_t *n)
{
	size_t i = 0;

	while (i < len && (unsigned char)bytes[i] < 0x80 && bytes[i] != '\x1b' && bytes[i] != '\0')
		i++;
	*n = i;
	return i == len;
}

/* A table that libc lacks, or has not prepared: what is not ASCII fails, each byte of it. */
static size_t without_table(struct charset *c, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)bytes[i] < 0x80)
			charset_put(c, bytes + i, 1);
		else
			charset_fail(c);
	}
	return len;
}

static size_t convert(struct charset *c, const char *bytes, size_t len, bool last)
{
	switch (c->form->kind) {
	case CHARSET_GUESS: /* nothing but ASCII came */
	case CHARSET_UTF8:
		return charset_utf8(c, bytes, len, last);
	case CHARSET_UTF7:
		return charset_utf7(c, bytes, len, last);
	case CHARSET_UTF16:
		return charset_utf16(c, bytes, len, last);
	case CHARSET_UTF32:
		return charset_utf32(c, bytes, len, last);
	case CHARSET_JIS:
		return charset_jis(c, bytes, len, last);
	case CHARSET_ICONV:
		break;
	}
	if (c->table == CHARSET_NONE)
		return without_table(c, bytes, len);
	return charset_by_table(c, c->table, bytes, len, 0, last);
}

/*
 * Converts what was kept, with as much of the new bytes as its letter needs; then the new bytes,
 * and keeps what is not whole.
 */
static void convert_kept(struct charset *c, const char *bytes, size_t len, bool last)
{
	while (c->kept_len > 0 && (len > 0 || last) && !c->refused) {
		size_t before = c->kept_len, read;

		while (c->kept_len < CHARSET_KEPT && len > 0) {
			c->kept[c->kept_len++] = (unsigned char)*bytes++;
			len--;
		}
		read = convert(c, (const char *)c->kept, c->kept_len, last && len == 0);
		if (read >= before) { /* the rest is read where it stands */
			bytes -= c->kept_len - read;
			len += c->kept_len - read;
			c->kept_len = 0;
			break;
		}
		if (read == 0 && c->kept_len == CHARSET_KEPT) { /* no letter is as long as that */
			charset_fail(c);
			read = 1;
		}
		c->kept_len -= read;
		memmove(c->kept, c->kept + read, c->kept_len);
	}

	if (len > 0 && !c->refused) {
		size_t read = convert(c, bytes, len, last);

		while (len - read > CHARSET_KEPT && !c->refused) {
			charset_fail(c);
			read++;
			read += convert(c, bytes + read, len - read, last);
		}
		if (!c->refused && !last) {
			c->kept_len = len - read;
			memcpy(c->kept, bytes + read, c->kept_len);
		}
	}
}

/* The sample has what is needed to know the charset: from here on it is converted. */
static void decided(struct charset *c, bool last)
{
	size_t skip = 0;

	c->form = charset_decide(c, &skip);
	if (c->form->table != NULL)
		c->table = iconv_open("UTF-8", c->form->table);
	if (c->sample.len > skip)
		convert_kept(c, c->sample.bytes + skip, c->sample.len - skip, last);
	buf_free(&c->sample);
}

/*
 * Until the charset is known: what is surely plain goes out, the rest is a sample. Returns how many
 * bytes were taken; fewer than `len` once it is known.
 */
static size_t gather(struct charset *c, const char *bytes, size_t len)
{
	bool guess = c->labelled->kind == CHARSET_GUESS;
	size_t taken = 0, plain;

	if (guess && c->sample.len == 0 && c->passed) {
		(void)all_ascii(bytes, len, &plain);
		charset_put(c, bytes, plain);
		taken = plain;
	}

	if (taken < len) {
		size_t room = CHARSET_SAMPLE - c->sample.len;
		size_t n = len - taken < room ? len - taken : room;

		buf_add(&c->sample, bytes + taken, n);
		if (!buf_ok(&c->sample)) {
			c->refused = true; /* no memory */
			return len;
		}
		taken += n;
	}

	if (guess && !c->passed && c->sample.len >= PASS_AFTER) {
		size_t head;

		if (all_ascii(c->sample.bytes, PASS_AFTER, &head)) {
			(void)all_ascii(c->sample.bytes, c->sample.len, &plain);
			charset_put(c, c->sample.bytes, plain);
			c->sample.len -= plain;
			memmove(c->sample.bytes, c->sample.bytes + plain, c->sample.len);
			c->passed = true;
		}
	}
	return taken;
}

/* Whether a label is taken at its word, the first byte being no mark of byte order. */
static bool believed(const struct charset *c)
{
	enum charset_kind kind = c->labelled->kind;

	return kind != CHARSET_GUESS && kind != CHARSET_UTF16 && kind != CHARSET_UTF32 &&
	       c->sample.len > 0 && !charset_may_mark((unsigned char)c->sample.bytes[0]);
}

bool charset_feed(struct charset *c, const char *bytes, size_t len)
{
	while (c->form == NULL && len > 0 && !c->refused) {
		size_t n = gather(c, bytes, len);

		bytes += n;
		len -= n;
		if (c->sample.len == CHARSET_SAMPLE || believed(c))
			decided(c, false);
	}
	if (c->form != NULL)
		convert_kept(c, bytes, len, false);
	return !c->refused;
}

/* What libc keeps of a letter that a mark may follow (CP1258, JIS X 0213). */
static void end_table(struct charset *c, iconv_t table)
{
	char *out = c->made;
	size_t room = CHARSET_MADE;

	flush(c);
	if (table != CHARSET_NONE && iconv(table, NULL, NULL, &out, &room) != (size_t)-1)
		c->made_len = CHARSET_MADE - room;
}

bool charset_end(struct charset *c)
{
	if (c->form == NULL)
		decided(c, true);
	convert_kept(c, "", 0, true);
	if (!c->refused)
		(void)convert(c, "", 0, true); /* what is left of a state */
	end_table(c, c->table);
	end_table(c, c->jis.other);
	flush(c);
	return !c->refused;
}

static bool into_buf(void *context, const char *bytes, size_t len)
{
	struct buf *out = context;

	buf_add(out, bytes, len);
	return buf_ok(out);
}

bool charset_convert(const char *label, const char *bytes, size_t len, struct buf *out)
{
	struct charset *c = charset_open(label, (struct sink){into_buf, out});
	bool fine = c != NULL && charset_feed(c, bytes, len) && charset_end(c);

	charset_free(c);
	return fine;
}
