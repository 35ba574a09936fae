/* Who acts as the sender of a leg, and who may have written it (S3-05, S4-08, shared mailboxes). */
#include "tests/unit/hold_kit.h"

#include "lib/hold/actors.h"

static struct org *org;

static int enter(void **state)
{
	static char root[256];

	*state = root;
	kit_enter(root);
	org = hold_kit_org("");
	return 0;
}

static int leave(void **state)
{
	org_close(org);
	kit_leave(*state);
	return 0;
}

#define CLIENT "client 192.0.2.10 helo=pc1 proto=esmtp"

/* Of mail with that reverse-path, handed in by `login` (NULL: none). */
static void give(const char *from, const char *login, struct leg *leg)
{
	char envelope[512];

	(void)snprintf(envelope, sizeof envelope, "from %s\n" HOLD_KIT_TO CLIENT "%s%s\n",
	    from[0] != '\0' ? from : "<>", login != NULL ? " auth=" : "",
	    login != NULL ? login : "");
	hold_kit_leg(envelope, " hold confirmed\n deliver\n", "", leg);
}

static void each_is_what_he_is(void **state)
{
	static const struct {
		const char *from, *login, *address;
		bool sender, author;
	} rows[] = {
	    {"alice@x.example", "alice@x.example", "alice@x.example", true, true},
	    {"alice@x.example", NULL, "alice@x.example", true, true},
	    {"alice@x.example", NULL, "bob@x.example", false, false},
	    {"alice@x.example", NULL, "", false, false},
	    /* By any of his addresses, in any case, with a detail. */
	    {"robert@x.example", NULL, "bob@x.example", true, true},
	    {"bob@x.example", NULL, "robert@x.example", true, true},
	    {"Bob+2Bnews@X.example", NULL, "bob@x.example", true, true},
	    /* Somebody handed in what another signs. */
	    {"alice@x.example", "bob@x.example", "bob@x.example", true, true},
	    {"alice@x.example", "bob@x.example", "alice@x.example", true, true},
	    {"alice@x.example", "bob@x.example", "carol@x.example", false, false},
	    /* A login that is no address; and one that is an alias. */
	    {"info@x.example", "FRANKIE", "frank@x.example", true, true},
	    {"info@x.example", "robert@x.example", "bob@x.example", true, true},
	    /* Nobody's login: nobody knows who it was, so all of them may have. */
	    {"info@x.example", "printer7", "alice@x.example", true, true},
	    {"info@x.example", "printer7", "frank@x.example", false, true},
	    {"alice@x.example", "printer7", "bob@x.example", false, true},
	    {"alice@x.example", "printer+", "bob@x.example", false, true},
	    /* A mailbox of several: all act, but only who has logged in has written it. */
	    {"info@x.example", NULL, "alice@x.example", true, true},
	    {"info@x.example", NULL, "erin@x.example", true, true},
	    {"info@x.example", NULL, "info@x.example", true, true},
	    {"info@x.example", "alice@x.example", "erin@x.example", true, false},
	    {"info@x.example", "alice@x.example", "alice@x.example", true, true},
	    {"info@x.example", NULL, "frank@x.example", false, false},
	    /* A login that is such a mailbox: whoever has it may have written it. */
	    {"info@x.example", "info@x.example", "alice@x.example", true, true},
	    {"info@x.example", "info@x.example", "info@x.example", true, true},
	    {"info@x.example", "info@x.example", "frank@x.example", false, false},
	    {"frank@x.example", "Info+2Bx@x.example", "erin@x.example", true, true},
	    {"", "info@x.example", "erin@x.example", true, true},
	    /* The null sender is nobody, but its login is somebody. */
	    {"", NULL, "alice@x.example", false, false},
	    {"", "alice@x.example", "alice@x.example", true, true},
	    /* Whom etc/people does not know is himself. */
	    {"eve@y.example", NULL, "eve@y.example", true, true},
	    {"eve@y.example", NULL, "eve+1@y.example", false, false},
	    {"judy@x.example", NULL, "judy+1@x.example", true, true},
	    {"judy+2B1@x.example", NULL, "judy@x.example", true, true},
	    {"bob@x.example", "judy+2Ba+2Bb@x.example", "judy+1@x.example", true, true},
	    {"judy@x.example", NULL, "judyx+1@x.example", false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct leg leg;
		bool sender, author;

		give(rows[i].from, rows[i].login, &leg);
		sender = actor_is_sender(org, &leg, rows[i].address);
		author = actor_may_have_written(org, &leg, rows[i].address);
		if (sender != rows[i].sender || author != rows[i].author)
			fail_msg("row %zu: %s of <%s>: sender %d, author %d", i, rows[i].address,
			    rows[i].from, sender, author);
		leg_free(&leg);
	}
}

static void a_login_that_is_nobodys_is_known_as_such(void **state)
{
	static const struct {
		const char *login;
		bool unknown;
	} rows[] = {{NULL, false}, {"alice@x.example", false}, {"frankie", false},
	    {"somebody@x.example", false}, {"printer7", true}, {"printer+", true}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct leg leg;

		give("alice@x.example", rows[i].login, &leg);
		assert_int_equal(actor_unknown(org, &leg), rows[i].unknown);
		leg_free(&leg);
	}
}

/* A person has one form, whatever stands behind the '+'. */
static void one_person_has_one_form(void **state)
{
	static const char *const rows[][2] = {{"robert+x@x.example", "bob@x.example"},
	    {"judy+1@x.example", "judy@x.example"}, {"judy@x.example", "judy@x.example"},
	    {"+1@x.example", "+1@x.example"}, {"judy+1@y.example", "judy+1@y.example"},
	    {"\"a b+1\"@x.example", "\"a b+1\"@x.example"}, {"", ""}};
	char person[ORG_ADDRESS_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		actor_person(org, rows[i][0], person);
		assert_string_equal(person, rows[i][1]);
	}
	assert_true(actor_same(org, "judy+1@x.example", "judy+2@x.example"));
}

static bool add(void *context, const char *address)
{
	char *all = context;
	size_t len = strlen(all);

	(void)snprintf(all + len, 512 - len, "%s%s", len > 0 ? " " : "", address);
	return true;
}

static void each_sender_is_told_once(void **state)
{
	static const struct {
		const char *from, *login, *all;
	} rows[] = {
	    {"alice@x.example", "alice@x.example", "alice@x.example"},
	    {"robert@x.example", "alice@x.example", "bob@x.example alice@x.example"},
	    {"info@x.example", NULL, "info@x.example alice@x.example erin@x.example"},
	    {"info@x.example", "erin@x.example", "info@x.example erin@x.example alice@x.example"},
	    {"erin@x.example", "info@x.example", "erin@x.example info@x.example alice@x.example"},
	    {"info@x.example", "info@x.example", "info@x.example alice@x.example erin@x.example"},
	    {"", "info@x.example", "info@x.example alice@x.example erin@x.example"},
	    {"alice@x.example", "printer7", "alice@x.example"},
	    {"", NULL, ""},
	    {"", "frankie", "frank@x.example"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char all[512] = "";
		struct leg leg;

		give(rows[i].from, rows[i].login, &leg);
		actor_each_sender(org, &leg, add, all);
		assert_string_equal(all, rows[i].all);
		leg_free(&leg);
	}
}

static void without_an_organisation_nobody_is_anybody(void **state)
{
	struct leg leg;

	(void)state;
	give("alice@x.example", NULL, &leg);
	assert_false(actor_is_sender(NULL, &leg, "alice@x.example"));
	assert_true(actor_may_have_written(NULL, &leg, "bob@x.example"));
	leg_free(&leg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(each_is_what_he_is, enter, leave),
	    cmocka_unit_test_setup_teardown(a_login_that_is_nobodys_is_known_as_such, enter, leave),
	    cmocka_unit_test_setup_teardown(one_person_has_one_form, enter, leave),
	    cmocka_unit_test_setup_teardown(each_sender_is_told_once, enter, leave),
	    cmocka_unit_test_setup_teardown(
		without_an_organisation_nobody_is_anybody, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
