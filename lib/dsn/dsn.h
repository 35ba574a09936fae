/*
 * Delivery status notifications: whether one is wanted, and the message that is one.
 *
 * The message is a multipart/report (RFC 6522) of three parts: words for people in Japanese and
 * English, message/delivery-status for programs (RFC 3464), and the mail's header or the whole mail.
 * Nothing of a stranger reaches a header field or the second part but as printable ASCII; addresses
 * with other letters are written there as utf-8-addr-xtext (RFC 6533 section 3), so that these two
 * never need SMTPUTF8. Lines end in CRLF and have at most 998 bytes.
 *
 * What is returned keeps its bytes: message/rfc822, or message/global if its header has UTF-8, as
 * 7bit or 8bit; it is never encoded. A mail that cannot stand so (longer lines, a CR, LF or NUL on
 * its own) or is too large comes back as its header alone, and the words say so. A header is
 * text/rfc822-headers, or message/global-headers with UTF-8; it is quoted-printable only when its
 * bytes are neither ASCII nor UTF-8, or its lines too long.
 */
#ifndef SEKISHO_DSN_DSN_H
#define SEKISHO_DSN_DSN_H

#include "lib/base/buf.h"
#include "lib/base/compat.h"

enum dsn_action {
	DSN_FAILED,
	DSN_DELAYED,
	DSN_DELIVERED,
	DSN_RELAYED, /* to a server that does not know RFC 3461 */
	DSN_EXPANDED,
};
#define DSN_ACTIONS 5

/* ---- whether one is wanted ---- */

/* NOTIFY= of a recipient (RFC 3461 section 4.1), as bits; 0: it was not given. */
enum {
	DSN_NOTIFY_NEVER = 1,
	DSN_NOTIFY_SUCCESS = 2,
	DSN_NOTIFY_FAILURE = 4,
	DSN_NOTIFY_DELAY = 8,
};

/*
 * Reads "failure,delay", in letters of either case, as a leg keeps it. What is no such list is 0, as
 * if nothing had been said: failures are not lost by it.
 */
unsigned dsn_notify_read(const char *text, size_t len);

enum dsn_wanted {
	DSN_TO_NOBODY,
	DSN_TO_SENDER,
	DSN_TO_POSTMASTER, /* no notification: a person here may be told, by the log */
};

/*
 * RFC 3461 sections 4.1 and 5.2: not said means failures and delays. NEVER stands above all others.
 * A null reverse-path never gets one (RFC 5321 section 6.1): of its failures, which are mostly
 * notifications that found nobody, the postmaster may know.
 */
enum dsn_wanted dsn_wanted(unsigned notify, enum dsn_action action, bool null_reverse_path);

/* ---- the message ---- */

enum dsn_return { DSN_RETURN_HEADER, DSN_RETURN_FULL };

/* Why the gateway's own rules refused a mail. Texts may hold anything; NULL: not known. */
struct dsn_refusal {
	const char *why; /* in the rule's words, lines parted by LF or CRLF */
	const char *id;  /* of the mail, by which an administrator finds it */
};

/* Texts are NUL-ended and may hold anything; NULL or 0: not known. Times: microseconds, UTC. */
struct dsn_rcpt {
	const char *orcpt;  /* the value of ORCPT=, no xtext any more: "rfc822;bob@example.com" */
	const char *final;  /* the address that was tried */
	const char *status; /* enhanced status code, "5.1.1"; one that does not fit becomes X.0.0 */
	const char *remote; /* the name of the server that said so */
	const char *reply;  /* what it said, lines parted by LF or CRLF; or what went wrong here */
	int64_t tried;      /* last attempt */
	int64_t until;      /* when it will be given up; only for DSN_DELAYED */
	enum dsn_action action;
};

struct dsn {
	const char *id;    /* of this notification, for its Message-ID: letters, digits, . and - */
	const char *mta;   /* our name in DNS */
	const char *from;  /* address of the mailer daemon, or NULL: MAILER-DAEMON@mta */
	const char *to;    /* the reverse-path of the mail; never "" */
	const char *envid; /* ENVID=, no xtext any more */
	int64_t arrived;
	int64_t now;
	const struct dsn_rcpt *rcpt; /* at least one */
	size_t rcpts;

	/*
	 * NULL: servers or routes decided. Otherwise every recipient has failed by our own rules: the
	 * words say so, and that nobody got anything.
	 */
	const struct dsn_refusal *refusal;

	int fd; /* the mail: `size` bytes from `offset` on, lines end in CRLF */
	off_t offset;
	uint64_t size;
	/* Counts only if some recipient failed (RFC 3461 section 4.3). */
	enum dsn_return ret;
	uint64_t full_max; /* a larger mail is not returned in full */
};

#define DSN_HEADER_MAX       ((size_t)1024 * 1024) /* of a longer one the first lines are returned */
#define DSN_SHOWN_MAX        50                    /* recipients in the words for people */
#define DSN_BOUNDARY_MAX     48
#define DSN_ORIGINAL_ID_MAX  300
#define DSN_STATUS_REPLY_MAX 2000 /* bytes of a reply in the second part */
#define DSN_SHOWN_REPLY_MAX  1000 /* and in the words for people */
#define DSN_WHY_MAX          2000 /* bytes of a rule's reason there */

/* What its envelope must say, and what dsn_write needs to know. Owns nothing. */
struct dsn_form {
	bool utf8;      /* SMTPUTF8: the sender's address is not ASCII */
	bool eight_bit; /* BODY=8BITMIME; otherwise every byte of it is ASCII */

	/* For dsn_write alone. */
	bool full;     /* the whole mail is returned */
	bool cut;      /* it should be, and cannot */
	bool global;   /* its header is UTF-8 and not ASCII */
	bool quoted;   /* quoted-printable */
	bool high;     /* what is returned has bytes beyond ASCII */
	size_t header; /* bytes of the header, without the empty line */
	char boundary[DSN_BOUNDARY_MAX];
	char original_id[DSN_ORIGINAL_ID_MAX + 1]; /* "<…>", or "" */
};

/*
 * Reads the mail (once, if it is to be returned in full; otherwise its header) and chooses the form
 * and a boundary that nobody can foresee and that is not in it. False with errno: it cannot be read,
 * or is shorter than `size` (ENODATA), or there is no memory.
 */
NODISCARD bool dsn_prepare(const struct dsn *dsn, struct dsn_form *form);

/* Takes the next bytes of the message. False stops. */
typedef bool dsn_put(void *context, const char *bytes, size_t len);

/*
 * Writes the message that dsn_prepare has looked at; memory does not grow with the mail. False: `put`
 * said so, or the mail cannot be read any more (errno); then what was written is not to be used.
 */
NODISCARD bool dsn_write(
    const struct dsn *dsn, const struct dsn_form *form, dsn_put *put, void *context);

/* A dsn_put that adds to a struct buf. */
bool dsn_put_buf(void *buf, const char *bytes, size_t len);

#endif
