#include "lib/shell/compile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/die.h"
#include "lib/org/compile.h"
#include "lib/past/past.h"
#include "lib/policy/set.h"
#include "lib/shell/check.h"
#include "lib/shell/out.h"
#include "lib/shell/rule_tests.h"
#include "lib/shell/trial_rules.h"

#define LOCK_SECONDS 30 /* a person's change of own rules, and its tests, may be under way */

struct compiling {
	int etc;
	int compiled;
	int lock;
	struct generation generation;
	struct org_counts counts;
	size_t rules;
	struct rule_tests_count tests;
};

/* ---- looking at it ---- */

static bool warn(void *context, const char *where, const char *text)
{
	(void)context;
	(void)fputs("etc/policy/", stderr);
	out_visible(stderr, where, strlen(where), false);
	(void)fputs(": warning: ", stderr);
	out_visible(stderr, text, strlen(text), false);
	(void)fputc('\n', stderr);
	return true;
}

/* Whoever has emptied a file by mistake hears of it; whoever meant it, too. */
static void compare_with_now(const struct policy *fresh)
{
	struct conf_fault fault;
	struct policy *now = fresh->rules == 0 ? policy_open_current(&fault) : NULL;

	if (now != NULL && now->rules > 0)
		complain("warning: %zu rules are in force, and now there is none: all mail leaves "
			 "unless a setting holds it",
		    now->rules);
	policy_close(now);
}

/* Warnings and rule tests; closes the rules. */
static int look(struct compiling *c, struct policy *policy)
{
	int code;

	policy_warnings(policy, warn, NULL);
	compare_with_now(policy);
	c->rules = policy->rules;
	c->counts = org_counts(policy->org);
	code = rule_tests_run(c->etc, policy, &c->tests);
	policy_close(policy);
	return code;
}

/* What lies below lib/ is the machine's fault, what lies below etc/ the administrator's. */
static int blamed(const struct conf_fault *fault)
{
	complain_fault(fault);
	return strncmp(fault->file, "lib/", 4) == 0 ? EXIT_ENVIRON : EXIT_CONFIG;
}

/* ---- putting it in force ---- */

static struct policy *open_made(
    const struct compiling *c, struct org_names *names, struct conf_fault *fault)
{
	struct rule_names known = {.known = org_name_known, .context = names};
	int dir = openat(c->compiled, c->generation.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct policy *policy = NULL;

	*fault = (struct conf_fault){.file = COMPILED};
	if (dir < 0)
		(void)conf_blame(fault, 0, 0, "%s", strerrordesc_np(errno));
	else
		policy = policy_open_checked(dir, c->generation.name, &known, fault);
	if (dir >= 0)
		(void)close(dir);
	return policy;
}

/* Only a count for a report: what cannot be told now is told by the next. No tray: no instance. */
static void tell_count(uint32_t addresses)
{
	if (!past_people(addresses) && errno != ENOENT)
		complain("seki-db was not told how many addresses there are: %s",
		    strerrordesc_np(errno));
}

static int put_in_force(struct compiling *c)
{
	struct conf_fault fault;
	struct org_names *names;
	struct policy *policy;
	int code;

	if (!compile_prepare(c->etc, c->compiled, &c->generation, &names, &fault))
		return blamed(&fault);
	policy = open_made(c, names, &fault);
	org_names_free(names);
	code = policy != NULL ? look(c, policy) : blamed(&fault);
	if (code == EXIT_FINE && compile_publish(c->compiled, &c->generation, &fault)) {
		tell_count(c->counts.addresses);
		return EXIT_FINE;
	}
	if (code == EXIT_FINE)
		code = blamed(&fault);
	compile_abandon(c->compiled, &c->generation);
	return code;
}

static bool open_folders(struct compiling *c)
{
	c->compiled = c->lock = -1;
	c->etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->etc < 0) {
		complain("etc/ cannot be opened: %s", strerrordesc_np(errno));
		return false;
	}
	c->compiled = open(COMPILED, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->compiled < 0)
		complain(COMPILED "/ cannot be opened: %s", strerrordesc_np(errno));
	return c->compiled >= 0;
}

static bool lock_compiled(struct compiling *c)
{
	c->lock = compile_lock(c->compiled, LOCK_SECONDS);
	if (c->lock < 0 && errno == EWOULDBLOCK)
		complain("somebody is compiling; try again");
	else if (c->lock < 0)
		complain(COMPILED "/" COMPILED_LOCK ": %s", strerrordesc_np(errno));
	return c->lock >= 0;
}

static int compile_into(struct compiling *c)
{
	int code = open_folders(c) && lock_compiled(c) ? put_in_force(c) : EXIT_ENVIRON;

	if (c->lock >= 0)
		(void)close(c->lock); /* which gives it back */
	if (c->compiled >= 0)
		(void)close(c->compiled);
	if (c->etc >= 0)
		(void)close(c->etc);
	return code;
}

int compile_etc(const struct shell *sh)
{
	struct compiling c = {.rules = 0};

	(void)sh;
	return compile_into(&c);
}

int compile_check(const struct shell *sh)
{
	struct compiling c = {.etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	struct conf_fault fault;
	struct policy *policy;
	int code;

	(void)sh;
	if (c.etc < 0) {
		complain("etc/ cannot be opened: %s", strerrordesc_np(errno));
		return EXIT_CONFIG;
	}
	policy = trial_rules(c.etc, NULL, &fault);
	code = policy != NULL ? look(&c, policy) : blamed(&fault);
	(void)close(c.etc);
	return code;
}

int shell_compile(const struct shell *sh, int argc, char **argv)
{
	struct compiling c = {.rules = 0};
	struct out o;
	int code;

	(void)argv;
	if (argc > 0)
		return complain_usage("compile takes no arguments");
	code = check_etc(sh);
	if (code == EXIT_FINE)
		code = compile_into(&c);
	if (code != EXIT_FINE)
		return code;

	out_open(&o, sh, "GENERATION\tSTATE\tRULES\tTESTS\tPEOPLE\tPARTNERS");
	out_text(&o, "generation", c.generation.name);
	out_text(&o, "state", c.generation.current ? "unchanged" : "new");
	out_number(&o, "rules", c.rules);
	out_number(&o, "tests", c.tests.passed);
	out_number(&o, "people", c.counts.people);
	out_number(&o, "partners", c.counts.partners);
	out_end(&o);
	return out_close(&o, code);
}
