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
 *                          has none, and a `gate` need not. One of:
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
 *       gate TEMPLATE      a notice about held mail, by a template of etc/notices/
 *       to XTEXT
 *       lang ja|en
 *       var NAME [XTEXT]   any number; the same name again: a list
 *       attach draft|mail  or not at all; needs the leg, which the others can do without
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
 *
 * The second door, run/letter/socket, is seki-login's, who asks there for the mail by which people log in: `gate`
 * with the template `login`, without a leg. Nothing else is heard there, and that template nowhere else.
 */
#ifndef SEKISHO_NOTICE_NOTICE_H
#define SEKISHO_NOTICE_NOTICE_H

#include "lib/dsn/dsn.h"
#include "queue/leg.h"

#define NOTICE_SOCKET        "run/notice/socket"
#define NOTICE_LETTER_SOCKET "run/letter/socket"
#define NOTICE_REQUEST_MAX   ((size_t)8 * 1024 * 1024)
#define NOTICE_RCPTS_MAX     LEG_RCPTS_MAX
#define NOTICE_NAMES_MAX     ((size_t)64)   /* of variables in one request */
#define NOTICE_NAME_MAX      ((size_t)32)   /* bytes of one: small letters, digits and '-' */
#define NOTICE_VALUE_MAX     ((size_t)2000) /* bytes of a value; a longer one is cut at a letter */
#define NOTICE_ROWS_MAX      ((size_t)20) /* values of one variable that are told; the rest is counted */

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

/* ---- held mail ---- */

/*
 * One value of a variable. The same name again makes a list, whose rows stand beside those of other
 * lists (rcpt and rcpt-risk): an empty value keeps the place. "" or NULL alone is no value. A value
 * that is a time as records have it (clock_format) is shown as "2021-02-09 06:00:00 +0900". Of a list
 * the first NOTICE_ROWS_MAX are shown; {NAME-more} says how many more there were. Values are in the
 * reader's language; what would not be seen in them is taken out. "yes" is any value at all.
 *
 * What the templates as shipped know, beside subject from to cc date, which are the mail's own if the
 * leg is there and they are not given (rcpt: its recipients; accepted: when it came; gateway: our name):
 *
 *     all      url=LINK  sender=ADDRESS  rcpt[] rcpt-risk[]  check[]=SENTENCE  file[]
 *              why[]=REASON OF A RULE
 *     hold     until=TIME it goes out then | confirm=yes | checked=yes it waits for that |
 *              approval=yes for approval | discard=TIME thrown away then if nobody acts |
 *              window=TEXT a forbidden time of day
 *     request  expires=TIME  expiry-discard=yes it is thrown away then  for=PERSON whose deputy the
 *              reader is  escalated=yes  comment[]=WHAT OTHERS SAID  votes=TEXT ("1/2")
 *     warning  discard=TIME  expires=TIME  expiry-discard=yes
 *     result   approved= released= rejected= returned= discarded= expired= removed= restored=
 *              extended= urgent= (one of them "yes")  by=PERSON  comment[]  until=TIME
 *     draft    discarded= rejected= returned= expired= not-confirmed= (one of them)  by=PERSON
 *              comment[]
 *     digest   count=NUMBER  and a row for each mail: mail-time[] mail-subject[] mail-from[] mail-rcpt[]
 *              mail-state[] mail-url[]
 *     urgent   by=PERSON  reason=TEXT
 *     review   by=PERSON  reason=TEXT  time=TIME it went out
 *     login    url=LINK  until=TIME it can be used  source=ADDRESS of the browser that asked
 */
struct notice_var {
	const char *name, *value;
};

/* To exactly one address, in his language, by a template of etc/notices/: sekisho-notices(5). */
enum notice_attach { ATTACH_NONE, ATTACH_DRAFT, ATTACH_MAIL };

struct notice_gate {
	const char *template; /* hold request warning result draft digest urgent review login */
	const char *to;
	bool english;
	const struct notice_var *var;
	size_t vars;
	enum notice_attach attach; /* needs the leg */
};

/*
 * The same again; `leg` is -1 if there is none. NOTICE_WRONG "request": a template that there is not, a
 * name that can be none, or more names than NOTICE_NAMES_MAX. Names that no template has do no harm.
 */
void notice_ask_gate(const char *path, int leg, const struct notice_gate *gate, int timeout_ms,
    struct notice_answer *answer);

#endif
