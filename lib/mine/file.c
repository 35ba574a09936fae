#include "lib/mine/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/org/org.h"

#define FILE_MODE 0644
#define NAME_ROOM (MINE_ADDRESS_MAX + 8) /* ".ADDRESS.old" */
#define READ_STEP ((size_t)4096)
#define FILES_MAX 1000 /* of a directory */

static bool ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len >= n && strcmp(name + len - n, end) == 0;
}

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$%&'*+-=?^_`{|}~.@", c) != NULL);
}

bool mine_address_good(const char *address)
{
	static const char *const left_out[] = {"~", ".swp", ".bak", ".orig"}; /* lib/org/folder.h */
	char normal[ORG_ADDRESS_MAX];
	size_t len = strlen(address);

	if (len == 0 || len > MINE_ADDRESS_MAX || address[0] == '.' || address[0] == '#' ||
	    strchr(address, '@') == NULL || strchr(address, '@') != strrchr(address, '@'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!letter(address[i]))
			return false;
	}
	for (size_t i = 0; i < COUNT_OF(left_out); i++) {
		if (ends_in(address, left_out[i]))
			return false;
	}
	return org_normal(address, normal) && strcmp(address, normal) == 0;
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool read_all(int fd, struct buf *into)
{
	for (;;) {
		char *room = buf_reserve(into, READ_STEP);
		ssize_t n = room != NULL ? read(fd, room, READ_STEP) : -1;

		if (room == NULL) {
			errno = EFBIG;
			return false;
		}
		if (n == 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
		into->len += n > 0 ? (size_t)n : 0;
	}
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int counts(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, "README") != 0;
}

/* An administrator's, to be shown. */
static bool read_folder(int dir, struct buf *into)
{
	struct dirent **list = NULL;
	int n = scandirat(dir, ".", &list, counts, by_name), fd;
	bool good = n >= 0 && n <= FILES_MAX;

	for (int i = 0; i < n; i++) {
		fd = good ? openat(dir, list[i]->d_name,
				O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
			  : -1;
		good = good && fd >= 0 && read_all(fd, into);
		if (fd >= 0)
			(void)close(fd);
		free(list[i]);
	}
	free(list);
	return good;
}

static bool read_open(int fd, struct mine_file *file)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	file->there = true;
	file->hand = !S_ISREG(st.st_mode) || st.st_uid != geteuid();
	if (S_ISDIR(st.st_mode))
		return read_folder(fd, &file->bytes);
	errno = EPROTO;
	return S_ISREG(st.st_mode) && read_all(fd, &file->bytes);
}

bool mine_file_read(int users, const char *address, struct mine_file *file)
{
	int fd = openat(users, address, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int error;
	bool good;

	*file = (struct mine_file){.there = false};
	buf_init(&file->bytes, MINE_FILE_MAX + READ_STEP);
	if (fd < 0 && errno != ENOENT)
		return false;
	good = fd < 0 || read_open(fd, file);
	error = errno;
	if (fd >= 0)
		(void)close(fd); /* only read: nothing can be lost */
	digest_of(file->bytes.len > 0 ? file->bytes.bytes : "", file->bytes.len, file->digest);
	errno = error;
	return good;
}

void mine_file_free(struct mine_file *file)
{
	buf_free(&file->bytes);
}

/* ---- changing ----------------------------------------------------------------------------- */

static void name_of(const char *address, const char *end, char name[NAME_ROOM])
{
	(void)snprintf(name, NAME_ROOM, ".%s.%s", address, end);
}

static bool write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* A new file with these bytes, durable. False with errno, and there is none. */
static bool make(int users, const char *name, const char *bytes, size_t len)
{
	int fd, error;
	bool good;

	(void)unlinkat(users, name, 0); /* of somebody who was killed */
	fd = openat(users, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return false;
	good = fchmod(fd, FILE_MODE) == 0 && write_all(fd, bytes, len) && fsync(fd) == 0;
	error = errno;
	if (close(fd) != 0 && good) {
		error = errno;
		good = false;
	}
	if (!good)
		(void)unlinkat(users, name, 0);
	errno = error;
	return good;
}

/* An empty one means that there was none: to the rules it is the same. */
static bool keep_old(int users, const char *address)
{
	char old[NAME_ROOM];

	name_of(address, "old", old);
	(void)unlinkat(users, old, 0);
	if (linkat(users, address, users, old, 0) == 0)
		return true;
	return errno == ENOENT && make(users, old, "", 0);
}

bool mine_file_put(int users, const char *address, const char *bytes, size_t len)
{
	char fresh[NAME_ROOM];
	int error;

	name_of(address, "new", fresh);
	if (!make(users, fresh, bytes, len))
		return false;
	if (!keep_old(users, address) || fsync(users) != 0)
		goto fail;
	if (len > 0 ? renameat(users, fresh, users, address) != 0
		    : unlinkat(users, address, 0) != 0 && errno != ENOENT)
		goto fail;
	if (len == 0)
		(void)unlinkat(users, fresh, 0);
	return fsync(users) == 0;
fail:
	error = errno;
	(void)unlinkat(users, fresh, 0);
	errno = error;
	return false;
}

bool mine_file_undo(int users, const char *address)
{
	char old[NAME_ROOM];
	struct stat st;

	name_of(address, "old", old);
	if (fstatat(users, old, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT; /* nothing was changed */
	if (st.st_size > 0 ? renameat(users, old, users, address) != 0
			   : unlinkat(users, address, 0) != 0 && errno != ENOENT)
		return false;
	/* Two names of one file: such a rename leaves both. */
	(void)unlinkat(users, old, 0);
	return fsync(users) == 0;
}

void mine_file_keep(int users, const char *address)
{
	char old[NAME_ROOM];

	name_of(address, "old", old);
	(void)unlinkat(users, old, 0);
}

/* ---- ending what was begun ---------------------------------------------------------------- */

static bool finish(int users, const char *address, mine_in_force *in_force, void *context)
{
	struct mine_file file;
	bool good = mine_file_read(users, address, &file);

	if (good && in_force(context, address, file.bytes.bytes, file.bytes.len))
		mine_file_keep(users, address);
	else
		good = mine_file_undo(users, address);
	mine_file_free(&file);
	return good;
}

/* ".ADDRESS.old", ".ADDRESS.new": the address. */
static bool take_address(const char *name, const char *end, char address[MINE_ADDRESS_MAX + 1])
{
	size_t len = strlen(name);

	if (name[0] != '.' || len < 6 || len - 5 > MINE_ADDRESS_MAX || !ends_in(name, end))
		return false;
	memcpy(address, name + 1, len - 5);
	address[len - 5] = '\0';
	return mine_address_good(address);
}

int mine_file_finish(int users, mine_in_force *in_force, void *context)
{
	char address[MINE_ADDRESS_MAX + 1];
	struct dirent **list = NULL;
	int n = scandirat(users, ".", &list, NULL, NULL), done = 0, error = 0;

	if (n < 0)
		return -1;
	for (int i = 0; i < n; i++) {
		if (take_address(list[i]->d_name, ".new", address))
			(void)unlinkat(users, list[i]->d_name, 0);
		if (take_address(list[i]->d_name, ".old", address)) {
			done++;
			if (!finish(users, address, in_force, context))
				error = errno;
		}
		free(list[i]);
	}
	free(list);
	errno = error;
	return error == 0 ? done : -1;
}
