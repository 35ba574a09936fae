/* The most registered addresses of each month, and the weeks of reports. */
#include <stdio.h>
#include <string.h>

#include "lib/db/inside.h"

#define MONTHS_FILLED 1200 /* as many months without us as get a number */

static void month_key(struct key *k, const char *month)
{
	key_begin(k, 'm');
	key_last(k, month);
}

/* Writes the month's number if it is more than what stands there. */
static bool raise_to(struct history *h, const char *month, uint64_t number)
{
	uint64_t peak;
	struct key k;
	enum store_found found;

	month_key(&k, month);
	found = numbers_get(h->store, STORE_DAY, &k, &peak, 1);
	if (found == STORE_FAILED)
		return false;
	if (found == STORE_FOUND && peak >= number)
		return true;
	return numbers_set(h->store, STORE_DAY, &k, &number, 1);
}

struct newest {
	char month[MONTH_TEXT];
};

static bool see_month(void *context, const char *key, size_t key_len, const char *value, size_t len)
{
	struct newest *newest = context;

	(void)value;
	(void)len;
	if (key_len != MONTH_TEXT || key[0] != 'm')
		return false;
	memcpy(newest->month, key + 1, MONTH_TEXT - 1);
	newest->month[MONTH_TEXT - 1] = '\0';
	return true;
}

/* What was registered stayed so while nobody counted. */
static bool fill(struct history *h, const char *last, const char *now)
{
	char month[MONTH_TEXT];

	memcpy(month, last, sizeof month);
	for (unsigned i = 0; i < MONTHS_FILLED && strcmp(month, now) < 0; i++) {
		if (!raise_to(h, month, h->people + h->enrolled))
			return false;
		days_next_month(month);
	}
	return raise_to(h, now, h->people + h->enrolled);
}

bool history_month(struct history *h, int64_t now)
{
	struct newest newest = {""};
	char month[MONTH_TEXT];

	days_month(now, month);
	if (strcmp(month, h->month) == 0)
		return true;
	if (!store_walk(h->store, STORE_DAY, "m", 1, see_month, &newest) || !store_begin(h->store))
		return false;
	if (!fill(h, newest.month[0] != '\0' ? newest.month : month, month)) {
		store_abort(h->store);
		return false;
	}
	if (!store_commit(h->store))
		return false;
	memcpy(h->month, month, sizeof month);
	return true;
}

bool month_count(struct history *h, uint64_t people, uint64_t enrolled, int64_t now)
{
	char month[MONTH_TEXT];

	h->people = people;
	h->enrolled = enrolled;
	days_month(now, month);
	return raise_to(h, month, people + enrolled);
}

static bool put_month(void *context, const char *key, size_t key_len, const char *value, size_t len)
{
	struct buf *out = context;

	if (key_len != MONTH_TEXT || key[0] != 'm')
		return false;
	buf_addf(out, "month %.7s %llu\n", key + 1, (unsigned long long)numbers_at(value, len, 0));
	return buf_ok(out);
}

bool history_months(struct history *h, struct buf *out)
{
	if (!store_walk(h->store, STORE_DAY, "m", 1, put_month, out))
		return false;
	buf_addf(out, "end %llu %llu\n", (unsigned long long)(h->people + h->enrolled),
	    (unsigned long long)h->enrolled);
	return buf_ok(out);
}

/* ---- weeks ---- */

bool history_due(struct history *h, int64_t now, char week[11])
{
	char done[DAY_TEXT] = "";
	size_t len = 0;

	if (store_get(h->store, STORE_META, "week", 4, done, sizeof done - 1, &len) == STORE_FAILED)
		return false;
	done[len] = '\0';
	days_report(now, week);
	/* A clock that went back makes nothing due twice. */
	if (strcmp(week, done) <= 0)
		week[0] = '\0';
	return true;
}

bool history_done(struct history *h, const char *week)
{
	if (strlen(week) != DAY_TEXT - 1 || !store_begin(h->store))
		return false;
	if (store_put(h->store, STORE_META, "week", 4, week, DAY_TEXT - 1))
		return store_commit(h->store);
	store_abort(h->store);
	return false;
}
