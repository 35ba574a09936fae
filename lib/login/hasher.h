/*
 * PINs are hashed and compared by a few threads: each takes some 30 ms and some memory on purpose, and nobody else
 * waits for that. What is done is told by a descriptor.
 */
#ifndef SEKISHO_LOGIN_HASHER_H
#define SEKISHO_LOGIN_HASHER_H

#include "lib/auth/passwd.h"
#include "lib/login/pins.h"

#define HASHER_THREADS 2
#define HASHER_MOST    64 /* jobs that wait or run */

struct hasher_job {
	struct hasher_job *next;
	void *context;                 /* the asker's */
	char pin[PINS_DIGITS_MAX + 1]; /* wiped when it is done */
	char hash[PASSWD_HASH_MAX +
		  1]; /* to compare with; "": a new one is made, and stands here then */
	enum passwd_verdict
	    verdict; /* of a new one: PASSWD_RIGHT if it was made, else PASSWD_FAILED */
};

struct hasher;

/* NULL with errno. */
NODISCARD struct hasher *hasher_start(void);

/* Waits for what runs; what waits is thrown away. */
void hasher_stop(struct hasher *hasher);

/* Can be read when a job is done. */
int hasher_fd(const struct hasher *hasher);

/* A copy of `job`. False: there are too many, or no memory. */
NODISCARD bool hasher_add(struct hasher *hasher, const struct hasher_job *job);

/* One that is done, the caller's to free by hasher_job_free; NULL: none. */
struct hasher_job *hasher_done(struct hasher *hasher);
void hasher_job_free(struct hasher_job *job);

#endif
