/* What a namer consists of (lib/detect/detect.h). It is used by one thread at a time. */
#ifndef SEKISHO_DETECT_NAMES_INSIDE_H
#define SEKISHO_DETECT_NAMES_INSIDE_H

#include "lib/detect/names_score.h"
#include "lib/detect/names_title.h"

struct namer {
	struct lexicon *lexicon;
	mecab_model_t *model;
	mecab_t *tagger;
	mecab_lattice_t *lattice;
	struct titles titles;
	struct clause clause;
	struct candidate found[CLAUSE_LETTERS];
};

#endif
