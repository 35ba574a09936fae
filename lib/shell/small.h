/* Files of one line: read whole, replaced by a rename. None of them is in the spool. */
#ifndef SEKISHO_SHELL_SMALL_H
#define SEKISHO_SHELL_SMALL_H

#include "lib/base/compat.h"

/*
 * Reads at most room - 1 bytes of `name` in the open directory `dir`, NUL-ended; a NUL in the file
 * ends the text. False with errno if it cannot be read.
 */
NODISCARD bool small_read(int dir, const char *name, char *text, size_t room);

/*
 * Puts `text` in the place of the file, by way of NAME.new, readable by everybody; durable when it
 * returns true. False with errno.
 */
NODISCARD bool small_replace(int dir, const char *name, const char *text);

#endif
