/*
 * Reading the flat files of etc/: lines of words. '#' begins a comment where a word could begin;
 * words are separated by blanks; an empty line means nothing. Bounds: CONF_LINE_MAX bytes a line,
 * CONF_WORDS_MAX words a line, CONF_FILE_MAX bytes a file. A NUL byte, a control character or a last line without its newline
 * (a half-written file) is a fault.
 */
#ifndef SEKISHO_BASE_CONF_H
#define SEKISHO_BASE_CONF_H

#include "lib/base/compat.h"

#define CONF_LINE_MAX  4096
#define CONF_WORDS_MAX 128
#define CONF_FILE_MAX  ((size_t)16 * 1024 * 1024)

/* Where and why a file is wrong: "etc/settings:12:9: 60 needs a unit: 60m?" */
struct conf_fault {
	char file[128];
	unsigned line;   /* from 1; 0: the file as a whole */
	unsigned column; /* from 1, in bytes; 0: the line as a whole */
	char text[256];  /* what was expected, and the near word if there is one */
};

struct conf_word {
	const char *text; /* NUL-ended */
	unsigned column;
};

struct conf_line {
	unsigned number;
	size_t words;
	struct conf_word word[CONF_WORDS_MAX];
};

/* Called for each line that has words. Returns false after conf_blame to stop. */
typedef bool conf_take(void *context, const struct conf_line *line, struct conf_fault *fault);

/* Fills `fault`; always returns false, so that it can be returned. `column` 0: the whole line. */
bool conf_blame(struct conf_fault *fault, unsigned line, unsigned column, const char *format, ...)
    PRINTF_LIKE(4, 5);

/*
 * Reads file `name` in the directory `etc`, line by line. Returns false with `fault` filled if it
 * is missing (unless `optional`), unreadable, malformed, or `take` said so.
 */
NODISCARD bool conf_read(int etc, const char *name, bool optional, conf_take *take, void *context,
    struct conf_fault *fault);

/*
 * The same for `len` bytes in memory that are said to come from `file`. What is wrong with the
 * file as a whole is found before the first line is given to `take`.
 */
NODISCARD bool conf_parse(const char *bytes, size_t len, const char *file, conf_take *take,
    void *context, struct conf_fault *fault);

/* "FILE:LINE:COLUMN: TEXT", the parts that are there. */
void conf_fault_show(const struct conf_fault *fault, char *text, size_t room);

/*
 * The word of `known` nearest to `word` (at most two edits away), or NULL: for "did you mean".
 * The words stand `stride` bytes apart, each a `const char *` at the start of its record.
 */
const char *conf_near(const char *word, const void *known, size_t n, size_t stride);

#endif
