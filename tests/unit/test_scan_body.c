/* What copies of a message have in common, by its digest: whatever the way added on top, the same. */
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

/* `common`: what of it counts. */
static void check(const char *content, const char *common)
{
	char hex[DIGEST_HEX], expected[DIGEST_HEX];

	assert_true(digest_of_content(content, strlen(content), hex));
	digest_of(common, strlen(common), expected);
	assert_string_equal(hex, expected);
}

/* C6: copies differ in what is on top alone. */
static void C6_behind_the_first_empty_line(void **state)
{
	(void)state;
	check("A: b\r\n\r\nbody\r\n\r\nmore\r\n", "\r\nbody\r\n\r\nmore\r\n");
	check("Received: x\r\n\ty\r\nA: b\r\n\r\nbody\r\n", "\r\nbody\r\n");
	check("A: b\r\n\r\n", "\r\n");
	check("A: b\r\n", "\r\n");
	check("A: b", "\r\n");
	check("", "\r\n");
	check("\r\nbody", "\r\nbody");
	check("A: b\n\nbody", "\r\nbody");
	check("A: b\r\n \r\n\r\nbody", "\r\nbody");
}

/* What a reader sees of it is no way's to change: with one body, another boundary shows another text. */
static void S1_15a_what_is_seen_counts(void **state)
{
	static const char *const fields[] = {"From: a@x.example\r\n", "sender: a\r\n",
	    "Reply-To: b@x.example\r\n", "TO: b@x.example,\r\n\tc@x.example\r\n", "Cc : d\r\n",
	    "Subject: one\r\n", "Date: now\r\n", "MIME-Version: 1.0\r\n",
	    "Content-Type: multipart/mixed; boundary=a\r\n", "content-transfer-encoding:8bit\r\n",
	    /* What other readers may see otherwise. */
	    "no field\r\n", " folded first\r\n", "X: a\rContent-Type: b\r\n", "X y: z\r\n",
	    ": x\r\n", "X: y\r\r\n"};
	static const char *const others[] = {"Received: by us\r\n", "X-Trace: 1\r\n 2\r\n",
	    "DKIM-Signature: a\r\n", "Message-ID: <1@a>\r\n", "Tot: b\r\n", "Contents: b\r\n"};
	char mail[256], expected[256];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		(void)snprintf(mail, sizeof mail, "%s\r\nbody", fields[i]);
		check(mail, mail);
		(void)snprintf(mail, sizeof mail, "%sX-A: b\r\n\r\nbody", fields[i]);
		(void)snprintf(expected, sizeof expected, "%s\r\nbody", fields[i]);
		check(mail, expected);
	}
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		(void)snprintf(mail, sizeof mail, "%sTo: b\r\n\r\nbody", others[i]);
		check(mail, "To: b\r\n\r\nbody");
	}
}

/* Wherever a piece that is read ends; of a header that is too long there is nothing. */
static void in_pieces(void **state)
{
	static char content[BODY_HEADER_MAX + 3 * 65536];
	static const size_t around[] = {65536, BODY_HEADER_MAX};
	char hex[DIGEST_HEX], expected[DIGEST_HEX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(around); i++) {
		for (size_t head = around[i] - 6; head < around[i] + 6; head++) {
			bool fits = head + 4 <= BODY_HEADER_MAX;

			memset(content, 'a', sizeof content);
			content[1] = ':';
			memcpy(content + head, "\r\n\r\n", 4);
			assert_int_equal(digest_of_content(content, sizeof content, hex), fits);
			digest_of(content + head + 2, sizeof content - head - 2, expected);
			if (fits)
				assert_string_equal(hex, expected);
		}
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
	    cmocka_unit_test(S1_15a_what_is_seen_counts),
	    cmocka_unit_test(in_pieces),
	    cmocka_unit_test(cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
