/*
 * Rules, as a file, as a row of a table and as a compiled set: what is wrong is said, with its place;
 * what is right is written again in one way and reads back the same; and warnings end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/policy/set.h"
#include "lib/rules/parse.h"
#include "lib/rules/show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARENA     ((size_t)256 * 1024 * 1024)
#define SHOWN     ((size_t)64 * 1024 * 1024)
#define SIZE_MOST ((size_t)65536)

static bool write_again(void *context, const struct rule *rule, struct conf_fault *fault)
{
	struct buf *out = context;

	(void)fault;
	if (rule->actions == 0)
		abort();
	buf_addf(out, "rule %s%s\n", rule->name, rule->shadow ? " shadow" : "");
	for (size_t i = 0; i < rule->conditions; i++) {
		size_t begin = out->len;

		buf_add_text(out, " ");
		rule_condition_show(&rule->condition[i], false, out);
		/* Escapes may make it longer than a line can be. */
		if (out->len - begin > RULE_LINE_MAX / 2)
			return false;
		buf_add_text(out, "\n");
	}
	for (size_t i = 0; i < rule->actions; i++)
		buf_addf(out, " do %s\n", rule->action[i].written);
	return true;
}

static void must_say(const struct conf_fault *fault)
{
	if (fault->text[0] == '\0')
		abort();
}

static bool parse(const char *bytes, size_t len, struct buf *out, struct conf_fault *fault)
{
	struct arena *arena = arena_new(ARENA);
	bool fine;

	if (arena == NULL)
		abort();
	buf_init(out, SHOWN);
	fine = rules_parse(
	    arena, bytes, len, "must/50-x", LAYER_MUST, NULL, NULL, write_again, out, fault);
	if (fine && !buf_ok(out))
		abort();
	arena_free(arena);
	return fine;
}

/* NULL: it is none. */
static void look_at(const char *bytes, size_t len)
{
	struct conf_fault fault;
	struct policy *policy = policy_read(bytes, len, "rules", NULL, &fault);
	struct buf ask;

	if (policy == NULL) {
		must_say(&fault);
		return;
	}
	buf_init(&ask, SHOWN);
	policy_ask(policy, &ask);
	policy_close(policy);
	buf_free(&ask);
}

static bool count(void *context, const char *where, const char *text)
{
	size_t *n = context;

	if (where[0] == '\0' || text[0] == '\0')
		abort();
	return ++*n < 100000;
}

/* The same file in two layers, so that rules are compared. */
static void compare(const char *bytes, size_t len)
{
	struct conf_fault fault;
	struct policy *policy;
	struct buf b;
	size_t n = 0;

	buf_init(&b, SHOWN);
	buf_addf(&b, "sekisho-rules 1\nfile must/a %zu\n", len);
	buf_add(&b, bytes, len);
	buf_addf(&b, "file default/b %zu\n", len);
	buf_add(&b, bytes, len);
	policy = buf_ok(&b) ? policy_read(b.bytes, b.len, "rules", NULL, &fault) : NULL;
	if (policy != NULL)
		policy_warnings(policy, count, &n);
	policy_close(policy);
	buf_free(&b);
}

static void row(const char *bytes, size_t len)
{
	struct arena *arena = arena_new(ARENA);
	struct rule_action action[2];
	struct conf_fault fault;
	size_t n;

	if (arena == NULL)
		abort();
	if (!rule_row_parse(
		arena, bytes, len, "tables/t", 3, 5, NULL, action, COUNT_OF(action), &n, &fault)) {
		must_say(&fault);
		if (fault.line != 3)
			abort();
	} else if (n == 0 || n > COUNT_OF(action)) {
		abort();
	}
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct conf_fault fault;
	struct buf once, twice;

	if (size > SIZE_MOST)
		return 0;
	look_at(bytes, size);
	row(bytes, size);
	if (!parse(bytes, size, &once, &fault)) {
		/* Whoever stops it without a word is write_again. */
		if (fault.text[0] == '\0' && once.len < RULE_LINE_MAX / 2)
			abort();
		buf_free(&once);
		return 0;
	}
	if (!parse(once.len > 0 ? once.bytes : "", once.len, &twice, &fault) ||
	    once.len != twice.len ||
	    (once.len > 0 && memcmp(once.bytes, twice.bytes, once.len) != 0))
		abort();
	compare(bytes, size);
	buf_free(&once);
	buf_free(&twice);
	return 0;
}
