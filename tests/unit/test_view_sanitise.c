/* HTML of strangers made harmless: what is left of what, and that nothing else ever is (S3-07, W5). */
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
#include "tests/unit/view_oracle.h"

#define LARGE ((size_t)16 * 1024 * 1024)

/* ---- what is shown of a document ---- */

static bool take(void *context, const char *bytes, size_t len)
{
	buf_add(context, bytes, len);
	return buf_ok(context);
}

static const char pixel[] = "\x89PNG\r\n\x1a\n.";

/* The image "a@b" is there, and nobody has another one. */
static bool find_image(void *context, const char *id, struct sanitise_image *image)
{
	(void)context;
	*image = (struct sanitise_image){"image/png", pixel, sizeof pixel - 1};
	return strcmp(id, "a@b") == 0;
}

static struct sanitise_setup setup_of(struct buf *out, size_t most, size_t images)
{
	return (struct sanitise_setup){.most = most,
	    .images = images,
	    .memory = HTML_MEMORY,
	    .cpu_ms = 10000,
	    .image = find_image,
	    .out = {take, out}};
}

/* The whole document, judged; the caller frees it. */
static char *document(const char *html, size_t len, size_t most, bool *cut)
{
	struct sanitise *s = malloc(sizeof *s);
	struct sanitise_setup setup;
	struct oracle oracle;
	struct buf out;
	const char *wrong;

	assert_non_null(s);
	buf_init(&out, LARGE * 4);
	setup = setup_of(&out, most, 1000);
	sanitise_open(s, &setup);
	assert_true(sanitise_add(s, html, len));
	if (cut != NULL)
		*cut = s->cut;
	assert_true(sanitise_close(s));
	free(s);
	buf_add(&out, "", 1);
	assert_true(buf_ok(&out));
	assert_true(out.len - 1 <= sizeof SANITISE_HEAD + most + 2000);
	wrong = oracle_judge(&oracle, out.bytes, out.len - 1);
	if (wrong != NULL)
		fail_msg("%s\nof %.300s\nis %.500s", wrong, html, out.bytes);
	return out.bytes;
}

/* What stands in the body's place, which every document has. */
static void is(const char *html, const char *expected)
{
	char *shown = document(html, strlen(html), LARGE, NULL);
	const char *at = shown + sizeof SANITISE_HEAD - 1;
	char whole[4096];

	if (strncmp(expected, "<div", 4) == 0 && strncmp(at, expected, strlen(expected)) == 0) {
		free(shown);
		return;
	}
	(void)snprintf(whole, sizeof whole, "<div>%s</div>", expected);
	assert_string_equal(at, whole);
	free(shown);
}

/* ---- what stays ---- */

static void test_ordinary_mail_stays(void **state)
{
	(void)state;
	is("<p>Hello <b>you</b> &amp; me</p>", "<p>Hello <b>you</b> &amp; me</p>");
	is("a<br>b<hr>", "a<br>b<hr>");
	is("<ul><li>1<li>2</ul>", "<ul><li>1</li><li>2</li></ul>");
	is("<table border=1 width='100%'><tr><td colspan=2 bgcolor=#FFEE00>x</table>",
	    "<table border=\"1\" width=\"100%\"><tbody><tr><td colspan=\"2\" bgcolor=\"#ffee00\">x"
	    "</td></tr></tbody></table>");
	is("<h1 align=center>x</h1>", "<h1 align=\"center\">x</h1>");
	is("<font color=red size=+2 face='MS PGothic'>x</font>",
	    "<font color=\"red\" size=\"+2\">x</font>");
	is("<blockquote>x</blockquote><code>y</code>", "<blockquote>x</blockquote><code>y</code>");
	is("<pre>\n\nx</pre>", "<pre>\n\nx</pre>");
	is("<ruby>\xe6\xbc\xa2<rt>kan</rt></ruby>", "<ruby>\xe6\xbc\xa2<rt>kan</rt></ruby>");
	is("<p class=MsoNormal id=x lang=JA>\xe3\x81\x82<o:p></o:p></p>", "<p>\xe3\x81\x82</p>");
	is("<body bgcolor=black text=white style='font-size:12pt'>x",
	    "<div style=\"font-size:12pt\">x</div>");
	is("<p title='a\"<b'>x", "<p title=\"a&quot;&lt;b\">x</p>");
}

static void test_text_of_unknown_elements_stays(void **state)
{
	(void)state;
	is("<blink>a</blink><x-y onclick=b()>c</x-y>", "ac");
	is("<article>a</article><form action=x>b</form>", "<div>a</div><div></div>b");
	is("<select><option>a<option>b</select>", " a  b ");
	is("<xmp><b>a</b></xmp>", "<pre>\n&lt;b&gt;a&lt;/b&gt;</pre>");
	is("<textarea><b>a</textarea>", "<pre>\n&lt;b&gt;a</pre>");
	is("<noscript><b>a</b></noscript>", "<b>a</b>");
}

static void test_what_is_no_text_goes(void **state)
{
	static const char *const gone[] = {"<script>a()</script>", "<style>a{}</style>",
	    "<!-- a -->", "<![CDATA[a]]>", "<template><p>a</template>", "<iframe src=x>a</iframe>",
	    "<embed src=x>", "<meta http-equiv=refresh content='0;url=x'>", "<base href=x>",
	    "<link rel=stylesheet href=x>", "<input value=a>", "<title>a</title>",
	    "<!--[if mso]><b>a</b><![endif]-->", "<?xml version='1.0'?>", "<!doctype svg>",
	    "<frameset><frame src=x></frameset>", "<object data=x></object>",
	    "<audio src=x></audio>"};

	(void)state;
	for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
		char html[200];

		(void)snprintf(html, sizeof html, "<p>1</p>%s<p>2</p>", gone[i]);
		is(html, "<p>1</p><p>2</p>");
	}
}

/* What one program shows in the place of something else, and another hides, is shown (W5). */
static void test_what_might_be_seen_is_told(void **state)
{
	(void)state;
	is("<video src=x><i>a</i></video>", "<i>a</i>");
	is("<object data=x>a</object><applet>b</applet><canvas>c</canvas>", "abc");
	is("<noembed><b>a</noembed>", "&lt;b&gt;a");
	is("<svg><text>a</text></svg>b", "<span class=\"i\">[image]</span>b");
	is("<math><mi>a</mi></math>b", "<span class=\"i\">[image]</span>b");
	is("<p style='display:none;font-size:0;color:red'>a", "<p style=\"color:red\">a</p>");
}

/* ---- images ---- */

static void test_images_of_the_message_alone(void **state)
{
	(void)state;
	is("<img src=cid:a@b alt=x width=10 onerror=y>",
	    "<img width=\"10\" src=\"data:image/png;base64,iVBORw0KGgou\" alt=\"x\">");
	is("<img src=' CID:a@b'>", "<img src=\"data:image/png;base64,iVBORw0KGgou\">");
	is("<image src=cid:a@b>", "<img src=\"data:image/png;base64,iVBORw0KGgou\">");
	is("<img src=http://tracker.example/1.png alt=Logo>",
	    "<span class=\"i\">[image: Logo]</span>");
	is("<img src=cid:other>", "<span class=\"i\">[image]</span>");
	is("<img srcset=http://x.example/>", "<span class=\"i\">[image]</span>");
	is("<img src=data:image/svg+xml,x alt='<script>'>",
	    "<span class=\"i\">[image: &lt;script&gt;]</span>");
	is("<table background=http://x.example/><td background=cid:a@b>x",
	    "<table><tbody><tr><td>x</td></tr></tbody></table>");
}

static void test_images_have_a_bound(void **state)
{
	static const char one[] = "<img src=cid:a@b>", shown[] = "data:image/png";
	char html[200 * sizeof one] = "";
	size_t seen = 0;
	bool cut = false;
	char *document_;

	(void)state;
	for (int i = 0; i < 150; i++)
		strcat(html, one);
	document_ = document(html, strlen(html), LARGE, &cut);
	for (const char *at = document_; (at = strstr(at, shown)) != NULL; at++)
		seen++;
	/* 1000 bytes in all, 9 of each. */
	assert_int_equal(seen, 111);
	assert_true(cut);
	free(document_);
}

/* ---- links ---- */

static void test_links_become_their_text_and_their_host(void **state)
{
	(void)state;
	is("<a href=https://www.example.com/x?y>here</a>",
	    "<span class=\"l\">here</span> <span class=\"t\">[www.example.com]</span> ");
	is("<a href='https://bank.example@evil.example/'>https://bank.example</a>",
	    "<span class=\"l\">https://bank.example</span> <span "
	    "class=\"t\">[evil.example]</span> ");
	is("<a href=https://x.example/1>https://x.example/2</a>",
	    "<span class=\"l\">https://x.example/2</span>");
	is("<a href=https://x.example/1>https://good.example@x.example/</a>",
	    "<span class=\"l\">https://good.example@x.example/</span> "
	    "<span class=\"t\">[x.example]</span> ");
	is("<a href=mailto:a@b.example?subject=x>a@b.example</a>",
	    "<span class=\"l\">a@b.example</span>");
	is("<a href=mailto:c@d.example>a@b.example</a>",
	    "<span class=\"l\">a@b.example</span> <span class=\"t\">[c@d.example]</span> ");
	is("<a href='java\nscript:alert(1)'>x</a>",
	    "<span class=\"l\">x</span> <span class=\"t\">[javascript:]</span> ");
	is("<a href=#top>x</a><a name=y>z</a>",
	    "<span class=\"l\">x</span><span class=\"l\">z</span>");
}

static void target(const char *href, const char *expected)
{
	char text[SANITISE_TARGET_MAX];

	sanitise_target(href, text);
	assert_string_equal(text, expected);
}

static void test_targets(void **state)
{
	char href[3000] = "http://", *at = href + 7;

	(void)state;
	target("http://a.example", "a.example");
	target("  HTTP:\\\\A.example\\x", "a.example");
	target("https:a.example/x", "a.example");
	target("https:////a.example/x", "a.example");
	target("//a.example/x", "a.example");
	target("\\\\server\\share", "server");
	target("https://a.example:8443/x", "a.example:8443");
	target("https://b@c@a.example/", "a.example");
	target("https://a.example?@b", "a.example");
	target("http://%65xample.com/", "example.com");
	target("http://\xd0\xb0pple.example/", "xn--pple-43d.example");
	target("ftp://a.example/x", "ftp://a.example");
	target("tel:+81312345678", "+81312345678");
	target("data:text/html,<script>", "data:");
	target("vbscript:x", "vbscript:");
	target("", "");
	target("page.html", "page.html");
	target("file:///c:/x", "file:///c:/x");
	memset(at, 'a', 300);
	strcpy(at + 300, ".evil.example/");
	sanitise_target(href, href);
	assert_non_null(strstr(href, "aa.evil.example"));
	assert_true(strlen(href) < 110);
}

/* ---- styles ---- */

static void style(const char *value, const char *expected)
{
	char text[SANITISE_STYLE_MAX];

	sanitise_style(value, NULL, NULL, text);
	assert_string_equal(text, expected);
}

static void test_styles(void **state)
{
	(void)state;
	style("color:red", "color:red");
	style("COLOR : #FF0000 !important; font-weight: BOLD", "color:#ff0000;font-weight:bold");
	style("color:rgb(1, 2, 3)", "color:#010203");
	style("color:rgba(1 2% 3 1.0)", "color:#010503");
	style("background:rgb(300,100%,255)", "background-color:#ffffff");
	style("background:#fff", "background-color:#fff");
	style("background:url(http://x/)", "");
	style("background:#fff url(x)", "");
	style("font-size:12px", "font-size:12px");
	style("font-size:10.5pt;font-family:'x;color:red'", "font-size:10.5pt");
	style("text-align:center;text-decoration:underline;font-style:italic",
	    "font-style:italic;text-decoration:underline;text-align:center");
	style("color:red;color:blue", "color:blue");
	style("color:red;color:expression(1)", "color:red");
}

/* W5, S3-07: what an approver is to read can be read, whatever stands within what. */
static void test_W5_no_style_hides_a_text(void **state)
{
	static const char *const hiding[] = {"color:#fff", "color:white", "color:#fffffe",
	    "color:rgb(255,255,255)", "color:rgb(100%,100%,99%)", "color:ivory", "color:silver",
	    "color:#ffff", "color:rgba(0,0,0,0)", "color:#0000", "color:#00000001",
	    "color:rgba(0,0,0,.99)", "color:rgba(0 0 0 0%)", "color:window", "color:yellow",
	    "background-color:black", "background:#333", "background:red",
	    "background:rgba(255,255,255,0)", "background:windowtext", "font-size:50%",
	    "font-size:0.5em", "font-size:5em", "font-size:.9rem", "font-size:smaller",
	    "font-size:larger", "font-size:8px", "font-size:6pt", "font-size:8.99px"};
	static const char *const seen[] = {"color:red", "color:#808080", "color:darkgreen",
	    "background-color:#fff2cc", "background-color:yellow", "background-color:#eee",
	    "font-size:9px", "font-size:7pt", "font-size:xx-small"};
	char out[SANITISE_VALUE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(hiding); i++)
		style(hiding[i], "");
	for (size_t i = 0; i < COUNT_OF(seen); i++)
		style(seen[i], seen[i]);
	assert_false(sanitise_attribute("color", "white", out));
	assert_false(sanitise_attribute("color", "FEFEFE", out));
	assert_false(sanitise_attribute("bgcolor", "navy", out));
	assert_true(sanitise_attribute("color", "navy", out));
	/* Elements that make letters smaller do it once. */
	assert_non_null(strstr(SANITISE_HEAD, "h5,h6,small,sub,sup{font-size:12px}"));
	is("<small><small><span style='font-size:50%'>x</span></small></small>",
	    "<small><small><span>x</span></small></small>");
}

static void test_tricks_of_styles_go(void **state)
{
	static const char *const tricks[] = {"position:fixed;top:0", "display:none", "opacity:0",
	    "visibility:hidden", "font-size:0", "font-size:1px", "font-size:9999px",
	    "font-size:99999999999999999px", "font-size:-1px", "font-size:calc(1px*9)",
	    "width:expression(alert(1))", "color:expression(alert(1))", "behavior:url(x)",
	    "-moz-binding:url(x)", "color:\\72 ed", "c\\olor:red", "color:re/**/d", "co/**/lor:red",
	    "color:url(javascript:1)", "@import 'x'", "color:red}body{display:none", "color:\"red",
	    "color:red\\", "color:var(--x)", "color:rgb(1,2,3);)", "color:attr(x)",
	    "color:rgb(1,2,3", "color:#12", "color:#ggg", "color:", ":red", ";;;",
	    "text-indent:-9999px", "content:'x'", "cursor:url(x)", "list-style:url(x)",
	    "color:<!--", "color:\xe3\x81\x82", "color:rgb(url(x))", "background-color:rgba((1)",
	    "font-weight:950", "transform:scale(9)", "text-align:-moz-right", "color:expression",
	    "color:inherit", "background:none", "color:urlred", "font-size:1e9px",
	    "font-size:0x20px", "font-size:infpx", "font-size:nanem",
	    "color:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

	(void)state;
	for (size_t i = 0; i < sizeof tricks / sizeof *tricks; i++) {
		char text[SANITISE_STYLE_MAX];

		sanitise_style(tricks[i], NULL, NULL, text);
		if (strcmp(text, "") != 0 && strcmp(tricks[i], "color:rgb(1,2,3);)") != 0)
			fail_msg("%s gave %s", tricks[i], text);
	}
}

static void test_all_styles_together_have_room(void **state)
{
	char text[SANITISE_STYLE_MAX];

	(void)state;
	sanitise_style("color:mediumvioletred;background-color:lightgoldenrodyellow;"
		       "font-weight:normal;font-style:oblique;text-decoration:"
		       "line-through;text-align:justify;font-size:xx-small",
	    "red", "red", text);
	assert_true(strlen(text) < SANITISE_STYLE_MAX - 1);
	assert_non_null(strstr(text, "font-size:xx-small"));
	sanitise_style(NULL, "FFFFFF", "#000", text);
	assert_string_equal(text, "color:#000;background-color:#ffffff");
}

static void test_attributes(void **state)
{
	static const char *const wrong[][2] = {{"onclick", "x"}, {"href", "x"}, {"id", "x"},
	    {"width", "99999"}, {"width", "101%"}, {"width", "1e3"}, {"width", "-1"},
	    {"colspan", "0"}, {"colspan", "1001"}, {"rowspan", "99999999999"}, {"dir", "x"},
	    {"align", "x\" onload=y"}, {"bgcolor", "url(x)"}, {"bgcolor", "rgb(1,2,3)"},
	    {"color", "#12345"}, {"color", ""}, {"size", "8"}, {"border", "1000"}, {"style", "x"},
	    {"src", "x"}, {"class", "l"}, {"background", "x"}};
	char out[SANITISE_VALUE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(sanitise_attribute(wrong[i][0], wrong[i][1], out));
	assert_true(sanitise_attribute("WIDTH", " 120PX ", out));
	assert_string_equal(out, "120");
	assert_true(sanitise_attribute("bgcolor", "FFEEDD", out));
	assert_string_equal(out, "#ffeedd");
}

/* ---- letters ---- */

static void test_letters_that_turn_lines_round_go(void **state)
{
	(void)state;
	is("<p>a\xe2\x80\xae"
	   "b\xe2\x81\xa6"
	   "c&#x202e;d&#8206;e</p>",
	    "<p>abcde</p>");
	is("<p title='a&#x202e;b'>x</p>", "<p title=\"ab\">x</p>");
	is("<p dir=rtl>x</p>", "<p dir=\"rtl\">x</p>");
	is("a&#8203;b\xef\xbb\xbf"
	   "c&shy;d",
	    "abcd");
	is("a&nbsp;b&#8195;c\xe3\x80\x80", "a\xc2\xa0"
					   "b c\xe3\x80\x80");
	is("a&#xdddddddd;b", "a\xef\xbf\xbd"
			     "b");
}

/* ---- bounds ---- */

static void test_depth(void **state)
{
	static const char *const what[] = {"<div>", "<table><tr><td>", "<b>", "<ul><li>",
	    "<blockquote>", "<font color=red>", "<span style='color:red'>",
	    "<a href=http://x.example/>", "<q>"};

	(void)state;
	for (size_t i = 0; i < sizeof what / sizeof *what; i++) {
		struct buf html;
		bool cut = false;
		char *shown;

		buf_init(&html, LARGE);
		for (int k = 0; k < 5000; k++)
			buf_add_text(&html, what[i]);
		buf_add_text(&html, "deep");
		shown = document(html.bytes, html.len, LARGE, &cut);
		assert_non_null(strstr(shown, "deep"));
		assert_true(strlen(shown) < 400000);
		free(shown);
		buf_free(&html);
	}
}

static void test_what_is_too_much_is_cut_and_whole(void **state)
{
	static const char one[] =
	    "<table><tr><td bgcolor=red title='aaaaaaaa'>\"&<i>\xe3\x81\x82</i><br><a "
	    "href=http://x.example>y</a>"
	    "<img src=cid:a@b alt='&\"'>";
	struct buf html;

	(void)state;
	buf_init(&html, LARGE);
	for (int k = 0; k < 200; k++)
		buf_add_text(&html, one);
	for (size_t most = 0; most < 40000; most += 577) {
		bool cut = false;

		/* The oracle judges each. */
		free(document(html.bytes, html.len, most, &cut));
		assert_true(cut);
	}
	buf_free(&html);
}

static double seconds_of(const char *piece, int times)
{
	struct timespec begun, ended;
	struct buf html;

	buf_init(&html, LARGE);
	for (int k = 0; k < times; k++)
		buf_add_text(&html, piece);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begun);
	free(document(html.bytes, html.len, LARGE, NULL));
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
	buf_free(&html);
	return (double)(ended.tv_sec - begun.tv_sec) +
	       (double)(ended.tv_nsec - begun.tv_nsec) / 1e9;
}

static void test_time_is_linear(void **state)
{
	static const char *const pieces[] = {"<p style='color:red;font-size:12px'>x</p>",
	    "&lt;&amp;\"'", "<img src=cid:none>", "<a href=http://x.example/>y</a>", "a b\n",
	    "<td>", "</p>"};

	(void)state;
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		double few = seconds_of(pieces[i], 2500), many = seconds_of(pieces[i], 10000);

		if (many > 16 * few + 0.5)
			fail_msg("%s: %f s, then %f s", pieces[i], few, many);
	}
}

static void test_several_documents(void **state)
{
	struct sanitise *s = malloc(sizeof *s);
	struct sanitise_setup setup;
	struct oracle oracle;
	struct buf out;

	(void)state;
	assert_non_null(s);
	buf_init(&out, LARGE);
	setup = setup_of(&out, LARGE, 0);
	sanitise_open(s, &setup);
	assert_true(sanitise_add(s, "<b>1", 4));
	assert_true(sanitise_add(s, "2</b>", 5));
	assert_true(sanitise_close(s));
	assert_null(oracle_judge(&oracle, out.bytes, out.len));
	buf_add(&out, "", 1);
	assert_non_null(strstr(out.bytes, "<div><b>1</b></div><hr><div>2</div>"));
	buf_free(&out);
	free(s);
}

static void test_the_parsers_limits(void **state)
{
	struct sanitise *s = malloc(sizeof *s);
	struct sanitise_setup setup;
	struct buf out, html;

	(void)state;
	assert_non_null(s);
	buf_init(&out, LARGE);
	buf_init(&html, LARGE);
	for (int k = 0; k < 100000; k++)
		buf_add_text(&html, "<b>");
	setup = setup_of(&out, LARGE, 0);
	setup.memory = 1 << 20;
	sanitise_open(s, &setup);
	assert_false(sanitise_add(s, html.bytes, html.len));
	assert_true(sanitise_close(s));
	buf_free(&html);
	buf_free(&out);
	free(s);
}

/* ---- attacks: the oracle judges what is left ---- */

static const char *const attacks[] = {
    "<SCRIPT SRC=http://x.example/x.js></SCRIPT>",
    "<IMG SRC=\"javascript:alert('XSS');\">",
    "<IMG SRC=javascript:alert(&quot;XSS&quot;)>",
    "<IMG \"\"\"><SCRIPT>alert(1)</SCRIPT>\"\\>",
    "<IMG SRC=# onmouseover=\"alert('xxs')\">",
    "<IMG onerror=alert(1) src=/>",
    "<img src=x onerror=\"&#0000106&#0000097\">",
    "<IMG SRC=\"jav&#x0A;ascript:alert('XSS');\">",
    "<SCRIPT/XSS SRC=\"http://x.example/x.js\"></SCRIPT>",
    "<BODY onload!#$%&()*~+-_.,:;?@[/|\\]^`=alert(1)>",
    "<<SCRIPT>alert(1);//\\<</SCRIPT>",
    "<SCRIPT SRC=http://x.example/x.js?< B >",
    "<SCRIPT SRC=//x.example/.j>",
    "<IMG SRC=\"`<javascript:alert>`('XSS')\"",
    "<iframe src=http://x.example/scriptlet.html <",
    "\\\";alert(1);//",
    "</TITLE><SCRIPT>alert(1);</SCRIPT>",
    "<INPUT TYPE=\"IMAGE\" SRC=\"javascript:1\">",
    "<BODY BACKGROUND=\"javascript:alert(1)\">",
    "<IMG DYNSRC=\"javascript:alert(1)\">",
    "<STYLE>li {list-style-image: url(\"javascript:alert(1)\");}</STYLE><UL><LI>XSS</br>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert&#40;1&#41;</script>",
    "<BR SIZE=\"&{alert(1)}\">",
    "<LINK REL=\"stylesheet\" HREF=\"javascript:alert(1);\">",
    "<STYLE>@import'http://x.example/x.css';</STYLE>",
    "<META HTTP-EQUIV=\"Link\" Content=\"<http://x.example/x.css>; REL=stylesheet\">",
    "<STYLE>BODY{-moz-binding:url(\"http://x.example/x.xml#xss\")}</STYLE>",
    "<IMG STYLE=\"xss:expr/*XSS*/ession(alert(1))\">",
    "<XSS STYLE=\"behavior: url(xss.htc);\">",
    "<DIV STYLE=\"background-image:\\0075\\0072\\006C\\0028'\\006a\">",
    "<TABLE><TD BACKGROUND=\"javascript:1\">",
    "<DIV STYLE=\"width: expression(alert(1));\">",
    "<BASE HREF=\"javascript:alert(1);//\">",
    "<OBJECT TYPE=\"text/x-scriptlet\" DATA=\"http://x.example/\"></OBJECT>",
    "<EMBED SRC=\"data:image/svg+xml;base64,PHN2Zz4=\" AllowScriptAccess=always></EMBED>",
    "<XML ID=\"xss\"><I><B><IMG SRC=\"javas<!-- -->cript:alert(1)\"></B></I></XML>",
    "<? echo('<SCR)'; echo('IPT>alert(1)</SCRIPT>'); ?>",
    "<A HREF=\"javascript:document.location='x'\">XSS</A>",
    "<A HREF=\"\x01javascript:alert(1)\">x</A>",
    "<!--[if gte IE 4]><SCRIPT>alert(1);</SCRIPT><![endif]-->",
    "<details open ontoggle=alert(1)>x</details>",
    "<video><source onerror=alert(1)></video>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<isindex action=javascript:1>",
    "<form><button formaction=javascript:1>x",
    /* mutations: what another parse could make something else of */
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 "
    "onerror=alert(1)&gt;\">",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<math><mtext><h1><a><h6></a></h6><mglyph><svg><mtext><style><a title=\"</style><img src "
    "onerror='alert(1)'>\">",
    "<svg><desc><table><tr><td><style><!--</style><img src=x onerror=alert(1)>-->",
    "<svg><foreignObject><p><img src=x onerror=alert(1)></foreignObject></svg>",
    "<math><annotation-xml encoding=\"text/html\"><style></style><img src=x onerror=alert(1)>",
    "<xmp><p title=\"</xmp><img src=x onerror=alert(1)>\">",
    "<noembed><p title=\"</noembed><script>1</script>\">",
    "<textarea><p title=\"</textarea><img src=x onerror=alert(1)>\">",
    "<title><p title=\"</title><script>1</script>\">",
    "<listing>&lt;img src=1 onerror=alert(1)&gt;</listing>",
    "<plaintext><img src=x onerror=alert(1)>",
    "<select><template><style><!--</style><a rel=\"--></style></template></select><img src "
    "onerror=1>\">",
    "<table><caption><script>1</script></"
    "caption><form><input><tr><td><table><select><svg><script>1",
    "<p><svg><style><!-- </style>--><img src=x onerror=alert(1)>",
    "<div><iframe srcdoc='<script>1</script>'></div>",
    "<a href=x><div><a href=y><table><a href=z><td><a href=w>x",
    "<b><p><i><table><b></p></i><td></b>x<p>",
    "<template><style></template></style><script>1</script>",
    "<svg><![CDATA[><img src=x onerror=1>]]>",
    "<keygen autofocus onfocus=alert(1)>",
    "<menuitem icon=x onclick=1>x",
    "<img src=`x` `onerror=1`>",
    "<p title='`'><p title=\"a'b\">",
    "<img alt='\"><script>1</script>' src=cid:a@b>",
    "<p title='&quot;&gt;&lt;script&gt;1&lt;/script&gt;'>x",
    "<font color='\" onload=\"1'>x",
    "<td width='1\"x=y'>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script>1&#60;/script>",
    "<scr\0ipt>1</scr\0ipt>",
    "\xef\xbc\x9cscript\xef\xbc\x9e"
    "1",
    "<p style=\"color:red&quot; onload=&quot;1\">x",
    "<html><head><body><body onload=1>",
    "<table><tr><style></style><td><script>1</script><svg><title><script>1</script></title></svg>",
    "<input type=hidden><input autofocus onfocus=1>",
    "<object><param name=x value=javascript:1><p>x</object>",
    "<link rel=import href=x><meta charset=utf-7>+ADw-script+AD4-",
    "<a href=\"data:text/html;base64,PHNjcmlwdD4=\">x</a>",
    "<ruby><rb>x<rtc><script>1</script></ruby>",
    "<frameset onload=1><frame src=javascript:1>",
    "<img src=\"cid:a@b\" srcset=\"x 2x\" usemap=#m longdesc=javascript:1><map name=m><area "
    "href=javascript:1></map>",
};

static void test_W5_attacks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
		size_t len = strlen(attacks[i]);
		char *shown = document(attacks[i], len, LARGE, NULL);

		assert_null(strstr(shown, "<script"));
		assert_null(strstr(shown, "href"));
		free(shown);
	}
}

/* Attacks in each other, cut at every place, and put together at random: what a table of cases does not foresee. */
static void test_W5_attacks_within_attacks(void **state)
{
	size_t count = sizeof attacks / sizeof *attacks;
	struct buf html;

	(void)state;
	srand(20261123);
	buf_init(&html, LARGE);
	for (int round = 0; round < 3000; round++) {
		buf_clear(&html);
		for (int n = 1 + rand() % 4; n > 0; n--) {
			const char *attack = attacks[(size_t)rand() % count];
			size_t len = strlen(attack),
			       from = rand() % 2 == 0 ? 0 : (size_t)rand() % len;
			size_t to =
			    rand() % 2 == 0 ? len : from + (size_t)rand() % (len - from + 1);

			buf_add(&html, attack + from, to - from);
		}
		buf_add(&html, "", 1);
		free(document(html.bytes, html.len - 1, LARGE, NULL));
	}
	buf_free(&html);
}

/* Every element around every other one, so that what is written is parsed as what it was. */
static void test_W5_every_element_in_every_other(void **state)
{
	static const char *const names[] = {"a", "b", "body", "button", "caption", "col",
	    "colgroup", "dd", "div", "dl", "font", "form", "frameset", "h1", "head", "hr", "html",
	    "i", "iframe", "image", "img", "li", "listing", "math", "mi", "annotation-xml", "nobr",
	    "noscript", "object", "ol", "option", "optgroup", "p", "plaintext", "pre", "rp", "rt",
	    "ruby", "script", "select", "span", "style", "svg", "desc", "foreignObject", "table",
	    "tbody", "td", "template", "textarea", "tfoot", "th", "thead", "title", "tr", "ul",
	    "unknown", "xmp"};
	const size_t n = sizeof names / sizeof *names;

	(void)state;
	for (size_t a = 0; a < n; a++) {
		for (size_t b = 0; b < n; b++) {
			char html[400];

			(void)snprintf(html, sizeof html,
			    "<table><td><%s title='\"&gt;'><%s "
			    "alt=\"'>\"><%s>x</%s><p></%s></%s>y</p></table>z",
			    names[a], names[b], names[(a + b) % n], names[b], names[a],
			    names[(a * b) % n]);
			free(document(html, strlen(html), LARGE, NULL));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ordinary_mail_stays),
	    cmocka_unit_test(test_text_of_unknown_elements_stays),
	    cmocka_unit_test(test_what_is_no_text_goes),
	    cmocka_unit_test(test_what_might_be_seen_is_told),
	    cmocka_unit_test(test_images_of_the_message_alone),
	    cmocka_unit_test(test_images_have_a_bound),
	    cmocka_unit_test(test_links_become_their_text_and_their_host),
	    cmocka_unit_test(test_targets),
	    cmocka_unit_test(test_styles),
	    cmocka_unit_test(test_W5_no_style_hides_a_text),
	    cmocka_unit_test(test_tricks_of_styles_go),
	    cmocka_unit_test(test_all_styles_together_have_room),
	    cmocka_unit_test(test_attributes),
	    cmocka_unit_test(test_letters_that_turn_lines_round_go),
	    cmocka_unit_test(test_depth),
	    cmocka_unit_test(test_what_is_too_much_is_cut_and_whole),
	    cmocka_unit_test(test_time_is_linear),
	    cmocka_unit_test(test_several_documents),
	    cmocka_unit_test(test_the_parsers_limits),
	    cmocka_unit_test(test_W5_attacks),
	    cmocka_unit_test(test_W5_attacks_within_attacks),
	    cmocka_unit_test(test_W5_every_element_in_every_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
