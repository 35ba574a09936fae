/*
 * Where a link would lead, as browsers read it (URL Living Standard, section 4.4): what a reader is to know of it is
 * the host, or the address, and not how it is written.
 */
#include <idn2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/hex.h"
#include "lib/inspect/sanitise.h"

#define HREF_READ ((size_t)2048) /* bytes of a link that are looked at */
#define SHOWN     ((size_t)100)

/* Without what browsers take out: control characters at the ends, line ends and tabs anywhere. */
static void read_href(const char *href, char text[HREF_READ + 1])
{
	size_t n = 0;

	while (*href > '\0' && *href <= ' ')
		href++;
	for (; *href != '\0' && n < HREF_READ; href++) {
		if (strchr("\t\r\n", *href) == NULL)
			text[n++] = *href;
	}
	text[n] = '\0';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Letters of the scheme before the colon; 0: there is none. */
static size_t scheme_of(const char *text)
{
	size_t n = 0;

	if (!is_letter(text[0]))
		return 0;
	while (is_letter(text[n]) || (text[n] >= '0' && text[n] <= '9') ||
	       (text[n] != '\0' && strchr("+-.", text[n]) != NULL))
		n++;
	return text[n] == ':' ? n : 0;
}

static bool scheme_is(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

/* %XX undone where it stands. */
static void undo_percent(char *text)
{
	char *to = text;

	for (const char *at = text; *at != '\0'; to++) {
		int high = *at == '%' ? hex_digit(at[1]) : -1;
		int low = high >= 0 ? hex_digit(at[2]) : -1;

		if (low >= 0 && high + low > 0) {
			*to = (char)(high * 16 + low);
			at += 3;
		} else {
			*to = *at++;
		}
	}
	*to = '\0';
}

/* The end of a host is who it belongs to. */
static void put_end(const char *before, const char *text, char target[SANITISE_TARGET_MAX])
{
	size_t len = strlen(text), from = len > SHOWN - 16 ? len - (SHOWN - 16) : 0;

	while (from > 0 && from < len && ((unsigned char)text[from] & 0xC0) == 0x80)
		from++;
	(void)snprintf(
	    target, SANITISE_TARGET_MAX, "%s%s%s", before, from > 0 ? "..." : "", text + from);
}

static void put_beginning(const char *text, char target[SANITISE_TARGET_MAX])
{
	size_t len = strlen(text), n = len > SHOWN - 16 ? SHOWN - 16 : len;

	while (n > 0 && n < len && ((unsigned char)text[n] & 0xC0) == 0x80)
		n--;
	(void)snprintf(target, SANITISE_TARGET_MAX, "%.*s%s", (int)n, text, n < len ? "..." : "");
}

/* Letters that look like others are told apart by what the DNS is asked for. */
static void put_host(const char *before, char *host, char target[SANITISE_TARGET_MAX])
{
	char *port = strrchr(host, ':'), *ascii = NULL;
	char text[HREF_READ + 16];

	if (port != NULL && (port[1] == '\0' || port[1 + strspn(port + 1, "0123456789")] != '\0'))
		port = NULL;
	if (port != NULL)
		*port = '\0';
	if (idn2_lookup_u8((const uint8_t *)host, (uint8_t **)&ascii,
		IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		ascii = NULL;
	(void)snprintf(text, sizeof text, "%s%s%s", ascii != NULL ? ascii : host,
	    port != NULL ? ":" : "", port != NULL ? port + 1 : "");
	idn2_free(ascii);
	put_end(before, text, target);
}

/* Behind the slashes: whoever stands before an "@" is not where it leads. */
static void put_authority(const char *before, char *text, char target[SANITISE_TARGET_MAX])
{
	char *at;

	text[strcspn(text, "/\\?#")] = '\0';
	at = strrchr(text, '@');
	at = at != NULL ? at + 1 : text;
	undo_percent(at);
	put_host(before, at, target);
}

static char *behind_slashes(char *text)
{
	return text + strspn(text, "/\\");
}

/* One address, or several, of mailto: and tel:. */
static void put_address(char *text, char target[SANITISE_TARGET_MAX])
{
	text[strcspn(text, "?#")] = '\0';
	undo_percent(text);
	put_beginning(text, target);
}

void sanitise_target(const char *href, char target[SANITISE_TARGET_MAX])
{
	char text[HREF_READ + 1], *rest;
	size_t scheme;

	read_href(href, text);
	scheme = scheme_of(text);
	rest = text + (scheme > 0 ? scheme + 1 : 0);
	target[0] = '\0';
	if (scheme_is(text, scheme, "http") || scheme_is(text, scheme, "https"))
		put_authority("", behind_slashes(rest), target);
	else if (scheme_is(text, scheme, "ftp"))
		put_authority("ftp://", behind_slashes(rest), target);
	else if (scheme_is(text, scheme, "mailto") || scheme_is(text, scheme, "tel"))
		put_address(rest, target);
	else if (scheme_is(text, scheme, "file"))
		put_beginning(text, target);
	else if (scheme > 0)
		(void)snprintf(
		    target, SANITISE_TARGET_MAX, "%.*s:", scheme > 32 ? 32 : (int)scheme, text);
	else if (strcspn(text, "/\\") == 0 && strspn(text, "/\\") >= 2)
		put_authority("", behind_slashes(text), target);
	else if (text[0] != '#')
		put_beginning(text, target);
}
