/*
 * A text in windows. A detector sees normalised text (lib/text/norm.h) piece by piece, with enough of
 * what stands before and behind, so that no hit is cut in two and memory does not grow with the text.
 */
#ifndef SEKISHO_DETECT_WINDOW_H
#define SEKISHO_DETECT_WINDOW_H

#include "lib/base/sink.h"
#include "lib/detect/hits.h"

#define WINDOW_BEFORE ((size_t)256)  /* at least so much stands before a hit, or the text begins */
#define WINDOW_BEHIND ((size_t)1024) /* and so much behind where it begins, or the text ends */
#define WINDOW_SIZE   ((size_t)65536)

struct detect_window {
	const char *text; /* whole letters */
	size_t len;
	size_t from;    /* a hit that begins before it was told already */
	size_t settled; /* a hit that begins here or behind is told in the next window */
	enum detect_place place;
};

/* What looks at windows, one after another. */
struct window_reader {
	void (*look)(void *context, const struct detect_window *window);
	void *context;
};

struct windows;

/* NULL: no memory. The readers are called for each window in turn. The caller frees it. */
NODISCARD struct windows *windows_new(const struct window_reader *readers, size_t n);
void windows_free(struct windows *w);

/* A text of its own begins: nothing is joined with what came before. */
void windows_begin(struct windows *w, enum detect_place place);

/* More normalised text; whole letters. */
void windows_feed(struct windows *w, const char *text, size_t len);

/* The text ends; what is left is looked at. */
void windows_end(struct windows *w);

#endif
