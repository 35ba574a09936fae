/*
 * Whether a sender has written to a recipient before. seki-db is asked, and mail does not wait for its answer:
 * the request goes on when it is there. Without it the self-check of the leg may know.
 */
#include "lib/hold/firsts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "lib/base/clock.h"
#include "lib/hold/answering.h"
#include "lib/past/call.h"

#define ASKED_MAX ((size_t)500) /* recipients of one request; nothing is told of others */
#define PATIENCE  (30 * CLOCK_SECOND / 1000)
#define REST      (2 * CLOCK_SECOND)
#define KNOWN_FOR (600 * CLOCK_SECOND) /* who was written to stays so */
#define NEW_FOR   (20 * CLOCK_SECOND)

/* A recipient of whom it is to be said. */
struct first {
	json_t *rcpt; /* the work's answer has it */
	char address[ORG_ADDRESS_MAX];
	unsigned char hash[FIRSTS_HASH];
	bool
	    delivered; /* this mail is one of those that count, and what was heard before it says nothing */
	bool known;
	uint64_t mails;
};

struct firsts_work {
	json_t *answer; /* all but this */
	char from[ORG_ADDRESS_MAX];
	struct past_call *call;
	struct first first[ASKED_MAX];
	size_t n;
	size_t asked[ASKED_MAX]; /* of `first`, in the order of the question */
	size_t asks;
	uint64_t counts[ASKED_MAX];
};

void firsts_work_free(struct firsts_work *work)
{
	if (work == NULL)
		return;
	past_call_close(work->call);
	json_decref(work->answer);
	free(work);
}

/* ---- what was heard ----------------------------------------------------------------------- */

/* False: OpenSSL failed. */
static bool hash(const char *from, const char *rcpt, unsigned char into[FIRSTS_HASH])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char text[2 * ORG_ADDRESS_MAX];
	size_t len = strlen(from) + 1, rcpt_len = strlen(rcpt);
	unsigned n = 0;

	memcpy(text, from, len);
	memcpy(text + len, rcpt, rcpt_len);
	if (EVP_Digest(text, len + rcpt_len, digest, &n, EVP_sha256(), NULL) != 1)
		return false;
	memcpy(into, digest, FIRSTS_HASH);
	return true;
}

static struct first_heard *place_of(struct firsts *firsts, const unsigned char h[FIRSTS_HASH])
{
	return &firsts->heard[((size_t)h[0] << 8 | h[1]) % FIRSTS_KEPT];
}

static void recall(struct firsts *firsts, const char *from, struct first *f)
{
	const struct first_heard *heard;

	if (firsts == NULL || f->delivered || !hash(from, f->address, f->hash))
		return;
	heard = place_of(firsts, f->hash);
	f->known = heard->until > clock_boot() && memcmp(heard->hash, f->hash, sizeof f->hash) == 0;
	f->mails = f->known ? heard->mails : 0;
}

static void remember(struct firsts *firsts, const struct first *f)
{
	struct first_heard *heard;

	if (firsts == NULL || f->delivered)
		return;
	heard = place_of(firsts, f->hash);
	memcpy(heard->hash, f->hash, sizeof heard->hash);
	heard->mails = f->mails;
	heard->until = clock_boot() + (f->mails > 0 ? KNOWN_FOR : NEW_FOR);
}

/* ---- of whom it is to be said ------------------------------------------------------------- */

/* The recipients of all legs, which are of one sender. */
static void gather(struct firsts_work *w, struct firsts *firsts, const json_t *legs)
{
	json_t *leg, *rcpt;
	size_t i, k;

	json_array_foreach(legs, i, leg)
	{
		const char *from = json_string_value(json_object_get(leg, "from"));

		if (w->n == 0 && from != NULL)
			(void)!org_normal(from, w->from);
		json_array_foreach(json_object_get(leg, "recipients"), k, rcpt)
		{
			const char *address = json_string_value(json_object_get(rcpt, "address"));
			const char *fate = json_string_value(json_object_get(rcpt, "fate"));
			struct first *f = &w->first[w->n];

			if (w->n == ASKED_MAX || address == NULL)
				continue;
			f->rcpt = rcpt;
			f->delivered = fate != NULL && strcmp(fate, "delivered") == 0;
			(void)!org_normal(address, f->address);
			recall(firsts, w->from, f);
			w->n++;
		}
	}
}

static bool may_ask(const struct firsts *firsts)
{
	return firsts == NULL || firsts->rest <= clock_boot();
}

/* Begins to ask for those of whom nothing is known. */
static void ask(struct firsts_work *w, const struct firsts *firsts)
{
	const char *rcpt[ASKED_MAX];

	for (size_t i = 0; i < w->n; i++) {
		if (w->first[i].known)
			continue;
		rcpt[w->asks] = w->first[i].address;
		w->asked[w->asks++] = i;
	}
	if (w->asks > 0 && w->from[0] != '\0' && may_ask(firsts))
		w->call = past_call_counts(w->from, rcpt, w->asks, PATIENCE);
}

/* ---- saying it ---------------------------------------------------------------------------- */

/* Whether a rule's look at the mail says that recipient `n` of the leg was new then. */
static bool check_says(const json_t *leg, json_int_t n)
{
	json_t *check, *rcpt;
	size_t i, k;

	json_array_foreach(json_object_get(leg, "checks"), i, check)
	{
		const char *fact = json_string_value(json_object_get(check, "fact"));

		if (fact == NULL || strcmp(fact, "first-time") != 0)
			continue;
		json_array_foreach(json_object_get(check, "rcpt"), k, rcpt)
		{
			if (json_integer_value(rcpt) == n)
				return true;
		}
	}
	return false;
}

/* null, unless something better is known. */
static void say_unknown(json_t *legs)
{
	json_t *leg, *rcpt;
	size_t i, k;

	json_array_foreach(legs, i, leg)
	{
		json_array_foreach(json_object_get(leg, "recipients"), k, rcpt)
		{
			json_int_t n = json_integer_value(json_object_get(rcpt, "n"));

			answer_set(rcpt, "first", check_says(leg, n) ? json_true() : json_null());
		}
	}
}

static void say_known(const struct firsts_work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct first *f = &w->first[i];

		if (f->known)
			answer_set(f->rcpt, "first", json_boolean(f->mails <= f->delivered));
	}
}

/* ---- the request -------------------------------------------------------------------------- */

static struct firsts_work *begin(struct answering *a, json_t *legs)
{
	struct firsts_work *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->answer = json_incref(a->json);
	gather(w, a->turn->firsts, legs);
	ask(w, a->turn->firsts);
	return w;
}

/* False: not all has come. */
static bool hear(struct answering *a, struct firsts_work *w)
{
	switch (past_call_count(w->call, w->counts)) {
	case PAST_CALLED:
		break;
	case PAST_WAITS:
		a->turn->call = w->call;
		return false;
	case PAST_FAILED:
		if (errno == ETIMEDOUT && a->turn->firsts != NULL)
			a->turn->firsts->rest = clock_boot() + REST;
		return true;
	}
	for (size_t i = 0; i < w->asks; i++) {
		struct first *f = &w->first[w->asked[i]];

		f->known = true;
		f->mails = w->counts[i];
		remember(a->turn->firsts, f);
	}
	return true;
}

bool firsts_fill(struct answering *a)
{
	struct firsts_work *w = a->work->firsts;
	json_t *legs;

	if (w == NULL) {
		legs = json_object_get(a->json, "legs");
		if (json_array_size(legs) == 0)
			return true;
		say_unknown(legs);
		w = a->work->firsts = begin(a, legs);
		if (w == NULL)
			return true;
	}
	if (w->call != NULL && !hear(a, w))
		return false;
	say_known(w);
	if (a->json != w->answer)
		(void)json_object_update(a->json, w->answer);
	return true;
}
