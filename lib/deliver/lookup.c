/* Asking seki-resolve where destinations are, without waiting for it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/deliver/engine.h"

#define ASKED_MAX  256                 /* questions without an answer */
#define PATIENCE   (10 * CLOCK_SECOND) /* beyond resolve-time */
#define AGAIN      CLOCK_SECOND        /* until a resolver that was not there is called again */
#define KNOWN_TIME (60 * CLOCK_SECOND) /* seki-resolve has the cache; this spares the question */

struct lookups {
	struct watcher watcher;
	int fd;
	struct buf in;
	struct destination *waiting, **waiting_end; /* by next_asking */
	struct destination *asked, **asked_end;
	size_t n_asked;
	int64_t
	    heard;    /* boot clock: when it last said something, or was asked the first question */
	int64_t down; /* boot clock until which it is not called */
	struct resolve_answer answer;
};

static void talk(struct engine *e);

struct lookups *lookups_new(struct engine *e)
{
	struct lookups *l = calloc(1, sizeof *l);

	(void)e;
	if (l == NULL)
		return NULL;
	l->fd = -1;
	l->waiting_end = &l->waiting;
	l->asked_end = &l->asked;
	buf_init(&l->in, RESOLVE_ANSWER_MAX + 4096);
	return l;
}

/* ---- the connection ----------------------------------------------------------------------- */

/* Whatever was asked is asked again, of the next resolver. */
static void hang_up(struct engine *e, const char *why)
{
	struct lookups *l = e->lookups;

	(void)close(l->fd);
	l->fd = -1;
	buf_clear(&l->in);
	l->down = clock_boot() + AGAIN;
	/* Behind the others: perhaps it was one of these that it died of. */
	*l->waiting_end = l->asked;
	if (l->asked != NULL)
		l->waiting_end = l->asked_end;
	l->asked = NULL;
	l->asked_end = &l->asked;
	l->n_asked = 0;
	engine_complain(e, true, why);
}

static void finish(struct engine *e, struct destination *d);
static bool heard_about(struct engine *e, struct destination *d);

/* Reads what has come; each whole answer goes to the destination that asked for it. */
static void hear(struct engine *e, void *owner, uint32_t events)
{
	struct lookups *l = owner;
	size_t used = 0;
	char *room;
	ssize_t n;

	(void)events;
	if (l->fd < 0)
		return;
	room = buf_reserve(&l->in, 4096);
	n = room != NULL ? recv(l->fd, room, 4096, MSG_DONTWAIT) : -1;
	if (n <= 0 && !(n < 0 && (errno == EAGAIN || errno == EINTR))) {
		hang_up(e, "it has gone");
		return;
	}
	l->in.len += n > 0 ? (size_t)n : 0;
	l->heard = clock_boot();

	while (l->in.len > 0) {
		struct destination **at = &l->asked, *d;

		switch (resolve_answer_read(l->in.bytes, l->in.len, &used, &l->answer)) {
		case RESOLVE_READ_MORE:
			return;
		case RESOLVE_READ_BROKEN:
			hang_up(e, "what it says is no answer");
			return;
		case RESOLVE_READ_WHOLE:
			break;
		}
		memmove(l->in.bytes, l->in.bytes + used, l->in.len - used);
		l->in.len -= used;
		while (*at != NULL && !heard_about(e, *at))
			at = &(*at)->next_asking;
		d = *at;
		if (d == NULL)
			continue;
		*at = d->next_asking;
		if (*at == NULL)
			l->asked_end = at;
		l->n_asked--;
		finish(e, d);
	}
	talk(e);
}

static bool call(struct engine *e)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = RESOLVE_SOCKET};
	struct lookups *l = e->lookups;

	if (l->fd >= 0)
		return true;
	if (clock_boot() < l->down)
		return false;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd >= 0 && connect(l->fd, (const struct sockaddr *)&to, sizeof to) == 0) {
		l->watcher = (struct watcher){.ready = hear, .owner = l};
		l->heard = clock_boot();
		engine_watch(e, l->fd, EPOLLIN, &l->watcher);
		return true;
	}
	if (l->fd < 0)
		l->fd = dup(STDERR_FILENO); /* hang_up closes it */
	hang_up(e, strerrordesc_np(errno));
	return false;
}

/* Asks what waits to be asked. */
static void talk(struct engine *e)
{
	struct lookups *l = e->lookups;
	char bytes[RESOLVE_QUESTION_MAX];

	while (l->waiting != NULL && l->n_asked < ASKED_MAX && call(e)) {
		struct destination *d = l->waiting;
		size_t len = resolve_question_write(d->asked_kind, d->asked, bytes);
		ssize_t n = send(l->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			return; /* when it has answered some there is room again */
		if (n != (ssize_t)len) {
			hang_up(e, "it does not listen");
			return;
		}
		l->waiting = d->next_asking;
		if (l->waiting == NULL)
			l->waiting_end = &l->waiting;
		d->next_asking = NULL;
		*l->asked_end = d;
		l->asked_end = &d->next_asking;
		if (l->n_asked++ == 0)
			l->heard = clock_boot();
	}
}

void lookups_tick(struct engine *e)
{
	struct lookups *l = e->lookups;
	int64_t patience = e->routing->settings.resolve_time + PATIENCE;

	if (l->n_asked > 0 && clock_boot() - l->heard > patience)
		hang_up(e, "it does not answer");
	talk(e);
}

/* ---- one destination ---------------------------------------------------------------------- */

static struct peers *found(struct destination *d)
{
	if (d->found == NULL)
		d->found = calloc(1, sizeof *d->found);
	if (d->found == NULL)
		die_environ("memory for addresses");
	return d->found;
}

/* Adds what needs no question. True: there is one to ask. */
static bool next_question(struct destination *d)
{
	enum peers_question q;

	while ((q = peers_ask(&d->manner, d->domain, d->nth, d->asked)) == PEERS_NOTHING) {
		if (d->asked[0] == '\0')
			return false;
		peers_add_literal(found(d), &d->manner, d->domain, d->nth++);
	}
	d->asked_kind = q == PEERS_MX ? RESOLVE_MX : RESOLVE_A;
	return true;
}

static void queue_question(struct engine *e, struct destination *d)
{
	struct lookups *l = e->lookups;

	d->next_asking = NULL;
	*l->waiting_end = d;
	l->waiting_end = &d->next_asking;
}

/* The addresses are known, or there are none. */
static void settle(struct engine *e, struct destination *d)
{
	struct verdict why;

	free(d->peer);
	d->peer = NULL;
	d->peers = found(d)->n;
	if (d->peers > 0)
		d->peer = reallocarray(NULL, d->peers, sizeof *d->peer);
	if (d->peer != NULL)
		memcpy(d->peer, d->found->peer, d->peers * sizeof *d->peer);
	free(d->found);
	d->found = NULL;
	d->asking = d->peer != NULL ? ASK_KNOWN : ASK_UNKNOWN;
	d->known_until = clock_boot() + KNOWN_TIME;
	if (d->peer == NULL) {
		verdict_make(&why, REMOTE_DEFERRED, PHASE_LOCAL, "4.4.3",
		    "no address of this destination can be found");
		destination_dead(e, d, &why, "-");
	}
	destination_work(e, d);
}

/* An answer that ends it: nothing can be sent there, for good or for now. */
static void fail(struct engine *e, struct destination *d, const struct verdict *why)
{
	free(d->found);
	d->found = NULL;
	d->asking = ASK_UNKNOWN;
	if (why->class == REMOTE_REFUSED)
		destination_fail(e, d, why, "-");
	else
		destination_dead(e, d, why, "-");
}

/* What an answer about a domain's mail servers means when there is no server to be asked. */
static void judge(const struct resolve_answer *a, bool loop, struct verdict *why)
{
	char text[RESOLVE_NAME_MAX + 200];

	if (loop) {
		verdict_make(why, REMOTE_REFUSED, PHASE_LOCAL, "5.4.6",
		    "the DNS says that mail for this domain comes to this very gateway");
	} else if (a->status == RESOLVE_NULL) {
		verdict_make(why, REMOTE_REFUSED, PHASE_LOCAL, "5.1.10",
		    "this domain says that it takes no mail (null MX)");
	} else if (a->status == RESOLVE_NONE) {
		(void)snprintf(text, sizeof text, "%s: %s", a->name,
		    a->reason == RESOLVE_NXDOMAIN ? "there is no such domain in the DNS"
						  : "the DNS names no server that takes its mail");
		verdict_make(why, REMOTE_REFUSED, PHASE_LOCAL,
		    a->reason == RESOLVE_NXDOMAIN ? "5.1.2" : "5.4.4", text);
	} else {
		(void)snprintf(text, sizeof text, "%s: the DNS cannot be asked now: %s", a->name,
		    resolve_reason_word(a->reason));
		verdict_make(why, REMOTE_DEFERRED, PHASE_LOCAL, "4.4.3", text);
	}
}

static bool heard_about(struct engine *e, struct destination *d)
{
	const struct resolve_answer *a = &e->lookups->answer;

	return a->kind == d->asked_kind && strcmp(a->name, d->asked) == 0;
}

/* The answer to the question that it asked has come. */
static void finish(struct engine *e, struct destination *d)
{
	struct resolve_answer *a = &e->lookups->answer;
	struct verdict why;
	bool loop;

	d->next_asking = NULL;
	/* A fault of our own is nobody else's. */
	if (a->status == RESOLVE_LATER &&
	    (a->reason == RESOLVE_STOPPING || a->reason == RESOLVE_NO_RESOURCES)) {
		free(d->found);
		d->found = NULL;
		d->asking = ASK_UNKNOWN;
		d->rest_until = clock_boot() + AGAIN;
		return;
	}
	if (d->manner.kind == ROUTE_MX) {
		loop = resolve_drop_own(a, &d->routing->own) == RESOLVE_TO_US;
		if (a->status != RESOLVE_OK) {
			judge(a, loop, &why);
			fail(e, d, &why);
			return;
		}
		peers_add(found(d), &d->manner, a, d->manner.mx_port);
	} else if (a->status == RESOLVE_OK) {
		peers_add(found(d), &d->manner, a, d->manner.route->host[d->nth].port);
	}
	d->nth++;
	if (next_question(d))
		queue_question(e, d);
	else
		settle(e, d);
}

void lookup_ask(struct engine *e, struct destination *d)
{
	if (d->asking == ASK_WAITING)
		return;
	d->asking = ASK_WAITING;
	d->nth = 0;
	if (!next_question(d)) {
		settle(e, d);
		return;
	}
	queue_question(e, d);
	talk(e);
}
