/* Reading the steps of a plan that are seki-hold's: strictly, word by word. */
#include <string.h>

#include "lib/base/clock.h"
#include "lib/hold/hold.h"

enum form {
	FORM_NO,
	FORM_UNTIL,
	FORM_OPERATOR,
	FORM_CONFIRMED,
	FORM_CHECKED,
	FORM_DISCARD,
	FORM_APPROVERS,
	FORM_UNKNOWN,
};

#define ARGUMENTS_MAX 5

/* The forms of a step: its second word, whole or up to its '='; and the arguments that may follow. */
static const struct row {
	enum plan_word word;
	const char *form;
	enum form is;
	const char *argument[ARGUMENTS_MAX];
} rows[] = {
    {WORD_HOLD, "no", FORM_NO, {NULL}},
    {WORD_HOLD, "until=", FORM_UNTIL, {"rule="}},
    {WORD_HOLD, "operator", FORM_OPERATOR, {"why=", "reason=", "door=", "rule="}},
    {WORD_HOLD, "confirmed", FORM_CONFIRMED, {"rule="}},
    {WORD_HOLD, "checked", FORM_CHECKED, {"rule="}},
    {WORD_HOLD, "discard=", FORM_DISCARD, {"rule="}},
    {WORD_APPROVE, "no", FORM_NO, {NULL}},
    {WORD_APPROVE, "by=", FORM_APPROVERS, {"then=", "rule="}},
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

/* What the step is. `strange`: there is an argument that is not known, or one twice. */
static enum form read_form(const struct plan_step *step, bool *strange)
{
	const struct row *row = NULL;
	size_t at = 0;
	struct word word;
	unsigned seen = 0;

	(void)next_word(step, &at);
	word = next_word(step, &at);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (rows[i].word == step->word && word_is(&word, rows[i].form))
			row = &rows[i];
	}

	/* A blank at the end is an empty word, which is none of them. */
	*strange = step->len > 0 && step->text[step->len - 1] == ' ';
	while (row != NULL && at < step->len) {
		word = next_word(step, &at);
		if (!known_argument(row, &word, &seen))
			*strange = true;
	}
	return row != NULL ? row->is : FORM_UNKNOWN;
}

static struct stage_outcome stop(const char *why)
{
	return (struct stage_outcome){.action = STAGE_STOP, .why = why};
}

struct stage_outcome hold_step(struct stage *stage, enum spool_state state, struct stage_opened *o)
{
	bool strange = false;
	enum form form = read_form(o->law.step, &strange);

	if (strange)
		return stop("an argument in the plan that this version does not know");
	switch (form) {
	case FORM_APPROVERS:
		return stop("an approval that this version cannot ask for");
	case FORM_CONFIRMED:
		return stop("a confirmation by the sender that this version cannot ask for");
	case FORM_CHECKED:
		return stop("a check by the sender that this version cannot ask for");
	case FORM_DISCARD:
		return stop("a hold that ends in discarding, which this version cannot do");
	case FORM_NO:
		if (o->law.step->word == WORD_APPROVE)
			return (struct stage_outcome){.action = STAGE_PASS, .details = "by=nobody"};
		return stage_timed(stage, state, o);
	case FORM_UNTIL:
	case FORM_OPERATOR:
		return stage_timed(stage, state, o);
	case FORM_UNKNOWN:
		break;
	}
	return stop(o->law.step->word == WORD_APPROVE
			? "an approval that this version cannot ask for"
			: "no time that ends it");
}
