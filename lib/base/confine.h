/*
 * What a process that reads strangers' bytes gives up for good, before it reads the first of them.
 * Ask for no new privileges (PR_SET_NO_NEW_PRIVS) first.
 */
#ifndef SEKISHO_BASE_CONFINE_H
#define SEKISHO_BASE_CONFINE_H

#include <stdint.h>
#include <sys/syscall.h>

#include "lib/base/compat.h"

/* What may still be done with a file, or with everything below a directory. */
enum {
	CONFINE_READ = 1,  /* files are opened for reading */
	CONFINE_LIST = 2,  /* directories are opened */
	CONFINE_WRITE = 4, /* files are opened for writing, and emptied; none is made */
	CONFINE_MAKE = 8,  /* files, directories and links are made, renamed and removed in it */
};

struct confine_place {
	int fd; /* O_PATH does; the caller's */
	unsigned may;
};

/*
 * Landlock: no path can be opened, made or removed but what `places` says, no TCP port bound, and
 * none connected unless `connects`; no process outside signalled, no abstract socket reached. A Unix
 * socket with a path can still be connected. It holds for the calling thread and for those that are
 * made later. True if it holds, or if this kernel has no Landlock; false with errno.
 */
NODISCARD bool confine_places(const struct confine_place *places, size_t n, bool connects);

/* The same without connecting; files below the directory `readable`, unless -1, may be read. */
NODISCARD bool confine_files(int readable);

/* A system call that is still allowed. */
struct confine_call {
	long number;    /* SYS_… */
	bool has_first; /* only if its first argument is `first` */
	uint32_t first;
};

/* What every process needs: its descriptors, its memory, who and when it is, its end. */
#define CONFINE_CALLS_OF_ALL                                                                       \
	{.number = SYS_read}, {.number = SYS_write}, {.number = SYS_close}, {.number = SYS_fstat}, \
	    {.number = SYS_brk}, {.number = SYS_mmap}, {.number = SYS_munmap},                     \
	    {.number = SYS_mremap}, {.number = SYS_mprotect}, {.number = SYS_madvise},             \
	    {.number = SYS_futex}, {.number = SYS_getrandom}, {.number = SYS_getpid},              \
	    {.number = SYS_gettid}, {.number = SYS_clock_gettime}, {.number = SYS_rt_sigreturn},   \
	    {.number = SYS_restart_syscall},                                                       \
	{                                                                                          \
		.number = SYS_exit_group                                                           \
	}

#ifdef SYS_poll /* younger machines have ppoll alone */
#define CONFINE_CALLS_OF_POLL                                                                      \
	{.number = SYS_poll},                                                                      \
	{                                                                                          \
		.number = SYS_ppoll                                                                \
	}
#else
#define CONFINE_CALLS_OF_POLL                                                                      \
	{                                                                                          \
		.number = SYS_ppoll                                                                \
	}
#endif

#define CONFINE_CALLS_MAX 80 /* so that a filter's longest jump stays below 256 */

enum confine_otherwise {
	CONFINE_KILL,  /* any other call ends the process */
	CONFINE_EPERM, /* any other call fails */
};

/*
 * seccomp: no system call but these. True if it holds, or on a machine whose calls are not known
 * here; false with errno.
 */
NODISCARD bool confine_calls(
    const struct confine_call *calls, size_t n, enum confine_otherwise otherwise);

/* The most that is ever had of `resource` (RLIMIT_…), in its unit, for good. False with errno. */
NODISCARD bool confine_bound(int resource, uint64_t most);

#endif
