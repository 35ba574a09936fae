/* What the pages about people share: values out of answers, ways back, words said once. Internal to pages_*.c. */
#ifndef SEKISHO_WEB_PAGES_KIT_H
#define SEKISHO_WEB_PAGES_KIT_H

#include "lib/web/page.h"
#include "lib/web/say.h"

/* ---- values ---- */

/* The string `key` of an object; "" if there is none. */
const char *kit_text(const json_t *object, const char *key);

/* Sets `key`; `value` is stolen, NULL (no memory) is left out. */
void kit_put(json_t *object, const char *key, json_t *value);

/* Sets `key` to the time in the reader's words; "" if it is none. `key` + "-left": how long until then. */
void kit_set_time(const struct page *page, json_t *object, const char *key, const char *utc);
void kit_set_left(const struct page *page, json_t *object, const char *key, const char *utc);

/*
 * Appends `text`, translated already, with {name} replaced by the value of that name: name, value, …, NULL. What is not
 * named stays as it is. For plain text: a template escapes it.
 */
void kit_phrase(struct buf *out, const char *text, ...);

/* What `out` says, as a value, the caller's; "" if it does not fit. Frees `out`. */
json_t *kit_told(struct buf *out);

/* Sets `key` to `text`, translated already, in which {value} is `value`. */
void kit_fill(json_t *object, const char *key, const char *text, const char *value);

/* Sets `name` to the list, which is stolen, and `some` to whether something is in it. */
void kit_set_list(struct page *page, const char *name, const char *some, json_t *list);

/* The tab of this page is the one that stands out. */
void kit_set_tab(struct page *page, const char *tab);

/* ---- ways ---- */

/*
 * Whether it is a path and query of our own pages: nothing that leads elsewhere, and no more than 2,048 bytes.
 * NULL is not.
 */
bool kit_own_path(const char *path);

/* Goes there if it is one. */
NODISCARD bool kit_go_back(struct page *page, const char *path);

/*
 * What has just been done is told by a word of ours in the query (said=WORD), never by a text: sets "said" to the
 * sentence, translated, or to null.
 */
struct kit_said {
	const char *word, *text; /* text by N_() */
};
void kit_set_said(struct page *page, const struct kit_said *saids, size_t n);

/* ---- what people type ---- */

/*
 * Digits, also those of full width (U+FF10 to U+FF19), which a Japanese keyboard types; blanks are passed over.
 * False: anything else stands there, or more than fits.
 */
NODISCARD bool kit_digits(const char *text, char *digits, size_t room);

/* The number of a page in the query, "1" if it is none: people write behind an address what they like. */
const char *kit_page_number(const struct page *page);

/*
 * "2026-11-23T18:00", "2026-11-23 18:00" or with seconds, a time of the site, as "…Z" in `utc`. False: it is none.
 */
NODISCARD bool kit_typed_time(const char *text, char *utc, size_t room);

/* The same the other way round, for the value of a field: now, whole minutes. */
void kit_now(char local[20]);

/* ---- the PIN, by which somebody who came by a link shows that he is no program ---- */

#define KIT_PIN_LEAST ((size_t)4) /* digits; seki-login says the same */
#define KIT_PIN_MOST  ((size_t)12)

struct kit_fault {
	const char *title, *sentence; /* translated */
};

enum kit_proof {
	KIT_PROVED, /* what was typed is right, or nothing was typed, or there is nothing to be proved */
	KIT_NOT_PROVED, /* `fault` says why */
	KIT_ANSWERED,   /* seki-login cannot be asked, or the link is dead: the page says so */
};

/*
 * Has seki-login prove the number in the form's field "pin". `*proof`: its answer, with "proof" for seki-hold, the
 * caller's; NULL if nothing was typed, or without a link. Whether a PIN is needed says seki-hold: `asks` of its
 * answers.
 */
enum kit_proof kit_prove(struct page *page, json_t **proof, struct kit_fault *fault);

/* Why a PIN does not do, by a code of `proof` (sekisho-login(5)); "needed": none was typed. */
struct kit_fault kit_pin_fault(const char *code);

#endif
