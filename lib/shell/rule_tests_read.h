/* Reading files of rule tests: sekisho-policy-tests(5). */
#ifndef SEKISHO_SHELL_RULE_TESTS_READ_H
#define SEKISHO_SHELL_RULE_TESTS_READ_H

#include "lib/base/buf.h"
#include "lib/base/conf.h"
#include "lib/shell/envelope.h"

#define RULE_TEST_LINE    ((size_t)8192)
#define RULE_TEST_EXPECTS ((size_t)1000)

enum expect_kind {
	EXPECT_REFUSED, /* `action` is why; "": whatever it is */
	EXPECT_PASSED,
	EXPECT_ACTION,
	EXPECT_NOTHING, /* of `function`; -1: of none */
};

struct rule_test_expect {
	enum expect_kind kind;
	unsigned line;
	char *rcpt;   /* NULL: all */
	int function; /* enum policy_function */
	char *action; /* without the function's word: "60m"; "" is any */
	char *rule;   /* the rule that decides; NULL: any */
	bool would;
	char *said; /* as it stands in the file, for whoever reads why it failed */
};

struct rule_test {
	const char *file; /* "etc/policy/tests/NAME.test" */
	unsigned line;
	char *name;
	char *from; /* NULL: as the message has it */
	struct addresses to, cc, all, known, lookalike, attach;
	char *at, *subject, *text;
	bool registered;
	bool inlined;
	char *message_file;
	struct buf message; /* inlined; lines end in CRLF */
	struct rule_test_expect *expect;
	size_t expects, room;
};

/* Called for each test in order, which is gone when it returns. False stops. */
typedef bool rule_test_see(void *context, const struct rule_test *test);

/*
 * Reads `len` bytes of `file` as tests. `see` NULL: they are only read. False with `fault`, whose text is
 * empty if `see` stopped it.
 */
NODISCARD bool rule_tests_read(const char *bytes, size_t len, const char *file, rule_test_see *see,
    void *context, struct conf_fault *fault);

/*
 * Takes the word of the function away from what is said about it: "hold 60m" is "60m", "add bcc boss" is
 * "boss", "forward refused A" is "A".
 */
const char *rule_test_bare(int function, const char *action);

#endif
