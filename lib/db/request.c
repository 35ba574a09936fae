/* What can be asked, and who may. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/db/client.h"

#define DAYS_MAX 366

/* ---- recipients --------------------------------------------------------------------------- */

static void forget_sender(struct client *c)
{
	free(c->texts);
	c->texts = NULL;
	c->rcpts = 0;
}

/* The texts of a line are overwritten by the next one. */
static bool keep_sender(struct client *c, const struct past_line *line)
{
	size_t room = 0;
	char *at;

	for (size_t i = 1; i < line->words; i++)
		room += strlen(line->word[i]) + 1;
	c->texts = at = malloc(room);
	if (at == NULL)
		return false;
	c->sender = (struct history_sender){.address = at,
	    .group = c->group,
	    .groups = line->words - 4,
	    .lookalike = strcmp(line->word[3], "look") == 0};
	at = stpcpy(at, line->word[1]) + 1;
	for (size_t i = 0; i < c->sender.groups; i++) {
		c->group[i] = at;
		at = stpcpy(at, line->word[4 + i]) + 1;
	}
	return true;
}

/* ask SENDER N look|- [GROUP…] */
static bool answer_ask(
    struct client *c, struct history *h, const struct past_line *line, bool *good)
{
	uint64_t n;

	if (line->words < 4 || line->words - 4 > PAST_GROUPS_MAX ||
	    !past_number(line->word[2], &n) || n > PAST_RCPTS_MAX)
		return false;
	forget_sender(c);
	*good = keep_sender(c, line);
	if (!*good)
		return true;
	switch (history_enrolled(h, line->word[1])) {
	case STORE_FOUND:
		buf_add_text(&c->out, "sender registered\n");
		break;
	case STORE_NONE:
		buf_add_text(&c->out, "sender -\n");
		break;
	case STORE_FAILED:
		*good = false;
		break;
	}
	c->rcpts = (size_t)n;
	return true;
}

/* rcpt ADDRESS NAME */
static bool answer_rcpt(
    struct client *c, struct history *h, const struct past_line *line, int64_t now, bool *good)
{
	struct past_rcpt a;

	if (line->words != 3 || strcmp(line->word[0], "rcpt") != 0)
		return false;
	*good = history_ask(h, &c->sender, line->word[1], line->word[2], now, &a);
	if (!*good)
		return true;
	buf_addf(&c->out, "rcpt %llu %llu %llu %lld %s", (unsigned long long)a.by_sender,
	    (unsigned long long)a.by_group, (unsigned long long)a.by_site,
	    (long long)(a.last > 0 ? a.last : 0), past_look_word(a.look));
	past_put(&c->out, a.like);
	buf_add(&c->out, "\n", 1);
	if (--c->rcpts == 0)
		forget_sender(c);
	return true;
}

/* ---- the others --------------------------------------------------------------------------- */

static bool put_found(struct client *c, enum store_found found, const char *word)
{
	buf_addf(&c->out, "%s\n", found == STORE_FOUND ? word : "-");
	return found != STORE_FAILED;
}

static bool put_done(struct client *c, bool done, const char *word)
{
	if (done)
		buf_addf(&c->out, "%s\n", word);
	return done;
}

static bool put_due(struct client *c, struct history *h, int64_t now)
{
	char week[11];

	if (!history_due(h, now, week))
		return false;
	if (week[0] != '\0')
		buf_addf(&c->out, "due %s\n", week);
	else
		buf_add_text(&c->out, "-\n");
	return true;
}

/* A request of one or two words. */
static bool answer_word(
    struct client *c, struct history *h, const struct past_line *line, int64_t now, bool *good)
{
	const char *word = line->word[0], *value = line->words > 1 ? line->word[1] : "";
	size_t len = strlen(value);

	if (line->words == 1 && strcmp(word, "months") == 0)
		*good = history_month(h, now) && history_months(h, &c->out);
	else if (line->words == 1 && strcmp(word, "enrolments") == 0)
		*good = history_enrolments(h, &c->out);
	else if (line->words == 1 && strcmp(word, "due") == 0)
		*good = put_due(c, h, now);
	else if (len == 0 || line->words != 2)
		return false;
	else if (strcmp(word, "enrolled") == 0)
		*good = put_found(c, history_enrolled(h, value), "registered");
	else if (strcmp(word, "enrol") == 0)
		*good = put_done(c, history_enrol(h, value, now), "registered");
	else if (strcmp(word, "remove") == 0 && c->may_change)
		*good = put_found(c, history_remove(h, value, now), "removed");
	else if (strcmp(word, "done") == 0 && len == 10)
		*good = put_done(c, history_done(h, value), "done");
	else
		return false;
	return true;
}

/* report DAYS today|before */
static bool answer_report(
    struct client *c, struct history *h, const struct past_line *line, int64_t now, bool *good)
{
	uint64_t days;

	if (line->words != 3 || !past_number(line->word[1], &days) || days == 0 || days > DAYS_MAX)
		return false;
	*good =
	    history_report(h, (unsigned)days, strcmp(line->word[2], "today") == 0, now, &c->out);
	return true;
}

/* sent FIRST COUNT QUERY NAME… */
static bool answer_sent(
    struct client *c, struct history *h, const struct past_line *line, bool *good)
{
	struct sent_question q = {.query = line->words > 3 ? line->word[3] : ""};
	uint64_t count;

	if (line->words < 5 || line->words - 4 > PAST_SENT_NAMES ||
	    !past_number(line->word[1], &q.first) || q.first > INT32_MAX ||
	    !past_number(line->word[2], &count) || count == 0 || count > PAST_SENT_COUNT)
		return false;
	q.count = (size_t)count;
	q.name = (const char *const *)line->word + 4;
	q.names = line->words - 4;
	for (size_t i = 0; i < q.names; i++) {
		if ((q.name[i][0] != 'f' && q.name[i][0] != 'l') || q.name[i][1] == '\0')
			return false;
	}
	*good = history_sent(h, &q, &c->out);
	return true;
}

bool request_answer(struct client *c, struct history *history, int64_t now, char *bytes, size_t len)
{
	size_t before = c->out.len;
	struct past_line line;
	bool known, good = true;

	if (!past_line_cut(bytes, len, &line))
		return false;
	if (c->rcpts > 0)
		known = answer_rcpt(c, history, &line, now, &good);
	else if (strcmp(line.word[0], "ask") == 0)
		known = answer_ask(c, history, &line, &good);
	else if (strcmp(line.word[0], "sent") == 0)
		known = answer_sent(c, history, &line, &good);
	else if (strcmp(line.word[0], "report") == 0)
		known = answer_report(c, history, &line, now, &good);
	else
		known = answer_word(c, history, &line, now, &good);
	if (known && good && buf_ok(&c->out))
		return true;
	if (known) {
		/* Half an answer would be worse than none. */
		if (!buf_ok(&c->out))
			buf_clear(&c->out);
		else
			c->out.len = before;
		buf_add_text(&c->out, "failed\n");
		c->gone = true;
	}
	return known;
}
