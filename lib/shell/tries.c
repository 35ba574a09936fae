/* What the last tries to deliver a leg came to, in one line for all its recipients. */
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/shell/legs.h"

#define REPLY_SHOWN ((size_t)100) /* bytes of a reply in a table */

struct tries {
	size_t waiting;         /* recipients that are not finished */
	int64_t next;           /* microseconds; 0: at once */
	unsigned most;          /* tries */
	struct leg_record said; /* what was said last; text NULL: nothing yet */
};

/* Whoever is open is tried again; who has failed for good only waits for his sender to be told. */
static bool counts(const struct leg_rcpt *rcpt, bool open)
{
	return open ? rcpt->fate == RCPT_OPEN : rcpt->owed;
}

static bool any_open(const struct leg *leg)
{
	for (size_t i = 0; i < leg->rcpts; i++) {
		if (leg->rcpt[i].fate == RCPT_OPEN)
			return true;
	}
	return false;
}

/* False: no memory for the replies; the rest is there. */
static bool look(const struct leg *leg, struct tries *t)
{
	bool open = any_open(leg);
	struct leg_record *last = reallocarray(NULL, leg->rcpts, sizeof *last);

	*t = (struct tries){.next = INT64_MAX};
	if (last != NULL)
		leg_last_records(leg, open ? "deferred" : "failed", last);
	for (size_t i = 0; i < leg->rcpts; i++) {
		const struct leg_rcpt *rcpt = &leg->rcpt[i];

		if (!counts(rcpt, open))
			continue;
		t->waiting++;
		t->most = rcpt->tries > t->most ? rcpt->tries : t->most;
		t->next = rcpt->retry < t->next ? rcpt->retry : t->next;
		/* A record behind another stands behind it. */
		if (last != NULL && last[i].text != NULL &&
		    (t->said.text == NULL || last[i].text > t->said.text))
			t->said = last[i];
	}
	if (!open)
		t->next = 0;
	free(last);
	return last != NULL;
}

static void put_value(
    struct out *o, const char *key, const struct leg_record *record, const char *name, size_t most)
{
	size_t len = 0;
	const char *value = record->text != NULL ? leg_record_value(record, name, &len) : NULL;

	if (value != NULL)
		out_xtext_cut(o, key, value, len, most);
	else
		out_none(o, key);
}

void leg_tries(struct out *o, const struct found *f)
{
	struct tries t = {.waiting = 0};

	if (f == NULL || !f->read) {
		out_none(o, "next");
		out_none(o, "tries");
		out_none(o, "reply");
		out_none(o, "host");
		return;
	}
	if (!look(&f->leg, &t))
		complain("no memory for replies");
	out_time(o, "next", t.waiting > 0 && t.next > 0 ? t.next / CLOCK_SECOND : -1);
	out_number(o, "tries", t.most);
	put_value(o, "reply", &t.said, "reply", o->json ? SIZE_MAX : REPLY_SHOWN);
	put_value(o, "host", &t.said, "host", SIZE_MAX);
}
