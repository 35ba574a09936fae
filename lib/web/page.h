/*
 * What a page's function gets and gives. It looks at the request, asks seki-hold, seki-login, seki-rules or
 * seki-view, and says what is to be shown: a template and its values, a place to go to, or a file.
 *
 * A function of a page that changes nothing is called for GET and HEAD alone; one that acts for POST alone, after
 * the form's token has been proved. There is no third kind.
 */
#ifndef SEKISHO_WEB_PAGE_H
#define SEKISHO_WEB_PAGE_H

#include <jansson.h>

#include "lib/base/settings.h"
#include "lib/gate/gate.h"
#include "lib/web/request.h"
#include "lib/web/template.h"

#define WEB_CREDENTIAL_MAX (GATE_SESSION_TEXT + 16)

struct web; /* the process: settings, templates (lib/web/web.h) */

/* Who asks. */
struct web_person {
	bool in;                        /* logged in: address and ticket are good */
	char address[GATE_ADDRESS_MAX]; /* of who is logged in, else "" */
	char token[96];                 /* his cookie's */
	char ticket
	    [GATE_SESSION_TEXT]; /* what seki-hold and seki-rules believe: a session of a minute */
	char capability[GATE_CAP_TEXT]; /* of the link that he came by, else "" */
};

struct page {
	struct web *web;
	const struct settings *settings;
	const struct web_request *request;
	struct web_person person;
	char visit
	    [64]; /* of who is not logged in: a cookie by which his forms are known; "" if there is none */
	bool visit_new; /* it has to be set */
	char lang[3];   /* "ja" or "en"; say() speaks it */
	json_t *values; /* of the template: see "values of every page" */

	/* The answer: one of these. */
	int status;           /* 200 unless it is said otherwise */
	const char *template; /* NULL: none; static text */
	struct buf place;     /* not empty: 303 See Other, to this path and query of ours */
	int file;             /* -1, or a descriptor to be sent: owned */
	char file_type[64];   /* "text/html; charset=utf-8"; else application/octet-stream */
	struct buf file_name; /* UTF-8; Content-Disposition: attachment, unless empty */
	bool frame;           /* may stand in a frame of our own pages, and is sandboxed */
	const char *allow;    /* with 405: the methods that are possible */
	struct buf cookies;   /* whole "Set-Cookie: …\r\n" lines */
};

typedef void page_function(struct page *page);

enum page_needs {
	PAGE_ANYBODY,
	PAGE_LINK, /* a capability, in the query (GET) or the field "t" (POST); the pages of one mail */
	PAGE_PERSON, /* somebody who is logged in; others are led to the login, and back */
	PAGE_EITHER, /* a capability if there is one, else a person */
};

struct page_route {
	const char *path; /* the whole of it */
	bool acts;        /* POST; else GET and HEAD */
	enum page_needs needs;
	page_function *function;
};

/*
 * Values of every page, which the core has set before a page's function is called:
 *   lang            "ja" or "en"
 *   site            the setting web-name; "" if there is none
 *   person          the address of who is logged in; null
 *   t               the capability of who came by a link; null: forms hand it on in the field "t"
 *   form-token      for the field "form" of what this page does
 *   own-form-token  for forms that have no field "t" (language, logout): the same, but by the link's reader, too
 *   back            path and query of this page, for a field "back"
 */

/* The table; the first that fits. `*n` rows. */
const struct page_route *page_routes(size_t *n);

/* ---- for the functions of pages ------------------------------------------------------------ */

/* Shows the template `name` with status `status`. */
void page_show(struct page *page, int status, const char *name);

/* Shows the page "said": a title and a sentence, both translated already. */
void page_say(struct page *page, int status, const char *title, const char *sentence);

/* Goes to `path`, a literal of ours; page_go_add adds a word of a query, encoded. */
void page_go(struct page *page, const char *path);
void page_go_add(struct page *page, const char *name, const char *value);

/* Values. `value` is stolen; NULL is null. */
void page_set(struct page *page, const char *name, json_t *value);
void page_set_text(struct page *page, const char *name, const char *text);

/* A word of the form (POST) or of the query; NULL if it is not there or empty. */
const char *page_form(const struct page *page, const char *name);
const char *page_query(const struct page *page, const char *name);

/*
 * "Content of this session": the token that a form of this page carries in its field "form". It is an HMAC of
 * the cookie's or the link's token, so nobody else can make it. The core proves it for every route that acts.
 */
void page_form_token(const struct page *page, char text[64]);

/*
 * Asks seki-hold as this person: by the link if he came by one, else by his ticket. `words`: key, value, …, NULL; a
 * value of NULL is left out with its key. Returns the answer, the caller's; NULL: seki-hold cannot be asked, and
 * the page says so already. `*leg`, unless NULL, gets the descriptor that came with it, or -1.
 */
NODISCARD json_t *page_gate(
    struct page *page, const char *verb, const char *const *words, int *leg);

/* The same of seki-login (sekisho-login(5)) and seki-rules (sekisho-mine(5)); no descriptor. */
NODISCARD json_t *page_login(struct page *page, const char *verb, const char *const *words);
NODISCARD json_t *page_rules(struct page *page, const char *verb, const char *const *words);

/* "result" of an answer, "" if there is none. */
const char *page_result(const json_t *answer);

/*
 * Answers what any of them may say instead of "done": forged, expired, forbidden, gone, unknown, and "no" with its
 * code, in the reader's words, as page_say does. True if that was so.
 */
NODISCARD bool page_failed(struct page *page, const json_t *answer);

/* ---- times and numbers, in the reader's words ----------------------------------------------- */

/* "2026-11-22T09:35:01.123456Z" as "11月22日(日) 18:35" or "Sun 22 Nov 18:35", in the site's time zone. */
void page_time(const struct page *page, const char *utc, struct buf *out);

/* "in 4 minutes", "あと4分"; behind now "" */
void page_until(const struct page *page, const char *utc, struct buf *out);

/* 1,234 bytes as "1.2 KB". */
void page_size(json_int_t bytes, struct buf *out);

#endif
