/* seki-db(8): knows who has written to whom, and who is registered. */
#include <errno.h>
#include <sys/stat.h>
#include <sys/socket.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/forks.h"
#include "lib/base/local.h"
#include "lib/base/log.h"
#include "lib/base/ready.h"
#include "lib/base/reload.h"
#include "lib/db/server.h"

static struct settings settings;

static struct store *open_store(void)
{
	struct store *store;
	char fault[512];

	switch (store_open(DB_DIRECTORY, &store, fault, sizeof fault)) {
	case STORE_OPEN:
		break;
	case STORE_DAMAGED:
		LOG_ALARM("history-damaged", kv("directory", DB_DIRECTORY), kv("what", fault),
		    kv("text", "see RECOVERY in seki-db(8); mail whose rules ask waits"));
		reload_answer("seki-db", false, "the history is damaged: " DB_DIRECTORY);
		die_config("the history is damaged: " DB_DIRECTORY);
	case STORE_UNABLE:
		LOG("history-unopened", kv("directory", DB_DIRECTORY), kv("what", fault));
		errno = EAGAIN;
		die_environ("opening the history");
	}
	return store;
}

int main(int argc, char **argv)
{
	struct store *store;
	struct history *history;
	struct trays *trays;
	char fault[512];
	int listener, signals;

	(void)argv;
	if (argc != 1) {
		LOG("usage", kv("text", "seki-db, without arguments, in the instance's directory"));
		return EXIT_USAGE;
	}

	ready_keep_fd();
	(void)umask(077);
	if (!forks_settings(&settings, fault, sizeof fault)) {
		reload_answer("seki-db", false, fault);
		die_config(fault);
	}
	forks_harden();
	db_zone(&settings);
	signals = local_signals();
	store = open_store();
	history = history_open(store, clock_wall() / CLOCK_SECOND);
	trays = history != NULL ? trays_open(store, history) : NULL;
	if (trays == NULL)
		die_environ("reading the history");
	listener = local_listen(PAST_SOCKET, SOMAXCONN);
	if (listener < 0)
		die_environ("making " PAST_SOCKET);

	/* Whoever asked for a reload while we were starting has his answer too. */
	reload_answer("seki-db", true, "");
	db_serve(listener, signals, store, history, trays, &settings, ready_tell);
	trays_close(trays);
	history_close(history);
	store_close(store);
	return EXIT_FINE;
}
