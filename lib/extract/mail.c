/* A message as a file: saved mail in an archive, or a message that was attached encoded. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/extract/state.h"
#include "lib/mime/scan.h"
#include "lib/mime/transfer.h"
#include "lib/mime/word.h"

#define HEADER_MOST ((size_t)262144)
#define PARTS_MOST  ((size_t)10000)

struct mail {
	struct inside *in;
	struct mime_tree tree;
	struct unpacking u;
};

static void tell_errno(struct inside *in)
{
	inside_fault(in, errno == ENOMEM ? EXTRACT_MEMORY : EXTRACT_READ);
}

static void tell_structure(struct mail *m)
{
	struct inside *in = m->in;
	bool ambiguous = (m->tree.limits & MIME_TOO_AMBIGUOUS) != 0;

	for (unsigned flag = 0; flag < MIME_FLAG_COUNT; flag++) {
		if ((m->tree.flags >> flag & 1) != 0 &&
		    mime_flag_ambiguous((enum mime_flag_number)flag))
			ambiguous = true;
	}
	if (ambiguous)
		inside_fault(in, EXTRACT_AMBIGUOUS);
	if ((m->tree.limits & MIME_TOO_DEEP) != 0)
		inside_fault(in, EXTRACT_DEPTH);
	if ((m->tree.limits & MIME_TOO_MANY) != 0)
		inside_fault(in, EXTRACT_MEMBERS);
	if ((m->tree.limits & (MIME_HEADER_LONG | MIME_TEXT_FULL)) != 0)
		inside_fault(in, EXTRACT_SIZE);
}

/* Where the field that begins here ends: behind the line that no folded one follows. */
static size_t field_end(const char *bytes, size_t len)
{
	const char *at = bytes, *end = bytes + len;

	while (at < end) {
		const char *line = memchr(at, '\n', (size_t)(end - at));

		at = line != NULL ? line + 1 : end;
		if (at < end && *at != ' ' && *at != '\t')
			break;
	}
	return (size_t)(at - bytes);
}

/* The header's fields, decoded, are a text: whom it went to and what it was about. */
static void read_header(struct mail *m, const struct mime_part *part)
{
	struct buf raw, text;
	bool going = true;

	buf_init(&raw, HEADER_MOST);
	buf_init(&text, 3 * HEADER_MOST);
	if (!mime_header(&m->in->file, part, &raw))
		tell_errno(m->in);
	for (size_t at = 0, len; at < raw.len && going; at += len) {
		len = field_end(raw.bytes + at, raw.len - at);
		buf_clear(&text);
		if (!word_decode(raw.bytes + at, len, &text, NULL) && text.len == 0)
			inside_fault(m->in, EXTRACT_MEMORY);
		buf_add(&text, "\n", 1);
		going = inside_text(m->in, text.bytes, text.len);
	}
	inside_text_ends(m->in);
	buf_free(&raw);
	buf_free(&text);
}

static void look_at(
    struct mail *m, const struct mime_part *part, const struct source *file, const char *name)
{
	bool text = strcmp(part->type, "text") == 0;

	inside_file_labelled(m->in, file, name, text ? part->charset : "");
}

static bool read_body(struct mail *m, const struct mime_part *part, enum transfer encoding)
{
	struct source body = source_part(&m->in->file, part->body, part->end - part->body);
	struct transfer_reader *decoder;
	bool whole;

	if (encoding != TRANSFER_BASE64 && encoding != TRANSFER_QUOTED) {
		look_at(m, part, &body, part->name);
		return true;
	}
	decoder = malloc(sizeof *decoder);
	if (decoder == NULL) {
		inside_fault(m->in, EXTRACT_MEMORY);
		return true;
	}
	unpack_begin(&m->u);
	whole = transfer_source(decoder, encoding, &body, unpack_sink(&m->u));
	if (!whole && !m->u.stopped)
		tell_errno(m->in);
	if (!m->u.stopped) {
		struct source file = spill_source(&m->u.spill);

		look_at(m, part, &file, part->name);
	}
	unpack_end(&m->u);
	free(decoder);
	return !m->u.stopped;
}

/* False: a limit was reached; no more of the message. */
static bool read_part(struct mail *m, const struct mime_part *part)
{
	struct extract_member member = {.name = part->name, .size = part->end - part->body};

	if (MIME_HAS(part->flags, ROOT))
		read_header(m, part);
	if (MIME_HAS(part->flags, PARTIAL) || MIME_HAS(part->flags, EXTERNAL))
		inside_fault_at(m->in, EXTRACT_FORMAT, part->name);
	if (!mime_is_leaf(part))
		return true;
	if (*part->name != '\0' ? !inside_member(m->in, &member) : !inside_part(m->in))
		return false;
	if (!read_body(m, part, part->encoding))
		return false;
	return part->encoding == part->encoding_last || read_body(m, part, part->encoding_last);
}

void read_mail(struct inside *in)
{
	const struct extract_limits *limits = &in->x->setup.limits;
	struct mail m = {.in = in, .u = {.in = in}};
	struct mime_limits bounds = {
	    .depth = limits->depth > in->level ? limits->depth - in->level : 1,
	    .parts = limits->members < PARTS_MOST ? (size_t)limits->members + 1 : PARTS_MOST,
	    .header = HEADER_MOST,
	};
	bool going = true;

	if (!mime_scan(&in->file, &bounds, &m.tree))
		tell_errno(in);
	else
		tell_structure(&m);
	for (size_t i = 0; going && i < m.tree.count; i++)
		going = read_part(&m, &m.tree.parts[i]);
	mime_tree_free(&m.tree);
}
