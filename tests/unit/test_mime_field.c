#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mime/field.h"

/*
 * The fields of a header as "NAME=BODY|", a line that is none as "=LINE|"; what follows the last
 * field is told as "+N". CR and LF are shown as ~ and $.
 */
static const char *shown(const char *bytes, size_t len)
{
	static char text[4096];
	/* Its own block, so that the sanitizer sees what is read behind it. */
	char *header = malloc(len > 0 ? len : 1);
	size_t used = 0, at = 0, last = 0;
	struct field f;

	assert_non_null(header);
	memcpy(header, bytes, len);

	while (field_next(header, len, &at, &f)) {
		assert_int_equal(f.start, last);
		assert_int_equal(f.end, at);
		assert_true(f.end > f.start && f.end <= len);
		last = at;
		used += (size_t)snprintf(text + used, sizeof text - used, "%.*s=%.*s|",
		    (int)f.name_len, f.name, (int)f.body_len, f.body);
		assert_true(used < sizeof text);
	}
	(void)snprintf(text + used, sizeof text - used, "+%zu", len - at);
	free(header);
	for (char *p = text; *p != '\0'; p++)
		*p = *p == '\r' ? '~' : *p == '\n' ? '$' : *p;
	return text;
}

#define SHOWS(header, expected) assert_string_equal(shown((header), sizeof(header) - 1), (expected))

static void plain_fields(void **state)
{
	(void)state;
	SHOWS("", "+0");
	SHOWS("\r\n", "+2");
	SHOWS("From: a@b\r\n\r\n", "From= a@b|+2");
	SHOWS("From:a@b\r\nTo: c@d\r\n\r\nbody: x\r\n", "From=a@b|To= c@d|+11");
	SHOWS("Subject:\r\n\r\n", "Subject=|+2");
	SHOWS("X: a:b : c\r\n\r\n", "X= a:b : c|+2");
	SHOWS("!#$~: x\r\n\r\n", "!#$~= x|+2");
}

/* A header without its empty line, even without its last line's end, is read to its last byte. */
static void the_last_byte_ends_it(void **state)
{
	(void)state;
	SHOWS("From: a@b\r\n", "From= a@b|+0");
	SHOWS("From: a@b", "From= a@b|+0");
	SHOWS("From:", "From=|+0");
	SHOWS("From: a\r\n b", "From= a~$ b|+0");
	SHOWS("From: a\r\n ", "From= a~$ |+0");
}

static void folds_belong_to_the_body(void **state)
{
	(void)state;
	SHOWS("From: a\r\n b\r\n\tc\r\nTo: d\r\n\r\n", "From= a~$ b~$\tc|To= d|+2");
	SHOWS("From:\r\n a\r\n\r\n", "From=~$ a|+2");
	SHOWS("From: a\r\n \r\n b\r\n\r\n", "From= a~$ ~$ b|+2"); /* blanks alone end nothing */
	SHOWS("A: x\r\n From: boss@x\r\n\r\n", "A= x~$ From: boss@x|+2");
}

/* "From : boss" is a From to many programs. */
static void blanks_before_the_colon(void **state)
{
	(void)state;
	SHOWS("From : a\r\nTo \t : b\r\n\r\n", "From= a|To= b|+2");
}

static void what_is_no_field_is_told(void **state)
{
	(void)state;
	SHOWS("From boss@x Mon\r\nFrom: a\r\n\r\n", "=From boss@x Mon|From= a|+2");
	SHOWS(" From: a\r\nTo: b\r\n\r\n", "= From: a|To= b|+2");
	SHOWS("\tFrom: a\r\n\r\n", "=\tFrom: a|+2");
	SHOWS("no colon\r\n\r\n", "=no colon|+2");
	SHOWS("nocolon\r\n : x\r\n\r\n", "=nocolon|= : x|+2");
	SHOWS("From\r\n : a\r\n\r\n", "=From|= : a|+2");
	SHOWS(": x\r\n\r\n", "=: x|+2");
	SHOWS(" : x\r\n\r\n", "= : x|+2");
	SHOWS("Fr om: a\r\n\r\n", "=Fr om: a|+2");
	SHOWS("Fr\x7fom: a\r\n\r\n", "=Fr\x7fom: a|+2");
	SHOWS("Fr\x01om: a\r\n\r\n", "=Fr\x01om: a|+2");
	SHOWS("From\xc2\xa0: a\r\n\r\n", "=From\xc2\xa0: a|+2");
	SHOWS("\xef\xbb\xbf"
	      "From: a\r\n\r\n",
	    "=\xef\xbb\xbf"
	    "From: a|+2");
	SHOWS("F", "=F|+0");
}

static void a_nul_is_no_name(void **state)
{
	static const char header[] = "From\0: a\r\nTo: b\0c\r\n\r\n";
	size_t at = 0;
	struct field f;

	(void)state;
	assert_true(field_next(header, sizeof header - 1, &at, &f));
	assert_int_equal(f.name_len, 0);
	assert_int_equal(f.body_len, 8);
	assert_true(field_next(header, sizeof header - 1, &at, &f));
	assert_int_equal(f.name_len, 2);
	assert_int_equal(f.body_len, 4);
	assert_memory_equal(f.body, " b\0c", 4);
}

/* S1: what ends a line to some programs only would be a field that they see and we do not. */
static void S1_stray_line_ends_are_no_field(void **state)
{
	(void)state;
	SHOWS("X: a\nFrom: boss\r\n\r\n", "=X: a$From: boss|+2");
	SHOWS("X: a\rFrom: boss\r\n\r\n", "=X: a~From: boss|+2");
	SHOWS("X: a\r\n b\nFrom: boss\r\nTo: c\r\n\r\n", "=X: a~$ b$From: boss|To= c|+2");
	SHOWS("X: a\n\r\nFrom: b\r\n\r\n", "=X: a$|From= b|+2");
	SHOWS("X: a\r\r\nFrom: b\r\n\r\n", "=X: a~|From= b|+2");
	SHOWS("\n\r\nFrom: b\r\n\r\n", "=$|From= b|+2");
	SHOWS("X: a\r", "=X: a~|+0");
	SHOWS("\r", "=~|+0");
}

static void names_in_either_case(void **state)
{
	static const char header[] = "fRoM : a\r\n";
	struct field f, none = {.name = header};
	size_t at = 0;

	(void)state;
	assert_true(field_next(header, sizeof header - 1, &at, &f));
	assert_true(field_is(&f, "From"));
	assert_true(field_is(&f, "FROM"));
	assert_false(field_is(&f, "Fro"));
	assert_false(field_is(&f, "From "));
	assert_false(field_is(&f, "Sender"));
	assert_false(field_is(&f, ""));
	assert_false(field_is(&none, "From"));
	assert_false(field_is(&none, ""));
}

static size_t end_of(const char *bytes, size_t len)
{
	size_t state = 0;

	return header_end(bytes, len, &state);
}

#define ENDS(bytes, expected) assert_int_equal(end_of((bytes), sizeof(bytes) - 1), (expected))

static void the_end_of_the_header(void **state)
{
	(void)state;
	ENDS("", 0);
	ENDS("\r", 0);
	ENDS("\n", 0);
	ENDS("\r\n", 2);
	ENDS("\r\nFrom: a\r\n\r\n", 2);
	ENDS("A: b\r\n", 0);
	ENDS("A: b\r\n\r", 0);
	ENDS("A: b\r\n\r\n", 8);
	ENDS("A: b\r\n\r\nC: d\r\n\r\n", 8);
	ENDS("A: b\r\n \r\n\r\n", 11);
	ENDS("A: b\n\nC", 0);
	ENDS("A: b\n\r\nC", 0);
	ENDS("A: b\r\n\nC", 0);
	ENDS("A: b\r\r\n\r\nC", 9);
	ENDS("A\n\r\n\r\nC", 6);
}

/* S1: the same end at whatever byte the network cuts, and again when it is asked again. */
static void S1_the_end_comes_the_same_byte_by_byte(void **state)
{
	static const char *const messages[] = {"A: b\r\n c\r\nD: e\r\n\r\nbody\r\n\r\n", "\r\nbody",
	    "A: b\r\r\n\n\r\n\r\r\n\r\nx", "A: b\n\n\r\n\r\n"};

	(void)state;
	for (size_t m = 0; m < COUNT_OF(messages); m++) {
		size_t len = strlen(messages[m]);
		size_t whole = end_of(messages[m], len);

		assert_true(whole > 0);
		for (size_t step = 1; step <= len; step++) {
			size_t seen = 0, end = 0, at;

			for (at = 0; end == 0; at += step)
				end = header_end(messages[m], at < len ? at : len, &seen);
			assert_int_equal(end, whole);
			assert_int_equal(header_end(messages[m], len, &seen), whole);
		}
	}
}

/* No byte is seen twice: what was there before may have changed, the end is found behind it. */
static void no_byte_is_seen_twice(void **state)
{
	static char header[64 * 1024];
	size_t seen = 0, at;

	(void)state;
	memset(header, 'a', sizeof header);
	memcpy(header + sizeof header - 4, "\r\n\r\n", 4);
	for (at = 0; at < sizeof header; at++) {
		assert_int_equal(header_end(header, at, &seen), 0);
		assert_int_equal(seen, at);
	}
	memcpy(header + 100, "\r\n\r\n", 4);
	assert_int_equal(header_end(header, sizeof header, &seen), sizeof header);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_fields),
	    cmocka_unit_test(the_last_byte_ends_it),
	    cmocka_unit_test(folds_belong_to_the_body),
	    cmocka_unit_test(blanks_before_the_colon),
	    cmocka_unit_test(what_is_no_field_is_told),
	    cmocka_unit_test(a_nul_is_no_name),
	    cmocka_unit_test(S1_stray_line_ends_are_no_field),
	    cmocka_unit_test(names_in_either_case),
	    cmocka_unit_test(the_end_of_the_header),
	    cmocka_unit_test(S1_the_end_comes_the_same_byte_by_byte),
	    cmocka_unit_test(no_byte_is_seen_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
