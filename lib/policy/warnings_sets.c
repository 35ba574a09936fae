/* What conditions are about, as sets that can be compared. */
#include <string.h>

#include "lib/policy/warnings_inside.h"

/* ---- numbers ---- */

struct range range_of(const struct rule_count *count)
{
	uint64_t n = count->number;

	switch (count->compare) {
	case CMP_GE:
		return (struct range){n, UINT64_MAX};
	case CMP_GT:
		return (struct range){n + 1, UINT64_MAX};
	case CMP_LE:
		return (struct range){0, n};
	case CMP_LT:
		return n == 0 ? (struct range){1, 0} : (struct range){0, n - 1};
	case CMP_EQ:
		break;
	}
	return (struct range){n, n};
}

bool range_within(struct range a, struct range b)
{
	return a.low >= b.low && a.high <= b.high;
}

bool range_apart(struct range a, struct range b)
{
	return a.high < b.low || b.high < a.low;
}

/* ---- people ---- */

static bool below(const char *domain, const char *above)
{
	size_t len = strlen(domain), above_len = strlen(above);

	return len > above_len + 1 && domain[len - above_len - 1] == '.' &&
	       strcmp(domain + len - above_len, above) == 0;
}

static unsigned levels_of(const struct rule_count *tls)
{
	struct range range = range_of(tls);
	unsigned levels = 0;

	for (unsigned i = 0; i < LEVEL_COUNT; i++)
		levels |= i >= range.low && i <= range.high ? 1u << i : 0;
	return levels;
}

/*
 * Nothing is said of addresses and the domains in them: an address means a person, who may have others
 * at other domains.
 */
bool who_within(const struct rule_who *a, const struct rule_who *b)
{
	if (b->kind == WHO_ANY)
		return true;
	if (b->kind == WHO_SUBDOMAINS && (a->kind == WHO_DOMAIN || a->kind == WHO_SUBDOMAINS))
		return below(a->text, b->text) ||
		       (a->kind == WHO_SUBDOMAINS && strcmp(a->text, b->text) == 0);
	if (a->kind != b->kind)
		return false;

	switch (a->kind) {
	case WHO_ADDRESS:
	case WHO_DOMAIN:
	case WHO_SUBDOMAINS:
	case WHO_GROUP:
	case WHO_LIST:
	case WHO_TABLE:
		return strcmp(a->text, b->text) == 0;
	case WHO_CLASS:
		return a->class == b->class;
	case WHO_FIRST_TIME: /* to whom the site never wrote, its people did not */
		return a->scope >= b->scope;
	case WHO_TLS:
		return (levels_of(&a->tls) & ~levels_of(&b->tls)) == 0;
	case WHO_NULL:
	case WHO_BOSS:
	case WHO_SENDER:
	case WHO_ANY:
	case WHO_PARTNER:
	case WHO_LOOKALIKE:
		break;
	}
	return true;
}

bool who_apart(const struct rule_who *a, const struct rule_who *b)
{
	bool a_domain = a->kind == WHO_DOMAIN || a->kind == WHO_SUBDOMAINS;
	bool b_domain = b->kind == WHO_DOMAIN || b->kind == WHO_SUBDOMAINS;

	if (a->kind == WHO_CLASS && b->kind == WHO_CLASS)
		return a->class != b->class;
	if (a->kind == WHO_TLS && b->kind == WHO_TLS)
		return (levels_of(&a->tls) & levels_of(&b->tls)) == 0;
	if (a->kind == WHO_NULL || b->kind == WHO_NULL)
		return a_domain || b_domain || a->kind == WHO_GROUP || b->kind == WHO_GROUP;
	return a_domain && b_domain && !who_within(a, b) && !who_within(b, a);
}

/* ---- files ---- */

static bool globs_within(const struct rule_file *a, const struct rule_file *b)
{
	const struct rule_file *few = a->not ? b : a, *many = a->not ? a : b;

	if (a->not != b->not )
		return false;
	for (size_t i = 0; i < few->globs; i++) {
		bool found = false;

		for (size_t k = 0; k < many->globs && !found; k++)
			found = strcmp(few->glob[i], many->glob[k]) == 0;
		if (!found)
			return false;
	}
	return true;
}

static bool property_within(const struct rule_file *a, const struct rule_file *b)
{
	if (b->property == FILE_ANY)
		return true;
	if (a->property != b->property)
		return false;
	if (a->property == FILE_SIZE)
		return range_within(range_of(&a->size), range_of(&b->size));
	if (a->property == FILE_NAME)
		return globs_within(a, b);
	return a->not == b->not ;
}

/* A file that has all of a's properties has all of b's. */
bool file_within(const struct rule_condition *a, const struct rule_condition *b)
{
	for (size_t i = 0; i < b->files; i++) {
		bool found = false;

		for (size_t k = 0; k < a->files && !found; k++)
			found = property_within(&a->file[k], &b->file[i]);
		if (!found)
			return false;
	}
	return true;
}

/* ---- times ---- */

#define WEEK (7 * 24 * 60)

struct week {
	unsigned char minute[WEEK];
};

static void mark(struct week *week, const struct rule_span *span)
{
	int begin = span->timed ? span->begin : 0, end = span->timed ? span->end : 24 * 60;
	int length = end > begin ? end - begin : end + 24 * 60 - begin;

	for (int day = 0; day < 7; day++) {
		int from = day * 24 * 60 + begin;
		int rest = from + length - WEEK; /* on Sunday, behind Saturday's midnight */

		if (span->days != 0 && (span->days & (1u << day)) == 0)
			continue;
		memset(week->minute + from, 1, (size_t)(rest > 0 ? length - rest : length));
		if (rest > 0)
			memset(week->minute, 1, (size_t)rest);
	}
}

/* False: what it says depends on holidays. */
static bool week_of(const struct rule_condition *condition, struct week *week)
{
	memset(week, 0, sizeof *week);
	for (size_t i = 0; i < condition->spans; i++) {
		if (condition->span[i].holiday || condition->span[i].workday)
			return false;
		mark(week, &condition->span[i]);
	}
	for (size_t i = 0; condition->not &&i < WEEK; i++)
		week->minute[i] = !week->minute[i];
	return true;
}

static bool span_same(const struct rule_span *a, const struct rule_span *b)
{
	return a->holiday == b->holiday && a->workday == b->workday && a->days == b->days &&
	       a->timed == b->timed && a->begin == b->begin && a->end == b->end;
}

static bool spans_within(const struct rule_condition *a, const struct rule_condition *b)
{
	for (size_t i = 0; i < a->spans; i++) {
		bool found = false;

		for (size_t k = 0; k < b->spans && !found; k++)
			found = span_same(&a->span[i], &b->span[k]);
		if (!found)
			return false;
	}
	return true;
}

bool times_within(const struct rule_condition *a, const struct rule_condition *b)
{
	struct week x, y;
	int outside = 0;

	if (!week_of(a, &x) || !week_of(b, &y))
		return a->not == b->not &&(a->not ? spans_within(b, a) : spans_within(a, b));
	for (size_t i = 0; i < WEEK; i++)
		outside |= x.minute[i] & ~y.minute[i];
	return (outside & 1) == 0;
}

bool times_apart(const struct rule_condition *a, const struct rule_condition *b)
{
	struct week x, y;
	int both = 0;

	if (!week_of(a, &x) || !week_of(b, &y))
		return a->not != b->not &&(a->not ? spans_within(b, a) : spans_within(a, b));
	for (size_t i = 0; i < WEEK; i++)
		both |= x.minute[i] & y.minute[i];
	return both == 0;
}
