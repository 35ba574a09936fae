/*
 * Whether an act comes from a page of ours. Three things, each enough by itself where browsers keep to the
 * standards: what the browser says of where the request comes from (Fetch Metadata, Origin), cookies with SameSite,
 * and a token in the form that nobody else can make.
 */
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/gate/gate.h"
#include "lib/web/web.h"

#define LABEL      "form"
#define TOKEN_LEN  ((size_t)32)
#define VISIT_SIZE ((size_t)24) /* random bytes */

/*
 * With the prefix a browser takes it from this very host alone, by TLS, and for all paths: no other program of the
 * domain can plant one.
 */
const char *web_cookie_session(const struct web *web)
{
	return web->https ? "__Host-sekisho" : "sekisho";
}

const char *web_cookie_visit(const struct web *web)
{
	return web->https ? "__Host-sekisho-visit" : "sekisho-visit";
}

bool web_is_token(const char *text, size_t least, size_t most)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t len = strspn(text, letters);

	return text[len] == '\0' && len >= least && len <= most;
}

bool web_random(char text[64])
{
	unsigned char bytes[VISIT_SIZE];

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return false;
	(void)gate_letters(bytes, sizeof bytes, text);
	return true;
}

void web_form_token(const char *key, char text[64])
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	char letters[EVP_MAX_MD_SIZE * 2];
	unsigned len = 0;

	text[0] = '\0';
	if (key[0] == '\0' ||
	    HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)LABEL,
		sizeof LABEL - 1, mac, &len) == NULL)
		return;
	(void)gate_letters(mac, len, letters);
	memcpy(text, letters, TOKEN_LEN);
	text[TOKEN_LEN] = '\0';
}

/* In constant time: what stands in the form is anybody's. */
static bool is_form_token(const char *key, const char *shown)
{
	char right[64];

	web_form_token(key, right);
	return right[0] != '\0' && strlen(shown) == TOKEN_LEN &&
	       CRYPTO_memcmp(right, shown, TOKEN_LEN) == 0;
}

/*
 * "none" is somebody who typed it. Our own Referrer-Policy makes browsers say "null" for Origin, so that says
 * nothing; an origin that is said has to be ours.
 */
static bool comes_from_us(const struct page *page)
{
	const struct web_request *r = page->request;

	if (r->agent_site[0] != '\0' && strcmp(r->agent_site, "same-origin") != 0 &&
	    strcmp(r->agent_site, "none") != 0)
		return false;
	return r->origin[0] == '\0' || strcmp(r->origin, "null") == 0 ||
	       page->web->origin[0] == '\0' || strcmp(r->origin, page->web->origin) == 0;
}

/* By what the page's credential is: whoever has another one has another form. */
static bool has_token(const struct page *page, const struct page_route *route)
{
	const char *shown = web_word(&page->request->form, "form");

	if (shown == NULL)
		return false;
	if (page->person.capability[0] != '\0')
		return is_form_token(page->person.capability, shown);
	if (page->person.in && is_form_token(page->person.token, shown))
		return true;
	return route->needs == PAGE_ANYBODY && is_form_token(page->visit, shown);
}

int web_guard(const struct page *page, const struct page_route *route)
{
	return comes_from_us(page) && has_token(page, route) ? 0 : 403;
}

void page_form_token(const struct page *page, char text[64])
{
	web_form_token(page->person.capability[0] != '\0' ? page->person.capability
		       : page->person.in                  ? page->person.token
							  : page->visit,
	    text);
}
