/*
 * The process of one employer. It reads questions and messages; plain text it opens itself, for any
 * other message it forks a process that opens this one and no other. Timers of the kernel end what
 * takes too long: SIGPROF for processor time, SIGALRM for time.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/inspect/facts.h"
#include "lib/inspect/packet.h"

#define RECIPIENTS_BYTES ((size_t)8 * 1024 * 1024)
#define SECOND           INT64_C(1000000)
#define EXIT_TOLD        42 /* of the process of a message: all its facts are on their way */

struct worker {
	int socket;
	const struct inspect_tables *tables;
	struct ask ask;
	struct inspector *inspector; /* NULL: nothing has been asked yet */
	struct buf recipients;
	struct packet packet;
	struct facts_out out;
};

/* ---- timers ---- */

static void set_timer(int which, int64_t microseconds)
{
	struct itimerval t = {
	    .it_value = {.tv_sec = microseconds / SECOND, .tv_usec = microseconds % SECOND}};

	if (setitimer(which, &t, NULL) != 0)
		die_environ("setting a timer");
}

static void arm(const struct inspect_limits *limits)
{
	set_timer(ITIMER_REAL, limits->inspect_time);
	set_timer(ITIMER_PROF, limits->inspect_cpu);
}

static void disarm(void)
{
	set_timer(ITIMER_REAL, 0);
	set_timer(ITIMER_PROF, 0);
}

/* What ended the process of a message, in the words of sekisho-facts(5). */
static const char *reason_of(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == EXIT_ENVIRON ? "memory" : "failed";
	switch (WTERMSIG(status)) {
	case SIGXFSZ:
		return "expansion";
	case SIGPROF:
		return "cpu";
	case SIGALRM:
		return "time";
	default:
		return "crashed";
	}
}

/* ---- one message ---- */

/*
 * In the process of one message. The scratch that it may write is bounded by what may be unpacked:
 * a message that has taken over its process cannot fill the disk.
 */
static void bound_scratch(const struct inspection *i)
{
	uint64_t most = (uint64_t)i->by->ask.limits.inspect_expansion + i->message.size;
	struct rlimit file = {most, most};

	if (setrlimit(RLIMIT_FSIZE, &file) != 0)
		die_environ("bounding scratch");
}

NORETURN static void be_message(
    struct worker *w, struct inspection *i, const char *view, pid_t parent)
{
	bool told = true;

	(void)close(w->socket);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		die_environ("ending with the employer's process");
	bound_scratch(i);
	arm(&w->ask.limits);
	inspect_confine_more();
	if (*view != '\0')
		told = inspection_view(i, view);
	else
		inspection_tell(i);
	facts_flush(&w->out);
	/* What was allocated ends with the process. */
	_exit(told && !w->out.gone ? EXIT_TOLD : EXIT_NO);
}

/* Waits for the process of a message. An employer that leaves meanwhile takes both away. */
static int wait_for_message(const struct worker *w, pid_t pid)
{
	struct pollfd p[2] = {{.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN},
	    {.fd = w->socket, .events = POLLRDHUP}};
	int status = 0;

	while (p[0].fd >= 0 && p[0].revents == 0) {
		if (poll(p, COUNT_OF(p), -1) < 0 && errno != EINTR)
			break;
		if ((p[1].revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0)
			_exit(EXIT_NO); /* and the other one with it */
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (p[0].fd >= 0)
		(void)close(p[0].fd);
	return status;
}

/* Returns why the facts are not complete, or "". */
static const char *in_a_process(struct worker *w, struct inspection *i, const char *view)
{
	pid_t parent = getpid(), pid;
	int status;

	facts_flush(&w->out);
	pid = fork();
	if (pid == 0)
		be_message(w, i, view, parent);
	if (pid < 0) {
		LOG_ALARM("session-unstarted", kv_errno(errno));
		return "memory";
	}
	status = wait_for_message(w, pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_TOLD)
		return "";
	LOG("message-ended", kv("reason", reason_of(status)),
	    kv_num("status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
	return reason_of(status);
}

/* Plain text, here. False: it turned out to be more, and nothing has been told. */
static bool tell_here(struct worker *w, struct inspection *i)
{
	bool told;

	i->shared = true;
	w->out.hold = true;
	inspection_tell(i);
	told = !i->alone && !w->out.over;
	w->out.hold = w->out.over = false;
	if (!told) {
		w->out.len = 0;
		inspection_again(i);
	}
	return told;
}

/* Returns why the facts are not complete, or "". */
static const char *inspect(struct worker *w, const struct inspect_order *order)
{
	struct inspection i = {.by = w->inspector,
	    .socket = w->packet.fd[3],
	    .message = {w->packet.fd[0], order->offset, order->size},
	    .part = w->packet.fd[1],
	    .unpacked = w->packet.fd[2],
	    .from = order->has_from ? order->from : NULL,
	    .recipients = w->recipients.len > 0 ? w->recipients.bytes : "",
	    .recipients_len = w->recipients.len,
	    .out = &w->out};
	const char *cut = "";

	arm(&w->ask.limits);
	if (inspection_begin(&i)) {
		bool told = inspection_is_plain(&i) && *order->view == '\0' && tell_here(w, &i);

		disarm();
		if (!told)
			cut = in_a_process(w, &i, order->view);
	}
	disarm();
	inspection_end(&i);
	facts_flush(&w->out);
	buf_clear(&w->recipients);
	return w->out.gone ? "failed" : cut;
}

/* ---- packets ---- */

static bool say_wrong(const struct worker *w, const char *why)
{
	LOG_ALARM("ask-refused", kv("why", why));
	(void)!packet_send(w->socket, 'Q', why, strlen(why));
	return false;
}

static bool take_ask(struct worker *w)
{
	char fault[256];

	if (w->ask.complete)
		return say_wrong(w, "it was asked already");
	if (!ask_read(&w->ask, w->packet.text, w->packet.len, fault, sizeof fault))
		return say_wrong(w, fault);
	if (!w->ask.complete)
		return true;
	w->inspector = inspector_new(w->tables, &w->ask, fault, sizeof fault);
	return w->inspector != NULL || say_wrong(w, fault);
}

/* What can be written could be changed by whoever takes this process over. */
static bool only_read(int fd)
{
	return pwrite(fd, "", 0, 0) < 0 && errno == EBADF;
}

static bool take_message(struct worker *w)
{
	struct inspect_order order;
	const char *cut;

	if (w->inspector == NULL || w->packet.fds != PACKET_FDS_MAX ||
	    !only_read(w->packet.fd[0]) || !inspect_order_read(&order, w->packet.text))
		return say_wrong(w, "no message");
	facts_open(&w->out, w->packet.fd[3]);
	cut = inspect(w, &order);
	/* The message's own socket first: its end is the end of its facts. */
	packet_close(&w->packet);
	return packet_send(w->socket, 'E', cut, strlen(cut));
}

static bool take_recipients(struct worker *w)
{
	buf_add(&w->recipients, w->packet.text, w->packet.len);
	return buf_ok(&w->recipients) || say_wrong(w, "more recipients than there can be");
}

static bool take(struct worker *w)
{
	switch (w->packet.type) {
	case 'A':
		return take_ask(w);
	case 'R':
		return take_recipients(w);
	case 'M':
		return take_message(w);
	default:
		return say_wrong(w, "a packet of no known type");
	}
}

int inspect_serve(int socket, const struct inspect_tables *tables)
{
	struct worker *w = calloc(1, sizeof *w);
	bool fine = true;

	if (w == NULL)
		die_environ("memory");
	w->socket = socket;
	w->tables = tables;
	ask_init(&w->ask);
	buf_init(&w->recipients, RECIPIENTS_BYTES);
	while (fine && packet_receive(socket, &w->packet, -1) == PACKET_OK) {
		fine = take(w);
		packet_close(&w->packet);
	}
	inspector_free(w->inspector);
	ask_free(&w->ask);
	buf_free(&w->recipients);
	free(w);
	return fine ? EXIT_FINE : EXIT_NO;
}
