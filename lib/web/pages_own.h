/* A person's own rule in words, and what the form of one offers. Internal to pages_rules.c. */
#ifndef SEKISHO_WEB_PAGES_OWN_H
#define SEKISHO_WEB_PAGES_OWN_H

#include "lib/web/page.h"

/* The conditions, as lib/mine/mine.h names them, in the order in which they are told. */
#define OWN_WHENS ((size_t)10)
struct own_when {
	const char *key, *text; /* text by N_(), with {value} */
};
extern const struct own_when own_whens[OWN_WHENS];

/* The conditions of a rule's fields as a list of objects with "text". The caller's. */
json_t *own_when(const json_t *fields);

/* Sets `key` of `object` to what a rule's fields do, as a sentence. */
void own_do(json_t *object, const char *key, const json_t *fields);

/*
 * "choices" of the page: a list of groups with "label", "cannot" and "choices" (value, text, selected), of what
 * `answer`, of `rules`, allows. "typed-too": some of them want a name or an address beside them.
 */
void own_choices(struct page *page, const json_t *answer, const char *chosen);

/* A list of value, text, selected for a field with few values. */
enum own_select { OWN_ATTACHMENT, OWN_CLASS };
void own_select(struct page *page, const char *name, enum own_select field, const char *chosen);

#endif
