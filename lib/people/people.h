/*
 * The people of the organisation, etc/people, sekisho-people(5): one line for each, with the
 * addresses that their login may send as.
 *
 *   ADDRESS [login=LOGIN] [alias=ADDRESS[,ADDRESS…]] [shared=ADDRESS[,…]] [foreign=refuse|hold|allow]
 *
 * LOGIN is ADDRESS if it is not given. Logins, and addresses as a whole, are the same in either case
 * of ASCII letters. An address may be the ADDRESS or alias of one line only; `shared` mailboxes may
 * stand in many. A login that has no line owns the one address that it is itself.
 */
#ifndef SEKISHO_PEOPLE_PEOPLE_H
#define SEKISHO_PEOPLE_PEOPLE_H

#include "lib/base/compat.h"
#include "lib/base/conf.h"

#define PEOPLE_MAX 1000000

struct people; /* opaque; read-only once it is there */

enum foreign {
	FOREIGN_UNSAID, /* as the setting foreign-sender says */
	FOREIGN_REFUSE,
	FOREIGN_HOLD,
	FOREIGN_ALLOW,
};

/*
 * Reads the file "people" in the directory `etc`; one that is missing holds nobody. Returns NULL
 * with the fault. Free with people_free. 100,000 lines are read within a second.
 */
NODISCARD struct people *people_read(int etc, struct conf_fault *fault);
void people_free(struct people *people);

/* How many lines there are. */
size_t people_count(const struct people *people);

/* Whether `login` (NUL-ended) may use this address (not NUL-ended) as a sender. */
NODISCARD bool people_owns(
    const struct people *people, const char *login, const char *address, size_t len);

/* What its line says about senders that it does not own. */
enum foreign people_foreign(const struct people *people, const char *login);

#endif
