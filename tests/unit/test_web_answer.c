/*
 * One request from end to end, with services that always say the same: who is let in, which act is taken for one of
 * ours, and what every answer says. W3, W4.
 */
#include "tests/unit/web_kit.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib/base/local.h"
#include "lib/web/reasons.h"
#include "lib/web/web.h"

#define SESSION "sssssssssssssssssssssssssssssssssssssssssss"
#define OUTAGE  "oooooooooooooooooooooooooooooooooooooooooooo"
#define NOBODY  "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define EXPIRED "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define VISIT   "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"
#define LINK    "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"

static char repo[512], root[128];
static pid_t services[2];
static struct web web;
static struct buf said;

/* ---- services ------------------------------------------------------------------------------ */

/* Answers each request by `find` in it: the first of these pairs, else the last. */
static pid_t serve(const char *path, const char *log, const char *const (*answers)[2])
{
	int listener = local_listen(path, 16);
	pid_t pid;

	assert_true(listener >= 0);
	pid = fork();
	if (pid != 0) {
		close(listener);
		return pid;
	}
	for (;;) {
		char request[20000];
		int fd = accept(listener, NULL, NULL), out;
		ssize_t n;
		size_t i = 0;

		if (fd < 0) {
			fd_set set;

			FD_ZERO(&set);
			FD_SET(listener, &set);
			(void)select(listener + 1, &set, NULL, NULL, NULL);
			continue;
		}
		n = recv(fd, request, sizeof request - 1, 0);
		request[n > 0 ? n : 0] = '\0';
		out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (write(out, request, strlen(request)) < 0)
			_exit(1);
		close(out);
		while (answers[i][0] != NULL && strstr(request, answers[i][0]) == NULL)
			i++;
		if (write(fd, answers[i][1], strlen(answers[i][1])) < 0)
			_exit(1);
		close(fd);
	}
}

static const char *const login_answers[][2] = {
    {"session token=" SESSION, "{\"result\":\"done\",\"address\":\"alice@example.co.jp\","
			       "\"ticket\":\"s1.YWxp.1.x\",\"lang\":\"en\"}\n"},
    {"session token=" OUTAGE, "{\"result\":\"no\",\"code\":\"later\"}\n"},
    {"session token=" NOBODY, "{\"result\":\"done\",\"ticket\":\"s1.YWxp.1.x\"}\n"},
    {"session token=" EXPIRED, "{\"result\":\"expired\"}\n"},
    {"link ",
	"{\"result\":\"done\",\"nonce\":\"" SESSION "\",\"number\":\"1234\",\"minutes\":15}\n"},
    {NULL, "{\"result\":\"forged\"}\n"}};
static const char *const gate_answers[][2] = {
    {" show", "{\"result\":\"forged\"}\n"}, {NULL, "{\"result\":\"no\",\"code\":\"state\"}\n"}};

static int set_up(void **state)
{
	const char *settings =
	    "trial yes\nweb-url http://pages.example:8025\nweb-name <Our> pages\n";
	char fault[512], link[700];

	(void)state;
	assert_non_null(getcwd(repo, sizeof repo));
	close(kit_folder(root));
	assert_int_equal(chdir(root), 0);
	assert_int_equal(mkdir("etc", 0700) | mkdir("run", 0700) | mkdir("run/login", 0700) |
			     mkdir("run/gate", 0700),
	    0);
	kit_put(AT_FDCWD, "etc/settings", settings, strlen(settings));
	(void)snprintf(link, sizeof link, "%s/etc/web", repo);
	assert_int_equal(symlink(link, "etc/web"), 0);
	if (!web_read(&web, fault, sizeof fault))
		fail_msg("%s", fault);
	say_open(WEB_LOCALE);
	services[0] = serve("run/login/socket", "login.log", login_answers);
	services[1] = serve("run/gate/socket", "gate.log", gate_answers);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(services); i++) {
		if (services[i] > 1) {
			(void)kill(services[i], SIGKILL);
			(void)waitpid(services[i], NULL, 0);
		}
	}
	web_free(&web);
	buf_free(&said);
	return chdir(repo);
}

/* ---- asking -------------------------------------------------------------------------------- */

struct sent {
	const char *form;
	size_t at;
};

static size_t read_form(void *context, char *bytes, size_t room)
{
	struct sent *s = context;
	size_t n = strlen(s->form + s->at);

	n = n < room ? n : room;
	memcpy(bytes, s->form + s->at, n);
	s->at += n;
	return n;
}

static bool take(void *context, const char *bytes, size_t len)
{
	buf_add(context, bytes, len);
	return true;
}

/* Its status. `more`: other parameters, NULL-ended, or NULL. What was said stands in `said`. */
static int ask(const char *method, const char *target, const char *form, const char *const *more)
{
	char text[3][9000];
	const char *all[16] = {text[0], text[1], text[2], "REMOTE_ADDR=192.0.2.7"};
	size_t n = 4;
	struct sent sent = {form != NULL ? form : "", 0};
	struct web_incoming in = {(char *const *)(uintptr_t)all, read_form, &sent, 65536};
	struct web_outgoing out = {take, &said};
	int status = 0;

	(void)snprintf(text[0], sizeof text[0], "REQUEST_METHOD=%s", method);
	(void)snprintf(text[1], sizeof text[1], "REQUEST_URI=%s", target);
	(void)snprintf(text[2], sizeof text[2], "CONTENT_LENGTH=%zu", strlen(sent.form));
	if (form != NULL)
		all[n++] = "CONTENT_TYPE=application/x-www-form-urlencoded";
	for (; more != NULL && *more != NULL; more++)
		all[n++] = *more;
	all[n] = NULL;
	buf_free(&said);
	buf_init(&said, (size_t)16 * 1024 * 1024);
	web_answer(&web, &in, &out);
	buf_add(&said, "", 1);
	assert_true(buf_ok(&said));
	assert_int_equal(sscanf(said.bytes, "Status: %d ", &status), 1);
	return status;
}

#define COOKIE(text) ((const char *const[]){"HTTP_COOKIE=" text, NULL})

static void assert_said(const char *text)
{
	if (strstr(said.bytes, text) == NULL)
		fail_msg("not said: %s\n%s", text, said.bytes);
}

static void assert_unsaid(const char *text)
{
	if (strstr(said.bytes, text) != NULL)
		fail_msg("said: %s\n%s", text, said.bytes);
}

/* How often the service was asked for `text`. */
static size_t asked(const char *log, const char *text)
{
	FILE *f = fopen(log, "r");
	char line[20000];
	size_t n = 0;

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		n += strstr(line, text) != NULL;
	if (f != NULL)
		fclose(f);
	return n;
}

/* ---- the header ---------------------------------------------------------------------------- */

static void every_answer_has_its_rules(void **state)
{
	static const struct {
		const char *method, *target, *form;
		int status;
	} answers[] = {{"GET", "/gate/login", NULL, 200}, {"GET", "/gate/", NULL, 303},
	    {"GET", "/gate", NULL, 303}, {"GET", "/nix", NULL, 404},
	    {"GET", "/gate/../x", NULL, 400}, {"OPTIONS", "/gate/", NULL, 405},
	    {"POST", "/gate/", "", 405}, {"GET", "/gate/logout", NULL, 405},
	    {"POST", "/gate/login", "address=x", 403}, {"GET", "/gate/m/?" LINK, NULL, 404},
	    {"HEAD", "/gate/login", NULL, 200}, {"GET", "/gate/m/?short", NULL, 404}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		int status = ask(answers[i].method, answers[i].target, answers[i].form, NULL);

		if (status != answers[i].status)
			fail_msg("%s %s: %d", answers[i].method, answers[i].target, status);
		assert_said("\r\nContent-Security-Policy: default-src 'none'; ");
		assert_said("frame-ancestors 'none'\r\n");
		assert_said("\r\nX-Content-Type-Options: nosniff\r\n");
		assert_said("\r\nReferrer-Policy: no-referrer\r\n");
		assert_said("\r\nCache-Control: no-store\r\n");
		assert_said("\r\nX-Frame-Options: DENY\r\n");
		assert_said("\r\nPermissions-Policy: ");
		assert_said("\r\nCross-Origin-Opener-Policy: same-origin\r\n");
		assert_said("\r\nCross-Origin-Resource-Policy: same-origin\r\n");
		assert_said("\r\nContent-Length: ");
		assert_unsaid("Strict-Transport-Security");
		assert_unsaid("unsafe-inline");
		assert_unsaid("pages.example"); /* no page needs the host */
	}
}

static void https_says_more(void **state)
{
	(void)state;
	web.https = true;
	assert_int_equal(ask("GET", "/gate/login", NULL, NULL), 200);
	web.https = false;
	assert_said("\r\nStrict-Transport-Security: max-age=31536000\r\n");
	assert_said("Set-Cookie: __Host-sekisho-visit=");
	assert_said("; Path=/; HttpOnly; SameSite=Lax; Secure\r\n");
}

static void a_head_has_no_body(void **state)
{
	char length[64];
	const char *at;

	(void)state;
	assert_int_equal(ask("GET", "/gate/login", NULL, COOKIE("sekisho-visit=" VISIT)), 200);
	at = strstr(said.bytes, "Content-Length: ");
	assert_non_null(at);
	(void)snprintf(length, sizeof length, "%.*s", (int)strcspn(at, "\r"), at);
	assert_int_equal(strtoul(at + 16, NULL, 10), strlen(strstr(said.bytes, "\r\n\r\n") + 4));
	assert_int_equal(ask("HEAD", "/gate/login", NULL, COOKIE("sekisho-visit=" VISIT)), 200);
	assert_said(length);
	assert_string_equal(strstr(said.bytes, "\r\n\r\n"), "\r\n\r\n");
}

static void what_is_possible(void **state)
{
	(void)state;
	assert_int_equal(ask("OPTIONS", "/gate/", NULL, NULL), 405);
	assert_said("\r\nAllow: GET, HEAD, POST\r\n");
	assert_int_equal(ask("GET", "/gate/m/act?t=" LINK "&word=discard", NULL, NULL), 405);
	assert_said("\r\nAllow: POST\r\n");
	assert_int_equal(ask("HEAD", "/gate/logout", NULL, COOKIE("sekisho=" SESSION)), 405);
	assert_int_equal(ask("POST", "/gate/approvals", "form=x", COOKIE("sekisho=" SESSION)), 405);
	assert_said("\r\nAllow: GET, HEAD\r\n");
	assert_int_equal(asked("gate.log", " act "), 0);
}

/* ---- who ----------------------------------------------------------------------------------- */

static void strangers_are_led_to_the_login(void **state)
{
	(void)state;
	assert_int_equal(ask("GET", "/gate/?state=held&q=a%26b", NULL, NULL), 303);
	assert_said("\r\nLocation: /gate/login?back=%2Fgate%2F%3Fstate%3Dheld%26q%3Da%2526b\r\n");
	assert_int_equal(
	    ask("GET", "/gate/rules", NULL, COOKIE("sekisho=wwwwwwwwwwwwwwwwwwwwwwwwwwwwww")), 303);
	assert_int_equal(ask("GET", "/gate/m/?id=1", NULL, NULL), 303);
	assert_int_equal(ask("POST", "/gate/logout", "form=x", NULL), 303);
	assert_said("\r\nLocation: /gate/login\r\n");
	/* What no session can be is not even asked for. */
	assert_int_equal(ask("GET", "/gate/", NULL, COOKIE("sekisho=short")), 303);
	assert_int_equal(asked("login.log", "token=short"), 0);
}

/* Who cannot be told is not sent to the login again and again: it is an outage. */
static void who_cannot_be_told_is_no_stranger(void **state)
{
	(void)state;
	assert_int_equal(ask("GET", "/gate/", NULL, COOKIE("sekisho=" OUTAGE)), 503);
	assert_int_equal(ask("GET", "/gate/", NULL, COOKIE("sekisho=" NOBODY)), 503);
	assert_unsaid("Location:");
	assert_int_equal(ask("GET", "/gate/", NULL, COOKIE("sekisho=" EXPIRED)), 303);
	assert_int_equal(ask("GET", "/gate/login", NULL, COOKIE("sekisho=" OUTAGE)), 200);
}

/* A way back that does not fit is left out; it is no page that is empty. */
static void a_long_way_back(void **state)
{
	char target[8100] = "/gate/?q=";
	size_t len = strlen(target);

	(void)state;
	memset(target + len, '"', sizeof target - 1 - len);
	target[sizeof target - 1] = '\0';
	assert_int_equal(ask("GET", target, NULL, NULL), 303);
	assert_said("\r\nLocation: /gate/login\r\n");
}

/* What stands in a frame of ours says there what went wrong, and leads nowhere. */
static void what_is_framed_says_why(void **state)
{
	static const struct {
		const char *target, *cookie;
		int status;
	} cases[] = {{"/gate/m/contents?t=short", "", 404}, {"/gate/m/html?t=short", "", 404},
	    {"/gate/m/contents?id=1", "", 403}, {"/gate/m/html?id=1", "", 403},
	    {"/gate/m/contents?id=1", "HTTP_COOKIE=sekisho=" OUTAGE, 503},
	    {"/gate/m/contents?t=" LINK, "", 503}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(
		    ask("GET", cases[i].target, NULL, (const char *const[]){cases[i].cookie, NULL}),
		    cases[i].status);
		assert_said("frame-ancestors 'self'\r\n");
		assert_said("\r\nX-Frame-Options: SAMEORIGIN\r\n");
		assert_unsaid("Location:");
	}
	assert_int_equal(ask("GET", "/gate/m/?id=1", NULL, NULL), 303);
	assert_said("\r\nX-Frame-Options: DENY\r\n");
}

static int page_status(struct page *page)
{
	struct web_outgoing out = {take, &said};
	int status = 0;

	buf_free(&said);
	buf_init(&said, (size_t)16 * 1024 * 1024);
	web_send(page, &out);
	buf_add(&said, "", 1);
	assert_int_equal(sscanf(said.bytes, "Status: %d ", &status), 1);
	return status;
}

/* Where it leads, or a cookie, does not fit: that is a fault, and no empty page with 200. */
static void what_does_not_fit(void **state)
{
	struct web_request request = {.method = WEB_GET};
	struct page page = {.web = &web,
	    .settings = &web.settings,
	    .request = &request,
	    .status = 200,
	    .file = -1,
	    .lang = "en",
	    .template = "login",
	    .values = json_object()};

	(void)state;
	buf_init(&page.place, 10);
	buf_init(&page.cookies, 10);
	buf_init(&page.file_name, 10);
	buf_add_text(&page.place, "/gate/m/?and-more");
	assert_int_equal(page_status(&page), 500);
	page.status = 200;
	buf_clear(&page.place);
	buf_add_text(&page.place, "/gate/");
	buf_add_text(&page.cookies, "Set-Cookie: much=more\r\n");
	assert_int_equal(page_status(&page), 500);
	assert_unsaid("Location:");
	page.status = 200;
	buf_clear(&page.place);
	page.visit_new = true;
	memcpy(page.visit, VISIT, sizeof VISIT);
	assert_int_equal(page_status(&page), 500);
	buf_free(&page.place);
	buf_free(&page.cookies);
	json_decref(page.values);
}

/* ---- waiting ------------------------------------------------------------------------------- */

static size_t left[2]; /* how often a worker asked, by enum web_wait */

static bool nobody_leaves(void *context, enum web_wait what)
{
	(void)context;
	left[what]++;
	return false;
}

/* W6: the answer to a password alone is late; all else of a login holds a worker for no longer than any page. */
static void a_password_alone_is_waited_for(void **state)
{
	char token[64], form[300];

	(void)state;
	web_form_token(VISIT, token);
	web.leave = nobody_leaves;
	(void)snprintf(form, sizeof form, "address=alice%%40example.co.jp&form=%s", token);
	(void)ask("POST", "/gate/login/link", form, COOKIE("sekisho-visit=" VISIT));
	assert_true(asked("login.log", "link address=") > 0);
	assert_int_equal(left[WEB_WAIT_PASSWORD], 0);
	(void)snprintf(
	    form, sizeof form, "address=alice%%40example.co.jp&password=x&form=%s", token);
	assert_int_equal(ask("POST", "/gate/login", form, COOKIE("sekisho-visit=" VISIT)), 503);
	assert_int_equal(left[WEB_WAIT_PASSWORD], 1);
	assert_int_equal(left[WEB_WAIT_VIEW], 0);
	assert_int_equal(asked("login.log", "password login="), 0);
	web.leave = NULL;
}

/* A long checklist: each point is told once, however often it is ticked. */
static void what_is_ticked_is_told_once(void **state)
{
	char form[200 * 24 + 200], token[64];
	size_t len;

	(void)state;
	web_form_token(SESSION, token);
	len = (size_t)snprintf(form, sizeof form, "id=1&word=discard&form=%s", token);
	for (int i = 0; i < 200; i++)
		len += (size_t)snprintf(form + len, sizeof form - len, "&checked=point-%d", i % 2);
	(void)ask("POST", "/gate/m/act", form, COOKIE("sekisho=" SESSION));
	assert_true(asked("gate.log", " checked=point-0,point-1") > 0);
	assert_int_equal(asked("gate.log", "point-1,point-0"), 0);
}

static void a_person_is_who_seki_login_says(void **state)
{
	(void)state;
	(void)ask("GET", "/gate/?state=held", NULL, COOKIE("sekisho=" SESSION));
	assert_int_equal(asked("login.log", "session token=" SESSION " source=192.0.2.7"), 1);
	assert_true(asked("gate.log", "session=s1.YWxp.1.x list") > 0);
	assert_unsaid(SESSION);
	assert_unsaid("s1.YWxp");
	assert_unsaid("Set-Cookie");
}

static void a_link_is_shown_to_seki_hold_alone(void **state)
{
	(void)state;
	assert_int_equal(ask("GET", "/gate/m/?" LINK, NULL, COOKIE("sekisho=" SESSION)), 404);
	assert_true(asked("gate.log", "cap=" LINK " show") > 0);
	assert_int_equal(asked("gate.log", "cap=" LINK " act"), 0);
	/* Another shape is none: nobody is asked. */
	assert_int_equal(ask("GET", "/gate/m/?cap%20show", NULL, NULL), 404);
	assert_int_equal(ask("GET", "/gate/m/?t=x%0aact", NULL, NULL), 404);
	assert_int_equal(asked("gate.log", "cap=cap"), 0);
}

/* ---- acts ---------------------------------------------------------------------------------- */

/* A POST of the language form: `token` for the form, as who has these cookies, with these parameters. */
static int language(const char *token, const char *cookies, const char *site, const char *origin)
{
	char form[200], cookie[300], from[100], came[100];
	const char *const more[] = {cookie, from, came, NULL};

	(void)snprintf(form, sizeof form, "lang=en&back=%%2Fgate%%2Flogin&form=%s", token);
	(void)snprintf(cookie, sizeof cookie, "HTTP_COOKIE=%s", cookies);
	(void)snprintf(from, sizeof from, "HTTP_SEC_FETCH_SITE=%s", site);
	(void)snprintf(came, sizeof came, "HTTP_ORIGIN=%s", origin);
	return ask("POST", "/gate/language", form, more);
}

static void forms_of_ours(void **state)
{
	char visit[64], session[64], other[64];

	(void)state;
	web_form_token(VISIT, visit);
	web_form_token(SESSION, session);
	web_form_token("somebody else's cookie", other);
	assert_int_equal(strlen(visit), 32);
	assert_int_equal(language(visit, "sekisho-visit=" VISIT, "", ""), 303);
	assert_int_equal(language(visit, "sekisho-visit=" VISIT, "same-origin", "null"), 303);
	assert_int_equal(
	    language(visit, "sekisho-visit=" VISIT, "none", "http://pages.example:8025"), 303);
	assert_int_equal(language(session, "sekisho=" SESSION, "same-origin", ""), 303);
	/* W4: from elsewhere, or without the token of this very browser. */
	assert_int_equal(language(visit, "sekisho-visit=" VISIT, "cross-site", ""), 403);
	assert_int_equal(language(visit, "sekisho-visit=" VISIT, "same-site", ""), 403);
	assert_int_equal(language(visit, "sekisho-visit=" VISIT, "", "https://evil.example"), 403);
	assert_int_equal(language(visit, "sekisho-visit=" VISIT, "", "http://pages.example"), 403);
	assert_int_equal(language(other, "sekisho-visit=" VISIT, "", ""), 403);
	assert_int_equal(language("", "sekisho-visit=" VISIT, "", ""), 403);
	assert_int_equal(language(visit, "x=y", "", ""), 403);
	assert_int_equal(language("", "x=y", "", ""), 403);
	visit[31] ^= 1;
	assert_int_equal(language(visit, "sekisho-visit=" VISIT, "", ""), 403);
}

/* Each credential has a form of its own: one's own link does not act as somebody else's session. */
static void tokens_are_not_mixed(void **state)
{
	char token[64], form[300];
	size_t before;

	(void)state;
	web_form_token(LINK, token);
	(void)snprintf(form, sizeof form, "t=" LINK "&form=%s", token);
	assert_int_equal(ask("POST", "/gate/logout", form, COOKIE("sekisho=" SESSION)), 403);
	assert_int_equal(asked("login.log", "logout"), 0);
	web_form_token(SESSION, token);
	before = asked("gate.log", " act ");
	(void)snprintf(form, sizeof form, "t=" LINK "&word=discard&form=%s", token);
	assert_int_equal(ask("POST", "/gate/m/act", form, COOKIE("sekisho=" SESSION)), 403);
	assert_int_equal(asked("gate.log", " act "), before);
	(void)snprintf(form, sizeof form, "id=1&word=discard&form=%s", token);
	assert_int_not_equal(ask("POST", "/gate/m/act", form, COOKIE("sekisho=" SESSION)), 403);
	assert_int_equal(asked("gate.log", "session=s1.YWxp.1.x act"), before + 1);
	web_form_token(VISIT, token);
	(void)snprintf(form, sizeof form, "id=1&word=discard&form=%s", token);
	assert_int_equal(
	    ask("POST", "/gate/m/act", form, COOKIE("sekisho=" SESSION "; sekisho-visit=" VISIT)),
	    403);
}

/* ---- words --------------------------------------------------------------------------------- */

static void the_language_is_chosen(void **state)
{
	(void)state;
	assert_int_equal(ask("GET", "/gate/login", NULL, NULL), 200);
	assert_said("<html lang=\"ja\"");
	assert_int_equal(ask("GET", "/gate/login", NULL,
			     (const char *const[]){"HTTP_ACCEPT_LANGUAGE=en-GB,ja;q=0.5", NULL}),
	    200);
	assert_said("<html lang=\"en\"");
	assert_said("\r\nContent-Language: en\r\n");
	assert_int_equal(ask("GET", "/gate/login", NULL,
			     (const char *const[]){
				 "HTTP_ACCEPT_LANGUAGE=en", "HTTP_COOKIE=sekisho-lang=ja", NULL}),
	    200);
	assert_said("<html lang=\"ja\"");
	/* etc/people says English. */
	assert_int_equal(ask("GET", "/gate/nix", NULL, COOKIE("sekisho=" SESSION)), 404);
	assert_int_equal(ask("GET", "/gate/m/?" LINK, NULL, COOKIE("sekisho=" SESSION)), 404);
	assert_said("<html lang=\"en\"");
	assert_int_equal(
	    ask("GET", "/gate/m/?" LINK, NULL, COOKIE("sekisho=" SESSION "; sekisho-lang=ja")),
	    404);
	assert_said("<html lang=\"ja\"");
	assert_int_equal(ask("GET", "/gate/login", NULL, COOKIE("sekisho-lang=fr")), 200);
	assert_said("<html lang=\"ja\"");
}

static void the_site_is_named(void **state)
{
	(void)state;
	assert_int_equal(ask("GET", "/gate/login", NULL, NULL), 200);
	assert_said("&lt;Our&gt; pages</title>");
	assert_unsaid("<Our>");
}

static void a_visit_is_remembered(void **state)
{
	char other[200];

	(void)state;
	assert_int_equal(ask("GET", "/gate/login", NULL, NULL), 200);
	assert_said("\r\nSet-Cookie: sekisho-visit=");
	(void)snprintf(other, sizeof other, "%.60s", strstr(said.bytes, "sekisho-visit="));
	assert_int_equal(ask("GET", "/gate/login", NULL, NULL), 200);
	assert_unsaid(other);
	assert_int_equal(ask("GET", "/gate/login", NULL, COOKIE("sekisho-visit=" VISIT)), 200);
	assert_unsaid("Set-Cookie");
}

static void every_reason_has_words(void **state)
{
	static const char *const codes[] = {"nobody", "rights", "cross-message", "pin", "login",
	    "wrong", "capped", "later", "number", "changed", "not-allowed", "hand", "many",
	    "no-organisation", "audit", "decided", "unchecked", "shown", "busy"};

	(void)state;
	say_speak("en");
	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(reasons_say(codes[i]), "");
		assert_string_not_equal(reasons_say(codes[i]), reasons_say("a code of tomorrow"));
	}
}

/* ---- services that are not there ----------------------------------------------------------- */

/* W6: a page says so; what needs nobody goes on. */
static void without_services(void **state)
{
	(void)state;
	assert_int_equal(rename("run/login/socket", "run/login/away"), 0);
	assert_int_equal(ask("GET", "/gate/", NULL, COOKIE("sekisho=" SESSION)), 503);
	assert_said("\r\nContent-Security-Policy: ");
	assert_said("<main");
	assert_int_equal(ask("GET", "/gate/login", NULL, COOKIE("sekisho=" SESSION)), 200);
	/* A link needs no login. */
	assert_int_equal(ask("GET", "/gate/m/?" LINK, NULL, COOKIE("sekisho=" SESSION)), 404);
	assert_int_equal(rename("run/gate/socket", "run/gate/away"), 0);
	assert_int_equal(ask("GET", "/gate/m/?" LINK, NULL, NULL), 503);
	assert_said("<main");
	assert_int_equal(rename("run/gate/away", "run/gate/socket"), 0);
	assert_int_equal(rename("run/login/away", "run/login/socket"), 0);
}

/* A page that an administrator has taken away: a bare answer, with all its rules. */
static void without_a_page(void **state)
{
	struct kit_page other = {"x", "x"};
	struct web_templates *all = web.templates;
	char fault[512];

	(void)state;
	web.templates = kit_pages(&other, 1, fault, sizeof fault);
	assert_non_null(web.templates);
	assert_int_equal(ask("GET", "/gate/login", NULL, NULL), 500);
	assert_said("\r\nContent-Type: text/plain; charset=utf-8\r\n");
	assert_said("\r\nContent-Security-Policy: ");
	assert_int_equal(ask("GET", "/nix", NULL, NULL), 404);
	assert_said("\r\n\r\nNot Found\n");
	web_templates_free(web.templates);
	web.templates = all;
}

/* What is wrong with new settings or pages leaves the old ones. */
static void a_fault_changes_nothing(void **state)
{
	const struct web_templates *before = web.templates;
	char fault[512] = "";

	(void)state;
	assert_int_equal(rename("etc/web", "etc/away"), 0);
	assert_false(web_read(&web, fault, sizeof fault));
	assert_non_null(strstr(fault, "etc/web/pages"));
	assert_ptr_equal(web.templates, before);
	assert_int_equal(rename("etc/away", "etc/web"), 0);
	assert_int_equal(ask("GET", "/gate/login", NULL, NULL), 200);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_answer_has_its_rules),
	    cmocka_unit_test(https_says_more),
	    cmocka_unit_test(a_head_has_no_body),
	    cmocka_unit_test(what_is_possible),
	    cmocka_unit_test(strangers_are_led_to_the_login),
	    cmocka_unit_test(who_cannot_be_told_is_no_stranger),
	    cmocka_unit_test(a_long_way_back),
	    cmocka_unit_test(what_is_framed_says_why),
	    cmocka_unit_test(what_does_not_fit),
	    cmocka_unit_test(a_password_alone_is_waited_for),
	    cmocka_unit_test(a_person_is_who_seki_login_says),
	    cmocka_unit_test(a_link_is_shown_to_seki_hold_alone),
	    cmocka_unit_test(forms_of_ours),
	    cmocka_unit_test(tokens_are_not_mixed),
	    cmocka_unit_test(what_is_ticked_is_told_once),
	    cmocka_unit_test(the_language_is_chosen),
	    cmocka_unit_test(the_site_is_named),
	    cmocka_unit_test(a_visit_is_remembered),
	    cmocka_unit_test(every_reason_has_words),
	    cmocka_unit_test(without_services),
	    cmocka_unit_test(without_a_page),
	    cmocka_unit_test(a_fault_changes_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
