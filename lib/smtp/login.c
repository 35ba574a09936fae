/* AUTH PLAIN and LOGIN (RFC 4954, RFC 4616), under TLS alone. The password goes to seki-auth. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/smtp/params.h"
#include "lib/smtp/session.h"

#define SAY_BASE64 "501 5.5.2 this is no base64"

/* What a client said, decoded. It is wiped wherever it goes. */
struct secret {
	size_t len;
	char bytes[AUTH_LINE_MAX + 4];
};

static void wipe(struct secret *secret)
{
	explicit_bzero(secret, sizeof *secret);
}

/* Strict base64 (RFC 4648 section 4), "=" alone for nothing. */
static bool decode(const char *text, size_t len, struct secret *secret)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t padding = 0;
	int n;

	secret->len = 0;
	if (len == 1 && text[0] == '=')
		return true;
	if (len == 0 || len % 4 != 0 || len > AUTH_LINE_MAX)
		return false;
	while (padding < 2 && text[len - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < len - padding; i++) {
		if (memchr(alphabet, text[i], sizeof alphabet - 1) == NULL)
			return false;
	}

	n = EVP_DecodeBlock((unsigned char *)secret->bytes, (const unsigned char *)text, (int)len);
	if (n < 0)
		return false;
	secret->len = (size_t)n - padding;
	return true;
}

/* Asks for a response and reads it. NEXT_COMMAND: it is in `secret`; otherwise the exchange is over
 * and answered. */
static enum next ask(struct session *s, const char *challenge, struct secret *secret)
{
	enum next next = session_say(s, challenge);
	enum io_status status;
	char *line;
	size_t len;
	bool fine;

	secret->len = SIZE_MAX; /* nothing was read */
	if (next != NEXT_COMMAND)
		return next;
	status = io_line(&s->io, AUTH_LINE_MAX, false, &line, &len);
	if (status == IO_LONG)
		return session_say(s, "501 5.5.2 response too long");
	if (status == IO_BARE)
		return session_dismiss(s, "500 5.5.2 a line ends in CR LF, closing");
	if (status != IO_OK)
		return session_lost(s, status);
	if (len == 1 && line[0] == '*')
		return session_say(s, "501 5.7.0 given up, as you wish");

	fine = decode(line, len, secret);
	explicit_bzero(line, len);
	if (fine)
		return NEXT_COMMAND;
	secret->len = SIZE_MAX;
	return session_say(s, SAY_BASE64);
}

/* The first response, from the command's own line or asked for. */
static enum next first_response(struct session *s, const char *challenge, const char *initial,
    size_t len, struct secret *secret)
{
	secret->len = SIZE_MAX;
	if (len == 0)
		return ask(s, challenge, secret);
	if (decode(initial, len, secret))
		return NEXT_COMMAND;
	secret->len = SIZE_MAX;
	return session_say(s, SAY_BASE64);
}

/* ---- the answer ---- */

static int64_t patience(const struct settings *s)
{
	return (s->auth_timeout + s->auth_delay_longest + 5 * CLOCK_SECOND) / 1000;
}

static enum next refused(struct session *s)
{
	enum next next = session_say(s, "535 5.7.8 login or password is wrong");

	if (next != NEXT_COMMAND || ++s->wrong_passwords < (unsigned)s->config->settings.auth_tries)
		return next;
	return session_dismiss(s, "421 4.7.0 too many wrong passwords, closing");
}

static enum next judge(struct session *s, const char *login, const char *password)
{
	struct auth_question question = {
	    .service = "smtp", .source = s->peer_text, .login = login, .password = password};
	enum next next;

	/* The client waits, and nothing is left undone: what it was asked may take its time. */
	next = io_flush(&s->io) == IO_OK ? NEXT_COMMAND : NEXT_GONE;
	if (next != NEXT_COMMAND)
		return next;
	switch (auth_ask(AUTH_SOCKET, &question, (int)patience(&s->config->settings))) {
	case AUTH_RIGHT:
		(void)snprintf(s->login, sizeof s->login, "%s", login);
		session_proven(s);
		LOG("login", kv("peer", s->peer_text), kv("login", s->login),
		    kv("tls", tls_version(s->tls)));
		return session_say(s, "235 2.7.0 welcome");
	case AUTH_WRONG:
		return refused(s);
	case AUTH_CAPPED:
		return session_dismiss(s, "454 4.7.0 too many wrong passwords, try again later");
	case AUTH_LATER:
		break;
	}
	return session_refuse(s, "454 4.7.0 passwords cannot be checked just now, try again", "");
}

/* ---- the mechanisms ---- */

/* [authzid] NUL authcid NUL password, each without a NUL. */
static enum next plain(struct session *s, const char *initial, size_t len)
{
	struct secret secret;
	enum next next = first_response(s, "334 ", initial, len, &secret);
	const char *login, *password, *end;

	if (secret.len == SIZE_MAX)
		goto out;
	end = secret.bytes + secret.len;
	secret.bytes[secret.len] = '\0';
	login = memchr(secret.bytes, '\0', secret.len);
	password = login != NULL ? memchr(login + 1, '\0', (size_t)(end - login - 1)) : NULL;
	if (password == NULL || memchr(password + 1, '\0', (size_t)(end - password - 1)) != NULL) {
		next = session_say(s, "501 5.5.2 this is no login and password");
		goto out;
	}
	login++;
	password++;
	/* To act for somebody else is not offered. */
	if (secret.bytes[0] != '\0' && strcmp(secret.bytes, login) != 0)
		next = session_say(s, "535 5.7.8 you may act for yourself only");
	else
		next = judge(s, login, password);
out:
	wipe(&secret);
	return next;
}

/* Asks for both, one after the other (never standardised; every printer speaks it). */
static enum next login(struct session *s, const char *initial, size_t len)
{
	struct secret name, password = {.len = SIZE_MAX};
	enum next next = first_response(s, "334 VXNlcm5hbWU6", initial, len, &name);

	if (name.len != SIZE_MAX)
		next = ask(s, "334 UGFzc3dvcmQ6", &password);
	if (password.len != SIZE_MAX) {
		name.bytes[name.len] = password.bytes[password.len] = '\0';
		if (memchr(name.bytes, '\0', name.len) != NULL ||
		    memchr(password.bytes, '\0', password.len) != NULL)
			next = session_say(s, "501 5.5.2 this is no login and password");
		else
			next = judge(s, name.bytes, password.bytes);
	}
	wipe(&name);
	wipe(&password);
	return next;
}

static enum next mechanism(struct session *s, const char *argument, size_t len)
{
	const char *space = memchr(argument, ' ', len);
	size_t word = space != NULL ? (size_t)(space - argument) : len;
	const char *initial = space != NULL ? space + 1 : "";
	size_t initial_len = space != NULL ? len - word - 1 : 0;

	if (word_is(argument, word, "PLAIN"))
		return plain(s, initial, initial_len);
	if (word_is(argument, word, "LOGIN"))
		return login(s, initial, initial_len);
	return session_say(s, "504 5.5.4 PLAIN and LOGIN are known");
}

enum next session_auth(struct session *s, const char *argument, size_t len)
{
	if (s->service == SMTP_RELAY)
		return session_say(s, "502 5.5.1 no logins here; use the submission service");
	if (s->tls == NULL)
		return session_say(s, "538 5.7.11 not in the clear: STARTTLS comes first");
	if (s->login[0] != '\0')
		return session_say(s, "503 5.5.1 you have logged in already");
	return mechanism(s, argument, len);
}

/* ---- as whom ---- */

enum foreign_sender session_foreign(const struct session *s)
{
	switch (people_foreign(s->config->people, s->login)) {
	case FOREIGN_REFUSE:
		return FOREIGN_SENDER_REFUSE;
	case FOREIGN_HOLD:
		return FOREIGN_SENDER_HOLD;
	case FOREIGN_ALLOW:
		return FOREIGN_SENDER_ALLOW;
	case FOREIGN_UNSAID:
		break;
	}
	return (enum foreign_sender)s->config->settings.foreign_sender;
}
