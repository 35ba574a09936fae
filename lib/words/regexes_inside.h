/* What the files of regexes*.c share. */
#ifndef SEKISHO_WORDS_REGEXES_INSIDE_H
#define SEKISHO_WORDS_REGEXES_INSIDE_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "lib/words/regexes.h"

struct regexes {
	const struct norm_tables *tables;
	uint32_t steps;
	size_t n;
	size_t compiled;
	pcre2_code *code[REGEX_PATTERNS_MAX];
};

#endif
