/* What is said to a session. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/deliver/session.h"

/* ---- writing ------------------------------------------------------------------------------ */

static void put_frame(struct session *s, char type, const struct buf *body)
{
	unsigned char header[SESSION_HEADER] = {(unsigned char)type,
	    (unsigned char)(body->len >> 24), (unsigned char)(body->len >> 16),
	    (unsigned char)(body->len >> 8), (unsigned char)body->len};

	buf_add(&s->out, header, sizeof header);
	buf_add(&s->out, body->bytes, body->len);
}

/* Sends what it can; the rest goes when there is room. False: the other side is gone. */
bool session_flush(struct session *s)
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

bool session_is_v6(const char *address)
{
	return strchr(address, ':') != NULL;
}

/* The addresses, in their order; those of IPv6 left out for a server that dislikes ours. */
static void add_peers(struct buf *b, const struct destination *d)
{
	bool only4 = false;

	for (size_t i = 0; i < d->peers && clock_boot() < d->only4_until; i++)
		only4 |= !session_is_v6(d->peer[i].address);
	for (size_t i = 0; i < d->peers; i++) {
		const struct peer *p = &d->peer[i];

		if (only4 && session_is_v6(p->address))
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

enum session_ordered session_order(struct session *s)
{
	struct engine *e = s->engine;
	const struct destination *d = s->destination;
	const struct routing *r = e->routing;
	struct buf b;
	enum session_ordered result = SESSION_NOBODY;

	buf_init(&b, REMOTE_OPEN_MAX);
	add_peers(&b, d);
	buf_addf(&b, "helo %s\ntls %s\neightbit %s\n", r->helo,
	    d->manner.tls ? "opportunistic" : "none",
	    r->settings.deliver_eightbit == DELIVER_EIGHTBIT_BOUNCE ? "bounce" : "send");
	add_limits(&b, &r->settings);
	if (!add_login(&b, e, d)) {
		result = SESSION_NO_LOGIN;
	} else if (buf_ok(&b)) {
		put_frame(s, 'O', &b);
		if (buf_ok(&s->out) && session_flush(s))
			result = SESSION_ORDERED;
	}
	if (b.bytes != NULL)
		explicit_bzero(b.bytes, b.len);
	if (s->out.bytes != NULL && s->out.len == 0 && d->manner.login != NULL)
		explicit_bzero(s->out.bytes, SESSION_HEADER + b.len);
	buf_free(&b);
	return result;
}

/* ---- a message ---------------------------------------------------------------------------- */

bool session_say(struct session *s, const struct batch *b)
{
	const struct leg *leg = &b->visit->o.leg;
	struct buf body;
	bool fine;

	buf_init(&body, REMOTE_REQUEST_MAX);
	buf_addf(&body, "content %lld %llu %s\n", (long long)leg->content,
	    (unsigned long long)leg->size, leg->sha256);
	leg_write_address(&body, "from", leg->from, leg->from_params);
	for (size_t i = 0; i < b->rcpts; i++)
		leg_write_address(
		    &body, "to", leg->rcpt[b->rcpt[i]].address, leg->rcpt[b->rcpt[i]].params);
	buf_add_text(&body, "client -\n");
	fine = buf_ok(&body);
	if (fine)
		put_frame(s, 'S', &body);
	buf_free(&body);
	s->rights = b->visit->content;
	return fine && buf_ok(&s->out) && session_flush(s);
}
