/* A rule as text, and as the fields of a form. */
#include <stdio.h>
#include <string.h>

#include "lib/mine/form.h"
#include "lib/rules/show.h"

#define ALL_PLACES ((1u << PLACE_COUNT) - 1)

/* ---- values ------------------------------------------------------------------------------- */

/* 5m, 60m, 2h, 7d: as forms offer them. */
static void put_span(struct buf *out, int64_t span)
{
	long long seconds = span / 1000000;

	if (seconds % 86400 == 0)
		buf_addf(out, "%lldd", seconds / 86400);
	else if (seconds % 3600 == 0 && seconds > 3600)
		buf_addf(out, "%lldh", seconds / 3600);
	else if (seconds % 60 == 0)
		buf_addf(out, "%lldm", seconds / 60);
	else
		buf_addf(out, "%llds", seconds);
}

static void put_size(struct buf *out, uint64_t bytes)
{
	static const char *const units[] = {"B", "KB", "MB", "GB"};
	size_t unit = 0;

	while (bytes > 0 && bytes % 1024 == 0 && unit + 1 < COUNT_OF(units)) {
		bytes /= 1024;
		unit++;
	}
	buf_addf(out, "%llu%s", (unsigned long long)bytes, units[unit]);
}

static const char *bcc_word(enum rule_bcc bcc)
{
	static const char *const words[] = {
	    [BCC_NO] = "no", [BCC_EXTERNAL] = "external", [BCC_ALL] = "all", [BCC_EACH] = "each"};

	return words[bcc];
}

static const char *notice_word(enum rule_notice notice)
{
	static const char *const words[] = {[TELL_NEVER] = "never",
	    [TELL_DIGEST] = "digest",
	    [TELL_RISKY] = "risky",
	    [TELL_ALWAYS] = "always"};

	return words[notice];
}

static const char *files_word(enum rule_files files)
{
	static const char *const words[] = {[FILES_KEEP] = "keep",
	    [FILES_ZIP] = "zip",
	    [FILES_LINK] = "link",
	    [FILES_TABLE] = "as"};

	return words[files];
}

/* What do-time= says of a hold. */
static void put_hold(struct buf *out, const struct rule_action *a)
{
	switch (a->hold) {
	case HOLD_NO:
		buf_add_text(out, "no");
		break;
	case HOLD_FOR:
		put_span(out, a->span);
		break;
	case HOLD_UNTIL:
		buf_addf(out, "%02d:%02d%s", a->minute / 60, a->minute % 60,
		    a->workday ? " workday" : "");
		break;
	case HOLD_CONFIRMED:
		buf_add_text(out, "confirmed");
		break;
	case HOLD_CHECKED:
		buf_add_text(out, "checked");
		break;
	case HOLD_OPERATOR:
		buf_add_text(out, "operator");
		break;
	}
}

static const char *approver(const struct rule_action *a)
{
	return a->approver->kind == APPROVER_ADDRESS ? a->approver->text : "boss";
}

/* ---- text --------------------------------------------------------------------------------- */

static void write_condition(const struct rule_condition *c, struct buf *out)
{
	struct buf line;
	const char *blank;

	buf_init(&line, MINE_RULE_MAX);
	if (c->kind == COND_FILES_SIZE) {
		buf_add_text(&line, "files size >= ");
		put_size(&line, c->count.number);
	} else {
		rule_condition_show(c, false, &line);
	}
	buf_add(&line, "", 1);
	if (buf_ok(&line)) {
		/* Its first word, and the rest in a column. */
		blank = strchrnul(line.bytes, ' ');
		buf_addf(out, *blank != '\0' ? "    %-7.*s%s\n" : "    %.*s%s\n",
		    (int)(blank - line.bytes), line.bytes, blank);
	}
	out->failed = out->failed || line.failed;
	buf_free(&line);
}

static void write_hold(const struct rule_action *a, struct buf *out)
{
	bool until = a->hold == HOLD_UNTIL || a->hold == HOLD_CONFIRMED || a->hold == HOLD_CHECKED;

	buf_add_text(out, until ? "hold until " : "hold ");
	put_hold(out, a);
	buf_add_text(out, a->discard ? " else discard" : "");
}

static void write_files(const struct rule_action *a, struct buf *out)
{
	buf_add_text(out, files_word(a->files));
	if (a->files == FILES_LINK && a->span != 0) {
		buf_add_text(out, " for ");
		put_span(out, a->span);
	}
}

static void write_insert(const struct rule_action *a, struct buf *out)
{
	buf_addf(out, "insert %s %s", a->insert == INSERT_TOP ? "top" : "end",
	    a->insert == INSERT_HISTORY ? "history" : a->text);
}

static const char *whom(const struct rule_action *a)
{
	return a->who.kind == WHO_ADDRESS ? a->who.text : "boss";
}

static void write_action(const struct rule_action *a, struct buf *out)
{
	switch (a->function) {
	case FUNCTION_HOLD:
		write_hold(a, out);
		return;
	case FUNCTION_APPROVE:
		buf_addf(out, "approve %s%s", a->yes ? "by " : "no", a->yes ? approver(a) : "");
		return;
	case FUNCTION_FILES:
		write_files(a, out);
		return;
	case FUNCTION_PASSWORD:
		buf_addf(out, "password %s", a->text);
		return;
	case FUNCTION_SIGN:
		buf_addf(out, "sign %s", a->text);
		return;
	case FUNCTION_ROUTE:
		buf_addf(out, "route %s", a->text);
		return;
	case FUNCTION_STAGGER:
		buf_add_text(out, a->yes ? "stagger " : "stagger no");
		if (a->yes)
			put_span(out, a->span);
		return;
	case FUNCTION_BCC:
		buf_addf(out, "bcc %s", bcc_word(a->bcc));
		return;
	case FUNCTION_TLS:
		buf_addf(out, "tls %s", policy_tls_word(a->tls));
		return;
	case FUNCTION_NOTICE:
		buf_addf(out, "notice %s", notice_word(a->notice));
		return;
	case FUNCTION_INSERT:
		write_insert(a, out);
		return;
	case FUNCTION_ADD_BCC:
		buf_addf(out, "add bcc %s", whom(a));
		return;
	case FUNCTION_COPY:
		buf_addf(out, "copy %s", whom(a));
		return;
	case FUNCTION_ARCHIVE:
		buf_add_text(out, "archive");
		return;
	case FUNCTION_REFUSE:
	case FUNCTION_BOUNCE:
	case FUNCTION_FORWARD:
	case FUNCTION_COUNT:
		break;
	}
	out->failed = true; /* no form has it */
}

static enum mine_key key_of(const struct rule_condition *c)
{
	switch (c->kind) {
	case COND_TO:
		return MINE_TO;
	case COND_WORDS:
		return c->places == ALL_PLACES ? MINE_WORDS : MINE_SUBJECT;
	case COND_FILE:
		return c->file[0].property == FILE_NAME ? MINE_NAMES : MINE_ATTACHMENT;
	case COND_RECIPIENTS:
		return MINE_RECIPIENTS;
	case COND_VISIBLE:
		return MINE_VISIBLE;
	case COND_FILES_SIZE:
		return MINE_SIZE;
	case COND_WHEN:
		return MINE_WHEN;
	case COND_ALWAYS:
	case COND_FROM:
	case COND_MISMATCHED:
	case COND_UNREGISTERED:
	case COND_HEADER_WHO:
	case COND_HEADER_TEXT:
	case COND_HIDDEN:
	case COND_COMPANIES:
	case COND_FILES_COUNT:
	case COND_REGEX:
	case COND_PII:
	case COND_COMPANY_OTHER:
	case COND_COMPANY_NONE:
	case COND_MESSAGE_SIZE:
	case COND_MESSAGE_TRAIT:
		break;
	}
	return MINE_DO;
}

/* The field by which what is done is chosen. */
static enum mine_key key_of_action(const struct rule_action *a)
{
	static const enum mine_key keys[FUNCTION_COUNT] = {[FUNCTION_HOLD] = MINE_TIME,
	    [FUNCTION_STAGGER] = MINE_TIME,
	    [FUNCTION_APPROVE] = MINE_WHO,
	    [FUNCTION_ADD_BCC] = MINE_WHO,
	    [FUNCTION_COPY] = MINE_WHO,
	    [FUNCTION_FILES] = MINE_FILES,
	    [FUNCTION_PASSWORD] = MINE_PASSWORD,
	    [FUNCTION_BCC] = MINE_BCC,
	    [FUNCTION_TLS] = MINE_TLS,
	    [FUNCTION_NOTICE] = MINE_NOTICE,
	    [FUNCTION_INSERT] = MINE_TEXT,
	    [FUNCTION_SIGN] = MINE_OTHER,
	    [FUNCTION_ROUTE] = MINE_OTHER};

	return keys[a->function] != 0 ? keys[a->function] : MINE_DO;
}

void mine_rule_write(const struct rule *rule, struct buf *out, enum mine_key line[MINE_LINES])
{
	size_t n = 0;

	if (line != NULL)
		line[n++] = MINE_NAME;
	buf_addf(out, "rule %s\n", rule->name);
	for (size_t i = 0; i < rule->conditions; i++) {
		write_condition(&rule->condition[i], out);
		if (line != NULL && n < MINE_LINES)
			line[n++] = key_of(&rule->condition[i]);
	}
	buf_add_text(out, "    do      ");
	write_action(&rule->action[0], out);
	buf_add_text(out, "\n");
	while (line != NULL && n < MINE_LINES)
		line[n++] = key_of_action(&rule->action[0]);
}

/* ---- the same ----------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* What means the same is shown the same, and nothing else is (lib/rules/show.h). */
static bool same_condition(const struct rule_condition *a, const struct rule_condition *b)
{
	struct buf one, other;
	bool same;

	buf_init(&one, MINE_RULE_MAX);
	buf_init(&other, MINE_RULE_MAX);
	rule_condition_show(a, false, &one);
	rule_condition_show(b, false, &other);
	same = a->kind == b->kind && buf_ok(&one) && buf_ok(&other) && one.len == other.len &&
	       memcmp(one.bytes, other.bytes, one.len) == 0;
	buf_free(&one);
	buf_free(&other);
	return same;
}

static bool same_approvers(const struct rule_action *a, const struct rule_action *b)
{
	if (a->approvers != b->approvers)
		return false;
	for (size_t i = 0; i < a->approvers; i++) {
		if (a->approver[i].kind != b->approver[i].kind ||
		    !same_text(a->approver[i].text, b->approver[i].text) ||
		    (a->approver[i].kind == APPROVER_GROUP && a->approver[i].n != b->approver[i].n))
			return false;
	}
	return true;
}

static bool same_action(const struct rule_action *a, const struct rule_action *b)
{
	return a->function == b->function && a->yes == b->yes && same_text(a->text, b->text) &&
	       a->span == b->span && a->hold == b->hold && a->minute == b->minute &&
	       a->workday == b->workday && a->discard == b->discard && a->files == b->files &&
	       a->zip == b->zip && a->twice == b->twice && same_text(a->suffix, b->suffix) &&
	       a->times == b->times && a->bcc == b->bcc && a->tls == b->tls &&
	       a->otherwise == b->otherwise && a->notice == b->notice && a->insert == b->insert &&
	       same_approvers(a, b) && a->who.kind == b->who.kind &&
	       same_text(a->who.text, b->who.text);
}

bool mine_rule_same(const struct rule *a, const struct rule *b)
{
	if (strcmp(a->name, b->name) != 0 || a->shadow != b->shadow ||
	    a->conditions != b->conditions || a->actions != b->actions)
		return false;
	for (size_t i = 0; i < a->conditions; i++) {
		if (!same_condition(&a->condition[i], &b->condition[i]))
			return false;
	}
	for (size_t i = 0; i < a->actions; i++) {
		if (!same_action(&a->action[i], &b->action[i]))
			return false;
	}
	return true;
}

/* ---- fields ------------------------------------------------------------------------------- */

/* A form that is being filled; its texts live in the arena. */
struct filling {
	struct arena *arena;
	struct mine_form form;
	bool failed;
};

/* One that is there already was said by another line: no form has it twice. */
static void put_value(struct filling *f, enum mine_key key, const struct buf *value)
{
	if (f->form.value[key] != NULL || !buf_ok(value) || value->len == 0)
		f->failed = true;
	else
		f->form.value[key] = arena_text(f->arena, value->bytes, value->len);
	f->failed = f->failed || f->form.value[key] == NULL;
}

static void put_text(struct filling *f, enum mine_key key, const char *text)
{
	struct buf value;

	buf_init(&value, MINE_RULE_MAX);
	buf_add_text(&value, text);
	put_value(f, key, &value);
	buf_free(&value);
}

static void fill_list(struct filling *f, const struct rule_condition *c, struct buf *value)
{
	const char *comma = "";

	for (size_t i = 0; i < c->whos; i++, comma = ", ") {
		buf_add_text(value, comma);
		rule_who_show(&c->who[i], value);
	}
	for (size_t i = 0; i < c->texts; i++, comma = ", ") {
		f->failed = f->failed || c->text[i].list;
		buf_addf(value, "%s%s", comma, c->text[i].text);
	}
	for (size_t i = 0; c->files > 0 && i < c->file[0].globs; i++, comma = ", ")
		buf_addf(value, "%s%s", comma, c->file[0].glob[i]);
}

static void fill_count(struct filling *f, const struct rule_condition *c, struct buf *value)
{
	const char *class = c->has_class ? policy_class_word(c->class) : NULL;

	buf_addf(value, "%llu", (unsigned long long)c->count.number);
	if (class == NULL)
		return;
	if (f->form.value[MINE_CLASS] == NULL)
		put_text(f, MINE_CLASS, class);
}

static void fill_when(const struct rule_condition *c, struct buf *value)
{
	struct buf shown;

	buf_init(&shown, MINE_RULE_MAX);
	rule_condition_show(c, true, &shown);
	if (buf_ok(&shown) && shown.len > 5) /* "when " */
		buf_add(value, shown.bytes + 5, shown.len - 5);
	buf_free(&shown);
}

static void fill_condition(struct filling *f, const struct rule_condition *c)
{
	enum mine_key key = key_of(c);
	struct buf value;

	if (c->kind == COND_ALWAYS)
		return;
	buf_init(&value, MINE_RULE_MAX);
	if (key == MINE_ATTACHMENT)
		buf_add_text(&value, c->unless                               ? "no"
				     : c->file[0].property == FILE_ENCRYPTED ? "open"
									     : "yes");
	else if (key == MINE_RECIPIENTS || key == MINE_VISIBLE)
		fill_count(f, c, &value);
	else if (key == MINE_SIZE)
		put_size(&value, c->count.number);
	else if (key == MINE_WHEN)
		fill_when(c, &value);
	else if (key != MINE_DO)
		fill_list(f, c, &value);
	put_value(f, key, &value); /* MINE_DO: of no form; it stays empty, which fails */
	buf_free(&value);
}

static void fill_insert(const struct rule_action *a, struct buf *value)
{
	buf_addf(value, "%s %s", a->insert == INSERT_TOP ? "top" : "end",
	    a->insert == INSERT_HISTORY ? "history" : a->text);
}

static void fill_span(struct filling *f, const struct rule_action *a)
{
	struct buf value;

	buf_init(&value, 64);
	if (a->function == FUNCTION_HOLD)
		put_hold(&value, a);
	else if (a->function == FUNCTION_STAGGER && !a->yes)
		buf_add_text(&value, "no");
	else
		put_span(&value, a->span);
	put_value(f, MINE_TIME, &value);
	buf_free(&value);
}

static void fill_action(struct filling *f, const struct rule_action *a)
{
	enum mine_key key = key_of_action(a);
	struct buf value;

	put_text(f, MINE_DO, policy_function_word(a->function));
	if (key == MINE_TIME || (a->files == FILES_LINK && a->span != 0))
		fill_span(f, a);
	if (a->discard)
		put_text(f, MINE_ELSE, "discard");
	if (key == MINE_DO || key == MINE_TIME)
		return;
	buf_init(&value, MINE_RULE_MAX);
	if (a->function == FUNCTION_APPROVE)
		buf_add_text(&value, a->yes && a->approvers > 0 ? approver(a) : "no");
	else if (key == MINE_WHO)
		buf_add_text(&value, whom(a));
	else if (key == MINE_FILES)
		buf_add_text(&value, files_word(a->files));
	else if (key == MINE_BCC)
		buf_add_text(&value, bcc_word(a->bcc));
	else if (key == MINE_TLS)
		buf_add_text(&value, policy_tls_word(a->tls));
	else if (key == MINE_NOTICE)
		buf_add_text(&value, notice_word(a->notice));
	else if (key == MINE_TEXT)
		fill_insert(a, &value);
	else
		buf_add_text(&value, a->text);
	put_value(f, key, &value);
	buf_free(&value);
}

json_t *mine_rule_fields(struct arena *arena, const struct rule *rule)
{
	struct filling f = {.arena = arena};
	struct mine_wrong wrong;
	struct rule again = {.conditions = 0};
	json_t *fields;

	f.failed = rule->shadow || rule->actions != 1 || rule->conditions > MINE_CONDITIONS;
	for (size_t i = 0; !f.failed && i < rule->conditions; i++)
		fill_condition(&f, &rule->condition[i]);
	if (!f.failed)
		fill_action(&f, &rule->action[0]);
	/* Whatever was left out above, a form that makes another rule is not shown. */
	if (f.failed || !mine_form_read(arena, &f.form, rule->name, &again, &wrong) ||
	    !mine_rule_same(rule, &again))
		return NULL;
	fields = json_object();
	for (unsigned i = 0; fields != NULL && i < MINE_KEY_COUNT; i++) {
		if (f.form.value[i] != NULL)
			(void)json_object_set_new(
			    fields, mine_key_word((enum mine_key)i), json_string(f.form.value[i]));
	}
	return fields;
}
