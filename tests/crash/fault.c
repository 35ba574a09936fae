/*
 * A library to be preloaded into one program. It counts the program's calls that touch the spool or
 * the outbox, and with FAULT_NET those that talk to others, each kind for itself; writes each down in
 * FAULT_LOG, and at those named in FAULT (the second write: write.2) does what stands there:
 *
 *     write.2:kill       SIGKILL before the call
 *     write.2:after      SIGKILL after it
 *     write.2:torn       writes half of the bytes, then SIGKILL
 *     write.2:short      does half of the bytes and says so
 *     write.2:swallow    does nothing and says that it was done
 *     write.2:ENOSPC     fails; more than one may be named: write.2:short,truncate.1:EIO
 *
 * FAULT_ROOT is the instance's directory. Opening a directory as a place (O_PATH) is not counted.
 * With FAULT_ALSO what a program keeps beside the spool counts, too: the audit's trays, lib/hold.
 * With FAULT_NET a forked process counts for itself: the third recv of the second is 2.recv.3.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS_MAX    1024
#define FAULTS_MAX 4
#define PATH_ROOM  1024
#define LOG_FD     900
#define CALL_ROOM  32

enum action { NOTHING, KILL, AFTER, TORN, SHORT, SWALLOW, FAIL };

struct fault {
	char call[CALL_ROOM]; /* "write.2" */
	enum action action;
	int error;
};

/* The names that FAULT may use; whatever is missing here is no fault of this test. */
static const struct {
	const char *name;
	enum action action;
	int error;
} known[] = {
    {"kill", KILL, 0},
    {"after", AFTER, 0},
    {"torn", TORN, 0},
    {"short", SHORT, 0},
    {"swallow", SWALLOW, 0},
    {"ENOSPC", FAIL, ENOSPC},
    {"EIO", FAIL, EIO},
    {"EDQUOT", FAIL, EDQUOT},
    {"EINTR", FAIL, EINTR},
    {"EMFILE", FAIL, EMFILE},
    {"EXDEV", FAIL, EXDEV},
    {"EOPNOTSUPP", FAIL, EOPNOTSUPP},
    {"EPIPE", FAIL, EPIPE},
    {"ECONNRESET", FAIL, ECONNRESET},
    {"ECONNREFUSED", FAIL, ECONNREFUSED},
    {"ECONNABORTED", FAIL, ECONNABORTED},
    {"EAGAIN", FAIL, EAGAIN},
};

static struct fault fault[FAULTS_MAX];
static size_t faults;

/* How often each kind of call was made. */
static struct {
	const char *call;
	atomic_long n;
} count[] = {{"create", 0}, {"open", 0}, {"opendir", 0}, {"readdir", 0}, {"fstat", 0},
    {"fstatat", 0}, {"pread", 0}, {"write", 0}, {"writev", 0}, {"pwrite", 0}, {"copy", 0},
    {"allocate", 0}, {"truncate", 0}, {"rename", 0}, {"unlink", 0}, {"fsync", 0}, {"close", 0},
    {"socket", 0}, {"connect", 0}, {"accept", 0}, {"send", 0}, {"sendmsg", 0}, {"recv", 0},
    {"recvmsg", 0}, {"poll", 0}, {"getsockopt", 0}, {"fork", 0}, {"read", 0}, {"hangup", 0}};

static atomic_bool tracked[FDS_MAX];   /* descriptors of files, or lists, of the spool */
static atomic_bool connected[FDS_MAX]; /* sockets */
static char root[PATH_ROOM];
static bool net;          /* FAULT_NET */
static bool also;         /* FAULT_ALSO */
static atomic_int forked; /* processes that this one has made */
static char process[16];  /* "2." in the second of them */

static void read_fault(const char *word)
{
	const char *colon = strchr(word, ':');
	struct fault *f = &fault[faults];

	for (size_t i = 0; colon != NULL && i < sizeof known / sizeof known[0]; i++) {
		if (strcmp(colon + 1, known[i].name) != 0 || faults == FAULTS_MAX)
			continue;
		(void)snprintf(f->call, sizeof f->call, "%.*s", (int)(colon - word), word);
		f->action = known[i].action;
		f->error = known[i].error;
		faults++;
	}
}

__attribute__((constructor)) static void begin(void)
{
	char *text = getenv("FAULT"), *word;
	const char *where = getenv("FAULT_ROOT"), *log = getenv("FAULT_LOG");
	int fd;

	net = getenv("FAULT_NET") != NULL;
	also = getenv("FAULT_ALSO") != NULL;
	(void)snprintf(root, sizeof root, "%s/", where != NULL ? where : "/nowhere");
	if (log != NULL) {
		fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
		(void)syscall(SYS_dup3, fd, LOG_FD, O_CLOEXEC);
		(void)syscall(SYS_close, fd);
	}
	while (text != NULL && (word = strsep(&text, ",")) != NULL)
		read_fault(word);
}

static void say(const char *word, const char *call, const char *what)
{
	char line[PATH_ROOM + 64];
	int len = snprintf(line, sizeof line, "%s %s %s\n", word, call, what);

	(void)syscall(SYS_write, LOG_FD, line, (size_t)len);
}

/* ---- what belongs to the spool ------------------------------------------------------------- */

/* The path of a descriptor, relative to the instance; "" if it lies elsewhere. */
static void path_of(int fd, char path[PATH_ROOM])
{
	char link[64], whole[PATH_ROOM];
	ssize_t n;

	path[0] = '\0';
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = syscall(SYS_readlinkat, AT_FDCWD, link, whole, sizeof whole - 1);
	if (n <= 0)
		return;
	whole[n] = '\0';
	if (strncmp(whole, root, strlen(root)) == 0)
		(void)snprintf(path, PATH_ROOM, "%.900s", whole + strlen(root));
}

static bool of_the_spool(const char *path)
{
	return strncmp(path, "spool", 5) == 0 || strncmp(path, "outbox", 6) == 0 ||
	       (also && (strncmp(path, "lib/audit", 9) == 0 || strncmp(path, "lib/hold", 8) == 0));
}

/* Whether a name in a directory is one of the spool's; its path for the log. */
static bool touches(int dir, const char *name, char path[PATH_ROOM])
{
	static const char own[] = "/proc/self/fd/";
	char place[PATH_ROOM] = "";

	if (strncmp(name, own, sizeof own - 1) == 0) { /* the same file once more */
		path_of(atoi(name + sizeof own - 1), path);
		return of_the_spool(path);
	}
	if (dir != AT_FDCWD) {
		path_of(dir, place);
		(void)snprintf(path, PATH_ROOM, "%.700s/%.300s", place, name);
		return of_the_spool(place);
	}
	(void)snprintf(path, PATH_ROOM, "%.900s", name);
	return of_the_spool(path);
}

static bool is_tracked(int fd)
{
	return fd >= 0 && fd < FDS_MAX && atomic_load(&tracked[fd]);
}

static void track(int fd, bool yes)
{
	if (fd >= 0 && fd < FDS_MAX)
		atomic_store(&tracked[fd], yes);
}

static bool is_connected(int fd)
{
	return net && fd >= 0 && fd < FDS_MAX && atomic_load(&connected[fd]);
}

static void connect_mark(int fd, bool yes)
{
	if (fd >= 0 && fd < FDS_MAX)
		atomic_store(&connected[fd], yes);
}

/* ---- one call ------------------------------------------------------------------------------ */

static _Noreturn void die_now(void)
{
	(void)syscall(SYS_kill, getpid(), SIGKILL);
	/* Who is confined may signal himself alone. */
	(void)syscall(SYS_tgkill, getpid(), gettid(), SIGKILL);
	for (;;)
		(void)syscall(SYS_pause);
}

/* Counts the call; what is to be done about it. FAIL has set errno. */
static enum action turn(const char *kind, const char *what)
{
	char call[CALL_ROOM];
	size_t k = 0;

	while (strcmp(count[k].call, kind) != 0)
		k++;
	(void)snprintf(
	    call, sizeof call, "%s%s.%ld", process, kind, atomic_fetch_add(&count[k].n, 1) + 1);
	say("call", call, what);
	for (size_t i = 0; i < faults; i++) {
		if (strcmp(fault[i].call, call) != 0)
			continue;
		say("hit", call, what);
		if (fault[i].action == KILL)
			die_now();
		errno = fault[i].error;
		return fault[i].action;
	}
	return NOTHING;
}

static enum action turn_fd(const char *call, int fd)
{
	char path[PATH_ROOM];

	path_of(fd, path);
	return turn(call, path);
}

/* Behind the call: a program that was to be killed after it does not see its result. */
static long ended(enum action action, long result)
{
	if (action == AFTER || action == TORN)
		die_now();
	return result;
}

static size_t part(enum action action, size_t len)
{
	return action == SHORT || action == TORN ? len / 2 : len;
}

/* ---- names --------------------------------------------------------------------------------- */

static int open_any(int dir, const char *name, int flags, mode_t mode)
{
	char path[PATH_ROOM];
	const char *call = (flags & O_CREAT) != 0       ? "create"
			   : (flags & O_DIRECTORY) != 0 ? "opendir"
							: "open";
	enum action action = NOTHING;
	int fd;
	bool ours = (flags & O_PATH) == 0 && touches(dir, name, path);

	if (ours)
		action = turn(call, path);
	if (action == FAIL)
		return -1;
	fd = (int)syscall(SYS_openat, dir, name, flags, mode);
	track(fd, ours);
	return (int)ended(action, fd);
}

int openat(int dir, const char *name, int flags, ...)
{
	va_list more;
	mode_t mode;

	va_start(more, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
	va_end(more);
	return open_any(dir, name, flags, mode);
}

int open(const char *name, int flags, ...)
{
	va_list more;
	mode_t mode;

	va_start(more, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
	va_end(more);
	return open_any(AT_FDCWD, name, flags, mode);
}

int renameat2(int from, const char *from_name, int to, const char *to_name, unsigned flags)
{
	char path[PATH_ROOM], target[PATH_ROOM], both[PATH_ROOM];
	enum action action = NOTHING;

	if (touches(from, from_name, path)) {
		(void)touches(to, to_name, target);
		(void)snprintf(both, sizeof both, "%.500s -> %.500s", path, target);
		action = turn("rename", both);
	}
	if (action == FAIL)
		return -1;
	if (action == SWALLOW)
		return 0;
	return (int)ended(action, syscall(SYS_renameat2, from, from_name, to, to_name, flags));
}

int renameat(int from, const char *from_name, int to, const char *to_name)
{
	return renameat2(from, from_name, to, to_name, 0);
}

int unlinkat(int dir, const char *name, int flags)
{
	char path[PATH_ROOM];
	enum action action = touches(dir, name, path) ? turn("unlink", path) : NOTHING;

	if (action == FAIL)
		return -1;
	if (action == SWALLOW)
		return 0;
	return (int)ended(action, syscall(SYS_unlinkat, dir, name, flags));
}

int fstatat(int dir, const char *name, struct stat *st, int flags)
{
	char path[PATH_ROOM];
	enum action action = touches(dir, name, path) ? turn("fstatat", path) : NOTHING;

	if (action == FAIL)
		return -1;
	return (int)ended(action, syscall(SYS_newfstatat, dir, name, st, flags));
}

/* ---- bytes --------------------------------------------------------------------------------- */

ssize_t write(int fd, const void *bytes, size_t len)
{
	enum action action = is_tracked(fd) ? turn_fd("write", fd) : NOTHING;

	if (action == FAIL)
		return -1;
	if (action == SWALLOW)
		return (ssize_t)len;
	return ended(action, syscall(SYS_write, fd, bytes, part(action, len)));
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	enum action action = is_tracked(fd) ? turn_fd("pwrite", fd) : NOTHING;

	if (action == FAIL)
		return -1;
	if (action == SWALLOW)
		return (ssize_t)len;
	return ended(action, syscall(SYS_pwrite64, fd, bytes, part(action, len), at));
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
	enum action action = is_tracked(fd) ? turn_fd("writev", fd) : NOTHING;
	struct iovec some[8];
	size_t len = 0, left;
	int used = 0;

	if (action == FAIL)
		return -1;
	for (int i = 0; i < n; i++)
		len += v[i].iov_len;
	if (action == SWALLOW)
		return (ssize_t)len;
	if (action != SHORT && action != TORN)
		return ended(action, syscall(SYS_writev, fd, v, n));

	left = part(action, len);
	for (int i = 0; i < n && i < 8 && left > 0; i++, used++) {
		some[i] = v[i];
		if (some[i].iov_len > left)
			some[i].iov_len = left;
		left -= some[i].iov_len;
	}
	return ended(action, syscall(SYS_writev, fd, some, used));
}

ssize_t pread(int fd, void *bytes, size_t len, off_t at)
{
	/* Who was handed a leg's descriptor has not opened it. */
	enum action action = net || is_tracked(fd) ? turn_fd("pread", fd) : NOTHING;

	if (action == FAIL)
		return -1;
	return ended(action, syscall(SYS_pread64, fd, bytes, part(action, len), at));
}

ssize_t copy_file_range(int in, off_t *from, int out, off_t *to, size_t len, unsigned flags)
{
	enum action action = is_tracked(out) ? turn_fd("copy", out) : NOTHING;

	if (action == FAIL)
		return -1;
	return ended(
	    action, syscall(SYS_copy_file_range, in, from, out, to, part(action, len), flags));
}

int ftruncate(int fd, off_t len)
{
	enum action action = is_tracked(fd) ? turn_fd("truncate", fd) : NOTHING;

	if (action == FAIL)
		return -1;
	return action == SWALLOW ? 0 : (int)ended(action, syscall(SYS_ftruncate, fd, len));
}

int fallocate(int fd, int mode, off_t at, off_t len)
{
	enum action action = is_tracked(fd) ? turn_fd("allocate", fd) : NOTHING;

	if (action == FAIL)
		return -1;
	return action == SWALLOW ? 0
				 : (int)ended(action, syscall(SYS_fallocate, fd, mode, at, len));
}

/* ---- descriptors --------------------------------------------------------------------------- */

int fsync(int fd)
{
	enum action action = is_tracked(fd) ? turn_fd("fsync", fd) : NOTHING;

	if (action == FAIL)
		return -1;
	return action == SWALLOW ? 0 : (int)ended(action, syscall(SYS_fsync, fd));
}

int fstat(int fd, struct stat *st)
{
	enum action action = is_tracked(fd) ? turn_fd("fstat", fd) : NOTHING;

	if (action == FAIL)
		return -1;
	return (int)ended(action, syscall(SYS_newfstatat, fd, "", st, AT_EMPTY_PATH));
}

/* A close that fails has closed all the same. */
int close(int fd)
{
	enum action action = is_tracked(fd)     ? turn_fd("close", fd)
			     : is_connected(fd) ? turn_fd("hangup", fd)
						: NOTHING;
	int error = errno, result;

	track(fd, false);
	connect_mark(fd, false);
	result = (int)ended(action, syscall(SYS_close, fd));
	if (action != FAIL)
		return result;
	errno = error;
	return -1;
}

int dup(int fd)
{
	int copy = (int)syscall(SYS_dup, fd);

	track(copy, is_tracked(fd));
	return copy;
}

struct dirent *readdir(DIR *d)
{
	static struct dirent *(*real)(DIR *);
	enum action action = is_tracked(dirfd(d)) ? turn_fd("readdir", dirfd(d)) : NOTHING;
	struct dirent *entry;

	if (action == FAIL)
		return NULL;
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "readdir");
	entry = real(d);
	(void)ended(action, 0);
	return entry;
}

int closedir(DIR *d)
{
	static int (*real)(DIR *);

	track(dirfd(d), false);
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "closedir");
	return real(d);
}

/* ---- talking to others (FAULT_NET) --------------------------------------------------------- */

static enum action talks(const char *call, int fd)
{
	return net ? turn_fd(call, fd) : NOTHING;
}

int socket(int domain, int type, int protocol)
{
	enum action action = net ? turn("socket", "") : NOTHING;
	int fd;

	if (action == FAIL)
		return -1;
	fd = (int)ended(action, syscall(SYS_socket, domain, type, protocol));
	connect_mark(fd, true);
	return fd;
}

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
	enum action action = talks("connect", fd);

	if (action == FAIL)
		return -1;
	return (int)ended(action, syscall(SYS_connect, fd, address, len));
}

int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	enum action action = talks("accept", fd);
	int got;

	if (action == FAIL)
		return -1;
	got = (int)ended(action, syscall(SYS_accept4, fd, address, len, flags));
	track(got, false);
	connect_mark(got, true);
	return got;
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
	enum action action = talks("send", fd);

	if (action == FAIL)
		return -1;
	return ended(action, syscall(SYS_sendto, fd, bytes, part(action, len), flags, NULL, 0));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	enum action action = talks("sendmsg", fd);

	if (action == FAIL)
		return -1;
	return ended(action, syscall(SYS_sendmsg, fd, message, flags));
}

ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
	enum action action = talks("recv", fd);

	if (action == FAIL)
		return -1;
	if (action == SHORT && len > 7) /* whatever had come, the rest comes later */
		len = 7;
	return ended(action, syscall(SYS_recvfrom, fd, bytes, len, flags, NULL, NULL));
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	enum action action = talks("recvmsg", fd);

	if (action == FAIL)
		return -1;
	return ended(action, syscall(SYS_recvmsg, fd, message, flags));
}

ssize_t read(int fd, void *bytes, size_t len)
{
	enum action action = is_connected(fd) ? turn_fd("read", fd) : NOTHING;

	if (action == FAIL)
		return -1;
	return ended(action, syscall(SYS_read, fd, bytes, len));
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	enum action action = net ? turn("poll", "") : NOTHING;
	struct timespec patience = {timeout / 1000, (timeout % 1000) * 1000000L};

	if (action == FAIL)
		return -1;
	return (int)ended(
	    action, syscall(SYS_ppoll, fds, n, timeout < 0 ? NULL : &patience, NULL, 0));
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	enum action action = talks("getsockopt", fd);

	if (action == FAIL)
		return -1;
	return (int)ended(action, syscall(SYS_getsockopt, fd, level, name, value, len));
}

/* ---- processes ----------------------------------------------------------------------------- */

pid_t fork(void)
{
	static pid_t (*real)(void);
	enum action action = net ? turn("fork", "") : NOTHING;
	int number = atomic_fetch_add(&forked, 1) + 1;
	pid_t pid;

	if (action == FAIL)
		return -1;
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "fork");
	pid = real();
	if (pid != 0)
		return (pid_t)ended(action, pid);

	if (net) {
		(void)snprintf(process, sizeof process, "%d.", number);
		for (size_t k = 0; k < sizeof count / sizeof count[0]; k++)
			atomic_store(&count[k].n, 0);
	}
	return 0;
}

/* Who closes all that is not his keeps the log. */
int close_range(unsigned first, unsigned last, int flags)
{
	if (first > LOG_FD || last < LOG_FD)
		return (int)syscall(SYS_close_range, first, last, flags);
	if (first < LOG_FD && syscall(SYS_close_range, first, LOG_FD - 1, flags) != 0)
		return -1;
	return last == LOG_FD ? 0 : (int)syscall(SYS_close_range, LOG_FD + 1, last, flags);
}
