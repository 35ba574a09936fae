/* Who somebody is: addresses against what rules say about them. */
#include <string.h>

#include "lib/policy/inside.h"

/* ---- subjects ----------------------------------------------------------------------------- */

static const char *domain_in(const char *address)
{
	const char *at = strrchr(address, '@');

	return at != NULL ? at + 1 : "";
}

/*
 * "alice+tag@…" without its detail: at our own domains it is alice. A quoted local part has none. NULL:
 * there is none.
 */
static const char *without_detail(struct judging *j, const struct subject *s)
{
	size_t len = strcspn(s->address, "+@");
	char plain[ORG_ADDRESS_MAX];

	if (len == 0 || s->address[len] != '+' || s->address[0] == '"' || s->domain[0] == '\0' ||
	    s->class != CLASS_INTERNAL)
		return NULL;
	memcpy(plain, s->address, len);
	plain[len] = '@';
	(void)stpcpy(plain + len + 1, s->domain);
	return judge_text(j, plain, strlen(plain));
}

void subject_of(struct judging *j, const char *address, struct subject *s)
{
	char normal[ORG_ADDRESS_MAX];
	struct org_person person;
	const char *plain;

	/* One that has no normal form is still the same as itself. */
	(void)!org_normal(address, normal);
	*s = (struct subject){.address = judge_text(j, normal, strlen(normal))};
	s->domain = domain_in(s->address);
	s->class = org_class(j->org, s->address);
	plain = without_detail(j, s);
	s->plain = plain != NULL ? plain : s->address;
	s->own = s->plain;
	if (s->address[0] != '\0' && org_person(j->org, s->address, &person)) {
		s->own = judge_text(j, person.address, person.len);
		s->person = true;
	}
}

bool subject_same(const struct subject *a, const struct subject *b)
{
	return strcmp(a->own, b->own) == 0;
}

uint32_t subject_partner(const struct judging *j, struct subject *s)
{
	if (!s->known_partner) {
		s->partner =
		    s->domain[0] != '\0' ? org_partner(j->org, s->domain) : ORG_PARTNER_NONE;
		s->known_partner = true;
	}
	return s->partner;
}

struct subject *header_subjects(struct judging *j)
{
	size_t n = j->facts->addresses.n;

	if (j->header == NULL)
		j->header = judge_take(j, n + 1, sizeof *j->header);
	else
		return j->header;
	for (size_t i = 0; j->header != NULL && i < n; i++)
		subject_of(j, j->facts->addresses.at[i].address, &j->header[i]);
	return j->header;
}

enum fact_field field_of(const char *name)
{
	static const char *const names[] = {[FIELD_FROM] = "from",
	    [FIELD_REPLY_TO] = "reply-to",
	    [FIELD_TO] = "to",
	    [FIELD_CC] = "cc"};
	enum fact_field f = FIELD_FROM;

	while (f < FIELD_OTHER && strcmp(names[f], name) != 0)
		f++;
	return f;
}

/* ---- what the organisation says ------------------------------------------------------------ */

static bool look_up(
    const struct judging *j, const struct subject *s, enum rule_who_kind kind, const char *text)
{
	size_t len;
	unsigned line;

	if (kind == WHO_GROUP)
		return s->address[0] != '\0' && org_in_group(j->org, text, s->address);
	if (kind == WHO_LIST)
		return org_in_list(j->org, text, s->address);
	return org_table_row(j->org, text, s->address, &len, &line) != NULL;
}

/* Many rules name the same few groups and lists. */
static bool is_listed(
    struct judging *j, const struct subject *s, enum rule_who_kind kind, const char *text)
{
	uint64_t hash = (uint64_t)(uintptr_t)s / sizeof *s + (uint64_t)kind;
	struct who_cached *slot;

	for (const char *c = text; *c != '\0'; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	slot = &j->cache[(hash ^ hash >> 32) % WHO_CACHE];
	if (slot->subject != s || slot->kind != kind ||
	    (slot->text != text && strcmp(slot->text, text) != 0))
		*slot = (struct who_cached){s, text, kind, look_up(j, s, kind, text)};
	return slot->is;
}

bool sender_in_group(struct judging *j, const char *group)
{
	return is_listed(j, &j->sender, WHO_GROUP, group);
}

/* ---- one word of a list ------------------------------------------------------------------- */

static bool is_below(const char *domain, const char *above)
{
	size_t len = strlen(domain), n = strlen(above);

	return len > n + 1 && domain[len - n - 1] == '.' && strcmp(domain + len - n, above) == 0;
}

static bool is_boss(const struct judging *j, const struct subject *s)
{
	for (size_t i = 0; i < j->bosses; i++) {
		if (strcmp(j->boss[i], s->own) == 0 || strcmp(j->boss[i], s->address) == 0)
			return true;
	}
	return false;
}

static const struct past_rcpt *past_of(const struct judging *j, size_t rcpt)
{
	const struct past *past = j->c->past;

	return past != NULL && rcpt < past->rcpts && past->rcpts == j->c->leg->rcpts
		   ? &past->rcpt[rcpt]
		   : NULL;
}

static struct answer of_the_past(const struct judging *j, const struct rule_who *who, size_t rcpt)
{
	const struct past_rcpt *past = past_of(j, rcpt);

	/* By its display name somebody may look like another: seki-db is told it. */
	if (who->kind == WHO_LOOKALIKE && j->facts == NULL)
		return (struct answer){TRUTH_UNKNOWN, NEED_NAMES, NULL};
	if (j->c->past == NULL)
		return (struct answer){TRUTH_UNKNOWN, NEED_PAST, NULL};
	if (past == NULL)
		return (struct answer){TRUTH_UNKNOWN, NEED_NOBODY, "past"};
	if (who->kind == WHO_LOOKALIKE)
		return answer_of(past->look != LOOK_NONE);
	switch (who->scope) {
	case SCOPE_SENDER:
		return answer_of(past->by_sender == 0);
	case SCOPE_GROUP:
		return answer_of(past->by_group == 0);
	case SCOPE_SITE:
		break;
	}
	return answer_of(past->by_site == 0);
}

static struct answer who_answer(
    struct judging *j, struct subject *s, size_t rcpt, const struct rule_who *who)
{
	switch (who->kind) {
	case WHO_ADDRESS:
		return answer_of(strcmp(who->text, s->address) == 0 ||
				 strcmp(who->text, s->plain) == 0 ||
				 strcmp(who->text, s->own) == 0);
	case WHO_DOMAIN:
		return answer_of(strcmp(who->text, s->domain) == 0);
	case WHO_SUBDOMAINS:
		return answer_of(is_below(s->domain, who->text));
	case WHO_NULL:
		return answer_of(s->address[0] == '\0');
	case WHO_GROUP:
	case WHO_LIST:
	case WHO_TABLE:
		return answer_of(is_listed(j, s, who->kind, who->text));
	case WHO_BOSS:
		return answer_of(is_boss(j, s));
	case WHO_SENDER:
		return answer_of(j->sender.address[0] != '\0' && subject_same(s, &j->sender));
	case WHO_ANY:
		return answer_of(true);
	case WHO_CLASS:
		return answer_of(s->class == who->class);
	case WHO_PARTNER:
		return answer_of(subject_partner(j, s) != ORG_PARTNER_NONE);
	case WHO_FIRST_TIME:
	case WHO_LOOKALIKE:
		return of_the_past(j, who, rcpt);
	case WHO_TLS:
		break;
	}
	return answer_of(count_compares(&who->tls, org_tls(j->org, s->address)));
}

struct answer who_is(
    struct judging *j, struct subject *s, size_t rcpt, const struct rule_condition *condition)
{
	struct answer is = answer_of(false);

	for (size_t i = 0; i < condition->whos && is.truth != TRUTH_YES; i++)
		is = answer_or(is, who_answer(j, s, rcpt, &condition->who[i]));
	return condition->not ? answer_not(is) : is;
}
