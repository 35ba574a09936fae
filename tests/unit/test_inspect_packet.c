/* Packets between seki-inspect and its employer (lib/inspect/packet.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/inspect/packet.h"

static int pair[2];
static struct packet packet;

static int open_pair(void **state)
{
	(void)state;
	memset(&packet, 0x55, sizeof packet);
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

static int close_pair(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		if (pair[i] >= 0)
			(void)close(pair[i]);
	}
	return 0;
}

static size_t open_descriptors(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_text(void **state)
{
	(void)state;
	assert_true(packet_send(pair[0], 'F', "message size=1\n", 15));
	assert_true(packet_send(pair[0], 'E', "", 0));
	assert_int_equal(packet_receive(pair[1], &packet, -1), PACKET_OK);
	assert_int_equal(packet.type, 'F');
	assert_int_equal(packet.len, 15);
	assert_int_equal(packet.fds, 0);
	assert_string_equal(packet.text, "message size=1\n");
	assert_int_equal(packet_receive(pair[1], &packet, 1000), PACKET_OK);
	assert_int_equal(packet.type, 'E');
	assert_int_equal(packet.len, 0);
	assert_string_equal(packet.text, "");
}

/* Bytes are bytes; what is received ends with a NUL byte of its own. */
static void test_the_longest(void **state)
{
	char *text = malloc(PACKET_MAX);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < PACKET_MAX; i++)
		text[i] = (char)(i * 7);
	assert_true(packet_send(pair[0], 'V', text, PACKET_MAX - 1));
	assert_int_equal(packet_receive(pair[1], &packet, -1), PACKET_OK);
	assert_int_equal(packet.len, PACKET_MAX - 1);
	assert_memory_equal(packet.text, text, PACKET_MAX - 1);
	assert_int_equal(packet.text[packet.len], '\0');
	assert_false(packet_send(pair[0], 'V', text, PACKET_MAX));
	assert_int_equal(errno, EMSGSIZE);
	assert_false(packet_send(pair[0], 'V', text, SIZE_MAX));
	free(text);
}

static void test_descriptors(void **state)
{
	int fd[PACKET_FDS_MAX + 1];
	size_t before;
	struct stat sent, got;

	(void)state;
	for (size_t i = 0; i <= PACKET_FDS_MAX; i++)
		assert_true((fd[i] = memfd_create("x", MFD_CLOEXEC)) >= 0);
	before = open_descriptors();
	assert_true(packet_send_by(pair[0], 'M', "content 0 1\n", 12, fd, PACKET_FDS_MAX, -1));
	assert_int_equal(packet_receive(pair[1], &packet, -1), PACKET_OK);
	assert_int_equal(packet.fds, PACKET_FDS_MAX);
	for (size_t i = 0; i < PACKET_FDS_MAX; i++) {
		assert_int_equal(fstat(fd[i], &sent), 0);
		assert_int_equal(fstat(packet.fd[i], &got), 0);
		assert_int_equal(sent.st_ino, got.st_ino);
		assert_int_not_equal(fcntl(packet.fd[i], F_GETFD) & FD_CLOEXEC, 0);
	}
	packet_close(&packet);
	assert_int_equal(packet.fds, 0);
	packet_close(&packet);
	assert_int_equal(open_descriptors(), before);
	assert_false(packet_send_by(pair[0], 'M', "", 0, fd, PACKET_FDS_MAX + 1, -1));
	for (size_t i = 0; i <= PACKET_FDS_MAX; i++)
		(void)close(fd[i]);
}

/* More than there may be: none is kept, and none is left open. */
static void test_too_many_descriptors(void **state)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(16 * sizeof(int))];
	} rights;
	char byte = 'M';
	struct iovec v = {&byte, 1};
	struct msghdr message = {.msg_iov = &v,
	    .msg_iovlen = 1,
	    .msg_control = rights.bytes,
	    .msg_controllen = sizeof rights.bytes};
	size_t before = open_descriptors();

	(void)state;
	memset(&rights, 0, sizeof rights);
	rights.align.cmsg_level = SOL_SOCKET;
	rights.align.cmsg_type = SCM_RIGHTS;
	rights.align.cmsg_len = CMSG_LEN(16 * sizeof(int));
	for (size_t i = 0; i < 16; i++)
		memcpy(CMSG_DATA(&rights.align) + i * sizeof(int), &pair[0], sizeof(int));
	assert_int_equal(sendmsg(pair[0], &message, 0), 1);
	assert_int_equal(packet_receive(pair[1], &packet, -1), PACKET_WRONG);
	assert_int_equal(packet.fds, 0);
	assert_int_equal(open_descriptors(), before);
}

static void test_too_long(void **state)
{
	char *text = calloc(1, PACKET_MAX + 10);

	(void)state;
	assert_non_null(text);
	assert_int_equal(send(pair[0], text, PACKET_MAX + 1, 0), PACKET_MAX + 1);
	assert_int_equal(packet_receive(pair[1], &packet, -1), PACKET_WRONG);
	assert_true(packet_send(pair[0], 'A', "go\n", 3));
	assert_int_equal(packet_receive(pair[1], &packet, -1), PACKET_OK);
	free(text);
}

static int64_t now(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void test_patience(void **state)
{
	int64_t begin = now(), took;

	(void)state;
	assert_int_equal(packet_receive(pair[1], &packet, 0), PACKET_LATE);
	assert_int_equal(packet_receive(pair[1], &packet, 50000), PACKET_LATE);
	took = now() - begin;
	assert_true(took >= 50000 && took < 5000000);
	assert_int_equal(packet.fds, 0);
	/* What is there already is heard, however little patience there is. */
	assert_true(packet_send(pair[0], 'E', "", 0));
	assert_int_equal(packet_receive(pair[1], &packet, 0), PACKET_OK);
}

/* Nobody reads: for so long and no longer; what was sent is whole. */
static void test_patience_of_sending(void **state)
{
	char text[4096] = "";
	int64_t begin = now();
	size_t sent = 0;

	(void)state;
	while (packet_send_by(pair[0], 'F', text, sizeof text, NULL, 0, 50000)) {
		assert_true(sent < 100000);
		sent++;
	}
	assert_int_equal(errno, ETIMEDOUT);
	assert_true(now() - begin >= 50000 && now() - begin < 5000000);
	assert_false(packet_send_by(pair[0], 'F', text, sizeof text, NULL, 0, 0));
	for (size_t i = 0; i < sent; i++) {
		assert_int_equal(packet_receive(pair[1], &packet, 0), PACKET_OK);
		assert_int_equal(packet.len, sizeof text);
	}
	assert_int_equal(packet_receive(pair[1], &packet, 0), PACKET_LATE);
}

/* No SIGPIPE, and what was said before it left is heard. */
static void test_the_other_end_leaves(void **state)
{
	(void)state;
	assert_true(packet_send(pair[0], 'E', "", 0));
	(void)close(pair[0]);
	pair[0] = -1;
	assert_int_equal(packet_receive(pair[1], &packet, -1), PACKET_OK);
	assert_int_equal(packet_receive(pair[1], &packet, -1), PACKET_GONE);
	assert_int_equal(packet_receive(pair[1], &packet, 1000000), PACKET_GONE);
	assert_false(packet_send(pair[1], 'E', "", 0));
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, open_pair, close_pair)
	const struct CMUnitTest tests[] = {
	    T(test_text),
	    T(test_the_longest),
	    T(test_descriptors),
	    T(test_too_many_descriptors),
	    T(test_too_long),
	    T(test_patience),
	    T(test_patience_of_sending),
	    T(test_the_other_end_leaves),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
