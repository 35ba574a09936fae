/*
 * The text of lib/quota/counts:
 *
 *     sekisho-quota 1
 *     saved 2026-11-22T09:35:01.123456Z
 *     login alice open minutes=0:12,3:4 hours=0:16,5:100
 *     source 192.0.2.10 frozen minutes= hours=
 *     end 2
 *
 * A bucket is AGE:COUNT, its age in minutes or hours before the one that was running. Where hours
 * begin is not told: after the machine was started anew a day may be an hour longer or shorter.
 */
#include "queue/quota.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/xtext.h"
#include "queue/quota_table.h"

#define MAGIC       "sekisho-quota 1"
#define LONGEST_AGO ((int64_t)2 * 24 * 60) /* minutes, behind which nothing counts any more */

static const char *const kinds[] = {[QUOTA_LOGIN] = "login", [QUOTA_SOURCE] = "source"};

/* ---- writing ------------------------------------------------------------------------------ */

static void write_buckets(
    struct buf *out, const char *word, const uint32_t *bucket, int64_t n, int64_t last)
{
	const char *comma = "";

	buf_addf(out, " %s=", word);
	for (int64_t age = 0; age < n; age++) {
		uint32_t count = bucket[(last - age) % n];

		if (count == 0)
			continue;
		buf_addf(out, "%s%lld:%u", comma, (long long)age, count);
		comma = ",";
	}
}

static bool worth_a_line(const struct quota_entry *e)
{
	bool any = e->frozen;

	for (size_t i = 0; i < QUOTA_HOURS && !any; i++)
		any = e->hours[i] != 0;
	return any;
}

void quota_write(struct quota *q, struct buf *out, int64_t now, int64_t wall)
{
	int64_t minute = quota_minute(now);
	char time[CLOCK_TEXT];
	size_t n = 0;

	clock_format(wall, time);
	buf_addf(out, MAGIC "\nsaved %s\n", time);
	for (struct quota_entry *e = q->oldest; e != NULL; e = e->newer) {
		quota_advance(e, minute);
		if (!worth_a_line(e))
			continue;
		buf_addf(out, "%s ", kinds[e->kind]);
		buf_add_xtext(out, e->who, strlen(e->who));
		buf_add_text(out, e->frozen ? " frozen" : " open");
		write_buckets(out, "minutes", e->minutes, QUOTA_MINUTES, e->minute);
		write_buckets(out, "hours", e->hours, QUOTA_HOURS, e->minute / 60);
		buf_add_text(out, "\n");
		n++;
	}
	buf_addf(out, "end %zu\n", n);
}

/* ---- reading ------------------------------------------------------------------------------ */

/* What is left of a text; never read at or behind its end. */
struct cursor {
	const char *at, *end;
};

/* Takes exactly this off the front. */
static bool take(struct cursor *c, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(c->end - c->at) < len || memcmp(c->at, text, len) != 0)
		return false;
	c->at += len;
	return true;
}

/* A number without leading zeros, at most `most`. */
static bool take_number(struct cursor *c, int64_t most, int64_t *number)
{
	const char *first = c->at;

	*number = 0;
	for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
		*number = *number * 10 + (*c->at - '0');
		if (*number > most || (c->at > first && *first == '0'))
			return false;
	}
	return c->at > first;
}

/* Ages rise from bucket to bucket, and no count is zero: each state has one spelling. */
static bool take_buckets(
    struct cursor *c, const char *word, uint32_t *bucket, int64_t n, int64_t last)
{
	int64_t age, count, before = -1;

	if (!take(c, word))
		return false;
	while (c->at < c->end && *c->at != ' ' && *c->at != '\n') {
		if (before >= 0 && !take(c, ","))
			return false;
		if (!take_number(c, n - 1, &age) || !take(c, ":") ||
		    !take_number(c, UINT32_MAX, &count) || age <= before || count == 0)
			return false;
		bucket[(last - age) % n] = (uint32_t)count;
		before = age;
	}
	return true;
}

/* A word in xtext, decoded. */
static bool take_who(struct cursor *c, char who[ORIGIN_ROOM])
{
	char decoded[3 * ORIGIN_TEXT_MAX];
	const char *blank = memchr(c->at, ' ', (size_t)(c->end - c->at));
	size_t len = blank != NULL ? (size_t)(blank - c->at) : 0;

	if (len == 0 || len > sizeof decoded || !xtext_decode(c->at, len, decoded, &len) ||
	    len > ORIGIN_TEXT_MAX || memchr(decoded, '\0', len) != NULL)
		return false;
	memcpy(who, decoded, len);
	who[len] = '\0';
	c->at = blank;
	return true;
}

/* One line, as of the minute when it was written. Beyond the bound it is read and left out. */
static bool take_entry(struct cursor *c, struct quota *q, int64_t minute, const char **why)
{
	struct quota_entry line = {.frozen = false}, *e;
	char who[ORIGIN_ROOM];

	line.kind = take(c, "login ") ? QUOTA_LOGIN : QUOTA_SOURCE;
	if (line.kind == QUOTA_SOURCE && !take(c, "source "))
		return false;
	if (!take_who(c, who))
		return false;
	line.frozen = take(c, " frozen");
	if ((!line.frozen && !take(c, " open")) ||
	    !take_buckets(c, " minutes=", line.minutes, QUOTA_MINUTES, minute) ||
	    !take_buckets(c, " hours=", line.hours, QUOTA_HOURS, minute / 60) || !take(c, "\n"))
		return false;
	if (q->n == q->most)
		return true;

	e = quota_entry(q, line.kind, who, minute);
	*why = "no memory";
	if (e == NULL)
		return false;
	memcpy(e->minutes, line.minutes, sizeof e->minutes);
	memcpy(e->hours, line.hours, sizeof e->hours);
	e->frozen = line.frozen;
	*why = "malformed";
	return true;
}

static bool read_all(struct cursor *c, struct quota *q, int64_t now, int64_t wall, const char **why)
{
	int64_t saved, ago, n, lines = 0;

	*why = "malformed";
	if (!take(c, MAGIC "\nsaved ") || c->end - c->at < CLOCK_TEXT)
		return false;
	saved = clock_parse(c->at, CLOCK_TEXT - 1);
	c->at += CLOCK_TEXT - 1;
	if (saved < 0 || !take(c, "\n"))
		return false;

	ago = (wall - saved) / (60 * CLOCK_SECOND);
	ago = ago < 0 ? 0 : ago > LONGEST_AGO ? LONGEST_AGO : ago;
	for (; c->at < c->end && !take(c, "end "); lines++) {
		if (!take_entry(c, q, quota_minute(now) - ago, why))
			return false;
	}
	return take_number(c, INT64_MAX / 16, &n) && n == lines && take(c, "\n") && c->at == c->end;
}

bool quota_read(
    struct quota *q, const char *text, size_t len, int64_t now, int64_t wall, const char **why)
{
	struct cursor c = {text, text + len};
	bool good = read_all(&c, q, now, wall, why);

	if (!good)
		quota_clear(q);
	return good;
}
