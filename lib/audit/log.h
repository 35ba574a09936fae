/*
 * Appending to the log: batches of lines, each in one write and one fsync, so that what commit has
 * returned true for is there after a power cut. What could not be written is not half there.
 */
#ifndef SEKISHO_AUDIT_LOG_H
#define SEKISHO_AUDIT_LOG_H

#include "lib/audit/walk.h"

#define LOG_REASON_MAX ((size_t)300)
#define LOG_BATCH_MAX  ((size_t)512 * 1024)         /* bytes of a batch */
#define LOG_BATCH_FULL ((size_t)256 * 1024)         /* then no further line is added to it */
#define LOG_TAIL       ((uint64_t)64 * 1024 * 1024) /* of the last file is looked at, at start */
#define LOG_MARK_EVERY ((uint64_t)16 * 1024 * 1024) /* so that there is one in the tail */

struct audit_log {
	int dir;               /* AUDIT_LOG */
	int fd;                /* of the last file; -1: there is none yet */
	char file[CHAIN_FILE]; /* "": none */
	uint64_t size;         /* of it, durable */
	uint64_t marked;       /* the size behind its last mark */
	bool unended;          /* its last line has no newline, and that was accepted */
	struct chain_end end;
	struct chain_positions positions; /* of what is durable */
	struct digest *digest;

	/* The batch. */
	struct buf batch;
	char next_file[CHAIN_FILE];
	struct chain_end next_end;
	struct chain_positions next_positions;
	bool next_marked;

	bool broken; /* the chain does not stand, or was changed by others: nothing is appended */
	char reason[LOG_REASON_MAX]; /* of the last failure, for people */
};

enum log_opened {
	LOG_OPENED,
	LOG_BROKEN, /* the chain's end does not stand; `reason` */
	LOG_UNABLE, /* the system failed; `reason` */
};

/* What was said of the end of the log by whoever appended to it before. */
struct log_claim {
	bool known;
	struct chain_end end;
};

/* Prepares a log for log_open. False: no memory. */
NODISCARD bool audit_log_init(struct audit_log *log);
void audit_log_free(struct audit_log *log);

/*
 * Opens the log in the current directory and checks the last LOG_TAIL bytes of its last file. A line at
 * its end that was never whole is cut off, logged, and kept in AUDIT_LOG/torn. May be called again. With
 * LOG_OPENED a mark is durable.
 */
NODISCARD enum log_opened audit_log_open(
    struct audit_log *log, const struct log_claim *claim, int64_t now);

/* Begins a batch: in the file of `now`'s month, or, if the clock was set back, in the last one. */
void audit_log_begin(struct audit_log *log, int64_t now);

/* Adds what `program` has said, "TIME what=…"; it ends at `offset` of its tray. */
void audit_log_add(struct audit_log *log, const char *program, const char *said, size_t len,
    const char *random, uint64_t offset);

NODISCARD static inline bool audit_log_full(const struct audit_log *log)
{
	return log->batch.len >= LOG_BATCH_FULL;
}

/* Makes the batch durable. False with `reason`: nothing of it is there, and it is to be made again. */
NODISCARD bool audit_log_commit(struct audit_log *log);

/* Whether it could be appended to just now, as far as that can be seen. False with `reason`. */
NODISCARD bool audit_log_ready(struct audit_log *log);

#endif
