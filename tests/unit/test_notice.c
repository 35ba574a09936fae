/* What seki-notice takes for a request, and of which leg it makes no notification. */
#include "tests/unit/queue_kit.h"

#include "lib/dsn/letter.h"
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

/* ---- requests of other kinds ---------------------------------------------------------------- */

static void assert_other(const struct notice_request *asked, bool fine)
{
	struct notice_request request;
	struct buf out;

	buf_init(&out, NOTICE_REQUEST_MAX);
	assert_int_equal(notice_request_write_other(&out, asked), fine);
	if (fine) {
		assert_int_equal(
		    notice_request_read(out.bytes, out.len, &request), NOTICE_READ_FINE);
		assert_int_equal(request.verb, asked->verb);
		assert_int_equal(request.rcpts, 0);
		assert_int_equal(request.to == NULL, asked->to == NULL);
		if (asked->to != NULL)
			assert_string_equal(request.to, asked->to);
		if (asked->subject != NULL)
			assert_string_equal(request.subject, asked->subject);
		assert_int_equal(request.text_len, asked->text_len);
		if (asked->text_len > 0)
			assert_memory_equal(request.text, asked->text, asked->text_len);
		notice_request_free(&request);
	}
	buf_free(&out);
}

static void other_requests(void **state)
{
	static char text[LETTER_TEXT_MAX + 1];
	struct notice_request r = {.verb = NOTICE_REFUSAL};

	(void)state;
	assert_other(&r, true);
	r = (struct notice_request){.verb = NOTICE_FORWARD, .to = "\"a b\"@x.example\r\nBcc: x"};
	assert_other(&r, true);
	r.to = "";
	assert_other(&r, false);

	memset(text, '\n', sizeof text);
	r = (struct notice_request){.verb = NOTICE_LETTER,
	    .to = "a@x.example",
	    .subject = "\xe9\x80\xb1\xe5\xa0\xb1",
	    .text = text,
	    .text_len = LETTER_TEXT_MAX};
	assert_other(&r, true);
	r.text_len++;
	assert_other(&r, false);
	r.text_len = 0;
	assert_other(&r, false);
	r = (struct notice_request){
	    .verb = NOTICE_LETTER, .to = "a@x.example", .subject = "", .text = text, .text_len = 1};
	assert_other(&r, false);
	r = (struct notice_request){.verb = NOTICE_DSN};
	assert_other(&r, false);
}

static void other_requests_malformed(void **state)
{
	static const char *const bad[] = {"refused", "refused \n", "refused\n\n", "refused\nx\n",
	    "Refused\n", "forward\n", "forward \n", "forward a@x", "forward a@x\n\n",
	    "forward a b\n", "forward a=b\n", "forward +00\n", "forward  a\n", "letter\n",
	    "letter\nto a@x\n", "letter\nto a@x\nsubject s\n", "letter\nto a@x\nsubject s\ntext\n",
	    "letter\nto a@x\nsubject s\n\n", "letter\nto a@x\nsubject \n\ntext\n",
	    "letter\nto \nsubject s\n\ntext\n", "letter\nsubject s\nto a@x\n\ntext\n",
	    "letter\nto a@x\nto a@x\nsubject s\n\ntext\n", "letter \nto a@x\nsubject s\n\ntext\n"};
	static const char odd[] = "letter\nto a@x\nsubject s\n\n\0to b@x\n";
	struct notice_request request;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (read_request(bad[i], strlen(bad[i]), &request) != NOTICE_READ_MALFORMED)
			fail_msg("taken for a request: \"%s\"", bad[i]);
	}
	/* A text may hold anything, also lines that look like others. */
	assert_int_equal(read_request(odd, sizeof odd - 1, &request), NOTICE_READ_FINE);
	assert_string_equal(request.to, "a@x");
	assert_int_equal(request.text_len, 8);
	notice_request_free(&request);
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

/* The same of what is asked for about a refused leg. */
static void assert_refused_answer(const char *from, const char *client, const char *to,
    const char *trailer, enum notice_verb verb, enum notice_result result, const char *reason)
{
	static struct notice_config config;
	struct notice_request request = {
	    .verb = verb, .to = verb == NOTICE_FORWARD ? "audit@example.co.jp" : NULL};
	struct notice_answer answer;
	struct kit_bytes b;
	char envelope[512], path[64];
	int fd, reading;

	(void)snprintf(envelope, sizeof envelope, "from %s\n%sclient %s\n", from, to, client);
	b = kit_leg((struct kit_leg){.envelope = envelope, .trailer = trailer});
	settings_default(&config.settings);
	(void)snprintf(config.mta, sizeof config.mta, "gw.example.co.jp");
	fd = kit_memfd(b.at, b.len);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	reading = open(path, O_RDONLY | O_CLOEXEC);
	notice_report(&config, "nowhere/socket", reading, &request, kit_time(KIT_NOW), &answer);
	(void)close(reading);
	(void)close(fd);
	kit_free(&b);
	assert_string_equal(answer.reason, reason);
	assert_int_equal(answer.result, result);
}

#define BY_RULE KIT_NOW " refused rule=must/1:1 name=n why=w tell="

/* S1-32: whom the rule leaves in the dark hears nothing, whatever NOTIFY says; nor is there a loop. */
static void S1_32_who_is_told_of_a_refusal(void **state)
{
	static const char one[] = "to bob@partner.example notify=success,failure,delay\n";
	static const char never[] = "to bob@partner.example notify=never\n"
				    "to carol@partner.example notify=success\n";
	static const char some[] = "to bob@partner.example notify=never\n"
				   "to carol@partner.example\n";
	static const char pc[] = "192.0.2.1 helo=x", alice[] = "alice@example.co.jp";

	(void)state;
	assert_refused_answer(
	    alice, pc, one, BY_RULE "nobody\n", NOTICE_REFUSAL, NOTICE_NONE, "told-nobody");
	assert_refused_answer(
	    alice, pc, one, BY_RULE "sender\n", NOTICE_REFUSAL, NOTICE_LATER, "queue-unreachable");
	assert_refused_answer(
	    alice, pc, never, BY_RULE "sender\n", NOTICE_REFUSAL, NOTICE_NONE, "not-wanted");
	assert_refused_answer(
	    alice, pc, some, BY_RULE "sender\n", NOTICE_REFUSAL, NOTICE_LATER, "queue-unreachable");
	assert_refused_answer(
	    "<>", pc, one, BY_RULE "sender\n", NOTICE_REFUSAL, NOTICE_NONE, "null-sender");
	assert_refused_answer(alice, "- origin=gateway", one, BY_RULE "sender\n", NOTICE_REFUSAL,
	    NOTICE_NONE, "gateway-mail");
	assert_refused_answer(alice, "- origin=gateway", one, BY_RULE "sender\n", NOTICE_FORWARD,
	    NOTICE_NONE, "gateway-mail");
	/* An auditor hears of a null sender's mail, too, and of what is silent for others. */
	assert_refused_answer(
	    "<>", pc, never, BY_RULE "nobody\n", NOTICE_FORWARD, NOTICE_LATER, "queue-unreachable");
	assert_refused_answer(alice, pc, one, "", NOTICE_REFUSAL, NOTICE_WRONG, "not-refused");
	assert_refused_answer(alice, pc, one, "", NOTICE_FORWARD, NOTICE_WRONG, "not-refused");
	assert_refused_answer(
	    alice, pc, one, BY_RULE "everybody\n", NOTICE_REFUSAL, NOTICE_WRONG, "refused-oddly");
}

static void letters_go_to_addresses(void **state)
{
	static const char *const bad[] = {"x", "a@b\r\nBcc: c@d", "a@b,c@d", "<a@b>", "@b", "a@"};
	static struct notice_config config;
	struct notice_request request = {
	    .verb = NOTICE_LETTER, .subject = "s", .text = "t\n", .text_len = 2};
	struct notice_answer answer;

	(void)state;
	settings_default(&config.settings);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		request.to = bad[i];
		notice_report(&config, "nowhere/socket", -1, &request, 1, &answer);
		assert_int_equal(answer.result, NOTICE_WRONG);
		assert_string_equal(answer.reason, "address");
	}
	request.to = "a@b.example";
	notice_report(&config, "nowhere/socket", -1, &request, 1, &answer);
	assert_int_equal(answer.result, NOTICE_LATER);
	assert_string_equal(answer.reason, "queue-unreachable");
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
	notice_ask_refused("nowhere/socket", 0, 1000, &answer);
	assert_int_equal(answer.result, NOTICE_LATER);
	notice_ask_forward("nowhere/socket", 0, "", 1000, &answer);
	assert_int_equal(answer.result, NOTICE_WRONG);
	notice_ask_letter("nowhere/socket", "a@x", "s", "t\n", 2, 1000, &answer);
	assert_int_equal(answer.result, NOTICE_LATER);
}

/* ---- the configuration ---------------------------------------------------------------------- */

static struct notice_config *configured(const char *settings, char text[512])
{
	char root[256], *notices = realpath("etc/notices", NULL);
	struct notice_config *config;
	int etc, here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_non_null(notices);
	kit_enter(root);
	assert_int_equal(symlink(notices, "notices"), 0);
	free(notices);
	kit_write("settings", settings, strlen(settings));
	etc = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(etc >= 0);
	text[0] = '\0';
	config = notice_config_read(etc, text, 512);
	(void)close(etc);
	kit_leave(root);
	assert_int_equal(fchdir(here), 0);
	(void)close(here);
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
	notice_config_free(config);

	config = configured("trial yes\nnotice-from daemon@example.co.jp\n", text);
	assert_non_null(config);
	assert_string_equal(config->from, "daemon@example.co.jp");
	assert_true(config->mta[0] != '\0' && config->mta[0] != '-'); /* the machine's own */
	notice_config_free(config);

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
	    cmocka_unit_test(other_requests),
	    cmocka_unit_test(other_requests_malformed),
	    cmocka_unit_test(S1_32_who_is_told_of_a_refusal),
	    cmocka_unit_test(letters_go_to_addresses),
	    cmocka_unit_test(S2_loops_are_impossible),
	    cmocka_unit_test(legs_that_make_no_sense),
	    cmocka_unit_test(no_descriptor),
	    cmocka_unit_test(nobody_answers),
	    cmocka_unit_test(addresses_of_the_daemon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
