/* Requests for rules of one's own, and their forms: whatever is said, it is refused, or it is the one rule that was
 * meant when the language reads it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mine/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	const struct rule *rule;
	size_t n;
};

static bool see(void *context, const struct rule *rule, struct conf_fault *fault)
{
	struct seen *seen = context;

	(void)fault;
	seen->rule = rule;
	seen->n++;
	return true;
}

static void check(struct arena *arena, const struct mine_form *form, struct buf *text)
{
	struct seen seen = {.n = 0};
	enum mine_key line[MINE_LINES];
	struct mine_wrong wrong;
	struct conf_fault fault;
	struct rule rule;
	size_t lines = 0;

	if (!mine_form_read(arena, form, "own-1", &rule, &wrong)) {
		if (wrong.why == NULL || wrong.text[0] == '\0')
			abort();
		return;
	}
	mine_rule_write(&rule, text, line);
	if (!buf_ok(text))
		return;
	for (size_t i = 0; i < text->len; i++)
		lines += text->bytes[i] == '\n';
	if (lines != rule.conditions + 2)
		abort();
	if (!rules_parse(arena, text->bytes, text->len, "user/a@b.example", LAYER_USER,
		"a@b.example", NULL, see, &seen, &fault))
		return;
	if (seen.n != 1 || !mine_rule_same(seen.rule, &rule))
		abort();
	json_decref(mine_rule_fields(arena, seen.rule));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mine_request request;
	struct arena *arena = arena_new((size_t)16 * 1024 * 1024);
	struct buf text;

	if (arena == NULL)
		return 0;
	buf_init(&text, MINE_RULE_MAX);
	if (mine_request_parse((const char *)data, size, &request))
		check(arena, &request.form, &text);
	buf_free(&text);
	arena_free(arena);
	return 0;
}
