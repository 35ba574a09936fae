#include "queue/intake_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/local.h"
#include "lib/base/log.h"
#include "queue/receive.h"

#define STACK      ((size_t)128 * 1024)
#define INPUT_ROOM ((size_t)16 * 1024)

/* A message that is durable in tmp/ and could not be renamed yet. */
struct late {
	struct late *next;
	char name[NAME_TEXT];
};

struct intake_server {
	const struct spool *spool;
	const struct loop_key *loop_key;
	struct quota_keeper *quota;
	struct audit *audit;  /* NULL: it is not asked */
	pthread_mutex_t lock; /* for everything below */
	pthread_cond_t less_busy;
	struct settings settings;
	struct late *late;
	int spare; /* a descriptor to give up when there are no more */
	size_t clients[INTAKE_DOORS];
	size_t busy; /* messages begun and not ended */
	bool draining;
	pthread_attr_t thread;
};

/* One connection, in its thread. */
struct client {
	struct intake_server *server;
	enum intake_door door;
	int fd;
	struct receiver receiver;
	int timeout_ms;
	bool begun;     /* an envelope was answered with "go on" */
	size_t at, end; /* unread bytes of input */
	char input[INPUT_ROOM];
};

struct intake_server *intake_server_new(const struct spool *spool, const struct settings *settings,
    const struct loop_key *loop_key, struct quota_keeper *quota)
{
	struct intake_server *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->spool = spool;
	s->loop_key = loop_key;
	s->quota = quota;
	s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	s->settings = *settings;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->less_busy, NULL);
	(void)pthread_attr_init(&s->thread);
	(void)pthread_attr_setdetachstate(&s->thread, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&s->thread, STACK);
	return s;
}

void intake_server_audit(struct intake_server *s, struct audit *audit)
{
	s->audit = audit;
}

int intake_server_listen(const char *path, int backlog)
{
	/* The lock on tmp/ is ours. */
	return local_listen(path, backlog);
}

/* ---- bytes -------------------------------------------------------------------------------- */

/* Waits for input, longer between messages than within one. False: closed, silent or failed. */
static bool fill(struct client *c)
{
	struct pollfd p = {.fd = c->fd, .events = POLLIN};
	ssize_t n;

	n = recv(c->fd, c->input, sizeof c->input, MSG_DONTWAIT);
	while (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		int ready = poll(&p, 1, c->begun ? c->timeout_ms : -1);

		if (ready == 0 || (ready < 0 && errno != EINTR))
			return false;
		n = recv(c->fd, c->input, sizeof c->input, MSG_DONTWAIT);
	}
	c->at = 0;
	c->end = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static bool get(struct client *c, char *bytes, size_t len)
{
	while (len > 0) {
		size_t n;

		if (c->at == c->end && !fill(c))
			return false;
		n = c->end - c->at < len ? c->end - c->at : len;
		memcpy(bytes, c->input + c->at, n);
		c->at += n;
		bytes += n;
		len -= n;
	}
	return true;
}

static bool get_length(struct client *c, size_t most, size_t *len)
{
	char bytes[4];
	uint32_t big;

	if (!get(c, bytes, sizeof bytes))
		return false;
	memcpy(&big, bytes, sizeof big);
	*len = ntohl(big);
	return *len > 0 && *len <= most;
}

static bool reply(struct client *c, const char *bytes, size_t len)
{
	return send(c->fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static char reply_letter(enum intake_reply verdict)
{
	switch (verdict) {
	case INTAKE_GO:
		return 'G';
	case INTAKE_KEPT:
		return 'K';
	case INTAKE_FULL:
		return 'F';
	case INTAKE_TOO_LARGE:
		return 'L';
	case INTAKE_TEMPORARY:
		break;
	}
	return 'T';
}

/* ---- one message after another ------------------------------------------------------------ */

/* Takes the settings in force and a place among the busy. False: draining. */
static bool begin_busy(struct client *c)
{
	struct intake_server *s = c->server;
	bool fine;

	(void)pthread_mutex_lock(&s->lock);
	fine = !s->draining;
	if (fine) {
		s->busy++;
		receive_limits_take(&c->receiver.limits, &s->settings);
		c->timeout_ms = (int)(s->settings.queue_timeout / 1000);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return fine;
}

static void end_busy(struct client *c)
{
	struct intake_server *s = c->server;

	c->begun = false;
	(void)pthread_mutex_lock(&s->lock);
	s->busy--;
	(void)pthread_cond_signal(&s->less_busy);
	(void)pthread_mutex_unlock(&s->lock);
}

static bool take_envelope(struct client *c)
{
	char answer[1 + ID_LEN] = "T", *envelope;
	enum intake_reply verdict = INTAKE_TEMPORARY;
	size_t len;
	bool fine;

	if (c->begun || !get_length(c, INTAKE_ENVELOPE_MAX, &len))
		return false;
	envelope = malloc(len);
	if (envelope == NULL || !get(c, envelope, len)) {
		free(envelope);
		return false;
	}

	if (begin_busy(c)) {
		c->begun = true;
		verdict = receive_begin(&c->receiver, envelope, len);
		if (verdict != INTAKE_GO)
			end_busy(c);
	}
	free(envelope);

	answer[0] = reply_letter(verdict);
	memcpy(answer + 1, c->receiver.id, ID_LEN);
	fine = reply(c, answer, verdict == INTAKE_GO ? sizeof answer : 1);
	return fine;
}

/* Content goes from the input straight to the receiver: it is copied once. */
static bool take_content(struct client *c)
{
	size_t len;

	if (!c->begun || !get_length(c, INTAKE_CHUNK_MAX, &len))
		return false;
	while (len > 0) {
		size_t n;

		if (c->at == c->end && !fill(c))
			return false;
		n = c->end - c->at < len ? c->end - c->at : len;
		receive_data(&c->receiver, c->input + c->at, n);
		c->at += n;
		len -= n;
	}
	return true;
}

static void remember_late(struct intake_server *s, const char *name)
{
	struct late *late = malloc(sizeof *late);

	if (late == NULL)
		return; /* it stands in tmp/, whole: the next start finds it */
	memcpy(late->name, name, sizeof late->name);
	(void)pthread_mutex_lock(&s->lock);
	late->next = s->late;
	s->late = late;
	(void)pthread_mutex_unlock(&s->lock);
}

static bool take_end(struct client *c)
{
	struct receiver *r = &c->receiver;
	enum intake_reply verdict;
	char letter;
	bool fine;

	if (!c->begun)
		return false;
	verdict = receive_commit(r);
	letter = reply_letter(verdict);
	/* The client is told first: it waits, and the rename is no part of the promise. */
	fine = reply(c, &letter, 1);
	if (verdict == INTAKE_KEPT) {
		if (!receive_enter(r))
			remember_late(c->server, r->name);
		receive_log(r);
	}
	end_busy(c);
	return fine;
}

static bool serve_one(struct client *c)
{
	char what;

	if (!get(c, &what, 1))
		return false;
	switch (what) {
	case 'E':
		return take_envelope(c);
	case 'D':
		return take_content(c);
	case '.':
		return take_end(c);
	case 'X':
		if (!c->begun)
			return false;
		receive_abandon(&c->receiver);
		end_busy(c);
		return true;
	default:
		LOG_ALARM("protocol", kv("why", "a session sent what is no word of the protocol"));
		return false;
	}
}

static void *serve(void *context)
{
	struct client *c = context;
	struct intake_server *s = c->server;
	enum intake_door door = c->door;

	while (serve_one(c))
		;
	receiver_free(&c->receiver);
	if (c->begun)
		end_busy(c);
	(void)close(c->fd);
	free(c);

	(void)pthread_mutex_lock(&s->lock);
	s->clients[door]--;
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* ---- the server --------------------------------------------------------------------------- */

/* Sessions that fill their door do not keep the gateway's own mail out. */
static bool place_for_one_more(struct intake_server *s, enum intake_door door)
{
	int64_t most;
	bool place;

	(void)pthread_mutex_lock(&s->lock);
	most = door == INTAKE_DOOR_OWN ? s->settings.notice_clients : s->settings.queue_clients;
	place = !s->draining && s->clients[door] < (size_t)most;
	s->clients[door] += place;
	(void)pthread_mutex_unlock(&s->lock);
	return place;
}

/*
 * Without descriptors a waiting client could not even be refused: it would wait for its time-out.
 * One is kept for that: it is turned away at once, and its client gets 451.
 */
static void turn_away(struct intake_server *s, int listener)
{
	int fd;

	(void)close(s->spare);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		(void)close(fd);
		LOG_ALARM("turned-away", kv("why", "no more descriptors"));
	}
	s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* What its receiver may do. False: no memory. */
static bool equip(struct client *c)
{
	const struct intake_server *s = c->server;

	if (!receiver_init(&c->receiver, s->spool))
		return false;
	c->receiver.loop_key = s->loop_key;
	c->receiver.audit = s->audit;
	c->receiver.own = c->door == INTAKE_DOOR_OWN;
	c->receiver.quota = c->receiver.own ? NULL : s->quota;
	return true;
}

bool intake_server_accept(struct intake_server *s, enum intake_door door, int listener)
{
	struct client *c = NULL;
	pthread_t thread;
	int fd, error;

	if (!place_for_one_more(s, door)) {
		errno = EBUSY;
		return false;
	}
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		goto fail;

	c = malloc(sizeof *c);
	if (c == NULL)
		goto fail;
	c->server = s;
	c->door = door;
	c->fd = fd;
	c->begun = false;
	c->at = c->end = 0;
	if (!equip(c))
		goto fail;
	if (pthread_create(&thread, &s->thread, serve, c) == 0)
		return true;
	LOG_ALARM("no-thread", kv_errno(errno));
	receiver_free(&c->receiver);
fail:
	error = errno;
	free(c);
	if (fd >= 0)
		(void)close(fd);
	else if (error == EMFILE || error == ENFILE)
		turn_away(s, listener);
	(void)pthread_mutex_lock(&s->lock);
	s->clients[door]--;
	(void)pthread_mutex_unlock(&s->lock);
	errno = error;
	return false;
}

void intake_server_configure(struct intake_server *s, const struct settings *settings)
{
	(void)pthread_mutex_lock(&s->lock);
	s->settings = *settings;
	(void)pthread_mutex_unlock(&s->lock);
}

void intake_server_tick(struct intake_server *s)
{
	struct late *late, *next;

	(void)pthread_mutex_lock(&s->lock);
	late = s->late;
	s->late = NULL;
	(void)pthread_mutex_unlock(&s->lock);

	for (; late != NULL; late = next) {
		next = late->next;
		if (!receive_enter_name(s->spool, late->name))
			remember_late(s, late->name);
		free(late);
	}
}

void intake_server_drain(struct intake_server *s, int seconds)
{
	struct timespec end;

	(void)clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += seconds;
	(void)pthread_mutex_lock(&s->lock);
	s->draining = true;
	while (s->busy > 0) {
		if (pthread_cond_timedwait(&s->less_busy, &s->lock, &end) != 0)
			break;
	}
	(void)pthread_mutex_unlock(&s->lock);
}
