#include "queue/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PUNCH_BLOCK 4096 /* of ext4 and XFS as they are made; with others more is zeroed by them */

#define LEG_MODE       0660
#define QUARANTINE_MAX 1000 /* second copies of one name that bad/ takes */

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

static void forget(struct spool *spool)
{
	spool->base = spool->split = -1;
	for (size_t i = 0; i < STATE_COUNT; i++)
		spool->dir[i] = -1;
}

/* A directory is opened as a place only: listing it is for its owner, by spool_list. */
static int open_place(int base, const char *name)
{
	return openat(base, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

bool spool_open(struct spool *spool, const struct settings *settings, const char *split_of)
{
	struct stat st;
	int split;

	forget(spool);
	spool->settings = settings;
	/* The instance's directory is the administrator's: its spool/ may be a link to a disk. */
	spool->base = open("spool", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (spool->base < 0)
		return false;

	for (size_t i = 0; i < STATE_COUNT; i++) {
		spool->dir[i] = open_place(spool->base, state_name((enum spool_state)i));
		if (spool->dir[i] < 0 || fstat(spool->dir[i], &st) != 0)
			goto fail;
		spool->owner[i] = st.st_uid;
	}

	if (split_of != NULL) {
		split = open_place(spool->base, "split");
		if (split < 0)
			goto fail;
		spool->split = open_place(split, split_of);
		(void)close(split);
		if (spool->split < 0)
			goto fail;
	}
	return true;
fail:
	spool_close(spool);
	return false;
}

static void close_one(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

void spool_close(struct spool *spool)
{
	int error = errno;

	for (size_t i = 0; i < STATE_COUNT; i++)
		close_one(spool->dir[i]);
	close_one(spool->split);
	close_one(spool->base);
	forget(spool);
	errno = error;
}

/* ---- the file system ---------------------------------------------------------------------- */

/* Whether the kernel lists `option` for the ext4 file system on this device. */
static bool ext4_has_option(dev_t dev, const char *option)
{
	char link[64], target[256], path[320], line[128];
	const char *name;
	ssize_t len;
	FILE *f;
	bool found = false;

	(void)snprintf(link, sizeof link, "/sys/dev/block/%u:%u", major(dev), minor(dev));
	len = readlink(link, target, sizeof target - 1);
	if (len < 0)
		return false;
	target[len] = '\0';
	name = strrchr(target, '/');
	(void)snprintf(
	    path, sizeof path, "/proc/fs/ext4/%s/options", name != NULL ? name + 1 : target);

	f = fopen(path, "re");
	if (f == NULL)
		return false;
	while (!found && fgets(line, sizeof line, f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		found = strcmp(line, option) == 0;
	}
	(void)fclose(f);
	return found;
}

bool spool_filesystem_known(const struct spool *spool, char *why, size_t room)
{
	struct statfs fs;
	struct stat st;
	int fd = openat(spool->dir[STATE_NEW], ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool there = fd >= 0 && fstatfs(fd, &fs) == 0 && fstat(fd, &st) == 0;

	close_one(fd);
	if (!there) {
		(void)snprintf(why, room, "cannot ask the file system of spool/");
		return false;
	}
	if (fs.f_type == XFS_SUPER_MAGIC)
		return true;
	if (fs.f_type != EXT4_SUPER_MAGIC) {
		(void)snprintf(why, room,
		    "spool/ is on a file system of type 0x%lx; ext4 and XFS were tested",
		    (unsigned long)fs.f_type);
		return false;
	}
	if (ext4_has_option(st.st_dev, "fast_commit")) {
		(void)snprintf(why, room, "spool/ is on ext4 with fast_commit, which loses order");
		return false;
	}
	return true;
}

/* ---- locks -------------------------------------------------------------------------------- */

/* Exchanges the O_PATH descriptor for one that lists and locks; it stays open for the lock. */
static bool lock_place(int *dir)
{
	int fd = openat(*dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close_one(fd);
		return false;
	}
	close_one(*dir);
	*dir = fd;
	return true;
}

bool spool_lock(struct spool *spool, enum spool_state state)
{
	return lock_place(&spool->dir[state]);
}

bool spool_lock_split(struct spool *spool)
{
	return lock_place(&spool->split);
}

/* ---- legs --------------------------------------------------------------------------------- */

static bool owned_by_the_spool(const struct spool *spool, uid_t uid)
{
	for (size_t i = 0; i < STATE_COUNT; i++) {
		if (spool->owner[i] == uid)
			return true;
	}
	return false;
}

enum spool_opened spool_open_leg(
    const struct spool *spool, enum spool_state state, const char *name, int *fd)
{
	struct stat st;

	*fd = openat(spool->dir[state], name,
	    O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (*fd < 0) {
		switch (errno) {
		case ENOENT:
			return SPOOL_GONE;
		case ELOOP:
		case EISDIR:
		case ENXIO:
		case EACCES:
		case ENODEV:
		case EOPNOTSUPP:
			return SPOOL_FOREIGN;
		default:
			return SPOOL_FAILED;
		}
	}

	if (fstat(*fd, &st) != 0) {
		close_one(*fd);
		return SPOOL_FAILED;
	}
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || !owned_by_the_spool(spool, st.st_uid)) {
		/* A leg that another stage has just moved on has no link here, but is no stranger. */
		close_one(*fd);
		return st.st_nlink == 0 ? SPOOL_GONE : SPOOL_FOREIGN;
	}
	return SPOOL_OPENED;
}

static enum spool_moved move_name(int from, const char *from_name, int to, const char *to_name)
{
	if (renameat2(from, from_name, to, to_name, RENAME_NOREPLACE) == 0)
		return SPOOL_MOVED;
	if (errno == ENOENT)
		return SPOOL_MOVE_GONE;
	return errno == EEXIST ? SPOOL_MOVE_TAKEN : SPOOL_MOVE_FAILED;
}

int spool_reopen_to_read(int fd)
{
	char path[32];

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
}

enum spool_moved spool_move(const struct spool *spool, enum spool_state from, const char *from_name,
    enum spool_state to, const char *to_name)
{
	return move_name(spool->dir[from], from_name, spool->dir[to], to_name);
}

bool spool_quarantine(const struct spool *spool, enum spool_state from, const char *name)
{
	char other[NAME_MAX + 1];
	enum spool_moved moved = spool_move(spool, from, name, STATE_BAD, name);

	for (int n = 2; moved == SPOOL_MOVE_TAKEN && n < QUARANTINE_MAX; n++) {
		(void)snprintf(other, sizeof other, "%.200s.%d", name, n);
		moved = spool_move(spool, from, name, STATE_BAD, other);
	}
	return moved == SPOOL_MOVED || moved == SPOOL_MOVE_GONE;
}

bool spool_append(int fd, off_t end, const char *records, size_t len)
{
	struct stat st;
	ssize_t n;
	int error;

	if (fstat(fd, &st) != 0)
		return false;
	if (st.st_size > end && ftruncate(fd, end) != 0)
		return false;

	n = write(fd, records, len);
	if (n == (ssize_t)len)
		return true;

	/* A part of a record must not stay: the next one would be glued to it. */
	error = n < 0 ? errno : ENOSPC;
	if (ftruncate(fd, end) != 0)
		error = errno;
	errno = error;
	return false;
}

bool spool_sync(int fd)
{
	return fsync(fd) == 0;
}

void spool_sync_soon(int fd)
{
	(void)sync_file_range(
	    fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* the sync says whether it worked */
}

/* Zeros over a few bytes of a leg, which is open to be appended to. */
static bool blank(int fd, off_t from, off_t to)
{
	static const char zeros[PUNCH_BLOCK];
	int flags = fcntl(fd, F_GETFL), error;
	bool done;

	if (from >= to)
		return true;
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_APPEND) != 0)
		return false;
	done = pwrite(fd, zeros, (size_t)(to - from), from) == (ssize_t)(to - from);
	error = errno;
	if (fcntl(fd, F_SETFL, flags) != 0)
		return false;
	errno = error;
	return done;
}

/*
 * Whole blocks are given back. What shares a block with head or trailer is overwritten: a hole there
 * would be zeroed by the file system as ordered data, which the next commit of its journal, and with
 * it new mail, would have to wait for.
 */
bool spool_punch(int fd, off_t from, off_t len)
{
	off_t to = from + len, first = (from + PUNCH_BLOCK - 1) / PUNCH_BLOCK * PUNCH_BLOCK;
	off_t last = to / PUNCH_BLOCK * PUNCH_BLOCK;

	if (len <= 0)
		return true;
	if (first > last)
		return blank(fd, from, to);
	if (first < last &&
	    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, first, last - first) != 0)
		return false;
	return blank(fd, from, first) && blank(fd, last, to);
}

bool spool_remove(const struct spool *spool, enum spool_state state, const char *name)
{
	return unlinkat(spool->dir[state], name, 0) == 0 || errno == ENOENT;
}

/* Whether it can be said; then `*there`. */
static bool stands(int dir, const char *name, bool *there)
{
	struct stat st;

	*there = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	return *there || errno == ENOENT;
}

bool spool_has(const struct spool *spool, enum spool_state state, const char *name, bool *there)
{
	return stands(spool->dir[state], name, there);
}

int64_t spool_changed(const struct spool *spool, enum spool_state state, const char *name)
{
	struct stat st;

	if (fstatat(spool->dir[state], name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	return (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
}

int spool_create(const struct spool *spool, const char *name)
{
	return openat(spool->dir[STATE_TMP], name,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, LEG_MODE);
}

bool spool_fill_in(int fd, const char *bytes, size_t len, off_t at)
{
	ssize_t n = pwrite(fd, bytes, len, at);

	if (n >= 0 && (size_t)n != len)
		errno = ENOSPC;
	return n >= 0 && (size_t)n == len;
}

/* ---- dividing ----------------------------------------------------------------------------- */

int spool_split_create(const struct spool *spool, const char *name)
{
	return openat(
	    spool->split, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, LEG_MODE);
}

bool spool_reserve(int fd, off_t len)
{
	/* A file system that cannot reserve says so later, by a failing write. */
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, len) == 0 || errno == EOPNOTSUPP;
}

int spool_split_open(const struct spool *spool, const char *name)
{
	return openat(spool->split, name, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
}

enum spool_moved spool_split_commit(
    const struct spool *spool, enum spool_state from, const char *from_name, const char *parent)
{
	return move_name(spool->dir[from], from_name, spool->split, parent);
}

enum spool_moved spool_split_move_child(
    const struct spool *spool, const char *child, enum spool_state to, const char *to_name)
{
	return move_name(spool->split, child, spool->dir[to], to_name);
}

bool spool_split_replace(
    const struct spool *spool, const char *file, enum spool_state state, const char *name)
{
	struct stat st;

	/* A leg that somebody took out meanwhile does not come back. */
	if (fstatat(spool->dir[state], name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	return renameat(spool->split, file, spool->dir[state], name) == 0;
}

bool spool_split_remove(const struct spool *spool, const char *name)
{
	return unlinkat(spool->split, name, 0) == 0 || errno == ENOENT;
}

bool spool_split_has(const struct spool *spool, const char *name, bool *there)
{
	return stands(spool->split, name, there);
}

/* ---- listing ------------------------------------------------------------------------------ */

static bool list_place(int dir, spool_see *see, void *context)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int error;

	if (d == NULL) {
		close_one(fd);
		return false;
	}

	for (errno = 0; (entry = readdir(d)) != NULL; errno = 0) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (!see(context, entry->d_name)) {
			errno = 0;
			break;
		}
	}
	error = errno;
	(void)closedir(d);
	errno = error;
	return error == 0;
}

bool spool_list(const struct spool *spool, enum spool_state state, spool_see *see, void *context)
{
	return list_place(spool->dir[state], see, context);
}

bool spool_list_split(const struct spool *spool, spool_see *see, void *context)
{
	return list_place(spool->split, see, context);
}

bool spool_room(const struct spool *spool, struct spool_room *room)
{
	struct statfs fs;

	if (fstatfs(spool->base, &fs) != 0)
		return false;
	room->bytes = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	room->total = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize;
	room->files = fs.f_files == 0 ? UINT64_MAX : (uint64_t)fs.f_ffree;
	return true;
}

int64_t spool_ballast_size(const struct spool *spool)
{
	struct stat st;

	if (fstatat(spool->dir[STATE_TMP], SPOOL_BALLAST, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	return st.st_size;
}

bool spool_ballast(const struct spool *spool, int64_t bytes)
{
	int fd, error;
	bool done;

	if (unlinkat(spool->dir[STATE_TMP], SPOOL_BALLAST, 0) != 0 && errno != ENOENT)
		return false;
	if (bytes == 0)
		return true;

	fd = openat(
	    spool->dir[STATE_TMP], SPOOL_BALLAST, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	done = fallocate(fd, 0, 0, bytes) == 0;
	error = errno;
	close_one(fd);
	if (!done)
		(void)unlinkat(spool->dir[STATE_TMP], SPOOL_BALLAST, 0);
	errno = error;
	return done;
}
