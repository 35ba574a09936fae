/* The rules and the organisation of etc/, checked and put in force. */
#ifndef SEKISHO_SHELL_COMPILE_H
#define SEKISHO_SHELL_COMPILE_H

#include "lib/shell/shell.h"

/*
 * Makes a generation of etc/, complains about what is odd about its rules, runs the rule tests against
 * it and, if all are green, makes it the current one. EXIT_FINE; EXIT_CONFIG: etc/ is wrong; EXIT_NO: a
 * rule test is red; EXIT_ENVIRON. All but the first have complained, and changed nothing.
 */
NODISCARD int compile_etc(const struct shell *sh);

/* The same without making it the current one, or writing below lib/: for seki check. */
NODISCARD int compile_check(const struct shell *sh);

#endif
