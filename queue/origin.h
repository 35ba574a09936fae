/*
 * Who a message is from, as far as counting and freezing go: the login that sent it, or else the
 * address that it came from. Read from the client line of its envelope.
 */
#ifndef SEKISHO_QUEUE_ORIGIN_H
#define SEKISHO_QUEUE_ORIGIN_H

#include "lib/base/compat.h"

#define ORIGIN_TEXT_MAX    ((size_t)1024) /* bytes of a login, decoded */
#define ORIGIN_ROOM        (ORIGIN_TEXT_MAX + 1)
#define ORIGIN_SOURCE_ROOM 64
#define ORIGIN_UNKNOWN     "unknown" /* the source of mail whose client line has no address */

/* What auth= holds. */
enum origin_login { ORIGIN_NO_LOGIN, ORIGIN_LOGIN, ORIGIN_MALFORMED };

/*
 * Reads the login out of the client line of an envelope (struct leg, client), decoded and
 * NUL-ended. ORIGIN_MALFORMED: it is empty, too long, no xtext, or holds a NUL.
 */
NODISCARD enum origin_login origin_login(const char *client, char login[ORIGIN_ROOM]);

/*
 * The source in the form in which it is counted and frozen: an IPv4 address as it is, also where
 * it was written as an IPv6 one; of any other IPv6 address its network of 64 bits, which one
 * customer or machine has for itself: "2001:db8:1:2::/64". ORIGIN_UNKNOWN where there is none.
 */
void origin_source(const char *client, char source[ORIGIN_SOURCE_ROOM]);

/*
 * The same of one word: an address, a network of 64 bits, or ORIGIN_UNKNOWN. False if it is none
 * of these.
 */
NODISCARD bool origin_source_of(const char *word, char source[ORIGIN_SOURCE_ROOM]);

#endif
