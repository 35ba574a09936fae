/* The rule language, word by word: sekisho-policy(5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/org/org.h"
#include "lib/rules/parse.h"
#include "lib/rules/show.h"

#define ARENA ((size_t)64 * 1024 * 1024)

/* What exists: everything but what begins with "no". */
static bool known(
    void *context, enum rule_name_kind kind, const char *name, char *near, size_t room)
{
	(void)context;
	if (strncmp(name, "no", 2) != 0)
		return true;
	(void)snprintf(near, room, "%s",
	    kind == RULE_NAME_GROUP && strcmp(name, "notemp") == 0 ? "temps (etc/groups:7)" : "");
	return false;
}

static bool show(void *context, const struct rule *rule, struct conf_fault *fault)
{
	struct buf *out = context;

	(void)fault;
	buf_addf(out, "%s%s|", rule->name, rule->shadow ? " shadow" : "");
	for (size_t i = 0; i < rule->conditions; i++) {
		rule_condition_show(&rule->condition[i], false, out);
		buf_add_text(out, "|");
	}
	for (size_t i = 0; i < rule->actions; i++)
		buf_addf(out, "do %s|", rule->action[i].written);
	return true;
}

static bool parse(const char *text, size_t len, enum policy_layer layer, rule_see *see,
    void *context, struct arena *arena, struct conf_fault *fault)
{
	struct rule_names names = {.known = known};

	return rules_parse(arena, text, len, "must/50-x", layer, NULL, &names, see, context, fault);
}

static void assert_shows(const char *text, const char *expected)
{
	struct arena *arena = arena_new(ARENA);
	struct conf_fault fault;
	struct buf out;
	char said[512] = "";

	buf_init(&out, 1024 * 1024);
	if (!parse(text, strlen(text), LAYER_MUST, show, &out, arena, &fault))
		conf_fault_show(&fault, said, sizeof said);
	assert_string_equal(said, "");
	buf_add(&out, "", 1);
	assert_true(buf_ok(&out));
	assert_string_equal(out.bytes, expected);
	buf_free(&out);
	arena_free(arena);
}

/* A condition alone, as it is shown. */
static void condition(const char *line, const char *shown)
{
	char text[1024], expected[1024];

	(void)snprintf(text, sizeof text, "rule r\n    %s\n    do archive\n", line);
	(void)snprintf(expected, sizeof expected, "r|%s|do archive|", shown);
	assert_shows(text, expected);
}

static void action(const char *line, const char *shown)
{
	char text[1024], expected[1024];

	(void)snprintf(text, sizeof text, "rule r\n    always\n    do %s\n", line);
	(void)snprintf(expected, sizeof expected, "r|always|do %s|", shown);
	assert_shows(text, expected);
}

static void assert_blames_in(
    enum policy_layer layer, const char *text, size_t len, const char *expected)
{
	struct arena *arena = arena_new(ARENA);
	struct conf_fault fault;
	struct buf out;
	char said[512];

	buf_init(&out, 1024 * 1024);
	assert_false(parse(text, len, layer, show, &out, arena, &fault));
	conf_fault_show(&fault, said, sizeof said);
	assert_string_equal(said, expected);
	buf_free(&out);
	arena_free(arena);
}

#define BLAMES(text, expected) assert_blames_in(LAYER_MUST, text, sizeof(text) - 1, expected)

/* Of one condition line, which stands in line 2 and begins in column 3. */
static void wrong(const char *line, const char *expected)
{
	char text[1024], said[1024];

	(void)snprintf(text, sizeof text, "rule r\n  %s\n  do archive\n", line);
	(void)snprintf(said, sizeof said, "must/50-x:2:%s", expected);
	assert_blames_in(LAYER_MUST, text, strlen(text), said);
}

static void wrong_do(const char *line, const char *expected)
{
	char text[1024];

	(void)snprintf(text, sizeof text, "do %s", line);
	wrong(text, expected);
}

/* ---- what is read ---- */

static void layout(void **state)
{
	(void)state;
	assert_shows("", "");
	assert_shows("# nothing\n\n   # nothing\n", "");
	assert_shows("rule a # the first\n\talways # c\n\tdo hold no\n\n#x\nrule b-1._x shadow\n\n"
		     " to external\n\n unless file any\n do  bcc   all # x\n",
	    "a|always|do hold no|b-1._x shadow|to external|unless file any|do bcc all|");
}

static void people(void **state)
{
	(void)state;
	condition("from group sales", "from group sales");
	condition("from list machines, <>", "from list machines, <>");
	condition("from not group a , boss,any", "from not group a, boss, any");
	condition("from mismatched", "from mismatched");
	condition("unless from unregistered", "unless from unregistered");
	condition("to Alice@EXAMPLE.jp, @B.Example, @.Example.COM",
	    "to alice@example.jp, @b.example, @.example.com");
	condition("to \"Alice\"@例え.jp", "to alice@xn--r8jz45g.jp");
	condition("to \"a b\"@x.jp, \"a\\\"b\"@x.jp", "to \"a b\"@x.jp, \"a\\\"b\"@x.jp");
	condition("to not partner", "to not partner");
	condition("to internal, affiliated, external", "to internal, affiliated, external");
	condition("to first-time, first-time for site, first-time for group, lookalike",
	    "to first-time, first-time for site, first-time for group, lookalike");
	condition("to table destinations, tls >= starttls, tls = dane",
	    "to table destinations, tls >= starttls, tls = dane");
	condition("header Cc not boss", "header cc not boss");
	condition("header Reply-To any", "header reply-to any");
	condition("header To not sender, group g", "header to not sender, group g");
}

static void content(void **state)
{
	(void)state;
	condition("header Subject \"a\", \"b\"", "header subject \"a\", \"b\"");
	condition("header X-Spam not \"yes\"", "header x-spam not \"yes\"");
	condition("header From \"鈴木\"", "header from \"鈴木\"");
	condition("header Subject list ng, \"b\"", "words list ng, \"b\" in subject");
	condition("visible >= 5", "visible >= 5");
	condition("visible external>=5", "visible external >= 5");
	condition("recipients internal < 3", "recipients internal < 3");
	condition("hidden = 0", "hidden = 0");
	condition("companies > 1", "companies > 1");
	condition("file any", "file any");
	condition("file name *.doc,*.tar.gz, \"見積 1.pdf\" size >= 2KB not encrypted nameless",
	    "file name \"*.doc\", \"*.tar.gz\", \"見積 1.pdf\" size >= 2048B not encrypted "
	    "nameless");
	condition("file name not *.txt", "file name not \"*.txt\"");
	condition("file type not as-named inspectable", "file type not as-named inspectable");
	condition("files >= 3", "files >= 3");
	condition("files size > 2MB", "files size > 2097152B");
	condition("message size <= 1GB", "message size <= 1073741824B");
	condition("words \"見積書\"   in subject, body", "words \"見積書\" in subject, body");
	condition("words not list ng, \"x \\\" \\\\\" >= 3 in subject,body,names,files",
	    "words not list ng, \"x \\\" \\\\\" >= 3");
	condition("regex \"\\d{3}-\\\\d\" > 2 in body", "regex \"\\\\d{3}-\\\\d\" > 2 in body");
	condition("pii card >= 1, name >= 10 in files", "pii card >= 1, name >= 10 in files");
	condition("pii mynumber = 0", "pii mynumber = 0");
	condition("company other in body, names", "company other in body, names");
	condition("company none", "company none");
	condition("message not signed", "message not signed");
	condition("message virus", "message virus");
}

static void times(void **state)
{
	(void)state;
	condition("when 19:00-09:30", "when 19:00-09:30");
	condition("when not Sat-Sun, holiday, workday", "when not Sat-Sun, holiday, workday");
	condition("when Mon", "when Mon");
	condition("when Fri-Mon 00:00-24:00", "when Fri-Mon 00:00-24:00");
	condition("when Tue-Mon", "when Sun-Sat");
	condition("when 22:00-07:00, Sat-Sun, holiday", "when 22:00-07:00, Sat-Sun, holiday");
	condition("when workday 09:00-18:00", "when workday 09:00-18:00");
}

static void actions(void **state)
{
	static const char *const same[] = {"refuse no", "refuse \"理由: \\\"a\\\"\"",
	    "bounce sender", "bounce nobody", "approve no", "approve by boss", "approve by a@x.jp",
	    "approve by any of group g then 2 of group h then boss", "hold no", "hold 90s",
	    "hold 5m", "hold 60m", "hold 2h", "hold 1d", "hold 1w", "hold 30m else discard",
	    "hold until 09:00", "hold until 09:00 workday", "hold until 09:00 workday else discard",
	    "hold until confirmed", "hold until checked else discard", "hold for operator", "keep",
	    "zip", "zip aes", "zip zipcrypto twice as .zi_", "link", "link for 7d times 5",
	    "link times 5 for 7d", "as table destinations", "password random-10", "bcc no",
	    "bcc external", "bcc all", "bcc each", "stagger no", "stagger 60m", "tls starttls",
	    "tls verified else hold", "tls dane else link", "notice never", "notice digest",
	    "notice risky", "notice always", "sign example.jp", "route partner", "add bcc boss",
	    "add bcc group audit", "add bcc a@x.jp", "insert top teikei", "insert end b.txt",
	    "insert end history", "forward refused a@x.jp", "copy a@x.jp", "archive"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(same); i++)
		action(same[i], same[i]);
	action("refuse   \"a  b\" # c", "refuse \"a  b\"");
}

static bool keep_first(void *context, const struct rule *rule, struct conf_fault *fault)
{
	const struct rule **kept = context;

	(void)fault;
	*kept = rule;
	return true;
}

static void values(void **state)
{
	static const char text[] = "rule r\n  always\n  do approve by 2 of group g then boss\n"
				   "  do hold until 09:05 workday else discard\n"
				   "  do zip zipcrypto twice as .zi_\n  do stagger 1w\n"
				   "  do tls sts else link\n  do sign EXAMPLE.jp\n"
				   "  do forward refused A@X.jp\n  do link for 7d times 5\n";
	struct arena *arena = arena_new(ARENA);
	const struct rule *rule = NULL;
	const struct rule_action *a;
	struct conf_fault fault;

	(void)state;
	/* Up to the last line, which decides files a second time. */
	assert_true(parse(text, sizeof text - 1 - strlen("  do link for 7d times 5\n"), LAYER_MUST,
	    keep_first, &rule, arena, &fault));
	a = rule->action;
	assert_int_equal(rule->line, 1);
	assert_string_equal(rule->file, "must/50-x");
	assert_true(a[0].yes);
	assert_int_equal(a[0].approvers, 2);
	assert_int_equal(a[0].approver[0].n, 2);
	assert_int_equal(a[0].approver[1].kind, APPROVER_BOSS);
	assert_int_equal(a[1].minute, 9 * 60 + 5);
	assert_true(a[1].workday && a[1].discard && a[1].hold == HOLD_UNTIL);
	assert_true(a[2].twice && a[2].zip == ZIP_CRYPTO && a[2].files == FILES_ZIP);
	assert_string_equal(a[2].suffix, ".zi_");
	assert_true(a[3].span == INT64_C(7) * 86400 * 1000000 && a[3].yes);
	assert_true(a[4].tls == LEVEL_STS && a[4].otherwise == ELSE_LINK);
	assert_string_equal(a[5].text, "example.jp");
	assert_string_equal(a[6].who.text, "a@x.jp");
	arena_free(arena);
}

/* One normal form of addresses in the whole project. */
static void addresses_as_the_organisation_has_them(void **state)
{
	static const char *const all[] = {"A.b@X.JP", "\"a\"@x.jp", "\"a b\"@x.jp",
	    "\"a\\\\b\"@x.jp", "\"x@y\"@z.jp", "あ@例え.jp", "a+b=c@[192.0.2.1]", "a@x.jp."};
	struct conf_fault fault;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		struct arena *arena = arena_new(ARENA);
		const struct rule *rule = NULL;
		char text[256], normal[ORG_ADDRESS_MAX];

		(void)snprintf(text, sizeof text, "rule r\n to %s\n do archive\n", all[i]);
		assert_true(
		    parse(text, strlen(text), LAYER_MUST, keep_first, &rule, arena, &fault));
		assert_true(org_normal(all[i], normal));
		assert_string_equal(rule->condition[0].who[0].text, normal);
		arena_free(arena);
	}
}

/* ---- what is wrong ---- */

static void wrong_layout(void **state)
{
	(void)state;
	BLAMES("rule r",
	    "must/50-x:1: the last line does not end in a newline: is the file half-written?");
	BLAMES(
	    "\xef\xbb\xbfrule r\n", "must/50-x:1:1: a byte order mark: save the file without it");
	BLAMES("rule r\r\n",
	    "must/50-x:1:7: a carriage return: lines end in a newline alone, save the file so");
	BLAMES("rule r\n a\001\n", "must/50-x:2:3: a control character (byte 0x01)");
	BLAMES("rule r\n a\0\n", "must/50-x:2:3: a control character (byte 0x00)");
	BLAMES("rule r\n words \"\xff\"\n", "must/50-x:2:9: this is not UTF-8");
	BLAMES("rule r\n words \"\t\"\n", "must/50-x:2:9: a control character (byte 0x09)");
	BLAMES("rule r\n to\xe3\x80\x80"
	       "external\n",
	    "must/50-x:2:4: \"\xe3\x80\x80\": use a plain blank");
	BLAMES("rule r\n to internal\xe3\x80\x81 external\n",
	    "must/50-x:2:13: \"、\": use a plain comma");
	BLAMES(" always\n", "must/50-x:1:2: no rule begins before this line: rule NAME");
	BLAMES("rule r\nto external\n", "must/50-x:2:1: a line of a rule begins with a blank");
	BLAMES("rle r\n", "must/50-x:1:1: expected rule and its name, not \"rle\": rule?");
	BLAMES("rule r\n rule s\n", "must/50-x:2:2: \"rule\" begins a line: no blanks before it");
	BLAMES("rule\n", "must/50-x:1:5: expected the name of a rule here");
	BLAMES("rule \"a\"\n", "must/50-x:1:6: the name of a rule is written without quotes");
	BLAMES("rule a/b\n", "must/50-x:1:6: \"a/b\" cannot be the name of a rule: letters A to Z, "
			     "digits, - _ . and at most 64 of them");
	BLAMES("rule .a\n", "must/50-x:1:6: \".a\" cannot be the name of a rule: letters A to Z, "
			    "digits, - _ . and at most 64 of them");
	BLAMES("rule a shadw\n",
	    "must/50-x:1:8: expected shadow, or the end of the line, not \"shadw\": shadow?");
	BLAMES("rule r\n always\n\nrule s\n always\n do archive\n",
	    "must/50-x:1: rule \"r\" has no \"do\" line");
	BLAMES("rule r\n always\n", "must/50-x:1: rule \"r\" has no \"do\" line");
	BLAMES("rule r\n do archive\nrule s\n do archive\nrule r\n do archive\n",
	    "must/50-x:5:6: rule \"r\" stands in line 1 already");
	wrong("words \"a", "9: the quote is not closed in this line");
	wrong("words a\"b\"", "10: a quote within a word: is a blank missing before it?");
	wrong("words \"a\"b", "12: expected a blank or a comma behind the quote");
	wrong("words \"a\\d\"", "11: a backslash stands before \" and \\ alone: write it twice");
}

static void wrong_conditions(void **state)
{
	(void)state;
	wrong("form group a", "3: expected a condition, unless or do, not \"form\": from?");
	wrong("unless do archive", "10: \"unless\" stands before a condition: it cancels the rule");
	wrong("unless always", "16: \"unless always\" would cancel the rule for ever");
	wrong("not to external", "3: \"not\" cannot stand here; a condition follows \"unless\"");
	wrong("hold 60m", "3: \"hold\" is an action: do hold?");
	wrong("always so", "10: nothing more is expected here, not \"so\"");
	wrong("to", "5: expected an address, @domain, a class of recipients, group, list, partner, "
		    "first-time ... here");
	wrong("to exernal", "6: expected an address, @domain, a class of recipients, group, list, "
			    "partner, first-time ..., not \"exernal\": external?");
	wrong("to internal, not external",
	    "16: \"not\" stands once, before the list: it turns all of it round");
	wrong("from external", "8: \"external\" speaks of a recipient: it stands behind \"to\"");
	wrong("from boss, mismatched", "14: \"mismatched\" stands alone, behind \"from\"");
	wrong("from group notemp", "14: no group \"notemp\"; near: temps (etc/groups:7)");
	wrong("from list nolist", "13: no list \"nolist\" in etc/lists");
	wrong("words list nowords", "14: no list of words \"nowords\" in etc/words");
	wrong("to table notable", "12: no table \"notable\" in etc/tables");
	wrong("to *@x.jp", "6: write @x.jp for all of a domain");
	wrong("to @*.x.jp", "6: write @example.jp for a domain, @.example.jp for all below it");
	wrong("to a@b@x.jp", "6: \"a@b@x.jp\" cannot be an address");
	wrong("to @", "6: \"\" cannot be a domain");
	wrong("to a@x..jp", "6: \"x..jp\" cannot be a domain");
	wrong("to <a@x.jp>", "6: addresses are written without < and >");
	wrong("to tls > dane", "10: this never holds");
	wrong("to tls <= dane", "10: this always holds");
	wrong("to tls >= start", "13: expected starttls, verified, sts or dane, not \"start\"");
	wrong("to first-time for all", "21: expected group or site, not \"all\"");
	wrong("header Subject: \"a\"", "10: the name of a field is written without its colon");
	wrong("header X-A list ng",
	    "10: a list of words is looked for in subject, body, names and files, not in x-a");
	wrong("header Cc <>", "13: <> is a sender of the envelope: it stands in no header");
	wrong("visible external 5", "20: expected >=, >, <=, < or =, not \"5\"");
	wrong("visible >= x", "14: expected a number, not \"x\"");
	wrong("visible < 0", "11: nothing is less than 0: this can never hold");
	wrong("visible >= 0", "11: everything is 0 or more: this always holds");
	wrong("visible >= 99999999999999999999",
	    "14: expected a number, not \"99999999999999999999\"");
	wrong("files size >= 2", "17: \"2\" needs a unit: 2MB?");
	wrong("files size >= 2mb", "17: expected a size as 2MB (B, KB, MB, GB), not \"2mb\"");
	wrong("file",
	    "7: expected any, name, size, nameless, encrypted, inspectable or type as-named here");
	wrong("file not any", "12: mail without a file: unless file any");
	wrong("file any encrypted", "12: nothing more is expected here, not \"encrypted\"");
	wrong("file name .doc", "13: \".doc\" is a whole name: *.doc?");
	wrong("file name a/b", "13: names of files have no folders: no / stands in them");
	wrong("file encryptd", "8: expected any, name, size, nameless, encrypted, inspectable or "
			       "type as-named, not \"encryptd\": encrypted?");
	wrong("words x", "9: expected a text in quotes, or list NAME, not \"x\"");
	wrong("words \"\"", "9: there is nothing between the quotes");
	wrong("words \"x\" in heder", "16: expected subject, body, names or files, not \"heder\"");
	wrong("regex \"(\"",
	    "9: the expression is wrong at its letter 1: missing closing parenthesis");
	wrong("regex not \"x\"", "9: mail without such a text: unless regex \"...\"");
	wrong("pii cards >= 1", "7: expected card, mynumber, corporate, phone, address, mail or "
				"name, not \"cards\": card?");
	wrong("company", "10: expected other or none here");
	wrong("message siez > 1MB",
	    "11: expected size, uninspectable, ambiguous, virus, signed, encrypted, automatic, "
	    "reply or promises-file, not \"siez\": size?");
}

static void wrong_times(void **state)
{
	(void)state;
	wrong("when 19:00", "8: expected from when to when, as 19:00-09:30, not \"19:00\"");
	wrong("when 25:00-26:00", "8: there is no time 25:00 here");
	wrong("when 09:60-10:00", "8: there is no time 09:60 here");
	wrong("when 24:00-10:00", "8: there is no time 24:00 here");
	wrong("when 23:00-24:01", "8: there is no time 24:01 here");
	wrong("when 9:00-18:00", "8: a time has four digits: 09:00?");
	wrong("when 09:00-09:00", "8: this span is empty; all of a day is 00:00-24:00");
	wrong("when Mond", "8: expected a time as 19:00-09:30, a day (Mon), days (Mon-Fri), "
			   "holiday or workday, not \"Mond\": Mon?");
	wrong("when Mon-Xyz", "8: expected a time as 19:00-09:30, a day (Mon), days (Mon-Fri), "
			      "holiday or workday, not \"Mon-Xyz\"");
	wrong("when", "7: expected a time as 19:00-09:30, a day, holiday or workday here");
}

static void wrong_actions(void **state)
{
	(void)state;
	wrong_do("holdd 60m", "6: expected an action, not \"holdd\": hold?");
	wrong_do("", "5: expected an action here");
	wrong_do("to external", "6: \"to\" is a condition: it stands without \"do\"");
	wrong_do("hold 60", "11: \"60\" needs a unit: 60m?");
	wrong_do("hold 60x", "11: expected a time as 60m (s, m, h, d, w), not \"60x\"");
	wrong_do("hold 0m", "11: no time at all: say so by \"no\"");
	wrong_do("hold 367d", "11: longer than 366 days");
	wrong_do("hold for 5m", "15: a time stands without \"for\": hold 5m?");
	wrong_do("hold until 24:00", "17: there is no time 24:00 here");
	wrong_do("hold until chekced",
	    "17: expected a time as 09:00, confirmed or checked, not \"chekced\": checked?");
	wrong_do("hold no else discard",
	    "14: this hold does not end by itself: nothing else comes of it");
	wrong_do("hold for operator else discard",
	    "24: this hold does not end by itself: nothing else comes of it");
	wrong_do("hold 5m else", "18: expected discard here");
	wrong_do("refuse", "12: expected no, or why it is refused, in quotes here");
	wrong_do("refuse why", "13: expected no, or why it is refused, in quotes, not \"why\"");
	wrong_do("approve by group g", "17: how many of the group: any of group NAME?");
	wrong_do("approve by sender", "17: nobody approves his own mail");
	wrong_do("approve by 0 of group g", "17: a number from 1 to 100 can stand here");
	wrong_do("approve by any of group nogroup", "30: no group \"nogroup\" in etc/groups");
	wrong_do("approve by bss", "17: expected boss, an address, \"any of group NAME\" or \"2 of "
				   "group NAME\", not \"bss\": boss?");
	wrong_do("zip aes zipcrypto", "14: \"zipcrypto\" was said already");
	wrong_do("zip as zip", "13: \"zip\" cannot be an extension: .zi_?");
	wrong_do("link for 7d for 7d", "18: \"for\" was said already");
	wrong_do("link times 0", "17: a number from 1 to 1000000 can stand here");
	wrong_do("password nopolicy", "15: no password policy \"nopolicy\" in etc/passwords");
	wrong_do("insert top notext", "17: no text \"notext\" in etc/texts");
	wrong_do("insert top history", "17: the history stands at the end: insert end history");
	wrong_do("bcc al", "10: expected no, external, all or each, not \"al\": all?");
	wrong_do("tls none", "10: expected starttls, verified, sts or dane, not \"none\": dane?");
	wrong_do("add boss", "10: expected bcc and an address, not \"boss\"");
	wrong_do("forward refused group g", "22: an address is expected: one that is always there");
	wrong_do("forward refused boss", "22: an address is expected: one that is always there");
	wrong_do("sign x..jp", "11: \"x..jp\" cannot be a domain");
	wrong_do("bcc all, each", "13: no list can stand here");
	BLAMES("rule r\n do hold 5m\n do hold 60m\n",
	    "must/50-x:3:5: line 2 of this rule decides hold already: \"hold 5m\"");
	BLAMES("rule r\n do zip\n do link\n",
	    "must/50-x:3:5: line 2 of this rule decides files already: \"zip\"");
}

/* S0-34: only administrators refuse. */
static void only_administrators_refuse(void **state)
{
	static const char *const lines[] = {
	    "refuse \"x\"", "refuse no", "bounce nobody", "forward refused a@x.jp"};
	static const char *const words[] = {"refuse", "refuse", "bounce", "forward"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		char text[128], said[256];

		(void)snprintf(text, sizeof text, "rule r\n always\n do %s\n", lines[i]);
		(void)snprintf(said, sizeof said,
		    "must/50-x:3:5: \"%s\" is for administrators: no user's file has it", words[i]);
		assert_blames_in(LAYER_USER, text, strlen(text), said);
		action(lines[i], lines[i]);
	}
}

/* ---- bounds: each is an error, none is silent ---- */

static void bounds(void **state)
{
	size_t room = RULE_FILE_MAX + 2;
	char *text = malloc(room);
	size_t used = 0;

	(void)state;
	assert_non_null(text);
	memset(text, '#', room);
	text[room - 1] = '\n';
	assert_blames_in(LAYER_MUST, text, room, "must/50-x: is larger than 1024 KB");

	memset(text, ' ', room);
	text[RULE_LINE_MAX + 1] = '\n';
	assert_blames_in(
	    LAYER_MUST, text, RULE_LINE_MAX + 2, "must/50-x:1: the line is longer than 8192 bytes");

	used = (size_t)sprintf(text, "rule r\n to ");
	for (size_t i = 0; i < 4000; i++)
		text[used++] = ',';
	text[used++] = '\n';
	assert_blames_in(
	    LAYER_MUST, text, used, "must/50-x:2:2052: more than 2048 words in a line");

	used = (size_t)sprintf(text, "rule r\n");
	for (size_t i = 0; i < 101; i++)
		used += (size_t)sprintf(text + used, " always\n");
	assert_blames_in(
	    LAYER_MUST, text, used, "must/50-x:102: more than 100 conditions in a rule");

	used = (size_t)sprintf(text, "rule r\n");
	for (size_t i = 0; i < 51; i++)
		used += (size_t)sprintf(text + used, " do archive\n");
	assert_blames_in(LAYER_MUST, text, used, "must/50-x:52: more than 50 actions in a rule");

	used = 0;
	for (size_t i = 0; i < 10001; i++)
		used += (size_t)sprintf(text + used, "rule r%zu\n do archive\n", i);
	assert_blames_in(LAYER_MUST, text, used, "must/50-x:20001: more than 10000 rules");
	free(text);
}

static void rows_of_tables(void **state)
{
	static const char text[] = "zip as .zi_; password  fixed-a";
	struct arena *arena = arena_new(ARENA);
	struct rule_action actions[2];
	struct conf_fault fault;
	char said[512];
	size_t n;
	struct {
		const char *text, *said;
	} bad[] = {
	    {"", "tables/t:7:20: expected keep, zip, link or password here"},
	    {"zip;", "tables/t:7:24: expected keep, zip, link or password here"},
	    {"zip; link", "tables/t:7:25: this row decides files already: \"zip\""},
	    {"hold 5m", "tables/t:7:20: expected keep, zip, link or password, not \"hold\""},
	    {"zip aes, as .x", "tables/t:7:27: no list can stand here"},
	    {"as table x", "tables/t:7:20: expected keep, zip, link or password, not \"as\""},
	    {"password nono", "tables/t:7:29: no password policy \"nono\" in etc/passwords"},
	    {"zip; password a; password b", "tables/t:7:37: more than 2 actions in a row"},
	};
	struct rule_names names = {.known = known};

	(void)state;
	assert_true(rule_row_parse(arena, text, sizeof text - 1, "tables/t", 7, 20, &names, actions,
	    COUNT_OF(actions), &n, &fault));
	assert_int_equal(n, 2);
	assert_string_equal(actions[0].written, "zip as .zi_");
	assert_string_equal(actions[1].written, "password fixed-a");
	assert_int_equal(actions[1].column, 33);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_false(rule_row_parse(arena, bad[i].text, strlen(bad[i].text), "tables/t", 7,
		    20, &names, actions, COUNT_OF(actions), &n, &fault));
		conf_fault_show(&fault, said, sizeof said);
		assert_string_equal(said, bad[i].said);
	}
	arena_free(arena);
}

/* An arena that is full says so, and nothing is half there. */
static void no_memory(void **state)
{
	static const char text[] = "rule r\n to external, a@x.jp\n do refuse \"x\"\n";
	bool fine = false;

	(void)state;
	for (size_t bound = 1; !fine; bound += 64) {
		struct arena *arena = arena_new(bound);
		struct conf_fault fault;
		struct buf out;

		buf_init(&out, 4096);
		fine = parse(text, sizeof text - 1, LAYER_MUST, show, &out, arena, &fault);
		if (!fine)
			assert_string_equal(fault.text, "there is no memory for so many rules");
		assert_true(fine == (out.len > 0));
		buf_free(&out);
		arena_free(arena);
		assert_true(bound < 65536);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(layout),
	    cmocka_unit_test(people),
	    cmocka_unit_test(content),
	    cmocka_unit_test(times),
	    cmocka_unit_test(actions),
	    cmocka_unit_test(values),
	    cmocka_unit_test(addresses_as_the_organisation_has_them),
	    cmocka_unit_test(wrong_layout),
	    cmocka_unit_test(wrong_conditions),
	    cmocka_unit_test(wrong_times),
	    cmocka_unit_test(wrong_actions),
	    cmocka_unit_test(only_administrators_refuse),
	    cmocka_unit_test(bounds),
	    cmocka_unit_test(rows_of_tables),
	    cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
