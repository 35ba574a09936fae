/* Whether etc/ is good: what check says, and reload before it does anything. */
#ifndef SEKISHO_SHELL_CHECK_H
#define SEKISHO_SHELL_CHECK_H

#include "lib/shell/shell.h"

/*
 * Reads every file of etc/ as the daemons do; prints the first fault of each on standard error as
 * FILE:LINE:COLUMN: TEXT. EXIT_FINE or EXIT_CONFIG.
 */
NODISCARD int check_etc(const struct shell *sh);

/* Prints one fault on standard error, as a compiler does: an editor can go there. */
void complain_fault(const struct conf_fault *fault);

#endif
