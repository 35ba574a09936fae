/*
 * The weekly report (S2): asked for only where somebody is to get it, sent once a week, and not known to
 * be sent before it is.
 * link: -Wl,--wrap=past_report_due,--wrap=past_report,--wrap=past_report_done,--wrap=notice_ask_letter
 */
#include "tests/unit/queue_kit.h"

#include "lib/dsn/letter.h"
#include "lib/hold/job.h"
#include "lib/notice/notice.h"
#include "lib/past/past.h"

static char seen[1024];
static int due;
static bool has_report, can_be_done;
static size_t long_text;
static enum notice_result result;

static void happened(const char *what)
{
	(void)strncat(seen, what, sizeof seen - strlen(seen) - 1);
}

int __wrap_past_report_due(char week[11], int64_t patience);
bool __wrap_past_report(unsigned days, struct buf *text, int64_t patience);
bool __wrap_past_report_done(const char week[11], int64_t patience);
void __wrap_notice_ask_letter(const char *path, const char *to, const char *subject,
    const char *text, size_t len, int timeout_ms, struct notice_answer *answer);

int __wrap_past_report_due(char week[11], int64_t patience)
{
	assert_true(patience > 0);
	happened("due ");
	(void)snprintf(week, 11, "2026-11-23");
	return due;
}

bool __wrap_past_report(unsigned days, struct buf *text, int64_t patience)
{
	assert_true(patience > 0);
	assert_int_equal(days, 7);
	happened("report ");
	buf_add_text(text, "\xe9\x80\xb1\xe5\xa0\xb1\n");
	for (size_t i = 0; i < long_text; i++)
		buf_add_text(text, "0123456789abcdef\n");
	return has_report;
}

bool __wrap_past_report_done(const char week[11], int64_t patience)
{
	assert_true(patience > 0);
	assert_string_equal(week, "2026-11-23");
	happened("done ");
	return can_be_done;
}

void __wrap_notice_ask_letter(const char *path, const char *to, const char *subject,
    const char *text, size_t len, int timeout_ms, struct notice_answer *answer)
{
	assert_string_equal(path, NOTICE_SOCKET);
	assert_string_equal(to, "chief@example.co.jp");
	assert_non_null(strstr(subject, "2026-11-23"));
	assert_true(len > 0 && len <= LETTER_TEXT_MAX && text[len - 1] == '\n');
	assert_true(timeout_ms > 0);
	happened("letter ");
	*answer = (struct notice_answer){.result = result, .id = KIT_OTHER_ID};
}

static void assert_work(struct weekly_job *w, const char *what, bool failed)
{
	seen[0] = '\0';
	weekly_work(&w->job);
	assert_string_equal(seen, what);
	assert_int_equal(w->failed, failed);
}

static struct weekly_job ready(struct settings *s)
{
	struct weekly_job w = {.next = 0};

	settings_default(s);
	(void)snprintf(s->report_to, sizeof s->report_to, "chief@example.co.jp");
	assert_true(weekly_due(&w, s, 1));
	due = 1;
	has_report = can_be_done = true;
	long_text = 0;
	result = NOTICE_KEPT;
	return w;
}

static void when_it_is_asked_for(void **state)
{
	struct weekly_job w = {.next = 100};
	struct settings s;

	(void)state;
	settings_default(&s);
	assert_false(weekly_due(&w, &s, 200)); /* report-to is "-" */
	(void)snprintf(s.report_to, sizeof s.report_to, "chief@example.co.jp");
	assert_false(weekly_due(&w, &s, 99));
	assert_true(weekly_due(&w, &s, 100));
	w.job.working = true;
	assert_false(weekly_due(&w, &s, 200));
	assert_true(WEEKLY_EVERY <= 3600 * CLOCK_SECOND);
}

static void it_is_sent_once(void **state)
{
	struct settings s;
	struct weekly_job w = ready(&s);

	(void)state;
	assert_work(&w, "due report letter done ", false);
	due = 0;
	assert_work(&w, "due ", false);
}

static void what_fails_is_tried_again(void **state)
{
	struct settings s;
	struct weekly_job w = ready(&s);

	(void)state;
	due = -1;
	assert_work(&w, "due ", true);
	due = 1;
	has_report = false;
	assert_work(&w, "due report ", true);
	has_report = true;
	result = NOTICE_LATER;
	assert_work(&w, "due report letter ", true);
	result = NOTICE_WRONG;
	assert_work(&w, "due report letter ", true);
	result = NOTICE_KEPT;
	can_be_done = false;
	assert_work(&w, "due report letter done ", true);
	/* It is in the spool: a second copy would not be the first one's. */
	assert_work(&w, "due done ", true);
	can_be_done = true;
	assert_work(&w, "due done ", false);
}

static void a_long_report_is_cut_at_a_line(void **state)
{
	struct settings s;
	struct weekly_job w = ready(&s);

	(void)state;
	long_text = 100000;
	assert_work(&w, "due report letter done ", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(when_it_is_asked_for),
	    cmocka_unit_test(it_is_sent_once),
	    cmocka_unit_test(what_fails_is_tried_again),
	    cmocka_unit_test(a_long_report_is_cut_at_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
