/*
 * seki-web(8): people's pages. It knows nothing and believes nobody: who somebody is says seki-login, what he may do
 * seki-hold and seki-rules, which prove his credential themselves.
 */
#ifndef SEKISHO_WEB_WEB_H
#define SEKISHO_WEB_WEB_H

#include "lib/base/clock.h"
#include "lib/base/settings.h"
#include "lib/web/page.h"
#include "lib/web/patience.h"
#include "lib/web/request.h"
#include "lib/web/template.h"

#define WEB_SOCKET    "run/web/socket"
#define WEB_LOCALE    "etc/web/locale"
#define WEB_TOKEN_MAX ((size_t)96)

/*
 * What a request may wait long for. A worker that is about to is replaced for that long; more than so many do not wait:
 * for passwords WEB_LEAVERS, for views as many as seki-view deals with at once, 2 * web-workers.
 */
enum web_wait { WEB_WAIT_PASSWORD, WEB_WAIT_VIEW };
#define WEB_LEAVERS 32

/* What a worker has, and what it is told of the others. */
struct web {
	struct settings settings;
	struct web_templates *templates;
	bool https;
	char origin
	    [SETTING_TEXT_MAX]; /* of web-url: "https://mail.example.co.jp"; "" if there is none */
	bool (*leave)(void *context,
	    enum web_wait what); /* before a long wait; false: too many wait already. May be NULL */
	void *context;
};

/* Reads etc/settings and the templates. False with `fault`: `web` is as it was. */
NODISCARD bool web_read(struct web *web, char *fault, size_t room);
void web_free(struct web *web);

/* Whether browsers reach the pages by TLS. */
bool web_is_https(const struct settings *settings);

/* Where an answer goes: header and body as CGI has them (RFC 3875, 6). False: nobody takes it any more. */
struct web_outgoing {
	bool (*write)(void *context, const char *bytes, size_t len);
	void *context;
};

/* One request, from its first byte to the last of its answer. */
void web_answer(struct web *web, const struct web_incoming *in, const struct web_outgoing *out);

/* ---- the service ---- */

/* Serves at `listener` with workers, until SIGTERM. `ready` is told once. */
void web_run(struct web *web, int listener, int signals, void (*ready)(void));

/* Gives up for good what a worker needs not. Dies if that fails. */
void web_confine(void);

/* ---- between files of this folder ---- */

/* web_say.c: the answers that the core gives itself. */
void web_refuse(struct page *page, int status);

/* answer.c */
void web_send(struct page *page, const struct web_outgoing *out);

/* guard.c: whether a POST comes from a page of ours: 0, or what answers it. */
NODISCARD int web_guard(const struct page *page, const struct page_route *route);
NODISCARD bool web_is_token(const char *text, size_t least, size_t most);
NODISCARD bool web_random(char text[64]);
const char *web_cookie_session(const struct web *web);
const char *web_cookie_visit(const struct web *web);

/* The form token for what is signed by `key`; "" if that is "". */
void web_form_token(const char *key, char text[64]);

/* Before a long wait. False: too many wait already, and the answer is 503. */
NODISCARD bool web_may_wait(const struct page *page, enum web_wait what);

/* asking.c: who has this cookie. 0, or 503: nobody can say. */
NODISCARD int web_find_person(struct page *page);

#endif
