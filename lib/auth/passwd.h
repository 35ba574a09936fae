/*
 * The file of passwords, etc/passwd, read by seki-auth-file(8) and written by "seki passwd":
 *
 *   LOGIN:HASH      HASH as crypt(5) writes yescrypt: $y$...
 *
 * An empty line, and one that begins with '#', mean nothing. Logins are equal if they are but for
 * the case of ASCII letters; of two lines for one login the first counts. A hash of any other kind,
 * such as "*", lets nobody in.
 */
#ifndef SEKISHO_AUTH_PASSWD_H
#define SEKISHO_AUTH_PASSWD_H

#include "lib/base/buf.h"
#include "lib/base/compat.h"

#define PASSWD_PATH     "etc/passwd"
#define PASSWD_FILE_MAX ((size_t)16 * 1024 * 1024)
#define PASSWD_HASH_MAX ((size_t)383) /* CRYPT_OUTPUT_SIZE without the NUL */
#define PASSWD_MAX      ((size_t)511) /* bytes of a password that can be hashed */

/* Whether a login may stand in the file: no ':' nor control character, no '#' in front. */
NODISCARD bool passwd_login_good(const char *login);

/*
 * Reads the file whole into `b`. NULL, or what is wrong with it; errno is then ENOENT if it is not
 * there. Readable by others, or writable by anybody but its owner, is wrong.
 */
NODISCARD const char *passwd_read(const char *path, struct buf *b);

enum passwd_verdict { PASSWD_RIGHT, PASSWD_WRONG, PASSWD_FAILED };

/*
 * Whether the password is right. Takes the same time for a login that is not there: then the hash
 * of another line is computed, and not believed.
 */
NODISCARD enum passwd_verdict passwd_check(
    const char *bytes, size_t len, const char *login, const char *password);

/* Hashes a password (1 to PASSWD_MAX bytes) with a new salt and the system's cost. False: errno. */
NODISCARD bool passwd_hash(const char *password, char hash[PASSWD_HASH_MAX + 1]);

/*
 * Writes to `to` the file `bytes` with this login's line replaced, added at its end, or taken away
 * (hash NULL). Returns whether the login was there.
 */
bool passwd_edit(
    const char *bytes, size_t len, const char *login, const char *hash, struct buf *to);

/* Called for each login, in the file's order; `login` is not NUL-ended. */
typedef void passwd_each(void *context, const char *login, size_t len);
void passwd_list(const char *bytes, size_t len, passwd_each *each, void *context);

#endif
