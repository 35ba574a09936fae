/* What is a request, and what is none (W6). */
#include "tests/unit/web_kit.h"

#include "lib/web/request.h"

struct body {
	const char *bytes;
	size_t len, at, step; /* 0: all at once */
};

static size_t read_body(void *context, char *bytes, size_t room)
{
	struct body *b = context;
	size_t n = b->len - b->at;

	n = n < room ? n : room;
	n = b->step > 0 && b->step < n ? b->step : n;
	memcpy(bytes, b->bytes + b->at, n);
	b->at += n;
	return n;
}

/* NULL-ended words "NAME=VALUE"; a body, or NULL. */
static int read_it(struct web_request *r, const char *const *params, const char *form, size_t step)
{
	struct body body = {form != NULL ? form : "", form != NULL ? strlen(form) : 0, 0, step};
	char length[40], *all[16];
	size_t n = 0;
	struct web_incoming in = {
	    .params = all, .read = read_body, .context = &body, .most = 65536};
	int status;

	for (; params[n] != NULL; n++)
		all[n] = strdup(params[n]);
	if (form != NULL) {
		(void)snprintf(length, sizeof length, "CONTENT_LENGTH=%zu", strlen(form));
		all[n++] = strdup(length);
		all[n++] = strdup("CONTENT_TYPE=application/x-www-form-urlencoded");
	}
	all[n] = NULL;
	status = web_request_read(&in, r);
	/* Only decoded things are pointed to behind the parameters' life, but for the header's. */
	r->source = r->language = r->agent_site = r->origin = "";
	for (size_t i = 0; i < n; i++)
		free(all[i]);
	return status;
}

static int get(struct web_request *r, const char *target)
{
	char uri[16384];

	(void)snprintf(uri, sizeof uri, "REQUEST_URI=%s", target);
	return read_it(r, (const char *const[]){"REQUEST_METHOD=GET", uri, NULL}, NULL, 0);
}

static void a_get(void **state)
{
	struct web_request r;

	(void)state;
	assert_int_equal(get(&r, "/gate/?state=held&q=a+b%20c%E3%81%82&page=2&&empty=&bare"), 0);
	assert_int_equal(r.method, WEB_GET);
	assert_string_equal(r.path, "/gate/");
	assert_string_equal(r.bare, "");
	assert_string_equal(web_word(&r.query, "state"), "held");
	assert_string_equal(web_word(&r.query, "q"), "a b c\xe3\x81\x82");
	assert_string_equal(web_word(&r.query, "empty"), "");
	assert_string_equal(web_word(&r.query, "bare"), "");
	assert_null(web_word(&r.query, "nix"));
	assert_int_equal(r.query.n, 5);
	web_request_free(&r);
}

static void a_link(void **state)
{
	struct web_request r;

	(void)state;
	assert_int_equal(get(&r, "/gate/m/?AQ_-9x&utm=1"), 0);
	assert_string_equal(r.bare, "AQ_-9x");
	assert_string_equal(web_word(&r.query, "utm"), "1");
	web_request_free(&r);
	assert_int_equal(get(&r, "/gate/m/?t=AQ&x"), 0);
	assert_string_equal(r.bare, "");
	web_request_free(&r);
	assert_int_equal(get(&r, "/gate/m/?"), 0);
	assert_string_equal(r.bare, "");
	web_request_free(&r);
}

static void paths_that_are_none(void **state)
{
	static const char *const bad[] = {"", "x", "gate/", "http://x/gate/", "*", "/../x",
	    "/gate/../x", "/gate/..", "/gate/.", "/./gate", "//gate", "/gate//m", "/%2e%2e/x",
	    "/gate/%2e%2e%2fetc", "/gate/%2E%2E/x", "/a%2fb", "/a%5Cb", "/a\\b", "/a%00b", "/a%0ab",
	    "/a%7f", "/a%", "/a%4", "/a%zz", "/a%ff", "/a%c0%af", "/a%ed%a0%80", "/a b", "/a\tb",
	    "/a#b", "/a?x%00=1", "/a?x=%00", "/a?x=%zz", "/a?x=%c3%28", "/a?x= y", "/a?%ff=1",
	    "/a?x=1#y"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct web_request r;
		int status = get(&r, bad[i]);

		if (status != 400)
			fail_msg("%s: %d", bad[i], status);
		web_request_free(&r);
	}
}

static void decoded_once(void **state)
{
	struct web_request r;

	(void)state;
	assert_int_equal(get(&r, "/a%252e?x=%2541"), 0);
	assert_string_equal(r.path, "/a%2e");
	assert_string_equal(web_word(&r.query, "x"), "%41");
	web_request_free(&r);
	assert_int_equal(get(&r, "/..a/b..?x=../y"), 0);
	web_request_free(&r);
}

static void too_long(void **state)
{
	char target[WEB_TARGET_MAX + 2], many[WEB_WORDS_MAX * 4 + 16] = "/?";
	struct web_request r;

	(void)state;
	memset(target, 'a', sizeof target);
	target[0] = '/';
	target[WEB_TARGET_MAX] = '\0';
	assert_int_equal(get(&r, target), 0);
	web_request_free(&r);
	target[WEB_TARGET_MAX] = 'a';
	target[WEB_TARGET_MAX + 1] = '\0';
	assert_int_equal(get(&r, target), 414);
	web_request_free(&r);
	for (size_t i = 0; i < WEB_WORDS_MAX; i++)
		strcat(many, "a=&");
	assert_int_equal(get(&r, many), 0);
	web_request_free(&r);
	strcat(many, "a=");
	assert_int_equal(get(&r, many), 400);
	web_request_free(&r);
}

static void methods(void **state)
{
	static const char *const others[] = {
	    "OPTIONS", "PUT", "DELETE", "TRACE", "get", "", "GETS", "PROPFIND"};
	char method[40];
	struct web_request r;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		(void)snprintf(method, sizeof method, "REQUEST_METHOD=%s", others[i]);
		assert_int_equal(
		    read_it(&r, (const char *const[]){method, "REQUEST_URI=/", NULL}, NULL, 0),
		    405);
		web_request_free(&r);
	}
	assert_int_equal(
	    read_it(
		&r, (const char *const[]){"REQUEST_METHOD=HEAD", "REQUEST_URI=/", NULL}, NULL, 0),
	    0);
	assert_int_equal(r.method, WEB_HEAD);
	web_request_free(&r);
}

static int post(struct web_request *r, const char *form, size_t step)
{
	return read_it(
	    r, (const char *const[]){"REQUEST_METHOD=POST", "REQUEST_URI=/x", NULL}, form, step);
}

static void forms(void **state)
{
	struct web_request r;

	(void)state;
	for (size_t step = 0; step < 3; step++) {
		assert_int_equal(
		    post(&r, "word=discard&reason=a%0D%0Ab+c%26%3D&t=T&flag", step), 0);
		assert_string_equal(web_word(&r.form, "reason"), "a\nb c&=");
		assert_string_equal(web_word(&r.form, "word"), "discard");
		assert_string_equal(web_word(&r.form, "flag"), "");
		assert_int_equal(r.query.n, 0);
		web_request_free(&r);
	}
}

static void forms_that_are_none(void **state)
{
	static const char *const bad[] = {"a=%00", "a=%ff", "a=\xff", "a=%", "%zz=1"};
	struct web_request r;
	char *long_one = malloc(70000);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(post(&r, bad[i], 0), 400);
		web_request_free(&r);
	}
	assert_non_null(long_one);
	memset(long_one, 'a', 69999);
	long_one[69999] = '\0';
	assert_int_equal(post(&r, long_one, 0), 413);
	web_request_free(&r);
	long_one[65536] = '\0';
	assert_int_equal(post(&r, long_one, 0), 0);
	web_request_free(&r);
	free(long_one);
}

/* A length that is not the body's; a body where none may be. */
static void lengths(void **state)
{
	static const char *const bad[] = {
	    "-1", "x", "5x", "4", "6", "0x5", "99999999999999999999", " 5"};
	char length[60];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct body body = {"a=b&c", 5, 0, 0};
		char *all[] = {(char *)"REQUEST_METHOD=POST", (char *)"REQUEST_URI=/", length,
		    (char *)"CONTENT_TYPE=application/x-www-form-urlencoded; charset=UTF-8", NULL};
		struct web_incoming in = {all, read_body, &body, 65536};
		struct web_request r;

		(void)snprintf(length, sizeof length, "CONTENT_LENGTH=%s", bad[i]);
		assert_int_equal(web_request_read(&in, &r), 400);
		web_request_free(&r);
	}
	for (size_t i = 0; i < 2; i++) {
		struct body body = {"a=b&c", 5, 0, 0};
		char *all[] = {(char *)(i == 0 ? "REQUEST_METHOD=GET" : "REQUEST_METHOD=POST"),
		    (char *)"REQUEST_URI=/", (char *)"CONTENT_LENGTH=5",
		    (char *)(i == 0 ? "CONTENT_TYPE=application/x-www-form-urlencoded"
				    : "CONTENT_TYPE=multipart/form-data"),
		    NULL};
		struct web_incoming in = {all, read_body, &body, 65536};
		struct web_request r;

		assert_int_equal(web_request_read(&in, &r), 400);
		web_request_free(&r);
	}
}

static void cookies(void **state)
{
	struct web_request r;

	(void)state;
	assert_int_equal(
	    read_it(&r,
		(const char *const[]){"REQUEST_METHOD=GET", "REQUEST_URI=/",
		    "HTTP_COOKIE=a=1; __Host-sekisho=T_-9; odd; =x;b=\xff; c=x=y; a=2", NULL},
		NULL, 0),
	    0);
	assert_string_equal(web_word(&r.cookies, "a"), "1");
	assert_string_equal(web_word(&r.cookies, "__Host-sekisho"), "T_-9");
	assert_string_equal(web_word(&r.cookies, "c"), "x=y");
	assert_null(web_word(&r.cookies, "b"));
	web_request_free(&r);
}

static void languages(void **state)
{
	static const struct {
		const char *accept, *lang;
	} cases[] = {{"", "ja"}, {"en", "en"}, {"ja", "ja"}, {"en-US,en;q=0.9,ja;q=0.8", "en"},
	    {"ja,en-US;q=0.9", "ja"}, {"fr, en;q=0.5, ja;q=0.6", "ja"}, {"de", "ja"},
	    {"EN-gb", "en"}, {"en;q=0", "ja"}, {"eng", "ja"}, {"*", "ja"},
	    {"en;q=0.001,ja;q=0", "en"}, {",,,en", "en"}, {"en;q=x,ja;q=0.1", "ja"},
	    {"  en ; q=1 ", "en"}, {"en,ja", "en"}, {"ja;q=0.8,en;q=0.80", "ja"}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (strcmp(web_language(cases[i].accept, "ja"), cases[i].lang) != 0)
			fail_msg("%s: not %s", cases[i].accept, cases[i].lang);
	}
	assert_string_equal(web_language("fr", "en"), "en");
}

static void encoding(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	web_encode(&out, "a-._~Z9 &=/?#\xe3\x81\x82%+");
	buf_add(&out, "", 1);
	assert_string_equal(out.bytes, "a-._~Z9%20%26%3D%2F%3F%23%E3%81%82%25%2B");
	buf_free(&out);
}

/* A checklist of 200 points, all ticked. */
static void a_long_form(void **state)
{
	char form[200 * 16 + 1] = "", name[16];
	struct web_request r;
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 200; i++)
		len += (size_t)snprintf(
		    form + len, sizeof form - len, "%schecked=%d", i > 0 ? "&" : "", i);
	assert_int_equal(
	    read_it(&r,
		(const char *const[]){"REQUEST_METHOD=POST", "REQUEST_URI=/gate/m/act", NULL}, form,
		0),
	    0);
	assert_int_equal(r.form.n, 200);
	(void)snprintf(name, sizeof name, "%d", 199);
	assert_string_equal(r.form.word[199].value, name);
	web_request_free(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_long_form),
	    cmocka_unit_test(a_get),
	    cmocka_unit_test(a_link),
	    cmocka_unit_test(paths_that_are_none),
	    cmocka_unit_test(decoded_once),
	    cmocka_unit_test(too_long),
	    cmocka_unit_test(methods),
	    cmocka_unit_test(forms),
	    cmocka_unit_test(forms_that_are_none),
	    cmocka_unit_test(lengths),
	    cmocka_unit_test(cookies),
	    cmocka_unit_test(languages),
	    cmocka_unit_test(encoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
