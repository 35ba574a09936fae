/*
 * One SMTP session, from the banner to the end of the connection. The states and what each command
 * does in them stand in one table in session.c; MAIL, RCPT and DATA are in transaction.c.
 */
#ifndef SEKISHO_SMTP_SESSION_H
#define SEKISHO_SMTP_SESSION_H

#include "lib/auth/ask.h"
#include "lib/base/buf.h"
#include "lib/smtp/command.h"
#include "lib/smtp/io.h"
#include "lib/smtp/ip.h"
#include "lib/smtp/smtp.h"
#include "queue/intake.h"

/* What a process keeps from one session of its source to the next: memory, and the queue's door. */
struct desk {
	const struct smtp_config *config;
	int control;           /* the parent's end of it closes when we are to go */
	struct intake *intake; /* opened at the first DATA; NULL: none */
	struct buf envelope;
	char in[IO_INPUT];
	char out[IO_OUTPUT];
};

/* A connection as it arrived. */
struct arrival {
	struct peer peer;
	enum smtp_service service;
	bool proxied; /* a PROXY header comes first */
};

enum phase {
	PHASE_START,   /* nobody has said HELO */
	PHASE_GREETED, /* ready for MAIL */
	PHASE_MAIL,    /* MAIL was taken */
	PHASE_RCPT,    /* and a recipient, at least */
};

/* What follows a command. */
enum next {
	NEXT_COMMAND,
	NEXT_CLOSE,  /* send what is due and close */
	NEXT_LINGER, /* the same, but the client may still be sending */
	NEXT_TLS,    /* send what is due and begin the handshake */
	NEXT_GONE,   /* there is nobody to talk to */
};

#define HELO_MAX     255
#define ADDRESS_TEXT 256

struct session {
	struct desk *desk;
	const struct smtp_config *config;
	enum smtp_service service;
	const struct relay_source *source; /* NULL: sends nothing without a login */
	struct io io;
	struct tls *tls; /* NULL: in the clear */
	struct peer peer;
	char peer_text[IP_TEXT];
	enum phase phase;
	bool extended; /* EHLO */
	char helo[HELO_MAX + 1];
	unsigned errors;
	unsigned idle_commands; /* since the last message: those that do nothing */
	unsigned messages;
	unsigned wrong_passwords;
	char login[AUTH_LOGIN_MAX + 1]; /* "": nobody has logged in */
	bool proven;                    /* it is known who this is; the parent was told */
	int64_t prove_by;               /* clock_boot() at which a stranger is sent away */

	/* The transaction. Its recipients are in desk->envelope already. */
	bool utf8;
	int64_t declared; /* SIZE=, or -1 */
	size_t rcpts;
	char from[ADDRESS_TEXT]; /* for the log */
	bool held;               /* it goes to the operator first: a sender is not the login's */
};

/* Serves `fd` until the end of the session; does not close it. */
void session_run(struct desk *desk, int fd, const struct arrival *arrival);

/* Notes that it is known who this is: he is no stranger any more. */
void session_proven(struct session *s);

/* Adds a reply to what is due; 5yz counts as an error. NEXT_COMMAND, or NEXT_GONE. */
NODISCARD enum next session_say(struct session *s, const char *text);

/* The same, and a line event=refused in the log. `about`: an address or what else helps, or "". */
NODISCARD enum next session_refuse(struct session *s, const char *text, const char *about);

/* The same, and the connection ends. */
NODISCARD enum next session_dismiss(struct session *s, const char *text);

/* What to do about input that did not come as it should. */
NODISCARD enum next session_lost(struct session *s, enum io_status status);

/* Forgets the transaction and gives the next one its time. */
void session_reset(struct session *s);

/* login.c */
NODISCARD enum next session_auth(struct session *s, const char *argument, size_t len);

/* What becomes of a sender that is not the login's: enum foreign_sender. */
enum foreign_sender session_foreign(const struct session *s);

/* opening.c: what comes before the first command, and STARTTLS. False: it is over, nothing is due. */
NODISCARD bool session_open(struct session *s, const struct arrival *arrival);
NODISCARD bool session_start_tls(struct session *s);

/* transaction.c */
NODISCARD enum next session_mail(struct session *s, const char *argument, size_t len);
NODISCARD enum next session_rcpt(struct session *s, const char *argument, size_t len);
NODISCARD enum next session_data(struct session *s, const char *argument, size_t len);

#endif
