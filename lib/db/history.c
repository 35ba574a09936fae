#include "lib/db/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/db/inside.h"
#include "lib/db/sent.h"
#include "lib/org/org.h"

#define COUNT_ADDRESS 'a'
#define COUNT_GROUP   'g'
#define COUNT_SENDER  's'
#define SENDER_ENROL  'e'
#define SENDER_MEMBER 'm'

#define MEMBER_MAX ((size_t)65536) /* the groups of one sender */

/* ---- opening ------------------------------------------------------------------------------ */

static bool load_known(
    void *context, const char *key, size_t key_len, const char *value, size_t len)
{
	struct history *h = context;
	char address[STORE_KEY_MAX + 1];

	(void)value;
	(void)len;
	if (key_len == 0 || key_len > STORE_KEY_MAX || key[0] != COUNT_ADDRESS)
		return false;
	memcpy(address, key + 1, key_len - 1);
	address[key_len - 1] = '\0';
	if (look_add(h->look, address))
		return true;
	look_free(h->look);
	h->look = NULL;
	return false;
}

static bool count_enrolled(
    void *context, const char *key, size_t key_len, const char *value, size_t len)
{
	struct history *h = context;

	(void)value;
	(void)len;
	if (key_len == 0 || key[0] != SENDER_ENROL)
		return false;
	h->enrolled++;
	return true;
}

static bool load_people(struct history *h)
{
	struct key k = {.len = 0};

	key_last(&k, "people");
	return numbers_get(h->store, STORE_META, &k, &h->people, 1) != STORE_FAILED;
}

/* The first report is about the first week that we saw from its beginning. */
static bool begin_weeks(struct history *h, int64_t now)
{
	char week[DAY_TEXT];
	size_t len;
	enum store_found found =
	    store_get(h->store, STORE_META, "week", 4, week, sizeof week - 1, &len);

	if (found != STORE_NONE)
		return found == STORE_FOUND;
	days_report(now, week);
	return history_done(h, week);
}

struct history *history_open(struct store *store, int64_t now)
{
	struct history *h = calloc(1, sizeof *h);
	char from = COUNT_ADDRESS, first = SENDER_ENROL;

	if (h == NULL)
		return NULL;
	h->store = store;
	h->tables = norm_prepare();
	h->look = look_new();
	if (h->tables == NULL || h->look == NULL ||
	    !store_walk(store, STORE_COUNT, &from, 1, load_known, h) || h->look == NULL ||
	    !store_walk(store, STORE_SENDER, &first, 1, count_enrolled, h) || !load_people(h) ||
	    !begin_weeks(h, now) || !history_month(h, now)) {
		history_close(h);
		return NULL;
	}
	LOG("history-opened", kv_num("addresses", (int64_t)look_count(h->look)),
	    kv_num("enrolled", (int64_t)h->enrolled));
	return h;
}

void history_close(struct history *h)
{
	if (h == NULL)
		return;
	look_free(h->look);
	if (h->tables != NULL)
		norm_tables_free(h->tables);
	free(h);
}

void history_bounds(struct history *h, int64_t dormant, int64_t keep)
{
	h->dormant = dormant;
	h->keep = keep;
}

void history_keep_sent(struct history *h, int64_t keep)
{
	h->keep_sent = keep;
}

/* ---- who has written to whom -------------------------------------------------------------- */

static void pair(struct key *k, char kind, const char *who, const char *rcpt)
{
	key_begin(k, kind);
	if (kind != COUNT_ADDRESS)
		key_part(k, who);
	key_last(k, rcpt);
}

static bool count(struct history *h, char kind, const char *who, const char *rcpt, int64_t time)
{
	uint64_t number[2];
	struct key k;

	pair(&k, kind, who, rcpt);
	if (numbers_get(h->store, STORE_COUNT, &k, number, 2) == STORE_FAILED)
		return false;
	number[0]++;
	if ((int64_t)number[1] < time)
		number[1] = (uint64_t)time;
	return numbers_set(h->store, STORE_COUNT, &k, number, 2);
}

static enum store_found member(
    struct history *h, const char *sender, char *groups, size_t room, size_t *len)
{
	struct key k;

	key_begin(&k, SENDER_MEMBER);
	key_last(&k, sender);
	return store_get(h->store, STORE_SENDER, k.bytes, k.len, groups, room, len);
}

static bool count_groups(struct history *h, const char *sender, const char *rcpt, int64_t time)
{
	char *groups = malloc(MEMBER_MAX + 1);
	size_t len = 0;
	bool good = groups != NULL;

	if (good) {
		switch (member(h, sender, groups, MEMBER_MAX, &len)) {
		case STORE_FOUND:
			break;
		case STORE_NONE:
			len = 0;
			break;
		case STORE_FAILED:
			good = false;
			len = 0;
			break;
		}
		groups[len] = '\0';
		for (size_t at = 8; good && at < len; at += strlen(groups + at) + 1)
			good = count(h, COUNT_GROUP, groups + at, rcpt, time);
	}
	free(groups);
	return good;
}

static enum history_took took(bool good)
{
	return good ? HISTORY_TOOK : HISTORY_FAILED;
}

/* delivered TIME FROM RCPT */
static enum history_took take_delivered(
    struct history *h, const struct past_line *line, int64_t time)
{
	char from[ORG_ADDRESS_MAX], rcpt[ORG_ADDRESS_MAX];

	if (line->words != 4 || line->word[3][0] == '\0')
		return HISTORY_NO_LINE;
	/* What has no normal form is compared with itself. */
	(void)!org_normal(line->word[2], from);
	(void)!org_normal(line->word[3], rcpt);
	return took(count(h, COUNT_ADDRESS, "", rcpt, time) &&
		    count(h, COUNT_SENDER, from, rcpt, time) && count_groups(h, from, rcpt, time) &&
		    look_add(h->look, rcpt));
}

/* member TIME SENDER [GROUP…] */
static enum history_took take_member(struct history *h, const struct past_line *line, int64_t time)
{
	char sender[ORG_ADDRESS_MAX], number[8], *old = NULL;
	uint64_t t = (uint64_t)time;
	struct buf groups;
	struct key k;
	size_t len = 0;
	bool good = false;

	if (line->words < 3)
		return HISTORY_NO_LINE;
	(void)!org_normal(line->word[2], sender);
	buf_init(&groups, MEMBER_MAX);
	numbers_put(number, &t, 1);
	buf_add(&groups, number, sizeof number);
	for (size_t i = 3; i < line->words; i++) {
		if (line->word[i][0] != '\0')
			buf_add(&groups, line->word[i], strlen(line->word[i]) + 1);
	}
	old = malloc(MEMBER_MAX);
	if (!buf_ok(&groups) || old == NULL)
		goto out;
	/* The same again, and not long after: nothing to write. */
	switch (member(h, sender, old, MEMBER_MAX, &len)) {
	case STORE_FAILED:
		goto out;
	case STORE_FOUND:
		good = len == groups.len && memcmp(old + 8, groups.bytes + 8, len - 8) == 0 &&
		       (int64_t)numbers_at(old, len, 0) + 86400 > time;
		break;
	case STORE_NONE:
		break;
	}
	if (!good) {
		key_begin(&k, SENDER_MEMBER);
		key_last(&k, sender);
		good = store_put(h->store, STORE_SENDER, k.bytes, k.len, groups.bytes, groups.len);
	}

out:
	free(old);
	buf_free(&groups);
	return took(good);
}

/* named TIME ADDRESS NAME */
static enum history_took take_named(struct history *h, const struct past_line *line, int64_t time)
{
	char address[ORG_ADDRESS_MAX];

	if (line->words != 4 || !org_normal(line->word[2], address) || address[0] == '\0')
		return HISTORY_NO_LINE;
	return took(name_seen(h, address, line->word[3], time));
}

/* people TIME N */
static enum history_took take_people(struct history *h, const struct past_line *line, int64_t now)
{
	struct key k = {.len = 0};
	uint64_t n;

	if (line->words != 3 || !past_number(line->word[2], &n) || n > INT32_MAX)
		return HISTORY_NO_LINE;
	key_last(&k, "people");
	return took(
	    numbers_set(h->store, STORE_META, &k, &n, 1) && month_count(h, n, h->enrolled, now));
}

enum history_took history_take(struct history *h, const struct past_line *line, int64_t now)
{
	const char *word = line->word[0];
	uint64_t number;
	int64_t time;

	if (line->words < 2 || !past_number(line->word[1], &number))
		return HISTORY_NO_LINE;
	/* A clock that was wrong must not make anybody known for ever. */
	time = number > (uint64_t)now ? now : (int64_t)number;
	if (strcmp(word, "delivered") == 0)
		return take_delivered(h, line, time);
	if (strcmp(word, "member") == 0)
		return take_member(h, line, time);
	if (strcmp(word, "named") == 0)
		return take_named(h, line, time);
	if (strcmp(word, "people") == 0)
		return take_people(h, line, now);
	if (strcmp(word, "sent") == 0)
		return sent_take(h, line, time);
	return day_take(h, line);
}

/* ---- asking ------------------------------------------------------------------------------- */

static bool get_count(
    struct history *h, char kind, const char *who, const char *rcpt, uint64_t *mails, int64_t *last)
{
	uint64_t number[2];
	struct key k;

	pair(&k, kind, who, rcpt);
	if (numbers_get(h->store, STORE_COUNT, &k, number, 2) == STORE_FAILED)
		return false;
	*mails = number[0];
	*last = number[1] > INT64_MAX ? INT64_MAX : (int64_t)number[1];
	return true;
}

static bool look_at(
    struct history *h, const char *rcpt, const char *name, int64_t now, struct past_rcpt *answer)
{
	if (answer->by_site > 0) {
		if (h->dormant > 0 && answer->last < now - h->dormant)
			answer->look = LOOK_DORMANT;
		return true;
	}
	answer->look = look_find(h->look, rcpt, answer->like);
	if (answer->look != LOOK_NONE || name[0] == '\0')
		return true;
	if (!name_like(h, name, rcpt, answer->like))
		return false;
	if (answer->like[0] != '\0')
		answer->look = LOOK_NAME;
	return true;
}

bool history_ask(struct history *h, const struct history_sender *sender, const char *rcpt,
    const char *name, int64_t now, struct past_rcpt *answer)
{
	uint64_t mails;
	int64_t last;

	*answer = (struct past_rcpt){.look = LOOK_NONE};
	if (!get_count(h, COUNT_ADDRESS, "", rcpt, &answer->by_site, &answer->last))
		return false;
	if (answer->by_site > 0 &&
	    !get_count(h, COUNT_SENDER, sender->address, rcpt, &answer->by_sender, &last))
		return false;
	for (size_t i = 0; i < sender->groups && answer->by_site > 0; i++) {
		if (!get_count(h, COUNT_GROUP, sender->group[i], rcpt, &mails, &last))
			return false;
		if (mails > answer->by_group)
			answer->by_group = mails;
	}
	return !sender->lookalike || look_at(h, rcpt, name, now, answer);
}

/* ---- enrolled senders --------------------------------------------------------------------- */

static void enrol_key(struct key *k, const char *address)
{
	key_begin(k, SENDER_ENROL);
	key_last(k, address);
}

enum store_found history_enrolled(struct history *h, const char *address)
{
	uint64_t since;
	struct key k;

	enrol_key(&k, address);
	return numbers_get(h->store, STORE_SENDER, &k, &since, 1);
}

static bool change_enrolled(struct history *h, const char *address, bool there, int64_t now)
{
	uint64_t since = (uint64_t)now, enrolled = there ? h->enrolled + 1 : h->enrolled - 1;
	uint64_t before = h->enrolled;
	struct key k;

	enrol_key(&k, address);
	if (!history_month(h, now) || !store_begin(h->store))
		return false;
	if (!(there ? numbers_set(h->store, STORE_SENDER, &k, &since, 1)
		    : store_delete(h->store, STORE_SENDER, k.bytes, k.len)) ||
	    !month_count(h, h->people, enrolled, now)) {
		store_abort(h->store);
		goto fail;
	}
	if (store_commit(h->store))
		return true;

fail:
	h->enrolled = before;
	return false;
}

bool history_enrol(struct history *h, const char *address, int64_t now)
{
	switch (history_enrolled(h, address)) {
	case STORE_FOUND:
		return true;
	case STORE_FAILED:
		return false;
	case STORE_NONE:
		break;
	}
	return change_enrolled(h, address, true, now);
}

enum store_found history_remove(struct history *h, const char *address, int64_t now)
{
	enum store_found found = history_enrolled(h, address);

	if (found == STORE_FOUND && !change_enrolled(h, address, false, now))
		found = STORE_FAILED;
	return found;
}

static bool put_enrolled(
    void *context, const char *key, size_t key_len, const char *value, size_t len)
{
	struct buf *out = context;
	char address[ORG_ADDRESS_MAX];

	if (key_len == 0 || key[0] != SENDER_ENROL)
		return false;
	(void)snprintf(address, sizeof address, "%.*s", (int)(key_len - 1), key + 1);
	buf_add_text(out, "address");
	past_put(out, address);
	buf_addf(out, " %llu\n", (unsigned long long)numbers_at(value, len, 0));
	return buf_ok(out);
}

bool history_enrolments(struct history *h, struct buf *out)
{
	char from = SENDER_ENROL;

	if (!store_walk(h->store, STORE_SENDER, &from, 1, put_enrolled, out))
		return false;
	buf_add_text(out, "end\n");
	return buf_ok(out);
}
