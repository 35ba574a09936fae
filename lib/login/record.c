#include "lib/login/record.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/hex.h"
#include "lib/base/xtext.h"
#include "queue/digest.h"

#define SESSION_HEAD "sekisho-session 1\n"
#define PIN_HEAD     "sekisho-pin 1\n"
#define SUM          "sum "
#define SUM_LEN      (sizeof SUM - 1 + 64 + 1) /* of its line */

void record_name(const char *text, unsigned char name[RECORD_NAME_LEN])
{
	char hex[DIGEST_HEX];

	digest_of(text, strlen(text), hex);
	(void)!hex_decode(hex, name, RECORD_NAME_LEN); /* 64 digits: it cannot fail */
}

/* ---- writing ------------------------------------------------------------------------------ */

static void add_name(struct buf *out, const unsigned char name[RECORD_NAME_LEN])
{
	char hex[RECORD_NAME_TEXT];

	hex_encode(name, RECORD_NAME_LEN, hex);
	buf_addf(out, "name %s\n", hex);
}

static void add_text(struct buf *out, const char *key, const char *value)
{
	buf_addf(out, "%s ", key);
	buf_add_xtext(out, value, strlen(value));
	buf_add_text(out, "\n");
}

/* Over all that `out` has so far. */
static void add_sum(struct buf *out)
{
	char hex[DIGEST_HEX];

	if (!buf_ok(out))
		return;
	digest_of(out->bytes, out->len, hex);
	buf_addf(out, SUM "%s\n", hex);
}

void record_session_write(const struct record_session *session, struct buf *out)
{
	char begun[CLOCK_TEXT];

	clock_format(session->begun, begun);
	buf_add_text(out, SESSION_HEAD);
	add_name(out, session->name);
	add_text(out, "address", session->address);
	buf_addf(out, "begun %s\n", begun);
	buf_addf(out, "boot %s %lld\n", session->boot, (long long)session->begun_boot);
	add_text(out, "source", session->source);
	buf_addf(out, "via %s\n", session->by_link ? "link" : "password");
	add_sum(out);
}

void record_pin_write(const struct record_pin *pin, struct buf *out)
{
	char last[CLOCK_TEXT];

	buf_add_text(out, PIN_HEAD);
	add_name(out, pin->name);
	add_text(out, "address", pin->address);
	add_text(out, "hash", pin->hash);
	if (pin->wrong > 0) {
		clock_format(pin->wrong_last, last);
		buf_addf(out, "wrong %u %s\n", pin->wrong, last);
	}
	add_sum(out);
}

/* ---- reading ------------------------------------------------------------------------------ */

/* What is left to be read. */
struct record_at {
	const char *at, *end;
};

static bool take_head(struct record_at *r, const char *head)
{
	size_t len = strlen(head);

	if ((size_t)(r->end - r->at) < len || memcmp(r->at, head, len) != 0)
		return false;
	r->at += len;
	return true;
}

/* "KEY VALUE" and its newline; the value, which is not empty. */
static bool take_line(struct record_at *r, const char *key, const char **value, size_t *len)
{
	size_t key_len = strlen(key);
	const char *newline = memchr(r->at, '\n', (size_t)(r->end - r->at));

	if (newline == NULL || (size_t)(newline - r->at) < key_len + 2 ||
	    memcmp(r->at, key, key_len) != 0 || r->at[key_len] != ' ')
		return false;
	*value = r->at + key_len + 1;
	*len = (size_t)(newline - *value);
	r->at = newline + 1;
	return true;
}

static bool take_text(struct record_at *r, const char *key, char *to, size_t room)
{
	char text[3 * GATE_ADDRESS_MAX];
	const char *value;
	size_t len;

	if (!take_line(r, key, &value, &len) || len > sizeof text ||
	    !xtext_decode(value, len, text, &len) || len >= room || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(to, text, len);
	to[len] = '\0';
	return true;
}

static bool take_name(struct record_at *r, const unsigned char name[RECORD_NAME_LEN])
{
	unsigned char said[RECORD_NAME_LEN];
	const char *value;
	size_t len;

	return take_line(r, "name", &value, &len) && len == RECORD_NAME_TEXT - 1 &&
	       hex_decode(value, said, sizeof said) && memcmp(said, name, sizeof said) == 0;
}

/* The sum is right; `r` then ends before it. */
static bool begin(struct record_at *r, const char *bytes, size_t len)
{
	char hex[DIGEST_HEX], line[SUM_LEN + 1];

	if (len < SUM_LEN || len > RECORD_MAX)
		return false;
	digest_of(bytes, len - SUM_LEN, hex);
	(void)snprintf(line, sizeof line, SUM "%s\n", hex);
	*r = (struct record_at){bytes, bytes + len - SUM_LEN};
	return memcmp(r->end, line, SUM_LEN) == 0;
}

static bool take_boot(struct record_at *r, struct record_session *session)
{
	const char *value;
	size_t len;
	int64_t n = 0;

	if (!take_line(r, "boot", &value, &len) || len < RECORD_BOOT_TEXT + 1 ||
	    value[RECORD_BOOT_TEXT - 1] != ' ' || len > RECORD_BOOT_TEXT + 18)
		return false;
	for (size_t i = 0; i < RECORD_BOOT_TEXT - 1; i++) {
		if (value[i] != '-' && hex_digit(value[i]) < 0)
			return false;
	}
	for (size_t i = RECORD_BOOT_TEXT; i < len; i++) {
		if (value[i] < '0' || value[i] > '9')
			return false;
		n = n * 10 + (value[i] - '0');
	}
	memcpy(session->boot, value, RECORD_BOOT_TEXT - 1);
	session->boot[RECORD_BOOT_TEXT - 1] = '\0';
	session->begun_boot = n;
	return true;
}

static bool take_begun(struct record_at *r, struct record_session *session)
{
	const char *value;
	size_t len;

	if (!take_line(r, "begun", &value, &len) || len != CLOCK_TEXT - 1)
		return false;
	session->begun = clock_parse(value, len);
	return session->begun >= 0;
}

static bool take_via(struct record_at *r, struct record_session *session)
{
	const char *value;
	size_t len;

	if (!take_line(r, "via", &value, &len))
		return false;
	session->by_link = len == 4 && memcmp(value, "link", 4) == 0;
	return session->by_link || (len == 8 && memcmp(value, "password", 8) == 0);
}

bool record_session_read(const char *bytes, size_t len, const unsigned char name[RECORD_NAME_LEN],
    struct record_session *session)
{
	struct record_at r;

	*session = (struct record_session){.begun = 0};
	memcpy(session->name, name, RECORD_NAME_LEN);
	return begin(&r, bytes, len) && take_head(&r, SESSION_HEAD) && take_name(&r, name) &&
	       take_text(&r, "address", session->address, sizeof session->address) &&
	       take_begun(&r, session) && take_boot(&r, session) &&
	       take_text(&r, "source", session->source, sizeof session->source) &&
	       take_via(&r, session) && r.at == r.end;
}

/* "N TIME", N from 1 without a zero in front; or no such line. */
static bool take_wrong(struct record_at *r, struct record_pin *pin)
{
	const char *value;
	size_t len, digits = 0;

	if (r->at == r->end)
		return true;
	if (!take_line(r, "wrong", &value, &len) || value[0] == '0')
		return false;
	for (; digits < len && value[digits] >= '0' && value[digits] <= '9'; digits++) {
		pin->wrong = pin->wrong * 10 + (unsigned)(value[digits] - '0');
		if (pin->wrong >= RECORD_WRONG_MAX)
			return false;
	}
	if (digits == 0 || len != digits + CLOCK_TEXT || value[digits] != ' ')
		return false;
	pin->wrong_last = clock_parse(value + digits + 1, CLOCK_TEXT - 1);
	return pin->wrong_last >= 0;
}

bool record_pin_read(const char *bytes, size_t len, const unsigned char name[RECORD_NAME_LEN],
    struct record_pin *pin)
{
	unsigned char right[RECORD_NAME_LEN];
	struct record_at r;

	*pin = (struct record_pin){.hash = ""};
	memcpy(pin->name, name, RECORD_NAME_LEN);
	if (!begin(&r, bytes, len) || !take_head(&r, PIN_HEAD) || !take_name(&r, name) ||
	    !take_text(&r, "address", pin->address, sizeof pin->address) ||
	    !take_text(&r, "hash", pin->hash, sizeof pin->hash) || !take_wrong(&r, pin) ||
	    r.at != r.end)
		return false;
	record_name(pin->address, right);
	return memcmp(right, name, sizeof right) == 0 && strncmp(pin->hash, "$y$", 3) == 0;
}
