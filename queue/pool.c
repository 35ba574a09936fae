#include "queue/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define STACK ((size_t)256 * 1024)

/* A ring of pointers with room for every job there can be. */
struct ring {
	void **job;
	size_t first, n;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t work_there;
	pthread_cond_t work_done;
	void (*work)(void *job);
	size_t bound;       /* jobs put and not yet taken back, at most */
	size_t outstanding; /* the loop's own count */
	size_t working;     /* waiting or being worked on */
	struct ring todo, done;
	int wake;
};

static void ring_put(struct ring *r, size_t bound, void *job)
{
	r->job[(r->first + r->n++) % bound] = job;
}

static void *ring_take(struct ring *r, size_t bound)
{
	void *job = r->job[r->first];

	r->first = (r->first + 1) % bound;
	r->n--;
	return job;
}

static void *run(void *context)
{
	struct pool *pool = context;
	const uint64_t one = 1;
	void *job;

	for (;;) {
		(void)pthread_mutex_lock(&pool->lock);
		while (pool->todo.n == 0)
			(void)pthread_cond_wait(&pool->work_there, &pool->lock);
		job = ring_take(&pool->todo, pool->bound);
		(void)pthread_mutex_unlock(&pool->lock);

		pool->work(job);

		(void)pthread_mutex_lock(&pool->lock);
		ring_put(&pool->done, pool->bound, job);
		pool->working--;
		(void)pthread_cond_signal(&pool->work_done);
		(void)pthread_mutex_unlock(&pool->lock);
		if (write(pool->wake, &one, sizeof one) < 0)
			continue; /* the counter is full: the loop is awake already */
	}
	return NULL;
}

static bool start_thread(struct pool *pool, pthread_attr_t *attributes)
{
	pthread_t thread;

	return pthread_create(&thread, attributes, run, pool) == 0;
}

struct pool *pool_start(size_t threads, void (*work)(void *job))
{
	struct pool *pool = calloc(1, sizeof *pool);
	pthread_attr_t attributes;
	bool fine;

	if (pool == NULL)
		return NULL;
	pool->work = work;
	pool->bound = threads * 2;
	pool->todo.job = calloc(pool->bound, sizeof *pool->todo.job);
	pool->done.job = calloc(pool->bound, sizeof *pool->done.job);
	pool->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_cond_init(&pool->work_there, NULL);
	(void)pthread_cond_init(&pool->work_done, NULL);
	fine = pool->todo.job != NULL && pool->done.job != NULL && pool->wake >= 0;

	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attributes, STACK);
	for (size_t i = 0; i < threads && fine; i++)
		fine = start_thread(pool, &attributes);
	(void)pthread_attr_destroy(&attributes);
	return fine ? pool : NULL; /* the caller dies of it: nothing needs to be freed */
}

void pool_put(struct pool *pool, void *job)
{
	(void)pthread_mutex_lock(&pool->lock);
	ring_put(&pool->todo, pool->bound, job);
	pool->working++;
	(void)pthread_cond_signal(&pool->work_there);
	(void)pthread_mutex_unlock(&pool->lock);
	pool->outstanding++;
}

size_t pool_free(const struct pool *pool)
{
	return pool->bound - pool->outstanding;
}

static void *take_done(struct pool *pool)
{
	void *job = NULL;

	(void)pthread_mutex_lock(&pool->lock);
	if (pool->done.n > 0) {
		job = ring_take(&pool->done, pool->bound);
		pool->outstanding--;
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return job;
}

void *pool_done(struct pool *pool)
{
	void *job = take_done(pool);
	uint64_t count;

	/* The wake-up is cleared first and the ring looked at again: nothing finishes unseen. */
	if (job == NULL && read(pool->wake, &count, sizeof count) > 0)
		job = take_done(pool);
	return job;
}

int pool_fd(const struct pool *pool)
{
	return pool->wake;
}

bool pool_drain(struct pool *pool, int seconds)
{
	struct timespec end;
	bool idle;

	(void)clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += seconds;
	(void)pthread_mutex_lock(&pool->lock);
	while (pool->working > 0) {
		if (pthread_cond_timedwait(&pool->work_done, &pool->lock, &end) != 0)
			break;
	}
	idle = pool->working == 0;
	(void)pthread_mutex_unlock(&pool->lock);
	return idle;
}
