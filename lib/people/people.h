/*
 * The people of the organisation, etc/people, sekisho-people(5): one line for each, with the
 * addresses that their login may send as.
 *
 *   ADDRESS [login=LOGIN] [alias=ADDRESS[,ADDRESS…]] [shared=ADDRESS[,…]] [foreign=refuse|hold|allow]
 *           [name=NAME[,…]] [boss=ADDRESS[,…]] [deputy=ADDRESS[,…]] [group=NAME[,…]] [lang=ja|en]
 *
 * LOGIN is ADDRESS if it is not given. Logins, and addresses as a whole, are the same in either case
 * of ASCII letters. An address may be the ADDRESS or alias of one line only; `shared` mailboxes may
 * stand in many. A login that has no line owns the one address that it is itself. Names are UTF-8, with
 * +XX for a blank, a comma or a plus. Bosses and deputies need not be people. Whether a group exists
 * is the business of who asks for it.
 */
#ifndef SEKISHO_PEOPLE_PEOPLE_H
#define SEKISHO_PEOPLE_PEOPLE_H

#include "lib/base/compat.h"
#include "lib/base/conf.h"

#define PEOPLE_MAX            1000000
#define PEOPLE_GROUP_NAME_MAX 64 /* bytes */

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

/* ---- every line, with all that it says ---- */

/* P(NAME, word): the keys of a line. */
#define PEOPLE_KEYS(P)                                                                             \
	P(LOGIN, "login")                                                                          \
	P(ALIAS, "alias")                                                                          \
	P(SHARED, "shared")                                                                        \
	P(FOREIGN, "foreign")                                                                      \
	P(NAME, "name") P(BOSS, "boss") P(DEPUTY, "deputy") P(GROUP, "group") P(LANG, "lang")

enum people_key {
#define P(name, word) PEOPLE_##name,
	PEOPLE_KEYS(P)
#undef P
	    PEOPLE_KEY_COUNT
};

/* "login", "alias" … */
const char *people_key_word(enum people_key key);

/* One value of a key; "alias=a@b,c@d" are two. */
struct people_value {
	enum people_key key;
	const char *text; /* as written, but names decoded; NUL-ended */
	unsigned column;
};

/* Good during the call. */
struct people_line {
	unsigned number;
	const char *address;
	unsigned column;
	const struct people_value *value; /* as they stand */
	size_t values;
};

/* Called for each line in the order of the file. False after conf_blame stops. */
typedef bool people_see(void *context, const struct people_line *line, struct conf_fault *fault);

/* people_read that shows each line. */
NODISCARD struct people *people_read_each(
    int etc, people_see *see, void *context, struct conf_fault *fault);

/* The same for `len` bytes that are said to come from etc/people; `see` may be NULL. */
NODISCARD struct people *people_parse(
    const char *bytes, size_t len, people_see *see, void *context, struct conf_fault *fault);

/* Whether it can be the name of a group: letters, digits, '-', '_', '.', no '.' in front. */
NODISCARD bool people_group_name(const char *name);

/* ---- questions ---- */

/* How many lines there are. */
size_t people_count(const struct people *people);

/* Whether `login` (NUL-ended) may use this address (not NUL-ended) as a sender. */
NODISCARD bool people_owns(
    const struct people *people, const char *login, const char *address, size_t len);

/* What its line says about senders that it does not own. */
enum foreign people_foreign(const struct people *people, const char *login);

#endif
