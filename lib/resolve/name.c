#include "lib/resolve/name.h"

#include <idn2.h>
#include <string.h>

#define LABEL_MAX ((size_t)63)

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* `strict`: as RFC 5321 section 4.1.2 has a domain: no underscore, no hyphen at a label's ends. */
static bool label_good(const char *label, size_t len, bool strict)
{
	if (len == 0 || len > LABEL_MAX)
		return false;
	if (strict && (label[0] == '-' || label[len - 1] == '-'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_letter_or_digit(label[i]) && label[i] != '-' && (strict || label[i] != '_'))
			return false;
	}
	return true;
}

static bool labels_good(const char *name, bool strict)
{
	if (strnlen(name, RESOLVE_NAME_MAX + 1) > RESOLVE_NAME_MAX)
		return false;
	for (;;) {
		size_t len = strcspn(name, ".");

		if (!label_good(name, len, strict))
			return false;
		if (name[len] == '\0')
			return true;
		name += len + 1;
	}
}

bool name_good(const char *name)
{
	return labels_good(name, false);
}

enum name_wire name_from_wire(
    const unsigned char *bytes, size_t len, char name[RESOLVE_NAME_MAX + 1])
{
	size_t at = 0, out = 0;

	if (len == 1 && bytes[0] == 0)
		return NAME_WIRE_ROOT;
	while (at < len && bytes[at] != 0) {
		size_t label = bytes[at++];

		/* A dot before it; what is no plain label is longer than one can be. */
		if (label > LABEL_MAX || label > len - at || out + 1 + label > RESOLVE_NAME_MAX)
			return NAME_WIRE_BAD;
		if (out > 0)
			name[out++] = '.';
		for (size_t i = 0; i < label; i++) {
			if (bytes[at] == '.' || bytes[at] == '\0')
				return NAME_WIRE_BAD;
			name[out++] = lower((char)bytes[at++]);
		}
	}
	name[out] = '\0';
	return at + 1 == len && name_good(name) ? NAME_WIRE_GOOD : NAME_WIRE_BAD;
}

void name_from_text(const char *text, char name[RESOLVE_NAME_MAX + 1])
{
	size_t len = strnlen(text, RESOLVE_NAME_MAX + 2);

	if (len > 0 && text[len - 1] == '.')
		len--;
	name[0] = '\0';
	if (len > RESOLVE_NAME_MAX)
		return;

	for (size_t i = 0; i < len; i++)
		name[i] = lower(text[i]);
	name[len] = '\0';
	if (!name_good(name))
		name[0] = '\0';
}

/* Without libidn2, which refuses hyphens in places where names that exist have them. */
static bool from_ascii(const char *domain, size_t len, char name[RESOLVE_NAME_MAX + 1])
{
	if (len > RESOLVE_NAME_MAX)
		return false;
	for (size_t i = 0; i <= len; i++)
		name[i] = lower(domain[i]);
	return labels_good(name, true);
}

/*
 * IDN2_USE_STD3_ASCII_RULES would silently take an underscore out and so make another domain of it.
 * That every character is allowed is looked at here, behind the conversion.
 */
static bool from_utf8(const char *domain, char name[RESOLVE_NAME_MAX + 1])
{
	uint8_t *ascii = NULL;
	bool good = false;

	if (idn2_lookup_u8(
		(const uint8_t *)domain, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK)
		good = from_ascii((const char *)ascii, strlen((const char *)ascii), name);
	idn2_free(ascii);
	return good;
}

bool resolve_name(const char *domain, char name[RESOLVE_NAME_MAX + 1])
{
	/* No label becomes shorter by more than four bytes of UTF-8 for one of ASCII. */
	size_t len = strnlen(domain, 4 * RESOLVE_NAME_MAX + 1);
	bool good = false;
	bool ascii = true;

	for (size_t i = 0; i < len; i++)
		ascii = ascii && (unsigned char)domain[i] < 0x80;
	if (len <= 4 * RESOLVE_NAME_MAX)
		good = ascii ? from_ascii(domain, len, name) : from_utf8(domain, name);
	if (!good)
		name[0] = '\0';
	return good;
}
