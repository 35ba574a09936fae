/*
 * The spool's system calls. This is the only module that renames, links, unlinks, truncates or
 * syncs anything in the spool. All paths are names in an open directory; none is built from what a
 * stranger wrote.
 */
#ifndef SEKISHO_QUEUE_SPOOL_H
#define SEKISHO_QUEUE_SPOOL_H

#include "lib/base/compat.h"
#include "lib/base/settings.h"
#include "queue/name.h"

#define SPOOL_BALLAST "ballast" /* in tmp/ */

struct spool {
	int base;                 /* spool/ */
	int dir[STATE_COUNT];     /* O_PATH, but for those that were listed */
	int split;                /* split/STAGE of this program, or -1 */
	uid_t owner[STATE_COUNT]; /* the users of the spool: who may own a leg */
	const struct settings *settings;
};

/*
 * Opens spool/ of the instance in the current directory. False with errno set. `split_of` names
 * the stage whose split/STAGE is opened too, or NULL.
 */
NODISCARD bool spool_open(
    struct spool *spool, const struct settings *settings, const char *split_of);
void spool_close(struct spool *spool);

/*
 * Whether the file system is one whose crashes were tested: ext4 without fast_commit, or XFS.
 * False with the reason in `why`.
 */
NODISCARD bool spool_filesystem_known(const struct spool *spool, char *why, size_t room);

/* Takes the lock of a state for the life of the process. False: another process has it (errno
 * EWOULDBLOCK), or the directory is not ours to list. */
NODISCARD bool spool_lock(struct spool *spool, enum spool_state state);
NODISCARD bool spool_lock_split(struct spool *spool);

/* ---- legs ---- */

enum spool_opened {
	SPOOL_OPENED,
	SPOOL_GONE,    /* no such name any more */
	SPOOL_FOREIGN, /* not a regular file of ours with one link: quarantine it */
	SPOOL_FAILED,  /* errno */
};

/* Opens a leg to read and append. Never creates, never follows a link, never waits (FIFO). */
NODISCARD enum spool_opened spool_open_leg(
    const struct spool *spool, enum spool_state state, const char *name, int *fd);

/*
 * The open leg `fd` once more, for reading alone: for a program that is not to change it. The
 * caller closes it. -1 with errno.
 */
NODISCARD int spool_reopen_to_read(int fd);

enum spool_moved {
	SPOOL_MOVED,
	SPOOL_MOVE_GONE,  /* the source is not there */
	SPOOL_MOVE_TAKEN, /* the target name exists: a second copy of the leg */
	SPOOL_MOVE_FAILED /* errno */
};

/* A transition: one rename, never over another file. THE commit of every transition. */
NODISCARD enum spool_moved spool_move(const struct spool *spool, enum spool_state from,
    const char *from_name, enum spool_state to, const char *to_name);

/* Puts what stands as from/name into bad/, under a free name like it. False with errno. */
NODISCARD bool spool_quarantine(const struct spool *spool, enum spool_state from, const char *name);

/*
 * Appends whole records in one write, after cutting the file to `end` if it is longer (a torn
 * tail). Whatever fails, the file is left ending at `end` again if that is possible. False: errno.
 */
NODISCARD bool spool_append(int fd, off_t end, const char *records, size_t len);

/* fsync. After false (errno) the file must be given up: never call it again on this file. */
NODISCARD bool spool_sync(int fd);

/* Has the pages of a file written without waiting for them: a sync that follows takes less long. */
void spool_sync_soon(int fd);

/* Gives the space of a byte range back; the bytes read as zeros from then on. */
NODISCARD bool spool_punch(int fd, off_t from, off_t len);

NODISCARD bool spool_remove(const struct spool *spool, enum spool_state state, const char *name);

/* When a file was last written (microseconds); -1 if it is not there. */
int64_t spool_changed(const struct spool *spool, enum spool_state state, const char *name);

/* Whether a name stands in a state, without listing it. False: it cannot be said (errno). */
NODISCARD bool spool_has(
    const struct spool *spool, enum spool_state state, const char *name, bool *there);

/* ---- receiving ---- */

/* Creates tmp/NAME, empty, mode 0660; fails if it exists. Returns a descriptor or -1. */
NODISCARD int spool_create(const struct spool *spool, const char *name);

/*
 * Overwrites `len` bytes at `at`: a head's last lines, before the one fsync that commits it. False
 * with errno; a short write is ENOSPC.
 */
NODISCARD bool spool_fill_in(int fd, const char *bytes, size_t len, off_t at);

/* ---- dividing: names in split/STAGE ---- */

NODISCARD int spool_split_create(const struct spool *spool, const char *name);
/* Keeps room for a file of `len` bytes. False with errno, ENOSPC before anything was written. */
NODISCARD bool spool_reserve(int fd, off_t len);
NODISCARD int spool_split_open(const struct spool *spool, const char *name);
NODISCARD enum spool_moved spool_split_commit(
    const struct spool *spool, enum spool_state from, const char *from_name, const char *parent);
NODISCARD enum spool_moved spool_split_move_child(
    const struct spool *spool, const char *child, enum spool_state to, const char *to_name);
/* Puts it in the place of a leg, which is gone then: the only rename over another file. False: errno. */
NODISCARD bool spool_split_replace(
    const struct spool *spool, const char *file, enum spool_state state, const char *name);
NODISCARD bool spool_split_remove(const struct spool *spool, const char *name);
NODISCARD bool spool_split_has(const struct spool *spool, const char *name, bool *there);

/* ---- listing ---- */

/* Called for each name but "." and "..". Returns false to stop. */
typedef bool spool_see(void *context, const char *name);

/* Lists a state that is ours. False with errno; a stop by `see` is no failure. */
NODISCARD bool spool_list(
    const struct spool *spool, enum spool_state state, spool_see *see, void *context);
NODISCARD bool spool_list_split(const struct spool *spool, spool_see *see, void *context);

/* ---- room ---- */

struct spool_room {
	uint64_t bytes; /* free for programs without root's reserve */
	uint64_t total;
	uint64_t files; /* inodes; UINT64_MAX where the file system has no such limit */
};

/*
 * Makes tmp/ballast `bytes` large, on real blocks; 0 takes it away. Returns false with errno if
 * it could not; what there is of it then is taken away.
 */
NODISCARD bool spool_ballast(const struct spool *spool, int64_t bytes);

/* The size of tmp/ballast; 0 if there is none. */
int64_t spool_ballast_size(const struct spool *spool);

NODISCARD bool spool_room(const struct spool *spool, struct spool_room *room);

#endif
