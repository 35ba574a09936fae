#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/confine.h"
#include "lib/base/die.h"
#include "lib/login/server.h"

/* ---- files -------------------------------------------------------------------------------- */

/* What is replaced by a rename, or made later, is known by its directory. */
static const struct {
	const char *path;
	unsigned may;
	bool optional; /* a tray or an answer that nobody has made is not needed */
} files[] = {
    {"etc", CONFINE_READ | CONFINE_LIST, false},
    {"run", CONFINE_READ, false},
    {"run/taken/seki-login", CONFINE_WRITE, true},
    {"lib/compiled", CONFINE_READ | CONFINE_LIST, false},
    {"lib/gate", CONFINE_READ | CONFINE_LIST, false},
    {"lib/login", CONFINE_READ | CONFINE_LIST | CONFINE_WRITE | CONFINE_MAKE, false},
    {"lib/audit/trays/seki-login", CONFINE_READ | CONFINE_WRITE, true},
};

static void deny_files(void)
{
	struct confine_place places[COUNT_OF(files)];
	size_t n = 0;

	for (size_t i = 0; i < COUNT_OF(files); i++) {
		/* In an installed instance etc is a link. */
		int fd = open(files[i].path, O_PATH | O_CLOEXEC);

		if (fd < 0 && !(files[i].optional && errno == ENOENT))
			die_environ(files[i].path);
		if (fd >= 0)
			places[n++] = (struct confine_place){.fd = fd, .may = files[i].may};
	}
	if (!confine_places(places, n, false))
		die_environ("confining to a few files");
	for (size_t i = 0; i < n; i++)
		(void)close(places[i].fd);
}

/* ---- calls -------------------------------------------------------------------------------- */

#ifndef __SANITIZE_ADDRESS__
static bool deny_calls(void)
{
	static const struct confine_call calls[] = {
	    CONFINE_CALLS_OF_ALL,
	    CONFINE_CALLS_OF_POLL,
	    {.number = SYS_openat},
	    {.number = SYS_newfstatat},
	    {.number = SYS_lseek},
	    {.number = SYS_pread64},
	    {.number = SYS_writev},
	    {.number = SYS_pwritev2},
	    {.number = SYS_fcntl},
	    {.number = SYS_flock},
	    {.number = SYS_fsync},
	    {.number = SYS_fdatasync},
	    {.number = SYS_ftruncate},
	    {.number = SYS_fchmod},
	    {.number = SYS_fchown},
	    {.number = SYS_renameat},
	    {.number = SYS_renameat2},
	    {.number = SYS_unlinkat},
	    {.number = SYS_utimensat},
	    {.number = SYS_getdents64},
	    {.number = SYS_readlinkat},
#ifdef SYS_readlink /* younger machines have the others alone */
	    {.number = SYS_readlink},
	    {.number = SYS_rename},
	    {.number = SYS_epoll_wait},
#endif
	    {.number = SYS_epoll_ctl},
	    {.number = SYS_epoll_pwait},
	    {.number = SYS_eventfd2},
	    {.number = SYS_socket, .has_first = true, .first = AF_UNIX},
	    {.number = SYS_connect},
	    {.number = SYS_accept4},
	    {.number = SYS_getsockopt},
	    {.number = SYS_sendto},
	    {.number = SYS_recvfrom},
	    {.number = SYS_clone},
	    {.number = SYS_clone3},
	    {.number = SYS_set_robust_list},
	    {.number = SYS_rseq},
	    {.number = SYS_exit},
	    {.number = SYS_geteuid},
	    {.number = SYS_clock_nanosleep},
	    {.number = SYS_rt_sigprocmask},
	    {.number = SYS_rt_sigaction},
	    {.number = SYS_tgkill},
	    {.number = SYS_prlimit64},
	    {.number = SYS_sched_getaffinity},
	};

	return confine_calls(calls, COUNT_OF(calls), CONFINE_EPERM);
}
#endif

void login_confine(void)
{
	deny_files();
#ifndef __SANITIZE_ADDRESS__
	if (!deny_calls())
		die_environ("confining to a few calls");
#endif
}
