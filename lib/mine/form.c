#include "lib/mine/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/org/org.h"

#define NUMBER_MAX UINT64_C(1000000)
#define SPAN_MAX   (INT64_C(366) * 86400) /* seconds */
#define DAY        (24 * 60)              /* minutes */

/* A form that is being read. */
struct reading {
	struct arena *arena;
	const struct mine_form *form;
	struct rule *rule;
	struct mine_wrong *wrong;
};

static bool blame(
    struct reading *r, enum mine_key field, const char *why, const char *format, const char *text)
{
	*r->wrong = (struct mine_wrong){.field = field, .why = why};
	(void)snprintf(r->wrong->text, sizeof r->wrong->text, "%s%.60s", format, text);
	return false;
}

static bool blame_memory(struct reading *r, enum mine_key field)
{
	return blame(r, field, "many", "there is no memory for so much", "");
}

/* The value that must be there; NULL: blamed. */
static const char *needed(struct reading *r, enum mine_key field)
{
	const char *value = r->form->value[field];

	if (value == NULL)
		(void)blame(r, field, "missing", "is missing", "");
	return value;
}

static struct rule_condition *add(struct reading *r, enum rule_condition_kind kind)
{
	struct rule_condition *c = &r->rule->condition[r->rule->conditions++];

	*c = (struct rule_condition){.kind = kind, .places = (1u << PLACE_COUNT) - 1};
	return c;
}

/* ---- lists ---- */

static const char *const partings[] = {",", "\n", "、", "，"};
static const char *const blanks[] = {" ", "\t", "\r", "　"};

static size_t one_of(const char *at, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(words[i]);

		if (strncmp(at, words[i], len) == 0)
			return len;
	}
	return 0;
}

/* The blank before `end`, or 0. */
static size_t blank_before(const char *begin, const char *end)
{
	for (size_t i = 0; i < COUNT_OF(blanks); i++) {
		size_t len = strlen(blanks[i]);

		if ((size_t)(end - begin) >= len && memcmp(end - len, blanks[i], len) == 0)
			return len;
	}
	return 0;
}

size_t mine_next_word(const char **at, const char **text)
{
	for (;;) {
		const char *end;
		size_t n;

		while ((n = one_of(*at, partings, COUNT_OF(partings))) > 0 ||
		       (n = one_of(*at, blanks, COUNT_OF(blanks))) > 0)
			*at += n;
		if (**at == '\0')
			return 0;
		*text = end = *at;
		while (*end != '\0' && one_of(end, partings, COUNT_OF(partings)) == 0)
			end++;
		*at = end;
		while ((n = blank_before(*text, end)) > 0)
			end -= n;
		if (end > *text)
			return (size_t)(end - *text);
	}
}

/* Addresses are parted by blanks, too. */
static size_t next_person(const char **at, const char **text)
{
	size_t n, len = 0;

	while ((n = one_of(*at, partings, COUNT_OF(partings))) > 0 ||
	       (n = one_of(*at, blanks, COUNT_OF(blanks))) > 0)
		*at += n;
	*text = *at;
	while (**at != '\0' && one_of(*at, partings, COUNT_OF(partings)) == 0 &&
	       one_of(*at, blanks, COUNT_OF(blanks)) == 0) {
		++*at;
		len++;
	}
	return len;
}

static bool has_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return true;
	}
	return false;
}

/* ---- people ---- */

/* In normal form, without quotes: an address that would want them is not written in a form. */
static bool take_address(struct reading *r, enum mine_key field, const char *text, const char **to)
{
	char normal[ORG_ADDRESS_MAX];

	if (!org_normal(text, normal) || normal[0] == '"' || normal[0] == '\0' ||
	    has_control(normal, strlen(normal)) || strpbrk(normal, " \"\\,;<>") != NULL)
		return blame(r, field, "wrong", "this is not an address: ", text);
	*to = arena_text(r->arena, normal, strlen(normal));
	return *to != NULL || blame_memory(r, field);
}

static bool take_domain(struct reading *r, enum mine_key field, const char *text, const char **to)
{
	char address[ORG_ADDRESS_MAX], normal[ORG_ADDRESS_MAX];

	(void)snprintf(address, sizeof address, "x@%s", text);
	if (text[0] == '\0' || strchr(text, '@') != NULL || strlen(text) > 253 ||
	    !org_normal(address, normal) || strncmp(normal, "x@", 2) != 0 ||
	    strpbrk(normal, " \"\\,;<>") != NULL)
		return blame(r, field, "wrong", "this is not a domain: ", text);
	*to = arena_text(r->arena, normal + 2, strlen(normal + 2));
	return *to != NULL || blame_memory(r, field);
}

static bool take_word(const char *text, struct rule_who *who)
{
	for (unsigned i = 0; i < CLASS_COUNT; i++) {
		if (strcmp(text, policy_class_word((enum policy_class)i)) == 0) {
			*who = (struct rule_who){.kind = WHO_CLASS, .class = (enum policy_class)i};
			return true;
		}
	}
	*who = (struct rule_who){.kind = strcmp(text, "partner") == 0      ? WHO_PARTNER
					 : strcmp(text, "first-time") == 0 ? WHO_FIRST_TIME
					 : strcmp(text, "lookalike") == 0  ? WHO_LOOKALIKE
									   : WHO_ANY};
	return who->kind != WHO_ANY;
}

static bool take_person(struct reading *r, const char *text, struct rule_who *who)
{
	if (take_word(text, who))
		return true;
	if (text[0] == '@') {
		who->kind = text[1] == '.' ? WHO_SUBDOMAINS : WHO_DOMAIN;
		return take_domain(
		    r, MINE_TO, text + (who->kind == WHO_SUBDOMAINS ? 2 : 1), &who->text);
	}
	if (strchr(text, '@') == NULL && strchr(text, '.') != NULL) {
		who->kind = WHO_DOMAIN;
		return take_domain(r, MINE_TO, text, &who->text);
	}
	who->kind = WHO_ADDRESS;
	return take_address(r, MINE_TO, text, &who->text);
}

static bool read_to(struct reading *r)
{
	const char *at = r->form->value[MINE_TO], *text;
	struct rule_condition *c;
	char one[ORG_ADDRESS_MAX];
	size_t len;

	if (at == NULL)
		return true;
	c = add(r, COND_TO);
	c->who = arena_take(r->arena, MINE_PEOPLE_MAX * sizeof *c->who);
	if (c->who == NULL)
		return blame_memory(r, MINE_TO);
	while ((len = next_person(&at, &text)) > 0) {
		if (c->whos == MINE_PEOPLE_MAX)
			return blame(r, MINE_TO, "many", "at most 100 addresses", "");
		if (len >= sizeof one)
			return blame(r, MINE_TO, "long", "an address is too long", "");
		memcpy(one, text, len);
		one[len] = '\0';
		if (!take_person(r, one, &c->who[c->whos++]))
			return false;
	}
	return c->whos > 0 || blame(r, MINE_TO, "missing", "is missing", "");
}

/* ---- what is in it ---- */

/* Counts the words of a field. False: blamed. */
static bool count_words(struct reading *r, enum mine_key field, size_t *n)
{
	const char *at = r->form->value[field], *text;
	size_t len;

	for (*n = 0; (len = mine_next_word(&at, &text)) > 0; ++*n) {
		if (*n == MINE_ITEMS_MAX)
			return blame(r, field, "many", "at most 20 of them", "");
		if (len > MINE_TEXT_MAX)
			return blame(r, field, "long", "one of them is too long", "");
		if (has_control(text, len))
			return blame(r, field, "wrong", "a control character", "");
	}
	return *n > 0 || blame(r, field, "missing", "is missing", "");
}

static bool read_words(struct reading *r, enum mine_key field, unsigned places)
{
	const char *at = r->form->value[field], *text;
	struct rule_condition *c;
	size_t n, len;

	if (at == NULL)
		return true;
	if (!count_words(r, field, &n))
		return false;
	c = add(r, COND_WORDS);
	c->places = places;
	c->text = arena_take(r->arena, n * sizeof *c->text);
	while (c->text != NULL && (len = mine_next_word(&at, &text)) > 0) {
		c->text[c->texts].text = arena_text(r->arena, text, len);
		if (c->text[c->texts++].text == NULL)
			return blame_memory(r, field);
	}
	return c->text != NULL || blame_memory(r, field);
}

static struct rule_file *add_file(struct reading *r, enum rule_property property)
{
	struct rule_condition *c = add(r, COND_FILE);

	c->file = arena_take(r->arena, sizeof *c->file);
	if (c->file == NULL)
		return NULL;
	c->files = 1;
	c->file->property = property;
	return c->file;
}

static bool read_attachment(struct reading *r)
{
	const char *value = r->form->value[MINE_ATTACHMENT];
	bool open = value != NULL && strcmp(value, "open") == 0;
	bool no = value != NULL && strcmp(value, "no") == 0;
	struct rule_file *file;

	if (value == NULL)
		return true;
	if (!open && !no && strcmp(value, "yes") != 0)
		return blame(r, MINE_ATTACHMENT, "wrong", "expected yes, no or open", "");
	file = add_file(r, open ? FILE_ENCRYPTED : FILE_ANY);
	if (file == NULL)
		return blame_memory(r, MINE_ATTACHMENT);
	file->not = open;
	r->rule->condition[r->rule->conditions - 1].unless = no;
	return true;
}

static bool read_names(struct reading *r)
{
	const char *at = r->form->value[MINE_NAMES], *text;
	struct rule_file *file;
	size_t n, len;

	if (at == NULL)
		return true;
	if (!count_words(r, MINE_NAMES, &n))
		return false;
	file = add_file(r, FILE_NAME);
	if (file != NULL)
		file->glob = arena_take(r->arena, n * sizeof *file->glob);
	if (file == NULL || file->glob == NULL)
		return blame_memory(r, MINE_NAMES);
	while ((len = mine_next_word(&at, &text)) > 0) {
		if (memchr(text, '/', len) != NULL)
			return blame(
			    r, MINE_NAMES, "wrong", "no / stands in the name of a file", "");
		file->glob[file->globs] = arena_text(r->arena, text, len);
		if (file->glob[file->globs++] == NULL)
			return blame_memory(r, MINE_NAMES);
	}
	return true;
}

/* ---- numbers ---- */

/* Digits alone, from 1. False: it is none. */
static bool digits(const char *text, size_t len, uint64_t most, uint64_t *number)
{
	*number = 0;
	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*number = *number * 10 + (uint64_t)(text[i] - '0');
		if (*number > most)
			return false;
	}
	return *number > 0;
}

static bool read_class(struct reading *r, struct rule_condition *c)
{
	const char *value = r->form->value[MINE_CLASS];

	if (value == NULL)
		return true;
	for (unsigned i = 0; i < CLASS_COUNT; i++) {
		if (strcmp(value, policy_class_word((enum policy_class)i)) == 0) {
			c->has_class = true;
			c->class = (enum policy_class)i;
			return true;
		}
	}
	return blame(r, MINE_CLASS, "wrong", "expected external, internal or affiliated", "");
}

static bool read_number(struct reading *r, enum mine_key field, enum rule_condition_kind kind)
{
	const char *value = r->form->value[field];
	struct rule_condition *c;
	uint64_t number;

	if (value == NULL)
		return true;
	if (!digits(value, strlen(value), NUMBER_MAX, &number))
		return blame(r, field, "wrong", "expected a number from 1: ", value);
	c = add(r, kind);
	c->has_count = true;
	c->count = (struct rule_count){.compare = CMP_GE, .number = number};
	return read_class(r, c);
}

static bool read_size(struct reading *r)
{
	static const struct {
		const char *unit;
		uint64_t bytes;
	} units[] = {{"KB", 1024}, {"MB", 1024 * 1024}, {"GB", 1024 * 1024 * 1024}, {"B", 1}};
	const char *value = r->form->value[MINE_SIZE];
	size_t len = value != NULL ? strlen(value) : 0, unit = 0;
	struct rule_condition *c;
	uint64_t number;

	if (value == NULL)
		return true;
	while (unit < COUNT_OF(units)) {
		size_t n = strlen(units[unit].unit);

		if (len > n && strcmp(value + len - n, units[unit].unit) == 0 &&
		    digits(value, len - n, NUMBER_MAX * 1000, &number))
			break;
		unit++;
	}
	if (unit == COUNT_OF(units))
		return blame(r, MINE_SIZE, "wrong", "expected a size as 2MB: ", value);
	c = add(r, COND_FILES_SIZE);
	c->has_count = true;
	c->count = (struct rule_count){.compare = CMP_GE, .number = number * units[unit].bytes};
	return true;
}

/* The language's own reader of spans; what it has read is what is written. */
static bool read_when(struct reading *r)
{
	const char *value = r->form->value[MINE_WHEN];
	struct rule_condition *c;
	struct conf_fault fault;
	bool good = value != NULL && strlen(value) <= MINE_TEXT_MAX;

	if (value == NULL)
		return true;
	for (const char *p = value; good && *p != '\0'; p++)
		good = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		       (*p >= '0' && *p <= '9') || strchr(" ,:-", *p) != NULL;
	c = add(r, COND_WHEN);
	if (!good || !rule_when_parse(r->arena, value, strlen(value), c, &fault))
		return blame(r, MINE_WHEN, "wrong",
		    "expected times as 22:00-07:00, Sat-Sun, holiday: ", good ? value : "");
	return true;
}

/* ---- what is done ---- */

static bool take_span(struct reading *r, const char *value, int64_t *span)
{
	static const char units[] = "smhdw";
	static const int64_t seconds[] = {1, 60, 3600, 86400, 7 * 86400};
	size_t len = strlen(value);
	const char *unit = len > 1 ? strchr(units, value[len - 1]) : NULL;
	uint64_t number;

	if (unit == NULL || !digits(value, len - 1, NUMBER_MAX * 100, &number) ||
	    (int64_t)number > SPAN_MAX / seconds[unit - units])
		return blame(r, MINE_TIME, "wrong", "expected a time as 30m: ", value);
	*span = (int64_t)number * seconds[unit - units] * 1000000;
	return true;
}

/* "09:00", minutes of the day. */
static bool clock_time(const char *text, int *minute)
{
	int hours, minutes;

	for (size_t i = 0; i < 5; i++) {
		if (i == 2 ? text[i] != ':' : text[i] < '0' || text[i] > '9')
			return false;
	}
	hours = (text[0] - '0') * 10 + text[1] - '0';
	minutes = (text[3] - '0') * 10 + text[4] - '0';
	*minute = hours * 60 + minutes;
	return minutes < 60 && *minute < DAY;
}

static bool read_hold(struct reading *r, struct rule_action *a)
{
	const char *value = needed(r, MINE_TIME), *otherwise = r->form->value[MINE_ELSE];

	if (value == NULL)
		return false;
	if (strcmp(value, "no") == 0) {
		a->hold = HOLD_NO;
	} else if (strcmp(value, "confirmed") == 0) {
		a->hold = HOLD_CONFIRMED;
	} else if (strcmp(value, "checked") == 0) {
		a->hold = HOLD_CHECKED;
	} else if (strchr(value, ':') != NULL) {
		a->hold = HOLD_UNTIL;
		a->workday = strlen(value) > 5;
		if (!clock_time(value, &a->minute) ||
		    (a->workday && strcmp(value + 5, " workday") != 0))
			return blame(r, MINE_TIME, "wrong", "expected a time as 09:00: ", value);
	} else {
		a->hold = HOLD_FOR;
		if (!take_span(r, value, &a->span))
			return false;
	}
	if (otherwise == NULL)
		return true;
	if (strcmp(otherwise, "discard") != 0 || a->hold == HOLD_NO)
		return blame(r, MINE_ELSE, "wrong", "expected discard, behind some time", "");
	a->discard = true;
	return true;
}

static bool read_approve(struct reading *r, struct rule_action *a)
{
	const char *value = needed(r, MINE_WHO);

	if (value == NULL)
		return false;
	if (strcmp(value, "no") == 0)
		return true;
	a->yes = true;
	a->approver = arena_take(r->arena, sizeof *a->approver);
	if (a->approver == NULL)
		return blame_memory(r, MINE_WHO);
	a->approvers = 1;
	if (strcmp(value, "boss") == 0) {
		a->approver->kind = APPROVER_BOSS;
		return true;
	}
	a->approver->kind = APPROVER_ADDRESS;
	return take_address(r, MINE_WHO, value, &a->approver->text);
}

static bool read_whom(struct reading *r, struct rule_action *a)
{
	const char *value = needed(r, MINE_WHO);

	if (value == NULL)
		return false;
	a->who.kind = strcmp(value, "boss") == 0 ? WHO_BOSS : WHO_ADDRESS;
	return a->who.kind == WHO_BOSS || take_address(r, MINE_WHO, value, &a->who.text);
}

static bool read_files(struct reading *r, struct rule_action *a)
{
	const char *value = needed(r, MINE_FILES), *span = r->form->value[MINE_TIME];

	if (value == NULL)
		return false;
	if (strcmp(value, "keep") == 0)
		a->files = FILES_KEEP;
	else if (strcmp(value, "zip") == 0)
		a->files = FILES_ZIP;
	else if (strcmp(value, "link") == 0)
		a->files = FILES_LINK;
	else
		return blame(r, MINE_FILES, "wrong", "expected keep, zip or link", "");
	return a->files != FILES_LINK || span == NULL || take_span(r, span, &a->span);
}

/* One of the words; their number. */
static bool take_choice(
    struct reading *r, enum mine_key field, const char *const *words, size_t n, unsigned *choice)
{
	const char *value = needed(r, field);

	for (*choice = 0; value != NULL && *choice < n; ++*choice) {
		if (strcmp(words[*choice], value) == 0)
			return true;
	}
	return value != NULL && blame(r, field, "wrong", "there is no such choice: ", value);
}

static bool take_name(struct reading *r, enum mine_key field, const char *text, const char **to)
{
	size_t n = 0;

	while ((text[n] >= 'a' && text[n] <= 'z') || (text[n] >= 'A' && text[n] <= 'Z') ||
	       (text[n] >= '0' && text[n] <= '9') ||
	       (text[n] != '\0' && strchr("-_.", text[n]) != NULL))
		n++;
	if (n > 64)
		return blame(r, field, "long", "a name has at most 64 letters", "");
	if (n == 0 || text[n] != '\0' || text[0] == '.')
		return blame(
		    r, field, "wrong", "a name is of letters A to Z, digits, - _ and .: ", text);
	*to = arena_text(r->arena, text, n);
	return *to != NULL || blame_memory(r, field);
}

static bool read_text(struct reading *r, struct rule_action *a)
{
	const char *value = needed(r, MINE_TEXT);

	if (value == NULL)
		return false;
	a->insert = INSERT_HISTORY;
	if (strcmp(value, "end history") == 0)
		return true;
	a->insert = strncmp(value, "top ", 4) == 0 ? INSERT_TOP : INSERT_END;
	if (strncmp(value, "top ", 4) != 0 && strncmp(value, "end ", 4) != 0)
		return blame(r, MINE_TEXT, "wrong", "expected top or end, and a text's name", "");
	return take_name(r, MINE_TEXT, value + 4, &a->text);
}

static bool read_stagger(struct reading *r, struct rule_action *a)
{
	const char *value = needed(r, MINE_TIME);

	if (value == NULL)
		return false;
	a->yes = strcmp(value, "no") != 0;
	return !a->yes || take_span(r, value, &a->span);
}

static bool read_choices(struct reading *r, struct rule_action *a)
{
	static const char *const bcc[] = {"no", "external", "all", "each"};
	static const char *const tls[] = {"starttls", "verified", "sts", "dane"};
	static const char *const notice[] = {"never", "digest", "risky", "always"};
	unsigned choice = 0;

	if (a->function == FUNCTION_BCC) {
		if (!take_choice(r, MINE_BCC, bcc, COUNT_OF(bcc), &choice))
			return false;
		a->bcc = (enum rule_bcc)choice;
	} else if (a->function == FUNCTION_TLS) {
		if (!take_choice(r, MINE_TLS, tls, COUNT_OF(tls), &choice))
			return false;
		a->tls = (enum policy_tls)(choice + 1);
	} else {
		if (!take_choice(r, MINE_NOTICE, notice, COUNT_OF(notice), &choice))
			return false;
		a->notice = (enum rule_notice)choice;
	}
	return true;
}

static bool read_name(struct reading *r, struct rule_action *a, enum mine_key field)
{
	const char *value = needed(r, field);

	if (value == NULL)
		return false;
	return a->function == FUNCTION_SIGN ? take_domain(r, field, value, &a->text)
					    : take_name(r, field, value, &a->text);
}

enum policy_function mine_form_function(const struct mine_form *form)
{
	const char *word = form->value[MINE_DO];

	for (unsigned i = 0; word != NULL && i < FUNCTION_COUNT; i++) {
		if (strcmp(word, policy_function_word((enum policy_function)i)) == 0)
			return (enum policy_function)i;
	}
	return FUNCTION_COUNT;
}

static bool read_action(struct reading *r)
{
	struct rule_action *a = r->rule->action;

	r->rule->actions = 1;
	*a = (struct rule_action){.function = mine_form_function(r->form)};
	switch (a->function) {
	case FUNCTION_HOLD:
		return read_hold(r, a);
	case FUNCTION_APPROVE:
		return read_approve(r, a);
	case FUNCTION_FILES:
		return read_files(r, a);
	case FUNCTION_PASSWORD:
		return read_name(r, a, MINE_PASSWORD);
	case FUNCTION_SIGN:
	case FUNCTION_ROUTE:
		return read_name(r, a, MINE_OTHER);
	case FUNCTION_STAGGER:
		return read_stagger(r, a);
	case FUNCTION_BCC:
	case FUNCTION_TLS:
	case FUNCTION_NOTICE:
		return read_choices(r, a);
	case FUNCTION_INSERT:
		return read_text(r, a);
	case FUNCTION_ADD_BCC:
	case FUNCTION_COPY:
		return read_whom(r, a);
	case FUNCTION_ARCHIVE:
		return true;
	case FUNCTION_REFUSE:
	case FUNCTION_BOUNCE:
	case FUNCTION_FORWARD:
	case FUNCTION_COUNT:
		break;
	}
	return needed(r, MINE_DO) != NULL &&
	       blame(r, MINE_DO, "unknown", "no form has this function", "");
}

bool mine_form_read(struct arena *arena, const struct mine_form *form, const char *name,
    struct rule *rule, struct mine_wrong *wrong)
{
	struct reading r = {arena, form, rule, wrong};

	*rule = (struct rule){.layer = LAYER_USER,
	    .condition = arena_take(arena, MINE_CONDITIONS * sizeof *rule->condition),
	    .action = arena_take(arena, sizeof *rule->action)};
	if (rule->condition == NULL || rule->action == NULL)
		return blame_memory(&r, MINE_DO);
	if (!take_name(&r, MINE_NAME,
		form->value[MINE_NAME] != NULL ? form->value[MINE_NAME] : name, &rule->name) ||
	    !read_to(&r) || !read_words(&r, MINE_SUBJECT, 1u << PLACE_SUBJECT) ||
	    !read_words(&r, MINE_WORDS, (1u << PLACE_COUNT) - 1) || !read_attachment(&r) ||
	    !read_names(&r) || !read_number(&r, MINE_RECIPIENTS, COND_RECIPIENTS) ||
	    !read_number(&r, MINE_VISIBLE, COND_VISIBLE) || !read_size(&r) || !read_when(&r))
		return false;
	if (rule->conditions == 0)
		(void)add(&r, COND_ALWAYS);
	return read_action(&r);
}
