#include "lib/smtp/address.h"

#include <string.h>
#include <strings.h>

#include "lib/mime/utf8.h"
#include "lib/smtp/ip.h"

static bool is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_wide(unsigned char c)
{
	return c >= 0x80;
}

/* atext of RFC 5322, and any byte of UTF-8 (the whole was validated before). */
static bool is_atext(unsigned char c)
{
	return is_alnum(c) || is_wide(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

bool address_utf8(const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t point;
		size_t step = utf8_step(text + i, len - i, &point);

		if (step == 0 || point < 0x20 || (point >= 0x7f && point < 0xa0) ||
		    utf8_unseen(point))
			return false;
		i += step;
	}
	return true;
}

static bool has_wide(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (is_wide((unsigned char)text[i]))
			return true;
	}
	return false;
}

/* Dot-string: atoms with single dots between them. */
static bool dot_string(const char *text, size_t len)
{
	bool atom = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '.' && !atom)
			return false;
		if (text[i] != '.' && !is_atext((unsigned char)text[i]))
			return false;
		atom = text[i] != '.';
	}
	return atom;
}

/* The length of the quoted string that begins at `text`, its quotes included; 0 if it never ends. */
static size_t quoted_string(const char *text, size_t len)
{
	for (size_t i = 1; i < len; i++) {
		if (text[i] == '"')
			return i + 1;
		if (text[i] == '\\')
			i++;
	}
	return 0;
}

static bool label(const char *text, size_t len)
{
	if (len < 1 || len > 63 || text[0] == '-' || text[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (!is_alnum(c) && !is_wide(c) && c != '-')
			return false;
	}
	return true;
}

/* A full stop of another script, which a resolver would read as a dot (RFC 3490 section 3.1). */
static bool has_other_dot(const char *text, size_t len)
{
	uint32_t point;

	for (size_t i = 0; i < len;) {
		size_t step = utf8_step(text + i, len - i, &point);

		if (step == 0 || point == 0x3002 || point == 0xff0e || point == 0xff61)
			return true;
		i += step;
	}
	return false;
}

static bool labels(const char *text, size_t len)
{
	if (len > ADDRESS_DOMAIN_MAX || has_other_dot(text, len))
		return false;
	for (;;) {
		const char *dot = memchr(text, '.', len);
		size_t n = dot != NULL ? (size_t)(dot - text) : len;

		if (!label(text, n))
			return false;
		if (dot == NULL)
			return true;
		text += n + 1;
		len -= n + 1;
	}
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321 section 4.1.3). */
static bool literal(const char *text, size_t len)
{
	static const char tag[] = "IPv6:";
	char inner[IP_TEXT + sizeof tag];
	const char *address = inner;
	struct ip ip;
	bool tagged;

	if (len < 3 || len - 2 >= sizeof inner || text[len - 1] != ']')
		return false;
	memcpy(inner, text + 1, len - 2);
	inner[len - 2] = '\0';
	if (strlen(inner) != len - 2)
		return false;

	tagged = strncasecmp(inner, tag, sizeof tag - 1) == 0;
	if (tagged)
		address += sizeof tag - 1;
	return ip_parse(address, &ip) && (strchr(address, ':') != NULL) == tagged;
}

static enum address_verdict with_wide(const char *text, size_t len, bool utf8)
{
	return !utf8 && has_wide(text, len) ? ADDRESS_NEEDS_UTF8 : ADDRESS_OK;
}

enum address_verdict address_check_domain(const char *text, size_t len, bool utf8)
{
	if (!address_utf8(text, len) || !labels(text, len))
		return ADDRESS_MALFORMED;
	return with_wide(text, len, utf8);
}

enum address_verdict address_check(const char *text, size_t len, bool utf8, size_t *domain)
{
	const char *at;
	size_t local;
	bool right;

	if (len == 0 || len > ADDRESS_MAX || !address_utf8(text, len))
		return ADDRESS_MALFORMED;

	if (text[0] == '"') {
		local = quoted_string(text, len);
		right = local > 0;
	} else {
		at = memchr(text, '@', len);
		local = at != NULL ? (size_t)(at - text) : len;
		right = dot_string(text, local);
	}
	if (!right || local > ADDRESS_LOCAL_MAX || local + 1 >= len || text[local] != '@')
		return ADDRESS_MALFORMED;

	*domain = local + 1;
	text += local + 1;
	len -= local + 1;
	if (text[0] == '[' ? !literal(text, len) : !labels(text, len))
		return ADDRESS_MALFORMED;
	return with_wide(text - local - 1, len + local + 1, utf8);
}

size_t address_plain(const char *text, size_t len, char plain[ADDRESS_MAX])
{
	size_t local = len > 0 && text[0] == '"' ? quoted_string(text, len) : 0;
	size_t n = 0;

	if (local == 0)
		goto as_it_is;
	for (size_t i = 1; i < local - 1; i++) {
		if (text[i] == '\\')
			i++;
		plain[n++] = text[i];
	}
	if (n == 0 || !dot_string(plain, n))
		goto as_it_is;
	memcpy(plain + n, text + local, len - local);
	return n + len - local;
as_it_is:
	memcpy(plain, text, len);
	return len;
}

size_t address_path(const char *text, size_t len)
{
	if (len == 0 || text[0] != '<')
		return 0;

	for (size_t i = 1; i < len; i++) {
		if (text[i] == '>')
			return i + 1;
		if (text[i] == '"') {
			size_t quoted = quoted_string(text + i, len - i);

			if (quoted == 0)
				return 0;
			i += quoted - 1;
		}
	}
	return 0;
}
