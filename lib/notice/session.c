#include "lib/notice/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/confine.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/notice/handin.h"
#include "lib/notice/report.h"
#include "queue/intake.h"

#define PREFIX ((size_t)4)

/* ---- confinement -------------------------------------------------------------------------- */

#ifndef __SANITIZE_ADDRESS__
static bool deny_calls(void)
{
	static const struct confine_call calls[] = {
	    CONFINE_CALLS_OF_ALL, CONFINE_CALLS_OF_POLL, {.number = SYS_pread64},
	    {.number = SYS_writev}, {.number = SYS_pwritev2}, {.number = SYS_recvfrom},
	    {.number = SYS_recvmsg}, {.number = SYS_sendto}, {.number = SYS_sendmsg},
	    {.number = SYS_socket, .has_first = true, .first = AF_UNIX}, {.number = SYS_connect},
	    {.number = SYS_setsockopt}, {.number = SYS_fcntl}, {.number = SYS_newfstatat},
	    {.number = SYS_tgkill}, {.number = SYS_rt_sigprocmask}, {.number = SYS_rt_sigaction},
#ifdef SEKISHO_TESTING
	    {.number = SYS_openat}, /* run/clock; Landlock forbids it all the same */
#endif
	};

	return confine_calls(calls, COUNT_OF(calls), CONFINE_EPERM);
}
#endif

static void confine(void)
{
	if (!confine_files(-1))
		die_environ("confining to no files");
#ifndef __SANITIZE_ADDRESS__
	if (!deny_calls())
		die_environ("confining to a few calls");
#endif
}

/* ---- the request -------------------------------------------------------------------------- */

struct session {
	int client;
	int leg; /* -1: none came */
	size_t len;
	char *text; /* len bytes and a NUL */
};

/* The one descriptor that came with the message, or -1; any other is closed. */
static int take_descriptor(struct msghdr *message)
{
	int taken = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (taken < 0)
				taken = fd;
			else
				(void)close(fd);
		}
	}
	return taken;
}

/* Reads the first bytes, with which the leg comes. Returns how many; 0: it has gone. */
static size_t receive_first(struct session *s, char *bytes, size_t room)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec piece = {.iov_base = bytes, .iov_len = room};
	struct msghdr message = {.msg_iov = &piece,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof control.bytes};
	ssize_t n;

	do {
		n = recvmsg(s->client, &message, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return 0;
	s->leg = take_descriptor(&message);
	return (size_t)n;
}

static bool receive_rest(struct session *s, char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = recv(s->client, bytes, len, 0); /* a further descriptor is dropped */

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* Hears the request. NULL: it is whole; otherwise the reason for the log. */
static const char *hear(struct session *s)
{
	unsigned char prefix[PREFIX];
	size_t have = receive_first(s, (char *)prefix, sizeof prefix);

	if (have == 0 || !receive_rest(s, (char *)prefix + have, sizeof prefix - have))
		return "closed";
	s->len =
	    (size_t)prefix[0] << 24 | (size_t)prefix[1] << 16 | (size_t)prefix[2] << 8 | prefix[3];
	if (s->len == 0 || s->len > NOTICE_REQUEST_MAX)
		return "length";
	s->text = malloc(s->len + 1);
	if (s->text == NULL)
		return "no-memory";
	if (!receive_rest(s, s->text, s->len))
		return "closed";
	s->text[s->len] = '\0';
	return NULL;
}

/* ---- the answer --------------------------------------------------------------------------- */

static void say(const struct session *s, const struct notice_answer *answer)
{
	static const char *const words[] = {[NOTICE_KEPT] = "kept",
	    [NOTICE_NONE] = "none",
	    [NOTICE_LATER] = "later",
	    [NOTICE_WRONG] = "wrong"};
	char line[sizeof answer->reason + 16];
	int len = snprintf(line, sizeof line, "%s %s\n", words[answer->result],
	    answer->result == NOTICE_KEPT ? answer->id : answer->reason);

	/* Who has gone asks again; he then has it twice, which is better than not at all. */
	if (send(s->client, line, (size_t)len, MSG_NOSIGNAL) != len)
		LOG("notice-unheard", kv("id", answer->id));
}

static void refuse(
    const struct session *s, enum notice_result result, const char *reason, bool alarm)
{
	struct notice_answer answer;

	notice_answer_set(&answer, result, reason);
	if (alarm)
		LOG_ALARM("notice-malformed", kv("why", reason));
	say(s, &answer);
}

/* Who lets people in can have the mail made that he needs for it, and no other; nobody else can have that. */
static bool may_ask(enum notice_door door, const struct notice_request *request, int leg)
{
	bool login = request->verb == NOTICE_GATE && request->kind == KIND_LOGIN &&
		     request->attach == ATTACH_NONE && leg < 0;

	if (door == NOTICE_DOOR_LOGIN)
		return login;
	return request->verb != NOTICE_GATE || request->kind != KIND_LOGIN;
}

static void serve(
    struct session *s, enum notice_door door, const struct notice_config *config, int64_t now)
{
	const char *fault = hear(s);
	struct notice_request request;
	struct notice_answer answer;

	if (fault != NULL && strcmp(fault, "closed") == 0)
		return; /* nobody is there to be answered */
	if (fault != NULL) {
		bool memory = strcmp(fault, "no-memory") == 0;

		refuse(s, memory ? NOTICE_LATER : NOTICE_WRONG, fault, !memory);
		return;
	}
	switch (notice_request_read(s->text, s->len, &request)) {
	case NOTICE_READ_MALFORMED:
		refuse(s, NOTICE_WRONG, "request", true);
		return;
	case NOTICE_READ_NO_MEMORY:
		refuse(s, NOTICE_LATER, "no-memory", false);
		return;
	case NOTICE_READ_FINE:
		break;
	}
	if (may_ask(door, &request, s->leg)) {
		notice_report(config, INTAKE_OWN_SOCKET, s->leg, &request, now, &answer);
		say(s, &answer);
	} else {
		refuse(s, NOTICE_WRONG, "door", true);
	}
	notice_request_free(&request);
}

_Noreturn void notice_session(
    int client, enum notice_door door, const struct notice_config *config, pid_t server)
{
	struct session s = {.client = client, .leg = -1};
	int64_t now = clock_wall();

	/* What is still in hand when the server ends was never answered: it is asked for again. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != server)
		_exit(EXIT_ENVIRON);
	(void)alarm((unsigned)(config->settings.notice_time / CLOCK_SECOND));
	confine();
	serve(&s, door, config, now);
	free(s.text);
	_exit(EXIT_FINE);
}
