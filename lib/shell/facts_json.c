#include "lib/shell/facts.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xtext.h"

struct facts_json {
	json_t *root;
	json_t *detectors; /* one object for each kind and place */
};

/* Where a fact's word goes: into a list, or it is one object. */
static const struct {
	const char *word;
	const char *key;
	bool single;
} places[] = {
    {"message", "message", true},
    {"subject", "subject", true},
    {"message-id", "message-id", true},
    {"greeting", "greeting", true},
    {"promise", "promise", true},
    {"virus", "virus", true},
    {"address", "addresses", false},
    {"address-flag", "address-flags", false},
    {"hidden", "hidden", false},
    {"part", "parts", false},
    {"file", "files", false},
    {"file-name", "file-names", false},
    {"member", "members", false},
    {"uninspectable", "uninspectable", false},
    {"ambiguous", "ambiguous", false},
    {"company", "companies", false},
    {"words", "lists", false},
    {"list-word", "list-words", false},
    {"flawed", "flawed", false},
    {"word", "words", false},
    {"regex", "regexes", false},
    {"regex-value", "regex-values", false},
    {"field", "fields", false},
    {"pii-more", "pii-more", false},
};

static const char *const numbers[] = {
    "size", "files", "files-size", "count", "distinct", "number", "level", "start", "body", "end"};
static const char *const answers[] = {"counts", "nameless", "envelope", "automatic", "reply",
    "promises-file", "nested", "everyone", "limit"};

static bool is_in(const char *key, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(key, words[i]) == 0)
			return true;
	}
	return false;
}

/* A string; what is no UTF-8 (only a worker that lies says so) is left out. */
static json_t *text_of(const char *text, size_t len)
{
	json_t *string = json_stringn(text, len);

	return string != NULL ? string : json_null();
}

static json_t *value_of(const char *key, const char *text, size_t len)
{
	if (is_in(key, numbers, COUNT_OF(numbers)))
		return json_integer(strtoll(text, NULL, 10));
	if (is_in(key, answers, COUNT_OF(answers)))
		return json_boolean(strcmp(text, "yes") == 0);
	return text_of(text, len);
}

/* Cuts "WORD key=xtext …" into an object; `copy` is the line, and is changed. NULL: no memory. */
static json_t *fields_of(char *copy)
{
	json_t *object = json_object();
	char *rest = NULL;

	for (char *field = strtok_r(copy, " ", &rest); object != NULL && field != NULL;
	     field = strtok_r(NULL, " ", &rest)) {
		char *value = strchr(field, '=');
		size_t len = 0;

		if (value == NULL)
			continue;
		*value++ = '\0';
		if (!xtext_decode(value, strlen(value), value, &len))
			continue;
		value[len] = '\0';
		if (json_object_set_new(object, field, value_of(field, value, len)) != 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

/* ---- detectors ---- */

static json_t *detector_of(struct facts_json *f, const char *kind, const char *place)
{
	json_t *object;
	size_t i;

	json_array_foreach(f->detectors, i, object)
	{
		if (strcmp(json_string_value(json_object_get(object, "kind")), kind) == 0 &&
		    strcmp(json_string_value(json_object_get(object, "place")), place) == 0)
			return object;
	}
	object =
	    json_pack("{s:s, s:s, s:i, s:[]}", "kind", kind, "place", place, "count", 0, "values");
	if (object != NULL && json_array_append_new(f->detectors, object) != 0)
		return NULL;
	return object;
}

/* "pii kind= places=a,b count=" counts in each of its places; "pii-value" is shown in each. */
static bool add_detected(struct facts_json *f, json_t *fact)
{
	const char *kind = json_string_value(json_object_get(fact, "kind"));
	const char *in = json_string_value(json_object_get(fact, "places"));
	json_t *value = json_object_get(fact, "value"), *count = json_object_get(fact, "count");
	char places_text[64], *rest = NULL;

	if (kind == NULL || in == NULL || strlen(in) >= sizeof places_text)
		return true;
	(void)stpcpy(places_text, in);
	for (char *place = strtok_r(places_text, ",", &rest); place != NULL;
	     place = strtok_r(NULL, ",", &rest)) {
		json_t *object = detector_of(f, kind, place), *sum;

		if (object == NULL)
			return false;
		if (value != NULL &&
		    json_array_append(json_object_get(object, "values"), value) != 0)
			return false;
		sum = json_object_get(object, "count");
		if (count != NULL &&
		    json_integer_set(sum, json_integer_value(sum) + json_integer_value(count)) != 0)
			return false;
	}
	return true;
}

/* ---- the object ---- */

struct facts_json *facts_json_new(const char *path)
{
	struct facts_json *f = calloc(1, sizeof *f);

	if (f == NULL)
		return NULL;
	f->root = json_object();
	f->detectors = json_array();
	if (f->root == NULL || f->detectors == NULL ||
	    json_object_set_new(f->root, "path", text_of(path, strlen(path))) != 0 ||
	    json_object_set(f->root, "detectors", f->detectors) != 0) {
		facts_json_free(f);
		return NULL;
	}
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		if (!places[i].single)
			(void)json_object_set_new(f->root, places[i].key, json_array());
	}
	return f;
}

void facts_json_free(struct facts_json *f)
{
	if (f == NULL)
		return;
	json_decref(f->detectors);
	json_decref(f->root);
	free(f);
}

static bool place_fact(struct facts_json *f, const char *word, json_t *fact)
{
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		if (strcmp(word, places[i].word) != 0)
			continue;
		if (places[i].single)
			return json_object_set(f->root, places[i].key, fact) == 0;
		return json_array_append(json_object_get(f->root, places[i].key), fact) == 0;
	}
	if (strcmp(word, "pii") == 0 || strcmp(word, "pii-value") == 0)
		return add_detected(f, fact);
	return true;
}

bool facts_json_line(struct facts_json *f, const char *line, size_t len)
{
	char *copy = strndup(line, len), *space;
	json_t *fact;
	bool good;

	if (copy == NULL)
		return false;
	space = strchr(copy, ' ');
	if (space == NULL) {
		free(copy);
		return true;
	}
	*space = '\0';
	fact = fields_of(space + 1);
	good = fact != NULL && place_fact(f, copy, fact);
	json_decref(fact);
	free(copy);
	return good;
}

bool facts_json_print(struct facts_json *f)
{
	return json_dumpf(f->root, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF;
}
