/*
 * etc/groups, sekisho-org(5): NAME [MEMBER…], a member being an address, @DOMAIN (that one) or
 * @.DOMAIN (what is below it). A group may stand in several lines.
 */
#ifndef SEKISHO_ORG_GROUPS_H
#define SEKISHO_ORG_GROUPS_H

#include "lib/org/org.h"

/* An address, a domain, or what is below one: "", "@" or "@." and a text in normal form. */
struct org_who {
	const char *prefix;
	char text[ORG_ADDRESS_MAX];
};

/* False: the word is none of them. */
NODISCARD bool org_who_read(const char *word, struct org_who *who);

/* Whether the address, in normal form, is it or lies in it. */
NODISCARD bool org_who_has(const struct org_who *who, const char *address);

/* What to say of a word that is none. */
#define ORG_WHO_EXPECTED "an address, @DOMAIN or @.DOMAIN is expected, not \"%.64s\""

/* Called for each line with `who` NULL, and then for each of its members. False after conf_blame
 * stops. */
typedef bool group_see(void *context, const char *group, const struct org_who *who, unsigned line,
    struct conf_fault *fault);

/* Reads the file "groups" in the directory `etc`; one that is missing has no group. */
NODISCARD bool groups_read(int etc, group_see *see, void *context, struct conf_fault *fault);

#endif
