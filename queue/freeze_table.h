/*
 * The file of the red button in memory. Internal to queue/freeze*.c.
 */
#ifndef SEKISHO_QUEUE_FREEZE_TABLE_H
#define SEKISHO_QUEUE_FREEZE_TABLE_H

#include <sys/stat.h>

#include "lib/base/buf.h"
#include "queue/freeze.h"

#define FREEZE_FILE_MAX ((size_t)64 * 1024 * 1024)

/* The entries point into `text`, which is decoded where it stands. */
struct freeze_table {
	struct buf text;
	struct freeze_entry *entry;
	size_t n, room;
	struct stat seen; /* of the file that was read; st_ino 0: there was none */
};

/* A fault of lib/FILE, still without words. */
struct conf_fault freeze_no_fault(const char *file);

/*
 * Reads the whole of `file`, relative to `lib`, into `t`; no file is an empty table. False with `fault` if it is unreadable
 * or malformed. In either case free `t` with freeze_table_free.
 */
NODISCARD bool freeze_table_read(
    int lib, const char *file, struct freeze_table *t, struct conf_fault *fault);
void freeze_table_free(struct freeze_table *t);

/* Whether an entry of that kind may have this (decoded) address. */
bool freeze_address_fine(enum freeze_kind kind, const char *address);

#endif
