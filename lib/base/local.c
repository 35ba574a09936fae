#include "lib/base/local.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"

static int listen_at(const char *path, int type, int backlog)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	int fd;

	if (len >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, len);
	if (unlink(path) != 0 && errno != ENOENT)
		return -1;

	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
	    chmod(path, 0666) != 0 || listen(fd, backlog) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

int local_listen(const char *path, int backlog)
{
	return listen_at(path, SOCK_STREAM, backlog);
}

int local_listen_packets(const char *path, int backlog)
{
	return listen_at(path, SOCK_SEQPACKET, backlog);
}

bool local_send(int fd, const char *path, const char *bytes, size_t len, int64_t patience)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval timeout = {
	    .tv_sec = patience / CLOCK_SECOND, .tv_usec = patience % CLOCK_SECOND};
	size_t path_len = strlen(path);

	if (path_len >= sizeof address.sun_path)
		return false;
	memcpy(address.sun_path, path, path_len);
	/* For a Unix socket this bounds connect, too, which could not be polled for. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) != 0)
		return false;
	return connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
	       send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

int local_signals(void)
{
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_SETMASK, &set, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		die_environ("setting signals up");
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		die_environ("making a signal descriptor");
	return fd;
}
