#include "lib/auth/question.h"

#include <arpa/inet.h>
#include <string.h>

#define CONT(byte) (((byte)&0xc0) == 0x80)

static bool is_word(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text);
}

/*
 * Bytes of the character that begins here, or 0: no UTF-8 (RFC 3629: shortest form, no surrogates,
 * nothing above U+10FFFF), or a control character, those of the second kind (U+0080 on) too. Stops
 * at the NUL, which continues nothing.
 */
static size_t character(const unsigned char *s)
{
	if (s[0] < 0x80)
		return s[0] < ' ' || s[0] == 0x7f ? 0 : 1;
	if (s[0] < 0xc2 || s[0] > 0xf4 || !CONT(s[1]))
		return 0;
	if (s[0] < 0xe0)
		return s[0] == 0xc2 && s[1] < 0xa0 ? 0 : 2;
	if (!CONT(s[2]) || (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f))
		return 0;
	if (s[0] < 0xf0)
		return 3;
	if (!CONT(s[3]) || (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return 4;
}

static bool is_printable(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s != '\0') {
		size_t n = character(s);

		if (n == 0)
			return false;
		s += n;
	}
	return true;
}

/* Whether the length is from 1 to `most`, without looking further than that. */
static bool fits(const char *text, size_t most)
{
	size_t len = strnlen(text, most + 1);

	return len >= 1 && len <= most;
}

bool question_good(const struct auth_question *q)
{
	return fits(q->service, QUESTION_SERVICE_MAX) && fits(q->source, QUESTION_SOURCE_MAX) &&
	       fits(q->login, AUTH_LOGIN_MAX) && fits(q->password, AUTH_PASSWORD_MAX) &&
	       is_word(q->service) && is_printable(q->login) && is_printable(q->source);
}

static size_t put(char *bytes, size_t at, const char *text)
{
	size_t len = strlen(text) + 1;

	memcpy(bytes + at, text, len);
	return at + len;
}

size_t question_write(
    const struct auth_question *q, char bytes[QUESTION_PREFIX + AUTH_QUESTION_MAX])
{
	size_t at = QUESTION_PREFIX;
	uint32_t length;

	if (!question_good(q))
		return 0;

	/* The four bounds and their NULs are less than AUTH_QUESTION_MAX. */
	at = put(bytes, at, q->service);
	at = put(bytes, at, q->source);
	at = put(bytes, at, q->login);
	at = put(bytes, at, q->password);
	length = htonl((uint32_t)(at - QUESTION_PREFIX));
	memcpy(bytes, &length, sizeof length);
	return at;
}

size_t question_length(const char *bytes)
{
	uint32_t big;
	size_t len;

	memcpy(&big, bytes, sizeof big);
	len = ntohl(big);
	return len <= AUTH_QUESTION_MAX ? len : 0;
}

/* The string at *at and what is behind it; NULL if it has no end. */
static const char *get(const char *bytes, size_t len, size_t *at)
{
	const char *start = bytes + *at;
	const char *end = *at < len ? memchr(start, '\0', len - *at) : NULL;

	if (end == NULL)
		return NULL;
	*at = (size_t)(end - bytes) + 1;
	return start;
}

bool question_read(const char *bytes, size_t len, struct auth_question *q)
{
	size_t at = 0;

	*q = (struct auth_question){0};
	q->service = get(bytes, len, &at);
	q->source = get(bytes, len, &at);
	q->login = get(bytes, len, &at);
	q->password = get(bytes, len, &at);
	return q->service != NULL && q->source != NULL && q->login != NULL && q->password != NULL &&
	       at == len && question_good(q);
}
