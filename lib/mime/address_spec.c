/* One address: as it would stand in an envelope, and whether two are the same. */
#include "lib/mime/address_inside.h"

#include <idn2.h>
#include <string.h>
#include <strings.h>

#include "lib/mime/utf8.h"

#define LABEL_MAX  63
#define DOMAIN_MAX 253
#define ESCAPE     '\x1b'

static const char unknown_letter[] = "\xef\xbf\xbd"; /* U+FFFD */

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_wide(char c)
{
	return (unsigned char)c >= 0x80;
}

bool address_atom(char c)
{
	return is_alnum(c) || is_wide(c) ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* ---- domains ---- */

/* Labels of letters, digits, hyphens and underscores, as the DNS has names of hosts. */
static bool good_name(const char *name)
{
	size_t label = 0, len = strlen(name);

	for (size_t i = 0; i < len; i++) {
		if (name[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if ((!is_alnum(name[i]) && name[i] != '-' && name[i] != '_') || ++label > LABEL_MAX)
			return false;
	}
	return label > 0 && len <= DOMAIN_MAX;
}

static bool has_wide(const char *text)
{
	while (*text != '\0' && !is_wide(*text))
		text++;
	return *text != '\0';
}

/* U-labels as A-labels. libidn2 checks no letters of ASCII as it is called here; the caller does. */
static bool to_ascii(char into[ADDRESS_TEXT_MAX])
{
	uint8_t *ascii = NULL;
	bool good;

	if (idn2_lookup_u8((const uint8_t *)into, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) !=
	    IDN2_OK)
		return false;
	good = strlen((const char *)ascii) < ADDRESS_TEXT_MAX;
	if (good)
		memcpy(into, ascii, strlen((const char *)ascii) + 1);
	idn2_free(ascii);
	return good;
}

bool address_domain(const char *domain, size_t len, char into[ADDRESS_TEXT_MAX])
{
	bool whole = len < ADDRESS_TEXT_MAX;
	bool good;

	if (!whole)
		len = ADDRESS_TEXT_MAX - 1;
	for (size_t i = 0; i < len; i++)
		into[i] = domain[i] == '\0' ? ' ' : lower(domain[i]);
	into[len] = '\0';
	if (!whole)
		return false;
	if (len > 2 && into[0] == '[' && into[len - 1] == ']')
		return strcspn(into, " \t<>\"@") == len;

	good = !has_wide(into) || to_ascii(into);
	len = strlen(into);
	if (len > 1 && into[len - 1] == '.')
		into[--len] = '\0';
	return good && good_name(into);
}

/* ---- one address ---- */

size_t address_jis(const char *text, size_t len)
{
	if (len < 2 || text[0] != ESCAPE || text[1] != '$')
		return 0;
	for (size_t i = 2; i < len; i++) {
		if (text[i] == ESCAPE && i + 2 < len && text[i + 1] == '(')
			return i + 3;
		if (text[i] == ESCAPE && i + 2 < len && text[i + 1] == '$')
			return i;
		if ((unsigned char)text[i] <= ' ')
			return 0;
	}
	return 0;
}

size_t address_find_at(const char *text, size_t len, size_t *count)
{
	size_t last = len;
	bool quoted = false;

	*count = 0;
	for (size_t i = 0; i < len; i++) {
		size_t jis = address_jis(text + i, len - i);

		if (jis > 0)
			i += jis - 1;
		else if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (text[i] == '@' && !quoted) {
			last = i;
			++*count;
		}
	}
	return last;
}

/* Appends a letter to plain text: none that nobody sees, none that is no letter. Returns its bytes. */
static size_t add_letter(struct buf *plain, const char *text, size_t len, unsigned *flags)
{
	uint32_t point;
	size_t step = utf8_step(text, len, &point);

	if (step == 0) {
		*flags |= ADDRESS_BYTES;
		buf_add_text(plain, unknown_letter);
		return 1;
	}
	if (point < ' ' || (point >= 0x7f && utf8_unseen(point)) || point == 0x7f)
		*flags |= ADDRESS_INVISIBLE;
	else
		buf_add(plain, text, step);
	return step;
}

/* The local part without its quotes, into `plain`. */
static void add_local(struct buf *plain, const char *text, size_t len, unsigned *flags)
{
	bool quoted = false;

	buf_clear(plain);
	for (size_t i = 0; i < len;) {
		if (text[i] == '"') {
			quoted = !quoted;
			i++;
		} else if (quoted && text[i] == '\\' && i + 1 < len) {
			i++;
			i += add_letter(plain, text + i, len - i, flags);
		} else {
			i += add_letter(plain, text + i, len - i, flags);
		}
	}
}

/* Whether it stands without quotes: atoms, single dots between them. */
static bool is_plain(const struct buf *local)
{
	bool dot = true;

	for (size_t i = 0; i < local->len; i++) {
		if (!address_atom(local->bytes[i]) || (dot && local->bytes[i] == '.'))
			return false;
		dot = local->bytes[i] == '.';
	}
	return !dot;
}

static void put(char *text, size_t *used, char c)
{
	if (*used < ADDRESS_TEXT_MAX)
		text[*used] = c;
	++*used;
}

/* Receivers are lenient about dots: they need no quotes, whoever wrote them. */
static bool wants_quotes(const struct buf *local)
{
	if (is_plain(local) || local->len == 0)
		return false;
	for (size_t i = 0; i < local->len; i++)
		if (!address_atom(local->bytes[i]))
			return true;
	return false;
}

static size_t put_local(char *text, const struct buf *local)
{
	bool quotes = wants_quotes(local);
	size_t used = 0;

	if (quotes)
		put(text, &used, '"');
	for (size_t i = 0; i < local->len; i++) {
		if (local->bytes[i] == '"' || local->bytes[i] == '\\')
			put(text, &used, '\\');
		put(text, &used, local->bytes[i]);
	}
	if (quotes)
		put(text, &used, '"');
	return used;
}

size_t address_whole(const char *text, size_t len)
{
	uint32_t point;
	size_t at = len;

	while (at > 0 && len - at < 4 && ((unsigned char)text[at - 1] & 0xc0) == 0x80)
		at--;
	if (at > 0 && is_wide(text[at - 1]) && utf8_step(text + at - 1, len - at + 1, &point) == 0)
		return at - 1;
	return len;
}

static void cut(char text[ADDRESS_TEXT_MAX + 1], size_t used, unsigned *flags)
{
	if (used > ADDRESS_TEXT_MAX) {
		*flags |= ADDRESS_LONG;
		used = address_whole(text, ADDRESS_TEXT_MAX);
	}
	text[used] = '\0';
}

size_t address_canonical(const char *spec, size_t len, struct buf *plain,
    char text[ADDRESS_TEXT_MAX + 1], unsigned *flags)
{
	char domain[ADDRESS_TEXT_MAX];
	size_t count, used, start;
	size_t at = address_find_at(spec, len, &count);

	if (count > 1)
		*flags |= ADDRESS_AT;
	add_local(plain, spec, at, flags);
	used = put_local(text, plain);
	if (at == len) {
		*flags |= ADDRESS_DOMAIN;
		cut(text, used, flags);
		return strlen(text);
	}
	put(text, &used, '@');

	start = used;
	buf_clear(plain);
	for (size_t i = at + 1; i < len;)
		i += add_letter(plain, spec + i, len - i, flags);
	if (plain->len == 0 || !address_domain(plain->bytes, plain->len, domain))
		*flags |= ADDRESS_DOMAIN;
	for (size_t i = 0; plain->len > 0 && domain[i] != '\0'; i++)
		put(text, &used, domain[i]);
	cut(text, used, flags);
	return start < strlen(text) ? start : strlen(text);
}

/* ---- comparing ---- */

/* The local part without quotes, as far as both can be told apart: one letter after another. */
static bool same_local(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t i = 0, j = 0;
	bool a_quoted = a_len > 1 && a[0] == '"' && a[a_len - 1] == '"';
	bool b_quoted = b_len > 1 && b[0] == '"' && b[b_len - 1] == '"';

	i += a_quoted;
	a_len -= a_quoted;
	j += b_quoted;
	b_len -= b_quoted;
	while (i < a_len && j < b_len) {
		i += a_quoted && a[i] == '\\' && i + 1 < a_len;
		j += b_quoted && b[j] == '\\' && j + 1 < b_len;
		if (lower(a[i]) != lower(b[j]))
			return false;
		i++;
		j++;
	}
	return i == a_len && j == b_len;
}

bool address_same(const char *a, const char *b)
{
	char a_domain[ADDRESS_TEXT_MAX], b_domain[ADDRESS_TEXT_MAX];
	const char *a_at = strrchr(a, '@');
	const char *b_at = strrchr(b, '@');
	bool good;

	if (a_at == NULL || b_at == NULL)
		return a_at == b_at && strcasecmp(a, b) == 0;
	if (!same_local(a, (size_t)(a_at - a), b, (size_t)(b_at - b)))
		return false;

	/* What cannot be a domain is compared as it is. */
	good = address_domain(a_at + 1, strlen(a_at + 1), a_domain);
	good = address_domain(b_at + 1, strlen(b_at + 1), b_domain) && good;
	return strcmp(a_domain, b_domain) == 0 &&
	       (good || strlen(a_at) <= ADDRESS_TEXT_MAX || strcmp(a_at, b_at) == 0);
}
