/* What may be named, and where it was declared: behind org_name_known. */
#ifndef SEKISHO_ORG_NAMES_H
#define SEKISHO_ORG_NAMES_H

#include "lib/org/compile.h"

#define ORG_TLS_TABLE "tls" /* of etc/tables: what destinations offer; not for `as table` */

NODISCARD struct org_names *org_names_new(void);

/* One more, if it is not there yet. `line`: of etc/groups; 0: a file of its own. False: no memory. */
NODISCARD bool org_names_add(
    struct org_names *names, enum rule_name_kind kind, const char *name, unsigned line);

/* To be called when all are there, before the first question. */
void org_names_sort(struct org_names *names);

/* All of a kind, by number: NULL behind the last one. */
const char *org_names_at(const struct org_names *names, enum rule_name_kind kind, size_t i);

/* Adds every file of lists/, tables/, words/, passwords/ and texts/. False with `fault`. */
NODISCARD bool org_names_files(struct org_names *names, int etc, struct conf_fault *fault);

/* `no group "temp"; near: temps (etc/groups:7)`. Returns false. */
bool org_names_blame(struct org_names *names, enum rule_name_kind kind, const char *name,
    unsigned line, unsigned column, struct conf_fault *fault);

#endif
