/* What a session says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/base/xtext.h"
#include "lib/deliver/session.h"

#define UNTRIED_MAX 3 /* sessions that may be lost under a batch before it is put off */

/* ---- results ------------------------------------------------------------------------------ */

/* What is collected of one "R". */
struct naming {
	const struct batch *batch;
	size_t *rcpt;  /* of the leg */
	size_t *index; /* of the batch */
	size_t n;
	bool again; /* somebody was named before */
};

static void name_rcpt(void *context, size_t index)
{
	struct naming *n = context;

	n->again |= n->batch->answered[index];
	n->index[n->n] = index;
	n->rcpt[n->n++] = n->batch->rcpt[index];
}

/* Refused over IPv6 by policy (no PTR, no reputation), where IPv4 may do better: C15. */
static bool better_over_4(const struct session *s, const struct batch *b, const struct verdict *v)
{
	bool any4 = false;

	if (!s->v6 || b->had4 || v->class != REMOTE_REFUSED || strncmp(v->status, "5.7.", 4) != 0 ||
	    v->phase == PHASE_LOCAL || s->destination->manner.ip != ROUTE_IP_ANY)
		return false;
	for (size_t i = 0; i < s->destination->peers; i++)
		any4 |= !session_is_v6(s->destination->peer[i].address);
	return any4;
}

/* The recipients of an "R" have this outcome. */
static void take_result(struct session *s, const struct naming *n, const struct verdict *v)
{
	struct destination *d = s->destination;
	struct visit *visit = s->batch->visit;

	for (size_t i = 0; i < n->n; i++)
		s->batch->answered[n->index[i]] = true;
	if (!results_add(&visit->results, s->batch, n->rcpt, n->n, v, s->host, s->tls, s->dsn))
		die_environ("memory for results");
	visit->urgent |= v->class == REMOTE_DELIVERED || v->class == REMOTE_UNKNOWN;
	if (v->class == REMOTE_DELIVERED && d->window < d->manner.sessions)
		d->window++;
}

static bool hear_results(struct session *s, const char *text, size_t len)
{
	struct batch *b = s->batch;
	struct naming naming = {.batch = b};
	struct verdict verdict;
	bool fine;

	if (b == NULL || !verdict_read(text, len, &verdict))
		return false;
	naming.rcpt = reallocarray(NULL, b->rcpts, 2 * sizeof *naming.rcpt);
	if (naming.rcpt == NULL)
		die_environ("memory for results");
	naming.index = naming.rcpt + b->rcpts;
	fine = verdict_rcpts(text, len, b->rcpts, name_rcpt, &naming) && !naming.again;
	if (fine && better_over_4(s, b, &verdict))
		b->want4 = true;
	else if (fine && verdict.class != REMOTE_UNTRIED)
		take_result(s, &naming, &verdict);
	free(naming.rcpt);
	s->last = verdict;
	return fine;
}

/* Leaves only those of whom nothing has been said. */
static size_t keep_unanswered(struct batch *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->rcpts; i++) {
		if (!b->answered[i])
			b->rcpt[n++] = b->rcpt[i];
	}
	b->rcpts = n;
	memset(b->answered, 0, n * sizeof *b->answered);
	return n;
}

/* Back into the queue; what has been said of the others is written down meanwhile. */
static void try_again(struct session *s, struct batch *b)
{
	struct visit *v = b->visit;

	if (destination_return(s->engine, b))
		engine_step(s->engine, v); /* it is still waited for: nothing is freed */
}

/* Its sessions over IPv6 get no other message. */
static void leave_ipv6(struct session *s)
{
	struct destination *d = s->destination;

	d->only4_until = clock_boot() + s->engine->routing->settings.deliver_fallback_time;
	for (struct session *other = d->sessions; other != NULL; other = other->next)
		other->reuse &= !other->v6;
	s->reuse = false;
	LOG("only-ipv4", kv("destination", d->label), kv("host", s->host),
	    kv("status", s->last.status));
}

/* The session is done with the batch. `lost`: why nothing was said of some; NULL: try them again. */
void session_end_batch(struct session *s, const struct verdict *lost)
{
	struct engine *e = s->engine;
	struct batch *b = s->batch;
	struct verdict why;
	size_t before;

	s->batch = NULL;
	before = b->rcpts;
	if (keep_unanswered(b) < before)
		b->untried = 0; /* the session has done something for it */
	if (b->rcpts == 0) {
		b->visit->running--;
		engine_step(e, b->visit);
		return;
	}
	if (b->want4 && lost == NULL) {
		b->want4 = false;
		b->had4 = true;
		leave_ipv6(s);
		try_again(s, b);
		return;
	}
	b->want4 = false;
	if (lost == NULL && ++b->untried <= UNTRIED_MAX) {
		try_again(s, b);
		return;
	}
	if (lost == NULL) {
		verdict_make(&why, REMOTE_DEFERRED, PHASE_IDLE, "4.4.2",
		    "the server ended one session after another");
		lost = &why;
	}
	if (!results_add(&b->visit->results, b, b->rcpt, b->rcpts, lost, s->host, s->tls, s->dsn))
		die_environ("memory for results");
	b->visit->urgent |= lost->class == REMOTE_UNKNOWN;
	b->visit->running--;
	engine_step(e, b->visit);
}

/* ---- frames ------------------------------------------------------------------------------- */

static void copy_value(const char *text, size_t len, const char *key, char *out, size_t room)
{
	size_t n;
	const char *value = verdict_value(text, len, key, &n);

	if (value == NULL || n == 0 || n >= room || !xtext_valid(value, n)) {
		(void)snprintf(out, room, "-");
		return;
	}
	memcpy(out, value, n);
	out[n] = '\0';
}

static bool has_word(const char *list, size_t len, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list, *end = list + len; p < end;) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		size_t part = (size_t)((comma != NULL ? comma : end) - p);

		if (part == n && memcmp(p, word, n) == 0)
			return true;
		p += part + 1;
	}
	return false;
}

static bool hear_open(struct session *s, const char *text, size_t len)
{
	char peer[SESSION_WORD_ROOM * 2];
	size_t n;
	const char *offers = verdict_value(text, len, "offers", &n);

	if (s->state != SESSION_OPENING)
		return false;
	copy_value(text, len, "peer", peer, sizeof peer);
	copy_value(text, len, "host", s->host, sizeof s->host);
	if (strcmp(s->host, "-") == 0)
		(void)snprintf(s->host, sizeof s->host, "%s", peer);
	copy_value(text, len, "tls", s->tls, sizeof s->tls);
	s->v6 = session_is_v6(peer);
	s->dsn = offers != NULL && has_word(offers, n, "DSN");
	s->state = SESSION_IDLE;
	s->since = clock_boot();
	s->destination->opening--;
	s->destination->silent = 0;
	s->destination->worked = true;
	return true;
}

static bool hear_attempt(struct session *s, const char *text, size_t len)
{
	struct verdict verdict;
	char peer[SESSION_WORD_ROOM * 2], reply[VERDICT_REPLY_MAX + 1];

	if (s->state != SESSION_OPENING || ++s->attempts > 2 * REMOTE_PEERS_MAX ||
	    !verdict_read(text, len, &verdict))
		return false;
	copy_value(text, len, "peer", peer, sizeof peer);
	(void)snprintf(s->host, sizeof s->host, "%s", peer);
	verdict_plain(verdict.reply, reply);
	LOG("attempt-failed", kv("destination", s->destination->label), kv("peer", peer),
	    kv("phase", remote_phase_word(verdict.phase)), kv("status", verdict.status),
	    kv("reply", reply));
	return true;
}

/* "D": the message is over. */
static bool hear_done(struct session *s, const char *text, size_t len)
{
	const struct settings *set = &s->engine->routing->settings;
	char sha256[LEG_DIGEST_LEN + 1] = "-", id[NAME_TEXT];
	bool noted = false;

	if (s->batch == NULL || s->sent < s->out.len)
		return false; /* it cannot be over before we have said it */
	copy_value(text, len, "sha256", sha256, sizeof sha256);
	for (struct result *r = s->batch->visit->results.first; r != NULL; r = r->next) {
		if (r->batch == s->batch) {
			memcpy(r->sent, sha256, sizeof r->sent);
			noted = true;
		}
	}
	if (!noted && strcmp(sha256, "-") != 0) {
		/* The results have been written down before the message was over. */
		name_format(&s->batch->visit->name, STATE_SENT, id);
		LOG("sent", kv("id", id), kv("host", s->host), kv("sent", sha256));
	}
	s->state = SESSION_IDLE;
	s->since = clock_boot();
	session_end_batch(s, NULL);
	if (s->messages >= (size_t)set->deliver_session_messages ||
	    clock_boot() - s->opened >= set->deliver_session_time)
		s->reuse = false;
	return true;
}

/* "E": the session is over. */
static bool hear_end(struct session *s, const char *text, size_t len)
{
	if (!verdict_read(text, len, &s->last))
		return false;
	s->told = true;
	return true;
}

static bool hear_frame(struct session *s, char type, const char *text, size_t len)
{
	switch (type) {
	case 'A':
		return hear_attempt(s, text, len);
	case 'O':
		return hear_open(s, text, len);
	case 'R':
		return hear_results(s, text, len);
	case 'D':
		return hear_done(s, text, len);
	case 'E':
		return hear_end(s, text, len);
	default:
		return false;
	}
}

/* Works on every whole frame that has come. False: it is no frame, or makes no sense. */
bool session_hear(struct session *s)
{
	size_t at = 0;
	bool fine = true;

	while (fine && s->in.len - at >= SESSION_HEADER) {
		const unsigned char *h = (const unsigned char *)s->in.bytes + at;
		size_t len = (size_t)h[1] << 24 | (size_t)h[2] << 16 | (size_t)h[3] << 8 | h[4];

		if (len > SESSION_FRAME_MAX)
			return false;
		if (s->in.len - at < SESSION_HEADER + len)
			break;
		fine = hear_frame(s, (char)h[0], (const char *)h + SESSION_HEADER, len);
		at += SESSION_HEADER + len;
	}
	memmove(s->in.bytes, s->in.bytes + at, s->in.len - at);
	s->in.len -= at;
	return fine;
}
