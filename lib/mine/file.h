/*
 * The file of one person's rules, etc/policy/user/ADDRESS. It is changed by one rename, and what was there before
 * is kept beside it, as ".ADDRESS.old", until the change is in force: whoever dies in between leaves behind what
 * mine_file_finish needs to make it one or the other.
 */
#ifndef SEKISHO_MINE_FILE_H
#define SEKISHO_MINE_FILE_H

#include "lib/base/buf.h"
#include "lib/base/compat.h"
#include "queue/digest.h"

#define MINE_USERS       "policy/user"        /* below etc/ */
#define MINE_FILE_MAX    ((size_t)256 * 1024) /* bytes of one */
#define MINE_ADDRESS_MAX ((size_t)240) /* bytes of an address that can be the name of a file */

/*
 * Whether an address in normal form can be the name of a file, and one that is not passed over when rules are
 * compiled: letters, digits and what RFC 5322 has in atoms, but for '/'.
 */
NODISCARD bool mine_address_good(const char *address);

struct mine_file {
	bool there;
	bool hand;        /* an administrator's */
	struct buf bytes; /* of a directory: of all its files, one behind the other */
	char digest[DIGEST_HEX];
};

/* Reads it; `users` is the directory. False with errno. Free with mine_file_free, whatever it returned. */
NODISCARD bool mine_file_read(int users, const char *address, struct mine_file *file);
void mine_file_free(struct mine_file *file);

/*
 * Puts these bytes in its place, durably, and keeps what was there; with `len` 0 nothing is there any more. False
 * with errno: then it is as it was, or mine_file_undo makes it so.
 */
NODISCARD bool mine_file_put(int users, const char *address, const char *bytes, size_t len);

/* What was kept is put back, durably. False with errno. */
NODISCARD bool mine_file_undo(int users, const char *address);

/* What was kept is forgotten. */
void mine_file_keep(int users, const char *address);

/*
 * Ends what somebody who died has begun: a change that is in force stays, any other is taken back. `in_force` tells
 * whether the rules in force have these bytes for that person. The lock of lib/compiled must be held. Returns how
 * many there were; -1 with errno.
 */
typedef bool mine_in_force(void *context, const char *address, const char *bytes, size_t len);
NODISCARD int mine_file_finish(int users, mine_in_force *in_force, void *context);

#endif
