/*
 * What seki-db(8) said lately of whom a sender has written to, so that a page that is looked at again, as pages
 * are, asks nothing. Memory alone. Internal to the door's files.
 */
#ifndef SEKISHO_HOLD_FIRSTS_H
#define SEKISHO_HOLD_FIRSTS_H

#include "lib/base/compat.h"

#define FIRSTS_KEPT ((size_t)4096)
#define FIRSTS_HASH ((size_t)16)

struct firsts {
	struct first_heard {
		unsigned char hash[FIRSTS_HASH]; /* of sender and recipient: nobody can choose it */
		int64_t until;                   /* boot clock; 0: nothing stands here */
		uint64_t mails;                  /* that were delivered */
	} heard[FIRSTS_KEPT];
	int64_t rest; /* boot clock: seki-db did not answer in time, and is not asked before */
};

#endif
