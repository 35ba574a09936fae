/*
 * People as a spreadsheet has them, RFC 4180: a row of headings, then a row for each person. The headings
 * are "address" and any of the keys of etc/people (name, group, boss, deputy, lang, alias, login, shared,
 * foreign), in any order and case; several values in one field are separated by ';'. A heading speaks
 * for its key: an empty field says that the person has none of it.
 *
 * UTF-8 with or without a mark of byte order; what is none is read as lib/text/charset.h guesses it, CP932
 * as a rule.
 */
#ifndef SEKISHO_ORG_PEOPLE_CSV_H
#define SEKISHO_ORG_PEOPLE_CSV_H

#include "lib/people/edit.h"

#define PEOPLE_CSV_MAX ((size_t)64 * 1024 * 1024)

/*
 * Called for each row, with the line where it begins: what it wants (good during the call), or why it is
 * wrong. False stops.
 */
typedef bool people_csv_see(
    void *context, unsigned line, const struct people_change *change, const char *wrong);

/*
 * False with `fault` (file `file`): the bytes as a whole are no such table, there is no memory, or `see`
 * stopped (then `fault` has no text). Rows that are wrong are told, and do not stop it.
 */
NODISCARD bool people_csv_read(const char *bytes, size_t len, const char *file, people_csv_see *see,
    void *context, struct conf_fault *fault);

#endif
