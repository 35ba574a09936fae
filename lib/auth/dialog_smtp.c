#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/auth/dialog.h"

#define COMMAND_MAX ((size_t)510) /* RFC 5321 section 4.5.3.1.4, without CRLF */

/* What EHLO offers. */
struct offer {
	bool plain;
	bool login;
	bool starttls;
};

static void read_methods(const char *words, struct offer *offer)
{
	while (*words != '\0') {
		size_t len = strcspn(words, " ");

		if (len == 5 && strncasecmp(words, "PLAIN", len) == 0)
			offer->plain = true;
		if (len == 5 && strncasecmp(words, "LOGIN", len) == 0)
			offer->login = true;
		words += len;
		words += strspn(words, " ");
	}
}

static void read_keyword(const char *text, struct offer *offer)
{
	/* "AUTH=" is how servers said it before RFC 2554. */
	if (strncasecmp(text, "AUTH ", 5) == 0 || strncasecmp(text, "AUTH=", 5) == 0)
		read_methods(text + 5, offer);
	if (strcasecmp(text, "STARTTLS") == 0)
		offer->starttls = true;
}

static bool digits(const char *line)
{
	for (int i = 0; i < 3; i++) {
		if (line[i] < '0' || line[i] > '9')
			return false;
	}
	return line[3] == '\0' || line[3] == ' ' || line[3] == '-';
}

/* The code of a whole reply (RFC 5321 section 4.2), or 0 if what came is none. */
static int await(struct wire *w, struct offer *offer)
{
	char line[WIRE_LINE];
	int first = 0;

	while (wire_line(w, line)) {
		int code;

		if (!digits(line))
			break;
		code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
		if (first != 0 && code != first)
			break;
		if (offer != NULL && first != 0 && line[3] != '\0')
			read_keyword(line + 4, offer);
		if (line[3] != '-')
			return code;
		first = code;
	}
	(void)wire_fail(w, "this is no SMTP server");
	return 0;
}

static enum check_code later(struct wire *w, const char *why)
{
	(void)wire_fail(w, why);
	return CHECK_LATER;
}

/* RFC 4954 section 6: 535 says that the credentials are wrong; no other code does. */
static enum check_code verdict(struct wire *w, int code)
{
	switch (code) {
	case 235:
		return CHECK_RIGHT;
	case 535:
		return CHECK_WRONG;
	default:
		return later(w, "the server cannot tell for now");
	}
}

static bool hello(struct wire *w, const char *host, struct offer *offer)
{
	char command[300];

	*offer = (struct offer){0};
	(void)snprintf(command, sizeof command, "EHLO %.255s\r\n", host);
	if (!wire_say(w, command))
		return false;
	return await(w, offer) == 250 || wire_fail(w, "the server does not take EHLO");
}

static bool greet(struct wire *w, bool starttls, const char *host, struct offer *offer)
{
	if (await(w, NULL) != 220)
		return wire_fail(w, "the server does not greet");
	if (!hello(w, host, offer))
		return false;
	if (!starttls)
		return true;
	if (!offer->starttls)
		return wire_fail(w, "the server offers no STARTTLS");
	if (!wire_say(w, "STARTTLS\r\n"))
		return false;
	if (await(w, NULL) != 220)
		return wire_fail(w, "the server does not take STARTTLS");
	/* What was offered before TLS is not believed. */
	return wire_start_tls(w) && hello(w, host, offer);
}

static enum check_code auth_plain(struct wire *w, const char *login, const char *password)
{
	static const char command[] = "AUTH PLAIN ";
	size_t encoded = 4 * ((strlen(login) + strlen(password) + 2 + 2) / 3);

	/* With the command if it fits into a command's line. */
	if (sizeof command - 1 + encoded <= COMMAND_MAX) {
		if (!wire_say_plain(w, command, login, password))
			return CHECK_LATER;
		return verdict(w, await(w, NULL));
	}
	if (!wire_say(w, "AUTH PLAIN\r\n"))
		return CHECK_LATER;
	if (await(w, NULL) != 334)
		return later(w, "the server does not take AUTH PLAIN");
	if (!wire_say_plain(w, "", login, password))
		return CHECK_LATER;
	return verdict(w, await(w, NULL));
}

static enum check_code auth_login(struct wire *w, const char *login, const char *password)
{
	if (!wire_say(w, "AUTH LOGIN\r\n"))
		return CHECK_LATER;
	if (await(w, NULL) != 334)
		return later(w, "the server does not take AUTH LOGIN");
	if (!wire_say_base64(w, "", login, strlen(login)))
		return CHECK_LATER;
	if (await(w, NULL) != 334)
		return later(w, "the server does not take the login's name");
	if (!wire_say_base64(w, "", password, strlen(password)))
		return CHECK_LATER;
	return verdict(w, await(w, NULL));
}

enum check_code dialog_smtp(
    struct wire *w, bool starttls, const char *host, const char *login, const char *password)
{
	struct offer offer;
	enum check_code code;

	if (!greet(w, starttls, host, &offer))
		return CHECK_LATER;
	if (offer.plain)
		code = auth_plain(w, login, password);
	else if (offer.login)
		code = auth_login(w, login, password);
	else
		return later(w, "the server offers neither AUTH PLAIN nor AUTH LOGIN");
	(void)w->put(w, "QUIT\r\n", 6); /* whether it hears that does not matter */
	return code;
}
