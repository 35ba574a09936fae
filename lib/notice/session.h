/* One request, in a process of its own. Internal to lib/notice. */
#ifndef SEKISHO_NOTICE_SESSION_H
#define SEKISHO_NOTICE_SESSION_H

#include "lib/notice/config.h"

enum notice_door {
	NOTICE_DOOR_STAGES, /* NOTICE_SOCKET */
	NOTICE_DOOR_LOGIN,  /* NOTICE_LETTER_SOCKET */
	NOTICE_DOORS,       /* how many */
};

/*
 * Confines the process for good, hears the request at `client`, answers it and ends the process; after
 * notice-time it is ended by SIGALRM, and with the server it is killed. `server` is the latter's pid.
 */
_Noreturn void notice_session(
    int client, enum notice_door door, const struct notice_config *config, pid_t server);

#endif
