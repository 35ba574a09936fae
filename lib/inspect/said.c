#include "lib/inspect/said.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/inspect/tables.h"
#include "lib/words/keywords.h"
#include "lib/words/list.h"
#include "lib/words/regexes.h"

struct said {
	const struct ask *ask;
	const struct word_lists *lists; /* all there are; those asked for are in `list` */
	size_t *list;
	struct keywords *words; /* those asked for one by one, told by their number; NULL: none */
	struct regexes *regexes;
};

struct count {
	uint64_t in[PLACE_COUNT];
};

/* What one message has of them. */
struct said_run {
	const struct said *said;
	struct word_tally *tally;
	struct keyword_scan *scan;
	struct count *word;
	struct regex_scan *regex;
	enum detect_place place;
};

/* ---- made ready ---- */

static bool blame(char *fault, size_t room, const char *what, const char *which)
{
	(void)snprintf(fault, room, "%s: %.150s", what, which);
	return false;
}

static bool find_lists(struct said *s, char *fault, size_t room)
{
	if (s->ask->lists == 0)
		return true;
	s->list = calloc(s->ask->lists, sizeof *s->list);
	if (s->list == NULL)
		return blame(fault, room, "no memory", "lists");
	for (size_t i = 0; i < s->ask->lists; i++) {
		s->list[i] = word_lists_find(s->lists, s->ask->list[i]);
		if (s->list[i] == SIZE_MAX)
			return blame(fault, room, "no such list in etc/words", s->ask->list[i]);
	}
	return true;
}

static bool build_words(struct said *s, const struct norm_tables *norm, char *fault, size_t room)
{
	struct keyword_builder *builder;
	bool good = true;

	if (s->ask->words == 0)
		return true;
	builder = keyword_builder_new(norm);
	for (size_t i = 0; builder != NULL && good && i < s->ask->words; i++) {
		const char *word = s->ask->word[i];

		if (keyword_add(builder, word, strlen(word), (uint32_t)i) != KEYWORD_ADDED)
			good = blame(fault, room, "no word, or too long", word);
	}
	if (builder != NULL && good) {
		s->words = keywords_build(builder);
		good = s->words != NULL;
	}
	keyword_builder_free(builder);
	return good && builder != NULL;
}

static bool build_regexes(struct said *s, const struct norm_tables *norm, char *fault, size_t room)
{
	struct regex_fault why;

	if (s->ask->regexes == 0)
		return true;
	s->regexes = regexes_new(norm, (uint32_t)s->ask->limits.regex_steps);
	if (s->regexes == NULL)
		return false;
	for (size_t i = 0; i < s->ask->regexes; i++) {
		const char *pattern = s->ask->regex[i];

		if (regexes_add(s->regexes, pattern, strlen(pattern), &why))
			continue;
		(void)snprintf(
		    fault, room, "%.100s: at byte %zu: %.100s", pattern, why.offset, why.text);
		return false;
	}
	return true;
}

bool said_new(const struct inspect_tables *tables, const struct ask *ask, struct said **said,
    char *fault, size_t room)
{
	struct said *s;

	*said = NULL;
	if (ask->lists + ask->words + ask->regexes == 0)
		return true;
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return blame(fault, room, "no memory", "words");
	(void)blame(fault, room, "no memory", "words");
	s->ask = ask;
	s->lists = tables_lists(tables);
	if (!find_lists(s, fault, room) || !build_words(s, tables_norm(tables), fault, room) ||
	    !build_regexes(s, tables_norm(tables), fault, room)) {
		said_free(s);
		return false;
	}
	*said = s;
	return true;
}

void said_free(struct said *s)
{
	if (s == NULL)
		return;
	free(s->list);
	keywords_free(s->words);
	regexes_free(s->regexes);
	free(s);
}

/* ---- one message ---- */

static void count_word(void *context, uint32_t id, bool quoted)
{
	struct said_run *run = context;

	(void)quoted;
	run->word[id].in[run->place]++;
}

struct said_run *said_begin(const struct said *said)
{
	struct said_run *run = said != NULL ? calloc(1, sizeof *run) : NULL;

	if (run == NULL)
		return NULL;
	run->said = said;
	if (said->ask->lists > 0)
		run->tally = word_tally_new(said->lists);
	if (said->words != NULL) {
		run->word = calloc(said->ask->words, sizeof *run->word);
		run->scan = keyword_scan_open(said->words, count_word, run);
	}
	if (said->regexes != NULL)
		run->regex = regex_scan_open(said->regexes, said->ask->evidence);
	if ((said->ask->lists > 0 && run->tally == NULL) ||
	    (said->words != NULL && (run->word == NULL || run->scan == NULL)) ||
	    (said->regexes != NULL && run->regex == NULL)) {
		said_end(run);
		return NULL;
	}
	return run;
}

void said_end(struct said_run *run)
{
	if (run == NULL)
		return;
	word_tally_free(run->tally);
	keyword_scan_free(run->scan);
	regex_scan_free(run->regex);
	free(run->word);
	free(run);
}

void said_text_begins(struct said_run *run, enum detect_place place)
{
	run->place = place;
	if (run->tally != NULL)
		word_tally_begin(run->tally, place);
	if (run->regex != NULL)
		regex_scan_begin(run->regex, place);
}

void said_feed(struct said_run *run, const char *text, size_t len)
{
	/* Quoted replies that are not wanted do not come here. */
	if (run->tally != NULL)
		word_tally_feed(run->tally, text, len, false);
	if (run->scan != NULL)
		keyword_scan_feed(run->scan, text, len, false);
	if (run->regex != NULL)
		regex_scan_feed(run->regex, text, len, false);
}

void said_text_ends(struct said_run *run)
{
	if (run->tally != NULL)
		word_tally_end(run->tally);
	if (run->scan != NULL)
		keyword_scan_end(run->scan);
	if (run->regex != NULL)
		regex_scan_end(run->regex);
}

/* ---- told ---- */

/* Words of a list, or values of an expression, on their way out. */
struct telling {
	struct facts_out *out;
	const char *list;
	size_t left;   /* words that may still be shown */
	size_t number; /* of the expression */
};

static bool tell_list_word(void *context, const char *word, size_t len, uint64_t count)
{
	struct telling *t = context;
	char text[1024];

	if (t->left == 0 || len >= sizeof text)
		return false;
	t->left--;
	memcpy(text, word, len);
	text[len] = '\0';
	FACT(t->out, "list-word", kv("list", t->list), kv_num("count", (int64_t)count),
	    kv("text", text));
	return true;
}

static void tell_list(const struct said_run *run, size_t list, struct facts_out *out)
{
	struct telling t = {.out = out,
	    .list = word_lists_name(run->said->lists, list),
	    .left = run->said->ask->evidence};

	for (unsigned p = 0; p < PLACE_COUNT; p++) {
		uint64_t all = word_tally_all(run->tally, list, 1u << p, true);

		if (all > 0)
			FACT(out, "words", kv("list", t.list), kv("place", detect_place_word(p)),
			    kv_num("count", (int64_t)all),
			    kv_num("distinct",
				(int64_t)word_tally_distinct(run->tally, list, 1u << p, true)));
	}
	word_tally_each(run->tally, list, (1u << PLACE_COUNT) - 1, true, tell_list_word, &t);
}

static void tell_words(const struct said_run *run, struct facts_out *out)
{
	for (size_t i = 0; i < run->said->ask->words; i++) {
		for (unsigned p = 0; p < PLACE_COUNT; p++) {
			if (run->word[i].in[p] > 0)
				FACT(out, "word", kv_num("number", (int64_t)i + 1),
				    kv("place", detect_place_word(p)),
				    kv_num("count", (int64_t)run->word[i].in[p]),
				    kv("text", run->said->ask->word[i]));
		}
	}
}

static bool tell_value(void *context, const char *masked, size_t len)
{
	struct telling *t = context;
	char text[4 * REGEX_SHOWN_MAX + 1];

	if (len >= sizeof text)
		return true;
	memcpy(text, masked, len);
	text[len] = '\0';
	FACT(t->out, "regex-value", kv_num("number", (int64_t)t->number), kv("value", text));
	return true;
}

/* A limit that is reached counts as a match, wherever it was. */
static void tell_regexes(const struct said_run *run, struct facts_out *out)
{
	for (size_t i = 0; i < run->said->ask->regexes; i++) {
		struct telling t = {.out = out, .number = i + 1};
		unsigned limit = regex_limit(run->regex, i);

		for (unsigned p = 0; p < PLACE_COUNT; p++) {
			uint64_t all = regex_all(run->regex, i, 1u << p, true);
			bool limited = (limit & (1u << p)) != 0;

			if (all == 0 && !limited)
				continue;
			FACT(out, "regex", kv_num("number", (int64_t)i + 1),
			    kv("place", detect_place_word(p)),
			    kv_num("count", (int64_t)(all > 0 ? all : 1)),
			    kv_num(
				"distinct", (int64_t)regex_distinct(run->regex, i, 1u << p, true)),
			    kv("limit", limited ? "yes" : "no"),
			    kv("text", run->said->ask->regex[i]));
		}
		regex_each(run->regex, i, tell_value, &t);
	}
}

void said_tell(const struct said_run *run, struct facts_out *out)
{
	for (size_t i = 0; i < run->said->ask->lists; i++)
		tell_list(run, run->said->list[i], out);
	if (run->word != NULL)
		tell_words(run, out);
	if (run->regex != NULL)
		tell_regexes(run, out);
}
