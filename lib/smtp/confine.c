#include "lib/smtp/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/confine.h"
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

/* A test build reads its virtual clock from run/clock, also within a session. */
static void deny_files(void)
{
	int readable = -1;
	bool done;

#ifdef SEKISHO_TESTING
	readable = open("run", O_PATH | O_CLOEXEC);
#endif
	done = confine_files(readable);
	if (readable >= 0)
		close(readable);
	if (!done)
		die_environ("confining a session's process to no files");
}

/*
 * What a session does: talk to its client, to its parent and to the two sockets of the queue and of
 * seki-auth, look at the clock, and use memory.
 */
static void deny_calls(void)
{
	static const struct confine_call calls[] = {
	    CONFINE_CALLS_OF_ALL,
	    CONFINE_CALLS_OF_POLL,
	    {.number = SYS_writev},
	    {.number = SYS_pwritev2},
	    {.number = SYS_recvfrom},
	    {.number = SYS_recvmsg},
	    {.number = SYS_sendto},
	    {.number = SYS_sendmsg},
	    {.number = SYS_socket, .has_first = true, .first = AF_UNIX},
	    {.number = SYS_connect},
	    {.number = SYS_setsockopt},
	    {.number = SYS_getsockopt},
	    {.number = SYS_shutdown},
	    {.number = SYS_fcntl},
	    {.number = SYS_newfstatat},
	    {.number = SYS_gettimeofday},
	    {.number = SYS_rt_sigprocmask},
	    {.number = SYS_rt_sigaction},
	    {.number = SYS_tgkill},
#ifdef SEKISHO_TESTING
	    {.number = SYS_openat},
	    {.number = SYS_pread64},
#endif
	};

	/* A sanitizer has calls of its own to make. */
#ifdef __SANITIZE_ADDRESS__
	(void)calls;
#else
	if (!confine_calls(calls, COUNT_OF(calls), CONFINE_EPERM))
		die_environ("confining a session's process to a few calls");
#endif
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
	deny_calls();
}
