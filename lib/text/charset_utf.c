/* UTF-8 (RFC 3629), UTF-7 (RFC 2152), UTF-16 (RFC 2781) and UTF-32. */
#include <string.h>

#include "lib/text/charset_inside.h"

/* ---- UTF-8 ---- */

size_t charset_letter(const unsigned char *s, size_t len, size_t *bad)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	*bad = 1;
	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;

	/* The second byte tells overlong forms, surrogates and what is beyond U+10FFFF. */
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : low;
	high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : high;
	for (size_t i = 1; i < n; i++) {
		if (i == len) {
			*bad = 0;
			return 0;
		}
		if (s[i] < low || s[i] > high) {
			*bad = i;
			return 0;
		}
		low = 0x80;
		high = 0xbf;
	}
	return n;
}

/* Eight bytes at once while they are ASCII. */
static size_t skip_ascii(const char *bytes, size_t at, size_t len)
{
	uint64_t eight;

	for (; len - at >= sizeof eight; at += sizeof eight) {
		memcpy(&eight, bytes + at, sizeof eight);
		if ((eight & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	return at;
}

size_t charset_utf8(struct charset *c, const char *bytes, size_t len, bool last)
{
	const unsigned char *s = (const unsigned char *)bytes;
	size_t from = 0, at = 0, bad = 0;

	while (at < len && !c->refused) {
		size_t n;

		if (s[at] < 0x80)
			at = skip_ascii(bytes, at, len);
		if (at == len)
			break;

		n = charset_letter(s + at, len - at, &bad);
		if (n > 0) {
			at += n;
			continue;
		}
		if (bad == 0 && !last)
			break;
		if (at > from)
			charset_put(c, bytes + from, at - from);
		charset_fail(c);
		at += bad > 0 ? bad : len - at;
		from = at;
	}
	if (at > from)
		charset_put(c, bytes + from, at - from);
	return at;
}

/* ---- UTF-16 and UTF-32 ---- */

/* A unit of UTF-16, of which two make a letter beyond U+FFFF. */
static void unit(struct charset *c, uint32_t u)
{
	bool low = u >= 0xdc00 && u < 0xe000;

	if (c->high != 0 && low) {
		charset_point(c, 0x10000 + ((c->high - 0xd800) << 10) + (u - 0xdc00));
		c->high = 0;
		return;
	}
	if (c->high != 0)
		charset_fail(c);
	c->high = u >= 0xd800 && u < 0xdc00 ? u : 0;
	if (low)
		charset_fail(c);
	else if (c->high == 0)
		charset_point(c, u);
}

static void last_unit(struct charset *c)
{
	if (c->high != 0)
		charset_fail(c);
	c->high = 0;
}

size_t charset_utf16(struct charset *c, const char *bytes, size_t len, bool last)
{
	const unsigned char *s = (const unsigned char *)bytes;
	size_t at = 0, upper = c->form->little;

	for (; len - at >= 2 && !c->refused; at += 2)
		unit(c, (uint32_t)s[at + upper] << 8 | s[at + 1 - upper]);
	if (last) {
		last_unit(c);
		if (at < len)
			charset_fail(c);
		at = len;
	}
	return at;
}

size_t charset_utf32(struct charset *c, const char *bytes, size_t len, bool last)
{
	const unsigned char *s = (const unsigned char *)bytes;
	size_t at = 0;

	for (; len - at >= 4 && !c->refused; at += 4) {
		uint32_t point = 0;

		for (size_t i = 0; i < 4; i++)
			point = point << 8 | s[at + (c->form->little ? 3 - i : i)];
		if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
			charset_fail(c);
		else
			charset_point(c, point);
	}
	if (last && at < len) {
		charset_fail(c);
		at = len;
	}
	return at;
}

/* ---- UTF-7 ---- */

static int base64_value(unsigned char byte)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = byte != '\0' ? strchr(digits, byte) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* The end of +...-: fewer than six bits may be left, all of them 0. */
static void end_base64(struct charset *c)
{
	struct utf7 *u = &c->utf7;

	last_unit(c);
	if (u->count >= 6 || (u->bits & ((1u << u->count) - 1)) != 0)
		charset_fail(c);
	*u = (struct utf7){.inside = false};
}

static void base64_byte(struct charset *c, unsigned char byte)
{
	struct utf7 *u = &c->utf7;
	int value = base64_value(byte);

	if (value >= 0) {
		u->begun = true;
		u->bits = u->bits << 6 | (uint32_t)value;
		u->count += 6;
		if (u->count >= 16) {
			u->count -= 16;
			unit(c, u->bits >> u->count & 0xffff);
		}
		return;
	}

	if (byte == '-' && !u->begun) /* +- is a plus */
		charset_put(c, "+", 1);
	else if (!u->begun)
		charset_fail(c);
	end_base64(c);
	if (byte >= 0x80)
		charset_fail(c);
	else if (byte != '-')
		charset_point(c, byte);
}

size_t charset_utf7(struct charset *c, const char *bytes, size_t len, bool last)
{
	for (size_t i = 0; i < len && !c->refused; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (c->utf7.inside)
			base64_byte(c, byte);
		else if (byte == '+')
			c->utf7.inside = true;
		else if (byte < 0x80)
			charset_point(c, byte);
		else
			charset_fail(c);
	}
	if (last && c->utf7.inside) {
		if (!c->utf7.begun)
			charset_fail(c);
		end_base64(c);
	}
	return len;
}
