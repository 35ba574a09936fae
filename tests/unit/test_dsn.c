/*
 * S2, features 3.6: when a notification is wanted (RFC 3461 sections 4.1 and 5.2, each cell), its form
 * for each kind of mail, and its boundary. What is in it is read by test_dsn_parsed.py.
 * link: -Wl,--wrap=getrandom
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/dsn/dsn.h"
#include "lib/dsn/part.h"

/* ---- chance ---- */

ssize_t __real_getrandom(void *bytes, size_t len, unsigned flags);
ssize_t __wrap_getrandom(void *bytes, size_t len, unsigned flags);

static int rigged; /* so many times chance gives zeros alone; -1: it gives nothing */
static int asked;

ssize_t __wrap_getrandom(void *bytes, size_t len, unsigned flags)
{
	asked++;
	if (rigged < 0) {
		errno = EAGAIN;
		return -1;
	}
	if (rigged > 0) {
		rigged--;
		memset(bytes, 0, len);
		return (ssize_t)len;
	}
	return __real_getrandom(bytes, len, flags);
}

/* ---- when one is wanted ---- */

/*
 * Columns: failed delayed delivered relayed expanded, with a reverse-path and with the null one.
 * S: to the sender, p: for the postmaster, -: nobody.
 */
static const struct {
	const char *notify;
	const char *sender;
	const char *null;
} cells[] = {
    {"", "SS---", "p----"},
    {"never", "-----", "-----"},
    {"success", "--SSS", "-----"},
    {"failure", "S----", "p----"},
    {"success,failure", "S-SSS", "p----"},
    {"delay", "-S---", "-----"},
    {"success,delay", "-SSSS", "-----"},
    {"failure,delay", "SS---", "p----"},
    {"success,failure,delay", "SSSSS", "p----"},
};

static void every_cell_of_rfc_3461(void **state)
{
	static const char letters[] = {
	    [DSN_TO_NOBODY] = '-', [DSN_TO_SENDER] = 'S', [DSN_TO_POSTMASTER] = 'p'};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cells); i++) {
		unsigned notify = dsn_notify_read(cells[i].notify, strlen(cells[i].notify));
		char sender[DSN_ACTIONS + 1] = "", null[DSN_ACTIONS + 1] = "";

		assert_true(i == 0 ? notify == 0 : notify != 0);
		for (int action = 0; action < DSN_ACTIONS; action++) {
			sender[action] =
			    letters[dsn_wanted(notify, (enum dsn_action)action, false)];
			null[action] = letters[dsn_wanted(notify, (enum dsn_action)action, true)];
		}
		assert_string_equal(sender, cells[i].sender);
		assert_string_equal(null, cells[i].null);
	}
}

/* A NEVER that came with others, however: it stands above them. */
static void never_is_never(void **state)
{
	(void)state;
	for (unsigned notify = 1; notify < 16; notify += 2) {
		for (int action = 0; action < DSN_ACTIONS; action++) {
			assert_int_equal(dsn_wanted(notify, (enum dsn_action)action, false), 0);
			assert_int_equal(dsn_wanted(notify, (enum dsn_action)action, true), 0);
		}
	}
}

/* RFC 5321 section 6.1: no mail without a sender makes another mail, whatever was asked. */
static void a_null_sender_never_gets_one(void **state)
{
	(void)state;
	for (unsigned notify = 0; notify < 16; notify++) {
		for (int action = 0; action < DSN_ACTIONS; action++)
			assert_int_not_equal(
			    dsn_wanted(notify, (enum dsn_action)action, true), DSN_TO_SENDER);
	}
}

static void notify_is_read(void **state)
{
	static const struct {
		const char *text;
		unsigned notify;
	} lists[] = {{"NEVER", 1}, {"Failure,DELAY", 12}, {"delay,delay", 8},
	    {"success,failure,delay", 14}, {"", 0}, {",", 0}, {"failure,", 0}, {",failure", 0},
	    {"failure delay", 0}, {"fail", 0}, {"failures", 0}, {"never,delay", 0},
	    {"failure,nonsense", 0}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		assert_int_equal(
		    dsn_notify_read(lists[i].text, strlen(lists[i].text)), lists[i].notify);
	assert_int_equal(dsn_notify_read("failure,delay", 7), DSN_NOTIFY_FAILURE);
}

/* ---- status ---- */

static void a_status_fits_its_action(void **state)
{
	static const struct {
		enum dsn_action action;
		const char *status, *written;
	} rows[] = {{DSN_FAILED, "5.1.1", "5.1.1"}, {DSN_FAILED, "4.4.7", "4.4.7"},
	    {DSN_FAILED, "2.0.0", "5.0.0"}, {DSN_FAILED, NULL, "5.0.0"}, {DSN_FAILED, "", "5.0.0"},
	    {DSN_FAILED, "5.1", "5.0.0"}, {DSN_FAILED, "5.1.1.1", "5.0.0"},
	    {DSN_FAILED, "5.1.1234", "5.0.0"}, {DSN_FAILED, "55.1.1", "5.0.0"},
	    {DSN_FAILED, "5.1.1\r\nX: y", "5.0.0"}, {DSN_FAILED, "5..1", "5.0.0"},
	    {DSN_FAILED, "5.123.456", "5.123.456"}, {DSN_DELAYED, "4.2.2", "4.2.2"},
	    {DSN_DELAYED, "5.2.2", "4.0.0"}, {DSN_DELIVERED, "2.1.5", "2.1.5"},
	    {DSN_DELIVERED, "5.1.5", "2.0.0"}, {DSN_RELAYED, NULL, "2.0.0"},
	    {DSN_EXPANDED, "2.2.0", "2.2.0"}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct dsn_rcpt rcpt = {.action = rows[i].action, .status = rows[i].status};
		char status[12];

		part_status(&rcpt, status);
		assert_string_equal(status, rows[i].written);
	}
}

static void the_nearest_reason_is_found(void **state)
{
	static const char *const found[][2] = {{"5.1.1", "1.1"}, {"5.1.10", "1.10"}, {"5.1.4", "1"},
	    {"4.2.2", "2.2"}, {"5.4.7", "4.7"}, {"5.4.77", "4"}, {"5.7.1", "7"}, {"5.7.26", "7.26"},
	    {"5.0.0", ""}, {"5.9.1", ""}, {"5.10.1", ""}, {"5", ""}, {"", ""}};
	const struct reason *table;
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(found); i++)
		assert_string_equal(reason_find(found[i][0], false)->code, found[i][1]);

	/* What this gateway refuses itself is not said to be another server's doing. */
	assert_non_null(strstr(reason_find("5.7.1", true)->why_en, "This gateway"));
	assert_non_null(strstr(reason_find("5.7.26", true)->why_en, "This gateway"));
	assert_null(strstr(reason_find("5.0.0", true)->why_en, "server"));
	assert_string_equal(reason_find("5.1.10", true)->code, "1.10");

	table = reason_table(&n);
	assert_string_equal(table[n - 1].code, "");
	for (size_t i = 0; i < n; i++) {
		char status[16];

		/* Each row can be reached, and says all four things. */
		(void)snprintf(status, sizeof status, "5.%s%s", table[i].code,
		    strchr(table[i].code, '.') != NULL ? "" : ".99");
		assert_ptr_equal(reason_find(status, false), &table[i]);
		assert_true(strlen(table[i].why_ja) > 20 && strlen(table[i].do_ja) > 20);
		assert_true(strlen(table[i].why_en) > 20 && strlen(table[i].do_en) > 20);
		assert_false(part_ascii(table[i].why_ja) || part_ascii(table[i].do_ja));
		assert_true(part_ascii(table[i].why_en) && part_ascii(table[i].do_en));
	}
}

/* ---- the form ---- */

static const struct dsn_rcpt failed = {
    .final = "bob@partner.example", .action = DSN_FAILED, .status = "5.1.1"};

static void begin(struct dsn *dsn, const char *mail, size_t len)
{
	*dsn = (struct dsn){.id = "1",
	    .mta = "gw.example.co.jp",
	    .to = "alice@example.co.jp",
	    .rcpt = &failed,
	    .rcpts = 1,
	    .ret = DSN_RETURN_FULL,
	    .full_max = 1024 * 1024,
	    .offset = 5,
	    .size = len};
	dsn->fd = memfd_create("mail", MFD_CLOEXEC);
	assert_true(dsn->fd >= 0);
	assert_int_equal(write(dsn->fd, "head\n", 5), 5);
	assert_int_equal(write(dsn->fd, mail, len), len);
	rigged = 0;
	asked = 0;
}

#define ASCII "Subject: x\r\n\r\nbody\r\n"

static void the_form_follows_the_mail(void **state)
{
	static const struct {
		const char *mail;
		bool full, global, quoted, eight_bit;
	} rows[] = {{ASCII, true, false, false, false}, {"\r\nbody\r\n", true, false, false, false},
	    {"Subject: x\r\n", true, false, false, false}, {"", true, false, false, false},
	    {"Subject: x\r\n\r\nb\xc3\xa4\r\n", true, false, false, true},
	    {"Subject: x\r\n\r\nb\xff\r\n", true, false, false, true},
	    {"Subject: \xc3\xa4\r\n\r\nbody\r\n", true, true, false, true},
	    {"Subject: \x93\xfa\x96{\r\n\r\nbody\r\n", true, false, false, true},
	    {"Subject: \xc3\xa4\r\n\r\nb\rare\r\n", false, true, false, true},
	    {"Subject: \x93\xfa\r\n\r\nb\nare\r\n", false, false, true, false},
	    {"Subject: x\r\n\r\nbare\r", false, false, false, false},
	    {"Subject: x\ry\r\n\r\nbody\r\n", false, false, true, false}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct dsn_form form;
		struct dsn dsn;

		begin(&dsn, rows[i].mail, strlen(rows[i].mail));
		assert_true(dsn_prepare(&dsn, &form));
		assert_int_equal(form.full, rows[i].full);
		assert_int_equal(form.cut, !rows[i].full);
		assert_int_equal(form.global, rows[i].global);
		assert_int_equal(form.quoted, rows[i].quoted);
		assert_int_equal(form.eight_bit, rows[i].eight_bit);
		assert_false(form.utf8);
		close(dsn.fd);
	}
}

/* RFC 3461 section 4.3: RET=FULL is about failures; and a bound is a bound. */
static void the_whole_mail_only_for_a_failure(void **state)
{
	struct dsn_rcpt rcpt[2] = {
	    {.final = "a@b", .action = DSN_DELAYED}, {.final = "c@d", .action = DSN_DELIVERED}};
	struct dsn_form form;
	struct dsn dsn;

	(void)state;
	begin(&dsn, ASCII, sizeof ASCII - 1);
	dsn.rcpt = rcpt;
	dsn.rcpts = 2;
	assert_true(dsn_prepare(&dsn, &form));
	assert_false(form.full || form.cut);
	rcpt[1].action = DSN_FAILED;
	assert_true(dsn_prepare(&dsn, &form));
	assert_true(form.full);
	dsn.full_max = sizeof ASCII - 1;
	assert_true(dsn_prepare(&dsn, &form));
	assert_true(form.full);
	dsn.full_max--;
	assert_true(dsn_prepare(&dsn, &form));
	assert_true(!form.full && form.cut);
	assert_int_equal(form.header, 12);
	dsn.ret = DSN_RETURN_HEADER;
	assert_true(dsn_prepare(&dsn, &form));
	assert_false(form.full || form.cut);
	close(dsn.fd);
}

/* A line of 998 bytes is one; of 999 none. */
static void long_lines_are_not_returned(void **state)
{
	char mail[1200] = "Subject: x\r\n\r\n";
	struct dsn_form form;
	struct dsn dsn;

	(void)state;
	memset(mail + 14, 'x', 999);
	memcpy(mail + 14 + 998, "\r\n", 3);
	begin(&dsn, mail, strlen(mail));
	assert_true(dsn_prepare(&dsn, &form));
	assert_true(form.full);
	close(dsn.fd);
	memcpy(mail + 14 + 998, "x\r\n", 4);
	begin(&dsn, mail, strlen(mail));
	assert_true(dsn_prepare(&dsn, &form));
	assert_true(!form.full && form.cut && !form.quoted);
	close(dsn.fd);
}

/* A header without an end is returned up to the bound, by whole lines. */
static void an_endless_header_is_cut(void **state)
{
	static const char line[] =
	    "X: 0123456789012345678901234567890123456789012345678901234567\r\n";
	size_t each = sizeof line - 1, n = DSN_HEADER_MAX / each + 100;
	char *mail = malloc(n * each);
	struct dsn_form form;
	struct dsn dsn;

	(void)state;
	assert_non_null(mail);
	for (size_t i = 0; i < n; i++)
		memcpy(mail + i * each, line, each);
	begin(&dsn, mail, n * each);
	dsn.ret = DSN_RETURN_HEADER;
	assert_true(dsn_prepare(&dsn, &form));
	assert_int_equal(form.header, DSN_HEADER_MAX / each * each);
	close(dsn.fd);
	free(mail);
}

static void the_original_id_is_taken_if_it_is_one(void **state)
{
	static const char *const rows[][2] = {{"Message-ID: <1@a>\r\n", "<1@a>"},
	    {"message-id :\r\n <1@a>\t\r\n", "<1@a>"}, {"X: y\r\nMessage-ID: <a>\r\n", ""},
	    {"Message-ID: <1@a> <2@b>\r\n", ""}, {"Message-ID: 1@a\r\n", ""},
	    {"Message-ID: <1@a\r\n X: y@b>\r\n", ""}, {"Message-ID: <1\xc3\xa4@a>\r\n", ""},
	    {"Message-ID: \r\n", ""}, {"Message-ID: <>\r\n", ""},
	    {"Message-ID: <1@a>\r\nMessage-ID: <2@a>\r\n", "<1@a>"},
	    {"\r\nMessage-ID: <1@a>\r\n", ""}};
	char mail[400];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct dsn_form form;
		struct dsn dsn;

		begin(&dsn, rows[i][0], strlen(rows[i][0]));
		assert_true(dsn_prepare(&dsn, &form));
		assert_string_equal(form.original_id, rows[i][1]);
		close(dsn.fd);
	}
	for (int n = 300; n <= 301; n++) {
		struct dsn_form form;
		struct dsn dsn;

		(void)snprintf(mail, sizeof mail, "Message-ID: <%0*d@a>\r\n\r\n", n - 4, 0);
		begin(&dsn, mail, strlen(mail));
		assert_true(dsn_prepare(&dsn, &form));
		assert_int_equal(strlen(form.original_id), n == 300 ? 300 : 0);
		close(dsn.fd);
	}
}

/* ---- the boundary ---- */

#define ZEROS "=_dsn_00000000000000000000000000000000"

static void a_boundary_that_is_in_the_mail_is_not_used(void **state)
{
	static char mail[40000];
	struct dsn_form form, other;
	struct dsn dsn;

	(void)state;
	/* In the header, in the body, and over each place where one piece that is read ends. */
	for (size_t at = 16384 - 40; at <= 16384 + 14; at++) {
		size_t len = at + 79 * 100;

		/* Lines of 79 bytes, one of which begins there. */
		memset(mail, 'x', len);
		for (size_t end = at % 79 + 79; end <= len; end += 79)
			memcpy(mail + end - 2, "\r\n", 2);
		memcpy(mail, "Subject: x\r\n\r\n", 14);
		memcpy(mail + at, ZEROS, sizeof ZEROS - 1);
		begin(&dsn, mail, len);
		rigged = 1;
		assert_true(dsn_prepare(&dsn, &form));
		assert_int_equal(asked, 2);
		assert_string_not_equal(form.boundary, ZEROS);
		close(dsn.fd);
	}

	begin(&dsn, "X: " ZEROS "\r\n\r\n", 3 + sizeof ZEROS - 1 + 4);
	dsn.ret = DSN_RETURN_HEADER;
	rigged = 3;
	assert_true(dsn_prepare(&dsn, &form));
	assert_int_equal(asked, 4);
	rigged = 1000;
	assert_false(dsn_prepare(&dsn, &form));
	rigged = -1;
	assert_false(dsn_prepare(&dsn, &form));
	close(dsn.fd);

	begin(&dsn, ASCII, sizeof ASCII - 1);
	rigged = 1;
	assert_true(dsn_prepare(&dsn, &form));
	assert_string_equal(form.boundary, ZEROS);
	assert_true(dsn_prepare(&dsn, &form));
	assert_true(dsn_prepare(&dsn, &other));
	assert_string_not_equal(form.boundary, other.boundary);
	close(dsn.fd);
}

/* ---- faults ---- */

struct sink {
	size_t taken;
	size_t most;
	int after; /* calls after it said no */
};

static bool sink_put(void *context, const char *bytes, size_t len)
{
	struct sink *sink = context;

	(void)bytes;
	if (sink->taken > sink->most)
		sink->after++;
	sink->taken += len;
	return sink->taken <= sink->most;
}

static void what_cannot_be_read_or_written_is_told(void **state)
{
	struct sink sink = {.most = SIZE_MAX};
	struct dsn_form form;
	struct dsn dsn;
	size_t whole;

	(void)state;
	begin(&dsn, ASCII, sizeof ASCII - 1);
	assert_true(dsn_prepare(&dsn, &form));
	assert_true(dsn_write(&dsn, &form, sink_put, &sink));
	whole = sink.taken;
	for (size_t most = 0; most < whole; most += 97) {
		sink = (struct sink){.most = most};
		assert_false(dsn_write(&dsn, &form, sink_put, &sink));
		assert_int_equal(sink.after, 0);
	}

	assert_int_equal(ftruncate(dsn.fd, 20), 0);
	sink = (struct sink){.most = SIZE_MAX};
	errno = 0;
	assert_false(dsn_write(&dsn, &form, sink_put, &sink));
	assert_int_equal(errno, ENODATA);
	assert_false(dsn_prepare(&dsn, &form));
	assert_int_equal(errno, ENODATA);
	close(dsn.fd);
	assert_false(dsn_prepare(&dsn, &form));
	assert_int_equal(errno, EBADF);
}

/* 10,000 recipients: all of them in the status, a few in the words, and not slowly. */
static void many_recipients(void **state)
{
	struct dsn_rcpt *rcpt = calloc(10000, sizeof *rcpt);
	struct dsn_form form;
	struct buf out;
	struct dsn dsn;
	size_t n = 0;

	(void)state;
	assert_non_null(rcpt);
	begin(&dsn, ASCII, sizeof ASCII - 1);
	for (size_t i = 0; i < 10000; i++)
		rcpt[i] = failed;
	dsn.rcpt = rcpt;
	dsn.rcpts = 10000;
	buf_init(&out, 4 * 1024 * 1024);
	assert_true(dsn_prepare(&dsn, &form));
	assert_true(dsn_write(&dsn, &form, dsn_put_buf, &out));
	buf_add(&out, "", 1);
	for (const char *p = out.bytes; (p = strstr(p, "\r\nFinal-Recipient: ")) != NULL; p++)
		n++;
	assert_int_equal(n, 10000);
	buf_clear(&out);
	part_words(&dsn, &form, &out);
	assert_true(buf_ok(&out) && out.len < 100000);
	buf_add(&out, "", 1);
	assert_non_null(strstr(out.bytes, "There are 9950 more recipients"));
	assert_non_null(strstr(out.bytes, "ほかに 9950 件の宛先"));
	buf_free(&out);
	free(rcpt);
	close(dsn.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_cell_of_rfc_3461),
	    cmocka_unit_test(never_is_never),
	    cmocka_unit_test(a_null_sender_never_gets_one),
	    cmocka_unit_test(notify_is_read),
	    cmocka_unit_test(a_status_fits_its_action),
	    cmocka_unit_test(the_nearest_reason_is_found),
	    cmocka_unit_test(the_form_follows_the_mail),
	    cmocka_unit_test(the_whole_mail_only_for_a_failure),
	    cmocka_unit_test(long_lines_are_not_returned),
	    cmocka_unit_test(an_endless_header_is_cut),
	    cmocka_unit_test(the_original_id_is_taken_if_it_is_one),
	    cmocka_unit_test(a_boundary_that_is_in_the_mail_is_not_used),
	    cmocka_unit_test(what_cannot_be_read_or_written_is_told),
	    cmocka_unit_test(many_recipients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
