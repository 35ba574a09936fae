/*
 * One request of a browser, as nginx hands it on (FastCGI, RFC 3875's names): read strictly, within bounds. What
 * is wrong is no request, and answered by 400, 413 or 405.
 */
#ifndef SEKISHO_WEB_REQUEST_H
#define SEKISHO_WEB_REQUEST_H

#include "lib/base/buf.h"
#include "lib/base/compat.h"

#define WEB_WORDS_MAX  512                   /* names in a query, a form, and cookies, each */
#define WEB_TARGET_MAX ((size_t)8192)        /* bytes of path and query */
#define WEB_FORM_MAX   ((size_t)1024 * 1024) /* the setting web-request is the bound in force */

enum web_method { WEB_GET, WEB_HEAD, WEB_POST, WEB_OTHER };

struct web_word {
	const char *name, *value; /* decoded, NUL-ended, UTF-8 without NUL */
};

struct web_words {
	struct web_word word[WEB_WORDS_MAX];
	size_t n;
};

struct web_request {
	enum web_method method;
	const char
	    *path; /* decoded once: begins with '/', no "//", "/../", NUL or control character */
	const char *
	    bare; /* the query if it has no '=' in front of a '&' or its end: /gate/m/?TOKEN; else "" */
	struct web_words query, form, cookies;
	const char *source;     /* the browser's address, as ip_text writes it */
	const char *language;   /* Accept-Language, or "" */
	const char *agent_site; /* Sec-Fetch-Site, or "" */
	const char *origin;     /* Origin, or "" */
	struct buf bytes[3];    /* what the pointers point into */
};

/* What stands in front of a body: HTTP's own view, from FastCGI's parameters. */
struct web_incoming {
	char *const *params;                                     /* "NAME=VALUE", NULL-ended */
	size_t (*read)(void *context, char *bytes, size_t room); /* the body; 0 is its end */
	void *context;
	size_t most; /* bytes of a body */
};

/* 0, or the status that answers it: 400, 405, 413, 414. `r` is to be freed either way. */
NODISCARD int web_request_read(const struct web_incoming *in, struct web_request *r);
void web_request_free(struct web_request *r);

/* The first of that name; NULL if there is none. */
const char *web_word(const struct web_words *words, const char *name);

/* "ja" or "en": by the best of Accept-Language (RFC 9110, 12.5.4); `fallback` if it names neither. */
const char *web_language(const char *accept, const char *fallback);

/* Adds name=value, percent-encoded (RFC 3986: unreserved stays), for a query. */
void web_encode(struct buf *out, const char *text);

#endif
