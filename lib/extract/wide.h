/* Text that is found as UTF-16 units, letter by letter, on its way out as UTF-8. */
#ifndef SEKISHO_EXTRACT_WIDE_H
#define SEKISHO_EXTRACT_WIDE_H

#include "lib/base/sink.h"

#define WIDE_MADE 8192

struct wide {
	struct sink out;
	uint32_t high; /* the first half of a pair, or 0 */
	bool refused;  /* the sink wants no more */
	size_t made;
	char text[WIDE_MADE];
};

void wide_begin(struct wide *w, struct sink out);

/* A unit; half of a pair alone becomes U+FFFD. */
void wide_unit(struct wide *w, uint32_t unit);

/* `n` units, the lower byte first. */
void wide_units(struct wide *w, const unsigned char *bytes, size_t n);

/* Bytes that are the first 256 letters of Unicode. */
void wide_latin(struct wide *w, const unsigned char *bytes, size_t n);

/* UTF-8 as it is. */
void wide_text(struct wide *w, const char *utf8, size_t len);

/* All of it goes out. False: the sink wants no more. */
NODISCARD bool wide_flush(struct wide *w);

#endif
