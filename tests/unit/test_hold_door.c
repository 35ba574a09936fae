/*
 * The people's door (S2-47: what is behind the links of notices): the socket and its clients, who may see what,
 * and what is given out, on a real spool with one leg in it.
 */
#include "tests/unit/hold_kit.h"

#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/gate/client.h"
#include "lib/hold/absences.h"
#include "lib/hold/door.h"
#include "lib/hold/inside.h"
#include "queue/audit.h"

#define SECOND_ID "0196c0ffee4f2c1d8a31b7e09c55d299"
#define NAME      "20261122T103502Z." KIT_ID ".1"
#define PLAN      " hold until=2026-11-22T10:35:01.123456Z rule=must/50:1\n deliver\n"
#define RECORDS                                                                                    \
	"2026-11-22T09:35:01.130001Z judged rules=0f1e2d3c4b5a6978 org=8877665544332211\n"         \
	"2026-11-22T09:35:01.130001Z decided function=hold outcome=60m rule=must/50:1 name=waits " \
	"evidence=****\n"                                                                          \
	"2026-11-22T09:35:01.130001Z about subject=+E8+A6+8B+E7+A9+8D size=24 files=0\n"           \
	"2026-11-22T09:35:01.130001Z check fact=first-time rcpt=1\n"

static struct fixture {
	char root[256];
	struct stage stage;
	struct stage_role role;
	struct hold h;
	bool in_hand;
	bool stop;
	pthread_t loop;
} f;

static bool in_hand(struct stage *stage, const struct leg_name *name)
{
	(void)stage;
	(void)name;
	return __atomic_load_n(&f.in_hand, __ATOMIC_SEQ_CST);
}

static void write_leg(const char *path, const char *id, const char *records)
{
	struct kit_bytes trailer = {NULL, 0};

	kit_plan(&trailer, id, "1", PLAN);
	kit_text(&trailer, records);
	kit_write_leg(
	    path, (struct kit_leg){.id = id, .envelope = HOLD_KIT_ALICE, .trailer = trailer.at});
	kit_free(&trailer);
}

static void note(const char *id)
{
	static const char *const people[] = {"alice@x.example"};
	struct stage_opened o;
	struct leg_name name = {.k = "1"};

	(void)snprintf(name.id, sizeof name.id, "%s", id);
	name.due = kit_time("2026-11-22T10:35:02Z") / CLOCK_SECOND;
	assert_int_equal(stage_read(&f.stage, STATE_HOLD, &name, &o), STAGE_OPEN_ACT);
	assert_true(index_put(f.h.index, STATE_HOLD, &o.leg, people, 1, 0, 0));
	leg_free(&o.leg);
	(void)close(o.fd);
}

/* The stage's loop, in a thread, while a test asks as a client does. */
static void *loop(void *context)
{
	(void)context;
	while (!__atomic_load_n(&f.stop, __ATOMIC_SEQ_CST)) {
		struct pollfd p = {.fd = door_fd(f.h.door), .events = POLLIN};

		(void)poll(&p, 1, 20);
		door_serve(f.h.door);
	}
	return NULL;
}

static int begin(void **state)
{
	(void)state;
	f.stop = f.in_hand = false;
	kit_enter(f.root);
	assert_int_equal(mkdir("lib/gate", 0750), 0);
	assert_int_equal(mkdir("lib/hold", 0750), 0);
	assert_int_equal(mkdir("run/gate", 0710), 0);
	f.stage = (struct stage){.role = &f.role, .context = &f.h};
	f.role = (struct stage_role){.program = "seki-hold", .in_hand = in_hand};
	settings_default(&f.stage.settings);
	f.stage.settings.audit = false;
	f.stage.limits.trailer_max = f.stage.settings.trailer_max;
	f.stage.watch = (struct watch){
	    .settings = &f.stage.settings, .wall = kit_time(KIT_NOW), .boot = clock_boot()};
	assert_true(spool_open(&f.stage.spool, &f.stage.settings, NULL));
	f.stage.audit = audit_open("seki-hold");
	audit_settings(f.stage.audit, &f.stage.settings);
	f.h = (struct hold){.stage = &f.stage, .index = index_new()};
	assert_non_null(f.h.index);
	f.h.org = hold_kit_org("");
	f.h.absences = absences_read();
	assert_non_null(f.h.absences);
	assert_true(gate_key_read(true, &f.h.key));
	write_leg("spool/hold/" NAME, KIT_ID, RECORDS);
	note(KIT_ID);
	f.h.door = door_open(&f.h);
	assert_non_null(f.h.door);
	assert_int_equal(pthread_create(&f.loop, NULL, loop, NULL), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	__atomic_store_n(&f.stop, true, __ATOMIC_SEQ_CST);
	assert_int_equal(pthread_join(f.loop, NULL), 0);
	door_close(f.h.door);
	index_free(f.h.index);
	org_close(f.h.org);
	absences_free(f.h.absences);
	audit_close(f.stage.audit);
	spool_close(&f.stage.spool);
	kit_leave(f.root);
	return 0;
}

/* ---- asking -------------------------------------------------------------------------------- */

static json_t *ask_line(const char *line, int *leg)
{
	struct buf request, answer;
	json_t *json;
	int none = -1, *to = leg != NULL ? leg : &none;

	buf_init(&request, 2 * GATE_REQUEST_MAX);
	buf_init(&answer, GATE_ANSWER_MAX);
	buf_add_text(&request, line);
	assert_true(gate_ask(GATE_SOCKET, &request, 20 * CLOCK_SECOND, &answer, to));
	json = json_loadb(answer.bytes, answer.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	assert_int_equal(none, -1);
	buf_free(&request);
	buf_free(&answer);
	return json;
}

static void token_of(const char *id, const char *who, unsigned rights, unsigned char generation,
    char text[GATE_CAP_TEXT])
{
	struct gate_capability cap = {.rights = rights,
	    .generation = generation,
	    .until = kit_time(KIT_NOW) / (60 * CLOCK_SECOND) * (60 * CLOCK_SECOND) +
		     3600 * CLOCK_SECOND};

	(void)snprintf(cap.id, sizeof cap.id, "%s", id);
	assert_true(gate_who(&f.h.key, who, cap.who));
	assert_true(gate_capability_write(&f.h.key, &cap, text));
}

static json_t *ask(const char *who, unsigned rights, const char *rest, int *leg)
{
	char token[GATE_CAP_TEXT], line[1024];

	token_of(KIT_ID, who, rights, 0, token);
	(void)snprintf(line, sizeof line, "cap=%s %s\n", token, rest);
	return ask_line(line, leg);
}

static void assert_word(json_t *json, const char *key, const char *expected)
{
	const char *is = json_string_value(json_object_get(json, key));

	assert_non_null(is);
	assert_string_equal(is, expected);
}

static void assert_result(json_t *json, const char *result, const char *code)
{
	assert_word(json, "result", result);
	if (code != NULL)
		assert_word(json, "code", code);
	json_decref(json);
}

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

	(void)state;
	assert_word(json, "result", "done");
	assert_true(leg >= 0);
	assert_int_equal(size, strlen(KIT_CONTENT));
	assert_int_equal(
	    pread(leg, content, size, json_integer_value(json_object_get(json, "offset"))), size);
	assert_string_equal(content, KIT_CONTENT);
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

static json_t *list(const char *who, const char *rest)
{
	char session[GATE_SESSION_TEXT], line[2048];

	assert_true(
	    gate_session_write(&f.h.key, who, kit_time(KIT_NOW) + 3600 * CLOCK_SECOND, session));
	(void)snprintf(line, sizeof line, "session=%s list%s\n", session, rest);
	return ask_line(line, NULL);
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
	assert_result(list("alice@x.example", " state=sent"), "no", "state");
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

static int connect_door(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = GATE_SOCKET};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

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
