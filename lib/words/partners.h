/*
 * The companies that one writes to: etc/partners (sekisho-partners(5)). Whose a domain is, and which
 * of them a text names (S1-12c, S3-04).
 *
 * Names are compared in their normal form, case, width and kana folded, and without the form of the
 * company (株式会社, ㈱, 有限会社, Inc., Co., Ltd. …) before or behind them. A name is found where it
 * stands between borders, the longest first; partners_find.c says what a border is.
 */
#ifndef SEKISHO_WORDS_PARTNERS_H
#define SEKISHO_WORDS_PARTNERS_H

#include "lib/base/conf.h"
#include "lib/detect/window.h"
#include "lib/text/norm.h"

#define PARTNERS_MAX     ((size_t)100000) /* lines */
#define PARTNER_NONE     SIZE_MAX
#define PARTNER_NAME_MAX ((size_t)200) /* bytes of a name, normalised and folded */

/* Made once, read only from then on, one for all processes. The tables must outlive it. */
struct partners;

/*
 * Reads `name` ("partners") in the directory `etc`; a file that is missing has no partner. NULL with
 * `fault` filled: it is wrong, or there is no memory. The caller frees it by partners_free.
 */
NODISCARD struct partners *partners_read(
    int etc, const char *name, const struct norm_tables *tables, struct conf_fault *fault);

/* The same of `len` bytes that are said to come from `file`. */
NODISCARD struct partners *partners_parse(const char *bytes, size_t len, const char *file,
    const struct norm_tables *tables, struct conf_fault *fault);
void partners_free(struct partners *p);

/* How many lines it has; partners are numbered from 0 in the order of the file. */
size_t partners_count(const struct partners *p);

/*
 * Whose domain it is: the partner with this domain, or with the nearest one that it lies below.
 * PARTNER_NONE: nobody's. `domain` may have A-labels or U-labels, in either case.
 */
size_t partners_of_domain(const struct partners *p, const char *domain);

/*
 * How many partners have this name, which is all of the text but for the form of a company, blanks
 * and commas; the first `room` of them are in `partners`.
 */
size_t partners_of_name(
    const struct partners *p, const char *name, size_t len, size_t *partners, size_t room);

/* The first domain and the first name of its line, as written. Never NULL. */
const char *partner_domain(const struct partners *p, size_t partner);
const char *partner_name(const struct partners *p, size_t partner);

/*
 * Calls `see` for each partner's name in normalised text, in the order of the text: [at, at + len) is
 * the name with the form of the company next to it. One name may be that of several partners; it is
 * told for each. False from `see` stops.
 */
typedef bool partners_see(void *context, size_t partner, size_t at, size_t len);
void partners_find(
    const struct partners *p, const char *text, size_t len, partners_see *see, void *context);

/* ---- a message's ---- */

/* Which partners were named in a message, and where. One byte each: bounded by the table. */
struct partners_named;

/* NULL: no memory. The caller frees it. */
NODISCARD struct partners_named *partners_named_new(const struct partners *p);
void partners_named_free(struct partners_named *named);

/* The reader of windows: {partners_look, named}. */
void partners_look(void *named, const struct detect_window *window);

/* Whether the partner was named in any of `places` (a mask, 1 << place). */
NODISCARD bool partners_named_in(
    const struct partners_named *named, size_t partner, unsigned places);

/*
 * Calls `see` for each partner that was named, in the order of the file; `places` is the mask of
 * where. For a fact `company name=… domain=… place=…`. False from `see` stops.
 */
typedef bool partners_named_see(void *context, size_t partner, unsigned places);
void partners_named_each(
    const struct partners_named *named, partners_named_see *see, void *context);

#endif
