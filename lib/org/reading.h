/* The files of etc/ that become org.cdb: each is read into records. All return false with `fault`. */
#ifndef SEKISHO_ORG_READING_H
#define SEKISHO_ORG_READING_H

#include "lib/org/groups.h"
#include "lib/org/names.h"
#include "lib/org/records.h"

/* A domain in etc/groups, whose people are members. */
struct group_domain {
	char group[ORG_NAME_MAX];
	struct org_who who;
};

/* While the organisation is read. */
struct reading {
	int etc;
	struct org_names *names;
	struct records *records;
	struct org_counts counts;
	struct group_domain *domain; /* freed by compile() */
	size_t domains, domains_room;
};

/* etc/groups, before anything that may name a group. */
NODISCARD bool reading_groups(struct reading *r, struct conf_fault *fault);
NODISCARD bool reading_people(struct reading *r, struct conf_fault *fault);

NODISCARD bool reading_domains(struct reading *r, struct conf_fault *fault);
NODISCARD bool reading_lists(struct reading *r, struct conf_fault *fault);
NODISCARD bool reading_tables(struct reading *r, struct conf_fault *fault);
NODISCARD bool reading_holidays(struct reading *r, struct conf_fault *fault);
NODISCARD bool reading_partners(struct reading *r, struct conf_fault *fault);

/* Files that are only checked: etc/texts, etc/passwords. */
NODISCARD bool reading_texts(struct reading *r, struct conf_fault *fault);
NODISCARD bool reading_passwords(struct reading *r, struct conf_fault *fault);

#endif
