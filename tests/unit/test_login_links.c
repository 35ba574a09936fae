/*
 * Links by which people log in (W2: the same answer for everybody, tokens stored as hashes and used once; W3: bounds
 * that lock nobody out; W1: a link that was only looked at is not used up).
 */
#include "tests/unit/queue_kit.h"

#include "lib/login/links.h"

#define SECOND CLOCK_SECOND
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define NOW    (1000 * HOUR)
#define SPAN   (15 * MINUTE)
#define ALICE  "alice@example.co.jp"
#define SOURCE "192.0.2.7"

#define A_SOURCE 40

static struct links *make(int64_t a_person)
{
	const struct links_limits limits = {a_person, A_SOURCE};
	struct links *links = links_new(&limits);

	assert_non_null(links);
	return links;
}

static enum links_asked ask(struct links *links, const char *address, const char *source,
    int64_t now, struct links_told *told)
{
	struct links_told unwanted;

	return links_ask(links, address, source, false, now, told != NULL ? told : &unwanted);
}

/* Asked for and mailed; its token. */
static struct links_told mailed(struct links *links, int64_t now, char token[LOGIN_TOKEN_TEXT])
{
	struct links_told told;
	struct links_one *one;

	assert_int_equal(ask(links, ALICE, SOURCE, now, &told), LINKS_WILL);
	one = links_due(links, now + 40 * SECOND);
	assert_non_null(one);
	assert_true(links_mail(links, one, now, SPAN, token));
	return told;
}

static enum links_opened open_it(
    struct links *links, const char *token, const char *nonce, const char *number, int64_t now)
{
	char address[GATE_ADDRESS_MAX] = "";
	enum links_opened opened = links_open(links, token, nonce, number, SOURCE, now, address);

	assert_string_equal(address, opened == LINKS_OPENED ? ALICE : "");
	return opened;
}

static void it_is_opened_once(void **state)
{
	struct links *links = make(5);
	char token[LOGIN_TOKEN_TEXT];
	struct links_told told = mailed(links, NOW, token);

	(void)state;
	assert_int_equal(strlen(told.nonce), LOGIN_TOKEN_LEN);
	assert_int_equal(strlen(told.number), 4);
	assert_int_equal(strspn(told.number, "0123456789"), 4);
	assert_int_equal(strlen(token), LOGIN_TOKEN_LEN);
	assert_int_equal(open_it(links, token, told.nonce, NULL, NOW), LINKS_OPENED);
	assert_int_equal(open_it(links, token, told.nonce, NULL, NOW), LINKS_DEAD);
	links_free(links);
}

static void another_browser_needs_the_number(void **state)
{
	struct links *links = make(5);
	char token[LOGIN_TOKEN_TEXT];
	struct links_told told = mailed(links, NOW, token);

	(void)state;
	/* As often as somebody looks: that is no try, and uses nothing up. */
	for (int i = 0; i < 20; i++) {
		assert_int_equal(open_it(links, token, NULL, NULL, NOW), LINKS_NUMBER);
		assert_int_equal(open_it(links, token, "", "", NOW), LINKS_NUMBER);
		assert_int_equal(open_it(links, token, token, NULL, NOW), LINKS_NUMBER);
	}
	assert_int_equal(open_it(links, token, NULL, told.number, NOW), LINKS_OPENED);
	assert_int_equal(open_it(links, token, NULL, told.number, NOW), LINKS_DEAD);
	links_free(links);
}

static void five_wrong_numbers_kill_it(void **state)
{
	struct links *links = make(5);
	char token[LOGIN_TOKEN_TEXT], wrong[LINKS_NUMBER_TEXT];
	struct links_told told = mailed(links, NOW, token);

	(void)state;
	memcpy(wrong, told.number, sizeof wrong);
	wrong[3] = wrong[3] == '0' ? '1' : '0';
	for (int i = 1; i < LINKS_TRIES; i++)
		assert_int_equal(open_it(links, token, NULL, wrong, NOW), LINKS_NUMBER);
	assert_int_equal(open_it(links, token, NULL, "12345", NOW), LINKS_DEAD);
	assert_int_equal(open_it(links, token, told.nonce, told.number, NOW), LINKS_DEAD);
	links_free(links);
}

static void only_the_token_opens_it(void **state)
{
	struct links *links = make(5);
	char token[LOGIN_TOKEN_TEXT], changed[LOGIN_TOKEN_TEXT + 1];
	struct links_told told = mailed(links, NOW, token);

	(void)state;
	for (size_t i = 0; i < LOGIN_TOKEN_LEN; i++) {
		memcpy(changed, token, sizeof token);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		assert_int_equal(open_it(links, changed, told.nonce, told.number, NOW), LINKS_DEAD);
	}
	assert_int_equal(open_it(links, "", told.nonce, told.number, NOW), LINKS_DEAD);
	(void)snprintf(changed, sizeof changed, "%sA", token);
	assert_int_equal(open_it(links, changed, told.nonce, told.number, NOW), LINKS_DEAD);
	links_free(links);
}

static void its_time_ends(void **state)
{
	struct links *links = make(5);
	char token[LOGIN_TOKEN_TEXT];
	struct links_told told = mailed(links, NOW, token);

	(void)state;
	assert_int_equal(open_it(links, token, NULL, NULL, NOW + SPAN - 1), LINKS_NUMBER);
	assert_int_equal(open_it(links, token, told.nonce, NULL, NOW + SPAN), LINKS_DEAD);
	assert_true(links_next(links) == NOW + SPAN);
	assert_null(links_due(links, NOW + SPAN));
	assert_true(links_next(links) == INT64_MAX);
	links_free(links);
}

static void what_was_not_mailed_cannot_be_opened(void **state)
{
	struct links *links = make(5);
	struct links_told told;
	struct links_one *one;

	(void)state;
	assert_int_equal(ask(links, ALICE, SOURCE, NOW, &told), LINKS_WILL);
	assert_int_equal(open_it(links, told.nonce, told.nonce, told.number, NOW), LINKS_DEAD);
	one = links_due(links, NOW + MINUTE);
	assert_non_null(one);
	assert_string_equal(one->address, ALICE);
	assert_string_equal(one->source, SOURCE);
	links_drop(links, one);
	assert_null(links_due(links, NOW + MINUTE));
	assert_true(links_next(links) == INT64_MAX);
	links_free(links);
}

/* Each further mail to one person waits longer, and more than so many are none. */
static void a_person_is_mailed_so_many(void **state)
{
	struct links *links = make(5);
	int64_t before = 0;
	struct links_told told;

	(void)state;
	for (int i = 0; i < 5; i++) {
		int64_t due;

		assert_int_equal(ask(links, ALICE, "192.0.2.1", NOW, &told), LINKS_WILL);
		assert_int_equal(strlen(told.nonce), LOGIN_TOKEN_LEN);
		for (int64_t at = NOW;; at += SECOND / 4) {
			struct links_one *one = links_due(links, at);

			if (one == NULL)
				continue;
			due = one->due - NOW;
			links_drop(links, one);
			break;
		}
		assert_true(due >= (i == 0 ? 0 : (1 << (i - 1)) * SECOND));
		assert_true(due < (i == 0 ? 1 : (1 << (i - 1)) + 1) * SECOND);
		assert_true(i < 2 || due > before);
		before = due;
	}
	memset(&told, 0, sizeof told);
	assert_int_equal(ask(links, ALICE, "192.0.2.99", NOW, &told), LINKS_ADDRESS_CAPPED);
	assert_int_equal(strlen(told.nonce), LOGIN_TOKEN_LEN);
	assert_int_equal(strlen(told.number), 4);
	assert_null(links_due(links, NOW + HOUR));
	/* Nobody else is kept from it, and he is not for long. */
	assert_int_equal(ask(links, "bob@example.co.jp", "192.0.2.99", NOW, NULL), LINKS_WILL);
	assert_int_equal(ask(links, ALICE, "192.0.2.99", NOW + HOUR + HOUR / 8, NULL), LINKS_WILL);
	links_free(links);
}

static void a_source_asks_for_so_many(void **state)
{
	struct links *links = make(2);
	char address[64], source[64];
	int asked = 0;

	(void)state;
	/* IPv6: by /64. */
	for (int i = 0; i < 100; i++) {
		(void)snprintf(address, sizeof address, "p%d@example.co.jp", i);
		(void)snprintf(source, sizeof source, "2001:db8:0:1::%x", i);
		if (ask(links, address, source, NOW, NULL) == LINKS_WILL)
			asked++;
	}
	assert_int_equal(asked, A_SOURCE);
	assert_int_equal(ask(links, ALICE, "2001:db8:0:1::ffff", NOW, NULL), LINKS_SOURCE_CAPPED);
	assert_int_equal(ask(links, ALICE, "2001:db8:0:2::1", NOW, NULL), LINKS_WILL);
	assert_int_equal(ask(links, ALICE, "no address", NOW, NULL), LINKS_BROKEN);
	links_free(links);
}

static void none_at_all(void **state)
{
	struct links *links = make(0);
	struct links_told told;

	(void)state;
	assert_int_not_equal(ask(links, ALICE, SOURCE, NOW, &told), LINKS_WILL);
	assert_int_equal(strlen(told.nonce), LOGIN_TOKEN_LEN);
	assert_null(links_due(links, NOW + HOUR));
	links_limit(links, &(const struct links_limits){5, A_SOURCE});
	assert_int_equal(ask(links, ALICE, SOURCE, NOW, &told), LINKS_WILL);
	links_free(links);
}

static void memory_is_bounded(void **state)
{
	struct links *links = make(1);
	char token[LOGIN_TOKEN_TEXT], address[64], source[64];
	struct links_told told = mailed(links, NOW, token);

	(void)state;
	for (size_t i = 0; i < LINKS_MOST; i++) {
		/* While there is room it stays. */
		assert_int_equal(open_it(links, token, NULL, NULL, NOW), LINKS_NUMBER);
		(void)snprintf(address, sizeof address, "p%zu@example.co.jp", i);
		(void)snprintf(source, sizeof source, "10.%zu.%zu.1", i / 256, i % 256);
		assert_int_equal(ask(links, address, source, NOW, NULL), LINKS_WILL);
	}
	/* For one more the oldest was forgotten. */
	assert_int_equal(open_it(links, token, told.nonce, NULL, NOW), LINKS_DEAD);
	links_free(links);
}

/* W3: strangers at some networks use up nobody's links but those of their own networks. */
static void strangers_use_up_nobodys_links(void **state)
{
	struct links *links = make(5);
	char source[64];

	(void)state;
	for (int i = 0; i < 20; i++) {
		(void)snprintf(source, sizeof source, "198.51.100.%d", i);
		assert_int_equal(ask(links, ALICE, source, NOW, NULL),
		    i < 5 ? LINKS_WILL : LINKS_ADDRESS_CAPPED);
		(void)snprintf(source, sizeof source, "2001:db8:1:%x::1", i);
		assert_int_equal(ask(links, ALICE, source, NOW, NULL),
		    i < 5 ? LINKS_WILL : LINKS_ADDRESS_CAPPED);
	}
	assert_int_equal(ask(links, ALICE, SOURCE, NOW, NULL), LINKS_WILL);
	/* But all together are bounded, too: nobody is mailed without end. */
	for (int i = 0; i < 100; i++) {
		(void)snprintf(source, sizeof source, "10.0.%d.1", i);
		assert_int_equal(ask(links, ALICE, source, NOW, NULL),
		    i < 5 * LINKS_NETWORKS - 11 ? LINKS_WILL : LINKS_ADDRESS_CAPPED);
	}
	links_free(links);
}

/* W3: where a link of his was opened before he has links of his own, whatever others did; and so many of them. */
static void who_was_there_before_has_his_own(void **state)
{
	struct links *links = make(5);
	char token[LOGIN_TOKEN_TEXT], source[64];
	struct links_told told = mailed(links, NOW, token);

	(void)state;
	assert_int_equal(open_it(links, token, told.nonce, NULL, NOW), LINKS_OPENED);
	for (int i = 0; i < 100; i++) {
		(void)snprintf(source, sizeof source, "10.0.%d.1", i);
		(void)ask(links, ALICE, source, NOW, NULL);
		(void)snprintf(source, sizeof source, "192.0.2.%d", 100 + i);
		(void)ask(links, ALICE, source, NOW, NULL);
	}
	assert_int_equal(ask(links, ALICE, "192.0.2.200", NOW, NULL), LINKS_ADDRESS_CAPPED);
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask(links, ALICE, SOURCE, NOW, NULL), LINKS_WILL);
	assert_int_equal(ask(links, ALICE, SOURCE, NOW, NULL), LINKS_ADDRESS_CAPPED);
	assert_int_equal(ask(links, "bob@example.co.jp", "192.0.2.200", NOW, NULL), LINKS_WILL);
	links_free(links);
}

/* Nor is he mailed more for his aliases; and who asks for one of them is told nothing by that of the other. */
static void aliases_are_one_person(void **state)
{
	static const char *const alias[] = {"a1@example.co.jp", "a2@example.co.jp", ALICE};
	struct links *links = make(5);
	int mails = 0;

	(void)state;
	for (size_t i = 0; i < 15; i++) {
		struct links_one *one;

		assert_int_equal(ask(links, alias[i % 3], SOURCE, NOW, NULL), LINKS_WILL);
		one = links_due(links, NOW + HOUR);
		assert_non_null(one);
		memcpy(one->address, ALICE, sizeof ALICE);
		mails += links_may_mail(links, one, NOW) ? 1 : 0;
		links_drop(links, one);
	}
	assert_int_equal(mails, 5);
	links_free(links);
}

/* An office behind one address waits for no colleague. */
static void a_colleague_delays_nobody(void **state)
{
	struct links *links = make(5);
	char address[64];

	(void)state;
	for (int i = 0; i < 30; i++) {
		struct links_one *one;

		(void)snprintf(address, sizeof address, "p%d@example.co.jp", i);
		assert_int_equal(ask(links, address, SOURCE, NOW, NULL), LINKS_WILL);
		one = links_due(links, NOW + SECOND);
		assert_non_null(one);
		links_drop(links, one);
	}
	links_free(links);
}

/* Whoever fills all places from one network drives out his own. */
static void a_flood_drives_out_its_own(void **state)
{
	struct links *links = make(5);
	char token[LOGIN_TOKEN_TEXT], address[64], source[64];
	struct links_told told = mailed(links, NOW, token);

	(void)state;
	for (size_t i = 0; i < 2 * LINKS_MOST; i++) {
		(void)snprintf(address, sizeof address, "p%zu@example.co.jp", i);
		(void)snprintf(source, sizeof source, "2001:db8:9:%zx::1", i / 8);
		assert_int_equal(ask(links, address, source, NOW, NULL), LINKS_WILL);
	}
	assert_int_equal(open_it(links, token, told.nonce, NULL, NOW), LINKS_OPENED);
	links_free(links);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_is_opened_once),
	    cmocka_unit_test(another_browser_needs_the_number),
	    cmocka_unit_test(five_wrong_numbers_kill_it),
	    cmocka_unit_test(only_the_token_opens_it),
	    cmocka_unit_test(its_time_ends),
	    cmocka_unit_test(what_was_not_mailed_cannot_be_opened),
	    cmocka_unit_test(a_person_is_mailed_so_many),
	    cmocka_unit_test(a_source_asks_for_so_many),
	    cmocka_unit_test(none_at_all),
	    cmocka_unit_test(memory_is_bounded),
	    cmocka_unit_test(strangers_use_up_nobodys_links),
	    cmocka_unit_test(who_was_there_before_has_his_own),
	    cmocka_unit_test(aliases_are_one_person),
	    cmocka_unit_test(a_colleague_delays_nobody),
	    cmocka_unit_test(a_flood_drives_out_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
