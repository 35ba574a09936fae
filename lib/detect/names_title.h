/* What stands beside names: honorifics and titles, labels, and what makes a company of a name. */
#ifndef SEKISHO_DETECT_NAMES_TITLE_H
#define SEKISHO_DETECT_NAMES_TITLE_H

#include "lib/detect/names_clause.h"

/* What a letter may be by itself. */
#define TRAIT_HONORIFIC    1U /* the first of an honorific */
#define TRAIT_LABEL        2U /* the last of a label */
#define TRAIT_OTHER_END    4U /* the last of what is no name: 者, 社, 駅 */
#define TRAIT_OTHER        8U /* the first of what is no name: 第, 貴 */
#define TRAIT_FAMILY_FIRST 16U
#define TRAIT_FAMILY_LAST  32U
#define TRAIT_GIVEN_FIRST  64U
#define TRAIT_GIVEN_LAST   128U

#define TITLE_LETTERS ((size_t)65536)

struct titles {
	uint8_t traits[TITLE_LETTERS];
};

void titles_prepare(struct titles *titles, const struct lexicon *lexicon);

/* Fills in c->traits, and c->honorific by the letters alone. */
void titles_mark(const struct titles *titles, struct clause *c);

/* Takes those honorifics back that are none in a clause that was split. */
void titles_confirm(struct clause *c);

/* How much an honorific or a title at `at`, or behind a blank there, speaks for a name; 0: none. */
NODISCARD static inline int honorific_at(const struct clause *c, size_t at)
{
	return c->honorific[at];
}

/* Whether the letters are a title themselves: 本部長. */
NODISCARD bool title_covers(const struct clause *c, size_t start, size_t end);

/* How much what stands before `at` speaks for a name ("氏名:", "担当"). */
NODISCARD int label_before(const struct clause *c, size_t at);

/* How much what stands behind a name speaks for it: "と申します". */
NODISCARD int phrase_after(const struct clause *c, size_t at);

/* Whether a given name is more often what a shop is called by: 青果. */
NODISCARD bool shop_word(const struct clause *c, size_t start, size_t end);

/* Whether the letters are the name of a company: 株式会社 佐藤. */
NODISCARD bool name_of_company(const struct clause *c, size_t start, size_t end);

/* Whether a cell's text is the header of a column of names. */
NODISCARD bool header_of_names(const struct clause *c, size_t start, size_t end);

#endif
