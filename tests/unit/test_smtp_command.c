#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/smtp/command.h"

static const char *mail(const char *argument, struct mail *m)
{
	return command_mail(argument, strlen(argument), m);
}

static const char *rcpt(const char *argument, bool utf8, struct rcpt *r)
{
	return command_rcpt(argument, strlen(argument), utf8, r);
}

/* The reply's code and enhanced code; "" for a command that is right. */
static void assert_mail(const char *argument, const char *code)
{
	struct mail m;
	const char *reply = mail(argument, &m);

	if (code[0] == '\0')
		assert_null(reply);
	else
		assert_true(reply != NULL && strncmp(reply, code, strlen(code)) == 0);
}

static void assert_rcpt(const char *argument, bool utf8, const char *code)
{
	struct rcpt r;
	const char *reply = rcpt(argument, utf8, &r);

	if (code[0] == '\0')
		assert_null(reply);
	else
		assert_true(reply != NULL && strncmp(reply, code, strlen(code)) == 0);
}

static void verbs(void **state)
{
	static const struct {
		const char *line;
		enum verb verb;
		size_t argument;
	} cases[] = {{"MAIL FROM:<a@b>", VERB_MAIL, 5}, {"mail from:<>", VERB_MAIL, 5},
	    {"DATA", VERB_DATA, 4}, {"DATA ", VERB_DATA, 5}, {"NOOP   x", VERB_NOOP, 7},
	    {"BDAT 100 LAST", VERB_BDAT, 5}, {"", VERB_UNKNOWN, 0}, {"DATAX", VERB_UNKNOWN, 5},
	    {"DAT", VERB_UNKNOWN, 3}, {"GET / HTTP/1.1", VERB_HTTP, 4},
	    {"CONNECT a:25", VERB_HTTP, 8}, {"STARTTLS", VERB_STARTTLS, 8},
	    {"MAIL\tFROM", VERB_MAIL, 4}, {"BDAT\t20", VERB_BDAT, 4}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		size_t argument;

		assert_int_equal(
		    command_verb(cases[i].line, strlen(cases[i].line), &argument), cases[i].verb);
		assert_int_equal(argument, cases[i].argument);
	}
}

static void mail_with_every_parameter(void **state)
{
	struct mail m;

	(void)state;
	assert_null(mail("from:<a@b.c> size=1000 Body=8bitMIME SMTPUTF8 RET=hdrs ENVID=Q+2BQ", &m));
	assert_int_equal(m.from.len, 5);
	assert_memory_equal(m.from.text, "a@b.c", 5);
	assert_int_equal(m.from.domain, 2);
	assert_int_equal(m.size, 1000);
	assert_int_equal(m.body, BODY_8BITMIME);
	assert_int_equal(m.ret, RET_HDRS);
	assert_true(m.utf8);
	assert_int_equal(m.envid_len, 3);
	assert_memory_equal(m.envid, "Q+Q", 3);
}

static void null_sender(void **state)
{
	struct mail m;

	(void)state;
	assert_null(mail("FROM:<>", &m));
	assert_int_equal(m.from.len, 0);
	assert_int_equal(m.size, -1);
	assert_rcpt("TO:<>", false, "501 5.1.3");
}

static void mail_syntax(void **state)
{
	(void)state;
	assert_mail("FROM:<a@b>", "");
	assert_mail("FROM: <a@b>", "");
	assert_mail("FROM:<a@b> ", "");
	assert_mail("FROM:a@b", "501 5.5.4");
	assert_mail("FROM <a@b>", "501 5.5.4");
	assert_mail("FROM:<a@b", "501 5.5.4");
	assert_mail("", "501 5.5.4");
	assert_mail("TO:<a@b>", "501 5.5.4");
	assert_mail("FROM:<a@b>SIZE=1", "501 5.5.4");
	assert_mail("FROM:<a@b> =1", "501 5.5.4");
	assert_mail("FROM:<a@b> SIZE=", "501 5.5.4");
	assert_mail("FROM:<a@b> SIZE=1=2", "501 5.5.4");
	assert_mail("FROM:<a@b> SI\tZE=1", "501 5.5.4");
	assert_mail("FROM:<@x,@y:a@b>", "501 5.1.7");
	assert_mail("FROM:<a b@c>", "501 5.1.7");
}

/* S9: a size that is no number, or does not fit into one. */
static void S9_size(void **state)
{
	(void)state;
	assert_mail("FROM:<a@b> SIZE=0", "");
	assert_mail("FROM:<a@b> SIZE=9223372036854775807", "");
	assert_mail("FROM:<a@b> SIZE=9223372036854775808", "501");
	assert_mail("FROM:<a@b> SIZE=18446744073709551616", "501");
	assert_mail("FROM:<a@b> SIZE=99999999999999999999", "501");
	assert_mail("FROM:<a@b> SIZE=000000000000000000001", "501");
	assert_mail("FROM:<a@b> SIZE=-1", "501");
	assert_mail("FROM:<a@b> SIZE=1k", "501");
	assert_mail("FROM:<a@b> SIZE", "501");
}

static void parameters_are_strict(void **state)
{
	static const char *const twice[] = {"SIZE=1 SIZE=1", "BODY=7BIT BODY=7BIT",
	    "SMTPUTF8 smtputf8", "RET=FULL RET=FULL", "ENVID=a ENVID=a", "AUTH=<> AUTH=a"};
	char line[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(twice); i++) {
		(void)snprintf(line, sizeof line, "FROM:<a@b> %s", twice[i]);
		assert_mail(line, "501 5.5.4");
	}
	assert_mail("FROM:<a@b> AUTH=<>", "");
	assert_mail("FROM:<a@b> AUTH=e+3Dmc2@example.com", "");
	assert_mail("FROM:<a@b> AUTH=a+ZZ", "501 5.5.4");
	assert_mail("FROM:<a@b> AUTH", "501 5.5.4");
	assert_mail("FROM:\t<a@b>", "501 5.5.4");
	assert_mail("\tFROM:<a@b>", "501 5.5.4");
	assert_mail("FROM:<a@b> BODY=BINARYMIME", "501 5.5.4");
	assert_mail("FROM:<a@b> BODY", "501 5.5.4");
	assert_mail("FROM:<a@b> RET=SOME", "501 5.5.4");
	assert_mail("FROM:<a@b> SMTPUTF8=1", "501 5.5.4");
	assert_mail("FROM:<a@b> NOTIFY=NEVER", "555 5.5.4");
	assert_rcpt("TO:<a@b> SIZE=1", false, "555 5.5.4");
}

/* S10: what a client escapes is decoded once, and control characters do not come through. */
static void S10_xtext(void **state)
{
	(void)state;
	assert_mail("FROM:<a@b> ENVID=a+20b", "");
	assert_mail("FROM:<a@b> ENVID=a+41b", "");
	assert_mail("FROM:<a@b> ENVID=a+0Ab", "501 5.5.4");
	assert_mail("FROM:<a@b> ENVID=a+00b", "501 5.5.4");
	assert_mail("FROM:<a@b> ENVID=a+7Fb", "501 5.5.4");
	assert_mail("FROM:<a@b> ENVID=a+2", "501 5.5.4");
	assert_mail("FROM:<a@b> ENVID=a+zz", "501 5.5.4");
	assert_mail("FROM:<a@b> ENVID=a+2b", "501 5.5.4");
	assert_mail("FROM:<a@b> ENVID=a+C3+BC", "501 5.5.4");
	assert_rcpt("TO:<a@b> ORCPT=rfc822;a+0D+0ARCPT", false, "501 5.5.4");
	assert_rcpt("TO:<a@b> ORCPT=utf-8;\xc3\xbc@b", true, "");
	assert_rcpt("TO:<a@b> ORCPT=utf-8;\xc3\xbc@b", false, "501 5.5.4");
	assert_rcpt("TO:<a@b> ORCPT=utf-8;\xc3@b", true, "501 5.5.4");
}

static void rcpt_parameters(void **state)
{
	struct rcpt r;

	(void)state;
	assert_null(rcpt("TO:<a@b> NOTIFY=failure,DELAY ORCPT=rfc822;x+2By@z", false, &r));
	assert_int_equal(r.notify, NOTIFY_FAILURE | NOTIFY_DELAY);
	assert_int_equal(r.orcpt_len, 12);
	assert_memory_equal(r.orcpt, "rfc822;x+y@z", 12);

	assert_rcpt("TO:<a@b> NOTIFY=NEVER", false, "");
	assert_rcpt("TO:<a@b> NOTIFY=NEVER,DELAY", false, "501 5.5.4");
	assert_rcpt("TO:<a@b> NOTIFY=DELAY,DELAY", false, "501 5.5.4");
	assert_rcpt("TO:<a@b> NOTIFY=DELAY,", false, "501 5.5.4");
	assert_rcpt("TO:<a@b> NOTIFY", false, "501 5.5.4");
	assert_rcpt("TO:<a@b> NOTIFY=DELAY NOTIFY=DELAY", false, "501 5.5.4");
	assert_rcpt("TO:<a@b> ORCPT=;a@b", false, "501 5.5.4");
	assert_rcpt("TO:<a@b> ORCPT=rfc822", false, "501 5.5.4");
	assert_rcpt("TO:<a@b> ORCPT=a/b;c", false, "501 5.5.4");
}

static void orcpt_is_bounded(void **state)
{
	char line[700] = "TO:<a@b> ORCPT=rfc822;";
	size_t head = strlen("TO:<a@b> ORCPT=");

	(void)state;
	memset(line + strlen(line), 'x', sizeof line - 1 - strlen(line));
	line[head + ORCPT_MAX] = '\0';
	assert_rcpt(line, false, "");
	line[head + ORCPT_MAX] = 'x';
	line[head + ORCPT_MAX + 1] = '\0';
	assert_rcpt(line, false, "501 5.5.4");
}

static void postmaster_needs_no_domain(void **state)
{
	struct rcpt r;

	(void)state;
	assert_null(rcpt("TO:<Postmaster>", false, &r));
	assert_true(r.postmaster);
	assert_mail("FROM:<postmaster>", "501 5.1.7");
	assert_rcpt("TO:<hostmaster>", false, "501 5.1.3");
}

/* S8: bytes beyond ASCII. */
static void S8_smtputf8(void **state)
{
	(void)state;
	assert_mail("FROM:<\xc3\xbc@b>", "553 5.6.7");
	assert_mail("FROM:<\xc3\xbc@b> SMTPUTF8", "");
	assert_mail("FROM:<\xc3@b> SMTPUTF8", "501 5.1.7");
	assert_rcpt("TO:<\xc3\xbc@b>", false, "553 5.6.7");
	assert_rcpt("TO:<\xc3\xbc@b>", true, "");
	assert_false(command_plain("NOOP \xc3\xbc", 7));
	assert_false(command_plain("NOOP\0x", 6));
	assert_false(command_plain("NOOP\tx", 6));
	assert_true(command_plain("NOOP x~", 7));
}

static void nul_bytes_in_commands(void **state)
{
	struct mail m;

	(void)state;
	assert_non_null(command_mail("FROM:<a\0@b>", 11, &m));
	assert_non_null(command_mail("FROM:<a@b> SIZE=1\0", 18, &m));
	assert_non_null(command_mail("FROM:<a@b>\0", 11, &m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(verbs),
	    cmocka_unit_test(mail_with_every_parameter),
	    cmocka_unit_test(null_sender),
	    cmocka_unit_test(mail_syntax),
	    cmocka_unit_test(S9_size),
	    cmocka_unit_test(parameters_are_strict),
	    cmocka_unit_test(S10_xtext),
	    cmocka_unit_test(rcpt_parameters),
	    cmocka_unit_test(orcpt_is_bounded),
	    cmocka_unit_test(postmaster_needs_no_domain),
	    cmocka_unit_test(S8_smtputf8),
	    cmocka_unit_test(nul_bytes_in_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
