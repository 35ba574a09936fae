#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "lib/people/people.h"

/* Reads a file "people" of this text; NULL text: there is no such file. */
static struct people *read_text(const char *text, size_t len, struct conf_fault *fault)
{
	char path[] = "/tmp/test_people.XXXXXX";
	struct people *people;
	int etc, fd;

	assert_non_null(mkdtemp(path));
	etc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(etc >= 0);
	if (text != NULL) {
		fd = openat(etc, "people", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, text, len), len);
		close(fd);
	}
	people = people_read(etc, fault);
	(void)unlinkat(etc, "people", 0);
	close(etc);
	(void)rmdir(path);
	return people;
}

static struct people *load(const char *text)
{
	struct conf_fault fault = {0};
	struct people *people = read_text(text, text != NULL ? strlen(text) : 0, &fault);

	if (people == NULL)
		fail_msg("%u:%u: %s", fault.line, fault.column, fault.text);
	return people;
}

/* `expected` is the whole of what is told. */
static void assert_blames(const char *text, const char *expected)
{
	struct conf_fault fault = {0};
	char shown[512];

	assert_null(read_text(text, strlen(text), &fault));
	conf_fault_show(&fault, shown, sizeof shown);
	assert_string_equal(shown, expected);
}

static bool owns(const struct people *people, const char *login, const char *address)
{
	return people_owns(people, login, address, strlen(address));
}

static void a_login_without_a_line_is_its_own_address(void **state)
{
	static const char *const texts[] = {NULL, "", "# nobody\n", "x@example.co.jp\n"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct people *people = load(texts[i]);

		assert_int_equal(people_count(people), i == 3 ? 1 : 0);
		assert_true(owns(people, "taro@example.co.jp", "taro@example.co.jp"));
		assert_true(owns(people, "taro@example.co.jp", "TARO@Example.CO.JP"));
		assert_true(owns(people, "Taro@Example.co.jp", "taro@example.co.jp"));
		assert_false(owns(people, "taro@example.co.jp", "boss@example.co.jp"));
		assert_false(owns(people, "taro@example.co.jp", "taro@example.co.j"));
		assert_false(owns(people, "taro@example.co.j", "taro@example.co.jp"));
		assert_false(owns(people, "taro", "taro@example.co.jp"));
		assert_false(owns(people, "", ""));
		assert_int_equal(people_foreign(people, "taro@example.co.jp"), FOREIGN_UNSAID);
		people_free(people);
	}
	people_free(NULL);
}

static void a_login_has_what_its_line_says(void **state)
{
	struct people *people =
	    load("# people\n"
		 "taro@example.co.jp login=Taro alias=t@example.co.jp,t.yamada@example.jp "
		 "shared=info@example.co.jp alias=tt@example.co.jp foreign=hold # the first\n"
		 "\n"
		 "Hanako@Example.co.jp "
		 "shared=INFO@example.co.jp,sales@example.co.jp,taro@example.co.jp\n"
		 "copier@example.co.jp foreign=allow\n"
		 "x@example.co.jp login=guest foreign=refuse\n");

	(void)state;
	assert_int_equal(people_count(people), 4);
	assert_true(owns(people, "taro", "taro@example.co.jp"));
	assert_true(owns(people, "TARO", "T@EXAMPLE.CO.JP"));
	assert_true(owns(people, "taro", "t.yamada@example.jp"));
	assert_true(owns(people, "taro", "tt@example.co.jp"));
	assert_true(owns(people, "taro", "info@example.co.jp"));
	assert_false(owns(people, "taro", "sales@example.co.jp"));
	assert_false(owns(people, "taro", "hanako@example.co.jp"));
	assert_false(owns(people, "taro", "taro"));
	assert_false(owns(people, "taro", ""));

	/* A mailbox that somebody else has as well, even as their own. */
	assert_true(owns(people, "hanako@example.co.jp", "hanako@example.co.jp"));
	assert_true(owns(people, "hanako@example.co.jp", "Info@example.co.jp"));
	assert_true(owns(people, "HANAKO@example.co.jp", "sales@example.co.jp"));
	assert_true(owns(people, "hanako@example.co.jp", "taro@example.co.jp"));
	assert_false(owns(people, "hanako@example.co.jp", "t@example.co.jp"));

	/* With a line, a login that is an address owns it only if the line says so. */
	assert_false(owns(people, "guest", "guest"));
	assert_false(owns(people, "copier@example.co.jp", "info@example.co.jp"));

	assert_int_equal(people_foreign(people, "taro"), FOREIGN_HOLD);
	assert_int_equal(people_foreign(people, "hanako@example.co.jp"), FOREIGN_UNSAID);
	assert_int_equal(people_foreign(people, "Copier@example.co.jp"), FOREIGN_ALLOW);
	assert_int_equal(people_foreign(people, "guest"), FOREIGN_REFUSE);
	assert_int_equal(people_foreign(people, "taro@example.co.jp"), FOREIGN_UNSAID);
	people_free(people);
}

/* A NUL, a cut address or one letter more is another address. */
static void addresses_are_compared_as_a_whole(void **state)
{
	struct people *people = load("a@b login=x alias=Az@zA,\xe5\xb1\xb1@\xe6\x97\xa5.jp\n");
	char longest[600];

	(void)state;
	assert_true(people_owns(people, "x", "a@bc", 3)); /* as far as its length goes */
	assert_true(owns(people, "x", "aZ@Za"));
	assert_false(people_owns(people, "x", "a@b\0", 4));
	assert_false(people_owns(people, "x", "a@b", 2));
	assert_true(owns(people, "x", "\xe5\xb1\xb1@\xe6\x97\xa5.jp"));
	assert_true(owns(people, "x", "\xe5\xb1\xb1@\xe6\x97\xa5.JP"));
	memset(longest, 'a', sizeof longest);
	assert_false(people_owns(people, "x", longest, sizeof longest));
	longest[sizeof longest - 1] = '\0';
	assert_false(owns(people, longest, "a@b"));
	assert_true(owns(people, longest, longest)); /* the caller's bounds are not ours */
	people_free(people);
}

static void addresses_are_checked(void **state)
{
	(void)state;
	assert_blames("a\n", "etc/people:1:1: \"a\" is no address such as taro@example.co.jp");
	assert_blames("@b\n", "etc/people:1:1: \"@b\" is no address such as taro@example.co.jp");
	assert_blames("\n a@\n", "etc/people:2:2: \"a@\" is no address such as taro@example.co.jp");
	assert_blames("@\n", "etc/people:1:1: \"@\" is no address such as taro@example.co.jp");
	assert_blames("a@b@c\n", "etc/people:1:1: \"a@b@c\" has more than one '@'");
	assert_blames("a@@b\n", "etc/people:1:1: \"a@@b\" has more than one '@'");
	assert_blames("<a@b>\n",
	    "etc/people:1:1: an address is written alone, as in taro@example.co.jp, without '<'");
	assert_blames("a@b,c@d\n",
	    "etc/people:1:4: an address is written alone, as in taro@example.co.jp, without ','");
	assert_blames("a@b alias=c@d,\"e\"@f\n",
	    "etc/people:1:15: an address is written alone, as in taro@example.co.jp, without '\"'");
	assert_blames("a@b alias=\n", "etc/people:1:11: an address is missing");
	assert_blames("a@b alias=c@d,\n", "etc/people:1:15: an address is missing");
	assert_blames("a@b alias=,c@d\n", "etc/people:1:11: an address is missing");
	assert_blames("a@b shared=c@d,,e@f\n", "etc/people:1:16: an address is missing");
	assert_blames("a@b shared=c@d,e\n",
	    "etc/people:1:16: \"e\" is no address such as taro@example.co.jp");
	assert_blames("a\x01@b\n", "etc/people:1:2: a control character (byte 0x01)");
}

static void lengths_are_bounded(void **state)
{
	char text[1024];
	struct people *people;

	(void)state;
	memset(text, 'a', sizeof text);
	memcpy(text + 1, "@", 1);
	memcpy(text + 254, "\n", 2);
	people = load(text);
	text[254] = '\0';
	assert_true(owns(people, text, text));
	people_free(people);

	memcpy(text + 254, "a\n", 3);
	assert_blames(text, "etc/people:1:1: the address is longer than 254 bytes");

	memset(text, 'l', sizeof text);
	memcpy(text, "a@b login=", 10);
	memcpy(text + 265, "\n", 2);
	people = load(text);
	text[265] = '\0';
	assert_true(owns(people, text + 10, "a@b"));
	people_free(people);
	memcpy(text + 265, "l\n", 3);
	assert_blames(text, "etc/people:1:11: the login is longer than 255 bytes");
}

static void keys_are_checked(void **state)
{
	(void)state;
	assert_blames("a@b alais=c@d\n", "etc/people:1:5: no key \"alais\": alias?");
	assert_blames("a@b Login=c\n", "etc/people:1:5: no key \"Login\": login?");
	assert_blames("a@b colour=c\n", "etc/people:1:5: no key \"colour\"");
	assert_blames("a@b =c\n", "etc/people:1:5: no key \"\"");
	assert_blames("a@b aliases=c@d\n", "etc/people:1:5: no key \"aliases\": alias?");
	assert_blames("a@b c@d\n", "etc/people:1:5: KEY=VALUE was expected, with no blanks in it");
	assert_blames(
	    "a@b alias =c@d\n", "etc/people:1:5: KEY=VALUE was expected, with no blanks in it");
	assert_blames("login=a a@b\n", "etc/people:1:1: the line begins with the person's address");
	assert_blames("a@b login=\n", "etc/people:1:11: a login is missing");
	assert_blames("a@b login=x login=x\n", "etc/people:1:19: a line has one login");
	assert_blames("a@b foreign=hodl\n",
	    "etc/people:1:13: foreign is one of refuse hold allow, not \"hodl\": hold?");
	assert_blames(
	    "a@b foreign=\n", "etc/people:1:13: foreign is one of refuse hold allow, not \"\"");
	assert_blames(
	    "a@b foreign=hold foreign=hold\n", "etc/people:1:26: a line says foreign= once");
}

/* An address whose local part has a '=' is one like another. */
static void an_equals_sign_in_an_address(void **state)
{
	struct people *people = load("a=b@c alias=d=e@f,log=in@g login=x=y\n");

	(void)state;
	assert_true(owns(people, "x=y", "a=b@c"));
	assert_true(owns(people, "x=y", "d=e@f"));
	assert_true(owns(people, "x=y", "log=in@g"));
	people_free(people);
}

static void what_belongs_to_two_is_a_fault(void **state)
{
	(void)state;
	assert_blames("a@b\n\nA@B\n", "etc/people:3:1: the address \"A@B\" is that of line 1");
	assert_blames("a@b alias=c@d\nx@y login=x alias=e@f,C@d\n",
	    "etc/people:2:23: the address \"C@d\" is that of line 1");
	assert_blames(
	    "a@b alias=c@d\nc@d\n", "etc/people:2:1: the address \"c@d\" is that of line 1");
	assert_blames(
	    "a@b\n c@d alias=a@b\n", "etc/people:2:12: the address \"a@b\" is that of line 1");
	assert_blames(
	    "a@b\nc@d login=A@b\n", "etc/people:2:11: the login \"A@b\" is that of line 1");
	assert_blames(
	    "a@b login=c@d\nc@d\n", "etc/people:2:1: the login \"c@d\" is that of line 1");
	assert_blames(
	    "a@b login=x\nc@d login=X\n", "etc/people:2:11: the login \"X\" is that of line 1");
	assert_blames(
	    "a@b alias=A@b\n", "etc/people:1:11: the address \"A@b\" stands twice in this line");
	assert_blames("a@b shared=c@d,C@d\n",
	    "etc/people:1:16: the mailbox \"C@d\" stands twice in this line");
}

/* Not the same: a shared mailbox in two lines, or one that is somebody's own; two logins crossed. */
static void what_may_stand_twice(void **state)
{
	struct people *people =
	    load("a@b login=c@d shared=x@y,c@d\nc@d login=a@b shared=x@y,c@d\n");

	(void)state;
	assert_true(owns(people, "c@d", "a@b"));
	assert_true(owns(people, "c@d", "c@d"));
	assert_true(owns(people, "a@b", "c@d"));
	assert_false(owns(people, "a@b", "a@b"));
	assert_true(owns(people, "a@b", "x@y"));
	people_free(people);
}

/* ---- every line, with all that it says ---- */

struct shown {
	char text[1024];
	unsigned stop_at; /* a line; 0: none */
};

static bool show(void *context, const struct people_line *line, struct conf_fault *fault)
{
	struct shown *s = context;
	size_t used = strlen(s->text);

	used += (size_t)snprintf(
	    s->text + used, sizeof s->text - used, "%u %s", line->number, line->address);
	for (size_t i = 0; i < line->values; i++) {
		const struct people_value *v = &line->value[i];

		used += (size_t)snprintf(s->text + used, sizeof s->text - used, " %s@%u=%s",
		    people_key_word(v->key), v->column, v->text);
	}
	(void)snprintf(s->text + used, sizeof s->text - used, "\n");
	return line->number != s->stop_at || conf_blame(fault, line->number, 3, "enough");
}

static void a_line_is_shown_with_all_its_values(void **state)
{
	static const char text[] =
	    "# people\n"
	    "taro@b.c name=山田+20太郎,Yamada+2C+20Taro boss=x@y.z,X@Z.z alias=t@b.c "
	    "group=a,B-1.x_y\n"
	    "hanako@b.c lang=en deputy=taro@b.c group=a shared=i@b.c login=h foreign=hold name=H\n";
	struct shown s = {.stop_at = 0};
	struct conf_fault fault = {0};
	struct people *people = people_parse(text, sizeof text - 1, show, &s, &fault);

	(void)state;
	assert_non_null(people);
	assert_string_equal(s.text,
	    "2 taro@b.c name@15=山田 太郎 name@31=Yamada, Taro boss@53=x@y.z boss@59=X@Z.z "
	    "alias@71=t@b.c group@83=a group@85=B-1.x_y\n"
	    "3 hanako@b.c lang@17=en deputy@27=taro@b.c group@42=a shared@51=i@b.c login@63=h "
	    "foreign@73=hold name@83=H\n");
	assert_true(owns(people, "h", "hanako@b.c"));
	people_free(people);

	s = (struct shown){.stop_at = 2};
	assert_null(people_parse(text, sizeof text - 1, show, &s, &fault));
	assert_string_equal(fault.text, "enough");
	assert_int_equal(fault.line, 2);
	assert_string_equal(fault.file, "etc/people");
}

/* What seki-smtpd has no use for is checked all the same. */
static void the_keys_of_the_organisation_are_checked(void **state)
{
	(void)state;
	assert_blames("a@b group=\n",
	    "etc/people:1:11: the name of a group is 1 to 64 letters, digits, '-', '_' and '.'");
	assert_blames("a@b group=x,..\n",
	    "etc/people:1:13: the name of a group is 1 to 64 letters, digits, '-', '_' and '.'");
	assert_blames(
	    "a@b group=x group=X\n", "etc/people:1:19: the group \"X\" stands twice in this line");
	assert_blames(
	    "a@b boss=c\n", "etc/people:1:10: \"c\" is no address such as taro@example.co.jp");
	assert_blames("a@b deputy=c@d,\n", "etc/people:1:16: an address is missing");
	assert_blames(
	    "a@b boss=c@d,C@d\n", "etc/people:1:14: the boss \"C@d\" stands twice in this line");
	assert_blames("a@b lang=fr\n", "etc/people:1:10: lang is one of ja en, not \"fr\"");
	assert_blames("a@b lang=ja lang=ja\n", "etc/people:1:18: a line says lang= once");
	assert_blames("a@b name=\n", "etc/people:1:10: a name is missing");
	assert_blames("a@b name=x+2\n",
	    "etc/people:1:10: in a name '+' begins a byte in two hex digits: +20 is a blank, +2C a "
	    "comma, +2B a plus");
	assert_blames("a@b name=x+0A\n",
	    "etc/people:1:10: in a name '+' begins a byte in two hex digits: +20 is a blank, +2C a "
	    "comma, +2B a plus");
	assert_blames("a@b grop=x\n", "etc/people:1:5: no key \"grop\": group?");
}

static double now(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* 100,000 lines within a second, and as many questions. */
static void many_people(void **state)
{
	size_t room = 16 * 1024 * 1024, len = 0;
	char *text = malloc(room);
	struct conf_fault fault = {0};
	struct people *people;
	double begun;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < 100000; i++)
		len += (size_t)snprintf(text + len, room - len,
		    "user%d@example.co.jp login=u%d alias=a%d@example.co.jp,b%d@example.co.jp "
		    "shared=info@example.co.jp\n",
		    i, i, i, i);
	assert_true(len < room);

	begun = now();
	people = read_text(text, len, &fault);
	assert_non_null(people);
	assert_int_equal(people_count(people), 100000);
	for (int i = 0; i < 100000; i++) {
		char login[32], own[64], alien[64];

		(void)snprintf(login, sizeof login, "U%d", i);
		(void)snprintf(own, sizeof own, "b%d@example.co.jp", i);
		(void)snprintf(alien, sizeof alien, "b%d@example.co.jp", (i + 1) % 100000);
		assert_true(owns(people, login, own));
		assert_false(owns(people, login, alien));
		assert_true(owns(people, login, "info@example.co.jp"));
	}
#ifndef __SANITIZE_ADDRESS__
	assert_true(now() - begun < 1.0);
#else
	assert_true(now() - begun < 10.0);
#endif
	people_free(people);
	free(text);
}

static void there_is_a_bound(void **state)
{
	size_t room = 16 * 1024 * 1024, len = 0;
	char *text = malloc(room);
	struct conf_fault fault = {0};

	(void)state;
	assert_non_null(text);
	for (int i = 0; i <= PEOPLE_MAX; i++)
		len += (size_t)snprintf(text + len, room - len, "%x@b\n", (unsigned)i);
	assert_true(len < room);
	assert_null(read_text(text, len, &fault));
	assert_int_equal(fault.line, PEOPLE_MAX + 1);
	assert_string_equal(fault.text, "more than 1000000 people");
	free(text);
}

static void the_sample_holds_nobody(void **state)
{
	struct conf_fault fault = {0};
	int etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct people *people = people_read(etc, &fault);

	(void)state;
	assert_non_null(people);
	assert_int_equal(people_count(people), 0);
	people_free(people);
	close(etc);
}

/* "#taro@example.co.jp ..." is an example; a comment has a blank behind its '#'. */
static void the_samples_examples_are_right(void **state)
{
	static char text[16384];
	FILE *sample = fopen("etc/people", "re");
	struct people *people;
	size_t len;

	(void)state;
	assert_non_null(sample);
	len = fread(text, 1, sizeof text - 1, sample);
	assert_true(len > 0 && len < sizeof text - 1);
	fclose(sample);
	for (size_t i = 0; i + 1 < len; i++) {
		if (text[i] == '#' && (i == 0 || text[i - 1] == '\n') && text[i + 1] >= 'a')
			text[i] = ' ';
	}
	people = load(text);
	assert_int_equal(people_count(people), 3);
	assert_true(owns(people, "taro", "t.yamada@example.co.jp"));
	assert_int_equal(people_foreign(people, "copier"), FOREIGN_HOLD);
	people_free(people);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_login_without_a_line_is_its_own_address),
	    cmocka_unit_test(a_login_has_what_its_line_says),
	    cmocka_unit_test(addresses_are_compared_as_a_whole),
	    cmocka_unit_test(addresses_are_checked),
	    cmocka_unit_test(lengths_are_bounded),
	    cmocka_unit_test(keys_are_checked),
	    cmocka_unit_test(an_equals_sign_in_an_address),
	    cmocka_unit_test(what_belongs_to_two_is_a_fault),
	    cmocka_unit_test(what_may_stand_twice),
	    cmocka_unit_test(a_line_is_shown_with_all_its_values),
	    cmocka_unit_test(the_keys_of_the_organisation_are_checked),
	    cmocka_unit_test(many_people),
	    cmocka_unit_test(there_is_a_bound),
	    cmocka_unit_test(the_sample_holds_nobody),
	    cmocka_unit_test(the_samples_examples_are_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
