#include "lib/mine/answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/mine/work.h"

/* ---- answers ------------------------------------------------------------------------------ */

void mine_set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

json_t *mine_text(const char *bytes, size_t len)
{
	json_t *text = json_stringn(len > 0 ? bytes : "", len);
	char *plain;

	if (text != NULL)
		return text;
	plain = malloc(len + 1);
	if (plain == NULL)
		return json_string("");
	for (size_t i = 0; i < len; i++)
		plain[i] = (unsigned char)bytes[i] < 0x80 && bytes[i] != '\0' ? bytes[i] : '?';
	text = json_stringn(plain, len);
	free(plain);
	return text;
}

static void say(struct mine_work *w, const char *result, const char *code)
{
	mine_set(w->json, "result", json_string(result));
	if (code != NULL)
		mine_set(w->json, "code", json_string(code));
}

bool mine_no(struct mine_work *w, const char *code)
{
	say(w, "no", code);
	LOG("rules-refused", kv("who", w->address), kv("verb", mine_verb_word(w->request.verb)),
	    kv("why", code));
	return false;
}

bool mine_later(struct mine_work *w, const char *what, const char *why)
{
	say(w, "no", "later");
	LOG_ALARM("rules-unable", kv("who", w->address), kv("what", what), kv("why", why));
	return false;
}

static json_t *fault_json(const struct conf_fault *fault)
{
	json_t *object = json_object();

	mine_set(object, "line", json_integer((json_int_t)fault->line));
	mine_set(object, "column", json_integer((json_int_t)fault->column));
	mine_set(object, "text", mine_text(fault->text, strlen(fault->text)));
	return object;
}

bool mine_no_fault(struct mine_work *w, const struct conf_fault *fault)
{
	mine_set(w->json, "fault", fault_json(fault));
	return mine_no(w, "fault");
}

/* ---- who asks ----------------------------------------------------------------------------- */

static bool prove(struct mine_work *w)
{
	char address[GATE_ADDRESS_MAX];
	const char *ticket = w->request.ticket, *why = "forged";

	switch (gate_session_read(w->mine->key, ticket, strlen(ticket), clock_wall(), address)) {
	case GATE_GOOD:
		if (org_normal(address, w->address))
			return true;
		break;
	case GATE_EXPIRED:
		why = "expired";
		break;
	case GATE_FORGED:
		break;
	}
	w->address[0] = '\0';
	say(w, why, NULL);
	LOG("rules-refused", kv("verb", mine_verb_word(w->request.verb)), kv("why", why));
	return false;
}

/* His own address, by which his rules are found. Whether he may have any. */
static bool may_have_rules(struct mine_work *w)
{
	const struct org *org = w->policy->org;
	struct org_person person;
	bool known = org_person(org, w->address, &person);

	if (known && !person.shared && person.len < sizeof w->address) {
		memcpy(w->address, person.address, person.len);
		w->address[person.len] = '\0';
	}
	if (!known && org_class(org, w->address) != CLASS_INTERNAL)
		return false;
	return mine_address_good(w->address);
}

/* ---- looking ------------------------------------------------------------------------------ */

static bool see(void *context, const struct rule *rule, struct conf_fault *fault)
{
	struct mine_rules *rules = context;

	if (rules->n == rules->room) {
		size_t room = rules->room > 0 ? 2 * rules->room : 64;
		const struct rule **more =
		    reallocarray(rules->rule, room, sizeof(const struct rule *));

		if (more == NULL)
			return conf_blame(fault, rule->line, 0, "no memory");
		rules->rule = more;
		rules->room = room;
	}
	rules->rule[rules->n++] = rule;
	return true;
}

bool mine_parse(struct mine_work *w, const char *bytes, size_t len, const struct rule_names *known,
    struct mine_rules *rules, struct conf_fault *fault)
{
	rules->n = 0;
	*fault = (struct conf_fault){.line = 0};
	(void)snprintf(
	    fault->file, sizeof fault->file, "%.*s", (int)sizeof fault->file - 1, w->path);
	return rules_parse(w->arena, len > 0 ? bytes : "", len, w->path, LAYER_USER, w->address,
	    known, see, rules, fault);
}

bool mine_look(struct mine_work *w)
{
	struct conf_fault fault;
	char why[sizeof fault.file + sizeof fault.text + 32];

	w->policy = policy_open_current(&fault);
	if (w->policy == NULL || !policy_current_rules(&w->rules, &fault)) {
		conf_fault_show(&fault, why, sizeof why);
		return mine_later(w, "the rules in force", why);
	}
	if (!may_have_rules(w))
		return mine_no(w, "nobody");
	(void)snprintf(w->path, sizeof w->path, "user/%.*s", (int)MINE_ADDRESS_MAX, w->address);
	if (!mine_file_read(w->mine->users, w->address, &w->file))
		return mine_later(w, "the person's file", strerrordesc_np(errno));
	w->readable =
	    mine_parse(w, w->file.bytes.bytes, w->file.bytes.len, NULL, &w->own, &w->fault);
	if (!w->readable)
		w->own.n = 0;
	return true;
}

/* ---- the verbs ---------------------------------------------------------------------------- */

static void answer_try(struct mine_work *w)
{
	if (!mine_look(w) || !mine_try(w))
		return;
	mine_tell_rule(w);
	say(w, "done", NULL);
}

static void answer_change(struct mine_work *w)
{
	bool adds = w->request.verb == MINE_VERB_ADD;

	if (!mine_lock(w) || !mine_look(w) || !(adds ? mine_try(w) : mine_cut(w)) ||
	    !mine_change(w))
		return;
	if (adds) {
		mine_set(w->json, "n", json_integer((json_int_t)w->next.n));
		mine_tell_rule(w);
	}
	say(w, "done", NULL);
}

static void answer_list(struct mine_work *w)
{
	if (!mine_look(w))
		return;
	mine_list(w);
	if (!w->readable) {
		mine_set(w->json, "fault", fault_json(&w->fault));
		mine_set(w->json, "text", mine_text(w->file.bytes.bytes, w->file.bytes.len));
	}
	say(w, "done", NULL);
}

static void begin(struct mine_work *w, const struct mine *mine)
{
	*w = (struct mine_work){.mine = mine, .lock = -1};
	buf_init(&w->rules, (size_t)64 * 1024 * 1024);
	buf_init(&w->bundle, (size_t)64 * 1024 * 1024);
	buf_init(&w->fresh, MINE_FILE_MAX + MINE_RULE_MAX);
	buf_init(&w->text, MINE_RULE_MAX);
	buf_init(&w->file.bytes, 0);
	w->json = json_object();
	w->arena = arena_new(MINE_ARENA_MAX);
}

static void end(struct mine_work *w)
{
	policy_close(w->policy);
	policy_close(w->checked);
	free(w->own.rule);
	free(w->next.rule);
	if (w->arena != NULL)
		arena_free(w->arena);
	mine_file_free(&w->file);
	buf_free(&w->rules);
	buf_free(&w->bundle);
	buf_free(&w->fresh);
	buf_free(&w->text);
	if (w->lock >= 0)
		(void)close(w->lock); /* which gives it back */
	free(w);
}

json_t *mine_answer(const struct mine *mine, const char *line, size_t len)
{
	struct mine_work *w = malloc(sizeof *w);
	json_t *json;

	if (w == NULL)
		return NULL;
	begin(w, mine);
	if (w->arena == NULL || w->json == NULL) {
		(void)mine_later(w, "memory", "");
	} else if (!mine_request_parse(line, len, &w->request)) {
		say(w, "no", "request");
		LOG("rules-refused", kv("why", "request"));
	} else if (prove(w)) {
		if (w->request.verb == MINE_VERB_RULES)
			answer_list(w);
		else if (w->request.verb == MINE_VERB_TRY)
			answer_try(w);
		else
			answer_change(w);
	}
	json = w->json;
	end(w);
	return json;
}
