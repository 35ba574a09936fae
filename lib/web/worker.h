/* A worker of seki-web(8): one request after another. Internal to serve.c and worker.c. */
#ifndef SEKISHO_WEB_WORKER_H
#define SEKISHO_WEB_WORKER_H

#include "lib/web/web.h"

/* What the parent answers to a worker that asks to be replaced: one byte, enum web_wait, for which there is one byte. */
enum worker_answer { WORKER_STAYS, WORKER_LEAVES };

struct worker {
	struct web *web;
	pid_t parent;
	int listener;
	int asks;  /* its own socket to the parent, who knows by that who asks */
	bool left; /* it has been replaced, and ends behind this request */
};

/* Seconds in which a worker has answered any request, or is ended by SIGALRM. */
unsigned web_worker_longest(const struct settings *settings);

/* Serves until SIGTERM, or until it was replaced; never in the middle of a request. */
NORETURN void web_worker_run(struct worker *worker);

#endif
