/*
 * Any bytes as a leg's file, and any bytes as the trailer of a good one: what is read is within the
 * file, proves itself, and says only what stands there.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "queue/digest.h"
#include "queue/law.h"
#include "queue/leg.h"
#include "queue/record.h"

#define ID "0196c0ffee4f2c1d8a31b7e09c55d210"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

/* The plan in force is a whole one of this very leg. */
static void check_plan(const struct leg *leg)
{
	const struct plan *plan = &leg->plan;
	const char *first, *bytes = leg->trailer_bytes.bytes;
	const struct plan_step *last;
	char digest[PLAN_DIGEST_LEN + 1];

	if (plan->steps == 0)
		return;
	first = plan->step[0].text - 1;
	last = &plan->step[plan->steps - 1];
	demand(plan->steps <= PLAN_STEPS_MAX && last->word == WORD_DELIVER && !last->closed);
	demand(first >= bytes && last->text + last->len + 1 <= bytes + leg->trailer_bytes.len);
	plan_digest(
	    leg->name.id, leg->name.k, first, (size_t)(last->text + last->len + 1 - first), digest);
	demand(strcmp(digest, plan->digest) == 0);
	for (size_t i = 0; i < plan->steps; i++)
		demand(!plan->step[i].closed || plan->step[i].word != WORD_UNKNOWN);
}

static void check_law(const struct leg *leg)
{
	for (int state = STATE_NEW; state <= STATE_REFUSED; state++) {
		struct law law = law_of(leg, (enum spool_state)state, 0);

		demand(law.verdict != LAW_MOVE || law.state != (enum spool_state)state);
		if (law.verdict != LAW_ACT || state != STATE_DELIVER)
			continue;
		demand(leg->verdict == LEG_STANDS && leg->unknown == NULL && !leg->emptied);
		for (size_t i = 0; i + 1 < leg->plan.steps; i++)
			demand(leg->plan.step[i].closed);
	}
}

static void check_leg(const struct leg *leg, size_t size)
{
	demand(leg->content > 0 && (size_t)leg->content <= LEG_HEAD_MAX);
	demand(leg->content + (off_t)leg->size < leg->trailer);
	demand(leg->trailer <= leg->end && leg->end <= leg->file_end);
	demand((size_t)leg->file_end == size);
	demand((off_t)leg->trailer_bytes.len == leg->end - leg->trailer);
	demand(record_whole(leg->trailer_bytes.bytes, leg->trailer_bytes.len) ==
	       leg->trailer_bytes.len);
	demand(leg->trailer_bytes.len == 0 ||
	       memchr(leg->trailer_bytes.bytes, '\0', leg->trailer_bytes.len) == NULL);
	demand(leg->rcpts > 0 && leg->rcpts <= LEG_RCPTS_MAX);
	demand(id_valid(leg->name.id, ID_LEN) && k_valid(leg->name.k));
	check_plan(leg);
	check_law(leg);
}

static void check_file(const void *bytes, size_t size)
{
	int fd = memfd_create("leg", MFD_CLOEXEC);
	const char *why = NULL;
	struct leg leg;

	demand(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	if (leg_read(fd, LEG_HEAD_MAX, &leg, &why) == LEG_FINE) {
		check_leg(&leg, size);
		leg_free(&leg);
	}
	demand(why != NULL);
	(void)close(fd);
}

/* The input behind a good head: the fuzzer never guesses a digest. */
static void check_trailer(const uint8_t *data, size_t size)
{
	static const char envelope[] = "from a@b\nto c@d\nto e@f\nto g@h\nclient -\n";
	struct leg_head head = {.id = ID,
	    .k = "1",
	    .envelope = envelope,
	    .envelope_len = sizeof envelope - 1,
	    .size = 1};
	char hex[DIGEST_HEX];
	struct buf b;

	digest_of("x", 1, hex);
	head.sha256 = hex;
	buf_init(&b, SIZE_MAX);
	leg_write_head(&b, &head);
	buf_add_text(&b, "x");
	leg_write_separator(&b, ID);
	buf_add(&b, data, size);
	demand(buf_ok(&b));
	check_file(b.bytes, b.len);

	/* And behind a plan that is in force. */
	b.len -= size;
	plan_write(&b, ID, "1", " hold no\n stagger no\n deliver\n", 29);
	buf_add(&b, data, size);
	demand(buf_ok(&b));
	check_file(b.bytes, b.len);
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_file(data, size);
	check_trailer(data, size);
	return 0;
}
