/* What the sender of mail that waits is told to look at; which mails are copies of one; plans of held mail. */
#include "tests/unit/policy_kit.h"

#define ALICE "alice@example.co.jp"
#define WAIT  "rule wait\n  to external\n  do hold 5m\n"
#define HELD  "hold until=2026-11-25T03:05:00.000000Z"

/* The lines "check …" of a leg, without their first word, with a bar between them. */
static const char *checks(struct kit *k, size_t group)
{
	static char text[8192];
	const char *at = kit_records(k, group);
	char *end = text;

	*end = '\0';
	for (; *at != '\0'; at += strcspn(at, "\n") + 1) {
		size_t n = strcspn(at, "\n");

		if (strncmp(at, "check fact=", 11) != 0)
			continue;
		end = stpcpy(end, end > text ? " | " : "");
		end = mempcpy(end, at + 11, n - 11);
		*end = '\0';
	}
	return text;
}

static const char *checks_of_one(struct kit *k)
{
	kit_expect(k, "1: " HELD " | deliver");
	return checks(k, 0);
}

/* To b@x.example, who is known; nothing is odd about the mail. */
static void usual(struct kit *k, const char *facts)
{
	kit_rules(k, WAIT);
	kit_mail(k, ALICE, "b@x.example");
	k->has_past = true;
	kit_facts(k, facts);
}

/* ---- the eight ---------------------------------------------------------------------------- */

static void nothing_to_tell(void **state)
{
	struct kit *k = *state;

	usual(k, "subject text=x\n");
	assert_string_equal(checks_of_one(k), "");
}

/* By the sender, not by colleagues; outside alone; which of the leg's recipients. */
static void S4_09_first_time(void **state)
{
	struct kit *k = *state;

	kit_rules(k, "rule wait\n  always\n  do hold 5m\n");
	kit_mail(k, ALICE, "b@x.example carol@example.co.jp c@x.example d@y.example");
	k->has_past = true;
	kit_facts(k, "");
	k->past_rcpt[1] = (struct past_rcpt){.by_sender = 0};
	k->past_rcpt[2] = (struct past_rcpt){.by_group = 5, .by_site = 5};
	kit_expect(k, "1,2,3,4: " HELD " | deliver");
	assert_string_equal(
	    checks(k, 0), "first-time rcpt=3 | companies value=x.example,y.example");
	for (size_t i = 0; i < 4; i++)
		k->past_rcpt[i].by_sender = 0;
	kit_expect(k, "1,2,3,4: " HELD " | deliver");
	assert_non_null(strstr(checks(k, 0), "first-time rcpt=1,3-4 |"));
	/* All of a leg's recipients need no numbers. */
	usual(k, "");
	k->past_rcpt[0].by_sender = 0;
	assert_string_equal(checks_of_one(k), "first-time");
}

static void S2_04_lookalike(void **state)
{
	struct kit *k = *state;

	kit_rules(k, WAIT);
	kit_mail(k, ALICE, "carol@example.co.jp b@x.example c@x.example d@x.example");
	k->has_past = true;
	kit_facts(k, "");
	k->past_rcpt[2].look = LOOK_EDIT;
	(void)stpcpy(k->past_rcpt[2].like, "cc@x.example");
	k->past_rcpt[3].look = LOOK_DORMANT;
	kit_expect(k, "1: deliver; 2,3,4: " HELD " | deliver");
	assert_string_equal(checks(k, 0), "");
	assert_string_equal(checks(k, 1), "lookalike rcpt=2 value=cc@x.example");
}

/* Two domains of one partner are one company; our own are none. */
static void S4_09_companies(void **state)
{
	struct kit *k = *state;

	usual(k, "");
	kit_mail(k, ALICE, "b@other.example c@other.co.jp d@group.example e@example.co.jp");
	kit_facts(k, "");
	k->has_past = true;
	kit_expect(k, "1,2: " HELD " | deliver; 3,4: deliver");
	assert_string_equal(checks(k, 0), "");
	kit_mail(k, ALICE, "b@other.example d@group.example c@x.example f@x.example");
	kit_facts(k, "");
	k->has_past = true;
	kit_expect(k, "1,3,4: " HELD " | deliver; 2: deliver");
	assert_string_equal(checks(k, 0), "companies value=other.example,x.example");
}

static void S3_04_greeting(void **state)
{
	struct kit *k = *state;

	usual(k,
	    "greeting verdict=other honorific=given everyone=no company=A+20B person=C line=x\n");
	assert_string_equal(checks_of_one(k), "greeting value=A+20B,C");
	usual(k, "greeting verdict=other honorific=given everyone=no company= person=C line=x\n");
	assert_string_equal(checks_of_one(k), "greeting value=C");
	usual(k, "greeting verdict=fits honorific=given everyone=no company=A person=C line=x\n");
	assert_string_equal(checks_of_one(k), "");
	usual(k, "greeting verdict=unknown honorific=none everyone=no company=A person= line=x\n");
	assert_string_equal(checks_of_one(k), "");
}

static void missing_file(void **state)
{
	struct kit *k = *state;

	usual(k, "message signed=no encrypted=no automatic=no reply=no promises-file=yes\n");
	assert_string_equal(checks_of_one(k), "missing-file");
}

/* In the order of the mail, not of part numbers; what is in an attached message is part of it. */
static void S4_09_files(void **state)
{
	struct kit *k = *state;
	char lines[8192], *end = lines;

	usual(k, "file part=10 role=file counts=yes name=z,1.pdf size=3 nested=no\n"
		 "file part=2 role=message counts=yes name= size=3 nested=no\n"
		 "file part=2.1 role=file counts=yes name=in.txt size=3 nested=yes\n"
		 "file part=3 role=inline counts=no name=logo.png size=3 nested=no\n");
	assert_string_equal(checks_of_one(k), "files value=z+EF+BC+8C1.pdf,-");
	for (int i = 1; i <= 12; i++)
		end += sprintf(
		    end, "file part=%d role=file counts=yes name=%d size=1 nested=no\n", i, i);
	usual(k, lines);
	assert_string_equal(checks_of_one(k), "files value=1,2,3,4,5,6,7,8,9,10,+2B2");
}

static void C14_visible(void **state)
{
	struct kit *k = *state;
	char lines[4096], *end = lines;

	for (int i = 1; i <= 9; i++)
		end += sprintf(
		    end, "address field=%s address=u%d@x.example name=\n", i % 2 ? "to" : "cc", i);
	usual(k, lines);
	assert_string_equal(checks_of_one(k), "");
	(void)sprintf(end, "address field=cc address=carol@example.co.jp name=\n"
			   "address field=to address=U1@x.example name=\n");
	usual(k, lines);
	assert_string_equal(checks_of_one(k), "visible value=10");
	k->settings.visible_many = 11;
	assert_string_equal(checks_of_one(k), "");
}

/* One card is too many; phone numbers stand below every letter. Counts alone, never a value. */
static void S1_11_personal(void **state)
{
	struct kit *k = *state;

	usual(k, "pii kind=phone places=body count=4\npii kind=phone places=files count=5\n"
		 "pii kind=corporate places=body count=99\n");
	assert_string_equal(checks_of_one(k), "");
	usual(k, "pii kind=phone places=body count=4\npii kind=phone places=files count=6\n"
		 "pii kind=card places=body count=1\npii-value kind=card places=body value=4111\n"
		 "pii kind=name places=body count=10\n");
	assert_string_equal(checks_of_one(k), "personal value=card:1,phone:10,name:10");
}

/* What nobody could look into is said, and the reason. */
static void what_is_not_known(void **state)
{
	struct kit *k = *state;

	usual(k, "uninspectable part=0 reason=time\n");
	assert_string_equal(checks_of_one(k), "unknown value=time");
	usual(k, "file part=2 role=file counts=yes name=a.zip size=3\n"
		 "uninspectable part=2 reason=encrypted\n");
	assert_string_equal(checks_of_one(k), "files value=a.zip | unknown value=encrypted");
	usual(k, "");
	k->has_past = false;
	assert_string_equal(checks_of_one(k), "unknown value=past");
	facts_free(k->facts);
	k->facts = NULL;
	assert_string_equal(checks_of_one(k), "unknown value=facts");
	/* Who was asked about others has said nothing. */
	usual(k, "");
	k->past.rcpts = 0;
	assert_string_equal(checks_of_one(k), "unknown value=past");
}

/* C14: at most five, the first of them. */
static void C14_at_most_five(void **state)
{
	struct kit *k = *state;
	char lines[4096], *end = lines;

	end = stpcpy(end, "message signed=no encrypted=no automatic=no reply=no promises-file=yes\n"
			  "greeting verdict=other company=A person= line=x\n"
			  "pii kind=card places=body count=1\n"
			  "file part=2 role=file counts=yes name=a size=3\n"
			  "uninspectable part=2 reason=encrypted\n");
	for (int i = 1; i <= 10; i++)
		end += sprintf(end, "address field=to address=u%d@x.example name=\n", i);
	kit_rules(k, WAIT);
	kit_mail(k, ALICE, "b@x.example c@y.example");
	k->has_past = true;
	kit_facts(k, lines);
	k->past_rcpt[0].by_sender = 0;
	k->past_rcpt[1].look = LOOK_TLD;
	(void)stpcpy(k->past_rcpt[1].like, "c@y.test");
	kit_expect(k, "1,2: " HELD " | deliver");
	assert_string_equal(checks(k, 0),
	    "first-time rcpt=1 | lookalike rcpt=2 value=c@y.test | "
	    "companies value=x.example,y.example | greeting value=A | missing-file");
	k->past_rcpt[0].by_sender = 1;
	kit_expect(k, "1,2: " HELD " | deliver");
	assert_non_null(strstr(checks(k, 0), "missing-file | files value=a"));
	assert_null(strstr(checks(k, 0), "visible"));
}

/* Only where somebody could still look: mail that waits for time or people. */
static void who_is_told(void **state)
{
	struct kit *k = *state;
	static const struct {
		const char *action;
		bool told;
	} rows[] = {{"hold 5m", true}, {"hold until 09:00", true}, {"hold until confirmed", true},
	    {"hold until checked else discard", true}, {"approve by boss", true},
	    {"hold no", false}, {"hold for operator", false}, {"stagger 5m", false},
	    {"refuse \"x\"", false}};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char rule[128];

		(void)snprintf(rule, sizeof rule, "rule a\n  always\n  do %s\n", rows[i].action);
		usual(k, "");
		kit_rules(k, rule);
		k->past_rcpt[0].by_sender = 0;
		(void)kit_plans(k, false);
		assert_string_equal(checks(k, 0), rows[i].told ? "first-time" : "");
	}
	k->settings.watch_only = WATCH_ONLY_YES;
	kit_rules(k, WAIT);
	kit_expect(k, "1: deliver");
	assert_string_equal(checks(k, 0), "");
}

/* ---- what is asked for it ----------------------------------------------------------------- */

/* Facts, then the past with the names, then the body; and nothing of mail that does not wait. */
static void what_is_asked(void **state)
{
	struct kit *k = *state;
	static const char digest[] = "00";

	kit_rules(k, WAIT);
	kit_mail(k, ALICE, "carol@example.co.jp");
	k->checks = POLICY_CHECK_ALL;
	kit_expect(k, "1: deliver");
	kit_mail(k, ALICE, "b@x.example");
	k->checks = POLICY_CHECK_ALL;
	kit_expect(k, "needs facts");
	kit_facts(k, "message-id text=<1@a>\n");
	kit_expect(k, "needs past");
	k->has_past = true;
	kit_expect(k, "needs body");
	k->body = digest;
	kit_expect(k, "1: " HELD " | deliver");
	/* Asked before the names were known: once more, if there are any. */
	k->past_nameless = true;
	kit_expect(k, "1: " HELD " | deliver");
	kit_facts(k, "message-id text=<1@a>\naddress field=to address=b@x.example name=B\n");
	kit_expect(k, "needs past");
	k->past_nameless = false;
	kit_expect(k, "1: " HELD " | deliver");
	/* Without a Message-ID there is no group. */
	k->body = NULL;
	kit_facts(k, "");
	kit_expect(k, "1: " HELD " | deliver");
}

/* Whoever cannot be asked keeps no mail from its place. */
static void what_may_not_be_asked(void **state)
{
	struct kit *k = *state;

	kit_rules(k, WAIT);
	kit_mail(k, ALICE, "b@x.example");
	k->checks = POLICY_CHECK_PAST | POLICY_CHECK_BODY;
	kit_expect(k, "needs past");
	k->checks = POLICY_CHECK_BODY;
	assert_string_equal(checks_of_one(k), "unknown value=facts");
	/* But a rule that asks decides nothing without. */
	kit_rules(k, "rule a\n  to first-time\n  do hold 5m\n");
	k->checks = 0;
	kit_expect(k, "needs past");
}

/* ---- about -------------------------------------------------------------------------------- */

static const char *group_of(struct kit *k)
{
	static char text[17];
	const char *at;

	kit_expect(k, "1: " HELD " | deliver");
	at = strstr(kit_records(k, 0), " group=");
	assert_non_null(at);
	assert_int_equal(strspn(at + 7, "0123456789abcdef"), 16);
	memcpy(text, at + 7, 16);
	return text;
}

/* C6: one sender, one Message-ID, one content; whoever it goes to. */
static void C6_copies_are_a_group(void **state)
{
	struct kit *k = *state;
	char first[17];
	static const char *const mails[][3] = {{ALICE, "<1@a>", "01"}, {ALICE, "<1@a>", "02"},
	    {ALICE, "<2@a>", "01"}, {"ceo@example.co.jp", "<1@a>", "01"}, {ALICE, "<1@a>01", ""}};

	for (size_t i = 0; i < COUNT_OF(mails); i++) {
		char facts[64];

		kit_rules(k, WAIT);
		kit_mail(k, mails[i][0], i == 0 ? "b@x.example" : "c@x.example");
		(void)snprintf(facts, sizeof facts, "message-id text=%s\n", mails[i][1]);
		kit_facts(k, facts);
		k->has_past = true;
		k->body = mails[i][2];
		if (i == 0)
			(void)stpcpy(first, group_of(k));
		else
			assert_string_not_equal(group_of(k), first);
	}
	kit_mail(k, "Alice@EXAMPLE.co.jp", "d@x.example");
	kit_facts(k, "message-id text=<1@a>\n");
	k->has_past = true;
	k->body = "01";
	assert_string_equal(group_of(k), first);
	/* What leaves at once is nobody's to decide about. */
	kit_mail(k, ALICE, "carol@example.co.jp");
	kit_facts(k, "message-id text=<1@a>\n");
	k->body = "01";
	kit_expect(k, "1: deliver");
	assert_null(strstr(kit_records(k, 0), "group="));
}

static void about_a_leg(void **state)
{
	struct kit *k = *state;
	char facts[2048] = "subject text=";

	usual(k, "subject text=a+0A+09b+E2+80+AEc+FF+20d+2B\n"
		 "file part=2 role=file counts=yes name=a size=3\n");
	k->added = 96;
	(void)checks_of_one(k);
	assert_non_null(strstr(
	    kit_records(k, 0), "\nabout subject=a+20+20b+20c+20+20d+2B size=4000 files=1\n"));
	k->added = 0;
	for (int i = 0; i < 100; i++)
		(void)strcat(facts, "+E3+81+82");
	(void)strcat(facts, "\n");
	usual(k, facts);
	(void)checks_of_one(k);
	/* 66 letters of three bytes are 198. */
	assert_int_equal(
	    strcspn(strstr(kit_records(k, 0), "subject=") + 8, " "), 66 * strlen("+E3+81+82"));
	kit_mail(k, ALICE, "b@x.example");
	(void)checks_of_one(k);
	assert_non_null(strstr(kit_records(k, 0), "\nabout size=4096\n"));
}

/* ---- plans -------------------------------------------------------------------------------- */

/* When the sender is told stands where he waits, if a rule says so. */
static void notice_stands_in_the_plan(void **state)
{
	struct kit *k = *state;
	static const struct {
		const char *actions, *plan;
	} rows[] = {
	    {"do hold 5m\n  do notice always", HELD " notice=always | deliver"},
	    {"do hold 5m else discard\n  do notice risky",
		"hold discard=2026-11-25T03:05:00.000000Z notice=risky | deliver"},
	    {"do hold until confirmed\n  do notice digest",
		"hold confirmed notice=digest | deliver"},
	    {"do hold until checked else discard\n  do notice never",
		"hold discard=checked notice=never | deliver"},
	    {"do approve by boss then any of group checkers\n  do notice risky",
		"approve by=boss:ceo@example.co.jp then=any:checkers notice=risky | deliver"},
	    {"do approve by 2 of group checkers\n  do hold 5m\n  do notice always",
		"approve by=2:checkers notice=always | " HELD " notice=always | deliver"},
	    {"do hold for operator\n  do notice always", "hold operator why=rule | deliver"},
	    {"do notice always", "deliver"},
	    {"do insert end history\n  do hold 5m", HELD " | encrypt insert=history | deliver"},
	};

	kit_mail(k, ALICE, "b@x.example");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[512];

		(void)snprintf(text, sizeof text, "rule a\n  always\n  %s\n", rows[i].actions);
		kit_rules(k, text);
		(void)snprintf(text, sizeof text, "1: %s", rows[i].plan);
		kit_expect(k, text);
	}
}

/* N11: an answer to who is known, without a file, waits shortly; a new recipient or file, as long as ever. */
static void N11_answers_wait_shortly(void **state)
{
	struct kit *k = *state;
	static const char reply[] =
	    "message signed=no encrypted=no automatic=no reply=yes promises-file=no\n";
	static const char file[] =
	    "message signed=no encrypted=no automatic=no reply=yes promises-file=no\n"
	    "file part=2 role=file counts=yes name=a size=3\n";

	kit_rules(k, "rule answers\n  to external\n  message reply\n  do hold 1m\n" WAIT);
	kit_mail(k, ALICE, "b@x.example carol@example.co.jp");
	kit_expect(k, "needs facts");
	kit_facts(k, "");
	kit_expect(k, "1: " HELD " | deliver; 2: deliver");
	kit_facts(k, file);
	kit_expect(k, "1: " HELD " | deliver; 2: deliver");
	kit_facts(k, reply);
	kit_expect(k, "needs past");
	k->has_past = true;
	kit_expect(k, "1: hold until=2026-11-25T03:01:00.000000Z | deliver; 2: deliver");
	/* One who is new makes it new for all. */
	k->past_rcpt[1] = (struct past_rcpt){.by_group = 3, .by_site = 3};
	kit_expect(k, "1: " HELD " | deliver; 2: deliver");
	k->past.rcpts = 1;
	kit_expect(k, "1: hold operator why=facts reason=past | " HELD " | deliver; 2: deliver");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_to_tell),
	    cmocka_unit_test(S4_09_first_time),
	    cmocka_unit_test(S2_04_lookalike),
	    cmocka_unit_test(S4_09_companies),
	    cmocka_unit_test(S3_04_greeting),
	    cmocka_unit_test(missing_file),
	    cmocka_unit_test(S4_09_files),
	    cmocka_unit_test(C14_visible),
	    cmocka_unit_test(S1_11_personal),
	    cmocka_unit_test(what_is_not_known),
	    cmocka_unit_test(C14_at_most_five),
	    cmocka_unit_test(who_is_told),
	    cmocka_unit_test(what_is_asked),
	    cmocka_unit_test(what_may_not_be_asked),
	    cmocka_unit_test(C6_copies_are_a_group),
	    cmocka_unit_test(about_a_leg),
	    cmocka_unit_test(notice_stands_in_the_plan),
	    cmocka_unit_test(N11_answers_wait_shortly),
	};

	return cmocka_run_group_tests(tests, kit_organisation, kit_end);
}
