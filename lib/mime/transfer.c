#include "lib/mime/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/hex.h"

#define WINDOW   65536
#define CHUNK    1024 /* the 4096 letters of base64 that are decoded before the piece is looked at */
#define IS_BLANK 65
#define IS_EQUAL 66

/* Of quoted-printable. */
enum state {
	STATE_TEXT,
	STATE_EQUAL,       /* behind '=' */
	STATE_EQUAL_HEX,   /* behind '=' and a digit, which is in `high` */
	STATE_EQUAL_BLANK, /* behind '=' and the blanks that are held */
	STATE_EQUAL_CR,    /* behind '=' and CR */
};

/* The value of a letter and 1; 0 for what is no letter. */
static const uint8_t LETTERS[256] = {
    ['A'] = 1,
    ['B'] = 2,
    ['C'] = 3,
    ['D'] = 4,
    ['E'] = 5,
    ['F'] = 6,
    ['G'] = 7,
    ['H'] = 8,
    ['I'] = 9,
    ['J'] = 10,
    ['K'] = 11,
    ['L'] = 12,
    ['M'] = 13,
    ['N'] = 14,
    ['O'] = 15,
    ['P'] = 16,
    ['Q'] = 17,
    ['R'] = 18,
    ['S'] = 19,
    ['T'] = 20,
    ['U'] = 21,
    ['V'] = 22,
    ['W'] = 23,
    ['X'] = 24,
    ['Y'] = 25,
    ['Z'] = 26,
    ['a'] = 27,
    ['b'] = 28,
    ['c'] = 29,
    ['d'] = 30,
    ['e'] = 31,
    ['f'] = 32,
    ['g'] = 33,
    ['h'] = 34,
    ['i'] = 35,
    ['j'] = 36,
    ['k'] = 37,
    ['l'] = 38,
    ['m'] = 39,
    ['n'] = 40,
    ['o'] = 41,
    ['p'] = 42,
    ['q'] = 43,
    ['r'] = 44,
    ['s'] = 45,
    ['t'] = 46,
    ['u'] = 47,
    ['v'] = 48,
    ['w'] = 49,
    ['x'] = 50,
    ['y'] = 51,
    ['z'] = 52,
    ['0'] = 53,
    ['1'] = 54,
    ['2'] = 55,
    ['3'] = 56,
    ['4'] = 57,
    ['5'] = 58,
    ['6'] = 59,
    ['7'] = 60,
    ['8'] = 61,
    ['9'] = 62,
    ['+'] = 63,
    ['/'] = 64,
    [' '] = IS_BLANK,
    ['\t'] = IS_BLANK,
    ['\r'] = IS_BLANK,
    ['\n'] = IS_BLANK,
    ['='] = IS_EQUAL,
};

static const char *const WORDS[] = {
    [TRANSFER_7BIT] = "7bit",
    [TRANSFER_8BIT] = "8bit",
    [TRANSFER_BINARY] = "binary",
    [TRANSFER_BASE64] = "base64",
    [TRANSFER_QUOTED] = "quoted-printable",
    [TRANSFER_UNKNOWN] = "unknown",
};

enum transfer transfer_named(const char *word, size_t len)
{
	for (size_t i = 0; i < TRANSFER_UNKNOWN; i++) {
		if (strlen(WORDS[i]) == len && strncasecmp(WORDS[i], word, len) == 0)
			return (enum transfer)i;
	}
	return TRANSFER_UNKNOWN;
}

const char *transfer_word(enum transfer encoding)
{
	return WORDS[encoding];
}

void transfer_open(struct transfer_reader *r, enum transfer encoding, struct sink out)
{
	/* Not the arrays: encoded words are many and short. */
	r->encoding = encoding;
	r->out = out;
	r->group = 0;
	r->letters = 0;
	r->padded = false;
	r->state = STATE_TEXT;
	r->high = 0;
	r->held = 0;
	r->used = 0;
	r->flags = 0;
	r->size = 0;
}

/* ---- what comes out ---- */

static bool flush(struct transfer_reader *r)
{
	size_t len = r->used;

	r->used = 0;
	r->size += len;
	return sink_put(&r->out, r->piece, len);
}

static bool put(struct transfer_reader *r, const char *bytes, size_t len)
{
	while (len > 0) {
		size_t room = sizeof r->piece - r->used;
		size_t now = len < room ? len : room;

		memcpy(r->piece + r->used, bytes, now);
		r->used += now;
		bytes += now;
		len -= now;
		if (r->used == sizeof r->piece && !flush(r))
			return false;
	}
	return true;
}

/* ---- base64 ---- */

/*
 * Whole groups without anything else in them, at most CHUNK of them: what goes fast. Returns how many
 * letters it took.
 */
static size_t base64_groups(struct transfer_reader *r, const char *bytes, size_t len)
{
	size_t room = (sizeof r->piece - r->used) / 3;
	size_t most = room < CHUNK ? room : CHUNK;
	char *into = r->piece + r->used;
	size_t groups = 0;

	for (; groups < most && len - 4 * groups >= 4; groups++) {
		const unsigned char *in = (const unsigned char *)bytes + 4 * groups;
		uint32_t a = LETTERS[in[0]] - 1U, b = LETTERS[in[1]] - 1U;
		uint32_t c = LETTERS[in[2]] - 1U, d = LETTERS[in[3]] - 1U;
		uint32_t bits = a << 18 | b << 12 | c << 6 | d;

		if ((a | b | c | d) > 63)
			break;
		*into++ = (char)(bits >> 16);
		*into++ = (char)(bits >> 8);
		*into++ = (char)bits;
	}
	r->used += 3 * groups;
	return 4 * groups;
}

/* The group ends here, with fewer letters than four. */
static bool base64_close(struct transfer_reader *r)
{
	unsigned letters = r->letters;
	uint32_t bits = r->group << (6 * (4 - letters));
	char bytes[2] = {(char)(bits >> 16), (char)(bits >> 8)};

	r->letters = 0;
	r->group = 0;
	if (letters == 1)
		r->flags |= TRANSFER_CUT;
	return letters < 2 || put(r, bytes, letters - 1);
}

static bool base64_letter(struct transfer_reader *r, unsigned value)
{
	char bytes[3];

	if (r->padded) {
		/* Some programs end at the padding, others go on: nothing may hide behind it. */
		r->flags |= TRANSFER_BEHIND;
		r->padded = false;
	}
	r->group = r->group << 6 | value;
	if (++r->letters < 4)
		return true;

	bytes[0] = (char)(r->group >> 16);
	bytes[1] = (char)(r->group >> 8);
	bytes[2] = (char)r->group;
	r->letters = 0;
	r->group = 0;
	return put(r, bytes, sizeof bytes);
}

static bool base64_one(struct transfer_reader *r, char byte)
{
	unsigned letter = LETTERS[(unsigned char)byte];

	switch (letter) {
	case 0:
		r->flags |= TRANSFER_JUNK;
		return true;
	case IS_BLANK:
		return true;
	case IS_EQUAL:
		if (r->letters == 0 && !r->padded)
			r->flags |= TRANSFER_JUNK;
		r->padded = true;
		return base64_close(r);
	default:
		return base64_letter(r, letter - 1);
	}
}

static bool base64_feed(struct transfer_reader *r, const char *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		if (sizeof r->piece - r->used < 3 && !flush(r))
			return false;
		if (r->letters == 0 && !r->padded) {
			size_t took = base64_groups(r, bytes + at, len - at);

			at += took;
			if (took > 0)
				continue;
		}
		if (!base64_one(r, bytes[at++]))
			return false;
	}
	return true;
}

static bool base64_end(struct transfer_reader *r)
{
	if (r->letters > 0)
		r->flags |= TRANSFER_CUT;
	return base64_close(r);
}

/* ---- quoted-printable ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool release(struct transfer_reader *r)
{
	size_t len = r->held;

	r->held = 0;
	return put(r, r->blanks, len);
}

/* Keeps a blank back, which a line's end would take away. */
static bool hold(struct transfer_reader *r, char blank)
{
	if (r->held == sizeof r->blanks && !release(r))
		return false;
	r->blanks[r->held++] = blank;
	return true;
}

static bool quoted_text(struct transfer_reader *r, char c)
{
	if (is_blank(c))
		return hold(r, c);
	if (c == '\r' || c == '\n')
		r->held = 0;
	if (!release(r))
		return false;
	if (c != '=')
		return put(r, &c, 1);
	r->state = STATE_EQUAL;
	return true;
}

/* What began with '=' is no escape: it stays, and `c` is read as text. */
static bool quoted_bad(struct transfer_reader *r, char c)
{
	bool digit = r->state == STATE_EQUAL_HEX;

	r->state = STATE_TEXT;
	r->flags |= TRANSFER_ESCAPE;
	return put(r, "=", 1) && (!digit || put(r, &r->high, 1)) && release(r) && quoted_text(r, c);
}

static bool quoted_escape(struct transfer_reader *r, char c)
{
	char byte;

	switch ((enum state)r->state) {
	case STATE_EQUAL_HEX:
		if (hex_digit(c) < 0)
			return quoted_bad(r, c);
		byte = (char)(hex_digit(r->high) << 4 | hex_digit(c));
		r->state = STATE_TEXT;
		return put(r, &byte, 1);
	case STATE_EQUAL_CR:
		r->state = STATE_TEXT;
		if (c == '\n')
			return true;
		r->flags |= TRANSFER_BARE_CR;
		return quoted_text(r, c);
	case STATE_EQUAL:
	case STATE_EQUAL_BLANK:
	case STATE_TEXT:
		break;
	}

	if (c == '\r' || c == '\n') {
		r->held = 0;
		r->state = c == '\r' ? STATE_EQUAL_CR : STATE_TEXT;
		return true;
	}
	if (is_blank(c) && r->held < sizeof r->blanks) {
		r->state = STATE_EQUAL_BLANK;
		return hold(r, c);
	}
	if (r->state == STATE_EQUAL && hex_digit(c) >= 0) {
		r->high = c;
		r->state = STATE_EQUAL_HEX;
		return true;
	}
	return quoted_bad(r, c);
}

/* How many bytes from here on are what they are. */
static size_t plain_run(const char *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && bytes[n] != '=' && !is_blank(bytes[n]))
		n++;
	return n;
}

static bool quoted_feed(struct transfer_reader *r, const char *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		if (r->state == STATE_TEXT && r->held == 0) {
			size_t run = plain_run(bytes + at, len - at);

			if (!put(r, bytes + at, run))
				return false;
			at += run;
			if (at == len)
				break;
		}
		if (r->state == STATE_TEXT ? !quoted_text(r, bytes[at])
					   : !quoted_escape(r, bytes[at]))
			return false;
		at++;
	}
	return true;
}

/* A soft break needs no line end where the text ends. */
static bool quoted_end(struct transfer_reader *r)
{
	bool digit = r->state == STATE_EQUAL_HEX;

	r->state = STATE_TEXT;
	r->held = 0;
	if (!digit)
		return true;
	r->flags |= TRANSFER_ESCAPE;
	return put(r, "=", 1) && put(r, &r->high, 1);
}

/* ---- all of them ---- */

bool transfer_feed(struct transfer_reader *r, const char *bytes, size_t len)
{
	switch (r->encoding) {
	case TRANSFER_BASE64:
		return base64_feed(r, bytes, len);
	case TRANSFER_QUOTED:
		return quoted_feed(r, bytes, len);
	case TRANSFER_7BIT:
	case TRANSFER_8BIT:
	case TRANSFER_BINARY:
	case TRANSFER_UNKNOWN:
		break;
	}
	r->size += len;
	return sink_put(&r->out, bytes, len);
}

bool transfer_end(struct transfer_reader *r)
{
	if (r->encoding == TRANSFER_BASE64 && !base64_end(r))
		return false;
	if (r->encoding == TRANSFER_QUOTED && !quoted_end(r))
		return false;
	return flush(r);
}

bool transfer_source(
    struct transfer_reader *r, enum transfer encoding, const struct source *source, struct sink out)
{
	char *window = malloc(WINDOW);
	bool fine = false;
	ssize_t n = 0;

	if (window == NULL)
		return false;

	transfer_open(r, encoding, out);
	for (uint64_t at = 0; at < source->size; at += (uint64_t)n) {
		n = source_read(source, at, window, WINDOW);
		if (n <= 0)
			goto fail;
		errno = 0;
		if (!transfer_feed(r, window, (size_t)n))
			goto fail;
	}
	errno = 0;
	fine = transfer_end(r);

fail:
	free(window);
	return fine;
}

/* ---- a short text ---- */

struct into {
	char *bytes;
	size_t len;
};

/* What is written lies behind what was read: three bytes for four letters. */
static bool append(void *context, const char *bytes, size_t len)
{
	struct into *into = context;

	memcpy(into->bytes + into->len, bytes, len);
	into->len += len;
	return true;
}

size_t transfer_base64(const char *from, size_t len, char *into, unsigned *flags)
{
	struct into to = {.bytes = into};
	struct transfer_reader r;

	transfer_open(&r, TRANSFER_BASE64, (struct sink){append, &to});
	if (!transfer_feed(&r, from, len) || !transfer_end(&r))
		return 0; /* never: it takes everything */
	if (flags != NULL)
		*flags |= r.flags;
	return to.len;
}
