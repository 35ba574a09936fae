/*
 * How much speaks for a stretch of letters being a person's name. Nothing of it is proof: the points
 * of what is known of both halves and of what stands around them are added up.
 */
#ifndef SEKISHO_DETECT_NAMES_SCORE_H
#define SEKISHO_DETECT_NAMES_SCORE_H

#include "lib/detect/names_clause.h"

/* A name that may stand at letter `start`: up to `end`, with a given name from `given` on. */
struct candidate {
	size_t start;
	size_t family_end;
	size_t given; /* == end: a family name with an honorific */
	size_t end;
	bool kana;
	int points;
};

#define NAME_POINTS 9 /* so many make a name */

/* What is known of the place at which the name stands, beside the clause. */
struct surroundings {
	int column;     /* points for a column of names */
	bool neighbour; /* behind a name in kanji: its reading */
};

/*
 * The best name that begins at letter `start`, in `best`. False: none with NAME_POINTS.
 */
NODISCARD bool name_at(const struct clause *c, size_t start, const struct surroundings *around,
    struct candidate *best);

#endif
