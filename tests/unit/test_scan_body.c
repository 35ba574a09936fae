/* What stands behind a header, by its digest: whatever the way added on top, the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/scan/body.h"

#define BEFORE "head of a leg\n\r\n\n"

static bool digest_of_content(const char *content, size_t len, char hex[DIGEST_HEX])
{
	struct leg leg = {.content = (off_t)strlen(BEFORE), .size = len};
	int fd = memfd_create("leg", MFD_CLOEXEC);
	bool fine;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, BEFORE, strlen(BEFORE)), strlen(BEFORE));
	assert_int_equal(write(fd, content, len), len);
	assert_int_equal(write(fd, "\n-- ID\n", 7), 7);
	fine = body_digest(fd, &leg, hex);
	assert_int_equal(close(fd), 0);
	return fine;
}

static void check(const char *content, const char *body)
{
	char hex[DIGEST_HEX], expected[DIGEST_HEX];

	assert_true(digest_of_content(content, strlen(content), hex));
	digest_of(body, strlen(body), expected);
	assert_string_equal(hex, expected);
}

/* C6: copies differ in what is on top alone. */
static void C6_behind_the_first_empty_line(void **state)
{
	(void)state;
	check("A: b\r\n\r\nbody\r\n\r\nmore\r\n", "body\r\n\r\nmore\r\n");
	check("Received: x\r\n\ty\r\nA: b\r\n\r\nbody\r\n", "body\r\n");
	check("A: b\r\n\r\n", "");
	check("A: b\r\n", "");
	check("A: b", "");
	check("\r\nbody", "body");
	check("A: b\n\nbody", "body");
	check("A: b\r\n\r\r\n\r\nbody", "body");
	check("A: b\r\n \r\n\r\nbody", "body");
}

/* Wherever a piece that is read ends. */
static void in_pieces(void **state)
{
	static char content[3 * 65536];
	char hex[DIGEST_HEX], expected[DIGEST_HEX];

	(void)state;
	for (size_t head = 65530; head < 65545; head++) {
		memset(content, 'a', sizeof content);
		memcpy(content + head, "\r\n\r\n", 4);
		assert_true(digest_of_content(content, sizeof content, hex));
		digest_of(content + head + 4, sizeof content - head - 4, expected);
		assert_string_equal(hex, expected);
	}
}

/* A file that is shorter than its head says has no digest. */
static void cut_short(void **state)
{
	struct leg leg = {.content = 0, .size = 100};
	int fd = memfd_create("leg", MFD_CLOEXEC);
	char hex[DIGEST_HEX];

	(void)state;
	assert_int_equal(write(fd, "A: b\r\n\r\nx", 9), 9);
	assert_false(body_digest(fd, &leg, hex));
	assert_int_equal(close(fd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(C6_behind_the_first_empty_line),
	    cmocka_unit_test(in_pieces),
	    cmocka_unit_test(cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
