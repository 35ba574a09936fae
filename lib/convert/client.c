#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/convert/convert.h"
#include "lib/convert/protocol.h"

const char *convert_status_word(enum convert_status status)
{
	static const char *const words[] = {
#define S(name, word) word,
	    CONVERT_STATUSES(S)
#undef S
	};

	return (size_t)status < COUNT_OF(words) ? words[status] : "";
}

bool convert_ask(int socket, const char *tool, const struct source *file)
{
	struct convert_request request = {.offset = file->start, .size = file->size};
	size_t len = strlen(tool);

	if (len >= sizeof request.tool) {
		errno = EINVAL;
		return false;
	}
	memcpy(request.tool, tool, len);
	return convert_put(socket, &request, sizeof request, file->fd);
}

/* 1: something has come, or the end; 0: not in time; -1 errno. */
static int wait_for(int socket, int64_t patience)
{
	int64_t until = clock_boot() + patience;

	for (;;) {
		struct pollfd p = {.fd = socket, .events = POLLIN};
		int64_t left = until - clock_boot();
		int n;

		if (left < 0)
			return 0;
		n = poll(&p, 1, left / 1000 >= INT32_MAX ? INT32_MAX : (int)(left / 1000 + 1));
		if (n != 0 && !(n < 0 && errno == EINTR))
			return n;
	}
}

/* Whoever converts reads strangers' bytes: what it hands over must not change under the reader. */
static bool is_text(int fd, uint64_t bytes)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= 0 &&
	       (uint64_t)st.st_size == bytes;
}

bool convert_hear(int socket, int64_t patience, struct convert_answer *answer)
{
	struct convert_reply reply;
	int ready = wait_for(socket, patience);
	int fd = -1;

	*answer = (struct convert_answer){
	    .status = ready == 0 ? CONVERT_STATUS_TIME : CONVERT_STATUS_FAILED, .text = -1};
	if (ready <= 0 || convert_get(socket, &reply, sizeof reply, &fd) != 1)
		return false;
	if (reply.status >= CONVERT_STATUS_COUNT ||
	    (reply.status == CONVERT_STATUS_DONE) != is_text(fd, reply.bytes)) {
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	answer->status = reply.status;
	answer->truncated = reply.truncated != 0;
	answer->flawed = reply.flawed != 0;
	answer->bytes = reply.bytes;
	answer->text = fd;
	return true;
}

bool convert_file(int socket, const char *tool, const struct source *file, int64_t patience,
    struct convert_answer *answer)
{
	if (convert_ask(socket, tool, file))
		return convert_hear(socket, patience, answer);
	*answer = (struct convert_answer){.status = CONVERT_STATUS_FAILED, .text = -1};
	return false;
}
