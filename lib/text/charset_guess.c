/* What charset a text is in, by its beginning. */
#include <string.h>

#include "lib/text/charset_inside.h"

/* How well a charset reads the sample. */
struct reading {
	long good;
	long bad;
};

#define BAD_WEIGHT 8
#define EUC_PROVES 6 /* three letters in a row of bytes that come in pairs alone */

static const struct charset_form *form(const char *name)
{
	return charset_form_of(name);
}

static long score(struct reading r)
{
	return r.good - BAD_WEIGHT * r.bad;
}

/* ---- the readings ---- */

/* A letter that the sample's end cuts is neither good nor bad. */
static struct reading as_utf8(const unsigned char *s, size_t len)
{
	struct reading r = {0, 0};

	for (size_t i = 0; i < len;) {
		size_t n = s[i] < 0x80   ? 1
			   : s[i] < 0xc2 ? 0
			   : s[i] < 0xe0 ? 2
			   : s[i] < 0xf0 ? 3
			   : s[i] < 0xf5 ? 4
					 : 0;
		size_t have = 1;

		if (n > len - i)
			n = len - i;
		while (have < n && (s[i + have] & 0xc0) == 0x80)
			have++;
		if (n == 0 || have < n)
			r.bad++;
		else if (n > 1)
			r.good += 4; /* ahead of what CP932 makes of such bytes */
		i += have;
	}
	return r;
}

static bool kana_or_usual_kanji(unsigned char lead)
{
	return (lead >= 0x81 && lead <= 0x83) || (lead >= 0x88 && lead <= 0x97);
}

static struct reading as_cp932(const unsigned char *s, size_t len)
{
	struct reading r = {0, 0};

	for (size_t i = 0; i < len; i++) {
		bool lead = (s[i] >= 0x81 && s[i] <= 0x9f) || (s[i] >= 0xe0 && s[i] <= 0xfc);

		if (s[i] < 0x80) {
			continue;
		} else if (s[i] >= 0xa1 && s[i] <= 0xdf) {
			r.good--; /* half width: rarely meant */
		} else if (lead && i + 1 == len) {
			break;
		} else if (lead && s[i + 1] >= 0x40 && s[i + 1] <= 0xfc && s[i + 1] != 0x7f) {
			bool unused = s[i] == 0x85 || s[i] == 0x86 || s[i] == 0xeb ||
				      s[i] == 0xec || s[i] == 0xef;

			r.good += kana_or_usual_kanji(s[i]) ? 2 : !unused;
			r.bad += unused;
			i++;
		} else {
			r.bad++;
		}
	}
	return r;
}

static struct reading as_euc(const unsigned char *s, size_t len)
{
	struct reading r = {0, 0};

	for (size_t i = 0; i < len; i++) {
		size_t more = s[i] == 0x8f ? 2 : 1;

		if (s[i] < 0x80)
			continue;
		if ((s[i] < 0xa1 || s[i] == 0xff) && s[i] != 0x8e && s[i] != 0x8f) {
			r.bad++;
			continue;
		}
		if (more >= len - i)
			break;
		if (s[i + 1] < 0xa1 || s[i + 1] == 0xff || s[i + more] < 0xa1) {
			r.bad++;
			continue;
		}
		if (s[i] == 0xa1 || s[i] == 0xa4 || s[i] == 0xa5 || (s[i] >= 0xb0 && s[i] <= 0xcf))
			r.good += 2;
		else if (s[i] >= 0xa9 && s[i] <= 0xaf && s[i] != 0xad)
			r.bad++;
		else if (s[i] <= 0xf4)
			r.good++;
		i += more;
	}
	return r;
}

/* Text of a western language: hardly a byte beyond ASCII has another beside it. */
static bool western(const unsigned char *s, size_t len)
{
	size_t high = 0, alone = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] < 0x80)
			continue;
		high++;
		alone += (i == 0 || s[i - 1] < 0x80) && (i + 1 == len || s[i + 1] < 0x80);
	}
	return high >= 4 && alone * 10 >= high * 9;
}

/*
 * Pairs of CP932 side by side, which no western text has: two whose lead is one of kana, signs and
 * full width, or four of any other. Half of such a pair may look like ASCII.
 */
static bool has_pairs(const unsigned char *s, size_t len)
{
	size_t kana = 0, any = 0;

	for (size_t i = 0; i + 1 < len; i++) {
		if (s[i] < 0x81 || s[i] > 0x9f || s[i + 1] < 0x40 || s[i + 1] == 0x7f ||
		    s[i + 1] > 0xfc) {
			kana = any = 0;
			continue;
		}
		any++;
		kana = s[i] <= 0x83 ? kana + 1 : 0;
		if (kana >= 2 || any >= 4)
			return true;
		i++;
	}
	return false;
}

static bool is_cp932(const unsigned char *s, size_t len)
{
	struct reading r = as_cp932(s, len);

	return r.bad == 0 && score(r) > 0 && has_pairs(s, len);
}

static bool has_escapes(const unsigned char *s, size_t len)
{
	static const char *const escapes[] = {
	    "$B", "$@", "(J", "(I", "$(D", "$(O", "$(P", "$(Q", "$A", "$(C"};

	for (const unsigned char *p = s; (p = memchr(p, '\x1b', len - (size_t)(p - s))) != NULL;
	     p++) {
		size_t left = len - (size_t)(p - s) - 1;

		for (size_t i = 0; i < COUNT_OF(escapes); i++) {
			size_t n = strlen(escapes[i]);

			if (n <= left && memcmp(p + 1, escapes[i], n) == 0)
				return true;
		}
	}
	return false;
}

/* ---- UTF-16 and UTF-32 ---- */

#define PLAIN_ZEROS                                                                                \
	3 /* fewer upper bytes than these say nothing: 一 and 田 have such a lower one */
#define PLAIN_VOTES 4

/* How many units have the upper byte of ASCII, were it that of the order. */
static size_t zeros(const unsigned char *s, size_t len, bool little)
{
	size_t n = 0;

	for (size_t i = little; i < len; i += 2)
		n += s[i] == 0;
	return n;
}

/* The same for that of ASCII, kana or full width. */
static size_t votes(const unsigned char *s, size_t len, bool little)
{
	size_t n = 0;

	for (size_t i = little; i < len; i += 2)
		n += s[i] == 0 || s[i] == 0x30 || s[i] == 0xff;
	return n;
}

/* The order that is told stands unless the text plainly says the other. */
static const struct charset_form *utf16(const unsigned char *s, size_t len, bool little)
{
	size_t own = votes(s, len, little), other = votes(s, len, !little);

	/* A few letters prove nothing: 田 in one order has the upper byte of kana in the other. */
	if (other > 3 * own && other * 8 >= len &&
	    (other >= PLAIN_VOTES || zeros(s, len, !little) >= PLAIN_ZEROS))
		little = !little;
	return form(little ? "utf-16le" : "utf-16be");
}

static bool points_of_utf32(const unsigned char *s, size_t len, bool little)
{
	for (size_t i = 0; len >= 4 && i <= len - 4; i += 4) {
		if (little ? s[i + 3] != 0 || s[i + 2] > 0x10 : s[i] != 0 || s[i + 1] > 0x10)
			return false;
	}
	return len >= 4;
}

static const struct charset_form *utf32(const unsigned char *s, size_t len, bool little)
{
	if (points_of_utf32(s, len, !little) && !points_of_utf32(s, len, little))
		little = !little;
	return form(little ? "utf-32le" : "utf-32be");
}

/* Without a mark and without a label: every other byte, or so, is NUL. */
static const struct charset_form *wide_by_nuls(const unsigned char *s, size_t len)
{
	size_t even = 0, odd = 0, units = len / 2;

	if (memchr(s, '\0', len) == NULL || len < 4)
		return NULL;
	if (len >= 8 && len % 4 == 0 && points_of_utf32(s, len, true))
		return form("utf-32le");
	if (len >= 8 && len % 4 == 0 && points_of_utf32(s, len, false))
		return form("utf-32be");

	for (size_t i = 0; i + 1 < len; i += 2) {
		even += s[i] == 0;
		odd += s[i + 1] == 0;
	}
	if (odd >= 2 && odd * 8 >= units && even * 16 <= odd)
		return form("utf-16le");
	if (even >= 2 && even * 8 >= units && odd * 16 <= even)
		return form("utf-16be");
	return NULL;
}

/* A mark of UTF-16 before what is no UTF-16: no blank or line end has its NUL, and kana are few. */
static bool mark_lies(const unsigned char *s, size_t len, bool little)
{
	return memchr(s, '\0', len) == NULL && as_utf8(s, len).bad == 0 &&
	       votes(s, len, little) * 16 < len;
}

/* ---- the decision ---- */

/* The mark of byte order, if there is one and it is believed. */
static const struct charset_form *marked(
    const struct charset *c, const unsigned char *s, size_t len, size_t *skip)
{
	bool little = len >= 2 && s[0] == 0xff && s[1] == 0xfe;
	enum charset_kind label = c->labelled->kind;

	if (len >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0) {
		if (label != CHARSET_GUESS && label != CHARSET_UTF8 && as_utf8(s, len).bad > 0)
			return NULL;
		*skip = 3;
		return form("utf-8");
	}
	if (len >= 4 && memcmp(s, little ? "\xff\xfe\0" : "\0\0\xfe\xff", 4) == 0 &&
	    (label == CHARSET_UTF32 || points_of_utf32(s, len - len % 4, little))) {
		*skip = 4;
		return utf32(s + 4, len - 4, little);
	}
	if (!little && (len < 2 || s[0] != 0xfe || s[1] != 0xff))
		return NULL;

	*skip = 2;
	if (label != CHARSET_UTF16 && mark_lies(s + 2, len - 2, little))
		return label == CHARSET_GUESS ? form("utf-8") : c->labelled;
	return utf16(s + 2, len - 2, little);
}

static const struct charset_form *guessed(const unsigned char *s, size_t len)
{
	struct reading utf8 = as_utf8(s, len), cp932, euc;

	if (has_escapes(s, len))
		return form("iso-2022-jp");
	if (utf8.bad == 0)
		return utf8.good > 0 ? form("utf-8") : form("us-ascii");
	if (western(s, len) && !is_cp932(s, len))
		return form("windows-1252");

	cp932 = as_cp932(s, len);
	euc = as_euc(s, len);
	if (score(utf8) >= score(cp932) && score(utf8) >= score(euc))
		return form("utf-8");
	return form(score(euc) > score(cp932) ? "euc-jp" : "cp932");
}

const struct charset_form *charset_unlike_western(const char *bytes, size_t len)
{
	const unsigned char *s = (const unsigned char *)bytes;
	struct reading utf8 = as_utf8(s, len), euc = as_euc(s, len);

	if (utf8.bad == 0)
		return utf8.good > 0 ? form("utf-8") : NULL;
	if (euc.bad == 0 && euc.good >= EUC_PROVES)
		return form("euc-jp");
	return is_cp932(s, len) ? form("cp932") : NULL;
}

const struct charset_form *charset_decide(const struct charset *c, size_t *skip)
{
	const unsigned char *s = (const unsigned char *)c->sample.bytes;
	size_t len = c->sample.len;
	const struct charset_form *found = NULL;
	bool guess = c->labelled->kind == CHARSET_GUESS;

	*skip = 0;
	if (len == 0)
		return c->labelled;
	if (!c->passed)
		found = marked(c, s, len, skip);
	if (found != NULL)
		return found;

	if (c->labelled->kind == CHARSET_UTF16)
		return utf16(s, len, c->labelled->little);
	if (c->labelled->kind == CHARSET_UTF32)
		return utf32(s, len, c->labelled->little);
	if (guess && !c->passed)
		found = wide_by_nuls(s, len);
	if (found != NULL)
		return found;
	return guess ? guessed(s, len) : c->labelled;
}
