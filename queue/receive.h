/*
 * Receiving one message into tmp/: its envelope is read again, its id made, its Received line
 * written, its content streamed and digested, its head filled in, its recipients counted, and one
 * fsync commits it.
 *
 * A small message is collected in memory and written at once; of a larger one no more than
 * RECEIVE_PENDING bytes are ever held.
 */
#ifndef SEKISHO_QUEUE_RECEIVE_H
#define SEKISHO_QUEUE_RECEIVE_H

#include "lib/base/buf.h"
#include "lib/base/settings.h"
#include "queue/audit.h"
#include "queue/digest.h"
#include "queue/intake.h"
#include "queue/leg.h"
#include "queue/loop.h"
#include "queue/quota_keeper.h"
#include "queue/spool.h"

#define RECEIVE_PENDING ((size_t)128 * 1024)

/* What the settings say about a message; copied, so that a reload never meets one half-way. */
struct receive_limits {
	int64_t message_size;
	int64_t space_percent, space_bytes, space_files;
	char hostname[SETTING_TEXT_MAX];
};

void receive_limits_take(struct receive_limits *limits, const struct settings *settings);

struct receiver {
	const struct spool *spool;
	struct receive_limits limits;
	const struct loop_key *loop_key; /* NULL: Received lines carry no mark */
	struct quota_keeper *quota;      /* NULL: nothing is counted */
	struct audit *audit;             /* NULL: mail is taken whether or not seki-audit writes */
	bool own;                        /* it serves the gateway's own door; then quota is NULL */
	struct quota_charge charge;
	struct digest *digest;
	struct buf envelope; /* the lines from, to…, client, as they go into the head */
	struct buf pending;  /* content not yet written */
	struct buf head;     /* scratch */
	char id[ID_TEXT];
	char name[NAME_TEXT]; /* ID.1 */
	char peer[64];        /* who sent it, for the log */
	char sender[256];     /* its reverse-path, cut if it is longer, for the log */
	size_t rcpts;
	int64_t accepted;
	uint64_t size;             /* of the content so far */
	uint64_t checked;          /* size at the last look at the free space */
	int fd;                    /* -1 until something is written */
	enum intake_reply verdict; /* INTAKE_GO while all is well */
};

/*
 * Prepares for any number of messages, one after another, without mark and quotas, by the ordinary
 * door: set these behind it. False: no memory.
 */
NODISCARD bool receiver_init(struct receiver *r, const struct spool *spool);
void receiver_free(struct receiver *r);

/* Whether there is room for a message that was declared `size` bytes long. */
bool receive_room(const struct spool *spool, const struct receive_limits *limits, uint64_t size);

/*
 * Begins a message from an envelope as in queue/intake.h (changed in place). INTAKE_GO: r->id is
 * its id. INTAKE_TEMPORARY also stands for a malformed envelope; both are logged.
 */
NODISCARD enum intake_reply receive_begin(struct receiver *r, char *envelope, size_t len);

/* Takes content. A failure is remembered and told by receive_commit. */
void receive_data(struct receiver *r, const char *bytes, size_t len);

/*
 * Makes the message durable. INTAKE_KEPT: tmp/NAME will survive a power cut; say so, then call
 * receive_enter. Anything else: nothing is kept.
 */
NODISCARD enum intake_reply receive_commit(struct receiver *r);

/* Writes the log's line about a message that was kept. */
void receive_log(const struct receiver *r);

/*
 * Moves what was kept on to new/. False: it stands in tmp/ still, safe; try again by its name. A
 * name that is taken in new/ stays in tmp/ for good, with an alarm.
 */
NODISCARD bool receive_enter(struct receiver *r);
NODISCARD bool receive_enter_name(const struct spool *spool, const char *name);

/* Gives up what was begun, if anything. */
void receive_abandon(struct receiver *r);

/*
 * Recovery of tmp/ at start: whole messages go to new/, whatever was never acknowledged is
 * unlinked. False: tmp/ could not be listed (errno).
 */
NODISCARD bool receive_recover(const struct spool *spool, const struct settings *settings);

#endif
