/*
 * A worker of seki-inspect that somebody has taken over: it is confined as one is, and then tries
 * everything. Compiled and run by test_inspect.py.
 *
 *     inspect_probe session|message VICTIM PORT ABSTRACT
 *
 * Descriptors: 1 is told to, 3 the employer's socket, 4 the message, for reading, 5 scratch, 6 a
 * directory that nobody closed. A line for each try: its name, and "done" or the word of its error.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/landlock.h>
#include <linux/memfd.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/inspect/inspect.h"

enum { SOCKET = 3, MESSAGE = 4, SCRATCH = 5, FOLDER = 6 };

#define MEGABYTE    ((size_t)1024 * 1024)
#define SCRATCH_MAX 1000000

static void say(const char *name, long result)
{
	const char *word = result >= 0 ? "done" : strerrorname_np(errno);
	char line[128];
	int n = snprintf(line, sizeof line, "%s %s\n", name, word != NULL ? word : "error");

	(void)!write(STDOUT_FILENO, line, (size_t)n);
}

/* A call by its number: glibc may refuse, or do it otherwise, before the kernel is asked. */
#define TRY(name, ...) say(name, syscall(__VA_ARGS__))

static void try_files(void)
{
	char handle[256] = {0};
	struct {
		uint64_t flags, mode, resolve;
	} how = {O_RDONLY, 0, 0};

	TRY("open", SYS_open, "/etc/passwd", O_RDONLY);
	TRY("open-write", SYS_open, "/var/tmp/sekisho-probe", O_WRONLY | O_CREAT, 0600);
	TRY("open-dev", SYS_open, "/dev/null", O_RDWR);
	TRY("open-again", SYS_open, "/proc/self/fd/4", O_RDWR);
	TRY("open-memory", SYS_open, "/proc/self/mem", O_RDWR);
	TRY("openat", SYS_openat, AT_FDCWD, ".", O_RDONLY);
	TRY("openat-folder", SYS_openat, FOLDER, ".", O_RDONLY);
	TRY("openat-tmpfile", SYS_openat, AT_FDCWD, "/var/tmp", O_TMPFILE | O_RDWR, 0600);
	TRY("openat2", SYS_openat2, AT_FDCWD, "/etc/passwd", &how, sizeof how);
	TRY("creat", SYS_creat, "/var/tmp/sekisho-probe", 0600);
	TRY("open-handle", SYS_open_by_handle_at, FOLDER, handle, O_RDONLY);
	TRY("open-tree", SYS_open_tree, AT_FDCWD, "/", 0);
	TRY("getdents", SYS_getdents64, FOLDER, handle, sizeof handle);
	TRY("stat", SYS_stat, "/etc/passwd", handle);
	TRY("statx", SYS_statx, AT_FDCWD, "/etc/passwd", 0, 0x7ff, handle);
	TRY("access", SYS_access, "/etc/passwd", R_OK);
	TRY("readlink", SYS_readlink, "/proc/self/exe", handle, sizeof handle);
	TRY("mkdir", SYS_mkdir, "/var/tmp/sekisho-probe", 0700);
	TRY("unlink", SYS_unlink, "/var/tmp/sekisho-probe");
	TRY("rename", SYS_rename, "/var/tmp/sekisho-probe", "/var/tmp/sekisho-probe2");
	TRY("link", SYS_linkat, AT_FDCWD, "/proc/self/fd/5", AT_FDCWD, "/var/tmp/sekisho-probe",
	    AT_SYMLINK_FOLLOW);
	TRY("link-empty", SYS_linkat, SCRATCH, "", AT_FDCWD, "/var/tmp/sekisho-probe",
	    AT_EMPTY_PATH);
	TRY("symlink", SYS_symlink, "/etc", "/var/tmp/sekisho-probe");
	TRY("mknod", SYS_mknod, "/var/tmp/sekisho-probe", 0010600, 0);
	TRY("chmod", SYS_chmod, "/var/tmp", 0777);
	TRY("chdir", SYS_chdir, "/");
	TRY("chroot", SYS_chroot, ".");
	TRY("truncate", SYS_truncate, "/etc/passwd", 0);
	TRY("utimensat", SYS_utimensat, AT_FDCWD, "/var/tmp", NULL, 0);
	TRY("inotify", SYS_inotify_init1, 0);
	TRY("fanotify", SYS_fanotify_init, 0, 0);
}

static void try_message(void)
{
	TRY("message-pwrite", SYS_pwrite64, MESSAGE, "x", 1, 0);
	TRY("message-write", SYS_write, MESSAGE, "x", 1);
	TRY("message-ftruncate", SYS_ftruncate, MESSAGE, 0);
	TRY("message-fallocate", SYS_fallocate, MESSAGE, 0, 0, 4096);
	TRY("message-fchmod", SYS_fchmod, MESSAGE, 0777);
	TRY("message-fchown", SYS_fchown, MESSAGE, 0, 0);
	TRY("message-utime", SYS_utimensat, MESSAGE, NULL, NULL, 0);
	TRY("message-xattr", SYS_fsetxattr, MESSAGE, "user.x", "x", 1, 0);
	TRY("message-flock", SYS_flock, MESSAGE, 2);
	TRY("message-lock", SYS_fcntl, MESSAGE, F_SETLK,
	    &(struct flock){.l_type = F_RDLCK, .l_whence = SEEK_SET});
	TRY("message-lease", SYS_fcntl, MESSAGE, F_SETLEASE, F_RDLCK);
	TRY("message-notify", SYS_fcntl, FOLDER, F_NOTIFY, 1);
	say("message-map",
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, MESSAGE, 0) == MAP_FAILED ? -1
											   : 0);
	TRY("message-ioctl", SYS_ioctl, MESSAGE, 0x40086602, &(long){0}); /* FS_IOC_SETFLAGS */
	TRY("message-copy", SYS_copy_file_range, SCRATCH, NULL, MESSAGE, NULL, 1, 0);
	TRY("message-sendfile", SYS_sendfile, MESSAGE, SCRATCH, NULL, 1);
	TRY("message-splice", SYS_splice, SCRATCH, NULL, MESSAGE, NULL, 1, 0);
}

static void try_sockets(const char *port, const char *abstract)
{
	static const struct {
		const char *name;
		int family, type;
	} kinds[] = {{"unix", AF_UNIX, SOCK_STREAM}, {"unix-dgram", AF_UNIX, SOCK_DGRAM},
	    {"inet", AF_INET, SOCK_STREAM}, {"inet-udp", AF_INET, SOCK_DGRAM},
	    {"inet6", AF_INET6, SOCK_STREAM}, {"raw", AF_INET, SOCK_RAW},
	    {"netlink", AF_NETLINK, SOCK_RAW}, {"packet", AF_PACKET, SOCK_RAW},
	    {"vsock", AF_VSOCK, SOCK_STREAM}, {"alg", AF_ALG, SOCK_SEQPACKET},
	    {"bluetooth", AF_BLUETOOTH, SOCK_RAW}};
	struct sockaddr_in peer = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)atoi(port)),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct msghdr to = {.msg_name = &name,
	    .msg_iov = &(struct iovec){(void *)(uintptr_t) "x", 1},
	    .msg_iovlen = 1};
	size_t len = strlen(abstract);
	char text[32];
	int pair[2];

	memcpy(name.sun_path + 1, abstract, len);
	to.msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		(void)snprintf(text, sizeof text, "socket-%s", kinds[i].name);
		TRY(text, SYS_socket, kinds[i].family, kinds[i].type, 0);
	}
	TRY("socketpair", SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, pair);
	TRY("connect-inet", SYS_connect, SOCKET, &peer, sizeof peer);
	TRY("connect-abstract", SYS_connect, SOCKET, &name, to.msg_namelen);
	TRY("sendto-abstract", SYS_sendto, SOCKET, "x", 1, 0, &name, to.msg_namelen);
	TRY("sendmsg-abstract", SYS_sendmsg, SOCKET, &to, MSG_NOSIGNAL);
	TRY("bind", SYS_bind, SOCKET, &peer, sizeof peer);
	TRY("listen", SYS_listen, SOCKET, 1);
	TRY("accept", SYS_accept4, SOCKET, NULL, NULL, 0);
	TRY("setsockopt", SYS_setsockopt, SOCKET, SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int));
	TRY("shutdown", SYS_shutdown, SOCKET, 3);
}

static void try_descriptors(void)
{
	int pair[2];

	TRY("pipe", SYS_pipe2, pair, 0);
	TRY("memfd", SYS_memfd_create, "x", 0);
	TRY("memfd-secret", SYS_memfd_secret, 0);
	TRY("eventfd", SYS_eventfd2, 0, 0);
	TRY("epoll", SYS_epoll_create1, 0);
	TRY("timerfd", SYS_timerfd_create, CLOCK_MONOTONIC, 0);
	TRY("signalfd", SYS_signalfd4, -1, &(uint64_t){0}, 8, 0);
	TRY("userfaultfd", SYS_userfaultfd, 0);
	TRY("io-uring", SYS_io_uring_setup, 4, &(struct io_uring_params){0});
	TRY("io-setup", SYS_io_setup, 4, &(unsigned long){0});
	TRY("perf", SYS_perf_event_open, NULL, 0, -1, -1, 0);
	TRY("bpf", SYS_bpf, 0, NULL, 0);
	TRY("dup2", SYS_dup2, SCRATCH, MESSAGE);
	TRY("fsopen", SYS_fsopen, "tmpfs", 0);
	TRY("mq", SYS_mq_open, "x", O_RDWR | O_CREAT, 0600, NULL);
	TRY("shmget", SYS_shmget, 0, 4096, 01600);
	TRY("shmat", SYS_shmat, 0, NULL, 0);
	TRY("keyctl", SYS_keyctl, 0, -3, 1);
	TRY("add-key", SYS_add_key, "user", "x", "y", 1, -3);
}

static void try_others(pid_t victim)
{
	struct iovec here = {&(char[8]){0}, 8}, there = {(void *)4096, 8};
	struct rlimit none = {0, 0};
	siginfo_t info = {.si_code = SI_QUEUE};

	TRY("ptrace", SYS_ptrace, PTRACE_ATTACH, victim, NULL, NULL);
	TRY("ptrace-seize", SYS_ptrace, 0x4206, victim, NULL, NULL);
	TRY("kill-0", SYS_kill, victim, 0);
	TRY("kill", SYS_kill, victim, SIGKILL);
	TRY("kill-all", SYS_kill, -1, SIGKILL);
	TRY("tkill", SYS_tkill, victim, SIGKILL);
	TRY("tgkill", SYS_tgkill, victim, victim, SIGKILL);
	/* Of a process that is not there: ESRCH says that the call itself is open. */
	TRY("tgkill-nobody", SYS_tgkill, 0x3ffffffe, 0x3ffffffe, 0);
	TRY("sigqueue", SYS_rt_sigqueueinfo, victim, SIGTERM, &info);
	TRY("tgsigqueue", SYS_rt_tgsigqueueinfo, victim, victim, SIGTERM, &info);
	TRY("pidfd-open", SYS_pidfd_open, victim, 0);
	TRY("pidfd-signal", SYS_pidfd_send_signal, FOLDER, SIGKILL, NULL, 0);
	TRY("pidfd-getfd", SYS_pidfd_getfd, FOLDER, 0, 0);
	TRY("vm-read", SYS_process_vm_readv, victim, &here, 1, &there, 1, 0);
	TRY("vm-write", SYS_process_vm_writev, victim, &here, 1, &there, 1, 0);
	TRY("kcmp", SYS_kcmp, getpid(), victim, 0, 3, 3);
	TRY("prlimit", SYS_prlimit64, victim, RLIMIT_CPU, &none, NULL);
	TRY("prlimit-files", SYS_prlimit64, victim, RLIMIT_NOFILE, &none, NULL);
	TRY("setpriority", SYS_setpriority, 0, victim, 19);
	TRY("setaffinity", SYS_sched_setaffinity, victim, 8, &(uint64_t){1});
	TRY("setpgid", SYS_setpgid, victim, getpid());
	TRY("setsid", SYS_setsid);
	/* The kernel would signal the owner of a descriptor when something comes. */
	TRY("own-socket", SYS_fcntl, SOCKET, F_SETOWN, victim);
	TRY("own-signal", SYS_fcntl, SOCKET, F_SETSIG, SIGKILL);
	TRY("own-async", SYS_fcntl, SOCKET, F_SETFL, O_ASYNC);
	TRY("own-ioctl", SYS_ioctl, SOCKET, 0x8901, &victim); /* FIOSETOWN */
}

static void try_more_power(void)
{
	struct rlimit much = {RLIM_INFINITY, RLIM_INFINITY};
	struct sock_fprog_like {
		unsigned short len;
		void *filter;
	} program = {0, NULL};

	TRY("execve", SYS_execve, "/bin/true", (char *[]){NULL}, (char *[]){NULL});
	TRY("execveat", SYS_execveat, SCRATCH, "", (char *[]){NULL}, (char *[]){NULL},
	    AT_EMPTY_PATH);
	TRY("uselib", SYS_uselib, "/bin/true");
	TRY("mount", SYS_mount, "x", "/mnt", "tmpfs", 0, NULL);
	TRY("umount", SYS_umount2, "/proc", 0);
	TRY("pivot", SYS_pivot_root, ".", ".");
	TRY("unshare-user", SYS_unshare, CLONE_NEWUSER);
	TRY("unshare-net", SYS_unshare, CLONE_NEWNET);
	TRY("setns", SYS_setns, FOLDER, 0);
	TRY("setuid", SYS_setuid, 0);
	TRY("setgid", SYS_setgid, 0);
	TRY("setgroups", SYS_setgroups, 0, NULL);
	TRY("capset", SYS_capset, NULL, NULL);
	TRY("dumpable", SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
	TRY("traceable", SYS_prctl, PR_SET_PTRACER, -1, 0, 0, 0);
	TRY("subreaper", SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	TRY("keep-caps", SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
	TRY("exe-file", SYS_prctl, PR_SET_MM, PR_SET_MM_EXE_FILE, SCRATCH, 0, 0);
	TRY("name", SYS_prctl, PR_SET_NAME, "seki-queue", 0, 0, 0);
	TRY("undo-seccomp", SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_DISABLED, &program, 0, 0);
	TRY("landlock", SYS_landlock_restrict_self, FOLDER, 0);
	TRY("more-memory", SYS_setrlimit, RLIMIT_DATA, &much);
	TRY("more-memory-64", SYS_prlimit64, 0, RLIMIT_DATA, &much, NULL);
	TRY("core", SYS_prlimit64, 0, RLIMIT_CORE, &much, NULL);
	TRY("personality", SYS_personality, 0xffffffff);
	TRY("iopl", SYS_iopl, 3);
	TRY("modify-ldt", SYS_modify_ldt, 0, NULL, 0);
	TRY("init-module", SYS_init_module, NULL, 0, "");
	TRY("kexec", SYS_kexec_load, 0, 0, NULL, 0);
	TRY("reboot", SYS_reboot, 0, 0, 0, NULL);
	TRY("swapon", SYS_swapon, "/x", 0);
	TRY("syslog", SYS_syslog, 3, NULL, 0);
	TRY("hostname", SYS_sethostname, "x", 1);
	TRY("settime", SYS_clock_settime, CLOCK_REALTIME, &(struct timespec){0});
	TRY("quotactl", SYS_quotactl, 0, NULL, 0, NULL);
	TRY("vhangup", SYS_vhangup);
}

static void fork_by(const char *name, long pid)
{
	if (pid == 0)
		_exit(0);
	say(name, pid);
	if (pid > 0)
		(void)waitpid((pid_t)pid, NULL, __WALL);
}

/* Children end at once. */
static void try_processes(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct itimerval never = {.it_value = {0, 0}};
	uint64_t all = ~UINT64_C(0);

	fork_by("fork", fork());
	fork_by("fork-old", syscall(SYS_fork));
	fork_by("clone-user", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
	fork_by("clone-files", syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL));
	fork_by("clone-parent", syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL));
	fork_by("clone-unwaited", syscall(SYS_clone, 0, NULL, NULL, NULL, NULL));
	TRY("clone3", SYS_clone3, &(uint64_t[11]){0}, 88);
	TRY("disarm", SYS_setitimer, ITIMER_REAL, &never, NULL);
	TRY("disarm-cpu", SYS_setitimer, ITIMER_PROF, &never, NULL);
	TRY("alarm", SYS_alarm, 0);
	TRY("hold-signals", SYS_rt_sigprocmask, SIG_BLOCK, &all, NULL, 8);
	TRY("ignore-signals", SYS_rt_sigaction, SIGALRM, &ignore, NULL, 8);
	TRY("outlive", SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0);
	TRY("self-limits", SYS_prlimit64, 0, RLIMIT_FSIZE, NULL, &(struct rlimit){0, 0});
}

/* What it needs: these are done. */
static void try_its_work(bool message)
{
	void *much, *shared;
	char byte;

	say("+message-read", pread(MESSAGE, &byte, 1, 0));
	say(message ? "+scratch-write" : "scratch-write", pwrite(SCRATCH, "x", 1, 0));
	say("scratch-write-far", pwrite(SCRATCH, "x", 1, SCRATCH_MAX));
	say("scratch-grow", ftruncate(SCRATCH, SCRATCH_MAX + 1));
	say("+scratch-read", pread(SCRATCH, &byte, 1, 0));
	say("+scratch-truncate", ftruncate(SCRATCH, 0));
	say("+tell", sendmsg(SOCKET,
			 &(struct msghdr){.msg_iov = &(struct iovec){(void *)(uintptr_t) "x", 1},
			     .msg_iovlen = 1},
			 MSG_NOSIGNAL));
	much = malloc(MEGABYTE);
	say("+memory", much != NULL ? 0 : -1);
	free(much);
	much = malloc(96 * MEGABYTE);
	say("memory-96", much != NULL ? 0 : -1);
	shared =
	    mmap(NULL, 96 * MEGABYTE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	say("memory-shared-96", shared == MAP_FAILED ? -1 : 0);
}

int main(int argc, char **argv)
{
	struct settings settings;
	bool message = argc == 5 && strcmp(argv[1], "message") == 0;

	if (argc != 5)
		return 100;
	settings_default(&settings);
	inspect_confine(&settings);
	/* As lib/inspect/serve.c bounds what the process of a message may write. */
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR ||
	    (message && setrlimit(RLIMIT_FSIZE, &(struct rlimit){SCRATCH_MAX, SCRATCH_MAX}) != 0))
		return 111;
	if (message)
		inspect_confine_more();
	try_its_work(message);
	try_files();
	try_message();
	try_sockets(argv[3], argv[4]);
	try_descriptors();
	try_others((pid_t)atoi(argv[2]));
	try_more_power();
	try_processes();
	say("end", 0);
	/* The employer says something: whoever owns the socket now would be signalled. */
	(void)!recv(SOCKET, &(char){0}, 1, 0);
	return 0;
}
