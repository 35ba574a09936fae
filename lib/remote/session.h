/* One session with one server: how it is opened, what is said on it, and what came of it. */
#ifndef SEKISHO_REMOTE_SESSION_H
#define SEKISHO_REMOTE_SESSION_H

#include "lib/remote/command.h"
#include "lib/remote/conn.h"
#include "lib/remote/frame.h"
#include "lib/remote/protocol.h"
#include "lib/remote/reply.h"

/* What became of something (OUTCOME of lib/remote/protocol.h). */
struct outcome {
	enum remote_class class;
	enum remote_phase phase;
	int code;
	char status[REPLY_STATUS_MAX];
	char text[REPLY_TEXT_MAX + 1];
	size_t text_len;
};

struct remote_session {
	struct frames_in orders;
	struct frames_out results;
	const struct remote_order *order;
	const struct remote_peer *peer; /* the one that took us, or that is tried */
	bool open;                      /* commands can be sent */
	bool orphan;                    /* the employer is gone */
	bool dirty;                     /* a transaction was begun and not ended: RSET first */
	bool used;                      /* a message was sent before */
	bool logged_in;
	char hello[REPLY_LINE_MAX]; /* EHLO or HELO and its name */
	struct offer offer;
	struct outcome end; /* why it is not open */
	struct conn conn;
	char file[CONN_BUFFER]; /* a stretch of the message */
};

/* ---- outcomes ---- */

/* By a reply: 2yz delivered, 5yz refused, anything else deferred. */
void outcome_of_reply(struct outcome *o, enum remote_phase phase, const struct reply *reply);

/* By ourselves, without a reply. */
void outcome_own(struct outcome *o, enum remote_class class, enum remote_phase phase,
    const char *status, const char *text);

/* By a connection that did not do what it should. */
void outcome_of_conn(
    struct outcome *o, enum remote_phase phase, enum conn_status status, int error);

/*
 * Tells the employer: a frame of `type` with `before` (words that end in a space, or "") and it. He
 * hears of it before anything is waited for, or by remote_flush.
 */
void remote_tell(struct remote_session *s, char type, const char *before, const struct outcome *o);

/* Sends all that he was told. */
void remote_flush(struct remote_session *s);

/* ---- talking ---- */

/* The session cannot go on, for this reason; the connection is dropped. */
void remote_end(struct remote_session *s, const struct outcome *why);

/* The connection did not do what it should: ends the session, fills `o`, returns false. */
bool remote_lost(
    struct remote_session *s, enum remote_phase phase, enum conn_status status, struct outcome *o);

/*
 * Sends what is due and waits for one whole reply. False: the session has ended, and `o` says why
 * (deferred). A 421 is a reply like others; see remote_dismissed.
 */
NODISCARD bool remote_reply(struct remote_session *s, enum remote_phase phase, int64_t patience_ms,
    reply_line *show, void *context, struct reply *reply, struct outcome *o);

/* 421: the server ends the session (RFC 5321 section 3.8). True if it did. */
bool remote_dismissed(struct remote_session *s, enum remote_phase phase, const struct reply *reply);

/* Adds a command; false as remote_reply. */
NODISCARD bool remote_put(struct remote_session *s, enum remote_phase phase, const char *text,
    size_t len, struct outcome *o);

/* ---- what is done ---- */

/* Tries the peers in order. False: none took us; s->end says why. */
NODISCARD bool remote_open_any(struct remote_session *s);

/* The methods of remote_open_any's AUTH; false: `o` says why, and nothing may be sent. */
NODISCARD bool remote_log_in(struct remote_session *s, struct outcome *o);

/* Sends a message and tells what became of each recipient, and that it is over. */
void remote_send(struct remote_session *s, const struct remote_message *message);

/* QUIT, without waiting for what it answers. */
void remote_quit(struct remote_session *s);

#endif
