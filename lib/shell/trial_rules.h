/*
 * The rules as they stand in etc/, or elsewhere in the place of etc/policy, compiled for this one
 * command into a directory that is gone again before the command begins: what the daemons judge by is
 * not touched.
 */
#ifndef SEKISHO_SHELL_TRIAL_RULES_H
#define SEKISHO_SHELL_TRIAL_RULES_H

#include "lib/base/conf.h"
#include "lib/policy/set.h"

/*
 * Compiles `etc` with the directory `policy` (a path; NULL: its own) as policy/, and opens it. NULL
 * with `fault`. Free with policy_close.
 */
NODISCARD struct policy *trial_rules(int etc, const char *policy, struct conf_fault *fault);

#endif
