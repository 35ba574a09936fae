#include "lib/seal/seal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/mime/field.h"
#include "lib/seal/body.h"
#include "lib/seal/header.h"
#include "lib/seal/text.h"

#define BOUNDARY_RANDOM 16
#define BOUNDARY_TEXT   (12 + 2 * BOUNDARY_RANDOM)

struct sealing {
	const struct source *content;
	const struct seal_order *order;
	const struct seal_limits *limits;
	const struct seal_tables *tables;
	struct seal_result *result;
	struct buf header;       /* as it is */
	struct buf outer, inner; /* as it becomes; and what goes with the body of a wrapped one */
	struct mime_tree tree;
	struct body_plan plan;
	struct buf part_header[BODY_CHANGES];
	char boundary[BOUNDARY_TEXT];
	struct output *out;
};

const char *seal_inserted_word(enum seal_inserted inserted)
{
	static const char *const words[] = {[SEAL_INSERTED_NO] = "no",
	    [SEAL_INSERTED_YES] = "yes",
	    [SEAL_INSERTED_WRAPPED] = "wrapped"};

	return words[inserted];
}

static bool end(struct sealing *s, enum seal_end how, const char *why)
{
	s->result->end = how;
	(void)snprintf(s->result->why, sizeof s->result->why, "%s", why);
	return false;
}

/* What the system says about a failure. */
static bool failed(struct sealing *s, int error, const char *what)
{
	if (error == ENOSPC || error == EDQUOT)
		return end(s, SEAL_LATER, "space");
	if (error == EFBIG)
		return end(s, SEAL_NO, "size");
	return end(s, SEAL_LATER, error == 0 || error == ENOMEM ? "memory" : what);
}

/* ---- the header --------------------------------------------------------------------------- */

static bool read_header(struct sealing *s)
{
	uint64_t most = s->limits->header;
	size_t want = s->content->size < most ? (size_t)s->content->size : (size_t)most;
	size_t state = 0, got = 0, len = 0;

	while (len == 0 && got < want) {
		size_t step = want - got < 65536 ? want - got : 65536;
		char *room = buf_reserve(&s->header, step);
		ssize_t n = room != NULL ? source_read(s->content, got, room, step) : -1;

		if (room == NULL)
			return end(s, SEAL_LATER, "memory");
		if (n <= 0)
			return failed(s, n < 0 ? errno : EIO, "read");
		got += (size_t)n;
		s->header.len = got;
		len = header_end(s->header.bytes, got, &state);
	}
	if (len > 0)
		s->header.len = len;
	else if (got < s->content->size)
		return end(s, SEAL_NO, "header-too-long");
	return true;
}

/* Writes the message's header. *type: its Content-Type cannot be changed for sure. */
static bool change_header(struct sealing *s, struct header_change *change, bool *type)
{
	change->order = s->order->removes > 0 ? s->order : NULL;
	change->message = true;
	s->result->removed = 0;
	buf_clear(&s->outer);
	buf_clear(&s->inner);
	switch (header_write(s->header.len > 0 ? s->header.bytes : "", s->header.len, change,
	    &s->outer, &s->inner, &s->result->removed)) {
	case HEADER_FINE:
		return true;
	case HEADER_UNCLEAR:
		return end(s, SEAL_NO, "header");
	case HEADER_TYPE:
		*type = true;
		return false;
	case HEADER_NO_MEMORY:
		break;
	}
	return end(s, SEAL_LATER, "memory");
}

/* ---- the whole message as a part of a new one --------------------------------------------- */

static bool make_boundary(struct sealing *s)
{
	unsigned char bytes[BOUNDARY_RANDOM];
	size_t at;

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return end(s, SEAL_LATER, "random");
	at = (size_t)snprintf(s->boundary, sizeof s->boundary, "=_sekisho_");
	for (size_t i = 0; i < sizeof bytes; i++)
		at += (size_t)snprintf(s->boundary + at, sizeof s->boundary - at, "%02x", bytes[i]);
	return true;
}

/* The texts as a part of their own. */
static bool write_text_part(struct sealing *s)
{
	bool ascii = text_is_ascii(&s->order->top) && text_is_ascii(&s->order->end);
	struct encode encode;
	struct buf head, text;
	bool done;

	buf_init(&head, 1024);
	buf_init(&text, 4 * SEAL_TEXT_MAX + 1024);
	buf_addf(&head,
	    "\r\n--%s\r\nContent-Type: text/plain; charset=UTF-8\r\n"
	    "Content-Disposition: inline\r\nContent-Transfer-Encoding: %s\r\n\r\n",
	    s->boundary, ascii ? "quoted-printable" : "base64");
	done = text_plain(s->tables, &s->order->top, "UTF-8", false, &text);
	if (s->order->top.len > 0 && s->order->end.len > 0)
		buf_add_text(&text, "\r\n");
	done = done && text_plain(s->tables, &s->order->end, "UTF-8", false, &text);
	encode_open(&encode, ascii ? TRANSFER_QUOTED : TRANSFER_BASE64, s->out);
	done = done && buf_ok(&head) && buf_ok(&text) && output_buf(s->out, &head) &&
	       encode_bytes(&encode, text.bytes, text.len) && encode_end(&encode);
	buf_clear(&head);
	buf_addf(&head, "\r\n--%s--\r\n", s->boundary);
	done = done && buf_ok(&head) && output_buf(s->out, &head);
	buf_free(&head);
	buf_free(&text);
	return done;
}

static bool write_wrapped(struct sealing *s)
{
	struct header_change change = {.boundary = s->boundary};
	char line[BOUNDARY_TEXT + 8];
	bool type = false;
	int n;

	if (!make_boundary(s) || !change_header(s, &change, &type))
		return type ? end(s, SEAL_NO, "header") : false;
	s->result->inserted = SEAL_INSERTED_WRAPPED;
	n = snprintf(line, sizeof line, "--%s\r\n", s->boundary);
	if (output_buf(s->out, &s->outer) && output_bytes(s->out, line, (size_t)n) &&
	    output_buf(s->out, &s->inner) && output_bytes(s->out, "\r\n", 2) &&
	    output_copy(s->out, s->content, s->header.len, s->content->size) && write_text_part(s))
		return true;
	return failed(s, s->out->error, "write");
}

/* ---- texts in their places ---------------------------------------------------------------- */

/* The header of a part that is not the message. *type as above. */
static bool change_part_header(struct sealing *s, size_t i, bool *type)
{
	const struct body_change *body = &s->plan.change[i];
	const struct mime_part *part = &s->tree.parts[body->part];
	struct header_change change = {.utf8 = body->utf8};
	struct buf header;
	size_t none = 0;
	bool done = false;

	if (!body_changes_header(body, part, &change.encoding))
		return true;
	buf_init(&header, s->limits->header);
	if (!mime_header(s->content, part, &header)) {
		(void)failed(s, errno, "read");
	} else {
		switch (header_write(header.len > 0 ? header.bytes : "", header.len, &change,
		    &s->part_header[i], NULL, &none)) {
		case HEADER_FINE:
			done = true;
			break;
		case HEADER_UNCLEAR:
		case HEADER_TYPE:
			*type = true;
			break;
		case HEADER_NO_MEMORY:
			(void)end(s, SEAL_LATER, "memory");
			break;
		}
	}
	buf_free(&header);
	return done;
}

/* All headers, before anything is written. */
static bool change_headers(struct sealing *s, bool *type)
{
	struct header_change change = {.order = NULL};

	for (size_t i = 0; i < s->plan.changes; i++) {
		const struct body_change *body = &s->plan.change[i];

		if (body->part == 0) {
			change.utf8 = body->utf8;
			(void)body_changes_header(body, &s->tree.parts[0], &change.encoding);
		} else if (!change_part_header(s, i, type)) {
			return false;
		}
	}
	return change_header(s, &change, type);
}

static bool write_one(struct sealing *s, size_t i, uint64_t *at)
{
	const struct body_change *body = &s->plan.change[i];
	const struct mime_part *part = &s->tree.parts[body->part];
	bool header = s->part_header[i].len > 0;

	if (body->part != 0 &&
	    (!output_copy(s->out, s->content, *at, header ? part->start : part->body) ||
		!output_buf(s->out, &s->part_header[i])))
		return false;
	*at = part->end;
	return body_write(body, s->content, part, s->out);
}

static bool write_inserted(struct sealing *s)
{
	uint64_t at = s->header.len;
	bool done = output_buf(s->out, &s->outer);

	for (size_t i = 0; i < s->plan.changes && done; i++)
		done = write_one(s, i, &at);
	if (done && output_copy(s->out, s->content, at, s->content->size)) {
		s->result->inserted = s->plan.changes > 0 ? SEAL_INSERTED_YES : SEAL_INSERTED_NO;
		return true;
	}
	return failed(s, s->out->error, "write");
}

/* ---- all of it ---------------------------------------------------------------------------- */

/* Plans the insertion. *wrap: beside the whole. */
static bool plan(struct sealing *s, bool *wrap)
{
	const struct mime_limits limits = {
	    .depth = s->limits->depth, .parts = s->limits->parts, .header = s->limits->header};

	if (!mime_scan(s->content, &limits, &s->tree))
		return failed(s, errno, "read");
	/* Both readers of the header agree where it ends. */
	if (s->tree.count == 0 || s->tree.parts[0].body != s->header.len) {
		*wrap = true;
		return true;
	}
	switch (body_plan_make(&s->plan, s->content, &s->tree, s->order, s->tables)) {
	case BODY_FINE:
		return true;
	case BODY_WRAP:
		*wrap = true;
		return true;
	case BODY_FAILED:
		break;
	}
	return failed(s, errno, "read");
}

static bool seal(struct sealing *s)
{
	bool insert = s->order->top.len > 0 || s->order->end.len > 0, wrap = false;

	if (!read_header(s) || (insert && !plan(s, &wrap)))
		return false;
	if (!wrap && !change_headers(s, &wrap) && !wrap)
		return false;
	if (!(wrap ? write_wrapped(s) : write_inserted(s)))
		return false;
	return output_flush(s->out) || failed(s, s->out->error, "write");
}

void seal_content(const struct source *content, int output, const struct seal_order *order,
    const struct seal_limits *limits, const struct seal_tables *tables, struct seal_result *result)
{
	struct sealing s = {.content = content,
	    .order = order,
	    .limits = limits,
	    .tables = tables,
	    .result = result};

	*result = (struct seal_result){.end = SEAL_DONE};
	buf_init(&s.header, limits->header);
	buf_init(&s.outer, 2 * limits->header + 1024);
	buf_init(&s.inner, limits->header + 1024);
	for (size_t i = 0; i < BODY_CHANGES; i++)
		buf_init(&s.part_header[i], 2 * limits->header + 1024);
	s.out = malloc(sizeof *s.out);
	if (s.out == NULL) {
		(void)end(&s, SEAL_LATER, "memory");
	} else {
		s.out->fd = output;
		s.out->size = 0;
		s.out->error = 0;
		s.out->used = 0;
		if (seal(&s))
			result->size = s.out->size;
	}

	free(s.out);
	body_plan_free(&s.plan);
	mime_tree_free(&s.tree);
	buf_free(&s.header);
	buf_free(&s.outer);
	buf_free(&s.inner);
	for (size_t i = 0; i < BODY_CHANGES; i++)
		buf_free(&s.part_header[i]);
}
