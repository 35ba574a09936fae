/*
 * What the detectors found in one message: for each kind the distinct values, and in which places
 * each was seen. Bounded: beyond HITS_MAX values of a kind, or without memory, the count stands still
 * and hits_full says so.
 */
#ifndef SEKISHO_DETECT_HITS_H
#define SEKISHO_DETECT_HITS_H

#include "lib/base/compat.h"

/* K(NAME, word in facts and rules) */
#define DETECT_KINDS(K)                                                                            \
	K(CARD, "card")                                                                            \
	K(MYNUMBER, "mynumber")                                                                    \
	K(CORPORATE, "corporate")                                                                  \
	K(PHONE, "phone") K(ADDRESS, "address") K(MAIL, "mail") K(NAME, "name")

enum detect_kind {
#define K(name, word) DETECT_##name,
	DETECT_KINDS(K)
#undef K
	    DETECT_KIND_COUNT
};

#define DETECT_PLACES(P) P(SUBJECT, "subject") P(BODY, "body") P(NAMES, "names") P(FILES, "files")

enum detect_place {
#define P(name, word) PLACE_##name,
	DETECT_PLACES(P)
#undef P
	    PLACE_COUNT
};

#define HITS_MAX       ((size_t)100000) /* values of one kind */
#define HITS_VALUE_MAX ((size_t)256) /* bytes of one; longer ones are cut, and told apart by all */
#define HITS_TEXT_MAX  ((size_t)4 * 1024 * 1024) /* bytes of values that are kept for evidence */

const char *detect_kind_word(enum detect_kind kind);
const char *detect_place_word(enum detect_place place);

struct hits;

/* NULL: no memory. The caller frees it. */
NODISCARD struct hits *hits_new(void);
void hits_free(struct hits *hits);

/*
 * A value was found. `value` is its one way of writing (digits alone, a mail address in lower case, a
 * name without blanks), so that the same one found twice is found once.
 */
void hits_add(struct hits *hits, enum detect_kind kind, enum detect_place place, const char *value,
    size_t len);

/* How many distinct values of the kind were seen in any of `places` (a bit mask, 1 << place). */
NODISCARD size_t hits_count(const struct hits *hits, enum detect_kind kind, unsigned places);

/* Whether there were more values than could be counted. */
NODISCARD bool hits_full(const struct hits *hits, enum detect_kind kind);

/*
 * Calls `see` for each value of the kind that was kept, in the order in which they were found;
 * `places` is the mask of where it was seen. False from `see` stops.
 */
typedef bool hits_see(void *context, const char *value, size_t len, unsigned places);
void hits_each(const struct hits *hits, enum detect_kind kind, hits_see *see, void *context);

/*
 * The value as it may be shown to whoever runs the gateway: enough to find the place, not enough to
 * know it ("************1111", "山***子"). Returns the length written, at most `room`, NUL-ended.
 */
size_t hits_mask(enum detect_kind kind, const char *value, size_t len, char *masked, size_t room);

#endif
