/*
 * Reading the files of the log, in order, with a bounded memory: lib/audit/log/YYYY-MM. Nothing here
 * logs.
 */
#ifndef SEKISHO_AUDIT_WALK_H
#define SEKISHO_AUDIT_WALK_H

#include "lib/audit/check.h"

#define AUDIT_LOG       "lib/audit/log"
#define AUDIT_ACCEPTED  "lib/audit/accepted"
#define WALK_FILES_MAX  ((size_t)12000) /* months: a thousand years */
#define WALK_CHUNK      ((size_t)65536)
#define WALK_ACCEPT_MAX ((size_t)1000)

/* ---- files ---- */

/* The names of the log's files, in order. */
struct walk_files {
	char (*name)[CHAIN_FILE];
	size_t n;
};

/* In the open directory `dir`. False with errno; EINVAL: there are too many. Free with walk_files_free. */
NODISCARD bool walk_files_read(int dir, struct walk_files *files);
void walk_files_free(struct walk_files *files);

/* Whether it is "2026-11", or the like. */
NODISCARD bool walk_is_file(const char *name);

/* ---- lines ---- */

enum walk_piece {
	WALK_LINE, /* a whole line */
	WALK_TORN, /* what stands behind the last newline */
	WALK_LONG, /* more bytes without a newline than a line has */
	WALK_END,
	WALK_FAILED, /* errno */
};

struct walk_lines {
	int fd;        /* the caller's; read by pread(2) */
	uint64_t next; /* where to read on */
	uint64_t end;  /* as far as it is read */
	size_t have, used;
	bool skipping; /* the rest of a line that is too long */
	char bytes[WALK_CHUNK + CHAIN_LINE_MAX + 1];
};

/* From `offset` to `end`. */
void walk_lines_from(struct walk_lines *lines, int fd, uint64_t offset, uint64_t end);

/* The next piece: `len` bytes, without the newline, that begin at `offset` of the file. They live until
 * the next call. */
enum walk_piece walk_lines_next(
    struct walk_lines *lines, const char **bytes, size_t *len, uint64_t *offset);

/* ---- what an administrator has accepted ---- */

/*
 * Faults of the log with which an administrator has said to go on, by "seki audit accept". Lines of
 * lib/audit/accepted, which root alone writes:
 *
 *     TIME file=YYYY-MM offset=N sha256=HEX64 by=XTEXT reason=XTEXT
 *
 * The digest is that of the bytes in which the fault is, so that another fault in their place is another.
 */
struct walk_accepted {
	struct walk_accept {
		char file[CHAIN_FILE];
		uint64_t offset;
		char sha256[DIGEST_HEX];
	} * fault;
	size_t n;
};

/* False with errno. A file that is not there accepts nothing. */
NODISCARD bool walk_accepted_read(const char *path, struct walk_accepted *accepted);
void walk_accepted_free(struct walk_accepted *accepted);
NODISCARD bool walk_is_accepted(
    const struct walk_accepted *accepted, const char *file, uint64_t offset, const char *sha256);

/* ---- all of it ---- */

struct walk_fault {
	const char *file;
	uint64_t line;   /* from 1; 0: not in a line */
	uint64_t offset; /* of the file */
	const char *sha256;
	const char *text;
	bool accepted;
};

struct walk {
	const char
	    *from; /* the file to begin with; NULL: the first, which must be the log's first */
	const struct walk_accepted *accepted; /* NULL: none */
	bool live;                            /* somebody may be appending */

	/* Told of each fault, and of each line that could be read; either may be NULL. */
	void (*fault)(void *context, const struct walk_fault *fault);
	void (*line)(void *context, const struct chain_line *line);
	void *context;

	/* What was found. */
	struct chain_end end;
	char file[CHAIN_FILE]; /* the last one; "": there is none */
	uint64_t size;         /* of it */
	uint64_t files, lines, faults, accepted_faults;
};

/* Walks through the directory `dir`. False with errno: it could not be read. */
NODISCARD bool walk_log(int dir, struct walk *walk);

#endif
