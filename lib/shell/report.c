/* report and addresses: what seki-db(8) has counted. */
#include "lib/shell/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/settings.h"
#include "lib/org/org.h"
#include "lib/past/past.h"
#include "lib/past/protocol.h"
#include "lib/shell/out.h"
#include "lib/shell/since.h"

#define PATIENCE   (30 * CLOCK_SECOND) /* a person waits longer than a program */
#define DAYS       7
#define DAYS_MAX   366
#define DAY        ((int64_t)86400)
#define MONTHS_MAX 1200

static int no_answer(void)
{
	int error = errno;

	if (error == ENOENT || error == ECONNREFUSED)
		complain("seki-db does not run");
	else if (error == EACCES || error == EPERM)
		complain(PAST_SOCKET ": %s", strerrordesc_np(error));
	else
		complain("seki-db does not answer: %s", strerrordesc_np(error));
	return EXIT_ENVIRON;
}

/* ---- report ------------------------------------------------------------------------------- */

static void put_total(struct out *o, const char *what, uint64_t number)
{
	out_text(o, "what", what);
	out_number(o, "mails", number);
	out_end(o);
}

static void put_rows(struct out *o, const struct past_rows *rows)
{
	out_text(o, "what", "days");
	out_text(o, "from", rows->from);
	out_text(o, "to", rows->to);
	out_end(o);
	put_total(o, "judged", rows->judged);
	put_total(o, "refused", rows->refused);
	put_total(o, "held", rows->held);
	for (size_t i = 0; i < rows->rows; i++) {
		const struct past_row *row = &rows->row[i];

		out_text(o, "what", past_kind_word(row->kind));
		out_number(o, "mails", row->mails);
		out_number(o, "rcpts", row->rcpts);
		out_text(o, "function", row->function);
		out_text(o, "outcome", row->outcome);
		out_text(o, "where", row->where);
		out_text(o, "rule", row->rule);
		out_end(o);
	}
}

/* Noon of a day, which no change of the clocks moves to another. */
static int64_t noon(int64_t wall)
{
	time_t t = (time_t)(wall / CLOCK_SECOND);
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL)
		return 0;
	tm.tm_hour = 12;
	tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm);
}

/* How many days a report has that begins on the day of `text`; 0: it is no time, or too long ago. */
static uint64_t days_since(const char *text)
{
	int64_t now = clock_wall(), since = since_parse(text, now), days;

	if (since < 0 || since > now)
		return 0;
	days = (noon(now) - noon(since) + DAY / 2) / DAY + 1;
	return days > DAYS_MAX ? 0 : (uint64_t)days;
}

/* The days that are asked for; 0: after a complaint. */
static uint64_t days_of(int argc, char **argv)
{
	uint64_t days = DAYS;

	if (argc == 0)
		return days;
	if (argc == 2 && strcmp(argv[0], "--days") == 0) {
		if (past_number(argv[1], &days) && days > 0 && days <= DAYS_MAX)
			return days;
		(void)complain_usage("--days: a number from 1 to %d is expected", DAYS_MAX);
		return 0;
	}
	if (argc == 2 && strcmp(argv[0], "--since") == 0) {
		days = days_since(argv[1]);
		if (days == 0)
			complain_about(
			    argv[1], "a time within the last %d days is expected", DAYS_MAX);
		return days;
	}
	(void)complain_usage("report [--days N] [--since T]");
	return 0;
}

int shell_report(const struct shell *sh, int argc, char **argv)
{
	struct past_rows *rows;
	uint64_t days = days_of(argc, argv);
	struct out o;

	if (days == 0)
		return EXIT_USAGE;
	rows = past_rows((unsigned)days, true, PATIENCE);
	if (rows == NULL)
		return no_answer();
	out_open(&o, sh, "WHAT\tMAILS\tRCPTS\tFUNCTION\tOUTCOME\tWHERE\tRULE");
	put_rows(&o, rows);
	past_rows_free(rows);
	return out_close(&o, EXIT_FINE);
}

/* ---- addresses ---------------------------------------------------------------------------- */

static bool read_contracted(uint64_t *contracted)
{
	struct settings *settings = malloc(sizeof *settings);
	struct conf_fault fault = {.line = 0};
	int etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char text[512];
	bool good = etc >= 0 && settings != NULL && settings_read(etc, settings, &fault);

	if (good) {
		*contracted = (uint64_t)settings->contracted_addresses;
	} else if (fault.file[0] != '\0') {
		conf_fault_show(&fault, text, sizeof text);
		complain("%s", text);
	} else {
		complain("etc: %s", strerrordesc_np(errno));
	}
	if (etc >= 0)
		(void)close(etc);
	free(settings);
	return good;
}

static void put_month(struct out *o, const struct past_month *m, uint64_t contracted)
{
	out_text(o, "month", m->month);
	out_number(o, "peak", m->peak);
	out_number(o, "now", m->now);
	out_number(o, "enrolled", m->enrolled);
	if (contracted > 0) {
		out_number(o, "contracted", contracted);
		out_number(o, "excess", m->peak > contracted ? m->peak - contracted : 0);
	} else {
		out_none(o, "contracted");
		out_none(o, "excess");
	}
	out_end(o);
}

static int list_months(const struct shell *sh, const char *month)
{
	struct past_month *months = calloc(MONTHS_MAX, sizeof *months);
	uint64_t contracted = 0;
	struct out o;
	ssize_t n;
	int code = EXIT_FINE;

	if (months == NULL || !read_contracted(&contracted)) {
		free(months);
		return EXIT_ENVIRON;
	}
	n = past_months(month, months, MONTHS_MAX, PATIENCE);
	if (n < 0) {
		code = no_answer();
	} else if (n == 0) {
		complain_about(month, "there is no number for that month");
		code = EXIT_NO;
	} else {
		out_open(&o, sh, "MONTH\tPEAK\tNOW\tENROLLED\tCONTRACTED\tEXCESS");
		for (ssize_t i = 0; i < n; i++)
			put_month(&o, &months[i], contracted);
		code = out_close(&o, EXIT_FINE);
	}
	free(months);
	return code;
}

static void put_enrolled(void *context, const char *address, int64_t since)
{
	struct out *o = context;

	out_text(o, "address", address);
	out_time(o, "since", since);
	out_end(o);
}

static int list_enrolled(const struct shell *sh)
{
	struct out o;
	int code = EXIT_FINE;

	out_open(&o, sh, "ADDRESS\tSINCE");
	if (!past_enrolments(put_enrolled, &o, PATIENCE))
		code = no_answer();
	return out_close(&o, code);
}

static int remove_enrolled(const char *address)
{
	char normal[ORG_ADDRESS_MAX];

	if (!org_normal(address, normal) || normal[0] == '\0') {
		complain_about(address, "an address is expected");
		return EXIT_USAGE;
	}
	switch (past_remove(normal, PATIENCE)) {
	case 1:
		return EXIT_FINE;
	case 0:
		complain_about(
		    address, "it is not enrolled; who is in etc/people is taken out there");
		return EXIT_NO;
	default:
		return no_answer();
	}
}

/* "2026-11" */
static bool is_month(const char *text)
{
	for (size_t i = 0; i < 7; i++) {
		if (i == 4 ? text[i] != '-' : text[i] < '0' || text[i] > '9')
			return false;
	}
	return text[7] == '\0';
}

int shell_addresses(const struct shell *sh, int argc, char **argv)
{
	if (argc == 0)
		return list_months(sh, "");
	if (argc == 2 && strcmp(argv[0], "--month") == 0 && is_month(argv[1]))
		return list_months(sh, argv[1]);
	if (argc == 1 && is_month(argv[0]))
		return list_months(sh, argv[0]);
	if (argc == 1 && strcmp(argv[0], "enrolled") == 0)
		return list_enrolled(sh);
	if (argc == 2 && strcmp(argv[0], "remove") == 0)
		return remove_enrolled(argv[1]);
	return complain_usage(
	    "addresses [[--month] YYYY-MM] | addresses enrolled | addresses remove ADDRESS");
}
