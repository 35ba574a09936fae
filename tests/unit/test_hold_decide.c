/*
 * What time and votes decide about a leg in approve/ and hold/ (law 4, S0-06, S1-03, S1-24c, S2-15, S3-07): a
 * suspect clock ends nothing, nothing unapproved passes, and nobody loses mail that he was not warned of.
 * link: -Wl,--wrap=hold_noted,--wrap=notices_of,--wrap=notices_free,--wrap=audit_say_line
 */
#include "tests/unit/hold_kit.h"

#include <time.h>

#include "lib/hold/inside.h"
#include "queue/audit.h"

#define DUE  "20261122T103501Z."
#define NAME KIT_ID ".1"

static struct stage stage;
static struct hold hold;
static struct hold_view view;
static struct org *org;
static bool warning_owed, no_audit;
static size_t noted;
static const char *envelope, *then; /* of the legs of decide() */

void __wrap_hold_noted(struct hold *h, enum spool_state state, const struct stage_opened *opened);
enum notices_read __wrap_notices_of(const struct hold_view *v, const struct absences *absences,
    enum spool_state state, const struct stage_opened *opened, int64_t now, bool frozen,
    struct notices *notices);
void __wrap_notices_free(struct notices *notices);
bool __wrap_audit_say_line(struct audit *audit, bool durable, const struct buf *line);

void __wrap_hold_noted(struct hold *h, enum spool_state state, const struct stage_opened *opened)
{
	(void)h;
	(void)state;
	(void)opened;
	noted++;
}

enum notices_read __wrap_notices_of(const struct hold_view *v, const struct absences *absences,
    enum spool_state state, const struct stage_opened *opened, int64_t now, bool frozen,
    struct notices *notices)
{
	static struct notice_owed warning = {.what = TELL_WARNING};

	(void)v;
	(void)absences;
	(void)state;
	(void)opened;
	(void)now;
	assert_false(frozen);
	*notices = (struct notices){.owed = &warning, .n = warning_owed};
	return NOTICES_READ;
}

void __wrap_notices_free(struct notices *notices)
{
	(void)notices;
}

bool __wrap_audit_say_line(struct audit *audit, bool durable, const struct buf *line)
{
	(void)audit;
	assert_false(durable); /* nobody decided it */
	assert_true(audit_line_valid(line->bytes, line->len));
	errno = ENOSPC;
	return !no_audit;
}

static const struct stage_role role = {.program = "seki-hold", .decide = hold_decide};

static int enter(void **state)
{
	static char root[256];

	*state = root;
	kit_enter(root);
	memset(&stage, 0, sizeof stage);
	stage.role = &role;
	settings_default(&stage.settings);
	stage.settings.audit = false;
	stage.limits.trailer_max = stage.settings.trailer_max;
	stage.watch = (struct watch){
	    .settings = &stage.settings, .wall = kit_time(KIT_NOW), .boot = clock_boot()};
	for (size_t i = 0; i < STATE_COUNT; i++)
		timetable_init(&stage.due[i]);
	assert_true(spool_open(&stage.spool, &stage.settings, NULL));
	stage.audit = audit_reach("seki-hold");
	audit_settings(stage.audit, &stage.settings);
	org = hold_kit_org("");
	hold = (struct hold){.stage = &stage, .org = org, .view = &view};
	hold.index = index_new();
	stage.context = &hold;
	warning_owed = no_audit = false;
	noted = 0;
	envelope = HOLD_KIT_ALICE;
	then = "deliver";
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	tzset();
	return 0;
}

static int leave(void **state)
{
	for (size_t i = 0; i < STATE_COUNT; i++)
		timetable_clear(&stage.due[i]);
	index_free(hold.index);
	org_close(org);
	audit_leave(stage.audit);
	spool_close(&stage.spool);
	kit_leave(*state);
	return 0;
}

/*
 * Decides at `now` about a leg with the step and the records, $ being the plan and content of a vote, & the plan again: "pass
 * DETAILS", "wait DUE", "stop WHY", "later", "again" (soon, under its name), or "in STATE RECORD" for what was
 * done at once.
 */
static const char *decide(const char *step, const char *records, const char *now)
{
	static char said[1024];
	enum spool_state state = strncmp(step, "approve", 7) == 0 ? STATE_APPROVE : STATE_HOLD;
	struct kit_bytes trailer = {NULL, 0}, after;
	struct stage_outcome outcome;
	char plan[512], digest[17], path[128], time[CLOCK_TEXT];
	struct leg_name name;
	struct stage_opened o;

	(void)snprintf(plan, sizeof plan, " %s\n %s\n", step, then);
	kit_plan(&trailer, KIT_ID, "1", plan);
	kit_digest(KIT_ID, "1", plan, digest);
	for (; *records != '\0'; records++) {
		if (*records == '$')
			kit_addf(&trailer, "plan=%s content=%s", digest, hold_kit_content());
		else if (*records == '&')
			kit_plan(&trailer, KIT_ID, "1", plan);
		else
			kit_add(&trailer, records, 1);
	}
	(void)snprintf(path, sizeof path, "spool/%s/" DUE NAME, state_name(state));
	kit_write_leg(path, (struct kit_leg){.envelope = envelope, .trailer = trailer.at});
	kit_free(&trailer);

	stage.watch.wall = kit_time(now);
	stage.watch.boot = clock_boot();
	assert_true(name_parse(DUE NAME, &name));
	assert_int_equal(stage_read(&stage, state, &name, &o), STAGE_OPEN_ACT);
	o.law = law_of(&o.leg, state, stage_now(&stage));
	assert_int_equal(o.law.verdict, LAW_ACT);
	outcome = hold_decide(&stage, state, &o);
	leg_free(&o.leg);
	(void)close(o.fd);

	switch (outcome.action) {
	case STAGE_PASS:
		(void)snprintf(said, sizeof said, "pass %s", outcome.details);
		break;
	case STAGE_WAIT:
		clock_format(outcome.until * CLOCK_SECOND, time);
		(void)snprintf(said, sizeof said, "wait %s",
		    outcome.until == DUE_NEVER ? "never" : (time[19] = '\0', time));
		break;
	case STAGE_STOP:
		(void)snprintf(said, sizeof said, "stop %s", outcome.why);
		break;
	case STAGE_AGAIN_LATER:
		(void)snprintf(said, sizeof said, "later");
		break;
	case STAGE_TAKEN:
	case STAGE_KEEP:
		(void)snprintf(said, sizeof said, "again");
		break;
	}
	if (kit_stands(path)) {
		assert_int_equal(unlink(path), 0);
		return said;
	}
	assert_int_equal(outcome.action, STAGE_TAKEN);
	for (size_t i = 0; i < COUNT_OF(kit_states); i++) {
		char folder[64], file[NAME_MAX + 1], whole[NAME_MAX + 80];

		(void)snprintf(folder, sizeof folder, "spool/%s", kit_states[i]);
		if (kit_count(folder, file) == 0)
			continue;
		(void)snprintf(whole, sizeof whole, "%s/%s", folder, file);
		after = kit_file(whole);
		after.at[after.len - 1] = '\0';
		(void)snprintf(said, sizeof said, "in %s%s", kit_states[i],
		    strchr(strrchr(after.at, '\n') + 1, ' '));
		kit_free(&after);
		assert_int_equal(unlink(whole), 0);
	}
	return said;
}

static void assert_decided(
    const char *step, const char *records, const char *now, const char *expected)
{
	const char *said = decide(step, records, now);

	if (strcmp(said, expected) != 0)
		fail_msg("%s at %s: %s, not %s", step, now, said, expected);
}

#define NOT_CONFIRMED "in trash discarded by=seki-hold via=clock cause=not-confirmed tell=draft"
#define WARNED        "2026-11-24T09:36:00.000000Z noticed what=warning to=alice@x.example notice=none\n"

#define YES  "2026-11-23T10:00:00.000000Z vote $ step=1 say=yes by=erin@x.example via=web\n"
#define OPEN "2026-11-23T09:00:00.000000Z judged rules=1 org=2\n" /* a Monday */

static void holds_end_by_time_alone_where_the_plan_says_so(void **state)
{
	(void)state;
	assert_decided("hold no", "", KIT_NOW, "pass ended=at-once");
	assert_decided("hold until=2026-11-22T09:40:00.000000Z", "", KIT_NOW, "pass ended=due");
	assert_decided(
	    "hold until=2026-11-22T09:40:30.500000Z", "", KIT_NOW, "wait 2026-11-22T09:40:31");
	assert_decided("hold operator why=x", "", "2036-01-01T00:00:00Z", "wait never");
	assert_decided("hold confirmed", "", "2036-01-01T00:00:00Z", "wait never");
	assert_decided("hold checked", "", "2036-01-01T00:00:00Z", "wait never");
	assert_decided("hold people", "", "2036-01-01T00:00:00Z", "stop no time that ends it");
	assert_int_equal(noted, 5); /* whatever stays is known to who lists it */
}

static void what_nobody_confirms_is_thrown_away(void **state)
{
	(void)state;
	/* Three days from its acceptance, and a day before that a warning. */
	assert_decided("hold discard=confirmed", "", KIT_NOW, "wait 2026-11-24T09:35:02");
	assert_decided(
	    "hold discard=checked", WARNED, "2026-11-25T09:35:00Z", "wait 2026-11-25T09:35:02");
	assert_decided("hold discard=confirmed", WARNED, "2026-11-25T09:35:02Z", NOT_CONFIRMED);
	/* A time of the rule's; put off. */
	assert_decided("hold discard=2026-11-22T12:00:00Z",
	    "2026-11-22T09:36:00.000000Z noticed what=warning to=alice@x.example notice=none\n",
	    "2026-11-22T11:00:00Z", "wait 2026-11-22T12:00:00");
	assert_decided("hold discard=2026-11-24T09:40:00Z",
	    "2026-11-22T09:40:00.000000Z extended until=2026-11-30T00:00:00.000000Z by=x via=y\n",
	    "2026-11-24T12:00:00Z", "wait 2026-11-29T00:00:00");
}

static void nobody_loses_mail_that_he_was_not_warned_of(void **state)
{
	(void)state;
	/* seki-hold stood still for a week: the warning comes first, and then half a day. */
	warning_owed = true;
	assert_decided("hold discard=confirmed", "", "2026-12-01T00:00:00Z", "again");
	warning_owed = false;
	assert_decided("hold discard=confirmed",
	    "2026-12-01T00:00:01.000000Z noticed what=warning to=a notice=none\n",
	    "2026-12-01T00:00:02Z", "wait 2026-12-01T12:00:01");
	/* Of an earlier life of it: none. */
	warning_owed = true;
	assert_decided("hold discard=confirmed",
	    WARNED "2026-11-24T09:40:00.000000Z discarded by=x via=y\n"
		   "2026-11-24T09:41:00.000000Z restored by=x via=y\n&",
	    "2026-12-01T00:00:00Z", "again");
	/* Who is never told anything cannot be warned. */
	warning_owed = false;
	assert_decided("hold discard=confirmed", "", "2026-12-01T00:00:00Z", NOT_CONFIRMED);
	hold.org = NULL;
	assert_decided("hold discard=confirmed", WARNED, "2026-12-01T00:00:00Z", "again");
	hold.org = org;
}

static void a_suspect_clock_ends_nothing(void **state)
{
	static const char *const steps[] = {"hold until=2026-11-22T09:40:00.000000Z",
	    "hold discard=confirmed", "hold discard=2026-11-22T09:40:00Z", "hold window=Mon",
	    "approve by=any:staff"};

	(void)state;
	stage.watch.frozen = true;
	stage.settings.approve_expiry = APPROVE_EXPIRY_DISCARD;
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		const char *said = decide(steps[i], WARNED, "2036-01-01T00:00:00Z");

		if (strcmp(said, "again") != 0 && strncmp(said, "wait ", 5) != 0)
			fail_msg("%s: %s", steps[i], said);
	}
	/* What people have decided is carried out. */
	assert_non_null(
	    strstr(decide("approve by=any:staff", YES, KIT_NOW), "in deliver approved "));
}

static void a_forbidden_time_of_day_is_waited_out(void **state)
{
	(void)state;
	/* 2026-11-22 is a Sunday. */
	assert_decided("hold window=Sun rule=a:1", "", KIT_NOW, "wait 2026-11-23T00:00:00");
	assert_decided("hold window=Sat rule=a:1", "", KIT_NOW, "pass ended=window");
	assert_decided("hold window=Mon-Sun", "", KIT_NOW, "wait never");
	assert_decided(
	    "hold window=someday", "", KIT_NOW, "stop a time of day that this version cannot read");
	hold.org = NULL; /* holidays: nobody knows */
	assert_decided("hold window=Sat", "", KIT_NOW, "again");
}

/* What standard error had while `decide` ran; `due` is what its name says. */
static size_t alarms_of(const char *event, const char *due)
{
	struct kit_bytes trailer = {NULL, 0}, log;
	char path[NAME_MAX + 80], text[NAME_TEXT];
	struct stage_outcome outcome;
	struct leg_name name;
	struct stage_opened o;
	int out = open("log.txt", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), old = dup(2);
	size_t n = 0;

	assert_true(out >= 0 && old >= 0 && dup2(out, 2) == 2);
	kit_plan(&trailer, KIT_ID, "1", " hold window=Mon-Sun\n deliver\n");
	(void)snprintf(text, sizeof text, "%s" NAME, due);
	(void)snprintf(path, sizeof path, "spool/hold/%s", text);
	kit_write_leg(path, (struct kit_leg){.envelope = HOLD_KIT_ALICE, .trailer = trailer.at});
	kit_free(&trailer);
	assert_true(name_parse(text, &name));
	assert_int_equal(stage_read(&stage, STATE_HOLD, &name, &o), STAGE_OPEN_ACT);
	o.law = law_of(&o.leg, STATE_HOLD, stage_now(&stage));
	outcome = hold_decide(&stage, STATE_HOLD, &o);
	assert_int_equal(outcome.action, STAGE_WAIT);
	assert_true(outcome.until == DUE_NEVER);
	leg_free(&o.leg);
	(void)close(o.fd);
	assert_int_equal(unlink(path), 0);

	assert_int_equal(dup2(old, 2), 2);
	(void)close(old);
	(void)close(out);
	log = kit_file("log.txt");
	for (const char *at = log.at; at != NULL && (at = strstr(at, event)) != NULL; at++)
		n++;
	kit_free(&log);
	return n;
}

static void a_forbidden_time_without_end_is_said_once(void **state)
{
	(void)state;
	assert_int_equal(alarms_of("event=window-endless", DUE), 1);
	assert_int_equal(alarms_of("event=window-endless", "99991231T235959Z."), 0);
}

static void approvals_wait_for_people(void **state)
{
	(void)state;
	assert_decided("approve no", "", KIT_NOW, "pass ended=nobody");
	/* Escalates after 4 hours of work, and expires after 16. */
	assert_decided(
	    "approve by=any:staff", OPEN, "2026-11-23T09:01:00Z", "wait 2026-11-23T13:00:00");
	assert_decided(
	    "approve by=any:staff", OPEN, "2026-11-23T13:00:00Z", "wait 2026-11-24T16:00:00");
	assert_decided("approve by=any:staff", OPEN, "2026-11-24T16:00:00Z", "wait never");
	assert_decided("approve by=somebody:staff", "", KIT_NOW,
	    "stop an approval that this version cannot ask for");
	assert_decided(
	    "approve by=any:empty", "", KIT_NOW, "stop nobody who is there may approve it");
	assert_decided("approve by=address:alice@x.example", "", KIT_NOW,
	    "stop nobody who is there may approve it");
	hold.org = NULL;
	assert_decided("approve by=any:staff", OPEN, "2026-11-24T16:00:00Z", "again");
}

static void an_approval_expires_only_where_that_is_set(void **state)
{
	static const char warned[] = OPEN "2026-11-24T14:00:00.000000Z noticed what=warning step=1 "
					  "to=erin@x.example notice=none\n";

	(void)state;
	stage.settings.approve_expiry = APPROVE_EXPIRY_DISCARD;
	assert_decided(
	    "approve by=any:staff", OPEN, "2026-11-23T13:00:00Z", "wait 2026-11-24T14:00:00");
	warning_owed = true;
	assert_decided("approve by=any:staff", OPEN, "2026-11-24T16:00:00Z", "again");
	warning_owed = false;
	assert_decided(
	    "approve by=any:staff", warned, "2026-11-24T15:59:59Z", "wait 2026-11-24T16:00:00");
	assert_decided("approve by=any:staff", warned, "2026-11-24T16:00:00Z",
	    "in trash discarded by=seki-hold via=clock cause=expired tell=draft");
	stage.settings.approve_expire = 0;
	assert_decided("approve by=any:staff", OPEN, "2036-11-24T16:00:00Z", "wait never");
}

/* Whoever voted last was cut off before the step was closed: it is carried out, and by nobody else's word. */
static void what_was_decided_before_a_crash_is_carried_out(void **state)
{
	const char *said;

	(void)state;
	said = decide("approve by=any:staff", YES, KIT_NOW);
	assert_non_null(strstr(said, "in deliver approved plan="));
	assert_non_null(strstr(said, " by=erin@x.example ended=votes"));
	assert_decided("approve by=any:staff",
	    "2026-11-23T10:00:00.000000Z vote $ step=1 say=return by=erin@x.example via=web\n",
	    KIT_NOW, "in trash discarded by=erin@x.example via=vote cause=returned tell=draft");
	assert_int_equal(
	    strncmp(decide("approve by=2:staff", YES, "2026-11-23T10:00:00Z"), "wait 2026", 9), 0);
}

static void what_cannot_be_audited_waits(void **state)
{
	(void)state;
	stage.settings.approve_expiry = APPROVE_EXPIRY_DISCARD;
	stage.settings.approve_warn = 0;
	no_audit = true;
	assert_decided("approve by=any:staff", YES, KIT_NOW, "later");
	assert_decided("approve by=any:staff", OPEN, "2026-11-24T16:00:00Z", "later");
	assert_decided("hold discard=confirmed", WARNED, "2026-12-01T00:00:00Z", "later");
}

/* Its author may be anybody: an operator approves it. */
static void what_nobody_is_known_to_have_written_waits_for_an_operator(void **state)
{
	(void)state;
	envelope = "from alice@x.example\n" HOLD_KIT_TO "client 192.0.2.10 auth=printer7\n";
	assert_decided("approve by=any:staff", "", KIT_NOW,
	    "stop a login that is nobody's handed it in: only an operator may approve it");
}

/* It would stop behind its approval: then nobody is told that it has been approved. */
static void what_cannot_go_on_is_not_approved(void **state)
{
	(void)state;
	then = "teleport\n deliver";
	no_audit = true; /* it is not even asked */
	assert_decided("approve by=any:staff", YES, KIT_NOW, "stop unknown word in the plan");
}

/* One hold behind another: the leg stays, under the name of the second, which may be its own. */
static void a_hold_behind_a_hold_begins_when_the_first_ends(void **state)
{
	static const char plan[] =
	    " hold until=2026-11-22T09:35:01.123456Z\n hold window=Sun\n deliver\n";
	static const char *const dues[] = {"20261122T093502Z.", "20261122T094000Z."};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(dues); i++) {
		struct kit_bytes trailer = {NULL, 0}, after;
		char path[NAME_MAX + 80], file[NAME_MAX + 1], text[NAME_TEXT];
		struct leg_name name;

		stage.watch.wall = kit_time(KIT_NOW);
		stage.watch.boot = clock_boot();
		kit_plan(&trailer, KIT_ID, "1", plan);
		(void)snprintf(text, sizeof text, "%s" NAME, dues[i]);
		(void)snprintf(path, sizeof path, "spool/hold/%s", text);
		kit_write_leg(
		    path, (struct kit_leg){.envelope = HOLD_KIT_ALICE, .trailer = trailer.at});
		kit_free(&trailer);
		assert_true(name_parse(text, &name));
		stage_look(&stage, STATE_HOLD, &name);
		assert_int_equal(kit_count("spool/bad", NULL), 0);
		assert_int_equal(kit_count("spool/hold", file), 1);
		assert_string_equal(file, "20261122T094000Z." NAME);
		(void)snprintf(path, sizeof path, "spool/hold/%s", file);
		after = kit_file(path);
		assert_non_null(strstr(after.at, " ended=due\n"));
		kit_free(&after);

		assert_true(name_parse(file, &name));
		stage_look(&stage, STATE_HOLD, &name);
		assert_int_equal(kit_count("spool/hold", file), 1);
		assert_string_equal(file, "20261123T000000Z." NAME);
		(void)snprintf(path, sizeof path, "spool/hold/%s", file);
		assert_int_equal(unlink(path), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(holds_end_by_time_alone_where_the_plan_says_so),
	    TEST(what_nobody_confirms_is_thrown_away),
	    TEST(nobody_loses_mail_that_he_was_not_warned_of),
	    TEST(a_suspect_clock_ends_nothing),
	    TEST(a_forbidden_time_of_day_is_waited_out),
	    TEST(approvals_wait_for_people),
	    TEST(an_approval_expires_only_where_that_is_set),
	    TEST(what_was_decided_before_a_crash_is_carried_out),
	    TEST(a_forbidden_time_without_end_is_said_once),
	    TEST(what_nobody_is_known_to_have_written_waits_for_an_operator),
	    TEST(what_cannot_go_on_is_not_approved),
	    TEST(a_hold_behind_a_hold_begins_when_the_first_ends),
	    TEST(what_cannot_be_audited_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
