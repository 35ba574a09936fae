/* The lines of an operator's orders, and of their answers: one spelling each, and nothing else. */
#include "tests/unit/queue_kit.h"

#include "queue/order.h"

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
	memset(line, 'a', sizeof line);
	assert_false(order_parse(line, sizeof line, &order));
	assert_false(order_parse("release\0hold", 12, &order));
}

static void answers(void **state)
{
	static const char *const good[] = {"done deliver", "done trash", "gone",
	    "no it is being sent", "unknown deliver", "unknown hold"};
	static const char *const bad[] = {"", "done", "done nowhere", "done deliver now", "gone ",
	    "gone away", "no", "no ", "unknown", "unknown x", "maybe hold", "no tab\there"};
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(orders),
	    cmocka_unit_test(long_lines),
	    cmocka_unit_test(answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
