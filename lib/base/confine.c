#include "lib/base/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- Landlock ---- */

/* Rights by the version of Landlock that knows them first; older headers lack the later ones. */
#define FS_RIGHTS_1   UINT64_C(0x1fff)
#define FS_RIGHTS_2   UINT64_C(0x3fff)
#define FS_RIGHTS_3   UINT64_C(0x7fff)
#define FS_RIGHTS_5   UINT64_C(0xffff)
#define NET_BIND_4    UINT64_C(1)
#define NET_CONNECT_4 UINT64_C(2)
#define SCOPES_6      UINT64_C(3)
#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE  (UINT64_C(1) << 2)
#define FS_READ_DIR   (UINT64_C(1) << 3)
#define FS_TRUNCATE_3 (UINT64_C(1) << 14)
#define FS_MAKE_1                                                                                  \
	(UINT64_C(1) << 4 | UINT64_C(1) << 5 | UINT64_C(1) << 7 | UINT64_C(1) << 8 |               \
	    UINT64_C(1) << 12)
#define FS_REFER_2 (UINT64_C(1) << 13)

struct rights {
	uint64_t fs, net, scoped;
};

/* All that this version knows; returns how many bytes of it that version reads. */
static size_t all_rights(long version, struct rights *rights)
{
	*rights = (struct rights){.fs = FS_RIGHTS_1};
	if (version >= 2)
		rights->fs = version >= 5 ? FS_RIGHTS_5 : version >= 3 ? FS_RIGHTS_3 : FS_RIGHTS_2;
	if (version >= 4)
		rights->net = NET_BIND_4 | NET_CONNECT_4;
	if (version >= 6)
		rights->scoped = SCOPES_6;
	return version >= 6   ? sizeof *rights
	       : version >= 4 ? 2 * sizeof rights->fs
			      : sizeof rights->fs;
}

static bool allow(int rules, const struct confine_place *place, const struct rights *known)
{
	struct {
		uint64_t allowed;
		int32_t parent;
	} __attribute__((packed)) rule = {.parent = place->fd};

	if ((place->may & CONFINE_READ) != 0)
		rule.allowed |= FS_READ_FILE;
	if ((place->may & CONFINE_LIST) != 0)
		rule.allowed |= FS_READ_DIR;
	if ((place->may & CONFINE_WRITE) != 0)
		rule.allowed |= FS_WRITE_FILE | (known->fs & FS_TRUNCATE_3);
	if ((place->may & CONFINE_MAKE) != 0)
		rule.allowed |= FS_MAKE_1 | (known->fs & FS_REFER_2);
	return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

bool confine_places(const struct confine_place *places, size_t n, bool connects)
{
	long version =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct rights rights;
	size_t size;
	int rules;
	bool done = true;

	if (version < 1)
		return errno == ENOSYS || errno == EOPNOTSUPP;
	size = all_rights(version, &rights);
	if (connects)
		rights.net &= ~NET_CONNECT_4;
	rules = (int)syscall(SYS_landlock_create_ruleset, &rights, size, 0);
	if (rules < 0)
		return false;
	for (size_t i = 0; i < n && done; i++)
		done = allow(rules, &places[i], &rights);
	done = done && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	(void)close(rules);
	return done;
}

bool confine_files(int readable)
{
	const struct confine_place place = {.fd = readable, .may = CONFINE_READ};

	return confine_places(&place, readable >= 0 ? 1 : 0, false);
}

/* ---- seccomp ---- */

#if defined __x86_64__
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define THIS_ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef THIS_ARCH

#define FIRST_ARGUMENT                                                                             \
	(offsetof(struct seccomp_data, args)) /* its low half: both are little-endian */
#define PER_CALL 6
#define AROUND   4

static void load(struct sock_filter *f, size_t offset)
{
	*f = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

/* Goes on behind the next `skip` instructions unless the loaded word is `word`. */
static void unless(struct sock_filter *f, uint32_t word, uint8_t skip)
{
	*f = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, word, 0, skip);
}

static void answer(struct sock_filter *f, uint32_t what)
{
	*f = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what);
}

/* The answer about one number. Returns how many instructions it took. */
static size_t leaf(struct sock_filter *f, const struct confine_call *call, uint32_t denied)
{
	size_t n = 0;

	unless(&f[n++], (uint32_t)call->number, call->has_first ? 3 : 1);
	if (call->has_first) {
		load(&f[n++], FIRST_ARGUMENT);
		unless(&f[n++], call->first, 1);
	}
	answer(&f[n++], SECCOMP_RET_ALLOW);
	answer(&f[n++], denied);
	return n;
}

/*
 * A search by halves: the kernel tries a new filter on every number that there is, once for each
 * process, and a session should not pay for a long list.
 */
static size_t tree(
    struct sock_filter *f, const struct confine_call *calls, size_t n, uint32_t denied)
{
	size_t left;

	if (n == 1)
		return leaf(f, calls, denied);
	left = tree(f + 1, calls, n / 2, denied);
	*f = (struct sock_filter)BPF_JUMP(
	    BPF_JMP | BPF_JGE | BPF_K, (uint32_t)calls[n / 2].number, (uint8_t)left, 0);
	return 1 + left + tree(f + 1 + left, calls + n / 2, n - n / 2, denied);
}

static int by_number(const void *a, const void *b)
{
	const struct confine_call *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

bool confine_calls(const struct confine_call *calls, size_t n, enum confine_otherwise otherwise)
{
	struct sock_filter filter[CONFINE_CALLS_MAX * PER_CALL + AROUND];
	struct confine_call sorted[CONFINE_CALLS_MAX];
	struct sock_fprog program = {.filter = filter};
	uint32_t denied =
	    otherwise == CONFINE_KILL ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | EPERM;
	size_t at = 0;

	if (n < 1 || n > CONFINE_CALLS_MAX) {
		errno = E2BIG;
		return false;
	}
	/* Numbers of another calling convention would be other calls. */
	load(&filter[at++], offsetof(struct seccomp_data, arch));
	filter[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCH, 1, 0);
	answer(&filter[at++], SECCOMP_RET_KILL_PROCESS);
	load(&filter[at++], offsetof(struct seccomp_data, nr));
	memcpy(sorted, calls, n * sizeof *calls);
	qsort(sorted, n, sizeof *sorted, by_number);
	at += tree(&filter[at], sorted, n, denied);
	program.len = (unsigned short)at;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

#else

bool confine_calls(const struct confine_call *calls, size_t n, enum confine_otherwise otherwise)
{
	(void)calls;
	(void)n;
	(void)otherwise;
	return true;
}

#endif

/* ---- limits ---- */

bool confine_bound(int resource, uint64_t most)
{
	struct rlimit limit = {most, most};

	return setrlimit((__rlimit_resource_t)resource, &limit) == 0;
}
