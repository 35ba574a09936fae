/*
 * The folders of etc/ whose files have names that mean something: lists, tables, rules. README and
 * what editors leave behind is passed over: names that begin with '.' or '#', and those that end in
 * "~", ".swp", ".bak" or ".orig".
 */
#ifndef SEKISHO_ORG_FOLDER_H
#define SEKISHO_ORG_FOLDER_H

#include "lib/base/buf.h"
#include "lib/base/conf.h"

#define FOLDER_MAX ((size_t)10000) /* names in one */

struct folder_entry {
	char *name;
	bool folder; /* else it is a regular file, or a link to one */
};

struct folder {
	struct folder_entry *entry; /* in order of the names' bytes */
	size_t n;
	size_t room;
};

/*
 * Reads the folder `path` in `etc` ("policy/must"); one that is missing is empty. False with `fault`.
 * Free with folder_free, whatever it returned.
 */
NODISCARD bool folder_read(
    int etc, const char *path, struct folder *folder, struct conf_fault *fault);
void folder_free(struct folder *folder);

/* Letters, digits, '-', '_' and '.', no '.' in front; at most PEOPLE_GROUP_NAME_MAX. False after
 * conf_blame that `path` is not one. */
NODISCARD bool folder_name_good(const char *path, const char *name, struct conf_fault *fault);

/* All bytes of a regular file, at most `bound`, appended. False with `fault`. */
NODISCARD bool folder_file(
    int etc, const char *path, size_t bound, struct buf *into, struct conf_fault *fault);

/* `fault` speaks of etc/`path` from now on. Returns false. */
bool folder_blame(struct conf_fault *fault, const char *path, const char *text);

#endif
