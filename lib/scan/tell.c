#include "lib/scan/tell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "queue/intake.h"

#define TOLD_MAX   ((size_t)256 * 1024) /* of one message; what is more is not told */
#define GROUPS_MAX ((size_t)64)

/* The groups of a sender, kept while they are told. */
struct groups {
	char *name[GROUPS_MAX];
	size_t n;
};

static bool take_group(void *context, const char *name, size_t len)
{
	struct groups *groups = context;

	if (groups->n == GROUPS_MAX)
		return false;
	groups->name[groups->n] = strndup(name, len);
	groups->n += groups->name[groups->n] != NULL;
	return true;
}

static void put_groups(struct buf *lines, const struct org *org, const struct leg *leg, int64_t now)
{
	char sender[ORG_ADDRESS_MAX];
	struct groups groups = {.n = 0};

	if (!org_normal(leg->from, sender))
		return;
	org_groups(org, sender, take_group, &groups);
	tray_put_member(lines, now, sender, (const char *const *)groups.name, groups.n);
	for (size_t i = 0; i < groups.n; i++)
		free(groups.name[i]);
}

/* Display names, by which a look-alike is known. */
static void put_names(struct buf *lines, const struct policy_case *c, int64_t now)
{
	struct past_question question = {.rcpts = 0};

	if (policy_past_question(c, &question)) {
		for (size_t i = 0; i < question.rcpts; i++) {
			if (question.rcpt[i].name[0] != '\0')
				tray_put_named(
				    lines, now, question.rcpt[i].address, question.rcpt[i].name);
		}
	}
	past_question_free(&question);
}

static bool is_held(const struct policy_judgement *j)
{
	for (size_t i = 0; i < j->groups; i++) {
		if (memmem(j->group[i].plan.bytes, j->group[i].plan.len, " hold ", 6) != NULL)
			return true;
	}
	return false;
}

static void put_decisions(struct buf *lines, const struct policy_judgement *j, int64_t now)
{
	for (size_t i = 0; i < j->decisions; i++) {
		const struct policy_decision *d = &j->decision[i];
		enum past_kind kind = d->shadow ? PAST_SHADOW : d->watched ? PAST_WATCH : PAST_DID;

		tray_put_decision(lines, kind, now, d->where, d->rule,
		    policy_function_word(d->function), d->outcome, d->rcpts);
	}
}

void tell_judged(struct scan *scan, const struct policy_case *c, const struct policy_judgement *j)
{
	int64_t now = clock_wall() / CLOCK_SECOND;
	struct buf lines;

	/* Where nobody rules there is nothing to report, and nothing to be slowed down by it. */
	if (intake_is_own(c->leg->client) ||
	    (c->policy->rules == 0 && c->settings->unknown_senders == UNKNOWN_RELAY))
		return;
	buf_init(&lines, TOLD_MAX);
	tray_put_judged(&lines, now, j->groups, j->refusal.refused, is_held(j));
	put_groups(&lines, c->policy->org, c->leg, now);
	put_decisions(&lines, j, now);
	if (c->facts != NULL && c->policy->asks_past)
		put_names(&lines, c, now);
	if (buf_ok(&lines) && !tray_add(scan->tray, lines.bytes, lines.len) &&
	    faults_tell(&scan->faults, HEARD_PAST, clock_boot()))
		LOG("not-told", kv("program", "seki-db"), kv_errno(errno));
	buf_free(&lines);
}
