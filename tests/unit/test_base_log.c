#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

#define PAGE     4096
#define PAGES    4
#define ROOM     ((PAGES + 1) * PAGE) /* for all that the pipe can hold, and a NUL */
#define DEADLINE 30                   /* seconds after which a test that hangs is ended */

/* Standard error as a pipe of a few pages, whose other end is here. */
struct tap {
	int screen; /* the standard error of before */
	int out;
};

static void tap_open(struct tap *t)
{
	int ends[2];

	(void)alarm(DEADLINE);
	t->screen = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	assert_true(t->screen >= 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, PAGES * PAGE) >= 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(close(ends[1]), 0);
	t->out = ends[0];
}

/* Gives the screen back: before any assertion, whose text goes there. */
static void tap_close(struct tap *t)
{
	(void)dup2(t->screen, STDERR_FILENO);
	(void)close(t->screen);
	if (t->out >= 0)
		(void)close(t->out);
	(void)alarm(0);
}

/* What is in the pipe just now, as a text. */
static size_t tap_read(struct tap *t, char *text, size_t room)
{
	size_t used = 0;
	ssize_t n;

	(void)fcntl(t->out, F_SETFL, O_NONBLOCK);
	while (used < room - 1 && (n = read(t->out, text + used, room - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	return used;
}

/* Writes until no more goes in. */
static void tap_fill(void)
{
	static const char x[PAGE] = {'x'};
	int flags = fcntl(STDERR_FILENO, F_GETFL);

	(void)fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
	while (write(STDERR_FILENO, x, sizeof x) > 0)
		;
	while (write(STDERR_FILENO, x, 1) > 0)
		;
	(void)fcntl(STDERR_FILENO, F_SETFL, flags);
}

#define CAPTURE(text, ...)                                                                         \
	do {                                                                                       \
		struct tap tap_;                                                                   \
		tap_open(&tap_);                                                                   \
		__VA_ARGS__;                                                                       \
		(void)tap_read(&tap_, (text), sizeof(text));                                       \
		tap_close(&tap_);                                                                  \
	} while (0)

static void a_line_is_words(void **state)
{
	char text[PAGE];

	(void)state;
	CAPTURE(text, LOG("taken", kv("id", "0196"), kv_num("size", 48213)));
	assert_string_equal(text, "event=taken id=0196 size=48213\n");
	CAPTURE(text, LOG_ALARM("stopped", kv("why", "")));
	assert_string_equal(text, "event=stopped alarm=yes why=\n");
	CAPTURE(text, log_event("ready", false, NULL, 0));
	assert_string_equal(text, "event=ready\n");
}

static void numbers_at_their_ends(void **state)
{
	char text[PAGE];

	(void)state;
	CAPTURE(text, LOG("n", kv_num("a", INT64_MIN), kv_num("b", INT64_MAX), kv_num("c", 0)));
	assert_string_equal(text, "event=n a=-9223372036854775808 b=9223372036854775807 c=0\n");
}

static void a_stranger_writes_no_line_of_his_own(void **state)
{
	char text[PAGE];

	(void)state;
	CAPTURE(text, LOG("helo", kv("name", "x\r\nevent=delivered id=1\x1b[2J")));
	assert_string_equal(text, "event=helo name=x+0D+0Aevent+3Ddelivered+20id+3D1+1B[2J\n");
	CAPTURE(text, LOG("helo", kv("name", "\"\t\x7f\x9b+\xe9\x96\xa2")));
	assert_string_equal(text, "event=helo name=+22+09+7F+9B+2B+E9+96+A2\n");
}

static void null_is_empty_and_errors_are_texts(void **state)
{
	char text[PAGE];

	(void)state;
	CAPTURE(text, LOG("e", kv("who", NULL), kv_errno(ENOSPC), kv_errno(123456)));
	assert_string_equal(text, "event=e who= error=No+20space+20left+20on+20device error=\n");
}

static void errno_stays(void **state)
{
	char text[PAGE];
	int after;

	(void)state;
	CAPTURE(text, errno = EXDEV; LOG("e", kv("a", "b")); after = errno);
	assert_int_equal(after, EXDEV);
}

/* Too long: cut between whole escapes, one newline at the end, and no more than the bound. */
static void a_long_line_is_cut(void **state)
{
	char value[3 * LOG_LINE_MAX];
	char text[ROOM];

	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		size_t len;

		memset(value, '\n', sizeof value - 1);
		memset(value, 'a', shift);
		value[sizeof value - 1] = '\0';
		CAPTURE(text, LOG("long", kv("v", value), kv("lost", "x")));
		len = strlen(text);
		assert_true(len <= LOG_LINE_MAX && len > LOG_LINE_MAX - 4);
		assert_ptr_equal(strchr(text, '\n'), text + len - 1);
		assert_memory_equal(text + len - 4, "+0A\n", 4);
	}
}

static int64_t now_ms(void)
{
	return clock_boot() / 1000;
}

static void a_blocked_pipe_drops_and_says_so(void **state)
{
	struct tap t;
	char full[ROOM], text[PAGE];
	int64_t began, took;
	bool ready_full, ready_empty, ready_first;

	(void)state;
	tap_open(&t);
	ready_first = log_ready();
	tap_fill();
	ready_full = log_ready();
	began = now_ms();
	LOG("lost", kv("n", "1"));
	LOG("lost", kv("n", "2"));
	took = now_ms() - began;
	(void)tap_read(&t, full, sizeof full);
	ready_empty = log_ready();
	LOG("seen", kv("n", "3"));
	LOG("seen", kv("n", "4"));
	(void)tap_read(&t, text, sizeof text);
	tap_close(&t);

	assert_true(ready_first);
	assert_false(ready_full);
	assert_true(ready_empty);
	assert_true(took >= 2 * LOG_PATIENCE_MS - 10 && took < 2 * LOG_PATIENCE_MS + 2000);
	assert_null(strstr(full, "lost"));
	assert_string_equal(text, "event=log-dropped alarm=yes lines=2\n"
				  "event=seen n=3\nevent=seen n=4\n");
}

static void on_signal(int number)
{
	(void)number;
}

static void *empty_it_later(void *fd)
{
	char text[ROOM];

	(void)usleep(300000);
	return read(*(int *)fd, text, sizeof text) > 0 ? fd : NULL;
}

/* A signal in the middle of the wait is no reason to lose the line. */
static void a_signal_does_not_cost_a_line(void **state)
{
	const struct sigaction act = {.sa_handler = on_signal};
	const struct itimerval often = {.it_interval.tv_usec = 20000, .it_value.tv_usec = 20000};
	const struct itimerval never = {0};
	struct sigaction before;
	struct tap t;
	sigset_t clocked;
	pthread_t reader;
	void *emptied = NULL;
	char text[PAGE];

	(void)state;
	/* The reader inherits the mask: the signal comes to the thread that logs. */
	(void)sigemptyset(&clocked);
	(void)sigaddset(&clocked, SIGALRM);
	tap_open(&t);
	(void)alarm(0);
	assert_int_equal(sigaction(SIGALRM, &act, &before), 0);
	tap_fill();
	(void)pthread_sigmask(SIG_BLOCK, &clocked, NULL);
	assert_int_equal(pthread_create(&reader, NULL, empty_it_later, &t.out), 0);
	(void)pthread_sigmask(SIG_UNBLOCK, &clocked, NULL);
	(void)setitimer(ITIMER_REAL, &often, NULL);
	LOG("kept", kv("n", "1"));
	(void)setitimer(ITIMER_REAL, &never, NULL);
	(void)pthread_join(reader, &emptied);
	(void)tap_read(&t, text, sizeof text);
	tap_close(&t);
	(void)sigaction(SIGALRM, &before, NULL);

	assert_non_null(emptied);
	assert_string_equal(text, "event=kept n=1\n");
}

/* The reader is gone: the program lives on, and says later what was lost. */
static void a_broken_pipe_does_not_kill(void **state)
{
	struct tap t;
	char text[PAGE];
	int64_t began, took;
	bool ready;

	(void)state;
	tap_open(&t);
	(void)close(t.out);
	t.out = -1;
	ready = log_ready();
	began = now_ms();
	LOG("lost", kv("n", "1"));
	took = now_ms() - began;
	tap_close(&t);

	assert_false(ready);
	assert_true(took < LOG_PATIENCE_MS / 2);
	CAPTURE(text, LOG("seen", kv("n", "2")));
	assert_string_equal(text, "event=log-dropped alarm=yes lines=1\nevent=seen n=2\n");
}

#define THREADS 24

static void *log_wide(void *value)
{
	LOG("wide", kv("v", value));
	return NULL;
}

/*
 * Room for few lines, many threads: no more than those go in, nobody waits longer than the
 * patience, and no line is counted twice.
 */
static void threads_share_the_last_room(void **state)
{
	static char value[LOG_LINE_MAX];
	pthread_t threads[THREADS];
	struct tap t;
	char text[ROOM], said[PAGE];
	int64_t began, took;
	size_t lines = 0;
	long lost = 0;

	(void)state;
	memset(value, 'v', sizeof value - 1);
	tap_open(&t);
	began = now_ms();
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_wide, value), 0);
	for (size_t i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	took = now_ms() - began;
	(void)tap_read(&t, text, sizeof text);
	tap_close(&t);
	CAPTURE(said, LOG("seen", kv("n", "1")));

	for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_true(took < LOG_PATIENCE_MS + 5000);
	assert_int_equal(strlen(text), lines * LOG_LINE_MAX);
	assert_int_equal(sscanf(said, "event=log-dropped alarm=yes lines=%ld\n", &lost), 1);
	assert_int_equal(lines + (size_t)lost, THREADS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_is_words),
	    cmocka_unit_test(numbers_at_their_ends),
	    cmocka_unit_test(a_stranger_writes_no_line_of_his_own),
	    cmocka_unit_test(null_is_empty_and_errors_are_texts),
	    cmocka_unit_test(errno_stays),
	    cmocka_unit_test(a_long_line_is_cut),
	    cmocka_unit_test(a_blocked_pipe_drops_and_says_so),
	    cmocka_unit_test(a_signal_does_not_cost_a_line),
	    cmocka_unit_test(a_broken_pipe_does_not_kill),
	    cmocka_unit_test(threads_share_the_last_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
