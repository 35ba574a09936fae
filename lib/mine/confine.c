#include "lib/mine/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/confine.h"
#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/mine/file.h"
#include "lib/org/compile.h"
#include "queue/audit.h"

#define CPU_SECONDS 120
#define DATA_MAX    ((rlim_t)512 * 1024 * 1024)

static const struct {
	const char *path;
	unsigned may;
} places[] = {
    {"etc", CONFINE_READ | CONFINE_LIST},
    {"etc/" MINE_USERS, CONFINE_READ | CONFINE_LIST | CONFINE_WRITE | CONFINE_MAKE},
    {COMPILED, CONFINE_READ | CONFINE_LIST | CONFINE_WRITE | CONFINE_MAKE},
    {AUDIT_TRAYS "/seki-rules", CONFINE_READ | CONFINE_WRITE}, {AUDIT_STATE, CONFINE_READ},
#ifdef SEKISHO_TESTING
    {"run", CONFINE_READ}, /* run/clock */
#endif
};

/* What is not there cannot be reached either: no audit log, for one, is found out when it is wanted. */
static bool confine_paths(void)
{
	struct confine_place place[COUNT_OF(places)];
	size_t n = 0;
	bool good;

	for (size_t i = 0; i < COUNT_OF(places); i++) {
		place[n].fd = open(places[i].path, O_PATH | O_CLOEXEC);
		place[n].may = places[i].may;
		if (place[n].fd >= 0)
			n++;
	}
	good = confine_places(place, n, false);
	while (n > 0)
		(void)close(place[--n].fd);
	return good;
}

#ifndef __SANITIZE_ADDRESS__

#ifdef SYS_poll /* younger machines have these of another name alone */
#define CALLS_OF_OLD_MACHINES                                                                      \
	{.number = SYS_readlink}, {.number = SYS_alarm}, {.number = SYS_open}, {.number = SYS_stat},
#else
#define CALLS_OF_OLD_MACHINES
#endif

static bool deny_calls(void)
{
	static const struct confine_call calls[] = {CONFINE_CALLS_OF_ALL, CONFINE_CALLS_OF_POLL,
	    {.number = SYS_pread64}, {.number = SYS_writev}, {.number = SYS_lseek},
	    {.number = SYS_sendto}, {.number = SYS_recvfrom}, {.number = SYS_fstatfs},
	    {.number = SYS_newfstatat}, {.number = SYS_statx}, {.number = SYS_openat},
	    {.number = SYS_openat2}, {.number = SYS_mkdirat}, {.number = SYS_unlinkat},
	    {.number = SYS_renameat}, {.number = SYS_renameat2}, {.number = SYS_linkat},
	    {.number = SYS_symlinkat}, {.number = SYS_readlinkat}, {.number = SYS_fchmod},
	    {.number = SYS_fchown}, {.number = SYS_ftruncate}, {.number = SYS_fsync},
	    {.number = SYS_fdatasync}, {.number = SYS_flock}, {.number = SYS_fcntl},
	    {.number = SYS_getdents64}, {.number = SYS_faccessat}, {.number = SYS_faccessat2},
	    {.number = SYS_setitimer}, {.number = SYS_geteuid}, {.number = SYS_sysinfo},
	    {.number = SYS_clock_nanosleep}, {.number = SYS_gettimeofday},
	    {.number = SYS_rt_sigaction}, {.number = SYS_rt_sigprocmask}, {.number = SYS_exit},
	    CALLS_OF_OLD_MACHINES};

	return confine_calls(calls, COUNT_OF(calls), CONFINE_EPERM);
}

#endif

void mine_confine(void)
{
	forks_harden();
#ifndef __SANITIZE_ADDRESS__
	if (!confine_bound(RLIMIT_DATA, DATA_MAX) || !confine_bound(RLIMIT_CPU, CPU_SECONDS) ||
	    !confine_bound(RLIMIT_NPROC, 0))
		die_environ("bounding memory, time and processes");
#endif
	if (!confine_paths())
		die_environ("confining to a few files");
#ifndef __SANITIZE_ADDRESS__
	if (!deny_calls())
		die_environ("confining to a few calls");
#endif
}
