/*
 * Asking seki-db(8) without waiting for it: for a program that has other things to do meanwhile. A call is begun,
 * its descriptor becomes readable when there is more of the answer, and past_call_* is asked again.
 */
#ifndef SEKISHO_PAST_CALL_H
#define SEKISHO_PAST_CALL_H

#include "lib/past/past.h"
#include "lib/past/protocol.h"

struct past_call;

/* Descriptor to be watched for reading, and the boot clock's moment at which it is over. */
int past_call_fd(const struct past_call *call);
int64_t past_call_until(const struct past_call *call);
void past_call_close(struct past_call *call); /* NULL is fine */

enum past_called {
	PAST_CALLED, /* the whole answer is there */
	PAST_WAITS,
	PAST_FAILED, /* errno: ETIMEDOUT, ECONNRESET, EIO (it cannot tell now), EPROTO, ENOMEM */
};

/* ---- how often a sender has written to each of some recipients ---- */

/* Addresses in normal form, copied; at most PAST_RCPTS_MAX. NULL with errno: nobody is there, no memory. */
NODISCARD struct past_call *past_call_counts(
    const char *sender, const char *const *rcpt, size_t rcpts, int64_t patience);

/* PAST_CALLED: `counts`, room for each recipient, is filled: mails from this sender that were delivered. */
NODISCARD enum past_called past_call_count(struct past_call *call, uint64_t *counts);

/* ---- what somebody has sent ---- */

struct past_sent {
	char id[33];
	int64_t ended; /* seconds */
	uint64_t rcpts, delivered, failed, returned;
	const char *from, *subject;
	const char *rcpt[PAST_SENT_RCPTS]; /* "" behind the last */
};

/*
 * `name`: "f" and an address in normal form, or "l" and a login; copied. The newest first: `count` from number
 * `first`, from 0, on. NULL as above.
 */
NODISCARD struct past_call *past_call_sent(const char *const *name, size_t names, const char *query,
    uint64_t first, size_t count, int64_t patience);

/* Sees each that has come. PAST_CALLED: how many there are in all; `complete`: all were looked at. */
typedef void past_see_sent(void *context, const struct past_sent *sent);
NODISCARD enum past_called past_call_see(
    struct past_call *call, past_see_sent *see, void *context, uint64_t *total, bool *complete);

#endif
