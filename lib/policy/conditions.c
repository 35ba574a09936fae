/* The conditions of rules: about the envelope, the header, the message as a whole. */
#include <stdlib.h>
#include <string.h>

#include "lib/policy/inside.h"

#define ALL_CLASSES CLASS_COUNT /* the place of what is not told apart */

static const char *unknown_all(const struct judging *j)
{
	return j->facts == NULL ? "" : j->facts->unknown.all;
}

/* ---- counting addresses ------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	const struct subject *const *x = a, *const *y = b;

	return strcmp((*x)->address, (*y)->address);
}

static int by_company(const void *a, const void *b)
{
	const struct subject *const *x = a, *const *y = b;

	if ((*x)->partner != (*y)->partner)
		return (*x)->partner < (*y)->partner ? -1 : 1;
	return (*x)->partner != ORG_PARTNER_NONE ? 0 : strcmp((*x)->domain, (*y)->domain);
}

/* Distinct ones by class; `sorted` is put in order. */
static void count_classes(struct subject **sorted, size_t n, size_t counts[CLASS_COUNT + 1])
{
	if (n > 1)
		qsort(sorted, n, sizeof(struct subject *), by_text);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && strcmp(sorted[i]->address, sorted[i - 1]->address) == 0)
			continue;
		counts[sorted[i]->class]++;
		counts[ALL_CLASSES]++;
	}
}

static size_t count_companies(struct subject **sorted, size_t n)
{
	size_t distinct = 0;

	if (n > 1)
		qsort(sorted, n, sizeof(struct subject *), by_company);
	for (size_t i = 0; i < n; i++)
		distinct += i == 0 || by_company(&sorted[i], &sorted[i - 1]) != 0;
	return distinct;
}

static void count_visible(struct judging *j)
{
	size_t n = j->facts->addresses.n, seen = 0;
	struct subject *all = header_subjects(j);
	struct subject **sorted = judge_take(j, n + 1, sizeof(struct subject *));

	if (all == NULL || sorted == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		enum fact_field field = j->facts->addresses.at[i].field;

		if ((field == FIELD_TO || field == FIELD_CC) && all[i].address[0] != '\0')
			sorted[seen++] = &all[i];
	}
	count_classes(sorted, seen, j->visible);
}

static void count_recipients(struct judging *j)
{
	size_t n = j->c->leg->rcpts, outside = 0;
	struct subject **sorted = judge_take(j, n + 1, sizeof(struct subject *));

	if (sorted == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		sorted[i] = &j->rcpt[i];
	count_classes(sorted, n, j->recipients);
	for (size_t i = 0; i < n; i++) {
		if (j->rcpt[i].class != CLASS_EXTERNAL)
			continue;
		(void)subject_partner(j, &j->rcpt[i]);
		sorted[outside++] = &j->rcpt[i];
	}
	j->companies = count_companies(sorted, outside);
}

void judge_count(struct judging *j)
{
	if (j->counted)
		return;
	j->counted = true;
	count_recipients(j);
	if (j->facts != NULL)
		count_visible(j);
}

static size_t place_of_class(const struct rule_condition *condition)
{
	return condition->has_class ? (size_t)condition->class : ALL_CLASSES;
}

static struct answer visible(struct judging *j, const struct rule_condition *condition)
{
	judge_count(j);
	return answer_count(
	    j, &condition->count, j->visible[place_of_class(condition)], unknown_all(j));
}

static struct answer hidden(const struct judging *j, const struct rule_condition *condition)
{
	uint64_t n = j->facts == NULL ? 0 : j->facts->hidden;

	return answer_count(j, &condition->count, n, unknown_all(j));
}

/* ---- the header --------------------------------------------------------------------------- */

static int by_own(const void *a, const void *b)
{
	const struct subject *const *x = a, *const *y = b;

	return strcmp((*x)->own, (*y)->own);
}

/* An alias, or a +detail of our own, is the same person as the recipient. */
static void find_who_gets_it(struct judging *j, const struct subject *all)
{
	size_t n = j->facts->addresses.n, rcpts = j->c->leg->rcpts;
	const struct subject **sorted = judge_take(j, rcpts + 1, sizeof(struct subject *));
	bool *gets_it = judge_take(j, n + 1, sizeof *gets_it);

	if (sorted == NULL || gets_it == NULL)
		return;
	for (size_t i = 0; i < rcpts; i++)
		sorted[i] = &j->rcpt[i];
	if (rcpts > 1)
		qsort(sorted, rcpts, sizeof(struct subject *), by_own);
	for (size_t i = 0; i < n; i++) {
		const struct subject *wanted = &all[i];

		gets_it[i] = j->facts->addresses.at[i].envelope ||
			     (rcpts > 0 && bsearch(&wanted, sorted, rcpts, sizeof(struct subject *),
					       by_own) != NULL);
	}
	j->gets_it = gets_it;
}

/*
 * Anybody can be written into To and Cc: an exception is made only for who gets the mail. Who breaks a
 * rule may be anybody whom the field names.
 */
static bool is_believed(struct judging *j, const struct rule_condition *condition,
    const struct subject *all, size_t address)
{
	enum fact_field field = j->facts->addresses.at[address].field;

	if (!condition->unless || (field != FIELD_TO && field != FIELD_CC))
		return true;
	if (j->gets_it == NULL)
		find_who_gets_it(j, all);
	return j->gets_it != NULL && j->gets_it[address];
}

static struct answer header_who(struct judging *j, const struct rule_condition *condition)
{
	const char *unknown = unknown_all(j);
	struct answer is = unknown != NULL ? answer_unknown(j, unknown) : answer_of(false);
	enum fact_field field = field_of(condition->field);
	struct subject *all = j->facts != NULL ? header_subjects(j) : NULL;

	for (size_t i = 0; all != NULL && i < j->facts->addresses.n; i++) {
		/* A name alone is nobody's address. */
		if (j->facts->addresses.at[i].field != field || all[i].address[0] == '\0' ||
		    !is_believed(j, condition, all, i))
			continue;
		is = answer_or(is, who_is(j, &all[i], SIZE_MAX, condition));
		if (is.truth == TRUTH_YES)
			break;
	}
	return is;
}

static bool has_one(
    struct judging *j, const struct rule_condition *condition, const struct fact_text *text)
{
	for (size_t i = 0; i < condition->texts; i++) {
		if (text_has(j->arena, text->folded, condition->text[i].text))
			return true;
	}
	return false;
}

static struct answer header_text(struct judging *j, const struct rule_condition *condition)
{
	const char *unknown = j->facts == NULL ? "" : j->facts->unknown.fields;

	for (size_t i = 0; j->facts != NULL && i < j->facts->texts.n; i++) {
		const struct fact_text *text = &j->facts->texts.at[i];

		if (text->number == condition->field_number &&
		    has_one(j, condition, text) != condition->not )
			return answer_of(true);
	}
	return unknown != NULL ? answer_unknown(j, unknown) : answer_of(false);
}

/*
 * Whether the header names another author than the envelope. Where neither is in etc/people, as with
 * machines that send as bounces@, the domain tells.
 */
static bool is_another(const struct judging *j, const struct subject *author)
{
	if (author->person || j->sender.person)
		return !subject_same(author, &j->sender);
	return strcmp(author->domain, j->sender.domain) != 0;
}

static struct answer mismatched(struct judging *j)
{
	const char *unknown = unknown_all(j);
	struct subject *all;

	/* Nobody sends a notification, whoever is named in it. */
	if (j->sender.address[0] == '\0')
		return answer_of(false);
	all = j->facts != NULL ? header_subjects(j) : NULL;
	for (size_t i = 0; all != NULL && i < j->facts->addresses.n; i++) {
		if (j->facts->addresses.at[i].field == FIELD_FROM && all[i].address[0] != '\0' &&
		    is_another(j, &all[i]))
			return answer_of(true);
	}
	return unknown != NULL ? answer_unknown(j, unknown) : answer_of(false);
}

/* ---- the message -------------------------------------------------------------------------- */

/* One that is told in the line `message`, if it was told. */
static struct answer told(const struct judging *j, bool is)
{
	const char *unknown = unknown_all(j);

	if (is)
		return answer_of(true);
	if (unknown == NULL && !j->facts->message)
		unknown = "facts";
	return unknown != NULL ? answer_unknown(j, unknown) : answer_of(false);
}

static struct answer promises(const struct judging *j)
{
	const struct facts *f = j->facts;

	if (f->unknown.files != NULL)
		return answer_unknown(j, f->unknown.files);
	if (!f->promises && f->unknown.place[PLACE_BODY] != NULL)
		return answer_unknown(j, f->unknown.place[PLACE_BODY]);
	return told(j, f->promises);
}

/* Whether each recipient has had mail of this sender before. */
static struct answer known_to_all(const struct judging *j)
{
	const struct past *past = j->c->past;

	if (past == NULL)
		return (struct answer){TRUTH_UNKNOWN, NEED_PAST, NULL};
	if (past->rcpts != j->c->leg->rcpts)
		return (struct answer){TRUTH_UNKNOWN, NEED_NOBODY, "past"};
	for (size_t i = 0; i < past->rcpts; i++) {
		if (past->rcpt[i].by_sender == 0)
			return answer_of(false);
	}
	return answer_of(true);
}

/* An answer in a thread: nothing is new in it, no recipient and no file. */
static struct answer is_reply(const struct judging *j)
{
	const struct facts *f = j->facts;
	struct answer is = told(j, f->reply), bare = answer_of(f->files.n == 0);

	if (f->files.n == 0 && f->unknown.files != NULL)
		bare = answer_unknown(j, f->unknown.files);
	is = answer_and(is, bare);
	/* Nobody is asked about what is none. */
	return is.truth == TRUTH_NO ? is : answer_and(is, known_to_all(j));
}

/* Where clamd is asked, only its word says that there is none. */
static struct answer has_virus(const struct judging *j)
{
	const struct facts *f = j->facts;
	bool asked = strcmp(j->c->settings->clamd, "-") != 0;

	if (!f->against.virus && (f->virus_unknown || (asked && !f->virus_clean)))
		return answer_unknown(j, "virus");
	return answer_of(f->against.virus);
}

static struct answer trait(const struct judging *j, enum policy_trait trait)
{
	const struct facts *f = j->facts;

	/* An empty reverse-path is a machine's, whatever is in the mail. */
	if (trait == TRAIT_AUTOMATIC && j->sender.address[0] == '\0')
		return answer_of(true);
	if (f == NULL)
		return answer_unknown(j, "");
	switch (trait) {
	case TRAIT_UNINSPECTABLE:
		return answer_of(f->against.uninspectable || f->unknown.all != NULL);
	case TRAIT_AMBIGUOUS:
		return !f->against.ambiguous && f->unknown.all != NULL
			   ? answer_unknown(j, f->unknown.all)
			   : answer_of(f->against.ambiguous);
	case TRAIT_VIRUS:
		return has_virus(j);
	case TRAIT_SIGNED:
		return told(j, f->is_signed);
	case TRAIT_ENCRYPTED:
		return told(j, f->is_encrypted);
	case TRAIT_AUTOMATIC:
		return told(j, f->automatic);
	case TRAIT_REPLY:
		return is_reply(j);
	case TRAIT_PROMISES_FILE:
	case TRAIT_COUNT:
		break;
	}
	return promises(j);
}

static struct answer message_trait(const struct judging *j, const struct rule_condition *condition)
{
	struct answer is = trait(j, condition->trait);

	return condition->not ? answer_not(is) : is;
}

/* ---- any of them -------------------------------------------------------------------------- */

bool condition_of_recipient(const struct rule_condition *condition)
{
	return condition->kind == COND_TO || condition->kind == COND_COMPANY_OTHER;
}

static uint64_t size_as_it_came(const struct policy_case *c)
{
	return c->leg->size > c->added ? c->leg->size - c->added : 0;
}

struct answer condition_holds(
    struct judging *j, const struct rule_condition *condition, size_t rcpt)
{
	switch (condition->kind) {
	case COND_ALWAYS:
		return answer_of(true);
	case COND_FROM:
		return who_is(j, &j->sender, SIZE_MAX, condition);
	case COND_MISMATCHED:
		return mismatched(j);
	case COND_UNREGISTERED:
		return answer_of(j->c->unregistered);
	case COND_TO:
		return who_is(j, &j->rcpt[rcpt], rcpt, condition);
	case COND_HEADER_WHO:
		return header_who(j, condition);
	case COND_HEADER_TEXT:
		return header_text(j, condition);
	case COND_VISIBLE:
		return visible(j, condition);
	case COND_RECIPIENTS:
		judge_count(j);
		return answer_of(
		    count_compares(&condition->count, j->recipients[place_of_class(condition)]));
	case COND_HIDDEN:
		return hidden(j, condition);
	case COND_COMPANIES:
		judge_count(j);
		return answer_of(count_compares(&condition->count, j->companies));
	case COND_FILE:
		return file_holds(j, condition);
	case COND_COMPANY_OTHER:
		return company_other(j, condition, rcpt);
	case COND_FILES_COUNT:
	case COND_FILES_SIZE:
	case COND_WORDS:
	case COND_REGEX:
	case COND_PII:
	case COND_COMPANY_NONE:
		return content_holds(j, condition);
	case COND_MESSAGE_SIZE:
		return answer_of(count_compares(&condition->count, size_as_it_came(j->c)));
	case COND_MESSAGE_TRAIT:
		return message_trait(j, condition);
	case COND_WHEN:
		break;
	}
	return answer_of(when_holds(j, condition));
}
