/*
 * The loop mark: by it the gateway knows its own mail when somebody hands it back. Each Received
 * line that seki-queue writes carries the message's id and, in a comment behind it, a keyed digest
 * of that id:
 *
 *     Received: from pc1 ([192.0.2.10])
 *             by gate.example with ESMTPSA id 0196c0ffee4f2c1d8a31b7e09c55d210
 *             (mark 0123456789abcdef); Sun, 22 Nov 2026 09:35:01 +0000
 *
 * Whoever does not hold lib/loop/key can copy a mark with its id, and no more: he cannot make one
 * for another id, so that nobody else's mail passes for ours.
 */
#ifndef SEKISHO_QUEUE_LOOP_H
#define SEKISHO_QUEUE_LOOP_H

#include "lib/base/compat.h"
#include "queue/id.h"

#define LOOP_FOLDER   "lib/loop"
#define LOOP_FILE     "key"
#define LOOP_KEY      ((size_t)32)
#define LOOP_MARK     ((size_t)16) /* hex digits */
#define LOOP_MARK_MAX 16           /* marks of one field that are looked at */

/* A secret: wipe it (explicit_bzero) where it is not needed any more. */
struct loop_key {
	unsigned char bytes[LOOP_KEY];
};

/*
 * Reads FOLDER/key (LOOP_FOLDER, relative to the instance): 64 lower-case hex digits and a
 * newline. False with errno; EBADMSG: it is malformed.
 */
NODISCARD bool loop_key_read(const char *folder, struct loop_key *key);

/*
 * Makes the file, with a new random key, unless it is there; a reader sees all of it or nothing.
 * Durable when it returns true. False with errno.
 */
NODISCARD bool loop_key_make(const char *folder);

/* The mark of an id (ID_LEN characters): LOOP_MARK lower-case hex digits and a NUL. False: OpenSSL
 * failed, there is no mark. */
NODISCARD bool loop_mark(
    const struct loop_key *key, const char id[ID_TEXT], char mark[LOOP_MARK + 1]);

/* Whether these LOOP_MARK characters are the mark of that id; in constant time. */
NODISCARD bool loop_mark_is(
    const struct loop_key *key, const char id[ID_TEXT], const char mark[LOOP_MARK]);

/*
 * How many marks of ours (0 or 1) the body of one Received field carries: what follows its colon,
 * folds included, `len` bytes of a stranger. Other servers may have folded it anew; what counts is
 * the word "id" with an id, and behind it "mark" with the mark that belongs to it. At most
 * LOOP_MARK_MAX are compared.
 */
size_t loop_marks_in(const struct loop_key *key, const char *received_body, size_t len);

#endif
