/* What a tool may do: nearly nothing. It is other people's code, fed with strangers' bytes. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/confine.h"
#include "lib/base/die.h"
#include "lib/convert/server.h"

#define TOOL_FD   3 /* closed as the tool begins */
#define FILES_MAX 64
#define STACK_MAX ((rlim_t)16 * 1024 * 1024)
#define TOOLS     COUNT_OF(tools)

#if defined __x86_64__
#define LOADER "/lib64/ld-linux-x86-64.so.2"
#elif defined __aarch64__
#define LOADER "/lib/ld-linux-aarch64.so.1"
#else
#define LOADER "/lib/ld.so.1"
#endif

/* -q would hide what tells a password from damage; "-" is standard input, read at random. */
static const char *const pdf_arguments[] = {
    "pdftotext", "-enc", "UTF-8", "-eol", "unix", "-", "-", NULL};

static const struct convert_tool tools[] = {
    {"pdf", "/usr/bin/pdftotext", "/usr/share/poppler", pdf_arguments}};

const struct convert_tool *convert_tool_named(const char *word)
{
	for (size_t i = 0; i < TOOLS; i++) {
		if (strcmp(word, tools[i].word) == 0)
			return &tools[i];
	}
	return NULL;
}

/* A test build runs whatever the test puts in the tool's place. */
static const char *path_of(const struct convert_tool *tool)
{
#ifdef SEKISHO_TESTING
	const char *other = getenv("SEKISHO_CONVERT_TOOL");

	if (other != NULL)
		return other;
#endif
	return tool->path;
}

/* ---- files ---- */

/* Landlock's rights by the version that knows them first; older headers lack the later ones. */
#define EXECUTE    (UINT64_C(1) << 0)
#define READ_FILE  (UINT64_C(1) << 2)
#define READ_DIR   (UINT64_C(1) << 3)
#define FILES_1    UINT64_C(0x1fff)
#define REFER_2    (UINT64_C(1) << 13)
#define TRUNCATE_3 (UINT64_C(1) << 14)
#define DEVICES_5  (UINT64_C(1) << 15)
#define NET_4      UINT64_C(3)
#define SCOPES_6   UINT64_C(3)

struct rights {
	uint64_t files, net, scopes;
};

/* Everything that this kernel's Landlock can deny. -1: there is none (or errno says what else). */
static int new_rules(void)
{
	long version =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct rights rights = {.files = FILES_1};
	size_t size = sizeof rights.files;

	if (version < 1)
		return -1;
	if (version >= 2)
		rights.files |= REFER_2;
	if (version >= 3)
		rights.files |= TRUNCATE_3;
	if (version >= 4) {
		rights.net = NET_4;
		size = 2 * sizeof rights.files;
	}
	if (version >= 5)
		rights.files |= DEVICES_5;
	if (version >= 6) {
		rights.scopes = SCOPES_6;
		size = sizeof rights;
	}
	return (int)syscall(SYS_landlock_create_ruleset, &rights, size, 0);
}

/* What is not there need not be allowed. */
static bool allow(int rules, const char *path, uint64_t what)
{
	struct {
		uint64_t allowed;
		int32_t parent;
	} __attribute__((packed)) rule = {what, open(path, O_PATH | O_CLOEXEC)};
	bool done;

	if (rule.parent < 0)
		return errno == ENOENT;
	done = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
	(void)close(rule.parent);
	return done;
}

/*
 * lib/base/confine.h lets nobody begin a program, and its layers only ever take away: this is the one
 * place that needs it.
 */
static bool deny_files(void)
{
	static const char *const libraries[] = {"/usr/lib", "/lib", "/lib64"};
	int rules = new_rules();
	bool done = true;

	if (rules < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP;
	for (size_t i = 0; i < COUNT_OF(libraries) && done; i++)
		done = allow(rules, libraries[i], READ_FILE | READ_DIR);
	done = done && allow(rules, LOADER, READ_FILE | EXECUTE) &&
	       allow(rules, "/etc/ld.so.cache", READ_FILE);
	for (size_t i = 0; i < TOOLS && done; i++) {
		done = allow(rules, path_of(&tools[i]), READ_FILE | EXECUTE) &&
		       allow(rules, tools[i].data, READ_FILE | READ_DIR);
	}
	done = done && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	(void)close(rules);
	return done;
}

void convert_confine(void)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		die_environ("forbidding dumps");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		die_environ("forbidding new privileges");
	if (!deny_files())
		die_environ("confining to the tools' files");
}

/* ---- system calls ---- */

/*
 * What a program needs that reads a file, its tables and its libraries, and writes text. It makes no
 * process, no socket and no name, and begins no other program: the descriptor by which it was begun
 * itself is closed by then.
 */
static bool deny_calls(void)
{
	static const struct confine_call calls[] = {
	    CONFINE_CALLS_OF_ALL,
	    {.number = SYS_execveat, .has_first = true, .first = TOOL_FD},
	    {.number = SYS_prlimit64, .has_first = true, .first = 0},
	    {.number = SYS_readv},
	    {.number = SYS_pread64},
	    {.number = SYS_lseek},
	    {.number = SYS_writev},
	    {.number = SYS_openat},
	    {.number = SYS_newfstatat},
	    {.number = SYS_faccessat},
	    {.number = SYS_faccessat2},
	    {.number = SYS_readlinkat},
	    {.number = SYS_getdents64},
	    {.number = SYS_fcntl},
	    {.number = SYS_fadvise64},
#ifdef SYS_access /* younger machines have the others alone */
	    {.number = SYS_access},
	    {.number = SYS_readlink},
	    {.number = SYS_arch_prctl},
#endif
	    {.number = SYS_set_tid_address},
	    {.number = SYS_set_robust_list},
	    {.number = SYS_rseq},
	    {.number = SYS_sysinfo},
	    {.number = SYS_uname},
	    {.number = SYS_gettimeofday},
	    {.number = SYS_rt_sigaction},
	    {.number = SYS_rt_sigprocmask},
	    {.number = SYS_exit},
	};

	return confine_calls(calls, COUNT_OF(calls), CONFINE_EPERM);
}

/* ---- limits ---- */

static bool bound(__rlimit_resource_t what, rlim_t soft, rlim_t hard)
{
	const struct rlimit limit = {soft, hard};

	return setrlimit(what, &limit) == 0;
}

/* The memory's bound comes last: from then on this process itself may get none. */
static bool set_limits(const struct settings *s)
{
	rlim_t seconds = (rlim_t)((s->convert_time + 999999) / 1000000);
	rlim_t text = (rlim_t)s->convert_text, memory = (rlim_t)s->convert_memory;

	return bound(RLIMIT_CPU, seconds, seconds + 1) && bound(RLIMIT_FSIZE, text, text) &&
	       bound(RLIMIT_NOFILE, FILES_MAX, FILES_MAX) && bound(RLIMIT_NPROC, 0, 0) &&
	       bound(RLIMIT_CORE, 0, 0) && bound(RLIMIT_MEMLOCK, 0, 0) &&
	       bound(RLIMIT_STACK, STACK_MAX, STACK_MAX) && bound(RLIMIT_AS, memory, memory);
}

/* ---- becoming the tool ---- */

/* Puts the descriptors where the tool expects them; none of them is below `free` before. */
static bool place_files(const struct convert_job *job, int tool)
{
	enum { FREE = 16 };
	int in = fcntl(job->in, F_DUPFD_CLOEXEC, FREE);
	int text = fcntl(job->text, F_DUPFD_CLOEXEC, FREE);
	int errors = fcntl(job->errors, F_DUPFD_CLOEXEC, FREE);

	tool = fcntl(tool, F_DUPFD_CLOEXEC, FREE);
	return in >= 0 && text >= 0 && errors >= 0 && tool >= 0 && dup2(in, STDIN_FILENO) >= 0 &&
	       dup2(text, STDOUT_FILENO) >= 0 && dup2(errors, STDERR_FILENO) >= 0 &&
	       dup3(tool, TOOL_FD, O_CLOEXEC) >= 0 && close_range(TOOL_FD + 1, ~0U, 0) == 0;
}

static bool calm_signals(void)
{
	sigset_t none;

	(void)sigemptyset(&none);
	return signal(SIGPIPE, SIG_DFL) != SIG_ERR && signal(SIGXFSZ, SIG_DFL) != SIG_ERR &&
	       signal(SIGALRM, SIG_DFL) != SIG_ERR && sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

void convert_become(const struct convert_job *job)
{
	static char *const environment[] = {(char *)(uintptr_t) "LC_ALL=C.UTF-8", NULL};
	const struct convert_tool *tool = job->tool;
	int fd = open(path_of(tool), O_PATH | O_CLOEXEC);
	/* It dies with its parent, who may have died already. */
	bool good = prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == job->parent;

	if (good && fd >= 0 && setpgid(0, 0) == 0 && place_files(job, fd) && calm_signals() &&
	    set_limits(job->settings) && deny_calls())
		(void)syscall(
		    SYS_execveat, TOOL_FD, "", tool->arguments, environment, AT_EMPTY_PATH);
	_exit(127);
}
