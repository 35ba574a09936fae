/* The pages' files: what may stand in them, and what becomes of values in them. */
#include "tests/unit/web_kit.h"

static void becomes(const char *text, const char *values, const char *page)
{
	json_t *json = json_loads(values, JSON_ALLOW_NUL, NULL);
	char *filled;

	assert_non_null(json);
	filled = kit_fill(text, json);
	if (filled == NULL)
		fail_msg("no page: %s", text);
	assert_string_equal(filled, page);
	free(filled);
}

static void values(void **state)
{
	(void)state;
	becomes("<p>{{a}}</p>", "{\"a\":\"x\"}", "<p>x</p>");
	becomes("{{ a }}{{b}}{{c}}", "{\"a\":12,\"b\":true,\"c\":1.5}", "12true1.5");
	becomes(
	    "{{a}}{{b}}{{c}}{{d}}{{e}}", "{\"a\":null,\"b\":false,\"c\":{\"x\":1},\"d\":[1]}", "");
	becomes("{{a.b.c}}|{{a.x}}|{{a.b.c.d}}", "{\"a\":{\"b\":{\"c\":\"deep\"}}}", "deep||");
	becomes("{a} { b } }", "{}", "{a} { b } }");
	becomes("{{! nothing at all }}x{{!}}", "{}", "x");
}

static void text_is_escaped(void **state)
{
	(void)state;
	becomes("<p>{{a}}</p>", "{\"a\":\"<b> & \\\"q\\\" 'r'\"}",
	    "<p>&lt;b&gt; &amp; &quot;q&quot; &#39;r&#39;</p>");
	becomes("<p title=\"{{a}}\">", "{\"a\":\"\\\" onclick=\\\"x\"}",
	    "<p title=\"&quot; onclick=&quot;x\">");
	becomes("<title>{{a}}</title>", "{\"a\":\"</title><script>\"}",
	    "<title>&lt;/title&gt;&lt;script&gt;</title>");
	becomes("<textarea>{{a}}</textarea>", "{\"a\":\"</textarea>\\r\\nx\\ty\"}",
	    "<textarea>&lt;/textarea&gt;\nx\ty</textarea>");
}

/* W1: no value turns a line round, or does what a terminal or a browser would obey. */
static void orders_are_shown(void **state)
{
	(void)state;
	becomes("{{a}}", "{\"a\":\"x\\u202etxt.exe\"}", "x\xef\xbf\xbdtxt.exe");
	becomes("{{a}}",
	    "{\"a\":"
	    "\"\\u0000\\u0001\\u001b\\u007f\\u0085\\u061c\\u200e\\u200f\\u2066\\u2069\\ufffe\"}",
	    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
	    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	/* Letters that are only rare stay: joiners within emoji, the byte order mark, letters beyond the BMP. */
	becomes("{{a}}", "{\"a\":\"\\u200d\\ufeff\\ud83d\\ude00\\u2028\"}",
	    "\xe2\x80\x8d\xef\xbb\xbf\xf0\x9f\x98\x80\xe2\x80\xa8");
	becomes("{{a}}", "{\"a\":\"a\\rb\"}",
	    "a\xef\xbf\xbd"
	    "b");
}

static void urls(void **state)
{
	(void)state;
	becomes("<a href=\"/gate/m/?id={{a}}\">", "{\"a\":\"x&y=\\\"/..?#\\u3042\"}",
	    "<a href=\"/gate/m/?id=x%26y%3D%22%2F..%3F%23%E3%81%82\">");
	becomes("<a href=\"{{a}}\">", "{\"a\":\"javascript:alert(1)\"}",
	    "<a href=\"javascript%3Aalert%281%29\">");
	becomes("<a href=\"mailto:{{a}}\">", "{\"a\":\"a@b\"}", "<a href=\"mailto:a%40b\">");
	becomes("<a href=\"?{{by}}={{key}}&amp;x=1\">", "{\"by\":\"t\",\"key\":\"T_-\"}",
	    "<a href=\"?t=T_-&amp;x=1\">");
}

static void whole_urls(void **state)
{
	static const char *const good[] = {
	    "/", "/gate/?x=1", "https://x.example/", "http://127.0.0.1:8025/a"};
	static const char *const bad[] = {"//evil.example", "/\\\\evil.example", "javascript:x",
	    "JAVASCRIPT:x", " /x", "/x y", "/\\ty", "\\tjavascript:x", "data:text/html,x", "x",
	    "https:evil", "?x", "#x", "https://", "/x\\u007f", "\\u0000/x", "vbscript:x",
	    "/x\\\\y"};
	char json[200], want[200];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		(void)snprintf(json, sizeof json, "{\"a-url\":\"%s\"}", good[i]);
		(void)snprintf(want, sizeof want, "<a href=\"%s\">", good[i]);
		becomes("<a href=\"{{a-url}}\">", json, want);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		(void)snprintf(json, sizeof json, "{\"a-url\":\"%s\"}", bad[i]);
		becomes("<a href=\"{{a-url}}\">", json, "<a href=\"\">");
	}
	becomes("<a href=\"{{u.url}}\">", "{\"u\":{\"url\":\"/a\\\"b<&\\u3042\"}}",
	    "<a href=\"/a&quot;b&lt;&amp;%E3%81%82\">");
	/* Not the whole: a part like any other. */
	becomes("<a href=\"{{url}}#x\">", "{\"url\":\"/a\"}", "<a href=\"%2Fa#x\">");
}

static void sections(void **state)
{
	(void)state;
	becomes("{{#l}}<i>{{n}}{{o}}</i>{{/l}}",
	    "{\"o\":\"!\",\"l\":[{\"n\":1},{\"n\":2,\"o\":\"?\"}]}", "<i>1!</i><i>2?</i>");
	becomes("{{#a}}{{b}}{{/a}}", "{\"b\":\"out\",\"a\":{\"b\":\"in\"}}", "in");
	becomes("{{#a}}yes{{/a}}{{^a}}no{{/a}}", "{\"a\":\"x\"}", "yes");
	becomes("{{#l}}{{.}},{{/l}}", "{\"l\":[\"a\",\"<\"]}", "a,&lt;,");
	for (size_t i = 0; i < 7; i++) {
		static const char *const nothing[] = {"{}", "{\"a\":null}", "{\"a\":false}",
		    "{\"a\":0}", "{\"a\":\"\"}", "{\"a\":[]}", "{\"a\":0.0}"};

		becomes("{{#a}}yes{{/a}}{{^a}}no{{/a}}", nothing[i], "no");
	}
	becomes("{{#a}}{{#b}}x{{/b}}{{^b}}y{{/b}}{{/a}}", "{\"a\":{},\"b\":1}", "x");
}

static void sections_in_tags(void **state)
{
	(void)state;
	becomes("<input{{#a}} checked{{/a}}>", "{\"a\":1}", "<input checked>");
	becomes("<input type=\"x\"{{#a}} checked{{/a}}>", "{}", "<input type=\"x\">");
	becomes("<p class=\"a{{#b}} c{{/b}}\">", "{\"b\":1}", "<p class=\"a c\">");
	becomes("<form action=\"{{#a}}/gate/x{{/a}}{{^a}}/gate/y{{/a}}\">", "{\"a\":1}",
	    "<form action=\"/gate/x\">");
	becomes("<a href=\"{{#t}}/gate/m/?{{t}}{{/t}}{{^t}}/gate/m/?id={{id}}{{/t}}#x\">",
	    "{\"id\":\"1/2\"}", "<a href=\"/gate/m/?id=1%2F2#x\">");
	becomes("<a href=\"/gate/?a={{a}}{{#q}}&amp;q={{q}}{{/q}}\">", "{\"a\":1,\"q\":\"x y\"}",
	    "<a href=\"/gate/?a=1&amp;q=x%20y\">");
}

static void comments_go(void **state)
{
	(void)state;
	becomes("a<!-- <b>\"'--!> --- -->b", "{}", "ab");
	becomes("<!--x--><!DOCTYPE html><p>", "{}", "<!DOCTYPE html><p>");
	becomes("<!---->{{a}}<!-- - -->", "{\"a\":1}", "1");
}

static void words(void **state)
{
	(void)state;
	becomes("{{_ A\n  mail   for {who}.}}", "{\"who\":\"<b>\"}", "A mail for &lt;b&gt;.");
	becomes("<p title=\"{{_ To {who}}}\">", "{\"who\":\"\\\"x\"}", "<p title=\"To &quot;x\">");
	becomes("{{_n n|one mail|{n} mails}}", "{\"n\":1}", "one mail");
	becomes("{{_n n|one mail|{n} mails}}", "{\"n\":2}", "2 mails");
	becomes("{{_n l|one mail|{n} mails}}", "{\"l\":[1,2],\"n\":2}", "2 mails");
	becomes("{{_ Words & <tags> and \"quotes\"}}", "{}",
	    "Words &amp; &lt;tags&gt; and &quot;quotes&quot;");
}

static void pages_in_pages(void **state)
{
	static const struct kit_page pages[] = {
	    {"a", "[{{>b}}{{#l}}{{>b}}{{/l}}]"}, {"b", "({{v}})"}};
	char fault[512];
	struct web_templates *t = kit_pages(pages, 2, fault, sizeof fault);
	json_t *json = json_loads("{\"v\":1,\"l\":[{\"v\":2}]}", 0, NULL);
	struct buf out;

	(void)state;
	assert_non_null(t);
	buf_init(&out, 1000);
	assert_true(web_template_fill(t, "a", json, &out));
	assert_int_equal(out.len, strlen("[(1)(2)]"));
	assert_memory_equal(out.bytes, "[(1)(2)]", out.len);
	buf_free(&out);
	buf_init(&out, 3); /* no room */
	assert_false(web_template_fill(t, "a", json, &out));
	buf_free(&out);
	buf_init(&out, 1000);
	assert_false(web_template_fill(t, "c", json, &out));
	buf_free(&out);
	json_decref(json);
	web_templates_free(t);
}

/* ---- faults -------------------------------------------------------------------------------- */

static void refuse(const char *text, const char *where)
{
	struct kit_page page = {"x", text};
	char fault[512] = "", want[128];
	struct web_templates *t = kit_pages(&page, 1, fault, sizeof fault);

	if (t != NULL) {
		web_templates_free(t);
		fail_msg("taken for a page: %s", text);
	}
	(void)snprintf(want, sizeof want, "etc/web/pages/x.html%s:", where);
	if (strncmp(fault, want, strlen(want)) != 0)
		fail_msg("%s\n  %s\n  expected %s", text, fault, want);
}

static void no_unescaped_value(void **state)
{
	(void)state;
	refuse("{{{a}}}", ":1:1");
	refuse("{{& a}}", ":1:1");
	refuse("{{&a}}", ":1:1");
	refuse("{{a|safe}}", ":1:1");
	refuse("{{=<% %>=}}", ":1:1");
}

static void no_place_for_a_value(void **state)
{
	static const char *const bad[] = {"<{{a}}>", "<p {{a}}>", "<p {{a}}=\"x\">",
	    "<p x{{a}}=\"y\">", "<p{{a}}>", "</{{a}}>", "</p{{a}}>", "<p title={{a}}>",
	    "<p title='{{a}}'>", "<!-- {{a}} -->", "<!-- {{#a}} -->{{/a}}", "<!{{a}}>",
	    "<script>{{a}}</script>", "<style>{{a}}</style>", "<iframe>{{a}}</iframe>",
	    "<p onclick=\"{{a}}\">", "<p ONCLICK=\"{{a}}\">", "<p style=\"{{a}}\">",
	    "<iframe srcdoc=\"{{a}}\"></iframe>", "<meta content=\"{{a}}\">",
	    "<img srcset=\"{{a}}\">", "<script src=\"/{{a}}\"></script>", "<link href=\"/x{{a}}\">",
	    "<meta name=\"{{a}}\">", "<object data=\"/x{{a}}\">", "<embed src=\"{{a-url}}\">",
	    "<base href=\"{{a-url}}\">", "<iframe sandbox=\"{{a}}\"></iframe>", "<a rel=\"{{a}}\">",
	    "<a /{{a}}>", "<a href={{a-url}}>", "<script {{#a}} x{{/a}}></script>{{",
	    "<svg><style>{{a}}</style></svg>", "<xmp>{{a}}</xmp>", "<plaintext>{{a}}",
	    "<noembed>{{a}}</noembed>", "<title><p title=\"{{a}}\"></title>"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuse(bad[i], ":1");
}

static void no_literal_that_acts(void **state)
{
	static const char *const bad[] = {"<p onclick=\"x\">", "<p style=\"x\">", "<p x=y>",
	    "<p x='y'>", "<p x = \"y\">", "<p x= \"y\">", "<p x=\"y\"z=\"w\">",
	    "<script>x</script>", "<style>x</style>", "<iframe srcdoc=\"x\"></iframe>",
	    "<base href=\"/\">", "<a href=\"javascript:x\">", "<a href=\"data:x\">",
	    "<a href=\"&#106;avascript:x\">", "<a href=\" javascript:x\">",
	    "<a href=\"java\nscript:x\">", "<a href=\"\\\\x\">", "a < b", "<p title=\"<\">",
	    "</p x>", "</>", "<?x?>", "<![CDATA[x]]>", "<!x>", "<!doctype htm>", "<p",
	    "<p title=\"", "<!-- ", "<title>x", "<textarea>", "<title></textarea>", "}}", "\x01",
	    "<p \">", "<p / x>", "<p\x01>"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuse(bad[i], ":1");
}

/* A value behind a literal that does not say where a link leads could say it. */
static void urls_that_lead_anywhere(void **state)
{
	static const char *const bad[] = {"<a href=\"javascript:{{a}}\">", "<a href=\"//{{a}}\">",
	    "<a href=\"https://{{a}}\">", "<a href=\"https:{{a}}\">", "<a href=\"/{{a}}\">",
	    "<a href=\"{{a}}:x\">", "<a href=\"{{a}}/x\">", "<a href=\"{{a}}{{b}}:{{c}}\">",
	    "<a href=\"{{a}}&#58;x\">", "<a href=\"x{{a}}\">", "<a href=\"https://a&#47;{{a}}\">",
	    "<a href=\"{{#a}}javascript:{{/a}}{{b}}\">", "<a href=\"{{#a}}/{{/a}}{{b}}\">",
	    "<a href=\"{{#a}}x{{/a}}\">", "<a href=\"{{#a}}/x{{/a}}/{{b}}\">",
	    "<a href=\"{{#a}}/x{{/a}}:{{b}}\">", "<a href=\"{{#a}}{{b}}{{/a}}:x\">",
	    "<a href=\"{{#a}}{{b}}{{/a}}{{#c}}//x{{/c}}\">", "<a href=\"{{_ words}}\">",
	    "<a href=\"/gate/{{_ words}}\">", "<form action=\"https://{{a}}/\">",
	    "<button formaction=\"//{{a}}\">", "<img src=\"//{{a}}\">",
	    "<a xlink:href=\"//{{a}}\">"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuse(bad[i], ":1");
}

static void sections_that_leave(void **state)
{
	static const char *const bad[] = {"{{#a}}", "{{/a}}", "{{#a}}{{/b}}",
	    "{{#a}}{{#b}}{{/a}}{{/b}}", "<p {{#a}}>{{/a}}", "{{#a}}<p {{/a}}>",
	    "<p title=\"{{#a}}\">{{/a}}", "{{#a}}<p title=\"{{/a}}\">",
	    "<p title=\"{{#a}}x\" class=\"y{{/a}}\">", "<p {{#a}}><p {{/a}}>",
	    "<title>{{#a}}</title><title>{{/a}}</title>", "{{#a}}<title>{{/a}}</title>",
	    "<p {{#a}}on{{/a}}click=\"x\">", "<p x{{#a}}y{{/a}}=\"z\">", "<p{{#a}}x{{/a}}>",
	    "<p {{#a}}onclick{{/a}}>", "<p {{#a}}style=\"{{/a}}{{b}}\">", "<sc{{#a}}ript{{/a}}>",
	    "<p title=\"x\"{{#a}}y{{/a}}>", "<!--{{#a}}-->{{/a}}"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuse(bad[i], ":1");
}

static void tags_that_are_none(void **state)
{
	static const char *const bad[] = {"{{", "{{a", "{{a}", "{{}}", "{{A}}", "{{a b}}", "{{1}}",
	    "{{a..b}}", "{{.a}}", "{{a.}}", "{{#}}{{/}}", "{{>}}", "{{>../x}}", "{{>nix}}",
	    "{{>x.y}}", "{{_}}", "{{_ }}", "{{_ a {b }}", "{{_ a } b}}", "{{_ {A}}}",
	    "{{_n n|one}}", "{{_n n|one|two|three}}", "{{_n |one|two}}", "{{_n N|one|two}}",
	    "{{_n n||two}}", "<p>{{>x}}"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct kit_page page = {"x", bad[i]};
		char fault[512] = "";
		struct web_templates *t = kit_pages(&page, 1, fault, sizeof fault);

		if (t != NULL) {
			web_templates_free(t);
			fail_msg("taken for a page: %s", bad[i]);
		}
		assert_non_null(strstr(fault, "etc/web/pages/x.html"));
	}
}

static void faults_are_placed(void **state)
{
	(void)state;
	refuse("<p>\n  <a href={{x}}>\n", ":2:11");
	refuse("a\nb\n\n{{#x}}", ":4:1");
	refuse("<p>\n{{#a}}\n\n{{/b}}", ":4:1");
	refuse("\xe3\x81\x82{{X}}", ":1:4");
}

static void bounds(void **state)
{
	static const struct kit_page circle[] = {{"a", "{{>b}}"}, {"b", "{{>a}}"}};
	struct kit_page deep[WEB_TEMPLATE_DEPTH + 1];
	char name[WEB_TEMPLATE_DEPTH + 1][4], text[WEB_TEMPLATE_DEPTH + 1][12], nest[400] = "",
										fault[512];
	struct web_templates *t;

	(void)state;
	assert_null(kit_pages(circle, 2, fault, sizeof fault));
	assert_non_null(strstr(fault, "a.html"));
	for (int i = 0; i <= WEB_TEMPLATE_DEPTH; i++) {
		(void)snprintf(name[i], sizeof name[i], "p%d", i);
		(void)snprintf(
		    text[i], sizeof text[i], i < WEB_TEMPLATE_DEPTH ? "{{>p%d}}" : "x", i + 1);
		deep[i] = (struct kit_page){name[i], text[i]};
	}
	assert_null(kit_pages(deep, WEB_TEMPLATE_DEPTH + 1, fault, sizeof fault));
	t = kit_pages(deep + 1, WEB_TEMPLATE_DEPTH, fault, sizeof fault);
	assert_non_null(t);
	web_templates_free(t);
	for (int i = 0; i < 17; i++)
		strcat(nest, "{{#a}}");
	for (int i = 0; i < 17; i++)
		strcat(nest, "{{/a}}");
	refuse(nest, ":1");
	refuse("\xff", "");
	refuse("\xed\xa0\x80", "");
}

/* The pages of the repository are pages. */
static void ours(void **state)
{
	int dir = open("etc/web/pages", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct conf_fault why = {0};
	struct web_templates *t;
	char fault[512];

	(void)state;
	assert_true(dir >= 0);
	t = web_templates_read(dir, &why);
	conf_fault_show(&why, fault, sizeof fault);
	if (t == NULL)
		fail_msg("%s", fault);
	web_templates_free(t);
	close(dir);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values),
	    cmocka_unit_test(text_is_escaped),
	    cmocka_unit_test(orders_are_shown),
	    cmocka_unit_test(urls),
	    cmocka_unit_test(whole_urls),
	    cmocka_unit_test(sections),
	    cmocka_unit_test(sections_in_tags),
	    cmocka_unit_test(comments_go),
	    cmocka_unit_test(words),
	    cmocka_unit_test(pages_in_pages),
	    cmocka_unit_test(no_unescaped_value),
	    cmocka_unit_test(no_place_for_a_value),
	    cmocka_unit_test(no_literal_that_acts),
	    cmocka_unit_test(urls_that_lead_anywhere),
	    cmocka_unit_test(sections_that_leave),
	    cmocka_unit_test(tags_that_are_none),
	    cmocka_unit_test(faults_are_placed),
	    cmocka_unit_test(bounds),
	    cmocka_unit_test(ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
