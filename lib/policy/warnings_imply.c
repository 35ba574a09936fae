/* What follows from what: of conditions, and of rules. */
#include <string.h>

#include "lib/policy/warnings_inside.h"

static const struct range some = {1, UINT64_MAX};

/* ---- lists of people ---- */

/* Each of a's is one of b's. */
static bool whos_within(const struct rule_condition *a, const struct rule_condition *b)
{
	for (size_t i = 0; i < a->whos; i++) {
		bool found = false;

		for (size_t k = 0; k < b->whos && !found; k++)
			found = who_within(&a->who[i], &b->who[k]);
		if (!found)
			return false;
	}
	return true;
}

static bool whos_apart(const struct rule_condition *a, const struct rule_condition *b)
{
	for (size_t i = 0; i < a->whos; i++) {
		for (size_t k = 0; k < b->whos; k++) {
			if (!who_apart(&a->who[i], &b->who[k]))
				return false;
		}
	}
	return true;
}

/* "some address is …": it holds as well where only one is looked at, as of `from` and `to`. */
static bool people_imply(const struct rule_condition *a, const struct rule_condition *b)
{
	if (a->not &&b->not )
		return whos_within(b, a);
	if (!a->not &&!b->not )
		return whos_within(a, b);
	return !a->not &&whos_apart(a, b);
}

/* Only where one address is looked at. */
static bool people_exclude(const struct rule_condition *a, const struct rule_condition *b)
{
	if (a->not == b->not )
		return !a->not &&whos_apart(a, b);
	return a->not ? whos_within(b, a) : whos_within(a, b);
}

/* ---- counts ---- */

static bool same_class(const struct rule_condition *a, const struct rule_condition *b)
{
	return a->has_class == b->has_class && (!a->has_class || a->class == b->class);
}

/* Of a class there are no more than of all. */
static bool counts_imply(const struct rule_condition *a, const struct rule_condition *b)
{
	struct range x = range_of(&a->count), y = range_of(&b->count);

	if (same_class(a, b))
		return range_within(x, y);
	if (a->has_class && !b->has_class)
		return y.high == UINT64_MAX && x.low >= y.low;
	return !a->has_class && b->has_class && y.low == 0 && x.high <= y.high;
}

static bool counts_exclude(const struct rule_condition *a, const struct rule_condition *b)
{
	struct range x = range_of(&a->count), y = range_of(&b->count);

	if (same_class(a, b))
		return range_apart(x, y);
	if (a->has_class && !b->has_class)
		return x.low > y.high;
	return !a->has_class && b->has_class && y.low > x.high;
}

/* Whether the condition says that there are so many files. */
static bool files_range(const struct rule_condition *c, struct range *range)
{
	if (c->kind == COND_FILE)
		*range = some;
	else if (c->kind == COND_FILES_COUNT)
		*range = range_of(&c->count);
	else if (c->kind == COND_FILES_SIZE && range_of(&c->count).low > 0)
		*range = some;
	else
		return false;
	return true;
}

static bool is_any_file(const struct rule_condition *c)
{
	return c->kind == COND_FILE && c->files == 1 && c->file[0].property == FILE_ANY;
}

static bool files_imply(const struct rule_condition *a, const struct rule_condition *b)
{
	struct range x, y;

	if (a->kind == COND_FILE && b->kind == COND_FILE)
		return file_within(a, b);
	if (a->kind == COND_FILES_SIZE && b->kind == COND_FILES_SIZE)
		return range_within(range_of(&a->count), range_of(&b->count));
	if (b->kind != COND_FILES_COUNT && !is_any_file(b))
		return false;
	return files_range(a, &x) && files_range(b, &y) && range_within(x, y);
}

static bool files_exclude(const struct rule_condition *a, const struct rule_condition *b)
{
	struct range x, y;

	if (a->kind == COND_FILES_SIZE && b->kind == COND_FILES_SIZE)
		return range_apart(range_of(&a->count), range_of(&b->count));
	return files_range(a, &x) && files_range(b, &y) && range_apart(x, y);
}

static bool about_files(const struct rule_condition *c)
{
	return c->kind == COND_FILE || c->kind == COND_FILES_COUNT || c->kind == COND_FILES_SIZE;
}

/* ---- what the texts say ---- */

static struct range found_range(const struct rule_condition *c)
{
	return c->has_count ? range_of(&c->count) : some;
}

static bool text_same(const struct rule_text *a, const struct rule_text *b)
{
	return a->list == b->list && strcmp(a->text, b->text) == 0;
}

static bool texts_within(const struct rule_condition *a, const struct rule_condition *b)
{
	for (size_t i = 0; i < a->texts; i++) {
		bool found = false;

		for (size_t k = 0; k < b->texts && !found; k++)
			found = text_same(&a->text[i], &b->text[k]);
		if (!found)
			return false;
	}
	return true;
}

/* More places and more texts find no less. */
static bool more_is_no_less(struct range a, struct range b)
{
	return b.high == UINT64_MAX && a.low >= b.low;
}

static bool texts_imply(const struct rule_condition *a, const struct rule_condition *b)
{
	struct range x = found_range(a), y = found_range(b);
	bool same = a->places == b->places && a->texts == b->texts && texts_within(a, b);

	if (a->not != b->not )
		return false;
	if (a->not )
		return same && range_within(y, x);
	if (same)
		return range_within(x, y);
	return (a->places & ~b->places) == 0 && texts_within(a, b) && more_is_no_less(x, y);
}

static bool kind_implied(const struct rule_condition *a, const struct rule_kind_count *kind,
    const struct rule_condition *b)
{
	struct range x = range_of(&kind->count);

	for (size_t i = 0; i < b->piis; i++) {
		struct range y = range_of(&b->pii[i].count);

		if (b->pii[i].kind != kind->kind)
			continue;
		if (a->places == b->places ? range_within(x, y)
					   : (a->places & ~b->places) == 0 && more_is_no_less(x, y))
			return true;
	}
	return false;
}

static bool pii_implies(const struct rule_condition *a, const struct rule_condition *b)
{
	for (size_t i = 0; i < a->piis; i++) {
		if (!kind_implied(a, &a->pii[i], b))
			return false;
	}
	return true;
}

/* One kind each, in the same places. */
static bool pii_excludes(const struct rule_condition *a, const struct rule_condition *b)
{
	return a->piis == 1 && b->piis == 1 && a->pii[0].kind == b->pii[0].kind &&
	       a->places == b->places &&
	       range_apart(range_of(&a->pii[0].count), range_of(&b->pii[0].count));
}

/* ---- conditions ---- */

static bool same_field(const struct rule_condition *a, const struct rule_condition *b)
{
	return strcmp(a->field, b->field) == 0;
}

bool condition_implies(const struct rule_condition *a, const struct rule_condition *b)
{
	if (b->kind == COND_ALWAYS)
		return true;
	if (about_files(a) && about_files(b))
		return files_imply(a, b);
	if (a->kind != b->kind)
		return false;

	switch (a->kind) {
	case COND_FROM:
	case COND_TO:
		return people_imply(a, b);
	case COND_HEADER_WHO:
		return same_field(a, b) && people_imply(a, b);
	case COND_HEADER_TEXT:
		return same_field(a, b) &&
		       a->not == b->not &&(a->not ? texts_within(b, a) : texts_within(a, b));
	case COND_VISIBLE:
	case COND_RECIPIENTS:
	case COND_HIDDEN:
	case COND_COMPANIES:
	case COND_MESSAGE_SIZE:
		return counts_imply(a, b);
	case COND_WORDS:
	case COND_REGEX:
		return texts_imply(a, b);
	case COND_PII:
		return pii_implies(a, b);
	case COND_COMPANY_OTHER:
		return (a->places & ~b->places) == 0;
	case COND_COMPANY_NONE:
		return (b->places & ~a->places) == 0;
	case COND_MESSAGE_TRAIT:
		return a->trait == b->trait && a->not == b->not ;
	case COND_WHEN:
		return times_within(a, b);
	case COND_MISMATCHED:
	case COND_UNREGISTERED:
		return true;
	case COND_ALWAYS:
	case COND_FILE:
	case COND_FILES_COUNT:
	case COND_FILES_SIZE:
		break;
	}
	return false;
}

bool conditions_exclude(const struct rule_condition *a, const struct rule_condition *b)
{
	if (about_files(a) && about_files(b))
		return files_exclude(a, b);
	if (a->kind != b->kind)
		return false;

	switch (a->kind) {
	case COND_FROM:
	case COND_TO:
		return people_exclude(a, b);
	case COND_VISIBLE:
	case COND_RECIPIENTS:
	case COND_HIDDEN:
	case COND_COMPANIES:
	case COND_MESSAGE_SIZE:
		return counts_exclude(a, b);
	case COND_WORDS:
	case COND_REGEX:
		return a->not != b->not &&a->places == b->places && texts_within(a, b) &&
		       texts_within(b, a) && found_range(a).low == found_range(b).low &&
		       found_range(a).high == found_range(b).high;
	case COND_PII:
		return pii_excludes(a, b);
	case COND_MESSAGE_TRAIT:
		return a->trait == b->trait && a->not != b->not ;
	case COND_WHEN:
		return times_apart(a, b);
	case COND_ALWAYS:
	case COND_MISMATCHED:
	case COND_UNREGISTERED:
	case COND_HEADER_WHO: /* several addresses may stand there, or none */
	case COND_HEADER_TEXT:
	case COND_COMPANY_OTHER:
	case COND_COMPANY_NONE:
	case COND_FILE:
	case COND_FILES_COUNT:
	case COND_FILES_SIZE:
		break;
	}
	return false;
}

/* ---- rules ---- */

/* Whether `c`, a line of another rule, holds for whatever matches `a`. */
static bool line_implied(const struct rule *a, const struct rule_condition *c)
{
	if (c->kind == COND_ALWAYS)
		return true;
	for (size_t i = 0; i < a->conditions; i++) {
		const struct rule_condition *own = &a->condition[i];

		if (!own->unless && !c->unless && condition_implies(own, c))
			return true;
		/* What is excepted there is excepted here. */
		if (own->unless && c->unless && condition_implies(c, own))
			return true;
		if (!own->unless && c->unless && conditions_exclude(own, c))
			return true;
	}
	return false;
}

bool rule_implies(const struct rule *a, const struct rule *b)
{
	for (size_t i = 0; i < b->conditions; i++) {
		if (!line_implied(a, &b->condition[i]))
			return false;
	}
	return true;
}
