#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/confine.h"
#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/inspect/inspect.h"

#ifndef __SANITIZE_ADDRESS__
/* What every inspection needs: its message, its scratch, its employer, its memory, its log. */
#define CALLS_OF_A_MESSAGE                                                                         \
	CONFINE_CALLS_OF_ALL, CONFINE_CALLS_OF_POLL, {.number = SYS_pread64},                      \
	    {.number = SYS_pwrite64}, {.number = SYS_pwritev2}, {.number = SYS_ftruncate},         \
	    {.number = SYS_lseek}, {.number = SYS_sendmsg}, {.number = SYS_recvmsg},               \
	    {.number = SYS_gettimeofday}, {.number = SYS_getrusage}, {.number = SYS_sysinfo},      \
	{                                                                                          \
		.number = SYS_exit                                                                 \
	}

/* What fork(3) asks for, and nothing else: no thread, no namespace. */
#define PLAIN_FORK (CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD)

static bool deny_calls(void)
{
	static const struct confine_call calls[] = {
	    CALLS_OF_A_MESSAGE,
	    /* Of the process that forks one for each message: */
	    {.number = SYS_clone, .has_first = true, .first = PLAIN_FORK},
	    {.number = SYS_pidfd_open},
	    {.number = SYS_set_robust_list},
	    {.number = SYS_rseq},
	    {.number = SYS_wait4},
	    {.number = SYS_setitimer},
	    {.number = SYS_prlimit64, .has_first = true, .first = 0}, /* its own */
	    {.number = SYS_prctl, .has_first = true, .first = PR_SET_PDEATHSIG},
	    {.number = SYS_seccomp},
	    {.number = SYS_getppid},
	    {.number = SYS_rt_sigprocmask},
	    {.number = SYS_rt_sigaction},
	};

	return confine_calls(calls, COUNT_OF(calls), CONFINE_EPERM);
}

/* abort(3) still wants to unblock its signal: it may, but can block none. */
static bool deny_more_calls(void)
{
	static const struct confine_call calls[] = {
	    CALLS_OF_A_MESSAGE,
	    {.number = SYS_rt_sigprocmask, .has_first = true, .first = SIG_UNBLOCK},
	};

	return confine_calls(calls, COUNT_OF(calls), CONFINE_EPERM);
}
#endif

static bool bound(int resource, uint64_t soft, uint64_t hard)
{
	struct rlimit limit = {soft, hard};

	return setrlimit((__rlimit_resource_t)resource, &limit) == 0;
}

/* Somebody who keeps the log in a plain file (a trial, a test) still wants its lines. */
static bool log_is_a_file(void)
{
	struct stat st;

	return fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode);
}

/*
 * Shared memory is no data to the kernel: beyond what there is now (the dictionary is most of it) the
 * address space grows by no more than twice the bound. 0: it cannot be read.
 */
static uint64_t address_space(uint64_t memory)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long long pages = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%llu", &pages) != 1)
		pages = 0;
	(void)fclose(file);
	return pages == 0 ? 0 : pages * (uint64_t)sysconf(_SC_PAGESIZE) + 2 * memory;
}

/* The process of an employer writes no file; those of messages raise the bound to their own. */
static bool bound_all(const struct settings *s)
{
	uint64_t files = (uint64_t)s->inspect_expansion + (uint64_t)s->message_size;
	uint64_t space = address_space((uint64_t)s->inspect_memory);

	if (space == 0) {
		errno = ENOSYS;
		return false;
	}
	return bound(RLIMIT_AS, space, space) &&
	       bound(RLIMIT_DATA, (uint64_t)s->inspect_memory, (uint64_t)s->inspect_memory) &&
	       bound(RLIMIT_CPU, INSPECT_CPU_ALL, INSPECT_CPU_ALL) &&
	       bound(RLIMIT_NPROC, INSPECT_PROCESSES, INSPECT_PROCESSES) &&
	       bound(RLIMIT_FSIZE, log_is_a_file() ? files : 0, files);
}

void inspect_confine(const struct settings *settings)
{
	forks_harden();
#ifndef __SANITIZE_ADDRESS__
	if (!bound_all(settings))
		die_environ("bounding memory, time, processes and files");
#else
	(void)settings;
	(void)bound_all;
#endif
	if (!confine_files(-1))
		die_environ("confining to no files");
#ifndef __SANITIZE_ADDRESS__
	if (!deny_calls())
		die_environ("confining to a few calls");
#endif
}

void inspect_confine_more(void)
{
#ifndef __SANITIZE_ADDRESS__
	if (!deny_more_calls())
		die_environ("confining to fewer calls");
#endif
}
