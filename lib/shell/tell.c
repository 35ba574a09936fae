#include "lib/shell/tell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/xtext.h"
#include "lib/shell/out.h"
#include "lib/shell/who.h"

#define PATIENCE 30 /* seconds for an answer: a disk under load may take long over one sync */

struct order order_by_us(enum order_word word)
{
	struct order order = {.word = word, .via = "shell"};
	char by[WHO_ROOM];

	who(by);
	order.by[xtext_encode_cut(by, strlen(by), order.by, ORDER_BY_MAX)] = '\0';
	return order;
}

/* Connects to the stage. -1 after a complaint. */
static int call(const char *program)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = PATIENCE};
	char path[ORDER_PATH_MAX];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	order_path(program, path);
	(void)snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) {
		complain("a socket cannot be made: %s", strerrordesc_np(errno));
	} else if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0) {
		return fd;
	} else if (errno == ENOENT || errno == ECONNREFUSED) {
		complain("%s is not running", program);
	} else {
		complain("%s cannot be reached: %s", program, strerrordesc_np(errno));
	}
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

enum told tell_stage(const char *program, const struct order *order, struct order_answer *answer)
{
	char line[ORDER_LINE_MAX];
	size_t len = order_format(order, line, sizeof line), got = 0;
	int fd = len > 0 ? call(program) : -1;
	ssize_t n = -1;

	if (fd < 0)
		return TOLD_NOBODY;
	if (send(fd, line, len, MSG_NOSIGNAL) == (ssize_t)len) {
		do {
			n = recv(fd, line + got, sizeof line - got, 0);
			got += n > 0 ? (size_t)n : 0;
		} while (n > 0 && got < sizeof line);
	}
	(void)close(fd);
	if (n != 0 || got == 0 || line[got - 1] != '\n' ||
	    !order_answer_parse(line, got - 1, answer))
		return TOLD_UNANSWERED;
	return TOLD;
}
