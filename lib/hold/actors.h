/* Who somebody is to a leg: its sender, or somebody who may have written it. */
#ifndef SEKISHO_HOLD_ACTORS_H
#define SEKISHO_HOLD_ACTORS_H

#include "lib/org/org.h"
#include "queue/leg.h"

/* The one form in which somebody is counted: the own address of the person whose address it is; or itself,
 * in an own domain without its +detail. Takes and gives normal forms. */
void actor_person(const struct org *org, const char *address, char person[ORG_ADDRESS_MAX]);

/* Whether two addresses are of one person. */
NODISCARD bool actor_same(const struct org *org, const char *a, const char *b);

/*
 * Whether `address` (normal form) acts as the leg's sender: it is the reverse-path or the person whose
 * address that is; the login that handed it in; or somebody who shares the mailbox that one of them is.
 */
NODISCARD bool actor_is_sender(const struct org *org, const struct leg *leg, const char *address);

/*
 * Whether he may have written it: the login that handed it in, everybody who shares the mailbox that this
 * login is, and the sender; without a login everybody who acts as the sender; with a login that is nobody's,
 * everybody. Such a person approves nothing about it.
 */
NODISCARD bool actor_may_have_written(
    const struct org *org, const struct leg *leg, const char *address);

/* Whether it came with a login that is neither in etc/people nor an address: nobody can say who wrote it, so
 * that only an operator approves it. */
NODISCARD bool actor_unknown(const struct org *org, const struct leg *leg);

/* Each who acts as its sender, in normal form, once; the first is the one that notices go to. */
typedef bool actor_see(void *context, const char *address);
void actor_each_sender(const struct org *org, const struct leg *leg, actor_see *see, void *context);

#endif
