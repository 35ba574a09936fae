/* What norm.c reads and norm_tables.c makes: what becomes of each letter. */
#ifndef SEKISHO_TEXT_NORM_INSIDE_H
#define SEKISHO_TEXT_NORM_INSIDE_H

#include "lib/text/norm.h"

#define NORM_PAGE   256
#define NORM_PAGES  (0x110000 / NORM_PAGE)
#define NORM_POINTS 0x110000u

/* What becomes of a letter. From NORM_MAPPED on: a row of `mapped`. */
enum norm_act {
	NORM_PLAIN, /* it stays, and no mark changes it */
	NORM_HOLD,  /* it stays; a mark behind it may make another of both */
	NORM_DROP,
	NORM_SPACE,
	NORM_LINE,
	NORM_JOIN, /* a mark, or another that may become one with what stands before it */
	NORM_MAPPED
};

/* What a letter becomes. */
struct norm_mapped {
	uint32_t at; /* in `bytes` */
	uint8_t len;
	uint8_t held; /* from here on a mark behind may change it; len: nothing */
};

struct norm_tables {
	uint16_t act_page[NORM_PAGES];
	uint16_t fold_page[NORM_PAGES];
	uint16_t (*act)[NORM_PAGE];
	int32_t (*fold)[NORM_PAGE]; /* what is added to the letter */
	struct norm_mapped *mapped;
	char *bytes;
};

NODISCARD static inline unsigned norm_act_of(const struct norm_tables *t, uint32_t point)
{
	return t->act[t->act_page[point / NORM_PAGE]][point % NORM_PAGE];
}

/* A mark that many write as a letter of its own: ゛ and ゜ as ﾞ and ﾟ. */
NODISCARD static inline uint32_t norm_mark(uint32_t point)
{
	return point == 0x309b ? 0x3099 : point == 0x309c ? 0x309a : point;
}

#endif
