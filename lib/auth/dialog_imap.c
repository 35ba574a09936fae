#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/auth/dialog.h"

/* What the server offers (RFC 3501 section 7.2.1). */
struct offer {
	bool plain;
	bool initial; /* SASL-IR, RFC 4959 */
	bool no_login;
};

enum reply { REPLY_OK, REPLY_NO, REPLY_NO_FOR_NOW, REPLY_GO_ON, REPLY_OTHER };

static bool begins(const char *line, const char *word)
{
	return strncasecmp(line, word, strlen(word)) == 0;
}

static void read_offer(const char *words, struct offer *offer)
{
	*offer = (struct offer){0};
	while (*words != '\0') {
		size_t len = strcspn(words, " ]");

		if (len == 10 && begins(words, "AUTH=PLAIN"))
			offer->plain = true;
		if (len == 7 && begins(words, "SASL-IR"))
			offer->initial = true;
		if (len == 13 && begins(words, "LOGINDISABLED"))
			offer->no_login = true;
		words += len;
		if (*words == ']')
			break;
		words += *words != '\0' ? 1 : 0;
	}
}

/* Codes of RFC 5530 and RFC 3501 with which a NO says nothing about the password. */
static bool for_now(const char *text)
{
	static const char *const codes[] = {"[UNAVAILABLE", "[SERVERBUG", "[CLIENTBUG", "[INUSE",
	    "[LIMIT", "[CANNOT", "[PRIVACYREQUIRED"};

	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		if (begins(text, codes[i]))
			return true;
	}
	return false;
}

/* The reply to a command, behind its tag. */
static enum reply result(const char *text)
{
	size_t len = strcspn(text, " ");

	if (len == 2 && begins(text, "OK"))
		return REPLY_OK;
	if (len == 2 && begins(text, "NO"))
		return for_now(text + len + strspn(text + len, " ")) ? REPLY_NO_FOR_NOW : REPLY_NO;
	return REPLY_OTHER;
}

/* Reads up to the reply to the command `tag`, or to what asks us to go on. */
static enum reply await(struct wire *w, const char *tag, struct offer *offer)
{
	char line[WIRE_LINE];
	size_t n = strlen(tag);

	while (wire_line(w, line)) {
		if (offer != NULL && begins(line, "* CAPABILITY "))
			read_offer(line + 13, offer);
		if (line[0] == '+')
			return REPLY_GO_ON;
		if (begins(line, "* BYE"))
			(void)wire_fail(w, "the server says BYE");
		if (strncmp(line, tag, n) != 0 || line[n] != ' ')
			continue;
		return result(line + n + 1);
	}
	return REPLY_OTHER;
}

static enum check_code later(struct wire *w, const char *why)
{
	(void)wire_fail(w, why);
	return CHECK_LATER;
}

static enum check_code verdict(struct wire *w, enum reply reply)
{
	switch (reply) {
	case REPLY_OK:
		return CHECK_RIGHT;
	case REPLY_NO:
		return CHECK_WRONG;
	case REPLY_NO_FOR_NOW:
		return later(w, "the server cannot tell for now");
	case REPLY_GO_ON:
	case REPLY_OTHER:
		break;
	}
	return later(w, "the server does not understand the login");
}

static enum check_code authenticate(
    struct wire *w, const struct offer *offer, const char *login, const char *password)
{
	enum reply reply;

	if (offer->initial) {
		if (!wire_say_plain(w, "c AUTHENTICATE PLAIN ", login, password))
			return CHECK_LATER;
		return verdict(w, await(w, "c", NULL));
	}
	if (!wire_say(w, "c AUTHENTICATE PLAIN\r\n"))
		return CHECK_LATER;
	reply = await(w, "c", NULL);
	if (reply != REPLY_GO_ON)
		return later(w, "the server does not take AUTHENTICATE PLAIN");
	if (!wire_say_plain(w, "", login, password))
		return CHECK_LATER;
	return verdict(w, await(w, "c", NULL));
}

/* LOGIN with literals: any byte may stand in them, so nothing has to be quoted. */
static enum check_code log_in(struct wire *w, const char *login, const char *password)
{
	char command[32];

	(void)snprintf(command, sizeof command, "c LOGIN {%zu}\r\n", strlen(login));
	if (!wire_say(w, command))
		return CHECK_LATER;
	if (await(w, "c", NULL) != REPLY_GO_ON)
		return later(w, "the server does not take LOGIN");

	(void)snprintf(command, sizeof command, " {%zu}\r\n", strlen(password));
	if (!wire_say(w, login) || !wire_say(w, command))
		return CHECK_LATER;
	if (await(w, "c", NULL) != REPLY_GO_ON)
		return later(w, "the server does not take the login's name");

	if (!wire_say(w, password) || !wire_say(w, "\r\n"))
		return CHECK_LATER;
	return verdict(w, await(w, "c", NULL));
}

static bool greet(struct wire *w, bool starttls)
{
	char line[WIRE_LINE];

	if (!wire_line(w, line))
		return false;
	if (!begins(line, "* OK"))
		return wire_fail(w, "this is no IMAP server, or it is not for logging in");
	if (!starttls)
		return true;
	if (!wire_say(w, "a STARTTLS\r\n"))
		return false;
	if (await(w, "a", NULL) != REPLY_OK)
		return wire_fail(w, "the server does not take STARTTLS");
	return wire_start_tls(w);
}

enum check_code dialog_imap(struct wire *w, bool starttls, const char *login, const char *password)
{
	struct offer offer = {0};
	enum check_code code;

	/* What was offered before TLS is not believed. */
	if (!greet(w, starttls) || !wire_say(w, "b CAPABILITY\r\n"))
		return CHECK_LATER;
	if (await(w, "b", &offer) != REPLY_OK)
		return later(w, "the server does not take CAPABILITY");

	if (offer.plain)
		code = authenticate(w, &offer, login, password);
	else if (!offer.no_login)
		code = log_in(w, login, password);
	else
		return later(w, "the server offers neither AUTH=PLAIN nor LOGIN");
	(void)w->put(w, "d LOGOUT\r\n", 10); /* whether it hears that does not matter */
	return code;
}
