/* What an employer may send to seki-remote: any bytes, as frames; no command ends within itself (S2). */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/remote/command.h"
#include "lib/remote/frame.h"
#include "lib/remote/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_command(const char *out, size_t len)
{
	if (len == 0)
		return;
	if (len > COMMAND_ROOM || memcmp(out + len - 2, "\r\n", 2) != 0)
		abort();
	for (size_t i = 0; i < len - 2; i++) {
		if ((unsigned char)out[i] < ' ' || out[i] == 0x7f)
			abort();
	}
}

static void check_order(struct frame *frame)
{
	static struct remote_order order;

	if (!remote_read_order(frame->bytes, frame->len, &order))
		return;
	if (order.peers == 0 || order.peers > REMOTE_PEERS_MAX ||
	    strpbrk(order.helo, "\r\n ") != NULL || order.limits.dot < 1 ||
	    order.limits.recipients > 10000)
		abort();
}

static void check_message(struct frame *frame)
{
	static const struct offer offer = {
	    .pipelining = true, .size = true, .eightbit = true, .utf8 = true, .dsn = true};
	struct remote_message m;
	char out[COMMAND_ROOM];
	bool utf8;

	if (!remote_read_message(frame->bytes, frame->len, &m))
		return;
	if (m.offset < 0 || strlen(m.sha256) != LEG_DIGEST_LEN || m.envelope.rcpts == 0)
		abort();
	utf8 = remote_needs_utf8(&m.envelope);
	check_command(out, remote_write_mail(&m.envelope, m.size, utf8, &offer, out));
	for (size_t i = 0; i < m.envelope.rcpts; i++)
		check_command(out, remote_write_rcpt(&m.envelope.rcpt[i], utf8, &offer, out));
	leg_free(&m.envelope);
}

/* One text behind a true header, for those that would be long in guessing it. */
static void as_text(char type, const uint8_t *data, size_t size)
{
	struct frame frame = {.type = type, .len = size, .bytes = malloc(size + 1), .fd = -1};

	if (frame.bytes == NULL)
		abort();
	memcpy(frame.bytes, data, size);
	frame.bytes[size] = '\0';
	if (type == 'O')
		check_order(&frame);
	else
		check_message(&frame);
	frame_free(&frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct frames_in in;
	struct frame frame;
	int pair[2];

	if (size == 0 || size > 65536)
		return 0;
	if (data[0] == 'o' || data[0] == 's') {
		as_text(data[0] == 'o' ? 'O' : 'S', data + 1, size - 1);
		return 0;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0 ||
	    send(pair[0], data, size, 0) != (ssize_t)size || close(pair[0]) != 0)
		abort();
	frames_in_init(&in, pair[1]);
	while (frame_read(&in, 4096, &frame) == FRAME_OK) {
		if (frame.len > 4096 || frame.fd >= 0)
			abort();
		if (frame.type == 'O')
			check_order(&frame);
		else
			check_message(&frame);
		frame_free(&frame);
	}
	frames_in_free(&in);
	(void)close(pair[1]);
	return 0;
}
