/* nginx itself: trying a configuration, and starting it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/front/front.h"

#define PROGRAM    "/usr/sbin/nginx"
#define CONFIG_NEW FRONT_CONFIG ".new"
#define SAID_MAX   ((size_t)16384)
#define TRIAL_TIME (30 * CLOCK_SECOND) /* for nginx to read its configuration */

/* In the child: nginx with its standard error in `errors`. `trial`: it only reads the configuration. */
NORETURN static void be_nginx(int errors, pid_t parent, const char *config, bool trial)
{
	static char name[] = "nginx", p[] = "-p", here[] = ".", c[] = "-c", e[] = "-e",
		    standard[] = "stderr", q[] = "-q", t[] = "-t";
	static char path[] = "PATH=/usr/bin:/bin", locale[] = "LC_ALL=C.UTF-8", zone[] = "TZ=UTC0";
	char file[64];
	char *argv[] = {name, p, here, c, file, e, standard, q, trial ? t : NULL, NULL};
	char *environment[] = {path, locale, zone, NULL};
	sigset_t none;

	(void)snprintf(file, sizeof file, "%s", config);
	(void)sigemptyset(&none);
	/* Whatever becomes of its parent: nginx must not go on alone. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent ||
	    sigprocmask(SIG_SETMASK, &none, NULL) != 0 || signal(SIGPIPE, SIG_DFL) == SIG_ERR ||
	    dup2(errors, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0)
		_exit(EXIT_ENVIRON);
	(void)close_range(STDERR_FILENO + 1, ~0U, 0);
	(void)execve(PROGRAM, argv, environment);
	_exit(errno == ENOENT ? EXIT_NO + 1 : EXIT_ENVIRON);
}

static pid_t spawn(const char *config, bool trial, int *errors)
{
	pid_t parent = getpid(), pid;
	int pipe[2];

	if (pipe2(pipe, O_CLOEXEC) != 0)
		return -1;
	pid = fork();
	if (pid == 0)
		be_nginx(pipe[1], parent, config, trial);
	(void)close(pipe[1]);
	*errors = pipe[0];
	if (pid < 0)
		(void)close(pipe[0]);
	return pid;
}

/* Reads until nginx has closed it. False: it has not, in TRIAL_TIME. */
static bool hear(int errors, struct buf *said)
{
	int64_t until = clock_boot() + TRIAL_TIME;
	ssize_t n = 1;

	while (n != 0) {
		struct pollfd p = {.fd = errors, .events = POLLIN};
		int64_t left = until - clock_boot();
		char piece[1024];

		if (left <= 0)
			return false;
		if (poll(&p, 1, clock_patience((int)((left + 999) / 1000))) <= 0)
			continue;
		n = read(errors, piece, sizeof piece);
		if (n > 0)
			buf_add(said, piece, (size_t)n);
		else if (n < 0 && errno != EINTR)
			return true;
	}
	return true;
}

/* Its first line says what is wrong. */
static void tell(const struct buf *said, int status, char *fault, size_t room)
{
	const char *end = said->len > 0 ? memchr(said->bytes, '\n', said->len) : NULL;
	char line[FRONT_LINE];

	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO + 1 && said->len == 0) {
		(void)snprintf(fault, room, PROGRAM " is not there (package nginx-light)");
		return;
	}
	front_line(said->len > 0 ? said->bytes : "no word",
	    end != NULL     ? (size_t)(end - said->bytes)
	    : said->len > 0 ? said->len
			    : 7,
	    line);
	(void)snprintf(fault, room, "nginx: %s", line);
}

static bool nginx_takes(const char *config, char *fault, size_t room)
{
	struct buf said;
	int errors = -1, status = 0;
	bool heard;
	pid_t pid = spawn(config, true, &errors);

	if (pid < 0) {
		(void)snprintf(fault, room, "starting nginx: %s", strerrordesc_np(errno));
		return false;
	}
	buf_init(&said, SAID_MAX);
	heard = hear(errors, &said);
	(void)close(errors);
	if (!heard)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!heard)
		(void)snprintf(fault, room, "nginx -t did not end within %d seconds",
		    (int)(TRIAL_TIME / CLOCK_SECOND));
	else if (status != 0)
		tell(&said, status, fault, room);
	buf_free(&said);
	return heard && status == 0;
}

static struct front_machine this_machine(void)
{
	struct rlimit files = {1024, 1024};

	(void)getrlimit(RLIMIT_NOFILE, &files);
	return (struct front_machine){.root = geteuid() == 0,
	    .v6 = access("/proc/net/if_inet6", F_OK) == 0,
	    .files = files.rlim_max};
}

bool front_prepare(const struct settings *settings, char *fault, size_t room)
{
	struct front_machine machine = this_machine();
	struct buf text;
	bool good = front_config(settings, &machine, &text, fault, room);

	if (good && !front_write_file(CONFIG_NEW, &text)) {
		(void)snprintf(fault, room, CONFIG_NEW ": %s", strerrordesc_np(errno));
		good = false;
	}
	buf_free(&text);
	if (!good || !front_write_pages(fault, room) || !nginx_takes(CONFIG_NEW, fault, room))
		return false;
	if (rename(CONFIG_NEW, FRONT_CONFIG) != 0) {
		(void)snprintf(fault, room, FRONT_CONFIG ": %s", strerrordesc_np(errno));
		return false;
	}
	return true;
}

pid_t front_start(int *errors)
{
	pid_t pid;

	(void)unlink(FRONT_PID);
	pid = spawn(FRONT_CONFIG, false, errors);
	/* What nginx leaves behind may hold the other end when it has gone. */
	if (pid < 0 || fcntl(*errors, F_SETFL, O_NONBLOCK) != 0)
		die_environ("starting nginx");
	return pid;
}
