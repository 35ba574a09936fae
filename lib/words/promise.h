/*
 * "Please find attached" (S3-03, S2-16): a text that says that something comes with it. Whether
 * something does is for the caller to compare.
 *
 * The text is normalised, without quoted replies, and given piece by piece. It is read sentence by
 * sentence: a line break does not end one, an empty line does. A sentence that asks for an
 * attachment, denies one, or tells of another mail promises nothing.
 */
#ifndef SEKISHO_WORDS_PROMISE_H
#define SEKISHO_WORDS_PROMISE_H

#include "lib/base/compat.h"

#define PROMISE_SENTENCE_MAX ((size_t)1024) /* bytes; a longer one is looked at in pieces */

/* The caller's memory, nothing to free; its fields are its own but for `found` and `sentence`. */
struct promise {
	bool found;
	char sentence[PROMISE_SENTENCE_MAX + 1]; /* the first one found, NUL-ended */
	size_t len;                              /* of `text` */
	size_t line;                             /* where the last line begins in it */
	char text[PROMISE_SENTENCE_MAX + 1];
};

void promise_open(struct promise *p);

/* More text; whole letters. A sink: `promise` is a struct promise; false once one was found. */
bool promise_take(void *promise, const char *text, size_t len);

/* The text ends here. */
void promise_end(struct promise *p);

#endif
