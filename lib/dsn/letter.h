/*
 * A letter of the gateway itself: words, UTF-8, from its own address, and with them, if there is one,
 * a whole mail as an attachment. What is not about delivery: a refused mail for an auditor, a report.
 *
 * The letter's From is the gateway's alone, whoever the mail is from, so that it is aligned with the
 * domain that sends it. Its header is made as that of a notification (lib/dsn/dsn.h): nothing of a
 * stranger reaches it but as printable ASCII or in encoded words; Auto-Submitted is auto-generated
 * (RFC 3834 section 5). Lines end in CRLF and have at most 998 bytes.
 */
#ifndef SEKISHO_DSN_LETTER_H
#define SEKISHO_DSN_LETTER_H

#include "lib/dsn/dsn.h"
#include "lib/dsn/jis.h"

#define LETTER_TEXT_MAX    ((size_t)256 * 1024)
#define LETTER_SUBJECT_MAX ((size_t)1000) /* bytes; more is cut */
#define LETTER_RCPTS_SHOWN ((size_t)500)

/* Texts are NUL-ended and may hold anything. */
struct letter {
	const char *id;         /* of this letter, for its Message-ID: letters, digits, . and - */
	const char *mta;        /* our name in DNS */
	const char *from;       /* address of the mailer daemon, or NULL: MAILER-DAEMON@mta */
	const char *to;         /* never "" */
	const char *subject;    /* UTF-8 */
	int64_t now;            /* microseconds, UTC */
	const char *text;       /* UTF-8, lines parted by LF or CRLF; not read by letter_prepare */
	size_t text_len;        /* at most LETTER_TEXT_MAX; more is cut */
	const char *language;   /* of the text, "ja"; NULL: it is in Japanese and English */
	struct letter_jis *jis; /* words in ISO-2022-JP, if it has all their letters; NULL: UTF-8 */

	int fd; /* the mail: `size` bytes from `offset` on, lines end in CRLF; -1: there is none */
	off_t offset;
	uint64_t size;
	uint64_t whole_max; /* of a larger mail the header alone is attached */
	bool draft;         /* for somebody who may change it and send it again */
	const char *name; /* the attachment's file name without ".eml": letters, digits, . and - */
};

/* How the mail stands in the letter. */
enum letter_kind {
	LETTER_PLAIN, /* there is none */
	LETTER_MAIL,  /* message/rfc822 or message/global, as it is */
	/* It cannot stand so (longer lines, a CR, LF or NUL on its own): every byte of it as a file in
	 * base64, which RFC 2046 section 5.2.1 does not allow for message/rfc822. */
	LETTER_FILE,
	LETTER_HEADER, /* larger than whole_max: its header alone */
	/* A file as well, "X-Unsent: 1" on top of it: programs open it as a mail to be written. As
	 * message/rfc822 it is shown as one that came, and Exchange makes its own of it. */
	LETTER_DRAFT,
};

/* What its envelope must say, and what letter_write needs to know. Owns nothing. */
struct letter_form {
	bool utf8;      /* SMTPUTF8: the recipient's address is not ASCII */
	bool eight_bit; /* BODY=8BITMIME */
	enum letter_kind kind;
	struct dsn_form mail; /* for letter_write alone */
};

/* "2026-11-23 08:26:40 +0900" in the process's time zone. False: there is no time. */
#define LETTER_TIME 64
NODISCARD bool letter_time(int64_t wall, char text[LETTER_TIME]);

/* Whether a letter can go there: LOCAL@DOMAIN that can stand in a header as it is. */
bool letter_address_fits(const char *address);

/*
 * Adds the header of the mail, without the empty line, as much of it as is within DSN_HEADER_MAX; `fd`,
 * `offset` and `size` as in a letter. False with errno, as dsn_prepare.
 */
NODISCARD bool letter_read_header(int fd, off_t offset, uint64_t size, struct buf *header);

/* Reads the mail once. False with errno, as dsn_prepare. */
NODISCARD bool letter_prepare(const struct letter *letter, struct letter_form *form);

/* Writes it; memory does not grow with the mail. False as dsn_write. */
NODISCARD bool letter_write(
    const struct letter *letter, const struct letter_form *form, dsn_put *put, void *context);

/* ---- what an auditor is told of a refused mail ---- */

/* Texts are NUL-ended and may hold anything; NULL: not known. */
struct letter_refused {
	const char *mta;  /* our name in DNS */
	const char *from; /* the reverse-path; "" is <> */
	const char *const *rcpt;
	size_t rcpts;
	const char *why;    /* in the rule's words */
	const char *where;  /* the rule: "must/20-temps:3" */
	const char *name;   /* its name */
	const char *id;     /* of the mail */
	const char *client; /* who handed it in, and how */
	int64_t accepted;
	int64_t refused;
};

/*
 * The words, Japanese and English; UTF-8 with CRLF. Whom it went to is bounded by LETTER_RCPTS_SHOWN,
 * and all of it by what `text` may hold.
 */
void letter_refused_words(
    const struct letter_refused *refused, enum letter_kind kind, struct buf *text);

#endif
