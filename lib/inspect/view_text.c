/* The text of a message as its reader sees it first: in its charset, of HTML what is seen, and no more than fits. */
#include <stdlib.h>
#include <string.h>

#include "lib/inspect/bodies.h"
#include "lib/inspect/refs.h"
#include "lib/inspect/unclear.h"
#include "lib/inspect/view.h"
#include "lib/text/charset.h"
#include "lib/text/html.h"

/* ---- the charset of a part ---- */

/* What a part becomes in one charset. */
struct decoded {
	struct charset *charset;
	struct buf *text;
	uint64_t letters;
	uint64_t failures;
	bool full; /* there is more than the bound of `text` */
};

static bool take_utf8(void *context, const char *utf8, size_t len)
{
	struct decoded *d = context;
	size_t room = d->text->bound - d->text->len, n = len < room ? len : room;

	while (n > 0 && n < len && ((unsigned char)utf8[n] & 0xC0) == 0x80)
		n--;
	d->letters += letters_in(utf8, n);
	buf_add(d->text, utf8, n);
	d->full = d->full || n < len;
	return !d->full && buf_ok(d->text);
}

static bool take_bytes(void *context, const char *bytes, size_t len)
{
	struct decoded *d = context;

	return charset_feed(d->charset, bytes, len);
}

static bool decode_as(struct inspection *i, size_t part, const char *label, struct decoded *d)
{
	const struct mime_part *p = &i->tree.parts[part];
	struct source raw = source_part(&i->message, p->body, p->end - p->body);
	struct transfer_reader reader;
	bool good;

	d->charset = charset_open(label, (struct sink){take_utf8, d});
	if (d->charset == NULL)
		return false;
	good = transfer_source(&reader, p->encoding, &raw, (struct sink){take_bytes, d}) &&
	       charset_end(d->charset);
	d->failures = charset_failures(d->charset);
	if (charset_bruised(d->charset, d->letters))
		d->failures = 0;
	charset_free(d->charset);
	return (good || d->full) && buf_ok(d->text);
}

/* How a program is to read it: by its field, by what HTML says of itself, by its bytes. */
static bool label_of(
    struct inspection *i, size_t part, bool is_html, struct charset_readings *readings)
{
	const struct mime_part *p = &i->tree.parts[part];
	struct buf head;
	bool good = part_head(i, part, p->encoding, &head);

	if (good)
		charset_readings_of(
		    p->charset, head.len > 0 ? head.bytes : "", head.len, is_html, readings);
	buf_free(&head);
	return good;
}

/* Text that is not in the charset it claims is read as what it is, where that reads better. */
static void decode_by_guess(
    struct inspection *i, size_t part, struct decoded *first, struct buf *text, size_t from)
{
	struct decoded guess = {.text = NULL};
	struct buf other;

	buf_init(&other, text->bound - from);
	guess.text = &other;
	if (decode_as(i, part, "", &guess) && guess.failures < first->failures) {
		text->len = from;
		buf_add(text, other.bytes, other.len);
		first->full = guess.full;
	}
	buf_free(&other);
}

bool view_utf8(struct inspection *i, size_t part, bool is_html, struct buf *text, bool *cut)
{
	struct decoded d = {.text = text};
	struct charset_readings readings;
	size_t from = text->len;

	if (!label_of(i, part, is_html, &readings) || !decode_as(i, part, readings.label, &d))
		return false;
	if (d.failures > 0 && *readings.label != '\0')
		decode_by_guess(i, part, &d, text, from);
	*cut = *cut || d.full;
	return true;
}

/* ---- HTML ---- */

static bool is_shown_here(const struct inspection *i, size_t part)
{
	return i->view[part].role == ROLE_BODY && !i->view[part].nested &&
	       i->tree.parts[part].letter == 0;
}

bool view_is_html(const struct inspection *i, size_t part)
{
	return is_shown_here(i, part) && strcmp(i->tree.parts[part].subtype, "html") == 0;
}

static void keep_reference(void *context, const char *id, size_t len)
{
	struct inspection *i = context;

	buf_add(&i->cids, id, len);
	buf_add_text(&i->cids, "\n");
}

bool view_look_at_html(struct inspection *i, const struct view_bounds *bounds)
{
	size_t all = 0, parts = 0;
	bool good = true;

	for (size_t k = 0; good && k < i->tree.count; k++) {
		struct ref_reader refs;
		struct buf html;
		bool cut = false;

		if (!view_is_html(i, k))
			continue;
		/* One that is too large to be shown still shows its images elsewhere. */
		buf_init(&html, (size_t)i->by->ask.limits.inspect_html);
		good = view_utf8(i, k, true, &html, &cut);
		ref_open(&refs, keep_reference, i);
		if (html.len > 0)
			ref_feed(&refs, html.bytes, html.len);
		all += cut ? SIZE_MAX / 2 : html.len;
		parts++;
		buf_free(&html);
		if (all > bounds->html)
			return false;
	}
	return good && parts > 0;
}

/* ---- the text ---- */

struct seen {
	struct buf *text;
	bool cut;
};

static bool take_seen(void *context, const char *utf8, size_t len, unsigned how)
{
	struct seen *s = context;

	/* What nobody sees is not what a reader sees first. */
	if ((how & HTML_BESIDE) != 0)
		return true;
	view_add(s->text, utf8, len, true);
	return buf_ok(s->text);
}

static bool add_html(struct inspection *i, size_t part, struct buf *text, bool *cut)
{
	size_t most = (size_t)i->by->ask.limits.inspect_html;
	struct html_limits limits = {most, HTML_MEMORY, HTML_CPU_MS};
	struct seen seen = {.text = text};
	struct html_told told;
	struct buf source;
	struct html *html = html_open(&limits, take_seen, &seen);
	bool good = html != NULL;

	buf_init(&source, most);
	good = good && view_utf8(i, part, true, &source, cut);
	if (good && source.len > 0)
		(void)!html_feed(html, source.bytes, source.len);
	/* That no more was wanted is seen by `text`, which is full. */
	if (html != NULL && !html_end(html, &told) && buf_ok(text))
		good = false;
	html_free(html);
	buf_free(&source);
	return good;
}

static bool add_plain(struct inspection *i, size_t part, struct buf *text, bool *cut)
{
	struct buf source;
	bool good;

	/* Nothing that is shown becomes longer, but for what is no letter. */
	buf_init(&source, text->bound);
	good = view_utf8(i, part, false, &source, cut);
	if (good && source.len > 0)
		view_add(text, source.bytes, source.len, true);
	buf_free(&source);
	return good;
}

/* Parts follow each other with an empty line between. */
static bool add_part(struct inspection *i, size_t part, struct buf *text, bool *cut)
{
	size_t from = text->len;
	bool good;

	if (from > 0)
		buf_add_text(text, "\n\n");
	if (strcmp(i->tree.parts[part].subtype, "html") == 0)
		good = add_html(i, part, text, cut);
	else
		good = add_plain(i, part, text, cut);
	return good;
}

/* ---- which parts ---- */

/* The multipart/alternative that it is a choice of; MIME_NONE: none. */
static uint32_t choice_of(const struct inspection *i, size_t part)
{
	const struct mime_part *parts = i->tree.parts;

	for (uint32_t k = parts[part].parent; k != MIME_NONE; k = parts[k].parent) {
		if (MIME_HAS(parts[k].flags, MULTIPART) &&
		    strcmp(parts[k].subtype, "alternative") == 0)
			return k;
		if (MIME_HAS(parts[k].flags, MESSAGE))
			return MIME_NONE;
	}
	return MIME_NONE;
}

static bool is_plain(const struct inspection *i, size_t part)
{
	return is_shown_here(i, part) && strcmp(i->tree.parts[part].subtype, "plain") == 0;
}

/* Of alternatives plain text is taken, if there is any. */
static void mark_choices(const struct inspection *i, bool *has_plain)
{
	for (size_t k = 0; k < i->tree.count; k++) {
		uint32_t at = is_plain(i, k) ? choice_of(i, k) : MIME_NONE;

		while (at != MIME_NONE && !has_plain[at]) {
			has_plain[at] = true;
			at = choice_of(i, at);
		}
	}
}

static bool is_blank(const struct buf *text)
{
	for (size_t k = 0; k < text->len; k++) {
		if (strchr(" \t\n", text->bytes[k]) == NULL)
			return false;
	}
	return true;
}

/* Invitations are the text of a mail that has no other. */
static bool is_invitation(const struct inspection *i, size_t part)
{
	return i->view[part].role == ROLE_CALENDAR && !i->view[part].nested;
}

static bool is_wanted(
    const struct inspection *i, size_t part, const bool *has_plain, bool invitations)
{
	uint32_t choice;

	if (invitations)
		return is_invitation(i, part);
	if (!is_shown_here(i, part))
		return false;
	choice = choice_of(i, part);
	return is_plain(i, part) || choice == MIME_NONE || !has_plain[choice];
}

static bool add_parts(
    struct inspection *i, const bool *has_plain, bool invitations, struct buf *text, bool *cut)
{
	bool good = true;
	size_t shown = 0;

	for (size_t k = 0; good && buf_ok(text) && k < i->tree.count; k++) {
		if (!is_wanted(i, k, has_plain, invitations))
			continue;
		/* Each may take a second: the first is tried whatever came before. */
		if (shown++ > 0 && !view_has_time(i)) {
			*cut = true;
			break;
		}
		good = add_part(i, k, text, cut);
	}
	return good;
}

bool view_first_text(struct inspection *i, struct buf *text, bool *cut)
{
	bool *has_plain = calloc(i->tree.count, sizeof *has_plain);
	bool good = has_plain != NULL;

	if (good) {
		mark_choices(i, has_plain);
		good = add_parts(i, has_plain, false, text, cut);
	}
	/* A plain text that says nothing stands there for programs that show the other one. */
	if (good && is_blank(text)) {
		memset(has_plain, 0, i->tree.count * sizeof *has_plain);
		good = add_parts(i, has_plain, false, text, cut);
	}
	if (good && is_blank(text))
		good = add_parts(i, has_plain, true, text, cut);
	free(has_plain);
	return good;
}
