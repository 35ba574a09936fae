#include "lib/scan/jobs.h"

#include <stdlib.h>
#include <unistd.h>

bool jobs_start(struct jobs *jobs, size_t inspections, void (*work)(void *job))
{
	jobs->threads[JOB_INSPECTION] =
	    inspections < JOBS_INSPECTIONS ? inspections : JOBS_INSPECTIONS;
	jobs->threads[JOB_DIVISION] = JOBS_DIVISIONS;
	jobs->pool = pool_start(JOBS_DIVISIONS + jobs->threads[JOB_INSPECTION], work);
	return jobs->pool != NULL;
}

bool jobs_place(const struct jobs *jobs, enum job_kind kind, size_t most)
{
	return jobs->n[kind] < jobs->threads[kind] &&
	       (kind == JOB_DIVISION || jobs->n[kind] < most);
}

struct job *job_new(struct stage *stage, struct stage_opened *o, enum job_kind kind)
{
	struct job *job = calloc(1, sizeof *job);
	int fd = job != NULL ? dup(o->fd) : -1;

	if (fd < 0) {
		free(job);
		return NULL;
	}
	job->kind = kind;
	job->enrolled = -1;
	job->checks = POLICY_CHECK_ALL;
	job->heard.fault = HEARD_FINE;
	job->stage = stage;
	job->opened = *o;
	job->opened.fd = fd;
	buf_init(&o->leg.head_bytes, 0);
	buf_init(&o->leg.trailer_bytes, 0);
	o->leg.rcpt = NULL;
	return job;
}

void job_free(struct job *job)
{
	policy_judgement_free(&job->judgement);
	heard_free(&job->heard);
	past_question_free(&job->question);
	past_free(job->past);
	leg_free(&job->opened.leg);
	(void)close(job->opened.fd);
	free(job);
}

void jobs_begin(struct jobs *jobs, struct job *job)
{
	size_t i = 0;

	while (jobs->job[i] != NULL)
		i++;
	jobs->job[i] = job;
	jobs->n[job->kind]++;
	pool_put(jobs->pool, job);
}

void jobs_again(struct jobs *jobs, struct job *job)
{
	pool_put(jobs->pool, job);
}

void jobs_go_on(struct jobs *jobs, struct job *job)
{
	jobs->n[job->kind]--;
	job->kind = JOB_DIVISION;
	job->kept = false;
	jobs->n[job->kind]++;
	pool_put(jobs->pool, job);
}

struct job *jobs_done(struct jobs *jobs)
{
	return pool_done(jobs->pool);
}

void jobs_end(struct jobs *jobs, struct job *job)
{
	for (size_t i = 0; i < COUNT_OF(jobs->job); i++) {
		if (jobs->job[i] == job)
			jobs->job[i] = NULL;
	}
	jobs->n[job->kind]--;
	job_free(job);
}

struct job *jobs_kept(const struct jobs *jobs)
{
	for (size_t i = 0; i < COUNT_OF(jobs->job); i++) {
		if (jobs->job[i] != NULL && jobs->job[i]->kept)
			return jobs->job[i];
	}
	return NULL;
}

bool jobs_have(const struct jobs *jobs, const struct leg_name *name)
{
	for (size_t i = 0; i < COUNT_OF(jobs->job); i++) {
		if (jobs->job[i] != NULL && name_same_leg(&jobs->job[i]->opened.leg.name, name))
			return true;
	}
	return false;
}
