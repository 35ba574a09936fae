/* Who says so: the name that goes into records of an operator's decisions. */
#ifndef SEKISHO_SHELL_WHO_H
#define SEKISHO_SHELL_WHO_H

#include "lib/base/compat.h"

#define WHO_ROOM 64

/*
 * Writes the operator's login name, NUL-ended: for root the one who used sudo, as sudo tells it.
 * A help to memory and no proof: root can be whoever he likes.
 */
void who(char name[WHO_ROOM]);

#endif
