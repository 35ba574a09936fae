/* The trailer: what counts as a record, where damage begins, and what each word says. */
#include "tests/unit/queue_kit.h"

#include "lib/base/clock.h"
#include "queue/record.h"

#define PLAN " hold no\n deliver\n"

/* Reads a leg with three recipients and this trailer. */
static enum leg_fault read_trailer(const char *trailer, size_t len, struct leg *leg)
{
	struct kit_bytes b =
	    kit_leg((struct kit_leg){.envelope = "from a@b\nto x@y\nto y@y\nto z@y\n"
						 "client -\n"});
	enum leg_fault fault;

	kit_add(&b, trailer, len);
	fault = kit_read(b.at, b.len, leg);
	kit_free(&b);
	return fault;
}

static void say(const char *trailer, struct leg *leg)
{
	assert_int_equal(read_trailer(trailer, strlen(trailer), leg), LEG_FINE);
}

/* The fates of the three recipients as letters. */
static void assert_fates(const char *trailer, const char *expected)
{
	struct leg leg;
	char fates[4] = "";

	say(trailer, &leg);
	for (size_t i = 0; i < 3; i++)
		fates[i] = (leg.rcpt[i].owed ? ".DFBX" : ".dfbx")[leg.rcpt[i].fate];
	if (strcmp(fates, expected) != 0)
		fail_msg("\"%s\": %s, not %s", trailer, fates, expected);
	leg_free(&leg);
}

/* ---- where the trailer ends --------------------------------------------------------------- */

static struct kit_bytes long_trailer(size_t ends[8], size_t *n)
{
	struct kit_bytes b = {NULL, 0};
	char digest[17];

	kit_digest(KIT_ID, "1", PLAN, digest);
	*n = 0;
	ends[(*n)++] = 0;
	kit_plan(&b, KIT_ID, "1", PLAN);
	ends[(*n)++] = b.len;
	kit_addf(&b, KIT_NOW " held plan=%s ended=at-once\n", digest);
	ends[(*n)++] = b.len;
	kit_addf(&b, KIT_NOW " deferred plan=%s rcpt=1-3 until=" KIT_NOW "\n", digest);
	ends[(*n)++] = b.len;
	kit_addf(&b, KIT_NOW " delivered plan=%s rcpt=1,3\n", digest);
	ends[(*n)++] = b.len;
	return b;
}

/* The last whole record at or before `len`. */
static size_t end_at(const size_t *ends, size_t n, size_t len)
{
	size_t end = 0;

	for (size_t i = 0; i < n && ends[i] <= len; i++)
		end = ends[i];
	return end;
}

/* Torn or zeroed at every byte: the trailer ends at the last whole record before. */
static void torn_at_every_byte(void **state)
{
	size_t ends[8], n;
	struct kit_bytes b = long_trailer(ends, &n);

	(void)state;
	for (size_t cut = 0; cut <= b.len; cut++) {
		static const size_t zeros[] = {0, 1, 511, 4096};

		for (size_t i = 0; i < COUNT_OF(zeros); i++) {
			struct kit_bytes torn = {NULL, 0};
			char nul[4096] = "";
			struct leg leg;

			kit_add(&torn, b.at, cut);
			kit_add(&torn, nul, zeros[i]);
			assert_int_equal(read_trailer(torn.at, torn.len, &leg), LEG_FINE);
			assert_int_equal(leg.end - leg.trailer, end_at(ends, n, cut));
			assert_int_equal(leg.file_end - leg.trailer, torn.len);
			assert_int_equal(leg.trailer_bytes.len, end_at(ends, n, cut));
			assert_int_equal(leg.plan.steps, cut >= ends[1] ? 2 : 0);
			if (cut >= ends[1])
				assert_int_equal(leg.plan.step[0].closed, cut >= ends[2]);
			assert_int_equal(leg_open_rcpts(&leg), cut >= ends[4] ? 1 : 3);
			leg_free(&leg);
			kit_free(&torn);
		}
	}
	kit_free(&b);
}

/* A single NUL anywhere, with whole records behind it: nobody knows what stood there. */
static void a_whole_record_behind_damage(void **state)
{
	size_t ends[8], n;
	struct kit_bytes b = long_trailer(ends, &n);
	struct leg leg;

	(void)state;
	for (size_t at = 0; at < b.len; at++) {
		char kept = b.at[at];
		enum leg_fault fault;

		b.at[at] = '\0';
		fault = read_trailer(b.at, b.len, &leg);
		b.at[at] = kept;
		assert_int_equal(fault, at < ends[3] - 1 ? LEG_UNREADABLE : LEG_FINE);
		if (fault == LEG_FINE) {
			assert_int_equal(leg.end - leg.trailer, at < ends[3] ? ends[2] : ends[3]);
			leg_free(&leg);
		}
	}
	kit_free(&b);
}

static void no_records(void **state)
{
	static const char *const damage[] = {
	    "x\n",
	    "\n",
	    " deliver\n",
	    "2026-11-22 note\n",
	    KIT_NOW "\n",
	    KIT_NOW " \n",
	    KIT_NOW "  note\n",
	    KIT_NOW " Note\n",
	    KIT_NOW " note=1\n",
	    KIT_NOW " note",
	    "2026-11-22T09:40:00Z note\n",
	    "2026-13-22T09:40:00.000000Z note\n",
	    "plan 1\n",
	    "plan 1 sha256=00\n deliver\n",
	    "plan 0 sha256=0000000000000000\n",
	    "plan x sha256=0000000000000000\n deliver\n",
	    "plan 99999999999999999999 sha256=0000000000000000\n deliver\n",
	    "plan 2 sha256=0000000000000000\n deliver\n",
	    "plan 1 sha256=0000000000000000\ndeliver\n",
	    "plan 1 sha256=0000000000000000 \n deliver\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(damage); i++) {
		struct leg leg;

		say(damage[i], &leg);
		if (leg.end != leg.trailer)
			fail_msg("taken for a record: \"%s\"", damage[i]);
		assert_int_equal(record_whole(damage[i], strlen(damage[i])), 0);
		leg_free(&leg);
	}
}

static void whole_length(void **state)
{
	size_t ends[8], n;
	struct kit_bytes b = long_trailer(ends, &n);

	(void)state;
	for (size_t len = 0; len <= b.len; len++)
		assert_int_equal(record_whole(b.at, len), end_at(ends, n, len));
	kit_free(&b);
}

/* ---- plans -------------------------------------------------------------------------------- */

static void the_last_whole_plan_counts(void **state)
{
	struct kit_bytes b = {NULL, 0};
	struct leg leg;

	(void)state;
	kit_plan(&b, KIT_ID, "1", " deliver\n");
	kit_plan(&b, KIT_ID, "1", PLAN);
	say(b.at, &leg);
	assert_int_equal(leg.plan.steps, 2);
	leg_free(&leg);

	kit_plan(&b, KIT_OTHER_ID, "1", " deliver\n"); /* carried over from another leg */
	kit_plan(&b, KIT_ID, "1.1", " deliver\n");
	kit_text(&b, "plan 1 sha256=0123456789abcdef\n deliver\n");
	say(b.at, &leg);
	assert_int_equal(leg.plan.steps, 2);
	assert_int_equal(leg.end, leg.file_end);
	leg_free(&leg);

	kit_text(&b, "plan 3 sha256=0123456789abcdef\n hold no\n deliver\n"); /* fewer lines */
	say(b.at, &leg);
	assert_int_equal(leg.plan.steps, 2);
	assert_true(leg.end < leg.file_end);
	leg_free(&leg);
	kit_free(&b);
}

static void a_plan_with_fewer_lines_and_more_behind(void **state)
{
	struct kit_bytes b = {NULL, 0};
	struct leg leg;

	(void)state;
	kit_text(&b, "plan 3 sha256=0123456789abcdef\n hold no\n deliver\n");
	kit_text(&b, KIT_NOW " note\n");
	assert_int_equal(read_trailer(b.at, b.len, &leg), LEG_UNREADABLE);
	kit_free(&b);
}

/* A closing record closes one step of the plan that it names, and only if that is in force. */
static void closing_records(void **state)
{
	struct kit_bytes b = {NULL, 0};
	char digest[17];
	struct leg leg;

	(void)state;
	kit_digest(KIT_ID, "1", " hold no\n hold no\n deliver\n", digest);
	kit_addf(&b, KIT_NOW " held plan=%s\n", digest); /* before its plan */
	kit_plan(&b, KIT_ID, "1", " hold no\n hold no\n deliver\n");
	say(b.at, &leg);
	assert_false(leg.plan.step[0].closed);
	leg_free(&leg);

	kit_text(&b, KIT_NOW " held\n");
	kit_text(&b, KIT_NOW " held plan=\n");
	kit_text(&b, KIT_NOW " held plan=0123456789abcdef\n");
	kit_addf(&b, KIT_NOW " held plan=%.15s\n", digest);
	kit_addf(&b, KIT_NOW " held plan=%s0\n", digest);
	kit_addf(&b, KIT_NOW " held xplan=%s\n", digest);
	kit_addf(&b, KIT_NOW " sealed plan=%s\n", digest);
	say(b.at, &leg);
	assert_false(leg.plan.step[0].closed);
	leg_free(&leg);

	kit_addf(&b, KIT_NOW " held ended=due plan=%s\n", digest);
	say(b.at, &leg);
	assert_true(leg.plan.step[0].closed);
	assert_false(leg.plan.step[1].closed); /* one record, one step */
	leg_free(&leg);

	kit_plan(&b, KIT_ID, "1", " hold no\n hold no\n deliver\n"); /* judged again */
	say(b.at, &leg);
	assert_false(leg.plan.step[0].closed);
	leg_free(&leg);
	kit_free(&b);
}

/* ---- words -------------------------------------------------------------------------------- */

static void what_happened_to_recipients(void **state)
{
	(void)state;
	assert_fates("", "...");
	assert_fates(KIT_NOW " delivered rcpt=2\n", ".d.");
	assert_fates(KIT_NOW " bounced rcpt=1\n", "b..");
	assert_fates(KIT_NOW " drop rcpt=3 by=alice\n", "..x");
	assert_fates(KIT_NOW " delivered rcpt=1\n" KIT_NOW " drop rcpt=1-3\n", "dxx");
	assert_fates(KIT_NOW " drop rcpt=1\n" KIT_NOW " delivered rcpt=1\n", "d..");
	assert_fates(KIT_NOW " deferred rcpt=1-3 until=" KIT_NOW "\n", "...");
}

/* A capital: a notification about it is owed, so that the leg is not finished. */
static void what_senders_are_owed(void **state)
{
	(void)state;
	assert_fates(KIT_NOW " failed rcpt=2 reply=550+20no\n", ".F.");
	assert_fates(KIT_NOW " failed rcpt=1-2\n" KIT_NOW " bounced rcpt=2 notice=x\n", "Fb.");
	assert_fates(KIT_NOW " delivered rcpt=1-2 notice=owed\n" KIT_NOW " told rcpt=2\n", "Dd.");
	assert_fates(KIT_NOW " delivered rcpt=1 notice=no\n", "d..");
	/* What is out of our hands cannot fail any more. */
	assert_fates(KIT_NOW " delivered rcpt=1\n" KIT_NOW " drop rcpt=2\n" KIT_NOW
			     " failed rcpt=1-3\n",
	    "dxF");
	assert_fates(KIT_NOW " failed rcpt=1\n" KIT_NOW " drop rcpt=1\n", "F..");
}

static void how_often_and_since_when(void **state)
{
	static const char trailer[] =
	    "2026-11-22T09:00:00.000000Z deferred rcpt=1,3 until=" KIT_NOW "\n"
	    "2026-11-22T10:00:00.000000Z deferred rcpt=3\n"
	    "2026-11-22T11:00:00.000000Z warned rcpt=3 notice=x\n";
	struct leg_record last[3];
	struct leg leg;
	size_t len;

	(void)state;
	say(trailer, &leg);
	assert_int_equal(leg.rcpt[2].tries, 2);
	assert_int_equal(leg.rcpt[2].first_tried, clock_parse("2026-11-22T09:00:00.000000Z", 27));
	assert_true(leg.rcpt[2].warned && !leg.rcpt[0].warned);
	assert_int_equal(leg.rcpt[1].first_tried, 0);

	leg_last_records(&leg, "deferred", last);
	assert_int_equal(last[0].time, clock_parse("2026-11-22T09:00:00.000000Z", 27));
	assert_non_null(leg_record_value(&last[0], "until", &len));
	assert_int_equal(len, strlen(KIT_NOW));
	assert_null(last[1].text);
	assert_int_equal(last[2].time, clock_parse("2026-11-22T10:00:00.000000Z", 27));
	assert_null(leg_record_value(&last[2], "until", &len));
	leg_free(&leg);
}

static void lists_of_recipients(void **state)
{
	(void)state;
	assert_fates(KIT_NOW " delivered rcpt=1-3\n", "ddd");
	assert_fates(KIT_NOW " delivered rcpt=1,3\n", "d.d");
	assert_fates(KIT_NOW " delivered rcpt=1,2-3\n", "ddd");
	assert_fates(KIT_NOW " delivered rcpt=3,1\n", "d.d");
	assert_fates(KIT_NOW " delivered rcpt=2-2\n", ".d.");
	assert_fates(KIT_NOW " delivered rcpt=2,4,99\n", ".d.");
	assert_fates(KIT_NOW " delivered rcpt=2-99999999999999999999999\n", ".dd");
	assert_fates(KIT_NOW " delivered\n", "...");
	assert_fates(KIT_NOW " delivered rcpt=\n", "...");
	assert_fates(KIT_NOW " delivered rcpt=0\n", "...");
	assert_fates(KIT_NOW " delivered rcpt=4-9\n", "...");
	assert_fates(KIT_NOW " delivered rcpt=3-2\n", "...");
	assert_fates(KIT_NOW " delivered rcpt=x\n", "...");
	assert_fates(KIT_NOW " delivered rcpt=99999999999999999999999\n", "...");
	assert_fates(KIT_NOW " delivered rcpt=18446744073709551617\n", "...");
	assert_fates(KIT_NOW " delivered rcpt=4294967297\n", "...");
}

/* A list that is none marks nobody, and nothing beyond its own value is read. */
static void lists_that_are_none(void **state)
{
	static const char *const lists[] = {
	    "1-", "1- 3", "-1", "+1", "1-+3", "1--3", ",1", "1x", "1-3x"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		struct kit_bytes b = {NULL, 0};
		struct leg leg;

		kit_addf(&b, KIT_NOW " delivered rcpt=%s\n" KIT_NOW " note\n", lists[i]);
		say(b.at, &leg);
		if (leg.rcpt[1].fate != RCPT_OPEN || leg.rcpt[2].fate != RCPT_OPEN)
			fail_msg("rcpt=%s marks the second or the third", lists[i]);
		leg_free(&leg);
		kit_free(&b);
	}
}

static void tries(void **state)
{
	struct leg leg;

	(void)state;
	say(KIT_NOW " deferred rcpt=1-2 until=2026-11-22T10:00:00.000000Z\n" KIT_NOW
		    " deferred rcpt=2 until=2026-11-22T11:00:00.000000Z\n" KIT_NOW
		    " deferred rcpt=3 until=never\n",
	    &leg);
	assert_int_equal(leg.rcpt[0].tries, 1);
	assert_int_equal(leg.rcpt[0].retry, kit_time("2026-11-22T10:00:00.000000Z"));
	assert_int_equal(leg.rcpt[1].tries, 2);
	assert_int_equal(leg.rcpt[1].retry, kit_time("2026-11-22T11:00:00.000000Z"));
	assert_int_equal(leg.rcpt[2].tries, 1);
	assert_int_equal(leg.rcpt[2].retry, 0);
	leg_free(&leg);
}

static void what_is_said_about_the_leg(void **state)
{
	static const struct {
		const char *trailer;
		enum leg_verdict verdict;
	} cases[] = {
	    {KIT_NOW " discarded by=alice\n", LEG_DISCARDED},
	    {KIT_NOW " refused rule=x\n", LEG_REFUSED},
	    {KIT_NOW " discarded\n" KIT_NOW " restored\n", LEG_STANDS},
	    {KIT_NOW " refused\n" KIT_NOW " restored\n" KIT_NOW " discarded\n", LEG_DISCARDED},
	    {KIT_NOW " restored\n", LEG_STANDS},
	    {KIT_NOW " note discarded\n", LEG_STANDS},
	};
	struct leg leg;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		say(cases[i].trailer, &leg);
		assert_int_equal(leg.verdict, cases[i].verdict);
		assert_null(leg.unknown);
		leg_free(&leg);
	}

	say(KIT_NOW " emptied from=10\n", &leg);
	assert_true(leg.emptied);
	leg_free(&leg);
	say(KIT_NOW " extended until=2026-11-22T12:00:00.000000Z\n" KIT_NOW
		    " extended until=2026-11-22T11:00:00.000000Z\n" KIT_NOW " extended until=x\n",
	    &leg); /* plans only get stricter */
	assert_int_equal(leg.amended_until, kit_time("2026-11-22T12:00:00.000000Z"));
	leg_free(&leg);
}

/* N12: what is owed to the header; and how often it was brought back. */
static void removals_and_restores(void **state)
{
	static const struct {
		const char *trailer;
		unsigned removals, restores;
		bool rewritten;
	} cases[] = {
	    {"", 0, 0, false},
	    {KIT_NOW " removed address=bob@partner.example by=alice via=web\n", 1, 0, false},
	    {KIT_NOW " removed address=a by=x via=web\n" KIT_NOW " removed address=b\n", 2, 0,
		false},
	    {KIT_NOW " removed address=a\n" KIT_NOW " rewritten addresses=1\n", 0, 0, true},
	    {KIT_NOW " removed address=a\n" KIT_NOW " rewritten addresses=1\n" KIT_NOW
		     " removed address=b\n",
		1, 0, true},
	    {KIT_NOW " discarded\n" KIT_NOW " restored\n", 0, 1, false},
	    {KIT_NOW " restored by=division times=3\n" KIT_NOW " restored by=alice\n", 0, 4, false},
	    {KIT_NOW " note removed address=a\n", 0, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct kit_bytes b = kit_leg((struct kit_leg){.trailer = cases[i].trailer});
		struct leg leg;

		assert_int_equal(kit_read(b.at, b.len, &leg), LEG_FINE);
		assert_null(leg.unknown);
		assert_int_equal(leg.removals, cases[i].removals);
		assert_int_equal(leg.restores, cases[i].restores);
		assert_int_equal(leg.restored,
		    cases[i].restores > 0 ? clock_parse(KIT_NOW, strlen(KIT_NOW)) : 0);
		assert_true(leg.rewritten == cases[i].rewritten);
		leg_free(&leg);
		kit_free(&b);
	}
}

static void records_one_by_one(void **state)
{
	struct kit_bytes b = kit_leg((struct kit_leg){
	    .trailer = "plan 1 sha256=0123456789abcdef\n deliver\n" KIT_NOW " note a=1\n" KIT_NOW
		       " notes\n" KIT_NOW " check fact=files value=a,b\n"});
	static const char *const words[] = {"note", "notes", "check"};
	struct leg_record r;
	struct leg leg;
	size_t at = 0, n = 0, len;

	(void)state;
	assert_int_equal(kit_read(b.at, b.len, &leg), LEG_FINE);
	while (leg_next_record(&leg, &at, &r)) {
		assert_true(leg_record_is(&r, words[n]));
		assert_true(n == 1 || !leg_record_is(&r, "notes"));
		n++;
	}
	assert_int_equal(n, COUNT_OF(words));
	assert_memory_equal(leg_record_value(&r, "value", &len), "a,b", 3);
	assert_int_equal(len, 3);
	leg_free(&leg);
	kit_free(&b);
}

static void unknown_words(void **state)
{
	static const char *const words[] = {"frobnicated", "deliveredx", "delivere", "plan", "a"};
	struct leg leg;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		struct kit_bytes b = {NULL, 0};

		kit_addf(
		    &b, KIT_NOW " note\n" KIT_NOW " %s rcpt=1-3\n" KIT_NOW " note\n", words[i]);
		say(b.at, &leg);
		assert_non_null(leg.unknown);
		assert_memory_equal(leg.unknown, words[i], strlen(words[i]));
		assert_int_equal(leg_open_rcpts(&leg), 3);
		leg_free(&leg);
		kit_free(&b);
	}
}

/* I7: 4 MiB of records, and of what only looks like them, in time that nobody notices. */
static void I7_many_records(void **state)
{
	static const char *const lines[] = {
	    KIT_NOW " note x\n", "plan 64 sha256=0123456789abcdef\n deliver\n", "plan \n", "x\n"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		size_t len = strlen(lines[i]), n = (KIT_MAX - 64) / len;
		char *bytes = malloc(n * len);
		struct leg leg;
		int64_t begun = clock_boot();

		assert_non_null(bytes);
		for (size_t k = 0; k < n; k++)
			memcpy(bytes + k * len, lines[i], len);
		if (read_trailer(bytes, n * len, &leg) == LEG_FINE)
			leg_free(&leg);
		assert_true(clock_boot() - begun < 2 * CLOCK_SECOND);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(torn_at_every_byte),
	    cmocka_unit_test(a_whole_record_behind_damage),
	    cmocka_unit_test(no_records),
	    cmocka_unit_test(whole_length),
	    cmocka_unit_test(the_last_whole_plan_counts),
	    cmocka_unit_test(a_plan_with_fewer_lines_and_more_behind),
	    cmocka_unit_test(closing_records),
	    cmocka_unit_test(what_happened_to_recipients),
	    cmocka_unit_test(what_senders_are_owed),
	    cmocka_unit_test(how_often_and_since_when),
	    cmocka_unit_test(lists_of_recipients),
	    cmocka_unit_test(lists_that_are_none),
	    cmocka_unit_test(tries),
	    cmocka_unit_test(what_is_said_about_the_leg),
	    cmocka_unit_test(unknown_words),
	    cmocka_unit_test(removals_and_restores),
	    cmocka_unit_test(records_one_by_one),
	    cmocka_unit_test(I7_many_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
