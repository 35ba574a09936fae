#include "lib/web/escape.h"

#include <string.h>

#include "lib/mime/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Whether it would be obeyed instead of shown. */
static bool is_order(uint32_t c)
{
	return (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7f && c <= 0x9f) || c == 0x061c ||
	       c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || (c & 0xfffe) == 0xfffe;
}

static const char *reference(uint32_t c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void escape_text(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0, n; i<len; i += n> 0 ? n : 1) {
		uint32_t c = 0;

		n = utf8_step(text + i, len - i, &c);
		if (c == '\r' && i + 1 < len && text[i + 1] == '\n')
			continue;
		if (n == 0 || is_order(c))
			buf_add_text(out, REPLACEMENT);
		else if (reference(c) != NULL)
			buf_add_text(out, reference(c));
		else
			buf_add(out, text + i, n);
	}
}

static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void escape_part(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (is_unreserved(c))
			buf_add(out, &c, 1);
		else
			buf_addf(out, "%%%02X", c);
	}
}

static bool begins(const char *text, size_t len, const char *with)
{
	return len > strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

void escape_url(struct buf *out, const char *text, size_t len)
{
	bool own = len > 0 && text[0] == '/' && (len == 1 || text[1] != '/');

	if (!own && !begins(text, len, "https://") && !begins(text, len, "http://"))
		return;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		/* A browser takes "\" for "/", and passes over line ends. */
		if (c <= ' ' || c == '\\' || c == 0x7f)
			return;
	}
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] >= 0x80)
			buf_addf(out, "%%%02X", (unsigned char)text[i]);
		else
			escape_text(out, text + i, 1);
	}
}

bool escape_is_text(const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t c = 0;

		n = utf8_step(text + i, len - i, &c);
		if (n == 0 || c == 0)
			return false;
	}
	return true;
}
