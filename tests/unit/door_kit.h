/*
 * The people's door on a real spool with one leg in it, and its clients. Included by one program each, which
 * is linked with -Wl,--wrap=spool_open_leg.
 */
#ifndef SEKISHO_TESTS_DOOR_KIT_H
#define SEKISHO_TESTS_DOOR_KIT_H

#include "tests/unit/hold_kit.h"

#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/gate/client.h"
#include "lib/hold/absences.h"
#include "lib/hold/answer.h"
#include "lib/hold/door.h"
#include "lib/hold/inside.h"
#include "lib/hold/recent.h"
#include "lib/hold/show.h"
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

#define GROUP UINT64_C(0x0123456789abcdef)

static struct fixture {
	char root[256];
	struct stage stage;
	struct stage_role role;
	struct hold h;
	struct hold_view view;
	bool in_hand;
	bool fails; /* no leg can be opened just now */
	bool stop;
	pthread_t loop;
} f;

enum spool_opened __real_spool_open_leg(
    const struct spool *spool, enum spool_state state, const char *name, int *fd);
enum spool_opened __wrap_spool_open_leg(
    const struct spool *spool, enum spool_state state, const char *name, int *fd);

enum spool_opened __wrap_spool_open_leg(
    const struct spool *spool, enum spool_state state, const char *name, int *fd)
{
	errno = EMFILE;
	return __atomic_load_n(&f.fails, __ATOMIC_SEQ_CST)
		   ? SPOOL_FAILED
		   : __real_spool_open_leg(spool, state, name, fd);
}

static inline bool in_hand(struct stage *stage, const struct leg_name *name)
{
	(void)stage;
	(void)name;
	return __atomic_load_n(&f.in_hand, __ATOMIC_SEQ_CST);
}

static inline void write_leg(const char *path, const char *id, const char *records)
{
	struct kit_bytes trailer = {NULL, 0};

	kit_plan(&trailer, id, "1", PLAN);
	kit_text(&trailer, records);
	kit_write_leg(
	    path, (struct kit_leg){.id = id, .envelope = HOLD_KIT_ALICE, .trailer = trailer.at});
	kit_free(&trailer);
}

static inline void note_in(enum spool_state state, const char *id, uint64_t group)
{
	static const char *const people[] = {"alice@x.example"};
	struct stage_opened o;
	struct leg_name name = {.k = "1"};

	(void)snprintf(name.id, sizeof name.id, "%s", id);
	name.due = kit_time("2026-11-22T10:35:02Z") / CLOCK_SECOND;
	assert_int_equal(stage_read(&f.stage, state, &name, &o), STAGE_OPEN_ACT);
	assert_true(index_put(f.h.index, state, &o.leg, people, 1, 0, group, 0));
	leg_free(&o.leg);
	(void)close(o.fd);
}

/* The stage's loop, in a thread, while a test asks as a client does. */
static inline void *loop(void *context)
{
	(void)context;
	while (!__atomic_load_n(&f.stop, __ATOMIC_SEQ_CST)) {
		struct pollfd p = {.fd = door_fd(f.h.door), .events = POLLIN};

		(void)poll(&p, 1, 20);
		door_serve(f.h.door);
	}
	return NULL;
}

static inline int begin(void **state)
{
	(void)state;
	f.stop = f.in_hand = f.fails = false;
	kit_enter(f.root);
	assert_int_equal(mkdir("spool/split/hold", 0700), 0);
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
	assert_true(spool_open(&f.stage.spool, &f.stage.settings, "hold"));
	f.stage.audit = audit_reach("seki-hold");
	audit_settings(f.stage.audit, &f.stage.settings);
	f.h = (struct hold){.stage = &f.stage, .index = index_new()};
	assert_non_null(f.h.index);
	f.h.org = hold_kit_org("");
	f.view = (struct hold_view){.settings = f.stage.settings, .refs = 1};
	f.h.view = &f.view; /* by which nobody is to be told of anything */
	f.h.results_end = &f.h.results;
	f.h.absences = absences_read();
	assert_non_null(f.h.absences);
	f.h.keyed = gate_key_read(true, &f.h.key);
	assert_true(f.h.keyed);
	write_leg("spool/hold/" NAME, KIT_ID, RECORDS);
	note_in(STATE_HOLD, KIT_ID, 0);
	f.h.door = door_open(&f.h);
	assert_non_null(f.h.door);
	assert_int_equal(pthread_create(&f.loop, NULL, loop, NULL), 0);
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	__atomic_store_n(&f.stop, true, __ATOMIC_SEQ_CST);
	assert_int_equal(pthread_join(f.loop, NULL), 0);
	door_close(f.h.door);
	index_free(f.h.index);
	org_close(f.h.org);
	absences_free(f.h.absences);
	audit_leave(f.stage.audit);
	spool_close(&f.stage.spool);
	kit_leave(f.root);
	return 0;
}

/* ---- asking -------------------------------------------------------------------------------- */

static inline json_t *ask_line(const char *line, int *leg)
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

static inline void token_of(const char *id, const char *who, unsigned rights,
    unsigned char generation, char text[GATE_CAP_TEXT])
{
	struct gate_capability cap = {.rights = rights,
	    .generation = generation,
	    .until = kit_time(KIT_NOW) / (60 * CLOCK_SECOND) * (60 * CLOCK_SECOND) +
		     3600 * CLOCK_SECOND};

	(void)snprintf(cap.id, sizeof cap.id, "%s", id);
	assert_true(gate_who(&f.h.key, who, cap.who));
	assert_true(gate_capability_write(&f.h.key, &cap, text));
}

static inline json_t *ask(const char *who, unsigned rights, const char *rest, int *leg)
{
	char token[GATE_CAP_TEXT], line[1024];

	token_of(KIT_ID, who, rights, 0, token);
	(void)snprintf(line, sizeof line, "cap=%s %s\n", token, rest);
	return ask_line(line, leg);
}

static inline void assert_word(json_t *json, const char *key, const char *expected)
{
	const char *is = json_string_value(json_object_get(json, key));

	assert_non_null(is);
	assert_string_equal(is, expected);
}

static inline void assert_result(json_t *json, const char *result, const char *code)
{
	assert_word(json, "result", result);
	if (code != NULL)
		assert_word(json, "code", code);
	json_decref(json);
}

static inline json_t *list(const char *who, const char *rest)
{
	char session[GATE_SESSION_TEXT], line[2048];

	assert_true(
	    gate_session_write(&f.h.key, who, kit_time(KIT_NOW) + 3600 * CLOCK_SECOND, session));
	(void)snprintf(line, sizeof line, "session=%s list%s\n", session, rest);
	return ask_line(line, NULL);
}

static inline int connect_door(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = GATE_SOCKET};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

#endif
