#include "lib/org/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/people/people.h"

bool folder_blame(struct conf_fault *fault, const char *path, const char *text)
{
	*fault = (struct conf_fault){.line = 0};
	(void)snprintf(fault->file, sizeof fault->file, "etc/%.120s", path);
	return conf_blame(fault, 0, 0, "%s", text);
}

bool folder_name_good(const char *path, const char *name, struct conf_fault *fault)
{
	if (people_group_name(name))
		return true;
	return folder_blame(fault, path,
	    "a name has 1 to 64 letters, digits, '-', '_' and '.', and no '.' in front");
}

/*
 * Opens etc/`path`. What stands in policy/user belongs to seki-rules: a link that it left there must not lead
 * root, who compiles, to a file that seki-rules may not read.
 */
static int open_in(int etc, const char *path, int flags)
{
	static const char users[] = "policy/user/";
	const struct open_how how = {
	    .flags = (uint64_t)(unsigned)flags, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH};
	int dir, fd, error;

	if (strncmp(path, users, sizeof users - 1) != 0)
		return openat(etc, path, flags);
	dir = openat(etc, "policy/user", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, dir, path + sizeof users - 1, &how, sizeof how);
	error = errno;
	(void)close(dir);
	errno = error;
	return fd;
}

static const char *reason(int error)
{
	return error == ELOOP ? "no link may stand there" : strerrordesc_np(error);
}

/* ---- names ---- */

static bool ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

static bool passed_over(const char *name)
{
	return name[0] == '.' || name[0] == '#' || strcmp(name, "README") == 0 ||
	       ends_in(name, "~") || ends_in(name, ".swp") || ends_in(name, ".bak") ||
	       ends_in(name, ".orig");
}

static bool add(struct folder *folder, const char *name, bool is_folder)
{
	if (folder->n == folder->room) {
		size_t room = folder->room > 0 ? 2 * folder->room : 16;
		struct folder_entry *bigger =
		    reallocarray(folder->entry, room, sizeof *folder->entry);

		if (bigger == NULL)
			return false;
		folder->entry = bigger;
		folder->room = room;
	}
	folder->entry[folder->n].folder = is_folder;
	folder->entry[folder->n].name = strdup(name);
	if (folder->entry[folder->n].name == NULL)
		return false;
	folder->n++;
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct folder_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool take(
    int dir, const char *path, const char *name, struct folder *folder, struct conf_fault *fault)
{
	char file[sizeof fault->file];
	struct stat st;

	(void)snprintf(file, sizeof file, "%.60s/%.60s", path, name);
	if (fstatat(dir, name, &st, 0) != 0)
		return folder_blame(fault, file, strerrordesc_np(errno));
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return folder_blame(fault, file, "is neither a file nor a directory");
	if (folder->n == FOLDER_MAX)
		return folder_blame(fault, path, "more than 10000 files");
	return add(folder, name, S_ISDIR(st.st_mode)) || folder_blame(fault, path, "no memory");
}

bool folder_read(int etc, const char *path, struct folder *folder, struct conf_fault *fault)
{
	int fd = open_in(etc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	bool good = true;

	*folder = (struct folder){.n = 0};
	if (dir == NULL) {
		int error = errno;

		if (fd >= 0)
			(void)close(fd);
		return error == ENOENT || folder_blame(fault, path, reason(error));
	}
	errno = 0;
	while (good && (entry = readdir(dir)) != NULL) {
		if (!passed_over(entry->d_name))
			good = take(fd, path, entry->d_name, folder, fault);
		errno = 0;
	}
	if (good && errno != 0)
		good = folder_blame(fault, path, strerrordesc_np(errno));
	(void)closedir(dir);
	if (folder->n > 0)
		qsort(folder->entry, folder->n, sizeof *folder->entry, by_name);
	return good;
}

void folder_free(struct folder *folder)
{
	for (size_t i = 0; i < folder->n; i++)
		free(folder->entry[i].name);
	free(folder->entry);
	*folder = (struct folder){.n = 0};
}

/* ---- one file ---- */

static bool read_bytes(int fd, size_t bound, struct buf *into)
{
	size_t start = into->len;

	for (;;) {
		char *end = buf_reserve(into, 4096);
		ssize_t n;

		errno = end == NULL ? ENOMEM : 0;
		n = end != NULL ? read(fd, end, 4096) : -1;
		if (n == 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
		into->len += n > 0 ? (size_t)n : 0;
		errno = EFBIG;
		if (into->len - start > bound)
			return false;
	}
}

bool folder_file(
    int etc, const char *path, size_t bound, struct buf *into, struct conf_fault *fault)
{
	/* Not blocking: a FIFO put there must not stop a reload. */
	int fd = open_in(etc, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	bool good;

	if (fd < 0)
		return folder_blame(fault, path, reason(errno));
	if (fstat(fd, &st) != 0)
		good = folder_blame(fault, path, strerrordesc_np(errno));
	else if (!S_ISREG(st.st_mode))
		good = folder_blame(fault, path, "is not a regular file");
	else
		good = read_bytes(fd, bound, into) ||
		       folder_blame(
			   fault, path, errno == EFBIG ? "is too large" : strerrordesc_np(errno));
	(void)close(fd); /* only read: nothing can be lost */
	return good;
}
