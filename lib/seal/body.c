#include "lib/seal/body.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "lib/seal/look.h"
#include "lib/seal/text.h"
#include "lib/text/charset.h"

#define AT_END    UINT64_MAX
#define TEXT_ROOM (8 * SEAL_TEXT_MAX + 1024)

/* ---- which texts -------------------------------------------------------------------------- */

struct choosing {
	const struct mime_tree *tree;
	uint32_t plain, html; /* or MIME_NONE */
};

enum chosen { CHOSEN_NOTHING, CHOSEN_TEXT, CHOSEN_WRAP };

/* What is odd about a part, and does not make its place or its text unclear. */
#define HARMLESS                                                                                   \
	(MIME_BIT(NAMES) | MIME_BIT(EPILOGUE) | MIME_BIT(BOUNDARY_LONG) | MIME_BIT(PARAMETERS))

static bool is_unclear(const struct mime_part *part)
{
	if (MIME_HAS(part->flags, ALTERNATIVE) || MIME_HAS(part->flags, LEAF_TOO))
		return true;
	for (unsigned flag = 0; flag < MIME_FLAG_COUNT; flag++) {
		uint64_t bit = UINT64_C(1) << flag;

		if ((part->flags & bit & ~HARMLESS) != 0 &&
		    mime_flag_ambiguous((enum mime_flag_number)flag))
			return true;
	}
	return false;
}

static bool is(const char *text, const char *word)
{
	return strcmp(text, word) == 0;
}

static bool is_sealed(const struct mime_part *part)
{
	if (is(part->type, "multipart"))
		return is(part->subtype, "signed") || is(part->subtype, "encrypted");
	return is(part->type, "application") &&
	       (is(part->subtype, "pkcs7-mime") || is(part->subtype, "x-pkcs7-mime") ||
		   is(part->subtype, "pgp-encrypted") || is(part->subtype, "pgp"));
}

static bool encoding_is_known(const struct mime_part *part)
{
	return part->encoding != TRANSFER_UNKNOWN && part->encoding == part->encoding_last;
}

static enum chosen choose_text(struct choosing *c, uint32_t index)
{
	const struct mime_part *part = &c->tree->parts[index];
	uint32_t *place = is(part->subtype, "html") ? &c->html : &c->plain;

	if (!is(part->type, "text") || is(part->disposition, "attachment") ||
	    (!is(part->subtype, "plain") && !is(part->subtype, "html")))
		return CHOSEN_NOTHING;
	if (!encoding_is_known(part))
		return CHOSEN_WRAP;
	if (*place == MIME_NONE)
		*place = index;
	return CHOSEN_TEXT;
}

static enum chosen choose(struct choosing *c, uint32_t index)
{
	const struct mime_part *part = &c->tree->parts[index];
	enum chosen all = CHOSEN_NOTHING;

	if (is_unclear(part) || is_sealed(part))
		return CHOSEN_WRAP;
	if (!MIME_HAS(part->flags, MULTIPART))
		return choose_text(c, index);
	for (uint32_t i = index + 1; i < c->tree->count; i++) {
		enum chosen one;

		if (c->tree->parts[i].parent != index)
			continue;
		one = choose(c, i);
		if (one == CHOSEN_WRAP)
			return one;
		if (one == CHOSEN_TEXT)
			all = one;
		/* Others than alternatives are shown one behind the other: the first is the text. */
		if (one == CHOSEN_TEXT && !is(part->subtype, "alternative"))
			break;
	}
	return all;
}

/* ---- how one of them changes -------------------------------------------------------------- */

static bool drop(void *context, const char *bytes, size_t len)
{
	(void)context;
	(void)bytes;
	(void)len;
	return true;
}

static bool feed(void *context, const char *bytes, size_t len)
{
	return charset_feed(context, bytes, len);
}

/* Whether every letter of the part has its like in UTF-8. False with errno 0: not; else why not known. */
static bool converts(const struct source *content, const struct mime_part *part)
{
	struct source body = source_part(content, part->body, part->end - part->body);
	struct charset *c = charset_open(part->charset, (struct sink){drop, NULL});
	struct transfer_reader reader;
	bool fine;

	if (c == NULL) {
		errno = ENOMEM;
		return false;
	}
	errno = 0;
	fine = transfer_source(&reader, part->encoding, &body, (struct sink){feed, c}) &&
	       charset_end(c);
	if (fine && charset_failures(c) > 0) {
		errno = 0;
		fine = false;
	}
	charset_free(c);
	return fine;
}

static bool make_texts(struct body_change *change, const struct seal_order *order,
    const struct seal_tables *tables, const char *label, bool flowed)
{
	return text_plain(tables, &order->top, label, flowed, &change->top) &&
	       text_plain(tables, &order->end, label, flowed, &change->end);
}

/* Puts the empty lines between the text and what is put in. */
static bool set_apart(
    struct body_change *change, const struct seal_order *order, const struct text_look *look)
{
	struct buf end;

	if (order->top.len > 0 && look->size > 0)
		buf_add_text(&change->top, "\r\n");
	if (order->end.len == 0)
		return buf_ok(&change->top);

	buf_init(&end, TEXT_ROOM);
	if (look->jis_open && look->escapes && !change->convert)
		buf_add_text(&end, "\x1b(B");
	if (look->line_open)
		buf_add_text(&end, "\r\n");
	if (look->size > 0)
		buf_add_text(&end, "\r\n");
	buf_add(&end, change->end.bytes, change->end.len);
	buf_free(&change->end);
	change->end = end;
	return buf_ok(&change->top) && buf_ok(&end);
}

static bool is_identity(enum transfer encoding)
{
	return encoding == TRANSFER_7BIT || encoding == TRANSFER_8BIT ||
	       encoding == TRANSFER_BINARY;
}

/* No byte beyond ASCII comes where none was announced, and no line that is too long. */
static void choose_encoding(
    struct body_change *change, const struct mime_part *part, enum text_kind kind)
{
	bool ascii = text_is_ascii(&change->top) && text_is_ascii(&change->end);
	bool longer = text_is_long(&change->top) || text_is_long(&change->end);

	change->to = part->encoding;
	change->recode = !is_identity(part->encoding);
	if (change->recode)
		return;
	if (change->convert || ((part->encoding == TRANSFER_7BIT && !ascii) || longer)) {
		change->recode = true;
		change->to =
		    change->convert || kind == TEXT_JIS ? TRANSFER_BASE64 : TRANSFER_QUOTED;
	}
}

static enum body_end plan_plain(struct body_change *change, const struct source *content,
    const struct mime_part *part, const struct text_look *look, const struct seal_order *order,
    const struct seal_tables *tables)
{
	enum text_kind kind = text_kind_of(part->charset);
	bool flowed = strcasecmp(mime_param(part, "format"), "flowed") == 0;

	if (look->pgp || look->nul || kind == TEXT_WIDE || kind == TEXT_UNKNOWN)
		return BODY_WRAP;
	errno = 0;
	if (!make_texts(change, order, tables, part->charset, flowed)) {
		if (errno != EILSEQ)
			return BODY_FAILED;
		buf_clear(&change->top);
		buf_clear(&change->end);
		if (kind == TEXT_ASCII && (look->eightbit || look->escapes))
			return BODY_WRAP;
		change->utf8 = true;
		change->convert = kind != TEXT_ASCII;
		if (change->convert && !converts(content, part))
			return errno == 0 ? BODY_WRAP : BODY_FAILED;
		if (!make_texts(change, order, tables, "UTF-8", flowed))
			return BODY_FAILED;
	}
	change->top_at = 0;
	change->end_at = AT_END;
	if (!set_apart(change, order, look)) {
		errno = ENOMEM;
		return BODY_FAILED;
	}
	choose_encoding(change, part, kind);
	return BODY_FINE;
}

static enum body_end plan_html(struct body_change *change, const struct mime_part *part,
    const struct text_look *look, const struct seal_order *order)
{
	enum text_kind kind = text_kind_of(part->charset);

	if (kind == TEXT_WIDE || kind == TEXT_UNKNOWN || look->nul)
		return BODY_WRAP;
	if ((order->top.len > 0 && !text_html(&order->top, &change->top)) ||
	    (order->end.len > 0 && !text_html(&order->end, &change->end))) {
		errno = ENOMEM;
		return BODY_FAILED;
	}
	change->top_at = look->top;
	change->end_at = look->end;
	choose_encoding(change, part, kind);
	return BODY_FINE;
}

static enum body_end plan_one(struct body_plan *plan, uint32_t index, bool html,
    const struct source *content, const struct mime_tree *tree, const struct seal_order *order,
    const struct seal_tables *tables)
{
	struct body_change *change = &plan->change[plan->changes++];
	const struct mime_part *part = &tree->parts[index];
	struct text_look look;

	*change = (struct body_change){.part = index, .html = html};
	buf_init(&change->top, TEXT_ROOM);
	buf_init(&change->end, TEXT_ROOM);
	if (!text_look(content, part, html, &look))
		return BODY_FAILED;
	if (look.odd)
		return BODY_WRAP;
	return html ? plan_html(change, part, &look, order)
		    : plan_plain(change, content, part, &look, order, tables);
}

enum body_end body_plan_make(struct body_plan *plan, const struct source *content,
    const struct mime_tree *tree, const struct seal_order *order, const struct seal_tables *tables)
{
	struct choosing c = {.tree = tree, .plain = MIME_NONE, .html = MIME_NONE};
	enum body_end end = BODY_FINE;
	uint32_t part[BODY_CHANGES];

	plan->changes = 0;
	if (tree->count == 0 || tree->limits != 0 || choose(&c, 0) != CHOSEN_TEXT)
		return BODY_WRAP;
	part[0] = c.plain < c.html ? c.plain : c.html;
	part[1] = c.plain < c.html ? c.html : c.plain;
	for (size_t i = 0; i < BODY_CHANGES && end == BODY_FINE; i++) {
		if (part[i] != MIME_NONE)
			end = plan_one(
			    plan, part[i], part[i] == c.html, content, tree, order, tables);
	}
	return end;
}

void body_plan_free(struct body_plan *plan)
{
	for (size_t i = 0; i < plan->changes; i++) {
		buf_free(&plan->change[i].top);
		buf_free(&plan->change[i].end);
	}
	plan->changes = 0;
}

/* ---- writing ------------------------------------------------------------------------------ */

bool body_changes_header(
    const struct body_change *change, const struct mime_part *part, const char **encoding)
{
	bool encoded = change->recode && change->to != part->encoding;

	*encoding = !encoded ? NULL : change->to == TRANSFER_BASE64 ? "base64" : "quoted-printable";
	return encoded || change->utf8;
}

/* The bytes between decoding and encoding. */
struct passing {
	const struct body_change *change;
	struct encode encode;
	uint64_t at;
	bool top, end; /* still to be put in */
};

static bool put(struct passing *p, const struct buf *text)
{
	return text->len == 0 || encode_bytes(&p->encode, text->bytes, text->len);
}

/* Up to `place`, which lies within the next `len` bytes; then the text. */
static bool pass_place(
    struct passing *p, uint64_t place, const struct buf *text, const char **bytes, size_t *len)
{
	size_t before = (size_t)(place - p->at);

	if (!encode_bytes(&p->encode, *bytes, before) || !put(p, text))
		return false;
	*bytes += before;
	*len -= before;
	p->at += before;
	return true;
}

static bool pass(void *context, const char *bytes, size_t len)
{
	struct passing *p = context;
	const struct body_change *change = p->change;

	if (p->top && change->top_at - p->at < len) {
		p->top = false;
		if (!pass_place(p, change->top_at, &change->top, &bytes, &len))
			return false;
	}
	if (p->end && change->end_at - p->at < len) {
		p->end = false;
		if (!pass_place(p, change->end_at, &change->end, &bytes, &len))
			return false;
	}
	p->at += len;
	return encode_bytes(&p->encode, bytes, len);
}

static bool pass_end(struct passing *p)
{
	return (!p->top || put(p, &p->change->top)) && (!p->end || put(p, &p->change->end)) &&
	       encode_end(&p->encode);
}

static bool recode(const struct body_change *change, const struct source *content,
    const struct mime_part *part, struct output *out)
{
	struct source body = source_part(content, part->body, part->end - part->body);
	struct passing p = {.change = change, .top = true, .end = true};
	struct sink sink = {pass, &p};
	struct charset *c = NULL;
	struct transfer_reader reader;
	bool fine;

	encode_open(&p.encode, change->to, out);
	if (change->convert) {
		c = charset_open(part->charset, sink);
		if (c == NULL)
			return false;
		sink = (struct sink){feed, c};
	}
	errno = 0;
	fine = transfer_source(&reader, part->encoding, &body, sink);
	if (!fine && out->error == 0)
		out->error = errno;
	fine = fine && (c == NULL || charset_end(c)) && pass_end(&p);
	charset_free(c);
	return fine;
}

/* The bytes as they are, with the texts between them. */
static bool splice(const struct body_change *change, const struct source *content,
    const struct mime_part *part, struct output *out)
{
	uint64_t len = part->end - part->body;
	uint64_t top = part->body + (change->top_at < len ? change->top_at : len);
	uint64_t end = part->body + (change->end_at < len ? change->end_at : len);

	return output_copy(out, content, part->body, top) && output_buf(out, &change->top) &&
	       output_copy(out, content, top, end) && output_buf(out, &change->end) &&
	       output_copy(out, content, end, part->end);
}

bool body_write(const struct body_change *change, const struct source *content,
    const struct mime_part *part, struct output *out)
{
	return change->recode ? recode(change, content, part, out)
			      : splice(change, content, part, out);
}
