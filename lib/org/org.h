/*
 * The organisation, as the judge asks about it: people, groups, domains, lists of addresses, tables
 * of destinations, partners, holidays. All of it is one constant database, org.cdb, made by
 * lib/org/compile.h and mapped: nothing is read into memory, and a lookup takes no longer when there
 * are more. Read-only; usable from any thread.
 *
 * Addresses are compared in a normal form: ASCII letters small, the domain as A-labels, quotes that
 * are not needed taken away. Whoever is asked about by an address of an own (internal) domain is
 * found with a +detail in it, too.
 *
 * In groups, lists and tables @DOMAIN is that domain alone, and @.DOMAIN what is below it, as in rules.
 * The nearest entry counts: the address, then without its +detail, its domain, the domains above.
 *
 * A question takes some 0.1 microseconds for each name under which the address may stand, half of one in
 * all: whoever asks it for every rule remembers the answer.
 */
#ifndef SEKISHO_ORG_ORG_H
#define SEKISHO_ORG_ORG_H

#include "lib/base/compat.h"
#include "lib/base/conf.h"
#include "lib/rules/rule.h" /* enum policy_class, enum policy_tls alone */

#define ORG_FILE         "org.cdb"
#define ORG_ADDRESS_MAX  ((size_t)512)
#define ORG_PARTNER_NONE UINT32_MAX

/*
 * The normal form of an address, NUL-ended. False: it can be none (no '@', too long); `into` then
 * has it with small letters, cut, so that it can still be compared with itself. "" stays "".
 */
NODISCARD bool org_normal(const char *address, char into[ORG_ADDRESS_MAX]);

struct org;

/*
 * Opens `dir`/org.cdb, and reads it once to see that it is whole (1 ms for each MB). NULL with errno:
 * EPROTO for one that is none of ours or damaged. Free with org_close.
 */
NODISCARD struct org *org_open(int dir);
void org_close(struct org *org);

/* False stops. */
typedef bool org_see(void *context, const char *text, size_t len);

/* All questions below take addresses in normal form. */

/* By the domain of an address, as etc/domains has it or the nearest ".DOMAIN" above it; external if
 * nothing has. An address without a domain, as <postmaster>, is internal. */
enum policy_class org_class(const struct org *org, const char *address);

/* Calls for each domain that etc/domains calls internal, once, in order; ".DOMAIN" is told without its
 * dot. False from `see` stops. */
void org_own_domains(const struct org *org, org_see *see, void *context);

/* A person, found by the own address, an alias or a shared mailbox (then: `shared`). */
struct org_person {
	const char *address; /* the own one, in normal form; not NUL-ended */
	size_t len;
	bool shared;  /* it is a mailbox of several; `address` is itself */
	bool english; /* lang=en */
};
NODISCARD bool org_person(const struct org *org, const char *address, struct org_person *person);

/* Whether the address is in the group: by etc/people, or by etc/groups. */
NODISCARD bool org_in_group(const struct org *org, const char *group, const char *address);

/* Calls for each group that the address is in, by etc/people or as an address or domain in etc/groups,
 * by name, in order of name. False from `see` stops. */
void org_groups(const struct org *org, const char *address, org_see *see, void *context);

/* Calls for each member of a group who can be named: the own address of each person in it, by etc/people or
 * by a domain in etc/groups, and each address that etc/groups lists; in order, each once. */
void org_members(const struct org *org, const char *group, org_see *see, void *context);

/* Calls for the own address of each person who has the address as a shared mailbox, in order. */
void org_sharers(const struct org *org, const char *address, org_see *see, void *context);

/* The own address of who logs in with `login`, in either case of its letters: the person whose login= it is,
 * or whose address it is. False: nobody in etc/people; a login that is an address is that one then. */
NODISCARD bool org_login(const struct org *org, const char *login, char address[ORG_ADDRESS_MAX]);

/* Calls for what else the person of that own address sends as: aliases and shared mailboxes, in order, each
 * once. False from `see` stops. */
void org_sends_as(const struct org *org, const char *address, org_see *see, void *context);

/* The login of the person of that own address, ASCII letters small, if it is another text than that. */
NODISCARD bool org_login_of(
    const struct org *org, const char *address, char login[ORG_ADDRESS_MAX]);

/* The bosses, or the deputies, of a person, in normal form. */
void org_bosses(const struct org *org, const char *address, org_see *see, void *context);
void org_deputies(const struct org *org, const char *address, org_see *see, void *context);

/* Whether the list etc/lists/NAME has the address, its @DOMAIN, or an @.DOMAIN above it. */
NODISCARD bool org_in_list(const struct org *org, const char *list, const char *address);

/* The row of etc/tables/NAME for the address: the nearest of its own, its @DOMAIN's and an @.DOMAIN's
 * above it. The text of the row behind the destination, not NUL-ended; NULL: there is none. `line` is
 * where it stands. */
const char *org_table_row(
    const struct org *org, const char *table, const char *address, size_t *len, unsigned *line);

/* What etc/tables/tls says that the domain of the address offers; NONE if nothing. */
enum policy_tls org_tls(const struct org *org, const char *address);

/* The partner of a domain (or of the nearest domain above it): its number, ORG_PARTNER_NONE if it is
 * nobody's. `domain` has A-labels or U-labels, in either case. */
uint32_t org_partner(const struct org *org, const char *domain);

/* The first name of a partner, as written, not NUL-ended. NULL: there is none. */
const char *org_partner_name(const struct org *org, uint32_t partner, size_t *len);

/* Whether the day is in etc/holidays. */
NODISCARD bool org_holiday(const struct org *org, int year, int month, int day);

/* How many people, registered addresses (own ones and aliases), partners there are. */
struct org_counts {
	uint32_t people, addresses, partners;
};
struct org_counts org_counts(const struct org *org);

#endif
