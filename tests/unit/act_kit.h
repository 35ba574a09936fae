/*
 * A stage with one leg, and what people do to it: for the tests of lib/hold/act.c. Included by one program each,
 * which wraps hold_noted, hold_tell_result, order_audit and stage_close_step.
 */
#ifndef SEKISHO_TESTS_ACT_KIT_H
#define SEKISHO_TESTS_ACT_KIT_H

#include "tests/unit/hold_kit.h"

#include <time.h>

#include "lib/hold/act.h"
#include "lib/hold/inside.h"
#include "lib/hold/reviews.h"
#include "queue/audit.h"

#define DUE     "20261122T103501Z."
#define NAME    KIT_ID ".1"
#define ALICE   "alice@x.example"
#define ERIN    "erin@x.example"
#define FRANK   "frank@x.example"
#define GRACE   "grace@x.example"
#define CONTENT "Subject: kit\r\n\r\nHello.\r\n"

static struct stage stage;
static struct hold hold;
static struct hold_view view;
static size_t audits;
static bool no_audit, no_close;
static char told[64];

void __wrap_hold_noted(struct hold *h, enum spool_state state, const struct stage_opened *opened);
void __wrap_hold_tell_result(struct hold *h, const struct stage_opened *opened, const char *what,
    const char *by, const char *comment);
bool __wrap_order_audit(
    struct stage *s, const struct order *order, const struct leg *leg, const char *what);

bool __real_stage_close_step(struct stage *s, struct stage_opened *o, const char *details);
bool __wrap_stage_close_step(struct stage *s, struct stage_opened *o, const char *details);
bool __wrap_stage_close_step(struct stage *s, struct stage_opened *o, const char *details)
{
	return !no_close && __real_stage_close_step(s, o, details);
}

void __wrap_hold_noted(struct hold *h, enum spool_state state, const struct stage_opened *opened)
{
	(void)h;
	(void)state;
	(void)opened;
}

void __wrap_hold_tell_result(struct hold *h, const struct stage_opened *opened, const char *what,
    const char *by, const char *comment)
{
	(void)h;
	(void)opened;
	(void)comment;
	(void)snprintf(told, sizeof told, "%s %s", what, by);
}

bool __wrap_order_audit(
    struct stage *s, const struct order *order, const struct leg *leg, const char *what)
{
	(void)s;
	(void)leg;
	assert_true(order->by[0] != '\0');
	assert_true(act_called(what) < ACT_COUNT || strcmp(what, "remove-address") == 0);
	audits++;
	return !no_audit;
}

static const struct stage_role role = {.program = "seki-hold"};

static inline int enter(void **state)
{
	static char root[256];

	*state = root;
	kit_enter(root);
	assert_int_equal(mkdir("lib/hold", 0700), 0);
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
	hold = (struct hold){.stage = &stage, .org = hold_kit_org(""), .view = &view};
	hold.index = index_new();
	view = (struct hold_view){.settings = stage.settings, .org = hold.org};
	stage.context = &hold;
	audits = 0;
	no_audit = no_close = false;
	told[0] = '\0';
	return 0;
}

static inline int leave(void **state)
{
	for (size_t i = 0; i < STATE_COUNT; i++)
		timetable_clear(&stage.due[i]);
	index_free(hold.index);
	org_close(hold.org);
	audit_leave(stage.audit);
	spool_close(&stage.spool);
	kit_leave(*state);
	return 0;
}

/* Puts a leg of alice's there; $ in `records` is the plan and content of a vote, & the plan again. */
static inline void put(
    const char *envelope, enum spool_state state, const char *plan, const char *records)
{
	struct kit_bytes trailer = {NULL, 0};
	char path[128], digest[17];

	kit_plan(&trailer, KIT_ID, "1", plan);
	kit_digest(KIT_ID, "1", plan, digest);
	while (*records != '\0') {
		size_t plain = strcspn(records, "$&");

		kit_add(&trailer, records, plain);
		records += plain;
		if (*records == '$')
			kit_addf(&trailer, "plan=%s content=%s", digest, hold_kit_content());
		else if (*records == '&')
			kit_plan(&trailer, KIT_ID, "1", plan);
		records += *records != '\0';
	}
	(void)snprintf(path, sizeof path, "spool/%s/%s" NAME, state_name(state),
	    state_has_due(state) ? DUE : "");
	kit_write_leg(path, (struct kit_leg){.envelope = envelope, .trailer = trailer.at});
	kit_free(&trailer);
}

/* Where it stands now; its bytes. The file is taken away. */
static inline struct kit_bytes take(char where[16])
{
	struct kit_bytes bytes = {NULL, 0};

	(void)snprintf(where, 16, "%s", "nowhere");
	for (size_t i = 0; i < COUNT_OF(kit_states); i++) {
		char folder[64], name[NAME_MAX + 1], path[NAME_MAX + 80];

		(void)snprintf(folder, sizeof folder, "spool/%s", kit_states[i]);
		if (kit_count(folder, name) == 0)
			continue;
		assert_string_equal(where, "nowhere"); /* one outcome */
		(void)snprintf(path, sizeof path, "%s/%s", folder, name);
		bytes = kit_file(path);
		assert_int_equal(unlink(path), 0);
		(void)snprintf(where, 16, "%s", kit_states[i]);
	}
	return bytes;
}

static inline struct act act_of(enum act_word word, const char *who, enum spool_state state)
{
	struct act act = {.word = word, .who = who, .checked = "recipients"};

	act.order.state = state;
	assert_true(name_parse(state_has_due(state) ? DUE NAME : NAME, &act.order.name));
	(void)snprintf(act.order.by, sizeof act.order.by, "%s", who != NULL ? "forged" : "root");
	(void)snprintf(act.order.via, sizeof act.order.via, "%s", who != NULL ? "web" : "shell");
	(void)snprintf(act.order.rcpt, sizeof act.order.rcpt, "%s", "bob@partner.example");
	(void)snprintf(act.order.reason, sizeof act.order.reason, "%s", "because");
	act.order.until = kit_time("2026-12-01T00:00:00Z");
	return act;
}

static inline struct order_answer act_now(
    enum act_word word, const char *who, enum spool_state state)
{
	struct act act = act_of(word, who, state);

	return act_on_leg(&hold, &act);
}

static inline bool possible(enum act_word word, const char *who, enum spool_state state)
{
	struct act act = act_of(word, who, state);
	struct stage_opened o;
	struct order_answer no;
	bool can;

	assert_int_equal(stage_read(&stage, state, &act.order.name, &o), STAGE_OPEN_ACT);
	o.law = law_of(&o.leg, state, stage_now(&stage));
	can = act_possible(&hold, &act, &o, &no);
	assert_int_equal(can, no.why[0] == '\0');
	assert_int_equal(can, no.code == NULL);
	leg_free(&o.leg);
	(void)close(o.fd);
	return can;
}

static inline void assert_taken(const char *where, const char *record)
{
	char stands[16];
	struct kit_bytes b = take(stands);

	if (strcmp(stands, where) != 0 || strstr(b.at, record) == NULL)
		fail_msg("in %s, without %s: %s", stands, record, strstr(b.at, "\nplan "));
	kit_free(&b);
}

#define UNTIL "until=2026-11-22T10:35:01.123456Z"

#define AT "2026-11-22T09:36:00.000000Z "

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

#endif
