/* Requests and what is answered: sekisho-mine(5). One process for each. */
#ifndef SEKISHO_MINE_ANSWER_H
#define SEKISHO_MINE_ANSWER_H

#include <jansson.h>

#include "lib/base/settings.h"
#include "lib/gate/gate.h"
#include "lib/mine/often.h"
#include "lib/mine/request.h"
#include "queue/audit.h"

/* How the tests of the administrator's rules (sekisho-policy-tests(5)) fare with a generation. */
enum mine_tested {
	MINE_TESTS_FINE, /* none fails that did not fail before */
	MINE_TESTS_RED,
	MINE_TESTS_UNABLE,
};

/* Points in the middle of a change, for tests that end the process there. */
enum mine_point { MINE_COMPILED, MINE_AUDITED, MINE_PUT, MINE_PUBLISHED, MINE_POINTS };

struct mine {
	const struct settings *settings;
	const struct gate_key *key; /* of zero bytes: nobody is believed */
	struct audit *audit;
	struct often *often;      /* NULL: nobody counts */
	int etc, users, compiled; /* etc/, etc/policy/user, lib/compiled */
	enum mine_tested (*test)(void *context, const char *generation);
	void *context;
	void (*at)(enum mine_point point); /* NULL outside of tests */
};

/* The answer to a line without its newline, a new object; NULL: no memory. */
json_t *mine_answer(const struct mine *mine, const char *line, size_t len);

/*
 * Ends what a process that was killed has begun. How many changes there were; -1 with errno: not now. For the start,
 * when nobody else changes rules.
 */
NODISCARD int mine_finish(const struct mine *mine);

#endif
