/*
 * Where mail goes when it leaves. For now one kind of route: maildir:PATH, a Maildir that stands
 * for the rest of the world in trials and tests.
 */
#ifndef SEKISHO_NET_H
#define SEKISHO_NET_H

#include "lib/base/settings.h"
#include "queue/leg.h"

enum net_result {
	NET_SENT,    /* accepted, for good: say so in the leg */
	NET_LATER,   /* not now (errno): try again */
	NET_DAMAGED, /* the content is not what its digest says: nothing has been sent */
};

#define NET_REPLY_MAX 256

struct net_report {
	enum net_result result;
	char host[64];             /* for the record: who took it */
	char reply[NET_REPLY_MAX]; /* what was said, as it came; not xtext */
	bool durable; /* what was written there survives a power cut once the leg is synced */
};

/*
 * Sends the content of the leg in `fd` to the recipients `rcpt[0..rcpts)` (indices). The content's
 * digest is computed while it is sent, and the last step is withheld unless it is right.
 */
struct net_report net_send(
    const char *route, int fd, const struct leg *leg, const size_t *rcpt, size_t rcpts);

#endif
