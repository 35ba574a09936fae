/* One request, in the process that it has for itself. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/inspect/packet.h"
#include "lib/seal/client.h"
#include "lib/seal/seal.h"

#define EXIT_NO  1
#define PATIENCE ((int64_t)60 * 1000000) /* for the next packet of the request */

struct request {
	int socket;
	const struct settings *settings;
	const struct seal_tables *tables;
	struct buf lines;
	struct packet packet;
};

static bool wrong(const struct request *r, const char *why)
{
	static const char answer[] = "later request";

	LOG_ALARM("ask-refused", kv("why", why));
	(void)!packet_send(r->socket, 'E', answer, sizeof answer - 1);
	return false;
}

/* What can be written could be changed by whoever takes this process over. */
static bool only_read(int fd)
{
	return pwrite(fd, "", 0, 0) < 0 && errno == EBADF;
}

static bool take_lines(struct request *r)
{
	buf_add(&r->lines, r->packet.text, r->packet.len);
	return buf_ok(&r->lines) || wrong(r, "more than can be asked");
}

static bool tell(const struct request *r, const struct seal_result *result)
{
	struct buf text;
	bool done;

	buf_init(&text, 256);
	seal_answer_write(result, &text);
	done = buf_ok(&text) && packet_send(r->socket, 'E', text.bytes, text.len);
	buf_free(&text);
	return done;
}

static size_t larger(int64_t a, int64_t b)
{
	return (size_t)(a > b ? a : b);
}

static bool take_message(struct request *r)
{
	const struct settings *s = r->settings;
	struct seal_limits limits = {.depth = (size_t)s->inspect_depth,
	    .parts = (size_t)s->inspect_parts,
	    .header = larger(s->header_size, s->inspect_header)};
	struct source content = {.fd = r->packet.fd[0]};
	struct seal_result result;
	struct seal_order *order;
	bool done;
	int used = 0;

	if (r->packet.fds != 2 || !only_read(r->packet.fd[0]) ||
	    sscanf(r->packet.text, "%" SCNu64 " %" SCNu64 "%n", &content.start, &content.size,
		&used) != 2 ||
	    (size_t)used != r->packet.len)
		return wrong(r, "no message");
	order = malloc(sizeof *order);
	if (order == NULL)
		return wrong(r, "no memory");
	seal_order_init(order);
	if (seal_order_read(order, r->lines.bytes, r->lines.len)) {
		seal_content(&content, r->packet.fd[1], order, &limits, r->tables, &result);
		done = tell(r, &result);
	} else {
		done = wrong(r, "lines that are no order");
	}
	seal_order_free(order);
	free(order);
	return done;
}

int seal_serve(int socket, const struct settings *settings, const struct seal_tables *tables)
{
	struct request *r = calloc(1, sizeof *r);
	bool more = true, fine = false;

	if (r == NULL)
		die_environ("memory");
	r->socket = socket;
	r->settings = settings;
	r->tables = tables;
	buf_init(&r->lines, SEAL_ORDER_MAX);
	while (more && packet_receive(socket, &r->packet, PATIENCE) == PACKET_OK) {
		if (r->packet.type == 'T') {
			more = take_lines(r);
		} else {
			more = false;
			fine = r->packet.type == 'S' ? take_message(r)
						     : wrong(r, "a packet of no known type");
		}
		packet_close(&r->packet);
	}
	buf_free(&r->lines);
	free(r);
	return fine ? EXIT_FINE : EXIT_NO;
}
