/*
 * Text as the detectors read it, piece by piece: UTF-8 in its compatibility form (NFKC, so that full
 * width and half width, ㈱ and (株), ｶﾞ and ガ are the same), with 〜 as ～ → "~", every hyphen, dash and
 * minus but the long vowel ー as "-", 髙 as 高, 﨑 as 崎 and their like, か゛ as が; digits of all
 * scripts, ❹ and ⓵ too, as 0 to 9; keycaps and other marks that are but drawn over a letter, and
 * letters that nobody sees (soft hyphen, zero width, marks of direction, variation selectors) are gone; CR LF, CR, LF and
 * the separators of lines and paragraphs are LF; any other blank is one space; other control
 * characters are a space. Case and the kind of kana stay. What is no UTF-8 becomes U+FFFD.
 */
#ifndef SEKISHO_TEXT_NORM_H
#define SEKISHO_TEXT_NORM_H

#include "lib/base/buf.h"
#include "lib/base/sink.h"

/*
 * Tables that take some 50 ms to make, read only from then on; one for all threads and, after
 * fork(2), for all children. NULL: no memory. The caller may free them by norm_tables_free; a
 * process that uses them to its end need not.
 */
struct norm_tables;
NODISCARD const struct norm_tables *norm_prepare(void);
void norm_tables_free(const struct norm_tables *tables);

struct norm;

/*
 * `out` gets whole letters; behind norm_feed at most one, to which a mark may yet come, is kept.
 * NULL: no memory. The caller frees it by norm_free.
 */
NODISCARD struct norm *norm_open(const struct norm_tables *tables, struct sink out);
NODISCARD bool norm_feed(struct norm *n, const char *utf8, size_t len);
NODISCARD bool norm_end(struct norm *n);
void norm_free(struct norm *n);

/* All of a short text at once, appended to `out`. False: no memory, or no room. */
NODISCARD bool norm_text(
    const struct norm_tables *tables, const char *utf8, size_t len, struct buf *out);

/*
 * A letter of normalised text as keyword lists see it: case folded, hiragana as katakana, small kana
 * as they are. One letter in, one out, so that a text is folded where it stands.
 */
uint32_t norm_fold(const struct norm_tables *tables, uint32_t point);

/* Whether any letter of the page, U+PP00 to U+PPFF, is folded. */
NODISCARD bool norm_folds(const struct norm_tables *tables, uint32_t page);

#endif
