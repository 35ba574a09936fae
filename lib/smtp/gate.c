#include "lib/smtp/gate.h"

#include <openssl/crypto.h>
#include <string.h>

#include "lib/mime/field.h"
#include "lib/mime/mailboxes.h"

void gate_init(struct gate *g, const struct gate_rules *rules)
{
	*g = (struct gate){.rules = rules};
	buf_init(&g->header, (size_t)rules->header_max + GATE_PIECE_MAX);
}

void gate_free(struct gate *g)
{
	buf_free(&g->header);
}

/* ---- senders ---- */

/* What the fields that name a sender have come to. */
struct senders {
	const struct gate_rules *rules;
	unsigned from;   /* fields */
	unsigned sender; /* fields */
	bool named;      /* an address was seen in From */
	bool in_from;
	bool foreign;
};

static bool see_sender(void *context, const char *address, size_t len)
{
	struct senders *s = context;

	if (s->in_from)
		s->named = true;
	if (people_owns(s->rules->people, s->rules->login, address, len))
		return true;
	s->foreign = true;
	return false;
}

static void look_at_sender(struct senders *s, const struct field *field)
{
	s->in_from = field_is(field, "From");
	if (!s->in_from && !field_is(field, "Sender"))
		return;
	if (s->in_from)
		s->from++;
	else
		s->sender++;
	if (mailboxes_read(field->body, field->body_len, see_sender, s) != MAILBOXES_OK)
		s->foreign = true;
}

/* Two fields, or none with an address: different programs would show different people. */
static bool is_foreign(const struct senders *s)
{
	return s->foreign || s->from != 1 || s->sender > 1 || !s->named;
}

/* ---- the secret of a shared source ---- */

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool has_value(const struct field *field, const char *value)
{
	const char *at = field->body;
	size_t len = field->body_len;
	size_t n = strlen(value);

	while (len > 0 && blank(*at)) {
		at++;
		len--;
	}
	while (len > 0 && blank(at[len - 1]))
		len--;
	return len == n && CRYPTO_memcmp(at, value, n) == 0;
}

/* ---- the whole ---- */

/* What is looked for in one pass over the header. */
struct look {
	struct senders senders;
	const char *secret; /* the name of the field, or NULL */
	const char *value;
	bool proven;
	size_t received;
	size_t marks;
	size_t kept; /* bytes of the header that stay, moved to its front */
};

static void look_at(struct look *l, const struct gate_rules *rules, const struct field *field)
{
	if (rules->login != NULL && field->name_len == 0)
		l->senders.foreign = true; /* no field to us; somebody may read a sender in it */
	else if (rules->login != NULL)
		look_at_sender(&l->senders, field);
	if (field_is(field, "Received")) {
		l->received++;
		if (rules->loop != NULL)
			l->marks += loop_marks_in(rules->loop, field->body, field->body_len);
	}
}

/* Moves what lies between the last field that was taken out and `to` to its place. */
static void keep(struct look *l, char *header, size_t from, size_t to)
{
	if (l->kept != from)
		memmove(header + l->kept, header + from, to - from);
	l->kept += to - from;
}

static enum gate_fault verdict(const struct look *l, const struct gate_rules *rules)
{
	if (l->secret != NULL && !l->proven)
		return GATE_UNPROVEN;
	if (l->received > (size_t)rules->received_max || l->marks >= (size_t)rules->loop_passes)
		return GATE_LOOP;
	if (rules->login != NULL && is_foreign(&l->senders))
		return GATE_FOREIGN;
	return GATE_FINE;
}

/*
 * Judges the first `end` bytes of what is held, and takes the fields with the secret out of them,
 * the wrong ones too: none of them is anybody's business behind us.
 */
static void judge(struct gate *g, size_t end)
{
	const struct gate_rules *rules = g->rules;
	struct look l = {.senders = {.rules = rules}};
	char *header = g->header.bytes;
	size_t at = 0, from = 0;
	struct field field;

	if (rules->source != NULL)
		l.secret = relay_secret(rules->relay, rules->source, &l.value);
	while (field_next(header, end, &at, &field)) {
		if (l.secret != NULL && field_is(&field, l.secret)) {
			l.proven = l.proven || has_value(&field, l.value);
			keep(&l, header, from, field.start);
			from = field.end;
		} else {
			look_at(&l, rules, &field);
		}
	}
	keep(&l, header, from, g->header.len);
	g->header.len = l.kept;
	g->fault = verdict(&l, rules);
}

/* Whether a line among the bytes is longer than it may be. */
static bool long_line(struct gate *g, const char *bytes, size_t len)
{
	const char *end = bytes + len;

	while (bytes < end) {
		const char *lf = memchr(bytes, '\n', (size_t)(end - bytes));
		const char *stop = lf != NULL ? lf : end;

		g->line += stop - bytes;
		if (g->line > g->rules->line_max + 1) /* and its CR */
			return true;
		if (lf == NULL)
			return false;
		g->line = 0;
		bytes = lf + 1;
	}
	return false;
}

/* Holds the bytes back, and judges when the header is whole. */
static void hold_back(struct gate *g, const char *bytes, size_t len, bool end)
{
	size_t room = (size_t)g->rules->header_max;
	size_t whole;

	buf_add(&g->header, bytes, len);
	if (!buf_ok(&g->header)) {
		g->fault = GATE_NO_MEMORY;
		return;
	}
	whole = header_end(g->header.bytes, g->header.len, &g->scanned);
	if (whole == 0 && end)
		whole = g->header.len;
	if ((whole == 0 ? g->header.len : whole) > room) {
		g->fault = GATE_TOO_LARGE;
	} else if (whole > 0 || end) {
		g->open = true;
		judge(g, whole);
	}
}

bool gate_take(struct gate *g, const char *bytes, size_t len, bool end, const char **head,
    size_t *head_len, const char **rest, size_t *rest_len)
{
	bool was_open = g->open;

	*head = *rest = NULL;
	*head_len = *rest_len = 0;
	if (long_line(g, bytes, len))
		g->fault = GATE_LINE;
	if (g->fault != GATE_FINE && g->fault != GATE_FOREIGN)
		return false;
	if (was_open) {
		*rest = bytes;
		*rest_len = len;
		return len > 0;
	}

	hold_back(g, bytes, len, end);
	if (!g->open || (g->fault != GATE_FINE && g->fault != GATE_FOREIGN))
		return false;
	*head = g->header.bytes;
	*head_len = g->header.len;
	return g->header.len > 0;
}
