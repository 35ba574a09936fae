/*
 * The people's door (S2-47): what it does not do. Nobody decides about mail that he was not shown, nobody is
 * told what is not his to know, and no request takes more than its share.
 *
 * link: -Wl,--wrap=spool_open_leg
 */
#include "tests/unit/door_kit.h"

/* ---- copies -------------------------------------------------------------------------------- */

static void id_of(size_t n, char id[ID_TEXT])
{
	(void)snprintf(id, ID_TEXT, "0196c0ffee4f2c1d8a31b7e09c55%04zx", n);
}

static void copy_path(size_t n, char path[200])
{
	char id[ID_TEXT];

	id_of(n, id);
	(void)snprintf(path, 200, "spool/hold/20261122T103502Z.%s.1", id);
}

/* So many other messages of the group of the first. */
static void make_copies(size_t n)
{
	note_in(STATE_HOLD, KIT_ID, GROUP);
	for (size_t i = 0; i < n; i++) {
		char id[ID_TEXT], path[200];

		id_of(i, id);
		copy_path(i, path);
		write_leg(path, id, RECORDS);
		note_in(STATE_HOLD, id, GROUP);
	}
}

static size_t waiting(size_t copies)
{
	size_t n = kit_stands("spool/hold/" NAME);

	for (size_t i = 0; i < copies; i++) {
		char path[200];

		copy_path(i, path);
		n += kit_stands(path);
	}
	return n;
}

static void shown_of(char shown[DIGEST_HEX])
{
	json_t *json = ask("alice@x.example", GATE_READ | GATE_SENDER, "show", NULL);
	const char *is = json_string_value(json_object_get(json, "shown"));

	assert_non_null(is);
	assert_int_equal(strlen(is), DIGEST_HEX - 1);
	(void)stpcpy(shown, is);
	json_decref(json);
}

static json_t *discard(const char *shown)
{
	char line[200];

	(void)snprintf(
	    line, sizeof line, "act word=discard%s%s", shown[0] != '\0' ? " shown=" : "", shown);
	return ask("alice@x.example", GATE_SENDER, line, NULL);
}

static json_int_t number_of(json_t *json, const char *key)
{
	assert_true(json_is_integer(json_object_get(json, key)));
	return json_integer_value(json_object_get(json, key));
}

/* The first message stands in hold/ again. */
static void bring_back(void)
{
	assert_int_equal(unlink("spool/trash/" KIT_ID ".1"), 0);
	write_leg("spool/hold/" NAME, KIT_ID, RECORDS);
}

/* S1-15a: nobody decides about mail that he has not seen, whatever group its sender made it look of. */
static void S1_15a_copies_need_a_proof(void **state)
{
	char shown[DIGEST_HEX], other[DIGEST_HEX];
	json_t *json;

	(void)state;
	make_copies(2);
	shown_of(shown);
	json = discard("");
	assert_int_equal(number_of(json, "copies"), 2);
	assert_int_equal(json_array_size(json_object_get(json, "legs")), 1);
	assert_result(json, "done", NULL);
	assert_int_equal(waiting(2), 2);

	/* What was shown is not what is there now. */
	bring_back();
	make_copies(3);
	json = discard(shown);
	assert_int_equal(number_of(json, "copies"), 3);
	assert_result(json, "done", NULL);
	assert_int_equal(waiting(3), 3);

	bring_back();
	make_copies(3);
	shown_of(other);
	assert_string_not_equal(shown, other);
	json = discard(other);
	assert_int_equal(number_of(json, "copies"), 0);
	assert_int_equal(json_array_size(json_object_get(json, "legs")), 4);
	assert_result(json, "done", NULL);
	assert_int_equal(waiting(3), 0);
}

/* The same legs with another content are others. */
static void S1_15a_a_proof_is_of_the_content(void **state)
{
	struct kit_bytes trailer = {NULL, 0};
	char shown[DIGEST_HEX], id[ID_TEXT], path[200];
	json_t *json;

	(void)state;
	make_copies(1);
	shown_of(shown);
	id_of(0, id);
	copy_path(0, path);
	kit_plan(&trailer, id, "1", PLAN);
	kit_text(&trailer, RECORDS);
	kit_write_leg(path, (struct kit_leg){.id = id,
				.envelope = HOLD_KIT_ALICE,
				.content = "Subject: other\r\n\r\nother\r\n",
				.trailer = trailer.at});
	kit_free(&trailer);
	json = discard(shown);
	assert_int_equal(number_of(json, "copies"), 1);
	assert_result(json, "done", NULL);
	assert_true(kit_stands(path));
}

/* Copies alone: not without a proof either. */
static void nothing_but_copies(void **state)
{
	char id[ID_TEXT], line[200];

	(void)state;
	make_copies(1);
	id_of(0, id);
	(void)snprintf(line, sizeof line, "act word=discard leg=%s.1", id);
	assert_result(ask("alice@x.example", GATE_SENDER, line, NULL), "no", "shown");
	assert_int_equal(waiting(1), 2);
	/* To take somebody out lets nothing go. */
	(void)snprintf(
	    line, sizeof line, "act word=remove rcpt=carol@partner.example leg=%s.1", id);
	assert_result(ask("alice@x.example", GATE_SENDER, line, NULL), "done", NULL);
}

/* The door as its loop calls it, turn by turn. */
static bool one_turn(
    const struct gate_request *request, struct answer_turn *turn, struct door_answer *answer)
{
	static struct recent recent;

	turn->acts = ANSWER_ACTS_A_TURN;
	turn->bytes = 10; /* less than there is to copy */
	turn->last = false;
	return answer_request(&f.h, &recent, request, turn, answer);
}

static void parse_for(const char *rest, struct gate_request *request)
{
	char token[GATE_CAP_TEXT], line[400];

	token_of(KIT_ID, "alice@x.example", GATE_READ | GATE_SENDER, 0, token);
	(void)snprintf(line, sizeof line, "cap=%s %s", token, rest);
	assert_true(gate_request_parse(line, strlen(line), request));
}

/* Mail does not wait for people: a few legs a turn; and never one that was not shown. */
static void a_few_legs_a_turn(void **state)
{
	static struct gate_request request;
	struct answer_turn turn = {.work = NULL};
	char shown[DIGEST_HEX], rest[200];
	struct door_answer answer;

	(void)state;
	make_copies(59);
	shown_of(shown);
	(void)snprintf(rest, sizeof rest, "act word=discard shown=%s", shown);
	parse_for(rest, &request);
	assert_false(one_turn(&request, &turn, &answer));
	assert_true(turn.at_once);
	assert_true(answer_work_begun(turn.work));
	assert_int_equal(turn.acts, 0);
	assert_int_equal(waiting(59), 40);
	assert_false(one_turn(&request, &turn, &answer));
	assert_int_equal(waiting(59), 20);
	assert_true(one_turn(&request, &turn, &answer));
	assert_int_equal(waiting(59), 60 - SHOW_LEGS_MAX);
	assert_non_null(strstr(answer.text.bytes, "\"result\":\"done\""));
	assert_non_null(strstr(answer.text.bytes, "\"more\":true"));
	buf_free(&answer.text);
	answer_work_free(turn.work);
}

static void a_body_is_copied_in_pieces(void **state)
{
	static struct gate_request request;
	struct answer_turn turn = {.work = NULL};
	struct door_answer answer;
	struct stat st;
	size_t turns = 1;

	(void)state;
	parse_for("body", &request);
	for (; !one_turn(&request, &turn, &answer); turns++)
		assert_true(turn.at_once);
	assert_int_equal(turns, (strlen(KIT_CONTENT) + 9) / 10);
	assert_int_equal(fstat(answer.leg, &st), 0);
	assert_int_equal(st.st_size, strlen(KIT_CONTENT));
	(void)close(answer.leg);
	buf_free(&answer.text);
	answer_work_free(turn.work);
}

/* What is read is what was accepted. */
static void no_body_that_is_damaged(void **state)
{
	struct kit_bytes leg = kit_file("spool/hold/" NAME);
	char *content = memmem(leg.at, leg.len, KIT_CONTENT, strlen(KIT_CONTENT));
	int fd = -1;

	(void)state;
	assert_non_null(content);
	content[3] ^= 1;
	kit_write("spool/hold/" NAME, leg.at, leg.len);
	kit_free(&leg);
	assert_result(ask("alice@x.example", GATE_READ, "body", &fd), "no", "environment");
	assert_int_equal(fd, -1);
}

/* Who hangs up after the first of them has decided about all of them. */
static void a_decision_is_not_left_half_done(void **state)
{
	char shown[DIGEST_HEX], token[GATE_CAP_TEXT], line[300];
	int fd;

	(void)state;
	make_copies(44);
	shown_of(shown);
	token_of(KIT_ID, "alice@x.example", GATE_SENDER, 0, token);
	(void)snprintf(line, sizeof line, "cap=%s act word=discard shown=%s\n", token, shown);
	fd = connect_door();
	assert_int_equal(send(fd, line, strlen(line), MSG_NOSIGNAL), (ssize_t)strlen(line));
	while (waiting(44) == 45)
		(void)poll(NULL, 0, 1);
	(void)close(fd);
	for (size_t i = 0; i < 10000 && waiting(44) > 0; i++)
		(void)poll(NULL, 0, 1);
	assert_int_equal(waiting(44), 0);
}

/* ---- what is not told, and what is bounded --------------------------------------------------- */

/* Who cannot be told from anybody else is nobody. */
static void no_door_without_a_key(void **state)
{
	struct hold none = {.stage = &f.stage};

	(void)state;
	errno = 0;
	assert_null(door_open(&none));
	assert_int_equal(errno, ENOKEY);
	f.h.keyed = false;
	assert_result(ask("alice@x.example", GATE_READ, "show", NULL), "forged", NULL);
	f.h.keyed = true;
}

/* What cannot be read just now has not gone. */
static void unreadable_is_not_gone(void **state)
{
	json_t *json;

	(void)state;
	__atomic_store_n(&f.fails, true, __ATOMIC_SEQ_CST);
	assert_result(ask("alice@x.example", GATE_READ, "show", NULL), "no", "environment");
	json = list("alice@x.example", "");
	assert_false(json_boolean_value(json_object_get(json, "complete")));
	json_decref(json);
	assert_int_equal(index_count(f.h.index), 1);
	__atomic_store_n(&f.fails, false, __ATOMIC_SEQ_CST);
	assert_result(ask("alice@x.example", GATE_READ, "show", NULL), "done", NULL);
}

static json_t *show_other(const char *id, const char *who, unsigned rights)
{
	char token[GATE_CAP_TEXT], line[200];

	token_of(id, who, rights, 0, token);
	(void)snprintf(line, sizeof line, "cap=%s show\n", token);
	return ask_line(line, NULL);
}

#define AT "2026-11-22T09:35:01.130001Z "

/* S1-32b: the sender is not told who else was, nor what is only tried out. */
static void S1_32b_the_sender_is_told_nothing_of_others(void **state)
{
	json_t *json;
	char *text;

	(void)state;
	write_leg("spool/refused/" SECOND_ID ".1", SECOND_ID,
	    AT "judged rules=0f1e2d3c4b5a6978 org=8877665544332211\n" AT
	       "decided function=hold outcome=60m rule=must/50:1 name=open\n" AT
	       "decided function=hold outcome=5m rule=must/51:1 name=secret1 shadow=yes\n" AT
	       "decided function=hold outcome=5m rule=must/51:1 name=secret2 watch=yes\n" AT
	       "decided function=forward outcome=secret3@x.example rule=must/51:1\n" AT
	       "refused rule=must/20:3 name=files why=x tell=sender forward=secret4@x.example\n" AT
	       "told notice=" KIT_ID "\n" AT "forwarded to=secret5@x.example notice=" KIT_ID "\n");
	json = show_other(SECOND_ID, "alice@x.example", GATE_READ | GATE_SENDER);
	text = json_dumps(json, 0);
	assert_non_null(text);
	assert_non_null(strstr(text, "\"open\""));
	assert_non_null(strstr(text, "\"files\""));
	assert_non_null(strstr(text, "\"told\""));
	if (strstr(text, "secret") != NULL)
		fail_msg("%s", text);
	free(text);
	json_decref(json);
}

static void ranges_that_repeat(void **state)
{
	json_t *json, *one;

	(void)state;
	write_leg("spool/refused/" SECOND_ID ".1", SECOND_ID,
	    AT "check fact=first-time rcpt=1-2,1-2,1,2,1-2\n" AT "check fact=files rcpt=1,2\n");
	json = show_other(SECOND_ID, "alice@x.example", GATE_READ | GATE_SENDER);
	one = json_array_get(json_object_get(json, "legs"), 0);
	assert_int_equal(json_array_size(json_object_get(one, "checks")), 2);
	for (size_t i = 0; i < 2; i++) {
		json_t *check = json_array_get(json_object_get(one, "checks"), i);

		assert_int_equal(json_array_size(json_object_get(check, "rcpt")), 2);
	}
	json_decref(json);
}

#define MANY ((size_t)2000)

/* A mail to many. */
static void write_large(const char *path, const char *id)
{
	struct kit_bytes envelope = {NULL, 0}, trailer = {NULL, 0};

	kit_text(&envelope, "from alice@x.example\n");
	for (size_t i = 0; i < MANY; i++)
		kit_addf(&envelope, "to r%zu@partner.example\n", i);
	kit_text(&envelope, "client 192.0.2.10 helo=pc1 proto=esmtpsa auth=alice@x.example\n");
	kit_plan(&trailer, id, "1", PLAN);
	kit_text(&trailer, AT "check fact=files rcpt=1-2000\n");
	kit_write_leg(
	    path, (struct kit_leg){.id = id, .envelope = envelope.at, .trailer = trailer.at});
	kit_free(&trailer);
	kit_free(&envelope);
}

static void recipients_of_large_mails_are_bounded(void **state)
{
	char id[ID_TEXT], path[200];
	json_t *json, *one;

	(void)state;
	for (size_t n = 0; n < 4; n++) {
		id_of(n, id);
		copy_path(n, path);
		write_large(path, id);
		note_in(STATE_HOLD, id, 0);
	}

	/* A search looks at so many, and says that it has not looked at all. */
	json = list("alice@x.example", " query=nowhere");
	assert_int_equal(number_of(json, "total"), 0);
	assert_false(json_boolean_value(json_object_get(json, "complete")));
	json_decref(json);
	json = list("alice@x.example", " query=r1999@");
	assert_int_equal(number_of(json, "total"), LIST_LOOKED_MAX / MANY);
	json_decref(json);
	json = list("alice@x.example", " query=partner");
	assert_int_equal(number_of(json, "total"), 5);
	assert_true(json_boolean_value(json_object_get(json, "complete")));
	json_decref(json);

	json = show_other(id, "alice@x.example", GATE_READ);
	one = json_array_get(json_object_get(json, "legs"), 0);
	one = json_array_get(json_object_get(one, "checks"), 0);
	assert_int_equal(json_array_size(json_object_get(one, "rcpt")), SHOW_RCPTS_MAX);
	json_decref(json);
}

/* Who is asked may throw it away, and take somebody out: by his link as by a session. */
static void who_is_asked_may_discard(void **state)
{
	struct kit_bytes trailer = {NULL, 0};
	char token[GATE_CAP_TEXT], line[200];

	(void)state;
	kit_plan(
	    &trailer, SECOND_ID, "1", " approve by=boss:bob@x.example rule=must/50:1\n deliver\n");
	kit_write_leg("spool/approve/20261122T103502Z." SECOND_ID ".1",
	    (struct kit_leg){.id = SECOND_ID, .envelope = HOLD_KIT_ALICE, .trailer = trailer.at});
	kit_free(&trailer);
	note_in(STATE_APPROVE, SECOND_ID, 0);
	token_of(SECOND_ID, "bob@x.example", GATE_READ | GATE_APPROVER, 0, token);
	(void)snprintf(line, sizeof line, "cap=%s act word=release\n", token);
	assert_result(ask_line(line, NULL), "forbidden", "rights");
	(void)snprintf(
	    line, sizeof line, "cap=%s act word=remove rcpt=carol@partner.example\n", token);
	assert_result(ask_line(line, NULL), "done", NULL);
	(void)snprintf(line, sizeof line, "cap=%s act word=discard\n", token);
	assert_result(ask_line(line, NULL), "done", NULL);
	assert_true(kit_stands("spool/trash/" SECOND_ID ".1"));
	/* An approver's credential of its sender is none for what he may as its sender. */
	assert_result(
	    ask("alice@x.example", GATE_APPROVER, "act word=discard", NULL), "forbidden", "rights");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(S1_15a_copies_need_a_proof, begin, end),
	    cmocka_unit_test_setup_teardown(S1_15a_a_proof_is_of_the_content, begin, end),
	    cmocka_unit_test_setup_teardown(nothing_but_copies, begin, end),
	    cmocka_unit_test_setup_teardown(a_few_legs_a_turn, begin, end),
	    cmocka_unit_test_setup_teardown(a_body_is_copied_in_pieces, begin, end),
	    cmocka_unit_test_setup_teardown(no_body_that_is_damaged, begin, end),
	    cmocka_unit_test_setup_teardown(a_decision_is_not_left_half_done, begin, end),
	    cmocka_unit_test_setup_teardown(no_door_without_a_key, begin, end),
	    cmocka_unit_test_setup_teardown(unreadable_is_not_gone, begin, end),
	    cmocka_unit_test_setup_teardown(
		S1_32b_the_sender_is_told_nothing_of_others, begin, end),
	    cmocka_unit_test_setup_teardown(ranges_that_repeat, begin, end),
	    cmocka_unit_test_setup_teardown(recipients_of_large_mails_are_bounded, begin, end),
	    cmocka_unit_test_setup_teardown(who_is_asked_may_discard, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
