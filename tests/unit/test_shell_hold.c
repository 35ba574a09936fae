/* What an operator says which mail he means by, what the history of a leg reads like, and the order of names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/zone.h"
#include "lib/shell/filter.h"
#include "lib/shell/history.h"
#include "lib/shell/names.h"
#include "lib/shell/waiting.h"

#define ID   "0196c0ffee4f2c1d8a31b7e09c55d210"
#define NOON INT64_C(1795349400000000) /* 2026-11-22T12:10:00Z */

/* A leg with these recipients and this trailer, read as any other. */
static void make(struct leg *leg, const char *from, const char *const *to, const char *trailer)
{
	static const char zeros[] =
	    "0000000000000000000000000000000000000000000000000000000000000000";
	struct leg_head head = {.id = ID, .k = "1", .accepted = NOON, .size = 2, .sha256 = zeros};
	struct buf envelope, file;
	const char *why = "";
	int fd = memfd_create("leg", MFD_CLOEXEC);

	buf_init(&envelope, 100000);
	buf_init(&file, 1000000);
	leg_write_address(&envelope, "from", from, "");
	for (size_t i = 0; to[i] != NULL; i++)
		leg_write_address(&envelope, "to", to[i], "");
	buf_add_text(&envelope, "client 127.0.0.1 helo=pc1 proto=esmtp\n");
	head.envelope = envelope.bytes;
	head.envelope_len = envelope.len;
	leg_write_head(&file, &head);
	buf_add_text(&file, "x\n");
	leg_write_separator(&file, ID);
	buf_add_text(&file, trailer);
	assert_true(fd >= 0 && buf_ok(&file));
	assert_int_equal(write(fd, file.bytes, file.len), (ssize_t)file.len);
	if (leg_read(fd, 1000000, leg, &why) != LEG_FINE)
		fail_msg("%s", why);
	(void)close(fd);
	buf_free(&envelope);
	buf_free(&file);
}

/* "plan N sha256=…" and the lines, freed by the caller. */
static char *with_plan(const char *lines, const char *records)
{
	struct buf b;

	buf_init(&b, 100000);
	plan_write(&b, ID, "1", lines, strlen(lines));
	buf_add_text(&b, records);
	buf_add(&b, "", 1);
	assert_true(buf_ok(&b));
	return b.bytes;
}

/* ---- filters ------------------------------------------------------------------------------ */

#define RECORDS                                                                                    \
	"2026-11-22T12:10:00.000000Z judged rules=0f1e2d3c4b5a6978 org=8877665544332211\n"         \
	"2026-11-22T12:10:00.000000Z about subject=x size=2 files=0 group=00112233aabbccdd\n"      \
	"2026-11-22T12:10:00.000000Z decided function=hold outcome=5m rule=must/40-old:9 "         \
	"name=old-rule\n"                                                                          \
	"2026-11-22T12:20:00.000000Z judged rules=0f1e2d3c4b5a6978 org=8877665544332211\n"         \
	"2026-11-22T12:20:00.000000Z decided function=hold outcome=5m rule=must/50-outsiders:5 "   \
	"name=outsiders-wait\n"                                                                    \
	"2026-11-22T12:20:00.000000Z decided function=hold outcome=5m rule=must/60-shadow:1 "      \
	"name=shadow-rule shadow=yes\n"

static bool fits(const struct leg *leg, const char *option, const char *value)
{
	char first[64], second[600];
	char *argv[] = {first, second};
	struct filter f;
	int at = 0;
	bool fine;

	(void)snprintf(first, sizeof first, "--%s", option);
	(void)snprintf(second, sizeof second, "%s", value);
	filter_init(&f);
	assert_int_equal(filter_option(&f, 2, argv, &at), EXIT_FINE);
	assert_int_equal(at, 1);
	assert_true(f.any);
	fine = filter_leg(&f, leg);
	filter_free(&f);
	return fine;
}

static void filters(void **state)
{
	static const char *const to[] = {"bob@partner.example", "Carol@Other.Example", NULL};
	static const struct {
		const char *option, *value;
		bool fits;
	} cases[] = {
	    {"sender", "alice@example.co.jp", true},
	    {"sender", "Alice@EXAMPLE.co.jp", true},
	    {"sender", "@example.co.jp", true},
	    {"sender", "@xample.co.jp", false},
	    {"sender", "@co.jp", false},
	    {"sender", "lice@example.co.jp", false},
	    {"sender", "<>", false},
	    {"to", "bob@partner.example", true},
	    {"to", "carol@other.example", true},
	    {"to", "@OTHER.example", true},
	    {"to", "dave@partner.example", false},
	    {"rule", "outsiders-wait", true},
	    {"rule", "must/50-outsiders:5", true},
	    {"rule", "must/50-outsiders", true},
	    {"rule", "must/50-outsiders:", false},
	    {"rule", "must/50", false},
	    {"rule", "outsiders", false},
	    {"rule", "must/55-plan", true},
	    {"rule", "old-rule", false},
	    {"rule", "shadow-rule", false},
	    {"group", "00112233aabbccdd", true},
	    {"group", "00112233aabbccde", false},
	    {"older", "2026-11-22T12:10:00Z", true},
	    {"older", "2026-11-22T12:09:59Z", false},
	    {"younger", "2026-11-22T12:10:00Z", true},
	    {"younger", "2026-11-22T12:10:01Z", false},
	};
	char *trailer = with_plan(" hold until=2026-11-22T13:10:00.000000Z rule=must/55-plan:2\n"
				  " deliver\n",
	    RECORDS);
	struct leg leg;

	(void)state;
	make(&leg, "alice@example.co.jp", to, trailer);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (fits(&leg, cases[i].option, cases[i].value) != cases[i].fits)
			fail_msg("--%s %s", cases[i].option, cases[i].value);
	}
	leg_free(&leg);
	free(trailer);

	make(&leg, "", to, "2026-11-22T12:10:00.000000Z drop rcpt=1 by=root via=shell\n");
	assert_true(fits(&leg, "sender", "<>"));
	assert_false(fits(&leg, "to", "bob@partner.example")); /* taken away */
	assert_false(fits(&leg, "rule", "outsiders-wait"));
	leg_free(&leg);
}

static void no_filters(void **state)
{
	static const char *const wrong[][2] = {{"--sender", "alice"}, {"--sender", "@"},
	    {"--sender", ""}, {"--older", "soon"}, {"--due-within", "2026-11-22"},
	    {"--state", "hodl"}, {"--group", "00112233AABBCCDD"}, {"--to="}};
	static const char *const others[] = {"--ids", "--senders", "--sender-x", "-", "hold", "--"};
	struct filter f;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		char first[32], second[32];
		char *argv[] = {first, second};
		int at = 0;

		(void)snprintf(first, sizeof first, "%s", wrong[i][0]);
		(void)snprintf(
		    second, sizeof second, "%s", wrong[i][1] != NULL ? wrong[i][1] : "x");
		filter_init(&f);
		if (filter_option(&f, 2, argv, &at) != EXIT_USAGE)
			fail_msg("%s %s", first, second);
		filter_free(&f);
	}
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		char first[32];
		char *argv[] = {first};
		int at = 0;

		(void)snprintf(first, sizeof first, "%s", others[i]);
		filter_init(&f);
		assert_int_equal(filter_option(&f, 1, argv, &at), EXIT_NO);
		assert_false(f.any);
		filter_free(&f);
	}
}

/* ---- history ------------------------------------------------------------------------------ */

struct seen {
	char text[4096];
	size_t n;
};

static void see(void *context, int64_t time, const char *text)
{
	struct seen *s = context;
	size_t len = strlen(s->text);

	assert_true(time >= NOON);
	(void)snprintf(s->text + len, sizeof s->text - len, "%s\n", text);
	s->n++;
}

#define AT "2026-11-22T12:11:00.000000Z "

static void histories(void **state)
{
	static const char *const to[] = {"bob@partner.example", "carol@other.example", NULL};
	static const struct {
		const char *record, *text;
	} cases[] = {
	    {"vote plan=0 content=0 step=1 say=yes by=suzuki@example.co.jp via=gate "
	     "comment=go+20on",
		"approved by suzuki@example.co.jp (gate): go on"},
	    {"vote plan=0 content=0 step=2 say=yes by=sato@example.co.jp for=suzuki@example.co.jp "
	     "via=gate",
		"approved by sato@example.co.jp for suzuki@example.co.jp (gate), as approver of "
		"step 2"},
	    {"vote plan=0 content=0 step=1 say=no by=a@example.co.jp via=gate",
		"not approved by a@example.co.jp (gate)"},
	    {"approved plan=0 ended=votes", "the approval is complete"},
	    {"approved plan=0 ended=operator by=root via=shell reason=ill",
		"approved in the approvers' place by root (shell): ill"},
	    {"held plan=0 ended=due", "the time of its hold was over"},
	    {"held plan=0 ended=released by=root via=shell", "released by root (shell)"},
	    {"held plan=0 ended=checked by=alice@example.co.jp via=gate checked=files,companies",
		"confirmed, with every entry of its check, by alice@example.co.jp (gate); checked: "
		"files,companies"},
	    {"discarded by=root via=shell reason=+E3+81+82", "discarded by root (shell): あ"},
	    {"discarded cause=expired tell=draft",
		"discarded, since nobody decided in time; its sender gets it back as a draft"},
	    {"restored by=root via=shell", "brought back from trash/ by root (shell)"},
	    {"extended until=2026-11-22T13:00:00.000000Z by=root via=shell",
		"held for longer, until 2026-11-22 22:00:00 +0900 by root (shell)"},
	    {"drop rcpt=1-2 by=root via=shell",
		"bob@partner.example, carol@other.example taken away as a recipient by root "
		"(shell)"},
	    {"removed address=bob@partner.example by=root via=shell",
		"bob@partner.example to be taken out of the header by root (shell)"},
	    {"noticed what=warning to=alice@example.co.jp notice=0196c0ff",
		"warned alice@example.co.jp that its time ends (notice 0196c0ff)"},
	    {"noticed what=draft to=alice@example.co.jp notice=none reason=machine",
		"alice@example.co.jp was sent no draft of it: machine"},
	    {"noticed what=hold to=alice@example.co.jp notice=none reason=copy",
		"alice@example.co.jp was not told that it is held: copy"},
	};

	(void)state;
	assert_true(zone_set("Asia/Tokyo"));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct seen seen = {.n = 0};
		char trailer[1024], want[1024];
		struct leg leg;

		(void)snprintf(trailer, sizeof trailer, AT "%s\n", cases[i].record);
		(void)snprintf(want, sizeof want, "%s\n", cases[i].text);
		make(&leg, "alice@example.co.jp", to, trailer);
		history_each(&leg, see, &seen);
		if (strcmp(seen.text, want) != 0)
			fail_msg("%s: %s", cases[i].record, seen.text);
		leg_free(&leg);
	}
}

static void when_a_hold_ends(void **state)
{
	static const char *const to[] = {"bob@partner.example", NULL};
	static const struct {
		const char *lines, *records, *until;
	} cases[] = {
	    {" hold until=2026-11-22T13:00:00.000000Z\n deliver\n", "", "2026-11-22T13:00:00Z"},
	    {" hold until=2026-11-22T13:00:00.000000Z\n deliver\n",
		AT "extended until=2026-11-22T14:00:00.000000Z by=root via=shell\n",
		"2026-11-22T14:00:00Z"},
	    {" hold discard=2026-11-22T15:00:00.000000Z\n deliver\n", "", "2026-11-22T15:00:00Z"},
	    {" hold until=2026-11-22T13:00:00.000000Z\n hold discard=2026-11-22T15:00:00.000000Z\n "
	     "deliver\n",
		"", "2026-11-22T15:00:00Z"},
	    {" hold operator why=x\n deliver\n", "", NULL},
	    {" hold confirmed\n deliver\n", "", NULL},
	    {" deliver\n", "", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *trailer = with_plan(cases[i].lines, cases[i].records);
		int64_t want = cases[i].until != NULL
				   ? clock_parse(cases[i].until, strlen(cases[i].until))
				   : 0;
		struct leg leg;

		make(&leg, "alice@example.co.jp", to, trailer);
		assert_int_equal(waiting_until(&leg), want);
		leg_free(&leg);
		free(trailer);
	}
}

/* ---- names -------------------------------------------------------------------------------- */

struct order_seen {
	int64_t last;
	size_t n, foreign;
};

static enum visit see_name(void *context, const struct names *names, const struct entry *e)
{
	struct order_seen *o = context;
	struct leg_name name;
	bool leg = name_parse(entry_name(names, e), &name);

	/* Read in a hurry, or by the parser: the same. */
	assert_int_equal(e->foreign, !leg);
	if (leg) {
		assert_int_equal(e->due, name.due);
		assert_int_equal(o->foreign, 0); /* what is no leg comes last */
		assert_true(e->due >= o->last);
		o->last = e->due;
	} else {
		o->foreign++;
	}
	o->n++;
	return VISIT_DONE;
}

static void names_in_due_order(void **state)
{
	static const char *const fixed[] = {"20260228T000000Z." ID ".1",
	    "20240229T235959Z." ID ".1", "20261231T235959Z." ID ".1", "99991231T235959Z." ID ".1",
	    "19700101T000000Z." ID ".1", "20260101T000000Z." ID ".1.2",
	    "20260101T000000Z." ID ".12", "20260301T000000Z." ID ".1", "20260230T000000Z." ID ".1",
	    "20261301T000000Z." ID ".1", "20260100T000000Z." ID ".1", "20260101T240000Z." ID ".1",
	    "20260101T006000Z." ID ".1", "20260101T000060Z." ID ".1",
	    "20260101T000000Z.0196C0FFEE4F2C1D8A31B7E09C55D210.1", "19691231T235959Z." ID ".1",
	    "20260101t000000Z." ID ".1", "20260101T000000Z." ID ".0", "README", ID ".1"};
	char path[] = "/var/tmp/sekisho-names-XXXXXX", name[128], folder[64];
	struct spool spool = {.base = -1};
	struct order_seen seen = {.last = INT64_MIN};
	unsigned lot = 7;
	size_t made = 0;

	(void)state;
	assert_non_null(mkdtemp(path));
	(void)snprintf(folder, sizeof folder, "%s/hold", path);
	assert_int_equal(mkdir(folder, 0700), 0);
	for (size_t i = 0; i < COUNT_OF(spool.dir); i++)
		spool.dir[i] = -1;
	spool.dir[STATE_HOLD] = open(folder, O_PATH | O_DIRECTORY);
	assert_true(spool.dir[STATE_HOLD] >= 0);
	for (size_t i = 0; i < COUNT_OF(fixed) + 2000; i++) {
		int fd;

		lot = lot * 1103515245 + 12345;
		if (i < COUNT_OF(fixed))
			(void)snprintf(name, sizeof name, "%s", fixed[i]);
		else
			(void)snprintf(name, sizeof name, "%04u%02u%02uT%02u%02u%02uZ.%.28s%04zx.1",
			    1970 + lot % 8000, lot / 7 % 12 + 1, lot / 11 % 31 + 1, lot / 13 % 24,
			    lot / 17 % 60, lot / 19 % 60, ID, i);
		fd = openat(spool.dir[STATE_HOLD], name, O_CREAT | O_EXCL | O_WRONLY, 0600);
		assert_true(fd >= 0);
		(void)close(fd);
		made++;
	}
	assert_true(names_walk(&spool, STATE_BIT(STATE_HOLD), true, see_name, &seen));
	assert_int_equal(seen.n, made);
	assert_true(seen.foreign >= 10);
	(void)close(spool.dir[STATE_HOLD]);
	(void)snprintf(name, sizeof name, "rm -r %s", path);
	assert_int_equal(system(name), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(filters),
	    cmocka_unit_test(no_filters),
	    cmocka_unit_test(histories),
	    cmocka_unit_test(when_a_hold_ends),
	    cmocka_unit_test(names_in_due_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
