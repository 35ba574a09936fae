/* Transfer encodings (RFC 2045 section 6; M12: as mail programs decode them). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/mime/transfer.h"

static bool collect(void *context, const char *bytes, size_t len)
{
	struct buf *b = context;

	buf_add(b, bytes, len);
	return buf_ok(b);
}

/* Decodes in pieces of every size up to 5: they must not matter. */
static void assert_decodes(enum transfer encoding, const char *from, size_t from_len,
    const char *to, size_t to_len, unsigned flags)
{
	for (size_t piece = 1; piece <= 6; piece++) {
		size_t most = piece == 6 ? from_len : piece;
		struct transfer_reader r;
		struct buf out;

		buf_init(&out, 1 << 20);
		transfer_open(&r, encoding, (struct sink){collect, &out});
		for (size_t at = 0; at < from_len; at += most) {
			assert_true(transfer_feed(
			    &r, from + at, from_len - at < most ? from_len - at : most));
		}
		assert_true(transfer_end(&r));
		assert_int_equal(out.len, to_len);
		assert_int_equal(r.size, to_len);
		if (to_len > 0)
			assert_memory_equal(out.bytes, to, to_len);
		assert_int_equal(r.flags, flags);
		buf_free(&out);
	}
}

#define DECODES(encoding, from, to, flags)                                                         \
	assert_decodes(TRANSFER_##encoding, (from), sizeof(from) - 1, (to), sizeof(to) - 1, (flags))

static void names(void **state)
{
	(void)state;
	assert_int_equal(transfer_named("BASE64", 6), TRANSFER_BASE64);
	assert_int_equal(transfer_named("Quoted-Printable", 16), TRANSFER_QUOTED);
	assert_int_equal(transfer_named("8bit", 4), TRANSFER_8BIT);
	assert_int_equal(transfer_named("7bi", 3), TRANSFER_UNKNOWN);
	assert_int_equal(transfer_named("x-uuencode", 10), TRANSFER_UNKNOWN);
	assert_int_equal(transfer_named("unknown", 7), TRANSFER_UNKNOWN);
	assert_string_equal(transfer_word(TRANSFER_QUOTED), "quoted-printable");
}

/* RFC 4648 section 10. */
static void base64(void **state)
{
	(void)state;
	DECODES(BASE64, "", "", 0);
	DECODES(BASE64, "Zg==", "f", 0);
	DECODES(BASE64, "Zm8=", "fo", 0);
	DECODES(BASE64, "Zm9v", "foo", 0);
	DECODES(BASE64, "Zm9vYg==\r\n", "foob", 0);
	DECODES(BASE64, "Zm9v\r\nYmE=", "fooba", 0);
	DECODES(BASE64, "Zm9vYmFy", "foobar", 0);
	DECODES(BASE64, "AP+/+w==", "\0\xff\xbf\xfb", 0);
}

/* Nothing hides behind junk or padding. */
static void m12_base64_against_the_grammar(void **state)
{
	(void)state;
	DECODES(BASE64, "Z m\t9 v", "foo", 0);
	DECODES(BASE64, "Zm!9v", "foo", TRANSFER_JUNK);
	DECODES(BASE64, "\x80Zm9v\xff-", "foo", TRANSFER_JUNK);
	DECODES(BASE64, "Zg==Zm9v", "ffoo", TRANSFER_BEHIND);
	DECODES(BASE64, "Zm9v=Zm9v", "foofoo", TRANSFER_BEHIND | TRANSFER_JUNK);
	DECODES(BASE64, "Zm8=\r\nYmFy\r\n", "fobar", TRANSFER_BEHIND);
	DECODES(BASE64, "Zg", "f", TRANSFER_CUT);
	DECODES(BASE64, "Zm8", "fo", TRANSFER_CUT);
	DECODES(BASE64, "Zm9vY", "foo", TRANSFER_CUT);
	DECODES(BASE64, "Z===Zm9v", "foo", TRANSFER_CUT | TRANSFER_BEHIND);
	DECODES(BASE64, "====", "", TRANSFER_JUNK);
	DECODES(BASE64, "Zg=", "f", 0);
}

/* RFC 2045 section 6.7. */
static void quoted_printable(void **state)
{
	(void)state;
	DECODES(QUOTED, "", "", 0);
	DECODES(QUOTED, "a=3Db", "a=b", 0);
	DECODES(QUOTED, "=E3=81=82", "あ", 0);
	DECODES(QUOTED, "a=\r\nb", "ab", 0);
	DECODES(QUOTED, "a= \t\r\nb", "ab", 0);
	DECODES(QUOTED, "a=\nb", "ab", 0);
	DECODES(QUOTED, "a \t\r\nb \nc ", "a\r\nb\nc", 0);
	DECODES(QUOTED, "a b\tc", "a b\tc", 0);
	DECODES(QUOTED, "a=20\r\n", "a \r\n", 0);
	DECODES(QUOTED,
	    "Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.",
	    "Now's the time for all folk to come to the aid of their country.", 0);
}

static void m12_quoted_against_the_grammar(void **state)
{
	(void)state;
	DECODES(QUOTED, "=e3=81=8a", "お", 0);
	DECODES(QUOTED, "a=zb", "a=zb", TRANSFER_ESCAPE);
	DECODES(QUOTED, "a=4", "a=4", TRANSFER_ESCAPE);
	DECODES(QUOTED, "a=4z=41", "a=4zA", TRANSFER_ESCAPE);
	DECODES(QUOTED, "a==41", "a=A", TRANSFER_ESCAPE);
	DECODES(QUOTED, "a= b", "a= b", TRANSFER_ESCAPE);
	DECODES(QUOTED, "a=4 \r\nb", "a=4\r\nb", TRANSFER_ESCAPE);
	DECODES(QUOTED, "a=", "a", 0);
	DECODES(QUOTED, "a=\rb", "ab", TRANSFER_BARE_CR);
	DECODES(QUOTED, "a\x80\0b", "a\x80\0b", 0);
}

/* Blanks that might end a line are kept back up to a bound; a longer run is text. */
static void long_blanks(void **state)
{
	char text[3 * TRANSFER_HELD + 8];

	(void)state;
	memset(text, ' ', sizeof text);
	text[0] = 'a';
	text[sizeof text - 1] = 'b';
	assert_decodes(TRANSFER_QUOTED, text, sizeof text, text, sizeof text, 0);
	text[1] = '=';
	assert_decodes(TRANSFER_QUOTED, text, sizeof text, text, sizeof text, TRANSFER_ESCAPE);
}

static void as_they_are(void **state)
{
	(void)state;
	DECODES(7BIT, "a=3D \r\n", "a=3D \r\n", 0);
	DECODES(BINARY, "a\0b", "a\0b", 0);
	DECODES(UNKNOWN, "Zm9v", "Zm9v", 0);
}

static bool refuse(void *context, const char *bytes, size_t len)
{
	(void)bytes;
	(void)len;
	return --*(int *)context > 0;
}

static void a_sink_that_wants_no_more(void **state)
{
	static const enum transfer ALL[] = {TRANSFER_BINARY, TRANSFER_BASE64, TRANSFER_QUOTED};
	char text[20000];

	(void)state;
	memset(text, 'Z', sizeof text);
	for (size_t i = 0; i < COUNT_OF(ALL); i++) {
		struct transfer_reader r;
		int left = 1;

		transfer_open(&r, ALL[i], (struct sink){refuse, &left});
		assert_false(transfer_feed(&r, text, sizeof text));
		assert_int_equal(left, 0);
	}
}

static void short_texts(void **state)
{
	char text[] = "Zm9v!YmFyZg";
	unsigned flags = 0;

	(void)state;
	assert_int_equal(transfer_base64(text, strlen(text), text, &flags), 7);
	assert_memory_equal(text, "foobarf", 7);
	assert_int_equal(flags, TRANSFER_JUNK | TRANSFER_CUT);
}

static bool count(void *context, const char *bytes, size_t len)
{
	(void)bytes;
	*(uint64_t *)context += len;
	return true;
}

static double cpu_seconds(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Over a file, through a window: 64 MB of lines of 76 letters. The speed is told. */
static void a_source(void **state)
{
	static char block[78 * 1024];
	static const enum transfer ALL[] = {TRANSFER_BASE64, TRANSFER_QUOTED};
	int fd = memfd_create("body", MFD_CLOEXEC);
	struct source source = {.fd = fd, .start = 78, .size = 0};
	size_t lines = 0;

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof block; i++)
		block[i] = i % 78 == 76 ? '\r' : i % 78 == 77 ? '\n' : 'A' + (char)(i % 26);
	for (; lines < 800 * 1024; lines += 1024)
		assert_int_equal(write(fd, block, sizeof block), sizeof block);
	source.size = (lines - 1) * 78;

	for (size_t i = 0; i < COUNT_OF(ALL); i++) {
		struct transfer_reader r;
		uint64_t size = 0;
		double before = cpu_seconds();

		assert_true(transfer_source(&r, ALL[i], &source, (struct sink){count, &size}));
		print_message("%s: %.0f MB/s\n", transfer_word(ALL[i]),
		    (double)source.size / 1e6 / (cpu_seconds() - before));
		assert_int_equal(size, i == 0 ? (lines - 1) * 57 : source.size);
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names),
	    cmocka_unit_test(base64),
	    cmocka_unit_test(m12_base64_against_the_grammar),
	    cmocka_unit_test(quoted_printable),
	    cmocka_unit_test(m12_quoted_against_the_grammar),
	    cmocka_unit_test(long_blanks),
	    cmocka_unit_test(as_they_are),
	    cmocka_unit_test(a_sink_that_wants_no_more),
	    cmocka_unit_test(short_texts),
	    cmocka_unit_test(a_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
