/*
 * Look-ups in the DNS by libunbound: validated, cached, several at once, by a thread of its own. All
 * functions are called by one thread.
 */
#ifndef SEKISHO_RESOLVE_LOOKUP_H
#define SEKISHO_RESOLVE_LOOKUP_H

#include "lib/resolve/mx.h"

#define LOOKUP_ANCHOR      "/usr/share/dns/root.key" /* the root's, RFC 5011 as distributed */
#define LOOKUP_WORDS_MAX   64
#define LOOKUP_RECORDS_MAX ((size_t)4096) /* more than one DNS message holds of use */

struct resolver;
struct lookup;

/* A list of words; not ours. */
struct words {
	size_t n;
	const char *word[LOOKUP_WORDS_MAX];
};

struct resolver_options {
	struct words forwarders; /* ADDRESS or ADDRESS@PORT: ask these instead of the root */
	struct words stubs;      /* ZONE=ADDRESS or ZONE=ADDRESS@PORT: ask these about ZONE */
	struct words anchors;    /* files with further trust anchors */
	struct words insecure;   /* zones below which nothing is validated */
	size_t lookups; /* at once at most, those included that nobody waits for any more */
};

enum record_type {
	RECORD_A = 1,
	RECORD_MX = 15,
	RECORD_AAAA = 28,
};

struct found {
	struct outcome outcome;
	const struct rdata *records; /* `n` of them, until the callback returns */
	size_t n;
	char canon[RESOLVE_NAME_MAX + 1]; /* where CNAMEs lead, or "" */
};

typedef void lookup_done(void *context, const struct found *found);

/*
 * Sets libunbound up and has it answer a first question, for which it asks nobody. NULL with what is
 * wrong in `fault`: then the options, or the anchors, are. Block signals first: the thread inherits
 * that.
 */
NODISCARD struct resolver *resolver_open(
    const struct resolver_options *options, char *fault, size_t room);

/* Ends it, with its thread and all its look-ups; their callbacks are not called. NULL is fine. */
void resolver_close(struct resolver *r);

/* Readable when resolver_process has something to do. */
int resolver_fd(const struct resolver *r);

/* Calls the callbacks of what has been found. False: the resolver is broken for good. */
NODISCARD bool resolver_process(struct resolver *r);

/* Whether another look-up may begin. */
NODISCARD bool resolver_has_room(const struct resolver *r);

/*
 * Begins a look-up; `done` is called with what was found, by resolver_process, and then the look-up
 * is gone. NULL: it could not begin.
 */
NODISCARD struct lookup *lookup_start(
    struct resolver *r, const char *name, enum record_type type, lookup_done *done, void *context);

/* Nobody waits any more: the callback will not be called. The look-up still counts until it ends. */
void lookup_forget(struct lookup *l);

/*
 * What the parts of a libunbound result mean. A bogus answer may carry data and no error, so that is
 * looked at first.
 */
struct outcome lookup_judge(bool bogus, bool secure, int rcode, bool nxdomain, bool havedata);

#endif
