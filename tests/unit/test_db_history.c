/* The history: who has written to whom, who is registered, what happened. */
#include "db_kit.h"

#define ALICE "alice@example.co.jp"
#define BOB   "bob@partner.example"

static struct kit kit;

static int enter(void **state)
{
	(void)state;
	kit_enter(&kit);
	kit_open(&kit, KIT_NOW);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	kit_close(&kit);
	kit_leave(&kit);
	return 0;
}

static void again(int64_t now)
{
	kit_close(&kit);
	kit_open(&kit, now);
}

/* One line into a tray, and read. */
static void tell(int64_t now, const char *program, const char *line)
{
	struct buf lines;

	buf_init(&lines, 1 << 16);
	buf_add_text(&lines, line);
	kit_tell(program, &lines);
	buf_free(&lines);
	kit_read(&kit, now);
}

/* ---- who has written to whom ---- */

/* S1-20: by this sender, by his group, by anybody; none before the first one was delivered. */
static void test_counts_s1_20(void **state)
{
	struct past_rcpt r;

	(void)state;
	r = kit_ask(&kit, KIT_NOW, ALICE, "sales", BOB);
	assert_int_equal(r.by_sender + r.by_group + r.by_site, 0);
	assert_int_equal(r.last, 0);

	kit_delivered(&kit, KIT_NOW, ALICE, BOB);
	r = kit_ask(&kit, KIT_NOW, ALICE, "sales", BOB);
	assert_int_equal(r.by_sender, 1);
	assert_int_equal(r.by_group, 0); /* nobody has said that she is in it */
	assert_int_equal(r.by_site, 1);
	assert_int_equal(r.last, KIT_NOW);

	r = kit_ask(&kit, KIT_NOW, "carol@example.co.jp", NULL, BOB);
	assert_int_equal(r.by_sender, 0);
	assert_int_equal(r.by_site, 1);
	r = kit_ask(&kit, KIT_NOW, ALICE, NULL, "dave@partner.example");
	assert_int_equal(r.by_site, 0);
}

static void test_groups(void **state)
{
	struct past_rcpt r;

	(void)state;
	tell(KIT_NOW, "seki-scan", "member 1795392000 Alice@Example.co.jp sales tokyo\n");
	kit_delivered(&kit, KIT_NOW, ALICE, BOB);
	r = kit_ask(&kit, KIT_NOW, "carol@example.co.jp", "sales", BOB);
	assert_int_equal(r.by_group, 1);
	r = kit_ask(&kit, KIT_NOW, "carol@example.co.jp", "tokyo", BOB);
	assert_int_equal(r.by_group, 1);
	r = kit_ask(&kit, KIT_NOW, "carol@example.co.jp", "osaka", BOB);
	assert_int_equal(r.by_group, 0);

	/* The last word counts. */
	tell(KIT_NOW, "seki-scan", "member 1795392001 alice@example.co.jp osaka\n");
	kit_delivered(&kit, KIT_NOW + 2, ALICE, BOB);
	r = kit_ask(&kit, KIT_NOW, "carol@example.co.jp", "sales", BOB);
	assert_int_equal(r.by_group, 1);
	r = kit_ask(&kit, KIT_NOW, "carol@example.co.jp", "osaka", BOB);
	assert_int_equal(r.by_group, 1);
	tell(KIT_NOW, "seki-scan", "member 1795392003 alice@example.co.jp\n");
	kit_delivered(&kit, KIT_NOW + 4, ALICE, BOB);
	r = kit_ask(&kit, KIT_NOW, "carol@example.co.jp", "osaka", BOB);
	assert_int_equal(r.by_group, 1);
	assert_int_equal(r.by_site, 3);
}

/* S1-20: the same address in another form is the same one. */
static void test_normal_form(void **state)
{
	(void)state;
	kit_delivered(&kit, KIT_NOW, "Alice@EXAMPLE.co.jp", "Bob@Partner.Example");
	assert_int_equal(kit_ask(&kit, KIT_NOW, ALICE, NULL, BOB).by_sender, 1);
}

/* <> has written, too. */
static void test_null_sender(void **state)
{
	(void)state;
	kit_delivered(&kit, KIT_NOW, "", BOB);
	assert_int_equal(kit_ask(&kit, KIT_NOW, "", NULL, BOB).by_sender, 1);
	assert_int_equal(kit_ask(&kit, KIT_NOW, ALICE, NULL, BOB).by_sender, 0);
}

static void test_outlives_a_restart(void **state)
{
	(void)state;
	kit_delivered(&kit, KIT_NOW, ALICE, BOB);
	again(KIT_NOW + 1);
	assert_int_equal(kit_ask(&kit, KIT_NOW, ALICE, NULL, BOB).by_site, 1);
	assert_int_equal(
	    kit_ask(&kit, KIT_NOW, ALICE, NULL, "bobb@partner.example").look, LOOK_EDIT);
}

/* A clock that was ahead makes nobody known for longer. */
static void test_time_ahead(void **state)
{
	(void)state;
	tell(KIT_NOW, "seki-deliver",
	    "delivered 9999999999 alice@example.co.jp bob@partner.example\n");
	assert_int_equal(kit_ask(&kit, KIT_NOW, ALICE, NULL, BOB).last, KIT_NOW);
}

/* ---- look-alikes that need more than the addresses ---- */

/* N9: to the second. */
static void test_dormant(void **state)
{
	int64_t later = KIT_NOW + 365 * KIT_DAY;

	(void)state;
	kit_delivered(&kit, KIT_NOW, ALICE, BOB);
	assert_int_equal(kit_ask(&kit, later, ALICE, NULL, BOB).look, LOOK_NONE);
	assert_int_equal(kit_ask(&kit, later + 1, ALICE, NULL, BOB).look, LOOK_DORMANT);
	kit_delivered(&kit, later + 2, ALICE, BOB);
	assert_int_equal(kit_ask(&kit, later + 3, ALICE, NULL, BOB).look, LOOK_NONE);
}

static void named(const char *address, const char *name)
{
	struct buf lines;

	buf_init(&lines, 1 << 16);
	tray_put_named(&lines, KIT_NOW, address, name);
	kit_tell("seki-scan", &lines);
	buf_free(&lines);
	kit_read(&kit, KIT_NOW);
}

static enum past_look look_by_name(const char *address, const char *name, char like[256])
{
	struct history_sender s = {.address = ALICE, .lookalike = true};
	struct past_rcpt r;

	assert_true(history_ask(kit.history, &s, address, name, KIT_NOW, &r));
	memcpy(like, r.like, 256);
	return r.look;
}

/* N9: the display name of somebody who is known at another company. */
static void test_same_name_elsewhere(void **state)
{
	static const char *const forms[] = {
	    "佐藤 花子", "佐藤花子", "佐藤　花子様", "佐藤花子 さん"};
	char like[256];

	(void)state;
	named("hanako@alpha.example", "佐藤花子");
	assert_int_equal(look_by_name("hs@other.example", "佐藤花子", like), LOOK_NONE);
	kit_delivered(&kit, KIT_NOW, ALICE, "hanako@alpha.example");
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		assert_int_equal(look_by_name("hs@other.example", forms[i], like), LOOK_NAME);
		assert_string_equal(like, "hanako@alpha.example");
	}
	assert_int_equal(look_by_name("hs@other.example", "佐藤花美", like), LOOK_NONE);
	/* A second address at the same company is a second address. */
	assert_int_equal(look_by_name("sato@alpha.example", "佐藤花子", like), LOOK_NONE);
	assert_int_equal(look_by_name("sato@tokyo.alpha.example", "佐藤花子", like), LOOK_NONE);
	assert_int_equal(look_by_name("sato@ralpha.example", "佐藤花子", like), LOOK_EDIT);
}

static void test_case_of_names(void **state)
{
	char like[256];

	(void)state;
	named("hanako@alpha.example", "Hanako SATO");
	kit_delivered(&kit, KIT_NOW, ALICE, "hanako@alpha.example");
	assert_int_equal(look_by_name("hs@other.example", "hanako  sato", like), LOOK_NAME);
	assert_int_equal(look_by_name("hs@other.example", "Ｈａｎａｋｏ Sato", like), LOOK_NAME);
}

/* What is no name of a person says nothing: an address, one letter, one that many companies have. */
static void test_names_that_say_nothing(void **state)
{
	static const char *const at[] = {"eigyo@a-firma.example", "eigyo@b-firma.test",
	    "eigyo@c-firma.invalid", "eigyo@d-firma.localhost"};
	char like[256];

	(void)state;
	named("x@alpha.example", "x");
	named("y@alpha.example", "y@alpha.example");
	kit_delivered(&kit, KIT_NOW, ALICE, "x@alpha.example");
	kit_delivered(&kit, KIT_NOW, ALICE, "y@alpha.example");
	assert_int_equal(look_by_name("hs@other.test", "x", like), LOOK_NONE);
	assert_int_equal(look_by_name("hs@other.test", "y@alpha.example", like), LOOK_NONE);

	for (size_t i = 0; i < COUNT_OF(at); i++) {
		named(at[i], "営業部");
		kit_delivered(&kit, KIT_NOW, ALICE, at[i]);
		if (i == 2)
			assert_int_equal(
			    look_by_name("zz@quite-other.net", "営業部", like), LOOK_NAME);
	}
	assert_int_equal(look_by_name("zz@quite-other.net", "営業部", like), LOOK_NONE);
}

/* ---- registered addresses ---- */

static void months(char *text, size_t room)
{
	struct buf out;

	buf_init(&out, 1 << 16);
	assert_true(history_months(kit.history, &out));
	(void)snprintf(text, room, "%.*s", (int)out.len, out.bytes);
	buf_free(&out);
}

/* S0-38: 10, then 40, then 20 gives 40; S2-36: the next month begins with 20. */
static void test_peak_s0_38_s2_36(void **state)
{
	char text[512];

	(void)state;
	tell(KIT_NOW, "seki", "people 1795392000 10\n");
	tell(KIT_NOW + KIT_DAY, "seki", "people 1795478400 40\n");
	tell(KIT_NOW + 2 * KIT_DAY, "seki", "people 1795564800 20\n");
	months(text, sizeof text);
	assert_string_equal(text, "month 2026-11 40\nend 20 0\n");

	/* 2026-12-01 00:00:00 begins 8 days behind. */
	assert_true(history_month(kit.history, KIT_NOW + 8 * KIT_DAY - 1));
	months(text, sizeof text);
	assert_string_equal(text, "month 2026-11 40\nend 20 0\n");
	assert_true(history_month(kit.history, KIT_NOW + 8 * KIT_DAY));
	months(text, sizeof text);
	assert_string_equal(text, "month 2026-11 40\nmonth 2026-12 20\nend 20 0\n");

	/* Months without us have what there was. */
	again(KIT_NOW + 80 * KIT_DAY);
	months(text, sizeof text);
	assert_string_equal(text, "month 2026-11 40\nmonth 2026-12 20\nmonth 2027-01 20\n"
				  "month 2027-02 20\nend 20 0\n");
}

/* S2-34: an address that was enrolled is registered, once, for good, until it is taken away. */
static void test_enrolment_s2_34(void **state)
{
	char text[512];

	(void)state;
	tell(KIT_NOW, "seki", "people 1795392000 3\n");
	assert_int_equal(history_enrolled(kit.history, ALICE), STORE_NONE);
	assert_true(history_enrol(kit.history, ALICE, KIT_NOW));
	assert_true(history_enrol(kit.history, ALICE, KIT_NOW));
	assert_true(history_enrol(kit.history, BOB, KIT_NOW));
	assert_int_equal(history_enrolled(kit.history, ALICE), STORE_FOUND);
	months(text, sizeof text);
	assert_string_equal(text, "month 2026-11 5\nend 5 2\n");

	again(KIT_NOW + 1);
	assert_int_equal(history_enrolled(kit.history, ALICE), STORE_FOUND);
	assert_int_equal(history_remove(kit.history, ALICE, KIT_NOW + 2), STORE_FOUND);
	assert_int_equal(history_remove(kit.history, ALICE, KIT_NOW + 2), STORE_NONE);
	assert_int_equal(history_enrolled(kit.history, ALICE), STORE_NONE);
	months(text, sizeof text);
	assert_string_equal(text, "month 2026-11 5\nend 4 1\n");
}

/* ---- reports ---- */

static void report(unsigned days, bool today, int64_t now, char *text, size_t room)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	assert_true(history_report(kit.history, days, today, now, &out));
	(void)snprintf(text, room, "%.*s", (int)out.len, out.bytes);
	buf_free(&out);
}

static void put_day(int64_t time, size_t rcpts)
{
	struct buf lines;

	buf_init(&lines, 1 << 16);
	tray_put_judged(&lines, time, 2, false, true);
	tray_put_judged(&lines, time, 1, true, false);
	tray_put_decision(&lines, PAST_SHADOW, time, "must/90-new:3", "look-alike", "hold",
	    "until confirmed", rcpts);
	tray_put_decision(&lines, PAST_DID, time, "must/10-a:1", "no", "refuse", "だめ", rcpts);
	kit_tell("seki-scan", &lines);
	buf_free(&lines);
	kit_read(&kit, time);
}

/* Days are whole, from midnight to midnight. */
static void test_report_days(void **state)
{
	char text[2048];

	(void)state;
	put_day(KIT_NOW - 1, 1);           /* yesterday, 23:59:59 */
	put_day(KIT_NOW, 10);              /* today, 00:00:00 */
	put_day(KIT_NOW - 7 * KIT_DAY, 3); /* the first second of seven days before today */
	put_day(KIT_NOW - 7 * KIT_DAY - 1, 100);
	report(7, false, KIT_NOW + 8 * 3600, text, sizeof text);
	assert_string_equal(text, "day 2026-11-16 2026-11-22 4 6 2 2\n"
				  "row did must/10-a:1 no refuse +E3+81+A0+E3+82+81 2 4\n"
				  "row shadow must/90-new:3 look-alike hold until+20confirmed 2 4\n"
				  "end\n");
	report(1, true, KIT_NOW + 8 * 3600, text, sizeof text);
	assert_non_null(strstr(text, "day 2026-11-23 2026-11-23 2 3 1 1\n"));
	assert_non_null(strstr(text, " 1 10\n"));
	report(1, true, KIT_NOW + 5 * KIT_DAY, text, sizeof text);
	assert_string_equal(text, "day 2026-11-28 2026-11-28 0 0 0 0\nend\n");
}

/* What no rule can be is not kept. */
static void test_report_rows_are_bounded(void **state)
{
	struct buf lines;
	char where[32], *text = malloc(1 << 20);
	size_t rows = 0;

	(void)state;
	assert_non_null(text);
	buf_init(&lines, 1 << 20);
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(where, sizeof where, "must/%d:1", i);
		tray_put_decision(&lines, PAST_WATCH, KIT_NOW, where, "r", "hold", "1m", 1);
	}
	kit_tell("seki-scan", &lines);
	buf_free(&lines);
	kit_read(&kit, KIT_NOW);
	report(1, true, KIT_NOW, text, 1 << 20);
	for (const char *at = text; (at = strstr(at, "row ")) != NULL; at++)
		rows++;
	assert_in_range(rows, 1000, 2000);
	free(text);
}

/* Exactly one a week: Monday 08:00, and once after any downtime. */
static void test_report_weeks(void **state)
{
	int64_t monday = KIT_NOW + 8 * 3600; /* 08:00 */
	char week[11];

	(void)state;
	/* The history begins on Monday at midnight: its first report is of that week. */
	assert_true(history_due(kit.history, KIT_NOW, week));
	assert_string_equal(week, "");
	assert_true(history_due(kit.history, monday - 1, week));
	assert_string_equal(week, "");
	assert_true(history_due(kit.history, monday, week));
	assert_string_equal(week, "2026-11-23");
	assert_true(history_due(kit.history, monday + 3 * KIT_DAY, week));
	assert_string_equal(week, "2026-11-23");
	assert_true(history_done(kit.history, "2026-11-23"));
	assert_true(history_due(kit.history, monday + 3 * KIT_DAY, week));
	assert_string_equal(week, "");
	again(monday + 4 * KIT_DAY);
	assert_true(history_due(kit.history, monday + 7 * KIT_DAY - 1, week));
	assert_string_equal(week, "");

	/* Three weeks down: one report. */
	assert_true(history_due(kit.history, monday + 22 * KIT_DAY, week));
	assert_string_equal(week, "2026-12-14");
	assert_true(history_done(kit.history, week));
	assert_true(history_due(kit.history, monday + 22 * KIT_DAY, week));
	assert_string_equal(week, "");
	/* The clock goes back. */
	assert_true(history_due(kit.history, monday + 8 * KIT_DAY, week));
	assert_string_equal(week, "");
}

/* In the site's time zone: in Tokyo it is Monday 08:00 nine hours before UTC has it. */
static void test_report_zone(void **state)
{
	char week[11];

	(void)state;
	(void)setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	assert_true(history_due(kit.history, KIT_NOW + 7 * KIT_DAY - 3600 - 1, week));
	assert_string_equal(week, "2026-11-23");
	assert_true(history_due(kit.history, KIT_NOW + 7 * KIT_DAY - 3600, week));
	assert_string_equal(week, "2026-11-30");
	(void)setenv("TZ", "UTC0", 1);
	tzset();
}

/* ---- forgetting ---- */

static void forget_all(int64_t now)
{
	for (int i = 0; i < 20; i++)
		assert_true(history_forget(kit.history, now));
}

/* keep-history, to the second; a little at a time, and nothing else. */
static void test_forgetting(void **state)
{
	int64_t keep = 3 * 365 * KIT_DAY;
	char text[512];

	(void)state;
	kit_delivered(&kit, KIT_NOW, ALICE, BOB);
	kit_delivered(&kit, KIT_NOW + 10, ALICE, "dave@partner.example");
	put_day(KIT_NOW, 1);
	assert_true(history_enrol(kit.history, ALICE, KIT_NOW));
	forget_all(KIT_NOW + keep);
	assert_int_equal(kit_ask(&kit, KIT_NOW, ALICE, NULL, BOB).by_site, 1);
	forget_all(KIT_NOW + keep + 1);
	assert_int_equal(kit_ask(&kit, KIT_NOW, ALICE, NULL, BOB).by_site, 0);
	assert_int_equal(kit_ask(&kit, KIT_NOW, ALICE, NULL, BOB).by_sender, 0);
	assert_int_equal(kit_ask(&kit, KIT_NOW, ALICE, NULL, "dave@partner.example").by_site, 1);
	/* Nobody looks like one who is forgotten. */
	assert_int_equal(
	    kit_ask(&kit, KIT_NOW, ALICE, NULL, "bobb@partner.example").look, LOOK_NONE);

	forget_all(KIT_NOW + keep + 2 * KIT_DAY);
	report(1, true, KIT_NOW, text, sizeof text);
	assert_string_equal(text, "day 2026-11-23 2026-11-23 0 0 0 0\nend\n");
	assert_int_equal(history_enrolled(kit.history, ALICE), STORE_FOUND);
	months(text, sizeof text);
	assert_non_null(strstr(text, "month 2026-11 1\n"));
}

static void test_keeping_for_ever(void **state)
{
	(void)state;
	history_bounds(kit.history, 365 * KIT_DAY, 0);
	kit_delivered(&kit, KIT_NOW, ALICE, BOB);
	forget_all(KIT_NOW + 100 * 365 * KIT_DAY);
	assert_int_equal(kit_ask(&kit, KIT_NOW, ALICE, NULL, BOB).by_site, 1);
}

/* More than one pass looks at. */
static void test_forgetting_many(void **state)
{
	struct buf lines;
	char rcpt[64];
	int passes = 0;

	(void)state;
	buf_init(&lines, 1 << 22);
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(rcpt, sizeof rcpt, "n%d@partner.example", i);
		tray_put_delivered(&lines, KIT_NOW, ALICE, rcpt);
	}
	kit_tell("seki-deliver", &lines);
	buf_free(&lines);
	kit_read(&kit, KIT_NOW);
	assert_int_equal(kit_ask(&kit, KIT_NOW, ALICE, NULL, "n2999@partner.example").by_site, 1);
	for (; passes < 100 &&
	       kit_ask(&kit, KIT_NOW, ALICE, NULL, "n999@partner.example").by_site > 0;
	     passes++)
		assert_true(history_forget(kit.history, KIT_NOW + 4 * 365 * KIT_DAY));
	assert_in_range(passes, 2, 99);
	forget_all(KIT_NOW + 4 * 365 * KIT_DAY);
	assert_int_equal(kit_ask(&kit, KIT_NOW, ALICE, NULL, "n5@partner.example").by_site, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_counts_s1_20),
	    T(test_groups),
	    T(test_normal_form),
	    T(test_null_sender),
	    T(test_outlives_a_restart),
	    T(test_time_ahead),
	    T(test_dormant),
	    T(test_same_name_elsewhere),
	    T(test_case_of_names),
	    T(test_names_that_say_nothing),
	    T(test_peak_s0_38_s2_36),
	    T(test_enrolment_s2_34),
	    T(test_report_days),
	    T(test_report_rows_are_bounded),
	    T(test_report_weeks),
	    T(test_report_zone),
	    T(test_forgetting),
	    T(test_keeping_for_ever),
	    T(test_forgetting_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
