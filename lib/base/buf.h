/*
 * A growing byte buffer with a bound. It owns its bytes; elsewhere keep offsets or short-lived
 * pointers. The first failure (bound reached, no memory) sticks: add everything, then ask buf_ok.
 */
#ifndef SEKISHO_BASE_BUF_H
#define SEKISHO_BASE_BUF_H

#include "lib/base/compat.h"

struct buf {
	char *bytes;
	size_t len;
	size_t room;
	size_t bound; /* len never exceeds it */
	bool failed;
};

/* An empty buffer that may hold up to `bound` bytes. Allocates nothing yet. */
void buf_init(struct buf *b, size_t bound);
void buf_free(struct buf *b);

/* Empties it and forgets a failure; keeps the memory. */
void buf_clear(struct buf *b);

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_add_text(struct buf *b, const char *text);
void buf_add_xtext(struct buf *b, const char *bytes, size_t len);
void buf_addf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);

/* Makes room for `len` more bytes at the end and returns where they go, or NULL. */
char *buf_reserve(struct buf *b, size_t len);

/* Whether everything added so far is there. */
NODISCARD static inline bool buf_ok(const struct buf *b)
{
	return !b->failed;
}

#endif
