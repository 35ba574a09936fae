/* Kleene's logic: an unknown answer carries what could make it known. */
#include "lib/policy/inside.h"

struct answer answer_of(bool is)
{
	return (struct answer){is ? TRUTH_YES : TRUTH_NO, 0, NULL};
}

struct answer answer_unknown(const struct judging *j, const char *reason)
{
	if (j->facts == NULL)
		return (struct answer){TRUTH_UNKNOWN, NEED_FACTS, NULL};
	return (struct answer){TRUTH_UNKNOWN, NEED_NOBODY, reason};
}

struct answer answer_not(struct answer a)
{
	if (a.truth != TRUTH_UNKNOWN)
		a.truth = a.truth == TRUTH_YES ? TRUTH_NO : TRUTH_YES;
	return a;
}

static struct answer both(struct answer a, struct answer b)
{
	a.needs |= b.needs;
	a.reason = a.reason != NULL ? a.reason : b.reason;
	return a;
}

struct answer answer_and(struct answer a, struct answer b)
{
	if (a.truth == TRUTH_NO || b.truth == TRUTH_YES)
		return a;
	if (b.truth == TRUTH_NO || a.truth == TRUTH_YES)
		return b;
	return both(a, b);
}

struct answer answer_or(struct answer a, struct answer b)
{
	if (a.truth == TRUTH_YES || b.truth == TRUTH_NO)
		return a;
	if (b.truth == TRUTH_YES || a.truth == TRUTH_NO)
		return b;
	return both(a, b);
}

bool count_compares(const struct rule_count *count, uint64_t n)
{
	switch (count->compare) {
	case CMP_GE:
		return n >= count->number;
	case CMP_GT:
		return n > count->number;
	case CMP_LE:
		return n <= count->number;
	case CMP_LT:
		return n < count->number;
	case CMP_EQ:
		break;
	}
	return n == count->number;
}

struct answer answer_count(
    const struct judging *j, const struct rule_count *count, uint64_t n, const char *reason)
{
	bool is = count_compares(count, n), may_change = true;

	if (reason == NULL)
		return answer_of(is);
	/* More of them only make it more. */
	if (count->compare == CMP_GE || count->compare == CMP_GT)
		may_change = !is;
	else
		may_change = n <= count->number;
	if (count->compare == CMP_LT && n >= count->number)
		may_change = false;
	return may_change ? answer_unknown(j, reason) : answer_of(is);
}
