#include "lib/seal/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/local.h"
#include "lib/inspect/packet.h"

static void later(struct seal_result *result, const char *why)
{
	*result = (struct seal_result){.end = SEAL_LATER};
	(void)snprintf(result->why, sizeof result->why, "%s", why);
}

/* ---- the answer ---- */

void seal_answer_write(const struct seal_result *result, struct buf *out)
{
	if (result->end == SEAL_DONE)
		buf_addf(out, "done %" PRIu64 " removed=%zu inserted=%s", result->size,
		    result->removed, seal_inserted_word(result->inserted));
	else
		buf_addf(out, "%s %s", result->end == SEAL_LATER ? "later" : "no", result->why);
}

/* A number behind `key`, up to a blank. */
static bool take_number(const char **text, const char *key, uint64_t *number)
{
	char *end;

	if (strncmp(*text, key, strlen(key)) != 0)
		return false;
	*text += strlen(key);
	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*number = strtoull(*text, &end, 10);
	*text = end;
	return errno == 0;
}

/* A reason is one of our words: it gets into records and into the log. */
static bool take_why(const char *text, struct seal_result *result)
{
	size_t len = strlen(text);

	if (len == 0 || len >= sizeof result->why ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyz-") != len)
		return false;
	memcpy(result->why, text, len + 1);
	return true;
}

bool seal_answer_read(const char *text, struct seal_result *result)
{
	uint64_t removed;

	*result = (struct seal_result){.end = SEAL_DONE};
	if (strncmp(text, "later ", 6) == 0) {
		result->end = SEAL_LATER;
		return take_why(text + 6, result);
	}
	if (strncmp(text, "no ", 3) == 0) {
		result->end = SEAL_NO;
		return take_why(text + 3, result);
	}
	if (!take_number(&text, "done ", &result->size) ||
	    !take_number(&text, " removed=", &removed) || strncmp(text, " inserted=", 10) != 0)
		return false;
	result->removed = (size_t)removed;
	for (int i = SEAL_INSERTED_NO; i <= SEAL_INSERTED_WRAPPED; i++) {
		if (strcmp(text + 10, seal_inserted_word((enum seal_inserted)i)) == 0) {
			result->inserted = (enum seal_inserted)i;
			return true;
		}
	}
	return false;
}

/* ---- asking ---- */

static bool send_lines(int socket, const struct buf *lines, int64_t until)
{
	const size_t most = PACKET_MAX - 1;

	for (size_t at = 0; at < lines->len; at += most) {
		size_t len = lines->len - at < most ? lines->len - at : most;

		if (!packet_send_by(
			socket, 'T', lines->bytes + at, len, NULL, 0, until - clock_boot()))
			return false;
	}
	return true;
}

static bool send_order(int socket, const struct source *content, int output, int64_t until)
{
	const int fd[2] = {content->fd, output};
	char text[64];
	int n = snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64, content->start, content->size);

	return packet_send_by(socket, 'S', text, (size_t)n, fd, 2, until - clock_boot());
}

static void hear(int socket, int output, int64_t until, struct seal_result *result)
{
	struct packet *packet = malloc(sizeof *packet);
	struct stat st;

	if (packet == NULL) {
		later(result, "memory");
		return;
	}
	switch (packet_receive(socket, packet, until - clock_boot())) {
	case PACKET_OK:
		packet_close(packet);
		if (packet->type != 'E' || !seal_answer_read(packet->text, result))
			later(result, "answer");
		break;
	case PACKET_LATE:
		later(result, "time");
		break;
	case PACKET_GONE:
	case PACKET_WRONG:
		later(result, "ended");
		break;
	}
	if (result->end == SEAL_DONE &&
	    (fstat(output, &st) != 0 || (uint64_t)st.st_size != result->size))
		later(result, "answer");
	free(packet);
}

void seal_ask(const char *path, const struct source *content, int output, const struct buf *lines,
    int64_t patience, struct seal_result *result)
{
	int64_t until = clock_boot() + patience;
	int socket = local_connect_packets(path);

	if (socket < 0) {
		later(result, "not-there");
		return;
	}
	/* One that ended early may have said why. */
	if (!send_lines(socket, lines, until) || !send_order(socket, content, output, until)) {
		later(result, "ended");
		if (errno == EPIPE || errno == ECONNRESET)
			hear(socket, output, until, result);
	} else {
		hear(socket, output, until, result);
	}
	(void)close(socket);
}
