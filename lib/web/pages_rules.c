/* My rules: what a person has made of what etc/allow lets him, and a form for one more. */
#include <string.h>

#include "lib/web/pages.h"
#include "lib/web/pages_kit.h"
#include "lib/web/pages_own.h"
#include "lib/web/reasons.h"

/* ---- the form, as seki-rules is asked ------------------------------------------------------ */

/* Words for page_rules: key, value, …; the values are the request's. */
struct asked {
	const char *word[2 * (OWN_WHENS + 8) + 1];
	size_t n;
	char function[32], key[32]; /* of what is to be done */
};

/* However long the value is, it is asked for: without one of its conditions the rule would be another. */
static void ask_for(struct asked *asked, const char *key, const char *value)
{
	if (value == NULL || asked->n + 3 > COUNT_OF(asked->word))
		return;
	asked->word[asked->n++] = key;
	asked->word[asked->n++] = value;
	asked->word[asked->n] = NULL;
}

/* A word up to a blank, if there is room; *text goes behind the blank, or to the end. */
static bool take(const char **text, char *word, size_t room)
{
	size_t len = strcspn(*text, " ");

	if (len >= room)
		return false;
	memcpy(word, *text, len);
	word[len] = '\0';
	*text += len + ((*text)[len] == ' ');
	return true;
}

/*
 * What is chosen is "FUNCTION", "FUNCTION KEY VALUE", or "FUNCTION KEY" if the value is what was typed beside it. The
 * one who judges it is seki-rules.
 */
static void ask_to_do(struct asked *asked, const char *what, const char *typed, bool discard)
{
	if (what == NULL || !take(&what, asked->function, sizeof asked->function) ||
	    !take(&what, asked->key, sizeof asked->key))
		return;
	ask_for(asked, "do", asked->function);
	if (strncmp(asked->key, "do-", 3) == 0)
		ask_for(asked, asked->key, what[0] != '\0' ? what : typed != NULL ? typed : "");
	if (discard && strcmp(asked->function, "hold") == 0)
		ask_for(asked, "do-else", "discard");
}

static void ask_form(struct page *page, struct asked *asked)
{
	*asked = (struct asked){.n = 0};
	ask_for(asked, "name", page_form(page, "name"));
	for (size_t i = 0; i < OWN_WHENS; i++)
		ask_for(asked, own_whens[i].key, page_form(page, own_whens[i].key));
	ask_to_do(asked, page_form(page, "what"), page_form(page, "typed"),
	    page_form(page, "discard") != NULL);
}

/* The form as it was filled in, for the templates: "fields"; what is filled in is not folded away. */
static void set_fields(struct page *page)
{
	static const char *const others[] = {"name", "what", "typed", "discard"};
	static const char *const folded[] = {
	    "when-class", "when-words", "when-names", "when-size", "when-time"};
	json_t *fields = json_object();
	bool more = false;

	for (size_t i = 0; i < OWN_WHENS + COUNT_OF(others); i++) {
		const char *key = i < OWN_WHENS ? own_whens[i].key : others[i - OWN_WHENS];
		const char *value = page_form(page, key);

		kit_put(fields, key, json_string(value != NULL ? value : ""));
	}
	for (size_t i = 0; i < COUNT_OF(folded); i++)
		more = more || page_form(page, folded[i]) != NULL;
	page_set(page, "more-open", json_boolean(more));
	page_set(page, "name-open", json_boolean(page_form(page, "name") != NULL));
	page_set(page, "fields", fields);
}

/* ---- what seki-rules says against it ------------------------------------------------------- */

static const char *sentence_of(const json_t *answer)
{
	const char *code = kit_text(answer, "code");

	/* Of a mail it says something else. */
	return strcmp(code, "nobody") == 0 ? say("There can be no rules for this address.")
					   : reasons_say(code);
}

/* Of a field: what is wrong with it. */
static const char *fault_of_field(const char *why)
{
	if (strcmp(why, "missing") == 0)
		return say("Please fill this in.");
	if (strcmp(why, "long") == 0)
		return say("This is too long.");
	if (strcmp(why, "many") == 0)
		return say("These are too many.");
	if (strcmp(why, "unknown") == 0)
		return say("There is no such thing.");
	if (strcmp(why, "used") == 0)
		return say("Another rule of yours has this name already.");
	return say("This cannot be understood.");
}

/* Which field of the form a key of seki-rules is. */
static const char *field_of(const struct page *page, const char *key)
{
	const char *what = page_form(page, "what"),
		   *blank = what != NULL ? strchr(what, ' ') : NULL;

	if (strncmp(key, "when-", 5) == 0 || strcmp(key, "name") == 0)
		return key;
	return blank != NULL && strchr(blank + 1, ' ') == NULL ? "typed" : "what";
}

/* Sets "fault", a sentence, and "bad", an object of the fields that are wrong. */
static void set_fault(struct page *page, const json_t *answer)
{
	const char *field = kit_text(answer, "field");
	json_t *bad = json_object(), *fault = json_object_get(answer, "fault");

	if (strcmp(kit_text(answer, "code"), "field") == 0)
		kit_put(bad, field_of(page, field),
		    json_string(fault_of_field(kit_text(answer, "why"))));
	page_set(page, "bad", bad);
	page_set(page, "fault-text",
	    json_is_object(fault) ? json_string(kit_text(fault, "text")) : json_null());
	page_set_text(page, "fault", sentence_of(answer));
}

static bool is_no(const json_t *answer)
{
	return strcmp(page_result(answer), "no") == 0;
}

/* ---- the list ------------------------------------------------------------------------------ */

static json_t *rules_of(const json_t *answer)
{
	json_t *list = json_array();
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(answer, "rules"), i, one)
	{
		const json_t *fields = json_object_get(one, "fields");
		json_t *row = json_object();

		kit_put(row, "n", json_integer(json_integer_value(json_object_get(one, "n"))));
		kit_put(row, "name", json_string(kit_text(one, "name")));
		kit_put(row, "text", json_string(kit_text(one, "text")));
		kit_put(row, "cannot", json_boolean(json_is_true(json_object_get(one, "cannot"))));
		kit_put(row, "not-allowed",
		    json_boolean(json_is_true(json_object_get(one, "not-allowed"))));
		if (json_is_object(fields)) {
			kit_put(row, "when", own_when(fields));
			own_do(row, "do", fields);
		}
		(void)json_array_append_new(list, row);
	}
	return list;
}

/* What any of these pages knows of his rules. */
static void set_rules(struct page *page, const json_t *answer)
{
	const json_t *fault = json_object_get(answer, "fault");
	json_t *broken = json_null();

	if (json_is_object(fault)) {
		broken = json_object();
		kit_put(broken, "text", json_string(kit_text(fault, "text")));
		kit_put(broken, "line",
		    json_integer(json_integer_value(json_object_get(fault, "line"))));
		kit_put(broken, "whole", json_string(kit_text(answer, "text")));
	}
	page_set(page, "broken", broken);
	page_set(page, "rules", rules_of(answer));
	page_set(
	    page, "none", json_boolean(json_array_size(json_object_get(answer, "rules")) == 0));
	page_set(page, "digest", json_string(kit_text(answer, "digest")));
	page_set(page, "hand", json_boolean(json_is_true(json_object_get(answer, "hand"))));
	page_set(page, "waits", json_boolean(json_is_false(json_object_get(answer, "in-force"))));
	page_set(
	    page, "may", json_boolean(json_array_size(json_object_get(answer, "allowed")) > 0));
	page_set(page, "may-write",
	    json_boolean(json_array_size(json_object_get(answer, "allowed")) > 0 &&
			 !json_is_true(json_object_get(answer, "hand")) && !json_is_object(fault)));
	kit_set_tab(page, "rules");
}

/* NULL: seki-rules cannot be asked, or says no; the page says so. */
static json_t *ask_rules(struct page *page)
{
	json_t *answer = page_rules(page, "rules", (const char *const[]){NULL});

	if (answer == NULL)
		return NULL;
	if (is_no(answer)) {
		page_say(page, 403, say("My rules"), sentence_of(answer));
	} else if (!page_failed(page, answer)) {
		set_rules(page, answer);
		return answer;
	}
	json_decref(answer);
	return NULL;
}

static void show_list(struct page *page, int status, const char *fault)
{
	static const struct kit_said saids[] = {
	    {"added", N_("Your rule is in force from now on.")},
	    {"removed", N_("The rule has been removed.")},
	};
	json_t *answer = ask_rules(page);

	if (answer == NULL)
		return;
	page_set_text(page, "title", say("My rules"));
	page_set(page, "fault", fault != NULL ? json_string(fault) : json_null());
	kit_set_said(page, saids, COUNT_OF(saids));
	page_show(page, status, "rules");
	json_decref(answer);
}

void pages_rules(struct page *page)
{
	show_list(page, 200, NULL);
}

/* ---- the form, and what it would write ----------------------------------------------------- */

static json_t *warnings_of(const json_t *answer)
{
	static const struct kit_said sentences[] = {
	    {"never-reached", N_("Another rule of yours decides this first, so this one would "
				 "never be asked.")},
	    {"never-matches", N_("There can be no mail for which this holds.")},
	    {"changes-nothing", N_("The organisation's rules are as strict or stricter, so this "
				   "rule would change nothing.")},
	    {"cannot", N_("This cannot be done yet: mail for which the rule holds will wait until "
			  "an operator looks at it.")},
	};
	json_t *list = json_array();
	const json_t *one;
	size_t i, k;

	json_array_foreach(json_object_get(answer, "warnings"), i, one)
	{
		json_t *row = json_object();
		const char *text = kit_text(one, "text");

		for (k = 0; k < COUNT_OF(sentences); k++) {
			if (strcmp(kit_text(one, "code"), sentences[k].word) == 0)
				text = say(sentences[k].text);
		}
		kit_put(row, "text", json_string(text));
		(void)json_array_append_new(list, row);
	}
	return list;
}

/* The same form as an object of the keys of seki-rules, for words. */
static json_t *fields_of(const struct asked *asked)
{
	json_t *fields = json_object();

	for (size_t i = 0; i + 1 < asked->n; i += 2)
		kit_put(fields, asked->word[i], json_string(asked->word[i + 1]));
	return fields;
}

static void set_text(struct page *page, const struct asked *asked, const json_t *answer)
{
	json_t *fields = fields_of(asked);

	page_set(page, "text", json_string(kit_text(answer, "text")));
	page_set(page, "warnings", warnings_of(answer));
	page_set(page, "when", own_when(fields));
	own_do(page->values, "do", fields);
	json_decref(fields);
}

/* False: seki-rules cannot be asked, and the page says so. */
static bool try_it(struct page *page, int *status)
{
	struct asked asked;
	json_t *answer;
	bool failed = false;

	ask_form(page, &asked);
	answer = page_rules(page, "try", asked.word);
	if (answer == NULL)
		return false;
	if (is_no(answer)) {
		set_fault(page, answer);
		*status = 422;
	} else if (page_failed(page, answer)) {
		failed = true;
	} else {
		set_text(page, &asked, answer);
	}
	json_decref(answer);
	return !failed;
}

/* The page with the form; with what it would write, if it has been filled in. `fault`: or NULL. */
static void show_form(struct page *page, int status, const char *fault)
{
	json_t *answer = ask_rules(page);
	bool filled = page_form(page, "what") != NULL;

	if (answer == NULL)
		return;
	page_set(page, "fault", fault != NULL ? json_string(fault) : json_null());
	if (!filled || try_it(page, &status)) {
		set_fields(page);
		own_choices(page, answer, page_form(page, "what"));
		own_select(page, "attachments", OWN_ATTACHMENT, page_form(page, "when-attachment"));
		own_select(page, "classes", OWN_CLASS, page_form(page, "when-class"));
		page_set_text(page, "title", say("A new rule"));
		page_show(page, status, "rules-new");
	}
	json_decref(answer);
}

void pages_rules_try(struct page *page)
{
	show_form(page, 200, NULL);
}

/* ---- what changes them --------------------------------------------------------------------- */

static void done(struct page *page, const char *word)
{
	page_go(page, "/gate/rules");
	page_go_add(page, "said", word);
}

static void remove_rule(struct page *page, const char *n)
{
	json_t *answer = page_rules(page, "remove",
	    (const char *const[]){"digest", page_form(page, "digest"), "n", n, NULL});

	if (answer == NULL)
		return;
	if (is_no(answer))
		show_list(page, 409, sentence_of(answer));
	else if (!page_failed(page, answer))
		done(page, "removed");
	json_decref(answer);
}

void pages_rules_save(struct page *page)
{
	const char *n = page_form(page, "remove");
	struct asked asked;
	json_t *answer;

	if (n != NULL) {
		remove_rule(page, n);
		return;
	}
	ask_form(page, &asked);
	ask_for(&asked, "digest", page_form(page, "digest"));
	answer = page_rules(page, "add", asked.word);
	if (answer == NULL)
		return;
	if (is_no(answer))
		show_form(page, 409, sentence_of(answer));
	else if (!page_failed(page, answer))
		done(page, "added");
	json_decref(answer);
}
