/* Generations below lib/compiled: made aside, put there by one rename. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/org/compile.h"
#include "lib/org/digest.h"
#include "lib/org/org.h"

#define NEW_FOLDER  ".new"
#define NEW_LINK    ".current"
#define LINK        "current"
#define FOLDER_MODE 0755
#define FILE_MODE   0640
#define DIGITS      ((size_t)16) /* of a digest that stand in a name */

static const char *const files[] = {COMPILED_RULES, ORG_FILE};

static bool blame(struct conf_fault *fault, const char *what, int error)
{
	*fault = (struct conf_fault){.file = COMPILED};
	return conf_blame(fault, 0, 0, "%s: %s", what, strerrordesc_np(error));
}

/* ---- digests ---- */

static bool digest(int dir, const char *file, char digits[DIGITS + 1])
{
	int fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char hex[DIGEST_HEX];
	uint64_t size;
	bool good = fd >= 0 && digest_file(fd, UINT64_MAX, hex, &size);

	if (good)
		(void)snprintf(digits, DIGITS + 1, "%.16s", hex);
	if (fd >= 0)
		(void)close(fd); /* only read: nothing can be lost */
	return good;
}

/* ---- names ---- */

/* "RULES-ORG". */
static bool is_generation(const char *name)
{
	return strlen(name) == 2 * DIGITS + 1 && name[DIGITS] == '-' &&
	       strspn(name, "0123456789abcdef") == DIGITS &&
	       strspn(name + DIGITS + 1, "0123456789abcdef") == DIGITS;
}

/* What `current` leads to; "" if there is none, or it is none of ours. */
static void read_current(int compiled, char name[COMPILED_NAME])
{
	ssize_t len = readlinkat(compiled, LINK, name, COMPILED_NAME - 1);

	name[len > 0 ? len : 0] = '\0';
	if (!is_generation(name))
		name[0] = '\0';
}

static int open_folder(int compiled, const char *name)
{
	return openat(compiled, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* ---- making one ---- */

/* Its files, and then itself; what is not there is fine. */
static void remove_folder(int compiled, const char *name)
{
	int dir = open_folder(compiled, name);

	if (dir >= 0) {
		for (size_t i = 0; i < COUNT_OF(files); i++)
			(void)unlinkat(dir, files[i], 0);
		(void)close(dir);
	}
	(void)unlinkat(compiled, name, AT_REMOVEDIR);
}

static int make_folder(int compiled)
{
	remove_folder(compiled, NEW_FOLDER); /* of somebody who was killed */
	if (mkdirat(compiled, NEW_FOLDER, FOLDER_MODE) != 0)
		return -1;
	return open_folder(compiled, NEW_FOLDER);
}

/* Mode and group, whatever the umask is; durable. */
static bool settle_file(int dir, const char *file, gid_t group)
{
	int fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool good = fd >= 0 && fchmod(fd, FILE_MODE) == 0 &&
		    (fchown(fd, (uid_t)-1, group) == 0 || geteuid() != 0) && fsync(fd) == 0;
	int error = errno;

	if (fd >= 0)
		(void)close(fd); /* fsync has said what there is to say */
	errno = error;
	return good;
}

static bool settle(int compiled, int dir)
{
	struct stat st;

	return fstat(compiled, &st) == 0 && fchmod(dir, FOLDER_MODE) == 0 &&
	       settle_file(dir, COMPILED_RULES, st.st_gid) &&
	       settle_file(dir, ORG_FILE, st.st_gid) && fsync(dir) == 0;
}

static bool name_it(int dir, char name[COMPILED_NAME])
{
	char rules[DIGITS + 1], org[DIGITS + 1];

	if (!digest(dir, COMPILED_RULES, rules) || !digest(dir, ORG_FILE, org))
		return false;
	(void)snprintf(name, COMPILED_NAME, "%s-%s", rules, org);
	return true;
}

/* Whether both files of the generation are there, and are what its name says. */
static bool is_whole(int compiled, const char *name)
{
	char found[COMPILED_NAME] = "";
	int dir = open_folder(compiled, name);
	bool whole = dir >= 0 && name_it(dir, found) && strcmp(found, name) == 0;

	if (dir >= 0)
		(void)close(dir);
	return whole;
}

/* Into a generation that is there, but has lost a file, or has a damaged one. */
static bool mend(int compiled, int made, const char *name)
{
	int dir = open_folder(compiled, name);
	bool good = dir >= 0;

	for (size_t i = 0; good && i < COUNT_OF(files); i++)
		good = renameat(made, files[i], dir, files[i]) == 0;
	good = good && fsync(dir) == 0;
	if (dir >= 0)
		(void)close(dir);
	return good;
}

/* Puts NEW_FOLDER, which is `made`, where it belongs. False with errno. */
static bool place(int compiled, int made, struct generation *g)
{
	char current[COMPILED_NAME];

	read_current(compiled, current);
	if (is_whole(compiled, g->name)) {
		g->current = strcmp(current, g->name) == 0;
		remove_folder(compiled, NEW_FOLDER);
		return true;
	}
	g->made = renameat(compiled, NEW_FOLDER, compiled, g->name) == 0;
	if (!g->made && errno != ENOTEMPTY && errno != EEXIST)
		return false;
	if (!g->made && !mend(compiled, made, g->name))
		return false;
	if (!g->made)
		remove_folder(compiled, NEW_FOLDER);
	return fsync(compiled) == 0;
}

bool compile_prepare(int etc, int compiled, struct generation *generation, struct org_names **names,
    struct conf_fault *fault)
{
	struct org_names *known = NULL;
	int made = -1;
	bool good = false;

	*generation = (struct generation){.made = false};
	if (flock(compiled, LOCK_EX) != 0)
		return blame(fault, "cannot be locked", errno);
	made = make_folder(compiled);
	if (made < 0)
		return blame(fault, "cannot be written", errno);
	if (!rules_bundle(etc, made, fault) || !org_compile(etc, made, &known, fault))
		goto done;
	good = (settle(compiled, made) && name_it(made, generation->name) &&
		   place(compiled, made, generation)) ||
	       blame(fault, "cannot be written", errno);

done:
	(void)close(made);
	if (!good)
		remove_folder(compiled, NEW_FOLDER);
	if (good && names != NULL)
		*names = known;
	else
		org_names_free(known);
	return good;
}

/* ---- making it the current one ---- */

/* org.cdb of all but two. It is room that is wanted: what cannot be removed now is so next time. */
static void remove_old(int compiled, const char *current, const char *before)
{
	int fd = openat(compiled, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	while (list != NULL && (entry = readdir(list)) != NULL) {
		int dir;

		if (!is_generation(entry->d_name) || strcmp(entry->d_name, current) == 0 ||
		    strcmp(entry->d_name, before) == 0)
			continue;
		dir = open_folder(compiled, entry->d_name);
		if (dir < 0)
			continue;
		(void)unlinkat(dir, ORG_FILE, 0);
		(void)close(dir);
	}
	if (list != NULL)
		(void)closedir(list);
	else if (fd >= 0)
		(void)close(fd);
}

bool compile_publish(int compiled, const struct generation *generation, struct conf_fault *fault)
{
	char before[COMPILED_NAME];

	if (generation->current)
		return true;
	read_current(compiled, before);
	if ((unlinkat(compiled, NEW_LINK, 0) != 0 && errno != ENOENT) ||
	    symlinkat(generation->name, compiled, NEW_LINK) != 0 ||
	    renameat(compiled, NEW_LINK, compiled, LINK) != 0 || fsync(compiled) != 0)
		return blame(fault, "cannot be written", errno);
	remove_old(compiled, generation->name, before);
	return true;
}

void compile_abandon(int compiled, const struct generation *generation)
{
	if (generation->made && !generation->current)
		remove_folder(compiled, generation->name);
}

bool compile_generation(int etc, int compiled, char name[COMPILED_NAME], struct conf_fault *fault)
{
	struct generation generation;

	if (!compile_prepare(etc, compiled, &generation, NULL, fault))
		return false;
	memcpy(name, generation.name, COMPILED_NAME);
	return compile_publish(compiled, &generation, fault);
}
