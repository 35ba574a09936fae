#include "lib/shell/filter.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/hex.h"
#include "lib/shell/out.h"
#include "lib/shell/since.h"

#define RULE_MAX ((size_t)1024)

void filter_init(struct filter *f)
{
	*f = (struct filter){
	    .accepted_from = INT64_MIN, .accepted_until = INT64_MAX, .due_until = DUE_NONE};
	buf_init(&f->rule, RULE_MAX);
}

void filter_free(struct filter *f)
{
	buf_free(&f->rule);
}

/* ---- what is asked ------------------------------------------------------------------------ */

bool option_value(int argc, char **argv, int *at, const char *name, char **value)
{
	const char *word = argv[*at];
	size_t len = strlen(name);

	if (strncmp(word, "--", 2) != 0 || strncmp(word + 2, name, len) != 0 ||
	    (word[2 + len] != '\0' && word[2 + len] != '='))
		return false;
	if (word[2 + len] == '=')
		*value = argv[*at] + 2 + len + 1;
	else
		*value = *at + 1 < argc ? argv[++*at] : NULL;
	if (*value != NULL && (*value)[0] == '\0')
		*value = NULL;
	if (*value == NULL)
		complain("--%s needs a value", name);
	return true;
}

/* "alice@example.co.jp", "@example.co.jp"; "<>" is the null sender. */
static int take_address(struct filter_address *a, const char *option, const char *text)
{
	char whole[ORG_ADDRESS_MAX], normal[ORG_ADDRESS_MAX];
	bool domain = text[0] == '@';

	a->set = true;
	a->text[0] = '\0';
	if (strcmp(text, "<>") == 0)
		return EXIT_FINE;
	(void)snprintf(whole, sizeof whole, "%s%s", domain ? "x" : "", text);
	if (strlen(text) + 1 >= sizeof whole || !org_normal(whole, normal))
		return complain_usage(
		    "%s: an address is expected, or @ and a domain: alice@example.co.jp, "
		    "@example.co.jp",
		    option);
	(void)snprintf(a->text, sizeof a->text, "%s", normal + (domain ? 1 : 0));
	return EXIT_FINE;
}

/* Since when, as --since of find has it. */
static int take_moment(int64_t *moment, const char *option, const char *text)
{
	*moment = since_parse(text, clock_wall());
	if (*moment >= 0)
		return EXIT_FINE;
	return complain_usage("%s is like 30m, 2h, 3d, 2026-11-22 or 2026-11-22T09:35:01Z", option);
}

static int take_due(struct filter *f, const char *text)
{
	int64_t now = clock_wall(), span = span_parse(text), end;

	if (span < 0)
		return complain_usage("--due-within is like 30m, 2h, 3d");
	f->due_until = __builtin_add_overflow(now, span, &end) ? DUE_NEVER - 1 : end / CLOCK_SECOND;
	return EXIT_FINE;
}

/* As records have it, so that nothing has to be decoded to compare. */
static int take_rule(struct filter *f, const char *text)
{
	buf_clear(&f->rule);
	buf_add_xtext(&f->rule, text, strlen(text));
	return buf_ok(&f->rule) ? EXIT_FINE : complain_usage("--rule: too long");
}

static int take_group(struct filter *f, const char *text)
{
	unsigned char bytes[8];

	if (strlen(text) != sizeof f->group - 1 || !hex_decode(text, bytes, sizeof bytes))
		return complain_usage("--group: 16 hex digits are expected, as the about record of "
				      "seki show has them");
	(void)snprintf(f->group, sizeof f->group, "%s", text);
	return EXIT_FINE;
}

bool filter_state(struct filter *f, const char *name)
{
	static const char *const known[] = {"new", "approve", "hold", "encrypt", "stagger",
	    "deliver", "sent", "trash", "refused", "bad"};
	enum spool_state state;
	const char *near;

	if (state_by_name(name, &state) && (STATES_LISTED & STATE_BIT(state)) != 0) {
		f->states |= STATE_BIT(state);
		return true;
	}
	near = conf_near(name, known, COUNT_OF(known), sizeof known[0]);
	complain_about(name,
	    "no such state%s%s; the states are new approve hold encrypt stagger deliver sent trash "
	    "refused bad",
	    near != NULL ? "; near: " : "", near != NULL ? near : "");
	return false;
}

enum { SENDER, TO, RULE, GROUP, OLDER, YOUNGER, DUE_WITHIN, STATE };

static int take(struct filter *f, unsigned which, const char *value)
{
	f->any = f->any || which != STATE;
	switch (which) {
	case SENDER:
		return take_address(&f->sender, "--sender", value);
	case TO:
		return take_address(&f->to, "--to", value);
	case RULE:
		return take_rule(f, value);
	case GROUP:
		return take_group(f, value);
	case OLDER:
		return take_moment(&f->accepted_until, "--older", value);
	case YOUNGER:
		return take_moment(&f->accepted_from, "--younger", value);
	case DUE_WITHIN:
		return take_due(f, value);
	default:
		return filter_state(f, value) ? EXIT_FINE : EXIT_USAGE;
	}
}

int filter_option(struct filter *f, int argc, char **argv, int *at)
{
	static const char *const options[] = {[SENDER] = "sender",
	    [TO] = "to",
	    [RULE] = "rule",
	    [GROUP] = "group",
	    [OLDER] = "older",
	    [YOUNGER] = "younger",
	    [DUE_WITHIN] = "due-within",
	    [STATE] = "state"};
	char *value = NULL;

	for (unsigned i = 0; i < COUNT_OF(options); i++) {
		if (option_value(argc, argv, at, options[i], &value))
			return value != NULL ? take(f, i, value) : EXIT_USAGE;
	}
	return EXIT_NO;
}

/* ---- whether it fits ---------------------------------------------------------------------- */

bool filter_name(const struct filter *f, const struct entry *e)
{
	if (f->any && (e->foreign || e->state == STATE_BAD))
		return false;
	return f->due_until == DUE_NONE || (e->due != DUE_NONE && e->due <= f->due_until);
}

bool filter_needs_leg(const struct filter *f)
{
	return f->sender.set || f->to.set || f->rule.len > 0 || f->group[0] != '\0' ||
	       f->accepted_from != INT64_MIN || f->accepted_until != INT64_MAX;
}

static bool fits_address(const struct filter_address *a, const char *address)
{
	char normal[ORG_ADDRESS_MAX];
	const char *domain;

	(void)!org_normal(address, normal);
	if (a->text[0] != '@')
		return strcmp(a->text, normal) == 0;
	domain = strrchr(normal, '@');
	return domain != NULL && strcmp(a->text, domain) == 0;
}

static bool fits_rcpts(const struct filter_address *a, const struct leg *leg)
{
	for (size_t i = 0; i < leg->rcpts; i++) {
		if (leg->rcpt[i].fate != RCPT_DROPPED && fits_address(a, leg->rcpt[i].address))
			return true;
	}
	return false;
}

/* "must/50-outsiders:12" by all of it, or by the file alone; a name by all of it. */
static bool fits_rule(const struct buf *rule, const char *value, size_t len)
{
	return value != NULL && len >= rule->len && memcmp(value, rule->bytes, rule->len) == 0 &&
	       (len == rule->len || (value[rule->len] == ':' && memchr(value + rule->len + 1, ':',
								    len - rule->len - 1) == NULL));
}

static bool record_fits_rule(const struct buf *rule, const struct leg_record *record)
{
	size_t len = 0;
	const char *value;

	/* What was only noted decided nothing. */
	if (leg_record_value(record, "shadow", &len) != NULL ||
	    leg_record_value(record, "watch", &len) != NULL)
		return false;
	value = leg_record_value(record, "rule", &len);
	if (fits_rule(rule, value, len))
		return true;
	value = leg_record_value(record, "name", &len);
	return fits_rule(rule, value, len);
}

/* What its last judgement decided, what its plan says, or what refused it. */
static bool fits_rules(const struct buf *rule, const struct leg *leg)
{
	struct leg_record record;
	size_t at = 0, len = 0;
	bool found = false;

	while (leg_next_record(leg, &at, &record)) {
		if (leg_record_is(&record, "judged"))
			found = false;
		else if (!found &&
			 (leg_record_is(&record, "decided") || leg_record_is(&record, "refused")))
			found = record_fits_rule(rule, &record);
	}
	for (size_t i = 0; i < leg->plan.steps && !found; i++) {
		const char *value = plan_argument(&leg->plan.step[i], "rule", &len);

		found = fits_rule(rule, value, len);
	}
	return found;
}

static bool fits_group(const char *group, const struct leg *leg)
{
	struct leg_record record;
	size_t at = 0, len = 0;
	const char *value;

	while (leg_next_record(leg, &at, &record)) {
		if (!leg_record_is(&record, "about"))
			continue;
		value = leg_record_value(&record, "group", &len);
		if (value != NULL && len == strlen(group) && memcmp(value, group, len) == 0)
			return true;
	}
	return false;
}

bool filter_leg(const struct filter *f, const struct leg *leg)
{
	if (leg->accepted < f->accepted_from || leg->accepted > f->accepted_until)
		return false;
	if (f->sender.set && !fits_address(&f->sender, leg->from))
		return false;
	if (f->to.set && !fits_rcpts(&f->to, leg))
		return false;
	if (f->rule.len > 0 && !fits_rules(&f->rule, leg))
		return false;
	return f->group[0] == '\0' || fits_group(f->group, leg);
}
