/* A leg that is being changed. Internal to lib/encrypt. */
#ifndef SEKISHO_ENCRYPT_JOB_H
#define SEKISHO_ENCRYPT_JOB_H

#include "queue/stage.h"

enum job_end {
	JOB_DONE,  /* it is changed, or gone: the law knows where it belongs now */
	JOB_AGAIN, /* not now: `why` */
	JOB_STOP,  /* only a person can act: `why` */
};

struct job {
	struct job *next;
	struct stage *stage; /* of which a thread reads the spool, etc and the limits alone */
	struct leg_name name;
	int64_t now,
	    boot;         /* the time that is believed, and the boot clock, when it was given out */
	int64_t patience; /* for seki-seal, microseconds */
	int etc;

	enum job_end end;
	const char *why; /* a literal */
	char word[32];   /* what seki-seal said, or "" */
	size_t tries;    /* that failed, one after another */
};

/* Does it, in a thread. */
void job_work(void *job);

#endif
