/* PINs: set by who is logged in, and shown beside a link by who is not. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/login/inside.h"

/* ---- works -------------------------------------------------------------------------------- */

static void forget(struct login *l, struct login_work *work)
{
	struct login_work **at = &l->works;

	while (*at != work)
		at = &(*at)->next;
	*at = work->next;
	if (work->client != NULL)
		work->client->work = NULL;
	explicit_bzero(work, sizeof *work);
	free(work);
}

/* Gives it to the threads, with this hash to compare with or "". The client waits then. */
static void start(struct login *l, struct login_client *c, const struct login_work *work,
    const char *pin, const char *hash)
{
	struct login_work *mine = malloc(sizeof *mine);
	struct hasher_job job = {.context = mine};
	bool added;

	(void)snprintf(job.pin, sizeof job.pin, "%s", pin);
	(void)snprintf(job.hash, sizeof job.hash, "%s", hash);
	added = mine != NULL && hasher_add(l->hasher, &job);
	explicit_bzero(&job, sizeof job);
	if (!added) {
		free(mine);
		door_answer(l, c, answer_no("no", "later", "too many are at it just now"));
		return;
	}
	*mine = *work;
	mine->client = c;
	mine->next = l->works;
	l->works = mine;
	c->work = mine;
	c->state = CLIENT_HASHING;
	if (!login_watch(l, EPOLL_CTL_MOD, c->fd, 0, &c->watch))
		door_drop(l, c);
}

static void answer(struct login *l, const struct login_work *work, json_t *json)
{
	if (work->client != NULL)
		door_answer(l, work->client, json);
	else
		json_decref(json);
}

/* ---- setting ------------------------------------------------------------------------------ */

static json_t *changed(struct login *l, const char *address, const char *hash)
{
	bool done;

	if (!told_pin(l, address, hash != NULL))
		return answer_no("no", "later", "the audit log cannot be written");
	done = hash != NULL ? pins_set(l->pins, address, hash) : pins_remove(l->pins, address);
	if (!done) {
		LOG_ALARM("login-unwritten", kv("what", "pin"), kv_errno(errno));
		return answer_no("unknown", "environment", "it cannot be written");
	}
	LOG("login-pin", kv("who", address), kv("is", hash != NULL ? "set" : "removed"));
	return answer_no("done", NULL, NULL);
}

void number_set(struct login *l, struct login_client *c, const char *address)
{
	const char *pin = login_request_value(&l->parsed, "pin");
	struct login_work work = {.client = c};

	if (pin == NULL || (pin[0] != '\0' && !pins_fits(pin))) {
		door_answer(l, c, answer_no("no", "words", "a PIN has 4 to 12 digits"));
		return;
	}
	if (pin[0] == '\0') {
		door_answer(l, c, changed(l, address, NULL));
		return;
	}
	if (pins_weak(pin)) {
		door_answer(l, c, answer_no("no", "weak", "that one is tried first"));
		return;
	}
	(void)snprintf(work.address, sizeof work.address, "%s", address);
	start(l, c, &work, pin, "");
}

static void was_hashed(struct login *l, const struct login_work *work, const struct hasher_job *job)
{
	if (job->verdict == PASSWD_RIGHT)
		answer(l, work, changed(l, work->address, job->hash));
	else
		answer(l, work, answer_no("no", "later", "it cannot be hashed just now"));
}

/* ---- proving ------------------------------------------------------------------------------ */

static json_t *prove(const struct login *l, const char *cap)
{
	char text[GATE_PROOF_TEXT];
	json_t *json;

	if (!gate_proof_write(&l->key, cap, clock_wall() + LOGIN_TICKET, text))
		return answer_no("no", "later", "nothing can be signed just now");
	json = answer_no("done", NULL, NULL);
	(void)json_object_set_new(json, "proof", json_string(text));
	return json;
}

static json_t *capped(void)
{
	return answer_no("no", "capped", "too many wrong PINs: try again in an hour, or log in");
}

/* A second one of the same person waits for nobody: so never more are tried than may be. */
static bool is_tried(const struct login *l, const unsigned char who[GATE_WHO_LEN])
{
	const struct login_work *work = l->works;

	while (work != NULL && (!work->proof || memcmp(work->who, who, GATE_WHO_LEN) != 0))
		work = work->next;
	return work != NULL;
}

static void try(
    struct login *l, struct login_client *c, const struct login_work *work, const char *pin)
{
	const char *hash, *address = pins_whose(l->pins, &l->key, work->who, &hash);

	if (!pins_may(l->pins, work->who, clock_boot()))
		door_answer(l, c, capped());
	else if (address == NULL)
		door_answer(l, c, answer_no("no", "none", "he has no PIN: he can log in"));
	else if (pins_worn(l->pins, address))
		door_answer(l, c, answer_no("no", "capped", "too many wrong PINs: log in first"));
	else if (is_tried(l, work->who))
		door_answer(l, c, answer_no("no", "later", "one is being tried already"));
	else
		start(l, c, work, pin, hash);
}

void number_prove(struct login *l, struct login_client *c)
{
	const char *cap = login_request_value(&l->parsed, "cap");
	const char *pin = login_request_value(&l->parsed, "pin");
	const char *source = login_request_value(&l->parsed, "source");
	struct login_work work = {.client = c, .proof = true};
	struct gate_capability capability;

	if (cap == NULL || pin == NULL || source == NULL || !pins_fits(pin)) {
		door_answer(
		    l, c, answer_no("no", "words", "cap=, pin= or source= is missing, or none"));
		return;
	}
	switch (gate_capability_read(&l->key, cap, strlen(cap), clock_wall(), &capability)) {
	case GATE_FORGED:
		door_answer(l, c, answer_no("forged", NULL, "that link is none of ours"));
		return;
	case GATE_EXPIRED:
		door_answer(l, c, answer_no("expired", NULL, "the link has expired"));
		return;
	case GATE_GOOD:
		break;
	}
	memcpy(work.cap, cap, sizeof work.cap);
	memcpy(work.who, capability.who, sizeof work.who);
	(void)snprintf(work.source, sizeof work.source, "%s", source);
	try(l, c, &work, pin);
}

static void was_wrong(struct login *l, const struct login_work *work)
{
	const char *hash, *who = pins_whose(l->pins, &l->key, work->who, &hash);

	LOG("login-pin-wrong", kv("who", who), kv("source", work->source));
	if (pins_wrong(l->pins, work->who, clock_boot()))
		LOG_ALARM("login-pin-capped", kv("who", who), kv("source", work->source));
	if (who != NULL && !pins_wear(l->pins, who, clock_wall()))
		LOG_ALARM("login-unwritten", kv("what", "pin"), kv_errno(errno));
	if (who != NULL && pins_worn(l->pins, who))
		LOG_ALARM("login-pin-worn", kv("who", who), kv("source", work->source));
	answer(l, work, answer_no("no", "wrong", "that is not the PIN"));
}

static void was_compared(
    struct login *l, const struct login_work *work, const struct hasher_job *job)
{
	switch (job->verdict) {
	case PASSWD_RIGHT:
		answer(l, work, prove(l, work->cap));
		break;
	case PASSWD_WRONG:
		was_wrong(l, work);
		break;
	case PASSWD_FAILED:
		answer(l, work, answer_no("no", "later", "it cannot be hashed just now"));
		break;
	}
}

void number_hashed(struct login *l, void *owner, uint32_t events)
{
	struct hasher_job *job;

	(void)owner;
	(void)events;
	while ((job = hasher_done(l->hasher)) != NULL) {
		struct login_work *work = job->context;

		if (work->proof)
			was_compared(l, work, job);
		else
			was_hashed(l, work, job);
		forget(l, work);
		hasher_job_free(job);
	}
}
