/*
 * Reading a reply of an SMTP server (RFC 5321 section 4.2), wherever its bytes are cut. A server
 * may be hostile: all lines of a reply together are bounded, its text is kept to a bound, and what
 * is kept has no control characters but the newlines between its lines. Memory: this struct.
 */
#ifndef SEKISHO_REMOTE_REPLY_H
#define SEKISHO_REMOTE_REPLY_H

#include "lib/base/compat.h"

#define REPLY_TEXT_MAX   ((size_t)1000) /* bytes kept, with the code in front */
#define REPLY_LINE_MAX   ((size_t)512)  /* bytes of a line that reply_line is shown */
#define REPLY_STATUS_MAX 12             /* "5.123.123" and a NUL */

enum reply_status {
	REPLY_MORE,      /* everything was used; the reply goes on */
	REPLY_DONE,      /* a whole reply */
	REPLY_MALFORMED, /* this is no reply: the place in the stream is lost */
	REPLY_TOO_LONG,  /* longer than the bound: the same */
};

/* Shown each line's text behind "NNN " or "NNN-", cut to REPLY_LINE_MAX. `first`: the first one. */
typedef void reply_line(void *context, const char *text, size_t len, bool first);

struct reply {
	int code;                      /* 200 to 599 */
	char status[REPLY_STATUS_MAX]; /* enhanced status code (RFC 2034), or "" */
	char text[REPLY_TEXT_MAX + 1]; /* "250 2.0.0 ok\nsecond line", NUL-ended */
	size_t text_len;
	bool cut; /* there was more text */

	/* How far it is. */
	size_t bound, seen;
	size_t lines;
	size_t column; /* of this line */
	int line_code;
	bool last; /* this line is the last one */
	bool cr;   /* a CR that belongs to a line's end, or to its text */
	size_t line_len;
	char line[REPLY_LINE_MAX];
	reply_line *show;
	void *context;
};

/* A reply of at most `bound` bytes. `show` may be NULL. */
void reply_init(struct reply *reply, size_t bound, reply_line *show, void *context);

/* Takes what has come; `*used` is what belongs to this reply. */
NODISCARD enum reply_status reply_feed(
    struct reply *reply, const char *bytes, size_t len, size_t *used);

#endif
