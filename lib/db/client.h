/* One connection to seki-db(8): requests in, answers out; lib/past/protocol.h. */
#ifndef SEKISHO_DB_CLIENT_H
#define SEKISHO_DB_CLIENT_H

#include "lib/db/history.h"

#define CLIENT_UNREAD ((size_t)256 * 1024) /* with more to be read, it is not heard */
#define CLIENT_OUT    ((size_t)16 << 20)   /* an answer cannot be longer: a report of all rows */

struct client {
	int fd;
	bool may_change; /* root, or who owns the instance */
	bool ended;      /* it will ask nothing more */
	bool gone;       /* nobody is there any more, or what came was no request */
	size_t sent;     /* of `out` */
	struct buf out;

	/* A question that is being answered, recipient by recipient. */
	size_t rcpts; /* still to come */
	struct history_sender sender;
	const char *group[PAST_GROUPS_MAX];
	char *texts; /* behind the sender and the groups */

	struct client *next;
	size_t have; /* of `in` */
	char in[PAST_LINE_MAX + 1];
};

/* Owns the descriptor from here on, if there is memory: else NULL. */
NODISCARD struct client *client_new(int fd);
void client_free(struct client *c);

/* Whether it may be heard now. */
NODISCARD bool client_may_ask(const struct client *c);

/* Whether a whole line is in hand that may be answered. */
NODISCARD bool client_has_line(const struct client *c);

/* Reads what there is, once. */
void client_read(struct client *c);

/* Answers up to `most` lines that were read. */
void client_answer(struct client *c, struct history *history, int64_t now, size_t most);

NODISCARD bool client_has_output(const struct client *c);

/* Sends what can be sent without waiting. */
void client_send(struct client *c);

/* Whether nothing is left to be done for it. */
NODISCARD bool client_done(const struct client *c);

/*
 * The requests themselves: a line, of `len` bytes without its LF, is answered. False: it is none, or
 * not for this client. A store that fails is told as "failed", and `gone` set.
 */
NODISCARD bool request_answer(
    struct client *c, struct history *history, int64_t now, char *bytes, size_t len);

#endif
