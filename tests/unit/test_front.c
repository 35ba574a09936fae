/* What nginx is told, and what of its words is logged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/front/front.h"
#include "lib/web/patience.h"

static struct settings settings;
static struct buf text;
static char fault[512];

static bool again(bool root, bool v6)
{
	struct front_machine machine = {root, v6, 1000};
	bool good;

	buf_free(&text);
	good = front_config(&settings, &machine, &text, fault, sizeof fault);
	buf_add(&text, "", 1);
	return good;
}

static bool config(const char *listen, const char *url, bool tls, bool root, bool v6)
{
	settings_default(&settings);
	settings.trial = true;
	(void)snprintf(settings.web_listen, sizeof settings.web_listen, "%s", listen);
	(void)snprintf(settings.web_url, sizeof settings.web_url, "%s", url);
	settings.web_tls = tls;
	return again(root, v6);
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

/* W7: without TLS nothing listens where passwords would be seen on their way. */
static void passwords_do_not_go_in_clear(void **state)
{
	static const struct {
		const char *listen, *url;
		bool tls, good;
	} cases[] = {{"*:80", "-", false, false}, {"*:80", "http://x", false, false},
	    {"192.0.2.1:80", "-", false, false}, {"[2001:db8::1]:80", "-", false, false},
	    {"0.0.0.0:80", "-", false, false}, {"[::]:80", "-", false, false},
	    {"*:443", "-", true, true}, {"127.0.0.1:80", "-", false, true},
	    {"127.1.2.3:80", "http://x", false, true}, {"[::1]:80", "-", false, true},
	    {"*:80", "https://x", false, true}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_true(config(cases[i].listen, cases[i].url, cases[i].tls, true, true));
		settings.trial = false;
		if (again(true, true) != cases[i].good)
			fail_msg("%s %s: %s", cases[i].listen, cases[i].url, fault);
		if (cases[i].good)
			continue;
		assert_non_null(strstr(fault, "web-listen"));
		assert_non_null(strstr(fault, "web-tls"));
		assert_non_null(strstr(fault, "web-url"));
	}
}

static void proxies(void **state)
{
	static const char *const bad[] = {"proxy.example", "192.0.2.1;", "192.0.2.0/33", "::/129",
	    "192.0.2.1/", "192.0.2.1/8x", "192.0.2.1 x", "unix:", "/8", "192.0.2.1,::1",
	    "192.0.2.1/-1"};

	(void)state;
	assert_true(config("127.0.0.1:80", "https://x", false, true, true));
	assert_false(says("real_ip"));
	(void)snprintf(settings.web_proxy, sizeof settings.web_proxy, "%s",
	    "192.0.2.1 10.0.0.0/8 2001:db8::/32");
	assert_true(again(true, true));
	assert_true(says("  set_real_ip_from 192.0.2.1;\n  set_real_ip_from 10.0.0.0/8;\n"
			 "  set_real_ip_from 2001:db8::/32;\n"
			 "  real_ip_header X-Forwarded-For;\n  real_ip_recursive on;\n"));
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		(void)snprintf(settings.web_proxy, sizeof settings.web_proxy, "%s", bad[i]);
		if (again(true, true))
			fail_msg("takes %s", bad[i]);
		assert_non_null(strstr(fault, "web-proxy"));
	}
}

/* nginx waits for seki-web at least as long as that may wait for others. */
static void patience(void **state)
{
	const int64_t second = 1000000;
	char want[100];

	(void)state;
	assert_true(config("127.0.0.1:80", "-", false, true, true));
	for (int64_t view = 1; view <= 600; view += 599) {
		settings.view_time = view * second;
		assert_true(
		    web_patience_request(&settings) >= 30 * second + 2 * (view + 5) * second);
		assert_true(web_patience_request(&settings) >=
			    30 * second + settings.auth_timeout + settings.auth_delay_longest);
		assert_true(again(true, true));
		(void)snprintf(want, sizeof want, "fastcgi_read_timeout %llds;",
		    (long long)(web_patience_request(&settings) / second) + 30);
		assert_true(says(want));
	}
	assert_true(says(" 1270s;"));
}

/* What nginx keeps of slow readers is bounded, and nobody has all of it. */
static void bounds(void **state)
{
	(void)state;
	assert_true(config("127.0.0.1:80", "-", false, true, true));
	assert_true(says("    limit_conn sources 200;\n    limit_conn readers 8;\n"
			 "    limit_conn files 32;\n    fastcgi_max_temp_file_size 157286400;\n"));
	assert_true(says("    fastcgi_max_temp_file_size 16m;\n"));
	assert_true(says("  client_header_timeout 5s;\n"));
	settings.web_source_connections = 1000;
	assert_true(again(true, true));
	assert_true(says("  limit_conn sources 1000;\n"));
}

/* A file that cannot be written says why. */
static void files(void **state)
{
	char folder[] = "/var/tmp/sekisho-front-XXXXXX", path[64], read_back[16] = "";
	struct buf bytes;
	struct stat st;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof path, "%s/file", folder);
	buf_init(&bytes, 8);
	buf_add_text(&bytes, "words");
	assert_true(front_write_file(path, &bytes));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, read_back, sizeof read_back), 5);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	assert_int_equal(st.st_mode & 0777, 0644);
	errno = 0;
	assert_false(front_write_file("/dev/full", &bytes));
	assert_int_equal(errno, ENOSPC);
	buf_add_text(&bytes, "too many");
	assert_false(front_write_file(path, &bytes));
	assert_int_equal(errno, ENOMEM);
	buf_clear(&bytes);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("elsewhere", path), 0);
	assert_false(front_write_file(path, &bytes));
	assert_int_equal(errno, ELOOP);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	buf_free(&bytes);
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
	    cmocka_unit_test(passwords_do_not_go_in_clear),
	    cmocka_unit_test(proxies),
	    cmocka_unit_test(patience),
	    cmocka_unit_test(bounds),
	    cmocka_unit_test(files),
	    cmocka_unit_test(lines),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	buf_free(&text);
	return failed;
}
