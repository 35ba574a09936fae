/* Who acts as the sender of a leg, and who may have written it. */
#include "lib/hold/actors.h"

#include <string.h>

#include "lib/base/xtext.h"

/* Takes the +detail away from an address of an own domain: of others nobody knows what '+' is. */
static void without_detail(const struct org *org, char address[ORG_ADDRESS_MAX])
{
	size_t plus = strcspn(address, "+@");
	const char *domain = strrchr(address, '@');

	if (plus == 0 || address[plus] != '+' || address[0] == '"' || domain == NULL ||
	    org_class(org, address) != CLASS_INTERNAL)
		return;
	memmove(address + plus, domain, strlen(domain) + 1);
}

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
	if (org != NULL)
		without_detail(org, person);
}

bool actor_same(const struct org *org, const char *a, const char *b)
{
	char first[ORG_ADDRESS_MAX], second[ORG_ADDRESS_MAX];

	actor_person(org, a, first);
	actor_person(org, b, second);
	return first[0] != '\0' && strcmp(first, second) == 0;
}

enum login {
	LOGIN_NONE,    /* it came without one */
	LOGIN_KNOWN,   /* a person, a shared mailbox, or an address that etc/people does not know */
	LOGIN_UNKNOWN, /* it is nobody's: whoever it was */
};

/* Who handed it in; LOGIN_KNOWN: `address` has who that is. */
static enum login login_of(
    const struct org *org, const struct leg *leg, char address[ORG_ADDRESS_MAX])
{
	char login[3 * ORG_ADDRESS_MAX];
	size_t len = 0, n;
	const char *value = leg->client != NULL ? leg_param(leg->client, "auth", &len) : NULL;

	if (value == NULL)
		return LOGIN_NONE;
	if (len >= sizeof login || !xtext_decode(value, len, login, &n))
		return LOGIN_UNKNOWN;
	login[n] = '\0';
	if (strlen(login) != n)
		return LOGIN_UNKNOWN;
	if (org_login(org, login, address))
		return LOGIN_KNOWN;
	if (!org_normal(login, address))
		return LOGIN_UNKNOWN;
	actor_person(org, address, address);
	return address[0] != '\0' ? LOGIN_KNOWN : LOGIN_UNKNOWN;
}

/* The reverse-path, as the person or the shared mailbox that it is. False: it is null. */
static bool sender_of(const struct org *org, const struct leg *leg, char address[ORG_ADDRESS_MAX])
{
	if (!org_normal(leg->from, address) || address[0] == '\0')
		return false;
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

/* Whether he is that, or one of those who share it. */
static bool is_one_of(const struct org *org, const char *mailbox, const char *person)
{
	return strcmp(mailbox, person) == 0 || shares(org, mailbox, person);
}

bool actor_is_sender(const struct org *org, const struct leg *leg, const char *address)
{
	char person[ORG_ADDRESS_MAX], other[ORG_ADDRESS_MAX];

	if (org == NULL)
		return false;
	actor_person(org, address, person);
	if (person[0] == '\0')
		return false;
	if (login_of(org, leg, other) == LOGIN_KNOWN && is_one_of(org, other, person))
		return true;
	return sender_of(org, leg, other) && is_one_of(org, other, person);
}

bool actor_unknown(const struct org *org, const struct leg *leg)
{
	char login[ORG_ADDRESS_MAX];

	return org != NULL && login_of(org, leg, login) == LOGIN_UNKNOWN;
}

bool actor_may_have_written(const struct org *org, const struct leg *leg, const char *address)
{
	char person[ORG_ADDRESS_MAX], other[ORG_ADDRESS_MAX];

	if (org == NULL)
		return true;
	switch (login_of(org, leg, other)) {
	case LOGIN_NONE:
		return actor_is_sender(org, leg, address);
	case LOGIN_UNKNOWN:
		return true;
	case LOGIN_KNOWN:
		break;
	}
	actor_person(org, address, person);
	if (is_one_of(org, other, person))
		return true;
	return sender_of(org, leg, other) && strcmp(other, person) == 0;
}

/* ---- all of them ---- */

struct telling {
	actor_see *see;
	void *context;
	const struct org *org;
	const char *from, *login; /* told already, if not "" */
	bool from_told;           /* those who share the reverse-path are told, too */
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
	if (strcmp(address, t->login) != 0 && strcmp(address, t->from) != 0 &&
	    (!t->from_told || !shares(t->org, t->from, address)))
		t->more = t->see(t->context, address);
	return t->more;
}

void actor_each_sender(const struct org *org, const struct leg *leg, actor_see *see, void *context)
{
	char from[ORG_ADDRESS_MAX] = "", login[ORG_ADDRESS_MAX] = "";
	struct telling t = {
	    .see = see, .context = context, .org = org, .from = from, .login = login, .more = true};

	if (org == NULL)
		return;
	if (login_of(org, leg, login) != LOGIN_KNOWN)
		login[0] = '\0';
	if (sender_of(org, leg, from))
		t.more = see(context, from);
	else
		from[0] = '\0';
	if (t.more && login[0] != '\0' && strcmp(login, from) != 0)
		t.more = see(context, login);
	if (t.more && from[0] != '\0')
		org_sharers(org, from, tell_sharer, &t);
	t.from_told = from[0] != '\0';
	if (t.more && login[0] != '\0' && strcmp(login, from) != 0)
		org_sharers(org, login, tell_sharer, &t);
}
