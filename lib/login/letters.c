/*
 * The mail by which people log in. What was asked for is judged here, when nobody waits for it any more; seki-notice
 * makes the mail. A few at once, none of which is waited for.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/login/inside.h"
#include "lib/notice/request.h"

#define LETTERS    16
#define TRIES      6
#define TRY_AGAIN  (5 * CLOCK_SECOND)
#define LATE       (5 * CLOCK_SECOND) /* behind all that seki-notice may take */
#define PREFIX     4                  /* lib/notice/notice.h */
#define ANSWER_MAX ((size_t)256)
#define VALUE_MAX  (SETTING_TEXT_MAX + sizeof "/gate/login?" + LOGIN_TOKEN_TEXT)

enum letter_state {
	LETTER_NONE,
	LETTER_RESTS, /* to be tried at `due` */
	LETTER_ASKED, /* the answer is waited for until `due` */
};

struct letter_out {
	enum letter_state state;
	int fd;
	int64_t due;
	unsigned tries;
	struct buf request; /* with its length in front; holds the token */
	size_t have;
	char answer[ANSWER_MAX];
	char to[GATE_ADDRESS_MAX];
	struct login_watch watch;
};

struct letters {
	struct letter_out letter[LETTERS];
};

struct letters *letters_new(void)
{
	return calloc(1, sizeof(struct letters));
}

static void hang_up(struct letter_out *o)
{
	if (o->state == LETTER_ASKED)
		(void)close(o->fd);
	o->fd = -1;
}

static void end(struct letter_out *o)
{
	hang_up(o);
	if (o->request.bytes != NULL)
		explicit_bzero(o->request.bytes, o->request.room);
	buf_free(&o->request);
	o->state = LETTER_NONE;
}

void letters_free(struct letters *letters)
{
	if (letters == NULL)
		return;
	for (size_t i = 0; i < LETTERS; i++) {
		if (letters->letter[i].state != LETTER_NONE)
			end(&letters->letter[i]);
	}
	free(letters);
}

/* ---- asking seki-notice ------------------------------------------------------------------- */

static void failed(struct letter_out *o, const char *why)
{
	hang_up(o);
	if (++o->tries >= TRIES) {
		LOG_ALARM("login-link-unsent", kv("to", o->to), kv("why", why));
		end(o);
		return;
	}
	o->state = LETTER_RESTS;
	o->due = clock_boot() + TRY_AGAIN;
}

/* One line of seki-notice's: "kept ID", "none …", "later …" or "wrong …". */
static void understand(struct letter_out *o)
{
	char *newline = memchr(o->answer, '\n', o->have);

	if (newline == NULL) {
		failed(o, "no answer");
		return;
	}
	*newline = '\0';
	if (strncmp(o->answer, "kept ", 5) == 0) {
		LOG("login-link", kv("to", o->to), kv("notice", o->answer + 5));
		end(o);
	} else if (strncmp(o->answer, "later ", 6) == 0) {
		failed(o, o->answer);
	} else {
		LOG_ALARM("login-link-unsent", kv("to", o->to), kv("why", o->answer));
		end(o);
	}
}

static void on_answer(struct login *l, void *owner, uint32_t events)
{
	struct letter_out *o = owner;
	ssize_t n;

	(void)l;
	(void)events;
	if (o->state != LETTER_ASKED)
		return;
	n = recv(o->fd, o->answer + o->have, ANSWER_MAX - o->have, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		o->have += (size_t)n;
	if (n <= 0 || o->have == ANSWER_MAX || memchr(o->answer, '\n', o->have) != NULL)
		understand(o);
}

/* So few bytes go into an empty socket at once. */
static void send_one(struct login *l, struct letter_out *o)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = NOTICE_LETTER_SOCKET};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	o->watch = (struct login_watch){on_answer, o};
	o->have = 0;
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
	    send(fd, o->request.bytes, o->request.len, MSG_NOSIGNAL | MSG_DONTWAIT) !=
		(ssize_t)o->request.len ||
	    !login_watch(l, EPOLL_CTL_ADD, fd, EPOLLIN, &o->watch)) {
		if (fd >= 0)
			(void)close(fd);
		failed(o, "seki-notice cannot be asked");
		return;
	}
	o->fd = fd;
	o->state = LETTER_ASKED;
	o->due = clock_boot() + l->settings.notice_time + LATE;
}

/* ---- what was asked for ------------------------------------------------------------------- */

/* Why there is no mail to be made; NULL: there is. */
static const char *why_not(const struct login *l, const struct links_one *one)
{
	if (l->url[0] == '\0')
		return "web-url";
	if (l->org == NULL)
		return "no-organisation";
	if (strchr(one->address, '@') == NULL || org_class(l->org, one->address) != CLASS_INTERNAL)
		return "address";
	return NULL;
}

/* The request, with its length in front. False: no memory, or no such address. */
static bool write_request(
    const struct login *l, struct letter_out *o, const struct links_one *one, const char *token)
{
	char url[VALUE_MAX], until[CLOCK_TEXT];
	const struct notice_var var[] = {{"url", url}, {"until", until}, {"source", one->source}};
	const struct notice_gate gate = {.template = "login",
	    .to = one->address,
	    .english = one->english,
	    .var = var,
	    .vars = COUNT_OF(var)};
	bool written;

	(void)snprintf(url, sizeof url, "%s/gate/login?%s", l->url, token);
	clock_format(clock_wall() + l->settings.login_link_time, until);
	buf_init(&o->request, NOTICE_REQUEST_MAX);
	buf_add(&o->request, "\0\0\0\0", PREFIX);
	written = notice_request_write_gate(&o->request, &gate);
	explicit_bzero(url, sizeof url);
	if (!written)
		return false;
	for (size_t i = 0; i < PREFIX; i++)
		o->request.bytes[i] =
		    (char)(unsigned char)((o->request.len - PREFIX) >> (24 - 8 * i));
	return true;
}

static void begin(struct login *l, struct letter_out *o, struct links_one *one)
{
	const char *why = why_not(l, one), *lang = NULL;
	char own[GATE_ADDRESS_MAX], token[LOGIN_TOKEN_TEXT];

	if (why != NULL) {
		LOG("login-link-none", kv("address", login_known(l, one->address)),
		    kv("source", one->source), kv("why", why));
		links_drop(l->links, one);
		return;
	}
	login_own_address(l, one->address, own, &lang);
	memcpy(one->address, own, sizeof own);
	one->english = lang != NULL ? strcmp(lang, "en") == 0 : one->english;
	if (!links_may_mail(l->links, one, clock_boot())) {
		LOG("login-link-capped", kv("by", "person"), kv("address", own));
		links_drop(l->links, one);
		return;
	}
	if (!told_link(l, own, one->source)) {
		links_drop(l->links, one);
		return;
	}
	if (!links_mail(l->links, one, clock_boot(), l->settings.login_link_time, token))
		return;
	*o = (struct letter_out){.fd = -1};
	(void)snprintf(o->to, sizeof o->to, "%s", own);
	if (write_request(l, o, one, token)) {
		send_one(l, o);
	} else {
		LOG_ALARM("login-link-unsent", kv("to", own), kv("why", "address"));
		end(o);
		links_drop(l->links, one);
	}
	explicit_bzero(token, sizeof token);
}

/* ---- time --------------------------------------------------------------------------------- */

static void on_due(struct login *l, struct letter_out *o)
{
	if (o->state == LETTER_RESTS)
		send_one(l, o);
	else if (o->state == LETTER_ASKED)
		failed(o, "seki-notice took too long");
}

int64_t letters_timers(struct login *l, int64_t now)
{
	struct links_one *one = NULL;
	int64_t next = INT64_MAX;
	bool room = false;

	for (size_t i = 0; i < LETTERS; i++) {
		struct letter_out *o = &l->letters->letter[i];

		if (o->state != LETTER_NONE && o->due <= now)
			on_due(l, o);
		while (o->state == LETTER_NONE && (one = links_due(l->links, now)) != NULL)
			begin(l, o, one);
		if (o->state != LETTER_NONE && o->due < next)
			next = o->due;
		room = room || o->state == LETTER_NONE;
	}
	/* Without room the next answer wakes us. */
	if (room && links_next(l->links) < next)
		next = links_next(l->links);
	return next;
}
