/* Who says so: the name that goes into records of an operator's decisions. */
#ifndef SEKISHO_SHELL_WHO_H
#define SEKISHO_SHELL_WHO_H

#include "lib/base/compat.h"

#define WHO_ROOM 64

/*
 * Writes the operator's login name, NUL-ended: "alice", "root", and "root(alice)" for root who was alice
 * before sudo, as sudo tells it. What stands in brackets is a help to memory and no proof: root can say
 * what he likes.
 */
void who(char name[WHO_ROOM]);

#endif
