/*
 * seki-queue's side of queue/intake.h: one thread a client, each of which syncs its own message,
 * so that the kernel merges the commits of all that wait (one thread that syncs one file after
 * another would never be faster than one client).
 */
#ifndef SEKISHO_QUEUE_INTAKE_SERVER_H
#define SEKISHO_QUEUE_INTAKE_SERVER_H

#include "lib/base/settings.h"
#include "queue/audit.h"
#include "queue/loop.h"
#include "queue/quota_keeper.h"
#include "queue/spool.h"

struct intake_server;

enum intake_door {
	INTAKE_DOOR_SESSIONS, /* run/queue/socket */
	INTAKE_DOOR_OWN,      /* run/own/socket: the gateway's own mail */
};
#define INTAKE_DOORS 2

/*
 * Prepares to serve; `settings` are copied. `loop_key` and `quota`, each of which may be NULL (no
 * marks, no counting), must outlive it. NULL: no memory.
 */
NODISCARD struct intake_server *intake_server_new(const struct spool *spool,
    const struct settings *settings, const struct loop_key *loop_key, struct quota_keeper *quota);

/* From now on mail is taken only while audit_well says so; `audit` must outlive the server. */
void intake_server_audit(struct intake_server *server, struct audit *audit);

/* Listens on `path`, replacing a socket left by a dead process. A descriptor, or -1 with errno. */
NODISCARD int intake_server_listen(const char *path, int backlog);

/*
 * Takes one waiting client of that door from `listener` and gives it a thread, if queue-clients (of
 * the gateway's own door: notice-clients) allows. False with errno: EAGAIN, nobody waits; anything
 * else, not now (the client keeps waiting).
 */
bool intake_server_accept(struct intake_server *server, enum intake_door door, int listener);

/* Takes new settings; messages that have begun keep theirs. */
void intake_server_configure(struct intake_server *server, const struct settings *settings);

/* What is done every second: messages that could not enter new/ are tried again. */
void intake_server_tick(struct intake_server *server);

/* No new message from now on; waits at most `seconds` for those that have begun. */
void intake_server_drain(struct intake_server *server, int seconds);

#endif
