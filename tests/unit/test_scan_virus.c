/* A clamd that is not served: whatever it does, the question ends in time (lib/inspect/virus.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/inspect/virus.h"

#define PATIENCE (CLOCK_SECOND / 2)
#define SLACK    (2 * CLOCK_SECOND)
#define CALLERS  64

struct nobody {
	struct sockaddr_un address;
	int listener;
	int caller[CALLERS];
	size_t callers;
};

/* Listens, and never accepts. */
static void open_nobody(struct nobody *n, size_t callers)
{
	const char *folder = getenv("TMPDIR");

	*n = (struct nobody){.address.sun_family = AF_UNIX};
	(void)snprintf(n->address.sun_path, sizeof n->address.sun_path, "%.80s/nobody-%d",
	    folder != NULL ? folder : "/tmp", (int)getpid());
	(void)unlink(n->address.sun_path);
	n->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(n->listener, (struct sockaddr *)&n->address, sizeof n->address), 0);
	assert_int_equal(listen(n->listener, 1), 0);
	while (n->callers < callers) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		n->caller[n->callers++] = fd;
		if (connect(fd, (struct sockaddr *)&n->address, sizeof n->address) != 0)
			break;
	}
}

static void close_nobody(struct nobody *n)
{
	for (size_t i = 0; i < n->callers; i++)
		(void)close(n->caller[i]);
	(void)close(n->listener);
	(void)unlink(n->address.sun_path);
}

static void ends_in_time(const struct nobody *n, size_t size)
{
	struct source message = {memfd_create("message", MFD_CLOEXEC), 0, size};
	char name[VIRUS_NAME_MAX] = "";
	int64_t begun = clock_boot();

	assert_int_equal(ftruncate(message.fd, (off_t)size), 0);
	assert_int_equal(virus_ask(n->address.sun_path, &message, PATIENCE, name), VIRUS_UNKNOWN);
	assert_true(clock_boot() - begun >= PATIENCE);
	assert_true(clock_boot() - begun < PATIENCE + SLACK);
	assert_string_not_equal(name, "");
	(void)close(message.fd);
}

/* S1-30: connect() would block for ever. */
static void more_wait_than_it_takes(void **state)
{
	struct nobody n;

	(void)state;
	open_nobody(&n, CALLERS);
	assert_true(n.callers < CALLERS); /* it is full */
	ends_in_time(&n, 1000);
	close_nobody(&n);
}

/* More than the socket takes: send() would block for ever. */
static void it_does_not_read(void **state)
{
	struct nobody n;

	(void)state;
	open_nobody(&n, 0);
	ends_in_time(&n, (size_t)8 * 1024 * 1024);
	close_nobody(&n);
}

static void it_does_not_answer(void **state)
{
	struct nobody n;

	(void)state;
	open_nobody(&n, 0);
	ends_in_time(&n, 10);
	close_nobody(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(more_wait_than_it_takes),
	    cmocka_unit_test(it_does_not_read),
	    cmocka_unit_test(it_does_not_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
