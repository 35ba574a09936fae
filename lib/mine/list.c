/* The rules that a person has, and what he may decide. */
#include <string.h>

#include "lib/mine/work.h"
#include "lib/org/folder.h"

bool mine_can(enum policy_function function)
{
	/* What a form would have it do, and not the choice that does nothing. */
	const struct rule_action action = {.function = function,
	    .yes = true,
	    .hold = HOLD_FOR,
	    .files = FILES_ZIP,
	    .bcc = BCC_ALL};

	return policy_can(&action);
}

static json_t *allowed(const struct mine_work *w)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < FUNCTION_COUNT; i++) {
		enum policy_function function = (enum policy_function)i;
		json_t *one;

		if ((w->policy->user_may & (1u << i)) == 0)
			continue;
		one = json_object();
		mine_set(one, "function", json_string(policy_function_word(function)));
		mine_set(one, "cannot", json_boolean(!mine_can(function)));
		(void)json_array_append_new(list, one);
	}
	return list;
}

/* The names in a folder of etc/, if they mean something to him. */
static json_t *names(const struct mine_work *w, enum policy_function function, const char *path)
{
	json_t *list = json_array();
	struct conf_fault fault;
	struct folder folder;

	if ((w->policy->user_may & (1u << function)) == 0)
		return list;
	if (folder_read(w->mine->etc, path, &folder, &fault)) {
		for (size_t i = 0; i < folder.n; i++) {
			if (!folder.entry[i].folder)
				(void)json_array_append_new(list,
				    mine_text(folder.entry[i].name, strlen(folder.entry[i].name)));
		}
	}
	folder_free(&folder);
	return list;
}

static size_t line_begin(const struct buf *file, unsigned line)
{
	size_t at = 0;

	while (line > 1 && at < file->len) {
		const char *newline = memchr(file->bytes + at, '\n', file->len - at);

		at = newline != NULL ? (size_t)(newline - file->bytes) + 1 : file->len;
		line--;
	}
	return at;
}

void mine_rule_place(const struct buf *file, const struct rule *rule, size_t *begin, size_t *end)
{
	unsigned last = rule->line;

	for (size_t i = 0; i < rule->conditions; i++)
		last = rule->condition[i].line > last ? rule->condition[i].line : last;
	for (size_t i = 0; i < rule->actions; i++)
		last = rule->action[i].line > last ? rule->action[i].line : last;
	*begin = line_begin(file, rule->line);
	*end = line_begin(file, last + 1);
}

static json_t *one_rule(const struct mine_work *w, size_t n)
{
	const struct rule *rule = w->own.rule[n];
	json_t *one = json_object();
	size_t begin, end;
	bool cannot = false, not_allowed = false;

	for (size_t i = 0; i < rule->actions; i++) {
		cannot = cannot || !policy_can(&rule->action[i]);
		not_allowed =
		    not_allowed || (w->policy->user_may & (1u << rule->action[i].function)) == 0;
	}
	mine_rule_place(&w->file.bytes, rule, &begin, &end);
	mine_set(one, "n", json_integer((json_int_t)n + 1));
	mine_set(one, "name", json_string(rule->name));
	mine_set(one, "line", json_integer((json_int_t)rule->line));
	mine_set(one, "text", mine_text(w->file.bytes.bytes + begin, end - begin));
	mine_set(one, "cannot", json_boolean(cannot));
	mine_set(one, "not-allowed", json_boolean(not_allowed));
	mine_set(one, "fields", mine_rule_fields(w->arena, rule));
	if (json_object_get(one, "fields") == NULL)
		mine_set(one, "fields", json_null());
	return one;
}

static bool in_force(const struct mine_work *w)
{
	size_t n;
	const char *bytes = policy_rules_find(w->rules.bytes, w->rules.len, w->path, &n);

	return n == w->file.bytes.len && (n == 0 || memcmp(bytes, w->file.bytes.bytes, n) == 0);
}

void mine_list(struct mine_work *w)
{
	json_t *rules = json_array();

	for (size_t i = 0; i < w->own.n; i++)
		(void)json_array_append_new(rules, one_rule(w, i));
	mine_set(w->json, "address", mine_text(w->address, strlen(w->address)));
	mine_set(w->json, "digest", json_string(w->file.digest));
	mine_set(w->json, "most", json_integer((json_int_t)w->mine->settings->own_rules));
	mine_set(w->json, "hand", json_boolean(w->file.hand));
	mine_set(w->json, "in-force", json_boolean(in_force(w)));
	mine_set(w->json, "allowed", allowed(w));
	mine_set(w->json, "passwords", names(w, FUNCTION_PASSWORD, "passwords"));
	mine_set(w->json, "texts", names(w, FUNCTION_INSERT, "texts"));
	mine_set(w->json, "rules", rules);
	mine_set(w->json, "fault", json_null());
}
