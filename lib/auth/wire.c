#include "lib/auth/wire.h"

#include <string.h>

#include <openssl/evp.h>

#include "lib/auth/ask.h"

bool wire_fail(struct wire *w, const char *why)
{
	if (w->why == NULL)
		w->why = why;
	return false;
}

bool wire_line(struct wire *w, char line[WIRE_LINE])
{
	size_t len = 0;

	if (++w->lines > WIRE_LINES)
		return wire_fail(w, "the server says too much");
	for (;;) {
		char c;

		if (w->at == w->end) {
			w->at = 0;
			w->end = w->get(w, w->input, sizeof w->input);
			if (w->end == 0)
				return wire_fail(w, "the server said no more");
		}
		c = w->input[w->at++];
		if (c == '\n')
			break;
		if (c == '\0' || len == WIRE_LINE - 1)
			return wire_fail(w, "the server sent no line of text");
		line[len++] = c;
	}
	if (len > 0 && line[len - 1] == '\r')
		len--;
	line[len] = '\0';
	return true;
}

bool wire_say(struct wire *w, const char *text)
{
	return w->put(w, text, strlen(text)) || wire_fail(w, "the server does not listen");
}

bool wire_say_base64(struct wire *w, const char *before, const char *bytes, size_t len)
{
	unsigned char text[4 * (WIRE_BASE64_MAX / 3 + 1) + 64];
	size_t at = strlen(before);
	bool good;

	if (len > WIRE_BASE64_MAX || at > 32)
		return wire_fail(w, "too much to say");
	/* One write: a command whose parts come one by one shows how long they are. */
	memcpy(text, before, at);
	at += (size_t)EVP_EncodeBlock(text + at, (const unsigned char *)bytes, (int)len);
	memcpy(text + at, "\r\n", 2);
	good = w->put(w, (const char *)text, at + 2) || wire_fail(w, "the server does not listen");
	explicit_bzero(text, sizeof text);
	return good;
}

bool wire_say_plain(struct wire *w, const char *before, const char *login, const char *password)
{
	char text[1 + AUTH_LOGIN_MAX + 1 + AUTH_PASSWORD_MAX];
	size_t login_len = strnlen(login, AUTH_LOGIN_MAX);
	size_t password_len = strnlen(password, AUTH_PASSWORD_MAX);
	bool good;

	text[0] = '\0';
	memcpy(text + 1, login, login_len);
	text[1 + login_len] = '\0';
	memcpy(text + 1 + login_len + 1, password, password_len);
	good = wire_say_base64(w, before, text, 1 + login_len + 1 + password_len);
	explicit_bzero(text, sizeof text);
	return good;
}

bool wire_start_tls(struct wire *w)
{
	if (w->at != w->end)
		return wire_fail(w, "the server spoke between STARTTLS and TLS");
	return w->start_tls(w) || wire_fail(w, "no TLS");
}
