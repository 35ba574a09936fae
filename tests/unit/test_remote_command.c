/* What EHLO offers, and how MAIL and RCPT are written; S2: an address never ends its command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/remote/command.h"

static const struct offer everything = {
    .pipelining = true, .size = true, .eightbit = true, .utf8 = true, .dsn = true};
static const struct offer nothing;

static void assert_mail(
    char *from, const char *params, bool utf8, const struct offer *offer, const char *command)
{
	struct leg leg = {.from = from, .from_params = params};
	char out[COMMAND_ROOM];
	size_t len = remote_write_mail(&leg, 1234, utf8, offer, out);

	assert_int_equal(len, strlen(command));
	assert_memory_equal(out, command, len);
}

static void assert_rcpt(
    char *to, const char *params, bool utf8, const struct offer *offer, const char *command)
{
	struct leg_rcpt rcpt = {.address = to, .params = params};
	char out[COMMAND_ROOM];
	size_t len = remote_write_rcpt(&rcpt, utf8, offer, out);

	assert_int_equal(len, strlen(command));
	assert_memory_equal(out, command, len);
}

static void test_mail(void **state)
{
	static char alice[] = "alice@x", nobody[] = "", oka[] = "\xe5\xb2\xa1@x";

	(void)state;
	assert_mail(alice, "body=8bitmime ret=full envid=a+2Bb smtputf8=yes", true, &everything,
	    "MAIL FROM:<alice@x> SIZE=1234 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=a+2Bb\r\n");
	assert_mail(alice, "body=8bitmime ret=full envid=a+2Bb", false, &nothing,
	    "MAIL FROM:<alice@x>\r\n");
	assert_mail(alice, "body=7bit ret=hdrs", false, &everything,
	    "MAIL FROM:<alice@x> SIZE=1234 BODY=7BIT RET=HDRS\r\n");
	assert_mail(nobody, "", false, &nothing, "MAIL FROM:<>\r\n");
	assert_mail(
	    oka, "", true, &everything, "MAIL FROM:<\xe5\xb2\xa1@x> SIZE=1234 SMTPUTF8\r\n");
	/* Words that we do not know, or that are none, are not said. */
	assert_mail(alice, "body=binary ret=x envid=+0Z auth=y", false, &everything,
	    "MAIL FROM:<alice@x> SIZE=1234\r\n");
}

static void test_rcpt(void **state)
{
	static char bob[] = "bob@x", quoted[] = "\"a > \\\" b\"@x";

	(void)state;
	assert_rcpt(bob, "notify=never", false, &everything, "RCPT TO:<bob@x> NOTIFY=NEVER\r\n");
	assert_rcpt(bob, "notify=success,failure,delay orcpt=rfc822;a+2Bb+20c@x", false,
	    &everything,
	    "RCPT TO:<bob@x> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;a+2Bb+20c@x\r\n");
	assert_rcpt(bob, "notify=never orcpt=rfc822;a", false, &nothing, "RCPT TO:<bob@x>\r\n");
	assert_rcpt(quoted, "", false, &nothing, "RCPT TO:<\"a > \\\" b\"@x>\r\n");
	assert_rcpt(bob, "orcpt=utf-8;+E5+B2+A1@x", true, &everything,
	    "RCPT TO:<bob@x> ORCPT=utf-8;\xe5\xb2\xa1@x\r\n");
	assert_rcpt(bob, "orcpt=utf-8;+E5+B2+A1@x", false, &everything, "RCPT TO:<bob@x>\r\n");
	/* S2: a value's CR and LF leave as xtext, a type's not at all. */
	assert_rcpt(bob, "orcpt=rfc822;a+0D+0Ab", false, &everything,
	    "RCPT TO:<bob@x> ORCPT=rfc822;a+0D+0Ab\r\n");
	assert_rcpt(bob, "orcpt=rfc+0D+0A;b", false, &everything, "RCPT TO:<bob@x>\r\n");
	assert_rcpt(bob, "orcpt=;b notify=,", false, &everything, "RCPT TO:<bob@x>\r\n");
}

static void test_s2_what_cannot_be_said(void **state)
{
	static char wrong[][16] = {"a\r\nb@x", "a\nb", "a\rb", "a\x7f", "a\tb", "a>b@x", "a<b",
	    "a b@x", "\"a@x", "\"a\\", "\"\\\r\"@x", ""};
	char *long_one = malloc(COMMAND_ROOM + 1);
	char out[COMMAND_ROOM];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		assert_rcpt(wrong[i], "", false, &nothing, "");
	memset(long_one, 'a', COMMAND_ROOM);
	long_one[COMMAND_ROOM] = '\0';
	assert_rcpt(long_one, "", false, &nothing, "");
	assert_int_equal(remote_write_mail(&(struct leg){.from = long_one, .from_params = ""}, 1,
			     false, &nothing, out),
	    0);
	free(long_one);
}

static void test_offers(void **state)
{
	static const char *const lines[] = {"pipelining", "SIZE 35882577", "8BitMime", "SMTPUTF8",
	    "DSN", "STARTTLS", "AUTH PLAIN  LOGIN", "X-AUTH FOO", "ENHANCEDSTATUSCODES"};
	struct offer o = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++)
		offer_read(&o, lines[i], strlen(lines[i]));
	assert_true(o.pipelining && o.size && o.eightbit && o.utf8 && o.dsn && o.starttls &&
		    o.auth_plain && o.auth_login && o.enhanced);
	assert_int_equal(o.size_max, 35882577);

	o = (struct offer){0};
	offer_read(&o, "SIZE 99999999999999999999999", 28);
	assert_true(o.size);
	assert_int_equal(o.size_max, 0);
	offer_read(&o, "SIZE", 4);
	assert_int_equal(o.size_max, 0);
	offer_read(&o, "AUTH=LOGIN", 10);
	assert_true(o.auth_login && !o.auth_plain);
	offer_read(&o, "PIPELININGX", 11);
	offer_read(&o, "STARTTL", 7);
	offer_read(&o, "", 0);
	assert_false(o.pipelining || o.starttls);
}

static void test_s8_eightbit(void **state)
{
	static char alice[] = "alice@x";
	struct leg leg = {.from = alice, .from_params = "ret=full body=8bitmime"};

	(void)state;
	assert_true(remote_is_eightbit(&leg));
	leg.from_params = "body=7bit";
	assert_false(remote_is_eightbit(&leg));
	leg.from_params = "";
	assert_false(remote_is_eightbit(&leg));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_mail),
	    cmocka_unit_test(test_rcpt),
	    cmocka_unit_test(test_s2_what_cannot_be_said),
	    cmocka_unit_test(test_offers),
	    cmocka_unit_test(test_s8_eightbit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
