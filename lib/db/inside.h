/* What the files of the history share. Internal to lib/db. */
#ifndef SEKISHO_DB_INSIDE_H
#define SEKISHO_DB_INSIDE_H

#include "lib/db/days.h"
#include "lib/db/history.h"
#include "lib/db/look.h"
#include "lib/text/norm.h"

struct history {
	struct store *store;
	struct look *look; /* the known addresses */
	const struct norm_tables *tables;
	uint64_t people, enrolled; /* registered addresses, in etc/people and beyond */
	int64_t dormant, keep, keep_sent;
	char month[MONTH_TEXT]; /* the last that has its number */
	char row_day[DAY_TEXT]; /* how many different rows that day has, as far as we saw */
	size_t row_count;
	unsigned forget_table; /* where forgetting goes on */
	size_t forget_len;
	char forget_from[STORE_KEY_MAX];
};

/* A key that is put together: a NUL behind each part but the last. */
struct key {
	size_t len;
	char bytes[STORE_KEY_MAX];
};
void key_begin(struct key *k, char kind);
void key_add(struct key *k, const char *bytes, size_t len);
void key_part(struct key *k, const char *text); /* with its NUL */
void key_last(struct key *k, const char *text); /* without */

#define NUMBERS_MAX 5
void numbers_put(char *bytes, const uint64_t *number, size_t n);

/* A value of up to `n` numbers, 0 for what is not there. */
enum store_found numbers_get(
    struct store *s, enum store_table table, const struct key *k, uint64_t *number, size_t n);
NODISCARD bool numbers_set(
    struct store *s, enum store_table table, const struct key *k, const uint64_t *number, size_t n);
uint64_t numbers_at(const char *value, size_t len, size_t nth);

/* A display name as it is compared; "" if it says nothing. */
void name_fold(const struct history *h, const char *name, char folded[PAST_VALUE_MAX]);

/* Whom the display name belongs to, that is known at another company than `address`; "" if nobody.
 * False: logged. */
NODISCARD bool name_like(struct history *h, const char *name, const char *address, char like[256]);

/* The name of an address was seen. */
NODISCARD bool name_seen(struct history *h, const char *address, const char *name, int64_t time);

/* The number of registered addresses changes, within a transaction. */
NODISCARD bool month_count(struct history *h, uint64_t people, uint64_t enrolled, int64_t now);

/* A line judged, would or did. */
enum history_took day_take(struct history *h, const struct past_line *line);

#endif
