/*
 * Asking seki-notice(8) for a delivery status notification, over the Unix stream socket
 * run/notice/socket. Who may connect is decided by the mode of run/notice/: stages alone.
 *
 * seki-notice reads the leg itself, makes the message and brings it in by seki-queue's own door,
 * where it gets the client line "client - … origin=gateway" and a fixed plan. A leg whose
 * reverse-path is null, or that came by that door, gets no notification, whoever asks: there are no
 * loops.
 *
 *   stage -> seki-notice   u32 LENGTH (big-endian), LENGTH bytes of lines; with the first byte comes,
 *                          by SCM_RIGHTS, a descriptor of the leg, open for reading only
 *       dsn
 *       rcpt N ACTION status=X.Y.Z tried=TIME [until=TIME] [host=XTEXT] [reply=XTEXT]
 *                          N: the recipient's number in the leg, from 1, each at most once;
 *                          ACTION: failed delayed delivered relayed; TIME as in records
 *   seki-notice -> stage   one line
 *       kept ID            it is in the spool, durably, as the message ID
 *       none REASON        there is none to be made, and there never will be: null-sender
 *                          gateway-mail
 *       later REASON       not now: ask again (disk full, seki-queue is down, no memory)
 *       wrong REASON       the request or the leg makes no sense: a bug, or a damaged leg
 *
 * A connection carries one request.
 */
#ifndef SEKISHO_NOTICE_NOTICE_H
#define SEKISHO_NOTICE_NOTICE_H

#include "lib/dsn/dsn.h"
#include "queue/leg.h"

#define NOTICE_SOCKET      "run/notice/socket"
#define NOTICE_REQUEST_MAX ((size_t)8 * 1024 * 1024)
#define NOTICE_RCPTS_MAX   LEG_RCPTS_MAX

enum notice_result {
	NOTICE_KEPT,
	NOTICE_NONE,
	NOTICE_LATER, /* also: seki-notice is not there, or did not answer in time */
	NOTICE_WRONG,
};

/* What is said of one recipient. Texts are decoded and NUL-ended, or NULL. */
struct notice_rcpt {
	size_t rcpt; /* index into the leg's recipients, from 0 */
	enum dsn_action action;
	const char *status;
	const char *host;
	const char *reply;
	int64_t tried;
	int64_t until; /* 0: not said */
};

struct notice_answer {
	enum notice_result result;
	char id[ID_TEXT]; /* NOTICE_KEPT */
	char reason[128]; /* otherwise: printable ASCII */
};

/*
 * Asks, and waits for at most `timeout_ms`. `leg` is a descriptor of the leg, open for reading only;
 * it stays the caller's.
 */
void notice_ask(const char *path, int leg, const struct notice_rcpt *rcpt, size_t rcpts,
    int timeout_ms, struct notice_answer *answer);

#endif
