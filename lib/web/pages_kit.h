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

/* Sets `key` to `text`, translated already, in which {value} is `value`. */
void kit_fill(json_t *object, const char *key, const char *text, const char *value);

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
 * "2026-11-23T18:00", "2026-11-23 18:00" or with seconds, a time of the site, as "…Z" in `utc`. False: it is none.
 */
NODISCARD bool kit_typed_time(const char *text, char *utc, size_t room);

/* The same the other way round, for the value of a field: now, whole minutes. */
void kit_now(char local[20]);

#endif
