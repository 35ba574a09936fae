/*
 * Command lines of SMTP, read strictly: RFC 5321 section 4.1, with the parameters of SIZE (RFC
 * 1870), 8BITMIME (6152), DSN (3461) and SMTPUTF8 (6531). Nothing here knows of a session.
 */
#ifndef SEKISHO_SMTP_COMMAND_H
#define SEKISHO_SMTP_COMMAND_H

#include "lib/base/compat.h"
#include "lib/smtp/address.h"

#define COMMAND_MAX      512   /* bytes of a line, its CRLF included */
#define COMMAND_LONG_MAX 2048  /* of MAIL and RCPT, which carry parameters */
#define AUTH_LINE_MAX    12288 /* of AUTH and of its responses: RFC 4954 section 4 */
#define ENVID_MAX        100   /* RFC 3461 section 4.4, before decoding */
#define AUTH_SAID_MAX    500
#define ORCPT_MAX        500 /* section 4.2 */

enum verb {
	VERB_UNKNOWN,
	VERB_HELO,
	VERB_EHLO,
	VERB_MAIL,
	VERB_RCPT,
	VERB_DATA,
	VERB_RSET,
	VERB_NOOP,
	VERB_QUIT,
	VERB_VRFY,
	VERB_EXPN,
	VERB_HELP,
	VERB_ETRN,
	VERB_TURN,
	VERB_BDAT,
	VERB_STARTTLS,
	VERB_AUTH,
	VERB_HTTP, /* a method of HTTP: a browser was sent here */
};

#define VERBS (VERB_HTTP + 1)

/* The verb of a line; `*argument` is the offset of what follows it and its spaces. */
enum verb command_verb(const char *line, size_t len, size_t *argument);

/* Whether it has neither control characters nor bytes beyond ASCII. */
NODISCARD bool command_plain(const char *line, size_t len);

/* A path without its brackets, and without quotes that it does not need; `len` 0 is "<>". */
struct path {
	const char *text; /* points into the command line, or to `plain` */
	size_t len;
	size_t domain; /* offset behind the '@' */
	char plain[ADDRESS_MAX];
};

enum mail_body { BODY_UNSAID, BODY_7BIT, BODY_8BITMIME };
enum mail_ret { RET_UNSAID, RET_FULL, RET_HDRS };

struct mail {
	struct path from;
	int64_t size; /* -1: not declared */
	enum mail_body body;
	enum mail_ret ret;
	bool utf8;
	bool has_auth; /* AUTH= was given; what it says is not used */
	bool has_envid;
	char envid[ENVID_MAX]; /* decoded */
	size_t envid_len;
};

#define NOTIFY_NEVER   1u
#define NOTIFY_SUCCESS 2u
#define NOTIFY_FAILURE 4u
#define NOTIFY_DELAY   8u

struct rcpt {
	struct path to;
	bool postmaster; /* "<postmaster>", which has no domain: RFC 5321 section 4.5.1 */
	unsigned notify; /* of NOTIFY_*; 0: not said */
	bool has_orcpt;
	char orcpt[ORCPT_MAX]; /* "type;address", the address decoded */
	size_t orcpt_len;
};

/*
 * Read what follows the verb of MAIL or RCPT. They return NULL, or the reply that refuses the
 * command (a literal without its CRLF). `utf8`: SMTPUTF8 was given with MAIL.
 */
NODISCARD const char *command_mail(const char *argument, size_t len, struct mail *mail);
NODISCARD const char *command_rcpt(const char *argument, size_t len, bool utf8, struct rcpt *rcpt);

#endif
