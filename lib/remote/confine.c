#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/confine.h"
#include "lib/base/die.h"
#include "lib/remote/remote.h"

/* Connecting is what we are here for. A test build reads its virtual clock from run/clock. */
static bool deny_files(void)
{
	struct confine_place clock = {.fd = -1, .may = CONFINE_READ};
	bool done;

#ifdef SEKISHO_TESTING
	clock.fd = open("run", O_PATH | O_CLOEXEC);
#endif
	done = confine_places(&clock, clock.fd >= 0 ? 1 : 0, true);
	if (clock.fd >= 0)
		(void)close(clock.fd);
	return done;
}

#ifndef __SANITIZE_ADDRESS__
static bool deny_calls(void)
{
	static const struct confine_call calls[] = {
	    CONFINE_CALLS_OF_ALL,
	    CONFINE_CALLS_OF_POLL,
	    {.number = SYS_pread64},
	    {.number = SYS_writev},
	    {.number = SYS_pwritev2},
	    {.number = SYS_recvfrom},
	    {.number = SYS_recvmsg},
	    {.number = SYS_sendto},
	    {.number = SYS_sendmsg},
	    {.number = SYS_socket},
	    {.number = SYS_connect},
	    {.number = SYS_setsockopt},
	    {.number = SYS_getsockopt},
	    {.number = SYS_getsockname},
	    {.number = SYS_getpeername},
	    {.number = SYS_shutdown},
	    {.number = SYS_fcntl},
	    {.number = SYS_newfstatat},
	    {.number = SYS_gettimeofday},
	    {.number = SYS_rt_sigprocmask},
	    {.number = SYS_rt_sigaction},
	    {.number = SYS_tgkill},
#ifdef SEKISHO_TESTING
	    {.number = SYS_openat},
#endif
	};

	return confine_calls(calls, COUNT_OF(calls), CONFINE_EPERM);
}
#endif

/* Somebody who keeps the log in a plain file (a trial, a test) still wants its lines. */
static bool log_is_a_file(void)
{
	struct stat st;

	return fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode);
}

void remote_confine(void)
{
	static const struct rlimit none = {0, 0};

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
		die_environ("forbidding dumps");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		die_environ("forbidding new privileges");
	if (!log_is_a_file() && setrlimit(RLIMIT_FSIZE, &none) != 0)
		die_environ("bounding files");
	if (setrlimit(RLIMIT_NPROC, &none) != 0)
		die_environ("bounding processes");
	if (!deny_files())
		die_environ("confining to no files");
#ifndef __SANITIZE_ADDRESS__
	if (!deny_calls())
		die_environ("confining to a few calls");
#endif
}
