#include "lib/seal/header.h"

#include <string.h>
#include <strings.h>

#include "lib/mime/field.h"
#include "lib/mime/param.h"
#include "lib/seal/recipients.h"

#define NOBODY "To: undisclosed-recipients:;\r\n"

struct writing {
	const char *header;
	const struct header_change *change;
	struct buf *out, *inner;
	size_t *removed;
	enum header_end end;
	bool addressed; /* a To, Cc or Bcc is left */
	bool emptied;   /* one was taken out, */
	size_t hole;    /* which stood there in `out` */
	bool has_version, has_type, has_encoding;
	bool eightbit; /* the encoding of the whole was 8bit or binary */
};

/* A CR, LF or NUL by itself, where programs may see another field. */
static bool has_stray(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool line_end = text[i] == '\r' && i + 1 < len && text[i + 1] == '\n';

		if (text[i] == '\0' || text[i] == '\n' || (text[i] == '\r' && !line_end))
			return true;
		i += line_end;
	}
	return false;
}

static bool starts(const struct field *field, const char *with)
{
	return field->name_len > strlen(with) && strncasecmp(field->name, with, strlen(with)) == 0;
}

static void keep(struct writing *w, const struct field *field)
{
	buf_add(w->out, w->header + field->start, field->end - field->start);
}

/* The field with another body. */
static void replace(struct writing *w, const struct field *field, const struct buf *body)
{
	buf_add(
	    w->out, w->header + field->start, (size_t)(field->body - (w->header + field->start)));
	buf_add(w->out, body->bytes, body->len);
	buf_add_text(w->out, "\r\n");
}

/* ---- recipients ---- */

static bool has_recipients(const struct field *field, bool *own)
{
	static const char *const names[] = {"To", "Cc", "Bcc", "Apparently-To", "Resent-To",
	    "Resent-Cc", "Resent-Bcc", "Reply-To", "Mail-Followup-To", "Mail-Reply-To", "X-To",
	    "X-Cc", "Delivered-To", "X-Original-To", "Envelope-To"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (field_is(field, names[i])) {
			*own = i < 3;
			return true;
		}
	}
	return false;
}

/*
 * Whether a field that is no list of recipients may name anybody: who wrote the mail, what its author says
 * in his own words, and what servers and signatures say of its way. Of what else there is, mostly written by
 * programs for programs, nobody knows who is shown it: one that names somebody who was taken away is taken
 * away with him.
 */
static bool may_name(const struct field *field)
{
	static const char *const names[] = {"From", "Sender", "Resent-From", "Resent-Sender",
	    "Return-Path", "Received", "DKIM-Signature", "Authentication-Results", "Subject",
	    "Comments", "Keywords", "Message-ID", "References", "In-Reply-To", "MIME-Version"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (field_is(field, names[i]))
			return true;
	}
	return field->name_len == 0 || starts(field, "Content-") || starts(field, "ARC-");
}

static bool names_one(const struct writing *w, const struct field *field)
{
	const struct seal_order *order = w->change->order;

	return order != NULL &&
	       recipients_shown(field->body, field->body_len, order->remove, order->removes);
}

static void take_out(struct writing *w, const struct field *field, bool own)
{
	const struct seal_order *order = w->change->order;
	struct buf body;

	buf_init(&body, field->body_len + 1);
	switch (recipients_take_out(
	    field->body, field->body_len, order->remove, order->removes, &body, w->removed)) {
	case RECIPIENTS_SAME:
		keep(w, field);
		w->addressed |= own;
		break;
	case RECIPIENTS_LEFT:
		replace(w, field, &body);
		w->addressed |= own;
		break;
	case RECIPIENTS_NONE:
		if (own && !w->emptied) {
			w->emptied = true;
			w->hole = w->out->len;
		}
		break;
	case RECIPIENTS_UNCLEAR:
		w->end = HEADER_UNCLEAR;
		break;
	case RECIPIENTS_NO_MEMORY:
		w->end = HEADER_NO_MEMORY;
		break;
	}
	buf_free(&body);
}

/* A message has a field of recipients (RFC 5322 allows none, many receivers do not). */
static void name_nobody(struct writing *w)
{
	size_t len = sizeof NOBODY - 1, behind;
	char *room;

	if (!w->emptied || w->addressed || buf_reserve(w->out, len) == NULL)
		return;
	room = w->out->bytes + w->hole;
	behind = w->out->len - w->hole;
	memmove(room + len, room, behind);
	memcpy(room, NOBODY, len);
	w->out->len += len;
}

/* ---- the type ---- */

static bool is_charset(const struct param *p)
{
	return p->name_len == 7 && strncasecmp(p->name, "charset", 7) == 0;
}

/* Only a plain "charset=NAME", once, can be changed for sure. */
static void change_charset(struct writing *w, const struct field *field)
{
	const char *first, *value = NULL, *end = field->body + field->body_len;
	size_t first_len, len = 0;
	struct param_reader r =
	    param_open(field->body, field->body_len, PARAM_COMMENTS, &first, &first_len);
	struct param p;
	struct buf body;

	while (param_next(&r, &p)) {
		if (!is_charset(&p))
			continue;
		if (value != NULL || p.extended || p.piece >= 0 || p.value < field->body ||
		    p.value > end || p.value_len > (size_t)(end - p.value)) {
			w->end = HEADER_TYPE;
			return;
		}
		value = p.value;
		len = p.value_len;
	}
	if (r.flags != 0) {
		w->end = HEADER_TYPE;
		return;
	}

	buf_init(&body, field->body_len + 32);
	if (value != NULL) {
		buf_add(&body, field->body, (size_t)(value - field->body));
		buf_add_text(&body, "UTF-8");
		buf_add(&body, value + len, (size_t)(end - value) - len);
	} else {
		size_t used = field->body_len;

		while (used > 0 && memchr(" \t\r\n;", field->body[used - 1], 5) != NULL)
			used--;
		buf_add(&body, field->body, used);
		buf_add_text(&body, used > 0 ? "; charset=UTF-8" : " text/plain; charset=UTF-8");
	}
	if (buf_ok(&body))
		replace(w, field, &body);
	else
		w->end = HEADER_NO_MEMORY;
	buf_free(&body);
}

static void change_encoding(struct writing *w, const struct field *field)
{
	struct buf body;

	buf_init(&body, 64);
	buf_addf(&body, " %s", w->change->encoding);
	if (buf_ok(&body))
		replace(w, field, &body);
	else
		w->end = HEADER_NO_MEMORY;
	buf_free(&body);
}

static bool says_eightbit(const struct field *field)
{
	const char *at = field->body, *end = at + field->body_len;

	while (at < end && memchr(" \t\r\n", *at, 4) != NULL)
		at++;
	return (end - at >= 4 && strncasecmp(at, "8bit", 4) == 0) ||
	       (end - at >= 6 && strncasecmp(at, "binary", 6) == 0);
}

/* ---- all of it ---- */

static void take_field(struct writing *w, const struct field *field)
{
	const struct header_change *change = w->change;
	bool own = false;

	w->has_version |= field_is(field, "MIME-Version");
	if (change->order != NULL && has_recipients(field, &own)) {
		take_out(w, field, own);
	} else if (field->name_len == 0 && names_one(w, field)) {
		w->end = HEADER_UNCLEAR; /* no field, but some programs show it as one */
	} else if (!may_name(field) && names_one(w, field)) {
		(*w->removed)++;
	} else if (change->boundary != NULL && starts(field, "Content-")) {
		w->eightbit |= field_is(field, "Content-Transfer-Encoding") && says_eightbit(field);
		buf_add(w->inner, w->header + field->start, field->end - field->start);
	} else if (change->utf8 && field_is(field, "Content-Type")) {
		w->has_type = true;
		change_charset(w, field);
	} else if (change->encoding != NULL && field_is(field, "Content-Transfer-Encoding")) {
		w->has_encoding = true;
		change_encoding(w, field);
	} else {
		keep(w, field);
	}
}

/* The last field may have no line end of its own. */
static void end_line(struct buf *out)
{
	if (out->len >= 2 && memcmp(out->bytes + out->len - 2, "\r\n", 2) != 0)
		buf_add_text(out, "\r\n");
}

static void add_fields(struct writing *w)
{
	const struct header_change *change = w->change;
	bool changed = change->boundary != NULL || change->utf8 || change->encoding != NULL;

	if (changed)
		end_line(w->out);
	if (changed && change->message && !w->has_version)
		buf_add_text(w->out, "MIME-Version: 1.0\r\n");
	if (change->boundary != NULL) {
		end_line(w->inner);
		buf_addf(
		    w->out, "Content-Type: multipart/mixed; boundary=\"%s\"\r\n", change->boundary);
		if (w->eightbit)
			buf_add_text(w->out, "Content-Transfer-Encoding: 8bit\r\n");
		return;
	}
	if (change->utf8 && !w->has_type)
		buf_add_text(w->out, "Content-Type: text/plain; charset=UTF-8\r\n");
	if (change->encoding != NULL && !w->has_encoding)
		buf_addf(w->out, "Content-Transfer-Encoding: %s\r\n", change->encoding);
}

enum header_end header_write(const char *header, size_t len, const struct header_change *change,
    struct buf *out, struct buf *inner, size_t *removed)
{
	struct writing w = {.header = header,
	    .change = change,
	    .out = out,
	    .inner = inner,
	    .removed = removed,
	    .end = HEADER_FINE};
	struct field field;
	size_t at = 0;

	if (change->order != NULL && has_stray(header, len) &&
	    recipients_shown(header, len, change->order->remove, change->order->removes))
		return HEADER_UNCLEAR;
	while (w.end == HEADER_FINE && field_next(header, len, &at, &field))
		take_field(&w, &field);
	if (w.end != HEADER_FINE)
		return w.end;
	name_nobody(&w);
	add_fields(&w);
	buf_add(out, header + at, len - at); /* the empty line */
	if (at >= len && (change->boundary != NULL || change->utf8 || change->encoding != NULL))
		buf_add_text(out, "\r\n");
	return buf_ok(out) && (inner == NULL || buf_ok(inner)) ? HEADER_FINE : HEADER_NO_MEMORY;
}
