#include <string.h>

#include "lib/rules/inside.h"

#define X(name, word) word,
static const char *const layer_words[LAYER_COUNT] = {POLICY_LAYERS(X)};
static const char *const function_words[FUNCTION_COUNT] = {POLICY_FUNCTIONS(X)};
const char *const rule_class_words[CLASS_COUNT] = {POLICY_CLASSES(X)};
const char *const rule_trait_words[TRAIT_COUNT] = {POLICY_TRAITS(X)};
const char *const rule_level_words[LEVEL_COUNT] = {POLICY_TLS(X)};
const char *const rule_kind_words[DETECT_KIND_COUNT] = {DETECT_KINDS(X)};
const char *const rule_place_words[PLACE_COUNT] = {DETECT_PLACES(X)};
#undef X

const char *policy_layer_word(enum policy_layer layer)
{
	return layer < LAYER_COUNT ? layer_words[layer] : "?";
}

const char *policy_function_word(enum policy_function function)
{
	return function < FUNCTION_COUNT ? function_words[function] : "?";
}

const char *policy_class_word(enum policy_class class)
{
	return class < CLASS_COUNT ? rule_class_words[class] : "?";
}

const char *policy_trait_word(enum policy_trait trait)
{
	return trait < TRAIT_COUNT ? rule_trait_words[trait] : "?";
}

const char *policy_tls_word(enum policy_tls level)
{
	return level < LEVEL_COUNT ? rule_level_words[level] : "?";
}

size_t rule_word_find(const char *const *words, size_t n, const char *text)
{
	size_t i = 0;

	while (i < n && strcmp(words[i], text) != 0)
		i++;
	return i;
}
