/* seki-db as a service, asked through its socket by those who will ask it. */
#include "db_kit.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "lib/base/clock.h"
#include "lib/base/local.h"
#include "lib/db/server.h"

#define ALICE    "alice@example.co.jp"
#define BOB      "bob@partner.example"
#define PATIENCE (20 * CLOCK_SECOND)

static struct kit kit;
static pid_t server;

static void ready(void)
{
	kit_file("run/ready");
}

/* Not within 20 seconds: it does not happen. */
static void await(bool (*is)(void))
{
	for (int i = 0; i < 2000 && !is(); i++)
		(void)usleep(10000);
	assert_true(is());
}

static bool is_ready(void)
{
	return access("run/ready", F_OK) == 0;
}

static void start(void)
{
	(void)unlink("run/ready");
	server = fork();
	assert_true(server >= 0);
	if (server == 0) {
		static struct settings settings;
		int listener, signals = local_signals();

		settings_default(&settings);
		(void)snprintf(settings.time_zone, sizeof settings.time_zone, "UTC0");
		kit_open(&kit, clock_wall() / CLOCK_SECOND);
		listener = local_listen(PAST_SOCKET, 64);
		assert_true(listener >= 0);
		db_serve(listener, signals, kit.store, kit.history, kit.trays, &settings, ready);
		kit_close(&kit);
		_exit(0);
	}
	await(is_ready);
}

static int stop(int signal)
{
	pid_t pid = server;
	int status;

	/* -1 and 0 would be everybody. */
	assert_true(pid > 0);
	server = 0;
	assert_int_equal(kill(pid, signal), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int enter(void **state)
{
	(void)state;
	kit_enter(&kit);
	start();
	return 0;
}

static int leave(void **state)
{
	(void)state;
	assert_int_equal(stop(SIGTERM), 0);
	kit_leave(&kit);
	return 0;
}

static void deliver(const char *from, const char *rcpt)
{
	struct buf lines;

	buf_init(&lines, 1 << 16);
	tray_put_delivered(&lines, clock_wall() / CLOCK_SECOND, from, rcpt);
	kit_tell("seki-deliver", &lines);
	buf_free(&lines);
}

static struct past *ask(const char *sender, const char *rcpt)
{
	struct past_rcpt_question r = {rcpt, NULL};
	struct past_question q = {.sender = sender, .rcpt = &r, .rcpts = 1, .lookalike = true};
	struct past *past = past_ask(&q, PATIENCE);

	if (past == NULL)
		fail_msg("%s", strerror(errno));
	assert_int_equal(past->rcpts, 1);
	return past;
}

static bool bob_is_known(void)
{
	struct past *past = ask(ALICE, BOB);
	bool known = past->rcpt[0].by_site > 0;

	past_free(past);
	return known;
}

/* S1-20: what is told is known soon, without anybody asking for it. */
static void test_told_and_asked_s1_20(void **state)
{
	struct past *past = ask(ALICE, BOB);

	(void)state;
	assert_false(past->registered);
	assert_int_equal(past->rcpt[0].by_site, 0);
	past_free(past);
	deliver(ALICE, BOB);
	await(bob_is_known);
	past = ask(ALICE, BOB);
	assert_int_equal(past->rcpt[0].by_sender, 1);
	assert_true(past->rcpt[0].last > 0);
	assert_int_equal(past->rcpt[0].look, LOOK_NONE);
	past_free(past);
	past = ask(ALICE, "bbo@partner.example");
	assert_int_equal(past->rcpt[0].look, LOOK_EDIT);
	assert_string_equal(past->rcpt[0].like, BOB);
	past_free(past);
}

/* Groups, names and addresses with any bytes in them come through. */
static void test_odd_values(void **state)
{
	static const char *group[] = {"sales dept", "=", "+41"};
	struct past_rcpt_question r[] = {{"\"a b\"@partner.example", "a=b \"c\"\n"}, {"", NULL},
	    {"=", "="}, {"\xe5\xb1\xb1@partner.example", "\xff\xfe"}};
	struct past_question q = {
	    .sender = "", .group = group, .groups = 3, .rcpt = r, .rcpts = 4, .lookalike = true};
	struct past *past = past_ask(&q, PATIENCE);

	(void)state;
	assert_non_null(past);
	assert_int_equal(past->rcpts, 4);
	past_free(past);
	q.rcpts = 0;
	past = past_ask(&q, PATIENCE);
	assert_non_null(past);
	past_free(past);
}

/* An enrolment is durable when it is answered: kill -9 right behind it. */
static void test_enrolment_outlives_kill_9(void **state)
{
	struct past *past;
	char address[64];

	(void)state;
	for (int i = 0; i < 8; i++) {
		(void)snprintf(address, sizeof address, "new%d@example.co.jp", i);
		assert_int_equal(past_enrolled(address, false, PATIENCE), 0);
		assert_int_equal(past_enrolled(address, true, PATIENCE), 1);
		(void)stop(SIGKILL);
		start();
		assert_int_equal(past_enrolled(address, false, PATIENCE), 1);
		past = ask(address, BOB);
		assert_true(past->registered);
		past_free(past);
	}
	assert_int_equal(past_remove("new0@example.co.jp", PATIENCE), 1);
	assert_int_equal(past_remove("new0@example.co.jp", PATIENCE), 0);
	(void)stop(SIGKILL);
	start();
	assert_int_equal(past_enrolled("new0@example.co.jp", false, PATIENCE), 0);
}

static void see(void *context, const char *address, int64_t since)
{
	struct buf *all = context;

	assert_true(since > 0);
	buf_addf(all, "%s ", address);
}

/* S2-36: what the shell shows. */
static void test_months_s2_36(void **state)
{
	struct past_month m[4];
	struct buf all;

	(void)state;
	assert_true(past_people(40));
	assert_int_equal(past_enrolled(BOB, true, PATIENCE), 1);
	assert_int_equal(past_enrolled(ALICE, true, PATIENCE), 1);
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(past_months("", m, 4, PATIENCE), 1);
		if (m[0].now == 42)
			break;
		(void)usleep(10000);
	}
	assert_int_equal(m[0].peak, 42);
	assert_int_equal(m[0].enrolled, 2);
	assert_int_equal(past_months("1999-01", m, 4, PATIENCE), 0);
	assert_int_equal(past_months(m[0].month, m, 4, PATIENCE), 1);

	buf_init(&all, 1024);
	assert_true(past_enrolments(see, &all, PATIENCE));
	buf_add(&all, "", 1);
	assert_string_equal(all.bytes, ALICE " " BOB " ");
	buf_free(&all);
}

static bool has_rows(void)
{
	struct past_rows *rows = past_rows(1, true, PATIENCE);
	bool has = rows != NULL && rows->rows == 3;

	past_rows_free(rows);
	return has;
}

/* The weekly report, in words. */
static void test_report(void **state)
{
	int64_t yesterday = clock_wall() / CLOCK_SECOND - KIT_DAY;
	int64_t days[] = {yesterday, yesterday + KIT_DAY};
	struct past_rows *rows;
	struct buf lines, text;
	char week[11];

	(void)state;
	buf_init(&lines, 1 << 16);
	buf_init(&text, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(days); i++) {
		tray_put_judged(&lines, days[i], 1, true, false);
		tray_put_decision(&lines, PAST_SHADOW, days[i], "must/90:3", "look-alike", "hold",
		    "until\nconfirmed", 3);
		tray_put_decision(
		    &lines, PAST_WATCH, days[i], "must/10:1", "temps", "refuse", "だめ", 2);
		tray_put_decision(
		    &lines, PAST_WATCH, days[i], "must/10:1", "temps", "refuse", "だめ", 2);
		tray_put_decision(
		    &lines, PAST_WATCH, days[i], "must/11:1", "temps", "refuse", "no", 9);
	}
	kit_tell("seki-scan", &lines);
	await(has_rows);

	rows = past_rows(1, true, PATIENCE);
	assert_non_null(rows);
	assert_int_equal(rows->judged, 1);
	assert_int_equal(rows->refused, 1);
	assert_int_equal(rows->row[0].kind, PAST_SHADOW);
	assert_string_equal(rows->row[0].outcome, "until\nconfirmed");
	assert_string_equal(rows->row[1].where, "must/10:1");
	assert_int_equal(rows->row[1].mails, 2);
	assert_int_equal(rows->row[1].rcpts, 4);
	past_rows_free(rows);

	assert_true(past_report(7, &text, PATIENCE));
	buf_add(&text, "", 1);
	assert_non_null(strstr(text.bytes, "mails judged): 1\n"));
	assert_non_null(
	    strstr(text.bytes, "  1 / 3  hold until confirmed  <- must/90:3 look-alike\n"));
	assert_non_null(strstr(text.bytes, "  2 / 4  refuse だめ  <- must/10:1 temps\n"));

	assert_int_equal(past_report_due(week, PATIENCE), 0);
	assert_true(past_report_done("2000-01-03", PATIENCE));
	assert_int_equal(past_report_due(week, PATIENCE), 1);
	assert_true(past_report_done(week, PATIENCE));
	assert_int_equal(past_report_due(week, PATIENCE), 0);
	buf_free(&lines);
	buf_free(&text);
}

/* ---- hostile and slow ---- */

static int connect_to(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = PAST_SOCKET};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

/* What is no question ends the connection, and nobody else's. */
static void test_no_question(void **state)
{
	static const char *const none[] = {"\n", "ask\n", "ask a\n", "ask a x look\n", "rcpt a b\n",
	    "ask a 99999999 -\n", "enrol =\n", "enrol a b\n", "done 2026\n", "report 0 today\n",
	    "report 367 today\n", "GET / HTTP/1.0\r\n", "ask a 1 -\nask a 1 -\n", "months now\n"};
	int other = connect_to();
	char answer[256];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(none); i++) {
		int fd = connect_to();
		ssize_t n, all = 0;

		assert_int_equal(write(fd, none[i], strlen(none[i])), strlen(none[i]));
		while ((n = read(fd, answer, sizeof answer)) > 0)
			all += n;
		assert_in_range(all, 0, 16); /* at most the line about the sender */
		(void)close(fd);
	}
	assert_int_equal(write(other, "due\n", 4), 4);
	assert_int_equal(read(other, answer, sizeof answer), 2);
	(void)close(other);
}

/* A line that never ends. */
static void test_endless_question(void **state)
{
	int fd = connect_to();
	char bytes[4096];
	ssize_t n = 0;

	(void)state;
	memset(bytes, 'x', sizeof bytes);
	for (int i = 0; i < 1000 && n >= 0; i++)
		n = send(fd, bytes, sizeof bytes, MSG_NOSIGNAL);
	assert_true(n < 0);
	(void)close(fd);
	past_free(ask(ALICE, BOB));
}

/* Who asks and does not listen gets no more memory than his bound, and keeps nobody waiting. */
static void test_deaf_client(void **state)
{
	struct pollfd p = {.fd = connect_to(), .events = POLLOUT};
	static const char question[] = "due\n";
	size_t sent = 0;

	(void)state;
	while (poll(&p, 1, 300) == 1 && sent < ((size_t)64 << 20)) {
		ssize_t n = send(p.fd, question, 4, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0)
			break;
		sent += (size_t)n;
	}
	assert_true(sent < ((size_t)64 << 20));
	past_free(ask(ALICE, BOB));
	(void)close(p.fd);
	past_free(ask(ALICE, BOB));
}

/* Many who say nothing: who asks is answered all the same. */
static void test_silent_clients(void **state)
{
	int fd[60];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fd); i++)
		fd[i] = connect_to();
	past_free(ask(ALICE, BOB));
	for (size_t i = 0; i < COUNT_OF(fd); i++)
		(void)close(fd[i]);
}

/* A server that does not answer is not waited for longer than was said. */
static void test_patience(void **state)
{
	struct past_rcpt_question r = {BOB, NULL};
	struct past_question q = {.sender = ALICE, .rcpt = &r, .rcpts = 1};
	int64_t begun;

	(void)state;
	assert_true(server > 0);
	assert_int_equal(kill(server, SIGSTOP), 0);
	begun = clock_boot();
	assert_null(past_ask(&q, CLOCK_SECOND / 5));
	assert_int_equal(errno, ETIMEDOUT);
	assert_in_range(clock_boot() - begun, CLOCK_SECOND / 5, 5 * CLOCK_SECOND);
	assert_int_equal(kill(server, SIGCONT), 0);
}

#define MANY 1000

/* 1,000 recipients are known, or not, within 50 ms: measured, and held to ten times that. */
static void test_many_recipients(void **state)
{
	struct past_rcpt_question r[MANY];
	static char address[MANY][64];
	struct past_question q = {.sender = ALICE, .rcpt = r, .rcpts = MANY, .lookalike = true};
	int64_t best = INT64_MAX;
	struct buf lines;

	(void)state;
	buf_init(&lines, 1 << 20);
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(address[i], sizeof address[i], "n%zu@firma%zu.example", i, i % 97);
		r[i] = (struct past_rcpt_question){address[i], "佐藤花子"};
		if (i % 2 == 0)
			tray_put_delivered(&lines, clock_wall() / CLOCK_SECOND, ALICE, address[i]);
	}
	deliver(ALICE, BOB);
	kit_tell("seki-deliver", &lines);
	buf_free(&lines);
	for (int i = 0; i < 2000; i++) {
		struct past *past = ask(ALICE, address[MANY - 2]);
		bool known = past->rcpt[0].by_sender > 0;

		past_free(past);
		if (known)
			break;
		(void)usleep(10000);
	}
	for (int i = 0; i < 5; i++) {
		int64_t begun = clock_boot(), took;
		struct past *past = past_ask(&q, PATIENCE);

		took = clock_boot() - begun;
		assert_non_null(past);
		for (size_t n = 0; n < MANY; n++) {
			assert_int_equal(past->rcpt[n].by_sender, n % 2 == 0);
			assert_int_equal(past->rcpt[n].by_site, n % 2 == 0);
		}
		past_free(past);
		best = took < best ? took : best;
	}
	print_message("1,000 recipients: %.1f ms\n", (double)best / 1000);
	assert_true(best < CLOCK_SECOND / 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_told_and_asked_s1_20),
	    T(test_odd_values),
	    T(test_enrolment_outlives_kill_9),
	    T(test_months_s2_36),
	    T(test_report),
	    T(test_no_question),
	    T(test_endless_question),
	    T(test_deaf_client),
	    T(test_silent_clients),
	    T(test_patience),
	    T(test_many_recipients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
