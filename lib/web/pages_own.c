#include "lib/web/pages_own.h"

#include <stdio.h>
#include <string.h>

#include "lib/web/pages_kit.h"

#define LIST_MOST ((size_t)65536)

const struct own_when own_whens[OWN_WHENS] = {
    {"when-to", N_("The recipient is: {value}")},
    {"when-subject", N_("The subject has one of these words: {value}")},
    {"when-words", N_("One of these words is in the mail or its files: {value}")},
    {"when-attachment", NULL},
    {"when-names", N_("A file has a name like: {value}")},
    {"when-recipients", N_("Number of recipients, at least: {value}")},
    {"when-visible", N_("Number of addresses in To and Cc, at least: {value}")},
    {"when-class", NULL},
    {"when-size", N_("Files together, at least: {value}")},
    {"when-time", N_("Sent at these times: {value}")},
};

/* ---- fields with few values ---------------------------------------------------------------- */

struct option {
	const char *value, *text, *said; /* said: the same as a sentence; NULL: nothing */
};

static const struct option attachment[] = {
    {"", N_("It does not matter"), NULL},
    {"yes", N_("With an attachment"), N_("There is an attachment.")},
    {"open", N_("With an attachment that is not encrypted"),
	N_("There is an attachment that is not encrypted.")},
    {"no", N_("Without an attachment"), N_("There is no attachment.")},
};

static const struct option class[] = {
    {"", N_("All of them"), NULL},
    {"external", N_("Those outside the organisation"), N_("Only addresses outside are counted.")},
    {"internal", N_("Those inside the organisation"), N_("Only addresses inside are counted.")},
    {"affiliated", N_("Those of affiliated organisations"),
	N_("Only addresses of affiliated organisations are counted.")},
};

static const struct option *options_of(enum own_select field, size_t *n)
{
	*n = field == OWN_ATTACHMENT ? COUNT_OF(attachment) : COUNT_OF(class);
	return field == OWN_ATTACHMENT ? attachment : class;
}

static void add_choice(json_t *list, const char *value, const char *text, const char *chosen)
{
	json_t *one = json_object();

	kit_put(one, "value", json_string(value));
	kit_put(one, "text", json_string(text));
	kit_put(one, "selected", json_boolean(strcmp(value, chosen != NULL ? chosen : "") == 0));
	(void)json_array_append_new(list, one);
}

void own_select(struct page *page, const char *name, enum own_select field, const char *chosen)
{
	size_t n;
	const struct option *option = options_of(field, &n);
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		add_choice(list, option[i].value, say(option[i].text), chosen);
	page_set(page, name, list);
}

/* ---- conditions in words ------------------------------------------------------------------- */

static const char *said_of(enum own_select field, const char *value)
{
	size_t n;
	const struct option *option = options_of(field, &n);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(option[i].value, value) == 0)
			return option[i].said != NULL ? say(option[i].said) : NULL;
	}
	return value;
}

/* Who a recipient may be, beside addresses and domains. */
static const struct kit_said somebody[] = {
    {"external", N_("somebody outside")},
    {"internal", N_("somebody inside")},
    {"affiliated", N_("somebody of an affiliated organisation")},
    {"partner", N_("somebody of a known company")},
    {"first-time", N_("somebody never written to before")},
    {"lookalike", N_("an address that looks like a known one")},
};

static const char *somebody_of(const char *word, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(somebody); i++) {
		if (strlen(somebody[i].word) == len && memcmp(somebody[i].word, word, len) == 0)
			return say(somebody[i].text);
	}
	return NULL;
}

/* "external, @a.example" as it is read aloud. */
static void tell_recipients(json_t *one, const char *value)
{
	static const char blanks[] = ", \t\r\n";
	struct buf list;

	buf_init(&list, LIST_MOST);
	for (const char *at = value + strspn(value, blanks); *at != '\0';
	     at += strspn(at, blanks)) {
		size_t len = strcspn(at, blanks);
		const char *said = somebody_of(at, len);

		if (list.len > 0)
			buf_add_text(&list, ", ");
		buf_add(&list, said != NULL ? said : at, said != NULL ? strlen(said) : len);
		at += len;
	}
	buf_add(&list, "", 1);
	kit_fill(one, "text", say(own_whens[0].text), buf_ok(&list) ? list.bytes : value);
	buf_free(&list);
}

json_t *own_when(const json_t *fields)
{
	json_t *list = json_array();

	for (size_t i = 0; i < OWN_WHENS; i++) {
		const char *value = kit_text(fields, own_whens[i].key), *said;
		json_t *one;

		if (value[0] == '\0')
			continue;
		one = json_object();
		if (i == 0) {
			tell_recipients(one, value);
		} else if (own_whens[i].text != NULL) {
			kit_fill(one, "text", say(own_whens[i].text), value);
		} else {
			said = said_of(strcmp(own_whens[i].key, "when-class") == 0 ? OWN_CLASS
										   : OWN_ATTACHMENT,
			    value);
			kit_put(one, "text", said != NULL ? json_string(said) : NULL);
		}
		(void)json_array_append_new(list, one);
	}
	return list;
}

/* ---- what a rule does ---------------------------------------------------------------------- */

/* value NULL: it is typed beside it, or stands in a list of the organisation's. */
static const struct deed {
	const char *function, *key, *value, *text;
} deeds[] = {
    {"hold", "do-time", "5m", N_("Hold it for 5 minutes")},
    {"hold", "do-time", "30m", N_("Hold it for 30 minutes")},
    {"hold", "do-time", "1h", N_("Hold it for 1 hour")},
    {"hold", "do-time", "2h", N_("Hold it for 2 hours")},
    {"hold", "do-time", "09:00 workday", N_("Hold it until 09:00 of the next workday")},
    {"hold", "do-time", "confirmed", N_("Hold it until I have confirmed it")},
    {"hold", "do-time", "checked", N_("Hold it until I have gone through the checklist")},
    {"hold", "do-time", "no", N_("Do not hold it")},
    {"hold", "do-time", NULL, N_("Hold it for, or until: {value}")},
    {"approve", "do-who", "boss", N_("Ask my boss for approval")},
    {"approve", "do-who", "no", N_("Ask for no approval")},
    {"approve", "do-who", NULL, N_("Ask for the approval of: {value}")},
    {"files", "do-files", "link", N_("Send attachments as a download link")},
    {"files", "do-files", "zip", N_("Send attachments as an encrypted ZIP")},
    {"files", "do-files", "keep", N_("Leave attachments as they are")},
    {"password", "do-password", NULL, N_("Passwords as in: {value}")},
    {"bcc", "do-bcc", "external", N_("Move addresses outside into Bcc")},
    {"bcc", "do-bcc", "all", N_("Move all addresses into Bcc")},
    {"bcc", "do-bcc", "each", N_("Send each recipient a mail of their own")},
    {"bcc", "do-bcc", "no", N_("Leave To and Cc as they are")},
    {"stagger", "do-time", "30m", N_("Send it 30 minutes later than to others")},
    {"stagger", "do-time", "1h", N_("Send it 1 hour later than to others")},
    {"stagger", "do-time", "no", N_("Send it to all at the same time")},
    {"stagger", "do-time", NULL, N_("Send it later than to others, by: {value}")},
    {"tls", "do-tls", "starttls", N_("Send it over encrypted connections only")},
    {"tls", "do-tls", "verified", N_("Send it over connections with a verified certificate only")},
    {"tls", "do-tls", "sts", N_("Send it only where MTA-STS protects it")},
    {"tls", "do-tls", "dane", N_("Send it only where DANE protects it")},
    {"notice", "do-notice", "always", N_("Always tell me at once that mail is held")},
    {"notice", "do-notice", "risky", N_("Tell me at once if there is something to look at")},
    {"notice", "do-notice", "digest", N_("Tell me in a digest")},
    {"notice", "do-notice", "never", N_("Do not tell me that mail is held")},
    {"insert", "do-text", "end history", N_("Put the history of approvals at the end")},
    {"insert", "do-text", NULL, N_("Put this text into the mail: {value}")},
    {"sign", "do-name", NULL, N_("Sign it for the domain: {value}")},
    {"route", "do-name", NULL, N_("Send it by the route: {value}")},
    {"add-bcc", "do-who", "boss", N_("Send my boss a blind copy")},
    {"add-bcc", "do-who", NULL, N_("Send a blind copy to: {value}")},
    {"copy", "do-who", "boss", N_("Send my boss a copy")},
    {"copy", "do-who", NULL, N_("Send a copy to: {value}")},
    {"archive", NULL, NULL, N_("Keep it in the archive")},
};

static const struct kit_said functions[] = {
    {"hold", N_("Hold")},
    {"approve", N_("Approval")},
    {"files", N_("Attachments")},
    {"password", N_("Passwords")},
    {"bcc", N_("Addresses that all can see")},
    {"stagger", N_("Send later")},
    {"tls", N_("Secure connections")},
    {"notice", N_("Notices")},
    {"insert", N_("Texts")},
    {"sign", N_("Signatures")},
    {"route", N_("Routes")},
    {"add-bcc", N_("Blind copies")},
    {"copy", N_("Copies")},
    {"archive", N_("Archive")},
};

static const char *label_of(const char *function)
{
	for (size_t i = 0; i < COUNT_OF(functions); i++) {
		if (strcmp(functions[i].word, function) == 0)
			return say(functions[i].text);
	}
	return function;
}

/* The seconds of "90m", "2h" or "7d"; 0: it is no such time. */
static unsigned long span_of(const char *text)
{
	static const char units[] = "smhdw";
	static const unsigned long seconds[] = {1, 60, 3600, 86400, 604800};
	unsigned long n = 0;
	size_t len = strspn(text, "0123456789");
	const char *unit = text[len] != '\0' ? strchr(units, text[len]) : NULL;

	if (len == 0 || len > 6 || unit == NULL || text[len + 1] != '\0')
		return 0;
	for (size_t i = 0; i < len; i++)
		n = n * 10 + (unsigned long)(text[i] - '0');
	return n * seconds[unit - units];
}

/* "1h" and "60m" are the same. */
static bool same_value(const char *one, const char *other)
{
	return strcmp(one, other) == 0 || (span_of(one) > 0 && span_of(one) == span_of(other));
}

/* NULL: it is none that the form has. `*value`: what the rule says. */
static const struct deed *deed_of(const json_t *fields, const char **value)
{
	const char *function = kit_text(fields, "do");

	*value = "";
	for (size_t i = 0; i < COUNT_OF(deeds); i++) {
		if (strcmp(deeds[i].function, function) != 0)
			continue;
		*value = deeds[i].key != NULL ? kit_text(fields, deeds[i].key) : "";
		if (deeds[i].key == NULL || deeds[i].value == NULL ||
		    same_value(deeds[i].value, *value))
			return &deeds[i];
	}
	return NULL;
}

void own_do(json_t *object, const char *key, const json_t *fields)
{
	const char *function = kit_text(fields, "do"), *value;
	const struct deed *deed = deed_of(fields, &value);

	if (deed != NULL)
		kit_fill(object, key, say(deed->text), value);
	else
		kit_put(object, key, json_sprintf("%s: %s", label_of(function), value));
	if (strcmp(function, "hold") == 0 && strcmp(kit_text(fields, "do-else"), "discard") == 0)
		kit_put(object, "or-discard", json_true());
}

/* ---- what the form offers ------------------------------------------------------------------ */

/* A value of the form: "FUNCTION KEY VALUE", or without VALUE if it is typed. */
static void add_deed(
    json_t *list, const struct deed *deed, const char *value, const char *text, const char *chosen)
{
	struct buf whole;

	buf_init(&whole, 512);
	buf_add_text(&whole, deed->function);
	if (deed->key != NULL) {
		buf_add_text(&whole, " ");
		buf_add_text(&whole, deed->key);
	}
	if (value != NULL) {
		buf_add_text(&whole, " ");
		buf_add_text(&whole, value);
	}
	buf_add(&whole, "", 1);
	if (buf_ok(&whole))
		add_choice(list, whole.bytes, text, chosen);
	buf_free(&whole);
}

/* One for each of the organisation's names: password policies. */
static void add_names(
    json_t *list, const struct deed *deed, const json_t *names, const char *chosen)
{
	const json_t *one;
	size_t i;

	json_array_foreach(names, i, one)
	{
		const char *name = json_string_value(one);
		json_t *filled = json_object();

		if (name != NULL) {
			kit_fill(filled, "text", say(deed->text), name);
			add_deed(list, deed, name, kit_text(filled, "text"), chosen);
		}
		json_decref(filled);
	}
}

/* Texts go to the top or to the end. */
static void add_texts(
    json_t *list, const struct deed *deed, const json_t *names, const char *chosen)
{
	static const char *const places[] = {"top", "end"};
	static const char *const said[] = {
	    N_("At the top, the text {value}"), N_("At the end, the text {value}")};
	const json_t *one;
	size_t i;

	json_array_foreach(names, i, one)
	{
		const char *name = json_string_value(one);

		for (size_t k = 0; name != NULL && k < COUNT_OF(places); k++) {
			json_t *filled = json_object();
			char value[128];
			int len = snprintf(value, sizeof value, "%s %s", places[k], name);

			kit_fill(filled, "text", say(said[k]), name);
			if (len > 0 && (size_t)len < sizeof value)
				add_deed(list, deed, value, kit_text(filled, "text"), chosen);
			json_decref(filled);
		}
	}
}

/* The choices of a function; true if one of them wants something typed. */
static bool add_deeds(json_t *list, const char *function, const json_t *answer, const char *chosen)
{
	bool typed = false;

	for (size_t i = 0; i < COUNT_OF(deeds); i++) {
		const struct deed *deed = &deeds[i];
		json_t *filled;

		if (strcmp(deed->function, function) != 0)
			continue;
		if (deed->value != NULL || deed->key == NULL) {
			add_deed(list, deed, deed->value, say(deed->text), chosen);
			continue;
		}
		if (strcmp(function, "password") == 0) {
			add_names(list, deed, json_object_get(answer, "passwords"), chosen);
			continue;
		}
		if (strcmp(function, "insert") == 0) {
			add_texts(list, deed, json_object_get(answer, "texts"), chosen);
			continue;
		}
		filled = json_object();
		kit_fill(filled, "text", say(deed->text), "…");
		add_deed(list, deed, NULL, kit_text(filled, "text"), chosen);
		json_decref(filled);
		typed = true;
	}
	return typed;
}

struct offered {
	const json_t *answer;
	const char *chosen;
	json_t *groups;
	bool typed, hold;
};

static void offer(struct offered *o, const json_t *allowed)
{
	const char *function = kit_text(allowed, "function");
	json_t *group = json_object(), *choices = json_array();

	o->typed = add_deeds(choices, function, o->answer, o->chosen) || o->typed;
	o->hold = o->hold || strcmp(function, "hold") == 0;
	kit_put(group, "label", json_string(label_of(function)));
	kit_put(group, "cannot", json_boolean(json_is_true(json_object_get(allowed, "cannot"))));
	if (json_array_size(choices) > 0) {
		kit_put(group, "choices", choices);
		(void)json_array_append_new(o->groups, group);
		return;
	}
	json_decref(choices);
	json_decref(group);
}

/* In our order: what most people look for stands first. */
void own_choices(struct page *page, const json_t *answer, const char *chosen)
{
	struct offered o = {.answer = answer, .chosen = chosen, .groups = json_array()};
	const json_t *one;
	size_t i;

	for (size_t k = 0; k < COUNT_OF(functions); k++) {
		json_array_foreach(json_object_get(answer, "allowed"), i, one)
		{
			if (strcmp(kit_text(one, "function"), functions[k].word) == 0)
				offer(&o, one);
		}
	}
	page_set(page, "choices", o.groups);
	page_set(page, "typed-too", json_boolean(o.typed));
	page_set(page, "hold-too", json_boolean(o.hold));
}
