/* Any bytes as a template: what is read can be filled, and stays within its bounds and its lines. */
#include <stdlib.h>
#include <string.h>

#include "lib/notice/template.h"

#define TEXT_MAX ((size_t)4096)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static void fill(const struct notice_template *t, const struct notice_vars *vars)
{
	const char *prefix = "";
	size_t len = template_prefix(t, &prefix);
	struct buf out;

	demand(len == 0 || memchr(prefix, '\n', len) == NULL);
	buf_init(&out, SIZE_MAX);
	demand(template_subject(t, vars, "s", &out));
	demand(out.len == 0 || memchr(out.bytes, '\n', out.len) == NULL);
	buf_clear(&out);
	demand(template_text(t, vars, TEXT_MAX, &out));
	demand(out.len <= TEXT_MAX);
	/* Whole lines, no two empty ones together, none at either end. */
	if (out.len > 0) {
		demand(out.bytes[0] != '\n' && out.bytes[out.len - 1] == '\n');
		demand(memmem(out.bytes, out.len, "\n\n\n", 3) == NULL);
		demand(out.len < 2 || out.bytes[out.len - 2] != '\n');
	}
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const known[] = {"a", "list", "risk", "many", "none"};
	static struct notice_vars vars;
	struct notice_template t;
	struct conf_fault fault;
	bool fine = true;

	if (!template_read((const char *)data, size, "fuzz", known, COUNT_OF(known), &t, &fault)) {
		demand(fault.text[0] != '\0' && t.bytes == NULL);
		return 0;
	}
	demand(t.lines >= 2 && size <= TEMPLATE_MAX);
	vars.lists = 0;
	fill(&t, &vars);
	fine = fine && notice_vars_add(&vars, "a", "{list}");
	fine = fine && notice_vars_add(&vars, "list", "x") && notice_vars_add(&vars, "list", "");
	fine = fine && notice_vars_add(&vars, "list", "z") && notice_vars_add(&vars, "risk", "r");
	for (size_t i = 0; i < NOTICE_ROWS_MAX + 3; i++)
		fine = fine && notice_vars_add(&vars, "many", "m");
	demand(fine);
	fill(&t, &vars);
	template_free(&t);
	return 0;
}
