/*
 * The supervision tree as the operator's tool uses it: s6's own programs, started with arguments
 * and without a shell. A service is named by its directory below service/.
 */
#ifndef SEKISHO_SHELL_SERVICE_H
#define SEKISHO_SHELL_SERVICE_H

#include "lib/base/compat.h"

#define SERVICE_NAME_MAX 64
#define SERVICES_MAX     64

struct service {
	char name[SERVICE_NAME_MAX];
	bool up;       /* its process runs */
	bool wanted;   /* s6 means it to */
	int exit_code; /* of its last process, while it is down */
};

/*
 * Lists the instance's programs: service/seki-*, sorted, with what s6 says of each. Returns how
 * many, or -1 after a complaint: that there is none is one too.
 */
NODISCARD int services_list(struct service services[SERVICES_MAX]);

/* Asks s6 about the service called `name`. False after a complaint. */
NODISCARD bool service_ask(const char *name, struct service *service);

enum service_order {
	SERVICE_ALARM,  /* SIGALRM */
	SERVICE_HANGUP, /* SIGHUP */
	SERVICE_START,  /* bring it up, and wait until it is ready or has failed for good */
};

#define SERVICE_FAILED_FOR_GOOD 102 /* SERVICE_START: its finish script said so */
#define SERVICE_TIMED_OUT       99  /* SERVICE_START: not ready after SERVICE_START_MS */
#define SERVICE_START_MS        10000

/* Gives an order. Returns the exit code of s6-svc, 0 if it was done; 111 if it cannot be run. */
NODISCARD int service_order(const char *name, enum service_order order);

#endif
