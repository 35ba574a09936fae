/*
 * Trays: files to which one program appends whole lines and which another reads and empties, so that
 * who tells never waits for who reads, and what is told while nobody reads is not lost. The first line
 * of each is "tray RANDOM" with 16 hex digits: two trays with equal lines are told apart by it.
 *
 * A tray is made with the instance, by root, and never here. Nothing here logs.
 */
#ifndef SEKISHO_BASE_TRAY_H
#define SEKISHO_BASE_TRAY_H

#include "lib/base/compat.h"

#define TRAY_PATH_MAX 96
#define TRAY_RANDOM   17 /* 16 digits and a NUL */

/* ---- the side that tells ---- */

struct tray;

/* The tray at `path`, from the current directory; it is opened when it is needed. NULL: no memory, or
 * the path is too long. */
NODISCARD struct tray *tray_at(const char *path);
void tray_close(struct tray *tray);

/* What it may hold that nobody has read (setting tray-max); 64 MB if nobody says. */
void tray_bound(struct tray *tray, int64_t most);

/*
 * Appends whole lines in one write, without waiting for the disk; any thread may. False with errno:
 * not told (EFBIG: the tray is full beyond its bound; EAGAIN: somebody keeps it locked; ENOENT, no
 * room …). What is told last may be lost at a power cut.
 */
NODISCARD bool tray_add(struct tray *tray, const char *lines, size_t len);

/* The same, and it is on the disk when this returns true. After false nothing of it stands there. */
NODISCARD bool tray_add_durably(struct tray *tray, const char *lines, size_t len);

/* ---- the side that reads ---- */

struct tray_reader {
	int fd;          /* -1: it is not there */
	uint64_t offset; /* where to read on */
	bool known;      /* `offset` is about this file */
};

enum tray_opened {
	TRAY_SAME,   /* as it was, or nothing was known about it before */
	TRAY_NONE,   /* it is not there */
	TRAY_FAILED, /* errno */
};

/*
 * Opens `name` in the open directory `dir`, unless it is open already and still the file that stands
 * there. One that was made anew is not `known`.
 */
NODISCARD enum tray_opened tray_reader_open(struct tray_reader *r, int dir, const char *name);
void tray_reader_close(struct tray_reader *r);

/*
 * Reads up to `room` bytes at the offset. How many; 0: nothing; -1 with errno. `settled`: nobody appends
 * meanwhile, so that no line is seen that is taken back (EAGAIN: somebody is just appending). A tray that is
 * shorter than the offset was emptied by somebody else: then it is read from its beginning.
 */
NODISCARD ssize_t tray_reader_read(struct tray_reader *r, char *bytes, size_t room, bool settled);

/* Empties it if it has been read to its end; the offset is then 0. False with errno. */
NODISCARD bool tray_reader_empty(struct tray_reader *r);

/* The random word of a tray whose bytes begin with its first line; "" if it has none. Returns the
 * bytes of that line. */
size_t tray_head(const char *bytes, size_t len, char random[TRAY_RANDOM]);

#endif
