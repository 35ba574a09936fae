/*
 * Lists of words: files of etc/ with a word or phrase a line ("#" begins a comment, lib/base/conf.h),
 * all of them in one automaton (lib/words/keywords.h tells where a word matches). Lists are read and
 * built once; a message has a tally of what was found in it.
 */
#ifndef SEKISHO_WORDS_LIST_H
#define SEKISHO_WORDS_LIST_H

#include "lib/base/conf.h"
#include "lib/detect/hits.h"
#include "lib/words/keywords.h"

#define WORD_LISTS_MAX ((size_t)1000)
#define WORDS_MAX      ((size_t)100000) /* of all lists */

struct word_lists;

/* NULL: no memory. The caller frees them by word_lists_free. `tables` are kept. */
NODISCARD struct word_lists *word_lists_new(const struct norm_tables *tables);
void word_lists_free(struct word_lists *l);

/*
 * Reads the file `file` in the directory `etc` as a list called `name` (at most 255 bytes). A word
 * that it has already, whatever its case, width and kana, is passed over. False with `fault` filled:
 * the file cannot be read or is malformed, a word is no UTF-8 or too long, there are too many.
 */
NODISCARD bool word_lists_read(
    struct word_lists *l, int etc, const char *file, const char *name, struct conf_fault *fault);

/* The same for `len` bytes that are said to come from `file`. */
NODISCARD bool word_lists_parse(struct word_lists *l, const char *bytes, size_t len,
    const char *file, const char *name, struct conf_fault *fault);

/* Makes the automaton; no list is read behind it. False: no memory. */
NODISCARD bool word_lists_build(struct word_lists *l);

/* How many lists there are; the name of one; the list of that name, or SIZE_MAX. */
size_t word_lists_count(const struct word_lists *l);
const char *word_lists_name(const struct word_lists *l, size_t list);
size_t word_lists_find(const struct word_lists *l, const char *name);

/* ---- what a message has of them ---- */

struct word_tally;

/* NULL: no memory. The caller frees it by word_tally_free; the lists must be built. */
NODISCARD struct word_tally *word_tally_new(const struct word_lists *l);
void word_tally_free(struct word_tally *t);

/* A text of its own begins, in that place. */
void word_tally_begin(struct word_tally *t, enum detect_place place);

/* More normalised text, whole letters; and its end. */
void word_tally_feed(struct word_tally *t, const char *text, size_t len, bool quoted);
void word_tally_end(struct word_tally *t);

/*
 * How many words of the list were found in any of `places` (1 << place), and how often all together.
 * `quoted`: what is quoted counts as well.
 */
NODISCARD size_t word_tally_distinct(
    const struct word_tally *t, size_t list, unsigned places, bool quoted);
NODISCARD uint64_t word_tally_all(
    const struct word_tally *t, size_t list, unsigned places, bool quoted);

/* Calls `see` for each word that was found, as its list has it. False from `see` stops. */
typedef bool word_see(void *context, const char *word, size_t len, uint64_t count);
void word_tally_each(const struct word_tally *t, size_t list, unsigned places, bool quoted,
    word_see *see, void *context);

#endif
