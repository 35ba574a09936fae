#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/confine.h"
#include "lib/base/die.h"
#include "lib/web/web.h"

#ifndef __SANITIZE_ADDRESS__

#define MEMORY_MOST ((uint64_t)256 * 1024 * 1024)
#define FILES_MOST  64

#ifdef SYS_poll /* younger machines have the others alone */
#define CALLS_OF_OLD_MACHINES {.number = SYS_select}, {.number = SYS_alarm}, {.number = SYS_accept},
#else
#define CALLS_OF_OLD_MACHINES
#endif

/* Its requests, the services that it asks, descriptors that they hand to it, its memory, its log. */
static bool deny_calls(void)
{
	static const struct confine_call calls[] = {CONFINE_CALLS_OF_ALL, CONFINE_CALLS_OF_POLL,
	    {.number = SYS_pread64}, {.number = SYS_readv}, {.number = SYS_writev},
	    {.number = SYS_pwritev2}, {.number = SYS_lseek}, {.number = SYS_newfstatat},
	    {.number = SYS_fcntl}, {.number = SYS_accept4},
	    {.number = SYS_socket, .has_first = true, .first = AF_UNIX}, {.number = SYS_connect},
	    {.number = SYS_getpeername}, {.number = SYS_getsockname}, {.number = SYS_getsockopt},
	    {.number = SYS_setsockopt}, {.number = SYS_sendto}, {.number = SYS_sendmsg},
	    {.number = SYS_recvfrom}, {.number = SYS_recvmsg}, {.number = SYS_shutdown},
	    {.number = SYS_pselect6}, {.number = SYS_setitimer}, {.number = SYS_gettimeofday},
	    {.number = SYS_rt_sigprocmask}, {.number = SYS_getcwd}, {.number = SYS_memfd_create},
	    {.number = SYS_ftruncate}, {.number = SYS_exit}, CALLS_OF_OLD_MACHINES};

	return confine_calls(calls, COUNT_OF(calls), CONFINE_EPERM);
}

#endif

void web_confine(void)
{
	if (!confine_files(-1))
		die_environ("confining to no files");
#ifndef __SANITIZE_ADDRESS__
	if (!confine_bound(RLIMIT_DATA, MEMORY_MOST) || !confine_bound(RLIMIT_NOFILE, FILES_MOST) ||
	    !confine_bound(RLIMIT_NPROC, 0))
		die_environ("bounding memory, files and processes");
	if (!deny_calls())
		die_environ("confining to a few calls");
#endif
}
