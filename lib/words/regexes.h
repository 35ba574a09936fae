/*
 * Regular expressions in a text, by PCRE2. What is searched is normalised text (lib/text/norm.h) as
 * UTF-8: letters of full width, for instance, are never in it, and a pattern that has one is refused
 * rather than never found. \d, \w and \b know all letters; ^ and $ are the ends of the text, with
 * (?m) of its lines; an empty match counts as none.
 *
 * Nothing that a stranger writes makes a pattern run for ever: one match may take `steps` (setting
 * regex-steps), and one pattern in one message a time that grows with the text. Reaching either limit
 * ends the search for that pattern in that message: how often it matches in that place, and in each
 * text that comes later, is not known, and regex_limit tells these places.
 *
 * Text comes in windows: a match longer than REGEX_MATCH_MAX bytes may be cut at its end, or missed
 * where it must be as long as that.
 */
#ifndef SEKISHO_WORDS_REGEXES_H
#define SEKISHO_WORDS_REGEXES_H

#include "lib/base/compat.h"
#include "lib/detect/hits.h"
#include "lib/text/norm.h"

#define REGEX_PATTERN_MAX  ((size_t)4096)
#define REGEX_PATTERNS_MAX ((size_t)1000)
#define REGEX_MATCH_MAX    ((size_t)4096)
#define REGEX_DISTINCT_MAX ((size_t)4096) /* values of one pattern that are told apart */
#define REGEX_SHOWN_MAX    ((size_t)64)   /* bytes of a masked value */

struct regexes;

/* Why a pattern is refused; `offset` in its bytes, so that a file's line and column can be told. */
struct regex_fault {
	size_t offset;
	char text[256];
};

/* NULL: no memory. The caller frees them by regexes_free. `tables` are used until then. */
NODISCARD struct regexes *regexes_new(const struct norm_tables *tables, uint32_t steps);
void regexes_free(struct regexes *r);

/*
 * Compiles a pattern; they are numbered from 0 on in the order in which they come. It is compiled to
 * machine code where the system allows that, and interpreted otherwise: so this is done before a
 * process gives up its rights. False with `fault` filled: not a pattern, or no memory.
 */
NODISCARD bool regexes_add(
    struct regexes *r, const char *pattern, size_t len, struct regex_fault *fault);

size_t regexes_count(const struct regexes *r);

/* How many of them are machine code. */
size_t regexes_compiled(const struct regexes *r);

/* ---- what a message has of them ---- */

struct regex_scan;

/* Keeps up to `evidence` masked values of each pattern. NULL: no memory. The caller frees it. */
NODISCARD struct regex_scan *regex_scan_open(const struct regexes *r, size_t evidence);
void regex_scan_free(struct regex_scan *s);

/* A text of its own begins, in that place. */
void regex_scan_begin(struct regex_scan *s, enum detect_place place);

/* More normalised text, whole letters; and its end. */
void regex_scan_feed(struct regex_scan *s, const char *text, size_t len, bool quoted);
void regex_scan_end(struct regex_scan *s);

/*
 * How many distinct values the pattern found in any of `places` (1 << place; up to
 * REGEX_DISTINCT_MAX), and how many matches all together. `quoted`: what is quoted counts as well.
 */
NODISCARD size_t regex_distinct(
    const struct regex_scan *s, size_t pattern, unsigned places, bool quoted);
NODISCARD uint64_t regex_all(
    const struct regex_scan *s, size_t pattern, unsigned places, bool quoted);

/*
 * The places that were not searched to their end, as a limit was reached there or before, or memory ran
 * out: what was found in them is the least there is.
 */
NODISCARD unsigned regex_limit(const struct regex_scan *s, size_t pattern);

/* Calls `see` for each masked value of the pattern that was kept. False from `see` stops. */
typedef bool regex_see(void *context, const char *masked, size_t len);
void regex_each(const struct regex_scan *s, size_t pattern, regex_see *see, void *context);

/*
 * A value as it may be shown: a quarter of its letters, at most four, the rest a star each. Returns
 * the length written, at most `room` > 0 with its NUL.
 */
size_t regex_mask(const char *value, size_t len, char *masked, size_t room);

#endif
