/* seki-notice(8): makes the gateway's own mail. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lib/base/die.h"
#include "lib/base/local.h"
#include "lib/base/log.h"
#include "lib/base/ready.h"
#include "lib/base/reload.h"
#include "lib/notice/notice.h"
#include "lib/notice/server.h"

int main(int argc, char **argv)
{
	struct notice_config *config;
	char fault[512];
	int etc, signals, listener[NOTICE_DOORS];

	(void)argv;
	if (argc != 1) {
		LOG("usage",
		    kv("text", "seki-notice, without arguments, in the instance's directory"));
		return EXIT_USAGE;
	}

	ready_keep_fd();
	notice_harden();
	signals = local_signals();
	etc = open("etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (etc < 0)
		die_environ("etc/");
	config = notice_config_read(etc, fault, sizeof fault);
	if (config == NULL) {
		reload_answer("seki-notice", false, fault);
		die_config(fault);
	}
	/* The supervisor runs one of us at a time. */
	listener[NOTICE_DOOR_STAGES] = local_listen(NOTICE_SOCKET, SOMAXCONN);
	if (listener[NOTICE_DOOR_STAGES] < 0)
		die_environ("making " NOTICE_SOCKET);
	listener[NOTICE_DOOR_LOGIN] = local_listen(NOTICE_LETTER_SOCKET, SOMAXCONN);
	if (listener[NOTICE_DOOR_LOGIN] < 0)
		die_environ("making " NOTICE_LETTER_SOCKET);
	notice_confine(etc);

	/* Whoever asked for a reload while we were starting has his answer too. */
	reload_answer("seki-notice", true, "");
	notice_serve(listener, signals, etc, config, ready_tell);
	return EXIT_FINE;
}
