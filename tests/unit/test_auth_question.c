#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/auth/question.h"

static struct auth_question sample(void)
{
	return (struct auth_question){.service = "smtp",
	    .source = "192.0.2.1",
	    .login = "alice@example.co.jp",
	    .password = "correct horse"};
}

static void test_round_trip(void **state)
{
	char bytes[QUESTION_PREFIX + AUTH_QUESTION_MAX];
	struct auth_question q = sample(), back;
	size_t len = question_write(&q, bytes);

	(void)state;
	assert_true(len > QUESTION_PREFIX);
	assert_int_equal(question_length(bytes), len - QUESTION_PREFIX);
	assert_true(question_read(bytes + QUESTION_PREFIX, len - QUESTION_PREFIX, &back));
	assert_string_equal(back.service, q.service);
	assert_string_equal(back.source, q.source);
	assert_string_equal(back.login, q.login);
	assert_string_equal(back.password, q.password);
}

/* The longest parts that are allowed fit, and one byte more of any is refused. */
static void test_bounds(void **state)
{
	char bytes[QUESTION_PREFIX + AUTH_QUESTION_MAX];
	char service[64], login[512], password[2048];
	struct auth_question q = sample();

	(void)state;
	memset(service, 's', sizeof service);
	memset(login, 'l', sizeof login);
	memset(password, 'p', sizeof password);
	service[QUESTION_SERVICE_MAX] = login[AUTH_LOGIN_MAX] = password[AUTH_PASSWORD_MAX] = '\0';
	q.service = service;
	q.login = login;
	q.password = password;
	assert_true(question_write(&q, bytes) > AUTH_PASSWORD_MAX);

	login[AUTH_LOGIN_MAX] = 'l';
	login[AUTH_LOGIN_MAX + 1] = '\0';
	assert_int_equal(question_write(&q, bytes), 0);
	login[AUTH_LOGIN_MAX] = '\0';
	password[AUTH_PASSWORD_MAX] = 'p';
	password[AUTH_PASSWORD_MAX + 1] = '\0';
	assert_int_equal(question_write(&q, bytes), 0);
	password[0] = '\0';
	assert_int_equal(question_write(&q, bytes), 0);
}

static void test_logins(void **state)
{
	static const char *const good[] = {
	    "a", "a b", "#", "A+b@x", "\xe5\xb1\xb1@x", "\xf0\x9f\x98\x80"};
	static const char *const bad[] = {"", "a\nb", "a\rb", "a\tb", "\x7f", "\x1b[m", "\xc2\x85",
	    "\xff", "\xc0\xaf", "\xe5\xb1", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\x80",
	    "\xf0\x80\x80\x80"};
	struct auth_question q = sample();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		q.login = good[i];
		assert_true(question_good(&q));
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		q.login = bad[i];
		assert_false(question_good(&q));
	}
}

static void test_malformed(void **state)
{
	static const char few[] = "smtp\0"
				  "192.0.2.1\0alice";
	static const char more[] = "smtp\0"
				   "192.0.2.1\0alice\0secret\0more";
	static const char open[] = {'s', 0, '1', 0, 'l', 0, 'p'};
	struct auth_question q;

	(void)state;
	assert_false(question_read(few, sizeof few, &q));
	assert_false(question_read(more, sizeof more, &q));
	assert_false(question_read(open, sizeof open, &q));
	assert_false(question_read("", 0, &q));
	assert_false(question_read("", 1, &q));
	assert_int_equal(question_length("\0\0\0\0"), 0);
	assert_int_equal(question_length("\xff\xff\xff\xff"), 0);
	assert_int_equal(question_length("\0\0\x08\x00"), AUTH_QUESTION_MAX);
	assert_int_equal(question_length("\0\0\x08\x01"), 0);
}

/* ---- auth_ask against a server that is one thread ---- */

struct stand_in {
	int listener;
	const char *answer; /* NULL: none */
	char got[QUESTION_PREFIX + AUTH_QUESTION_MAX];
	ssize_t len;
};

static void *serve(void *context)
{
	struct stand_in *s = context;
	int fd = accept(s->listener, NULL, NULL);
	char end;

	s->len = recv(fd, s->got, sizeof s->got, 0);
	if (s->answer != NULL)
		(void)!write(fd, s->answer, strlen(s->answer));
	else
		(void)!read(fd, &end, 1); /* until the asker gives up */
	close(fd);
	return NULL;
}

static enum auth_answer ask(struct stand_in *s, int timeout_ms)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct auth_question q = sample();
	enum auth_answer answer;
	pthread_t thread;

	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s/auth.%d",
	    getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp", (int)getpid());
	(void)unlink(address.sun_path);
	s->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(s->listener, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve, s), 0);
	answer = auth_ask(address.sun_path, &q, timeout_ms);
	pthread_join(thread, NULL);
	close(s->listener);
	(void)unlink(address.sun_path);
	return answer;
}

static void test_ask_answers(void **state)
{
	static const struct {
		const char *letter;
		enum auth_answer answer;
	} all[] = {{"Y", AUTH_RIGHT}, {"N", AUTH_WRONG}, {"C", AUTH_CAPPED}, {"L", AUTH_LATER},
	    {"", AUTH_LATER}, {"?", AUTH_LATER}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		struct stand_in s = {.answer = all[i].letter};
		struct auth_question q;

		assert_int_equal(ask(&s, 10000), all[i].answer);
		assert_true(s.len > 4);
		assert_true(question_read(s.got + 4, (size_t)s.len - 4, &q));
		assert_string_equal(q.password, "correct horse");
	}
}

static void test_ask_gives_up(void **state)
{
	struct stand_in s = {.answer = NULL};

	(void)state;
	assert_int_equal(ask(&s, 50), AUTH_LATER);
}

/* What breaks a bound is wrong without being sent; nobody there is "later". */
static void test_ask_without_server(void **state)
{
	struct auth_question q = sample();

	(void)state;
	assert_int_equal(auth_ask("/nonexistent/socket", &q, 1000), AUTH_LATER);
	q.password = "";
	assert_int_equal(auth_ask("/nonexistent/socket", &q, 1000), AUTH_WRONG);
	q = sample();
	q.login = "a\r\nRCPT";
	assert_int_equal(auth_ask("/nonexistent/socket", &q, 1000), AUTH_WRONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_logins),
	    cmocka_unit_test(test_malformed),
	    cmocka_unit_test(test_ask_answers),
	    cmocka_unit_test(test_ask_gives_up),
	    cmocka_unit_test(test_ask_without_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
