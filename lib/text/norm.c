#include "lib/text/norm.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "lib/text/norm_inside.h"

#define ROOM     ((size_t)16384)
#define STEP_MAX ((size_t)256) /* more than one letter becomes, with what it joins */
#define SEGMENT_MAX                                                                                \
	((size_t)160) /* bytes of a letter with its marks; more marks stand as they are */
#define COMPAT (UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE)

struct norm {
	const struct norm_tables *tables;
	struct sink out;
	bool refused;
	bool cr; /* the last byte was CR: an LF behind it is the same line's end */

	unsigned char kept[4]; /* a letter that is not whole yet */
	size_t kept_len;

	char made[ROOM + STEP_MAX];
	size_t len;
	size_t held; /* from here on a mark that follows may change it */
};

struct norm *norm_open(const struct norm_tables *tables, struct sink out)
{
	struct norm *n = malloc(sizeof *n);

	if (n == NULL)
		return NULL;
	memset(n, 0, offsetof(struct norm, made));
	n->tables = tables;
	n->out = out;
	n->len = n->held = 0;
	return n;
}

void norm_free(struct norm *n)
{
	free(n);
}

/* What no mark changes any more goes out. */
static void flush(struct norm *n)
{
	if (n->held > 0 && !n->refused && !n->out.take(n->out.context, n->made, n->held))
		n->refused = true;
	n->len -= n->held;
	memmove(n->made, n->made + n->held, n->len);
	n->held = 0;
}

/* ---- letters that need more than a copy ---- */

/* A mark: joined with the letter before it and that one's marks, in their order. */
static void join(struct norm *n, uint32_t point)
{
	int32_t letters[2 * SEGMENT_MAX];
	utf8proc_uint8_t segment[SEGMENT_MAX + 4];
	size_t len = n->len - n->held;
	utf8proc_ssize_t count;

	if (len > SEGMENT_MAX) {
		n->held = n->len;
		len = 0;
	}
	memcpy(segment, n->made + n->held, len);
	len += (size_t)utf8proc_encode_char((int32_t)norm_mark(point), segment + len);

	count =
	    utf8proc_decompose(segment, (utf8proc_ssize_t)len, letters, COUNT_OF(letters), COMPAT);
	if (count > 0 && (size_t)count < COUNT_OF(letters))
		count = utf8proc_reencode(letters, count, COMPAT);
	if (count <= 0 || (size_t)count > STEP_MAX) { /* it stands as it is */
		memcpy(n->made + n->held, segment, len);
		n->len = n->held + len;
		return;
	}
	memcpy(n->made + n->held, letters, (size_t)count);
	n->len = n->held + (size_t)count;
}

static void one_byte(struct norm *n, char byte)
{
	n->made[n->len++] = byte;
	n->held = n->len;
}

/* What becomes of a letter of `len` bytes, but for the two usual cases. */
static void change(struct norm *n, unsigned act, uint32_t point)
{
	const struct norm_mapped *mapped;

	switch (act) {
	case NORM_DROP:
		return;
	case NORM_SPACE:
		one_byte(n, ' ');
		return;
	case NORM_LINE:
		one_byte(n, '\n');
		return;
	case NORM_JOIN:
		join(n, point);
		return;
	default:
		break;
	}
	mapped = &n->tables->mapped[act - NORM_MAPPED];
	memcpy(n->made + n->len, n->tables->bytes + mapped->at, mapped->len);
	n->held = n->len + mapped->held;
	n->len += mapped->len;
}

static void copy(struct norm *n, unsigned act, const unsigned char *s, size_t len)
{
	size_t at = n->len;

	memcpy(n->made + at, s, len);
	n->len = at + len;
	n->held = act == NORM_HOLD ? at : at + len;
}

/* ---- the text ---- */

/* The length of the letter at `s`: 0 if it is cut off, 1 with U+FFFD if it is none. */
static size_t letter(const unsigned char *s, size_t len, uint32_t *point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	uint32_t p = n == 1 ? s[0] : s[0] & (0x7fu >> n);

	*point = 0xfffd;
	if (n == 0 || s[0] > 0xf4)
		return 1;
	for (size_t i = 1; i < n; i++) {
		if (i == len)
			return 0;
		if ((s[i] & 0xc0) != 0x80)
			return 1;
		p = p << 6 | (s[i] & 0x3f);
	}
	if (p >= least[n] && p <= 0x10ffff && (p < 0xd800 || p >= 0xe000)) {
		*point = p;
		return n;
	}
	return 1;
}

static void control(struct norm *n, unsigned char byte)
{
	bool second = byte == '\n' && n->cr;

	n->cr = byte == '\r';
	if (!second)
		one_byte(n, byte == '\n' || byte == '\r' ? '\n' : ' ');
}

#define EACH(byte) ((uint64_t)(byte)*UINT64_C(0x0101010101010101))
#define TOPS       EACH(0x80)

/* Whether all eight bytes are from ' ' to '~'. */
static bool printable(uint64_t eight)
{
	uint64_t rubout = eight ^ EACH(0x7f);

	return (((eight | (eight - EACH(0x20)) | ((rubout - EACH(1)) & ~rubout)) & TOPS)) == 0;
}

/* A stretch of printable ASCII, which is copied. Returns its length. */
static size_t ascii(struct norm *n, const unsigned char *s, size_t len)
{
	size_t room = ROOM - n->len, at = 0;
	char *to = n->made + n->len;
	uint64_t eight;
	unsigned act;

	len = len < room ? len : room;
	for (; len - at >= sizeof eight; at += sizeof eight) {
		memcpy(&eight, s + at, sizeof eight);
		if (!printable(eight))
			break;
		memcpy(to + at, &eight, sizeof eight);
	}
	for (; at < len && s[at] >= ' ' && s[at] < 0x7f; at++)
		to[at] = (char)s[at];

	if (at > 0) {
		act = norm_act_of(n->tables, s[at - 1]);
		n->len += at;
		n->held = act == NORM_HOLD ? n->len - 1 : n->len;
		n->cr = false;
	}
	return at;
}

/* A stretch of letters of three bytes that stay: kana, kanji. Returns its length. */
static size_t three_bytes(struct norm *n, const unsigned char *s, size_t len)
{
	const struct norm_tables *t = n->tables;
	size_t at = 0, held = n->held, to = n->len;

	while (len - at >= 3 && (s[at] & 0xf0) == 0xe0 && to < ROOM) {
		uint32_t point =
		    (s[at] & 0x0fu) << 12 | (s[at + 1] & 0x3fu) << 6 | (s[at + 2] & 0x3fu);
		unsigned act = t->act[t->act_page[point / NORM_PAGE]][point % NORM_PAGE];

		if ((s[at + 1] & 0xc0) != 0x80 || (s[at + 2] & 0xc0) != 0x80 || point < 0x800 ||
		    (point >> 11) == 0x1b || act > NORM_HOLD)
			break;
		memcpy(n->made + to, s + at, 3);
		held = act == NORM_HOLD ? to : to + 3;
		to += 3;
		at += 3;
	}
	if (at > 0)
		n->cr = false;
	n->held = held;
	n->len = to;
	return at;
}

/* One letter of any kind. Returns how many bytes were read, 0 if the rest is to come. */
static size_t any_letter(struct norm *n, const unsigned char *s, size_t len)
{
	static const unsigned char none[] = {0xef, 0xbf, 0xbd}; /* U+FFFD */
	uint32_t point;
	size_t read = letter(s, len, &point);
	unsigned act;

	if (read == 0)
		return 0;
	if (point < 0x20 || point == 0x7f) {
		control(n, s[0]);
		return read;
	}
	n->cr = false;
	act = norm_act_of(n->tables, point);
	if (act > NORM_HOLD)
		change(n, act, point);
	else if (point == 0xfffd)
		copy(n, act, none, sizeof none);
	else
		copy(n, act, s, read);
	return read;
}

static size_t feed(struct norm *n, const unsigned char *s, size_t len)
{
	size_t at = 0;

	while (at < len && !n->refused) {
		size_t read = 0;

		if (n->len >= ROOM) {
			if (n->held == 0) /* cannot be: a segment is shorter */
				n->held = n->len;
			flush(n);
		}
		if (s[at] >= ' ' && s[at] < 0x7f)
			read = ascii(n, s + at, len - at);
		else if ((s[at] & 0xf0) == 0xe0)
			read = three_bytes(n, s + at, len - at);
		if (read == 0 && n->len < ROOM)
			read = any_letter(n, s + at, len - at);
		if (read == 0 && n->len < ROOM)
			break;
		at += read;
	}
	return at;
}

bool norm_feed(struct norm *n, const char *utf8, size_t len)
{
	const unsigned char *s = (const unsigned char *)utf8;
	size_t read;

	while (n->kept_len > 0 && len > 0 && !n->refused) {
		size_t before = n->kept_len;

		n->kept[n->kept_len++] = *s;
		read = feed(n, n->kept, n->kept_len);
		if (read >= before) { /* the rest, if any, is read where it stands */
			if (read > before) {
				s++;
				len--;
			}
			n->kept_len = 0;
			break;
		}
		s++;
		len--;
		n->kept_len -= read;
		memmove(n->kept, n->kept + read, n->kept_len);
	}

	if (len > 0 && !n->refused) {
		read = feed(n, s, len);
		if (!n->refused) {
			n->kept_len = len - read; /* less than a letter */
			memcpy(n->kept, s + read, n->kept_len);
		}
	}
	flush(n);
	return !n->refused;
}

bool norm_end(struct norm *n)
{
	static const char none[] = "\xef\xbf\xbd";

	while (n->kept_len > 0 && !n->refused) { /* each byte of what is cut off is none */
		memcpy(n->made + n->len, none, sizeof none - 1);
		n->len += sizeof none - 1;
		n->kept_len--;
	}
	n->held = n->len;
	flush(n);
	return !n->refused;
}

static bool into_buf(void *context, const char *bytes, size_t len)
{
	struct buf *out = context;

	buf_add(out, bytes, len);
	return buf_ok(out);
}

bool norm_text(const struct norm_tables *tables, const char *utf8, size_t len, struct buf *out)
{
	struct norm *n = norm_open(tables, (struct sink){into_buf, out});
	bool fine = n != NULL && norm_feed(n, utf8, len) && norm_end(n);

	norm_free(n);
	return fine;
}
