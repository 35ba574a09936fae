/* A directory of files that are named by a SHA-256, as seki-login keeps them. */
#ifndef SEKISHO_LOGIN_FOLDER_H
#define SEKISHO_LOGIN_FOLDER_H

#include "lib/login/record.h"

/* False with errno: it could not be read; that ends the reading. */
typedef bool hashes_see(
    void *context, const char *name, const unsigned char bytes[RECORD_NAME_LEN]);

/*
 * Calls for each file; what a writer that was killed has left (NAME.new) is taken away, what was put aside
 * (NAME.bad) is left alone, and anything else is told of once. False with errno.
 */
NODISCARD bool hashes_read(int dir, hashes_see *see, void *context);

#endif
