/* The normal form of an address, in which the whole of lib/org compares. */
#include <string.h>

#include "lib/mime/address.h"
#include "lib/org/org.h"

static char small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* atext of RFC 5322 section 3.2.3 with RFC 6532, and the dot: what stands without quotes. */
static bool atom(char c)
{
	return (unsigned char)c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

/* The last '@' outside of quotes, or NULL. */
static const char *find_at(const char *address)
{
	const char *last = NULL;
	bool quoted = false;

	for (; *address != '\0'; address++) {
		if (quoted && *address == '\\' && address[1] != '\0')
			address++;
		else if (*address == '"')
			quoted = !quoted;
		else if (*address == '@' && !quoted)
			last = address;
	}
	return last;
}

/* The local part without its quotes. Returns its bytes; `into` has room for `len`. */
static size_t unquote(const char *local, size_t len, char *into)
{
	bool quoted = false;
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		if (quoted && local[i] == '\\' && i + 1 < len)
			into[used++] = small(local[++i]);
		else if (local[i] == '"')
			quoted = !quoted;
		else
			into[used++] = small(local[i]);
	}
	return used;
}

/* Writes it with quotes, if it wants them. Returns its bytes, more than `room` if it does not fit. */
static size_t put_local(const char *local, size_t len, char *into, size_t room)
{
	bool quotes = len == 0;
	size_t used = 0;

	for (size_t i = 0; i < len; i++)
		quotes = quotes || !atom(local[i]);
	if (2 * len + 2 > room)
		return room + 1;

	if (quotes)
		into[used++] = '"';
	for (size_t i = 0; i < len; i++) {
		if (local[i] == '"' || local[i] == '\\')
			into[used++] = '\\';
		into[used++] = local[i];
	}
	if (quotes)
		into[used++] = '"';
	return used;
}

static bool normal(const char *address, char into[ORG_ADDRESS_MAX])
{
	const char *at = find_at(address);
	char local[ORG_ADDRESS_MAX], domain[ADDRESS_TEXT_MAX];
	char quoted[2 * ORG_ADDRESS_MAX + 2];
	size_t len, domain_len;

	if (at == NULL || at == address || (size_t)(at - address) >= sizeof local)
		return false;
	if (!address_domain(at + 1, strlen(at + 1), domain))
		return false;
	len = unquote(address, (size_t)(at - address), local);
	len = put_local(local, len, quoted, sizeof quoted);
	domain_len = strlen(domain);
	if (len + domain_len + 2 > ORG_ADDRESS_MAX)
		return false;

	memcpy(into, quoted, len);
	into[len] = '@';
	memcpy(into + len + 1, domain, domain_len + 1);
	return true;
}

bool org_normal(const char *address, char into[ORG_ADDRESS_MAX])
{
	size_t len = 0;

	if (normal(address, into))
		return true;
	while (len < ORG_ADDRESS_MAX - 1 && address[len] != '\0') {
		into[len] = small(address[len]);
		len++;
	}
	into[len] = '\0';
	return len == 0;
}
