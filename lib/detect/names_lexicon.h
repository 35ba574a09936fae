/*
 * What MeCab's dictionary says of a word by itself: whether people, places or things are called so.
 * The readings of names are in it too, in katakana.
 */
#ifndef SEKISHO_DETECT_NAMES_LEXICON_H
#define SEKISHO_DETECT_NAMES_LEXICON_H

#include "lib/base/compat.h"

#define LEXICON_FAMILY 1U /* 姓 */
#define LEXICON_GIVEN  2U /* 名 */
#define LEXICON_PLACE  4U
#define LEXICON_ORG    8U  /* companies and the like, and other proper names */
#define LEXICON_NOUN   16U /* a common noun, or what is put behind one */

/* What a letter is often enough in the names of the dictionary. */
#define LEXICON_FAMILY_FIRST 1U
#define LEXICON_FAMILY_LAST  2U
#define LEXICON_GIVEN_FIRST  4U
#define LEXICON_GIVEN_LAST   8U

#define LEXICON_LETTERS 6 /* of the longest word that is kept */

struct lexicon;

/*
 * Reads `folder`/sys.dic, a dictionary of IPADIC's classes in UTF-8. NULL with errno; EILSEQ: it has
 * no names. The caller frees it. Read only from then on; some 2 MB.
 */
NODISCARD struct lexicon *lexicon_open(const char *folder);
void lexicon_free(struct lexicon *lexicon);

/* A word's digest is made byte by byte, so that all beginnings of a text cost one pass. */
NODISCARD uint64_t lexicon_digest(void);
NODISCARD uint64_t lexicon_digest_add(uint64_t digest, const char *bytes, size_t len);

/* The LEXICON_ bits of the word with that digest; 0: it is not there. */
NODISCARD unsigned lexicon_find(const struct lexicon *lexicon, uint64_t digest);

/* The same of names alone: a smaller table, which is faster. */
NODISCARD unsigned lexicon_name(const struct lexicon *lexicon, uint64_t digest);

/* The LEXICON_FAMILY_FIRST.. bits of a letter. */
NODISCARD unsigned lexicon_letter(const struct lexicon *lexicon, uint32_t point);

#endif
