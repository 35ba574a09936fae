/*
 * What a person is to look at, whatever rules say. It is the first step, so that nobody is asked about
 * mail that an operator may yet throw away, and one step, so that one release ends it. The worst
 * reason is the one that is told: whoever releases all that waits for why=foreign-sender does not
 * mean to release a virus.
 */
#include <string.h>

#include "lib/base/xtext.h"
#include "lib/policy/inside.h"

#define WHY_MAX ((size_t)256) /* of hold=, as written */

/* hold=WORD of the client line, behind `key`. What is no xtext, or too long, is still a wish. */
static void add_door(struct buf *plan, const char *key, const char *text, size_t len)
{
	char why[WHY_MAX];
	size_t decoded = 0;

	if (len > sizeof why || !xtext_decode(text, len, why, &decoded))
		decoded = 0;
	buf_addf(plan, " %s=", key);
	if (decoded > 0)
		buf_add_xtext(plan, why, decoded);
	else
		buf_add_text(plan, "unknown");
}

static void add_reason(struct buf *plan, const char *why, const char *reason)
{
	buf_addf(plan, " why=%s reason=%s", why, reason[0] != '\0' ? reason : "unknown");
}

/* The worst of what the facts say against a message. */
static void add_against(struct buf *plan, const struct facts_against *against)
{
	if (against->virus)
		buf_add_text(plan, " why=virus");
	else if (against->uninspectable)
		add_reason(plan, "uninspectable", against->reason);
	else
		add_reason(plan, "ambiguous", against->ambiguity);
}

static const struct facts_against *against_of(const struct policy_case *c)
{
	const struct facts_against *against;

	if (c->facts == NULL || c->settings->plan_facts != PLAN_FACTS_YES)
		return NULL;
	against = facts_against(c->facts);
	return against->virus || against->uninspectable || against->ambiguous ? against : NULL;
}

/* With enrol, too: who could be enrolled is registered by now. */
static bool is_unknown_sender(const struct policy_case *c)
{
	return c->unregistered && c->settings->watch_only == WATCH_ONLY_NO &&
	       (c->settings->unknown_senders == UNKNOWN_HOLD ||
		   c->settings->unknown_senders == UNKNOWN_ENROL);
}

bool wants_operator(const struct policy_case *c)
{
	size_t len;

	return is_unknown_sender(c) || leg_param(c->leg->client, "hold", &len) != NULL;
}

bool add_operator(struct buf *plan, const struct policy_case *c, const struct operator_wish *wish)
{
	const struct facts_against *against = against_of(c);
	bool unknown = is_unknown_sender(c);
	size_t len = 0;
	const char *door = leg_param(c->leg->client, "hold", &len);

	if (against == NULL && wish->why == NULL && !unknown && door == NULL)
		return false;
	buf_add_text(plan, " hold operator");
	if (against != NULL)
		add_against(plan, against);
	else if (wish->why != NULL)
		buf_addf(plan, " why=%s", wish->why);
	else if (unknown)
		buf_add_text(plan, " why=unknown-sender");
	if (against == NULL && wish->why != NULL && wish->reason != NULL)
		buf_addf(plan, " reason=%s", wish->reason);
	if (door != NULL)
		add_door(plan, against != NULL || wish->why != NULL || unknown ? "door" : "why",
		    door, len);
	if (wish->why != NULL && wish->where != NULL)
		buf_addf(plan, " rule=%s", wish->where);
	buf_add_text(plan, "\n");
	return true;
}
