#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/confine.h"
#include "lib/base/die.h"
#include "lib/resolve/server.h"

static void close_place(const struct confine_place *place)
{
	if (place->fd >= 0)
		(void)close(place->fd);
}

/*
 * Trust anchors may stand anywhere, and be named at a reload only: what the user may read can be
 * read. The answer to a reload is the one thing that is written.
 */
static bool deny_files(void)
{
	const struct confine_place places[] = {
	    {.fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), .may = CONFINE_READ | CONFINE_LIST},
	    {.fd = open("run/taken/seki-resolve", O_PATH | O_NOFOLLOW | O_CLOEXEC),
		.may = CONFINE_WRITE}};
	bool done = places[0].fd >= 0 && (places[1].fd >= 0 || errno == ENOENT) &&
		    confine_places(places, places[1].fd >= 0 ? 2 : 1, true);

	close_place(&places[0]);
	close_place(&places[1]);
	return done;
}

#ifndef __SANITIZE_ADDRESS__
static bool deny_calls(void)
{
	static const struct confine_call calls[] = {
	    CONFINE_CALLS_OF_ALL,
	    CONFINE_CALLS_OF_POLL,
	    {.number = SYS_openat},
	    {.number = SYS_newfstatat},
	    {.number = SYS_lseek},
	    {.number = SYS_ioctl},
	    {.number = SYS_pread64},
	    {.number = SYS_readv},
	    {.number = SYS_writev},
	    {.number = SYS_pwritev2},
	    {.number = SYS_fcntl},
	    {.number = SYS_pipe2},
	    {.number = SYS_socket},
	    {.number = SYS_socketpair},
	    {.number = SYS_bind},
	    {.number = SYS_connect},
	    {.number = SYS_getsockname},
	    {.number = SYS_getpeername},
	    {.number = SYS_getsockopt},
	    {.number = SYS_setsockopt},
	    {.number = SYS_sendto},
	    {.number = SYS_sendmsg},
	    {.number = SYS_sendmmsg},
	    {.number = SYS_recvfrom},
	    {.number = SYS_recvmsg},
	    {.number = SYS_recvmmsg},
	    {.number = SYS_accept4},
	    {.number = SYS_shutdown},
#ifdef SYS_poll /* younger machines have the others alone */
	    {.number = SYS_select},
	    {.number = SYS_epoll_wait},
#endif
	    {.number = SYS_pselect6},
	    {.number = SYS_epoll_create1},
	    {.number = SYS_epoll_ctl},
	    {.number = SYS_epoll_pwait},
	    {.number = SYS_eventfd2},
	    {.number = SYS_clone},
	    {.number = SYS_clone3},
	    {.number = SYS_set_robust_list},
	    {.number = SYS_rseq},
	    {.number = SYS_exit},
	    {.number = SYS_getuid},
	    {.number = SYS_geteuid},
	    {.number = SYS_getgid},
	    {.number = SYS_getegid},
	    {.number = SYS_clock_nanosleep},
	    {.number = SYS_gettimeofday},
	    {.number = SYS_rt_sigprocmask},
	    {.number = SYS_rt_sigaction},
	    {.number = SYS_tgkill},
	    {.number = SYS_sysinfo},
	    {.number = SYS_prlimit64},
	    {.number = SYS_sched_getaffinity},
	};

	return confine_calls(calls, COUNT_OF(calls), CONFINE_EPERM);
}
#endif

void resolve_confine(void)
{
	if (!deny_files())
		die_environ("confining to reading files");
#ifndef __SANITIZE_ADDRESS__
	if (!deny_calls())
		die_environ("confining to a few calls");
#endif
}
