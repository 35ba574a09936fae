/*
 * What was sent without its approval is counted, and reviewed by who would have been asked (N14).
 * link: -Wl,--wrap=audit_say_line
 */
#include "tests/unit/queue_kit.h"

#include "lib/hold/reviews.h"
#include "queue/audit.h"
#include "queue/stage.h"

static struct stage stage;
static char audited[1024];
static bool no_audit;

bool __wrap_audit_say_line(struct audit *audit, bool durable, const struct buf *line);
bool __wrap_audit_say_line(struct audit *audit, bool durable, const struct buf *line)
{
	(void)audit;
	assert_true(durable);
	assert_true(audit_line_valid(line->bytes, line->len));
	(void)snprintf(audited, sizeof audited, "%.*s", (int)line->len, line->bytes);
	return !no_audit;
}

static int enter(void **state)
{
	static char root[256];

	*state = root;
	kit_enter(root);
	assert_int_equal(mkdir("lib/hold", 0700), 0);
	settings_default(&stage.settings);
	stage.settings.audit = false;
	stage.watch = (struct watch){
	    .settings = &stage.settings, .wall = kit_time(KIT_NOW), .boot = clock_boot()};
	stage.audit = audit_reach("seki-hold");
	audit_settings(stage.audit, &stage.settings);
	no_audit = false;
	audited[0] = '\0';
	return 0;
}

static int leave(void **state)
{
	audit_leave(stage.audit);
	kit_leave(*state);
	return 0;
}

static bool add(const char *id, const char *by, const char *time)
{
	const struct review review = {.time = kit_time(time),
	    .id = id,
	    .from = "alice@x.example",
	    .by = by,
	    .reason = "the+20customer+20waits",
	    .subject = strcmp(id, "b.1") == 0 ? "an+20offer" : "",
	    .rcpts = strcmp(id, "b.1") == 0 ? 3 : 0,
	    .asked = "bob@x.example,erin@x.example"};

	return reviews_add(&review, kit_time(time));
}

static enum review_end close_by(const char *id, const char *who)
{
	return reviews_close(&stage, id, who, REVIEW_FINE, "seen", "web");
}

static void what_is_added_is_read_again(void **state)
{
	struct reviews reviews;

	(void)state;
	assert_true(reviews_read(&reviews));
	assert_int_equal(reviews.n, 0);
	reviews_free(&reviews);
	assert_true(add("a.1", "alice@x.example", "2026-11-15T09:40:00Z"));
	assert_true(add("b.1", "alice@x.example", "2026-11-16T09:40:00Z"));
	assert_true(add("c.1", "carol@x.example", "2026-11-16T09:40:00Z"));
	assert_true(reviews_read(&reviews));
	assert_int_equal(reviews.n, 3);
	assert_string_equal(reviews.review[1].id, "b.1");
	assert_string_equal(reviews.review[1].reason, "the+20customer+20waits");
	assert_int_equal(reviews.review[1].verdict, REVIEW_OPEN);
	assert_string_equal(reviews.review[1].subject, "an+20offer");
	assert_int_equal(reviews.review[1].rcpts, 3);
	/* As older versions have written all of theirs. */
	assert_string_equal(reviews.review[0].subject, "");
	assert_int_equal(reviews.review[0].rcpts, 0);
	assert_int_equal(reviews_of_week(&reviews, "alice@x.example", kit_time(KIT_NOW)), 1);
	assert_int_equal(reviews_of_week(&reviews, "dave@x.example", kit_time(KIT_NOW)), 0);
	reviews_free(&reviews);
}

static void one_of_those_asked_closes_it_once(void **state)
{
	struct reviews reviews;

	(void)state;
	assert_true(add("a.1", "alice@x.example", "2026-11-22T09:00:00Z"));
	assert_int_equal(close_by("b.1", "bob@x.example"), REVIEW_NONE);
	assert_int_equal(close_by("a.1", "alice@x.example"), REVIEW_NOT_HIS);
	assert_int_equal(close_by("a.1", "bob"), REVIEW_NOT_HIS);
	assert_int_equal(close_by("a.1", ""), REVIEW_NOT_HIS);
	assert_string_equal(audited, "");
	no_audit = true;
	assert_int_equal(close_by("a.1", "erin@x.example"), REVIEW_FAILED);
	no_audit = false;
	assert_int_equal(close_by("a.1", "erin@x.example"), REVIEW_DONE);
	assert_non_null(strstr(audited,
	    " what=reviewed id=a.1 from=alice@x.example sent-by=alice@x.example by=erin@x.example "
	    "via=web verdict=fine comment=seen"));
	assert_int_equal(close_by("a.1", "bob@x.example"), REVIEW_CLOSED);
	assert_true(reviews_read(&reviews));
	assert_string_equal(reviews.review[0].who, "erin@x.example");
	assert_string_equal(reviews.review[0].comment, "seen");
	assert_int_equal(reviews.review[0].verdict, REVIEW_FINE);
	reviews_free(&reviews);

	/* An operator may. */
	assert_true(add("b.1", "alice@x.example", "2026-11-22T09:00:00Z"));
	assert_int_equal(
	    reviews_close(&stage, "b.1", NULL, REVIEW_WRONG, "", "shell"), REVIEW_DONE);
	assert_non_null(strstr(audited, " by=root via=shell verdict=wrong"));
}

static void only_what_was_reviewed_long_ago_goes(void **state)
{
	struct reviews reviews;

	(void)state;
	assert_true(add("a.1", "alice@x.example", "2026-11-20T09:00:00Z"));
	assert_true(add("b.1", "alice@x.example", "2026-11-20T09:00:00Z"));
	assert_int_equal(close_by("a.1", "bob@x.example"), REVIEW_DONE);
	assert_true(add("c.1", "alice@x.example", "2027-03-01T09:00:00Z"));
	assert_true(reviews_read(&reviews));
	assert_int_equal(reviews.n, 2);
	assert_string_equal(reviews.review[0].id, "b.1");
	reviews_free(&reviews);
}

static void what_did_not_go_is_not_counted(void **state)
{
	int64_t at = kit_time("2026-11-20T09:00:00Z");
	struct reviews reviews;

	(void)state;
	assert_true(add("a.1", "alice@x.example", "2026-11-20T08:00:00Z"));
	assert_true(add("a.1", "alice@x.example", "2026-11-20T09:00:00Z"));
	assert_true(add("b.1", "alice@x.example", "2026-11-20T09:00:00Z"));
	assert_true(reviews_take_back("a.1", at, at));
	assert_true(reviews_read(&reviews));
	assert_int_equal(reviews.n, 2);
	assert_string_equal(reviews.review[0].id, "a.1");
	assert_true(reviews.review[0].time < at);
	assert_string_equal(reviews.review[1].id, "b.1");
	reviews_free(&reviews);

	assert_false(reviews_take_back("a.1", at, at));
	assert_int_equal(errno, ENOENT);
	/* Somebody has looked at it: then it has gone. */
	assert_int_equal(close_by("b.1", "bob@x.example"), REVIEW_DONE);
	assert_false(reviews_take_back("b.1", at, at));
}

static void what_cannot_be_understood_is_not_written_over(void **state)
{
	static const char *const rows[] = {"x\n", "2026-11-20T09:00:00.000000Z\n",
	    "2026-11-20T09:00:00.000000Z id=a.1 from=a by=b reason=c asked=d",
	    "2026-11-20T09:00:00.000000Z id=a.1 from=a by=b reason=c asked=d other=e\n",
	    "2026-11-20T09:00:00.000000Z id=a.1 from=a by=b reason=c asked=d verdict=fine\n",
	    "2026-11-20T09:00:00.000000Z id=a.1 from=a by=b reason=+zz asked=d\n",
	    "2026-11-20T09:00:00.000000Z id=a.1 from=a by=b reason=c asked=d rcpts=-1\n",
	    "2026-11-20T09:00:00.000000Z id=a.1 from=a by=b reason=c asked=d rcpts=\n", "\n"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct reviews reviews;
		struct kit_bytes b;

		kit_write(REVIEWS_FILE, rows[i], strlen(rows[i]));
		assert_false(reviews_read(&reviews));
		assert_int_equal(errno, EPROTO);
		assert_false(add("b.1", "alice@x.example", "2026-11-22T09:00:00Z"));
		assert_int_equal(close_by("a.1", "bob@x.example"), REVIEW_FAILED);
		b = kit_file(REVIEWS_FILE);
		assert_string_equal(b.at, rows[i]);
		kit_free(&b);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_added_is_read_again),
	    TEST(one_of_those_asked_closes_it_once),
	    TEST(only_what_was_reviewed_long_ago_goes),
	    TEST(what_did_not_go_is_not_counted),
	    TEST(what_cannot_be_understood_is_not_written_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
