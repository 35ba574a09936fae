#include "lib/hold/risk.h"

#include <string.h>

#include "lib/checks/checks.h"

/* "24", digits of a record. */
static size_t number(const char **at, const char *end)
{
	size_t n = 0;

	while (*at < end && **at >= '0' && **at <= '9' && n <= LEG_RCPTS_MAX)
		n = n * 10 + (size_t)(*(*at)++ - '0');
	return n;
}

/* How many "1,3-5" are; a record without them is about all. */
static size_t count_rcpts(const struct leg *leg, const struct leg_record *record)
{
	size_t len = 0, n = 0;
	const char *at = leg_record_value(record, "rcpt", &len), *end = at != NULL ? at + len : at;

	if (at == NULL)
		return leg->rcpts;
	while (at < end) {
		size_t first = number(&at, end), last = first;

		if (at < end && *at == '-') {
			at++;
			last = number(&at, end);
		}
		n += last >= first ? last - first + 1 : 0;
		if (at < end && *at++ != ',')
			break;
	}
	return n < leg->rcpts ? n : leg->rcpts;
}

static unsigned weight(enum check_fact fact)
{
	switch (fact) {
	case CHECK_LOOKALIKE:
	case CHECK_COMPANIES:
	case CHECK_GREETING:
		return 3;
	case CHECK_FIRST_TIME:
	case CHECK_MISSING_FILE:
	case CHECK_PERSONAL:
	case CHECK_UNKNOWN:
		return 2;
	case CHECK_FILES:
	case CHECK_VISIBLE:
	case CHECK_COUNT:
		break;
	}
	return 0;
}

static unsigned add_check(struct risk *risk, const struct leg *leg, const struct leg_record *record)
{
	size_t len = 0;
	const char *word = leg_record_value(record, "fact", &len);
	enum check_fact fact = word != NULL ? check_fact_find(word, len) : CHECK_COUNT;

	if (fact == CHECK_COUNT)
		return 0;
	risk->checks++;
	if (fact == CHECK_FIRST_TIME)
		risk->first += count_rcpts(leg, record);
	return weight(fact);
}

struct risk risk_of(const struct org *org, const struct leg *leg)
{
	struct risk risk = {.level = 0};
	struct leg_record record;
	char normal[ORG_ADDRESS_MAX];
	unsigned weighs = 0;
	size_t at = 0;

	for (size_t i = 0; i < leg->rcpts; i++) {
		if (leg->rcpt[i].fate == RCPT_DROPPED)
			continue;
		(void)!org_normal(leg->rcpt[i].address, normal);
		risk.outside += org == NULL || org_class(org, normal) == CLASS_EXTERNAL;
	}
	while (leg_next_record(leg, &at, &record)) {
		size_t len = 0;
		const char *value;

		if (leg_record_is(&record, "judged")) { /* what follows is of a new judgement */
			risk.checks = risk.first = 0;
			weighs = 0;
		} else if (leg_record_is(&record, "check")) {
			unsigned more = add_check(&risk, leg, &record);

			weighs = more > weighs ? more : weighs;
		} else if (leg_record_is(&record, "about")) {
			value = leg_record_value(&record, "files", &len);
			risk.files = value != NULL ? number(&value, value + len) : 0;
		}
	}
	if (risk.outside > 0)
		risk.level = weighs > 1 ? weighs : risk.outside > RISK_MANY ? 2 : 1;
	return risk;
}
