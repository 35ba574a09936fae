/*
 * Small files beside the spool (below lib/) that a program makes or replaces as a whole: a reader
 * sees the old one or the new one, and never a part. No leg depends on any of them.
 */
#ifndef SEKISHO_QUEUE_STATE_FILE_H
#define SEKISHO_QUEUE_STATE_FILE_H

#include "lib/base/buf.h"
#include "lib/base/compat.h"

/*
 * Puts these bytes in the place of `name` in the open directory `dir` (not O_PATH), by way of
 * NAME.new. The new file has the mode of the old one, or `mode` if there is none; written by root
 * it belongs to the owner of the old one, or to that of the directory. Durable when it returns
 * true. False with errno; the old file, or the new one, stands there.
 */
NODISCARD bool state_file_replace(
    int dir, const char *name, const char *bytes, size_t len, mode_t mode);

/* The same where there must be no file yet: if there is one it stays, and this is true too. */
NODISCARD bool state_file_make(
    int dir, const char *name, const char *bytes, size_t len, mode_t mode);

/* Reads the whole file into `b`, as far as its bound goes. False with errno; EFBIG: too long. */
NODISCARD bool state_file_read(int dir, const char *name, struct buf *b);

/* Renames a file to NAME.bad, over an older one. False with errno. */
NODISCARD bool state_file_put_aside(int dir, const char *name);

#endif
