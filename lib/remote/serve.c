/* The employer's orders, one after another. */
#include "lib/remote/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/log.h"
#include "lib/remote/session.h"

static int misused(const char *why)
{
	LOG_ALARM("remote-protocol", kv("why", why));
	return EXIT_BUG;
}

/* ---- opening ---- */

static void add_word(struct buf *b, const char **before, bool there, const char *word)
{
	if (!there)
		return;
	buf_addf(b, "%s%s", *before, word);
	*before = ",";
}

static void tell_open(struct remote_session *s)
{
	const struct offer *f = &s->offer;
	const char *before = "";
	struct buf b;

	buf_init(&b, FRAME_OUT_MAX);
	buf_addf(&b, "peer=%s port=%u host=", s->peer->address, (unsigned)s->peer->port);
	if (s->peer->name[0] == '\0')
		buf_add_text(&b, "-");
	else
		buf_add_xtext(&b, s->peer->name, strlen(s->peer->name));
	buf_addf(&b, " tls=%s cipher=%s auth=%s offers=", conn_tls_version(&s->conn),
	    conn_tls_cipher(&s->conn), s->logged_in ? "yes" : "no");
	add_word(&b, &before, f->pipelining, "PIPELINING");
	add_word(&b, &before, f->size, "SIZE");
	add_word(&b, &before, f->eightbit, "8BITMIME");
	add_word(&b, &before, f->utf8, "SMTPUTF8");
	add_word(&b, &before, f->dsn, "DSN");
	add_word(&b, &before, f->starttls, "STARTTLS");
	add_word(&b, &before, f->enhanced, "ENHANCEDSTATUSCODES");
	buf_addf(&b, " size=%llu", (unsigned long long)f->size_max);
	if (buf_ok(&b))
		frame_write(&s->results, 'O', b.bytes, b.len);
	else
		s->orphan = true;
	buf_free(&b);
	remote_flush(s);
}

/* ---- a message ---- */

/* A file, and not one that could be written. */
static bool good_file(int fd)
{
	struct stat st;
	int flags = fd >= 0 ? fcntl(fd, F_GETFL) : -1;

	return flags >= 0 && (flags & O_ACCMODE) == O_RDONLY && fstat(fd, &st) == 0 &&
	       S_ISREG(st.st_mode);
}

static bool send_message(struct remote_session *s, struct frame *frame)
{
	struct remote_message m = {.fd = frame->fd};

	if (!good_file(frame->fd) || !remote_read_message(frame->bytes, frame->len, &m))
		return false;
	remote_send(s, &m);
	leg_free(&m.envelope);
	return true;
}

/* ---- between messages ---- */

static void end_as_wished(struct remote_session *s, const char *why)
{
	struct outcome o;

	outcome_own(&o, REMOTE_DELIVERED, PHASE_IDLE, "2.0.0", why);
	remote_quit(s);
	s->end = o;
}

/* Without being asked: it has gone, or says 421; a ticket for a later TLS session is nothing. */
static void hear(struct remote_session *s)
{
	struct reply reply;
	struct outcome o;

	if (!conn_spoke(&s->conn))
		return;
	if (!remote_reply(s, PHASE_IDLE, s->order->limits.mail, NULL, NULL, &reply, &o))
		return;
	outcome_of_reply(&o, PHASE_IDLE, &reply);
	remote_end(s, &o);
}

/* Waits for either end, while there is time. False: there is none. */
static bool wait_for_either(struct remote_session *s, int64_t until, struct pollfd p[2])
{
	int64_t ms = (until - clock_boot() + 999) / 1000;

	if (ms <= 0)
		return false;
	/* What he has said already is not waited for, but the server's last word is. */
	if (frames_in_hold(&s->orders))
		ms = 0;
	if (poll(p, 2, clock_patience((int)ms)) < 0 && errno != EINTR)
		die_environ("waiting");
	return true;
}

/* Waits until the employer says something. False: the session is over before. */
static bool await_order(struct remote_session *s)
{
	int64_t until = clock_boot() + s->order->limits.idle * 1000;

	if (until > s->conn.deadline)
		until = s->conn.deadline;
	if (s->open && conn_holds(&s->conn))
		hear(s);
	while (s->open) {
		struct pollfd p[2] = {{.fd = s->orders.socket, .events = POLLIN},
		    {.fd = s->conn.fd, .events = POLLIN}};

		if (!wait_for_either(s, until, p)) {
			end_as_wished(s, "nothing more to send in time");
			return false;
		}
		if (p[1].revents != 0)
			hear(s);
		else if (p[0].revents != 0 || frames_in_hold(&s->orders))
			return true;
	}
	return false;
}

static int serve(struct remote_session *s)
{
	while (!s->orphan && await_order(s)) {
		struct frame frame;
		enum frame_status status = frame_read(&s->orders, REMOTE_REQUEST_MAX, &frame);
		bool good = true;

		if (status == FRAME_GONE) {
			remote_quit(s);
			return EXIT_FINE;
		}
		if (status == FRAME_WRONG) {
			remote_quit(s);
			return misused("no frame");
		}
		if (frame.type == 'S')
			good = send_message(s, &frame);
		else if (frame.type == 'C' && frame.len == 0)
			end_as_wished(s, "closed");
		else
			good = false;
		frame_free(&frame);
		if (!good) {
			remote_quit(s);
			return misused("a frame that was not understood");
		}
	}
	return EXIT_FINE;
}

/* ---- all of it ---- */

static int open_and_serve(struct remote_session *s, const struct remote_order *order)
{
	int code = EXIT_FINE;

	s->order = order;
	s->conn.deadline = clock_boot() + order->limits.session * 1000;
	if (remote_open_any(s)) {
		tell_open(s);
		code = serve(s);
	}
	if (!s->orphan && code == EXIT_FINE && s->end.status[0] != '\0')
		remote_tell(s, 'E', "", &s->end);
	remote_flush(s);
	remote_quit(s);
	return code;
}

static int open_as_ordered(struct remote_session *s)
{
	struct remote_order order;
	struct frame frame;
	int code;

	switch (frame_read(&s->orders, REMOTE_OPEN_MAX, &frame)) {
	case FRAME_OK:
		break;
	case FRAME_GONE:
		return EXIT_FINE;
	case FRAME_WRONG:
		return misused("no frame");
	}
	if (frame.type == 'O' && remote_read_order(frame.bytes, frame.len, &order))
		code = open_and_serve(s, &order);
	else
		code = misused("no order to open a session");
	frame_free(&frame);
	return code;
}

int remote_serve(int socket, struct ssl_ctx_st *tls)
{
	struct remote_session *s = calloc(1, sizeof *s);
	int code;

	if (s == NULL)
		die_environ("no memory");
	frames_in_init(&s->orders, socket);
	frames_out_init(&s->results, socket);
	conn_init(&s->conn, tls, socket, INT64_MAX);
	code = open_as_ordered(s);
	frames_in_free(&s->orders);
	frames_out_free(&s->results);
	free(s);
	return code;
}
