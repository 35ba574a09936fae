/* The pages of one mail: words, sentences, values, and that nothing of a mail gets into a page but as text. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/zone.h"
#include "lib/web/pages_mail.h"
#include "lib/web/web.h"

struct kit {
	struct web web;
	struct settings settings;
	struct web_request request;
	struct page page;
};

static struct kit *kit_new(void)
{
	struct kit *k = calloc(1, sizeof *k);

	assert_non_null(k);
	assert_true(zone_set("Asia/Tokyo"));
	k->request.method = WEB_GET;
	k->page = (struct page){.web = &k->web,
	    .settings = &k->settings,
	    .request = &k->request,
	    .lang = "en",
	    .file = -1,
	    .values = json_object()};
	return k;
}

static void kit_free(struct kit *k)
{
	json_decref(k->page.values);
	free(k);
}

static json_t *of(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	return json;
}

static const char *ended(struct buf *b)
{
	buf_add(b, "", 1);
	assert_true(buf_ok(b));
	return b->bytes;
}

/* ---- words ---------------------------------------------------------------------------------- */

static void phrases_put_values_in_their_places(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	kit_phrase(&b, "{a} and {b}, {a}; {c} {", "a", "1", "b", "{a}", NULL);
	assert_string_equal(ended(&b), "1 and {a}, 1; {c} {");
	buf_clear(&b);
	kit_phrase(&b, "nothing", NULL);
	assert_string_equal(ended(&b), "nothing");
	buf_free(&b);
}

static void outcomes_are_said_as_people_do(void **state)
{
	static const struct {
		const char *outcome, *said;
	} cases[] = {{"5m", "5 minutes"}, {"1h", "1 hour"}, {"1d", "1 day"}, {"90s", "90 seconds"},
	    {"", ""}, {"5x", "5x"}, {"m", "m"}, {"99999999999m", "99999999999m"},
	    {"by boss", "by the boss"},
	    {"by any of group staff", "by somebody of the group “staff”"},
	    {"by 2 of group staff", "by 2 of the group “staff”"}, {"by a@x", "by a@x"},
	    {"until 18:00", "until 18:00"}, {"zip", "as an encrypted ZIP"}};
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		buf_init(&b, 4096);
		mail_outcome(&b, cases[i].outcome);
		assert_string_equal(ended(&b), cases[i].said);
		buf_free(&b);
	}
}

static void only_words_of_act_are_done(void **state)
{
	static const char *const words[] = {"release", "check", "discard", "restore", "remove",
	    "extend", "approve", "reject", "return", "urgent"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(words); i++)
		assert_non_null(mail_done(words[i]));
	assert_null(mail_done("list"));
	assert_null(mail_done(""));
	assert_string_equal(mail_reason("voted"), "You have decided about this mail already.");
	assert_string_equal(mail_reason("<x>"), "That is not possible just now.");
}

/* Each form that seki-scan writes, and what only looks like one. */
static void evidence_is_words(void **state)
{
	static const struct {
		const char *written, *said;
	} cases[] = {{"", ""}, {"promises-file", "the text speaks of a file, and none is attached"},
	    {"first mail to him, visible external 12",
		"the first mail to this address, 12 addresses outside in To and Cc"},
	    {"card 14 (4111…, 5500… …) in body, files",
		"credit card numbers: 14 (4111…, 5500… …) (in the text) (in the files)"},
	    {"phone 3 in 名簿.xlsx", "telephone numbers: 3 (in 名簿.xlsx)"},
	    {"files 3.1 MB", "attachments: 3.1 MB"}, {"files 2", "attachments: 2"},
	    {"files", "files"},
	    {"looks like sato@alpha.example (tld)",
		"it looks like sato@alpha.example (the ending of the domain differs)"},
	    {"company (Alpha, Beta)", "another company is named (Alpha, Beta)"},
	    {"the sender is not registered, Mon 09:12",
		"its sender is not registered, on Monday at 09:12"},
	    {"社外秘 2 in subject", "社外秘 2 in subject"},
	    {"name.txt, card.pdf", "name.txt, card.pdf"}, {"card x", "card x"},
	    {"card 1x", "card 1x"}, {"card ", "card "}, {"((((a, b", "((((a, b"},
	    {"a), b", "a), b"}, {"Mon 9", "Mon 9"}};
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		buf_init(&b, 4096);
		mail_evidence(&b, cases[i].written);
		assert_string_equal(ended(&b), cases[i].said);
		buf_free(&b);
	}
}

/* ---- history -------------------------------------------------------------------------------- */

static void records_are_sentences(void **state)
{
	static const struct {
		const char *record, *said;
	} cases[] = {
	    {"{\"what\":\"held\",\"ended\":\"released\",\"by\":\"a@x\"}", "Sent on by a@x."},
	    {"{\"what\":\"held\",\"ended\":\"released\",\"by\":\"me@x\"}", "Sent on by you."},
	    {"{\"what\":\"held\",\"ended\":\"at-once\"}", ""},
	    {"{\"what\":\"discarded\",\"by\":\"root\",\"via\":\"shell\"}",
		"Discarded by an administrator."},
	    {"{\"what\":\"discarded\",\"by\":\"a@x\",\"cause\":\"rejected\",\"comment\":\"no\"}",
		"Rejected by a@x. “no”"},
	    {"{\"what\":\"vote\",\"say\":\"yes\",\"by\":\"a@x\",\"for\":\"b@x\"}",
		"a@x said yes, for b@x."},
	    {"{\"what\":\"vote\",\"by\":\"a@x\"}", "Approved by a@x."},
	    {"{\"what\":\"held\",\"by\":\"a@x\"}", "Sent on by a@x."},
	    {"{\"what\":\"delivered\",\"rcpt\":\"1,3-4\"}", "Delivered to r1@x, r3@x, r4@x."},
	    {"{\"what\":\"delivered\",\"rcpt\":\"1-9\"}", "Delivered to r1@x, r2@x, r3@x …."},
	    {"{\"what\":\"delivered\",\"rcpt\":\"-1,x\"}", "Delivered to ."},
	    {"{\"what\":\"extended\",\"until\":\"2026-11-23T09:00:00.000000Z\",\"by\":\"a@x\"}",
		"Held until Mon 23 Nov 18:00, by a@x."},
	    {"{\"what\":\"restored\",\"by\":\"division\"}", ""},
	    {"{\"what\":\"noticed\",\"to\":\"a@x\",\"notice\":\"none\"}", ""},
	    {"{\"what\":\"sealed\"}", ""},
	    {"{\"what\":\"of a later version\"}", ""},
	};
	struct kit *k = kit_new();
	json_t *leg = of("{\"recipients\":[{\"address\":\"r1@x\"},{\"address\":\"r2@x\"},"
			 "{\"address\":\"r3@x\"},{\"address\":\"r4@x\"}]}");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		json_t *record = of(cases[i].record);
		struct buf b;

		buf_init(&b, 4096);
		mail_record(&k->page, record, leg, "me@x", &b);
		assert_string_equal(ended(&b), cases[i].said);
		buf_free(&b);
		json_decref(record);
	}
	json_decref(leg);
	kit_free(k);
}

static void what_all_legs_say_stands_there_once(void **state)
{
	struct kit *k = kit_new();
	json_t *legs = of(
	    "[{\"history\":[{\"what\":\"extended\",\"at\":\"2026-11-23T09:00:01.000000Z\",\"by\":"
	    "\"a@x\",\"until\":\"2026-11-23T10:00:00.000000Z\"},{\"what\":\"restored\",\"by\":"
	    "\"a@x\",\"at\":\"2026-11-23T08:00:00.000000Z\"}]},{\"history\":[{\"what\":"
	    "\"extended\",\"at\":\"2026-11-23T09:00:02.000000Z\",\"by\":\"a@x\",\"until\":"
	    "\"2026-11-23T10:00:00.000000Z\"}]}]");
	bool more = true;
	json_t *list = mail_history(&k->page, legs, "", &more);

	(void)state;
	assert_false(more);
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(kit_text(json_array_get(list, 0), "text"), "Brought back by a@x.");
	assert_string_equal(kit_text(json_array_get(list, 0), "at"), "Mon 23 Nov 17:00");
	json_decref(list);
	json_decref(legs);
	kit_free(k);
}

/* Of many records, leg by leg, the newest are told, whatever leg they are of; and that there are others. */
static void of_a_long_history_the_newest_is_told(void **state)
{
	struct kit *k = kit_new();
	json_t *legs = json_array(), *list;
	bool more = false;

	(void)state;
	for (int n = 0; n < 3; n++) {
		json_t *leg = json_object(), *history = json_array();

		for (int i = 0; i < 300; i++) {
			char at[CLOCK_TEXT], by[32];
			json_t *record = json_object();

			clock_format(((int64_t)1795000000 + n + i * 60) * CLOCK_SECOND, at);
			(void)snprintf(by, sizeof by, "%d.%d@x", n, i);
			(void)json_object_set_new(record, "what", json_string("restored"));
			(void)json_object_set_new(record, "at", json_string(at));
			(void)json_object_set_new(record, "by", json_string(by));
			(void)json_array_append_new(history, record);
		}
		(void)json_object_set_new(leg, "history", history);
		(void)json_array_append_new(legs, leg);
	}
	list = mail_history(&k->page, legs, "", &more);
	assert_true(more);
	assert_int_equal(json_array_size(list), 400);
	assert_string_equal(
	    kit_text(json_array_get(list, 399), "text"), "Brought back by 2.299@x.");
	assert_string_equal(
	    kit_text(json_array_get(list, 397), "text"), "Brought back by 0.299@x.");
	assert_string_equal(kit_text(json_array_get(list, 0), "text"), "Brought back by 2.166@x.");
	json_decref(list);
	json_decref(legs);
	kit_free(k);
}

/* ---- times ---------------------------------------------------------------------------------- */

static void longer_is_behind_its_end_and_behind_now(void **state)
{
	int64_t now = clock_wall(), until;
	char end[CLOCK_TEXT];
	json_t *list;
	const char *text;
	struct page page = {.lang = "en"};
	const json_t *one;
	size_t i;

	(void)state;
	assert_true(zone_set("Asia/Tokyo"));
	clock_format(now + 7200 * CLOCK_SECOND, end);
	list = mail_longer(&page, end, "");
	text = kit_text(json_array_get(list, 0), "until");
	assert_int_equal(
	    clock_parse(text, strlen(text)), clock_parse(end, strlen(end)) + 600 * CLOCK_SECOND);
	json_decref(list);

	/* A time that has passed, and none: from now on. */
	list = mail_longer(&page, "", "");
	text = kit_text(json_array_get(list, 1), "until");
	until = clock_parse(text, strlen(text));
	assert_true(until >= now + 3600 * CLOCK_SECOND && until < now + 3660 * CLOCK_SECOND);

	/* Nine o'clock of Tokyo is midnight in UTC. */
	assert_int_equal(json_array_size(list), 3);
	text = kit_text(json_array_get(list, 2), "until");
	assert_non_null(strstr(text, "T00:00:00.000000Z"));
	json_decref(list);

	/* What is held for a week is not made shorter; one after another, whatever the time of day. */
	clock_format(now + 7 * 86400 * CLOCK_SECOND, end);
	list = mail_longer(&page, end, "");
	assert_int_equal(json_array_size(list), 3);
	json_array_foreach(list, i, one)
	{
		assert_true(strcmp(kit_text(one, "until"), end) > 0);
		(void)snprintf(end, sizeof end, "%s", kit_text(one, "until"));
	}
	json_decref(list);

	/* Nothing is offered that the site does not let: hold-longest is over in half an hour. */
	clock_format(now + 1800 * CLOCK_SECOND, end);
	list = mail_longer(&page, "", end);
	assert_true(json_array_size(list) >= 1);
	json_array_foreach(list, i, one) assert_true(strcmp(kit_text(one, "until"), end) <= 0);
	json_decref(list);
}

static void what_will_happen_is_said(void **state)
{
	static const struct {
		const char *leg, *first;
	} cases[] = {
	    {"{\"state\":\"held\",\"step\":\"until\",\"times\":{\"pass\":\"2026-11-23T09:00:00."
	     "000000Z\"}}",
		"If nobody stops it, it is sent at Mon 23 Nov 18:00."},
	    {"{\"state\":\"held\",\"step\":\"confirmed\",\"times\":{}}",
		"It is sent only when you say so."},
	    {"{\"state\":\"held\",\"step\":\"window\",\"times\":{}}",
		"Mail may not leave at this time of day."},
	    {"{\"state\":\"approval\",\"step\":\"approve\",\"times\":{}}",
		"It is sent only when it is approved."},
	    {"{\"state\":\"held\",\"step\":null}", "It is being dealt with."},
	    {"{\"state\":\"discarded\",\"step\":null}",
		"It will not be sent. You can bring it back for some time."},
	};
	struct kit *k = kit_new();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		json_t *leg = of(cases[i].leg), *sentences = mail_sentences(&k->page, leg);

		assert_string_equal(
		    json_string_value(json_array_get(sentences, 0)), cases[i].first);
		json_decref(sentences);
		json_decref(leg);
	}
	kit_free(k);
}

/* ---- values --------------------------------------------------------------------------------- */

#define LEG(name, to, can)                                                                         \
	"{\"leg\":\"" name "\",\"state\":\"held\",\"sender\":true,\"approver\":false,"             \
	"\"from\":\"a@x\",\"subject\":\"S\",\"step\":\"until\",\"times\":{\"pass\":"               \
	"\"2026-11-23T09:00:00.000000Z\"},\"recipients\":[{\"n\":1,\"address\":\"" to              \
	"\",\"class\":\"external\",\"fate\":\"open\",\"first\":null}],\"can\":[" can "]}"

static json_t *value(const struct kit *k, const char *name)
{
	return json_object_get(k->page.values, name);
}

static void legs_of_the_same_fate_are_one_part(void **state)
{
	struct kit *k = kit_new();
	json_t *show = of("{\"result\":\"done\",\"id\":\"i\",\"shown\":\"h\",\"legs\":[" LEG("i.1",
	    "b@y", "\"release\",\"remove\"") "," LEG("j.1", "c@y", "\"release\",\"remove\"") "]}");
	json_t *part;

	(void)state;
	mail_set_values(&k->page, show);
	assert_int_equal(json_array_size(value(k, "parts")), 1);
	assert_true(json_is_false(value(k, "several")));
	part = json_array_get(value(k, "parts"), 0);
	assert_int_equal(json_array_size(json_object_get(part, "recipients")), 2);
	assert_true(json_is_true(
	    json_object_get(json_array_get(json_object_get(part, "recipients"), 0), "removable")));
	assert_true(json_is_false(json_object_get(part, "release")));
	assert_string_equal(json_string_value(value(k, "shown")), "h");
	json_decref(show);
	kit_free(k);
}

static void legs_of_different_fates_have_buttons_of_their_own(void **state)
{
	struct kit *k = kit_new();
	json_t *show = of("{\"result\":\"done\",\"legs\":[" LEG(
	    "i.1", "b@y", "\"release\"") "," LEG("i.2", "c@y", "") "]}");

	(void)state;
	mail_set_values(&k->page, show);
	assert_int_equal(json_array_size(value(k, "parts")), 2);
	assert_true(json_is_true(json_object_get(json_array_get(value(k, "parts"), 0), "release")));
	assert_true(
	    json_is_false(json_object_get(json_array_get(value(k, "parts"), 1), "release")));
	json_decref(show);
	kit_free(k);
}

/* To take out the last recipient is to discard the mail, and has a button that says so. */
static void the_last_recipient_is_not_taken_out(void **state)
{
	struct kit *k = kit_new();
	json_t *show = of("{\"result\":\"done\",\"legs\":[" LEG("i.1", "b@y", "\"remove\"") "]}");
	json_t *rcpt;

	(void)state;
	mail_set_values(&k->page, show);
	rcpt =
	    json_array_get(json_object_get(json_array_get(value(k, "parts"), 0), "recipients"), 0);
	assert_true(json_is_false(json_object_get(rcpt, "removable")));
	json_decref(show);
	kit_free(k);
}

/* S4-09: a check without points has one, which seki-hold calls recipients. */
static void a_check_without_points_asks_for_the_recipients(void **state)
{
	struct kit *k = kit_new();
	json_t *show = of("{\"result\":\"done\",\"legs\":[" LEG("i.1", "b@y", "\"check\"") "]}");

	(void)state;
	mail_set_values(&k->page, show);
	assert_int_equal(json_array_size(value(k, "points")), 1);
	assert_string_equal(kit_text(json_array_get(value(k, "points"), 0), "fact"), "recipients");
	assert_true(json_is_true(value(k, "checking")));
	json_decref(show);
	kit_free(k);
}

/* By a link the site may ask for a PIN, or for a login; from somebody who is logged in for nothing. */
static void a_link_acts_as_the_site_says(void **state)
{
	static const char *const asks[] = {"nothing", "pin", "login"};
	static const char *const manners[] = {"direct", "pin", "login"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(asks); i++) {
		for (int link = 0; link <= 1; link++) {
			struct kit *k = kit_new();
			json_t *show = of("{\"result\":\"done\",\"legs\":[]}");

			(void)json_object_set_new(show, "asks", json_string(asks[i]));
			if (link)
				k->page.person.capability[0] = 'A';
			mail_set_values(&k->page, show);
			for (size_t m = 0; m < COUNT_OF(manners); m++)
				assert_int_equal(
				    json_is_true(value(k, manners[m])), m == (link ? i : 0));
			json_decref(show);
			kit_free(k);
		}
	}
}

/* What is missing or of another kind in an answer makes no page fail. */
static void odd_answers_are_borne(void **state)
{
	static const char *const answers[] = {"{}", "{\"legs\":null}",
	    "{\"legs\":[null,1,\"x\",[]]}",
	    "{\"legs\":[{\"recipients\":[1],\"checks\":{},\"rules\":[[]],\"approval\":{\"stages\":"
	    "[1],\"votes\":[null]},\"can\":[null,1],\"cannot\":[{}],\"history\":[7],\"last\":[]}]}",
	    "{\"result\":\"gone\",\"last\":null}", "{\"result\":\"gone\",\"last\":{\"what\":1}}"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		struct kit *k = kit_new();
		json_t *show = of(answers[i]);

		mail_set_values(&k->page, show);
		assert_non_null(value(k, "title"));
		json_decref(show);
		kit_free(k);
	}
}

/* ---- the templates -------------------------------------------------------------------------- */

#define HOSTILE "\\\"><script>alert(1)</script>'"

/* W5: each page is filled with a value that would be HTML in every place; it is text in each of them. */
static void hostile_values_stay_text(void **state)
{
	static const char *const pages[] = {"mail", "confirm", "contents", "list", "said"};
	int folder = open("etc/web/pages", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct conf_fault fault = {0};
	struct web_templates *t;
	struct kit *k = kit_new();
	json_t *show =
	    of("{\"result\":\"done\",\"shown\":\"" HOSTILE "\",\"legs\":[{\"leg\":\"" HOSTILE
	       "\",\"state\":\"held\",\"sender\":true,\"from\":\"" HOSTILE
	       "\",\"subject\":\"" HOSTILE "\",\"step\":\"until\",\"times\":{\"pass\":\"" HOSTILE
	       "\"},\"recipients\":[{\"address\":\"" HOSTILE "\",\"class\":\"" HOSTILE
	       "\",\"company\":\"" HOSTILE "\",\"fate\":\"open\"},{\"address\":\"b@y\",\"fate\":"
	       "\"open\"}],\"checks\":[{\"fact\":\"" HOSTILE "\",\"text\":\"" HOSTILE
	       "\"}],\"rules\":[{\"function\":\"" HOSTILE "\",\"outcome\":\"" HOSTILE
	       "\",\"name\":\"" HOSTILE "\",\"rule\":\"" HOSTILE "\",\"evidence\":\"" HOSTILE
	       "\"}],\"can\":[\"release\",\"discard\",\"remove\",\"check\",\"extend\",\"approve\","
	       "\"urgent\",\"restore\"],\"history\":[{\"what\":\"discarded\",\"by\":\"" HOSTILE
	       "\",\"comment\":\"" HOSTILE "\"}]}]}");

	(void)state;
	assert_true(folder >= 0);
	t = web_templates_read(folder, &fault);
	(void)close(folder);
	assert_non_null(t);
	mail_set_values(&k->page, show);
	for (size_t i = 0; i < COUNT_OF(pages); i++) {
		struct buf page;

		buf_init(&page, (size_t)4 * 1024 * 1024);
		assert_true(web_template_fill(t, pages[i], k->page.values, &page));
		assert_null(strstr(ended(&page), "<script>alert"));
		assert_null(strstr(page.bytes, "'>"));
		buf_free(&page);
	}
	web_templates_free(t);
	json_decref(show);
	kit_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(phrases_put_values_in_their_places),
	    cmocka_unit_test(outcomes_are_said_as_people_do),
	    cmocka_unit_test(only_words_of_act_are_done),
	    cmocka_unit_test(evidence_is_words),
	    cmocka_unit_test(records_are_sentences),
	    cmocka_unit_test(what_all_legs_say_stands_there_once),
	    cmocka_unit_test(of_a_long_history_the_newest_is_told),
	    cmocka_unit_test(longer_is_behind_its_end_and_behind_now),
	    cmocka_unit_test(what_will_happen_is_said),
	    cmocka_unit_test(legs_of_the_same_fate_are_one_part),
	    cmocka_unit_test(legs_of_different_fates_have_buttons_of_their_own),
	    cmocka_unit_test(the_last_recipient_is_not_taken_out),
	    cmocka_unit_test(a_check_without_points_asks_for_the_recipients),
	    cmocka_unit_test(a_link_acts_as_the_site_says),
	    cmocka_unit_test(odd_answers_are_borne),
	    cmocka_unit_test(hostile_values_stay_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
