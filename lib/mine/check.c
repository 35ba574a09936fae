/* What a person's file is to become, checked as "seki compile" checks it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/mine/work.h"

static bool no_field(struct mine_work *w, enum mine_key field, const char *why, const char *text)
{
	mine_set(w->json, "field", json_string(mine_key_word(field)));
	mine_set(w->json, "why", json_string(why));
	mine_set(w->json, "text", mine_text(text, strlen(text)));
	return mine_no(w, "field");
}

/* ---- what stands before any change -------------------------------------------------------- */

/* Two browsers at once: who has not seen the file as it is decides nothing about it. */
static bool unchanged(struct mine_work *w)
{
	const char *digest = w->request.form.value[MINE_DIGEST];

	if (w->request.verb == MINE_VERB_TRY)
		return true;
	if (digest != NULL && strcmp(digest, w->file.digest) == 0)
		return true;
	mine_set(w->json, "digest", json_string(w->file.digest));
	return mine_no(w, "changed");
}

static bool changeable(struct mine_work *w)
{
	if (w->file.hand)
		return mine_no(w, "hand");
	return unchanged(w) && (w->readable || mine_no_fault(w, &w->fault));
}

/* ---- names -------------------------------------------------------------------------------- */

struct naming {
	int etc;
	bool unknown; /* one was asked for that is not there */
};

/* Files of etc/ by their names. Groups and lists of people no form names. */
static bool is_known(
    void *context, enum rule_name_kind kind, const char *name, char *near, size_t room)
{
	static const char *const folders[RULE_NAME_COUNT] = {[RULE_NAME_LIST] = "lists",
	    [RULE_NAME_TABLE] = "tables",
	    [RULE_NAME_WORDS] = "words",
	    [RULE_NAME_PASSWORD] = "passwords",
	    [RULE_NAME_TEXT] = "texts"};
	struct naming *naming = context;
	char path[128];
	bool known;

	if (room > 0)
		near[0] = '\0';
	if (folders[kind] == NULL)
		return true;
	/* Names have no '/', and no '.' in front (lib/rules). */
	known = (size_t)snprintf(path, sizeof path, "%s/%s", folders[kind], name) < sizeof path &&
		faccessat(naming->etc, path, R_OK, 0) == 0;
	naming->unknown = naming->unknown || !known;
	return known;
}

/* ---- the rule that is added --------------------------------------------------------------- */

static bool is_used(const struct mine_work *w, const char *name)
{
	for (size_t i = 0; i < w->own.n; i++) {
		if (strcmp(w->own.rule[i]->name, name) == 0)
			return true;
	}
	return false;
}

static const char *free_name(struct mine_work *w)
{
	unsigned n = 1;

	do
		(void)snprintf(w->name, sizeof w->name, "own-%u", n++);
	while (is_used(w, w->name));
	return w->name;
}

/* A fault in a line of its text is one of the field that the line comes from. */
static bool no_line(
    struct mine_work *w, unsigned line, const struct conf_fault *fault, const char *why)
{
	enum mine_key field = line >= 1 && line <= MINE_LINES ? w->key[line - 1] : MINE_DO;

	return no_field(w, field, why, fault->text);
}

static bool lines_fit(struct mine_work *w)
{
	const char *at = w->text.bytes, *end = at + w->text.len;

	for (unsigned line = 1; at < end; line++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((newline != NULL ? newline : end) - at);
		const struct conf_fault fault = {.text = "too much for one line of a rule"};

		if (len > RULE_LINE_MAX)
			return no_line(w, line, &fault, "long");
		at += len + 1;
	}
	return true;
}

/* The language's reader must find one rule in it, and that one. */
static bool read_back(struct mine_work *w)
{
	struct naming naming = {.etc = w->mine->etc};
	const struct rule_names known = {is_known, &naming};
	struct conf_fault fault;

	if (!mine_parse(w, w->text.bytes, w->text.len, &known, &w->next, &fault))
		return no_line(w, fault.line, &fault, naming.unknown ? "unknown" : "wrong");
	if (w->next.n == 1 && mine_rule_same(w->next.rule[0], &w->rule))
		return true;
	LOG_ALARM("rule-misread", kv("who", w->address));
	return no_field(w, MINE_DO, "wrong", "the rule would not say what the form says");
}

static bool may_decide(struct mine_work *w)
{
	const struct mine_form *form = &w->request.form;
	enum policy_function function = mine_form_function(form);

	if (form->value[MINE_DO] == NULL)
		return no_field(w, MINE_DO, "missing", "is missing");
	if (function == FUNCTION_COUNT)
		return no_field(w, MINE_DO, "unknown", "there is no such function");
	if ((w->policy->user_may & (1u << function)) != 0)
		return true;
	mine_set(w->json, "field", json_string(mine_key_word(MINE_DO)));
	return mine_no(w, "not-allowed");
}

static bool write_rule(struct mine_work *w)
{
	struct mine_wrong wrong;

	if (!mine_form_read(w->arena, &w->request.form, free_name(w), &w->rule, &wrong))
		return no_field(w, wrong.field, wrong.why, wrong.text);
	if (is_used(w, w->rule.name))
		return no_field(w, MINE_NAME, "used", "a rule has that name already");
	mine_rule_write(&w->rule, &w->text, w->key);
	if (!buf_ok(&w->text))
		return mine_no(w, "large");
	return lines_fit(w) && read_back(w);
}

/* ---- the file ----------------------------------------------------------------------------- */

static unsigned lines_of(const struct buf *file)
{
	unsigned n = 0;

	for (size_t i = 0; i < file->len; i++)
		n += file->bytes[i] == '\n';
	return n;
}

/* The others must be what they were; `skip` is left out. */
static bool others_same(const struct mine_work *w, size_t skip)
{
	size_t n = 0;

	for (size_t i = 0; i < w->own.n; i++) {
		if (i == skip)
			continue;
		if (n >= w->next.n || !mine_rule_same(w->own.rule[i], w->next.rule[n]))
			return false;
		n++;
	}
	return n + (w->line > 0) == w->next.n &&
	       (w->line == 0 || mine_rule_same(w->next.rule[n], &w->rule));
}

/* A fault of the whole set. Whose it is says the file that it names. */
static bool no_set(struct mine_work *w, const struct conf_fault *fault)
{
	char why[sizeof fault->file + sizeof fault->text + 32];
	bool his = strncmp(fault->file, w->path, sizeof fault->file - 1) == 0; /* it may be cut */

	if (his && w->line > 0 && fault->line >= w->line)
		return no_line(w, fault->line - w->line + 1, fault, "wrong");
	if (his)
		return mine_no_fault(w, fault);
	conf_fault_show(fault, why, sizeof why);
	return mine_later(w, "the rules as they would be", why);
}

static bool check_set(struct mine_work *w)
{
	struct conf_fault fault;

	if (!policy_rules_change(w->rules.bytes, w->rules.len, w->path, w->fresh.bytes,
		w->fresh.len, &w->bundle, &fault))
		return no_set(w, &fault);
	w->checked = policy_read(w->bundle.bytes, w->bundle.len, "rules", NULL, &fault);
	if (w->checked == NULL || !policy_texts_good(w->checked, &fault))
		return no_set(w, &fault);
	/* What is taken away is never too much. */
	return w->line == 0 || mine_bounds(w);
}

static bool check_file(struct mine_work *w, size_t skip)
{
	struct conf_fault fault;

	if (!buf_ok(&w->fresh) || w->fresh.len > MINE_FILE_MAX)
		return mine_no(w, "large");
	if (!mine_parse(w, w->fresh.bytes, w->fresh.len, NULL, &w->next, &fault))
		return mine_no_fault(w, &fault);
	if (!others_same(w, skip)) {
		LOG_ALARM("rule-misread", kv("who", w->address));
		return mine_no(w, "fault");
	}
	return check_set(w);
}

bool mine_try(struct mine_work *w)
{
	const struct buf *old = &w->file.bytes;

	if (!may_decide(w) || !changeable(w))
		return false;
	if (w->own.n >= (size_t)w->mine->settings->own_rules) {
		mine_set(w->json, "most", json_integer((json_int_t)w->mine->settings->own_rules));
		return mine_no(w, "many");
	}
	if (!write_rule(w))
		return false;
	buf_add(&w->fresh, old->bytes, old->len);
	if (old->len > 0)
		buf_add_text(&w->fresh, "\n");
	w->line = lines_of(&w->fresh) + 1;
	buf_add(&w->fresh, w->text.bytes, w->text.len);
	return check_file(w, SIZE_MAX);
}

/* ---- one less ----------------------------------------------------------------------------- */

static bool take_number(const struct mine_work *w, size_t *n)
{
	const char *text = w->request.form.value[MINE_N];
	char *end;

	if (text == NULL || text[0] < '1' || text[0] > '9' || strlen(text) > 6)
		return false;
	*n = strtoul(text, &end, 10);
	return *end == '\0' && *n <= w->own.n;
}

/* Whether nothing but blanks and empty lines is left. */
static bool is_blank(const struct buf *file)
{
	for (size_t i = 0; i < file->len; i++) {
		if (strchr(" \t\n", file->bytes[i]) == NULL || file->bytes[i] == '\0')
			return false;
	}
	return true;
}

bool mine_cut(struct mine_work *w)
{
	const struct buf *old = &w->file.bytes;
	size_t n, begin, end;

	if (!changeable(w))
		return false;
	if (!take_number(w, &n))
		return mine_no(w, "none");
	mine_rule_place(old, w->own.rule[n - 1], &begin, &end);
	while (end < old->len && old->bytes[end] == '\n')
		end++;
	/* The last one takes the empty line before it away. */
	while (end == old->len && begin > 1 && old->bytes[begin - 1] == '\n' &&
	       old->bytes[begin - 2] == '\n')
		begin--;
	buf_add(&w->fresh, old->bytes, begin);
	buf_add(&w->fresh, old->bytes + end, old->len - end);
	if (is_blank(&w->fresh))
		buf_clear(&w->fresh);
	return check_file(w, n - 1);
}

/* ---- telling ------------------------------------------------------------------------------ */

struct warned {
	struct mine_work *w;
	json_t *list;
};

static const char *warning_code(const char *text)
{
	static const struct {
		const char *word, *code;
	} codes[] = {{"never reached", "never-reached"}, {"never matches", "never-matches"},
	    {"changes nothing", "changes-nothing"}, {"this version cannot", "cannot"}};

	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		if (strstr(text, codes[i].word) != NULL)
			return codes[i].code;
	}
	return "other";
}

/* `where` is "user/ADDRESS:LINE". */
static bool take_warning(void *context, const char *where, const char *text)
{
	struct warned *warned = context;
	const char *colon = strrchr(where, ':');
	json_t *one;

	if (colon == NULL || strtoul(colon + 1, NULL, 10) < warned->w->line)
		return true;
	one = json_object();
	mine_set(one, "code", json_string(warning_code(text)));
	mine_set(one, "text", mine_text(text, strlen(text)));
	(void)json_array_append_new(warned->list, one);
	return true;
}

void mine_tell_rule(struct mine_work *w)
{
	struct warned warned = {w, json_array()};

	policy_warnings_of(w->checked, w->address, take_warning, &warned);
	mine_set(w->json, "name", json_string(w->rule.name));
	mine_set(w->json, "text", mine_text(w->text.bytes, w->text.len));
	mine_set(w->json, "warnings", warned.list);
}
