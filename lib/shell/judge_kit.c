#include "lib/shell/judge_kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/xtext.h"
#include "lib/shell/fate.h"
#include "lib/shell/inspector.h"
#include "queue/intake.h"

#define ROUNDS                                                                                     \
	6 /* facts, the past, the past once more with the names in the facts; and no end is a bug */

struct judge_kit {
	const struct settings *settings;
	const struct policy *policy;
	bool offline;
	struct inspector *inspector; /* asked what the rules ask */
	struct inspector *reader;    /* asked for addresses alone */
};

struct judge_kit *judge_kit_new(
    const struct settings *settings, const struct policy *policy, bool offline)
{
	struct judge_kit *kit = calloc(1, sizeof *kit);

	if (kit != NULL)
		*kit =
		    (struct judge_kit){.settings = settings, .policy = policy, .offline = offline};
	return kit;
}

void judge_kit_free(struct judge_kit *kit)
{
	if (kit == NULL)
		return;
	inspector_close(kit->inspector);
	inspector_close(kit->reader);
	free(kit);
}

/* ---- facts -------------------------------------------------------------------------------- */

/*
 * The same file by a descriptor that can only be read: an inspector takes no other. -1 with errno; the
 * caller closes it.
 */
static int only_to_read(int fd)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool take_facts(void *context, const char *lines, size_t len)
{
	facts_lines(context, lines, len);
	return true;
}

static bool start_inspector(struct judge_kit *kit)
{
	struct buf ask;

	if (kit->inspector != NULL)
		return true;
	buf_init(&ask, INSPECTOR_QUESTIONS);
	policy_ask(kit->policy, &ask);
	inspector_limits(&ask, kit->settings);
	kit->inspector = inspector_open(kit->settings, &ask);
	buf_free(&ask);
	return kit->inspector != NULL;
}

/* The facts of the message. NULL after a complaint. */
static struct facts *inspect(
    struct judge_kit *kit, const struct judge_case *c, struct judged *judged)
{
	const char **rcpt = reallocarray(NULL, c->leg->rcpts, sizeof *rcpt);
	struct facts *facts = start_inspector(kit) ? facts_new() : NULL;
	struct inspect_message message = {
	    .content = *c->content, .from = c->leg->from, .rcpts = c->leg->rcpts};
	enum inspect_result result = INSPECT_REFUSED;
	char fault[256] = "no memory, or the message cannot be opened";

	message.content.fd = only_to_read(c->content->fd);
	if (facts != NULL && rcpt != NULL && message.content.fd >= 0) {
		for (size_t i = 0; i < c->leg->rcpts; i++)
			rcpt[i] = c->leg->rcpt[i].address;
		message.rcpt = rcpt;
		result = inspect_ask(inspector_client(kit->inspector), &message, take_facts, facts,
		    fault, sizeof fault);
	}
	free(rcpt);
	if (message.content.fd >= 0)
		(void)close(message.content.fd);
	if (result == INSPECT_REFUSED) {
		if (kit->inspector != NULL)
			complain_about("seki-inspect", "%s", fault);
		facts_free(facts);
		return NULL;
	}
	judged->inspected = true;
	judged->cut = result == INSPECT_CUT;
	facts_end(facts, result == INSPECT_TOLD);
	return facts;
}

/* ---- the past ----------------------------------------------------------------------------- */

/* Everything about the past is unknown in it. */
static const struct past nothing_known = {.registered = false};

static const struct past *ask_past(
    struct judge_kit *kit, const struct policy_case *c, struct judged *judged)
{
	struct past_question question;

	judged->past_asked = true;
	if (kit->offline || !policy_past_question(c, &question)) {
		judged->past_unknown = true;
		return &nothing_known;
	}
	past_free(judged->past);
	judged->past = past_ask(&question, kit->settings->past_time);
	past_question_free(&question);
	if (judged->past != NULL)
		return judged->past;
	judged->past_unknown = true;
	kit->offline = true; /* once is enough to wait for */
	return &nothing_known;
}

/*
 * Whether the sender counts as somebody, as seki-scan finds it out; but nobody is enrolled by a trial:
 * who would be counts as enrolled. What cannot be found out is no.
 */
static bool is_registered(struct judge_kit *kit, const struct judge_case *c)
{
	int64_t unknown = kit->settings->unknown_senders;
	char address[ORG_ADDRESS_MAX];
	struct org_person person;
	bool normal;

	if (intake_is_own(c->leg->client) || c->leg->from[0] == '\0')
		return true;
	normal = org_normal(c->leg->from, address);
	if (normal && org_person(kit->policy->org, address, &person))
		return true;
	if (unknown == UNKNOWN_RELAY)
		return false;
	if (c->past != NULL ? c->registered
			    : !kit->offline && normal &&
				  past_enrolled(address, false, kit->settings->past_time) == 1)
		return true;
	return normal && unknown == UNKNOWN_ENROL &&
	       org_class(kit->policy->org, address) == CLASS_INTERNAL;
}

/* ---- judging ------------------------------------------------------------------------------ */

enum judged_how judge_message(
    struct judge_kit *kit, const struct judge_case *c, struct judged *judged)
{
	struct policy_case policy_case = {
	    .settings = kit->settings,
	    .policy = kit->policy,
	    .leg = c->leg,
	    .since = c->since,
	};
	struct facts *facts = NULL;
	enum judged_how how = JUDGED_FAILED;

	*judged = (struct judged){.past = NULL};
	policy_case.unregistered = !is_registered(kit, c);
	if (kit->settings->plan_facts == PLAN_FACTS_YES && !intake_is_own(c->leg->client) &&
	    c->content != NULL) {
		policy_case.facts = facts = inspect(kit, c, judged);
		if (facts == NULL)
			return JUDGED_FAILED;
	}
	for (int round = 0; round < ROUNDS; round++) {
		enum policy_verdict verdict = policy_judge(&policy_case, &judged->judgement);

		if (verdict == POLICY_JUDGED) {
			how = JUDGED;
			break;
		}
		policy_judgement_free(&judged->judgement);
		judged->judgement = (struct policy_judgement){.groups = 0};
		if (verdict == POLICY_NEEDS_FACTS && facts == NULL) {
			if (c->content == NULL) {
				how = JUDGED_UNKNOWN;
				break;
			}
			policy_case.facts = facts = inspect(kit, c, judged);
			if (facts == NULL)
				break;
		} else if (verdict == POLICY_NEEDS_PAST) {
			policy_case.past =
			    c->past != NULL ? c->past : ask_past(kit, &policy_case, judged);
		} else {
			complain("a message cannot be judged: no memory");
			break;
		}
	}
	facts_free(facts);
	return how;
}

void judged_free(struct judged *judged)
{
	policy_judgement_free(&judged->judgement);
	past_free(judged->past);
	*judged = (struct judged){.past = NULL};
}

/* ---- what was decided --------------------------------------------------------------------- */

bool judged_concerns(const struct policy_decision *decision, size_t rcpt)
{
	size_t low = 0, high = decision->rcpts;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (decision->rcpt[middle] == rcpt)
			return true;
		if (decision->rcpt[middle] < rcpt)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

const char *judge_kit_class(const struct judge_kit *kit, const char *address)
{
	char normal[ORG_ADDRESS_MAX];

	(void)!org_normal(address, normal);
	return policy_class_word(org_class(kit->policy->org, normal));
}

const char *judged_plan(const struct judged *judged, size_t rcpt, size_t *len)
{
	const struct policy_judgement *j = &judged->judgement;

	for (size_t g = 0; g < j->groups; g++) {
		for (size_t i = 0; i < j->group[g].rcpts; i++) {
			if (j->group[g].rcpt[i] != rcpt)
				continue;
			*len = j->group[g].plan.len;
			return *len > 0 ? j->group[g].plan.bytes : "";
		}
	}
	*len = 0;
	return "";
}

void judged_fate(struct buf *fate, const struct judged *judged, size_t rcpt)
{
	const struct policy_refusal *refusal = &judged->judgement.refusal;
	size_t len = 0;
	const char *plan;

	if (refusal->refused) {
		buf_addf(fate, "refused: %s", refusal->why);
		return;
	}
	plan = judged_plan(judged, rcpt, &len);
	fate_add_lines(fate, plan, len);
}

struct verdict_line judged_line(const struct policy_decision *decision)
{
	const char *watched = decision->watched ? "watch-only" : NULL;

	return (struct verdict_line){
	    .function = policy_function_word(decision->function),
	    .outcome = decision->outcome,
	    .where = decision->where,
	    .rule = decision->rule,
	    .evidence = decision->evidence,
	    .would = decision->shadow ? "shadow" : watched,
	};
}

bool judged_print(struct out *o, const struct judge_kit *kit, const struct leg *leg,
    const struct judged *judged, const char *key, const char *value)
{
	const struct policy_judgement *j = &judged->judgement;
	struct verdict_line *line = calloc(j->decisions + 1, sizeof *line);
	struct buf fate;

	if (line == NULL) {
		complain("no memory");
		return false;
	}
	buf_init(&fate, FATE_TEXT);
	for (size_t i = 0; i < leg->rcpts; i++) {
		struct verdict v = {.key = key, .value = value, .address = leg->rcpt[i].address};

		for (size_t n = 0; n < j->decisions; n++) {
			const struct policy_decision *d = &j->decision[n];

			if (judged_concerns(d, i))
				line[v.lines++] = judged_line(d);
		}
		buf_clear(&fate);
		judged_fate(&fate, judged, i);
		buf_add(&fate, "", 1);
		v.class = judge_kit_class(kit, v.address);
		v.fate = buf_ok(&fate) ? fate.bytes : "";
		v.line = line;
		verdict_print(o, &v);
	}
	buf_free(&fate);
	free(line);
	return true;
}

/* ---- whom a message names ----------------------------------------------------------------- */

struct naming {
	struct addresses *from, *to;
	char line[4096];
};

/* The value of " KEY=" in a line of facts, decoded into `into`. False: there is none. */
static bool fact_value(
    const char *line, size_t len, const char *key, char *into, size_t room, size_t *n)
{
	size_t key_len = strlen(key);
	const char *end = line + len;

	for (const char *p = line; p < end && (p = memchr(p, ' ', (size_t)(end - p))) != NULL;) {
		const char *stop;

		p++;
		if ((size_t)(end - p) <= key_len || memcmp(p, key, key_len) != 0 ||
		    p[key_len] != '=')
			continue;
		p += key_len + 1;
		stop = memchr(p, ' ', (size_t)(end - p));
		if (stop == NULL)
			stop = end;
		return (size_t)(stop - p) <= room && xtext_decode(p, (size_t)(stop - p), into, n);
	}
	return false;
}

static void take_address(struct naming *naming, const char *line, size_t len)
{
	char field[32];
	size_t field_len = 0, n = 0;

	if (len < 8 || memcmp(line, "address ", 8) != 0 ||
	    !fact_value(line, len, "field", field, sizeof field - 1, &field_len) ||
	    !fact_value(line, len, "address", naming->line, sizeof naming->line, &n) || n == 0)
		return;
	field[field_len] = '\0';
	if (strcmp(field, "from") == 0)
		addresses_add(naming->from, naming->line, n);
	else if (strcmp(field, "to") == 0 || strcmp(field, "cc") == 0 || strcmp(field, "bcc") == 0)
		addresses_add(naming->to, naming->line, n);
}

static bool take_addresses(void *context, const char *lines, size_t len)
{
	const char *newline;

	while ((newline = memchr(lines, '\n', len)) != NULL) {
		size_t n = (size_t)(newline - lines);

		take_address(context, lines, n);
		lines += n + 1;
		len -= n + 1;
	}
	return true;
}

bool judge_kit_addresses(struct judge_kit *kit, const struct source *content,
    struct addresses *from, struct addresses *to)
{
	struct naming *naming = malloc(sizeof *naming);
	struct inspect_message message = {.content = *content};
	char fault[256];
	struct buf ask;
	bool good = false;

	message.content.fd = only_to_read(content->fd);

	if (naming != NULL && kit->reader == NULL) {
		buf_init(&ask, INSPECTOR_QUESTIONS);
		buf_add_text(&ask, "want addresses\n");
		inspector_limits(&ask, kit->settings);
		kit->reader = inspector_open(kit->settings, &ask);
		buf_free(&ask);
	}
	if (naming != NULL && kit->reader != NULL && message.content.fd >= 0) {
		naming->from = from;
		naming->to = to;
		good = inspect_ask(inspector_client(kit->reader), &message, take_addresses, naming,
			   fault, sizeof fault) != INSPECT_REFUSED;
		if (!good)
			complain_about("seki-inspect", "%s", fault);
	}
	if (message.content.fd >= 0)
		(void)close(message.content.fd);
	free(naming);
	return good && !from->failed && !to->failed;
}
