/*
 * From DNS data to the hosts of an answer, in the order in which they are to be tried. Pure: data
 * and random numbers in, plan out.
 */
#ifndef SEKISHO_RESOLVE_MX_H
#define SEKISHO_RESOLVE_MX_H

#include "lib/resolve/ask.h"

/* One item of a resource record set; not ours. */
struct rdata {
	const unsigned char *bytes;
	size_t len;
};

/* Where random numbers come from: all 32 bits equally likely. */
struct chance {
	uint32_t (*next)(void *context);
	void *context;
};

/* What one look-up brought. */
struct outcome {
	enum resolve_status status; /* OK: data; NONE: there is none; LATER */
	enum resolve_reason reason;
	bool secure;
};

enum mx_found {
	MX_HOSTS,
	MX_NULL,     /* RFC 7505 */
	MX_UNUSABLE, /* no record names a host */
};

/*
 * Puts the hosts of `n` MX records into the answer: by preference, equal ones shuffled (RFC 5321
 * section 5.1), each host once, at most RESOLVE_HOSTS_MAX; `more` and `malformed` are counted. The
 * hosts have no addresses yet, and are RESOLVE_LATER for RESOLVE_TIMEOUT until mx_host_settle.
 * A root name beside others is no null MX, but malformed.
 */
NODISCARD enum mx_found mx_plan(const struct rdata *records, size_t n, const struct chance *chance,
    struct resolve_answer *answer);

/* The only host of an answer: what was asked (implicit MX, or RESOLVE_A). */
void mx_plan_only(struct resolve_answer *answer, bool implicit);

/*
 * Adds the addresses of one family, shuffled; of more than RESOLVE_FAMILY_MAX a random choice.
 * IPv6 stands before IPv4 whichever is added first.
 */
void mx_host_add(struct resolve_host *host, bool v6, const struct rdata *records, size_t n,
    const struct chance *chance);

/* Both families have been looked up, or given up: says what that makes of the host. */
void mx_host_settle(struct resolve_host *host, const struct outcome *v6, const struct outcome *v4);

/* What the hosts make of the answer: status and reason, and for RESOLVE_A secure. */
void mx_answer_settle(struct resolve_answer *answer);

/* An answer without hosts. */
void mx_answer_fail(struct resolve_answer *answer, enum resolve_status status,
    enum resolve_reason reason, bool secure);

#endif
