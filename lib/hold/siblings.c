#include "lib/hold/siblings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/hold/acting.h"

#define RECORD_MAX   ((size_t)8192)
#define SIBLINGS_MAX ((size_t)10000)

struct sibling {
	enum spool_state state;
	struct leg_name name;
	bool done;
};

struct siblings {
	const struct leg_name *of;
	enum spool_state state; /* that is being listed */
	struct sibling *at;
	size_t n, room;
	bool failed;
};

enum written { WRITTEN, NOT_WRITTEN, NOT_THERE };

/* ---- finding them ------------------------------------------------------------------------- */

static bool note(struct siblings *s, enum spool_state state, const struct leg_name *name)
{
	if (name_same_leg(name, s->of))
		return true;
	for (size_t i = 0; i < s->n; i++) {
		if (!name_same_leg(&s->at[i].name, name))
			continue;
		if (!s->at[i].done)
			s->at[i] = (struct sibling){state, *name, false};
		return true;
	}
	if (s->n == s->room) {
		size_t room = s->room == 0 ? 16 : 2 * s->room;
		struct sibling *more =
		    room <= SIBLINGS_MAX ? reallocarray(s->at, room, sizeof *more) : NULL;

		if (more == NULL) {
			s->failed = true;
			return false;
		}
		s->at = more;
		s->room = room;
	}
	s->at[s->n++] = (struct sibling){state, *name, false};
	return true;
}

static bool see_copy(void *context, enum spool_state state, const struct leg_name *name)
{
	struct siblings *s = context;

	if (state != STATE_APPROVE && state != STATE_HOLD)
		return true;
	return note(s, state, name);
}

static bool see_name(void *context, const char *text)
{
	struct siblings *s = context;
	struct leg_name name;

	if (strstr(text, s->of->id) == NULL || !name_parse(text, &name) ||
	    strcmp(name.id, s->of->id) != 0)
		return true;
	return note(s, s->state, &name);
}

/* By their names: for when the index does not know each leg yet, or knows an old name. */
static void list_names(struct hold *h, struct siblings *s)
{
	static const enum spool_state states[] = {STATE_APPROVE, STATE_HOLD};

	for (size_t i = 0; i < COUNT_OF(states) && !s->failed; i++) {
		s->state = states[i];
		if (!spool_list(&h->stage->spool, s->state, see_name, s))
			s->failed = true;
	}
}

static bool find(struct hold *h, struct siblings *s)
{
	bool unseen =
	    h->stage->background[STATE_APPROVE].n > 0 || h->stage->background[STATE_HOLD].n > 0;

	index_of_message(h->index, s->of->id, see_copy, s);
	if (unseen && !s->failed)
		list_names(h, s);
	return !s->failed;
}

bool siblings_busy(struct hold *h, const struct leg_name *name)
{
	struct stage *stage = h->stage;
	struct siblings s = {.of = name};
	bool busy = !find(h, &s);

	for (size_t i = 0; i < s.n && !busy && stage->role->in_hand != NULL; i++)
		busy = stage->role->in_hand(stage, &s.at[i].name);
	free(s.at);
	return busy;
}

/* ---- writing ------------------------------------------------------------------------------ */

/*
 * Of the same sender, whatever the index says. Where he is a recipient himself he keeps his copy, as his copy
 * names him: taking him away there is an order of its own.
 */
static bool loses_it(const struct leg *leg, const struct leg *other, const char *address)
{
	if (leg->verdict != LEG_STANDS || leg->emptied || strcmp(leg->from, other->from) != 0)
		return false;
	for (size_t i = 0; i < leg->rcpts; i++) {
		if (acting_meant(&leg->rcpt[i], address))
			return false;
	}
	return true;
}

static bool write_removed(struct hold *h, const struct order *order, struct stage_opened *o)
{
	struct buf text;
	const char *record;
	bool done;

	buf_init(&text, RECORD_MAX);
	buf_addf(&text, "removed address=%s by=%s via=%s", order->rcpt, order->by, order->via);
	buf_add(&text, "", 1);
	record = text.bytes;
	done = buf_ok(&text) && order_audit(h->stage, order, &o->leg, "remove-address") &&
	       order_stay(h->stage, order, o, &record, 1, o->leg.name.due).result == ORDER_DONE;
	buf_free(&text);
	return done;
}

static enum written remove_in(struct hold *h, const struct order *order,
    const struct sibling *sibling, const struct leg *other)
{
	char address[ORDER_RCPT_MAX + 1];
	struct order here = *order;
	struct stage_opened o;
	bool done = true;

	here.state = sibling->state;
	here.name = sibling->name;
	switch (stage_read(h->stage, sibling->state, &sibling->name, &o)) {
	case STAGE_OPEN_ACT:
		break;
	case STAGE_OPEN_AGAIN:
		return NOT_WRITTEN;
	case STAGE_OPEN_GONE:
		return NOT_THERE;
	}
	if (acting_rcpt(order, address) && loses_it(&o.leg, other, address))
		done = write_removed(h, &here, &o);
	leg_free(&o.leg);
	(void)close(o.fd);
	return done ? WRITTEN : NOT_WRITTEN;
}

/* Returns how many were not where they were looked for. */
static size_t remove_in_each(
    struct hold *h, const struct order *order, const struct leg *other, struct siblings *s)
{
	size_t missed = 0;

	for (size_t i = 0; i < s->n; i++) {
		enum written written =
		    s->at[i].done ? WRITTEN : remove_in(h, order, &s->at[i], other);

		s->at[i].done = written == WRITTEN;
		s->failed |= written == NOT_WRITTEN;
		missed += written == NOT_THERE;
	}
	return missed;
}

bool siblings_remove(struct hold *h, const struct order *order, const struct leg *removed_from)
{
	struct siblings s = {.of = &removed_from->name};
	char id[NAME_TEXT];

	/* What is not where the index knew it is looked for by name; not there either, it has left. */
	if (find(h, &s) && remove_in_each(h, order, removed_from, &s) > 0) {
		list_names(h, &s);
		(void)remove_in_each(h, order, removed_from, &s);
	}
	free(s.at);
	if (!s.failed)
		return true;
	name_format(&removed_from->name, STATE_NEW, id);
	LOG_ALARM("copies-not-rewritten", kv("id", id));
	return false;
}
