/* A page filled with values. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/web/escape.h"
#include "lib/web/say.h"
#include "lib/web/template_inside.h"

/* What names are looked for in: the innermost section's first. */
struct scope {
	const json_t *values;
	const struct scope *outside;
};

struct filling {
	const struct web_templates *t;
	struct buf *out;
};

/* ---- values -------------------------------------------------------------------------------- */

static const json_t *member(const json_t *object, const char *name, size_t len)
{
	char key[TEMPLATE_TAG_MAX];

	if (!json_is_object(object) || len >= sizeof key)
		return NULL;
	memcpy(key, name, len);
	key[len] = '\0';
	return json_object_get(object, key);
}

/* The first part is looked for outwards; the others stand in what it is. NULL: there is none. */
static const json_t *look_up(const struct scope *scope, const char *name)
{
	size_t len = strcspn(name, ".");
	const json_t *found = NULL;

	if (strcmp(name, ".") == 0)
		return scope->values;
	for (; scope != NULL && found == NULL; scope = scope->outside)
		found = member(scope->values, name, len);
	while (found != NULL && name[len] == '.') {
		name += len + 1;
		len = strcspn(name, ".");
		found = member(found, name, len);
	}
	return found;
}

static bool is_something(const json_t *value)
{
	switch (value == NULL ? JSON_NULL : json_typeof(value)) {
	case JSON_TRUE:
	case JSON_OBJECT:
		return true;
	case JSON_STRING:
		return json_string_length(value) > 0;
	case JSON_INTEGER:
		return json_integer_value(value) != 0;
	case JSON_REAL:
		return json_real_value(value) != 0;
	case JSON_ARRAY:
		return json_array_size(value) > 0;
	case JSON_FALSE:
	case JSON_NULL:
	default:
		return false;
	}
}

static void escape(struct buf *out, enum template_place place, const char *text, size_t len)
{
	switch (place) {
	case PLACE_PART:
		escape_part(out, text, len);
		break;
	case PLACE_WHOLE:
		escape_url(out, text, len);
		break;
	case PLACE_TEXT:
	default:
		escape_text(out, text, len);
		break;
	}
}

/* A text, a number, "true"; nothing for anything else. */
static void put_value(struct buf *out, enum template_place place, const json_t *value)
{
	char number[40];
	int n = 0;

	switch (value == NULL ? JSON_NULL : json_typeof(value)) {
	case JSON_STRING:
		escape(out, place, json_string_value(value), json_string_length(value));
		return;
	case JSON_INTEGER:
		n = snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
		break;
	case JSON_REAL:
		n = snprintf(number, sizeof number, "%g", json_real_value(value));
		break;
	case JSON_TRUE:
		n = snprintf(number, sizeof number, "true");
		break;
	case JSON_FALSE:
	case JSON_NULL:
	case JSON_OBJECT:
	case JSON_ARRAY:
	default:
		return;
	}
	if (n > 0)
		escape(out, place, number, (size_t)n);
}

/* Words with values for {name}. What a translation says is text like any other. */
static void put_words(struct filling *f, const char *words, const struct scope *scope)
{
	size_t len = strlen(words), from = 0;

	for (size_t i = 0; i < len;) {
		size_t n = words[i] == '{' ? web_template_brace(words + i, len - i) : 0;
		char name[TEMPLATE_TAG_MAX];

		if (n == 0 || n >= sizeof name) {
			i++;
			continue;
		}
		escape_text(f->out, words + from, i - from);
		memcpy(name, words + i + 1, n - 2);
		name[n - 2] = '\0';
		put_value(f->out, PLACE_TEXT, look_up(scope, name));
		i += n;
		from = i;
	}
	escape_text(f->out, words + from, len - from);
}

static unsigned long number_of(const json_t *value)
{
	json_int_t n =
	    json_is_array(value) ? (json_int_t)json_array_size(value) : json_integer_value(value);

	return n > 0 ? (unsigned long)n : 0;
}

/* ---- nodes --------------------------------------------------------------------------------- */

static bool fill(struct filling *f, const struct template_page *page, size_t from, size_t to,
    const struct scope *scope);

/*
 * Recursion is bounded when the files are read: TEMPLATE_NEST_MAX sections a page, WEB_TEMPLATE_DEPTH pages.
 */
static bool fill_section(
    struct filling *f, const struct template_page *page, size_t at, const struct scope *scope)
{
	const struct node *node = &page->node[at];
	const json_t *value = look_up(scope, web_template_text(page, node->text));
	struct scope inner = {value, scope};

	if (node->kind == NODE_EMPTY)
		return is_something(value) || fill(f, page, at + 1, node->end, scope);
	if (!is_something(value))
		return true;
	if (!json_is_array(value))
		return fill(f, page, at + 1, node->end, &inner);
	for (size_t i = 0; i < json_array_size(value); i++) {
		inner.values = json_array_get(value, i);
		if (!fill(f, page, at + 1, node->end, &inner))
			return false;
	}
	return true;
}

static bool fill_node(
    struct filling *f, const struct template_page *page, size_t at, const struct scope *scope)
{
	const struct node *node = &page->node[at];
	const char *text = web_template_text(page, node->text);

	switch (node->kind) {
	case NODE_BYTES:
		buf_add(f->out, text, node->len);
		break;
	case NODE_VALUE:
		put_value(f->out, node->place, look_up(scope, text));
		break;
	case NODE_WORDS:
		put_words(f, say(text), scope);
		break;
	case NODE_MANY:
		put_words(f,
		    say_n(text, web_template_text(page, node->many),
			number_of(look_up(scope, web_template_text(page, node->name)))),
		    scope);
		break;
	case NODE_PAGE:
		return fill(f, &f->t->page[node->page], 0, f->t->page[node->page].nodes, scope);
	case NODE_SECTION:
	case NODE_EMPTY:
	default:
		return fill_section(f, page, at, scope);
	}
	return buf_ok(f->out);
}

static bool fill(struct filling *f, const struct template_page *page, size_t from, size_t to,
    const struct scope *scope)
{
	for (size_t i = from; i < to;) {
		const struct node *node = &page->node[i];

		if (!fill_node(f, page, i, scope))
			return false;
		i = node->kind == NODE_SECTION || node->kind == NODE_EMPTY ? node->end : i + 1;
	}
	return true;
}

bool web_template_fill(
    const struct web_templates *t, const char *name, const json_t *values, struct buf *out)
{
	struct filling f = {t, out};
	struct scope scope = {values, NULL};

	for (size_t i = 0; i < t->pages; i++) {
		if (strcmp(t->page[i].name, name) == 0)
			return fill(&f, &t->page[i], 0, t->page[i].nodes, &scope) && buf_ok(out);
	}
	return false;
}
