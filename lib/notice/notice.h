/*
 * Asking seki-notice(8) for the gateway's own mail, over the Unix stream socket run/notice/socket. Who
 * may connect is decided by the mode of run/notice/: stages alone.
 *
 * seki-notice reads the leg itself, makes the message and brings it in by seki-queue's own door,
 * where it gets the client line "client - … origin=gateway" and a fixed plan. A leg that came by that
 * door causes no mail of any kind, whoever asks, and one whose reverse-path is null no notification to
 * it: there are no loops. What is made has the null reverse-path, and so causes nothing either.
 *
 *   stage -> seki-notice   u32 LENGTH (big-endian), LENGTH bytes of lines; with the first byte comes,
 *                          by SCM_RIGHTS, a descriptor of the leg, open for reading only; a `letter`
 *                          has none. One of:
 *
 *       dsn                a delivery status notification to the sender
 *       rcpt N ACTION status=X.Y.Z tried=TIME [until=TIME] [host=XTEXT] [reply=XTEXT]
 *                          N: the recipient's number in the leg, from 1, each at most once;
 *                          ACTION: failed delayed delivered relayed; TIME as in records
 *
 *       refused            the sender is told that our rules refused the leg, and why: as the leg's own
 *                          record says (lib/notice/refusal.h)
 *
 *       forward XTEXT      the leg, which our rules refused, goes to this address: whole, as an
 *                          attachment of a letter (lib/dsn/letter.h) from the gateway's own address
 *
 *       letter             a text to somebody here: of what the gateway has to tell
 *       to XTEXT           an address
 *       subject XTEXT
 *                          an empty line, and behind it to the end the text, UTF-8, lines end in LF:
 *                          at most LETTER_TEXT_MAX bytes
 *
 *   seki-notice -> stage   one line
 *       kept ID            it is in the spool, durably, as the message ID
 *       none REASON        there is none to be made, and there never will be: null-sender
 *                          gateway-mail not-wanted (every recipient has NOTIFY without FAILURE)
 *                          told-nobody (the rule says so)
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

/* The same: that the leg was refused, to its sender; and all of it, to somebody else. */
void notice_ask_refused(const char *path, int leg, int timeout_ms, struct notice_answer *answer);
void notice_ask_forward(
    const char *path, int leg, const char *to, int timeout_ms, struct notice_answer *answer);

/* The same: `len` bytes of `text`, UTF-8 with lines that end in LF, at most LETTER_TEXT_MAX. */
void notice_ask_letter(const char *path, const char *to, const char *subject, const char *text,
    size_t len, int timeout_ms, struct notice_answer *answer);

#endif
