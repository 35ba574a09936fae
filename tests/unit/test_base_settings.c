#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/settings.h"

/* Reads `text` as etc/settings, out of a directory made for it. */
static bool read_text(const char *text, size_t len, struct settings *s, struct conf_fault *fault)
{
	char path[] = "/dev/shm/seki-settings-XXXXXX";
	int dir, fd;
	bool good;

	assert_non_null(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = openat(dir, "settings", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(close(fd), 0);

	memset(s, 0x55, sizeof *s);
	memset(fault, 0x55, sizeof *fault);
	good = settings_read(dir, s, fault);
	(void)unlinkat(dir, "settings", 0);
	(void)close(dir);
	(void)rmdir(path);
	return good;
}

static struct settings good(const char *text)
{
	struct settings s;
	struct conf_fault fault;

	if (!read_text(text, strlen(text), &s, &fault))
		fail_msg("%s: %s", text, fault.text);
	return s;
}

struct wrong {
	const char *text;
	const char *fault;
};

static void assert_wrong(const struct wrong *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct settings s;
		struct conf_fault fault;
		char shown[512];

		if (read_text(cases[i].text, strlen(cases[i].text), &s, &fault))
			fail_msg("taken: %s", cases[i].text);
		conf_fault_show(&fault, shown, sizeof shown);
		assert_string_equal(shown, cases[i].fault);
	}
}

/* ---- values ---- */

static void defaults_stand_without_a_line(void **state)
{
	struct settings s = good("");
	struct settings fresh;

	(void)state;
	memset(&fresh, 0x55, sizeof fresh);
	settings_default(&fresh);
	assert_memory_equal(&s, &fresh, sizeof s);

	assert_false(s.trial);
	assert_string_equal(s.hostname, "-");
	assert_int_equal(s.space_percent, 5);
	assert_int_equal(s.space_bytes, 256 * 1024 * 1024);
	assert_int_equal(s.split_max, INT64_C(2) * 1024 * 1024 * 1024);
	assert_int_equal(s.trailer_max, 4 * 1024 * 1024);
	assert_int_equal(s.keep_sent, 26 * 7 * 86400 * CLOCK_SECOND);
	assert_int_equal(s.keep_bad, 0);
	assert_int_equal(s.smtp_timeout, 300 * CLOCK_SECOND);
	assert_int_equal(s.clock_gap, 72 * 3600 * CLOCK_SECOND);
	assert_string_equal(s.smtp_listen, "*:25");
	assert_int_equal(s.bare_newline, BARE_NEWLINE_REFUSE);
	assert_int_equal(s.plan_divide, PLAN_DIVIDE_NO);
	assert_string_equal(s.plan_states, "deliver");
	assert_string_equal(s.route, "mx");
}

static void each_type_is_read(void **state)
{
	struct settings s = good("# a comment\n"
				 "trial yes\n"
				 "\thostname\tgw.example.co.jp # its name\n"
				 "smtp-sessions 0007\n"
				 "ballast 0B\n"
				 "message-size 64KB\n"
				 "space-bytes 1024GB\n"
				 "keep-bad 3650d\n"
				 "sweep-every 1s\n"
				 "bare-newline repair\n"
				 "plan-divide recipient\n"
				 "plan-states approve   hold\tencrypt stagger deliver\n"
				 "smtp-listen *:25 192.0.2.1:587 [2001:db8::1]:65535\n"
				 "route maildir:a/..b/c..\n");

	(void)state;
	assert_true(s.trial);
	assert_string_equal(s.hostname, "gw.example.co.jp");
	assert_int_equal(s.smtp_sessions, 7);
	assert_int_equal(s.ballast, 0);
	assert_int_equal(s.message_size, 65536);
	assert_int_equal(s.space_bytes, INT64_C(1099511627776));
	assert_int_equal(s.keep_bad, INT64_C(315360000) * CLOCK_SECOND);
	assert_int_equal(s.sweep_every, CLOCK_SECOND);
	assert_int_equal(s.bare_newline, BARE_NEWLINE_REPAIR);
	assert_int_equal(s.plan_divide, PLAN_DIVIDE_RECIPIENT);
	assert_string_equal(s.plan_states, "approve hold encrypt stagger deliver");
	assert_string_equal(s.smtp_listen, "*:25 192.0.2.1:587 [2001:db8::1]:65535");
	assert_string_equal(s.route, "maildir:a/..b/c..");
	assert_int_equal(s.smtp_errors, 20);
}

static void each_unit_counts(void **state)
{
	(void)state;
	assert_int_equal(good("keep-sent 2s\n").keep_sent, 2 * CLOCK_SECOND);
	assert_int_equal(good("keep-sent 2m\n").keep_sent, 120 * CLOCK_SECOND);
	assert_int_equal(good("keep-sent 2h\n").keep_sent, 7200 * CLOCK_SECOND);
	assert_int_equal(good("keep-sent 2d\n").keep_sent, 172800 * CLOCK_SECOND);
	assert_int_equal(good("keep-sent 2w\n").keep_sent, 1209600 * CLOCK_SECOND);
	assert_int_equal(good("space-bytes 3B\n").space_bytes, 3);
	assert_int_equal(good("space-bytes 3KB\n").space_bytes, 3072);
	assert_int_equal(good("space-bytes 3MB\n").space_bytes, 3145728);
	assert_int_equal(good("space-bytes 3GB\n").space_bytes, INT64_C(3221225472));
}

/* At each bound of each number it is taken; one beyond is refused. */
static void every_bound_holds(void **state)
{
	size_t n;
	const struct setting *table = settings_table(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const struct setting *row = &table[i];
		const char *unit = row->type == SETTING_SPAN   ? "s"
				   : row->type == SETTING_SIZE ? "B"
							       : "";
		const int64_t scale = row->type == SETTING_SPAN ? CLOCK_SECOND : 1;
		const struct {
			int64_t value;
			bool good;
		} tries[] = {
		    {row->smallest, true},
		    {row->largest, true},
		    {row->smallest - 1, false},
		    {row->largest + 1, false},
		    {INT64_MAX, false},
		};

		if (row->type != SETTING_NUMBER && row->type != SETTING_SIZE &&
		    row->type != SETTING_SPAN)
			continue;
		assert_true(row->smallest >= 0 && row->smallest < row->largest);
		for (size_t k = 0; k < COUNT_OF(tries); k++) {
			char text[128];
			struct settings s;
			struct conf_fault fault;
			int64_t got;

			(void)snprintf(text, sizeof text, "%s %lld%s\n", row->name,
			    (long long)tries[k].value, unit);
			assert_int_equal(read_text(text, strlen(text), &s, &fault), tries[k].good);
			if (!tries[k].good)
				continue;
			memcpy(&got, (const char *)&s + row->offset, sizeof got);
			assert_int_equal(got, tries[k].value * scale);
		}
	}
}

/* ---- faults ---- */

static void names(void **state)
{
	static const struct wrong cases[] = {
	    {"smtp-lisen *:25\n", "etc/settings:1:1: no setting \"smtp-lisen\"; near: smtp-listen"},
	    {"# x\n  quark 3\n", "etc/settings:2:3: no setting \"quark\""},
	    {"Trial yes\n", "etc/settings:1:1: no setting \"Trial\"; near: trial"},
	    {"trial no\n\ntrial no\n", "etc/settings:3:1: trial was already set in line 1"},
	    {"trial no\n trial\n", "etc/settings:2:2: trial was already set in line 1"},
	    {"trial\n", "etc/settings:1:6: trial has no value"},
	    {"\ttrial # yes\n", "etc/settings:1:7: trial has no value"},
	    {"smtp-listen\n", "etc/settings:1:12: smtp-listen has no value"},
	    {"trial yes  no\n", "etc/settings:1:12: trial has one value; \"no\" is too much"},
	    {"hostname a b c\n", "etc/settings:1:12: hostname has one value; \"b\" is too much"},
	    {"smtp-errors 1 2\n",
		"etc/settings:1:15: smtp-errors has one value; \"2\" is too much"},
	    {"keep-sent 1d 2h\n", "etc/settings:1:14: keep-sent has one value; \"2h\" is too much"},
	    {"trial=yes\n", "etc/settings:1:1: no setting \"trial=yes\""},
	};

	(void)state;
	assert_wrong(cases, COUNT_OF(cases));
}

static void numbers(void **state)
{
	static const struct wrong cases[] = {
	    {"smtp-errors many\n",
		"etc/settings:1:13: smtp-errors is a number (digits only), not \"many\""},
	    {"smtp-errors -1\n",
		"etc/settings:1:13: smtp-errors is a number (digits only), not \"-1\""},
	    {"smtp-errors +1\n",
		"etc/settings:1:13: smtp-errors is a number (digits only), not \"+1\""},
	    {"smtp-errors 20s\n",
		"etc/settings:1:13: smtp-errors is a number without more: 20, not \"20s\""},
	    {"smtp-errors 2.5\n",
		"etc/settings:1:13: smtp-errors is a number without more: 2, not \"2.5\""},
	    {"smtp-errors 0x20\n",
		"etc/settings:1:13: smtp-errors is a number without more: 0, not \"0x20\""},
	    {"smtp-errors 0\n", "etc/settings:1:13: smtp-errors is 1 to 1000, not 0"},
	    {"smtp-errors 1001\n", "etc/settings:1:13: smtp-errors is 1 to 1000, not 1001"},
	    {"smtp-errors 99999999999999999999999999\n",
		"etc/settings:1:13: smtp-errors is 1 to 1000, not 99999999999999999999999999"},
	    {"smtp-errors 18446744073709551617\n",
		"etc/settings:1:13: smtp-errors is 1 to 1000, not 18446744073709551617"},
	    {"space-percent 91\n", "etc/settings:1:15: space-percent is 0 to 90, not 91"},
	};

	(void)state;
	assert_wrong(cases, COUNT_OF(cases));
}

static void spans(void **state)
{
	static const struct wrong cases[] = {
	    {"keep-sent 60\n", "etc/settings:1:11: 60 needs a unit: 60s, 60m, 60h?"},
	    {"keep-sent 0\n", "etc/settings:1:11: 0 needs a unit: 0s, 0m, 0h?"},
	    {"keep-sent  60 m\n", "etc/settings:1:12: 60 needs a unit: 60s, 60m, 60h?"},
	    /* Only what would then be taken is proposed. */
	    {"smtp-timeout 60\n", "etc/settings:1:14: 60 needs a unit: 60s, 60m?"},
	    {"smtp-timeout 0\n", "etc/settings:1:14: 0 needs a unit: s m h d w"},
	    {"smtp-timeout 99999999999999999999999999\n",
		"etc/settings:1:14: 99999999999999999999999999 needs a unit: s m h d w"},
	    {"smtp-timeout soon\n",
		"etc/settings:1:14: smtp-timeout is a whole number and a unit (s m h d w), not "
		"\"soon\""},
	    {"smtp-timeout 1.5m\n",
		"etc/settings:1:14: smtp-timeout is a whole number and a unit (s m h d w), not "
		"\"1.5m\""},
	    {"smtp-timeout 5M\n",
		"etc/settings:1:14: smtp-timeout is a whole number and a unit (s m h d w), not "
		"\"5M\""},
	    {"smtp-timeout m\n",
		"etc/settings:1:14: smtp-timeout is a whole number and a unit (s m h d w), not "
		"\"m\""},
	    {"smtp-timeout 5ms\n",
		"etc/settings:1:14: smtp-timeout is a whole number and a unit (s m h d w), not "
		"\"5ms\""},
	    {"smtp-timeout -5m\n",
		"etc/settings:1:14: smtp-timeout is a whole number and a unit (s m h d w), not "
		"\"-5m\""},
	    {"smtp-timeout 0s\n", "etc/settings:1:14: smtp-timeout is 1s to 1h, not 0s"},
	    {"smtp-timeout 3601s\n", "etc/settings:1:14: smtp-timeout is 1s to 1h, not 3601s"},
	    {"retry-longest 8d\n", "etc/settings:1:15: retry-longest is 1s to 1w, not 8d"},
	    {"keep-bad 522w\n", "etc/settings:1:10: keep-bad is 0s to 3650d, not 522w"},
	    {"keep-bad 9223372036854775807w\n",
		"etc/settings:1:10: keep-bad is 0s to 3650d, not 9223372036854775807w"},
	    /* 2^64 / 604800 and a little: what wraps round to something small. */
	    {"keep-bad 30500568904944w\n",
		"etc/settings:1:10: keep-bad is 0s to 3650d, not 30500568904944w"},
	};

	(void)state;
	assert_wrong(cases, COUNT_OF(cases));
}

static void sizes(void **state)
{
	static const struct wrong cases[] = {
	    {"space-bytes 60\n", "etc/settings:1:13: 60 needs a unit: 60B, 60KB, 60MB?"},
	    {"message-size 150\n", "etc/settings:1:14: 150 needs a unit: 150KB, 150MB?"},
	    {"ballast 16M\n",
		"etc/settings:1:9: ballast is a whole number and a unit (B KB MB GB), not \"16M\"; "
		"near: 16MB"},
	    {"ballast 16mb\n",
		"etc/settings:1:9: ballast is a whole number and a unit (B KB MB GB), not "
		"\"16mb\"; near: 16MB"},
	    {"ballast 16MiB\n",
		"etc/settings:1:9: ballast is a whole number and a unit (B KB MB GB), not "
		"\"16MiB\""},
	    {"ballast MB\n",
		"etc/settings:1:9: ballast is a whole number and a unit (B KB MB GB), not \"MB\""},
	    {"ballast 1TB\n",
		"etc/settings:1:9: ballast is a whole number and a unit (B KB MB GB), not \"1TB\""},
	    {"ballast 17GB\n", "etc/settings:1:9: ballast is 0B to 16GB, not 17GB"},
	    {"message-size 63KB\n", "etc/settings:1:14: message-size is 64KB to 16GB, not 63KB"},
	    {"split-max 17179869185GB\n",
		"etc/settings:1:11: split-max is 1B to 1024GB, not 17179869185GB"},
	};

	(void)state;
	assert_wrong(cases, COUNT_OF(cases));
}

static void words(void **state)
{
	static const struct wrong cases[] = {
	    {"trial on\n", "etc/settings:1:7: trial is yes or no, not \"on\""},
	    {"trial YES\n", "etc/settings:1:7: trial is yes or no, not \"YES\""},
	    {"bare-newline refus\n",
		"etc/settings:1:14: bare-newline is one of refuse repair, not \"refus\"; near: "
		"refuse"},
	    {"bare-newline drop\n",
		"etc/settings:1:14: bare-newline is one of refuse repair, not \"drop\""},
	    {"bare-newline refuse|repair\n",
		"etc/settings:1:14: bare-newline is one of refuse repair, not \"refuse|repair\""},
	    {"plan-divide domains\n",
		"etc/settings:1:13: plan-divide is one of no domain recipient, not \"domains\"; "
		"near: domain"},
	    {"hostname gw_1\n", "etc/settings:1:10: hostname is letters, digits, - and . (or - "
				"alone), at most 253, "
				"not \"gw_1\""},
	};

	(void)state;
	assert_wrong(cases, COUNT_OF(cases));
}

static void routes(void **state)
{
	static const struct wrong cases[] = {
	    {"route outbox\n", "etc/settings:1:7: route is mx, host:PLACE, maildir:PATH or "
			       "refuse:WORD, not \"outbox\""},
	    {"route smtp:mx\n", "etc/settings:1:7: route is mx, host:PLACE, maildir:PATH or "
				"refuse:WORD, not \"smtp:mx\""},
	    {"route maildir\n", "etc/settings:1:7: route is mx, host:PLACE, maildir:PATH or "
				"refuse:WORD, not \"maildir\""},
#define INSIDE "etc/settings:1:7: route: the path is relative to the instance, without \"..\", not "
	    {"route maildir:\n", INSIDE "\"\""},
	    {"route maildir:/var/mail\n", INSIDE "\"/var/mail\""},
	    {"route maildir:..\n", INSIDE "\"..\""},
	    {"route maildir:../x\n", INSIDE "\"../x\""},
	    {"route maildir:a/../b\n", INSIDE "\"a/../b\""},
	    {"route maildir:a/..\n", INSIDE "\"a/..\""},
	    {"route maildir:a//../b\n", INSIDE "\"a//../b\""},
#undef INSIDE
	};

	(void)state;
	assert_wrong(cases, COUNT_OF(cases));
}

static void plan_states(void **state)
{
#define ORDER " stands too late or twice: approve hold encrypt stagger deliver is the order"
	static const struct wrong cases[] = {
	    {"plan-states hold\n", "etc/settings:1:13: plan-states must end in deliver"},
	    {"plan-states hold encrypt\n", "etc/settings:1:18: plan-states must end in deliver"},
	    {"plan-states deliver hold\n", "etc/settings:1:21: hold" ORDER},
	    {"plan-states encrypt hold deliver\n", "etc/settings:1:21: hold" ORDER},
	    {"plan-states hold hold deliver\n", "etc/settings:1:18: hold" ORDER},
	    {"plan-states deliver deliver\n", "etc/settings:1:21: deliver" ORDER},
	    {"plan-states encrpyt deliver\n",
		"etc/settings:1:13: no state \"encrpyt\"; near: encrypt"},
	    {"plan-states hold send\n", "etc/settings:1:18: no state \"send\""},
	};
#undef ORDER

	(void)state;
	assert_wrong(cases, COUNT_OF(cases));
	assert_string_equal(good("plan-states deliver\n").plan_states, "deliver");
	assert_string_equal(good("plan-states hold deliver\n").plan_states, "hold deliver");
	assert_string_equal(
	    good("plan-states approve stagger deliver\n").plan_states, "approve stagger deliver");
}

static void listening(void **state)
{
	static const char *const bad[] = {"25", "*", "*:", ":25", "*:0", "*:65536", "*:25x", "*:-1",
	    "mail.example:25", "192.0.2.1", "192.0.2.256:25", "192.0.2.1:99999999999999999999",
	    "2001:db8::1:25", "[2001:db8::1]", "[192.0.2.1]:25", "[]:25", "[:25",
	    "[2001:db8::1:2:3:4:5:6:7:8:9:a:b:c:d:e:f:0:1:2:3]:25"};
	static const struct wrong second[] = {
	    {"smtp-listen *:25 25\n",
		"etc/settings:1:18: smtp-listen is ADDRESS:PORT, [V6]:PORT or "
		"*:PORT (port 1 to 65535), not \"25\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		char text[128];
		struct settings s;
		struct conf_fault fault;

		(void)snprintf(text, sizeof text, "smtp-listen %s\n", bad[i]);
		if (read_text(text, strlen(text), &s, &fault))
			fail_msg("taken: %s", text);
		assert_int_equal(fault.column, 13);
	}
	assert_wrong(second, COUNT_OF(second));
	assert_string_equal(good("smtp-listen [::]:25\n").smtp_listen, "[::]:25");
	assert_string_equal(
	    good("smtp-listen [::ffff:192.0.2.1]:1\n").smtp_listen, "[::ffff:192.0.2.1]:1");
}

/* Exactly SETTING_TEXT_MAX - 1 bytes fit. */
static void texts_up_to_their_bound(void **state)
{
	char text[SETTING_TEXT_MAX + 32] = "route maildir:";
	const size_t value = strlen("route ");
	struct settings s;
	struct conf_fault fault;

	(void)state;
	memset(text + strlen(text), 'a', sizeof text - strlen(text));
	text[value + SETTING_TEXT_MAX - 1] = '\n';
	assert_true(read_text(text, value + SETTING_TEXT_MAX, &s, &fault));
	assert_int_equal(strlen(s.route), SETTING_TEXT_MAX - 1);

	text[value + SETTING_TEXT_MAX - 1] = 'a';
	text[value + SETTING_TEXT_MAX] = '\n';
	assert_false(read_text(text, value + SETTING_TEXT_MAX + 1, &s, &fault));
	assert_string_equal(fault.text, "route is longer than 511 bytes");
	assert_int_equal(fault.column, 7);
}

static void lists_up_to_their_bound(void **state)
{
	char text[2048] = "smtp-listen";
	struct settings s;
	struct conf_fault fault;
	size_t used = strlen(text);

	(void)state;
	/* 64 words of 7 bytes and 63 blanks: as much as there is room for. */
	for (int i = 0; i < 64; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, " *:%05d", 10000 + i);
	(void)snprintf(text + used, sizeof text - used, "\n");
	assert_true(read_text(text, strlen(text), &s, &fault));
	assert_int_equal(strlen(s.smtp_listen), SETTING_TEXT_MAX - 1);

	used += (size_t)snprintf(text + used, sizeof text - used, "    *:1\n");
	assert_false(read_text(text, used, &s, &fault));
	assert_string_equal(fault.text, "smtp-listen is longer than 511 bytes");
	assert_int_equal(fault.column, strlen("smtp-listen") + 64 * 8 + 5);
}

static void whole_files(void **state)
{
	static const struct wrong cases[] = {
	    {"trial no\nsmtp-errors 2",
		"etc/settings:2: the last line does not end in a newline: is the file "
		"half-written?"},
	    /* The file as a whole comes before what stands in it. */
	    {"quark\ntrial yes\x01\n", "etc/settings:2:10: a control character (byte 0x01)"},
	};
	struct settings s;
	struct conf_fault fault;
	int dir = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char shown[128];

	(void)state;
	assert_wrong(cases, COUNT_OF(cases));
	assert_true(dir >= 0);
	assert_false(settings_read(dir, &s, &fault));
	(void)close(dir);
	conf_fault_show(&fault, shown, sizeof shown);
	assert_string_equal(shown, "etc/settings: the file is missing");
}

/* ---- the table, and showing ---- */

static void the_table_is_in_order(void **state)
{
	size_t n;
	const struct setting *table = settings_table(&n);

	(void)state;
	assert_true(n > 0);
	assert_string_equal(table[0].name, "trial");
	for (size_t i = 0; i < n; i++) {
		assert_true(table[i].offset < sizeof(struct settings));
		assert_true(strlen(table[i].what) > 0);
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(table[i].name, table[k].name);
			assert_true(table[k].offset < table[i].offset);
		}
	}
}

/* The default is shown as the table spells it. */
static void defaults_show_as_they_are_written(void **state)
{
	struct settings s;
	size_t n;
	const struct setting *table = settings_table(&n);

	(void)state;
	settings_default(&s);
	for (size_t i = 0; i < n; i++) {
		char text[SETTING_TEXT_MAX], expected[SETTING_TEXT_MAX];

		(void)snprintf(expected, sizeof expected, "%s", table[i].fallback);
		expected[strcspn(expected, "|")] = '\0';
		settings_show(&s, &table[i], text, sizeof text);
		assert_string_equal(text, expected);
	}
}

static void show(const struct settings *s, const char *name, char text[SETTING_TEXT_MAX])
{
	size_t n;
	const struct setting *table = settings_table(&n);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(table[i].name, name) == 0) {
			settings_show(s, &table[i], text, SETTING_TEXT_MAX);
			return;
		}
	}
	fail_msg("no setting %s", name);
}

static void values_show_so_that_they_read_the_same(void **state)
{
	static const char *const pairs[][3] = {
	    {"trial", "yes", "yes"},
	    {"hostname", "gw.example", "gw.example"},
	    {"smtp-errors", "0100", "100"},
	    {"keep-bad", "61s", "61s"},
	    {"keep-bad", "60s", "1m"},
	    {"keep-bad", "48h", "2d"},
	    {"keep-bad", "14d", "2w"},
	    {"keep-bad", "0w", "0s"},
	    {"keep-sent", "0d", "0s"},
	    {"keep-trash", "2w", "14d"}, /* the default, as the table spells it */
	    {"ballast", "0GB", "0B"},
	    {"ballast", "2048KB", "2MB"},
	    {"ballast", "1025B", "1025B"},
	    {"space-bytes", "1024GB", "1024GB"},
	    {"bare-newline", "repair", "repair"},
	    {"plan-divide", "recipient", "recipient"},
	    {"smtp-listen", "*:25   [::1]:25", "*:25 [::1]:25"},
	    {"route", "maildir:a", "maildir:a"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		char line[1024], text[SETTING_TEXT_MAX];
		struct settings s, again;

		(void)snprintf(line, sizeof line, "%s %s\n", pairs[i][0], pairs[i][1]);
		s = good(line);
		show(&s, pairs[i][0], text);
		assert_string_equal(text, pairs[i][2]);

		(void)snprintf(line, sizeof line, "%s %s\n", pairs[i][0], text);
		again = good(line);
		assert_memory_equal(&s, &again, sizeof s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults_stand_without_a_line),
	    cmocka_unit_test(each_type_is_read),
	    cmocka_unit_test(each_unit_counts),
	    cmocka_unit_test(every_bound_holds),
	    cmocka_unit_test(names),
	    cmocka_unit_test(numbers),
	    cmocka_unit_test(spans),
	    cmocka_unit_test(sizes),
	    cmocka_unit_test(words),
	    cmocka_unit_test(routes),
	    cmocka_unit_test(plan_states),
	    cmocka_unit_test(listening),
	    cmocka_unit_test(texts_up_to_their_bound),
	    cmocka_unit_test(lists_up_to_their_bound),
	    cmocka_unit_test(whole_files),
	    cmocka_unit_test(the_table_is_in_order),
	    cmocka_unit_test(defaults_show_as_they_are_written),
	    cmocka_unit_test(values_show_so_that_they_read_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
