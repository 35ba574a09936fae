/* seki-rules(8): people write rules of their own. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/base/local.h"
#include "lib/base/log.h"
#include "lib/base/ready.h"
#include "lib/base/reload.h"
#include "lib/mine/mine.h"
#include "lib/org/compile.h"
#include "lib/shell/rule_tests.h"

#define USER "sekik"

#ifdef __SANITIZE_ADDRESS__
/* In the sandbox no leak can be looked for. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

/* Runs the tests against a generation, below COMPILED. */
static int run(int etc, const char *name, struct rule_tests_count *count)
{
	int compiled = open(COMPILED, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int dir = compiled >= 0 ? openat(compiled, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	struct conf_fault fault;
	struct policy *policy = dir >= 0 ? policy_open(dir, name, &fault) : NULL;
	int code = policy != NULL ? rule_tests_run(etc, policy, count) : EXIT_ENVIRON;

	policy_close(policy);
	if (dir >= 0)
		(void)close(dir);
	if (compiled >= 0)
		(void)close(compiled);
	return code;
}

/* Runs them against what is in force. */
static int run_current(int etc, struct rule_tests_count *count)
{
	char name[COMPILED_NAME];
	ssize_t n = readlink(COMPILED_CURRENT, name, sizeof name - 1);

	name[n > 0 ? n : 0] = '\0';
	return run(etc, name, count);
}

/* A test that fails anyway is not this person's: an administrator may be at work. */
static bool test(const char *name, bool *unable)
{
	int etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct rule_tests_count after = {0}, before = {0};
	int code = run(etc, name, &after), now;

	if (code == EXIT_FINE)
		return true;
	now = run_current(etc, &before);
	*unable = code == EXIT_ENVIRON || now == EXIT_ENVIRON;
	return !*unable && code == now && rule_tests_within(&after, &before);
}

int main(int argc, char **argv)
{
	static struct settings settings;
	char fault[512];
	int listener, signals;

	(void)argv;
	if (argc != 1) {
		LOG("usage",
		    kv("text", "seki-rules, without arguments, in the instance's directory"));
		return EXIT_USAGE;
	}
	ready_keep_fd();
	forks_drop_root(USER);
	if (!forks_settings(&settings, fault, sizeof fault)) {
		reload_answer("seki-rules", false, fault);
		die_config(fault);
	}
	forks_harden();
	signals = local_signals();
	mine_start(&settings);
	listener = local_listen(MINE_SOCKET, SOMAXCONN);
	if (listener < 0)
		die_environ("making " MINE_SOCKET);

	/* Whoever asked for a reload while we were starting has his answer too. */
	reload_answer("seki-rules", true, "");
	mine_run(listener, signals, &settings, test, ready_tell);
	return EXIT_FINE;
}
