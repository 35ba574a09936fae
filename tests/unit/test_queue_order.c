/*
 * The lines of an operator's orders, and of their answers: one spelling each, and nothing else. And
 * what comes of the orders that only seki-deliver takes.
 */
#include "tests/unit/queue_kit.h"

#include "queue/audit.h"
#include "queue/order.h"
#include "queue/order_leg.h"

#define NEVER "99991231T235959Z."

static bool parse(const char *line, struct order *order)
{
	return order_parse(line, strlen(line), order);
}

static void orders(void **state)
{
	static const char *const good[] = {
	    "release hold " NEVER KIT_ID ".1 by=alice via=shell",
	    "discard hold 20261122T094000Z." KIT_ID ".1.2 by=a+20b via=web",
	    "discard deliver 20261122T094000Z." KIT_ID ".1 by=root via=shell",
	    "discard sent " KIT_ID ".1 by=root via=shell",
	    "bounce deliver 20261122T094000Z." KIT_ID ".1 by=root via=shell",
	    "flush partner.example by=root via=shell",
	    "restore trash " KIT_ID ".1 by=root via=shell reason=it+20was+20right",
	    "approve approve " NEVER KIT_ID ".1 by=root via=shell",
	    "reject approve " NEVER KIT_ID ".1 by=root via=shell reason=no",
	    "extend hold 20261122T094000Z." KIT_ID ".1 by=root via=shell until=" KIT_NOW,
	    "extend hold 20261122T094000Z." KIT_ID ".1 by=root via=shell until=" KIT_NOW
	    " reason=x",
	    "remove hold 20261122T094000Z." KIT_ID ".1 by=root via=shell rcpt=bob@partner.example",
	    "flush [ipv6:2001:db8::1] by=a+20b via=web",
	};
	static const char *const bad[] = {
	    "",
	    "release",
	    "releases hold " NEVER KIT_ID ".1 by=a via=b",
	    "release hold",
	    "release held " NEVER KIT_ID ".1 by=a via=b",
	    "release hold " KIT_ID ".1 by=a via=b",
	    "release sent " NEVER KIT_ID ".1 by=a via=b",
	    "release hold ../" NEVER KIT_ID ".1 by=a via=b",
	    "release hold " NEVER KIT_ID ".01 by=a via=b",
	    "release hold " NEVER KIT_ID ".1",
	    "release hold " NEVER KIT_ID ".1 by=a",
	    "release hold " NEVER KIT_ID ".1 by= via=b",
	    "release hold " NEVER KIT_ID ".1 by=a+2 via=b",
	    "release hold " NEVER KIT_ID ".1 by=a=b via=b",
	    "release hold " NEVER KIT_ID ".1 by=a via=B",
	    "release hold " NEVER KIT_ID ".1 by=a via=",
	    "release hold " NEVER KIT_ID ".1 by=a via=aaaaaaaaaaaaaaaa",
	    "release hold " NEVER KIT_ID ".1 via=b by=a",
	    "release hold " NEVER KIT_ID ".1 by=a via=b more=c",
	    "release hold " NEVER KIT_ID ".1 by=a via=b ",
	    "release  hold " NEVER KIT_ID ".1 by=a via=b",
	    " release hold " NEVER KIT_ID ".1 by=a via=b",
	    "bounce deliver " KIT_ID ".1 by=a via=b",
	    "bounce partner.example by=a via=b",
	    "extend hold 20261122T094000Z." KIT_ID ".1 by=root via=shell",
	    "extend hold 20261122T094000Z." KIT_ID ".1 by=root via=shell until=2026-11-22",
	    "extend hold 20261122T094000Z." KIT_ID ".1 by=root via=shell reason=x until=" KIT_NOW,
	    "remove hold 20261122T094000Z." KIT_ID ".1 by=root via=shell",
	    "remove hold 20261122T094000Z." KIT_ID ".1 by=root via=shell rcpt=",
	    "remove hold 20261122T094000Z." KIT_ID ".1 by=root via=shell rcpt=a=b",
	    "release hold " NEVER KIT_ID ".1 by=a via=b until=" KIT_NOW,
	    "release hold " NEVER KIT_ID ".1 by=a via=b rcpt=x",
	    "release hold " NEVER KIT_ID ".1 by=a via=b reason=",
	    "release hold " NEVER KIT_ID ".1 by=a via=b reason=a b",
	    "release hold " NEVER KIT_ID ".1 by=a via=b reason=a reason=b",
	    "flush",
	    "flush by=a via=b",
	    "flush  by=a via=b",
	    "flush Partner.example by=a via=b",
	    "flush partner+2Eexample by=a via=b",
	    "flush partner_example by=a via=b",
	    "flush \xe4\xbe\x8b.example by=a via=b",
	    "flush partner.example",
	    "flush partner.example via=b",
	    "flush partner.example other.example by=a via=b",
	    "flush deliver 20261122T094000Z." KIT_ID ".1 by=a via=b",
	    "flush partner.example by=a via=b ",
	    "release hold " NEVER KIT_ID ".1 by=a\t via=b",
	    "release hold " NEVER KIT_ID ".1 by=a via=b\ndiscard",
	};
	struct order order;
	char line[ORDER_LINE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		size_t len;

		if (!parse(good[i], &order))
			fail_msg("not taken: %s", good[i]);
		len = order_format(&order, line, sizeof line);
		assert_int_equal(len, strlen(good[i]) + 1);
		assert_int_equal(line[len - 1], '\n');
		assert_memory_equal(line, good[i], len - 1);
		assert_int_equal(order_format(&order, line, len), 0);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (parse(bad[i], &order))
			fail_msg("taken: %s", bad[i]);
	}
}

static void long_lines(void **state)
{
	char line[2 * ORDER_LINE_MAX];
	struct order order;
	int n;

	(void)state;
	for (int by = 250; by < 260; by++) {
		n = snprintf(
		    line, sizeof line, "release hold " NEVER KIT_ID ".1 by=%0*d via=shell", by, 1);
		assert_int_equal(order_parse(line, (size_t)n, &order), by <= (int)ORDER_BY_MAX);
	}
	for (int domain = 250; domain < 260; domain++) {
		n = snprintf(line, sizeof line, "flush %0*d by=a via=shell", domain, 1);
		assert_int_equal(
		    order_parse(line, (size_t)n, &order), domain <= (int)ORDER_DOMAIN_MAX);
	}
	memset(line, 'a', sizeof line);
	assert_false(order_parse(line, sizeof line, &order));
	assert_false(order_parse("release\0hold", 12, &order));
}

static void answers(void **state)
{
	static const char *const good[] = {"done deliver", "done trash", "gone",
	    "no it is being sent", "unknown deliver", "unknown hold", "done deliver legs=0",
	    "done deliver legs=17", "done deliver legs=999999999"};
	static const char *const bad[] = {"", "done", "done nowhere", "done deliver now", "gone ",
	    "gone away", "no", "no ", "unknown", "unknown x", "maybe hold", "no tab\there",
	    "done deliver legs=", "done deliver legs=01", "done deliver legs=1x",
	    "done deliver legs=1 ", "done deliver legs=-1", "done deliver legs=1000000000",
	    "done deliver leg=1", "done deliver  legs=1", "done legs=1", "unknown deliver legs=1"};
	struct order_answer a;
	char line[ORDER_LINE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		size_t len;

		if (!order_answer_parse(good[i], strlen(good[i]), &a))
			fail_msg("not taken: %s", good[i]);
		len = order_answer_format(&a, line, sizeof line);
		assert_int_equal(len, strlen(good[i]) + 1);
		assert_memory_equal(line, good[i], len - 1);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (order_answer_parse(bad[i], strlen(bad[i]), &a))
			fail_msg("taken: %s", bad[i]);
	}
}

/* ---- carrying out ------------------------------------------------------------------------- */

#define DUE "20261122T094000Z."
#define LEG KIT_ID ".1"

static char root[256], flushed[ORDER_DOMAIN_MAX + 1];
static bool in_hand;
static struct stage stage;

static size_t flush_domain(struct stage *s, const char *domain)
{
	(void)s;
	(void)snprintf(flushed, sizeof flushed, "%s", domain);
	return 42;
}

static bool has_in_hand(struct stage *s, const struct leg_name *name)
{
	(void)s;
	(void)name;
	return in_hand;
}

static const struct stage_order rows[] = {{ORDER_BOUNCE, STATE_DELIVER, NULL}};
static const struct stage_role with_flush = {.program = "seki-test",
    .orders = rows,
    .n_orders = COUNT_OF(rows),
    .flush = flush_domain,
    .in_hand = has_in_hand};
static const struct stage_role without = {.program = "seki-test"};

static int enter(void **state)
{
	(void)state;
	kit_enter(root);
	memset(&stage, 0, sizeof stage);
	settings_default(&stage.settings);
	stage.settings.audit = false;
	stage.audit = audit_reach("seki-deliver");
	assert_non_null(stage.audit);
	audit_settings(stage.audit, &stage.settings);
	stage.limits.trailer_max = stage.settings.trailer_max;
	stage.role = &with_flush;
	stage.watch = (struct watch){
	    .settings = &stage.settings, .wall = kit_time(KIT_NOW), .boot = clock_boot()};
	assert_true(spool_open(&stage.spool, &stage.settings, NULL));
	in_hand = false;
	flushed[0] = '\0';
	return 0;
}

static int leave(void **state)
{
	(void)state;
	timetable_clear(&stage.due[STATE_DELIVER]);
	audit_leave(stage.audit);
	spool_close(&stage.spool);
	kit_leave(root);
	return 0;
}

/* A leg of four recipients in deliver/, due at `due`, with a plan and these records behind it. */
static void leg_stands(const char *due, const char *records)
{
	struct kit_bytes trailer = {NULL, 0};
	char path[300];

	kit_plan(&trailer, KIT_ID, "1", " deliver\n");
	kit_text(&trailer, records);
	(void)snprintf(path, sizeof path, "spool/deliver/%s" LEG, due);
	kit_write_leg(
	    path, (struct kit_leg){.envelope =
				       "from alice@example.co.jp\nto a@p.example\nto b@p.example\n"
				       "to c@p.example\nto d@p.example\nclient 192.0.2.10\n",
		      .trailer = trailer.at});
	kit_free(&trailer);
}

static struct order_answer carry_out(const char *line)
{
	struct order order;

	assert_true(parse(line, &order));
	return order_carry_out(&stage, &order);
}

#define BOUNCE(due) "bounce deliver " due LEG " by=al+20ice via=shell"

/* The last line of the leg, which must stand in deliver/ alone, behind its time; its new name. */
static char *last_line(char name[NAME_MAX + 1])
{
	struct kit_bytes b;
	char path[NAME_MAX + 20], *line;

	assert_int_equal(kit_count("spool/deliver", name), 1);
	(void)snprintf(path, sizeof path, "spool/deliver/%s", name);
	b = kit_file(path);
	assert_int_equal(b.at[b.len - 1], '\n');
	b.at[b.len - 1] = '\0';
	line = strrchr(b.at, '\n') + 1;
	assert_true(strlen(line) >= CLOCK_TEXT);
	line = strdup(line + CLOCK_TEXT);
	assert_non_null(line);
	kit_free(&b);
	return line;
}

/* Issue 4, "seki bounce": the open recipients fail, and seki-deliver is to look at once. */
static void a_bounce_fails_who_is_open(void **state)
{
	char name[NAME_MAX + 1], expected[300], digest[17], *line;
	struct order_answer a;

	(void)state;
	kit_digest(KIT_ID, "1", " deliver\n", digest);
	leg_stands("20261123T000000Z.",
	    "2026-11-22T09:36:00.000000Z delivered rcpt=2 host=h reply=ok\n"
	    "2026-11-22T09:36:01.000000Z deferred rcpt=1,3-4 until=2026-11-23T00:00:00.000000Z "
	    "host=h reply=no\n");
	a = carry_out(BOUNCE("20261123T000000Z."));
	assert_int_equal(a.result, ORDER_DONE);
	assert_int_equal(a.state, STATE_DELIVER);
	assert_false(a.counted);

	line = last_line(name);
	(void)snprintf(expected, sizeof expected,
	    "failed plan=%s rcpt=1,3-4 status=5.0.0 by=al+20ice via=shell "
	    "reply=returned+20by+20the+20operator",
	    digest);
	assert_string_equal(line, expected);
	free(line);
	/* Due by the clock that is believed, give or take the test's own time. */
	assert_memory_equal(name, "20261122T0940", 13);

	/* What was written is what a reader makes of it. */
	{
		char path[NAME_MAX + 20];
		struct kit_bytes b;
		struct leg leg;

		(void)snprintf(path, sizeof path, "spool/deliver/%s", name);
		b = kit_file(path);
		assert_int_equal(kit_read(b.at, b.len, &leg), LEG_FINE);
		assert_int_equal(leg.rcpt[0].fate, RCPT_FAILED);
		assert_int_equal(leg.rcpt[1].fate, RCPT_DELIVERED);
		assert_int_equal(leg.rcpt[3].fate, RCPT_FAILED);
		assert_true(leg.rcpt[3].owed);
		leg_free(&leg);
		kit_free(&b);
	}
}

static void a_leg_that_is_due_now_is_looked_at_too(void **state)
{
	char name[NAME_MAX + 1];
	struct leg_name due;

	(void)state;
	leg_stands(DUE, "");
	assert_int_equal(carry_out(BOUNCE(DUE)).result, ORDER_DONE);
	free(last_line(name));
	if (strcmp(name, DUE LEG) == 0) {
		assert_true(timetable_pop(&stage.due[STATE_DELIVER], &due));
		assert_string_equal(due.id, KIT_ID);
	}
}

static void what_cannot_bounce_stays_as_it_is(void **state)
{
	static const char *const ended[] = {
	    "2026-11-22T09:36:00.000000Z failed rcpt=1-4 host=h reply=no\n",
	    "2026-11-22T09:36:00.000000Z delivered rcpt=1-3 host=h reply=ok\n"
	    "2026-11-22T09:36:00.000000Z failed rcpt=4 host=h reply=no\n",
	};
	struct kit_bytes before, after;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ended); i++) {
		struct order_answer a;

		leg_stands(DUE, ended[i]);
		before = kit_file("spool/deliver/" DUE LEG);
		a = carry_out(BOUNCE(DUE));
		assert_int_equal(a.result, ORDER_NO);
		assert_string_equal(a.why, "no recipient is waiting any more");
		after = kit_file("spool/deliver/" DUE LEG);
		assert_string_equal(after.at, before.at);
		kit_free(&before);
		kit_free(&after);
	}

	leg_stands(DUE, "2026-11-22T09:36:00.000000Z whatever rcpt=1\n");
	assert_int_equal(carry_out(BOUNCE(DUE)).result, ORDER_NO); /* stopped: an unknown word */
	in_hand = true;
	assert_string_equal(carry_out(BOUNCE(DUE)).why, "it is being sent");
	in_hand = false;
	assert_int_equal(carry_out(BOUNCE("20261122T094001Z.")).result, ORDER_GONE);
	assert_int_equal(carry_out("bounce hold " DUE LEG " by=a via=b").result, ORDER_NO);
	stage.role = &without;
	assert_int_equal(carry_out(BOUNCE(DUE)).result, ORDER_NO);
}

/* Issue 4, "seki flush DOMAIN". */
static void a_flush_is_counted(void **state)
{
	struct order_answer a = carry_out("flush partner.example by=root via=shell");

	(void)state;
	assert_int_equal(a.result, ORDER_DONE);
	assert_int_equal(a.state, STATE_DELIVER);
	assert_true(a.counted);
	assert_int_equal(a.legs, 42);
	assert_string_equal(flushed, "partner.example");

	stage.role = &without;
	a = carry_out("flush partner.example by=root via=shell");
	assert_int_equal(a.result, ORDER_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(orders),
	    cmocka_unit_test(long_lines),
	    cmocka_unit_test(answers),
	    cmocka_unit_test_setup_teardown(a_bounce_fails_who_is_open, enter, leave),
	    cmocka_unit_test_setup_teardown(a_leg_that_is_due_now_is_looked_at_too, enter, leave),
	    cmocka_unit_test_setup_teardown(what_cannot_bounce_stays_as_it_is, enter, leave),
	    cmocka_unit_test_setup_teardown(a_flush_is_counted, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
