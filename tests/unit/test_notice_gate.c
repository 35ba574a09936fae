/*
 * Notices about held mail: the request, what is wrong with a template, what is made of one, and that
 * no value adds a line to a header. What mail programs read of it: tests/e2e/test_gate_notices.py.
 */
#include "tests/unit/queue_kit.h"

#include "lib/dsn/letter.h"
#include "lib/notice/report.h"
#include "lib/notice/told.h"

/* ---- the request ---------------------------------------------------------------------------- */

static enum notice_read read_request(const char *text, struct notice_request *request)
{
	static char bytes[65536]; /* must outlive the request */

	assert_true(strlen(text) < sizeof bytes);
	memcpy(bytes, text, strlen(text) + 1);
	return notice_request_read(bytes, strlen(text), request);
}

static const char *value(const struct notice_request *r, const char *name, size_t row)
{
	return notice_vars_value(r->vars, name, strlen(name), row);
}

static void a_request(void **state)
{
	struct notice_request r;

	(void)state;
	assert_int_equal(read_request("gate hold\nto a@x.example\nlang en\nvar rcpt a+20b\n"
				      "var url http://x/\nvar rcpt \nvar rcpt c\nattach draft\n",
			     &r),
	    NOTICE_READ_FINE);
	assert_int_equal(r.verb, NOTICE_GATE);
	assert_int_equal(r.kind, KIND_HOLD);
	assert_string_equal(r.to, "a@x.example");
	assert_true(r.english);
	assert_int_equal(r.attach, ATTACH_DRAFT);
	assert_string_equal(value(&r, "rcpt", 0), "a b");
	assert_null(value(&r, "rcpt", 1));
	assert_string_equal(value(&r, "rcpt", 2), "c");
	assert_null(value(&r, "rcpt", 3));
	assert_string_equal(value(&r, "url", 0), "http://x/");
	assert_null(value(&r, "until", 0));
	notice_request_free(&r);

	assert_int_equal(
	    read_request("gate review\nto a@x.example\nlang ja\n", &r), NOTICE_READ_FINE);
	assert_int_equal(r.kind, KIND_REVIEW);
	assert_false(r.english);
	assert_int_equal(r.attach, ATTACH_NONE);
	notice_request_free(&r);
}

static void malformed_requests(void **state)
{
#define TOP "gate hold\nto a@x\nlang ja\n"
	static const char *const bad[] = {"gate", "gate \n", "gate hold", "gate hold\n",
	    "gate HOLD\nto a@x\nlang ja\n", "gate hold \nto a@x\nlang ja\n",
	    "gate ../hold\nto a@x\nlang ja\n", "gate hold\nlang ja\nto a@x\n",
	    "gate hold\nto a@x\n", "gate hold\nto a@x\nlang\n", "gate hold\nto a@x\nlang fr\n",
	    "gate hold\nto \nlang ja\n", "gate hold\nto a@x\nlang ja", TOP "\n", TOP "var\n",
	    TOP "var x\n", TOP "var x a b\n", TOP "var X a\n", TOP "var -x a\n", TOP "var  a\n",
	    TOP "var x +00\n", TOP "var x a", TOP "var x +zz\n", TOP "x\n",
	    TOP "var abcdefghijklmnopqrstuvwxyz1234567 a\n", TOP "attach\n", TOP "attach none\n",
	    TOP "attach mail\nvar x a\n", TOP "attach mail\nattach mail\n", TOP "lang ja\n"};
	struct kit_bytes b = {NULL, 0};
	struct notice_request r;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (read_request(bad[i], &r) != NOTICE_READ_MALFORMED)
			fail_msg("taken for a request: \"%s\"", bad[i]);
	}
	/* One row, one name, one byte too many; and just as many as may be. */
	for (size_t n = NOTICE_ROWS_MAX; n <= NOTICE_ROWS_MAX + 1; n++) {
		kit_text(&b, TOP);
		for (size_t i = 0; i < n; i++)
			kit_text(&b, "var x a\n");
		assert_int_equal(read_request(b.at, &r),
		    n > NOTICE_ROWS_MAX ? NOTICE_READ_MALFORMED : NOTICE_READ_FINE);
		if (n <= NOTICE_ROWS_MAX)
			notice_request_free(&r);
		kit_free(&b);
	}
	for (size_t n = NOTICE_NAMES_MAX; n <= NOTICE_NAMES_MAX + 1; n++) {
		kit_text(&b, TOP);
		for (size_t i = 0; i < n; i++)
			kit_addf(&b, "var x%zu a\n", i);
		assert_int_equal(read_request(b.at, &r),
		    n > NOTICE_NAMES_MAX ? NOTICE_READ_MALFORMED : NOTICE_READ_FINE);
		if (n <= NOTICE_NAMES_MAX)
			notice_request_free(&r);
		kit_free(&b);
	}
	for (size_t n = NOTICE_VALUE_MAX; n <= NOTICE_VALUE_MAX + 1; n++) {
		kit_text(&b, TOP "var x ");
		for (size_t i = 0; i < n; i++)
			kit_text(&b, "a");
		kit_text(&b, "\n");
		assert_int_equal(read_request(b.at, &r),
		    n > NOTICE_VALUE_MAX ? NOTICE_READ_MALFORMED : NOTICE_READ_FINE);
		if (n <= NOTICE_VALUE_MAX)
			notice_request_free(&r);
		kit_free(&b);
	}
}

/* A list of any length fits: what is beyond the bound is counted; long values are cut at a letter. */
static void what_is_asked_is_read(void **state)
{
	static struct notice_var var[10002];
	static char longest[3 * 2000];
	struct notice_gate gate = {.template = "request",
	    .to = "b@x.example",
	    .var = var,
	    .vars = COUNT_OF(var),
	    .attach = ATTACH_MAIL};
	struct notice_request r;
	struct buf out;

	(void)state;
	for (size_t i = 0; i < sizeof longest - 1; i++)
		longest[i] = "\xe3\x81\x82"[i % 3];
	for (size_t i = 0; i < COUNT_OF(var); i++)
		var[i] = (struct notice_var){"rcpt", i % 2 == 0 ? "x y" : NULL};
	var[0] = (struct notice_var){"subject", longest};
	var[1] = (struct notice_var){"why", ""};
	buf_init(&out, NOTICE_REQUEST_MAX);
	assert_true(notice_request_write_gate(&out, &gate));
	assert_int_equal(notice_request_read(out.bytes, out.len, &r), NOTICE_READ_FINE);
	assert_int_equal(r.kind, KIND_REQUEST);
	assert_int_equal(r.attach, ATTACH_MAIL);
	assert_int_equal(strlen(value(&r, "subject", 0)), NOTICE_VALUE_MAX / 3 * 3);
	assert_null(value(&r, "why", 0));
	assert_string_equal(value(&r, "rcpt", 0), "x y");
	assert_null(value(&r, "rcpt", 1));
	assert_string_equal(value(&r, "rcpt-more", 0), "9980");
	notice_request_free(&r);
	buf_free(&out);

	gate.vars = 0;
	gate.template = "nothing";
	assert_false(notice_request_write_gate(&out, &gate));
	assert_true(buf_ok(&out)); /* it makes no sense, which is not for want of memory */
	gate.template = "hold";
	gate.to = "";
	assert_false(notice_request_write_gate(&out, &gate));
	gate.to = "a@x";
	gate.vars = 1;
	var[0].name = "No Name";
	assert_false(notice_request_write_gate(&out, &gate));
	buf_free(&out);
}

static void nobody_answers(void **state)
{
	struct notice_gate gate = {.template = "hold", .to = "a@x.example"};
	struct notice_answer answer;

	(void)state;
	notice_ask_gate("nowhere/socket", -1, &gate, 1000, &answer);
	assert_int_equal(answer.result, NOTICE_LATER);
	gate.template = "held";
	notice_ask_gate("nowhere/socket", -1, &gate, 1000, &answer);
	assert_int_equal(answer.result, NOTICE_WRONG);
	assert_string_equal(answer.reason, "request");
}

/* ---- templates ------------------------------------------------------------------------------ */

static const char *const some[] = {"subject", "a", "b", "list", "risk"};

static void assert_fault(const char *text, size_t len, const char *fault)
{
	struct notice_template t;
	struct conf_fault f;
	char said[512];

	if (template_read(text, len, "etc/notices/ja/hold", some, COUNT_OF(some), &t, &f))
		fail_msg("no fault found: %s", text);
	conf_fault_show(&f, said, sizeof said);
	if (strstr(said, fault) == NULL)
		fail_msg("%s: %s", fault, said);
}

static void faults_of_templates(void **state)
{
#define S "Subject: s\n\n"
	static const struct {
		const char *text, *fault;
	} rows[] = {
	    {"", "hold: there is no text"},
	    {"Subject: s\n", "hold: there is no text"},
	    {"Subject: s\n\n", "hold: there is no text"},
	    {"subject: s\n\nx\n", "hold:1: a notice begins"},
	    {"Subject:\n\nx\n", "hold:1: a notice begins"},
	    {"Subject: \n\nx\n", "hold:1: a notice begins"},
	    {"Subject: s\nx\n", "hold:2: an empty line"},
	    {S "x", "hold:3: the last line does not end"},
	    {S "x\\\n", "hold:3: the last line ends in a \\"},
	    {S "x\r\n", "hold:3:2: a carriage return"},
	    {S "\x1b$B\n", "hold:3:1: a control character (0x1b)"},
	    {S "a\xff\n", "hold:3:2: no UTF-8 (byte 0xff)"},
	    {S "a\xc2\x85\n", "hold:3:2: a control"},
	    {"\xef\xbb\xbf" S "x\n", "hold:1:1: a byte order mark"},
	    {S "{\n", "hold:3:2: a { that begins no variable"},
	    {S "{}\n", "hold:3:2: a { that"},
	    {S "{a\n}\n", "hold:3:2: a { that"},
	    {S "{A}\n", "hold:3:2: a { that"},
	    {S "{ a}\n", "hold:3:2: a { that"},
	    {S "{??a}\n", "hold:3:3: a { that"},
	    {S "{a}{{{?}\n", "hold:3:8: a { that"},
	    {S "{subjct}\n", "hold:3:2: no variable is called {subjct}: {subject}?"},
	    {S "{nothing-like-it}\n", "hold:3:2: no variable is called {nothing-like-it}"},
	    {"Subject: {?a}s\n\nx\n", "hold:1:10: the subject cannot be left out"},
	};
	static char large[TEMPLATE_MAX + 1], line[TEMPLATE_LINE_MAX + 20];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_fault(rows[i].text, strlen(rows[i].text), rows[i].fault);
	assert_fault(S "a\0b\n", sizeof S + 3, "hold:3:2: a control character (0x00)");
	memset(large, '\n', sizeof large);
	assert_fault(large, sizeof large, "hold: is larger than 64 KB");
	memset(line, 'x', sizeof line);
	memcpy(line, S, sizeof S - 1);
	line[sizeof line - 1] = '\n';
	assert_fault(line, sizeof line, "hold:3: the line is longer than 2000 bytes");
}

/* What `text` becomes, with the values of a, b, list and risk: texts parted by '|'. */
static char *filled(const char *text, const char *const values[4], size_t most)
{
	static struct notice_vars vars;
	static char copies[4][200];
	struct notice_template t;
	struct conf_fault fault;
	struct buf out;

	vars.lists = 0;
	for (size_t i = 0; i < 4; i++) {
		char *at = copies[i], *part;

		if (values[i] == NULL)
			continue;
		(void)snprintf(copies[i], sizeof copies[i], "%s", values[i]);
		while ((part = strsep(&at, "|")) != NULL)
			assert_true(notice_vars_add(&vars, some[i + 1], part));
	}
	if (!template_read(text, strlen(text), "t", some, COUNT_OF(some), &t, &fault))
		fail_msg("%s: %s", text, fault.text);
	buf_init(&out, SIZE_MAX);
	assert_true(template_subject(&t, &vars, "Sub", &out));
	buf_add_text(&out, ": ");
	assert_true(template_text(&t, &vars, most, &out));
	buf_add(&out, "", 1);
	template_free(&t);
	return out.bytes;
}

static void what_templates_become(void **state)
{
#define NONE                                                                                       \
	{                                                                                          \
		NULL, NULL, NULL, NULL                                                             \
	}
	static const struct {
		const char *text, *values[4], *want;
	} rows[] = {
	    {S "x\n", NONE, "s: x\n"},
	    {"Subject: [p]{subject}{a}\n\nx\n", NONE, "[p]Sub: x\n"},
	    {"Subject: {list}{{{a}}\n\nx\n", {"1", 0, "x||y", 0}, "x, y{1}: x\n"},
	    {S "{a}-{b}\n{a}\n", {"1", 0, 0, 0}, "s: 1\n"},
	    {S "{a}{?b}\n{a}{!b}\n{!a}{b}\n", {"1", 0, 0, 0}, "s: 1\n"},
	    {S "{a}{?b}\n{a}{!b}\n{!a}{b}\n", {"1", "2", 0, 0}, "s: 1\n"},
	    {S "{{a}}{{}\n", NONE, "s: {a}}{}\n"},
	    /* Values are no templates. */
	    {S "{a}\n", {"{b}\\", "2", 0, 0}, "s: {b}\\\n"},
	    /* Lists, in step; an empty value keeps its place; one alone stands in every row. */
	    {S "{list} {a}\n", {"1", 0, "x|y|z", 0}, "s: x 1\ny 1\nz 1\n"},
	    {S "{list} {risk}\\\n{list}{!risk}\n.\n", {0, 0, "x|y|z", "1||3"},
		"s: x 1\ny\nz 3\n.\n"},
	    {S "{list} {risk}\\\n{list}{!risk}\n.\n", {0, 0, "x|y", 0}, "s: x\ny\n.\n"},
	    {S "{list}\n{risk}\n", {0, 0, "x|y", "1|2"}, "s: x\ny\n1\n2\n"},
	    {S "{list}\\\n{risk}\n", {0, 0, "x|y", "1|2"}, "s: x\n1\ny\n2\n"},
	    {S "{list}\\\n\\\n{risk}\n", {0, 0, "x|y", "1|2"}, "s: x\n\n1\ny\n\n2\n"},
	    {S "{?list}h\n{list}\n", {0, 0, "x|y", 0}, "s: h\nx\ny\n"},
	    /* Empty lines: one at a time, none at either end. */
	    {S "\n\n{a}\n\n{b}\n\nx\n\n\n", {0, "2", 0, 0}, "s: 2\n\nx\n"},
	    {S "{a}\n\n", {"", 0, 0, 0}, "s: "},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *text = filled(rows[i].text, rows[i].values, SIZE_MAX / 2);

		if (strcmp(text, rows[i].want) != 0)
			fail_msg("%zu: \"%s\", not \"%s\"", i, text, rows[i].want);
		free(text);
	}
}

static void a_list_and_a_text_have_bounds(void **state)
{
	static const char *const many[4] = {
	    NULL, NULL, "1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|18|19|20|21|22|23", NULL};
	static const char *const twenty[4] = {
	    NULL, NULL, "1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|18|19|20", NULL};
	char *text;

	(void)state;
	text = filled(S "{list}\nand {list-more}\n", many, 10000);
	assert_non_null(strstr(text, "\n20\nand 3\n"));
	assert_null(strstr(text, "21"));
	free(text);
	text = filled(S "{list}\nand {list-more}\n", twenty, 10000);
	assert_non_null(strstr(text, "\n20\n"));
	assert_null(strstr(text, "and"));
	free(text);
	text = filled(S "{list}\n", twenty, 20);
	assert_string_equal(text, "s: 1\n2\n3\n4\n5\n6\n7\n…\n");
	free(text);
}

/* ---- the templates as they are shipped ------------------------------------------------------- */

static struct notice_config *configured(const char *settings)
{
	char root[256], text[512], *notices = realpath("etc/notices", NULL);
	struct notice_config *config;
	int etc, here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_non_null(notices);
	kit_enter(root);
	assert_int_equal(symlink(notices, "notices"), 0);
	kit_write("settings", settings, strlen(settings));
	etc = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	config = notice_config_read(etc, text, sizeof text);
	if (config == NULL)
		fail_msg("%s", text);
	(void)close(etc);
	kit_leave(root);
	free(notices);
	assert_int_equal(fchdir(here), 0);
	(void)close(here);
	return config;
}

static void the_shipped_ones_are_complete(void **state)
{
	int etc = open("etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct conf_fault fault = {.line = 0};

	(void)state;
	if (!notice_templates_check(etc, &fault))
		fail_msg("%s:%u: %s", fault.file, fault.line, fault.text);
	(void)close(etc);
	/* The language of both is the same: what one shows the other shows, too. */
	for (size_t kind = 0; kind < NOTICE_KINDS; kind++) {
		struct notice_config *config = configured("trial yes\n");
		const struct notice_template *ja = &config->templates.of[NOTICE_JA][kind];
		const struct notice_template *en = &config->templates.of[NOTICE_EN][kind];
		size_t n;
		const char *const *names = notice_known_names(&n);

		for (size_t i = 0; i < n; i++) {
			bool in[2] = {false, false};

			for (size_t k = 0; k < ja->pieces; k++)
				in[0] = in[0] || (ja->piece[k].kind != PIECE_TEXT &&
						     ja->piece[k].len == strlen(names[i]) &&
						     memcmp(ja->piece[k].text, names[i],
							 ja->piece[k].len) == 0);
			for (size_t k = 0; k < en->pieces; k++)
				in[1] = in[1] || (en->piece[k].kind != PIECE_TEXT &&
						     en->piece[k].len == strlen(names[i]) &&
						     memcmp(en->piece[k].text, names[i],
							 en->piece[k].len) == 0);
			if (in[0] != in[1])
				fail_msg("%s: {%s} is in one language alone",
				    notice_kind_word(kind), names[i]);
		}
		notice_config_free(config);
	}
}

static void missing_and_wrong_files(void **state)
{
	static struct notice_vars vars;
	struct notice_request request = {.verb = NOTICE_GATE, .to = "a@x.example", .vars = &vars};
	struct notice_answer answer;
	struct notice_config *config;
	char root[256], text[512];
	int etc, here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	kit_enter(root);
	kit_write("settings", "trial yes\n", 10);
	etc = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* None at all: nothing is held there. */
	config = notice_config_read(etc, text, sizeof text);
	assert_non_null(config);
	assert_false(notice_templates_there(&config->templates));
	notice_report(config, "nowhere/socket", -1, &request, 1, &answer);
	assert_int_equal(answer.result, NOTICE_LATER);
	assert_string_equal(answer.reason, "no-templates");
	notice_config_free(config);
	assert_int_equal(mkdir("notices", 0755), 0);
	assert_null(notice_config_read(etc, text, sizeof text));
	assert_string_equal(text, "etc/notices/ja/hold: the file is missing");
	assert_int_equal(mkdir("notices/ja", 0755), 0);
	kit_write("notices/ja/hold", "Subject: s\n\n{untl}\n", 19);
	assert_null(notice_config_read(etc, text, sizeof text));
	assert_string_equal(
	    text, "etc/notices/ja/hold:3:2: no variable is called {untl}: {until}?");
	assert_int_equal(unlink("notices/ja/hold"), 0);
	assert_int_equal(mkfifo("notices/ja/hold", 0600), 0);
	assert_null(notice_config_read(etc, text, sizeof text));
	assert_non_null(strstr(text, "etc/notices/ja/hold: cannot be read"));
	(void)close(etc);
	kit_leave(root);
	assert_int_equal(fchdir(here), 0);
	(void)close(here);
}

/* ---- what is made of them -------------------------------------------------------------------- */

/* The whole message, by a template; `vars` are pairs. */
static struct buf made(struct notice_config *config, const char *template, bool english,
    const struct notice_var *var, size_t vars)
{
	struct notice_gate gate = {.template = template,
	    .to = "a@x.example",
	    .english = english,
	    .var = var,
	    .vars = vars};
	struct notice_request request;
	struct letter_form form;
	struct letter letter;
	struct told told;
	struct buf asked, out;

	buf_init(&asked, NOTICE_REQUEST_MAX);
	assert_true(notice_request_write_gate(&asked, &gate));
	assert_int_equal(notice_request_read(asked.bytes, asked.len, &request), NOTICE_READ_FINE);
	assert_true(told_begin(&told, config, &request));
	assert_true(told_write(&told, LETTER_PLAIN));
	letter = (struct letter){.id = KIT_ID,
	    .mta = "gw.example.co.jp",
	    .to = request.to,
	    .subject = told.subject.bytes,
	    .now = 1,
	    .text = told.text.bytes,
	    .text_len = told.text.len,
	    .language = "ja",
	    .jis = config->settings.notice_charset == NOTICE_ISO_2022_JP ? config->jis : NULL,
	    .fd = -1};
	assert_true(letter_prepare(&letter, &form));
	buf_init(&out, SIZE_MAX);
	assert_true(letter_write(&letter, &form, dsn_put_buf, &out));
	buf_add(&out, "", 1);
	told_free(&told);
	notice_request_free(&request);
	buf_free(&asked);
	return out;
}

/* The subject and the text before they are written. */
static void assert_told(struct notice_config *config, const char *template, const char *subject,
    const char *want_subject, const char *want_line)
{
	struct notice_var var = {"subject", subject};
	struct notice_gate gate = {
	    .template = template, .to = "a@x.example", .var = &var, .vars = 1};
	struct notice_request request;
	struct told told;
	struct buf asked;

	buf_init(&asked, NOTICE_REQUEST_MAX);
	assert_true(notice_request_write_gate(&asked, &gate));
	assert_int_equal(notice_request_read(asked.bytes, asked.len, &request), NOTICE_READ_FINE);
	assert_true(told_begin(&told, config, &request));
	assert_true(told_write(&told, LETTER_PLAIN));
	buf_add(&told.text, "", 1);
	assert_string_equal(told.subject.bytes, want_subject);
	if (strstr(told.text.bytes, want_line) == NULL)
		fail_msg("no \"%s\" in %s", want_line, told.text.bytes);
	told_free(&told);
	notice_request_free(&request);
	buf_free(&asked);
}

/* S2-45: the prefix is added once, whatever was answered or passed on before. */
static void S2_45_the_prefix_is_added_once(void **state)
{
	struct notice_config *config = configured("trial yes\n");

	(void)state;
	assert_told(config, "hold", "見積の件", "[配送保留]見積の件", "[件名] 見積の件\n");
	assert_told(config, "hold", "[配送保留]見積の件", "[配送保留]見積の件",
	    "[件名] [配送保留]見積の件\n");
	assert_told(config, "hold", "Re: [配送保留]見積", "[配送保留]Re: 見積", "\n");
	assert_told(
	    config, "hold", "RE: FW: [配送保留] [Held] 見積", "[配送保留]RE: FW: 見積", "\n");
	assert_told(config, "hold", "返信：[配送保留]見積", "[配送保留]返信：見積", "\n");
	assert_told(config, "hold", "[承認依頼]見積", "[配送保留][承認依頼]見積", "\n");
	assert_told(config, "hold", "見積[配送保留]", "[配送保留]見積[配送保留]", "\n");
	assert_told(config, "hold", "", "[配送保留]", "[件名] （件名なし）\n");
	assert_told(config, "hold", "Re: [配送保留]", "[配送保留]Re: ", "\n");
	assert_told(config, "request", "Re: [Approval] x", "[承認依頼]Re: x", "\n");
	notice_config_free(config);
}

/* Nothing in a subject is hidden, turned round, or on a line of its own. */
static void naughty_subjects_are_shown(void **state)
{
	static const struct {
		const char *subject, *want;
	} rows[] = {
	    {"a\r\nBcc: x@evil.example\r\n\r\nb", "a  Bcc: x@evil.example    b"},
	    {"a\tb\x1b[31mc\x7f", "a b [31mc"},
	    {"a\xe2\x80\xae"
	     "fdp.exe",
		"afdp.exe"}, /* right to left */
	    {"a\xe2\x80\x8b\xe2\x81\xa0\xef\xbb\xbf\xc2\xad"
	     "b",
		"ab"}, /* no width */
	    {"a\xd8\x9c"
	     "b\xe2\x81\xa6"
	     "c",
		"abc"}, /* Arabic mark, isolates */
	    {"a\xf3\xa0\x81\x81"
	     "b",
		"ab"}, /* tags */
	    {"a\xe2\x80\xa8"
	     "b\xc2\x85"
	     "c\xc2\xa0"
	     "d",
		"a b c d"},
	    {"\xe3\x80\x80\xe5\xb1\xb1\xe3\x80\x80\xe5\xb7\x9d",
		"\xe3\x80\x80\xe5\xb1\xb1\xe3\x80\x80\xe5\xb7\x9d"},
	    {"a\xff\xc3.\xed\xa0\x80", "a??.???"},
	    {"  \x01 ", ""},
	    {"=?UTF-8?B?w6Q=?=", "=?UTF-8?B?w6Q=?="},
	    {"{url}\\", "{url}\\"},
	    {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
	};
	struct notice_config *config = configured("trial yes\n");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char subject[200], line[200];

		(void)snprintf(subject, sizeof subject, "[配送保留]%s", rows[i].want);
		(void)snprintf(line, sizeof line, "[件名] %s\n",
		    rows[i].want[0] != '\0' ? rows[i].want : "（件名なし）");
		assert_told(config, "hold", rows[i].subject, subject, line);
	}
	notice_config_free(config);
}

static size_t count_fields(const char *message)
{
	const char *end = strstr(message, "\r\n\r\n");
	size_t n = 0;

	assert_non_null(end);
	for (const char *p = message; p < end; p = strstr(p, "\r\n") + 2) {
		const char *newline = strstr(p, "\r\n");

		assert_true(newline - p <= 78);
		n += *p != ' ' && *p != '\t';
	}
	return n;
}

/* M11: no value adds a line to the header, or breaks one; in neither charset. */
static void no_value_adds_a_field(void **state)
{
	static const char *const settings[] = {
	    "trial yes\n", "trial yes\nnotice-charset iso-2022-jp\n"};
	static char longest[1500];
	static const char *const naughty[] = {"x", "", "a\r\nBcc: x@evil.example\r\n\r\n<html>",
	    "\r\n.\r\n", "?=\r\n =?x", longest, "\x1b$B!!\x1b(B", "①㈱ｱ", "～－∥",
	    "=?UTF-8?Q?=0D=0ABcc:_x?="};
	size_t expected = 0;

	(void)state;
	for (size_t i = 0; i < sizeof longest - 1; i++)
		longest[i] = "\xe3\x81\x82"[i % 3];
	for (size_t c = 0; c < COUNT_OF(settings); c++) {
		struct notice_config *config = configured(settings[c]);

		for (size_t i = 0; i < COUNT_OF(naughty); i++) {
			struct notice_var var[] = {{"subject", naughty[i]}, {"sender", naughty[i]},
			    {"rcpt", naughty[i]}, {"url", naughty[i]}, {"count", naughty[i]}};

			for (size_t kind = 0; kind < NOTICE_KINDS; kind++) {
				struct buf out = made(
				    config, notice_kind_word(kind), i % 2 == 1, var, COUNT_OF(var));
				size_t fields = count_fields(out.bytes);

				expected = expected == 0 ? fields : expected;
				assert_int_equal(fields, expected);
				for (size_t k = 0; k + 1 < out.len; k++)
					assert_true((unsigned char)out.bytes[k] < 0x80);
				buf_free(&out);
			}
		}
		notice_config_free(config);
	}
}

/* What ISO-2022-JP cannot write goes as UTF-8: subject and text together. */
static void which_charset(void **state)
{
	static const struct {
		const char *subject;
		bool jis;
	} rows[] = {{"見積の件", true}, {"plain", true}, {"～－∥￠", true}, {"a—b", true},
	    {"①", false}, {"㈱山川", false}, {"ｱｲｳ", false}, {"髙橋", false},
	    {"\xf0\x9f\x98\x80", false}, {"é", false}};
	struct notice_config *config = configured("trial yes\nnotice-charset iso-2022-jp\n");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct notice_var var = {"subject", rows[i].subject};
		struct buf out = made(config, "hold", false, &var, 1);
		bool jis = strstr(out.bytes, "charset=iso-2022-jp\r\n") != NULL;

		if (jis != rows[i].jis)
			fail_msg("%s: %s", rows[i].subject, out.bytes);
		assert_int_equal(strstr(out.bytes, "=?ISO-2022-JP?B?") != NULL, jis);
		assert_int_equal(strstr(out.bytes, "=?UTF-8?B?") != NULL, !jis);
		assert_int_equal(strstr(out.bytes, "Content-Transfer-Encoding: 7bit") != NULL, jis);
		buf_free(&out);
	}
	notice_config_free(config);
}

/* ---- whom it is about ------------------------------------------------------------------------ */

static void assert_answer(const char *from, const char *client, const char *trailer,
    enum notice_attach attach, enum notice_result result, const char *reason)
{
	struct notice_config *config = configured("trial yes\n");
	static struct notice_vars vars;
	struct notice_request request = {
	    .verb = NOTICE_GATE, .to = "boss@example.co.jp", .vars = &vars, .attach = attach};
	struct notice_answer answer;
	struct kit_bytes b;
	char envelope[512], path[64];
	int fd, reading;

	(void)snprintf(
	    envelope, sizeof envelope, "from %s\nto bob@x.example\nclient %s\n", from, client);
	b = kit_leg((struct kit_leg){.envelope = envelope, .trailer = trailer});
	fd = kit_memfd(b.at, b.len);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	reading = open(path, O_RDONLY | O_CLOEXEC);
	notice_report(config, "nowhere/socket", reading, &request, kit_time(KIT_NOW), &answer);
	(void)close(reading);
	(void)close(fd);
	kit_free(&b);
	notice_config_free(config);
	assert_string_equal(answer.reason, reason);
	assert_int_equal(answer.result, result);
}

static void of_which_leg_there_is_none(void **state)
{
	static const char pc[] = "192.0.2.1 helo=x", emptied[] = KIT_NOW " emptied from=332\n";
	struct notice_config *config = configured("trial yes\n");
	static struct notice_vars vars;
	struct notice_request request = {
	    .verb = NOTICE_GATE, .to = "boss@example.co.jp", .vars = &vars, .attach = ATTACH_DRAFT};
	struct notice_answer answer;

	(void)state;
	assert_answer("alice@x.example", pc, "", ATTACH_DRAFT, NOTICE_LATER, "queue-unreachable");
	/* A boss is asked about any mail but the gateway's own, of which there is no end. */
	assert_answer("<>", pc, "", ATTACH_MAIL, NOTICE_LATER, "queue-unreachable");
	assert_answer("<>", "- origin=gateway", "", ATTACH_NONE, NOTICE_NONE, "gateway-mail");
	assert_answer("a@x", "- origin=gateway", "", ATTACH_DRAFT, NOTICE_NONE, "gateway-mail");
	/* What happened to a mail can be told when it is no longer there. */
	assert_answer(
	    "alice@x.example", pc, emptied, ATTACH_NONE, NOTICE_LATER, "queue-unreachable");
	assert_answer("alice@x.example", pc, emptied, ATTACH_DRAFT, NOTICE_WRONG, "leg-emptied");

	notice_report(config, "nowhere/socket", -1, &request, 1, &answer);
	assert_int_equal(answer.result, NOTICE_WRONG);
	assert_string_equal(answer.reason, "no-leg");
	request.attach = ATTACH_NONE;
	request.to = "a@b\r\nBcc: c@d";
	notice_report(config, "nowhere/socket", -1, &request, 1, &answer);
	assert_int_equal(answer.result, NOTICE_WRONG);
	assert_string_equal(answer.reason, "address");
	notice_config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_request),
	    cmocka_unit_test(malformed_requests),
	    cmocka_unit_test(what_is_asked_is_read),
	    cmocka_unit_test(nobody_answers),
	    cmocka_unit_test(faults_of_templates),
	    cmocka_unit_test(what_templates_become),
	    cmocka_unit_test(a_list_and_a_text_have_bounds),
	    cmocka_unit_test(the_shipped_ones_are_complete),
	    cmocka_unit_test(missing_and_wrong_files),
	    cmocka_unit_test(S2_45_the_prefix_is_added_once),
	    cmocka_unit_test(naughty_subjects_are_shown),
	    cmocka_unit_test(no_value_adds_a_field),
	    cmocka_unit_test(which_charset),
	    cmocka_unit_test(of_which_leg_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
