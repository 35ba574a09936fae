/*
 * The quotas as seki-queue keeps them: the counts (queue/quota.h) behind a lock, lib/quota/counts
 * in which they outlive a restart, and lib/quota/freeze in which stands who has sent too much.
 *
 * Over a limit a message is taken all the same; but before that its login or source is frozen, and
 * that is durable: seki-deliver holds it back, and all that follows, until an operator thaws.
 */
#ifndef SEKISHO_QUEUE_QUOTA_KEEPER_H
#define SEKISHO_QUEUE_QUOTA_KEEPER_H

#include "lib/base/settings.h"
#include "queue/quota.h"

#define QUOTA_FOLDER "quota"  /* in lib/ */
#define QUOTA_COUNTS "counts" /* in it */

struct quota_keeper;

/* What is counted for one message. */
struct quota_charge {
	enum quota_kind kind;
	char who[ORIGIN_ROOM];
	size_t rcpts;
	bool own_limits; /* use `limits` and not the settings' */
	struct quota_limits limits;
	int64_t counted_at; /* 0: not counted */
};

/*
 * Reads the counts; what is damaged is put aside with an alarm, and the counts begin at zero. NULL:
 * no memory, or no lib/ (errno). Free with quota_keeper_free, which writes nothing.
 */
NODISCARD struct quota_keeper *quota_keeper_new(const struct settings *settings);
void quota_keeper_free(struct quota_keeper *k);

void quota_keeper_configure(struct quota_keeper *k, const struct settings *settings);

/*
 * Counts a message that is about to be committed. Over the limit it freezes. False: that could not
 * be written down (logged), and the message must not be taken now; it is not counted then.
 */
NODISCARD bool quota_keeper_count(struct quota_keeper *k, struct quota_charge *charge);

/* The message was not kept after all. */
void quota_keeper_take_back(struct quota_keeper *k, struct quota_charge *charge);

/* To be called every second or so: sees who was thawed, and writes the counts every minute. */
void quota_keeper_tick(struct quota_keeper *k);

/* Writes the counts now, if they have changed. */
void quota_keeper_save(struct quota_keeper *k);

#endif
