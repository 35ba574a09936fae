/* One file: a tool's process, watched until it ends or has to. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/convert/server.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* What a tool says on standard error is a stranger's: it is only searched for these. */
enum said {
	SAID_PASSWORD,
	SAID_LANGUAGE,
	SAID_MEMORY_1,
	SAID_MEMORY_2,
	SAID_ERROR,
	SAID_COUNT,
};

static const char *const phrases[SAID_COUNT] = {
    "Incorrect password", "Missing language pack", "Out of memory", "bad_alloc", "Syntax Error"};

#define PHRASE_MAX 32

struct watched {
	pid_t pid;
	int pidfd;
	int errors;
	int employer;
	int64_t until;
	bool said[SAID_COUNT];
	char heard[PHRASE_MAX + 4096]; /* the end of what was read last, and what came then */
	size_t kept;
	bool late;
	bool alone; /* the employer has gone */
};

/* Looks for the phrases in what is new, and in those that began in what was heard before. */
static void listen_for(struct watched *w, size_t more)
{
	size_t len = w->kept + more;

	for (size_t i = 0; i < SAID_COUNT; i++)
		w->said[i] =
		    w->said[i] || memmem(w->heard, len, phrases[i], strlen(phrases[i])) != NULL;
	w->kept = len < PHRASE_MAX ? len : PHRASE_MAX;
	memmove(w->heard, w->heard + len - w->kept, w->kept);
}

/* False: nothing more comes, or not just now. */
static bool hear(struct watched *w)
{
	ssize_t n = read(w->errors, w->heard + w->kept, sizeof w->heard - w->kept);

	if (n < 0 && errno == EINTR)
		return true;
	if (n > 0)
		listen_for(w, (size_t)n);
	return n > 0;
}

/* Until the tool has ended, its time is over, or nobody waits for it any more. */
static void watch(struct watched *w)
{
	bool open = true;

	for (;;) {
		struct pollfd p[3] = {{.fd = w->pidfd, .events = POLLIN},
		    {.fd = open ? w->errors : -1, .events = POLLIN}, {.fd = w->employer}};
		int64_t left = w->until - clock_boot();

		w->late = left <= 0;
		if (w->late)
			return;
		if (poll(p, COUNT_OF(p), clock_patience((int)(left / 1000 + 1))) < 0)
			continue;
		if (p[1].revents != 0)
			open = hear(w);
		w->alone = (p[2].revents & (POLLHUP | POLLERR)) != 0;
		if (w->alone || p[0].revents != 0)
			return;
	}
}

/* Ends it, if it has not ended, and whatever it may have begun. Returns how it ended. */
static int finish(struct watched *w)
{
	int status = 0;

	if (w->late || w->alone)
		(void)kill(w->pid, SIGKILL);
	(void)kill(-w->pid, SIGKILL);
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	/* What it said last; the pipe's other end is closed now. */
	while (!w->late && !w->alone && hear(w))
		;
	return status;
}

/* What the end of the tool means. `cut`: the text is as long as it may be. */
static enum convert_status meaning(const struct watched *w, int status, bool cut)
{
	int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (w->late || signal == SIGXCPU)
		return CONVERT_STATUS_TIME;
	if (cut && signal == SIGXFSZ)
		return CONVERT_STATUS_DONE;
	if (w->said[SAID_MEMORY_1] || w->said[SAID_MEMORY_2] || signal == SIGKILL)
		return CONVERT_STATUS_MEMORY;
	if (signal != 0 || WEXITSTATUS(status) == 127)
		return CONVERT_STATUS_FAILED;
	/* Then it leaves the text out, and calls that success. */
	if (w->said[SAID_LANGUAGE])
		return CONVERT_STATUS_FAILED;
	if (WEXITSTATUS(status) == 0)
		return CONVERT_STATUS_DONE;
	return w->said[SAID_PASSWORD] ? CONVERT_STATUS_ENCRYPTED : CONVERT_STATUS_DAMAGED;
}

/* Starts the tool. False: errno. */
static bool start(struct watched *w, struct convert_job *job)
{
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC) != 0)
		return false;
	(void)fcntl(pipes[0], F_SETFL, O_NONBLOCK); /* the tool's own end waits */
	job->errors = pipes[1];
	w->errors = pipes[0];
	w->pid = fork();
	if (w->pid == 0)
		convert_become(job);
	(void)close(pipes[1]);
	w->pidfd = w->pid > 0 ? pidfd_open(w->pid, 0) : -1;
	if (w->pidfd >= 0)
		return true;
	if (w->pid > 0) {
		w->alone = true;
		(void)finish(w);
	}
	(void)close(pipes[0]);
	return false;
}

static void tell(const struct convert_tool *tool, enum convert_status status, int end)
{
	LOG("conversion-failed", kv("tool", tool->word), kv("status", convert_status_word(status)),
	    kv_num("code", WIFEXITED(end) ? WEXITSTATUS(end) : -1),
	    kv_num("signal", WIFSIGNALED(end) ? WTERMSIG(end) : 0));
}

/* Nobody, the tool's last child included, can change the text from here on. */
static bool seal(int text, uint64_t *bytes)
{
	struct stat st;

	if (fcntl(text, F_ADD_SEALS, SEALS) != 0 || fstat(text, &st) != 0 || st.st_size < 0)
		return false;
	*bytes = (uint64_t)st.st_size;
	return true;
}

enum convert_status convert_run(const struct settings *settings, const struct convert_tool *tool,
    int in, int employer, struct convert_answer *answer)
{
	struct convert_job job = {.tool = tool, .settings = settings, .parent = getpid(), .in = in};
	struct watched w = {.employer = employer, .until = clock_boot() + settings->convert_time};
	int end;

	*answer = (struct convert_answer){.status = CONVERT_STATUS_FAILED, .text = -1};
	job.text = memfd_create("text", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (job.text < 0 || !start(&w, &job)) {
		LOG_ALARM("conversion-unstarted", kv("tool", tool->word), kv_errno(errno));
		goto out;
	}
	watch(&w);
	end = finish(&w);
	(void)close(w.pidfd);
	(void)close(w.errors);
	if (!seal(job.text, &answer->bytes))
		goto out;
	answer->truncated = answer->bytes >= (uint64_t)settings->convert_text;
	answer->flawed = w.said[SAID_ERROR];
	answer->status = meaning(&w, end, answer->truncated);
	if (answer->status == CONVERT_STATUS_DONE) {
		answer->text = job.text;
		return answer->status;
	}
	if (answer->status != CONVERT_STATUS_ENCRYPTED && answer->status != CONVERT_STATUS_DAMAGED)
		tell(tool, answer->status, end);
out:
	if (job.text >= 0)
		(void)close(job.text);
	answer->bytes = 0;
	return answer->status;
}
