#include "lib/hold/siblings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"

#define RECORD_MAX   ((size_t)8192)
#define SIBLINGS_MAX ((size_t)10000)

struct sibling {
	enum spool_state state;
	struct leg_name name;
};

struct siblings {
	const struct leg_name *of;
	enum spool_state state; /* that is being listed */
	struct sibling *at;
	size_t n, room;
	bool failed;
};

static bool note(struct siblings *s, enum spool_state state, const struct leg_name *name)
{
	if (name_same_leg(name, s->of))
		return true;
	for (size_t i = 0; i < s->n; i++) {
		if (name_same_leg(&s->at[i].name, name))
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
	s->at[s->n++] = (struct sibling){state, *name};
	return true;
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

static bool see_copy(void *context, enum spool_state state, const struct leg_name *name)
{
	struct siblings *s = context;

	if (state != STATE_APPROVE && state != STATE_HOLD)
		return true;
	return note(s, state, name);
}

/* The index may know an old name of one that was listed: the listed one counts, for it comes first. */
static bool find(struct hold *h, struct siblings *s)
{
	static const enum spool_state states[] = {STATE_APPROVE, STATE_HOLD};

	for (size_t i = 0; i < COUNT_OF(states) && !s->failed; i++) {
		s->state = states[i];
		if (!spool_list(&h->stage->spool, s->state, see_name, s))
			s->failed = true;
	}
	if (!s->failed)
		index_of_message(h->index, s->of->id, see_copy, s);
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

/* Whether the mail of another id is a copy: of the same sender, whatever the index says of it. */
static bool is_of(const struct leg *leg, const struct leg *other)
{
	return leg->verdict == LEG_STANDS && !leg->emptied && strcmp(leg->from, other->from) == 0;
}

static bool remove_in(struct hold *h, const struct order *order, const struct sibling *sibling,
    const struct leg *other)
{
	struct order here = *order;
	struct stage_opened o;
	struct buf text;
	const char *record;
	bool done = true;

	here.state = sibling->state;
	here.name = sibling->name;
	switch (stage_read(h->stage, sibling->state, &sibling->name, &o)) {
	case STAGE_OPEN_ACT:
		break;
	case STAGE_OPEN_AGAIN:
		return false;
	case STAGE_OPEN_GONE: /* it has left, or was decided */
		return true;
	}
	buf_init(&text, RECORD_MAX);
	buf_addf(&text, "removed address=%s by=%s via=%s", order->rcpt, order->by, order->via);
	buf_add(&text, "", 1);
	if (is_of(&o.leg, other)) {
		record = text.bytes;
		done = buf_ok(&text) &&
		       order_stay(h->stage, &here, &o, &record, 1, stage_now(h->stage)).result ==
			   ORDER_DONE;
	}
	buf_free(&text);
	leg_free(&o.leg);
	(void)close(o.fd);
	return done;
}

bool siblings_remove(struct hold *h, const struct order *order, const struct leg *removed_from)
{
	struct siblings s = {.of = &removed_from->name};
	char id[NAME_TEXT];
	bool done = find(h, &s);

	for (size_t i = 0; i < s.n; i++)
		done &= remove_in(h, order, &s.at[i], removed_from);
	free(s.at);
	if (done)
		return true;
	name_format(&removed_from->name, STATE_NEW, id);
	LOG_ALARM("copies-not-rewritten", kv("id", id), kv_errno(errno));
	return false;
}
