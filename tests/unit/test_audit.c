/*
 * The audit log: what is said is chained once, whatever dies in between, and every change is found (N2).
 *
 * link: -Wl,--wrap=fsync
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/audit/state.h"
#include "lib/audit/take.h"
#include "lib/base/clock.h"

#define NOVEMBER INT64_C(1795392000000000)
#define DECEMBER (NOVEMBER + 20 * 86400 * CLOCK_SECOND)
#define FILE_1   AUDIT_LOG "/2026-11"
#define FILE_2   AUDIT_LOG "/2026-12"
#define TRAY     AUDIT_TRAYS "/seki-scan"

static char root[256];
static struct audit *audit;
static bool fsync_fails;

int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_fsync(int fd)
{
	if (fsync_fails) {
		errno = EIO;
		return -1;
	}
	return __real_fsync(fd);
}

/* ---- files -------------------------------------------------------------------------------- */

static void write_file(const char *path, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	(void)close(fd);
}

static char *read_file(const char *path, size_t *len)
{
	struct stat st;
	char *bytes;
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	bytes = malloc((size_t)st.st_size + 1);
	assert_non_null(bytes);
	assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
	bytes[st.st_size] = '\0';
	*len = (size_t)st.st_size;
	(void)close(fd);
	return bytes;
}

static size_t size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (size_t)st.st_size;
}

static int enter(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	fsync_fails = false;
	(void)snprintf(root, sizeof root, "%s/audit.XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(root));
	assert_int_equal(chdir(root), 0);
	for (const char *const *p = (const char *const[]){"lib", "lib/audit", AUDIT_LOG,
		 AUDIT_TRAYS, "run", "run/audit", NULL};
	     *p != NULL; p++)
		assert_int_equal(mkdir(*p, 0700), 0);
	write_file(TRAY, "", 0);
	write_file(AUDIT_TRAYS "/seki", "", 0);
	write_file(AUDIT_STATE, "", 0);
	audit = audit_reach("seki-scan");
	assert_non_null(audit);
	return 0;
}

static int leave(void **state)
{
	char command[300];

	(void)state;
	audit_leave(audit);
	assert_int_equal(chdir("/"), 0);
	(void)snprintf(command, sizeof command, "rm -rf '%s'", root);
	return system(command);
}

/* ---- steps -------------------------------------------------------------------------------- */

static void say_durably(struct audit *to, bool durable, int n)
{
	struct buf line;

	buf_init(&line, AUDIT_LINE_MAX);
	audit_begin(&line, "judged");
	audit_put_number(&line, "n", n);
	audit_put(&line, "from", "alice smith@example.co.jp");
	assert_true(audit_say_line(to, durable, &line));
	buf_free(&line);
}

static void say(int n)
{
	say_durably(audit, false, n);
}

/* Another seki-audit: it opens the log, takes what there is, and may die before the trays are emptied. */
static enum log_opened serve(int64_t now, bool emptied)
{
	struct log_claim claim = {.known = false};
	struct audit_log log;
	struct take *take = take_open();
	enum log_opened opened;

	assert_non_null(take);
	assert_true(audit_log_init(&log));
	opened = audit_log_open(&log, &claim, now);
	for (enum take_result took = TAKE_SOME; opened == LOG_OPENED && took == TAKE_SOME;) {
		audit_log_begin(&log, now);
		took = take_lines(take, &log, true);
		assert_true(took == TAKE_SOME || took == TAKE_NOTHING);
		assert_true(audit_log_commit(&log));
		if (!emptied)
			break;
		take_done(take);
	}
	take_close(take);
	audit_log_free(&log);
	return opened;
}

/* ---- what stands there -------------------------------------------------------------------- */

struct seen {
	unsigned n[64]; /* how often n=N was said */
	unsigned unreadable;
	uint64_t faults;
	struct chain_end end;
	char text[256];
	uint64_t line;
};

static void see_line(void *context, const struct chain_line *line)
{
	struct seen *seen = context;
	const char *value;
	size_t len;

	if (chain_is(line->what, line->what_len, "unreadable"))
		seen->unreadable++;
	if (chain_is(line->what, line->what_len, "judged") && chain_pair(line, "n", &value, &len))
		seen->n[strtoul(value, NULL, 10) % 64]++;
}

static void see_fault(void *context, const struct walk_fault *fault)
{
	struct seen *seen = context;

	if (seen->text[0] == '\0') {
		(void)snprintf(seen->text, sizeof seen->text, "%s", fault->text);
		seen->line = fault->line;
	}
}

static struct seen look(const char *from)
{
	struct seen seen = {.faults = 0};
	struct walk_accepted accepted;
	struct walk w = {.from = from,
	    .line = see_line,
	    .fault = see_fault,
	    .context = &seen,
	    .accepted = &accepted};
	int dir = open(AUDIT_LOG, O_RDONLY | O_DIRECTORY);

	assert_true(dir >= 0);
	assert_true(walk_accepted_read(AUDIT_ACCEPTED, &accepted));
	assert_true(walk_log(dir, &w));
	walk_accepted_free(&accepted);
	(void)close(dir);
	seen.faults = w.faults;
	seen.end = w.end;
	return seen;
}

static void each_once(int n)
{
	struct seen seen = look(NULL);

	assert_int_equal(seen.faults, 0);
	for (int i = 0; i < 64; i++)
		assert_int_equal(seen.n[i], i < n ? 1 : 0);
}

/* ---- tests -------------------------------------------------------------------------------- */

static void test_chained_and_emptied(void **state)
{
	(void)state;
	say(0);
	say(1);
	assert_int_equal(serve(NOVEMBER, true), LOG_OPENED);
	assert_int_equal(size_of(TRAY), 0);
	each_once(2);
	say(2);
	assert_int_equal(serve(DECEMBER, true), LOG_OPENED);
	each_once(3);
	assert_int_equal(look("2026-12").faults, 0);
	assert_int_equal(look("2026-12").n[2], 1);
	/* A clock that was set back begins no older file. */
	say(3);
	assert_int_equal(serve(NOVEMBER, true), LOG_OPENED);
	each_once(4);
	assert_int_equal(look("2026-12").n[3], 1);
}

/* N2: every bit of every byte. */
static void test_every_change_is_found(void **state)
{
	char *bytes;
	size_t len;

	(void)state;
	for (int i = 0; i < 4; i++)
		say(i);
	assert_int_equal(serve(NOVEMBER, true), LOG_OPENED);
	bytes = read_file(FILE_1, &len);
	for (size_t at = 0; at < len; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			bytes[at] = (char)(bytes[at] ^ (1 << bit));
			write_file(FILE_1, bytes, len);
			if (look(NULL).faults == 0)
				fail_msg("byte %zu, bit %u", at, bit);
			bytes[at] = (char)(bytes[at] ^ (1 << bit));
		}
	}
	write_file(FILE_1, bytes, len);
	each_once(4);
	free(bytes);
}

/* Where a byte was taken out, or one was put in. */
static void test_every_length_is_found(void **state)
{
	char *bytes, *other;
	size_t len;

	(void)state;
	say(0);
	say(1);
	assert_int_equal(serve(NOVEMBER, true), LOG_OPENED);
	bytes = read_file(FILE_1, &len);
	other = malloc(len + 1);
	assert_non_null(other);
	for (size_t at = 0; at < len; at++) {
		memcpy(other, bytes, at);
		memcpy(other + at, bytes + at + 1, len - at - 1);
		write_file(FILE_1, other, len - 1);
		if (look(NULL).faults == 0)
			fail_msg("without byte %zu", at);
		memcpy(other + at + 1, bytes + at, len - at);
		other[at] = '0';
		write_file(FILE_1, other, len + 1);
		if (look(NULL).faults == 0)
			fail_msg("with another byte %zu", at);
	}
	free(other);
	free(bytes);
}

/* The beginning of line `n`, from 1. */
static char *line_at(char *bytes, unsigned n)
{
	while (--n > 0)
		bytes = strchr(bytes, '\n') + 1;
	return bytes;
}

static void test_missing_and_swapped_lines(void **state)
{
	char *bytes, *other, *a, *b, *c;
	struct seen seen;
	size_t len;

	(void)state;
	for (int i = 0; i < 5; i++)
		say(i);
	assert_int_equal(serve(NOVEMBER, true), LOG_OPENED);
	bytes = read_file(FILE_1, &len);
	other = malloc(len);
	assert_non_null(other);
	a = line_at(bytes, 3);
	b = line_at(bytes, 4);
	c = line_at(bytes, 5);

	memcpy(other, bytes, (size_t)(a - bytes));
	memcpy(other + (a - bytes), b, len - (size_t)(b - bytes));
	write_file(FILE_1, other, len - (size_t)(b - a));
	seen = look(NULL);
	assert_int_equal(seen.faults, 1);
	assert_int_equal(seen.line, 3);
	assert_string_equal(seen.text, "number 3 is missing before it");

	memcpy(other + (a - bytes), b, (size_t)(c - b));
	memcpy(other + (a - bytes) + (c - b), a, (size_t)(b - a));
	memcpy(other + (c - bytes), c, len - (size_t)(c - bytes));
	write_file(FILE_1, other, len);
	seen = look(NULL);
	assert_true(seen.faults > 0);
	assert_int_equal(seen.line, 3);
	free(other);
	free(bytes);
}

static void test_missing_and_renamed_files(void **state)
{
	struct seen seen;

	(void)state;
	say(0);
	assert_int_equal(serve(NOVEMBER, true), LOG_OPENED);
	say(1);
	assert_int_equal(serve(DECEMBER, true), LOG_OPENED);
	say(2);
	assert_int_equal(serve(DECEMBER + 31 * 86400 * CLOCK_SECOND, true), LOG_OPENED);
	each_once(3);

	assert_int_equal(rename(FILE_2, "kept"), 0);
	seen = look(NULL);
	assert_int_equal(seen.faults, 1);
	assert_non_null(strstr(seen.text, "missing before it"));
	assert_int_equal(rename("kept", FILE_2), 0);
	assert_int_equal(rename(FILE_1, "kept"), 0);
	assert_true(look(NULL).faults > 0);
	assert_int_equal(look("2026-12").faults, 0);
	assert_int_equal(rename("kept", AUDIT_LOG "/2026-10"), 0);
	assert_true(look(NULL).faults > 0);
}

/* What seki-audit knew to be there, and is not. */
static void test_missing_end(void **state)
{
	struct log_claim claim;
	struct audit_log log;
	struct seen seen;
	char *bytes;
	size_t len;

	(void)state;
	say(0);
	say(1);
	assert_int_equal(serve(NOVEMBER, true), LOG_OPENED);
	seen = look(NULL);
	assert_true(state_write(1, NULL, &seen.end));
	claim = state_read();
	assert_true(claim.known);
	assert_int_equal(claim.end.seq, seen.end.seq);

	bytes = read_file(FILE_1, &len);
	write_file(FILE_1, bytes, (size_t)(line_at(bytes, 3) - bytes));
	assert_true(audit_log_init(&log));
	assert_int_equal(audit_log_open(&log, &claim, NOVEMBER), LOG_BROKEN);
	assert_non_null(strstr(log.reason, "missing at its end"));
	write_file(FILE_1, bytes, len);
	assert_int_equal(audit_log_open(&log, &claim, NOVEMBER), LOG_OPENED);
	assert_int_equal(unlink(FILE_1), 0);
	assert_int_equal(audit_log_open(&log, &claim, NOVEMBER), LOG_BROKEN);
	audit_log_free(&log);
	free(bytes);
}

/* Killed when the chain has the lines and the tray has them still. */
static void test_died_before_emptying(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		say(i);
	for (int i = 0; i < 3; i++)
		assert_int_equal(serve(NOVEMBER, false), LOG_OPENED);
	each_once(3);
	say(3);
	assert_int_equal(serve(DECEMBER, false), LOG_OPENED);
	say(4);
	assert_int_equal(serve(DECEMBER, true), LOG_OPENED);
	each_once(5);
	assert_int_equal(size_of(TRAY), 0);
}

/* Another tray went on into the next month meanwhile: what was taken of ours stands in the mark. */
static void test_position_in_an_older_file(void **state)
{
	struct audit *other = audit_reach("seki");
	char *tray;
	size_t len;

	(void)state;
	say(0);
	tray = read_file(TRAY, &len);
	assert_int_equal(serve(NOVEMBER, true), LOG_OPENED);
	say_durably(other, true, 1);
	assert_int_equal(serve(DECEMBER, true), LOG_OPENED);
	write_file(TRAY, tray, len);
	assert_int_equal(serve(DECEMBER, true), LOG_OPENED);
	each_once(2);
	audit_leave(other);
	free(tray);
}

/* Killed, or without power, at any byte of the last batch. */
static void test_torn_at_every_byte(void **state)
{
	size_t before, len, tray_len;
	char *bytes, *tray;

	(void)state;
	say(0);
	assert_int_equal(serve(NOVEMBER, true), LOG_OPENED);
	before = size_of(FILE_1);
	say(1);
	say(2);
	tray = read_file(TRAY, &tray_len);
	assert_int_equal(serve(NOVEMBER, false), LOG_OPENED);
	bytes = read_file(FILE_1, &len);
	for (size_t at = before; at <= len; at++) {
		write_file(TRAY, tray, tray_len);
		write_file(FILE_1, bytes, at);
		if (serve(NOVEMBER, true) != LOG_OPENED)
			fail_msg("cut at byte %zu", at);
		each_once(3);
	}
	/* The disk has the length, and of the last bytes only zeros. */
	for (size_t at = len - 1; at > before; at--) {
		bytes[at] = '\0';
		write_file(TRAY, tray, tray_len);
		write_file(FILE_1, bytes, len);
		if (serve(NOVEMBER, true) != LOG_OPENED)
			fail_msg("zeros from byte %zu", at);
		each_once(3);
	}
	free(bytes);
	free(tray);
}

static void test_torn_is_kept(void **state)
{
	int fd;

	(void)state;
	say(0);
	assert_int_equal(serve(NOVEMBER, true), LOG_OPENED);
	fd = open(FILE_1, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "7 half a line", 13), 13);
	(void)close(fd);
	assert_int_equal(serve(NOVEMBER, true), LOG_OPENED);
	assert_int_equal(size_of(AUDIT_LOG "/torn"), 13);
	each_once(1);
}

/* A broken end stops the log until a person has said that he has seen it; then it goes on, and the fault
 * stays to be seen. */
static void test_broken_until_accepted(void **state)
{
	char *bytes, *line, *end, text[400], sha256[DIGEST_HEX];
	size_t len;

	(void)state;
	say(0);
	say(1);
	assert_int_equal(serve(NOVEMBER, true), LOG_OPENED);
	bytes = read_file(FILE_1, &len);
	line = line_at(bytes, 2);
	strstr(line, "n=0")[2] = '7';
	write_file(FILE_1, bytes, len);
	say(2);
	assert_int_equal(serve(NOVEMBER, true), LOG_BROKEN);
	assert_true(size_of(TRAY) > 0);

	end = strchr(line, '\n');
	digest_of(line, (size_t)(end - line), sha256);
	(void)snprintf(text, sizeof text,
	    "2026-11-24T00:00:00.000000Z file=2026-11 offset=%zu sha256=%s by=root reason=seen\n",
	    (size_t)(line - bytes), sha256);
	write_file(AUDIT_ACCEPTED, text, strlen(text));
	assert_int_equal(serve(NOVEMBER, true), LOG_OPENED);
	assert_int_equal(look(NULL).faults, 0);
	assert_int_equal(look(NULL).n[2], 1);
	assert_int_equal(unlink(AUDIT_ACCEPTED), 0);
	assert_int_equal(look(NULL).faults, 1);
	assert_int_equal(look(NULL).line, 2);
	free(bytes);
}

/* Nothing is believed to be there whose fsync failed, and nothing is doubled by trying again. */
static void test_fsync_fails(void **state)
{
	struct log_claim claim = {.known = false};
	struct take *take = take_open();
	struct audit_log log;
	size_t before;

	(void)state;
	assert_true(audit_log_init(&log));
	assert_int_equal(audit_log_open(&log, &claim, NOVEMBER), LOG_OPENED);
	before = size_of(FILE_1);
	say(0);
	audit_log_begin(&log, NOVEMBER);
	assert_int_equal(take_lines(take, &log, true), TAKE_SOME);
	fsync_fails = true;
	assert_false(audit_log_commit(&log));
	assert_non_null(strstr(log.reason, "Input/output error"));
	assert_int_equal(size_of(FILE_1), before);
	audit_log_begin(&log, NOVEMBER);
	assert_int_equal(take_lines(take, &log, true), TAKE_FAILED);
	fsync_fails = false;
	audit_log_begin(&log, NOVEMBER);
	assert_int_equal(take_lines(take, &log, true), TAKE_SOME);
	assert_true(audit_log_commit(&log));
	take_done(take);
	take_close(take);
	audit_log_free(&log);
	each_once(1);
}

/* Somebody else has written into the file, or put another in its place. */
static void test_changed_below_us(void **state)
{
	struct log_claim claim = {.known = false};
	struct audit_log log;
	int fd;

	(void)state;
	assert_true(audit_log_init(&log));
	assert_int_equal(audit_log_open(&log, &claim, NOVEMBER), LOG_OPENED);
	assert_true(audit_log_ready(&log));
	fd = open(FILE_1, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "x\n", 2), 2);
	(void)close(fd);
	assert_false(audit_log_ready(&log));
	assert_true(log.broken);
	assert_int_equal(audit_log_open(&log, &claim, NOVEMBER), LOG_BROKEN);
	audit_log_free(&log);
}

static void test_lines_that_are_none(void **state)
{
	static const char garbage[] = "tray 0123456789abcdef\nnonsense\n"
				      "2026-11-22T09:35:01.123456Z what=judged n=0\n"
				      "2026-11-22T09:35:01.123456Z what=judged chain=x\nhalf";
	struct seen seen;

	(void)state;
	write_file(TRAY, garbage, sizeof garbage - 1);
	assert_int_equal(serve(NOVEMBER, true), LOG_OPENED);
	seen = look(NULL);
	assert_int_equal(seen.n[0], 1);
	assert_int_equal(seen.unreadable, 2);
	say(1); /* ends the torn one */
	assert_int_equal(serve(NOVEMBER, true), LOG_OPENED);
	seen = look(NULL);
	assert_int_equal(seen.n[1], 1);
	assert_int_equal(seen.unreadable, 3);
	assert_int_equal(seen.faults, 0);
}

static void test_what_may_be_said(void **state)
{
	static const char *const good[] = {"2026-11-22T09:35:01.123456Z what=read",
	    "2026-11-22T09:35:01.123456Z what=read id=1.1 id=1.2 x-y2=+2B empty="};
	static const char *const bad[] = {"", "2026-11-22T09:35:01.123456Z", "what=read",
	    "2026-11-22T09:35:01.123456Z what=", "2026-11-22T09:35:01.123456Z what=Read",
	    "2026-11-22T09:35:01.123456Z what=read ", "2026-11-22T09:35:01.123456Z what=read id",
	    "2026-11-22T09:35:01.123456Z what=read  id=1", "2026-11-22T09:35:01Z what=read id=1",
	    "2026-11-22T09:35:01.123456Z what=read id=a\"b",
	    "2026-11-22T09:35:01.123456Z what=read id=+2b",
	    "2026-11-22T09:35:01.123456Z what=read at=1",
	    "2026-11-22T09:35:01.123456Z what=read program=seki",
	    "2026-11-22T09:35:01.123456Z what=read id=1\nx"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_true(audit_line_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_false(audit_line_valid(bad[i], strlen(bad[i])));
		assert_false(audit_say(audit, false, bad[i], strlen(bad[i])));
	}
	assert_int_equal(size_of(TRAY), 0);
}

/* What could not be made durable is not there: nobody has done it. */
static void test_durable_or_not_at_all(void **state)
{
	struct buf line;

	(void)state;
	buf_init(&line, AUDIT_LINE_MAX);
	audit_begin(&line, "vote");
	fsync_fails = true;
	assert_false(audit_say_line(audit, true, &line));
	assert_int_equal(errno, EIO);
	assert_int_equal(size_of(TRAY), 0);
	assert_true(audit_say_line(audit, false, &line));
	fsync_fails = false;
	assert_true(audit_say_line(audit, true, &line));
	assert_int_equal(unlink(TRAY), 0);
	assert_false(audit_say_line(audit, true, &line));
	assert_int_equal(errno, ENOENT);
	buf_free(&line);
}

static bool asks(const char *text)
{
	struct audit *fresh = audit_reach("seki-queue");
	bool well;

	if (text != NULL)
		write_file(AUDIT_STATE, text, strlen(text));
	well = audit_well(fresh);
	audit_leave(fresh);
	return well;
}

static void test_well(void **state)
{
	struct settings settings;
	char text[64], why[AUDIT_REASON_MAX];

	(void)state;
	assert_false(asks(NULL));
	assert_true(state_write(clock_boot(), NULL, &chain_empty));
	assert_true(asks(NULL));
	assert_true(state_write(clock_boot() - 29 * CLOCK_SECOND, NULL, NULL));
	assert_true(asks(NULL));
	assert_true(state_write(clock_boot() - 31 * CLOCK_SECOND, NULL, NULL));
	assert_false(asks(NULL));
	/* Of an earlier boot. */
	assert_true(state_write(clock_boot() + 3600 * CLOCK_SECOND, NULL, NULL));
	assert_false(asks(NULL));
	assert_true(state_write(clock_boot(), "No space left on device", NULL));
	assert_false(audit_well(audit));
	audit_reason(audit, why, sizeof why);
	assert_string_equal(why, "seki-audit cannot write: No space left on device; see its log");
	assert_false(asks("fine"));
	assert_false(asks("fine x seq=1"));
	(void)snprintf(text, sizeof text, "finer %lld", (long long)clock_boot());
	assert_false(asks(text));
	assert_int_equal(unlink(AUDIT_STATE), 0);
	assert_false(asks(NULL));

	settings_default(&settings);
	settings.audit = false;
	audit_settings(audit, &settings);
	assert_true(audit_well(audit));
	say(0);
	assert_int_equal(size_of(TRAY), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_chained_and_emptied, enter, leave),
	    cmocka_unit_test_setup_teardown(test_every_change_is_found, enter, leave),
	    cmocka_unit_test_setup_teardown(test_every_length_is_found, enter, leave),
	    cmocka_unit_test_setup_teardown(test_missing_and_swapped_lines, enter, leave),
	    cmocka_unit_test_setup_teardown(test_missing_and_renamed_files, enter, leave),
	    cmocka_unit_test_setup_teardown(test_missing_end, enter, leave),
	    cmocka_unit_test_setup_teardown(test_died_before_emptying, enter, leave),
	    cmocka_unit_test_setup_teardown(test_position_in_an_older_file, enter, leave),
	    cmocka_unit_test_setup_teardown(test_torn_at_every_byte, enter, leave),
	    cmocka_unit_test_setup_teardown(test_torn_is_kept, enter, leave),
	    cmocka_unit_test_setup_teardown(test_broken_until_accepted, enter, leave),
	    cmocka_unit_test_setup_teardown(test_fsync_fails, enter, leave),
	    cmocka_unit_test_setup_teardown(test_changed_below_us, enter, leave),
	    cmocka_unit_test_setup_teardown(test_lines_that_are_none, enter, leave),
	    cmocka_unit_test_setup_teardown(test_what_may_be_said, enter, leave),
	    cmocka_unit_test_setup_teardown(test_durable_or_not_at_all, enter, leave),
	    cmocka_unit_test_setup_teardown(test_well, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
