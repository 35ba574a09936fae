/*
 * How seki-remote(8) is told what to do: by its employer, over a connection to REMOTE_SOCKET
 * (lib/remote/remote.h), or a socket pair whose end is descriptor 3 of "seki-remote -s". One
 * connection is one process is one SMTP session with one destination. Both speak in frames: a byte
 * TYPE, u32 LENGTH (big-endian), LENGTH bytes of text. Values are xtext
 * (lib/base/xtext.h) and times are milliseconds, unless said otherwise.
 *
 * employer -> seki-remote
 *
 *   "O" open; the first frame, once. Lines, in any order; each ends in a newline:
 *         peer ADDRESS PORT NAME   1 to REMOTE_PEERS_MAX, tried in this order. ADDRESS is numeric,
 *                                  NAME the host's (SNI), or "-"
 *         helo NAME                who we say we are
 *         tls none|opportunistic
 *         auth LOGIN PASSWORD over=tls   optional: log in, once TLS is on, whatever certificate the
 *                                  server shows (that is the employer's word: verified TLS is not
 *                                  there yet). Never said in the clear.
 *         eightbit send|bounce     what becomes of a message that says body=8bitmime where the
 *                                  server does not offer 8BITMIME: sent as it is (the default), or
 *                                  refused, phase=local status=5.6.3, without being sent
 *         limit NAME NUMBER        optional; the names and defaults are those of REMOTE_LIMITS
 *   "S" send a message. With the frame's first byte comes, by SCM_RIGHTS, a descriptor of a regular
 *       file open for reading only; its position is not used. Lines:
 *         content OFFSET SIZE SHA256      decimal, decimal, 64 lower-case hex digits
 *         from XTEXT [param=value…]       these as at the queue's door (queue/intake.h): params
 *         to XTEXT [param=value…]         body= smtputf8= ret= envid=; notify= orcpt=
 *         client -                        the end
 *   "C" close: QUIT. An employer that closes its end means the same; within a message it means that
 *       the message is given up and the connection dropped.
 *
 * Frames may be sent ahead; they are worked on in turn.
 *
 * seki-remote -> employer
 *
 *   "A" an address was tried and left:   peer=ADDRESS port=N OUTCOME
 *   "O" the session is open:  peer= port= host= tls=WORD|- cipher=WORD|- auth=yes|no
 *                             offers=WORD,… size=N (as SIZE offers; 0: no bound known)
 *   "R" what became of some recipients:  rcpt=1,3-5 OUTCOME     numbers by the order of "to", from 1
 *       Each recipient of a message is named exactly once, as soon as it is known.
 *   "D" the message is over, behind all its "R": sha256=HEX|- (of the content as it was read, if all of it was)
 *   "E" the session is over, and the process ends: OUTCOME. What was sent ahead was not begun.
 *
 *   OUTCOME is  CLASS phase=WORD code=NNN status=N.N.N reply=XTEXT
 *
 *   CLASS  delivered   the server has it (2yz to the dot); of "E": as was wished, or idle too long
 *          refused     5yz, or what the server lacks can never be made up for (5.3.4, 5.6.3,
 *                      5.6.7)
 *          deferred    4yz, a failed connection, a server that talks nonsense; try again
 *          unknown     the final dot was sent and no reply to it was understood: the server may
 *                      have the message. Trying again may make a duplicate; not trying may lose it.
 *          untried     nothing was said of this recipient, or on a session that had been lying idle
 *                      already: try again at once, with a new process
 *   phase  where: connect greeting helo starttls auth rset mail rcpt data content dot idle local
 *   code   of the reply; 000: there was none
 *   status enhanced (RFC 3463): the reply's own, or the plainest one that is true
 *   reply  "CODE TEXT", lines parted by a newline, at most REPLY_TEXT_MAX bytes; or what we have to
 *          say. It has no other control characters, but may have any byte beyond ASCII.
 *
 * phase=content code=000 status=4.3.0 is a fault of ours: the file is shorter than SIZE, or SHA256 is
 * another, or a CR or LF stands alone. The dot was not sent. An alarm is logged.
 */
#ifndef SEKISHO_REMOTE_PROTOCOL_H
#define SEKISHO_REMOTE_PROTOCOL_H

#include "lib/base/compat.h"
#include "queue/leg.h"

#define REMOTE_FD          3
#define REMOTE_PEERS_MAX   128
#define REMOTE_NAME_MAX    255 /* bytes of a host's name */
#define REMOTE_SECRET_MAX  1024
#define REMOTE_OPEN_MAX    ((size_t)65536)
#define REMOTE_REQUEST_MAX (LEG_HEAD_MAX + 1024)

/* clang-format off */

/*
 * RFC 5321 section 4.5.3.2 and what a hostile server makes necessary. A time bounds a whole reply,
 * not a silence within it.
 *
 * L(name, field, default, smallest, largest)
 */
#define REMOTE_LIMITS(L) \
L("connect",    connect,    30000,   1, 600000)    /* to one address */ \
L("greeting",   greeting,   300000,  1, 3600000) \
L("helo",       helo,       300000,  1, 3600000) \
L("starttls",   starttls,   120000,  1, 3600000)   /* its reply, and then the handshake */ \
L("auth",       auth,       300000,  1, 3600000)   /* each reply */ \
L("mail",       mail,       300000,  1, 3600000)   /* RSET, too */ \
L("rcpt",       rcpt,       300000,  1, 3600000) \
L("data",       data,       120000,  1, 3600000) \
L("block",      block,      180000,  1, 3600000)   /* until 64 KB are taken */ \
L("dot",        dot,        600000,  1, 3600000) \
L("idle",       idle,       300000,  1, 3600000)   /* without a message: QUIT */ \
L("session",    session,    7200000, 1, 86400000)  /* all of it */ \
L("reply",      reply,      16384,   512, 1048576) /* bytes of one reply, all its lines */ \
L("recipients", recipients, 100,     1, 10000)     /* of one transaction */

/* clang-format on */

struct remote_limits {
#define L(name, field, fallback, smallest, largest) int64_t field;
	REMOTE_LIMITS(L)
#undef L
};

enum remote_tls { REMOTE_TLS_NONE, REMOTE_TLS_OPPORTUNISTIC };

struct remote_peer {
	const char *address;
	uint16_t port;
	const char *name; /* decoded; "" if there is none */
};

/* An "O" as it was read; the texts stand in the frame's bytes. */
struct remote_order {
	struct remote_peer peer[REMOTE_PEERS_MAX];
	size_t peers;
	const char *helo;
	enum remote_tls tls;
	bool eightbit_bounce;
	const char *login; /* NULL: do not log in */
	const char *password;
	struct remote_limits limits;
};

/* An "S" as it was read. */
struct remote_message {
	struct leg envelope; /* from, its params, rcpts */
	off_t offset;
	uint64_t size;
	char sha256[LEG_DIGEST_LEN + 1];
	int fd; /* the caller's */
};

enum remote_class {
	REMOTE_DELIVERED,
	REMOTE_REFUSED,
	REMOTE_DEFERRED,
	REMOTE_UNKNOWN,
	REMOTE_UNTRIED,
};

enum remote_phase {
	PHASE_CONNECT,
	PHASE_GREETING,
	PHASE_HELO,
	PHASE_STARTTLS,
	PHASE_AUTH,
	PHASE_RSET,
	PHASE_MAIL,
	PHASE_RCPT,
	PHASE_DATA,
	PHASE_CONTENT,
	PHASE_DOT,
	PHASE_IDLE,
	PHASE_LOCAL,
};

const char *remote_class_word(enum remote_class class);
const char *remote_phase_word(enum remote_phase phase);

/* Read the text of a frame, changing it in place; `text[len]` must be a NUL. False: malformed. */
NODISCARD bool remote_read_order(char *text, size_t len, struct remote_order *order);
/* Free with leg_free(&message->envelope) after true. Leaves `fd` alone. */
NODISCARD bool remote_read_message(char *text, size_t len, struct remote_message *message);

#endif
