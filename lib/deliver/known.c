#include "lib/deliver/known.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/past/past.h"
#include "queue/intake.h"

#define SAY_EVERY (60 * CLOCK_SECOND)

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
