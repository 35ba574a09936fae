/* The key, capabilities, sessions and requests of the people's door (S2-45, S2-46: links in notices). */
#include "tests/unit/queue_kit.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/gate/gate.h"
#include "lib/gate/protocol.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#define MINUTE  (60 * CLOCK_SECOND)

static const struct gate_key key = {{1, 2, 3, 4, 5}};
static const struct gate_key other_key = {{1, 2, 3, 4, 6}};

static int64_t now(void)
{
	return kit_time(KIT_NOW);
}

/* ---- the key ------------------------------------------------------------------------------ */

static void key_is_made_once(void **state)
{
	struct gate_key made, again;
	char root[256];
	struct stat st;
	struct kit_bytes bytes;

	(void)state;
	kit_enter(root);
	errno = 0;
	assert_false(gate_key_read(true, &made)); /* no directory for it */
	assert_int_equal(mkdir("lib/gate", 0750), 0);
	assert_false(gate_key_read(false, &made));
	assert_int_equal(errno, ENOENT);
	assert_true(gate_key_read(true, &made));
	assert_true(gate_key_read(true, &again));
	assert_memory_equal(&made, &again, sizeof made);
	assert_int_equal(stat(GATE_KEY_FILE, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	bytes = kit_file(GATE_KEY_FILE);
	assert_int_equal(bytes.len, 2 * GATE_KEY_LEN + 1);
	bytes.at[5] = 'X'; /* no hex digit */
	kit_write(GATE_KEY_FILE, bytes.at, bytes.len);
	assert_false(
	    gate_key_read(true, &again)); /* and it is not made anew: links would be dead */
	assert_int_equal(errno, EBADMSG);
	kit_write(GATE_KEY_FILE, bytes.at, 10);
	assert_false(gate_key_read(true, &again));
	assert_int_equal(errno, EBADMSG);
	memset(bytes.at, '0', bytes.len - 1); /* that is none */
	kit_write(GATE_KEY_FILE, bytes.at, bytes.len);
	assert_false(gate_key_read(true, &again));
	assert_int_equal(errno, EBADMSG);
	kit_free(&bytes);
	kit_leave(root);
}

/* ---- capabilities ------------------------------------------------------------------------- */

static struct gate_capability usual(void)
{
	struct gate_capability cap = {.rights = GATE_READ | GATE_SENDER,
	    .generation = 7,
	    .until = (now() / MINUTE + 10) * MINUTE,
	    .id = KIT_ID};

	assert_true(gate_who(&key, "alice@example.co.jp", cap.who));
	return cap;
}

static enum gate_proof read_cap(const char *text)
{
	struct gate_capability cap;

	return gate_capability_read(&key, text, strlen(text), now(), &cap);
}

static void capability_says_what_was_written(void **state)
{
	struct gate_capability cap = usual(), seen;
	char text[GATE_CAP_TEXT];

	(void)state;
	assert_true(gate_capability_write(&key, &cap, text));
	assert_int_equal(strlen(text), 60);
	assert_int_equal(strspn(text, LETTERS), 60);
	assert_int_equal(gate_capability_read(&key, text, 60, now(), &seen), GATE_GOOD);
	assert_int_equal(seen.rights, cap.rights);
	assert_int_equal(seen.generation, 7);
	assert_true(seen.until == cap.until);
	assert_string_equal(seen.id, KIT_ID);
	assert_memory_equal(seen.who, cap.who, GATE_WHO_LEN);
}

static void capability_ends_at_its_minute(void **state)
{
	struct gate_capability cap = usual(), seen;
	char text[GATE_CAP_TEXT];

	(void)state;
	assert_true(gate_capability_write(&key, &cap, text));
	assert_int_equal(gate_capability_read(&key, text, 60, cap.until - 1, &seen), GATE_GOOD);
	assert_int_equal(gate_capability_read(&key, text, 60, cap.until, &seen), GATE_EXPIRED);
	assert_string_equal(seen.id, KIT_ID);
}

/* Each bit of each of its 45 bytes, and each other letter at each place. */
static void changed_capability_is_forged(void **state)
{
	struct gate_capability cap = usual();
	char text[GATE_CAP_TEXT], changed[GATE_CAP_TEXT];

	(void)state;
	assert_true(gate_capability_write(&key, &cap, text));
	for (size_t i = 0; i < 60; i++) {
		for (const char *letter = LETTERS "=+/ ."; *letter != '\0'; letter++) {
			memcpy(changed, text, sizeof changed);
			changed[i] = *letter;
			assert_int_equal(
			    read_cap(changed), *letter == text[i] ? GATE_GOOD : GATE_FORGED);
		}
	}
}

static void other_texts_are_forged(void **state)
{
	struct gate_capability cap = usual(), seen;
	char text[GATE_CAP_TEXT], longer[GATE_CAP_TEXT + 4];

	(void)state;
	assert_true(gate_capability_write(&other_key, &cap, text));
	assert_int_equal(read_cap(text), GATE_FORGED);
	assert_int_equal(read_cap(""), GATE_FORGED);
	assert_true(gate_capability_write(&key, &cap, text));
	for (size_t len = 0; len < 60; len++)
		assert_int_equal(gate_capability_read(&key, text, len, now(), &seen), GATE_FORGED);
	(void)snprintf(longer, sizeof longer, "%sAAAA", text);
	assert_int_equal(read_cap(longer), GATE_FORGED);
	cap.until = (INT64_C(1) << 33) * MINUTE;
	assert_false(gate_capability_write(&key, &cap, text));
	cap = usual();
	cap.rights = 256;
	assert_false(gate_capability_write(&key, &cap, text));
	cap = usual();
	cap.id[3] = 'X';
	assert_false(gate_capability_write(&key, &cap, text));
}

static void pseudonyms_differ(void **state)
{
	unsigned char a[GATE_WHO_LEN], b[GATE_WHO_LEN], c[GATE_WHO_LEN];
	char longest[GATE_ADDRESS_MAX + 1];

	(void)state;
	assert_true(gate_who(&key, "alice@example.co.jp", a));
	assert_true(gate_who(&key, "bob@example.co.jp", b));
	assert_true(gate_who(&other_key, "alice@example.co.jp", c));
	assert_memory_not_equal(a, b, sizeof a);
	assert_memory_not_equal(a, c, sizeof a);
	memset(longest, 'a', sizeof longest);
	longest[GATE_ADDRESS_MAX] = '\0';
	assert_false(gate_who(&key, longest, a));
}

/* ---- sessions ----------------------------------------------------------------------------- */

static enum gate_proof read_session(const char *text, char address[GATE_ADDRESS_MAX])
{
	return gate_session_read(&key, text, strlen(text), now(), address);
}

static void session_says_who(void **state)
{
	char text[GATE_SESSION_TEXT], address[GATE_ADDRESS_MAX], longest[GATE_ADDRESS_MAX];
	int64_t until = (now() / CLOCK_SECOND + 60) * CLOCK_SECOND;

	(void)state;
	assert_true(gate_session_write(&key, "alice@example.co.jp", until, text));
	assert_int_equal(read_session(text, address), GATE_GOOD);
	assert_string_equal(address, "alice@example.co.jp");
	assert_int_equal(
	    gate_session_read(&key, text, strlen(text), until - 1, address), GATE_GOOD);
	assert_int_equal(gate_session_read(&key, text, strlen(text), until, address), GATE_EXPIRED);
	memset(longest, 'a', sizeof longest);
	longest[GATE_ADDRESS_MAX - 1] = '\0';
	assert_true(gate_session_write(&key, longest, until, text));
	assert_int_equal(read_session(text, address), GATE_GOOD);
	assert_string_equal(address, longest);
	assert_false(gate_session_write(&key, "", until, text));
}

static void changed_session_is_forged(void **state)
{
	char text[GATE_SESSION_TEXT], changed[GATE_SESSION_TEXT], address[GATE_ADDRESS_MAX];
	int64_t until = (now() / CLOCK_SECOND + 60) * CLOCK_SECOND;

	(void)state;
	assert_true(gate_session_write(&key, "alice@example.co.jp", until, text));
	for (size_t i = 0; text[i] != '\0'; i++) {
		for (const char *letter = LETTERS ".+= "; *letter != '\0'; letter++) {
			memcpy(changed, text, sizeof changed);
			changed[i] = *letter;
			if (*letter == text[i])
				continue;
			assert_int_equal(read_session(changed, address), GATE_FORGED);
			assert_string_equal(address, "");
		}
	}
	for (size_t len = 0; len < strlen(text); len++)
		assert_int_equal(gate_session_read(&key, text, len, now(), address), GATE_FORGED);
	assert_true(gate_session_write(&other_key, "alice@example.co.jp", until, text));
	assert_int_equal(read_session(text, address), GATE_FORGED);
}

/* ---- without a key -------------------------------------------------------------------------- */

/* HMAC-SHA256 with 32 zero bytes, as anybody can make it. */
static void sign(const char *label, const void *bytes, size_t len, unsigned char mac[32])
{
	static const unsigned char zero[GATE_KEY_LEN];
	unsigned char input[1024];
	size_t label_len = strlen(label) + 1;
	unsigned n = 0;

	memcpy(input, label, label_len);
	memcpy(input + label_len, bytes, len);
	assert_non_null(HMAC(EVP_sha256(), zero, sizeof zero, input, label_len + len, mac, &n));
	assert_int_equal(n, 32);
}

/* base64url of whole groups, and of a last one of one byte. */
static void base64url(const unsigned char *bytes, size_t len, char *text)
{
	EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
	text[strcspn(text, "=")] = '\0';
	for (char *at = text; *at != '\0'; at++)
		*at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
}

/* ---- proofs ------------------------------------------------------------------------------- */

static enum gate_proof read_proof(const char *text, const char *cap)
{
	return gate_proof_read(&key, text, strlen(text), now(), cap);
}

static void proof_is_about_one_capability(void **state)
{
	struct gate_capability cap = usual();
	char text[GATE_PROOF_TEXT], one[GATE_CAP_TEXT], other[GATE_CAP_TEXT];
	int64_t until = (now() / CLOCK_SECOND + 60) * CLOCK_SECOND;

	(void)state;
	assert_true(gate_capability_write(&key, &cap, one));
	cap.generation++;
	assert_true(gate_capability_write(&key, &cap, other));
	assert_true(gate_proof_write(&key, one, until, text));
	assert_int_equal(strlen(text), GATE_PROOF_TEXT - 1);
	assert_int_equal(read_proof(text, one), GATE_GOOD);
	assert_int_equal(gate_proof_read(&key, text, strlen(text), until - 1, one), GATE_GOOD);
	assert_int_equal(gate_proof_read(&key, text, strlen(text), until, one), GATE_EXPIRED);
	assert_int_equal(read_proof(text, other), GATE_FORGED);
	assert_int_equal(read_proof(text, ""), GATE_FORGED);
	/* What is no capability's text is not signed. */
	assert_false(gate_proof_write(&key, "short", until, text));
	assert_string_equal(text, "");
	assert_false(gate_proof_write(&key, one, -1, text));
	assert_false(gate_proof_write(&key, one, INT64_MAX, text));
}

static void changed_proof_is_forged(void **state)
{
	struct gate_capability cap = usual();
	char text[GATE_PROOF_TEXT], changed[GATE_PROOF_TEXT + 1], one[GATE_CAP_TEXT];
	const struct gate_key none = {{0}};

	(void)state;
	assert_true(gate_capability_write(&key, &cap, one));
	assert_true(gate_proof_write(&key, one, now() + 60 * CLOCK_SECOND, text));
	for (size_t i = 0; i < GATE_PROOF_TEXT - 1; i++) {
		for (const char *letter = LETTERS "."; *letter != '\0'; letter++) {
			memcpy(changed, text, sizeof text);
			changed[i] = *letter;
			if (*letter != text[i])
				assert_int_equal(read_proof(changed, one), GATE_FORGED);
		}
	}
	for (size_t len = 0; len < GATE_PROOF_TEXT - 1; len++)
		assert_int_equal(gate_proof_read(&key, text, len, now(), one), GATE_FORGED);
	(void)snprintf(changed, sizeof changed, "%sA", text);
	assert_int_equal(read_proof(changed, one), GATE_FORGED);
	/* Neither another key's, nor a session's or a capability's signature. */
	assert_true(gate_proof_write(&other_key, one, now() + 60 * CLOCK_SECOND, text));
	assert_int_equal(read_proof(text, one), GATE_FORGED);
	assert_false(gate_proof_write(&none, one, now(), text));
	assert_int_equal(
	    gate_proof_read(&none, changed, GATE_PROOF_TEXT - 1, now(), one), GATE_FORGED);
}

/* RFC 4648 section 10, without padding; and the two letters in which base64url differs. */
static void letters_are_base64url(void **state)
{
	static const struct {
		const char *bytes, *text;
	} rows[] = {{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"foob", "Zm9vYg"},
	    {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "-_8"}};
	char text[16];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(
		    gate_letters((const unsigned char *)rows[i].bytes, strlen(rows[i].bytes), text),
		    strlen(rows[i].text));
		assert_string_equal(text, rows[i].text);
	}
}

/* Where no key could be read its bytes are zero, and nobody must be able to be anybody. */
static void without_a_key_all_is_forged(void **state)
{
	static const struct gate_key none;
	struct gate_capability cap = usual(), seen;
	unsigned char bytes[45], mac[32], who[GATE_WHO_LEN];
	char text[GATE_SESSION_TEXT], address[GATE_ADDRESS_MAX];
	size_t len;

	(void)state;
	len = (size_t)snprintf(text, sizeof text, "s1.YWxpY2VAZXhhbXBsZS5jby5qcA.9999999999");
	sign("session", text, len, mac);
	text[len++] = '.';
	base64url(mac, 16, text + len);
	assert_int_equal(gate_session_read(&none, text, strlen(text), now(), address), GATE_FORGED);
	assert_string_equal(address, "");

	memset(bytes, 0xff, sizeof bytes);
	bytes[0] = 1;
	bytes[3] = 0;
	sign("capability", bytes, 32, mac);
	memcpy(bytes + 32, mac, 13);
	base64url(bytes, sizeof bytes, text);
	assert_int_equal(gate_capability_read(&none, text, 60, now(), &seen), GATE_FORGED);
	assert_int_equal(seen.rights, 0);

	assert_false(gate_capability_write(&none, &cap, text));
	assert_false(gate_session_write(&none, "alice@example.co.jp", now(), text));
	assert_false(gate_who(&none, "alice@example.co.jp", who));
}

/* ---- requests ----------------------------------------------------------------------------- */

static struct gate_request parsed;

static bool parse(const char *line)
{
	return gate_request_parse(line, strlen(line), &parsed);
}

static void requests(void **state)
{
	static const char *const good[] = {"cap=x show", "session=s1.x list",
	    "cap=x act word=release", "cap=x act word=extend until=2026-11-22T09:35:01Z",
	    "cap=x act word=approve shown=0123",
	    "session=x list state=held query=+E8+A6+8B page=2 as=sender", "cap=x body",
	    "session=x absent clear=yes",
	    "cap=x review verdict=fine comment=", "cap=x show lang=ja"};
	static const char *const bad[] = {"", "show", "cap= show", "cap=x", "cap=x ", " cap=x show",
	    "cap=x  show", "cap=x show ", "token=x show", "cap=x shows", "cap=x show id",
	    "cap=x show =y", "cap=x show id=a id=b", "cap=x show word=release",
	    "cap=x list page=1\n", "cap=x list query=a+2", "cap=x list query=+e8",
	    "cap=x list query=+00", "cap=x list query=+FF", "cap=x list query=+C0+80",
	    "cap=x list query=+ED+A0+80", "cap=x list query=+E8+A6", "cap=x list query=a=b",
	    "cap=x list query=\xe8\xa6\x8b", "cap=x act word=a\x01"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		if (!parse(good[i]))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (parse(bad[i]))
			fail_msg("taken: %s", bad[i]);
}

static void request_is_read_as_written(void **state)
{
	struct buf request;
	char *longest = malloc(GATE_REQUEST_MAX + 1);

	(void)state;
	assert_non_null(longest);
	buf_init(&request, GATE_REQUEST_MAX);
	gate_request_begin(&request, "session=s1.a.b.c", "act");
	gate_request_add(&request, "word", "reject");
	gate_request_add(&request, "reason", "宛先が違います = wrong + more");
	gate_request_end(&request);
	assert_true(buf_ok(&request));
	assert_true(gate_request_parse(request.bytes, request.len - 1, &parsed));
	assert_true(parsed.session);
	assert_int_equal(parsed.verb, GATE_ACT);
	assert_string_equal(parsed.credential, "s1.a.b.c");
	assert_string_equal(gate_request_value(&parsed, "reason"), "宛先が違います = wrong + more");
	assert_null(gate_request_value(&parsed, "id"));
	buf_free(&request);

	memset(longest, 'a', GATE_REQUEST_MAX + 1);
	memcpy(longest, "cap=x list query=", 17);
	assert_true(gate_request_parse(longest, GATE_REQUEST_MAX - 1, &parsed));
	assert_false(gate_request_parse(longest, GATE_REQUEST_MAX, &parsed));
	free(longest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(key_is_made_once),
	    cmocka_unit_test(capability_says_what_was_written),
	    cmocka_unit_test(capability_ends_at_its_minute),
	    cmocka_unit_test(changed_capability_is_forged),
	    cmocka_unit_test(other_texts_are_forged),
	    cmocka_unit_test(pseudonyms_differ),
	    cmocka_unit_test(session_says_who),
	    cmocka_unit_test(changed_session_is_forged),
	    cmocka_unit_test(proof_is_about_one_capability),
	    cmocka_unit_test(changed_proof_is_forged),
	    cmocka_unit_test(letters_are_base64url),
	    cmocka_unit_test(without_a_key_all_is_forged),
	    cmocka_unit_test(requests),
	    cmocka_unit_test(request_is_read_as_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
