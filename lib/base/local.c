#include "lib/base/local.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
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

int local_connect_packets(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	int fd;

	if (len >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, len);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

bool local_peer_may(int fd, uid_t user, uid_t *uid)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t len = sizeof peer;
	bool known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0;

	if (uid != NULL)
		*uid = known ? peer.uid : (uid_t)-1;
	return known &&
	       (peer.uid == 0 || peer.uid == geteuid() || (user != (uid_t)-1 && peer.uid == user));
}

bool local_has_employer(void)
{
	int type = 0;
	socklen_t len = sizeof type;

	return getsockopt(LOCAL_FD, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_SEQPACKET;
}

/* The pair's other end becomes LOCAL_FD, also if it is that already. Returns an errno value. */
static int spawn(const char *program, int socket, pid_t *pid)
{
	char word[] = "-s", path[] = "PATH=/usr/bin:/bin", locale[] = "LC_ALL=C.UTF-8";
	char *argv[] = {(char *)(uintptr_t)program, word, NULL};
	char *environment[] = {path, locale, NULL};
	posix_spawn_file_actions_t actions;
	int error = posix_spawn_file_actions_init(&actions);

	if (error != 0)
		return error;
	error = posix_spawn_file_actions_adddup2(&actions, socket, LOCAL_FD);
	if (error == 0)
		error = posix_spawn(pid, program, &actions, NULL, argv, environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	return error;
}

int local_start(const char *program, pid_t *pid)
{
	int pair[2], error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	error = spawn(program, pair[1], pid);
	(void)close(pair[1]);
	if (error == 0)
		return pair[0];
	(void)close(pair[0]);
	errno = error;
	return -1;
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
