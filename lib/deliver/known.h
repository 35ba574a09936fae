/* Whom mail was delivered to: told to seki-db(8), by a tray. Internal to lib/deliver. */
#ifndef SEKISHO_DELIVER_KNOWN_H
#define SEKISHO_DELIVER_KNOWN_H

#include "lib/base/buf.h"
#include "queue/leg.h"

struct known;

/* Any thread may tell. NULL: no memory. */
NODISCARD struct known *known_open(int64_t most);
void known_bound(struct known *known, int64_t most);

/* Adds that these recipients of a leg have it, at `now` (microseconds), to what is to be told. Nobody
 * is known for the gateway's own mail. */
void known_put(
    struct buf *lines, const struct leg *leg, const size_t *rcpt, size_t rcpts, int64_t now);

/* Adds that the leg has come to its end, if it has, for the list of what its sender has sent. Each time that it is
 * told it is the same. The gateway's own mail is nobody's. */
void known_put_end(struct buf *lines, const struct leg *leg, int64_t now);

/* Tells it, and empties `lines`. What cannot be told is logged, once a minute, and not told again: then
 * somebody is new once more. It waits for no disk. */
void known_tell(struct known *known, struct buf *lines);

#endif
