/*
 * What any page that shows HTML of strangers must be, whatever the HTML was: read again by a parser, it has no element
 * and no attribute but those that are named here, which know nothing of the code that wrote it. Returns NULL, or what
 * is wrong.
 */
#ifndef SEKISHO_TESTS_VIEW_ORACLE_H
#define SEKISHO_TESTS_VIEW_ORACLE_H

#include <gumbo.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/inspect/sanitise.h"
#include "lib/inspect/view.h"

static const char oracle_elements[] = " html head body meta style p br div span h1 h2 h3 h4 h5 h6 "
				      "ul ol li dl dt dd table caption colgroup col thead "
				      "tbody tfoot tr td th b i u s strong em sub sup small big "
				      "blockquote pre code hr font center img ruby rt rp ";
static const char oracle_attributes[] = " dir align valign colspan rowspan width height border "
					"cellpadding cellspacing bgcolor color size start style "
					"class title alt src ";

struct oracle {
	const char *wrong;
	unsigned metas, styles;
	char what[128];
};

static inline bool oracle_is_in(const char *list, const char *word)
{
	char spaced[64];

	(void)snprintf(spaced, sizeof spaced, " %s ", word);
	return strlen(word) < 40 && strchr(word, ' ') == NULL && strstr(list, spaced) != NULL;
}

static inline void oracle_blame(struct oracle *o, const char *wrong, const char *what)
{
	if (o->wrong != NULL)
		return;
	(void)snprintf(o->what, sizeof o->what, "%s: %.80s", wrong, what);
	o->wrong = o->what;
}

/* Parentheses are of rgb() alone; nothing escapes, nothing loads. */
static inline bool oracle_style(const char *value)
{
	if (value[strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789#%.,+():; -")] != '\0')
		return false;
	for (const char *at = value; (at = strchr(at, '(')) != NULL; at++) {
		if ((at - value < 3 || memcmp(at - 3, "rgb", 3) != 0) &&
		    (at - value < 4 || memcmp(at - 4, "rgba", 4) != 0))
			return false;
	}
	for (const char *at = value; *at != '\0';
	     at += strcspn(at, ";") + (strchr(at, ';') != NULL)) {
		char name[32];
		size_t len = strcspn(at, ":");

		if (len >= sizeof name)
			return false;
		memcpy(name, at, len);
		name[len] = '\0';
		if (!oracle_is_in(
			" color background-color font-weight font-style text-decoration text-align "
			"font-size ",
			name))
			return false;
	}
	return true;
}

static inline bool oracle_data(const char *value)
{
	static const char *const types[] = {"data:image/png;base64,", "data:image/jpeg;base64,",
	    "data:image/gif;base64,", "data:image/webp;base64,"};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		size_t len = strlen(types[i]);

		if (strncmp(value, types[i], len) == 0)
			return value[len +
				     strspn(value + len,
					 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789+/=")] == '\0';
	}
	return false;
}

static inline void oracle_attribute(
    struct oracle *o, const GumboNode *node, const GumboAttribute *a)
{
	bool image = node->v.element.tag == GUMBO_TAG_IMG;

	if (node->v.element.tag == GUMBO_TAG_META) {
		if (strcmp(a->name, "charset") != 0 || strcmp(a->value, "utf-8") != 0)
			oracle_blame(o, "meta", a->name);
		return;
	}
	if (a->attr_namespace != GUMBO_ATTR_NAMESPACE_NONE ||
	    !oracle_is_in(oracle_attributes, a->name))
		oracle_blame(o, "attribute", a->name);
	if (strcmp(a->name, "src") == 0 && (!image || !oracle_data(a->value)))
		oracle_blame(o, "source", a->value);
	if (strcmp(a->name, "style") == 0 && !oracle_style(a->value))
		oracle_blame(o, "style", a->value);
	if (strcmp(a->name, "class") == 0 && strcmp(a->value, "l") != 0 &&
	    strcmp(a->value, "t") != 0 && strcmp(a->value, "i") != 0)
		oracle_blame(o, "class", a->value);
	if (strcmp(a->name, "title") != 0 && strcmp(a->name, "alt") != 0 &&
	    strcmp(a->name, "src") != 0 && strcmp(a->name, "class") != 0 &&
	    strcmp(a->name, "style") != 0 &&
	    a->value[strspn(a->value, "abcdefghijklmnopqrstuvwxyz0123456789#%+-")] != '\0')
		oracle_blame(o, "value", a->value);
}

static inline void oracle_element(struct oracle *o, const GumboNode *node)
{
	const GumboElement *e = &node->v.element;

	if (node->type != GUMBO_NODE_ELEMENT || e->tag_namespace != GUMBO_NAMESPACE_HTML ||
	    e->tag == GUMBO_TAG_UNKNOWN ||
	    !oracle_is_in(oracle_elements, gumbo_normalized_tagname(e->tag)))
		oracle_blame(o, "element", gumbo_normalized_tagname(e->tag));
	o->metas += e->tag == GUMBO_TAG_META;
	o->styles += e->tag == GUMBO_TAG_STYLE;
	if (e->tag == GUMBO_TAG_STYLE) {
		const GumboNode *text = e->children.length == 1 ? e->children.data[0] : NULL;

		if (text == NULL || text->type != GUMBO_NODE_TEXT || e->attributes.length > 0 ||
		    strstr(SANITISE_HEAD, text->v.text.text) == NULL)
			oracle_blame(o, "style sheet", "another one");
	}
	for (unsigned i = 0; i < e->attributes.length; i++)
		oracle_attribute(o, node, e->attributes.data[i]);
}

static inline void oracle_walk(struct oracle *o, const GumboNode *root)
{
	const GumboNode *node = root;

	while (node != NULL) {
		const GumboVector *inside = NULL;

		switch (node->type) {
		case GUMBO_NODE_DOCUMENT:
			inside = &node->v.document.children;
			break;
		case GUMBO_NODE_ELEMENT:
		case GUMBO_NODE_TEMPLATE:
			oracle_element(o, node);
			inside = &node->v.element.children;
			break;
		case GUMBO_NODE_TEXT:
		case GUMBO_NODE_WHITESPACE:
			break;
		default:
			oracle_blame(o, "node", "a comment or character data");
		}
		if (inside != NULL && inside->length > 0) {
			node = inside->data[0];
			continue;
		}
		while (node != root) {
			const GumboNode *parent = node->parent;

			inside = parent->type == GUMBO_NODE_DOCUMENT ? &parent->v.document.children
								     : &parent->v.element.children;
			if (node->index_within_parent + 1 < inside->length) {
				node = inside->data[node->index_within_parent + 1];
				break;
			}
			node = parent;
		}
		if (node == root)
			return;
	}
}

/* The text lives in `o`. */
static inline const char *oracle_judge(struct oracle *o, const char *html, size_t len)
{
	static const char head[] = SANITISE_HEAD;
	GumboOptions options = kGumboDefaultOptions;
	GumboOutput *output;

	*o = (struct oracle){.wrong = NULL};
	options.max_errors = 0;
	if (len < sizeof head - 1 || memcmp(html, head, sizeof head - 1) != 0)
		return "another head";
	if (memchr(html, '\0', len) != NULL || !view_is_shown(html, len, true))
		return "letters that are not to be there";
	output = gumbo_parse_with_options(&options, html, len);
	oracle_walk(o, output->document);
	if (o->metas != 1 || o->styles != 1)
		oracle_blame(o, "head", "not one of each");
	gumbo_destroy_output(&options, output);
	return o->wrong;
}

#endif
