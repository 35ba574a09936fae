/* Writing down what became of recipients. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/hex.h"
#include "lib/base/log.h"
#include "lib/base/xtext.h"
#include "lib/deliver/visit.h"
#include "lib/dsn/dsn.h"

#define RECENT       8  /* different results that are looked at for one that says the same */
#define MANY         64 /* results of one task, beyond which replies are cut short */
#define REPLY_SHORT  ((size_t)120)    /* bytes of xtext */
#define DEFERRED_MAX ((size_t)262144) /* of deferred records in one task; the rest share one */
#define EXPIRED      "4.4.7"

/* What a result comes to for one recipient. */
enum fate {
	FATE_DELIVERED,
	FATE_RELAYED, /* delivered, and its sender wants to know */
	FATE_FAILED,
	FATE_EXPIRED, /* failed for now once too often */
	FATE_DOUBTED, /* nobody knows whether it arrived */
	FATE_BOUNCED, /* failed, and nobody is to be told */
	FATE_LAPSED,  /* expired, and nobody is to be told */
	FATE_DEFERRED,
	FATES
};

/* NOTIFY= of a recipient as bits. */
static unsigned notify_of(const struct leg *leg, size_t rcpt)
{
	size_t len;
	const char *text = leg_param(leg->rcpt[rcpt].params, "notify", &len);
	char plain[64];

	if (text == NULL || len > sizeof plain || !xtext_decode(text, len, plain, &len))
		return 0;
	return dsn_notify_read(plain, len);
}

void visit_put_rcpts(struct buf *out, const size_t *rcpt, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t last = i;

		while (last + 1 < n && rcpt[last + 1] == rcpt[last] + 1)
			last++;
		buf_addf(out, "%s%zu", i == 0 ? " rcpt=" : ",", rcpt[i] + 1);
		if (last > i)
			buf_addf(out, "-%zu", rcpt[last] + 1);
		i = last;
	}
}

bool visit_append(struct visit *v)
{
	struct stage_opened *o = &v->o;

	if (!buf_ok(&v->owed))
		die_environ("memory for records"); /* without them nothing may go on */
	if (v->owed.len == 0)
		return true;
	if (spool_append(o->fd, o->leg.end, v->owed.bytes, v->owed.len)) {
		/* Kept beside the leg as well: a notification is made from what its records say. */
		buf_add(&o->leg.trailer_bytes, v->owed.bytes, v->owed.len);
		o->leg.end += (off_t)v->owed.len;
		buf_clear(&v->owed);
		known_put_end(&v->past, &o->leg, visit_now(v));
		if (v->past.len > 0)
			known_tell(v->known, &v->past);
		return true;
	}
	LOG_ALARM("append-failed", kv("name", o->text), kv_errno(errno));
	return false;
}

/* ---- what it comes to --------------------------------------------------------------------- */

bool visit_wants(const struct visit *v, size_t rcpt, enum dsn_action action)
{
	return dsn_wanted(notify_of(&v->o.leg, rcpt), action, v->o.leg.from[0] == '\0') ==
	       DSN_TO_SENDER;
}

/* How a recipient's destination wants to be retried. */
static const struct manner *manner_at(const struct visit *v, size_t rcpt, struct manner *m)
{
	const struct routing *r = v->routing;
	const char *at = strrchr(v->o.leg.rcpt[rcpt].address, '@');
	const char *domain = at == NULL ? r->hostname : at + 1;

	manner_of(m, r->routes, r->fallback, &r->settings, domain, strlen(domain));
	return m;
}

int64_t visit_expire(const struct visit *v, size_t rcpt)
{
	struct manner m;

	return manner_at(v, rcpt, &m)->expire;
}

static bool expired(const struct visit *v, size_t rcpt)
{
	const struct leg_rcpt *at = &v->o.leg.rcpt[rcpt];

	return !v->clock_frozen && at->first_tried > 0 &&
	       visit_now(v) - at->first_tried >= visit_expire(v, rcpt);
}

static enum fate fate_of(const struct visit *v, const struct result *r, size_t rcpt)
{
	bool told = visit_wants(v, rcpt, DSN_FAILED);

	/* Lost behind the dot for a second time: rather a notification than one copy after another. */
	if (r->class == REMOTE_UNKNOWN && v->o.leg.rcpt[rcpt].doubts > 0)
		return told ? FATE_DOUBTED : FATE_BOUNCED;
	switch (r->class) {
	case REMOTE_DELIVERED:
		return !r->dsn && visit_wants(v, rcpt, DSN_RELAYED) ? FATE_RELAYED : FATE_DELIVERED;
	case REMOTE_REFUSED:
		return told ? FATE_FAILED : FATE_BOUNCED;
	case REMOTE_DEFERRED:
	case REMOTE_UNKNOWN:
	case REMOTE_UNTRIED:
		break;
	}
	if (!expired(v, rcpt))
		return FATE_DEFERRED;
	return told ? FATE_EXPIRED : FATE_LAPSED;
}

/* Its age counts from here; the first one is being written down just now. */
static int64_t first_try(const struct visit *v, const struct leg_rcpt *rcpt)
{
	return rcpt->first_tried > 0 ? rcpt->first_tried : visit_now(v);
}

/* When its sender is to be told that it is late, or 0: not at all, or not any more. */
static int64_t warned_at(const struct visit *v, size_t rcpt)
{
	const struct leg_rcpt *at = &v->o.leg.rcpt[rcpt];
	struct manner m;
	int64_t after = manner_at(v, rcpt, &m)->warn;

	if (after == 0 || at->warned || !visit_wants(v, rcpt, DSN_DELAYED))
		return 0;
	return first_try(v, at) + after;
}

/* The wait before the next try: doubled each time, and never all at once after an outage. */
static int64_t next_try(const struct visit *v, size_t rcpt)
{
	const struct leg_rcpt *at = &v->o.leg.rcpt[rcpt];
	struct manner m;
	int64_t wait = manner_at(v, rcpt, &m)->retry, longest = v->routing->settings.retry_longest;
	int64_t spread = hex_digit(v->name.id[ID_LEN - 1]); /* 0 to 15, another for each message */
	int64_t next, end = first_try(v, at) + m.expire;
	int64_t warning = warned_at(v, rcpt), now = visit_now(v);

	for (unsigned i = 0; i < at->tries && wait < longest; i++)
		wait *= 2;
	if (wait > longest && at->tries > 0)
		wait = longest;
	next = now + wait - wait / 8 + wait / 4 * spread / 16;
	/* A sender is told in time, and not at the next try behind it; the last try is made in time, too. */
	if (next > warning && warning > now)
		next = warning;
	return next > end && end > now ? end : next;
}

/* ---- one record --------------------------------------------------------------------------- */

static void begin(struct visit *v, const char *word, const size_t *rcpt, size_t n)
{
	char time[CLOCK_TEXT];

	clock_format(visit_now(v), time);
	buf_addf(&v->owed, "%s %s plan=%s", time, word, v->o.leg.plan.digest);
	visit_put_rcpts(&v->owed, rcpt, n);
}

/* A reply is cut between two escapes. */
static void add_reply(struct buf *out, const char *reply, size_t most)
{
	size_t len = strlen(reply);

	if (len > most) {
		len = most;
		if (reply[len - 1] == '+')
			len -= 1;
		else if (reply[len - 2] == '+')
			len -= 2;
	}
	buf_addf(out, " reply=%.*s\n", (int)len, reply);
}

/* What is said in the log when the records stand. */
struct said {
	const char *event;
	const struct result *result;
	size_t rcpts;
};

static void log_result(const struct visit *v, const char *event, const struct result *r, size_t n)
{
	char id[NAME_TEXT], plain[VERDICT_REPLY_MAX + 1];

	visit_id(v, id);
	verdict_plain(r->reply, plain);
	LOG(event, kv("id", id), kv_num("rcpts", (int64_t)n), kv("host", r->host),
	    kv("tls", r->tls), kv("status", r->status), kv("reply", plain),
	    kv("sha256", v->o.leg.sha256), kv("sent", r->sent));
	if (r->class == REMOTE_UNKNOWN)
		LOG_ALARM("possible-duplicate", kv("id", id), kv("host", r->host),
		    kv("why", "the connection was lost behind the final dot"));
}

static void say_later(struct visit *v, const char *event, const struct result *r, size_t n)
{
	const struct said said = {event, r, n};

	buf_add(&v->said, &said, sizeof said);
}

static void say(struct visit *v)
{
	for (size_t at = 0; at + sizeof(struct said) <= v->said.len; at += sizeof(struct said)) {
		struct said said;

		memcpy(&said, v->said.bytes + at, sizeof said);
		log_result(v, said.event, said.result, said.rcpts);
	}
	buf_clear(&v->said);
}

/* ---- each kind of record ------------------------------------------------------------------ */

static void put_delivered(
    struct visit *v, const struct result *r, const size_t *rcpt, size_t n, bool owed, size_t reply)
{
	begin(v, "delivered", rcpt, n);
	buf_addf(&v->owed, " host=%s tls=%s%s", r->host, r->tls, owed ? " notice=owed" : "");
	add_reply(&v->owed, r->reply, reply);
	for (size_t i = 0; i < n; i++) {
		v->o.leg.rcpt[rcpt[i]].fate = RCPT_DELIVERED;
		v->o.leg.rcpt[rcpt[i]].owed = owed;
	}
	known_put(&v->past, &v->o.leg, rcpt, n, visit_now(v));
	v->sync = true;
	v->tell |= owed;
	say_later(v, "delivered", r, n);
}

static void put_failed(struct visit *v, const struct result *r, const size_t *rcpt, size_t n,
    bool told, const char *status, size_t reply)
{
	char id[NAME_TEXT];

	begin(v, told ? "failed" : "bounced", rcpt, n);
	buf_addf(&v->owed, "%s host=%s status=%s", told ? "" : " notice=none", r->host, status);
	add_reply(&v->owed, r->reply, reply);
	for (size_t i = 0; i < n; i++) {
		v->o.leg.rcpt[rcpt[i]].fate = told ? RCPT_FAILED : RCPT_BOUNCED;
		v->o.leg.rcpt[rcpt[i]].owed = told;
	}
	v->tell |= told;
	say_later(v, "failed", r, n);
	visit_id(v, id);
	if (!told && v->o.leg.from[0] == '\0')
		LOG_ALARM("double-bounce", kv("id", id), kv_num("rcpts", (int64_t)n));
}

/* Whether this one's sender is to hear now that it is late. */
static bool becomes_late(const struct visit *v, size_t rcpt)
{
	int64_t at = warned_at(v, rcpt);

	return at > 0 && !v->clock_frozen && visit_now(v) >= at;
}

static void put_deferred(
    struct visit *v, const struct result *r, const size_t *rcpt, size_t n, size_t reply)
{
	int64_t until = next_try(v, rcpt[0]), at;
	char time[CLOCK_TEXT];

	for (size_t i = 1; i < n; i++) {
		at = next_try(v, rcpt[i]);
		until = at < until ? at : until;
	}
	clock_format(until, time);
	begin(v, "deferred", rcpt, n);
	buf_addf(&v->owed, " until=%s host=%s status=%s%s", time, r->host, r->status,
	    r->class == REMOTE_UNKNOWN ? " doubt=yes" : "");
	add_reply(&v->owed, r->reply, reply);
	for (size_t i = 0; i < n; i++) {
		struct leg_rcpt *open = &v->o.leg.rcpt[rcpt[i]];

		open->retry = until;
		open->tries++;
		open->last_tried = visit_now(v);
		open->doubts += r->class == REMOTE_UNKNOWN;
		if (open->first_tried == 0)
			open->first_tried = open->last_tried;
		if (v->late == NULL && becomes_late(v, rcpt[i]))
			v->late = calloc(v->o.leg.rcpts, sizeof *v->late);
		if (v->late != NULL && becomes_late(v, rcpt[i]))
			v->late[rcpt[i]] = v->tell = true;
	}
	say_later(v, "deferred", r, n);
}

static void put(struct visit *v, const struct result *r, enum fate fate, const size_t *rcpt,
    size_t n, size_t reply)
{
	switch (fate) {
	case FATE_DELIVERED:
	case FATE_RELAYED:
		put_delivered(v, r, rcpt, n, fate == FATE_RELAYED, reply);
		break;
	case FATE_FAILED:
	case FATE_BOUNCED:
		put_failed(v, r, rcpt, n, fate == FATE_FAILED, r->status, reply);
		break;
	case FATE_EXPIRED:
	case FATE_LAPSED:
		put_failed(v, r, rcpt, n, fate == FATE_EXPIRED, EXPIRED, reply);
		break;
	case FATE_DOUBTED:
		put_failed(v, r, rcpt, n, true, "4.4.2", reply);
		break;
	case FATE_DEFERRED:
		put_deferred(v, r, rcpt, n, reply);
		break;
	case FATES:
		break;
	}
}

static int by_number(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* All the recipients of a result and of those that say the same, in order. */
static size_t all_of(const struct result *r, size_t *all)
{
	size_t n = 0;

	for (const struct result *at = r; at != NULL; at = at->more) {
		memcpy(all + n, at->rcpt, at->rcpts * sizeof *all);
		n += at->rcpts;
	}
	if (r->more != NULL)
		qsort(all, n, sizeof *all, by_number);
	return n;
}

/* The records of one result: one for each fate that it means. */
static void settle(struct visit *v, const struct result *r, size_t reply)
{
	size_t *pick = v->scratch, *all = v->scratch + v->o.leg.rcpts, n = all_of(r, all);
	unsigned char fate[LEG_RCPTS_MAX];

	for (size_t i = 0; i < n; i++)
		fate[i] = (unsigned char)fate_of(v, r, all[i]);
	for (int f = 0; f < FATES; f++) {
		size_t picked = 0;

		for (size_t i = 0; i < n; i++) {
			if (fate[i] == f)
				pick[picked++] = all[i];
		}
		if (picked > 0)
			put(v, r, (enum fate)f, pick, picked, reply);
	}
}

/* ---- all of a task ------------------------------------------------------------------------ */

/*
 * The trailer is bounded: when a leg has many destinations that all fail for now, again and again,
 * they share one record that says no more than until when.
 */
static bool crowded(const struct visit *v)
{
	size_t used = (size_t)(v->o.leg.end - v->o.leg.trailer) + v->owed.len;

	return v->owed.len > DEFERRED_MAX || used > (size_t)v->stage->limits.trailer_max / 2;
}

/* Room is left for what is to come: words are cut before they are left out. */
static bool filling(const struct visit *v)
{
	size_t used = (size_t)(v->o.leg.end - v->o.leg.trailer) + v->owed.len;

	return used > (size_t)v->stage->limits.trailer_max / 4;
}

static bool same(const struct result *a, const struct result *b)
{
	return a->batch == b->batch && a->class == b->class && a->phase == b->phase &&
	       a->dsn == b->dsn && strcmp(a->status, b->status) == 0 &&
	       strcmp(a->reply, b->reply) == 0 && strcmp(a->host, b->host) == 0;
}

/* One record for each session and reply: what was said of one recipient after another is put together. */
static void merge(struct results *list)
{
	struct result *recent[RECENT] = {NULL}, **at = &list->first;
	size_t n = 0;

	while (*at != NULL) {
		struct result *r = *at, *first = NULL;

		for (size_t i = 0; i < RECENT && first == NULL; i++) {
			if (recent[i] != NULL && same(recent[i], r))
				first = recent[i];
		}
		if (first == NULL) {
			recent[n++ % RECENT] = r;
			at = &r->next;
			continue;
		}
		*at = r->next;
		r->next = NULL;
		r->more = first->more;
		first->more = r;
	}
	list->end = at;
}

bool visit_record(struct visit *v)
{
	size_t *crowd = v->scratch + 2 * v->o.leg.rcpts, results = 0, left = 0;
	struct result several = {.class = REMOTE_DEFERRED,
	    .status = "4.0.0",
	    .host = "-",
	    .tls = "-",
	    .sent = "-",
	    .reply = "several+20servers,+20several+20reasons:+20see+20the+20log"};

	bool done;

	merge(&v->taken);
	for (const struct result *r = v->taken.first; r != NULL; r = r->next)
		results++;
	for (const struct result *r = v->taken.first; r != NULL; r = r->next) {
		bool now = r->class == REMOTE_DELIVERED || r->class == REMOTE_REFUSED ||
			   r->class == REMOTE_UNKNOWN || !crowded(v);

		v->damaged |= r->damaged;
		if (now) {
			settle(
			    v, r, results > MANY || filling(v) ? REPLY_SHORT : VERDICT_REPLY_MAX);
			continue;
		}
		left += all_of(r, crowd + left);
	}
	if (left > 0) {
		qsort(crowd, left, sizeof *crowd, by_number);
		several.rcpt = crowd;
		several.rcpts = left;
		settle(v, &several, VERDICT_REPLY_MAX);
	}
	done = visit_append(v);
	say(v); /* if it could not be written, an alarm has said so before */
	results_free(&v->taken);
	return done;
}
