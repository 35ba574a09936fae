#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/confine.h"
#include "lib/base/die.h"
#include "lib/remote/remote.h"

/* Landlock's rights by the version that knows them first; older headers lack the later ones. */
#define FS_RIGHTS_1  UINT64_C(0x1fff)
#define FS_RIGHTS_2  UINT64_C(0x3fff)
#define FS_RIGHTS_3  UINT64_C(0x7fff)
#define FS_RIGHTS_5  UINT64_C(0xffff)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define NET_BIND_4   UINT64_C(1)
#define SCOPES_6     UINT64_C(3)

struct rights {
	uint64_t fs, net, scoped;
};

static size_t rights_of(long version, struct rights *rights)
{
	*rights = (struct rights){.fs = version >= 5   ? FS_RIGHTS_5
					: version >= 3 ? FS_RIGHTS_3
					: version == 2 ? FS_RIGHTS_2
						       : FS_RIGHTS_1};
	if (version >= 4)
		rights->net = NET_BIND_4; /* connecting is what we are here for */
	if (version >= 6)
		rights->scoped = SCOPES_6;
	return version >= 6   ? sizeof *rights
	       : version >= 4 ? 2 * sizeof rights->fs
			      : sizeof rights->fs;
}

#ifdef SEKISHO_TESTING
/* A test build reads its virtual clock from run/clock. */
static bool allow_clock(int rules)
{
	struct {
		uint64_t allowed;
		int32_t parent;
	} __attribute__((packed))
	rule = {.allowed = FS_READ_FILE, .parent = open("run", O_PATH | O_CLOEXEC)};
	bool good = true;

	if (rule.parent >= 0) {
		good = syscall(
			   SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
		(void)close(rule.parent);
	}
	return good;
}
#else
static bool allow_clock(int rules)
{
	(void)rules;
	return true;
}
#endif

static bool deny_files(void)
{
	long version =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct rights rights;
	size_t size;
	int rules;
	bool done;

	if (version < 1)
		return errno == ENOSYS || errno == EOPNOTSUPP;
	size = rights_of(version, &rights);
	rules = (int)syscall(SYS_landlock_create_ruleset, &rights, size, 0);
	if (rules < 0)
		return false;
	done = allow_clock(rules) && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	(void)close(rules);
	return done;
}

#ifndef __SANITIZE_ADDRESS__
static bool deny_calls(void)
{
	static const struct confine_call calls[] = {
	    {.number = SYS_read},
	    {.number = SYS_pread64},
	    {.number = SYS_write},
	    {.number = SYS_writev},
	    {.number = SYS_pwritev2},
	    {.number = SYS_recvfrom},
	    {.number = SYS_recvmsg},
	    {.number = SYS_sendto},
	    {.number = SYS_sendmsg},
#ifdef SYS_poll /* younger machines have ppoll alone */
	    {.number = SYS_poll},
#endif
	    {.number = SYS_ppoll},
	    {.number = SYS_socket},
	    {.number = SYS_connect},
	    {.number = SYS_setsockopt},
	    {.number = SYS_getsockopt},
	    {.number = SYS_getsockname},
	    {.number = SYS_getpeername},
	    {.number = SYS_shutdown},
	    {.number = SYS_fcntl},
	    {.number = SYS_close},
	    {.number = SYS_fstat},
	    {.number = SYS_newfstatat},
	    {.number = SYS_brk},
	    {.number = SYS_mmap},
	    {.number = SYS_munmap},
	    {.number = SYS_mremap},
	    {.number = SYS_mprotect},
	    {.number = SYS_madvise},
	    {.number = SYS_futex},
	    {.number = SYS_getrandom},
	    {.number = SYS_getpid},
	    {.number = SYS_gettid},
	    {.number = SYS_clock_gettime},
	    {.number = SYS_gettimeofday},
	    {.number = SYS_rt_sigprocmask},
	    {.number = SYS_rt_sigaction},
	    {.number = SYS_rt_sigreturn},
	    {.number = SYS_tgkill},
	    {.number = SYS_restart_syscall},
	    {.number = SYS_exit_group},
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
