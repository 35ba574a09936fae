/*
 * What stands in org.cdb: the keys and values that lib/org/records.c writes and lib/org/org.c looks
 * up, and the digest behind them by which a file that is damaged is told from a whole one.
 *
 *     v                  ORG_VERSION, then people, addresses, partners: 4 bytes each
 *     a ADDRESS          a byte of ORG_PERSON_*, then the person's own address
 *     b ADDRESS          bosses of the own address, each with a NUL behind it
 *     d ADDRESS          deputies, likewise
 *     g WHO              groups, likewise, in order of name
 *     m GROUP            members who can be named, likewise, in order
 *     s ADDRESS          own addresses of who shares that mailbox, likewise, in order
 *     u LOGIN            the own address of who logs in so; ASCII letters small
 *     c DOMAIN           a byte of enum policy_class; ".DOMAIN": of what lies below
 *     o                  internal domains, each with a NUL behind it, in order
 *     l LIST NUL WHO     nothing
 *     t TABLE NUL WHO    4 bytes, the line; then the row's text behind the destination
 *     e DOMAIN           a byte of enum policy_tls; ".DOMAIN": of what lies below
 *     q DOMAIN           4 bytes, the partner's number
 *     n NUMBER           the partner's first name, as written; NUMBER in decimal digits
 *     i ADDRESS          aliases and shared mailboxes of the person of that own address, each with a NUL
 *                        behind it, in order
 *     k ADDRESS          the login of that person, if it is another text; ASCII letters small
 *     h YYYY-MM-DD       the holiday's name
 *
 * (no blanks between). WHO is ADDRESS, @DOMAIN or @.DOMAIN. Numbers are as cdb_pack writes them. XX
 */
#ifndef SEKISHO_ORG_LAYOUT_H
#define SEKISHO_ORG_LAYOUT_H

#include "lib/org/org.h"

#define ORG_VERSION  "sekisho-org 2\n"
#define ORG_MARK     "seki-org"
#define ORG_MARK_LEN ((size_t)8)
#define ORG_SUM_LEN  ((size_t)64) /* hex digits */
#define ORG_NUMBER   ((size_t)4)
#define ORG_NAME_MAX ((size_t)65) /* of a group, list or table, with its NUL */
#define ORG_KEY_MAX  (ORG_ADDRESS_MAX + ORG_NAME_MAX + 8)
#define ORG_FILE_MAX ((size_t)1024 * 1024 * 1024)

#define ORG_PERSON_SHARED  1u
#define ORG_PERSON_ENGLISH 2u

enum org_kind {
	ORG_KIND_VERSION = 'v',
	ORG_KIND_PERSON = 'a',
	ORG_KIND_BOSSES = 'b',
	ORG_KIND_DEPUTIES = 'd',
	ORG_KIND_GROUPS = 'g',
	ORG_KIND_MEMBERS = 'm',
	ORG_KIND_SHARERS = 's',
	ORG_KIND_LOGIN = 'u',
	ORG_KIND_CLASS = 'c',
	ORG_KIND_OWN = 'o',
	ORG_KIND_LIST = 'l',
	ORG_KIND_ROW = 't',
	ORG_KIND_TLS = 'e',
	ORG_KIND_PARTNER = 'q',
	ORG_KIND_COMPANY = 'n',
	ORG_KIND_SENDS_AS = 'i',
	ORG_KIND_LOGIN_OF = 'k',
	ORG_KIND_HOLIDAY = 'h',
};

/* A login with small letters. False: it is longer than any. */
NODISCARD bool org_login_small(const char *login, char small[ORG_ADDRESS_MAX]);

#endif
