/*
 * A stretch of a file that is read where it is needed, so that a message of any size costs a window
 * of memory. The descriptor is read by pread(2): its position is neither used nor changed.
 */
#ifndef SEKISHO_BASE_SOURCE_H
#define SEKISHO_BASE_SOURCE_H

#include "lib/base/compat.h"

struct source {
	int fd; /* the caller's */
	uint64_t start;
	uint64_t size;
};

/*
 * Reads up to `len` bytes at offset `at` of the source: all of them, unless it ends before. Returns
 * how many, 0 at or beyond the end, or -1 with errno (EIO if the file is shorter than the source).
 */
NODISCARD ssize_t source_read(const struct source *source, uint64_t at, void *into, size_t len);

/* The part of `source` from `at` on, at most `size` bytes; what lies beyond its end is cut off. */
struct source source_part(const struct source *source, uint64_t at, uint64_t size);

#endif
