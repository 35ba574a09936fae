/* Who acts as the sender of a leg, and who may have written it. */
#include "lib/hold/actors.h"

#include <string.h>

#include "lib/base/xtext.h"

void actor_person(const struct org *org, const char *address, char person[ORG_ADDRESS_MAX])
{
	struct org_person found;
	size_t len = strnlen(address, ORG_ADDRESS_MAX - 1);

	if (org != NULL && org_person(org, address, &found) && found.len < ORG_ADDRESS_MAX) {
		memcpy(person, found.address, found.len);
		person[found.len] = '\0';
		return;
	}
	memmove(person, address, len);
	person[len] = '\0';
}

bool actor_same(const struct org *org, const char *a, const char *b)
{
	char first[ORG_ADDRESS_MAX], second[ORG_ADDRESS_MAX];

	actor_person(org, a, first);
	actor_person(org, b, second);
	return first[0] != '\0' && strcmp(first, second) == 0;
}

/* Who handed it in, as the person that this login is. False: it came without one, or with one that is
 * nobody's: then nobody knows who it was. */
static bool login_of(const struct org *org, const struct leg *leg, char address[ORG_ADDRESS_MAX])
{
	char login[3 * ORG_ADDRESS_MAX];
	size_t len = 0, n;
	const char *value = leg->client != NULL ? leg_param(leg->client, "auth", &len) : NULL;

	if (value == NULL || len >= sizeof login || !xtext_decode(value, len, login, &n))
		return false;
	login[n] = '\0';
	if (strlen(login) != n)
		return false;
	if (org_login(org, login, address))
		return true;
	if (!org_normal(login, address))
		return false;
	actor_person(org, address, address);
	return address[0] != '\0';
}

/* The reverse-path: in normal form, and whether it is a mailbox of several. False: it is null. */
static bool sender_of(
    const struct org *org, const struct leg *leg, char address[ORG_ADDRESS_MAX], bool *shared)
{
	struct org_person found;

	if (!org_normal(leg->from, address) || address[0] == '\0')
		return false;
	*shared = org_person(org, address, &found) && found.shared;
	actor_person(org, address, address);
	return true;
}

struct looking {
	const char *person;
	bool found;
};

static bool see_sharer(void *context, const char *text, size_t len)
{
	struct looking *l = context;

	l->found = strlen(l->person) == len && memcmp(l->person, text, len) == 0;
	return !l->found;
}

static bool shares(const struct org *org, const char *mailbox, const char *person)
{
	struct looking l = {.person = person};

	org_sharers(org, mailbox, see_sharer, &l);
	return l.found;
}

bool actor_is_sender(const struct org *org, const struct leg *leg, const char *address)
{
	char person[ORG_ADDRESS_MAX], other[ORG_ADDRESS_MAX];
	bool shared;

	if (org == NULL)
		return false;
	actor_person(org, address, person);
	if (person[0] == '\0')
		return false;
	if (login_of(org, leg, other) && strcmp(other, person) == 0)
		return true;
	if (!sender_of(org, leg, other, &shared))
		return false;
	return strcmp(other, person) == 0 || (shared && shares(org, other, person));
}

bool actor_may_have_written(const struct org *org, const struct leg *leg, const char *address)
{
	char person[ORG_ADDRESS_MAX], other[ORG_ADDRESS_MAX];
	bool shared;

	if (org == NULL)
		return true;
	if (!login_of(org, leg, other))
		return actor_is_sender(org, leg, address);
	actor_person(org, address, person);
	if (strcmp(other, person) == 0)
		return true;
	return sender_of(org, leg, other, &shared) && strcmp(other, person) == 0;
}

/* ---- all of them ---- */

struct telling {
	actor_see *see;
	void *context;
	const char *login; /* told already, or not to be told */
	bool more;
};

static bool tell_sharer(void *context, const char *text, size_t len)
{
	struct telling *t = context;
	char address[ORG_ADDRESS_MAX];

	if (len >= sizeof address)
		return true;
	memcpy(address, text, len);
	address[len] = '\0';
	if (strcmp(address, t->login) != 0)
		t->more = t->see(t->context, address);
	return t->more;
}

void actor_each_sender(const struct org *org, const struct leg *leg, actor_see *see, void *context)
{
	char from[ORG_ADDRESS_MAX] = "", login[ORG_ADDRESS_MAX] = "";
	struct telling t = {.see = see, .context = context, .login = login, .more = true};
	bool shared = false;

	if (org == NULL)
		return;
	if (!login_of(org, leg, login))
		login[0] = '\0';
	if (sender_of(org, leg, from, &shared))
		t.more = see(context, from);
	if (t.more && login[0] != '\0' && strcmp(login, from) != 0)
		t.more = see(context, login);
	if (t.more && shared)
		org_sharers(org, from, tell_sharer, &t);
}
