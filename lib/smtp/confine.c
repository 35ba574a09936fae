#include "lib/smtp/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/smtp/params.h"
#include "lib/smtp/smtp.h"

#define GROUPS_MAX       64
#define DESCRIPTORS_MIN  256
#define PROCESSES_BEYOND 64

/* ---- giving root up ---- */

/* A number of the environment that can be an id, and is not root's; NULL text: -1. */
static int64_t id_of(const char *text, size_t len)
{
	int64_t id = text != NULL ? param_number(text, len) : -1;

	return id > 0 && id < UINT32_MAX ? id : -1;
}

static size_t read_groups(const char *list, gid_t groups[GROUPS_MAX])
{
	size_t n = 0;

	while (list != NULL && *list != '\0') {
		size_t len = strcspn(list, ",");
		int64_t id = id_of(list, len);

		if (id < 0 || n == GROUPS_MAX)
			die_config("GIDLIST is no list of group ids, or names root's");
		groups[n++] = (gid_t)id;
		list += len + (list[len] == ',' ? 1 : 0);
	}
	return n;
}

static void become(uid_t uid, gid_t gid, const gid_t *groups, size_t n)
{
	uid_t real, effective, saved;

	if (setgroups(n, groups) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0)
		die_environ("giving root up");
	if (getresuid(&real, &effective, &saved) != 0 || real != uid || effective != uid ||
	    saved != uid || setresuid(0, 0, 0) == 0 || setresgid(0, 0, 0) == 0)
		die_bug("root was given up and is still there");
}

static void drop_root(void)
{
	const char *uid_text = getenv("UID");
	const char *gid_text = getenv("GID");
	gid_t groups[GROUPS_MAX];
	int64_t uid, gid;
	size_t n;

	if (geteuid() != 0)
		return;
	if (uid_text == NULL && gid_text == NULL) {
		LOG("root-kept", kv("why", "UID and GID are not set"));
		return;
	}

	uid = id_of(uid_text, uid_text != NULL ? strlen(uid_text) : 0);
	gid = id_of(gid_text, gid_text != NULL ? strlen(gid_text) : 0);
	if (uid < 0 || gid < 0)
		die_config("UID and GID must be the ids of somebody who is not root");
	n = read_groups(getenv("GIDLIST"), groups);
	become((uid_t)uid, (gid_t)gid, groups, n);
}

/* ---- bounds ---- */

static void bound(int resource, rlim_t most, const char *what)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit) != 0)
		die_environ(what);
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > most)
		limit.rlim_max = most;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit((__rlimit_resource_t)resource, &limit) != 0)
		die_environ(what);
}

void smtp_drop_privileges(const struct settings *settings)
{
	rlim_t sessions = (rlim_t)settings->smtp_sessions;

	drop_root();
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		die_environ("forbidding dumps");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		die_environ("forbidding new privileges");

	bound(RLIMIT_CORE, 0, "bounding core files");
	/* A socket pair's end for each process, and a connection on its way. */
	bound(RLIMIT_NOFILE, 2 * sessions + DESCRIPTORS_MIN, "bounding descriptors");
	/* The count is the user's, not ours: in a trial he has other processes. */
	if (!settings->trial && geteuid() != 0)
		bound(RLIMIT_NPROC, 2 * sessions + PROCESSES_BEYOND, "bounding processes");
}

/* ---- a session's process ---- */

/* As in linux/landlock.h of newer kernels; an older one takes the longer form if the rest is 0. */
struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

#define RULESET_VERSION  1u /* flag: tell the ABI */
#define FS_ABI_1         ((UINT64_C(1) << 13) - 1)
#define FS_REFER         (UINT64_C(1) << 13)
#define FS_TRUNCATE      (UINT64_C(1) << 14)
#define FS_IOCTL_DEV     (UINT64_C(1) << 15)
#define NET_BIND_CONNECT UINT64_C(3)
#define SCOPE_SIGNAL     (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT   (UINT64_C(1) << 0)

static struct ruleset everything(long abi)
{
	struct ruleset r = {.fs = FS_ABI_1};

	if (abi >= 2)
		r.fs |= FS_REFER;
	if (abi >= 3)
		r.fs |= FS_TRUNCATE;
	if (abi >= 4)
		r.net = NET_BIND_CONNECT;
	if (abi >= 5)
		r.fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		r.scoped = SCOPE_SIGNAL | SCOPE_ABSTRACT;
	return r;
}

#ifdef SEKISHO_TESTING
/* A test build reads its virtual clock from run/clock, also within a session. */
static void allow_clock(int ruleset)
{
	struct {
		uint64_t allowed;
		int32_t parent;
	} __attribute__((packed)) rule = {.allowed = UINT64_C(1) << 2 /* read a file */};

	rule.parent = open("run", O_PATH | O_CLOEXEC);
	if (rule.parent >= 0) {
		(void)syscall(SYS_landlock_add_rule, ruleset, 1 /* path beneath */, &rule, 0);
		close(rule.parent);
	}
}
#endif

static void deny_files(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, RULESET_VERSION);
	struct ruleset r = everything(abi);
	long fd;

	if (abi < 1)
		return; /* this kernel has none */
	fd = syscall(SYS_landlock_create_ruleset, &r, sizeof r, 0u);
	if (fd < 0)
		return;
#ifdef SEKISHO_TESTING
	allow_clock((int)fd);
#endif
	(void)syscall(SYS_landlock_restrict_self, (int)fd, 0u);
	close((int)fd);
}

/* Somebody who keeps the log in a plain file (a trial, a test) still wants its lines. */
static bool log_is_a_file(void)
{
	struct stat st;

	return fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode);
}

void confine_session(void)
{
	static const struct rlimit none = {0, 0};

	if (!log_is_a_file() && setrlimit(RLIMIT_FSIZE, &none) != 0)
		die_environ("bounding files of a session's process");
	if (setrlimit(RLIMIT_NPROC, &none) != 0)
		die_environ("bounding children of a session's process");
	deny_files();
}
