/* The conditions about what is in a message: files, words, personal data, companies. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "lib/policy/inside.h"

/* ---- files -------------------------------------------------------------------------------- */

/*
 * Programs differ in which of several names they show: each of them is the file's, for "name" as for
 * "name not".
 */
static bool is_named(const struct fact_file *file, const struct rule_file *word)
{
	for (const struct fact_name *name = file->names; name != NULL; name = name->next) {
		bool one = false;

		for (size_t i = 0; i < word->globs && !one; i++)
			one = glob_matches(word->glob[i], name->folded);
		if (one != word->not )
			return true;
	}
	return false;
}

static struct answer is_encrypted(
    const struct judging *j, const struct fact_file *file, bool turned_round)
{
	switch (file->encrypted) {
	case ENCRYPTED_NO:
		return answer_of(turned_round);
	case ENCRYPTED_ALL:
		return answer_of(!turned_round);
	case ENCRYPTED_SOME:
		return answer_of(true);
	case ENCRYPTED_UNKNOWN:
		break;
	}
	return answer_unknown(j, "encrypted");
}

static struct answer property(
    struct judging *j, const struct fact_file *file, const struct rule_file *word)
{
	switch (word->property) {
	case FILE_ANY:
		return answer_of(true);
	case FILE_NAME:
		return answer_of(is_named(file, word));
	case FILE_SIZE:
		return answer_of(count_compares(&word->size, file->size));
	case FILE_NAMELESS:
		return answer_of(file->nameless != word->not );
	case FILE_INSPECTABLE:
		return answer_of(file->closed == word->not );
	case FILE_ENCRYPTED:
		return is_encrypted(j, file, word->not );
	case FILE_AS_NAMED:
		break;
	}
	return answer_of(file->as_named != word->not );
}

struct answer file_answer(
    struct judging *j, const struct rule_condition *condition, const struct fact_file *file)
{
	struct answer is = answer_of(true);

	for (size_t i = 0; i < condition->files && is.truth != TRUTH_NO; i++)
		is = answer_and(is, property(j, file, &condition->file[i]));
	return is;
}

struct answer file_holds(struct judging *j, const struct rule_condition *condition)
{
	const char *unknown = j->facts == NULL ? "" : j->facts->unknown.files;
	struct answer is = unknown != NULL ? answer_unknown(j, unknown) : answer_of(false);

	for (size_t i = 0; j->facts != NULL && i < j->facts->files.n; i++) {
		is = answer_or(is, file_answer(j, condition, &j->facts->files.at[i]));
		if (is.truth == TRUTH_YES)
			break;
	}
	return is;
}

static struct answer files_hold(const struct judging *j, const struct rule_condition *condition)
{
	uint64_t size = 0;

	if (j->facts == NULL)
		return answer_unknown(j, "");
	if (condition->kind == COND_FILES_COUNT)
		return answer_count(
		    j, &condition->count, j->facts->files.n, j->facts->unknown.files);
	for (size_t i = 0; i < j->facts->files.n; i++) {
		if (__builtin_add_overflow(size, j->facts->files.at[i].size, &size))
			size = UINT64_MAX;
	}
	return answer_count(j, &condition->count, size, j->facts->unknown.files);
}

/* ---- what texts say ----------------------------------------------------------------------- */

/* Why what stands in one of the places may not have been seen; NULL: it was. */
static const char *unseen(const struct facts *facts, unsigned places)
{
	for (unsigned p = 0; p < PLACE_COUNT; p++) {
		if ((places & (1u << p)) != 0 && facts->unknown.place[p] != NULL)
			return facts->unknown.place[p];
	}
	return NULL;
}

static int by_number(const void *a, const void *b)
{
	const struct fact_count *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

const struct fact_count *count_of(
    const struct facts *facts, const struct rule_condition *condition, const struct rule_text *text)
{
	const struct fact_count wanted = {.number = text->number};
	const bool regex = condition->kind == COND_REGEX;
	const struct fact_count *at = regex ? facts->regexes.at : facts->words.at;
	size_t n = regex ? facts->regexes.n : facts->words.n;

	if (!text->list)
		return n > 0 ? bsearch(&wanted, at, n, sizeof wanted, by_number) : NULL;
	for (size_t i = 0; i < facts->lists.n; i++) {
		if (strcmp(facts->lists.at[i].list, text->text) == 0)
			return &facts->lists.at[i];
	}
	return NULL;
}

static uint64_t text_count(const struct facts *facts, const struct rule_condition *condition)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < condition->texts; i++) {
		const struct fact_count *found = count_of(facts, condition, &condition->text[i]);

		for (unsigned p = 0; found != NULL && p < PLACE_COUNT; p++) {
			if ((condition->places & (1u << p)) != 0 &&
			    __builtin_add_overflow(sum, found->count[p], &sum))
				sum = UINT64_MAX;
		}
	}
	return sum;
}

/* Whether an expression reached its limit in one of the places. */
static bool is_limited(const struct facts *facts, const struct rule_condition *condition)
{
	for (size_t i = 0; condition->kind == COND_REGEX && i < condition->texts; i++) {
		const struct fact_count *found = count_of(facts, condition, &condition->text[i]);

		if (found != NULL && (found->limited & condition->places) != 0)
			return true;
	}
	return false;
}

static struct answer texts_hold(const struct judging *j, const struct rule_condition *condition)
{
	static const struct rule_count once = {CMP_GE, 1};
	struct answer is;
	const char *reason;
	bool limited;

	if (j->facts == NULL)
		return answer_unknown(j, "");
	limited = is_limited(j->facts, condition);
	/* That it matches is the safe side only where nothing but that is asked. */
	if (limited && !condition->unless && !condition->has_count && !condition->not )
		return answer_of(true);
	reason = limited ? "regex" : unseen(j->facts, condition->places);
	is = answer_count(j, condition->has_count ? &condition->count : &once,
	    text_count(j->facts, condition), reason);
	return condition->not ? answer_not(is) : is;
}

/* ---- personal data ------------------------------------------------------------------------ */

uint64_t pii_count(const struct facts *facts, enum detect_kind kind, unsigned places)
{
	uint64_t sum = 0;

	/* Facts tell how many there are in exactly these places: each value is counted once. */
	for (unsigned mask = 1; mask < PLACE_MASKS; mask++) {
		if ((mask & places) != 0 &&
		    __builtin_add_overflow(sum, facts->pii[kind][mask], &sum))
			sum = UINT64_MAX;
	}
	return sum;
}

static struct answer pii_holds(const struct judging *j, const struct rule_condition *condition)
{
	struct answer is = answer_of(false);

	if (j->facts == NULL)
		return answer_unknown(j, "");
	for (size_t i = 0; i < condition->piis && is.truth != TRUTH_YES; i++) {
		const struct rule_kind_count *pii = &condition->pii[i];
		const char *reason = unseen(j->facts, condition->places);

		if (reason == NULL && pii->kind == DETECT_NAME)
			reason = j->facts->unknown.persons;
		if (reason == NULL && j->facts->pii_more[pii->kind])
			reason = "more";
		is = answer_or(is, answer_count(j, &pii->count,
				       pii_count(j->facts, pii->kind, condition->places), reason));
	}
	return is;
}

/* ---- companies ---------------------------------------------------------------------------- */

/* To name ourselves is to name no other company, though we stand in etc/partners. */
#define PARTNER_OURSELVES (ORG_PARTNER_NONE - 1)

static uint32_t partner_named(const struct judging *j, const struct fact_company *company)
{
	char address[ORG_ADDRESS_MAX];
	int n = snprintf(address, sizeof address, "x@%s", company->domain);

	if (n > 0 && (size_t)n < sizeof address && org_class(j->org, address) == CLASS_INTERNAL)
		return PARTNER_OURSELVES;
	return org_partner(j->org, company->domain);
}

/* Asked once: rules ask for each recipient again. */
static uint32_t partner_of(struct judging *j, const struct fact_company *company)
{
	size_t n = j->facts->companies.n;

	if (j->partner == NULL) {
		j->partner = judge_take(j, n, sizeof *j->partner);
		for (size_t i = 0; j->partner != NULL && i < n; i++)
			j->partner[i] = partner_named(j, &j->facts->companies.at[i]);
	}
	return j->partner != NULL ? j->partner[company - j->facts->companies.at] : ORG_PARTNER_NONE;
}

/* A partner is whoever has its domain; where it is not known as one, the domains themselves tell. */
bool company_is_other(struct judging *j, const struct fact_company *company, size_t rcpt)
{
	struct subject *s = &j->rcpt[rcpt];
	uint32_t named = partner_of(j, company);

	if (named == PARTNER_OURSELVES)
		return false;
	if (named != ORG_PARTNER_NONE || subject_partner(j, s) != ORG_PARTNER_NONE)
		return named != subject_partner(j, s);
	return strcasecmp(company->domain, s->domain) != 0;
}

struct answer company_other(struct judging *j, const struct rule_condition *condition, size_t rcpt)
{
	const char *unknown;

	if (j->facts == NULL)
		return answer_unknown(j, "");
	for (size_t i = 0; i < j->facts->companies.n; i++) {
		const struct fact_company *company = &j->facts->companies.at[i];

		if ((company->places & condition->places) != 0 &&
		    company_is_other(j, company, rcpt))
			return answer_of(true);
	}
	unknown = unseen(j->facts, condition->places);
	return unknown != NULL ? answer_unknown(j, unknown) : answer_of(false);
}

static struct answer company_none(struct judging *j, const struct rule_condition *condition)
{
	const char *unknown;

	if (j->facts == NULL)
		return answer_unknown(j, "");
	for (size_t i = 0; i < j->facts->companies.n; i++) {
		const struct fact_company *company = &j->facts->companies.at[i];

		if ((company->places & condition->places) != 0 &&
		    partner_of(j, company) != PARTNER_OURSELVES)
			return answer_of(false);
	}
	unknown = unseen(j->facts, condition->places);
	return unknown != NULL ? answer_unknown(j, unknown) : answer_of(true);
}

struct answer content_holds(struct judging *j, const struct rule_condition *condition)
{
	if (condition->kind == COND_FILES_COUNT || condition->kind == COND_FILES_SIZE)
		return files_hold(j, condition);
	if (condition->kind == COND_WORDS || condition->kind == COND_REGEX)
		return texts_hold(j, condition);
	if (condition->kind == COND_PII)
		return pii_holds(j, condition);
	return company_none(j, condition);
}
