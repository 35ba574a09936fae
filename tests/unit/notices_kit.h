/* What the tests of seki-hold's notices share: an organisation, and legs in its directories. */
#ifndef SEKISHO_TESTS_NOTICES_KIT_H
#define SEKISHO_TESTS_NOTICES_KIT_H

#include "tests/unit/queue_kit.h"

#include "lib/base/zone.h"
#include "lib/hold/job.h"
#include "lib/hold/notices.h"
#include "lib/org/compile.h"

#define KIT_PEOPLE                                                                                 \
	"alice@example.co.jp boss=bob@example.co.jp shared=info@example.co.jp\n"                   \
	"bob@example.co.jp boss=eve@example.co.jp deputy=carol@example.co.jp lang=en\n"            \
	"carol@example.co.jp\n"                                                                    \
	"dave@example.co.jp shared=info@example.co.jp\n"                                           \
	"eve@example.co.jp\n"

static struct stage stage;
static struct hold_view view;
static struct absences *absences;

/* A whole etc/ in a scratch directory of its own, and its org.cdb. */
static inline void hold_org(void)
{
	struct conf_fault fault;
	char text[512];
	int etc, out;

	assert_int_equal(mkdir("etc", 0755), 0);
	assert_int_equal(mkdir("lib/compiled", 0755), 0);
	assert_int_equal(mkdir("lib/hold", 0755), 0);
	kit_write("etc/people", KIT_PEOPLE, strlen(KIT_PEOPLE));
	kit_write("etc/domains", "example.co.jp internal\n", 23);
	etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	out = open("lib/compiled", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!org_compile(etc, out, NULL, &fault)) {
		conf_fault_show(&fault, text, sizeof text);
		fail_msg("%s", text);
	}
	view.org = org_open(out);
	assert_non_null(view.org);
	(void)close(etc);
	(void)close(out);
}

static inline int hold_enter(void **state)
{
	static char root[256];

	*state = root;
	kit_enter(root);
	assert_true(zone_set("UTC"));
	stage = (struct stage){.role = NULL};
	view = (struct hold_view){.refs = 1, .keyed = true, .key = {.bytes = {1}}};
	settings_default(&stage.settings);
	(void)snprintf(stage.settings.web_url, sizeof stage.settings.web_url, "%s",
	    "https://mail.example.co.jp/");
	view.settings = stage.settings;
	stage.limits.trailer_max = stage.settings.trailer_max;
	stage.watch = (struct watch){
	    .settings = &stage.settings, .wall = kit_time(KIT_NOW), .boot = clock_boot()};
	assert_true(spool_open(&stage.spool, &stage.settings, NULL));
	hold_org();
	absences = absences_read();
	assert_non_null(absences);
	return 0;
}

static inline int hold_leave(void **state)
{
	absences_free(absences);
	org_close(view.org);
	spool_close(&stage.spool);
	kit_leave(*state);
	return 0;
}

/* Writes a leg with this plan, and `records` behind it, as `path`. */
static inline void hold_put(
    const char *path, const char *envelope, const char *plan, const char *records)
{
	struct kit_bytes trailer = {NULL, 0};

	kit_plan(&trailer, KIT_ID, "1", plan);
	kit_text(&trailer, records);
	kit_write_leg(path, (struct kit_leg){.envelope = envelope, .trailer = trailer.at});
	kit_free(&trailer);
}

/* Opens it; its law is known. It points into itself: it is not copied. */
static inline void hold_open(enum spool_state state, const char *name, struct stage_opened *o)
{
	struct leg_name n;

	assert_true(name_parse(name, &n));
	assert_int_equal(
	    stage_open(&stage, state, &n, kit_time(KIT_NOW) / CLOCK_SECOND, o), STAGE_OPEN_ACT);
}

static inline void hold_close(struct stage_opened *o)
{
	leg_free(&o->leg);
	(void)close(o->fd);
}

#endif
