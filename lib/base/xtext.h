/*
 * xtext, the one escape of the project (RFC 3461 section 4): a byte that is not a printable ASCII
 * character, and each of space, '"', '=', '+' and DEL, is written "+XX" with two upper-case hex
 * digits. UTF-8 is escaped by its bytes. What comes out has no space, quote, '=', or control
 * character, so it stands as a value in a leg's head, in its trailer, and in the log.
 */
#ifndef SEKISHO_BASE_XTEXT_H
#define SEKISHO_BASE_XTEXT_H

#include "lib/base/compat.h"

/* Bytes that encoding `len` bytes can take at most. */
static inline size_t xtext_room(size_t len)
{
	return len * 3;
}

/*
 * Encodes as many whole bytes of `in` as fit into `room`. Returns the bytes written; no NUL is
 * added.
 */
size_t xtext_encode_cut(const char *in, size_t len, char *out, size_t room);

/*
 * Decodes into `out`, which has room for `len` bytes (it may be `in`). Returns true and sets
 * `out_len`; false if `in` is no xtext (a bad "+XX", a lower-case hex digit, a byte that should
 * have been escaped), so that each value has exactly one spelling.
 */
NODISCARD bool xtext_decode(const char *in, size_t len, char *out, size_t *out_len);

/* Whether `in` is well-formed xtext. */
NODISCARD bool xtext_valid(const char *in, size_t len);

#endif
