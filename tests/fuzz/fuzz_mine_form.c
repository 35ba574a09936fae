/* The fields of a form as they are, without the xtext of a request: a value ends at a NUL, and the first byte of each
 * names its field. The same must hold as in fuzz_mine. */
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
	struct mine_wrong wrong;
	struct conf_fault fault;
	struct rule rule;

	if (!mine_form_read(arena, form, "own-1", &rule, &wrong))
		return;
	mine_rule_write(&rule, text, NULL);
	if (!buf_ok(text) || !rules_parse(arena, text->bytes, text->len, "user/a@b.example",
				 LAYER_USER, "a@b.example", NULL, see, &seen, &fault))
		return;
	if (seen.n != 1 || !mine_rule_same(seen.rule, &rule))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mine_form form = {.value = {NULL}};
	struct arena *arena = arena_new((size_t)16 * 1024 * 1024);
	char *bytes = malloc(size + 1);
	struct buf text;

	if (arena == NULL || bytes == NULL)
		abort();
	memcpy(bytes, data, size);
	bytes[size] = '\0';
	for (size_t at = 0; at < size; at += strlen(bytes + at) + 1) {
		unsigned key = (unsigned char)bytes[at] % MINE_KEY_COUNT;

		if (bytes[at] != '\0' && bytes[at + 1] != '\0')
			form.value[key] = bytes + at + 1;
	}
	buf_init(&text, MINE_RULE_MAX);
	check(arena, &form, &text);
	buf_free(&text);
	free(bytes);
	arena_free(arena);
	return 0;
}
