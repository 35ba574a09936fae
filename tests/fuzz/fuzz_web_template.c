/*
 * Any bytes as a page's file. What is taken for a page is filled, with harmless values and with nasty ones: the HTML
 * has the same elements and attributes with both, and no link acts or leads to another host (lib/web/template.h). So
 * the checks at load are judged by another reader of HTML than the one that makes them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gumbo.h>

#include "lib/web/say.h"
#include "lib/web/template_inside.h"

#define OUT_MAX ((size_t)256 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

/* Names that files here are likely to have. */
static json_t *values(const char *value)
{
	static const char *const names[] = {
	    "a", "b", "name", "url", "a-url", "x", "person", "back", "title"};
	json_t *all = json_object(), *list = json_array();

	for (size_t i = 0; i < COUNT_OF(names); i++)
		demand(json_object_set_new(all, names[i], json_string_nocheck(value)) == 0);
	demand(json_array_append_new(list, json_string_nocheck(value)) == 0);
	demand(json_object_set_new(all, "l", list) == 0);
	return all;
}

static bool acts(const char *url)
{
	return (url[0] == '/' && (url[1] == '/' || url[1] == '\\')) ||
	       strncasecmp(url, "javascript:", 11) == 0;
}

/* A digest of the tree: elements, attributes by name; `bad`: whether a link does what a value said. */
static void walk(const GumboNode *node, unsigned *digest, bool *bad)
{
	const GumboElement *e = &node->v.element;

	if (node->type != GUMBO_NODE_ELEMENT && node->type != GUMBO_NODE_TEMPLATE)
		return;
	*digest = *digest * 31 + (unsigned)e->tag + 1;
	for (unsigned i = 0; i < e->attributes.length; i++) {
		const GumboAttribute *a = e->attributes.data[i];

		for (const char *c = a->name; *c != '\0'; c++)
			*digest = *digest * 31 + (unsigned char)*c;
		*bad = *bad || (strcmp(a->name, "href") == 0 && acts(a->value));
	}
	for (unsigned i = 0; i < e->children.length; i++)
		walk(e->children.data[i], digest, bad);
	*digest = *digest * 31 + 7;
}

/* False: too large. */
static bool shape(const struct web_templates *t, const char *value, unsigned *digest, bool *bad)
{
	GumboOptions options = kGumboDefaultOptions;
	json_t *json = values(value);
	struct buf out;
	bool filled;

	options.max_errors = 0;
	buf_init(&out, OUT_MAX);
	filled = web_template_fill(t, "x", json, &out);
	if (filled) {
		GumboOutput *tree =
		    gumbo_parse_with_options(&options, out.bytes != NULL ? out.bytes : "", out.len);

		*digest = 0;
		*bad = false;
		walk(tree->root, digest, bad);
		gumbo_destroy_output(&options, tree);
	}
	buf_free(&out);
	json_decref(json);
	return filled;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const nasty[] = {"\"><script>x</script><p x=\"", "javascript:x",
	    "//evil.example", "/\\evil", "x onclick=y",
	    "</title></textarea></noscript></svg>-->]]>'\"<img src=x onerror=x>",
	    "&#106;avascript:x", "\xff\xe2\x80\xae<"};
	struct conf_fault fault = {0};
	struct template_page page = {.name = "x"};
	struct web_templates t = {&page, 1};
	unsigned want, is;
	bool bad, bad_before;
	size_t pages = 0;

	if (size > 4096)
		return 0;
	buf_init(&page.bytes, WEB_TEMPLATE_MAX);
	if (!web_template_parse(&page, (const char *)data, size, &fault)) {
		demand(fault.text[0] != '\0' && fault.line > 0 && fault.column > 0);
	} else {
		for (size_t i = 0; i < page.nodes; i++)
			pages += page.node[i].kind == NODE_PAGE;
		if (pages == 0 && shape(&t, "word", &want, &bad_before)) {
			for (size_t i = 0; i < COUNT_OF(nasty); i++) {
				if (!shape(&t, nasty[i], &is, &bad))
					continue;
				demand(is == want);
				demand(!bad || bad_before);
			}
		}
	}
	buf_free(&page.bytes);
	free(page.node);
	return 0;
}
