/*
 * One session with seki-remote, as its employer sees it (lib/remote/protocol.h): one connection, one
 * process there, one SMTP session with a server of the destination. Internal to lib/deliver.
 */
#ifndef SEKISHO_DELIVER_SESSION_H
#define SEKISHO_DELIVER_SESSION_H

#include "lib/deliver/engine.h"

#define SESSION_HEADER    ((size_t)5)                         /* of a frame: its type and length */
#define SESSION_HOST_ROOM ((size_t)(3 * REMOTE_NAME_MAX + 1)) /* xtext */
#define SESSION_WORD_ROOM ((size_t)32)
#define SESSION_FRAME_MAX ((size_t)131072)

enum session_state { SESSION_OPENING, SESSION_IDLE, SESSION_BUSY, SESSION_ENDED };

struct session {
	struct session *next; /* of its destination */
	struct session *all_next, **all_at;
	struct session *buried;
	struct engine *engine;
	struct destination *destination;
	struct watcher watcher;
	int fd;
	enum session_state state;
	struct batch *batch; /* while it is busy */
	struct buf in, out;
	size_t sent; /* of `out` */
	int rights;  /* the descriptor that goes with the next byte, or -1; the visit's */
	size_t messages, attempts;
	int64_t opened, since; /* boot clock: of the session, and of being idle */
	bool dsn, v6;
	bool told;  /* seki-remote has said why it ends */
	bool reuse; /* it may have another message */
	struct verdict last;
	char host[SESSION_HOST_ROOM];
	char tls[SESSION_WORD_ROOM];
};

/* ---- say.c ---- */

enum session_ordered { SESSION_ORDERED, SESSION_NOBODY, SESSION_NO_LOGIN };

/* Orders the session: where to, as whom, within which bounds. */
NODISCARD enum session_ordered session_order(struct session *s);

/* Gives it a message. False: nobody listens. */
NODISCARD bool session_say(struct session *s, const struct batch *b);

/* Sends what it can; the rest goes when there is room. False: the other side is gone. */
NODISCARD bool session_flush(struct session *s);

/* ---- hear.c ---- */

/* Works on every whole frame that has come. False: it is no frame, or makes no sense. */
NODISCARD bool session_hear(struct session *s);

/* The session is done with its batch. `lost`: why nothing was said of some; NULL: try them again. */
void session_end_batch(struct session *s, const struct verdict *lost);

bool session_is_v6(const char *address);

#endif
