#include "lib/shell/jail.h"

#include <errno.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/confine.h"

#define CPU_SECONDS 300
#define DATA_MAX    (64 * 1024 * 1024)
#define FILES_MAX   (JAIL_FD + 5) /* the socket, and the one that is being read */

static bool keep_only(int fd)
{
	if (fd != JAIL_FD && dup2(fd, JAIL_FD) != JAIL_FD)
		return false;
	return close_range(0, JAIL_FD - 1, 0) == 0 && close_range(JAIL_FD + 1, ~0U, 0) == 0;
}

static bool bound_resources(void)
{
	static const struct {
		__rlimit_resource_t what;
		rlim_t most;
	} bounds[] = {
	    {RLIMIT_CPU, CPU_SECONDS},
	    {RLIMIT_CORE, 0},
	    {RLIMIT_FSIZE, 0},
	    {RLIMIT_NPROC, 0},
	    {RLIMIT_NOFILE, FILES_MAX},
#ifndef __SANITIZE_ADDRESS__
	    {RLIMIT_DATA, DATA_MAX},
#endif
	};

	for (size_t i = 0; i < COUNT_OF(bounds); i++) {
		struct rlimit limit = {bounds[i].most, bounds[i].most};

		if (setrlimit(bounds[i].what, &limit) != 0)
			return false;
	}
	return true;
}

static bool become(const struct jail_user *user)
{
	if (!user->change)
		return true;
	if (user->uid == 0 || user->gid == 0) {
		errno = EPERM;
		return false;
	}
	if (setgroups(0, NULL) != 0 || setresgid(user->gid, user->gid, user->gid) != 0 ||
	    setresuid(user->uid, user->uid, user->uid) != 0)
		return false;
	/* For good: a way back would be a bug of the kernel or of ours. */
	errno = EPERM;
	return setuid(0) != 0 && setgid(0) != 0;
}

/* All that the reader needs; any other call ends it. */
static bool deny_calls(void)
{
	static const struct confine_call calls[] = {
	    {.number = SYS_pread64},
	    {.number = SYS_recvmsg},
	    {.number = SYS_sendto},
	    {.number = SYS_close},
	    {.number = SYS_restart_syscall},
	    {.number = SYS_exit_group},
	};

	return confine_calls(calls, COUNT_OF(calls), CONFINE_KILL);
}

bool jail_enter(const struct jail_user *user, int fd)
{
	/* The death signal comes behind the change of user, which would take it back. */
	return keep_only(fd) && bound_resources() && become(user) &&
	       prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && confine_files(-1) && deny_calls();
}
