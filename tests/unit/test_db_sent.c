/* What people have sent: told leg by leg, listed mail by mail, the newest first (S3-05). */
#include "tests/unit/db_kit.h"

#include "queue/id.h"

#define ALICE "alice@x.example"

static struct kit k;

static int enter(void **state)
{
	(void)state;
	kit_enter(&k);
	kit_open(&k, KIT_NOW);
	history_keep_sent(k.history, 100 * KIT_DAY);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	kit_close(&k);
	kit_leave(&k);
	return 0;
}

static void id_of(unsigned number, char id[ID_TEXT])
{
	(void)snprintf(id, ID_TEXT, "%012x8000800000000000%04x", 0x1a000000U + number, number);
}

/* Of `n` recipients all but the failed were delivered. */
struct told {
	unsigned number;
	const char *leg, *from, *login, *subject;
	size_t n, failed, returned;
	const char *rcpt[4];
};

static void tell(struct told t)
{
	char id[ID_TEXT];
	struct buf lines;
	struct past_leg leg = {.id = id,
	    .k = t.leg != NULL ? t.leg : "1",
	    .from = t.from != NULL ? t.from : ALICE,
	    .login = t.login != NULL ? t.login : ALICE,
	    .subject = t.subject != NULL ? t.subject : "x",
	    .rcpts = t.n > 0 ? t.n : 1,
	    .failed = t.failed,
	    .returned = t.returned,
	    .rcpt = t.rcpt};

	id_of(t.number, id);
	leg.delivered = leg.rcpts - t.failed - t.returned;
	while (leg.named < COUNT_OF(t.rcpt) && t.rcpt[leg.named] != NULL)
		leg.named++;
	buf_init(&lines, 1 << 20);
	tray_put_sent(&lines, KIT_NOW + t.number, &leg);
	kit_tell("seki-deliver", &lines);
	buf_free(&lines);
}

/* The answer about those names, parted by blanks: "mail" lines shortened to their number. */
static const char *ask(uint64_t first, size_t count, const char *query, const char *names)
{
	static char said[65536];
	char copy[1024], *name[PAST_SENT_NAMES], *rest;
	struct sent_question q = {
	    .first = first, .count = count, .query = query, .name = (const char *const *)name};
	struct buf out;
	size_t len = 0;

	kit_read(&k, KIT_NOW + 100000);
	(void)snprintf(copy, sizeof copy, "%s", names);
	for (char *at = strtok_r(copy, " ", &rest); at != NULL; at = strtok_r(NULL, " ", &rest))
		name[q.names++] = at;
	buf_init(&out, 1 << 24);
	assert_true(history_sent(k.history, &q, &out));
	buf_add(&out, "", 1);
	said[0] = '\0';
	for (char *line = strtok_r(out.bytes, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		const char *from = line;

		/* The last four digits of the id. */
		if (strncmp(line, "mail ", 5) == 0) {
			from = line + 5 + ID_LEN - 4;
			line[5 + ID_LEN] = '\0';
		}
		len += (size_t)snprintf(
		    said + len, sizeof said - len, "%s%s", len > 0 ? " " : "", from);
	}
	buf_free(&out);
	return said;
}

/* The only line about a mail. */
static const char *line_of(const char *name)
{
	static char line[4096];
	struct sent_question q = {.count = 1, .query = "", .name = &name, .names = 1};
	struct buf out;

	kit_read(&k, KIT_NOW + 100000);
	buf_init(&out, 1 << 20);
	assert_true(history_sent(k.history, &q, &out));
	(void)snprintf(line, sizeof line, "%.*s", (int)strcspn(out.bytes, "\n"), out.bytes);
	buf_free(&out);
	return line;
}

static void S3_05_the_newest_first_by_pages(void **state)
{
	(void)state;
	assert_string_equal(ask(0, 10, "", "f" ALICE), "end 0 all");
	for (unsigned i = 1; i <= 5; i++)
		tell((struct told){.number = i});
	tell((struct told){.number = 9, .from = "bob@x.example", .login = "bob@x.example"});
	assert_string_equal(ask(0, 2, "", "f" ALICE), "0005 0004 end 5 all");
	assert_string_equal(ask(4, 2, "", "f" ALICE), "0001 end 5 all");
	assert_string_equal(ask(5, 2, "", "f" ALICE), "end 5 all");
	assert_string_equal(ask(0, 9, "", "fbob@x.example"), "0009 end 1 all");
	/* Nobody whose address begins the same. */
	assert_string_equal(ask(0, 9, "", "falice@x.exampl"), "end 0 all");
}

static void legs_are_one_line_and_count_once(void **state)
{
	static const struct told legs[] = {
	    {.number = 1, .leg = "1.1", .n = 2, .rcpt = {"b@p.example", "c@p.example"}},
	    {.number = 1,
		.leg = "1.2",
		.n = 2,
		.returned = 1,
		.rcpt = {"d@q.example", "e@q.example"}}};

	(void)state;
	tell(legs[0]);
	tell(legs[1]);
	tell(legs[1]); /* after a crash */
	assert_string_equal(line_of("f" ALICE),
	    "mail 00001a00000180008000000000000001 1795392001 4 3 0 1 " ALICE
	    " x b@p.example c@p.example d@q.example");
}

static void found_by_subject_and_recipient(void **state)
{
	(void)state;
	tell(
	    (struct told){.number = 1, .subject = "見積書ＡＢＣ", .rcpt = {"Bob@Partner.example"}});
	tell((struct told){.number = 2, .subject = "other", .rcpt = {"carol@partner.example"}});
	assert_string_equal(ask(0, 9, "見積", "f" ALICE), "0001 end 1 all");
	assert_string_equal(ask(0, 9, "abc", "f" ALICE), "0001 end 1 all");
	assert_string_equal(ask(0, 9, "BOB@PARTNER", "f" ALICE), "0001 end 1 all");
	assert_string_equal(ask(0, 9, "partner", "f" ALICE), "0002 0001 end 2 all");
	assert_string_equal(ask(1, 9, "partner", "f" ALICE), "0001 end 2 all");
	assert_string_equal(ask(0, 9, "nothing", "f" ALICE), "end 0 all");
	assert_string_equal(ask(0, 9, "\xff", "f" ALICE), "end 0 all");
}

/* By an alias, for a shared mailbox, by a login that is no address: each mail once. */
static void all_that_a_person_sends_as(void **state)
{
	static const char all[] = "f" ALICE " l" ALICE " lallie finfo@x.example fal@x.example";

	(void)state;
	tell((struct told){.number = 1});
	tell((struct told){.number = 2, .from = "al@x.example"});
	tell((struct told){.number = 3, .from = "Info@X.example", .login = "bob@x.example"});
	tell((struct told){.number = 4, .login = "Allie"});
	tell((struct told){.number = 5, .from = "alice+news@x.example"});
	tell((struct told){.number = 6, .from = "stranger@y.example", .login = "ALLIE"});
	assert_string_equal(ask(0, 9, "", all), "0006 0005 0004 0003 0002 0001 end 6 all");
	assert_string_equal(ask(2, 2, "", all), "0004 0003 end 6 all");
	assert_string_equal(ask(0, 9, "x", all), "0006 0005 0004 0003 0002 0001 end 6 all");
	assert_string_equal(ask(0, 9, "", "f" ALICE), "0005 0004 0001 end 3 all");
	assert_string_equal(ask(0, 9, "", "lbob@x.example"), "0003 end 1 all");
	/* Addresses with a +detail, one of which is a person's own: each mail once all the same. */
	tell((struct told){.number = 7, .from = "sales+jp@x.example", .login = "jp"});
	assert_string_equal(ask(0, 9, "", "fsales+jp@x.example ljp"), "0007 end 1 all");
	assert_string_equal(
	    ask(0, 9, "x", "fsales+jp@x.example fsales@x.example"), "0007 end 1 all");
	/* A login that is called like an address is another one than that address. */
	assert_string_equal(ask(0, 9, "", "fallie"), "end 0 all");
}

static void what_is_old_is_forgotten(void **state)
{
	(void)state;
	tell((struct told){.number = 1});
	tell((struct told){.number = 40000});
	kit_read(&k, KIT_NOW + 100000);
	for (int i = 0; i < 20; i++)
		assert_true(history_forget(k.history, KIT_NOW + 100 * KIT_DAY + 20000));
	assert_string_equal(ask(0, 9, "", "f" ALICE), "9c40 end 1 all");
	history_keep_sent(k.history, 0);
	for (int i = 0; i < 20; i++)
		assert_true(history_forget(k.history, KIT_NOW + 300 * KIT_DAY));
	assert_string_equal(ask(0, 9, "", "f" ALICE), "9c40 end 1 all");
}

/* What no program of ours writes changes nothing, and nobody's list is filled with it. */
static void lines_that_are_none(void **state)
{
	static const char *const lines[] = {
	    "sent 1795392001 00001a000001800080000000000000 1 " ALICE " = x 1 1 0 0\n",
	    "sent 1795392001 zz001a0000018000800000000000zz01 1 " ALICE " = x 1 1 0 0\n",
	    "sent 1795392001 00001a00000180008000000000000001 1 = = x 1 1 0 0\n",
	    "sent 1795392001 00001a00000180008000000000000001 1 " ALICE " = x 1 1 0\n",
	    "sent 1795392001 00001a00000180008000000000000001 1 " ALICE " = x -1 1 0 0\n"};
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		buf_init(&b, 4096);
		buf_add_text(&b, lines[i]);
		kit_tell("seki-deliver", &b);
		buf_free(&b);
	}
	assert_string_equal(ask(0, 9, "", "f" ALICE), "end 0 all");
}

/* A row stays short, and a leg may have any number of recipients. */
static void long_texts_are_cut(void **state)
{
	char subject[1000], address[300];
	const char *line;

	(void)state;
	memset(subject, 's', sizeof subject);
	memcpy(subject + 198, "あ", 3);
	subject[999] = '\0';
	memset(address, 'a', sizeof address);
	memcpy(address + 280, "@partner.example", 17);
	for (unsigned i = 0; i < 200; i++) {
		char leg[16];

		(void)snprintf(leg, sizeof leg, "1.%u", i + 1);
		tell((struct told){
		    .number = 1, .leg = leg, .subject = subject, .rcpt = {address, address}});
	}
	line = line_of("f" ALICE);
	assert_non_null(strstr(line, " 200 200 0 0 "));
	assert_null(strstr(line, "+E3"));
	assert_true(strlen(line) < 2000);
}

/* Fast with many: a page takes no longer than that of somebody who has sent little. */
static void ten_thousand_are_as_fast(void **state)
{
	struct timespec begun, ended;
	char said[64];
	double took;

	(void)state;
	for (unsigned i = 1; i <= 10000; i++)
		tell((struct told){.number = i, .subject = i == 777 ? "needle" : "hay"});
	kit_read(&k, KIT_NOW + 100000);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begun);
	for (int i = 0; i < 100; i++)
		(void)ask((uint64_t)i * 100, 50, "", "f" ALICE " l" ALICE);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
	took = (double)(ended.tv_sec - begun.tv_sec) * 1e3 +
	       (double)(ended.tv_nsec - begun.tv_nsec) / 1e6;
	print_message("[  MEASURE ] a page of 10,000: %.2f ms\n", took / 100);
	assert_true(took / 100 < 5);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begun);
	assert_string_equal(ask(0, 50, "NEEDLE", "f" ALICE), "0309 end 1 all");
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
	took = (double)(ended.tv_sec - begun.tv_sec) * 1e3 +
	       (double)(ended.tv_nsec - begun.tv_nsec) / 1e6;
	print_message("[  MEASURE ] a search of them: %.2f ms\n", took);
	(void)snprintf(said, sizeof said, "%s", ask(9990, 50, "", "f" ALICE));
	assert_string_equal(
	    said, "000a 0009 0008 0007 0006 0005 0004 0003 0002 0001 end 10000 all");
}

/* A crash between the tray and the store counts nothing twice (the store recovers by itself). */
static void it_is_there_after_a_restart(void **state)
{
	(void)state;
	tell((struct told){.number = 1});
	tell((struct told){.number = 2});
	assert_string_equal(ask(0, 9, "", "f" ALICE), "0002 0001 end 2 all");
	kit_close(&k);
	kit_open(&k, KIT_NOW);
	assert_string_equal(ask(0, 1, "", "f" ALICE), "0002 end 2 all");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(S3_05_the_newest_first_by_pages),
	    TEST(legs_are_one_line_and_count_once),
	    TEST(found_by_subject_and_recipient),
	    TEST(all_that_a_person_sends_as),
	    TEST(what_is_old_is_forgotten),
	    TEST(lines_that_are_none),
	    TEST(long_texts_are_cut),
	    TEST(ten_thousand_are_as_fast),
	    TEST(it_is_there_after_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
