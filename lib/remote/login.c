/* AUTH PLAIN and LOGIN (RFC 4954, RFC 4616), under TLS and nowhere else. */
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "lib/remote/session.h"

#define RAW_MAX    ((size_t)(2 * REMOTE_SECRET_MAX + 2))
#define BASE64_MAX (4 * (RAW_MAX / 3 + 1))

/* Never a reason to give mail back: the credentials are ours, not the sender's. */
static bool refuse(struct remote_session *s, struct outcome *o)
{
	if (o->class != REMOTE_DEFERRED) {
		o->class = REMOTE_DEFERRED;
		o->status[0] = '4';
	}
	if (s->open)
		remote_quit(s);
	remote_end(s, o);
	return false;
}

static bool cannot(struct remote_session *s, struct outcome *o, const char *why)
{
	outcome_own(o, REMOTE_DEFERRED, PHASE_AUTH, "4.7.0", why);
	return refuse(s, o);
}

/* Says `before` and the bytes in base64, in one write; the reply must have this code. */
static bool say_secret(struct remote_session *s, const char *before, const char *raw, size_t len,
    int wanted, struct outcome *o)
{
	char text[32 + BASE64_MAX + 3];
	size_t at = strlen(before);
	struct reply reply;
	bool good;

	memcpy(text, before, at);
	at += (size_t)EVP_EncodeBlock(
	    (unsigned char *)text + at, (const unsigned char *)raw, (int)len);
	memcpy(text + at, "\r\n", 2);
	good = remote_put(s, PHASE_AUTH, text, at + 2, o);
	explicit_bzero(text, sizeof text);
	good = good && remote_reply(s, PHASE_AUTH, s->order->limits.auth, NULL, NULL, &reply, o);
	explicit_bzero(s->conn.out, sizeof s->conn.out);
	if (!good)
		return false;
	if (reply.code == wanted)
		return true;
	outcome_of_reply(o, PHASE_AUTH, &reply);
	return refuse(s, o);
}

static bool log_in_plain(struct remote_session *s, struct outcome *o)
{
	char raw[RAW_MAX];
	size_t login = strlen(s->order->login), password = strlen(s->order->password);
	size_t len = 1 + login + 1 + password;
	bool good;

	raw[0] = '\0';
	memcpy(raw + 1, s->order->login, login + 1);
	memcpy(raw + 1 + login + 1, s->order->password, password);
	/* A command's line has 512 bytes (RFC 5321 section 4.5.3.1.4); the answer to 334 more. */
	if (len <= 360)
		good = say_secret(s, "AUTH PLAIN ", raw, len, 235, o);
	else
		good = say_secret(s, "AUTH PLAIN", "", 0, 334, o) &&
		       say_secret(s, "", raw, len, 235, o);
	explicit_bzero(raw, sizeof raw);
	return good;
}

static bool log_in_login(struct remote_session *s, struct outcome *o)
{
	const struct remote_order *order = s->order;

	return say_secret(s, "AUTH LOGIN", "", 0, 334, o) &&
	       say_secret(s, "", order->login, strlen(order->login), 334, o) &&
	       say_secret(s, "", order->password, strlen(order->password), 235, o);
}

bool remote_log_in(struct remote_session *s, struct outcome *o)
{
	if (s->conn.ssl == NULL)
		return cannot(s, o, "no TLS, so the password was not said");
	if (s->offer.auth_plain)
		s->logged_in = log_in_plain(s, o);
	else if (s->offer.auth_login)
		s->logged_in = log_in_login(s, o);
	else
		return cannot(s, o, "the server offers neither AUTH PLAIN nor AUTH LOGIN");
	return s->logged_in;
}
