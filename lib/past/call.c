#include "lib/past/call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/past/wire.h"

struct past_call {
	struct wire w;
	size_t rcpts;
	size_t at; /* lines of the answer that were taken */
};

int past_call_fd(const struct past_call *call)
{
	return call->w.fd;
}

int64_t past_call_until(const struct past_call *call)
{
	return call->w.until;
}

void past_call_close(struct past_call *call)
{
	if (call == NULL)
		return;
	wire_free(&call->w);
	free(call);
}

static struct past_call *new_call(int64_t patience)
{
	struct past_call *call = calloc(1, sizeof *call);

	if (call != NULL)
		wire_init(&call->w, patience);
	return call;
}

/* NULL with errno: nobody is there. */
static struct past_call *connected(struct past_call *call)
{
	if (wire_connect_now(&call->w))
		return call;
	past_call_close(call);
	return NULL;
}

static enum past_called wrong(void)
{
	errno = EPROTO;
	return PAST_FAILED;
}

/* ---- counts ---- */

struct past_call *past_call_counts(
    const char *sender, const char *const *rcpt, size_t rcpts, int64_t patience)
{
	struct past_call *call = new_call(patience);

	if (call == NULL)
		return NULL;
	call->rcpts = rcpts;
	buf_add_text(&call->w.out, "ask");
	past_put(&call->w.out, sender);
	buf_addf(&call->w.out, " %zu -\n", rcpts);
	for (size_t i = 0; i < rcpts; i++) {
		buf_add_text(&call->w.out, "rcpt");
		past_put(&call->w.out, rcpt[i]);
		past_put(&call->w.out, "");
		buf_add(&call->w.out, "\n", 1);
	}
	return connected(call);
}

enum past_called past_call_count(struct past_call *call, uint64_t *counts)
{
	struct past_line line;

	while (call->at <= call->rcpts) {
		bool first = call->at == 0;

		switch (wire_line_now(&call->w, &line)) {
		case WIRE_LINE:
			break;
		case WIRE_WAIT:
			return PAST_WAITS;
		case WIRE_FAILED:
			return PAST_FAILED;
		}
		if (strcmp(line.word[0], first ? "sender" : "rcpt") != 0 ||
		    line.words != (first ? 2 : 7) ||
		    (!first && !past_number(line.word[1], &counts[call->at - 1])))
			return wrong();
		call->at++;
	}
	return PAST_CALLED;
}

/* ---- what was sent ---- */

struct past_call *past_call_sent(const char *const *name, size_t names, const char *query,
    uint64_t first, size_t count, int64_t patience)
{
	struct past_call *call = new_call(patience);

	if (call == NULL)
		return NULL;
	buf_addf(&call->w.out, "sent %llu %zu", (unsigned long long)first, count);
	past_put(&call->w.out, query);
	for (size_t i = 0; i < names && i < PAST_SENT_NAMES; i++)
		past_put(&call->w.out, name[i]);
	buf_add(&call->w.out, "\n", 1);
	return connected(call);
}

/* mail ID ENDED RCPTS DELIVERED FAILED RETURNED FROM SUBJECT RCPT RCPT RCPT */
static bool read_sent(const struct past_line *line, struct past_sent *sent)
{
	uint64_t ended;

	if (line->words != 9 + PAST_SENT_RCPTS || strcmp(line->word[0], "mail") != 0 ||
	    strlen(line->word[1]) >= sizeof sent->id || !past_number(line->word[2], &ended) ||
	    !past_number(line->word[3], &sent->rcpts) ||
	    !past_number(line->word[4], &sent->delivered) ||
	    !past_number(line->word[5], &sent->failed) ||
	    !past_number(line->word[6], &sent->returned) || ended > INT64_MAX)
		return false;
	(void)snprintf(sent->id, sizeof sent->id, "%s", line->word[1]);
	sent->ended = (int64_t)ended;
	sent->from = line->word[7];
	sent->subject = line->word[8];
	for (size_t i = 0; i < PAST_SENT_RCPTS; i++)
		sent->rcpt[i] = line->word[9 + i];
	return true;
}

enum past_called past_call_see(
    struct past_call *call, past_see_sent *see, void *context, uint64_t *total, bool *complete)
{
	struct past_line line;
	struct past_sent sent;

	for (;;) {
		switch (wire_line_now(&call->w, &line)) {
		case WIRE_LINE:
			break;
		case WIRE_WAIT:
			return PAST_WAITS;
		case WIRE_FAILED:
			return PAST_FAILED;
		}
		if (line.words == 3 && strcmp(line.word[0], "end") == 0) {
			*complete = strcmp(line.word[2], "all") == 0;
			return past_number(line.word[1], total) ? PAST_CALLED : wrong();
		}
		if (call->at++ == PAST_SENT_COUNT || !read_sent(&line, &sent))
			return wrong();
		see(context, &sent);
	}
}
