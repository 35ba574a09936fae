/*
 * The request of lib/notice/notice.h as text. It comes from a stage, which is trusted with the leg
 * but not believed: every word is read again, and what is not exactly a request is none.
 */
#ifndef SEKISHO_NOTICE_REQUEST_H
#define SEKISHO_NOTICE_REQUEST_H

#include "lib/base/buf.h"
#include "lib/notice/notice.h"

struct notice_request {
	struct notice_rcpt *rcpt; /* their texts point into the request's bytes */
	size_t rcpts;             /* at least 1 */
	size_t highest;           /* the greatest number, from 1: the leg must have so many */
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

#endif
