/* What is made of clamd's answers, and of clamds that give none (lib/inspect/virus.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/inspect/virus.h"

#define SECOND INT64_C(1000000)

/* Somebody at a socket, for one question. */
struct clamd {
	char path[108];
	int listener;
	const char *answer;
	size_t len;
	bool hears; /* all of it, before it answers */
	bool silent;
	int done[2]; /* closed when a silent one may leave */
	pthread_t thread;
	size_t heard;
	bool whole;
	uint32_t sum;
};

static bool hear(struct clamd *c, int fd, void *into, size_t len)
{
	ssize_t n = recv(fd, into, len, MSG_WAITALL);

	if (n > 0)
		c->heard += (size_t)n;
	return n == (ssize_t)len;
}

/* The command, and each chunk behind its length; the last one is 0. */
static void hear_all(struct clamd *c, int fd)
{
	static char chunk[1 << 20];
	char command[10];
	uint32_t len = 0;

	if (!hear(c, fd, command, sizeof command) || memcmp(command, "zINSTREAM", 10) != 0)
		return;
	while (hear(c, fd, &len, sizeof len) && len != 0) {
		len = ntohl(len);
		if (len > sizeof chunk || !hear(c, fd, chunk, len))
			return;
		for (uint32_t i = 0; i < len; i++)
			c->sum = c->sum * 31 + (unsigned char)chunk[i];
	}
	c->whole = len == 0;
}

static void *serve(void *context)
{
	struct clamd *c = context;
	int fd = accept(c->listener, NULL, NULL);
	char byte;

	if (fd < 0)
		return NULL;
	if (c->hears)
		hear_all(c, fd);
	if (!c->silent)
		(void)!send(fd, c->answer, c->len, MSG_NOSIGNAL);
	else
		(void)!read(c->done[0], &byte, 1);
	(void)close(fd);
	return NULL;
}

static void start(struct clamd *c)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *folder = getenv("TMPDIR");

	(void)snprintf(c->path, sizeof c->path, "%.80s/clamd-%d", folder != NULL ? folder : "/tmp",
	    (int)getpid());
	(void)unlink(c->path);
	(void)stpcpy(address.sun_path, c->path);
	assert_int_equal(pipe(c->done), 0);
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(c->listener >= 0);
	assert_int_equal(bind(c->listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(c->listener, 1), 0);
	assert_int_equal(pthread_create(&c->thread, NULL, serve, c), 0);
}

static void stop(struct clamd *c)
{
	(void)close(c->done[1]);
	(void)shutdown(c->listener, SHUT_RDWR);
	(void)pthread_join(c->thread, NULL);
	(void)close(c->listener);
	(void)close(c->done[0]);
	(void)unlink(c->path);
}

static struct source message_of(size_t size)
{
	struct source source = {memfd_create("message", MFD_CLOEXEC), 7, size};

	assert_true(source.fd >= 0);
	assert_int_equal(ftruncate(source.fd, (off_t)(size + 100)), 0);
	for (size_t i = 0; i < size + 100; i += 997)
		assert_int_equal(pwrite(source.fd, "Subject", 7, (off_t)i), 7);
	return source;
}

static enum virus_verdict ask(const char *answer, size_t len, char name[VIRUS_NAME_MAX])
{
	struct clamd c = {.answer = answer, .len = len, .hears = true};
	struct source message = message_of(1000);
	enum virus_verdict verdict;

	start(&c);
	memset(name, 0x55, VIRUS_NAME_MAX);
	verdict = virus_ask(c.path, &message, 5 * SECOND, name);
	stop(&c);
	(void)close(message.fd);
	assert_non_null(memchr(name, '\0', VIRUS_NAME_MAX));
	return verdict;
}

#define ASK(answer, name) ask((answer), sizeof(answer), (name))

static void test_its_words(void **state)
{
	char name[VIRUS_NAME_MAX];

	(void)state;
	assert_int_equal(ASK("stream: OK", name), VIRUS_CLEAN);
	assert_int_equal(ASK("stream: Win.Test.EICAR_HDB-1 FOUND", name), VIRUS_FOUND);
	assert_string_equal(name, "Win.Test.EICAR_HDB-1");
	assert_int_equal(ASK("stream: a FOUND b FOUND", name), VIRUS_FOUND);
	assert_string_equal(name, "a FOUND b");
}

/* Neither clean nor found: whatever it is, somebody has to look. */
static void test_other_words(void **state)
{
	static const char *const answers[] = {"", "OK", "stream: ", "stream: O", "stream: OKAY",
	    "stream: OK ", " stream: OK", "stream: FOUND", "stream:  FOUND", "STREAM: OK",
	    "INSTREAM size limit exceeded. ERROR", "stream: Can't allocate memory ERROR",
	    "UNKNOWN COMMAND", "stream: x FOUND ", "PONG", "stream: OK\n"};
	char name[VIRUS_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		if (ask(answers[i], strlen(answers[i]) + 1, name) != VIRUS_UNKNOWN)
			fail_msg("a verdict: \"%s\"", answers[i]);
		if (name[0] == '\0')
			fail_msg("no reason: \"%s\"", answers[i]);
	}
	/* Not to its end. */
	assert_int_equal(ask("stream: OK", 10, name), VIRUS_UNKNOWN);
	assert_int_equal(ask("", 0, name), VIRUS_UNKNOWN);
	assert_true(name[0] != '\0');
}

static void test_a_name_is_printable_and_bounded(void **state)
{
	char name[VIRUS_NAME_MAX], answer[900];

	(void)state;
	assert_int_equal(ASK("stream: a\x1b[2J\xff\n= FOUND", name), VIRUS_FOUND);
	for (const char *at = name; *at != '\0'; at++)
		assert_true(*at >= ' ' && *at <= '~');
	memset(answer, 'x', sizeof answer);
	memcpy(answer, "stream: ", 8);
	memcpy(answer + sizeof answer - 7, " FOUND", 7);
	assert_int_equal(ask(answer, sizeof answer, name), VIRUS_FOUND);
	assert_int_equal(strlen(name), VIRUS_NAME_MAX - 1);
	memset(answer, 'x', sizeof answer);
	assert_int_equal(ask(answer, sizeof answer, name), VIRUS_UNKNOWN);
}

static uint32_t sum_of(const struct source *message)
{
	char *bytes = malloc(message->size + 1);
	uint32_t sum = 0;

	assert_non_null(bytes);
	assert_int_equal(pread(message->fd, bytes, message->size, 7), message->size);
	for (size_t i = 0; i < message->size; i++)
		sum = sum * 31 + (unsigned char)bytes[i];
	free(bytes);
	return sum;
}

/* All of it and no more, in order. */
static void test_the_message_goes_whole(void **state)
{
	static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 3000000};
	char name[VIRUS_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct clamd c = {.answer = "stream: OK", .len = 11, .hears = true};
		struct source message = message_of(sizes[i]);

		start(&c);
		assert_int_equal(virus_ask(c.path, &message, 20 * SECOND, name), VIRUS_CLEAN);
		stop(&c);
		assert_true(c.whole);
		assert_int_equal(c.sum, sum_of(&message));
		assert_int_equal(c.heard, 10 + sizes[i] + 4 * ((sizes[i] + 65535) / 65536) + 4);
		(void)close(message.fd);
	}
}

/* A message that ends too soon was not looked at whole. */
static void test_a_message_that_cannot_be_read(void **state)
{
	struct clamd c = {.answer = "stream: OK", .len = 11};
	struct source message = message_of(1000);
	char name[VIRUS_NAME_MAX];

	(void)state;
	message.size = 100000;
	start(&c);
	assert_int_equal(virus_ask(c.path, &message, 2 * SECOND, name), VIRUS_UNKNOWN);
	stop(&c);
	(void)close(message.fd);
}

/* An OK about the beginning says nothing about the rest. */
static void test_an_answer_that_comes_too_soon(void **state)
{
	struct clamd c = {.answer = "stream: OK", .len = 11};
	struct source message = message_of(8000000);
	char name[VIRUS_NAME_MAX];

	(void)state;
	start(&c);
	assert_int_equal(virus_ask(c.path, &message, 5 * SECOND, name), VIRUS_UNKNOWN);
	stop(&c);
	(void)close(message.fd);
}

static void test_nobody_answers(void **state)
{
	struct source message = message_of(8000000);
	struct clamd c = {.silent = true};
	char name[VIRUS_NAME_MAX], path[300];

	(void)state;
	assert_int_equal(virus_ask("/nonexistent/socket", &message, SECOND, name), VIRUS_UNKNOWN);
	assert_true(name[0] != '\0');
	memset(path, 'x', sizeof path);
	path[sizeof path - 1] = '\0';
	assert_int_equal(virus_ask(path, &message, SECOND, name), VIRUS_UNKNOWN);
	/* It takes the connection and nothing more: for so long and no longer. */
	start(&c);
	assert_int_equal(virus_ask(c.path, &message, SECOND / 5, name), VIRUS_UNKNOWN);
	stop(&c);
	(void)close(message.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_its_words),
	    cmocka_unit_test(test_other_words),
	    cmocka_unit_test(test_a_name_is_printable_and_bounded),
	    cmocka_unit_test(test_the_message_goes_whole),
	    cmocka_unit_test(test_a_message_that_cannot_be_read),
	    cmocka_unit_test(test_an_answer_that_comes_too_soon),
	    cmocka_unit_test(test_nobody_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
