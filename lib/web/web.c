/* One request: who asks, which page, whether he may, and the page's function. */
#include "lib/web/web.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/forks.h"
#include "lib/base/log.h"
#include "lib/base/zone.h"
#include "lib/web/say.h"

#define COOKIES_MAX ((size_t)8192)
#define PLACE_MAX   (3 * WEB_TARGET_MAX)
#define NAME_MAX_   ((size_t)4096)

/* ---- the process --------------------------------------------------------------------------- */

bool web_is_https(const struct settings *settings)
{
	return settings->web_tls || strncmp(settings->web_url, "https://", 8) == 0;
}

/* "https://host:port" of a URL (RFC 6454, 6.1); "" if it is none. */
static void origin_of(const char *url, char origin[SETTING_TEXT_MAX])
{
	const char *host = strstr(url, "://");
	size_t len = host != NULL ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;

	memcpy(origin, url, len);
	origin[len] = '\0';
}

static struct web_templates *read_templates(char *text, size_t room)
{
	int pages = open("etc/web/pages", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct conf_fault fault = {0};
	struct web_templates *t;

	if (pages < 0) {
		(void)snprintf(text, room, "etc/web/pages: %s", strerrordesc_np(errno));
		return NULL;
	}
	t = web_templates_read(pages, &fault);
	(void)close(pages);
	if (t == NULL)
		conf_fault_show(&fault, text, room);
	return t;
}

bool web_read(struct web *web, char *fault, size_t room)
{
	struct settings fresh;
	struct web_templates *templates;

	if (!forks_settings(&fresh, fault, room))
		return false;
	templates = read_templates(fault, room);
	if (templates == NULL)
		return false;
	if (!zone_set(fresh.time_zone)) {
		(void)snprintf(fault, room, "time-zone: no memory");
		web_templates_free(templates);
		return false;
	}
	web_templates_free(web->templates);
	web->templates = templates;
	web->settings = fresh;
	web->https = web_is_https(&fresh);
	origin_of(fresh.web_url, web->origin);
	return true;
}

void web_free(struct web *web)
{
	web_templates_free(web->templates);
	web->templates = NULL;
}

/* ---- a page -------------------------------------------------------------------------------- */

static void begin(struct page *page, struct web *web, const struct web_request *request)
{
	*page = (struct page){.web = web,
	    .settings = &web->settings,
	    .request = request,
	    .values = json_object(),
	    .status = 200,
	    .file = -1};
	buf_init(&page->place, PLACE_MAX);
	buf_init(&page->file_name, NAME_MAX_);
	buf_init(&page->cookies, COOKIES_MAX);
}

static void end(struct page *page)
{
	json_decref(page->values);
	if (page->file >= 0)
		(void)close(page->file);
	buf_free(&page->place);
	buf_free(&page->file_name);
	buf_free(&page->cookies);
}

/* What his browser asks for; what seki-login knows of him comes before that, his cookie before all. */
static void choose_language(struct page *page)
{
	const char *chosen = web_word(&page->request->cookies, "sekisho-lang");

	if (chosen == NULL || (strcmp(chosen, "ja") != 0 && strcmp(chosen, "en") != 0))
		chosen = web_language(page->request->language, "ja");
	memcpy(page->lang, chosen, sizeof page->lang);
}

/* By it the forms of somebody who is not logged in are known to be his. */
static void find_visit(struct page *page)
{
	const char *cookie = web_word(&page->request->cookies, web_cookie_visit(page->web));

	if (cookie != NULL && web_is_token(cookie, 32, sizeof page->visit - 1)) {
		memcpy(page->visit, cookie, strlen(cookie) + 1);
		return;
	}
	page->visit_new =
	    !page->person.in && page->request->method != WEB_POST && web_random(page->visit);
}

/* This page again: path and query. */
static void add_here(const struct page *page, struct buf *out)
{
	const struct web_request *r = page->request;

	buf_add_text(out, r->path);
	if (r->bare[0] != '\0') {
		buf_add_text(out, "?");
		web_encode(out, r->bare);
	}
	for (size_t i = 0; i < r->query.n; i++) {
		buf_add_text(out, i == 0 && r->bare[0] == '\0' ? "?" : "&");
		web_encode(out, r->query.word[i].name);
		buf_add_text(out, "=");
		web_encode(out, r->query.word[i].value);
	}
}

static void set_here(struct page *page)
{
	struct buf here;

	buf_init(&here, PLACE_MAX);
	if (page->request->method == WEB_POST)
		buf_add_text(&here, "/gate/");
	else
		add_here(page, &here);
	buf_add(&here, "", 1);
	page_set_text(page, "back", buf_ok(&here) ? here.bytes : "/gate/");
	buf_free(&here);
}

static void set_values(struct page *page)
{
	const struct web_person *person = &page->person;
	char token[64], now[CLOCK_TEXT];

	say_speak(page->lang);
	page_set_text(page, "lang", page->lang);
	page_set_text(page, "site",
	    strcmp(page->settings->web_name, "-") != 0 ? page->settings->web_name : "");
	page_set(page, "person", person->in ? json_string(person->address) : NULL);
	page_set(page, "t", person->capability[0] != '\0' ? json_string(person->capability) : NULL);
	page_form_token(page, token);
	page_set_text(page, "form-token", token);
	clock_format(clock_wall(), now);
	page_set_text(page, "now-utc", now);
	web_form_token(person->in ? person->token : page->visit, token);
	page_set_text(page, "own-form-token", token);
	set_here(page);
}

/* ---- which page ---------------------------------------------------------------------------- */

/* NULL: `*status` and, with 405, what is possible. */
static const struct page_route *find_route(struct page *page, int *status)
{
	size_t n;
	const struct page_route *routes = page_routes(&n), *other = NULL;
	bool acts = page->request->method == WEB_POST;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(routes[i].path, page->request->path) != 0)
			continue;
		if (routes[i].acts == acts)
			return &routes[i];
		other = &routes[i];
	}
	*status = other != NULL ? 405 : 404;
	if (other != NULL)
		page->allow = other->acts ? "POST" : "GET, HEAD";
	return NULL;
}

/* The link's capability, if the page is one of those that take it. False: what stands there is none. */
static bool find_capability(struct page *page, const struct page_route *route)
{
	const struct web_request *r = page->request;
	const char *text = route->acts ? web_word(&r->form, "t") : web_word(&r->query, "t");

	if (route->needs != PAGE_LINK && route->needs != PAGE_EITHER)
		return true;
	if (!route->acts && r->bare[0] != '\0')
		text = r->bare;
	if (text == NULL || text[0] == '\0')
		return route->needs == PAGE_EITHER;
	if (!web_is_token(text, GATE_CAP_TEXT - 1, GATE_CAP_TEXT - 1))
		return false;
	memcpy(page->person.capability, text, GATE_CAP_TEXT);
	return true;
}

static void go_login(struct page *page)
{
	struct buf here;

	buf_init(&here, PLACE_MAX);
	if (page->request->method != WEB_POST)
		add_here(page, &here);
	buf_add(&here, "", 1);
	page_go(page, "/gate/login");
	if (buf_ok(&here))
		page_go_add(page, "back", here.bytes);
	if (!buf_ok(&page->place)) /* a way back that is too long for the way there is left out */
		page_go(page, "/gate/login");
	buf_free(&here);
}

/*
 * What stands in a frame of the page of a mail; then all that is said instead of it does, too. The frame is sandboxed:
 * nobody can log in there.
 */
static bool is_framed(const struct page_route *route)
{
	return strcmp(route->path, "/gate/m/contents") == 0 ||
	       strcmp(route->path, "/gate/m/html") == 0;
}

static void serve(struct page *page, const struct page_route *route)
{
	bool capable = find_capability(page, route);
	int lost = web_find_person(page);
	bool needs_person = route->needs == PAGE_PERSON ||
			    (route->needs == PAGE_EITHER && page->person.capability[0] == '\0');
	int status = 0;

	page->frame = is_framed(route);
	find_visit(page);
	set_values(page);
	if (!capable)
		status = 404;
	else if (needs_person && lost != 0)
		status = lost;
	else if (needs_person && !page->person.in && page->frame)
		status = 403;
	if (status != 0) {
		web_refuse(page, status);
		return;
	}
	if (needs_person && !page->person.in) {
		go_login(page);
		return;
	}
	if (route->acts)
		status = web_guard(page, route);
	if (status != 0)
		web_refuse(page, status);
	else
		route->function(page);
}

/* What is no request, or for no page: nobody is asked who it is. */
static void serve_nothing(struct page *page, int status)
{
	page->visit_new = false;
	set_values(page);
	web_refuse(page, status);
}

void web_answer(struct web *web, const struct web_incoming *in, const struct web_outgoing *out)
{
	struct web_request request;
	const struct page_route *route = NULL;
	struct page page;
	int status = web_request_read(in, &request);

	begin(&page, web, &request);
	choose_language(&page);
	if (status == 405)
		page.allow = "GET, HEAD, POST";
	if (status == 0)
		route = find_route(&page, &status);
	if (route != NULL)
		serve(&page, route);
	else if (status == 404 &&
		 (strcmp(request.path, "/") == 0 || strcmp(request.path, "/gate") == 0))
		page_go(&page, "/gate/");
	else
		serve_nothing(&page, status);
	web_send(&page, out);
	end(&page);
	web_request_free(&request);
}
