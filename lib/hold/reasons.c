#include "lib/hold/reasons.h"

#include <stdio.h>

#include "queue/order_leg.h"

#define X(name, word, sentence) [REASON_##name] = {word, sentence},
static const struct {
	const char *word, *sentence;
} reasons[REASON_COUNT] = {ACT_REASONS(X)};
#undef X

const char *reason_word(enum act_reason reason)
{
	return reasons[reason < REASON_COUNT ? reason : REASON_NONE].word;
}

const char *reason_sentence(enum act_reason reason)
{
	return reasons[reason < REASON_COUNT ? reason : REASON_NONE].sentence;
}

struct order_answer reason_no(enum act_reason reason, const char *more)
{
	char said[sizeof((struct order_answer *)0)->why];
	struct order_answer answer;

	(void)snprintf(said, sizeof said, "%s%s", reason_sentence(reason), more);
	answer = order_no(said);
	answer.code = reason_word(reason);
	answer.busy = reason == REASON_BUSY;
	return answer;
}
