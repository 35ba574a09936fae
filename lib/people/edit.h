/*
 * Changing etc/people as its administrator would by hand: comments, order and what is not spoken of
 * stay byte for byte. The result is to be read by people_parse before it takes the file's place.
 */
#ifndef SEKISHO_PEOPLE_EDIT_H
#define SEKISHO_PEOPLE_EDIT_H

#include "lib/base/buf.h"
#include "lib/people/people.h"

/* What is wanted of one key of one person. */
struct people_wish {
	bool given;        /* else the key stays as it is */
	bool whole;        /* these values and no others; else they are added to what is there */
	const char **text; /* names as they are read: the line gets them with +XX */
	size_t n;
};

struct people_change {
	const char *address;
	struct people_wish key[PEOPLE_KEY_COUNT];
};

/* Whether the text can be a value, or an address: a blank or a comma would make two of it. */
NODISCARD bool people_value_good(enum people_key key, const char *text);

struct people_file; /* opaque: the lines of etc/people */

/* Takes what the file has; `bytes` must outlive it. NULL: no memory. Free with people_file_free. */
NODISCARD struct people_file *people_file_new(const char *bytes, size_t len);
void people_file_free(struct people_file *file);

enum people_done { PEOPLE_ADDED, PEOPLE_CHANGED, PEOPLE_SAME, PEOPLE_FAILED /* no memory */ };

/* Makes or extends the person's line. All values are people_value_good. `mark` stays with the line. */
NODISCARD enum people_done people_file_change(
    struct people_file *file, const struct people_change *change, unsigned mark);

/* The mark that the person's line was given last; 0: none, or there is no such line. */
unsigned people_file_mark(const struct people_file *file, const char *address);

/* False: there is no such line. */
NODISCARD bool people_file_remove(struct people_file *file, const char *address);

/* Removes all lines without a mark, and tells each; `address` is not NUL-ended. */
void people_file_remove_unmarked(struct people_file *file,
    void (*removed)(void *context, const char *address, size_t len), void *context);

/* All lines, appended. False: no memory, or beyond the bound. */
NODISCARD bool people_file_write(const struct people_file *file, struct buf *into);

#endif
