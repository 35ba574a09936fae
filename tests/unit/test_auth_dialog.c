/* What a server may say, and what becomes of it: the dialogs of seki-auth-imap and seki-auth-smtp. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/auth/dialog.h"

#define LOGIN "alice"
#define WORD  "secret"
#define PLAIN "AGFsaWNlAHNlY3JldA==" /* NUL alice NUL secret */

/* A server that says what it has to say byte by byte, whatever it hears. */
struct script {
	struct wire wire;
	const char *says;
	const char *after_tls; /* what it says then; NULL: no TLS */
	bool tls;
	char heard[4096];
	char heard_plain[4096]; /* before TLS */
};

static size_t get(struct wire *w, char *bytes, size_t room)
{
	struct script *s = (struct script *)(void *)w;

	if (*s->says == '\0' || room == 0)
		return 0;
	bytes[0] = *s->says++;
	return 1;
}

static bool put(struct wire *w, const char *bytes, size_t len)
{
	struct script *s = (struct script *)(void *)w;

	assert_true(strlen(s->heard) + len < sizeof s->heard);
	strncat(s->heard, bytes, len);
	return true;
}

static bool start_tls(struct wire *w)
{
	struct script *s = (struct script *)(void *)w;

	if (s->after_tls == NULL)
		return false;
	s->tls = true;
	strcpy(s->heard_plain, s->heard);
	s->says = s->after_tls;
	return true;
}

static struct script talk(const char *says, const char *after_tls)
{
	return (struct script){.wire = {.get = get, .put = put, .start_tls = start_tls},
	    .says = says,
	    .after_tls = after_tls};
}

static enum check_code imap(struct script *s)
{
	return dialog_imap(&s->wire, s->after_tls != NULL, LOGIN, WORD);
}

static enum check_code smtp(struct script *s)
{
	return dialog_smtp(&s->wire, s->after_tls != NULL, "gw.example", LOGIN, WORD);
}

#define GREETING  "* OK ready\r\n"
#define OFFERS(x) GREETING "* CAPABILITY IMAP4rev1 " x "\r\nb OK done\r\n"

static void test_imap_ways(void **state)
{
	struct script s = talk(OFFERS("SASL-IR AUTH=PLAIN") "c OK in\r\n", NULL);

	(void)state;
	assert_int_equal(imap(&s), CHECK_RIGHT);
	assert_string_equal(
	    s.heard, "b CAPABILITY\r\nc AUTHENTICATE PLAIN " PLAIN "\r\nd LOGOUT\r\n");

	s = talk(OFFERS("AUTH=PLAIN") "+ \r\n* CAPABILITY X\r\nc OK in\r\n", NULL);
	assert_int_equal(imap(&s), CHECK_RIGHT);
	assert_string_equal(
	    s.heard, "b CAPABILITY\r\nc AUTHENTICATE PLAIN\r\n" PLAIN "\r\nd LOGOUT\r\n");

	s = talk(OFFERS("AUTH=PLAINER") "+ \r\n+ \r\nc OK in\r\n", NULL);
	assert_int_equal(imap(&s), CHECK_RIGHT);
	assert_string_equal(
	    s.heard, "b CAPABILITY\r\nc LOGIN {5}\r\nalice {6}\r\nsecret\r\nd LOGOUT\r\n");
}

static void test_imap_answers(void **state)
{
	static const struct {
		const char *says;
		enum check_code code;
	} all[] = {
	    {OFFERS("SASL-IR AUTH=PLAIN") "c NO [AUTHENTICATIONFAILED] no\r\n", CHECK_WRONG},
	    {OFFERS("SASL-IR AUTH=PLAIN") "c NO no\r\n", CHECK_WRONG},
	    {OFFERS("SASL-IR AUTH=PLAIN") "c no\r\n", CHECK_WRONG},
	    {OFFERS("SASL-IR AUTH=PLAIN") "c NO [UNAVAILABLE] later\r\n", CHECK_LATER},
	    {OFFERS("SASL-IR AUTH=PLAIN") "c NO [SERVERBUG] later\r\n", CHECK_LATER},
	    {OFFERS("SASL-IR AUTH=PLAIN") "c BAD what\r\n", CHECK_LATER},
	    {OFFERS("SASL-IR AUTH=PLAIN") "c OKAY\r\n", CHECK_LATER},
	    {OFFERS("SASL-IR AUTH=PLAIN") "cc OK in\r\nc NO no\r\n", CHECK_WRONG},
	    {OFFERS("SASL-IR AUTH=PLAIN") "* BYE\r\n", CHECK_LATER},
	    {OFFERS("SASL-IR AUTH=PLAIN") "c OK in", CHECK_LATER}, /* no line */
	    {OFFERS("SASL-IR AUTH=PLAIN"), CHECK_LATER},
	    {OFFERS("LOGINDISABLED"), CHECK_LATER},
	    {OFFERS("X") "c NO no\r\n", CHECK_LATER}, /* it did not see the password */
	    {OFFERS("X") "+ \r\nc NO no\r\n", CHECK_LATER},
	    {OFFERS("X") "+ \r\n+ \r\nc NO no\r\n", CHECK_WRONG},
	    {"* PREAUTH welcome\r\n", CHECK_LATER},
	    {"* BYE full\r\n", CHECK_LATER},
	    {"220 smtp.example\r\n", CHECK_LATER},
	    {"", CHECK_LATER},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		struct script s = talk(all[i].says, NULL);

		assert_int_equal(imap(&s), all[i].code);
		assert_int_equal(s.wire.why != NULL,
		    all[i].code == CHECK_LATER || strstr(all[i].says, "BYE") != NULL);
	}
}

/* S: nothing that came before the handshake survives it. */
static void test_imap_starttls(void **state)
{
	struct script s = talk(
	    GREETING "a OK go\r\n", "* CAPABILITY SASL-IR AUTH=PLAIN\r\nb OK x\r\nc OK in\r\n");

	(void)state;
	assert_int_equal(imap(&s), CHECK_RIGHT);
	assert_true(s.tls);
	assert_string_equal(s.heard_plain, "a STARTTLS\r\n");

	s = talk(GREETING "a NO never\r\n", "b OK x\r\nc OK in\r\n");
	assert_int_equal(imap(&s), CHECK_LATER);
	assert_false(s.tls);
	assert_null(strstr(s.heard, PLAIN));
}

static size_t get_at_once(struct wire *w, char *bytes, size_t room)
{
	struct script *s = (struct script *)(void *)w;
	size_t len = strlen(s->says);

	len = len < room ? len : room;
	memcpy(bytes, s->says, len);
	s->says += len;
	return len;
}

static void test_bytes_between_starttls_and_tls(void **state)
{
	struct script s = talk(GREETING "a OK go\r\nb OK injected\r\n", "c OK in\r\n");

	(void)state;
	s.wire.get = get_at_once;
	assert_int_equal(imap(&s), CHECK_LATER);
	assert_false(s.tls);

	s = talk("220 hi\r\n250-hi\r\n250 STARTTLS\r\n220 go\r\n250 AUTH PLAIN\r\n", "235 in\r\n");
	s.wire.get = get_at_once;
	assert_int_equal(smtp(&s), CHECK_LATER);
	assert_false(s.tls);
}

#define HELLO(x) "220 mail.example\r\n250-mail.example\r\n250-SIZE\r\n250 " x "\r\n"

static void test_smtp_ways(void **state)
{
	struct script s = talk(HELLO("AUTH LOGIN PLAIN") "235 2.7.0 in\r\n", NULL);

	(void)state;
	assert_int_equal(smtp(&s), CHECK_RIGHT);
	assert_string_equal(s.heard, "EHLO gw.example\r\nAUTH PLAIN " PLAIN "\r\nQUIT\r\n");

	s = talk(HELLO("AUTH LOGIN") "334 VXNlcm5hbWU6\r\n334 x\r\n235 in\r\n", NULL);
	assert_int_equal(smtp(&s), CHECK_RIGHT);
	assert_string_equal(
	    s.heard, "EHLO gw.example\r\nAUTH LOGIN\r\nYWxpY2U=\r\nc2VjcmV0\r\nQUIT\r\n");

	s = talk("220 a\r\n250-a\r\n250 STARTTLS\r\n220 go\r\n",
	    "250-a\r\n250 AUTH PLAIN\r\n535 5.7.8 no\r\n");
	assert_int_equal(smtp(&s), CHECK_WRONG);
	assert_string_equal(s.heard_plain, "EHLO gw.example\r\nSTARTTLS\r\n");
}

static void test_smtp_long_password(void **state)
{
	char password[AUTH_PASSWORD_MAX + 1];
	struct script s = talk(HELLO("AUTH PLAIN") "334 \r\n235 in\r\n", NULL);

	(void)state;
	memset(password, 'x', AUTH_PASSWORD_MAX);
	password[AUTH_PASSWORD_MAX] = '\0';
	assert_int_equal(dialog_smtp(&s.wire, false, "gw.example", LOGIN, password), CHECK_RIGHT);
	assert_non_null(strstr(s.heard, "\r\nAUTH PLAIN\r\nAGFs"));
}

static void test_smtp_answers(void **state)
{
	static const struct {
		const char *says;
		enum check_code code;
	} all[] = {
	    {HELLO("AUTH PLAIN") "535 5.7.8 no\r\n", CHECK_WRONG},
	    {HELLO("AUTH PLAIN") "535-5.7.8 no\r\n535 5.7.8 no\r\n", CHECK_WRONG},
	    {HELLO("AUTH PLAIN") "454 4.7.0 later\r\n", CHECK_LATER},
	    {HELLO("AUTH PLAIN") "534 5.7.9 weak\r\n", CHECK_LATER},
	    {HELLO("AUTH PLAIN") "500 what\r\n", CHECK_LATER},
	    {HELLO("AUTH PLAIN") "235-in\r\n535 no\r\n", CHECK_LATER},
	    {HELLO("AUTH PLAIN") "2350 in\r\n", CHECK_LATER},
	    {HELLO("AUTH PLAIN") "235 in", CHECK_LATER},
	    {HELLO("AUTH PLAIN") "421 bye\r\n", CHECK_LATER},
	    {HELLO("AUTH CRAM-MD5"), CHECK_LATER},
	    {HELLO("AUTH LOGIN") "535 no\r\n", CHECK_LATER}, /* it did not see the password */
	    {HELLO("SIZE") "235 in\r\n", CHECK_LATER},
	    {"554 go away\r\n", CHECK_LATER},
	    {"220 x\r\n502 what\r\n", CHECK_LATER},
	    {"220\r\n250\r\n", CHECK_LATER},
	    {"* OK imap\r\n", CHECK_LATER},
	    {"", CHECK_LATER},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		struct script s = talk(all[i].says, NULL);

		assert_int_equal(smtp(&s), all[i].code);
		assert_int_equal(s.wire.why != NULL, all[i].code == CHECK_LATER);
	}
}

/* ---- bounds ---- */

static size_t endless(struct wire *w, char *bytes, size_t room)
{
	(void)w;
	memset(bytes, 'x', room);
	return room;
}

static size_t endless_lines(struct wire *w, char *bytes, size_t room)
{
	(void)w;
	for (size_t i = 0; i < room; i++)
		bytes[i] = "220-\r\n* OK\r\n"[i % 12];
	return room - room % 12;
}

static void test_a_server_that_never_ends(void **state)
{
	struct script s = talk("", NULL);

	(void)state;
	s.wire.get = endless;
	assert_int_equal(imap(&s), CHECK_LATER);
	s = talk("", NULL);
	s.wire.get = endless_lines;
	assert_int_equal(smtp(&s), CHECK_LATER);
	s = talk("", NULL);
	s.wire.get = endless_lines;
	assert_int_equal(imap(&s), CHECK_LATER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_imap_ways),
	    cmocka_unit_test(test_imap_answers),
	    cmocka_unit_test(test_imap_starttls),
	    cmocka_unit_test(test_bytes_between_starttls_and_tls),
	    cmocka_unit_test(test_smtp_ways),
	    cmocka_unit_test(test_smtp_long_password),
	    cmocka_unit_test(test_smtp_answers),
	    cmocka_unit_test(test_a_server_that_never_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
