#include "lib/encrypt/job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/xtext.h"
#include "lib/encrypt/steps.h"
#include "lib/seal/client.h"
#include "queue/reseal.h"

#define RECORDS_ROOM ((size_t)65536)
#define WAS_DIGITS   16
#define ASK_ROOM     SEAL_ORDER_MAX

struct work {
	struct job *job;
	struct stage_opened o;
	char id[NAME_TEXT];
	struct buf ask; /* of seki-seal; empty: nothing */
	size_t removals;

	struct {
		struct step step;
		bool asked; /* its text is among what is asked */
	} step[PLAN_STEPS_MAX];
	size_t steps;
};

static bool end(struct work *w, enum job_end how, const char *why)
{
	w->job->end = how;
	w->job->why = why;
	return false;
}

static bool no_memory(struct work *w)
{
	return end(w, JOB_AGAIN, "no memory");
}

static int64_t now(const struct job *job)
{
	return job->now + (clock_boot() - job->boot);
}

/* ---- what is to be done ------------------------------------------------------------------- */

static bool add_address(struct work *w, const struct leg_record *r)
{
	size_t len = 0;
	const char *value = leg_record_value(r, "address", &len);
	char *address = malloc(len + 1);
	bool good = address != NULL && value != NULL && xtext_decode(value, len, address, &len) &&
		    len > 0 && memchr(address, '\0', len) == NULL;

	if (address == NULL)
		return no_memory(w);
	if (good) {
		address[len] = '\0';
		seal_order_add_remove(&w->ask, address);
	}
	free(address);
	return good || end(w, JOB_STOP, "a removed address that cannot be read");
}

/* The `removed` records behind the last `rewritten`. */
static bool add_removals(struct work *w)
{
	struct leg_record r;
	size_t at = 0, first = 0;

	while (leg_next_record(&w->o.leg, &at, &r)) {
		if (leg_record_is(&r, "rewritten"))
			first = at;
	}
	for (at = first; leg_next_record(&w->o.leg, &at, &r);) {
		if (!leg_record_is(&r, "removed"))
			continue;
		if (!add_address(w, &r))
			return false;
		w->removals++;
	}
	return w->removals <= SEAL_REMOVES_MAX ||
	       end(w, JOB_STOP, "more removed addresses than can be taken out");
}

/* The step's text, if it is not in the mail already. */
static bool add_text(struct work *w, size_t i)
{
	const struct step *step = &w->step[i].step;
	struct buf text;
	const char *why = NULL;
	bool later = false, fine;

	if (step->word == STEP_KEEP || step_is_inserted(&w->o.leg, step))
		return true;
	buf_init(&text, 2 * STEP_ETC_TEXT_MAX + 1024);
	if (step->word == STEP_HISTORY)
		fine = step_write_history(&w->o.leg, &text) || no_memory(w);
	else {
		why = step_read_text(w->job->etc, step, &text, &later);
		fine = why == NULL || end(w, later ? JOB_AGAIN : JOB_STOP, why);
	}
	if (fine && text.len > 0) {
		seal_order_add_text(&w->ask, step->word == STEP_TOP, text.bytes, text.len);
		w->step[i].asked = true;
	}
	buf_free(&text);
	return fine;
}

/* The open steps from the first on that this version can do. */
static bool add_steps(struct work *w)
{
	const struct plan *plan = &w->o.leg.plan;
	size_t i = w->o.law.step != NULL ? (size_t)(w->o.law.step - plan->step) : plan->steps;

	for (; i < plan->steps && plan->step[i].word == WORD_ENCRYPT; i++) {
		struct step step = step_read(&plan->step[i]);

		if (step.word == STEP_OTHER)
			break;
		w->step[w->steps++].step = step;
		if (!add_text(w, w->steps - 1))
			return false;
	}
	return true;
}

/* ---- records ------------------------------------------------------------------------------ */

static void add_sealed(struct work *w, struct buf *records, size_t i, const char *inserted)
{
	static const char *const where[] = {
	    [STEP_TOP] = "top", [STEP_END] = "end", [STEP_HISTORY] = "history"};
	const struct step *step = &w->step[i].step;

	buf_addf(records, "sealed plan=%s", w->o.leg.plan.digest);
	if (step->word == STEP_KEEP) {
		buf_add_text(records, " by=nobody\n");
		return;
	}
	buf_addf(records, " by=seki-encrypt insert=%s", where[step->word]);
	if (step->text != NULL)
		buf_addf(records, " text=%.*s", (int)step->text_len, step->text);
	buf_addf(records, " inserted=%s\n",
	    w->step[i].asked                    ? inserted
	    : step_is_inserted(&w->o.leg, step) ? "before"
						: "nothing");
}

/* What becomes true with the new file. */
static bool make_records(struct work *w, struct buf *records, const char *inserted)
{
	for (size_t i = 0; i < w->steps; i++)
		add_sealed(w, records, i, inserted);
	if (w->removals > 0)
		buf_addf(records, "rewritten addresses=%zu was=%.*s\n", w->removals, WAS_DIGITS,
		    w->o.leg.sha256);
	return buf_ok(records) || no_memory(w);
}

/* Nothing of the content changes: the records alone. */
static bool append_records(struct work *w)
{
	struct buf lines, records;
	bool done = false;

	buf_init(&lines, RECORDS_ROOM);
	buf_init(&records, 2 * RECORDS_ROOM);
	if (make_records(w, &lines, "no")) {
		leg_stamp_records(&records, now(w->job), lines.bytes, lines.len);
		done = buf_ok(&records) &&
		       spool_append(w->o.fd, w->o.leg.end, records.bytes, records.len);
		if (!done)
			(void)end(w, JOB_AGAIN, "its records could not be written");
	}
	buf_free(&lines);
	buf_free(&records);
	return done;
}

/* ---- having it done ----------------------------------------------------------------------- */

static bool refused(struct work *w, const struct seal_result *result)
{
	static const struct {
		const char *word, *why;
	} words[] = {
	    {"header", "an address in the header that cannot be taken out for sure"},
	    {"header-too-long", "a header that is too long to be changed"},
	    {"size", "it would become too large"},
	};

	(void)snprintf(w->job->word, sizeof w->job->word, "%s", result->why);
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strcmp(result->why, words[i].word) == 0)
			return end(w, JOB_STOP, words[i].why);
	}
	return end(w, JOB_STOP, "a mail that cannot be changed");
}

static bool replace(struct work *w, int content, const struct seal_result *result)
{
	struct buf records;
	struct reseal reseal = {.content = content, .size = result->size};
	enum reseal_result done = RESEAL_FAILED;
	bool made;

	buf_init(&records, RECORDS_ROOM);
	made = make_records(w, &records, seal_inserted_word(result->inserted));
	if (made) {
		reseal.records = records.bytes;
		reseal.records_len = records.len;
		done = reseal_leg(w->job->stage, STATE_ENCRYPT, &w->o, &reseal, now(w->job));
	}
	switch (made ? done : RESEAL_FAILED) {
	case RESEAL_DONE:
		LOG("sealed", kv("id", w->id), kv("inserted", seal_inserted_word(result->inserted)),
		    kv_num("removed", (int64_t)result->removed),
		    kv_num("size", (int64_t)result->size));
		break;
	case RESEAL_FAILED:
		if (made)
			LOG_ALARM("reseal-failed", kv("id", w->id), kv_errno(errno));
		(void)end(w, JOB_AGAIN, "the new leg could not be written");
		break;
	case RESEAL_TOO_LONG:
		(void)end(w, JOB_STOP, "trailer-max");
		break;
	case RESEAL_DAMAGED:
		(void)end(w, JOB_STOP, "its content is not what its digest says");
		break;
	}
	buf_free(&records);
	return made && done == RESEAL_DONE;
}

static bool ask(struct work *w, int leg, int content)
{
	const struct source source = {
	    .fd = leg, .start = (uint64_t)w->o.leg.content, .size = w->o.leg.size};
	struct seal_result result;

	seal_ask(SEAL_SOCKET, &source, content, &w->ask, w->job->patience, &result);
	switch (result.end) {
	case SEAL_DONE:
		return replace(w, content, &result);
	case SEAL_NO:
		return refused(w, &result);
	case SEAL_LATER:
		break;
	}
	(void)snprintf(w->job->word, sizeof w->job->word, "%s", result.why);
	return end(w, JOB_AGAIN, "seki-seal could not do it just now");
}

static bool change(struct work *w)
{
	int leg = spool_reopen_to_read(w->o.fd);
	int content = leg >= 0 ? reseal_scratch(w->job->stage) : -1;
	bool done =
	    content >= 0 ? ask(w, leg, content) : end(w, JOB_AGAIN, "no file for the new content");

	if (content >= 0)
		(void)close(content);
	if (leg >= 0)
		(void)close(leg);
	return done;
}

static void work_on(struct work *w)
{
	name_format(&w->o.leg.name, STATE_NEW, w->id); /* ID.K */
	buf_init(&w->ask, ASK_ROOM);
	if (add_removals(w) && add_steps(w)) {
		if (!buf_ok(&w->ask))
			(void)end(w, JOB_STOP, "more to be put into it than can be");
		else if (w->ask.len > 0)
			(void)change(w);
		else if (w->steps > 0)
			(void)append_records(w);
	}
	buf_free(&w->ask);
}

void job_work(void *context)
{
	struct job *job = context;
	struct work *w = calloc(1, sizeof *w);

	job->end = JOB_DONE;
	job->why = "";
	job->word[0] = '\0';
	if (w == NULL) {
		job->end = JOB_AGAIN;
		job->why = "no memory";
		return;
	}
	w->job = job;
	switch (stage_open(job->stage, STATE_ENCRYPT, &job->name, now(job) / CLOCK_SECOND, &w->o)) {
	case STAGE_OPEN_ACT:
		work_on(w);
		leg_free(&w->o.leg);
		(void)close(w->o.fd);
		break;
	case STAGE_OPEN_AGAIN:
		(void)end(w, JOB_AGAIN, "the leg cannot be read");
		break;
	case STAGE_OPEN_GONE:
		break;
	}
	free(w);
}
