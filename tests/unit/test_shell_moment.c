/* Moments as the site tells them, and what a plan comes to in words (S1-23: at the second, in the site's zone). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/zone.h"
#include "lib/shell/fate.h"
#include "lib/shell/moment.h"
#include "lib/shell/verdict.h"

static void zone(const char *name)
{
	assert_true(zone_set(name));
}

static void parses(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} cases[] = {
	    {"2026-11-22 18:59:59", 1795341599},
	    {"2026-11-22T18:59:59", 1795341599},
	    {"2026-11-22 18:59", 1795341540},
	    {"2026-11-22 09:59:59Z", 1795341599},
	    {"2026-11-22 18:59:59 +0900", 1795341599},
	    {"2026-11-22 18:59:59+09:00", 1795341599},
	    {"2026-11-22 06:29:59 -0330", 1795341599},
	    {"1970-01-01 09:00:00", 0},
	    {"2026-11-22", -1},
	    {"2026-13-22 18:59:59", -1},
	    {"2026-02-30 18:59:59", -1},
	    {"2026-11-22 24:00:00", -1},
	    {"2026-11-22 18:60:00", -1},
	    {"2026-11-22 18:59:59x", -1},
	    {"2026-11-22 18:59:59 +9", -1},
	    {"2026-11-22 18:59:59 +1500", -1},
	    {"yesterday", -1},
	    {"", -1},
	};

	(void)state;
	zone("Asia/Tokyo");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int64_t want = cases[i].seconds < 0 ? -1 : cases[i].seconds * CLOCK_SECOND;

		if (moment_parse(cases[i].text) != want)
			fail_msg("%s: %lld, not %lld", cases[i].text,
			    (long long)moment_parse(cases[i].text), (long long)want);
	}
}

/* A time that a clock put forward has skipped is no time. */
static void skipped(void **state)
{
	(void)state;
	zone("Europe/Berlin");
	assert_int_equal(moment_parse("2026-03-29 02:30:00"), -1);
	assert_int_equal(moment_parse("2026-03-29 03:30:00"), INT64_C(1774747800) * CLOCK_SECOND);
	assert_int_equal(moment_parse("2026-11-22 10:59:59"), INT64_C(1795341599) * CLOCK_SECOND);
}

static void shows(void **state)
{
	char text[MOMENT_TEXT];

	(void)state;
	zone("Asia/Tokyo");
	moment_text(INT64_C(1795341599) * CLOCK_SECOND, text);
	assert_string_equal(text, "2026-11-22 18:59:59 +0900");
}

static const char *fate(const char *lines)
{
	static char text[2048];
	struct buf b;

	buf_init(&b, sizeof text - 1);
	fate_add_lines(&b, lines, strlen(lines));
	assert_true(buf_ok(&b));
	if (b.len > 0)
		memcpy(text, b.bytes, b.len);
	text[b.len] = '\0';
	buf_free(&b);
	return text;
}

/* When mail leaves, or whom it waits for: each word of a plan (lib/shell/fate.h). */
static void fates(void **state)
{
	static const char until[] = " hold until=2026-11-22T09:59:59.000000Z rule=must/50-a:1\n";
	char both[512];

	(void)state;
	zone("Asia/Tokyo");
	assert_string_equal(fate(" deliver\n"), "leaves at once");
	assert_string_equal(fate(" approve no\n hold no\n encrypt keep\n stagger no\n deliver\n"),
	    "leaves at once");
	(void)snprintf(both, sizeof both, "%s deliver\n", until);
	assert_string_equal(fate(both), "leaves 2026-11-22 18:59:59 +0900");
	assert_string_equal(
	    fate(" approve by=boss:b@example.co.jp then=2:staff rule=must/1:2\n deliver\n"),
	    "waits: approval by boss (b@example.co.jp), then by 2 of group staff");
	(void)snprintf(
	    both, sizeof both, "%s encrypt zip method=aes rule=must/1:3\n deliver\n", until);
	assert_string_equal(fate(both),
	    "held until 2026-11-22 18:59:59 +0900, then waits: \"encrypt zip method=aes\", which "
	    "this version cannot do yet");
	assert_string_equal(
	    fate(" hold operator why=facts reason=format rule=must/1:3\n deliver\n"),
	    "waits: an operator (seki release): facts, format, must/1:3");
	assert_string_equal(fate(" hold confirmed rule=must/1:3\n deliver\n"),
	    "waits: that its sender confirms it");
	assert_string_equal(fate(" hold checked notice=risky rule=must/1:3\n deliver\n"),
	    "waits: that its sender goes through what is to be checked");
	assert_string_equal(fate(" hold discard=confirmed rule=must/1:3\n deliver\n"),
	    "waits: that its sender confirms it, or is thrown away");
	assert_string_equal(
	    fate(" hold window=Sat-Sun,holiday;not+2009:00-18:00 rule=m:3\n deliver\n"),
	    "leaves at once, but never in Sat-Sun,holiday;not 09:00-18:00");
	assert_string_equal(
	    fate(" hold until=2026-11-22T09:59:59.000000Z notice=always rule=m:3\n"
		 " hold window=19:00-09:30 rule=m:3\n encrypt insert=history\n deliver\n"),
	    "leaves 2026-11-22 18:59:59 +0900, but never in 19:00-09:30");
	assert_string_equal(fate(" hold discard=2026-11-22T09:59:59.000000Z rule=m:3\n deliver\n"),
	    "waits: that somebody releases it; is thrown away 2026-11-22 18:59:59 +0900");
	assert_string_equal(fate(" deliver tls=verified else=hold\n"),
	    "waits: \"deliver tls=verified else=hold\", which this version cannot do yet");
	assert_string_equal(fate("no plan\n"), "");
}

static void widths(void **state)
{
	(void)state;
	assert_int_equal(verdict_width(""), 0);
	assert_int_equal(verdict_width("abc"), 3);
	assert_int_equal(verdict_width("名簿.xlsx"), 9);
	assert_int_equal(verdict_width("ﾒｲ"), 2);    /* halfwidth */
	assert_int_equal(verdict_width("a\x1b"), 5); /* shown as \x1b */
	assert_int_equal(verdict_width("é"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parses),
	    cmocka_unit_test(skipped),
	    cmocka_unit_test(shows),
	    cmocka_unit_test(fates),
	    cmocka_unit_test(widths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
