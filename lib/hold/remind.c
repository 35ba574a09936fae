/*
 * One digest for each person for whom something waits, every remind-every, in hours that are not quiet.
 * The time is written down before anybody is told: a crash costs a digest, and makes no second one.
 */
#include "lib/hold/remind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/xtext.h"
#include "queue/state_file.h"

#define PLACE      "lib/hold"
#define NAME       "reminded"
#define FILE_MAX   ((size_t)64 * 1024 * 1024)
#define GIVE_UP    3 /* who could not be told, one behind the other */
#define LOOKS      8 /* in each remind-every */
#define LOOK_MOST  (1800 * CLOCK_SECOND)
#define LOOK_LEAST (60 * CLOCK_SECOND)

/* ---- who was told when -------------------------------------------------------------------- */

struct reminded_one {
	char *address;
	int64_t time;
};

struct reminded {
	struct reminded_one *one; /* by address */
	size_t n, room;
};

static void reminded_free(struct reminded *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n; i++)
		free(r->one[i].address);
	free(r->one);
	free(r);
}

/* Where the address stands, or would. */
static size_t reminded_place(const struct reminded *r, const char *address)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(r->one[middle].address, address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int64_t reminded_at(const struct reminded *r, const char *address)
{
	size_t i = reminded_place(r, address);

	return i < r->n && strcmp(r->one[i].address, address) == 0 ? r->one[i].time : 0;
}

/* False: no memory. */
static bool reminded_set(struct reminded *r, const char *address, int64_t time)
{
	size_t i = reminded_place(r, address);
	char *copy;

	if (i < r->n && strcmp(r->one[i].address, address) == 0) {
		r->one[i].time = time;
		return true;
	}
	if (r->n == r->room) {
		size_t more = r->room == 0 ? 64 : r->room * 2;
		struct reminded_one *grown = reallocarray(r->one, more, sizeof *grown);

		if (grown == NULL)
			return false;
		r->one = grown;
		r->room = more;
	}
	copy = strdup(address);
	if (copy == NULL)
		return false;
	memmove(&r->one[i + 1], &r->one[i], (r->n - i) * sizeof r->one[0]);
	r->one[i] = (struct reminded_one){.address = copy, .time = time};
	r->n++;
	return true;
}

/* Those who may be told again are as if they had never been. */
static void reminded_forget(struct reminded *r, int64_t before)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (r->one[i].time > before)
			r->one[kept++] = r->one[i];
		else
			free(r->one[i].address);
	}
	r->n = kept;
}

/* One line, "ADDRESS TIME", NUL-ended; what cannot be read is passed over. */
static void read_line(struct reminded *r, char *line)
{
	char *blank = strchr(line, ' ');
	int64_t time = blank != NULL ? clock_parse(blank + 1, strlen(blank + 1)) : -1;
	size_t len;

	if (time < 0)
		return;
	len = (size_t)(blank - line);
	if (!xtext_decode(line, len, line, &len) || memchr(line, '\0', len) != NULL)
		return;
	line[len] = '\0';
	if (!reminded_set(r, line, time))
		return; /* no memory: he is told once more */
}

static struct reminded *reminded_read(void)
{
	struct reminded *r = calloc(1, sizeof *r);
	int dir = open(PLACE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct buf text;

	buf_init(&text, FILE_MAX);
	if (r != NULL && dir >= 0 && state_file_read(dir, NAME, &text)) {
		char *at = text.bytes, *end = at + text.len, *newline;

		for (; at < end && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL;
		     at = newline + 1) {
			*newline = '\0';
			read_line(r, at);
		}
	}
	if (dir >= 0)
		(void)close(dir);
	buf_free(&text);
	return r;
}

static bool reminded_write(const struct reminded *r)
{
	int dir = open(PLACE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct buf text;
	bool done = false;

	buf_init(&text, FILE_MAX);
	for (size_t i = 0; i < r->n; i++) {
		char time[CLOCK_TEXT];

		clock_format(r->one[i].time, time);
		buf_add_xtext(&text, r->one[i].address, strlen(r->one[i].address));
		buf_addf(&text, " %s\n", time);
	}
	if (dir >= 0 && buf_ok(&text))
		done = state_file_replace(
		    dir, NAME, text.bytes != NULL ? text.bytes : "", text.len, 0640);
	if (!done)
		LOG_ALARM("remind-failed", kv("file", REMIND_FILE), kv_errno(errno));
	if (dir >= 0)
		(void)close(dir);
	buf_free(&text);
	return done;
}

/* ---- what waits for whom ------------------------------------------------------------------ */

static struct reminder *reminder_of(struct reminders *all, const char *address)
{
	size_t low = 0, high = all->n;
	struct reminder *one;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(all->one[middle]->address, address);

		if (order == 0)
			return all->one[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (all->n == REMIND_PEOPLE)
		return NULL; /* the others have their turn when these were told */
	if (all->n == all->room) {
		size_t more = all->room == 0 ? 64 : all->room * 2;
		struct reminder **grown = reallocarray(all->one, more, sizeof *grown);

		if (grown == NULL)
			return NULL;
		all->one = grown;
		all->room = more;
	}
	one = calloc(1, sizeof *one);
	if (one == NULL || (one->address = strdup(address)) == NULL) {
		free(one);
		return NULL;
	}
	memmove(&all->one[low + 1], &all->one[low], (all->n - low) * sizeof(struct reminder *));
	all->one[low] = one;
	all->n++;
	return one;
}

static void row_free(struct remind_row *row)
{
	free(row->subject);
	free(row->from);
	free(row->rcpt);
	free(row->url);
}

static char *copy_of(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

/* A place for a row: a new one, or that of the youngest if this one is older. */
static struct remind_row *place_for(struct reminders *all, struct reminder *one, int64_t time)
{
	struct remind_row *grown, *youngest = one->row;

	if (one->rows < NOTICE_ROWS_MAX && all->rows < REMIND_ROWS) {
		grown = reallocarray(one->row, one->rows + 1, sizeof *grown);
		if (grown == NULL)
			return NULL;
		one->row = grown;
		all->rows++;
		return &one->row[one->rows++];
	}
	for (size_t i = 1; i < one->rows; i++) {
		if (one->row[i].time > youngest->time)
			youngest = &one->row[i];
	}
	if (one->rows == 0 || youngest->time <= time)
		return NULL;
	row_free(youngest);
	return youngest;
}

void reminders_add(
    struct reminders *all, const char *address, bool due, const struct remind_row *row)
{
	struct reminder *one = reminder_of(all, address);
	struct remind_row *place;

	if (one == NULL)
		return;
	one->count++;
	one->due |= due;
	place = place_for(all, one, row->time);
	if (place != NULL)
		*place = (struct remind_row){.time = row->time,
		    .kind = row->kind,
		    .subject = copy_of(row->subject),
		    .from = copy_of(row->from),
		    .rcpt = copy_of(row->rcpt),
		    .url = copy_of(row->url)};
}

static void reminders_free(struct reminders *all)
{
	for (size_t i = 0; i < all->n; i++) {
		for (size_t k = 0; k < all->one[i]->rows; k++)
			row_free(&all->one[i]->row[k]);
		free(all->one[i]->row);
		free(all->one[i]->address);
		free(all->one[i]);
	}
	free(all->one);
}

/* ---- the look through the directories ----------------------------------------------------- */

struct looking {
	struct remind_job *job;
	struct reminders *all;
	enum spool_state state;
	const struct stage_opened *opened;
};

static enum remind_kind kind_of(const struct looking *l, bool asked)
{
	struct hold_plan_step step;

	if (l->state == STATE_APPROVE)
		return asked ? REMIND_APPROVE : REMIND_WAITS;
	step = hold_plan_step(l->opened->law.step, l->opened->leg.amended_until);
	return step.form == STEP_CONFIRMED || step.form == STEP_CHECKED || step.discard
		   ? REMIND_CONFIRM
		   : REMIND_HELD;
}

/* The first recipient that is open, and how many others there are. */
static void recipients(const struct leg *leg, char *text, size_t room)
{
	const char *first = "";
	size_t n = 0;

	for (size_t i = 0; i < leg->rcpts; i++) {
		if (leg->rcpt[i].fate == RCPT_OPEN && n++ == 0)
			first = leg->rcpt[i].address;
	}
	if (n > 1)
		(void)snprintf(text, room, "%s (+%zu)", first, n - 1);
	else
		(void)snprintf(text, room, "%s", first);
}

static bool see_waiting(void *context, const char *address, bool asked, int64_t since)
{
	const struct looking *l = context;
	struct reminders *all = l->all;
	const struct leg *leg = &l->opened->leg;
	char url[NOTICE_URL_MAX], rcpt[ORG_ADDRESS_MAX];
	struct about about;
	struct remind_row row = {.time = leg->accepted,
	    .kind = kind_of(l, asked),
	    .subject = about.subject,
	    .from = l->opened->leg.from,
	    .rcpt = rcpt,
	    .url = url};

	about_read(leg, &about);
	recipients(leg, rcpt, sizeof rcpt);
	notice_url(all->view, leg, address, GATE_READ | (asked ? GATE_APPROVER : GATE_SENDER),
	    all->now, url);
	/* Whoever has just heard of it by a notice is not reminded at once. */
	reminders_add(
	    all, address, since == 0 || all->now - since >= all->view->settings.remind_every, &row);
	return true;
}

static void look_at(struct looking *l, struct stage_opened *o)
{
	o->law = law_of(&o->leg, l->state, l->all->now / CLOCK_SECOND);
	if (o->law.verdict != LAW_ACT)
		return;
	l->opened = o;
	if (!notices_waiting(l->all->view, l->all->absences, o, l->all->now, see_waiting, l))
		l->all->failed = true;
}

/* Nothing is moved, whatever the leg says: that is the main loop's. */
static bool see_name(void *context, const char *text)
{
	struct looking *l = context;
	struct stage *stage = l->job->stage;
	struct stage_opened o;
	struct leg_name name;
	const char *why;

	if (!name_parse(text, &name))
		return true;
	if (spool_open_leg(&stage->spool, l->state, text, &o.fd) == SPOOL_OPENED) {
		if (leg_read(o.fd, (size_t)stage->limits.trailer_max, &o.leg, &why) == LEG_FINE) {
			look_at(l, &o);
			leg_free(&o.leg);
		}
		(void)close(o.fd);
	}
	return !atomic_load(&l->job->stop);
}

/* ---- the digests -------------------------------------------------------------------------- */

static const char *kind_text(enum remind_kind kind, bool english)
{
	static const char *const texts[][2] = {
	    [REMIND_CONFIRM] = {"あなたの確認待ち", "waits for your confirmation"},
	    [REMIND_HELD] = {"保留中", "on hold"},
	    [REMIND_APPROVE] = {"あなたの承認待ち", "waits for your approval"},
	    [REMIND_WAITS] = {"承認待ち", "waits for an approval"},
	    [REMIND_REVIEW] = {
		"緊急送信済み・事後確認待ち", "sent urgently, waits for your review"}};

	return texts[kind][english ? 1 : 0];
}

static int older(const void *left, const void *right)
{
	const struct remind_row *a = left, *b = right;

	return a->time < b->time ? -1 : a->time > b->time;
}

static void add_row(struct letter *letter, const struct remind_row *row)
{
	char time[CLOCK_TEXT];

	clock_format(row->time, time);
	letter_add(letter, "mail-time", time);
	letter_add(letter, "mail-subject", row->subject != NULL ? row->subject : "");
	letter_add(letter, "mail-from", row->from != NULL ? row->from : "");
	letter_add(letter, "mail-rcpt", row->rcpt != NULL ? row->rcpt : "");
	letter_add(letter, "mail-state", kind_text(row->kind, letter->gate.english));
	letter_add(letter, "mail-url", row->url != NULL ? row->url : "");
}

/* How many more there are than rows, under each name by which a template may ask. */
static void add_more(struct letter *letter, const struct reminder *one)
{
	static const char *const names[] = {"mail-time-more", "mail-subject-more", "mail-from-more",
	    "mail-rcpt-more", "mail-state-more", "mail-url-more"};
	char text[24];

	(void)snprintf(text, sizeof text, "%zu", one->count);
	letter_add(letter, "count", text);
	(void)snprintf(text, sizeof text, "%zu", one->count - one->rows);
	for (size_t i = 0; i < COUNT_OF(names) && one->count > one->rows; i++)
		letter_add(letter, names[i], text);
}

static bool tell(struct remind_job *job, const struct reminder *one)
{
	bool english = notices_english(job->job.view, one->address);
	struct notice_answer answer = {.result = NOTICE_LATER, .reason = "no-memory"};
	struct letter letter;

	if (one->rows > 1)
		qsort(one->row, one->rows, sizeof one->row[0], older);
	letter_begin(&letter, "digest", one->address, english);
	for (size_t i = 0; i < one->rows; i++)
		add_row(&letter, &one->row[i]);
	add_more(&letter, one);
	if (!letter.failed)
		letter_ask(&letter, -1, job->patience_ms, &answer);
	letter_free(&letter);
	if (answer.result == NOTICE_KEPT)
		LOG("reminded", kv("to", one->address), kv_num("mails", (int64_t)one->count),
		    kv("notice", answer.id));
	else
		LOG_ALARM("remind-failed", kv("to", one->address), kv("why", answer.reason));
	return answer.result == NOTICE_KEPT || answer.result == NOTICE_NONE;
}

static bool is_due(const struct remind_job *job, const struct reminder *one)
{
	int64_t last = reminded_at(job->reminded, one->address);

	return one->due && one->count > 0 && notices_to(job->job.view, one->address) &&
	       (last == 0 || last > job->now ||
		   job->now - last >= job->job.view->settings.remind_every);
}

/* Notes who is due, as if they had been told. Returns how many there are. */
static size_t note_due(struct remind_job *job, struct reminders *all)
{
	size_t n = 0;

	reminded_forget(job->reminded, job->now - job->job.view->settings.remind_every);
	for (size_t i = 0; i < all->n; i++) {
		struct reminder *one = all->one[i];

		one->due = is_due(job, one) && reminded_set(job->reminded, one->address, job->now);
		n += one->due;
	}
	return n;
}

/* All who are due: first it is written down that they were told, then they are. */
static void tell_all(struct remind_job *job, struct reminders *all)
{
	size_t failed = 0, in_a_row = 0;

	if (note_due(job, all) == 0 || !reminded_write(job->reminded))
		return;
	for (size_t i = 0; i < all->n; i++) {
		struct reminder *one = all->one[i];

		if (!one->due)
			continue;
		if (in_a_row < GIVE_UP && !atomic_load(&job->stop) && tell(job, one)) {
			in_a_row = 0;
			continue;
		}
		/* He has his turn at the next look. */
		failed++;
		in_a_row++;
		if (!reminded_set(job->reminded, one->address, 0))
			continue; /* it stands there already */
	}
	reminded_forget(job->reminded, 0);
	if (failed > 0 && !reminded_write(job->reminded))
		LOG("remind-late", kv_num("people", (int64_t)failed));
}

void remind_work(struct job *base)
{
	struct remind_job *job = (struct remind_job *)base;
	struct reminders all = {.view = job->job.view, .absences = job->absences, .now = job->now};
	static const enum spool_state states[] = {STATE_APPROVE, STATE_HOLD};

	if (job->reminded == NULL)
		job->reminded = reminded_read();
	for (size_t i = 0; i < COUNT_OF(states) && job->reminded != NULL; i++) {
		struct looking l = {.job = job, .all = &all, .state = states[i]};

		if (!spool_list(&job->stage->spool, states[i], see_name, &l))
			LOG_ALARM(
			    "sweep-failed", kv("state", state_name(states[i])), kv_errno(errno));
	}
	if (job->reminded != NULL && !atomic_load(&job->stop)) {
		reminders_add_reviews(&all);
		tell_all(job, &all);
	}
	reminders_free(&all);
}

void remind_forget(struct remind_job *job)
{
	reminded_free(job->reminded);
	job->reminded = NULL;
}

bool remind_due(struct remind_job *remind, const struct hold_view *view, int64_t now, bool frozen)
{
	int64_t every = view->settings.remind_every / LOOKS;

	if (remind->job.working || every <= 0 || frozen || view->org == NULL ||
	    clock_boot() < remind->next)
		return false;
	remind->next = clock_boot() + LOOK_LEAST;
	if (worktime_quiet(&view->settings, view->org, now, NULL))
		return false;
	every = every > LOOK_MOST ? LOOK_MOST : every < LOOK_LEAST ? LOOK_LEAST : every;
	remind->next = clock_boot() + every;
	remind->now = now;
	remind->patience_ms = (int)(view->settings.notice_time / 1000) + 5000;
	return true;
}
