/* Changing etc/people leaves everything else byte for byte as it was (S2-41). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <time.h>

#include "lib/people/edit.h"

static const char before[] = "# 社員\n"
			     "\n"
			     "taro@b.c\tlogin=taro  group=sales alias=t@b.c   # the first\n"
			     "  Hanako@b.c name=H+20Y group=a group=b boss=x@y\n"
			     "#hidden@b.c\n"
			     "jiro@b.c";

/* One change to `before`; what comes out is `after`. */
static enum people_done change(const char *address, enum people_key key, bool whole,
    const char **text, size_t n, char after[1024])
{
	struct people_file *f = people_file_new(before, sizeof before - 1);
	struct people_change c = {.address = address};
	enum people_done done;
	struct buf b;

	assert_non_null(f);
	c.key[key] = (struct people_wish){.given = true, .whole = whole, .text = text, .n = n};
	done = people_file_change(f, &c, 7);
	assert_int_equal(people_file_mark(f, address), 7);
	buf_init(&b, 65536);
	assert_true(people_file_write(f, &b));
	(void)snprintf(after, 1024, "%.*s", (int)b.len, b.bytes);
	buf_free(&b);
	people_file_free(f);
	return done;
}

/* The line `number` (from 0) of a text. */
static void assert_line(const char *text, size_t number, const char *line)
{
	size_t len;

	while (number-- > 0)
		text = strchr(text, '\n') + 1;
	len = strcspn(text, "\n");
	assert_int_equal(len, strlen(line));
	assert_memory_equal(text, line, len);
}

static void values_are_added(void **state)
{
	const char *groups[] = {"sales", "tokyo", "tokyo"};
	const char *bosses[] = {"boss@b.c"};
	const char *names[] = {"山田 太郎", "A, B+C"};
	char after[1024];

	(void)state;
	assert_int_equal(change("Taro@B.c", PEOPLE_GROUP, false, groups, 3, after), PEOPLE_CHANGED);
	assert_line(after, 2, "taro@b.c\tlogin=taro  group=sales,tokyo alias=t@b.c   # the first");
	assert_line(after, 0, "# 社員");
	assert_line(after, 3, "  Hanako@b.c name=H+20Y group=a group=b boss=x@y");
	assert_line(after, 5, "jiro@b.c");

	assert_int_equal(change("taro@b.c", PEOPLE_BOSS, false, bosses, 1, after), PEOPLE_CHANGED);
	assert_line(
	    after, 2, "taro@b.c\tlogin=taro  group=sales alias=t@b.c boss=boss@b.c   # the first");
	assert_int_equal(change("jiro@b.c", PEOPLE_NAME, false, names, 2, after), PEOPLE_CHANGED);
	assert_line(after, 5, "jiro@b.c name=山田+20太郎,A+2C+20B+2BC");
	assert_int_equal(change("taro@b.c", PEOPLE_GROUP, false, groups, 1, after), PEOPLE_SAME);
	assert_memory_equal(after, before, sizeof before - 1);
	assert_string_equal(after + sizeof before - 1, "\n");
}

static void values_are_replaced(void **state)
{
	const char *groups[] = {"b", "c"}, *swapped[] = {"b", "a"}, *name[] = {"H Y"};
	char after[1024];

	(void)state;
	assert_int_equal(
	    change("hanako@b.c", PEOPLE_GROUP, true, groups, 2, after), PEOPLE_CHANGED);
	assert_line(after, 3, "  Hanako@b.c name=H+20Y group=b,c boss=x@y");
	assert_int_equal(change("hanako@b.c", PEOPLE_GROUP, true, swapped, 2, after), PEOPLE_SAME);
	assert_int_equal(change("hanako@b.c", PEOPLE_NAME, true, name, 1, after), PEOPLE_SAME);
	assert_int_equal(change("hanako@b.c", PEOPLE_GROUP, true, NULL, 0, after), PEOPLE_CHANGED);
	assert_line(after, 3, "  Hanako@b.c name=H+20Y boss=x@y");
	assert_int_equal(change("jiro@b.c", PEOPLE_GROUP, true, NULL, 0, after), PEOPLE_SAME);
}

static void a_new_person_stands_at_the_end(void **state)
{
	const char *groups[] = {"b", "c"};
	char after[1024];

	(void)state;
	assert_int_equal(change("new@b.c", PEOPLE_GROUP, true, groups, 2, after), PEOPLE_ADDED);
	assert_line(after, 5, "jiro@b.c");
	assert_line(after, 6, "new@b.c group=b,c");
	assert_int_equal(change("hidden@b.c", PEOPLE_LANG, false, NULL, 0, after), PEOPLE_ADDED);
	assert_line(after, 4, "#hidden@b.c");
	assert_line(after, 6, "hidden@b.c");
}

static void tell(void *context, const char *address, size_t len)
{
	(void)snprintf((char *)context + strlen(context), 64, "%.*s ", (int)len, address);
}

static void people_are_removed(void **state)
{
	struct people_file *f = people_file_new(before, sizeof before - 1);
	struct people_change c = {.address = "taro@b.c"};
	char told[256] = "";
	struct buf b;

	(void)state;
	assert_true(people_file_remove(f, "HANAKO@b.c"));
	assert_false(people_file_remove(f, "hanako@b.c"));
	assert_false(people_file_remove(f, "hidden@b.c"));
	assert_int_equal(people_file_change(f, &c, 1), PEOPLE_SAME);
	people_file_remove_unmarked(f, tell, told);
	assert_string_equal(told, "jiro@b.c ");

	/* Gone, and there again, at the end. */
	c.address = "hanako@b.c";
	assert_int_equal(people_file_change(f, &c, 2), PEOPLE_ADDED);
	buf_init(&b, 65536);
	assert_true(people_file_write(f, &b));
	buf_add(&b, "", 1);
	assert_string_equal(b.bytes,
	    "# 社員\n\ntaro@b.c\tlogin=taro  group=sales alias=t@b.c   # the first\n#hidden@b.c\n"
	    "hanako@b.c\n");
	buf_free(&b);
	people_file_free(f);
}

/* What would become two words, or a comment, is no value. */
static void values_are_one_word(void **state)
{
	(void)state;
	assert_true(people_value_good(PEOPLE_GROUP, "sales"));
	assert_true(people_value_good(PEOPLE_NAME, "A, B #+ C"));
	assert_false(people_value_good(PEOPLE_NAME, ""));
	assert_false(people_value_good(PEOPLE_NAME, "a\nb"));
	assert_false(people_value_good(PEOPLE_NAME, "a\x7f"));
	assert_false(people_value_good(PEOPLE_BOSS, "a@b foreign=allow"));
	assert_false(people_value_good(PEOPLE_BOSS, "a@b,c@d"));
	assert_false(people_value_good(PEOPLE_BOSS, "a@b\tc"));
	assert_false(people_value_good(PEOPLE_BOSS, "#a@b"));
}

/* As many changes as there are people, in linear time. */
static void many_changes(void **state)
{
	struct people_file *f = people_file_new("", 0);
	const char *groups[] = {"sales"};
	struct people_change c = {.key[PEOPLE_GROUP] = {.given = true, .text = groups, .n = 1}};
	clock_t begun = clock();
	char address[64];

	(void)state;
	c.address = address;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 20000; i++) {
			(void)snprintf(address, sizeof address, "user%d@example.co.jp", i);
			assert_int_equal(
			    people_file_change(f, &c, 1), round == 0 ? PEOPLE_ADDED : PEOPLE_SAME);
		}
	}
	assert_true(clock() - begun < 5 * CLOCKS_PER_SEC);
	people_file_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_are_added),
	    cmocka_unit_test(values_are_replaced),
	    cmocka_unit_test(a_new_person_stands_at_the_end),
	    cmocka_unit_test(people_are_removed),
	    cmocka_unit_test(values_are_one_word),
	    cmocka_unit_test(many_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
