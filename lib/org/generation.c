/* Generations below lib/compiled: made aside, put there by one rename. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/org/compile.h"
#include "lib/org/digest.h"
#include "lib/org/org.h"

#define NEW_LINK    ".current"
#define LINK        "current"
#define FOLDER_MODE 0755
#define RULES_MODE  0640
#define ORG_MODE    0644 /* seki-login is no stage, and asks it: etc/ says as much to everybody */
#define LOCK_MODE   0600
#define DIGITS      ((size_t)16) /* of a digest that stand in a name */

static const char *const files[] = {COMPILED_RULES, ORG_FILE};

/* Who is not root cannot take away what root has left when it was killed: each makes one of its own. */
static const char *new_folder(void)
{
	return geteuid() == 0 ? ".new" : ".making";
}

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

/* ---- the lock ---- */

#define TRIES 10 /* a second */

static int open_lock(int compiled)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = openat(compiled, COMPILED_LOCK, flags | O_CREAT | O_EXCL, LOCK_MODE);
	struct stat around;

	if (fd < 0)
		return errno == EEXIST ? openat(compiled, COMPILED_LOCK, flags) : -1;
	/* Made by root it is the owner's all the same. */
	if (fchmod(fd, LOCK_MODE) == 0 &&
	    (geteuid() != 0 ||
		(fstat(compiled, &around) == 0 && fchown(fd, around.st_uid, around.st_gid) == 0)))
		return fd;
	(void)close(fd);
	(void)unlinkat(compiled, COMPILED_LOCK, 0);
	return -1;
}

int compile_lock(int compiled, unsigned seconds)
{
	const struct timespec pause = {.tv_nsec = 1000000000 / TRIES};
	int fd = open_lock(compiled), error;

	for (unsigned i = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
		if ((errno == EWOULDBLOCK || errno == EINTR) && i < seconds * TRIES) {
			(void)nanosleep(&pause, NULL);
			continue;
		}
		error = errno;
		(void)close(fd);
		errno = error;
		return -1;
	}
	return fd;
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
	struct stat st;
	int dir;

	remove_folder(compiled, new_folder()); /* of somebody who was killed */
	if (mkdirat(compiled, new_folder(), FOLDER_MODE) != 0)
		return -1;
	dir = open_folder(compiled, new_folder());
	/* The directory around it may be somebody else's, who has put one of his there. */
	if (dir >= 0 && (fstat(dir, &st) != 0 || st.st_uid != geteuid())) {
		(void)close(dir);
		errno = EPERM;
		return -1;
	}
	return dir;
}

/*
 * Mode, and the owner and group of the directory around, whatever the umask is and whoever compiles: so
 * seki-rules, whose directory that is, can read what root has compiled, and take it away. Durable.
 */
static bool settle_file(int dir, const char *file, mode_t mode, const struct stat *around)
{
	int fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uid_t owner = geteuid() == 0 ? around->st_uid : (uid_t)-1;
	bool good = fd >= 0 && fchmod(fd, mode) == 0 &&
		    (fchown(fd, owner, around->st_gid) == 0 || geteuid() != 0) && fsync(fd) == 0;
	int error = errno;

	if (fd >= 0)
		(void)close(fd); /* fsync has said what there is to say */
	errno = error;
	return good;
}

/* The directory last: before that it is ours, and nobody puts anything into it. */
static bool settle(int compiled, int dir)
{
	struct stat st;

	return fstat(compiled, &st) == 0 && fchmod(dir, FOLDER_MODE) == 0 &&
	       settle_file(dir, COMPILED_RULES, RULES_MODE, &st) &&
	       settle_file(dir, ORG_FILE, ORG_MODE, &st) &&
	       (geteuid() != 0 || fchown(dir, st.st_uid, st.st_gid) == 0) && fsync(dir) == 0;
}

/* Gives what root compiled before the directory had an owner to that one. */
static void hand_over(int compiled, const char *name, void *context)
{
	struct stat around, st;
	int dir = open_folder(compiled, name);

	(void)context;
	if (dir >= 0 && fstat(compiled, &around) == 0 && fstat(dir, &st) == 0 && st.st_uid == 0 &&
	    around.st_uid != 0) {
		for (size_t i = 0; i < COUNT_OF(files); i++)
			(void)!fchownat(
			    dir, files[i], around.st_uid, (gid_t)-1, AT_SYMLINK_NOFOLLOW);
		(void)!fchown(dir, around.st_uid, (gid_t)-1);
	}
	if (dir >= 0)
		(void)close(dir);
}

/* Calls for each generation that is there. */
static void each_generation(
    int compiled, void (*see)(int compiled, const char *name, void *context), void *context)
{
	int fd = openat(compiled, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	while (list != NULL && (entry = readdir(list)) != NULL) {
		if (is_generation(entry->d_name))
			see(compiled, entry->d_name, context);
	}
	if (list != NULL)
		(void)closedir(list);
	else if (fd >= 0)
		(void)close(fd);
}

static void hand_over_all(int compiled)
{
	each_generation(compiled, hand_over, NULL);
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

/* Puts new_folder(), which is `made`, where it belongs. False with errno. */
static bool place(int compiled, int made, struct generation *g)
{
	char current[COMPILED_NAME];

	read_current(compiled, current);
	if (is_whole(compiled, g->name)) {
		g->current = strcmp(current, g->name) == 0;
		remove_folder(compiled, new_folder());
		return true;
	}
	g->made = renameat(compiled, new_folder(), compiled, g->name) == 0;
	if (!g->made && errno != ENOTEMPTY && errno != EEXIST)
		return false;
	if (!g->made && !mend(compiled, made, g->name))
		return false;
	if (!g->made)
		remove_folder(compiled, new_folder());
	return fsync(compiled) == 0;
}

/* Files into a folder of the generation's own. */
struct making {
	int etc; /* -1: `rules` and the current org.cdb */
	const char *rules;
	size_t len;
	struct org_names **names; /* or NULL */
};

/* The same file under another name: people and lists are as they are in force. */
static bool take_org(int compiled, int made, struct conf_fault *fault)
{
	char current[COMPILED_NAME];
	int dir, error;
	bool good;

	read_current(compiled, current);
	dir = current[0] != '\0' ? open_folder(compiled, current) : -1;
	good = dir >= 0 && linkat(dir, ORG_FILE, made, ORG_FILE, 0) == 0;
	error = current[0] != '\0' ? errno : ENOENT;
	if (dir >= 0)
		(void)close(dir);
	return good || blame(fault, "the current " ORG_FILE, error);
}

static bool fill(int compiled, int made, const struct making *m, struct org_names **known,
    struct conf_fault *fault)
{
	if (m->etc < 0)
		return rules_write(made, m->rules, m->len, fault) &&
		       take_org(compiled, made, fault);
	return rules_bundle(m->etc, made, fault) && org_compile(m->etc, made, known, fault);
}

static bool prepare(
    int compiled, const struct making *m, struct generation *generation, struct conf_fault *fault)
{
	struct org_names *known = NULL;
	int made = -1;
	bool good = false;

	*generation = (struct generation){.made = false};
	if (geteuid() == 0)
		hand_over_all(compiled);
	made = make_folder(compiled);
	if (made < 0)
		return blame(fault, "cannot be written", errno);
	if (!fill(compiled, made, m, &known, fault))
		goto done;
	good = (settle(compiled, made) && name_it(made, generation->name) &&
		   place(compiled, made, generation)) ||
	       blame(fault, "cannot be written", errno);

done:
	(void)close(made);
	if (!good)
		remove_folder(compiled, new_folder());
	if (good && m->names != NULL)
		*m->names = known;
	else
		org_names_free(known);
	return good;
}

bool compile_prepare(int etc, int compiled, struct generation *generation, struct org_names **names,
    struct conf_fault *fault)
{
	const struct making m = {.etc = etc, .names = names};

	return prepare(compiled, &m, generation, fault);
}

bool compile_rules(int compiled, const char *rules, size_t len, struct generation *generation,
    struct conf_fault *fault)
{
	const struct making m = {.etc = -1, .rules = rules, .len = len};

	return prepare(compiled, &m, generation, fault);
}

/* ---- making it the current one ---- */

struct kept {
	const char *current, *before;
};

static void remove_one(int compiled, const char *name, void *context)
{
	const struct kept *kept = context;
	int dir;

	if (strcmp(name, kept->current) == 0 || strcmp(name, kept->before) == 0)
		return;
	dir = open_folder(compiled, name);
	if (dir < 0)
		return;
	(void)unlinkat(dir, ORG_FILE, 0);
	(void)close(dir);
}

/* org.cdb of all but two. It is room that is wanted: what cannot be removed now is so next time. */
static void remove_old(int compiled, const char *current, const char *before)
{
	struct kept kept = {current, before};

	each_generation(compiled, remove_one, &kept);
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
	char current[COMPILED_NAME];

	/* Publishing may have failed behind its rename: who judges by it now must find it. */
	read_current(compiled, current);
	if (generation->made && strcmp(current, generation->name) != 0)
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
