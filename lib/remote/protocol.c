#include "lib/remote/protocol.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/base/xtext.h"

const char *remote_class_word(enum remote_class class)
{
	static const char *const words[] = {
	    "delivered", "refused", "deferred", "unknown", "untried"};

	return words[class];
}

const char *remote_phase_word(enum remote_phase phase)
{
	static const char *const words[] = {"connect", "greeting", "helo", "starttls", "auth",
	    "rset", "mail", "rcpt", "data", "content", "dot", "idle", "local"};

	return words[phase];
}

/* ---- words ---- */

/* The next word of a line, NUL-ended in place; NULL at the end, or where two blanks stand. */
static char *next_word(char **rest)
{
	char *word = *rest;
	char *blank;

	if (word == NULL || *word == '\0' || *word == ' ')
		return NULL;
	blank = strchr(word, ' ');
	if (blank != NULL)
		*blank++ = '\0';
	*rest = blank;
	return word;
}

/* A decimal number without superfluous zeros; false if it is none, or more than `largest`. */
static bool read_number(const char *text, uint64_t largest, uint64_t *number)
{
	if (text == NULL || *text == '\0' || (text[0] == '0' && text[1] != '\0'))
		return false;
	*number = 0;
	for (; *text != '\0'; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (digit > 9 || __builtin_mul_overflow(*number, 10, number) ||
		    __builtin_add_overflow(*number, digit, number) || *number > largest)
			return false;
	}
	return true;
}

/* Decodes an xtext word in place: 1 to `most` bytes without NUL, CR or LF. */
static bool decode(char *word, size_t most)
{
	size_t len;

	if (word == NULL || !xtext_decode(word, strlen(word), word, &len))
		return false;
	word[len] = '\0';
	return len >= 1 && len <= most && memchr(word, '\0', len) == NULL &&
	       strpbrk(word, "\r\n") == NULL;
}

static bool host_name(const char *name)
{
	for (const char *p = name; *p != '\0'; p++) {
		if ((unsigned char)*p <= ' ' || (unsigned char)*p > '~')
			return false;
	}
	return true;
}

/* ---- an order ---- */

static bool read_peer(struct remote_order *order, char *rest)
{
	char *address = next_word(&rest), *port = next_word(&rest), *name = next_word(&rest);
	struct remote_peer *peer = &order->peer[order->peers];
	struct in6_addr raw;
	uint64_t number;

	if (name == NULL || rest != NULL || order->peers == REMOTE_PEERS_MAX ||
	    (inet_pton(AF_INET, address, &raw) != 1 && inet_pton(AF_INET6, address, &raw) != 1) ||
	    !read_number(port, UINT16_MAX, &number) || number == 0)
		return false;
	if (strcmp(name, "-") == 0)
		name[0] = '\0';
	else if (!decode(name, REMOTE_NAME_MAX) || !host_name(name))
		return false;
	*peer = (struct remote_peer){.address = address, .port = (uint16_t)number, .name = name};
	order->peers++;
	return true;
}

static bool read_helo(struct remote_order *order, char *rest)
{
	char *name = next_word(&rest);

	if (order->helo != NULL || rest != NULL || !decode(name, REMOTE_NAME_MAX) ||
	    !host_name(name))
		return false;
	order->helo = name;
	return true;
}

static bool read_tls(struct remote_order *order, char *rest)
{
	if (strcmp(rest, "none") == 0)
		order->tls = REMOTE_TLS_NONE;
	else if (strcmp(rest, "opportunistic") == 0)
		order->tls = REMOTE_TLS_OPPORTUNISTIC;
	else
		return false;
	return true;
}

static bool read_eightbit(struct remote_order *order, char *rest)
{
	order->eightbit_bounce = strcmp(rest, "bounce") == 0;
	return order->eightbit_bounce || strcmp(rest, "send") == 0;
}

static bool read_auth(struct remote_order *order, char *rest)
{
	char *login = next_word(&rest), *password = next_word(&rest), *over = next_word(&rest);

	if (order->login != NULL || over == NULL || rest != NULL || strcmp(over, "over=tls") != 0 ||
	    !decode(login, REMOTE_SECRET_MAX) || !decode(password, REMOTE_SECRET_MAX))
		return false;
	order->login = login;
	order->password = password;
	return true;
}

static bool read_limit(struct remote_order *order, char *rest)
{
	static const struct {
		const char *name;
		size_t offset;
		int64_t smallest, largest;
	} rows[] = {
#define L(name, field, fallback, smallest, largest)                                                \
	{name, offsetof(struct remote_limits, field), smallest, largest},
	    REMOTE_LIMITS(L)
#undef L
	};
	char *name = next_word(&rest), *value = next_word(&rest);
	uint64_t number;

	if (value == NULL || rest != NULL || !read_number(value, INT64_MAX, &number))
		return false;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t n = (int64_t)number;

		if (strcmp(name, rows[i].name) != 0)
			continue;
		memcpy((char *)&order->limits + rows[i].offset, &n, sizeof n);
		return n >= rows[i].smallest && n <= rows[i].largest;
	}
	return false;
}

static bool read_order_line(struct remote_order *order, char *line)
{
	static const struct {
		const char *word;
		bool (*read)(struct remote_order *order, char *rest);
	} lines[] = {{"peer", read_peer}, {"helo", read_helo}, {"tls", read_tls},
	    {"eightbit", read_eightbit}, {"auth", read_auth}, {"limit", read_limit}};
	const char *word = next_word(&line);

	for (size_t i = 0; word != NULL && line != NULL && i < COUNT_OF(lines); i++) {
		if (strcmp(word, lines[i].word) == 0)
			return lines[i].read(order, line);
	}
	return false;
}

bool remote_read_order(char *text, size_t len, struct remote_order *order)
{
	char *end = text + len;

	*order = (struct remote_order){.limits = {
#define L(name, field, fallback, smallest, largest) .field = (fallback),
					   REMOTE_LIMITS(L)
#undef L
				       }};
	if (memchr(text, '\0', len) != NULL)
		return false;
	while (text < end) {
		char *newline = memchr(text, '\n', (size_t)(end - text));

		if (newline == NULL)
			return false;
		*newline = '\0';
		if (!read_order_line(order, text))
			return false;
		text = newline + 1;
	}
	return order->peers > 0 && order->helo != NULL;
}

/* ---- a message ---- */

bool remote_read_message(char *text, size_t len, struct remote_message *message)
{
	char *newline = memchr(text, '\n', len);
	char *rest = text, *word, *offset, *size, *sha256;
	uint64_t number, sum;

	if (newline == NULL || memchr(text, '\0', len) != NULL)
		return false;
	*newline = '\0';
	word = next_word(&rest);
	offset = next_word(&rest);
	size = next_word(&rest);
	sha256 = next_word(&rest);
	if (word == NULL || strcmp(word, "content") != 0 || sha256 == NULL || rest != NULL ||
	    strlen(sha256) != LEG_DIGEST_LEN ||
	    strspn(sha256, "0123456789abcdef") != LEG_DIGEST_LEN)
		return false;
	if (!read_number(offset, INT64_MAX, &number) ||
	    !read_number(size, INT64_MAX, &message->size) ||
	    __builtin_add_overflow(number, message->size, &sum) || sum > INT64_MAX)
		return false;

	message->offset = (off_t)number;
	memcpy(message->sha256, sha256, LEG_DIGEST_LEN + 1);
	len -= (size_t)(newline + 1 - text);
	return leg_read_envelope(newline + 1, len, &message->envelope);
}
