#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/confine.h"
#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/seal/seal.h"

#ifndef __SANITIZE_ADDRESS__

#define MEGABYTE ((uint64_t)1024 * 1024)

/* Its message, its output, its employer, its memory, its log. */
static bool deny_calls(void)
{
	static const struct confine_call calls[] = {
	    CONFINE_CALLS_OF_ALL,
	    CONFINE_CALLS_OF_POLL,
	    {.number = SYS_pread64},
	    {.number = SYS_pwrite64},
	    {.number = SYS_pwritev2},
	    {.number = SYS_lseek},
	    {.number = SYS_sendmsg},
	    {.number = SYS_recvmsg},
	    {.number = SYS_gettimeofday},
	    {.number = SYS_rt_sigprocmask, .has_first = true, .first = SIG_UNBLOCK},
	    {.number = SYS_exit},
	};

	return confine_calls(calls, COUNT_OF(calls), CONFINE_EPERM);
}

/* Encoded again, a text is three times as long at most. */
static bool bound_all(const struct settings *s)
{
	return confine_bound(RLIMIT_DATA, (uint64_t)s->inspect_memory) &&
	       confine_bound(RLIMIT_CPU, (uint64_t)s->seal_time / 1000000 + 1) &&
	       confine_bound(RLIMIT_NPROC, 0) &&
	       confine_bound(RLIMIT_FSIZE, 3 * (uint64_t)s->message_size + 16 * MEGABYTE);
}
#endif

void seal_confine(const struct settings *settings)
{
	forks_harden();
	/* A file that becomes too large is an error of its write. */
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		die_environ("ignoring a signal");
#ifndef __SANITIZE_ADDRESS__
	if (!bound_all(settings))
		die_environ("bounding memory, time, processes and files");
#else
	(void)settings;
#endif
	if (!confine_files(-1))
		die_environ("confining to no files");
#ifndef __SANITIZE_ADDRESS__
	if (!deny_calls())
		die_environ("confining to a few calls");
#endif
}
