#include "lib/shell/rule_tests_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rules/rule.h"
#include "lib/shell/moment.h"
#include "lib/shell/rule_tests.h"

#define WORDS_MAX 256

struct word {
	char *text; /* decoded, NUL-ended */
	unsigned column;
	bool quoted;
};

struct line {
	unsigned number;
	size_t indent; /* bytes of blanks before the first word */
	size_t words;
	struct word word[WORDS_MAX];
	char room[2 * RULE_TEST_LINE];
};

struct reading {
	const char *at, *end;
	unsigned number; /* of the line at `at` */
	struct line line;
	struct rule_test test;
	bool open; /* a test is being read */
	rule_test_see *see;
	void *context;
	struct conf_fault *fault;
};

/* ---- lines and words ---------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Reads "…" at `p`; \" and \\ stand for themselves. Returns what is behind it, or NULL. */
static const char *read_quoted(
    struct reading *r, const char *p, const char *end, struct word *w, char **room)
{
	w->quoted = true;
	for (p++; p < end && *p != '"'; p++) {
		if (*p == '\\' && p + 1 < end)
			p++;
		*(*room)++ = *p;
	}
	if (p == end) {
		(void)conf_blame(r->fault, r->line.number, w->column, "a closing quote is missing");
		return NULL;
	}
	return p + 1;
}

/* Splits a line; commas separate as blanks do. */
static bool split(struct reading *r, const char *begin, const char *end)
{
	struct line *line = &r->line;
	char *room = line->room;
	const char *p = begin;

	line->words = 0;
	while (p < end && is_blank(*p))
		p++;
	line->indent = (size_t)(p - begin);
	for (;;) {
		struct word *w = &line->word[line->words];

		while (p < end && (is_blank(*p) || *p == ','))
			p++;
		if (p == end || *p == '#')
			break;
		if (line->words == WORDS_MAX)
			return conf_blame(r->fault, line->number, 0,
			    "more than %d words: write a second line", WORDS_MAX);
		*w = (struct word){.text = room, .column = (unsigned)(p - begin) + 1};
		if (*p == '"') {
			p = read_quoted(r, p, end, w, &room);
			if (p == NULL)
				return false;
		} else {
			while (p < end && !is_blank(*p) && *p != ',')
				*room++ = *p++;
		}
		*room++ = '\0';
		line->words++;
	}
	return true;
}

/* The next line's bytes without its newline; false at the end, or with a fault. */
static bool next_bytes(struct reading *r, const char **begin, const char **end)
{
	const char *newline;

	if (r->at == r->end)
		return false;
	newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
	*begin = r->at;
	*end = newline != NULL ? newline : r->end;
	r->at = newline != NULL ? newline + 1 : r->end;
	r->number++;
	return true;
}

/* What the file is made of, before any of it is used. */
static bool check_bytes(struct reading *r, const char *bytes, size_t len)
{
	unsigned number = 1;
	size_t start = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];
		unsigned column = (unsigned)(i - start) + 1;

		if (c == '\n') {
			number++;
			start = i + 1;
		} else if (i - start >= RULE_TEST_LINE) {
			return conf_blame(r->fault, number, 0, "the line is longer than %zu bytes",
			    RULE_TEST_LINE);
		} else if (c == '\r') {
			return conf_blame(r->fault, number, column,
			    "a carriage return: lines end in a newline alone, save the file so");
		} else if ((c < ' ' && c != '\t') || c == 0x7f) {
			return conf_blame(r->fault, number, column,
			    "a control character (byte 0x%02x)", (unsigned)c);
		}
	}
	if (start < len)
		return conf_blame(r->fault, number, 0,
		    "the last line does not end in a newline: is the file half-written?");
	return true;
}

/* ---- a test ------------------------------------------------------------------------------- */

static void test_free(struct rule_test *t)
{
	struct addresses *lists[] = {&t->to, &t->cc, &t->all, &t->known, &t->lookalike, &t->attach};
	char *texts[] = {t->name, t->from, t->at, t->subject, t->text, t->message_file};

	for (size_t i = 0; i < COUNT_OF(lists); i++)
		addresses_free(lists[i]);
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		free(texts[i]);
	for (size_t i = 0; i < t->expects; i++) {
		free(t->expect[i].rcpt);
		free(t->expect[i].action);
		free(t->expect[i].rule);
		free(t->expect[i].said);
	}
	free(t->expect);
	buf_free(&t->message);
	*t = (struct rule_test){.line = 0};
}

static bool no_memory(struct reading *r)
{
	return conf_blame(r->fault, r->line.number, 0, "no memory, or too much");
}

static bool failed(const struct rule_test *t)
{
	return t->to.failed || t->cc.failed || t->all.failed || t->known.failed ||
	       t->lookalike.failed || t->attach.failed || !buf_ok(&t->message);
}

/* Whether what the test says can be run, and then runs it. */
static bool end_test(struct reading *r)
{
	struct rule_test *t = &r->test;
	bool made = !t->inlined && t->message_file == NULL;
	bool good = true;

	if (!r->open)
		return true;
	r->open = false;
	if (failed(t))
		good = no_memory(r);
	else if (t->expects == 0)
		good = conf_blame(r->fault, t->line, 0,
		    "test \"%.100s\" expects nothing: no line \"expect\"", t->name);
	else if (made && (t->from == NULL || t->all.n == 0))
		good = conf_blame(r->fault, t->line, 0,
		    "test \"%.100s\" needs the lines \"from\" and \"to\", or a message that has "
		    "them",
		    t->name);
	else if (!made && (t->attach.n > 0 || t->subject != NULL || t->text != NULL))
		good = conf_blame(r->fault, t->line, 0,
		    "test \"%.100s\" has a message: \"subject\", \"text\" and \"attach\" are for "
		    "one without",
		    t->name);
	if (good && r->see != NULL && !r->see(r->context, t)) {
		r->fault->text[0] = '\0';
		good = false;
	}
	test_free(t);
	return good;
}

static bool set(struct reading *r, char **text, const char *value)
{
	if (*text != NULL)
		return conf_blame(r->fault, r->line.number, r->line.word[0].column,
		    "\"%.40s\" is there twice", r->line.word[0].text);
	*text = strdup(value);
	return *text != NULL || no_memory(r);
}

/* The words from `first` on, one blank between two. Freed by the caller; NULL: no memory. */
static char *joined(const struct line *line, size_t first, size_t last)
{
	struct buf b;

	buf_init(&b, sizeof line->room);
	for (size_t i = first; i < last; i++) {
		if (i > first)
			buf_add_text(&b, " ");
		buf_add_text(&b, line->word[i].text);
	}
	buf_add(&b, "", 1);
	if (buf_ok(&b))
		return b.bytes; /* its memory is the caller's now */
	buf_free(&b);
	return NULL;
}

static bool add_addresses(struct reading *r, struct addresses *list, struct addresses *also)
{
	for (size_t i = 1; i < r->line.words; i++) {
		const struct word *w = &r->line.word[i];

		if (strchr(w->text, '@') == NULL)
			return conf_blame(
			    r->fault, r->line.number, w->column, "an address is expected");
		addresses_add(list, w->text, strlen(w->text));
		if (also != NULL)
			addresses_add(also, w->text, strlen(w->text));
	}
	return true;
}

static bool is_name(const char *text)
{
	return text[0] != '\0' && text[0] != '.' && strchr(text, '/') == NULL;
}

/* The names of files beside the test. */
static bool check_names(struct reading *r)
{
	for (size_t i = 1; i < r->line.words; i++) {
		if (!is_name(r->line.word[i].text))
			return conf_blame(r->fault, r->line.number, r->line.word[i].column,
			    "the name of a file beside this one is expected");
	}
	return true;
}

static bool take_from(struct reading *r)
{
	const struct word *w = &r->line.word[1];

	if (strcmp(w->text, "<>") != 0 && strchr(w->text, '@') == NULL)
		return conf_blame(
		    r->fault, r->line.number, w->column, "an address or <> is expected");
	return set(r, &r->test.from, strcmp(w->text, "<>") == 0 ? "" : w->text);
}

static bool take_to(struct reading *r)
{
	return add_addresses(r, &r->test.to, &r->test.all);
}

static bool take_cc(struct reading *r)
{
	return add_addresses(r, &r->test.cc, &r->test.all);
}

static bool take_bcc(struct reading *r)
{
	return add_addresses(r, &r->test.all, NULL);
}

static bool take_known(struct reading *r)
{
	return add_addresses(r, &r->test.known, NULL);
}

static bool take_lookalike(struct reading *r)
{
	return add_addresses(r, &r->test.lookalike, NULL);
}

static bool take_registered(struct reading *r)
{
	r->test.registered = true;
	return true;
}

static bool take_at(struct reading *r)
{
	char *text = joined(&r->line, 1, r->line.words);
	bool good;

	if (text == NULL)
		return no_memory(r);
	good = moment_parse(text) >= 0
		   ? set(r, &r->test.at, text)
		   : conf_blame(r->fault, r->line.number, r->line.word[1].column,
			 "a time is expected, such as 2026-11-22 18:59:59");
	free(text);
	return good;
}

static bool take_subject(struct reading *r)
{
	return set(r, &r->test.subject, r->line.word[1].text);
}

static bool take_text(struct reading *r)
{
	return set(r, &r->test.text, r->line.word[1].text);
}

static bool take_attach(struct reading *r)
{
	if (!check_names(r))
		return false;
	for (size_t i = 1; i < r->line.words; i++)
		addresses_add(&r->test.attach, r->line.word[i].text, strlen(r->line.word[i].text));
	return true;
}

/* ---- a message within the file ------------------------------------------------------------ */

/* How many bytes of the line are blanks; `*empty`: all of it. */
static size_t indent_of(const char *begin, const char *end, bool *empty)
{
	const char *p = begin;

	while (p < end && is_blank(*p))
		p++;
	*empty = p == end;
	return (size_t)(p - begin);
}

/* Lines indented further than the word "message"; the first one's indentation is taken from all. */
static bool take_inline(struct reading *r)
{
	struct rule_test *t = &r->test;
	size_t outer = r->line.indent, inner = 0, blanks = 0;
	const char *begin, *end;

	for (;;) {
		const char *before = r->at;
		bool empty;
		size_t indent;

		if (!next_bytes(r, &begin, &end))
			break;
		indent = indent_of(begin, end, &empty);
		if (empty) {
			blanks++;
			continue;
		}
		if (indent <= outer) {
			r->at = before;
			r->number--;
			break;
		}
		if (inner == 0)
			inner = indent;
		if (indent < inner)
			return conf_blame(r->fault, r->number, (unsigned)indent + 1,
			    "indented less than the message's first line");
		/* Empty lines at the end are the file's, not the message's. */
		for (; blanks > 0; blanks--)
			buf_add_text(&t->message, "\r\n");
		buf_add(&t->message, begin + inner, (size_t)(end - begin) - inner);
		buf_add_text(&t->message, "\r\n");
	}
	if (inner == 0)
		return conf_blame(r->fault, r->line.number, r->line.word[0].column,
		    "the name of a file, or the message itself indented below, is expected");
	/* A header alone: the empty line behind it went with those at the end. */
	if (memmem(t->message.bytes, t->message.len, "\r\n\r\n", 4) == NULL)
		buf_add_text(&t->message, "\r\n");
	t->inlined = true;
	return buf_ok(&t->message) || no_memory(r);
}

static bool take_message(struct reading *r)
{
	if (r->test.inlined || r->test.message_file != NULL)
		return conf_blame(
		    r->fault, r->line.number, r->line.word[0].column, "\"message\" is there twice");
	if (r->line.words == 1)
		return take_inline(r);
	return check_names(r) && set(r, &r->test.message_file, r->line.word[1].text);
}

/* ---- what is expected --------------------------------------------------------------------- */

struct function_word {
	const char *word;
	int function;
};

static const struct function_word function_words[] = {
#define X(name, word) {word, FUNCTION_##name},
    POLICY_FUNCTIONS(X)
#undef X
	{"keep", FUNCTION_FILES},
    {"zip", FUNCTION_FILES},
    {"link", FUNCTION_FILES},
    {"as", FUNCTION_FILES},
    {"add", FUNCTION_ADD_BCC},
};

/* Behind `word` and the blanks that follow it, if the text begins with it. */
static const char *behind(const char *text, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(text, word, len) != 0 || (text[len] != ' ' && text[len] != '\0'))
		return text;
	text += len;
	return text + strspn(text, " ");
}

const char *rule_test_bare(int function, const char *action)
{
	if (function == FUNCTION_ADD_BCC)
		return behind(behind(behind(action, "add-bcc"), "add"), "bcc");
	if (function == FUNCTION_FORWARD)
		return behind(behind(action, "forward"), "refused");
	return behind(action, policy_function_word((enum policy_function)function));
}

static struct rule_test_expect *new_expect(struct reading *r)
{
	struct rule_test *t = &r->test;
	struct rule_test_expect *e;

	if (t->expects == t->room) {
		size_t room = t->room == 0 ? 8 : 2 * t->room;
		struct rule_test_expect *more = t->expects < RULE_TEST_EXPECTS
						    ? reallocarray(t->expect, room, sizeof *more)
						    : NULL;

		if (more == NULL) {
			(void)no_memory(r);
			return NULL;
		}
		t->expect = more;
		t->room = room;
	}
	e = &t->expect[t->expects++];
	*e = (struct rule_test_expect){.line = r->line.number, .function = -1};
	e->said = joined(&r->line, 1, r->line.words);
	if (e->said == NULL)
		(void)no_memory(r);
	return e->said != NULL ? e : NULL;
}

/* "hold 60m [rule NAME]", "would hold 60m", "hold nothing", "nothing"; words from `at` on. */
static bool take_outcome(struct reading *r, struct rule_test_expect *e, size_t at)
{
	const struct line *line = &r->line;
	size_t last = line->words;
	const char *near;
	char *action;

	if (at < last && strcmp(line->word[at].text, "would") == 0) {
		e->would = true;
		at++;
	}
	if (last >= at + 3 && strcmp(line->word[last - 2].text, "rule") == 0) {
		e->rule = strdup(line->word[last - 1].text);
		if (e->rule == NULL)
			return no_memory(r);
		last -= 2;
	}
	if (at == last)
		return conf_blame(r->fault, line->number, line->word[line->words - 1].column,
		    "an action or \"nothing\" is expected behind this");
	if (strcmp(line->word[last - 1].text, "nothing") == 0) {
		e->kind = EXPECT_NOTHING;
		last--;
		if (at == last)
			return true;
	} else {
		e->kind = EXPECT_ACTION;
	}
	for (size_t i = 0; i < COUNT_OF(function_words); i++) {
		if (strcmp(function_words[i].word, line->word[at].text) == 0)
			e->function = function_words[i].function;
	}
	if (e->function < 0) {
		near = conf_near(line->word[at].text, function_words, COUNT_OF(function_words),
		    sizeof function_words[0]);
		return conf_blame(r->fault, line->number, line->word[at].column,
		    "\"%.40s\" begins no action%s%s", line->word[at].text,
		    near != NULL ? "; near: " : "", near != NULL ? near : "");
	}
	action = joined(line, at, last);
	e->action = action != NULL ? strdup(rule_test_bare(e->function, action)) : NULL;
	free(action);
	return e->action != NULL || no_memory(r);
}

static bool take_expect(struct reading *r)
{
	const struct line *line = &r->line;
	const char *first = line->word[1].text;
	struct rule_test_expect *e = new_expect(r);
	size_t most;

	if (e == NULL)
		return false;
	if (strcmp(first, "refused") == 0 || strcmp(first, "passed") == 0) {
		e->kind = first[0] == 'r' ? EXPECT_REFUSED : EXPECT_PASSED;
		most = e->kind == EXPECT_REFUSED ? 3 : 2;
		if (line->words > most)
			return conf_blame(r->fault, line->number, line->word[most].column,
			    "nothing more is expected here; the reason stands in quotes");
		e->action = strdup(line->words > 2 ? line->word[2].text : "");
		return e->action != NULL || no_memory(r);
	}
	if (strcmp(first, "all") != 0) {
		if (strchr(first, '@') == NULL)
			return conf_blame(r->fault, line->number, line->word[1].column,
			    "\"refused\", \"passed\", \"all\" or a recipient is expected");
		e->rcpt = strdup(first);
		if (e->rcpt == NULL)
			return no_memory(r);
	}
	return take_outcome(r, e, 2);
}

/* ---- a file ------------------------------------------------------------------------------- */

static const struct keyword {
	const char *word;
	bool (*take)(struct reading *r);
	size_t least, most; /* words, itself among them */
} keywords[] = {
    {"from", take_from, 2, 2},
    {"to", take_to, 2, WORDS_MAX},
    {"cc", take_cc, 2, WORDS_MAX},
    {"bcc", take_bcc, 2, WORDS_MAX},
    {"at", take_at, 2, 4},
    {"known", take_known, 2, WORDS_MAX},
    {"lookalike", take_lookalike, 2, WORDS_MAX},
    {"registered", take_registered, 1, 1},
    {"subject", take_subject, 2, 2},
    {"text", take_text, 2, 2},
    {"attach", take_attach, 2, WORDS_MAX},
    {"message", take_message, 1, 2},
    {"expect", take_expect, 2, WORDS_MAX},
};

static bool begin_test(struct reading *r)
{
	const struct line *line = &r->line;

	if (strcmp(line->word[0].text, "test") != 0)
		return conf_blame(r->fault, line->number, line->word[0].column,
		    "\"test\" and its name are expected; what belongs to a test is indented");
	if (line->words != 2)
		return conf_blame(
		    r->fault, line->number, line->word[0].column, "a test has a name of one word");
	if (!end_test(r))
		return false;
	r->test = (struct rule_test){.file = r->fault->file, .line = line->number};
	buf_init(&r->test.message, RULE_TEST_BYTES);
	r->test.name = strdup(line->word[1].text);
	r->open = true;
	return r->test.name != NULL || no_memory(r);
}

static bool take_line(struct reading *r)
{
	const struct line *line = &r->line;
	const char *near;

	if (line->words == 0)
		return true;
	if (line->indent == 0)
		return begin_test(r);
	if (!r->open)
		return conf_blame(r->fault, line->number, line->word[0].column,
		    "\"test\" and its name are expected before this, not indented");
	for (size_t i = 0; i < COUNT_OF(keywords); i++) {
		const struct keyword *k = &keywords[i];

		if (strcmp(k->word, line->word[0].text) != 0)
			continue;
		if (line->words < k->least)
			return conf_blame(r->fault, line->number, line->word[0].column,
			    "\"%s\" of what? Something is expected behind it", k->word);
		if (line->words > k->most)
			return conf_blame(r->fault, line->number, line->word[k->most].column,
			    "nothing more is expected behind \"%s\"", k->word);
		return k->take(r);
	}
	near = conf_near(line->word[0].text, keywords, COUNT_OF(keywords), sizeof keywords[0]);
	return conf_blame(r->fault, line->number, line->word[0].column,
	    "no line of a test begins with \"%.40s\"%s%s", line->word[0].text,
	    near != NULL ? "; near: " : "", near != NULL ? near : "");
}

bool rule_tests_read(const char *bytes, size_t len, const char *file, rule_test_see *see,
    void *context, struct conf_fault *fault)
{
	struct reading *r = calloc(1, sizeof *r);
	const char *begin, *end;
	bool good;

	*fault = (struct conf_fault){.line = 0};
	(void)snprintf(fault->file, sizeof fault->file, "%s", file);
	if (r == NULL)
		return conf_blame(fault, 0, 0, "no memory");
	*r = (struct reading){
	    .at = bytes, .end = bytes + len, .see = see, .context = context, .fault = fault};
	good = check_bytes(r, bytes, len);
	while (good && next_bytes(r, &begin, &end)) {
		r->line.number = r->number;
		good = split(r, begin, end) && take_line(r);
	}
	good = good && end_test(r);
	test_free(&r->test);
	free(r);
	return good;
}
