#include "lib/remote/command.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/buf.h"
#include "lib/base/xtext.h"

#define VALUE_MAX ((size_t)1024)

/* ---- EHLO ---- */

static bool is_word(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

static size_t word_length(const char *text, size_t len)
{
	const char *blank = memchr(text, ' ', len);

	return blank != NULL ? (size_t)(blank - text) : len;
}

static void read_size(struct offer *offer, const char *text, size_t len)
{
	uint64_t n = 0;

	offer->size = true;
	for (size_t i = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(text[i] - '0'), &n))
			return; /* more than any message */
	}
	offer->size_max = n;
}

static void read_methods(struct offer *offer, const char *text, size_t len)
{
	while (len > 0) {
		size_t word = word_length(text, len);

		offer->auth_plain = offer->auth_plain || is_word(text, word, "PLAIN");
		offer->auth_login = offer->auth_login || is_word(text, word, "LOGIN");
		word += word < len ? 1 : 0;
		text += word;
		len -= word;
	}
}

void offer_read(struct offer *o, const char *text, size_t len)
{
	const struct {
		const char *word;
		bool *field;
	} words[] = {{"PIPELINING", &o->pipelining}, {"8BITMIME", &o->eightbit},
	    {"SMTPUTF8", &o->utf8}, {"DSN", &o->dsn}, {"STARTTLS", &o->starttls},
	    {"ENHANCEDSTATUSCODES", &o->enhanced}};
	size_t word = word_length(text, len);
	size_t rest = word < len ? word + 1 : len;

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (is_word(text, word, words[i].word))
			*words[i].field = true;
	}
	if (is_word(text, word, "SIZE"))
		read_size(o, text + rest, len - rest);
	if (is_word(text, word, "AUTH"))
		read_methods(o, text + rest, len - rest);
	else if (len > 5 && strncasecmp(text, "AUTH=", 5) == 0) /* before RFC 2554 */
		read_methods(o, text + 5, len - 5);
}

/* ---- addresses ---- */

static bool ascii(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text > 0x7e)
			return false;
	}
	return true;
}

/* No control character can be said, nor a '>' that would end the path, unless it is quoted. */
static bool can_be_said(const char *address)
{
	bool quoted = false;

	for (const char *p = address; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
		if (*p == '"')
			quoted = !quoted;
		if (quoted && *p == '\\' && *++p == '\0')
			return false;
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
		if (!quoted && (*p == '<' || *p == '>' || *p == ' '))
			return false;
	}
	return !quoted;
}

bool remote_needs_utf8(const struct leg *envelope)
{
	size_t len;
	const char *value = leg_param(envelope->from_params, "smtputf8", &len);

	if (value != NULL && is_word(value, len, "yes"))
		return true;
	if (!ascii(envelope->from))
		return true;
	for (size_t i = 0; i < envelope->rcpts; i++) {
		if (!ascii(envelope->rcpt[i].address))
			return true;
	}
	return false;
}

/* ---- parameters ---- */

/* The value of `key` decoded, with a NUL; false if it is not there or cannot be. */
static bool value_of(const char *params, const char *key, char value[VALUE_MAX])
{
	size_t len;
	const char *text = leg_param(params, key, &len);

	if (text == NULL || len == 0 || len >= VALUE_MAX || !xtext_decode(text, len, value, &len))
		return false;
	value[len] = '\0';
	return memchr(value, '\0', len) == NULL;
}

bool remote_is_eightbit(const struct leg *envelope)
{
	char value[VALUE_MAX];

	return value_of(envelope->from_params, "body", value) && strcmp(value, "8bitmime") == 0;
}

static void add_body(struct buf *out, const char *params, const struct offer *offer)
{
	char value[VALUE_MAX];

	if (!offer->eightbit || !value_of(params, "body", value))
		return;
	if (strcmp(value, "8bitmime") == 0)
		buf_add_text(out, " BODY=8BITMIME");
	else if (strcmp(value, "7bit") == 0)
		buf_add_text(out, " BODY=7BIT");
}

static void add_return(struct buf *out, const char *params, const struct offer *offer)
{
	char value[VALUE_MAX];

	if (!offer->dsn)
		return;
	if (value_of(params, "ret", value)) {
		if (strcmp(value, "hdrs") == 0)
			buf_add_text(out, " RET=HDRS");
		else if (strcmp(value, "full") == 0)
			buf_add_text(out, " RET=FULL");
	}
	if (value_of(params, "envid", value) && ascii(value)) {
		buf_add_text(out, " ENVID=");
		buf_add_xtext(out, value, strlen(value));
	}
}

static void add_notify(struct buf *out, const char *params)
{
	static const struct {
		const char *word, *said;
	} words[] = {
	    {"never", "NEVER"}, {"success", "SUCCESS"}, {"failure", "FAILURE"}, {"delay", "DELAY"}};
	const char *before = " NOTIFY=";
	char value[VALUE_MAX];

	if (!value_of(params, "notify", value))
		return;
	for (const char *at = value; *at != '\0';) {
		size_t len = strcspn(at, ",");

		for (size_t i = 0; i < COUNT_OF(words); i++) {
			if (!is_word(at, len, words[i].word))
				continue;
			buf_add_text(out, before);
			buf_add_text(out, words[i].said);
			before = ",";
		}
		at += len + (at[len] == ',' ? 1 : 0);
	}
}

/* TYPE;ADDRESS. One beyond ASCII is said as it is (RFC 6533 section 3), or not at all. */
static void add_orcpt(struct buf *out, const char *params, bool utf8)
{
	char value[VALUE_MAX];
	const char *address;

	if (!value_of(params, "orcpt", value))
		return;
	address = strchr(value, ';');
	if (address == NULL || address == value || address[1] == '\0' || (!utf8 && !ascii(value)))
		return;
	for (const char *p = value; p < address; p++) {
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", *p) ==
		    NULL)
			return;
	}
	address++;
	buf_add_text(out, " ORCPT=");
	buf_add(out, value, (size_t)(address - value));
	for (; *address != '\0'; address++) {
		if ((unsigned char)*address > 0x7f)
			buf_add(out, address, 1);
		else
			buf_add_xtext(out, address, 1);
	}
}

/* ---- commands ---- */

/* Writes it out if it fits. */
static size_t finish(struct buf *b, char out[COMMAND_ROOM])
{
	size_t len;

	buf_add_text(b, "\r\n");
	len = buf_ok(b) ? b->len : 0;
	if (len > 0)
		memcpy(out, b->bytes, len);
	buf_free(b);
	return len;
}

static bool begin(struct buf *b, const char *verb, const char *address)
{
	buf_init(b, COMMAND_ROOM);
	if (!can_be_said(address))
		return false;
	buf_add_text(b, verb);
	buf_add_text(b, address);
	buf_add_text(b, ">");
	return true;
}

size_t remote_write_mail(const struct leg *envelope, uint64_t size, bool utf8,
    const struct offer *offer, char out[COMMAND_ROOM])
{
	struct buf b;

	if (!begin(&b, "MAIL FROM:<", envelope->from))
		return 0;
	if (offer->size)
		buf_addf(&b, " SIZE=%llu", (unsigned long long)size);
	add_body(&b, envelope->from_params, offer);
	if (utf8 && offer->utf8)
		buf_add_text(&b, " SMTPUTF8");
	add_return(&b, envelope->from_params, offer);
	return finish(&b, out);
}

size_t remote_write_rcpt(
    const struct leg_rcpt *rcpt, bool utf8, const struct offer *offer, char out[COMMAND_ROOM])
{
	struct buf b;

	if (rcpt->address[0] == '\0' || !begin(&b, "RCPT TO:<", rcpt->address))
		return 0;
	if (offer->dsn) {
		add_notify(&b, rcpt->params);
		add_orcpt(&b, rcpt->params, utf8);
	}
	return finish(&b, out);
}
