/*
 * A few threads that do jobs which block (a sync, a copy, a peer), for a program whose main loop
 * must not. Jobs are pointers: the pool owns none of them.
 */
#ifndef SEKISHO_QUEUE_POOL_H
#define SEKISHO_QUEUE_POOL_H

#include "lib/base/compat.h"

struct pool;

/* Starts `threads` threads that call work(job) for each job. NULL: the system gives no threads. */
NODISCARD struct pool *pool_start(size_t threads, void (*work)(void *job));

/* Gives a job to the pool; it comes back by pool_done. At most as many as pool_free() says. */
void pool_put(struct pool *pool, void *job);

/* How many more jobs can be put: twice the threads, so that none of them waits for the loop. */
size_t pool_free(const struct pool *pool);

/* A finished job, or NULL if none has finished since. */
void *pool_done(struct pool *pool);

/* Readable when jobs have finished. */
int pool_fd(const struct pool *pool);

/* Waits until no job is being worked on, at most `seconds`. False: some still are. */
NODISCARD bool pool_drain(struct pool *pool, int seconds);

#endif
