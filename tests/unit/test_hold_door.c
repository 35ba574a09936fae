/*
 * The people's door (S2-47: what is behind the links of notices): the socket and its clients, who may see what,
 * and what is given out.
 *
 * link: -Wl,--wrap=spool_open_leg
 */
#include "tests/unit/door_kit.h"

/* ---- tests --------------------------------------------------------------------------------- */

static void sender_is_shown_his_mail(void **state)
{
	json_t *json = ask("alice@x.example", GATE_READ | GATE_SENDER, "show lang=ja", NULL);
	json_t *leg = json_array_get(json_object_get(json, "legs"), 0), *one;

	(void)state;
	assert_word(json, "result", "done");
	assert_word(json_object_get(json, "you"), "address", "alice@x.example");
	assert_word(leg, "state", "held");
	assert_word(leg, "subject", "見積");
	assert_word(json_object_get(leg, "times"), "pass", "2026-11-22T10:35:01.123456Z");
	one = json_array_get(json_object_get(leg, "rules"), 0);
	assert_word(one, "evidence", "****");
	assert_non_null(strstr(json_string_value(json_object_get(one, "text")), "送信保留：60分"));
	one = json_array_get(json_object_get(leg, "checks"), 0);
	assert_word(one, "fact", "first-time");
	assert_int_equal(json_array_size(json_object_get(leg, "recipients")), 2);
	json_decref(json);
}

static void strangers_and_other_lives(void **state)
{
	char token[GATE_CAP_TEXT], line[200];

	(void)state;
	assert_result(
	    ask("bob@x.example", GATE_READ | GATE_SENDER, "show", NULL), "forbidden", "nobody");
	assert_result(
	    ask("alice@x.example", GATE_APPROVER, "act word=discard", NULL), "forbidden", "rights");
	assert_result(ask("alice@x.example", GATE_SENDER, "body", NULL), "forbidden", "rights");
	assert_result(ask("alice@x.example", GATE_READ, "show id=" SECOND_ID, NULL), "forbidden",
	    "cross-message");
	assert_result(ask("alice@x.example", GATE_READ, "list", NULL), "forbidden", "rights");
	assert_result(ask("alice@x.example", GATE_READ, "absent", NULL), "forbidden", "rights");
	assert_result(ask("alice@x.example", GATE_SENDER, "act word=dance", NULL), "no", "words");
	token_of(KIT_ID, "alice@x.example", GATE_READ, 1, token);
	(void)snprintf(line, sizeof line, "cap=%s show\n", token);
	assert_result(ask_line(line, NULL), "expired", "restored");
	token_of(SECOND_ID, "alice@x.example", GATE_READ, 0, token);
	(void)snprintf(line, sizeof line, "cap=%s show\n", token);
	assert_result(ask_line(line, NULL), "gone", NULL);
	assert_result(ask_line("cap=AAAA show\n", NULL), "forged", "forged");
	assert_result(ask_line("nonsense\n", NULL), "no", "request");
}

/* Nobody is believed to be anybody while it is not known who is who. */
static void nobody_without_the_organisation(void **state)
{
	struct org *org = f.h.org;

	(void)state;
	f.h.org = NULL;
	assert_result(
	    ask("alice@x.example", GATE_READ, "show", NULL), "forbidden", "no-organisation");
	f.h.org = org;
}

static void body_is_given_to_read_alone(void **state)
{
	char content[sizeof KIT_CONTENT] = "";
	int leg = -1;
	json_t *json = ask("alice@x.example", GATE_READ, "body", &leg);
	size_t size = (size_t)json_integer_value(json_object_get(json, "size"));
	struct stat st;

	(void)state;
	assert_word(json, "result", "done");
	assert_true(leg >= 0);
	assert_int_equal(size, strlen(KIT_CONTENT));
	assert_int_equal(
	    pread(leg, content, size, json_integer_value(json_object_get(json, "offset"))), size);
	assert_string_equal(content, KIT_CONTENT);
	/* Votes, where it came from, and what is written later are not the reader's. */
	assert_int_equal(fstat(leg, &st), 0);
	assert_int_equal(st.st_size, size);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(fcntl(leg, F_GETFL) & O_ACCMODE, O_RDONLY);
	(void)close(leg);
	json_decref(json);
}

/* A reading that cannot be written down does not happen. */
static void no_body_without_the_audit(void **state)
{
	int leg = -1;

	(void)state;
	f.stage.settings.audit = true; /* and no seki-audit is there */
	audit_settings(f.stage.audit, &f.stage.settings);
	assert_result(ask("alice@x.example", GATE_READ, "body", &leg), "no", "audit");
	assert_int_equal(leg, -1);
}

static void lists(void **state)
{
	json_t *json = list("alice@x.example", ""), *mail;

	(void)state;
	assert_word(json, "result", "done");
	assert_int_equal(json_array_size(json_object_get(json, "mails")), 1);
	mail = json_array_get(json_object_get(json, "mails"), 0);
	assert_word(mail, "subject", "見積");
	assert_word(mail, "next", "pass");
	json_decref(json);
	json = list("alice@x.example", " query=+E8+A6+8B");
	assert_int_equal(json_integer_value(json_object_get(json, "total")), 1);
	json_decref(json);
	json = list("bob@x.example", "");
	assert_int_equal(json_integer_value(json_object_get(json, "total")), 0);
	json_decref(json);
	assert_result(list("alice@x.example", " state=bad"), "no", "state");
	assert_result(list("alice@x.example", " page=0"), "no", "words");

	/* The index is no authority: what has gone is not listed, and forgotten. */
	assert_int_equal(unlink("spool/hold/" NAME), 0);
	json = list("alice@x.example", "");
	assert_int_equal(json_array_size(json_object_get(json, "mails")), 0);
	json_decref(json);
	assert_int_equal(index_count(f.h.index), 0);
}

/* What has not been looked at since the start is found by the timetable. */
static void unseen_legs_are_found(void **state)
{
	struct leg_name name = {.id = KIT_ID, .k = "1"};

	(void)state;
	name.due = kit_time("2026-11-22T10:35:02Z") / CLOCK_SECOND;
	index_remove(f.h.index, &name);
	assert_true(timetable_add(&f.stage.background[STATE_HOLD], &name, DUE_NONE));
	assert_result(ask("alice@x.example", GATE_READ, "show", NULL), "done", NULL);
	timetable_clear(&f.stage.background[STATE_HOLD]);
}

/* ---- clients ------------------------------------------------------------------------------- */

static void silent_clients_give_way(void **state)
{
	int silent[3 * DOOR_CLIENTS];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(silent); i++) {
		silent[i] = connect_door();
		assert_int_equal(send(silent[i], "cap", 3, MSG_NOSIGNAL), 3);
	}
	assert_result(ask("alice@x.example", GATE_READ, "show", NULL), "done", NULL);
	for (size_t i = 0; i < COUNT_OF(silent); i++)
		(void)close(silent[i]);
}

static void too_long_and_two_requests(void **state)
{
	char *line = malloc(GATE_REQUEST_MAX + 1);

	(void)state;
	assert_non_null(line);
	memset(line, 'a', GATE_REQUEST_MAX);
	line[GATE_REQUEST_MAX] = '\0';
	assert_result(ask_line(line, NULL), "no", "request");
	assert_result(ask_line("cap=x show\ncap=x show\n", NULL), "no", "request");
	free(line);
}

/* A leg in a job's hands is waited for; other clients are answered meanwhile. */
static void a_leg_in_hand_is_waited_for(void **state)
{
	char token[GATE_CAP_TEXT], line[200], heard[8192];
	int fd = connect_door();
	ssize_t n;

	(void)state;
	__atomic_store_n(&f.in_hand, true, __ATOMIC_SEQ_CST);
	token_of(KIT_ID, "alice@x.example", GATE_SENDER, 0, token);
	(void)snprintf(line, sizeof line, "cap=%s act word=discard\n", token);
	assert_int_equal(send(fd, line, strlen(line), MSG_NOSIGNAL), (ssize_t)strlen(line));
	assert_result(ask("alice@x.example", GATE_READ, "show", NULL), "done", NULL);
	assert_int_equal(recv(fd, heard, sizeof heard, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	assert_true(kit_stands("spool/hold/" NAME));
	__atomic_store_n(&f.in_hand, false, __ATOMIC_SEQ_CST);
	n = recv(fd, heard, sizeof heard - 1, 0);
	assert_true(n > 0);
	heard[n] = '\0';
	assert_non_null(strstr(heard, "\"result\":\"done\""));
	assert_true(kit_stands("spool/trash/" KIT_ID ".1"));
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(sender_is_shown_his_mail, begin, end),
	    cmocka_unit_test_setup_teardown(strangers_and_other_lives, begin, end),
	    cmocka_unit_test_setup_teardown(nobody_without_the_organisation, begin, end),
	    cmocka_unit_test_setup_teardown(body_is_given_to_read_alone, begin, end),
	    cmocka_unit_test_setup_teardown(no_body_without_the_audit, begin, end),
	    cmocka_unit_test_setup_teardown(lists, begin, end),
	    cmocka_unit_test_setup_teardown(unseen_legs_are_found, begin, end),
	    cmocka_unit_test_setup_teardown(silent_clients_give_way, begin, end),
	    cmocka_unit_test_setup_teardown(too_long_and_two_requests, begin, end),
	    cmocka_unit_test_setup_teardown(a_leg_in_hand_is_waited_for, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
