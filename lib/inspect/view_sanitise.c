/* The tree of a document, written anew: no recursion, for trees may be deep. */
#include <gumbo.h>
#include <string.h>
#include <strings.h>

#include "lib/inspect/sanitise.h"
#include "lib/inspect/view.h"
#include "lib/mime/utf8.h"
#include "lib/text/html_arena.h"

#define TITLE_MAX    ((size_t)500)  /* bytes of a title or of the text of an image */
#define OPEN_MAX     ((size_t)2048) /* of a start tag without its image */
#define END_MAX      ((size_t)16)   /* of an end tag */
#define IMAGES_ASKED 300

/* What becomes of an element. */
enum element_kind {
	ELEMENT_TEXT,  /* its text and what else is in it */
	ELEMENT_KEPT,  /* itself */
	ELEMENT_VOID,  /* itself, and it has no content */
	ELEMENT_APART, /* its text, apart from what stands around it */
	ELEMENT_GONE,  /* nothing */
	ELEMENT_LINK,
	ELEMENT_IMAGE,
	ELEMENT_BODY,
};

struct element {
	unsigned char kind;
	char name[14]; /* as it is written */
};

#define KEPT(NAME, name)  [GUMBO_TAG_##NAME] = {ELEMENT_KEPT, name}
#define DIV(NAME)         [GUMBO_TAG_##NAME] = {ELEMENT_KEPT, "div"}
#define EMPTY(NAME, name) [GUMBO_TAG_##NAME] = {ELEMENT_VOID, name}
#define APART(NAME)       [GUMBO_TAG_##NAME] = {ELEMENT_APART, ""}
#define GONE(NAME)        [GUMBO_TAG_##NAME] = {ELEMENT_GONE, ""}

/*
 * An element that is not here is ELEMENT_TEXT: of what shows something else where it can be shown (video, object,
 * noframes), another program shows the text.
 */
static const struct element elements[GUMBO_TAG_LAST + 1] = {
    [GUMBO_TAG_BODY] = {ELEMENT_BODY, "div"},
    [GUMBO_TAG_A] = {ELEMENT_LINK, "span"},
    [GUMBO_TAG_IMG] = {ELEMENT_IMAGE, "img"},
    [GUMBO_TAG_IMAGE] = {ELEMENT_IMAGE, "img"},
    KEPT(P, "p"),
    KEPT(DIV, "div"),
    KEPT(SPAN, "span"),
    KEPT(H1, "h1"),
    KEPT(H2, "h2"),
    KEPT(H3, "h3"),
    KEPT(H4, "h4"),
    KEPT(H5, "h5"),
    KEPT(H6, "h6"),
    KEPT(UL, "ul"),
    KEPT(OL, "ol"),
    KEPT(LI, "li"),
    KEPT(DL, "dl"),
    KEPT(DT, "dt"),
    KEPT(DD, "dd"),
    KEPT(TABLE, "table"),
    KEPT(CAPTION, "caption"),
    KEPT(COLGROUP, "colgroup"),
    KEPT(THEAD, "thead"),
    KEPT(TBODY, "tbody"),
    KEPT(TFOOT, "tfoot"),
    KEPT(TR, "tr"),
    KEPT(TD, "td"),
    KEPT(TH, "th"),
    KEPT(B, "b"),
    KEPT(I, "i"),
    KEPT(U, "u"),
    KEPT(STRONG, "strong"),
    KEPT(EM, "em"),
    KEPT(S, "s"),
    KEPT(STRIKE, "s"),
    KEPT(DEL, "s"),
    KEPT(INS, "u"),
    KEPT(SUB, "sub"),
    KEPT(SUP, "sup"),
    KEPT(SMALL, "small"),
    KEPT(BIG, "big"),
    KEPT(BLOCKQUOTE, "blockquote"),
    KEPT(PRE, "pre"),
    KEPT(LISTING, "pre"),
    KEPT(XMP, "pre"),
    KEPT(PLAINTEXT, "pre"),
    KEPT(TEXTAREA, "pre"),
    KEPT(CODE, "code"),
    KEPT(TT, "code"),
    KEPT(KBD, "code"),
    KEPT(SAMP, "code"),
    KEPT(FONT, "font"),
    KEPT(CENTER, "center"),
    KEPT(RUBY, "ruby"),
    KEPT(RT, "rt"),
    KEPT(RP, "rp"),
    EMPTY(BR, "br"),
    EMPTY(HR, "hr"),
    EMPTY(COL, "col"),
    DIV(ARTICLE),
    DIV(SECTION),
    DIV(NAV),
    DIV(ASIDE),
    DIV(HGROUP),
    DIV(HEADER),
    DIV(FOOTER),
    DIV(ADDRESS),
    DIV(MAIN),
    DIV(FIGURE),
    DIV(FIGCAPTION),
    DIV(FORM),
    DIV(FIELDSET),
    DIV(LEGEND),
    DIV(DETAILS),
    DIV(SUMMARY),
    DIV(DIR),
    DIV(MENU),
    DIV(MENUITEM),
    DIV(MARQUEE),
    APART(BUTTON),
    APART(OPTION),
    APART(OPTGROUP),
    APART(LABEL),
    GONE(HEAD),
    GONE(TITLE),
    GONE(STYLE),
    GONE(SCRIPT),
    GONE(TEMPLATE),
    GONE(IFRAME),
    GONE(FRAME),
    GONE(FRAMESET),
    GONE(EMBED),
    GONE(PARAM),
    GONE(SVG),
    GONE(MATH),
    GONE(META),
    GONE(BASE),
    GONE(LINK),
    GONE(INPUT),
    GONE(DATALIST),
    GONE(KEYGEN),
    GONE(SOURCE),
    GONE(TRACK),
};

static const struct element *element_of(const GumboNode *node)
{
	static const struct element gone = {ELEMENT_GONE, ""}, text = {ELEMENT_TEXT, ""};
	size_t tag = (size_t)node->v.element.tag;

	/* Drawings and formulas are no HTML, and a template is no text. */
	if (node->v.element.tag_namespace != GUMBO_NAMESPACE_HTML ||
	    node->type == GUMBO_NODE_TEMPLATE)
		return &gone;
	return tag < COUNT_OF(elements) ? &elements[tag] : &text;
}

static const char *attribute(const GumboNode *node, const char *name)
{
	const GumboAttribute *a = gumbo_get_attribute(&node->v.element.attributes, name);

	return a != NULL ? a->value : NULL;
}

/* ---- writing ---- */

static void flush(struct sanitise *s)
{
	if (s->held > 0 && !s->refused)
		s->refused = !sink_put(&s->setup.out, s->piece, s->held);
	s->held = 0;
}

static void put(struct sanitise *s, const char *bytes, size_t len)
{
	while (len > 0) {
		size_t n = sizeof s->piece - s->held;

		n = n < len ? n : len;
		memcpy(s->piece + s->held, bytes, n);
		s->held += n;
		bytes += n;
		len -= n;
		if (s->held == sizeof s->piece)
			flush(s);
	}
}

/* Whether so many bytes may still be written; they are counted. */
static bool charge(struct sanitise *s, size_t len)
{
	if (!s->full && len <= s->left) {
		s->left -= len;
		return true;
	}
	s->full = s->cut = true;
	return false;
}

static void put_charged(struct sanitise *s, const char *text)
{
	size_t len = strlen(text);

	if (charge(s, len))
		put(s, text, len);
}

/* No letter of a text stands as itself that could end it, or begin something else. */
static const char *escape_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case '`':
		return "&#96;";
	default:
		return NULL;
	}
}

static void put_text(struct sanitise *s, const char *text, size_t len)
{
	size_t plain = strcspn(text, "&<>\"'`");

	if (plain >= len) {
		if (charge(s, len))
			put(s, text, len);
		return;
	}
	for (size_t at = 0; at < len && !s->full;) {
		const char *escape = escape_of(text[at]);
		uint32_t c = 0;
		size_t step = escape != NULL ? 1 : utf8_step(text + at, len - at, &c);

		if (step == 0)
			step = 1; /* view_add leaves none */
		if (escape != NULL)
			put_charged(s, escape);
		else if (charge(s, step))
			put(s, text + at, step);
		at += step;
	}
}

/* A text of strangers, at most `most` bytes of it. Piece by piece, in whole letters. */
static void put_strange(struct sanitise *s, const char *text, size_t most, bool lines)
{
	size_t len = strnlen(text, most);
	struct buf shown;

	buf_init(&shown, 3 * (size_t)1024 + 16);
	for (size_t at = 0; at < len && !s->full && !s->refused;) {
		size_t n = len - at < 1024 ? len - at : 1024;

		while (at + n < len && n > 1020 && ((unsigned char)text[at + n] & 0xC0) == 0x80)
			n--;
		buf_clear(&shown);
		view_add(&shown, text + at, n, lines);
		buf_add(&shown, "", 1);
		if (!buf_ok(&shown)) {
			s->full = s->cut = true; /* no memory */
			break;
		}
		put_text(s, shown.bytes, shown.len - 1);
		at += n;
	}
	buf_free(&shown);
}

/* ---- attributes ---- */

static void add_style(struct buf *tag, const GumboNode *node, bool body)
{
	char style[SANITISE_STYLE_MAX];

	sanitise_style(attribute(node, "style"), body ? attribute(node, "bgcolor") : NULL,
	    body ? attribute(node, "text") : NULL, style);
	if (style[0] != '\0')
		buf_addf(tag, " style=\"%s\"", style);
}

/* Every value that is written is made of letters that sanitise_attribute knows. */
static void add_attributes(struct buf *tag, const GumboNode *node, bool body)
{
	const GumboVector *list = &node->v.element.attributes;
	char value[SANITISE_VALUE_MAX];

	for (unsigned k = 0; k < list->length; k++) {
		const GumboAttribute *a = list->data[k];

		if (strcasecmp(a->name, "style") == 0)
			continue;
		/* Those of a body are of no use to what is written in its place. */
		if (!body && tag->len < OPEN_MAX / 2 &&
		    sanitise_attribute(a->name, a->value, value))
			buf_addf(tag, " %s=\"%s\"", a->name, value);
	}
	add_style(tag, node, body);
}

/* A value that may be any text. */
static void put_value(struct sanitise *s, const char *name, const char *text)
{
	if (text == NULL || !charge(s, strlen(name)))
		return;
	put(s, name, strlen(name));
	put_strange(s, text, TITLE_MAX, false);
	put(s, "\"", 1); /* whatever happened: what was begun ends */
}

/* ---- elements ---- */

/* Its start tag. False: it was not written, and its end is not to be. */
static bool put_start(struct sanitise *s, const GumboNode *node, const struct element *e)
{
	const char *title = attribute(node, "title");
	struct buf tag;
	/* What its title may grow to, and its end tag, have room from the beginning. */
	size_t most = OPEN_MAX + END_MAX + (title != NULL ? 6 * TITLE_MAX + 16 : 0);
	bool good;

	if (s->full || most > s->left) {
		s->full = s->cut = true;
		return false;
	}
	buf_init(&tag, OPEN_MAX);
	buf_addf(&tag, "<%s", e->name);
	if (node->v.element.attributes.length > 0)
		add_attributes(&tag, node, e->kind == ELEMENT_BODY);
	good = buf_ok(&tag) && charge(s, tag.len + END_MAX);
	if (good) {
		put(s, tag.bytes, tag.len);
		put_value(s, " title=\"", title);
		put(s, ">", 1);
		/* A line end behind it is not seen: this one is, so that one of the text's own stays. */
		if (strcmp(e->name, "pre") == 0)
			put_charged(s, "\n");
	} else {
		s->full = s->cut = true;
	}
	buf_free(&tag);
	return good;
}

static void put_end(struct sanitise *s, const char *name)
{
	put(s, "</", 2);
	put(s, name, strlen(name));
	put(s, ">", 1);
}

/* What stands in the place of an image that is not shown. */
static void put_no_image(struct sanitise *s, const char *alt)
{
	static const char before[] = "<span class=\"i\">[image", after[] = "]</span>";

	if (s->full || s->left < sizeof before + sizeof after + 6 * TITLE_MAX + 2) {
		s->full = s->cut = true;
		return;
	}
	put_charged(s, before);
	if (alt != NULL && alt[strspn(alt, " \t\r\n")] != '\0') {
		put_charged(s, ": ");
		put_strange(s, alt, TITLE_MAX, false);
	}
	put(s, after, sizeof after - 1);
}

static void put_base64(struct sanitise *s, const char *bytes, size_t len)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *at = (const unsigned char *)bytes;

	for (; len > 0; at += 3) {
		size_t n = len < 3 ? len : 3;
		uint32_t group = (uint32_t)at[0] << 16 | (n > 1 ? (uint32_t)at[1] << 8 : 0) |
				 (n > 2 ? at[2] : 0);
		char four[4] = {letters[group >> 18], letters[group >> 12 & 63],
		    n > 1 ? letters[group >> 6 & 63] : '=', n > 2 ? letters[group & 63] : '='};

		put(s, four, sizeof four);
		len -= n;
	}
}

/* Finds an image of the message itself. */
static bool find_image(struct sanitise *s, const char *src, struct sanitise_image *image)
{
	src += strspn(src, " \t\r\n");
	if (strncasecmp(src, "cid:", 4) != 0 || s->setup.image == NULL || ++s->asked > IMAGES_ASKED)
		return false;
	return s->setup.image(s->setup.context, src + 4, image) && image->len > 0;
}

static void put_image(struct sanitise *s, const GumboNode *node, const struct element *e)
{
	const char *src = attribute(node, "src"), *alt = attribute(node, "alt");
	struct sanitise_image image;
	struct buf tag;

	if (src == NULL || s->full || !find_image(s, src, &image)) {
		put_no_image(s, alt);
		return;
	}
	if (image.len > s->images || s->left < OPEN_MAX + 6 * TITLE_MAX + 32) {
		s->cut = true;
		put_no_image(s, alt);
		return;
	}
	s->images -= image.len;
	buf_init(&tag, OPEN_MAX);
	buf_addf(&tag, "<%s", e->name);
	add_attributes(&tag, node, false);
	buf_addf(&tag, " src=\"data:%s;base64,", image.type);
	if (buf_ok(&tag) && charge(s, tag.len)) {
		put(s, tag.bytes, tag.len);
		put_base64(s, image.bytes, image.len);
		put(s, "\"", 1);
		put_value(s, " alt=\"", alt);
		put(s, ">", 1);
	}
	buf_free(&tag);
}

/* ---- links ---- */

static bool is_ascii(const char *text)
{
	while (*text > ' ' && *text < 0x7F)
		text++;
	return *text == '\0';
}

/* Whether the text of a link says where it leads: nothing has to be added then. */
static bool says_itself(const GumboNode *node, const char *target)
{
	const GumboVector *inside = &node->v.element.children;
	const GumboNode *child = inside->length == 1 ? inside->data[0] : NULL;
	char said[SANITISE_TARGET_MAX];
	const char *text;

	if (child == NULL || child->type != GUMBO_NODE_TEXT)
		return false;
	text = child->v.text.text;
	if (!is_ascii(text))
		return false;
	if (strcmp(text, target) == 0)
		return true;
	/* What stands before an "@" would be read as the host. */
	if (strncasecmp(text, "http", 4) != 0 || strpbrk(text, "@\\%") != NULL)
		return false;
	sanitise_target(text, said);
	return strcmp(said, target) == 0;
}

static void put_target(struct sanitise *s, const GumboNode *node)
{
	static const char before[] = " <span class=\"t\">[", after[] = "]</span> ";
	const char *href = attribute(node, "href");
	char target[SANITISE_TARGET_MAX];

	if (href == NULL)
		return;
	sanitise_target(href, target);
	if (target[0] == '\0' || says_itself(node, target))
		return;
	if (s->full || s->left < sizeof before + sizeof after + 6 * SANITISE_TARGET_MAX) {
		s->full = s->cut = true;
		return;
	}
	put_charged(s, before);
	put_strange(s, target, SANITISE_TARGET_MAX, false);
	put(s, after, sizeof after - 1);
}

static bool put_link(struct sanitise *s)
{
	static const char start[] = "<span class=\"l\">";

	if (!charge(s, sizeof start - 1 + END_MAX))
		return false;
	put(s, start, sizeof start - 1);
	return true;
}

/* ---- the tree ---- */

/* Goes into an element. Its level is counted, whatever becomes of it. */
static void enter(struct sanitise *s, const GumboNode *node)
{
	const struct element *e = element_of(node);
	bool written = false, deep = s->level >= SANITISE_DEPTH;

	/* A drawing may hold text; that there is one is told. */
	if (s->dropped == 0 && node->v.element.tag_namespace != GUMBO_NAMESPACE_HTML)
		put_no_image(s, NULL);
	s->dropped += e->kind == ELEMENT_GONE;
	if (s->dropped == 0) {
		if (e->kind == ELEMENT_APART)
			put_charged(s, " ");
		if (e->kind == ELEMENT_IMAGE)
			put_image(s, node, e);
		if (e->kind == ELEMENT_VOID)
			(void)!put_start(s, node, e);
		if (deep && e->kind != ELEMENT_TEXT)
			s->cut = true;
		if (!deep && (e->kind == ELEMENT_KEPT || e->kind == ELEMENT_BODY))
			written = put_start(s, node, e);
		if (!deep && e->kind == ELEMENT_LINK)
			written = put_link(s);
	}
	if (!deep)
		s->open[s->level] = written;
	s->level++;
}

static void leave(struct sanitise *s, const GumboNode *node)
{
	const struct element *e = element_of(node);

	s->level--;
	if (s->level < SANITISE_DEPTH && s->open[s->level])
		put_end(s, e->name);
	if (s->dropped == 0 && e->kind == ELEMENT_LINK)
		put_target(s, node);
	if (s->dropped == 0 && e->kind == ELEMENT_APART)
		put_charged(s, " ");
	s->dropped -= e->kind == ELEMENT_GONE;
}

static void visit(struct sanitise *s, const GumboNode *node)
{
	if (++s->nodes > SANITISE_NODES)
		s->full = s->cut = true;
	switch (node->type) {
	case GUMBO_NODE_ELEMENT:
	case GUMBO_NODE_TEMPLATE:
		enter(s, node);
		break;
	case GUMBO_NODE_TEXT:
	case GUMBO_NODE_WHITESPACE:
		if (s->dropped == 0)
			put_strange(s, node->v.text.text, SIZE_MAX, true);
		break;
	case GUMBO_NODE_CDATA: /* of drawings alone */
	case GUMBO_NODE_COMMENT:
	case GUMBO_NODE_DOCUMENT:
		break;
	}
}

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

/* The next one that is to be seen; elements that end before it are left. NULL: that was all. */
static const GumboNode *next_node(struct sanitise *s, const GumboNode *node, const GumboNode *root)
{
	const GumboVector *inside = children(node);

	if (inside != NULL && inside->length > 0 && !s->full && !s->refused)
		return inside->data[0];
	for (;;) {
		const GumboVector *beside;

		if (is_element(node))
			leave(s, node);
		if (node == root)
			return NULL;
		beside = children(node->parent);
		if (beside == NULL) /* cannot be: a parent has children */
			return NULL;
		if (node->index_within_parent + 1 < beside->length && !s->full && !s->refused)
			return beside->data[node->index_within_parent + 1];
		node = node->parent;
	}
}

static void walk(struct sanitise *s, const GumboNode *root)
{
	for (const GumboNode *node = root; node != NULL; node = next_node(s, node, root))
		visit(s, node);
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

/* ---- the document ---- */

void sanitise_open(struct sanitise *s, const struct sanitise_setup *setup)
{
	*s = (struct sanitise){.setup = *setup, .left = setup->most, .images = setup->images};
	put(s, SANITISE_HEAD, sizeof SANITISE_HEAD - 1);
}

bool sanitise_add(struct sanitise *s, const char *html, size_t len)
{
	struct html_limits limits = {.memory = s->setup.memory, .cpu_ms = s->setup.cpu_ms};
	struct html_arena arena;
	const GumboOutput *output;
	jmp_buf full;

	html_arena_init(&arena, &limits, &full);
	output = parse(&arena, &full, html, len);
	if (output != NULL) {
		if (s->nodes > 0)
			put_charged(s, "<hr>");
		walk(s, output->document);
	}
	html_arena_free(&arena);
	return output != NULL;
}

bool sanitise_close(struct sanitise *s)
{
	flush(s);
	return !s->refused;
}
