/*
 * The request of lib/notice/notice.h as text. It comes from a stage, which is trusted with the leg
 * but not believed: every word is read again, and what is not exactly a request is none.
 */
#ifndef SEKISHO_NOTICE_REQUEST_H
#define SEKISHO_NOTICE_REQUEST_H

#include "lib/base/buf.h"
#include "lib/notice/notice.h"
#include "lib/notice/vars.h"

enum notice_verb { NOTICE_DSN, NOTICE_REFUSAL, NOTICE_FORWARD, NOTICE_LETTER, NOTICE_GATE };

/* Texts point into the request's bytes. */
struct notice_request {
	enum notice_verb verb;

	/* NOTICE_DSN */
	struct notice_rcpt *rcpt;
	size_t rcpts;   /* at least 1 */
	size_t highest; /* the greatest number, from 1: the leg must have so many */

	const char *to; /* NOTICE_FORWARD, NOTICE_LETTER, NOTICE_GATE: an address; never "" */

	/* NOTICE_LETTER */
	const char *subject; /* UTF-8, or whatever else was sent */
	const char *text;    /* the same; lines end in LF */
	size_t text_len;

	/* NOTICE_GATE */
	size_t kind; /* enum notice_kind */
	bool english;
	struct notice_vars *vars;
	enum notice_attach attach;
};

enum notice_read {
	NOTICE_READ_FINE,
	NOTICE_READ_MALFORMED,
	NOTICE_READ_NO_MEMORY,
};

/*
 * Reads `len` bytes, which it changes and which must outlive `request`. On NOTICE_READ_FINE the
 * caller frees `request` with notice_request_free; otherwise there is nothing to free.
 */
NODISCARD enum notice_read notice_request_read(
    char *text, size_t len, struct notice_request *request);
void notice_request_free(struct notice_request *request);

/*
 * Adds the lines to `out`, whose bound should be NOTICE_REQUEST_MAX. Replies and host names are cut
 * so that any number of recipients fits; empty ones are left out. False: there is nobody to tell
 * about, or no memory.
 */
NODISCARD bool notice_request_write(struct buf *out, const struct notice_rcpt *rcpt, size_t rcpts);

/*
 * The same for a notice by a template: values longer than NOTICE_VALUE_MAX are cut at a letter, of a
 * list longer than NOTICE_ROWS_MAX the rest is counted. False as well: the request makes no sense.
 */
NODISCARD bool notice_request_write_gate(struct buf *out, const struct notice_gate *gate);

/*
 * The same for a request without recipients, as it would be read; not for NOTICE_GATE. False: a text
 * is too long, or empty.
 */
NODISCARD bool notice_request_write_other(struct buf *out, const struct notice_request *request);

#endif
