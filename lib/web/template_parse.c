/* Taking a page's file apart: literal bytes and tags, each checked for the place where it stands. */
#include <stdlib.h>
#include <string.h>

#include "lib/web/template_inside.h"

struct section {
	size_t node;
	struct walk walk;
};

struct parsing {
	struct template_page *page;
	const char *bytes;
	size_t len, at;
	unsigned line, column;
	struct walk walk;
	struct section open[TEMPLATE_NEST_MAX];
	size_t depth;
	bool in_bytes; /* the last node is literal, and open */
	struct conf_fault *fault;
};

static bool blame(struct parsing *p, const char *why)
{
	return conf_blame(p->fault, p->line, p->column, "%s", why);
}

/* ---- names --------------------------------------------------------------------------------- */

bool web_template_is_name(const char *text, size_t len)
{
	bool begins = true;

	if (len == 1 && text[0] == '.')
		return true;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		bool letter = c >= 'a' && c <= 'z';

		if (c == '.' && !begins) {
			begins = true;
			continue;
		}
		if (!letter && (begins || !((c >= '0' && c <= '9') || c == '-' || c == '_')))
			return false;
		begins = false;
	}
	return !begins;
}

size_t web_template_brace(const char *text, size_t len)
{
	const char *end = len > 2 && text[0] == '{' ? memchr(text, '}', len) : NULL;

	if (end == NULL || !web_template_is_name(text + 1, (size_t)(end - text) - 1))
		return 0;
	return (size_t)(end - text) + 1;
}

static bool is_page_name(const char *text, size_t len)
{
	return len < TEMPLATE_NAME_MAX && web_template_is_name(text, len) &&
	       memchr(text, '.', len) == NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void trim(const char **text, size_t *len)
{
	while (*len > 0 && is_blank((*text)[0])) {
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && is_blank((*text)[*len - 1]))
		(*len)--;
}

/* ---- nodes --------------------------------------------------------------------------------- */

static struct node *add_node(struct parsing *p, enum node_kind kind)
{
	struct template_page *page = p->page;
	struct node *node;

	if (page->nodes >= TEMPLATE_NODES_MAX) {
		(void)blame(p, "too many tags in one file");
		return NULL;
	}
	if (page->nodes == page->room) {
		size_t room = page->room == 0 ? 64 : page->room * 2;
		struct node *grown = reallocarray(page->node, room, sizeof *grown);

		if (grown == NULL) {
			(void)blame(p, "no memory");
			return NULL;
		}
		page->node = grown;
		page->room = room;
	}
	node = &page->node[page->nodes++];
	*node = (struct node){.kind = kind, .line = p->line, .column = p->column};
	p->in_bytes = kind == NODE_BYTES;
	return node;
}

/* Keeps a name, or words, whose blanks in a row become one. Where they stand. */
static size_t keep(struct parsing *p, const char *text, size_t len)
{
	struct buf *b = &p->page->bytes;
	size_t at = b->len;

	for (size_t i = 0; i < len; i++) {
		if (!is_blank(text[i]))
			buf_add(b, text + i, 1);
		else if (i == 0 || !is_blank(text[i - 1]))
			buf_add(b, " ", 1);
	}
	buf_add(b, "", 1);
	return at;
}

/* ---- tags ---------------------------------------------------------------------------------- */

static bool take_value(struct parsing *p, const char *name, size_t len, bool ends_value)
{
	bool url = len >= 3 && memcmp(name + len - 3, "url", 3) == 0;
	enum template_place place;
	struct node *node;

	if (!web_template_is_name(name, len))
		return blame(p,
		    "expected a name: a-z, 0-9, - and _, parts joined by \".\"; every value is "
		    "escaped, and there is no tag that does not");
	if (!web_walk_value(&p->walk, ends_value, url, &place))
		return blame(p, p->walk.why);
	node = add_node(p, NODE_VALUE);
	if (node == NULL)
		return false;
	node->place = place;
	node->text = keep(p, name, len);
	return true;
}

static bool open_section(struct parsing *p, enum node_kind kind, const char *name, size_t len)
{
	struct node *node;

	if (!web_template_is_name(name, len))
		return blame(p, "expected the name of a section");
	if (p->depth == TEMPLATE_NEST_MAX)
		return blame(p, "too many sections within sections");
	if (!web_walk_open(&p->walk, &p->open[p->depth].walk))
		return blame(p, p->walk.why);
	node = add_node(p, kind);
	if (node == NULL)
		return false;
	node->text = keep(p, name, len);
	p->open[p->depth++].node = p->page->nodes - 1;
	return true;
}

static bool close_section(struct parsing *p, const char *name, size_t len)
{
	const struct section *from;
	struct node *node;
	const char *opened;

	if (p->depth == 0)
		return blame(p, "this ends no section");
	from = &p->open[--p->depth];
	node = &p->page->node[from->node];
	opened = web_template_text(p->page, node->text);
	if (strlen(opened) != len || memcmp(opened, name, len) != 0)
		return conf_blame(p->fault, p->line, p->column, "expected {{/%.60s}} here", opened);
	if (!web_walk_close(&p->walk, &from->walk))
		return blame(p, p->walk.why);
	node->end = p->page->nodes;
	p->in_bytes = false;
	return true;
}

static bool take_page(struct parsing *p, const char *name, size_t len)
{
	struct node *node;

	if (!is_page_name(name, len))
		return blame(p, "expected the name of a page, without .html");
	if (!web_walk_page(&p->walk))
		return blame(p, p->walk.why);
	node = add_node(p, NODE_PAGE);
	if (node == NULL)
		return false;
	node->text = keep(p, name, len);
	return true;
}

/* Each "{" begins a {name}: a slip is found here, not by a reader. */
static bool check_braces(struct parsing *p, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		size_t n = text[i] == '{' ? web_template_brace(text + i, len - i) : 1;

		if (n == 0 || text[i] == '}')
			return blame(p, "within words { and } stand around a name alone");
		i += n - 1;
	}
	return len > 0 || blame(p, "expected words");
}

static bool take_words(struct parsing *p, const char *words, size_t len)
{
	struct node *node;

	if (!check_braces(p, words, len))
		return false;
	if (!web_walk_words(&p->walk))
		return blame(p, p->walk.why);
	node = add_node(p, NODE_WORDS);
	if (node == NULL)
		return false;
	node->text = keep(p, words, len);
	return true;
}

/* name|one|many */
static bool take_many(struct parsing *p, const char *text, size_t len)
{
	const char *first = memchr(text, '|', len);
	const char *second =
	    first != NULL ? memchr(first + 1, '|', len - (size_t)(first + 1 - text)) : NULL;
	const char *part[3] = {text, NULL, NULL};
	size_t size[3];
	struct node *node;

	if (second == NULL || memchr(second + 1, '|', len - (size_t)(second + 1 - text)) != NULL)
		return blame(p, "expected {{_n name|words for one|words for more}}");
	part[1] = first + 1;
	part[2] = second + 1;
	size[0] = (size_t)(first - text);
	size[1] = (size_t)(second - part[1]);
	size[2] = len - (size_t)(part[2] - text);
	for (size_t i = 0; i < COUNT_OF(part); i++)
		trim(&part[i], &size[i]);
	if (!web_template_is_name(part[0], size[0]))
		return blame(p, "expected the name of a number");
	if (!check_braces(p, part[1], size[1]) || !check_braces(p, part[2], size[2]))
		return false;
	if (!web_walk_words(&p->walk))
		return blame(p, p->walk.why);
	node = add_node(p, NODE_MANY);
	if (node == NULL)
		return false;
	node->name = keep(p, part[0], size[0]);
	node->text = keep(p, part[1], size[1]);
	node->many = keep(p, part[2], size[2]);
	return true;
}

/* What stands between {{ and }}. */
static bool take_tag(struct parsing *p, const char *text, size_t len, bool ends_value)
{
	char kind = len > 0 ? text[0] : '\0';
	bool many = len > 2 && text[0] == '_' && text[1] == 'n' && is_blank(text[2]);
	size_t skip = many ? 2 : kind != '\0' && strchr("#^/>_!", kind) != NULL ? 1 : 0;

	text += skip;
	len -= skip;
	trim(&text, &len);
	switch (kind) {
	case '#':
		return open_section(p, NODE_SECTION, text, len);
	case '^':
		return open_section(p, NODE_EMPTY, text, len);
	case '/':
		return close_section(p, text, len);
	case '>':
		return take_page(p, text, len);
	case '_':
		return many ? take_many(p, text, len) : take_words(p, text, len);
	case '!':
		return web_walk_comment(&p->walk) || blame(p, p->walk.why);
	default:
		return take_value(p, text, len, ends_value);
	}
}

/* The length of a tag with its braces; {name} within words is passed over. 0: it does not end. */
static size_t tag_length(const char *text, size_t len)
{
	size_t most = len < TEMPLATE_TAG_MAX ? len : TEMPLATE_TAG_MAX;

	for (size_t i = 2; i + 1 < most; i++) {
		size_t n = text[i] == '{' ? web_template_brace(text + i, most - i) : 0;

		if (n > 0)
			i += n - 1;
		else if (text[i] == '}' && text[i + 1] == '}')
			return i + 2;
	}
	return 0;
}

/* ---- bytes --------------------------------------------------------------------------------- */

static void pass(struct parsing *p, size_t n)
{
	for (; n > 0; n--) {
		if (p->bytes[p->at++] == '\n') {
			p->line++;
			p->column = 1;
		} else {
			p->column++;
		}
	}
}

static bool take_byte(struct parsing *p)
{
	unsigned char c = (unsigned char)p->bytes[p->at];
	struct template_page *page = p->page;
	enum walk_state before = p->walk.state;
	bool wanted;

	if (c < ' ' && c != '\n' && c != '\t' && c != '\r')
		return blame(p, "a control character");
	if (!web_walk_byte(&p->walk, c, &wanted))
		return blame(p, p->walk.why);
	if (before == WALK_DECLARE && p->walk.state == WALK_COMMENT) {
		/* "<!" has been kept already, in this very node. */
		page->bytes.len -= 2;
		page->node[page->nodes - 1].len -= 2;
	}
	if (wanted) {
		if (!p->in_bytes) {
			struct node *node = add_node(p, NODE_BYTES);

			if (node == NULL)
				return false;
			node->text = page->bytes.len;
		}
		buf_add(&page->bytes, &c, 1);
		page->node[page->nodes - 1].len++;
	}
	pass(p, 1);
	return true;
}

static bool take_some(struct parsing *p)
{
	const char *at = p->bytes + p->at;
	size_t left = p->len - p->at, n;

	if (left >= 2 && at[0] == '}' && at[1] == '}')
		return blame(p, "}} without {{");
	if (left < 2 || at[0] != '{' || at[1] != '{')
		return take_byte(p);
	n = tag_length(at, left);
	if (n == 0)
		return blame(p, "{{ without }}");
	if (!take_tag(p, at + 2, n - 4, n < left && at[n] == '"'))
		return false;
	pass(p, n);
	return true;
}

bool web_template_parse(
    struct template_page *page, const char *bytes, size_t len, struct conf_fault *fault)
{
	struct parsing p = {
	    .page = page, .bytes = bytes, .len = len, .line = 1, .column = 1, .fault = fault};

	web_walk_begin(&p.walk);
	while (p.at < len) {
		if (!take_some(&p))
			return false;
	}
	if (p.depth > 0) {
		const struct node *node = &page->node[p.open[p.depth - 1].node];

		return conf_blame(fault, node->line, node->column,
		    "this section does not end: {{/%.60s}}", web_template_text(page, node->text));
	}
	if (!web_walk_end(&p.walk))
		return blame(&p, p.walk.why);
	return buf_ok(&page->bytes) || blame(&p, "no memory");
}
