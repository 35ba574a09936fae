#include "lib/shell/trial_rules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/org/compile.h"
#include "queue/digest.h"

#define PLACE         "/tmp/seki-XXXXXX"
#define READ_STEP     65536
#define DIGEST_DIGITS 16

/* The scratch directory: files of the generation, and "etc", links to another. */
struct scratch {
	char path[sizeof PLACE];
	int dir;
	int etc; /* -1: none was made */
};

static bool blame(struct conf_fault *fault, const char *what)
{
	return conf_blame(fault, 0, 0, "%s: %s", what, strerrordesc_np(errno));
}

static bool scratch_open(struct scratch *s, struct conf_fault *fault)
{
	*s = (struct scratch){.path = PLACE, .dir = -1, .etc = -1};
	if (mkdtemp(s->path) != NULL)
		s->dir = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s->dir >= 0 || blame(fault, s->path);
}

/* Removes everything in a directory that holds no directory but "etc". */
static void empty(int dir)
{
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = again >= 0 ? fdopendir(again) : NULL;
	const struct dirent *e;

	if (d == NULL) {
		if (again >= 0)
			(void)close(again);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)unlinkat(dir, e->d_name, 0);
	}
	(void)closedir(d);
}

static void scratch_close(struct scratch *s)
{
	if (s->etc >= 0) {
		empty(s->etc);
		(void)close(s->etc);
		(void)unlinkat(s->dir, "etc", AT_REMOVEDIR);
	}
	if (s->dir >= 0) {
		empty(s->dir);
		(void)close(s->dir);
		(void)rmdir(s->path);
	}
}

/* ---- another etc/ ------------------------------------------------------------------------- */

/* Absolute, since a link is read from where it stands. */
static bool link_to(int from, const char *target, const char *name, struct conf_fault *fault)
{
	return symlinkat(target, from, name) == 0 || blame(fault, name);
}

static bool link_all(int etc, const char *path, int into, struct conf_fault *fault)
{
	int again = openat(etc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = again >= 0 ? fdopendir(again) : NULL;
	const struct dirent *e;
	char target[PATH_MAX];
	bool good = d != NULL || blame(fault, path);

	if (d == NULL && again >= 0)
		(void)close(again);
	while (good && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || strcmp(e->d_name, "policy") == 0)
			continue;
		if ((size_t)snprintf(target, sizeof target, "%s/%s", path, e->d_name) <
		    sizeof target)
			good = link_to(into, target, e->d_name, fault);
	}
	if (d != NULL)
		(void)closedir(d);
	return good;
}

/* etc/ again, by links, but for policy/. */
static bool make_etc(struct scratch *s, int etc, const char *policy, struct conf_fault *fault)
{
	char self[64], path[PATH_MAX], target[PATH_MAX];
	ssize_t n;
	struct stat st;

	(void)snprintf(fault->file, sizeof fault->file, "%.100s", policy);
	if (realpath(policy, target) == NULL || stat(target, &st) != 0)
		return blame(fault, "the rules");
	if (!S_ISDIR(st.st_mode))
		return conf_blame(fault, 0, 0, "no directory of rules");
	fault->file[0] = '\0';
	(void)snprintf(self, sizeof self, "/proc/self/fd/%d", etc);
	n = readlink(self, path, sizeof path - 1);
	if (n <= 0 || mkdirat(s->dir, "etc", 0700) != 0)
		return blame(fault, s->path);
	path[n] = '\0';
	s->etc = openat(s->dir, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return (s->etc >= 0 || blame(fault, s->path)) && link_all(etc, path, s->etc, fault) &&
	       link_to(s->etc, target, "policy", fault);
}

/* ---- its name ----------------------------------------------------------------------------- */

static bool digest_file(int dir, const char *name, char hex[DIGEST_HEX])
{
	struct digest *digest = digest_new();
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	char bytes[READ_STEP];
	ssize_t n = -1;

	while (digest != NULL && fd >= 0 && (n = read(fd, bytes, sizeof bytes)) > 0)
		digest_add(digest, bytes, (size_t)n);
	if (n == 0)
		digest_end(digest, hex);
	if (fd >= 0)
		(void)close(fd);
	digest_free(digest);
	return n == 0;
}

static bool name_it(int dir, char name[COMPILED_NAME])
{
	char rules[DIGEST_HEX], org[DIGEST_HEX];

	if (!digest_file(dir, COMPILED_RULES, rules) || !digest_file(dir, ORG_FILE, org))
		return false;
	(void)snprintf(name, COMPILED_NAME, "%.*s-%.*s", DIGEST_DIGITS, rules, DIGEST_DIGITS, org);
	return true;
}

static struct policy *compile_and_open(int etc, int dir, struct conf_fault *fault)
{
	char name[COMPILED_NAME];
	struct org_names *names = NULL;
	struct rule_names known = {.known = org_name_known};
	struct policy *set = NULL;

	if (!org_compile(etc, dir, &names, fault))
		return NULL;
	known.context = names;
	if (!rules_bundle(etc, dir, fault))
		;
	else if (!name_it(dir, name))
		(void)blame(fault, "what was compiled");
	else
		set = policy_open_checked(dir, name, &known, fault);
	org_names_free(names);
	return set;
}

struct policy *trial_rules(int etc, const char *policy, struct conf_fault *fault)
{
	struct scratch s;
	struct policy *set = NULL;

	*fault = (struct conf_fault){.line = 0};
	if (scratch_open(&s, fault) && (policy == NULL || make_etc(&s, etc, policy, fault)))
		set = compile_and_open(s.etc >= 0 ? s.etc : etc, s.dir, fault);
	scratch_close(&s);
	return set;
}
