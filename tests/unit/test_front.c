/* What nginx is told, and what of its words is logged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/front/front.h"

static struct settings settings;
static struct buf text;
static char fault[512];

static bool config(const char *listen, const char *url, bool tls, bool root, bool v6)
{
	struct front_machine machine = {root, v6, 1000};
	bool good;

	settings_default(&settings);
	(void)snprintf(settings.web_listen, sizeof settings.web_listen, "%s", listen);
	(void)snprintf(settings.web_url, sizeof settings.web_url, "%s", url);
	settings.web_tls = tls;
	buf_free(&text);
	good = front_config(&settings, &machine, &text, fault, sizeof fault);
	buf_add(&text, "", 1);
	return good;
}

static bool says(const char *words)
{
	return strstr(text.bytes, words) != NULL;
}

static void where_it_listens(void **state)
{
	static const char *const good[] = {
	    "127.0.0.1:8025", "[::1]:443", "0.0.0.0:65535", "[2001:db8::1]:1"};
	static const char *const bad[] = {"8025", ":8025", "*", "*:", "*:0", "*:65536", "*:80x",
	    "localhost:80", "127.0.0.1", "127.0.0.1:80;user root", "[::1]", "[::1:80", "::1:80",
	    "[]:80", "[127.0.0.1]:80", "127.0.0.1.1:80", "*:-1", "**:80", "unix:run/x:80",
	    "1.2.3.4:80 ssl", "*:080000"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		char want[100];

		(void)snprintf(want, sizeof want, "    listen %s default_server;\n", good[i]);
		assert_true(config(good[i], "-", false, false, true));
		assert_true(says(want));
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (config(bad[i], "-", false, false, true))
			fail_msg("listens at %s", bad[i]);
		assert_non_null(strstr(fault, "web-listen"));
	}
	assert_true(config("*:443", "-", true, false, true));
	assert_true(says("    listen *:443 ssl default_server;\n    listen [::]:443 ssl "
			 "default_server ipv6only=on;\n"));
	assert_true(config("*:443", "-", true, false, false));
	assert_false(says("[::]"));
	assert_false(front_wanted(&(struct settings){.web_listen = "-"}));
	assert_true(front_wanted(&settings));
}

static void who_it_is(void **state)
{
	(void)state;
	assert_true(config("*:80", "-", false, true, false));
	assert_true(says("\nuser sekip sekip;\n"));
	assert_true(config("*:80", "-", false, false, false));
	assert_false(says("\nuser "));
	/* No more descriptors than the machine gives. */
	assert_true(says("\nworker_rlimit_nofile 1000;\n"));
}

static void secrets_stay_out_of_logs(void **state)
{
	(void)state;
	assert_true(config("*:80", "-", false, true, false));
	assert_true(says("access_log off;"));
	assert_true(says("\nerror_log stderr alert;\n"));
	assert_false(says("$host"));
	assert_false(says("http_host"));
	assert_false(says("server_name"));
}

static void tls(void **state)
{
	(void)state;
	assert_true(config("*:80", "http://x", false, true, false));
	assert_false(says("ssl"));
	assert_false(says("Strict-Transport-Security"));
	assert_true(
	    config("*:80", "https://x", false, true, false)); /* behind a proxy that has it */
	assert_true(says("Strict-Transport-Security"));
	assert_true(config("*:443", "https://x", true, true, false));
	assert_true(says("ssl_protocols TLSv1.2 TLSv1.3;"));
	assert_true(says("ssl_certificate_key ../../etc/tls/default.key;"));
	assert_true(says("ssl_session_tickets off;"));
}

static void lines(void **state)
{
	static const struct {
		const char *line, *logged;
	} cases[] = {{"2026/11/22 09:35:01 [emerg] 12#12: bind() to 127.0.0.1:80 failed (13: "
		      "Permission denied)",
			 "[emerg] 12#12: bind() to 127.0.0.1:80 failed (13: Permission denied)"},
	    {"2026/11/22 09:35:01 [crit] 1#1: *5 connect() to unix:run/web/socket failed (2: No "
	     "such file or "
	     "directory) while connecting to upstream, client: 192.0.2.1, server: , request: \"GET "
	     "/gate/m/?SECRET HTTP/1.1\", upstream: \"fastcgi://unix:run/web/socket:\", host: "
	     "\"x\"",
		"[crit] 1#1: *5 connect() to unix:run/web/socket failed (2: No such file or "
		"directory) while "
		"connecting to upstream"},
	    {"nginx: [emerg] unknown directive", "[emerg] unknown directive"}, {"words", "words"},
	    {"", ""}};
	char out[FRONT_LINE], longest[2 * FRONT_LINE];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		front_line(cases[i].line, strlen(cases[i].line), out);
		assert_string_equal(out, cases[i].logged);
	}
	memset(longest, 'x', sizeof longest);
	front_line(longest, sizeof longest, out);
	assert_int_equal(strlen(out), FRONT_LINE - 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(where_it_listens),
	    cmocka_unit_test(who_it_is),
	    cmocka_unit_test(secrets_stay_out_of_logs),
	    cmocka_unit_test(tls),
	    cmocka_unit_test(lines),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	buf_free(&text);
	return failed;
}
