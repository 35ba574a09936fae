#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/past/past.h"
#include "lib/past/protocol.h"

#define NAMED_ADDRESS_MAX ((size_t)320) /* RFC 5321, 4.5.3.1: a local part of 64, a domain of 255 */

struct tray *tray_open(const char *program)
{
	char path[TRAY_PATH_MAX];

	(void)snprintf(path, sizeof path, PAST_TRAYS "/%s", program);
	return tray_at(path);
}

/* ---- lines ---- */

static void begin(struct buf *out, const char *word, int64_t time)
{
	buf_addf(out, "%s %lld", word, (long long)(time < 0 ? 0 : time));
}

void tray_put_delivered(struct buf *out, int64_t time, const char *from, const char *rcpt)
{
	begin(out, "delivered", time);
	past_put(out, from);
	past_put(out, rcpt);
	buf_add(out, "\n", 1);
}

void tray_put_member(
    struct buf *out, int64_t time, const char *sender, const char *const *group, size_t groups)
{
	begin(out, "member", time);
	past_put(out, sender);
	for (size_t i = 0; i < groups && i < PAST_GROUPS_MAX; i++)
		past_put(out, group[i]);
	buf_add(out, "\n", 1);
}

void tray_put_named(struct buf *out, int64_t time, const char *address, const char *name)
{
	char cut[PAST_NAME_MAX];

	(void)snprintf(cut, sizeof cut, "%s", name);
	begin(out, "named", time);
	past_put(out, address);
	past_put(out, cut);
	buf_add(out, "\n", 1);
}

void tray_put_judged(struct buf *out, int64_t time, size_t legs, bool refused, bool held)
{
	begin(out, "judged", time);
	buf_addf(out, " %zu %s %s\n", legs, refused ? "refused" : "-", held ? "held" : "-");
}

void tray_put_decision(struct buf *out, enum past_kind kind, int64_t time, const char *where,
    const char *rule, const char *function, const char *outcome, size_t rcpts)
{
	begin(out, kind == PAST_DID ? "did" : "would", time);
	past_put(out, where);
	past_put(out, rule);
	past_put(out, function);
	past_put(out, outcome);
	buf_addf(out, " %zu", rcpts);
	if (kind != PAST_DID)
		buf_addf(out, " %s", past_kind_word(kind));
	buf_add(out, "\n", 1);
}

void tray_put_sent(struct buf *out, int64_t time, const struct past_leg *leg)
{
	begin(out, "sent", time);
	past_put(out, leg->id);
	past_put(out, leg->k);
	past_put(out, leg->from);
	past_put(out, leg->login);
	past_put(out, leg->subject);
	buf_addf(out, " %zu %zu %zu %zu", leg->rcpts, leg->delivered, leg->failed, leg->returned);
	for (size_t i = 0; i < leg->named && i < PAST_NAMED_MAX; i++) {
		/* One that is longer is no address: a line is bounded. */
		if (strlen(leg->rcpt[i]) <= NAMED_ADDRESS_MAX)
			past_put(out, leg->rcpt[i]);
	}
	buf_add(out, "\n", 1);
}

bool past_people(uint64_t addresses)
{
	struct tray *tray = tray_open("seki");
	char line[96];
	bool told;
	int error;

	if (tray == NULL)
		return false;
	(void)snprintf(line, sizeof line, "people %lld %llu\n",
	    (long long)(clock_wall() / CLOCK_SECOND), (unsigned long long)addresses);
	told = tray_add(tray, line, strlen(line));
	error = errno;
	tray_close(tray);
	errno = error;
	return told;
}
