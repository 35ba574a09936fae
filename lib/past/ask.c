/* Questions about recipients and senders. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/past/past.h"
#include "lib/past/wire.h"

#define NUMBERS 4 /* of an answer about a recipient */

void past_question_free(struct past_question *question)
{
	free(question->memory);
	*question = (struct past_question){.sender = ""};
}

void past_free(struct past *past)
{
	if (past == NULL)
		return;
	free(past->rcpt);
	free(past);
}

static void put_question(struct buf *out, const struct past_question *q)
{
	buf_add_text(out, "ask");
	past_put(out, q->sender);
	buf_addf(out, " %zu %s", q->rcpts, q->lookalike ? "look" : "-");
	for (size_t i = 0; i < q->groups && i < PAST_GROUPS_MAX; i++)
		past_put(out, q->group[i]);
	buf_add(out, "\n", 1);
	for (size_t i = 0; i < q->rcpts; i++) {
		const char *name = q->rcpt[i].name;
		char cut[PAST_NAME_MAX];

		(void)snprintf(cut, sizeof cut, "%s", name != NULL ? name : "");
		buf_add_text(out, "rcpt");
		past_put(out, q->rcpt[i].address);
		past_put(out, cut);
		buf_add(out, "\n", 1);
	}
}

static bool take_rcpt(struct wire *w, struct past_rcpt *rcpt)
{
	struct past_line line;
	uint64_t number[NUMBERS];

	if (!wire_expect(w, "rcpt", 3 + NUMBERS, &line))
		return false;
	for (size_t i = 0; i < NUMBERS; i++) {
		if (!past_number(line.word[1 + i], &number[i]))
			goto broken;
	}
	rcpt->by_sender = number[0];
	rcpt->by_group = number[1];
	rcpt->by_site = number[2];
	rcpt->last = number[3] > INT64_MAX ? INT64_MAX : (int64_t)number[3];

	rcpt->look = LOOK_NONE;
	while (strcmp(line.word[5], past_look_word(rcpt->look)) != 0) {
		if (rcpt->look == LOOK_DORMANT)
			goto broken;
		rcpt->look = (enum past_look)(rcpt->look + 1);
	}
	(void)snprintf(rcpt->like, sizeof rcpt->like, "%s", line.word[6]);
	return true;

broken:
	errno = EPROTO;
	return false;
}

static struct past *take(struct wire *w, size_t rcpts)
{
	struct past *past = calloc(1, sizeof *past);
	struct past_line line;

	if (past == NULL)
		return NULL;
	past->rcpt = calloc(rcpts + 1, sizeof *past->rcpt);
	if (past->rcpt == NULL || !wire_expect(w, "sender", 2, &line))
		goto fail;
	past->registered = strcmp(line.word[1], "registered") == 0;
	for (; past->rcpts < rcpts; past->rcpts++) {
		if (!take_rcpt(w, &past->rcpt[past->rcpts]))
			goto fail;
	}
	return past;

fail:
	past_free(past);
	return NULL;
}

struct past *past_ask(const struct past_question *question, int64_t patience)
{
	struct past *past = NULL;
	struct wire w;

	if (question->rcpts > PAST_RCPTS_MAX) {
		errno = E2BIG;
		return NULL;
	}
	wire_init(&w, patience);
	put_question(&w.out, question);
	if (wire_connect(&w))
		past = take(&w, question->rcpts);
	wire_free(&w);
	return past;
}

/* A request of a word and a value, whose answer is `yes` or "-". */
static int ask_word(const char *word, const char *value, const char *yes, int64_t patience)
{
	struct past_line line;
	struct wire w;
	int answer = -1;

	wire_init(&w, patience);
	buf_add_text(&w.out, word);
	past_put(&w.out, value);
	buf_add(&w.out, "\n", 1);
	if (wire_connect(&w) && wire_line(&w, &line)) {
		if (strcmp(line.word[0], yes) == 0)
			answer = 1;
		else if (strcmp(line.word[0], "-") == 0)
			answer = 0;
		else
			errno = EPROTO;
	}
	wire_free(&w);
	return answer;
}

int past_enrolled(const char *sender, bool enrol, int64_t patience)
{
	return ask_word(enrol ? "enrol" : "enrolled", sender, "registered", patience);
}

int past_remove(const char *address, int64_t patience)
{
	return ask_word("remove", address, "removed", patience);
}

bool past_report_done(const char week[11], int64_t patience)
{
	int answer = ask_word("done", week, "done", patience);

	if (answer == 0)
		errno = EPROTO;
	return answer > 0;
}

int past_report_due(char week[11], int64_t patience)
{
	struct past_line line;
	struct wire w;
	int answer = -1;

	wire_init(&w, patience);
	buf_add_text(&w.out, "due\n");
	if (wire_connect(&w) && wire_line(&w, &line)) {
		if (line.words == 2 && strcmp(line.word[0], "due") == 0 &&
		    strlen(line.word[1]) == 10) {
			memcpy(week, line.word[1], 11);
			answer = 1;
		} else if (strcmp(line.word[0], "-") == 0) {
			answer = 0;
		} else {
			errno = EPROTO;
		}
	}
	wire_free(&w);
	return answer;
}

bool past_enrolments(past_see *see, void *context, int64_t patience)
{
	struct past_line line;
	struct wire w;
	uint64_t since;
	bool whole = false;

	wire_init(&w, patience);
	buf_add_text(&w.out, "enrolments\n");
	if (wire_connect(&w)) {
		while (wire_line(&w, &line)) {
			whole = line.words == 1 && strcmp(line.word[0], "end") == 0;
			if (whole || line.words != 3 || !past_number(line.word[2], &since)) {
				errno = EPROTO;
				break;
			}
			see(context, line.word[1], (int64_t)since);
		}
	}
	wire_free(&w);
	return whole;
}
