/* What a document of libgumbo says, node by node, without recursion: trees may be deep. */
#include <gumbo.h>
#include <string.h>
#include <strings.h>

#include "lib/text/charset_inside.h"
#include "lib/text/html_inside.h"

/* What an element does with the text around it and within it. */
#define LINE   0x01u /* it stands on lines of its own */
#define EMPTY  0x02u /* with an empty line around it */
#define CELL   0x04u /* apart from the one before */
#define BREAK  0x08u
#define BESIDE 0x10u /* a reader does not see it in the text */
#define CODE   0x20u /* it is no text */
#define PRE    0x40u /* blanks and lines stand as they are */
#define QUOTED 0x80u
#define GROUND 0x100u /* not white */

static const unsigned char of_tag[] = {
    [GUMBO_TAG_TITLE] = BESIDE | LINE,
    [GUMBO_TAG_STYLE] = CODE,
    [GUMBO_TAG_SCRIPT] = CODE,
    [GUMBO_TAG_TEMPLATE] = BESIDE | LINE,
    [GUMBO_TAG_IFRAME] = BESIDE | LINE,
    [GUMBO_TAG_NOFRAMES] = BESIDE | LINE,
    [GUMBO_TAG_NOEMBED] = BESIDE | LINE,
    [GUMBO_TAG_DATALIST] = BESIDE | LINE,
    [GUMBO_TAG_RT] = BESIDE | LINE,
    [GUMBO_TAG_RP] = BESIDE | LINE,
    [GUMBO_TAG_RTC] = BESIDE | LINE,
    [GUMBO_TAG_P] = LINE | EMPTY,
    [GUMBO_TAG_H1] = LINE | EMPTY,
    [GUMBO_TAG_H2] = LINE | EMPTY,
    [GUMBO_TAG_H3] = LINE | EMPTY,
    [GUMBO_TAG_H4] = LINE | EMPTY,
    [GUMBO_TAG_H5] = LINE | EMPTY,
    [GUMBO_TAG_H6] = LINE | EMPTY,
    [GUMBO_TAG_UL] = LINE | EMPTY,
    [GUMBO_TAG_OL] = LINE | EMPTY,
    [GUMBO_TAG_DL] = LINE | EMPTY,
    [GUMBO_TAG_BLOCKQUOTE] = LINE | EMPTY,
    [GUMBO_TAG_TABLE] = LINE | EMPTY,
    [GUMBO_TAG_FIGURE] = LINE | EMPTY,
    [GUMBO_TAG_HR] = LINE | EMPTY,
    [GUMBO_TAG_PRE] = LINE | EMPTY | PRE,
    [GUMBO_TAG_LISTING] = LINE | EMPTY | PRE,
    [GUMBO_TAG_XMP] = LINE | EMPTY | PRE,
    [GUMBO_TAG_PLAINTEXT] = LINE | EMPTY | PRE,
    [GUMBO_TAG_TEXTAREA] = LINE | PRE,
    [GUMBO_TAG_DIV] = LINE,
    [GUMBO_TAG_BODY] = LINE,
    [GUMBO_TAG_ARTICLE] = LINE,
    [GUMBO_TAG_SECTION] = LINE,
    [GUMBO_TAG_NAV] = LINE,
    [GUMBO_TAG_ASIDE] = LINE,
    [GUMBO_TAG_HGROUP] = LINE,
    [GUMBO_TAG_HEADER] = LINE,
    [GUMBO_TAG_FOOTER] = LINE,
    [GUMBO_TAG_ADDRESS] = LINE,
    [GUMBO_TAG_MAIN] = LINE,
    [GUMBO_TAG_CENTER] = LINE,
    [GUMBO_TAG_LI] = LINE,
    [GUMBO_TAG_DT] = LINE,
    [GUMBO_TAG_DD] = LINE,
    [GUMBO_TAG_DIR] = LINE,
    [GUMBO_TAG_MENU] = LINE,
    [GUMBO_TAG_MENUITEM] = LINE,
    [GUMBO_TAG_FIGCAPTION] = LINE,
    [GUMBO_TAG_CAPTION] = LINE,
    [GUMBO_TAG_TR] = LINE,
    [GUMBO_TAG_FORM] = LINE,
    [GUMBO_TAG_FIELDSET] = LINE,
    [GUMBO_TAG_LEGEND] = LINE,
    [GUMBO_TAG_OPTION] = LINE,
    [GUMBO_TAG_OPTGROUP] = LINE,
    [GUMBO_TAG_DETAILS] = LINE,
    [GUMBO_TAG_SUMMARY] = LINE,
    [GUMBO_TAG_MARQUEE] = LINE,
    [GUMBO_TAG_FRAMESET] = LINE,
    [GUMBO_TAG_TD] = CELL,
    [GUMBO_TAG_TH] = CELL,
    [GUMBO_TAG_BUTTON] = CELL,
    [GUMBO_TAG_SELECT] = CELL,
    [GUMBO_TAG_INPUT] = CELL,
    [GUMBO_TAG_BR] = BREAK,
};

struct walk {
	struct html_writer *w;
	struct html_told *told;
	unsigned beside; /* elements around that do these */
	unsigned code;
	unsigned pre;
	unsigned quoted;
	unsigned grounds;
	struct html_rules rules;
	bool rest_quoted; /* behind what divides a reply from what is replied to */
};

static const char *attribute(const GumboNode *node, const char *name)
{
	const GumboAttribute *a = gumbo_get_attribute(&node->v.element.attributes, name);

	return a != NULL ? a->value : NULL;
}

/* ---- what an element is ---- */

/* HTML_HIDES, HTML_GROUND, HTML_WHITE: by its attributes, and by the rules of style sheets. */
static unsigned says(const struct walk *walk, const GumboNode *node)
{
	const char *style = attribute(node, "style");
	const char *colour = attribute(node, "color"), *ground = attribute(node, "bgcolor");
	unsigned s = walk->rules.n == 0 ? 0
					: html_rules_say(&walk->rules,
					      gumbo_normalized_tagname(node->v.element.tag),
					      attribute(node, "class"), attribute(node, "id"));

	s |= style != NULL ? html_style_says(style) : 0;
	s |= html_colour_says(colour, ground);
	if (attribute(node, "background") != NULL)
		s |= HTML_GROUND;
	if (attribute(node, "hidden") != NULL ||
	    (colour != NULL && ground != NULL && html_same_colour(colour, ground)))
		s |= HTML_HIDES;
	return s;
}

bool html_has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words; at != NULL && (at = strstr(at, word)) != NULL; at += len) {
		if ((at == words || at[-1] == ' ') && (at[len] == '\0' || at[len] == ' '))
			return true;
	}
	return false;
}

static bool quotes(const GumboNode *node)
{
	static const char *const classes[] = {
	    "gmail_quote", "yahoo_quoted", "protonmail_quote", "moz-cite-prefix", "gmail_attr"};
	const char *type = attribute(node, "type"), *class = attribute(node, "class");

	if (node->v.element.tag == GUMBO_TAG_BLOCKQUOTE && type != NULL &&
	    strcasecmp(type, "cite") == 0)
		return true;
	for (size_t i = 0; class != NULL && i < COUNT_OF(classes); i++) {
		if (html_has_word(class, classes[i]))
			return true;
	}
	return false;
}

/* Behind it Outlook puts the header and the text of what is replied to. */
static bool divides(const GumboNode *node)
{
	const char *id = attribute(node, "id");

	return id != NULL && (strcmp(id, "divRplyFwdMsg") == 0 || strcmp(id, "appendonsend") == 0 ||
				 strcmp(id, "stopSpelling") == 0);
}

/* The same on the way in and on the way out. */
static unsigned traits(const struct walk *walk, const GumboNode *node)
{
	GumboTag tag = node->v.element.tag;
	unsigned t = (size_t)tag < COUNT_OF(of_tag) ? of_tag[tag] : 0;

	if (node->v.element.attributes.length > 0 || walk->rules.n > 0) {
		unsigned s = says(walk, node);

		/* The ground is white, if nothing around it says otherwise. */
		if ((s & HTML_HIDES) != 0 ||
		    ((s & (HTML_WHITE | HTML_GROUND)) == HTML_WHITE && walk->grounds == 0))
			t |= BESIDE;
		if ((s & HTML_GROUND) != 0)
			t |= GROUND;
		if (quotes(node))
			t |= QUOTED | LINE;
	}
	return t;
}

/* ---- what it says ---- */

static unsigned how(const struct walk *walk)
{
	return (walk->quoted > 0 || walk->rest_quoted ? HTML_QUOTED : 0) |
	       (walk->beside > 0 ? HTML_BESIDE : 0);
}

static bool is_utf8(const char *text, size_t len)
{
	size_t at = 0, n = 1, bad;

	for (; at < len && n > 0; at += n)
		n = charset_letter((const unsigned char *)text + at, len - at, &bad);
	return n > 0;
}

/* libgumbo makes what is no letter of a number that is none (&#xdddddddd;). */
static void write_repaired(struct walk *walk, const char *text, size_t len)
{
	struct buf repaired;

	buf_init(&repaired, SIZE_MAX);
	if (charset_convert("utf-8", text, len, &repaired))
		html_write(walk->w, repaired.bytes, repaired.len, how(walk), walk->pre > 0);
	else
		walk->w->refused = true; /* no memory */
	buf_free(&repaired);
}

static void write_text(struct walk *walk, const char *text)
{
	size_t len = strlen(text);

	if (walk->code > 0) {
		walk->told->left_out += len;
		return;
	}
	if (walk->beside > 0)
		walk->told->hidden += len;
	if (is_utf8(text, len))
		html_write(walk->w, text, len, how(walk), walk->pre > 0);
	else
		write_repaired(walk, text, len);
}

/* A line of its own beside the text. */
static void write_beside(struct walk *walk, const char *text)
{
	uint64_t hidden = walk->told->hidden;

	html_lines(walk->w, 1, HTML_BESIDE);
	walk->beside++;
	write_text(walk, text);
	walk->beside--;
	walk->told->hidden = hidden;
	html_lines(walk->w, 1, HTML_BESIDE);
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* The target of a link, its %XX decoded where that gives ASCII (RFC 3986, section 2.1). */
static void write_target(struct walk *walk, const char *target)
{
	if (!is_utf8(target, strlen(target))) {
		write_beside(walk, target);
		return;
	}
	html_lines(walk->w, 1, HTML_BESIDE);
	while (*target != '\0') {
		int high = target[0] == '%' ? hex(target[1]) : -1;
		int low = high >= 0 ? hex(target[2]) : -1;
		size_t n = 1 + strcspn(target + 1, "%");

		if (low >= 0 && high < 8) {
			char byte = (char)(high * 16 + low);

			html_write(walk->w, &byte, 1, how(walk) | HTML_BESIDE, false);
			target += 3;
			continue;
		}
		html_write(walk->w, target, n, how(walk) | HTML_BESIDE, false);
		target += n;
	}
	html_lines(walk->w, 1, HTML_BESIDE);
}

static void write_attributes(struct walk *walk, const GumboNode *node)
{
	static const char *const said[] = {
	    "title", "placeholder", "aria-label", "summary", "label"};
	const char *alt = attribute(node, "alt"), *value = attribute(node, "value");
	const char *href = attribute(node, "href"), *type = attribute(node, "type");

	if (alt != NULL)
		write_text(walk, alt);
	if (value != NULL && node->v.element.tag == GUMBO_TAG_INPUT) {
		if (type != NULL && strcasecmp(type, "hidden") == 0)
			write_beside(walk, value);
		else
			write_text(walk, value);
	}
	for (size_t i = 0; i < COUNT_OF(said); i++) {
		const char *text = attribute(node, said[i]);

		if (text != NULL)
			write_beside(walk, text);
	}
	if (href != NULL &&
	    (strncasecmp(href, "mailto:", 7) == 0 || strncasecmp(href, "tel:", 4) == 0))
		write_target(walk, href);
}

static void apart(struct walk *walk, unsigned t)
{
	if ((t & LINE) != 0)
		html_lines(walk->w, (t & EMPTY) != 0 ? 2 : 1, how(walk));
	if ((t & CELL) != 0)
		html_blank(walk->w, how(walk));
}

static void enter(struct walk *walk, const GumboNode *node)
{
	unsigned t = traits(walk, node);

	walk->grounds += (t & GROUND) != 0;
	walk->beside += (t & BESIDE) != 0;
	walk->code += (t & CODE) != 0;
	walk->pre += (t & PRE) != 0;
	walk->quoted += (t & QUOTED) != 0;
	if ((t & BESIDE) != 0)
		html_lines(walk->w, 1, HTML_BESIDE);
	apart(walk, t);
	if ((t & BREAK) != 0)
		html_break(walk->w, how(walk));
	if (node->v.element.attributes.length > 0) {
		walk->rest_quoted = walk->rest_quoted || divides(node);
		write_attributes(walk, node);
	}
}

static void leave(struct walk *walk, const GumboNode *node)
{
	unsigned t = traits(walk, node);

	walk->grounds -= (t & GROUND) != 0;
	apart(walk, t);
	if ((t & BESIDE) != 0)
		html_lines(walk->w, 1, HTML_BESIDE);
	walk->beside -= (t & BESIDE) != 0;
	walk->code -= (t & CODE) != 0;
	walk->pre -= (t & PRE) != 0;
	walk->quoted -= (t & QUOTED) != 0;
}

/* Office hides whole documents in comments, which its programs show. */
static void write_comment(struct walk *walk, const char *text)
{
	struct html_strip strip = {.how = how(walk) | HTML_BESIDE};

	html_lines(walk->w, 1, HTML_BESIDE);
	html_strip(&strip, walk->w, text, strlen(text));
	html_strip_end(&strip, walk->w);
	html_lines(walk->w, 1, HTML_BESIDE);
}

/* ---- the tree ---- */

static const GumboVector *children(const GumboNode *node)
{
	switch (node->type) {
	case GUMBO_NODE_DOCUMENT:
		return &node->v.document.children;
	case GUMBO_NODE_ELEMENT:
	case GUMBO_NODE_TEMPLATE:
		return &node->v.element.children;
	case GUMBO_NODE_TEXT:
	case GUMBO_NODE_CDATA:
	case GUMBO_NODE_COMMENT:
	case GUMBO_NODE_WHITESPACE:
		break;
	}
	return NULL;
}

static bool is_element(const GumboNode *node)
{
	return node->type == GUMBO_NODE_ELEMENT || node->type == GUMBO_NODE_TEMPLATE;
}

static void visit(struct walk *walk, const GumboNode *node)
{
	switch (node->type) {
	case GUMBO_NODE_ELEMENT:
	case GUMBO_NODE_TEMPLATE:
		enter(walk, node);
		return;
	case GUMBO_NODE_TEXT:
	case GUMBO_NODE_CDATA:
	case GUMBO_NODE_WHITESPACE:
		write_text(walk, node->v.text.text);
		return;
	case GUMBO_NODE_COMMENT:
		write_comment(walk, node->v.text.text);
		return;
	case GUMBO_NODE_DOCUMENT:
		return;
	}
}

static void walk_tree(struct walk *walk, const GumboNode *root)
{
	const GumboNode *node = root;

	for (;;) {
		const GumboVector *down = children(node);

		visit(walk, node);
		if (down != NULL && down->length > 0 && !walk->w->refused) {
			node = down->data[0];
			continue;
		}

		/* Up, until there is a next one. */
		for (;;) {
			const GumboVector *beside;

			if (is_element(node))
				leave(walk, node);
			if (node == root)
				return;
			beside = children(node->parent);
			if (beside == NULL) /* cannot be: a parent has children */
				return;
			if (node->index_within_parent + 1 < beside->length && !walk->w->refused) {
				node = beside->data[node->index_within_parent + 1];
				break;
			}
			node = node->parent;
		}
	}
}

/* The node behind `node` in the text, or NULL. */
static const GumboNode *next_node(const GumboNode *node, const GumboNode *root)
{
	const GumboVector *nodes = children(node);

	if (nodes != NULL && nodes->length > 0)
		return nodes->data[0];
	for (; node != root; node = node->parent) {
		nodes = children(node->parent);
		if (nodes != NULL && node->index_within_parent + 1 < nodes->length)
			return nodes->data[node->index_within_parent + 1];
	}
	return NULL;
}

/* Before anything is written, so that each element is the same on the way in and out. */
static void read_styles(struct walk *walk, const GumboNode *root)
{
	for (const GumboNode *node = root; node != NULL; node = next_node(node, root)) {
		const GumboVector *inside = children(node);

		if (node->type != GUMBO_NODE_ELEMENT || node->v.element.tag != GUMBO_TAG_STYLE)
			continue;
		for (size_t i = 0; i < inside->length; i++) {
			const GumboNode *text = inside->data[i];

			if (text->type == GUMBO_NODE_TEXT)
				html_rules_read(&walk->rules, text->v.text.text);
		}
	}
}

/* NULL: a limit was reached. */
static const GumboOutput *parse(
    struct html_arena *arena, jmp_buf *full, const char *html, size_t len)
{
	GumboOptions options = kGumboDefaultOptions;

	options.allocator = html_arena_alloc;
	options.deallocator = html_arena_release;
	options.userdata = arena;
	options.max_errors = 0; /* each would hold all open elements */
	if (setjmp(*full) != 0)
		return NULL;
	return gumbo_parse_with_options(&options, html, len);
}

bool html_document(struct html_writer *w, const char *html, size_t len,
    const struct html_limits *limits, struct html_told *told, unsigned *after)
{
	struct walk walk = {.w = w, .told = told};
	struct html_arena arena;
	const GumboOutput *output;
	jmp_buf full;

	html_arena_init(&arena, limits, &full);
	output = parse(&arena, &full, html, len);
	if (output != NULL) {
		read_styles(&walk, output->document);
		walk_tree(&walk, output->document);
	}
	*after = walk.rest_quoted ? HTML_QUOTED : 0;
	html_arena_free(&arena);
	return output != NULL;
}
