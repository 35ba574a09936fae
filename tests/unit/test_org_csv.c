/* People out of a spreadsheet: lib/org/people_csv.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "lib/org/people_csv.h"

struct seen {
	char text[4096];
	size_t rows;
	size_t stop_after;
};

static bool see(void *context, unsigned line, const struct people_change *change, const char *wrong)
{
	struct seen *s = context;
	size_t used = strlen(s->text);
	const size_t room = sizeof s->text;

	s->rows++;
	if (change == NULL) {
		(void)snprintf(s->text + used, room - used, "%u! %s\n", line, wrong);
		return s->rows != s->stop_after;
	}
	used += (size_t)snprintf(s->text + used, room - used, "%u %s", line, change->address);
	for (size_t key = 0; key < PEOPLE_KEY_COUNT; key++) {
		const struct people_wish *w = &change->key[key];

		if (!w->given)
			continue;
		assert_true(w->whole);
		used += (size_t)snprintf(
		    s->text + used, room - used, " %s=", people_key_word((enum people_key)key));
		for (size_t i = 0; i < w->n; i++)
			used += (size_t)snprintf(
			    s->text + used, room - used, "%s%s", i > 0 ? "|" : "", w->text[i]);
	}
	(void)snprintf(s->text + used, room - used, "\n");
	return s->rows != s->stop_after;
}

static void assert_reads(const char *bytes, size_t len, const char *expected)
{
	struct seen s = {.rows = 0};
	struct conf_fault fault;
	char told[512] = "";

	if (!people_csv_read(bytes, len, "p.csv", see, &s, &fault))
		conf_fault_show(&fault, told, sizeof told);
	assert_string_equal(told, "");
	assert_string_equal(s.text, expected);
}

static void assert_blames(const char *bytes, const char *expected)
{
	struct seen s = {.rows = 0};
	struct conf_fault fault;
	char told[512];

	assert_false(people_csv_read(bytes, strlen(bytes), "p.csv", see, &s, &fault));
	conf_fault_show(&fault, told, sizeof told);
	assert_string_equal(told, expected);
}

#define READS(bytes, expected) assert_reads(bytes, sizeof bytes - 1, expected)

static void rows_are_read(void **state)
{
	(void)state;
	READS("address,name,group\r\n"
	      "a@b.c,山田 太郎,sales; tokyo\r\n"
	      "\r\n"
	      " d@b.c ,\"Yamada, Taro;T\"\r\n"
	      ",,\r\n"
	      "e@b.c,,\r\n",
	    "2 a@b.c name=山田 太郎 group=sales|tokyo\n"
	    "4 d@b.c name=Yamada, Taro|T group=\n"
	    "6 e@b.c name= group=\n");
	READS("LANG,Address\nen,a@b.c", "2 a@b.c lang=en\n");
	READS("\xef\xbb\xbf"
	      "address\na@b.c\n",
	    "2 a@b.c\n");
	READS("address\n", "");
}

/* A line end within a field is one of the file's. */
static void lines_are_counted_as_an_editor_does(void **state)
{
	(void)state;
	READS("address,name\n\"a@b.c\",\"A\n\"\n\n\nd@b.c,D\n", "2 a@b.c name=A\n6 d@b.c name=D\n");
}

/* What Excel writes on a Japanese Windows. */
static void cp932_is_seen(void **state)
{
	(void)state;
	READS("address,name,group\r\n"
	      "taro@example.co.jp,\x8e\x52\x93\x63\x81\x40\x91\xbe\x98\x59,sales\r\n"
	      "jiro@example.co.jp,\x8d\x82\x8b\xb4\x93\xf1\x98\x59,\r\n",
	    "2 taro@example.co.jp name=山田　太郎 group=sales\n"
	    "3 jiro@example.co.jp name=高橋二郎 group=\n");
}

static void wrong_rows_are_told_and_passed(void **state)
{
	struct seen s = {.stop_after = 1};
	struct conf_fault fault;

	(void)state;
	READS("address,boss\nx,\na@b.c,a@b foreign=allow\na@b.c,x,y\nb@b.c,c@d\n\"e@b.c x\",\n",
	    "2! an address is expected, not \"x\"\n"
	    "3! boss cannot be \"a@b foreign=allow\"\n"
	    "4! 3 fields, but 2 headings\n"
	    "5 b@b.c boss=c@d\n"
	    "6! an address is expected, not \"e@b.c x\"\n");
	assert_false(people_csv_read("address\na@b.c\nb@b.c\n", 20, "p.csv", see, &s, &fault));
	assert_string_equal(fault.text, "");
	assert_int_equal(s.rows, 1);
}

static void what_is_no_table_is_a_fault(void **state)
{
	(void)state;
	assert_blames("", "p.csv:1: the first row has the headings, address among them");
	assert_blames("name\nA\n", "p.csv:1: the first row has the headings, address among them");
	assert_blames("address,adress\n", "p.csv:1: no column \"adress\": address, name, group, "
					  "boss, deputy, lang, alias, login, "
					  "shared and foreign are known");
	assert_blames("address,Address\n", "p.csv:1: the column Address stands there twice");
	assert_blames("address,name\na@b.c,\"A\nb@b.c,B\n",
	    "p.csv:2: a quote is missing, or stands within a field");
	assert_blames(
	    "address,name\na@b.c,A\"B\n", "p.csv:2: a quote is missing, or stands within a field");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_read),
	    cmocka_unit_test(lines_are_counted_as_an_editor_does),
	    cmocka_unit_test(cp932_is_seen),
	    cmocka_unit_test(wrong_rows_are_told_and_passed),
	    cmocka_unit_test(what_is_no_table_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
