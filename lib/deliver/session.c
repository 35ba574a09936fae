/*
 * The employer's side of a session with seki-remote (lib/remote/protocol.h): one connection, one
 * process there, one SMTP session with a server of the destination.
 */
#include <arpa/inet.h>
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
#include "lib/base/xtext.h"
#include "lib/deliver/engine.h"

#define SOCKET      "run/remote/socket"
#define HEADER      ((size_t)5)
#define READ_ROOM   ((size_t)16384)
#define FRAME_MAX   ((size_t)131072)
#define LOCAL_REST  CLOCK_SECOND /* until seki-remote, that was not there, is asked again */
#define SILENT_MAX  3 /* sessions that may end without a word before the mail is put off */
#define HUNG        (60 * CLOCK_SECOND) /* beyond the longest session: its process does not end it */
#define UNTRIED_MAX 3 /* sessions that may be lost under a batch before it is put off */
#define ONLY4_TIME  (3600 * CLOCK_SECOND)
#define HOST_ROOM   ((size_t)(3 * REMOTE_NAME_MAX + 1)) /* xtext */
#define WORD_ROOM   ((size_t)32)

enum session_state { SESSION_OPENING, SESSION_IDLE, SESSION_BUSY, SESSION_ENDED };

struct session {
	struct session *next; /* of its destination */
	struct session *all_next, **all_at;
	struct session *buried;
	struct engine *engine;
	struct destination *destination;
	struct watcher watcher;
	int fd;
	enum session_state state;
	struct batch *batch; /* while it is busy */
	struct buf in, out;
	size_t sent; /* of `out` */
	int rights;  /* the descriptor that goes with the next byte, or -1; the visit's */
	size_t messages, attempts;
	int64_t opened, since; /* boot clock: of the session, and of being idle */
	bool dsn, v6;
	bool told;  /* seki-remote has said why it ends */
	bool reuse; /* it may have another message */
	struct verdict last;
	char host[HOST_ROOM];
	char tls[WORD_ROOM];
};

static void end_session(struct session *s);

/* ---- writing ------------------------------------------------------------------------------ */

static void put_frame(struct session *s, char type, const struct buf *body)
{
	unsigned char header[HEADER] = {(unsigned char)type, (unsigned char)(body->len >> 24),
	    (unsigned char)(body->len >> 16), (unsigned char)(body->len >> 8),
	    (unsigned char)body->len};

	buf_add(&s->out, header, sizeof header);
	buf_add(&s->out, body->bytes, body->len);
}

/* Sends what it can; the rest goes when there is room. False: the other side is gone. */
static bool flush(struct session *s)
{
	while (s->sent < s->out.len) {
		union {
			struct cmsghdr header;
			char room[CMSG_SPACE(sizeof(int))];
		} control;
		struct iovec part = {s->out.bytes + s->sent, s->out.len - s->sent};
		struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
		ssize_t n;

		if (s->rights >= 0) {
			memset(&control, 0, sizeof control);
			message.msg_control = control.room;
			message.msg_controllen = sizeof control.room;
			control.header.cmsg_level = SOL_SOCKET;
			control.header.cmsg_type = SCM_RIGHTS;
			control.header.cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(&control.header), &s->rights, sizeof s->rights);
		}
		n = sendmsg(s->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			struct epoll_event event = {EPOLLIN | EPOLLOUT, {.ptr = &s->watcher}};

			(void)epoll_ctl(s->engine->epoll, EPOLL_CTL_MOD, s->fd, &event);
			return true;
		}
		if (n <= 0)
			return false;
		s->rights = -1;
		s->sent += (size_t)n;
	}
	buf_clear(&s->out);
	s->sent = 0;
	return true;
}

/* ---- what is said to open it -------------------------------------------------------------- */

static void add_limit(struct buf *b, const char *name, int64_t microseconds)
{
	buf_addf(b, "limit %s %lld\n", name, (long long)(microseconds / 1000));
}

static void add_limits(struct buf *b, const struct settings *s)
{
	add_limit(b, "connect", s->remote_connect);
	add_limit(b, "greeting", s->remote_greeting);
	add_limit(b, "helo", s->remote_command);
	add_limit(b, "starttls", s->remote_data);
	add_limit(b, "auth", s->remote_command);
	add_limit(b, "mail", s->remote_command);
	add_limit(b, "rcpt", s->remote_command);
	add_limit(b, "data", s->remote_data);
	add_limit(b, "block", s->remote_block);
	add_limit(b, "dot", s->remote_dot);
	/* We close it ourselves; this is for the case that we cannot. */
	add_limit(b, "idle", s->deliver_session_idle + 10 * CLOCK_SECOND);
	add_limit(b, "session", s->deliver_session_time);
	buf_addf(b, "limit reply %lld\nlimit recipients %lld\n", (long long)s->remote_reply,
	    (long long)s->deliver_recipients);
}

static bool is_v6(const char *address)
{
	return strchr(address, ':') != NULL;
}

/* The addresses, in their order; those of IPv6 left out for a server that dislikes ours. */
static void add_peers(struct buf *b, const struct destination *d)
{
	bool only4 = false;

	for (size_t i = 0; i < d->peers && clock_boot() < d->only4_until; i++)
		only4 |= !is_v6(d->peer[i].address);
	for (size_t i = 0; i < d->peers; i++) {
		const struct peer *p = &d->peer[i];

		if (only4 && is_v6(p->address))
			continue;
		buf_addf(b, "peer %s %u ", p->address, (unsigned)p->port);
		if (p->name[0] == '\0')
			buf_add_text(b, "-");
		else
			buf_add_xtext(b, p->name, strlen(p->name));
		buf_add_text(b, "\n");
	}
}

/* Says the login of a smart host. False: it cannot be read. */
static bool add_login(struct buf *b, struct engine *e, const struct destination *d)
{
	struct route_login login;
	struct conf_fault fault;
	char text[512];

	if (d->manner.login == NULL)
		return true;
	if (!route_login_read(e->stage->etc, d->manner.login, &login, &fault)) {
		conf_fault_show(&fault, text, sizeof text);
		LOG_ALARM("login-unreadable", kv("destination", d->label), kv("fault", text));
		return false;
	}
	buf_add_text(b, "auth ");
	buf_add_xtext(b, login.login, strlen(login.login));
	buf_add_text(b, " ");
	buf_add_xtext(b, login.password, strlen(login.password));
	buf_add_text(b, " over=tls\n");
	route_login_wipe(&login);
	return true;
}

enum ordered { ORDERED, ORDERED_NOBODY, ORDERED_NO_LOGIN };

static enum ordered order(struct session *s)
{
	struct engine *e = s->engine;
	const struct destination *d = s->destination;
	const struct routing *r = e->routing;
	struct buf b;
	enum ordered result = ORDERED_NOBODY;

	buf_init(&b, REMOTE_OPEN_MAX);
	add_peers(&b, d);
	buf_addf(&b, "helo %s\ntls %s\neightbit %s\n", r->helo,
	    d->manner.tls ? "opportunistic" : "none",
	    r->settings.deliver_eightbit == DELIVER_EIGHTBIT_BOUNCE ? "bounce" : "send");
	add_limits(&b, &r->settings);
	if (!add_login(&b, e, d)) {
		result = ORDERED_NO_LOGIN;
	} else if (buf_ok(&b)) {
		put_frame(s, 'O', &b);
		if (buf_ok(&s->out) && flush(s))
			result = ORDERED;
	}
	if (b.bytes != NULL)
		explicit_bzero(b.bytes, b.len);
	if (s->out.bytes != NULL && s->out.len == 0 && d->manner.login != NULL)
		explicit_bzero(s->out.bytes, HEADER + b.len);
	buf_free(&b);
	return result;
}

/* ---- a message ---------------------------------------------------------------------------- */

static void add_address(struct buf *b, const char *word, const char *address, const char *params)
{
	buf_addf(b, "%s ", word);
	if (address[0] == '\0')
		buf_add_text(b, "<>");
	else
		buf_add_xtext(b, address, strlen(address));
	buf_addf(b, "%s%s\n", params[0] != '\0' ? " " : "", params);
}

static bool say_message(struct session *s, const struct batch *b)
{
	const struct leg *leg = &b->visit->o.leg;
	struct buf body;
	bool fine;

	buf_init(&body, REMOTE_REQUEST_MAX);
	buf_addf(&body, "content %lld %llu %s\n", (long long)leg->content,
	    (unsigned long long)leg->size, leg->sha256);
	add_address(&body, "from", leg->from, leg->from_params);
	for (size_t i = 0; i < b->rcpts; i++)
		add_address(
		    &body, "to", leg->rcpt[b->rcpt[i]].address, leg->rcpt[b->rcpt[i]].params);
	buf_add_text(&body, "client -\n");
	fine = buf_ok(&body);
	if (fine)
		put_frame(s, 'S', &body);
	buf_free(&body);
	s->rights = b->visit->content;
	return fine && buf_ok(&s->out) && flush(s);
}

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
		struct batch *b = d->first;

		d->first = b->next;
		if (d->first == NULL)
			d->last = &d->first;
		d->queued--;
		b->next = NULL;
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
	if (!say_message(s, s->batch)) {
		s->told = true; /* it has not heard of the message */
		end_session(s);
	}
	return true;
}

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
		any4 |= !is_v6(s->destination->peer[i].address);
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
	visit->urgent |= v->class == REMOTE_DELIVERED;
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
	destination_return(s->engine, b);
	engine_step(s->engine, b->visit);
}

/* Its sessions over IPv6 get no other message. */
static void leave_ipv6(struct session *s)
{
	struct destination *d = s->destination;

	d->only4_until = clock_boot() + ONLY4_TIME;
	for (struct session *other = d->sessions; other != NULL; other = other->next)
		other->reuse &= !other->v6;
	s->reuse = false;
	LOG("only-ipv4", kv("destination", d->label), kv("host", s->host),
	    kv("status", s->last.status));
}

/* The session is done with the batch. `lost`: why nothing was said of some; NULL: try them again. */
static void end_batch(struct session *s, const struct verdict *lost)
{
	struct engine *e = s->engine;
	struct batch *b = s->batch;
	struct verdict why;

	s->batch = NULL;
	if (keep_unanswered(b) == 0) {
		b->visit->running--;
		engine_step(e, b->visit);
		return;
	}
	if (b->want4) {
		b->want4 = false;
		b->had4 = true;
		leave_ipv6(s);
		try_again(s, b);
		return;
	}
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
	char peer[WORD_ROOM * 2];
	size_t n;
	const char *offers = verdict_value(text, len, "offers", &n);

	if (s->state != SESSION_OPENING)
		return false;
	copy_value(text, len, "peer", peer, sizeof peer);
	copy_value(text, len, "host", s->host, sizeof s->host);
	if (strcmp(s->host, "-") == 0)
		(void)snprintf(s->host, sizeof s->host, "%s", peer);
	copy_value(text, len, "tls", s->tls, sizeof s->tls);
	s->v6 = is_v6(peer);
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
	char peer[WORD_ROOM * 2], reply[VERDICT_REPLY_MAX + 1];

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

	if (s->batch == NULL)
		return false;
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
	end_batch(s, NULL);
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
static bool hear_frames(struct session *s)
{
	size_t at = 0;
	bool fine = true;

	while (fine && s->in.len - at >= HEADER) {
		const unsigned char *h = (const unsigned char *)s->in.bytes + at;
		size_t len = (size_t)h[1] << 24 | (size_t)h[2] << 16 | (size_t)h[3] << 8 | h[4];

		if (len > FRAME_MAX)
			return false;
		if (s->in.len - at < HEADER + len)
			break;
		fine = hear_frame(s, (char)h[0], (const char *)h + HEADER, len);
		at += HEADER + len;
	}
	memmove(s->in.bytes, s->in.bytes + at, s->in.len - at);
	s->in.len -= at;
	return fine;
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
		end_batch(s, s->told ? NULL : &lost);
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
		if (!flush(s))
			end_session(s);
	}
	if (s->state != SESSION_ENDED && (events & ~(uint32_t)EPOLLOUT) != 0) {
		room = buf_reserve(&s->in, READ_ROOM);
		n = room != NULL ? recv(s->fd, room, READ_ROOM, MSG_DONTWAIT) : 0;
		if (n > 0)
			s->in.len += (size_t)n;
		if (n > 0 && !hear_frames(s)) {
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
	buf_init(&s->in, FRAME_MAX + HEADER + READ_ROOM);
	buf_init(&s->out, REMOTE_REQUEST_MAX + HEADER);
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
	switch (order(s)) {
	case ORDERED:
		return true;
	case ORDERED_NOBODY:
		e->remote_down = clock_boot() + LOCAL_REST;
		break;
	case ORDERED_NO_LOGIN:
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
