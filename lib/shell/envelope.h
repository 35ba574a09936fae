/* An envelope that nobody has sent, as a leg that can be judged. Internal to lib/shell/. */
#ifndef SEKISHO_SHELL_ENVELOPE_H
#define SEKISHO_SHELL_ENVELOPE_H

#include "lib/base/buf.h"
#include "queue/leg.h"

struct envelope {
	struct buf text; /* the leg's strings */
	struct leg leg;
};

/*
 * Fills `e`: `from` "" is <>; `accepted` in microseconds; `size` of the content. False: no memory, or
 * an address that no envelope can have (longer than one, a control character). Free with
 * envelope_free, whatever it returned.
 */
NODISCARD bool envelope_make(struct envelope *e, const char *from, const char *const *rcpt,
    size_t rcpts, int64_t accepted, uint64_t size);
void envelope_free(struct envelope *e);

/* ---- addresses, collected ---- */

#define ADDRESSES_MAX ((size_t)10000)

/* Grows; each address once, in the order in which it came. Owned. */
struct addresses {
	char **address;
	size_t n, room;
	bool failed; /* no memory, or there were too many */
};

void addresses_add(struct addresses *a, const char *address, size_t len);
void addresses_free(struct addresses *a);

static inline const char *const *addresses_list(const struct addresses *a)
{
	return (const char *const *)a->address;
}

#endif
