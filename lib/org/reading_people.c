/* etc/groups and etc/people. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/mime/utf8.h"
#include "lib/org/groups.h"
#include "lib/org/reading.h"
#include "lib/people/people.h"

/* ---- groups ---- */

static void add_member(struct reading *r, const char *group, const char *address, unsigned line)
{
	records_add(r->records,
	    &(struct record_key){
		.kind = ORG_KIND_MEMBERS, .prefix = "", .text = group, .line = line},
	    address, strlen(address) + 1);
}

/* Who is in it is known when people are read. */
static bool keep_domain(struct reading *r, const char *group, const struct org_who *who)
{
	struct group_domain *bigger;
	size_t room = r->domains_room > 0 ? 2 * r->domains_room : 16;

	if (r->domains == r->domains_room) {
		bigger = reallocarray(r->domain, room, sizeof *bigger);
		if (bigger == NULL)
			return false;
		r->domain = bigger;
		r->domains_room = room;
	}
	/* people_group_name() has seen that it fits. */
	(void)snprintf(r->domain[r->domains].group, ORG_NAME_MAX, "%s", group);
	r->domain[r->domains++].who = *who;
	return true;
}

static bool see_group(void *context, const char *group, const struct org_who *who, unsigned line,
    struct conf_fault *fault)
{
	struct reading *r = context;

	if (who == NULL)
		return org_names_add(r->names, RULE_NAME_GROUP, group, line) ||
		       conf_blame(fault, line, 0, "no memory");
	records_add(r->records,
	    &(struct record_key){
		.kind = ORG_KIND_GROUPS, .prefix = who->prefix, .text = who->text, .line = line},
	    group, strlen(group) + 1);
	if (who->prefix[0] != '\0')
		return keep_domain(r, group, who) || conf_blame(fault, line, 0, "no memory");
	add_member(r, group, who->text, line);
	return true;
}

bool reading_groups(struct reading *r, struct conf_fault *fault)
{
	return groups_read(r->etc, see_group, r, fault);
}

/* ---- people ---- */

/* The line in hand. */
struct person {
	struct reading *r;
	const struct people_line *line;
	struct conf_fault *fault;
	char own[ORG_ADDRESS_MAX];
	struct buf texts; /* of one kind, each with a NUL behind it */
};

static bool normal(
    struct person *p, const char *address, unsigned column, char into[ORG_ADDRESS_MAX])
{
	return org_normal(address, into) || conf_blame(p->fault, p->line->number, column,
						"\"%.64s\" cannot be an address", address);
}

static void add(
    struct person *p, enum org_kind kind, const char *text, const void *value, size_t len)
{
	records_add(p->r->records,
	    &(struct record_key){.kind = kind, .prefix = "", .text = text, .line = p->line->number},
	    value, len);
}

/* Where an address leads: the own one, or itself if it is a shared mailbox. */
static void add_address(struct person *p, const char *address, const char *leads_to, unsigned flags)
{
	char value[1 + ORG_ADDRESS_MAX];
	size_t len = strlen(leads_to);

	value[0] = (char)flags;
	memcpy(value + 1, leads_to, len);
	add(p, ORG_KIND_PERSON, address, value, 1 + len);
}

static bool is_english(const struct people_line *line)
{
	for (size_t i = 0; i < line->values; i++) {
		if (line->value[i].key == PEOPLE_LANG)
			return strcmp(line->value[i].text, "en") == 0;
	}
	return false;
}

static bool take_addresses(struct person *p)
{
	unsigned flags = is_english(p->line) ? ORG_PERSON_ENGLISH : 0;
	char text[ORG_ADDRESS_MAX];

	add_address(p, p->own, p->own, flags);
	p->r->counts.addresses++;
	for (size_t i = 0; i < p->line->values; i++) {
		const struct people_value *v = &p->line->value[i];

		if (v->key != PEOPLE_ALIAS && v->key != PEOPLE_SHARED)
			continue;
		if (!normal(p, v->text, v->column, text))
			return false;
		if (v->key == PEOPLE_SHARED) {
			add_address(p, text, text, ORG_PERSON_SHARED);
			add(p, ORG_KIND_SHARERS, text, p->own, strlen(p->own) + 1);
		} else {
			add_address(p, text, p->own, flags);
			p->r->counts.addresses++;
		}
		if (strcmp(text, p->own) != 0)
			add(p, ORG_KIND_SENDS_AS, p->own, text, strlen(text) + 1);
	}
	return true;
}

/* Bosses, or deputies, in the order in which they stand. */
static bool take_superiors(struct person *p, enum people_key key, enum org_kind kind)
{
	char text[ORG_ADDRESS_MAX];

	buf_clear(&p->texts);
	for (size_t i = 0; i < p->line->values; i++) {
		const struct people_value *v = &p->line->value[i];

		if (v->key != key)
			continue;
		if (!normal(p, v->text, v->column, text))
			return false;
		buf_add(&p->texts, text, strlen(text) + 1);
	}
	if (!buf_ok(&p->texts))
		return conf_blame(p->fault, p->line->number, 0, "no memory");
	if (p->texts.len > 0)
		add(p, kind, p->own, p->texts.bytes, p->texts.len);
	return true;
}

static bool take_groups(struct person *p)
{
	for (size_t i = 0; i < p->line->values; i++) {
		const struct people_value *v = &p->line->value[i];

		if (v->key != PEOPLE_GROUP)
			continue;
		if (!org_name_known(p->r->names, RULE_NAME_GROUP, v->text, NULL, 0))
			return org_names_blame(p->r->names, RULE_NAME_GROUP, v->text,
			    p->line->number, v->column, p->fault);
		add(p, ORG_KIND_GROUPS, p->own, v->text, strlen(v->text) + 1);
		add_member(p->r, v->text, p->own, p->line->number);
	}
	for (size_t i = 0; i < p->r->domains; i++) {
		if (org_who_has(&p->r->domain[i].who, p->own))
			add_member(p->r, p->r->domain[i].group, p->own, p->line->number);
	}
	return true;
}

/* Logins are the same in either case of their letters. */
static bool take_login(struct person *p)
{
	const char *login = p->line->address;
	unsigned column = p->line->column;
	char text[ORG_ADDRESS_MAX];

	for (size_t i = 0; i < p->line->values; i++) {
		if (p->line->value[i].key != PEOPLE_LOGIN)
			continue;
		login = p->line->value[i].text;
		column = p->line->value[i].column;
	}
	if (!org_login_small(login, text))
		return conf_blame(p->fault, p->line->number, column,
		    "the login is longer than %zu bytes", ORG_ADDRESS_MAX - 1);
	add(p, ORG_KIND_LOGIN, text, p->own, strlen(p->own));
	if (strcmp(text, p->own) != 0)
		add(p, ORG_KIND_LOGIN_OF, p->own, text, strlen(text));
	return true;
}

/* A byte that "+XX" made, or that stands there, may be no letter. */
static bool check_names(const struct person *p)
{
	for (size_t i = 0; i < p->line->values; i++) {
		const struct people_value *v = &p->line->value[i];
		size_t len = strlen(v->text), step;
		uint32_t point;

		for (size_t at = 0; v->key == PEOPLE_NAME && at < len; at += step) {
			step = utf8_step(v->text + at, len - at, &point);
			if (step == 0)
				return conf_blame(
				    p->fault, p->line->number, v->column, "the name is not UTF-8");
		}
	}
	return true;
}

static bool see_person(void *context, const struct people_line *line, struct conf_fault *fault)
{
	struct person *p = context;

	p->line = line;
	p->fault = fault;
	p->r->counts.people++;
	return normal(p, line->address, line->column, p->own) && take_addresses(p) &&
	       take_superiors(p, PEOPLE_BOSS, ORG_KIND_BOSSES) &&
	       take_superiors(p, PEOPLE_DEPUTY, ORG_KIND_DEPUTIES) && take_groups(p) &&
	       take_login(p) && check_names(p);
}

bool reading_people(struct reading *r, struct conf_fault *fault)
{
	struct person p = {.r = r};
	struct people *people;

	buf_init(&p.texts, CONF_LINE_MAX * (ORG_ADDRESS_MAX + 1));
	people = people_read_each(r->etc, see_person, &p, fault);
	buf_free(&p.texts);
	people_free(people);
	return people != NULL;
}
