/* The life of sessions with seki-remote. */
#include "lib/deliver/session.h"

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

#define SOCKET     "run/remote/socket"
#define READ_ROOM  ((size_t)16384)
#define LOCAL_REST CLOCK_SECOND /* until seki-remote, that was not there, is asked again */
#define SILENT_MAX 3 /* sessions that may end without a word before the mail is put off */
#define HUNG       (60 * CLOCK_SECOND) /* beyond the longest session: its process does not end it */

static void end_session(struct session *s);

/* ---- a message ---------------------------------------------------------------------------- */

/* Takes out those who have been frozen since the leg was opened. */
static void obey_freezes(struct engine *e, struct batch *b)
{
	struct visit *v = b->visit;
	bool fine;
	size_t n = 0;

	if (v->freezes == e->freezes)
		return;
	fine = gate_refresh(e->gate);
	for (size_t i = 0; i < b->rcpts; i++) {
		if (fine && !gate_holds(e->gate, &v->o.leg, b->rcpt[i]))
			b->rcpt[n++] = b->rcpt[i];
		else
			v->left_as = VISIT_FROZEN;
	}
	b->rcpts = n;
}

static struct batch *take_batch(struct engine *e, struct destination *d)
{
	while (d->first != NULL) {
		struct batch *b = destination_take(d);

		obey_freezes(e, b);
		if (b->rcpts > 0)
			return b;
		b->visit->running--;
		engine_step(e, b->visit);
	}
	return NULL;
}

bool session_offer(struct engine *e, struct destination *d)
{
	struct session *s = d->sessions;

	while (s != NULL && (s->state != SESSION_IDLE || !s->reuse))
		s = s->next;
	if (s == NULL)
		return false;
	s->batch = take_batch(e, d);
	if (s->batch == NULL)
		return false;
	s->state = SESSION_BUSY;
	s->messages++;
	memset(s->batch->answered, 0, s->batch->rcpts * sizeof *s->batch->answered);
	if (!session_say(s, s->batch)) {
		s->told = true; /* it has not heard of the message */
		end_session(s);
	}
	return true;
}

/* ---- its life ----------------------------------------------------------------------------- */

/* Nothing is held against a destination for our own program's death, unless it dies of it. */
static void silent(struct session *s)
{
	struct destination *d = s->destination;
	struct verdict why;

	engine_complain(s->engine, false, "it ended without a word");
	d->rest_until = clock_boot() + LOCAL_REST;
	if (++d->silent < SILENT_MAX)
		return;
	d->silent = 0;
	verdict_make(&why, REMOTE_DEFERRED, PHASE_LOCAL, "4.3.0",
	    "one session after another ended without a word");
	destination_dead(s->engine, d, &why, s->host);
}

/*
 * No server took the session. Before a session is open only 521 says that there is no mail here
 * (RFC 7504); anything else may be over tomorrow, and what a smart host says is for its owner to mend.
 */
static void not_opened(struct session *s)
{
	struct destination *d = s->destination;
	bool final = s->last.class == REMOTE_REFUSED && s->last.code == 521 &&
		     d->manner.kind == ROUTE_MX && !d->worked;

	if (!s->told) {
		silent(s);
	} else if (d->open > 0) {
		d->window = d->open; /* it takes no more of them at once */
	} else if (final) {
		destination_fail(s->engine, d, &s->last, s->host);
	} else {
		s->last.class = REMOTE_DEFERRED;
		s->last.status[0] = '4';
		destination_dead(s->engine, d, &s->last, s->host);
	}
}

/* Says farewell; seki-remote sees the end of the connection and says QUIT. */
static void end_session(struct session *s)
{
	struct engine *e = s->engine;
	struct destination *d = s->destination;
	struct session **at = &d->sessions;
	enum session_state was = s->state;
	struct verdict lost;

	if (was == SESSION_ENDED)
		return;
	s->state = SESSION_ENDED;
	(void)close(s->fd);
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	*s->all_at = s->all_next;
	if (s->all_next != NULL)
		s->all_next->all_at = s->all_at;
	s->buried = e->closed;
	e->closed = s;
	d->open--;
	e->sessions--;

	if (was == SESSION_OPENING) {
		d->opening--;
		not_opened(s);
	}
	if (s->batch != NULL) {
		/* Without a word it may have sent the final dot. */
		verdict_make(&lost, REMOTE_UNKNOWN, PHASE_LOCAL, "4.3.0",
		    "the session ended without a word about this recipient");
		session_end_batch(s, s->told ? NULL : &lost);
	}
}

static void session_ready(struct engine *e, void *owner, uint32_t events)
{
	struct session *s = owner;
	struct destination *d = s->destination;
	char *room;
	ssize_t n;

	if (s->state == SESSION_ENDED)
		return;
	if ((events & EPOLLOUT) != 0) {
		struct epoll_event event = {EPOLLIN, {.ptr = &s->watcher}};

		(void)epoll_ctl(e->epoll, EPOLL_CTL_MOD, s->fd, &event);
		if (!session_flush(s)) {
			s->told |= s->batch != NULL; /* it has not heard all of the message */
			end_session(s);
		}
	}
	if (s->state != SESSION_ENDED && (events & ~(uint32_t)EPOLLOUT) != 0) {
		room = buf_reserve(&s->in, READ_ROOM);
		n = room != NULL ? recv(s->fd, room, READ_ROOM, MSG_DONTWAIT) : 0;
		if (n > 0)
			s->in.len += (size_t)n;
		if (n > 0 && !session_hear(s)) {
			LOG_ALARM(
			    "remote-nonsense", kv("destination", d->label), kv("host", s->host));
			s->told = false;
			n = 0;
		}
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || s->told ||
		    (s->state == SESSION_IDLE && !s->reuse))
			end_session(s);
	}
	/* What is known of a long transaction is written down before its end. */
	if (s->batch != NULL && s->batch->visit->urgent)
		engine_step(e, s->batch->visit);
	destination_work(e, d);
}

bool session_open(struct engine *e, struct destination *d)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = SOCKET};
	struct session *s;

	if (clock_boot() < e->remote_down)
		return false;
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return false;
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0 || connect(s->fd, (const struct sockaddr *)&to, sizeof to) != 0) {
		engine_complain(e, false, strerrordesc_np(errno));
		e->remote_down = clock_boot() + LOCAL_REST;
		if (s->fd >= 0)
			(void)close(s->fd);
		free(s);
		return false;
	}
	s->engine = e;
	s->destination = d;
	s->rights = -1;
	s->reuse = true;
	s->opened = s->since = clock_boot();
	(void)snprintf(s->host, sizeof s->host, "-");
	(void)snprintf(s->tls, sizeof s->tls, "-");
	buf_init(&s->in, SESSION_FRAME_MAX + SESSION_HEADER + READ_ROOM);
	buf_init(&s->out, REMOTE_REQUEST_MAX + SESSION_HEADER);
	s->watcher = (struct watcher){.ready = session_ready, .owner = s};
	s->next = d->sessions;
	d->sessions = s;
	d->open++;
	d->opening++;
	e->sessions++;
	s->all_next = e->all;
	if (s->all_next != NULL)
		s->all_next->all_at = &s->all_next;
	s->all_at = &e->all;
	e->all = s;
	engine_watch(e, s->fd, EPOLLIN, &s->watcher);
	switch (session_order(s)) {
	case SESSION_ORDERED:
		return true;
	case SESSION_NOBODY:
		e->remote_down = clock_boot() + LOCAL_REST;
		break;
	case SESSION_NO_LOGIN:
		s->told = true;
		verdict_make(&s->last, REMOTE_DEFERRED, PHASE_LOCAL, "4.3.5",
		    "this gateway cannot log in there: see its log");
		break;
	}
	end_session(s);
	return false;
}

bool session_close_idle(struct engine *e)
{
	for (struct session *s = e->all; s != NULL; s = s->all_next) {
		if (s->state == SESSION_IDLE) {
			end_session(s);
			return true;
		}
	}
	return false;
}

void sessions_tick(struct engine *e)
{
	int64_t idle = e->routing->settings.deliver_session_idle, now = clock_boot();
	int64_t longest = e->routing->settings.deliver_session_time + HUNG;
	struct session *next;

	for (struct session *s = e->all; s != NULL; s = next) {
		next = s->all_next;
		if (s->state == SESSION_IDLE ? now - s->since >= idle || !s->reuse
					     : now - s->opened >= longest)
			end_session(s);
	}
}

void sessions_bury(struct engine *e)
{
	while (e->closed != NULL) {
		struct session *s = e->closed;

		e->closed = s->buried;
		buf_free(&s->in);
		buf_free(&s->out);
		free(s);
	}
}
