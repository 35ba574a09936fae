#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/text/html.h"

static const struct html_limits usual = {2 * 1024 * 1024, HTML_MEMORY, HTML_CPU_MS};

struct streams {
	struct buf seen; /* what is quoted stands in [] */
	struct buf beside;
	bool quoted;
};

static bool take(void *context, const char *utf8, size_t len, unsigned how)
{
	struct streams *s = context;
	bool quoted = (how & HTML_QUOTED) != 0;

	assert_true(len > 0);
	assert_int_not_equal((unsigned char)utf8[0] & 0xc0, 0x80);
	if ((how & HTML_BESIDE) != 0) {
		buf_add(&s->beside, utf8, len);
		return true;
	}
	if (quoted != s->quoted)
		buf_add(&s->seen, quoted ? "[" : "]", 1);
	s->quoted = quoted;
	buf_add(&s->seen, utf8, len);
	return true;
}

static void read_html(const struct html_limits *limits, const char *html, size_t len, size_t piece,
    struct streams *s, struct html_told *told)
{
	struct html *h;

	*s = (struct streams){.quoted = false};
	buf_init(&s->seen, 16 * 1024 * 1024);
	buf_init(&s->beside, 16 * 1024 * 1024);
	h = html_open(limits, take, s);
	assert_non_null(h);
	for (size_t at = 0; at < len;) {
		size_t n = piece < len - at ? piece : len - at;

		while (at + n < len && ((unsigned char)html[at + n] & 0xc0) == 0x80)
			n++;
		assert_true(html_feed(h, html + at, n));
		at += n;
	}
	assert_true(html_end(h, told));
	html_free(h);
	buf_add(&s->seen, "", 1);
	buf_add(&s->beside, "", 1);
	assert_true(buf_ok(&s->seen) && buf_ok(&s->beside));
}

/* The text with its lines joined, as lib/words tries it. */
static void join_lines(struct buf *text)
{
	size_t n = 0;

	for (size_t i = 0; i < text->len; i++) {
		if (text->bytes[i] != '\n')
			text->bytes[n++] = text->bytes[i];
	}
	text->len = n;
}

static void free_streams(struct streams *s)
{
	buf_free(&s->seen);
	buf_free(&s->beside);
}

static void reads(const char *html, const char *seen, const char *beside)
{
	for (size_t piece = 1; piece < 10; piece += 4) {
		struct html_told told;
		struct streams s;

		read_html(&usual, html, strlen(html), piece, &s, &told);
		assert_string_equal(s.seen.bytes, seen);
		assert_string_equal(s.beside.bytes, beside);
		assert_false(told.too_long || told.too_complex);
		free_streams(&s);
	}
}

static void words_are_whole(void **state)
{
	(void)state;
	reads("", "", "");
	reads("plain", "plain", "");
	reads("機<b>密</b>書<wbr>類", "機密書類", "");
	reads("<p>con<span>fid</span>en<font color=red>tial</font></p>", "confidential", "");
	reads("con&shy;fidential",
	    "con\xc2\xad"
	    "fidential",
	    "");
	reads("&#27231;&#x5bc6;&nbsp;&lt;&amp;", "機密\xc2\xa0<&", "");
	reads("機<!-- x -->密", "機密", "x");
	reads("<p>a</p>\n  <p>b</p>", "a\n\nb", "");
	reads("a<div>b</div>c", "a\nb\nc", "");
	reads("a<br>b<br><br>c", "a\nb\n\nc", "");
	reads("<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>", "a b\nc", "");
	reads("<ul><li>a<li>b</ul>", "a\nb", "");
	reads("  a   b\n c ", "a b c", "");
	reads("機密\n書類", "機密\n書類", ""); /* the source's line end is no blank in Japanese */
	reads("<pre>a  b\nc</pre>d", "a  b\nc\n\nd", "");
	reads("<ruby>機<rt>き</rt>密<rt>みつ</rt></ruby>", "機密", "き\nみつ");
}

static void what_is_not_text(void **state)
{
	struct html_told told;
	struct streams s;

	(void)state;
	reads(
	    "<head><title>t</title><style>b{}</style></head><body>x<script>y</script>z", "xz", "t");
	reads("a<template>b</template>c", "ac", "b");
	reads("a<noscript>b</noscript>c", "abc", "");
	reads("<svg><text>a</text></svg>", "a", "");

	read_html(&usual, "<style>12345</style>x", 21, 5, &s, &told);
	assert_int_equal(told.left_out, 5);
	assert_int_equal(told.hidden, 0);
	free_streams(&s);
}

static void hidden_text(void **state)
{
	struct html_told told;
	struct streams s;

	(void)state;
	reads("機<span style='display:none'>x</span>密", "機密", "x");
	reads("a<div style='DISPLAY : None !important'>x<p>y</p></div>b", "ab", "x\n\ny");
	reads("a<i style='visibility:hidden'>x</i>b", "ab", "x");
	reads("a<i style='font-size:0px'>x</i><i style='font-size:0.8em'>y</i>", "ay", "x");
	reads("a<i style='opacity:0'>x</i><i style='opacity:0.5'>y</i>", "ay", "x");
	reads("a<i hidden>x</i>b", "ab", "x");
	reads("a<i style='color:#fff;background:White'>x</i>b", "ab", "x");
	reads("a<i style='color:rgb(1,2,3);background-color:#010203'>x</i>b", "ab", "x");
	reads("<i style='color:white;background:navy'>x</i>", "x", "");
	reads("a<i style='color:white'>x</i>b", "ab", "x"); /* the ground is white */
	reads("a<font color='#FFF'>x</font>b", "ab", "x");
	reads("a<i style='color:#fefefe'>x</i>b", "ab", "x");
	reads("<table bgcolor=navy><tr><td><font color=white>x</font></table>", "x", "");
	reads("<div style='background:#036 url(x)'><b style='color:#fff'>x</b></div>", "x", "");
	reads("<div style='background:white'><b style='color:#fff'>x</b></div>", "", "x");
	reads("<div style='background:#036'>x</div><b style='color:#fff'>y</b>", "x", "y");
	reads("a<i style='mso-hide:all'>x</i><i style='font-size:1px'>y</i>b", "ab", "x\ny");
	reads("a<i style='font-size:9px'>x</i>", "ax", "");
	reads("a<i style='max-height:0;overflow:hidden'>x</i><i style='max-height:0'>y</i>", "ay",
	    "x");
	reads("a<i style='text-indent:-9999px'>x</i>b", "ab", "x");
	reads("<font color='#ffffff' bgcolor='white'>x</font>y", "y", "x");
	reads("<!--[if mso]><p>for <b>Outlook</b></p><![endif]-->a", "a",
	    "[if mso]>\nfor\nOutlook\n[endif]");

	read_html(&usual, "<i hidden>12345</i>x", 20, 5, &s, &told);
	assert_int_equal(told.hidden, 5);
	free_streams(&s);
}

/* S1-28, M7: what a style sheet hides between the digits of a number does not part them. */
static void style_sheets(void **state)
{
	(void)state;
	reads("<style>.x{display:none}</style>41<b class='y x'>z</b>11", "4111", "z");
	reads("<style>#x { visibility: hidden; }</style>41<b id=x>z</b>11", "4111", "z");
	reads("<style><!-- /* c */ i,S{font-size:1px} --></style>a<s>x</s><i>y</i>b", "ab", "x\ny");
	reads("<style>@import 'a';.x{display:none}</style>a<b class=x>z</b>", "a", "z");
	reads("<style>.x{color:#fff}</style>a<b class=x>z</b>", "a", "z");
	reads("<style>.x{color:#fff;background:red}</style>a<b class=x>z</b>", "az", "");
	reads(
	    "<style>.d{background:red}.x{color:#fff}</style><p class=d><b class=x>z</b>", "z", "");
	reads(
	    "<div>a<style>div{display:none}</style>b</div>c", "c", "ab"); /* it counts above, too */

	reads("<style>@media print{.x{display:none}}</style>a<b class=x>z</b>", "az", "");
	reads("<style>p .x{display:none}</style>a<b class=x>z</b>", "az", "");
	reads("<style>.x{display:none}</style>a<b class=xx>z</b>", "az", "");
	reads("<style>.x{display:none", "", "");
	reads("<style>.x{</style>a<b class=x>z</b>", "az", "");
}

static void attributes(void **state)
{
	(void)state;
	reads("機<img src=x alt='密'>書", "機密書", "");
	reads("<a title='secret' href='http://x/?a=1'>b</a>", "b", "secret");
	reads(
	    "<a href='mailto:a%40b.example?subject=x'>b</a>", "b", "mailto:a@b.example?subject=x");
	reads("<a href='TEL:+81-3-1234-5678'>call</a>", "call", "TEL:+81-3-1234-5678");
	reads("<a href='mailto:%e5%b1%b1%'>b</a>", "b", "mailto:%e5%b1%b1%");
	reads("<input value='v'><input type=hidden value='w' placeholder='p'>", "v", "w\np");
}

static void quotations(void **state)
{
	(void)state;
	reads("new<blockquote type=CITE><p>old</p></blockquote>more", "new\n\n[old\n\n]more", "");
	reads("new<div class='x gmail_quote y'>old</div>more", "new\n[old\n]more", "");
	reads("new<blockquote>indented</blockquote>", "new\n\nindented", "");
	reads("new<div id=divRplyFwdMsg>From: x</div><div>old</div>", "new\n[From: x\nold", "");
	reads("<div class=gmail_quotes>x</div>", "x", "");
}

/* Images within the source do not fill the room for the text, and text is not taken for one. */
static void inline_images(void **state)
{
	struct html_limits limits = {4096, HTML_MEMORY, HTML_CPU_MS};
	size_t len = 0, room = 1000000;
	char *html = malloc(room);
	struct html_told told;
	struct streams s;

	(void)state;
	assert_non_null(html);
	len += (size_t)snprintf(html, room, "<p>a<img alt='i' src=\"data:image/png;base64,");
	for (unsigned i = 0; i < 10000; i++)
		len += (size_t)snprintf(html + len, room - len, i % 20 == 0 ? "AAAA\r\n" : "AAAA");
	len += (size_t)snprintf(
	    html + len, room - len, "==\">b <i style=\"background:url(data:image/gif;base64,");
	for (unsigned i = 0; i < 10000; i++)
		len += (size_t)snprintf(html + len, room - len, "BBBB");
	len += (size_t)snprintf(html + len, room - len, ")\">c</i></p> (data:x) data:y");
	read_html(&limits, html, len, 777, &s, &told);
	assert_string_equal(s.seen.bytes, "aib c\n\n(data:x) data:y");
	assert_false(told.too_long);
	assert_true(told.left_out > 80000);
	free_streams(&s);
	free(html);
}

/* What is longer than the limit is read without tags: every word is there. */
static void too_long(void **state)
{
	struct html_limits limits = {100, HTML_MEMORY, HTML_CPU_MS};
	struct html_told told;
	struct streams s;
	char html[1000];
	size_t len = 0;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		len += (size_t)snprintf(html + len, sizeof html - len,
		    "<p class='k%u'>機密%u<b>x</b></p><!-- c%u -->\n", i, i, i);
	for (limits.size = 1; limits.size < len + 10; limits.size++) {
		read_html(&limits, html, len, 7, &s, &told);
		assert_int_equal(told.too_long, limits.size < len);
		join_lines(&s.seen);
		for (unsigned i = 0; i < 10; i++) {
			char word[32];

			(void)snprintf(word, sizeof word, "機密%ux", i);
			assert_non_null(strstr(s.seen.bytes, word));
			(void)snprintf(word, sizeof word, "c%u", i);
			assert_non_null(strstr(s.beside.bytes, word));
		}
		free_streams(&s);
	}
}

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* M2: documents that are deep, or that make a parser work, end in time; their text is read. */
static void bombs(void **state)
{
	static const struct {
		const char *first, *second;
	} parts[] = {{"<div>", ""}, {"<b>", ""}, {"<div>", "</p>"}, {"<a><b>", "</a></b>"},
	    {"<table><td>", ""}, {"<b a%u=1>", "<p>"}, {"<font a%u><table>", "</font>"},
	    {"&amp;", "&x"}, {"<svg><foreignObject>", "</p>"}, {"<select><option>", "</option>"},
	    {"<!--", "<!"}, {"<a href=%u>", "<table><tr><td>"}};
	size_t room = 2 * 1024 * 1024;
	char *html = malloc(room);

	(void)state;
	assert_non_null(html);
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		struct html_limits limits = {room, HTML_MEMORY, 300};
		struct html_told told;
		struct streams s;
		size_t len = 0;
		double start;

		len += (size_t)snprintf(html, room, "FIRST ");
		for (unsigned n = 0; len < room / 2; n++) {
			/* The formats are those of the table above. */
			const char *at = strstr(parts[i].first, "%u");

			if (at != NULL)
				len += (size_t)snprintf(html + len, room - len, "%.*s%u%s",
				    (int)(at - parts[i].first), parts[i].first, n, at + 2);
			else
				len +=
				    (size_t)snprintf(html + len, room - len, "%s", parts[i].first);
		}
		while (parts[i].second[0] != '\0' && len < room - 64)
			len += (size_t)snprintf(html + len, room - len, "%s", parts[i].second);
		len += (size_t)snprintf(html + len, room - len, "--> LAST");

		start = seconds();
		read_html(&limits, html, len, 65536, &s, &told);
		print_message("%s %s: %.2f s, too complex: %d\n", parts[i].first, parts[i].second,
		    seconds() - start, told.too_complex);
		assert_true(seconds() - start < 10);
		assert_non_null(strstr(s.seen.bytes, "FIRST"));
		assert_true(
		    strstr(s.seen.bytes, "LAST") != NULL || strstr(s.beside.bytes, "LAST") != NULL);
		free_streams(&s);
	}
	free(html);
}

/* libgumbo frees by recursion where a frame set takes the place of a body. */
static void deep_body_and_frames(void **state)
{
	size_t depth = 200000, len = 0, room = depth * 5 + 100;
	char *html = malloc(room);
	struct html_limits limits = {room, (size_t)512 * 1024 * 1024, 20000};
	struct html_told told;
	struct streams s;

	(void)state;
	assert_non_null(html);
	for (size_t i = 0; i < depth; i++)
		len += (size_t)snprintf(html + len, room - len, "<div>");
	len += (size_t)snprintf(html + len, room - len, "<frameset><frame>");
	read_html(&limits, html, len, len, &s, &told);
	free_streams(&s);
	free(html);
}

static bool refuse(void *context, const char *utf8, size_t len, unsigned how)
{
	(void)context;
	(void)utf8;
	(void)len;
	(void)how;
	return false;
}

static void a_refusal_stops(void **state)
{
	struct html_told told;
	struct html *h = html_open(&usual, refuse, NULL);

	(void)state;
	assert_non_null(h);
	assert_true(html_feed(h, "<p>x", 4));
	assert_false(html_end(h, &told));
	html_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_are_whole),
	    cmocka_unit_test(what_is_not_text),
	    cmocka_unit_test(hidden_text),
	    cmocka_unit_test(style_sheets),
	    cmocka_unit_test(attributes),
	    cmocka_unit_test(quotations),
	    cmocka_unit_test(inline_images),
	    cmocka_unit_test(too_long),
	    cmocka_unit_test(bombs),
	    cmocka_unit_test(deep_body_and_frames),
	    cmocka_unit_test(a_refusal_stops),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
