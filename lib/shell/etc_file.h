/* Files of etc/ that commands change: under the lock of the directory, each replaced by one rename. */
#ifndef SEKISHO_SHELL_ETC_FILE_H
#define SEKISHO_SHELL_ETC_FILE_H

#include "lib/base/buf.h"
#include "lib/base/compat.h"

/* Opens etc/ and waits for its lock, which closing it gives back. -1 after a complaint. */
NODISCARD int etc_lock(void);

/* Appends what the file has; nothing if it is missing. False after a complaint. */
NODISCARD bool etc_read(int etc, const char *name, struct buf *into);

/*
 * Puts the content in the file's place, durably; owner and mode stay (a new one is readable by
 * everybody). False after a complaint: the file is as it was.
 */
NODISCARD bool etc_replace(int etc, const char *name, const struct buf *content);

#endif
