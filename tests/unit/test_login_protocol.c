/* Requests to seki-login and the files that it keeps, byte by byte (W2). */
#include "tests/unit/queue_kit.h"

#include "lib/gate/protocol.h"
#include "lib/login/protocol.h"
#include "lib/login/record.h"

static struct login_request request;

static bool parse(const char *line)
{
	return login_request_parse(line, strlen(line), &request);
}

static void requests(void **state)
{
	static const char *const good[] = {"password login=a password=b source=192.0.2.1",
	    "link address=a@b source=::1 lang=ja", "open token=x",
	    "open token=x nonce=y number=1234 source=::1", "session token=x",
	    "session token=x source=::1", "sessions token=", "logout token=x", "everywhere token=x",
	    "pin token=x pin=", "proof cap=a pin=1 source=::1", "session",
	    "end address=a@b by=root"};
	static const char *const bad[] = {"", " ", "session ", " session token=x",
	    "session  token=x", "session token=x ", "Session token=x", "sessio token=x",
	    "session token", "session token=x token=x", "session pin=x", "session token=+zz",
	    "session token=a+40b", "session token=+0a", "session token=+00", "session token=a\tb",
	    "session token=a\nb", "session token=\xe3\x81\x82", "session token=+FF",
	    "session token=+ED+A0+80", "session token=a=b", "cap=x session token=x",
	    "session=x show", "password login=a password=b source=c token=d", "list"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		if (!parse(good[i]))
			fail_msg("not taken: %s", good[i]);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (parse(bad[i]))
			fail_msg("taken: %s", bad[i]);
	}
}

static void values_are_decoded(void **state)
{
	static const char zero[sizeof request];

	(void)state;
	assert_true(parse("password login=a@b password=+20+3D+2B+E3+81+82 source=::1"));
	assert_int_equal(request.verb, LOGIN_PASSWORD);
	assert_string_equal(login_request_value(&request, "login"), "a@b");
	assert_string_equal(login_request_value(&request, "password"), " =+あ");
	assert_null(login_request_value(&request, "token"));
	login_request_wipe(&request);
	assert_memory_equal(&request, zero, sizeof zero);
}

static void request_is_read_as_written(void **state)
{
	struct buf b;
	char *line;

	(void)state;
	buf_init(&b, LOGIN_REQUEST_MAX);
	login_request_begin(&b, "password");
	gate_request_add(&b, "login", "太郎 =+\x7f");
	gate_request_add(&b, "password", "\n");
	gate_request_add(&b, "source", "2001:db8::1");
	gate_request_end(&b);
	assert_true(buf_ok(&b));
	assert_true(login_request_parse(b.bytes, b.len - 1, &request));
	assert_string_equal(login_request_value(&request, "login"), "太郎 =+\x7f");
	assert_string_equal(login_request_value(&request, "password"), "\n");
	buf_free(&b);

	/* The longest; and one more. */
	line = malloc(LOGIN_REQUEST_MAX);
	assert_non_null(line);
	memset(line, 'x', LOGIN_REQUEST_MAX);
	memcpy(line, "session token=", 14);
	assert_true(login_request_parse(line, LOGIN_REQUEST_MAX - 1, &request));
	assert_false(login_request_parse(line, LOGIN_REQUEST_MAX, &request));
	free(line);
}

/* ---- files -------------------------------------------------------------------------------- */

static const struct record_session usual = {.address = "\"a b\"@example.co.jp",
    .begun = INT64_C(1795340400123456),
    .boot = "37c0dbfd-502b-4355-8439-9384f8c3013d",
    .begun_boot = 12345678,
    .source = "2001:db8::1",
    .by_link = true};

static void a_session_is_read_as_written(void **state)
{
	struct record_session session = usual, read;
	unsigned char other[RECORD_NAME_LEN] = {1};
	struct buf b;

	(void)state;
	record_name("a token", session.name);
	buf_init(&b, RECORD_MAX);
	record_session_write(&session, &b);
	assert_true(buf_ok(&b));
	assert_true(record_session_read(b.bytes, b.len, session.name, &read));
	assert_memory_equal(read.name, session.name, RECORD_NAME_LEN);
	assert_string_equal(read.address, session.address);
	assert_true(read.begun == session.begun && read.begun_boot == session.begun_boot);
	assert_string_equal(read.boot, session.boot);
	assert_string_equal(read.source, session.source);
	assert_true(read.by_link);
	assert_false(record_session_read(b.bytes, b.len, other, &read));
	for (size_t len = 0; len < b.len; len++)
		assert_false(record_session_read(b.bytes, len, session.name, &read));
	buf_free(&b);
}

/* A right sum over wrong lines. */
static bool takes(const char *lines)
{
	struct record_session session;
	unsigned char name[RECORD_NAME_LEN];
	char hex[DIGEST_HEX], text[RECORD_MAX];
	int len;

	record_name("a token", name);
	len = snprintf(text, sizeof text, "%s", lines);
	digest_of(text, (size_t)len, hex);
	len += snprintf(text + len, sizeof text - (size_t)len, "sum %s\n", hex);
	return record_session_read(text, (size_t)len, name, &session);
}

#define NAME    "name 9d77d9c5a6c0d8c0c1c3d8f27cbb37b8ac6a5a0b8a3c02c9bb5ad5c9c2dcb1d4\n"
#define ADDRESS "address alice@example.co.jp\n"
#define BEGUN   "begun 2026-11-22T09:35:01.123456Z\n"
#define BOOT    "boot 37c0dbfd-502b-4355-8439-9384f8c3013d 1\n"
#define END     "source ::1\nvia link\n"

static void strange_lines_are_none(void **state)
{
	static const char *const wrong[] = {"", "sekisho-session 2\n%s" ADDRESS BEGUN BOOT END,
	    "sekisho-session 1\n" NAME ADDRESS BEGUN BOOT END,
	    "sekisho-session 1\n%s" BEGUN ADDRESS BOOT END,
	    "sekisho-session 1\n%saddress \n" BEGUN BOOT END,
	    "sekisho-session 1\n%saddress a+00b\n" BEGUN BOOT END,
	    "sekisho-session 1\n%saddress a b\n" BEGUN BOOT END,
	    "sekisho-session 1\n%s" ADDRESS "begun 2026-11-22\n" BOOT END,
	    "sekisho-session 1\n%s" ADDRESS "begun 2026-13-22T09:35:01.123456Z\n" BOOT END,
	    "sekisho-session 1\n%s" ADDRESS BEGUN "boot 37c0dbfd-502b-4355-8439-9384f8c3013d\n" END,
	    "sekisho-session 1\n%s" ADDRESS BEGUN
	    "boot 37c0dbfd-502b-4355-8439-9384f8c3013d -1\n" END,
	    "sekisho-session 1\n%s" ADDRESS BEGUN "boot 37c0dbfd-502b-4355-8439-9384f8c3013d "
	    "99999999999999999999\n" END,
	    "sekisho-session 1\n%s" ADDRESS BEGUN BOOT "source ::1\nvia mail\n",
	    "sekisho-session 1\n%s" ADDRESS BEGUN BOOT END "more x\n",
	    "sekisho-session 1\n%s" ADDRESS BEGUN BOOT "source ::1\n"};
	unsigned char name[RECORD_NAME_LEN];
	char line[DIGEST_HEX + 8], hex[DIGEST_HEX], text[RECORD_MAX];

	(void)state;
	record_name("a token", name);
	digest_of("a token", strlen("a token"), hex);
	(void)snprintf(line, sizeof line, "name %s\n", hex);
	(void)snprintf(text, sizeof text, "sekisho-session 1\n%s" ADDRESS BEGUN BOOT END, line);
	assert_true(takes(text));
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		const char *gap = strstr(wrong[i], "%s");

		if (gap != NULL)
			(void)snprintf(text, sizeof text, "%.*s%s%s", (int)(gap - wrong[i]),
			    wrong[i], line, gap + 2);
		else
			(void)snprintf(text, sizeof text, "%s", wrong[i]);
		if (takes(text))
			fail_msg("taken: %s", text);
	}
}

static void a_pin_is_read_as_written(void **state)
{
	struct record_pin pin = {.address = "alice@example.co.jp", .hash = "$y$j9T$abc$def"}, read;
	struct buf b;

	(void)state;
	record_name(pin.address, pin.name);
	buf_init(&b, RECORD_MAX);
	record_pin_write(&pin, &b);
	assert_true(record_pin_read(b.bytes, b.len, pin.name, &read));
	assert_string_equal(read.address, pin.address);
	assert_string_equal(read.hash, pin.hash);
	/* It is the person's alone, and a slow hash alone. */
	buf_clear(&b);
	(void)snprintf(pin.address, sizeof pin.address, "bob@example.co.jp");
	record_pin_write(&pin, &b);
	assert_false(record_pin_read(b.bytes, b.len, pin.name, &read));
	record_name(pin.address, pin.name);
	buf_clear(&b);
	(void)snprintf(pin.hash, sizeof pin.hash, "1234");
	record_pin_write(&pin, &b);
	assert_false(record_pin_read(b.bytes, b.len, pin.name, &read));
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(requests),
	    cmocka_unit_test(values_are_decoded),
	    cmocka_unit_test(request_is_read_as_written),
	    cmocka_unit_test(a_session_is_read_as_written),
	    cmocka_unit_test(strange_lines_are_none),
	    cmocka_unit_test(a_pin_is_read_as_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
