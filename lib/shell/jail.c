#include "lib/shell/jail.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CPU_SECONDS 300
#define DATA_MAX    (64 * 1024 * 1024)
#define FILES_MAX   (JAIL_FD + 5) /* the socket, and the one that is being read */

/* Rights by the version of Landlock that knows them first; older headers lack the later ones. */
#define FS_RIGHTS_1  UINT64_C(0x1fff)
#define FS_RIGHTS_2  UINT64_C(0x3fff)
#define FS_RIGHTS_3  UINT64_C(0x7fff)
#define FS_RIGHTS_5  UINT64_C(0xffff)
#define NET_RIGHTS_4 UINT64_C(0x3)
#define SCOPES_6     UINT64_C(0x3)

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

/* No path may be opened, no address connected. A kernel without Landlock leaves it to seccomp. */
static bool deny_files(void)
{
	struct {
		uint64_t fs, net, scoped;
	} rights = {.fs = FS_RIGHTS_1};
	long version =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	size_t size = sizeof rights.fs;
	int rules;
	bool done;

	if (version < 1)
		return errno == ENOSYS || errno == EOPNOTSUPP;
	if (version >= 2)
		rights.fs = version >= 5 ? FS_RIGHTS_5 : version >= 3 ? FS_RIGHTS_3 : FS_RIGHTS_2;
	if (version >= 4) {
		rights.net = NET_RIGHTS_4;
		size += sizeof rights.net;
	}
	if (version >= 6) {
		rights.scoped = SCOPES_6;
		size += sizeof rights.scoped;
	}

	rules = (int)syscall(SYS_landlock_create_ruleset, &rights, size, 0);
	if (rules < 0)
		return false;
	done = syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	(void)close(rules);
	return done;
}

#if defined __x86_64__
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define THIS_ARCH AUDIT_ARCH_AARCH64
#endif

#define ALLOW(call)                                                                                \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                                     \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* Any call but these ends the process. Numbers of another calling convention match none. */
static bool deny_calls(void)
{
#ifdef THIS_ARCH
	struct sock_filter filter[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCH, 1, 0),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    ALLOW(pread64),
	    ALLOW(recvmsg),
	    ALLOW(sendto),
	    ALLOW(close),
	    ALLOW(restart_syscall),
	    ALLOW(exit_group),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {.len = COUNT_OF(filter), .filter = filter};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
#else
	return true; /* the numbers of this machine's calls are not known: the rest must do */
#endif
}

bool jail_enter(const struct jail_user *user, int fd)
{
	/* The death signal comes behind the change of user, which would take it back. */
	return keep_only(fd) && bound_resources() && become(user) &&
	       prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && deny_files() && deny_calls();
}
