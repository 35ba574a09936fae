/* Passwords: seki-auth is asked, which may take seconds on purpose; nobody else waits meanwhile. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/auth/question.h"
#include "lib/base/log.h"
#include "lib/login/inside.h"

#define SERVICE "web"
#define LATE    (5 * CLOCK_SECOND) /* behind all that seki-auth may take itself */

static void refuse(struct login *l, struct login_client *c, const char *code, const char *why)
{
	LOG("login-refused", kv("why", code), kv("login", login_known(l, c->login)),
	    kv("source", c->source));
	door_answer(l, c, answer_no("no", code, why));
}

static void not_now(struct login *l, struct login_client *c, const char *why)
{
	LOG_ALARM("login-unchecked", kv("why", why));
	door_answer(l, c, answer_no("no", "later", "no password can be checked just now"));
}

/* Whose the login is; a login that is an address, and nobody's in etc/people, is that one. */
static bool whose(const struct login *l, const char *login, char address[GATE_ADDRESS_MAX])
{
	char normal[ORG_ADDRESS_MAX];
	const char *lang;

	if (org_login(l->org, login, normal)) {
		(void)snprintf(address, GATE_ADDRESS_MAX, "%s", normal);
		return true;
	}
	if (strchr(login, '@') == NULL || !org_normal(login, normal))
		return false;
	login_own_address(l, normal, address, &lang);
	return true;
}

static void right(struct login *l, struct login_client *c)
{
	char address[GATE_ADDRESS_MAX];

	if (l->org == NULL)
		not_now(l, c, "no organisation");
	else if (!whose(l, c->login, address))
		refuse(l, c, "wrong", "login or password is wrong");
	else
		door_answer(l, c, answer_session(l, address, c->source, false));
}

/* The answer's letter: lib/auth/ask.h. */
static void on_answer(struct login *l, void *owner, uint32_t events)
{
	struct login_client *c = owner;
	char letter = 0;
	ssize_t n;

	(void)events;
	if (c->state != CLIENT_ASKING)
		return;
	n = recv(c->auth, &letter, 1, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	switch (n == 1 ? letter : 0) {
	case 'Y':
		right(l, c);
		break;
	case 'N':
		refuse(l, c, "wrong", "login or password is wrong");
		break;
	case 'C':
		refuse(l, c, "capped", "too many wrong passwords: try again later");
		break;
	default:
		not_now(l, c, "seki-auth has no answer");
		break;
	}
}

void password_late(struct login *l, struct login_client *c)
{
	not_now(l, c, "seki-auth took too long");
}

/* So few bytes go into an empty socket at once. */
static bool put_question(int fd, const struct auth_question *question)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = AUTH_SOCKET};
	char bytes[QUESTION_PREFIX + AUTH_QUESTION_MAX];
	size_t len = question_write(question, bytes);
	bool put = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
		   send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;

	explicit_bzero(bytes, sizeof bytes);
	return put;
}

static void ask(struct login *l, struct login_client *c, const struct auth_question *question)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	c->auth_watch = (struct login_watch){on_answer, c};
	if (fd < 0 || !put_question(fd, question) ||
	    !login_watch(l, EPOLL_CTL_ADD, fd, EPOLLIN, &c->auth_watch)) {
		if (fd >= 0)
			(void)close(fd);
		not_now(l, c, "seki-auth cannot be asked");
		return;
	}
	c->auth = fd;
	c->auth_due =
	    clock_boot() + l->settings.auth_timeout + l->settings.auth_delay_longest + LATE;
	c->state = CLIENT_ASKING;
	l->asking++;
	/* What it may say yet wakes nobody; that it is gone, does. */
	if (!login_watch(l, EPOLL_CTL_MOD, c->fd, 0, &c->watch))
		door_drop(l, c);
}

/* One source that asks again and again, and waits, is not to take up everybody's places. */
static bool asks_too_much(const struct login *l, const struct login_client *mine)
{
	size_t n = 0;

	for (size_t i = 0; i < LOGIN_CLIENTS; i++) {
		const struct login_client *c = &l->client[i];

		if (c->state == CLIENT_ASKING && memcmp(c->place, mine->place, GUESS_PLACE) == 0)
			n++;
	}
	return n >= LOGIN_CHECKS_SOURCE;
}

void password_ask(struct login *l, struct login_client *c)
{
	struct auth_question question = {.service = SERVICE,
	    .source = login_request_value(&l->parsed, "source"),
	    .login = login_request_value(&l->parsed, "login"),
	    .password = login_request_value(&l->parsed, "password")};

	if (question.source == NULL || question.login == NULL || question.password == NULL) {
		door_answer(
		    l, c, answer_no("no", "words", "login=, password= or source= is missing"));
		return;
	}
	(void)snprintf(c->login, sizeof c->login, "%s", question.login);
	(void)snprintf(c->source, sizeof c->source, "%s", question.source);
	if (l->plain)
		not_now(l, c, "web-url is http: passwords would cross in clear");
	else if (!question_good(&question) || !guess_place(question.source, GUESS_SOURCE, c->place))
		refuse(l, c, "wrong", "login or password is wrong");
	else if (asks_too_much(l, c))
		refuse(l, c, "capped", "too many of this source are asked about at once");
	else if (l->asking >= LOGIN_CHECKS)
		not_now(l, c, "too many are asked about at once");
	else
		ask(l, c, &question);
}
