/* A worker of seki-web(8): one request after another. Internal to serve.c and worker.c. */
#ifndef SEKISHO_WEB_WORKER_H
#define SEKISHO_WEB_WORKER_H

#include <stdatomic.h>

#include "lib/web/web.h"

/* What workers and their parent share, in memory of both. */
struct web_shared {
	_Atomic unsigned leaving; /* workers that wait for a password, and have been replaced */
};

struct worker {
	struct web *web;
	struct web_shared *shared;
	pid_t parent;
	int listener;
	int tell; /* the parent's pipe: a worker that is to be replaced writes its process number */
	bool left; /* it has been replaced, and ends behind this request */
};

/* Serves until SIGTERM, or until it was replaced; never in the middle of a request. */
NORETURN void web_worker_run(struct worker *worker);

#endif
