/* Reading the steps of a plan that are seki-hold's: strictly, word by word. */
#include "lib/hold/plan_step.h"

#include <string.h>

#include "lib/base/clock.h"

#define ARGUMENTS_MAX 6

/* The forms of a step: its second word, whole or up to its '='; and the arguments that may follow. */
static const struct row {
	enum plan_word word;
	const char *form;
	enum step_form is;
	bool discard;
	const char *argument[ARGUMENTS_MAX];
} rows[] = {
    {WORD_HOLD, "no", STEP_NO, false, {NULL}},
    {WORD_HOLD, "until=", STEP_UNTIL, false, {"notice=", "rule="}},
    {WORD_HOLD, "operator", STEP_OPERATOR, false, {"why=", "reason=", "door=", "rule="}},
    {WORD_HOLD, "confirmed", STEP_CONFIRMED, false, {"notice=", "rule="}},
    {WORD_HOLD, "checked", STEP_CHECKED, false, {"notice=", "rule="}},
    {WORD_HOLD, "discard=confirmed", STEP_CONFIRMED, true, {"notice=", "rule="}},
    {WORD_HOLD, "discard=checked", STEP_CHECKED, true, {"notice=", "rule="}},
    {WORD_HOLD, "discard=", STEP_CONFIRMED, true, {"notice=", "rule="}},
    {WORD_HOLD, "window=", STEP_WINDOW, false, {"notice=", "rule="}},
    {WORD_APPROVE, "no", STEP_NO, false, {NULL}},
    {WORD_APPROVE, "by=", STEP_APPROVE, false, {"then=", "notice=", "rule="}},
};

/* A word of a step; len 0: there is none (two blanks make one, too). */
struct word {
	const char *text;
	size_t len;
};

static struct word next_word(const struct plan_step *step, size_t *at)
{
	const char *from = step->text + *at;
	size_t rest = step->len - *at;
	const char *blank = rest > 0 ? memchr(from, ' ', rest) : NULL;
	size_t len = blank != NULL ? (size_t)(blank - from) : rest;

	*at += len + (blank != NULL);
	return (struct word){.text = from, .len = len};
}

/* "no" is itself; "until=" begins a word with a value. */
static bool word_is(const struct word *word, const char *form)
{
	size_t len = strlen(form);

	if (form[len - 1] == '=')
		return word->len > len && memcmp(word->text, form, len) == 0;
	return word->len == len && memcmp(word->text, form, len) == 0;
}

/* "then=" alone may stand more than once: there is another who approves. */
static bool known_argument(const struct row *row, const struct word *word, unsigned *seen)
{
	for (size_t i = 0; i < ARGUMENTS_MAX && row->argument[i] != NULL; i++) {
		bool again = (*seen & 1U << i) != 0;

		if (!word_is(word, row->argument[i]))
			continue;
		*seen |= 1U << i;
		return !again || strcmp(row->argument[i], "then=") == 0;
	}
	return false;
}

/* False: nobody knows when somebody is to be told. */
static bool read_notice(const struct word *word, enum step_notice *notice)
{
	static const char *const words[] = {[NOTICE_NEVER] = "notice=never",
	    [NOTICE_DIGEST] = "notice=digest",
	    [NOTICE_RISKY] = "notice=risky",
	    [NOTICE_ALWAYS] = "notice=always"};

	if (!word_is(word, "notice="))
		return true;
	for (size_t i = NOTICE_NEVER; i < COUNT_OF(words); i++) {
		if (word_is(word, words[i])) {
			*notice = (enum step_notice)i;
			return true;
		}
	}
	return false;
}

static struct hold_plan_step odd(const char *why)
{
	return (struct hold_plan_step){.form = STEP_ODD, .odd = why};
}

static struct hold_plan_step unknown(enum plan_word word)
{
	return odd(word == WORD_APPROVE ? "an approval that this version cannot ask for"
					: "no time that ends it");
}

/* The value behind the first '=' of the form's word. False: it is a time that cannot be read. */
static bool read_value(
    const struct row *row, const struct word *word, int64_t amended, struct hold_plan_step *step)
{
	size_t key = strlen(row->form);

	if (row->is == STEP_WINDOW) {
		step->window = word->text + key;
		step->window_len = word->len - key;
	} else if (row->is != STEP_APPROVE && row->form[key - 1] == '=') {
		step->time = clock_parse(word->text + key, word->len - key);
		if (step->time < 0)
			return false;
		step->time = amended > step->time ? amended : step->time;
	}
	return true;
}

static const struct row *row_of(const struct plan_step *step, const struct word *word)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (rows[i].word == step->word && word_is(word, rows[i].form))
			return &rows[i];
	}
	return NULL;
}

struct hold_plan_step hold_plan_step(const struct plan_step *step, int64_t amended)
{
	static const char argument[] = "an argument in the plan that this version does not know";
	struct hold_plan_step read = {.notice = NOTICE_UNSAID};
	const struct row *row;
	unsigned seen = 0;
	struct word word;
	size_t at = 0;

	(void)next_word(step, &at);
	word = next_word(step, &at);
	row = row_of(step, &word);
	if (row == NULL)
		return unknown(step->word);
	read.form = row->is;
	read.discard = row->discard;
	if (!read_value(row, &word, amended, &read))
		return unknown(step->word);

	/* A blank at the end is an empty word, which is none of them. */
	if (step->text[step->len - 1] == ' ')
		return odd(argument);
	while (at < step->len) {
		word = next_word(step, &at);
		if (!known_argument(row, &word, &seen) || !read_notice(&word, &read.notice))
			return odd(argument);
	}
	return read;
}
