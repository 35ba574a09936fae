#include "lib/login/hasher.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LOGIN "pin" /* in the line that passwd_check looks for */

struct hasher {
	pthread_t thread[HASHER_THREADS];
	size_t threads;
	int event;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t more;
	bool stopping;
	size_t n;                        /* jobs that are not yet taken by hasher_done */
	struct hasher_job *first, *last; /* that wait */
	struct hasher_job *done;
};

static void compute(struct hasher_job *job)
{
	char line[sizeof LOGIN + PASSWD_HASH_MAX + 2];
	int len;

	if (job->hash[0] == '\0') {
		job->verdict = passwd_hash(job->pin, job->hash) ? PASSWD_RIGHT : PASSWD_FAILED;
	} else {
		len = snprintf(line, sizeof line, LOGIN ":%s\n", job->hash);
		job->verdict = passwd_check(line, (size_t)len, LOGIN, job->pin);
	}
	explicit_bzero(job->pin, sizeof job->pin);
}

static struct hasher_job *next_job(struct hasher *h)
{
	struct hasher_job *job;

	while (!h->stopping && h->first == NULL)
		(void)pthread_cond_wait(&h->more, &h->lock);
	job = h->stopping ? NULL : h->first;
	if (job != NULL) {
		h->first = job->next;
		if (h->first == NULL)
			h->last = NULL;
	}
	return job;
}

static void *work(void *context)
{
	static const uint64_t one = 1;
	struct hasher *h = context;
	struct hasher_job *job;

	(void)pthread_mutex_lock(&h->lock);
	while ((job = next_job(h)) != NULL) {
		(void)pthread_mutex_unlock(&h->lock);
		compute(job);
		(void)pthread_mutex_lock(&h->lock);
		job->next = h->done;
		h->done = job;
		(void)!write(h->event, &one, sizeof one); /* full: it is awake */
	}
	(void)pthread_mutex_unlock(&h->lock);
	return NULL;
}

struct hasher *hasher_start(void)
{
	struct hasher *h = calloc(1, sizeof *h);
	int error = 0;

	if (h == NULL)
		return NULL;
	h->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (h->event < 0) {
		free(h);
		return NULL;
	}
	(void)pthread_mutex_init(&h->lock, NULL);
	(void)pthread_cond_init(&h->more, NULL);
	while (error == 0 && h->threads < HASHER_THREADS) {
		error = pthread_create(&h->thread[h->threads], NULL, work, h);
		h->threads += error == 0 ? 1 : 0;
	}
	if (error == 0)
		return h;
	hasher_stop(h);
	errno = error;
	return NULL;
}

static void free_all(struct hasher_job *job)
{
	for (struct hasher_job *next; job != NULL; job = next) {
		next = job->next;
		hasher_job_free(job);
	}
}

void hasher_stop(struct hasher *h)
{
	if (h == NULL)
		return;
	(void)pthread_mutex_lock(&h->lock);
	h->stopping = true;
	(void)pthread_cond_broadcast(&h->more);
	(void)pthread_mutex_unlock(&h->lock);
	for (size_t i = 0; i < h->threads; i++)
		(void)pthread_join(h->thread[i], NULL);
	free_all(h->first);
	free_all(h->done);
	(void)pthread_cond_destroy(&h->more);
	(void)pthread_mutex_destroy(&h->lock);
	(void)close(h->event);
	free(h);
}

int hasher_fd(const struct hasher *h)
{
	return h->event;
}

bool hasher_add(struct hasher *h, const struct hasher_job *job)
{
	struct hasher_job *copy = malloc(sizeof *copy);
	bool room;

	if (copy == NULL)
		return false;
	*copy = *job;
	copy->next = NULL;
	(void)pthread_mutex_lock(&h->lock);
	room = h->n < HASHER_MOST;
	if (room) {
		if (h->last != NULL)
			h->last->next = copy;
		else
			h->first = copy;
		h->last = copy;
		h->n++;
		(void)pthread_cond_signal(&h->more);
	}
	(void)pthread_mutex_unlock(&h->lock);
	if (!room)
		hasher_job_free(copy);
	return room;
}

struct hasher_job *hasher_done(struct hasher *h)
{
	struct hasher_job *job;
	uint64_t n;

	(void)pthread_mutex_lock(&h->lock);
	job = h->done;
	if (job != NULL) {
		h->done = job->next;
		h->n--;
	} else {
		(void)!read(h->event, &n, sizeof n); /* under the lock: none is missed */
	}
	(void)pthread_mutex_unlock(&h->lock);
	return job;
}

void hasher_job_free(struct hasher_job *job)
{
	if (job == NULL)
		return;
	explicit_bzero(job, sizeof *job);
	free(job);
}
