/*
 * One part, rendered for a page: text and nothing else, without a letter that could act on a terminal
 * or turn a line round. What a file holds is its text, as the detectors see it.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/inspect/bodies.h"
#include "lib/inspect/facts.h"
#include "lib/inspect/packet.h"
#include "lib/inspect/tables.h"
#include "lib/mime/utf8.h"

#define PIECE ((size_t)32768)

struct view {
	struct inspection *i;
	size_t len;
	char piece[PIECE];
};

static bool view_flush(struct view *v)
{
	bool sent = v->len == 0 || packet_send(v->i->socket, 'V', v->piece, v->len);

	v->len = 0;
	v->i->out->gone = v->i->out->gone || !sent;
	return sent;
}

static bool view_put(struct view *v, const char *bytes, size_t len)
{
	if (v->len + len > sizeof v->piece && !view_flush(v))
		return false;
	memcpy(v->piece + v->len, bytes, len);
	v->len += len;
	return true;
}

/* Lines and tabs stay; what nobody sees, and other control characters, do not. */
static bool harmless(uint32_t c)
{
	if (c == '\n' || c == '\t')
		return true;
	return c >= ' ' && c != 0x7F && !(c >= 0x80 && c < 0xA0) &&
	       (c == 0xA0 || c == 0x3000 || !utf8_unseen(c));
}

static bool view_text(void *context, const char *utf8, size_t len)
{
	struct view *v = context;

	for (size_t at = 0; at < len;) {
		uint32_t c = 0;
		size_t step = utf8_step(utf8 + at, len - at, &c);

		if (step == 0)
			step = 1;
		else if (harmless(c) && !view_put(v, utf8 + at, step))
			return false;
		at += step;
	}
	return true;
}

static void view_text_ends(void *context)
{
	(void)view_text(context, "\n", 1);
}

static void view_member(void *context, const struct extract_member *member)
{
	(void)view_text(context, "== ", 3);
	(void)view_text(context, member->name, strlen(member->name));
	(void)view_text(context, "\n", 1);
}

static void view_fault(void *context, enum extract_fault fault, const char *member)
{
	const char *word = extract_fault_word(fault);

	(void)member;
	(void)view_text(context, "?? ", 3);
	(void)view_text(context, word, strlen(word));
	(void)view_text(context, "\n", 1);
}

static bool view_convert(void *context, enum convert_tool tool, const struct source *file,
    struct sink out, bool *encrypted)
{
	struct view *v = context;

	return convert_for(v->i, tool, file, out, encrypted);
}

static bool view_file(struct view *v, size_t part)
{
	struct inspection *i = v->i;
	const struct mime_part *p = &i->tree.parts[part];
	struct extract_file found;
	struct filename name;
	struct source file;

	i->told = (struct extract_told){
	    v, view_text, view_text_ends, view_member, view_fault, view_convert};
	if (!files_ready(i) || !part_decode(i, part, i->tree.parts[part].encoding, &file))
		return false;
	filename_canonical(tables_norm(i->by->tables), p->name, strlen(p->name), &name);
	extract_file(i->extract, &file, name.text, p->charset, true, &found);
	return true;
}

bool inspection_view(struct inspection *i, const char *path)
{
	uint32_t part = mime_find(&i->tree, path);
	struct view *v = calloc(1, sizeof *v);
	bool done;

	if (v == NULL)
		return false;
	if (part == MIME_NONE) {
		/* Said in so many words: an empty part shows nothing, too. */
		tell_uninspectable(i, "0", INSPECT_NO_PART, NULL);
		free(v);
		return true;
	}
	v->i = i;
	if (role_is_text(i->view[part].role))
		done = body_text(i, part, (struct sink){view_text, v}, NULL);
	else
		done = view_file(v, part);
	done = view_flush(v) && done;
	free(v);
	return done;
}
