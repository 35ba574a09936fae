/* What seki-notice takes for a request, and of which leg it makes no notification. */
#include "tests/unit/queue_kit.h"

#include "lib/notice/report.h"
#include "lib/notice/request.h"

#define TRIED "tried=2026-11-22T09:40:00.000000Z"

static enum notice_read read_request(const char *text, size_t len, struct notice_request *request)
{
	static char bytes[4096]; /* must outlive the request */

	assert_true(len < sizeof bytes);
	memcpy(bytes, text, len);
	bytes[len] = '\0';
	return notice_request_read(bytes, len, request);
}

static void a_request(void **state)
{
	static const char text[] =
	    "dsn\n"
	    "rcpt 2 failed status=5.1.1 " TRIED
	    " host=mx.partner.example reply=550+20no+20such+20user\n"
	    "rcpt 1 delayed status=4.4.1 until=2026-11-27T09:40:00Z " TRIED "\n";
	struct notice_request request;

	(void)state;
	assert_int_equal(read_request(text, sizeof text - 1, &request), NOTICE_READ_FINE);
	assert_int_equal(request.rcpts, 2);
	assert_int_equal(request.highest, 2);
	assert_int_equal(request.rcpt[0].rcpt, 1);
	assert_int_equal(request.rcpt[0].action, DSN_FAILED);
	assert_string_equal(request.rcpt[0].status, "5.1.1");
	assert_string_equal(request.rcpt[0].host, "mx.partner.example");
	assert_string_equal(request.rcpt[0].reply, "550 no such user");
	assert_int_equal(request.rcpt[0].tried, kit_time(KIT_NOW));
	assert_int_equal(request.rcpt[0].until, 0);
	assert_int_equal(request.rcpt[1].rcpt, 0);
	assert_int_equal(request.rcpt[1].action, DSN_DELAYED);
	assert_null(request.rcpt[1].host);
	assert_null(request.rcpt[1].reply);
	assert_int_equal(request.rcpt[1].until, kit_time("2026-11-27T09:40:00.000000Z"));
	notice_request_free(&request);
}

static void malformed_requests(void **state)
{
#define GOOD "rcpt 1 failed status=5.0.0 " TRIED
	static const char *const bad[] = {"", "\n", "\n\n", "dsn", "dsn\n", "DSN\n" GOOD "\n",
	    "dsn \n" GOOD "\n", "dsn\n" GOOD, "dsn\n" GOOD "\n\n", "dsn\n" GOOD " \n",
	    "dsn\n" GOOD "\n" GOOD "\n", /* doubled */
	    "dsn\nrcpt 0 failed status=5.0.0 " TRIED "\n",
	    "dsn\nrcpt 01 failed status=5.0.0 " TRIED "\n",
	    "dsn\nrcpt -1 failed status=5.0.0 " TRIED "\n",
	    "dsn\nrcpt 10001 failed status=5.0.0 " TRIED "\n",
	    "dsn\nrcpt 18446744073709551617 failed status=5.0.0 " TRIED "\n",
	    "dsn\nrcpt  failed status=5.0.0 " TRIED "\n", "dsn\nrcpt 1\n",
	    "dsn\nrcpt 1 expanded status=5.0.0 " TRIED "\n",
	    "dsn\nrcpt 1 Failed status=5.0.0 " TRIED "\n", "dsn\nrcpt 1 failed status=5.0.0\n",
	    "dsn\nrcpt 1 failed " TRIED "\n", "dsn\nrcpt 1 failed status=5.0 " TRIED "\n",
	    "dsn\nrcpt 1 failed status=5.0.0.0 " TRIED "\n",
	    "dsn\nrcpt 1 failed status=5.0.1234 " TRIED "\n",
	    "dsn\nrcpt 1 failed status=3.0.0 " TRIED "\n",
	    "dsn\nrcpt 1 failed status=5.0.0 status=5.0.0 " TRIED "\n", "dsn\n" GOOD " " TRIED "\n",
	    "dsn\nrcpt 1 failed status=5.0.0 tried=yesterday\n", "dsn\n" GOOD " until=\n",
	    "dsn\n" GOOD " host=\n", "dsn\n" GOOD " reply=a=b\n", "dsn\n" GOOD " reply=a+2\n",
	    "dsn\n" GOOD " reply=a+00b\n", "dsn\n" GOOD " reply=a reply=b\n",
	    "dsn\n" GOOD " host=a host=b\n", "dsn\n" GOOD " why=not\n", "dsn\n" GOOD " reply\n",
	    "dsn\n" GOOD "\r\n"};
	struct notice_request request;

	(void)state;
	assert_int_equal(
	    read_request("dsn\n" GOOD "\n", strlen("dsn\n" GOOD "\n"), &request), NOTICE_READ_FINE);
	notice_request_free(&request);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (read_request(bad[i], strlen(bad[i]), &request) != NOTICE_READ_MALFORMED)
			fail_msg("taken for a request: \"%s\"", bad[i]);
	}
	assert_int_equal(
	    read_request("dsn\n" GOOD "\0\n", sizeof("dsn\n" GOOD "\0\n") - 1, &request),
	    NOTICE_READ_MALFORMED);
}

static bool written(const struct notice_rcpt *rcpt, size_t n, struct buf *out)
{
	buf_init(out, NOTICE_REQUEST_MAX);
	return notice_request_write(out, rcpt, n);
}

/* As many recipients as a leg can have, each with the longest of replies. */
static void the_greatest_request(void **state)
{
	struct notice_rcpt *rcpt = calloc(NOTICE_RCPTS_MAX, sizeof *rcpt);
	char reply[DSN_STATUS_REPLY_MAX + 500], host[400];
	struct notice_request request;
	struct buf out;

	(void)state;
	assert_non_null(rcpt);
	memset(reply, '=', sizeof reply - 1);
	reply[sizeof reply - 1] = '\0';
	memset(host, ' ', sizeof host - 1);
	host[sizeof host - 1] = '\0';
	for (size_t i = 0; i < NOTICE_RCPTS_MAX; i++)
		rcpt[i] = (struct notice_rcpt){.rcpt = i,
		    .action = DSN_DELAYED,
		    .status = "4.123.123",
		    .host = host,
		    .reply = reply,
		    .tried = kit_time(KIT_NOW),
		    .until = kit_time(KIT_NOW)};

	assert_true(written(rcpt, NOTICE_RCPTS_MAX, &out));
	assert_true(out.len <= NOTICE_REQUEST_MAX);
	assert_int_equal(notice_request_read(out.bytes, out.len, &request), NOTICE_READ_FINE);
	assert_int_equal(request.rcpts, NOTICE_RCPTS_MAX);
	assert_int_equal(request.highest, NOTICE_RCPTS_MAX);
	assert_int_equal(strlen(request.rcpt[9999].host), 100);
	assert_true(strlen(request.rcpt[9999].reply) > 100);
	assert_memory_equal(request.rcpt[9999].reply, reply, strlen(request.rcpt[9999].reply));
	notice_request_free(&request);
	buf_free(&out);

	/* Of a few, nothing is cut that a notification shows. */
	assert_true(written(rcpt, 3, &out));
	assert_int_equal(notice_request_read(out.bytes, out.len, &request), NOTICE_READ_FINE);
	assert_int_equal(strlen(request.rcpt[2].reply), DSN_STATUS_REPLY_MAX);
	notice_request_free(&request);
	buf_free(&out);

	assert_false(written(rcpt, 0, &out));
	assert_false(written(rcpt, NOTICE_RCPTS_MAX + 1, &out));
	rcpt[0].action = DSN_EXPANDED;
	assert_false(written(rcpt, 1, &out));
	buf_free(&out);
	free(rcpt);
}

/* Whatever a remote host said as its code, there is a request. */
static void odd_values_are_written(void **state)
{
	struct notice_rcpt rcpt = {.action = DSN_FAILED, .status = "5.1.1 host=x"};
	struct notice_request request;
	struct buf out;

	(void)state;
	rcpt.host = "";
	rcpt.reply = "550 a=b\r\n550 +\xff";
	assert_true(written(&rcpt, 1, &out));
	assert_int_equal(notice_request_read(out.bytes, out.len, &request), NOTICE_READ_FINE);
	assert_string_equal(request.rcpt[0].status, "5.0.0");
	assert_null(request.rcpt[0].host);
	assert_string_equal(request.rcpt[0].reply, rcpt.reply);
	assert_true(request.rcpt[0].tried > 0);
	notice_request_free(&request);
	buf_free(&out);
}

/* ---- of which leg there is none ------------------------------------------------------------- */

static void assert_answer(
    struct kit_bytes *leg, int flags, size_t rcpt, enum notice_result result, const char *reason)
{
	static struct notice_config config;
	struct notice_rcpt told = {
	    .rcpt = rcpt - 1, .action = DSN_FAILED, .status = "5.1.1", .tried = kit_time(KIT_NOW)};
	struct notice_request request = {.rcpt = &told, .rcpts = 1, .highest = rcpt};
	struct notice_answer answer;
	int fd = kit_memfd(leg->at, leg->len), reading;
	char path[64];

	settings_default(&config.settings);
	(void)snprintf(config.mta, sizeof config.mta, "gw.example.co.jp");
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	reading = open(path, flags | O_CLOEXEC);
	assert_true(reading >= 0);
	notice_report(&config, "nowhere/socket", reading, &request, kit_time(KIT_NOW), &answer);
	(void)close(reading);
	(void)close(fd);
	kit_free(leg);
	assert_string_equal(answer.reason, reason);
	assert_int_equal(answer.result, result);
}

static struct kit_bytes leg_from(const char *from, const char *client)
{
	char envelope[256];

	(void)snprintf(envelope, sizeof envelope, "from %s\nto bob@partner.example\nclient %s\n",
	    from, client);
	return kit_leg((struct kit_leg){.envelope = envelope});
}

/* S2: a null reverse-path is never told, and no notification is ever about a notification. */
static void S2_loops_are_impossible(void **state)
{
	struct kit_bytes b;

	(void)state;
	b = leg_from("<>", "192.0.2.1 helo=x");
	assert_answer(&b, O_RDONLY, 1, NOTICE_NONE, "null-sender");
	b = leg_from("<>", "- origin=gateway");
	assert_answer(&b, O_RDONLY, 1, NOTICE_NONE, "gateway-mail");
	b = leg_from("alice@example.co.jp", "- origin=gateway");
	assert_answer(&b, O_RDONLY, 1, NOTICE_NONE, "gateway-mail");
	b = leg_from("alice@example.co.jp", "192.0.2.1 helo=origin=gateway");
	assert_answer(&b, O_RDONLY, 1, NOTICE_LATER, "queue-unreachable");
}

static void legs_that_make_no_sense(void **state)
{
	struct kit_bytes b = leg_from("a@example.co.jp", "192.0.2.1");

	(void)state;
	assert_answer(&b, O_RDONLY, 2, NOTICE_WRONG, "no-such-recipient");
	b = leg_from("a@example.co.jp", "192.0.2.1");
	assert_answer(&b, O_RDWR, 1, NOTICE_WRONG, "no-leg");
	b = leg_from("a@example.co.jp", "192.0.2.1");
	assert_answer(&b, O_PATH, 1, NOTICE_WRONG, "no-leg");
	b = leg_from("a@example.co.jp", "192.0.2.1");
	b.at[60] ^= 1;
	assert_answer(&b, O_RDONLY, 1, NOTICE_WRONG, "leg-unreadable");
	b = kit_leg((struct kit_leg){.trailer = KIT_NOW " emptied from=332\n"});
	assert_answer(&b, O_RDONLY, 1, NOTICE_WRONG, "leg-emptied");
}

static void no_descriptor(void **state)
{
	static struct notice_config config;
	struct notice_rcpt told = {.status = "5.1.1", .tried = 1};
	struct notice_request request = {.rcpt = &told, .rcpts = 1, .highest = 1};
	struct notice_answer answer;
	int pair[2];

	(void)state;
	settings_default(&config.settings);
	notice_report(&config, "nowhere/socket", -1, &request, 1, &answer);
	assert_int_equal(answer.result, NOTICE_WRONG);
	assert_int_equal(pipe(pair), 0);
	notice_report(&config, "nowhere/socket", pair[0], &request, 1, &answer);
	assert_int_equal(answer.result, NOTICE_WRONG);
	assert_string_equal(answer.reason, "no-leg");
}

/* ---- the asker ------------------------------------------------------------------------------ */

static void nobody_answers(void **state)
{
	struct notice_rcpt rcpt = {.action = DSN_FAILED, .status = "5.1.1", .tried = 1};
	struct notice_answer answer;

	(void)state;
	notice_ask("nowhere/socket", 0, &rcpt, 1, 1000, &answer);
	assert_int_equal(answer.result, NOTICE_LATER);
	assert_string_equal(answer.reason, "seki-notice-unreachable");
	notice_ask("nowhere/socket", 0, &rcpt, 0, 1000, &answer);
	assert_int_equal(answer.result, NOTICE_LATER);
}

/* ---- the configuration ---------------------------------------------------------------------- */

static struct notice_config *configured(const char *settings, char text[512])
{
	char root[256];
	struct notice_config *config;
	int etc;

	kit_enter(root);
	kit_write("settings", settings, strlen(settings));
	etc = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(etc >= 0);
	text[0] = '\0';
	config = notice_config_read(etc, text, 512);
	(void)close(etc);
	kit_leave(root);
	return config;
}

static void addresses_of_the_daemon(void **state)
{
	static const char *const bad[] = {"postmaster", "@example.co.jp", "a@", "a@b@c", "<a@b>",
	    "a,b@example.co.jp", "\xe5@example.co.jp"};
	struct notice_config *config;
	char line[256], text[512];

	(void)state;
	config = configured("trial yes\nhostname gw.example.co.jp\n", text);
	assert_non_null(config);
	assert_null(config->from);
	assert_string_equal(config->mta, "gw.example.co.jp");
	free(config);

	config = configured("trial yes\nnotice-from daemon@example.co.jp\n", text);
	assert_non_null(config);
	assert_string_equal(config->from, "daemon@example.co.jp");
	assert_true(config->mta[0] != '\0' && config->mta[0] != '-'); /* the machine's own */
	free(config);

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		(void)snprintf(line, sizeof line, "trial yes\nnotice-from %s\n", bad[i]);
		config = configured(line, text);
		if (config != NULL)
			fail_msg("taken for an address: %s", bad[i]);
		assert_non_null(strstr(text, "notice-from"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_request),
	    cmocka_unit_test(malformed_requests),
	    cmocka_unit_test(the_greatest_request),
	    cmocka_unit_test(odd_values_are_written),
	    cmocka_unit_test(S2_loops_are_impossible),
	    cmocka_unit_test(legs_that_make_no_sense),
	    cmocka_unit_test(no_descriptor),
	    cmocka_unit_test(nobody_answers),
	    cmocka_unit_test(addresses_of_the_daemon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
