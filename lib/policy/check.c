/*
 * What the sender of mail that waits is to look at, and what tells one leg from another in a list: the
 * records `check` and `about` (sekisho-leg(5)). Nothing here decides anything.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/checks/checks.h"
#include "lib/inspect/protocol.h"
#include "lib/mime/utf8.h"
#include "lib/policy/inside.h"
#include "queue/digest.h"

#define SUBJECT_MAX ((size_t)200) /* bytes */
#define VALUE_MAX   ((size_t)16384)
#define GROUP_LEN   16

/* ---- what is still to be found out -------------------------------------------------------- */

static bool anybody_waits(struct judging *j)
{
	for (size_t i = 0; i < j->c->leg->rcpts; i++) {
		if (outcome_waits(j, &j->outcome[i]))
			return true;
	}
	return false;
}

/* By a name somebody may look like another. */
static bool names_matter(const struct judging *j)
{
	const struct facts *f = j->facts;

	for (size_t i = 0; f != NULL && i < f->addresses.n; i++) {
		if (f->addresses.at[i].field != FIELD_FROM && f->addresses.at[i].name[0] != '\0')
			return true;
	}
	return false;
}

static const char *message_id(const struct judging *j)
{
	const char *id = j->facts != NULL ? j->facts->message_id : NULL;

	return id != NULL ? id : "";
}

enum policy_verdict verdict_of_checks(struct judging *j)
{
	const struct policy_case *c = j->c;

	if (c->checks == 0 || !anybody_waits(j))
		return POLICY_JUDGED;
	if (c->facts == NULL && (c->checks & POLICY_CHECK_FACTS) != 0)
		return POLICY_NEEDS_FACTS;
	if ((c->checks & POLICY_CHECK_PAST) != 0 &&
	    (c->past == NULL || (c->past_nameless && names_matter(j))))
		return POLICY_NEEDS_PAST;
	if (c->body == NULL && (c->checks & POLICY_CHECK_BODY) != 0 && message_id(j)[0] != '\0')
		return POLICY_NEEDS_BODY;
	return POLICY_JUDGED;
}

/* ---- about -------------------------------------------------------------------------------- */

/* Whole letters; what is none, and what nobody sees, is a blank. */
static void add_subject(struct buf *line, const char *subject)
{
	char text[SUBJECT_MAX];
	size_t used = 0;

	while (*subject != '\0') {
		uint32_t point = 0;
		size_t len = utf8_step(subject, strnlen(subject, 4), &point);
		bool shown = len > 0 && point >= ' ' && point != 0x7f && !utf8_unseen(point);

		if (used + (shown ? len : 1) > sizeof text)
			break;
		if (shown)
			memcpy(text + used, subject, len);
		else
			text[used] = ' ';
		used += shown ? len : 1;
		subject += len > 0 ? len : 1;
	}
	buf_add_text(line, " subject=");
	buf_add_xtext(line, text, used);
}

/*
 * Copies of one message that came one by one, as some cloud services send them: whoever sees several
 * mails of one group can treat them as one. What the way adds to a header is no part of it. An address
 * without a normal form is its sender's as it stands.
 */
static void add_group(struct judging *j, struct buf *line)
{
	struct digest *digest = digest_new();
	const char *from = j->sender.address[0] != '\0' ? j->sender.address : j->c->leg->from;
	const char *parts[] = {from, "\n", message_id(j), "\n", j->c->body};
	char hex[DIGEST_HEX];

	j->failed = j->failed || digest == NULL;
	if (digest == NULL)
		return;
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		digest_add(digest, parts[i], strlen(parts[i]));
	digest_end(digest, hex);
	digest_free(digest);
	buf_addf(line, " group=%.*s", GROUP_LEN, hex);
}

static void add_about(struct judging *j, struct buf *line, bool waits)
{
	const struct policy_case *c = j->c;

	buf_add_text(line, "about");
	if (j->facts != NULL && j->facts->subject != NULL)
		add_subject(line, j->facts->subject);
	buf_addf(line, " size=%llu",
	    (unsigned long long)(c->leg->size > c->added ? c->leg->size - c->added : 0));
	if (j->facts != NULL && (j->policy->want & 1u << WANT_FILES) != 0)
		buf_addf(line, " files=%zu", j->facts->files.n);
	if (waits && c->body != NULL && message_id(j)[0] != '\0')
		add_group(j, line);
	buf_add_text(line, "\n");
}

/* ---- check -------------------------------------------------------------------------------- */

/* One leg's. */
struct checking {
	struct judging *j;
	struct policy_group *group;
	struct member *member; /* room for all recipients */
	size_t told;
};

/* A fact with a value, and about some of the recipients; 0: of all. */
static void tell(struct checking *k, enum check_fact fact, size_t members, const struct buf *value)
{
	struct buf *line = &k->group->records;

	if (k->told++ >= CHECKS_MOST)
		return;
	buf_addf(line, "check fact=%s", check_fact_word(fact));
	if (members > 0 && members < k->group->rcpts)
		add_members(line, k->member, members);
	if (value != NULL && value->len > 0) {
		buf_add_text(line, " value=");
		buf_add(line, value->bytes, value->len);
	}
	buf_add_text(line, "\n");
	k->j->failed = k->j->failed || (value != NULL && !buf_ok(value));
}

static void tell_text(struct checking *k, enum check_fact fact, const char *text)
{
	struct buf value;
	size_t n = 0;

	buf_init(&value, VALUE_MAX);
	if (text[0] != '\0')
		check_value_add(&value, &n, text);
	tell(k, fact, 0, &value);
	buf_free(&value);
}

static const struct past_rcpt *past_of(const struct judging *j, size_t rcpt)
{
	const struct past *past = j->c->past;

	return past != NULL && past->rcpts == j->c->leg->rcpts ? &past->rcpt[rcpt] : NULL;
}

static void check_first_time(struct checking *k)
{
	size_t n = 0;

	for (size_t i = 0; i < k->group->rcpts; i++) {
		size_t rcpt = k->group->rcpt[i];
		const struct past_rcpt *past = past_of(k->j, rcpt);

		if (past != NULL && past->by_sender == 0 &&
		    k->j->rcpt[rcpt].class == CLASS_EXTERNAL)
			k->member[n++] = (struct member){.number = i + 1};
	}
	if (n > 0)
		tell(k, CHECK_FIRST_TIME, n, NULL);
}

/* An address that was not written to for long looks like no other. */
static void check_lookalike(struct checking *k)
{
	struct buf value;
	size_t n = 0;

	buf_init(&value, VALUE_MAX);
	for (size_t i = 0; i < k->group->rcpts; i++) {
		const struct past_rcpt *past = past_of(k->j, k->group->rcpt[i]);

		if (past == NULL || past->look == LOOK_NONE || past->look == LOOK_DORMANT)
			continue;
		k->member[n] = (struct member){.number = i + 1};
		check_value_add(&value, &n, past->like[0] != '\0' ? past->like : "-");
	}
	check_value_end(&value, n);
	if (n > 0)
		tell(k, CHECK_LOOKALIKE, n, &value);
	buf_free(&value);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void check_companies(struct checking *k)
{
	struct judging *j = k->j;
	size_t n = j->c->leg->rcpts, outside = 0, named = 0;
	const char **domain;
	struct buf value;

	judge_count(j);
	if (j->failed || j->companies < 2)
		return;
	domain = judge_take(j, n, sizeof *domain);
	if (domain == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		if (j->rcpt[i].class == CLASS_EXTERNAL)
			domain[outside++] = j->rcpt[i].domain;
	}
	qsort(domain, outside, sizeof *domain, by_text);
	buf_init(&value, VALUE_MAX);
	for (size_t i = 0; i < outside; i++) {
		if (i == 0 || strcmp(domain[i], domain[i - 1]) != 0)
			check_value_add(&value, &named, domain[i]);
	}
	check_value_end(&value, named);
	tell(k, CHECK_COMPANIES, 0, &value);
	buf_free(&value);
}

/* seki-inspect compares whom it greets with all who get it, or stand in its fields. */
static void check_greeting(struct checking *k)
{
	const struct facts *f = k->j->facts;
	struct buf value;
	size_t n = 0;

	if (!f->greeting_other)
		return;
	buf_init(&value, VALUE_MAX);
	if (f->greeting_company[0] != '\0')
		check_value_add(&value, &n, f->greeting_company);
	if (f->greeting_person[0] != '\0')
		check_value_add(&value, &n, f->greeting_person);
	tell(k, CHECK_GREETING, 0, &value);
	buf_free(&value);
}

static int by_number(const void *a, const void *b)
{
	const struct fact_file *const *x = a, *const *y = b;

	return (*x)->number < (*y)->number ? -1 : (*x)->number > (*y)->number;
}

/* In the order in which they stand in the mail; what is in an attached message is not counted again. */
static void check_files(struct checking *k)
{
	const struct facts *f = k->j->facts;
	const struct fact_file **file;
	struct buf value;
	size_t files = 0, n = 0;

	if (f->files.n == 0)
		return;
	file = judge_take(k->j, f->files.n, sizeof *file);
	if (file == NULL)
		return;
	for (size_t i = 0; i < f->files.n; i++) {
		if (!f->files.at[i].nested)
			file[files++] = &f->files.at[i];
	}
	if (files == 0)
		return;
	qsort(file, files, sizeof *file, by_number);
	buf_init(&value, VALUE_MAX);
	for (size_t i = 0; i < files; i++)
		check_value_add(&value, &n, file[i]->name[0] != '\0' ? file[i]->name : "-");
	check_value_end(&value, n);
	tell(k, CHECK_FILES, 0, &value);
	buf_free(&value);
}

static void check_visible(struct checking *k)
{
	char text[24];

	judge_count(k->j);
	if (k->j->visible[CLASS_COUNT] < (size_t)k->j->c->settings->visible_many)
		return;
	(void)snprintf(text, sizeof text, "%zu", k->j->visible[CLASS_COUNT]);
	tell_text(k, CHECK_VISIBLE, text);
}

/* A phone number, a name and an address stand below most letters; numbers of cards do not. */
static void check_personal(struct checking *k)
{
	static const struct {
		enum detect_kind kind;
		uint64_t least;
	} kinds[] = {
	    {DETECT_CARD, 1},
	    {DETECT_MYNUMBER, 1},
	    {DETECT_PHONE, CHECK_LEAST_SEEN},
	    {DETECT_ADDRESS, CHECK_LEAST_SEEN},
	    {DETECT_MAIL, CHECK_LEAST_SEEN},
	    {DETECT_NAME, CHECK_LEAST_SEEN},
	};
	struct buf value;
	size_t n = 0;

	buf_init(&value, VALUE_MAX);
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		uint64_t count = pii_count(k->j->facts, kinds[i].kind, ALL_PLACES);
		char text[64];

		if (count < kinds[i].least)
			continue;
		(void)snprintf(text, sizeof text, "%s:%llu", detect_kind_word(kinds[i].kind),
		    (unsigned long long)count);
		check_value_add(&value, &n, text);
	}
	if (n > 0)
		tell(k, CHECK_PERSONAL, 0, &value);
	buf_free(&value);
}

/* Why the list above may be short; NULL: it is not. */
static const char *unseen(const struct judging *j)
{
	const struct facts *f = j->facts;

	if (f == NULL)
		return "facts";
	if (f->unknown.all != NULL)
		return f->unknown.all;
	if (f->unknown.files != NULL)
		return f->unknown.files;
	for (unsigned p = 0; p < PLACE_COUNT; p++) {
		if (f->unknown.place[p] != NULL)
			return f->unknown.place[p];
	}
	return past_of(j, 0) == NULL ? "past" : NULL;
}

static void make_leg_checks(struct checking *k)
{
	const struct facts *f = k->j->facts;
	const char *reason = unseen(k->j);

	check_first_time(k);
	check_lookalike(k);
	check_companies(k);
	if (f != NULL) {
		check_greeting(k);
		if (f->promises)
			tell(k, CHECK_MISSING_FILE, 0, NULL);
		check_files(k);
		check_visible(k);
		check_personal(k);
	}
	if (reason != NULL)
		tell_text(k, CHECK_UNKNOWN, reason);
}

void make_checks(struct judging *j)
{
	struct policy_judgement *out = j->out;
	struct member *member = judge_take(j, j->c->leg->rcpts, sizeof *member);

	for (size_t g = 0; g < out->groups && !j->failed; g++) {
		struct checking k = {.j = j, .group = &out->group[g], .member = member};
		bool waits = !j->watch && !out->refusal.refused &&
			     outcome_waits(j, &j->outcome[k.group->rcpt[0]]);

		add_about(j, &k.group->records, waits);
		if (waits)
			make_leg_checks(&k);
		j->failed = j->failed || !buf_ok(&k.group->records);
	}
}
