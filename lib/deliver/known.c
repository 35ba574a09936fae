#include "lib/deliver/known.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/xtext.h"
#include "lib/past/past.h"
#include "queue/intake.h"

#define SAY_EVERY (60 * CLOCK_SECOND)
#define TEXT_MAX  ((size_t)1024) /* of a login or subject, as it stands in the leg */

struct known {
	struct tray *tray;
	_Atomic int64_t said; /* boot clock: when a failure was logged last; 0: never */
};

struct known *known_open(int64_t most)
{
	struct known *known = calloc(1, sizeof *known);

	if (known == NULL)
		return NULL;
	known->tray = tray_open("seki-deliver");
	if (known->tray == NULL) {
		free(known);
		return NULL;
	}
	tray_bound(known->tray, most);
	return known;
}

void known_bound(struct known *known, int64_t most)
{
	tray_bound(known->tray, most);
}

void known_put(
    struct buf *lines, const struct leg *leg, const size_t *rcpt, size_t rcpts, int64_t now)
{
	if (intake_is_own(leg->client))
		return;
	for (size_t i = 0; i < rcpts; i++)
		tray_put_delivered(
		    lines, now / CLOCK_SECOND, leg->from, leg->rcpt[rcpt[i]].address);
}

/* ---- what was sent ------------------------------------------------------------------------ */

/* Decoded and NUL-ended; "" if it is none, or too long. */
static void decode(const char *value, size_t len, char *text, size_t room)
{
	size_t n = 0;

	text[0] = '\0';
	if (value == NULL || len >= room || !xtext_decode(value, len, text, &n))
		return;
	text[n] = '\0';
}

static void subject_of(const struct leg *leg, char *subject, size_t room)
{
	struct leg_record record;
	const char *value = NULL;
	size_t at = 0, len = 0;

	while (leg_next_record(leg, &at, &record)) {
		if (leg_record_is(&record, "about"))
			value = leg_record_value(&record, "subject", &len);
	}
	decode(value, len, subject, room);
}

static void count_rcpt(struct past_leg *told, const struct leg_rcpt *rcpt, const char **named)
{
	if (rcpt->fate == RCPT_DROPPED)
		return; /* it was taken out: nobody has sent it anything */
	if (told->named < PAST_NAMED_MAX)
		named[told->named++] = rcpt->address;
	told->rcpts++;
	told->delivered += rcpt->fate == RCPT_DELIVERED;
	told->failed += rcpt->fate == RCPT_FAILED;
	told->returned += rcpt->fate == RCPT_BOUNCED;
}

void known_put_end(struct buf *lines, const struct leg *leg, int64_t now)
{
	const char *named[PAST_NAMED_MAX], *value;
	char login[TEXT_MAX], subject[TEXT_MAX];
	struct past_leg told = {.id = leg->name.id,
	    .k = leg->name.k,
	    .from = leg->from,
	    .login = login,
	    .subject = subject,
	    .rcpt = named};
	size_t len = 0;

	if (intake_is_own(leg->client) || leg->from[0] == '\0' || leg_open_rcpts(leg) > 0)
		return;
	for (size_t i = 0; i < leg->rcpts; i++)
		count_rcpt(&told, &leg->rcpt[i], named);
	if (told.rcpts == 0)
		return;
	value = leg->client != NULL ? leg_param(leg->client, "auth", &len) : NULL;
	decode(value, len, login, sizeof login);
	subject_of(leg, subject, sizeof subject);
	tray_put_sent(lines, now / CLOCK_SECOND, &told);
}

void known_tell(struct known *known, struct buf *lines)
{
	int64_t now = clock_boot(), said = atomic_load(&known->said);
	int error = ENOMEM;

	if (buf_ok(lines)) {
		errno = 0;
		error = tray_add(known->tray, lines->bytes, lines->len) ? 0 : errno;
	}
	buf_clear(lines);
	if (error != 0 && (said == 0 || now - said >= SAY_EVERY) &&
	    atomic_compare_exchange_strong(&known->said, &said, now))
		LOG("not-told", kv("program", "seki-db"), kv_errno(error));
}
