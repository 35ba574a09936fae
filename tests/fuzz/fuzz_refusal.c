/*
 * Any bytes as the trailer of a refused leg: what is read of a refusal is bounded and NUL-ended, and what
 * is owed is owed no longer once the records of it stand there.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/notice/refusal.h"
#include "queue/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOTICE " notice=0196c0ffee4f2c1d8a31b7e09c55d210\n"

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static void add_time(struct buf *b)
{
	char time[CLOCK_TEXT];

	clock_format(INT64_C(1795396923000000), time);
	buf_addf(b, "%s ", time);
}

/* As seki-hold writes what it has done. */
static void write_down(struct buf *b, const struct notice_refusal *refusal)
{
	if (refusal->tell && !refusal->told) {
		add_time(b);
		buf_add_text(b, "told" NOTICE);
	}
	for (size_t i = 0; i < refusal->forwards; i++) {
		if (refusal->forward[i].done)
			continue;
		add_time(b);
		buf_add_text(b, "forwarded to=");
		buf_add_xtext(b, refusal->forward[i].to, strlen(refusal->forward[i].to));
		buf_add_text(b, NOTICE);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct leg leg = {.verdict = LEG_REFUSED};
	struct notice_refusal refusal, again;
	enum notice_refused result;
	size_t whole = record_whole((const char *)data, size);

	buf_init(&leg.trailer_bytes, SIZE_MAX);
	buf_add(&leg.trailer_bytes, data, whole);
	result = notice_refusal_read(&leg, &refusal);
	demand(result != NOTICE_REFUSED_NO_MEMORY);
	if (result == NOTICE_REFUSED) {
		demand(strlen(refusal.where) + strlen(refusal.name) + strlen(refusal.why) <= whole);
		demand(refusal.forwards <= NOTICE_FORWARDS_MAX);
		for (size_t i = 0; i < refusal.forwards; i++)
			demand(refusal.forward[i].to[0] != '\0');

		write_down(&leg.trailer_bytes, &refusal);
		demand(notice_refusal_read(&leg, &again) == NOTICE_REFUSED);
		demand(again.forwards == refusal.forwards && !notice_refusal_owes(&again));
		notice_refusal_free(&again);
		notice_refusal_free(&refusal);
	}
	buf_free(&leg.trailer_bytes);
	return 0;
}
