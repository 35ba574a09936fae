/*
 * The state of an approval out of the votes in a leg, and who may vote (S1-15, S1-20, S1-31, S3-06): one of
 * a group but never the sender, n of m, in sequence, deputies; votes bind plan and content.
 */
#include "tests/unit/hold_kit.h"

#include "lib/hold/absences.h"
#include "lib/hold/approval.h"

static struct org *org;
static int64_t away_from; /* absent() below */
static const char *away;

/* link: -Wl,--wrap=absent */
bool __wrap_absent(const struct absences *absences, const char *address, int64_t now);
bool __wrap_absent(const struct absences *absences, const char *address, int64_t now)
{
	(void)absences;
	return away != NULL && strcmp(address, away) == 0 && now >= away_from;
}

static int enter(void **state)
{
	static char root[256];

	*state = root;
	kit_enter(root);
	org = hold_kit_org("");
	away = NULL;
	return 0;
}

static int leave(void **state)
{
	org_close(org);
	kit_leave(*state);
	return 0;
}

/* A leg with the step "approve WHO"; in `votes`, $ is its plan and content, and & the plan again. */
struct given {
	struct leg leg;
	struct approval approval;
};

static void give(struct given *g, const char *envelope, const char *who, const char *votes)
{
	struct kit_bytes records = {NULL, 0};
	char plan[512], digest[17];

	(void)snprintf(plan, sizeof plan, " approve %s\n deliver\n", who);
	kit_digest(KIT_ID, "1", plan, digest);
	kit_text(&records, "");
	for (; *votes != '\0'; votes++) {
		if (*votes == '$')
			kit_addf(&records, "plan=%s content=%s", digest, hold_kit_content());
		else if (*votes == '&')
			kit_plan(&records, KIT_ID, "1", plan);
		else
			kit_add(&records, votes, 1);
	}
	hold_kit_leg(envelope, plan, records.at, &g->leg);
	kit_free(&records);
	assert_int_equal(approval_read(&g->leg, &g->leg.plan.step[0], &g->approval), APPROVAL_READ);
}

static void take_back(struct given *g)
{
	approval_free(&g->approval);
	leg_free(&g->leg);
}

#define AT(minute) "2026-11-22T10:" minute ":00.000000Z "

/* ---- the plan ----------------------------------------------------------------------------- */

static void the_stages_are_read(void **state)
{
	struct given g;

	(void)state;
	give(&g, HOLD_KIT_ALICE, "by=boss:bob@x.example,dave@x.example then=2:staff then=any:all",
	    "");
	assert_int_equal(g.approval.stages, 3);
	assert_int_equal(g.approval.stage[0].kind, APPROVE_BOSS);
	assert_string_equal(g.approval.stage[0].who, "bob@x.example,dave@x.example");
	assert_int_equal(g.approval.stage[1].kind, APPROVE_GROUP);
	assert_int_equal(g.approval.stage[1].need, 2);
	assert_string_equal(g.approval.stage[1].who, "staff");
	assert_int_equal(g.approval.stage[2].need, 1);
	assert_int_equal(g.approval.at, 0);
	assert_int_equal(g.approval.since, kit_time(KIT_ACCEPTED));
	take_back(&g);
}

static void what_cannot_be_asked_for_is_odd(void **state)
{
	static const char *const rows[] = {"by=", "by=staff", "by=any:", "by=0:staff",
	    "by=01:staff", "by=-1:staff", "by=2x:staff", "by=1000:staff", "by=anybody:staff",
	    "by=any:st+zz", "by=any:st+00", "then=any:staff", "by=any:staff by=any:all",
	    "by=200:staff then=200:all"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct approval approval;
		char text[256];
		struct plan_step step = {.word = WORD_APPROVE, .text = text};
		struct leg leg = {.accepted = 1};

		step.len = (size_t)snprintf(text, sizeof text, "approve %s", rows[i]);
		if (approval_read(&leg, &step, &approval) != APPROVAL_ODD)
			fail_msg("%s", rows[i]);
	}
}

/* ---- votes -------------------------------------------------------------------------------- */

#define BACK AT("01") "discarded by=x via=y\n" AT("02") "restored by=x via=y\n&"

static void votes_count_once_for_what_was_asked(void **state)
{
	static const struct {
		const char *name, *who, *votes;
		size_t at, counted;
		bool refused;
	} rows[] = {
	    {"none", "by=any:staff", "", 0, 0, false},
	    {"one", "by=any:staff", AT("00") "vote $ step=1 say=yes by=erin@x.example via=web\n", 1,
		1, false},
	    {"half", "by=2:staff", AT("00") "vote $ step=1 say=yes by=erin@x.example via=web\n", 0,
		1, false},
	    {"twice", "by=2:staff",
		AT("00") "vote $ step=1 say=yes by=erin@x.example via=web\n" AT(
		    "01") "vote $ step=1 say=yes by=erin@x.example via=web\n",
		0, 1, false},
	    {"two", "by=2:staff",
		AT("00") "vote $ step=1 say=yes by=erin@x.example via=web\n" AT(
		    "01") "vote $ step=1 say=yes by=frank@x.example via=web\n",
		1, 2, false},
	    {"himself, and by a deputy", "by=2:staff",
		AT("00") "vote $ step=1 say=yes by=erin@x.example via=web\n" AT(
		    "01") "vote $ step=1 say=yes by=carol@x.example for=erin@x.example via=web\n",
		0, 1, false},
	    {"by a deputy, and himself", "by=2:staff",
		AT("00") "vote $ step=1 say=yes by=carol@x.example for=erin@x.example via=web\n" AT(
		    "01") "vote $ step=1 say=yes by=erin@x.example via=web\n",
		0, 1, false},
	    {"deputy of two", "by=2:staff",
		AT("00") "vote $ step=1 say=yes by=carol@x.example for=erin@x.example via=web\n" AT(
		    "01") "vote $ step=1 say=yes by=carol@x.example for=frank@x.example via=web\n",
		0, 1, false},
	    {"once in all stages", "by=any:staff then=any:all",
		AT("00") "vote $ step=1 say=yes by=erin@x.example via=web\n" AT(
		    "01") "vote $ step=2 say=yes by=erin@x.example via=web\n",
		1, 1, false},
	    {"in sequence", "by=any:staff then=any:all",
		AT("00") "vote $ step=1 say=yes by=erin@x.example via=web\n" AT(
		    "01") "vote $ step=2 say=yes by=bob@x.example via=web\n",
		2, 2, false},
	    {"out of turn", "by=any:staff then=any:all",
		AT("00") "vote $ step=2 say=yes by=bob@x.example via=web\n" AT(
		    "01") "vote $ step=1 say=yes by=erin@x.example via=web\n",
		1, 1, false},
	    {"no", "by=2:staff",
		AT("00") "vote $ step=1 say=yes by=erin@x.example via=web\n" AT(
		    "01") "vote $ step=1 say=no by=frank@x.example via=web comment=no\n",
		0, 2, true},
	    {"return", "by=any:staff",
		AT("00") "vote $ step=1 say=return by=frank@x.example via=web\n", 0, 1, true},
	    {"yes after no", "by=any:staff",
		AT("00") "vote $ step=1 say=no by=frank@x.example via=web\n" AT(
		    "01") "vote $ step=1 say=yes by=erin@x.example via=web\n",
		0, 1, true},
	    {"another plan", "by=any:staff",
		AT("00") "vote plan=0123456789abcdef content=0123456789abcdef step=1 say=yes "
			 "by=erin@x.example via=web\n",
		0, 0, false},
	    {"a strange word", "by=any:staff",
		AT("00") "vote $ step=1 say=perhaps by=erin@x.example via=web\n", 0, 0, false},
	    {"nobody", "by=any:staff", AT("00") "vote $ step=1 say=yes via=web\n", 0, 0, false},
	    {"before it was brought back", "by=any:staff",
		AT("00") "vote $ step=1 say=yes by=erin@x.example via=web\n" BACK, 0, 0, false},
	    {"after it was brought back", "by=any:staff",
		AT("00") "vote $ step=1 say=no by=erin@x.example via=web\n" BACK AT(
		    "03") "vote $ step=1 say=yes by=erin@x.example via=web\n",
		1, 1, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct given g;

		give(&g, HOLD_KIT_ALICE, rows[i].who, rows[i].votes);
		if (g.approval.at != rows[i].at || g.approval.votes != rows[i].counted ||
		    g.approval.refused != rows[i].refused)
			fail_msg("%s: at %zu, %zu votes, refused %d", rows[i].name, g.approval.at,
			    g.approval.votes, g.approval.refused);
		take_back(&g);
	}
}

/* A vote is about these bytes: another content with the same plan has none. */
static void a_vote_binds_the_content(void **state)
{
	struct kit_bytes trailer = {NULL, 0}, bytes;
	struct approval approval;
	struct leg leg;

	(void)state;
	kit_plan(&trailer, KIT_ID, "1", " approve by=any:staff\n deliver\n");
	kit_addf(&trailer,
	    AT("00") "vote plan=%.16s content=%s step=1 say=yes by=erin@x.example "
		     "via=web\n",
	    strstr(trailer.at, "sha256=") + 7, hold_kit_content());
	bytes = kit_leg((struct kit_leg){.envelope = HOLD_KIT_ALICE,
	    .trailer = trailer.at,
	    .content = "Subject: other\r\n\r\n"});
	assert_int_equal(kit_read(bytes.at, bytes.len, &leg), LEG_FINE);
	assert_int_equal(approval_read(&leg, &leg.plan.step[0], &approval), APPROVAL_READ);
	assert_int_equal(approval.votes, 0);
	approval_free(&approval);
	leg_free(&leg);
	kit_free(&bytes);
	kit_free(&trailer);
}

static void since_is_when_the_stage_began(void **state)
{
	struct given g;

	(void)state;
	give(&g, HOLD_KIT_ALICE, "by=any:staff then=any:all",
	    AT("00") "judged rules=0123456789abcdef org=0123456789abcdef\n");
	assert_int_equal(g.approval.since, kit_time("2026-11-22T10:00:00Z"));
	take_back(&g);
	give(&g, HOLD_KIT_ALICE, "by=any:staff then=any:all",
	    AT("07") "vote $ step=1 say=yes by=erin@x.example via=web\n");
	assert_int_equal(g.approval.since, kit_time("2026-11-22T10:07:00Z"));
	take_back(&g);
}

/* ---- rights ------------------------------------------------------------------------------- */

#define NO_LOGIN "from alice@x.example\n" HOLD_KIT_TO "client 192.0.2.10 helo=pc1 proto=esmtp\n"
#define SHARED   "from info@x.example\n" HOLD_KIT_TO "client 192.0.2.10 helo=pc1 proto=esmtp\n"
#define SHARED_BY                                                                                  \
	"from info@x.example\n" HOLD_KIT_TO "client 192.0.2.10 proto=esmtpsa "                     \
	"auth=erin@x.example\n"
#define FRANKIE                                                                                    \
	"from outside@y.example\n" HOLD_KIT_TO "client 192.0.2.10 proto=esmtpsa auth=FRANKIE\n"
#define BOBS                                                                                       \
	"from bob@x.example\n" HOLD_KIT_TO "client 192.0.2.10 proto=esmtpsa auth=bob@x.example\n"

#define BY_LOGIN(from, login)                                                                      \
	"from " from "\n" HOLD_KIT_TO "client 192.0.2.10 proto=esmtpsa auth=" login "\n"

static void who_may_vote(void **state)
{
	static const struct {
		const char *envelope, *who, *votes, *address;
		enum approval_right right;
		const char *for_whom;
		bool escalated, bob_away;
	} rows[] = {
	    {HOLD_KIT_ALICE, "by=boss:bob@x.example", "", "bob@x.example", RIGHT_OWN, "", false,
		false},
	    {HOLD_KIT_ALICE, "by=boss:bob@x.example", "", "robert@x.example", RIGHT_OWN, "", false,
		false},
	    {HOLD_KIT_ALICE, "by=boss:robert@x.example", "", "bob@x.example", RIGHT_OWN, "", false,
		false},
	    {HOLD_KIT_ALICE, "by=boss:bob@x.example", "", "erin@x.example", RIGHT_NONE, "", false,
		false},
	    {HOLD_KIT_ALICE, "by=boss:bob@x.example", "", "stranger@y.example", RIGHT_NONE, "",
		true, true},
	    {HOLD_KIT_ALICE, "by=boss:bob@x.example", "", "alice@x.example", RIGHT_AUTHOR, "",
		false, false},
	    /* Deputies: of who is absent, or after the escalation. */
	    {HOLD_KIT_ALICE, "by=boss:bob@x.example", "", "carol@x.example", RIGHT_NONE, "", false,
		false},
	    {HOLD_KIT_ALICE, "by=boss:bob@x.example", "", "carol@x.example", RIGHT_DEPUTY,
		"bob@x.example", false, true},
	    {HOLD_KIT_ALICE, "by=boss:bob@x.example", "", "carol@x.example", RIGHT_DEPUTY,
		"bob@x.example", true, false},
	    /* The boss's boss only after it, and not for others than bosses. */
	    {HOLD_KIT_ALICE, "by=boss:bob@x.example", "", "dave@x.example", RIGHT_NONE, "", false,
		true},
	    {HOLD_KIT_ALICE, "by=boss:bob@x.example", "", "dave@x.example", RIGHT_DEPUTY,
		"bob@x.example", true, false},
	    {HOLD_KIT_ALICE, "by=address:bob@x.example", "", "dave@x.example", RIGHT_NONE, "", true,
		false},
	    {HOLD_KIT_ALICE, "by=address:bob@x.example", "", "carol@x.example", RIGHT_DEPUTY,
		"bob@x.example", true, false},
	    /* Of several bosses each. */
	    {HOLD_KIT_ALICE, "by=boss:erin@x.example,bob@x.example", "", "bob@x.example", RIGHT_OWN,
		"", false, false},
	    /* A group, and never the sender. */
	    {HOLD_KIT_ALICE, "by=any:staff", "", "erin@x.example", RIGHT_OWN, "", false, false},
	    {HOLD_KIT_ALICE, "by=any:staff", "", "alice@x.example", RIGHT_AUTHOR, "", true, false},
	    {HOLD_KIT_ALICE, "by=any:staff", "", "bob@x.example", RIGHT_NONE, "", true, false},
	    {HOLD_KIT_ALICE, "by=any:staff", "", "carol@x.example", RIGHT_DEPUTY, "erin@x.example",
		true, false},
	    {HOLD_KIT_ALICE, "by=any:all", "", "grace@x.example", RIGHT_OWN, "", false, false},
	    {HOLD_KIT_ALICE, "by=any:named", "", "bob@x.example", RIGHT_OWN, "", false, false},
	    /* A mailbox of several is nobody: who has it is asked. */
	    {HOLD_KIT_ALICE, "by=any:named", "", "grace@x.example", RIGHT_OWN, "", false, false},
	    {HOLD_KIT_ALICE, "by=address:desk@x.example", "", "grace@x.example", RIGHT_OWN, "",
		false, false},
	    {HOLD_KIT_ALICE, "by=address:desk@x.example", "", "desk@x.example", RIGHT_NONE, "",
		false, false},
	    /* Once. */
	    {HOLD_KIT_ALICE, "by=2:staff",
		AT("00") "vote $ step=1 say=yes by=erin@x.example via=w\n", "erin@x.example",
		RIGHT_VOTED, "", true, false},
	    {HOLD_KIT_ALICE, "by=2:staff",
		AT("00") "vote $ step=1 say=yes by=erin@x.example via=w\n", "carol@x.example",
		RIGHT_NONE, "", true, false},
	    {HOLD_KIT_ALICE, "by=2:staff",
		AT("00") "vote $ step=1 say=yes by=carol@x.example for=erin@x.example via=w\n",
		"erin@x.example", RIGHT_VOTED, "", true, false},
	    /* Who may have written it. */
	    {NO_LOGIN, "by=any:staff", "", "alice@x.example", RIGHT_AUTHOR, "", false, false},
	    {SHARED, "by=any:staff", "", "alice@x.example", RIGHT_AUTHOR, "", false, false},
	    {SHARED, "by=any:staff", "", "erin@x.example", RIGHT_AUTHOR, "", false, false},
	    {SHARED, "by=any:staff", "", "frank@x.example", RIGHT_OWN, "", false, false},
	    {SHARED_BY, "by=any:staff", "", "erin@x.example", RIGHT_AUTHOR, "", false, false},
	    {SHARED_BY, "by=any:staff", "", "alice@x.example", RIGHT_OWN, "", false, false},
	    {FRANKIE, "by=any:staff", "", "frank@x.example", RIGHT_AUTHOR, "", false, false},
	    {FRANKIE, "by=any:staff", "", "alice@x.example", RIGHT_OWN, "", false, false},
	    /* The login is a mailbox of several: whoever has it may have written it. */
	    {BY_LOGIN("info@x.example", "info@x.example"), "by=any:staff", "", "alice@x.example",
		RIGHT_AUTHOR, "", true, true},
	    {BY_LOGIN("info@x.example", "info@x.example"), "by=any:staff", "", "frank@x.example",
		RIGHT_OWN, "", false, false},
	    /* A login that is nobody's: it may have been anybody. */
	    {BY_LOGIN("alice@x.example", "printer7"), "by=any:staff", "", "frank@x.example",
		RIGHT_AUTHOR, "", true, true},
	    {BY_LOGIN("alice@x.example", "printer7"), "by=boss:bob@x.example", "", "bob@x.example",
		RIGHT_AUTHOR, "", true, true},
	    /* Whom etc/people does not know: one person, whatever stands behind the '+'. */
	    {BY_LOGIN("judy@x.example", "judy@x.example"), "by=any:all", "", "judy+1@x.example",
		RIGHT_AUTHOR, "", false, false},
	    {HOLD_KIT_ALICE, "by=2:all", "", "judy+1@x.example", RIGHT_OWN, "", false, false},
	    {HOLD_KIT_ALICE, "by=2:all", AT("00") "vote $ step=1 say=yes by=judy@x.example via=w\n",
		"judy+2@x.example", RIGHT_VOTED, "", true, false},
	    /* A comma in a quoted local part makes nobody else a boss. */
	    {HOLD_KIT_ALICE, "by=boss:+22a,erin@x.example+22@x.example,bob@x.example", "",
		"bob@x.example", RIGHT_OWN, "", false, false},
	    {HOLD_KIT_ALICE, "by=boss:+22a,erin@x.example,b+22@x.example,bob@x.example", "",
		"erin@x.example", RIGHT_NONE, "", false, false},
	    /* Who may not vote himself sends no deputy; his boss is above that. */
	    {BOBS, "by=boss:bob@x.example", "", "bob@x.example", RIGHT_AUTHOR, "", true, true},
	    {BOBS, "by=boss:bob@x.example", "", "carol@x.example", RIGHT_NONE, "", true, true},
	    {BOBS, "by=boss:bob@x.example", "", "dave@x.example", RIGHT_DEPUTY, "bob@x.example",
		true, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct approval_place place = {.org = org,
		    .absences = (const struct absences *)org, /* only asked by what is wrapped */
		    .now = kit_time(KIT_NOW),
		    .escalated = rows[i].escalated};
		char for_whom[ORG_ADDRESS_MAX];
		enum approval_right right;
		struct given g;

		away = rows[i].bob_away ? "bob@x.example" : NULL;
		give(&g, rows[i].envelope, rows[i].who, rows[i].votes);
		right = approval_right(&place, &g.leg, &g.approval, rows[i].address, for_whom);
		if (right != rows[i].right || strcmp(for_whom, rows[i].for_whom) != 0)
			fail_msg("row %zu, %s of %s: %d for \"%s\"", i, rows[i].address,
			    rows[i].who, right, for_whom);
		take_back(&g);
	}
}

static bool add(void *context, const char *address, enum approval_right right)
{
	char *all = context;
	size_t len = strlen(all);

	(void)snprintf(all + len, 1024 - len, "%s%s%s", len > 0 ? " " : "", address,
	    right == RIGHT_OWN ? "" : "*");
	return true;
}

static void who_is_asked(void **state)
{
	static const struct {
		const char *envelope, *who, *votes, *all;
		bool escalated, possible;
	} rows[] = {
	    {HOLD_KIT_ALICE, "by=boss:bob@x.example", "", "bob@x.example", false, true},
	    {HOLD_KIT_ALICE, "by=boss:bob@x.example", "",
		"bob@x.example carol@x.example* dave@x.example*", true, true},
	    {HOLD_KIT_ALICE, "by=any:staff", "", "erin@x.example frank@x.example", false, true},
	    {HOLD_KIT_ALICE, "by=any:staff", "", "erin@x.example frank@x.example carol@x.example*",
		true, true},
	    {HOLD_KIT_ALICE, "by=any:all", "",
		"alice+jp@x.example bob@x.example carol@x.example dave@x.example erin@x.example "
		"frank@x.example "
		"grace@x.example",
		false, true},
	    {HOLD_KIT_ALICE, "by=any:named", "", "grace@x.example bob@x.example", false, true},
	    {HOLD_KIT_ALICE, "by=2:staff",
		AT("00") "vote $ step=1 say=yes by=erin@x.example via=w\n", "frank@x.example", true,
		true},
	    /* Nobody, whoever is away and however long it takes. */
	    {HOLD_KIT_ALICE, "by=any:empty", "", "", true, false},
	    {HOLD_KIT_ALICE, "by=address:alice@x.example", "", "", true, false},
	    {BY_LOGIN("alice@x.example", "printer7"), "by=any:all", "", "", true, false},
	    /* Three people, but two places: erin's deputy is not a third. */
	    {HOLD_KIT_ALICE, "by=3:staff", "", "erin@x.example frank@x.example carol@x.example*",
		true, false},
	    {BOBS, "by=boss:bob@x.example", "", "", false, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct approval_place place = {
		    .org = org, .now = kit_time(KIT_NOW), .escalated = rows[i].escalated};
		char all[1024] = "";
		struct given g;

		give(&g, rows[i].envelope, rows[i].who, rows[i].votes);
		approval_each_asked(&place, &g.leg, &g.approval, add, all);
		if (strcmp(all, rows[i].all) != 0)
			fail_msg("row %zu, %s: %s", i, rows[i].who, all);
		assert_int_equal(approval_possible(&place, &g.leg, &g.approval), rows[i].possible);
		take_back(&g);
	}
}

static void addresses_are_parted_outside_of_quotes(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} rows[] = {{"", 0}, {"a@x,b@x", 3}, {"a@x", 3}, {"\"a,b\"@x,c@x", 7},
	    {"\"a\\\",b\"@x,c@x", 9}, {"\"a,b", 4}, {"\"a\\", 3}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(approval_address_len(rows[i].text), rows[i].len);
}

/* Where nobody knows who is who nobody has a right. */
static void without_an_organisation_nobody_votes(void **state)
{
	const struct approval_place place = {.org = NULL, .escalated = true};
	char for_whom[ORG_ADDRESS_MAX];
	struct given g;

	(void)state;
	give(&g, HOLD_KIT_ALICE, "by=any:staff", "");
	assert_int_equal(
	    approval_right(&place, &g.leg, &g.approval, "erin@x.example", for_whom), RIGHT_NONE);
	take_back(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_stages_are_read, enter, leave),
	    cmocka_unit_test_setup_teardown(what_cannot_be_asked_for_is_odd, enter, leave),
	    cmocka_unit_test_setup_teardown(votes_count_once_for_what_was_asked, enter, leave),
	    cmocka_unit_test_setup_teardown(a_vote_binds_the_content, enter, leave),
	    cmocka_unit_test_setup_teardown(since_is_when_the_stage_began, enter, leave),
	    cmocka_unit_test(addresses_are_parted_outside_of_quotes),
	    cmocka_unit_test_setup_teardown(who_may_vote, enter, leave),
	    cmocka_unit_test_setup_teardown(who_is_asked, enter, leave),
	    cmocka_unit_test_setup_teardown(without_an_organisation_nobody_votes, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
