/* Who and what is written to: etc/domains, lists/, tables/, partners; and etc/holidays. */
#include <cdb.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/mime/address.h"
#include "lib/org/groups.h"
#include "lib/org/reading.h"
#include "lib/words/partners.h"

#define ROW_ACTIONS_MAX ((size_t)16)
#define ROW_MEMORY      ((size_t)256 * 1024 * 1024) /* of the actions of all rows of a table */

/* One file, while it is read. */
struct file {
	struct reading *r;
	const char *name; /* of the list or table */
	char shown[128];  /* "etc/tables/NAME" */
	struct arena *arena;
	uint32_t number; /* of lines so far */
	const struct partners *partners;
};

static bool no_memory(struct conf_fault *fault)
{
	return conf_blame(fault, 0, 0, "no memory");
}

/* ---- domains ---- */

/* "DOMAIN" or ".DOMAIN", what is below it; an '@' in front, as rules have it, is nothing. */
static bool take_domain(
    const struct conf_line *line, char into[ADDRESS_TEXT_MAX + 1], struct conf_fault *fault)
{
	const char *word = line->word[0].text;
	char domain[ADDRESS_TEXT_MAX];
	bool below;

	word += word[0] == '@';
	below = word[0] == '.';
	word += below;
	if (!address_domain(word, strlen(word), domain) || strlen(domain) > 253)
		return conf_blame(fault, line->number, line->word[0].column,
		    "DOMAIN, or .DOMAIN for all below it, is expected, not \"%.64s\"",
		    line->word[0].text);
	(void)snprintf(into, ADDRESS_TEXT_MAX + 1, "%s%s", below ? "." : "", domain);
	return true;
}

struct choice {
	const char *word; /* first: conf_near() looks here */
	unsigned char byte;
};

/* "DOMAIN WORD" */
static bool take_choice(struct reading *r, enum org_kind kind, const struct choice *choices,
    size_t n, const char *expected, const struct conf_line *line, struct conf_fault *fault)
{
	char domain[ADDRESS_TEXT_MAX + 1];
	const char *word, *near;

	if (!take_domain(line, domain, fault))
		return false;
	if (line->words != 2)
		return conf_blame(fault, line->number, line->words > 2 ? line->word[2].column : 0,
		    "%s is expected", expected);
	word = line->word[1].text;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(choices[i].word, word) != 0)
			continue;
		records_add(r->records,
		    &(struct record_key){
			.kind = kind, .prefix = "", .text = domain, .line = line->number},
		    &choices[i].byte, 1);
		return true;
	}
	near = conf_near(word, choices, n, sizeof *choices);
	return conf_blame(fault, line->number, line->word[1].column,
	    "%s is expected, not \"%.40s\"%s%s", expected, word, near != NULL ? "; near: " : "",
	    near != NULL ? near : "");
}

static bool take_own(struct reading *r, const struct conf_line *line, struct conf_fault *fault)
{
	char domain[ADDRESS_TEXT_MAX + 1];
	const char *text = domain;

	if (!take_domain(line, domain, fault))
		return false;
	text += domain[0] == '.';
	records_add(r->records,
	    &(struct record_key){
		.kind = ORG_KIND_OWN, .prefix = "", .text = "", .line = line->number},
	    text, strlen(text) + 1);
	return true;
}

static bool take_class(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	static const struct choice choices[] = {
	    {"internal", CLASS_INTERNAL}, {"affiliated", CLASS_AFFILIATED}};

	if (!take_choice(context, ORG_KIND_CLASS, choices, COUNT_OF(choices),
		"DOMAIN internal|affiliated", line, fault))
		return false;
	return strcmp(line->word[1].text, "internal") != 0 || take_own(context, line, fault);
}

bool reading_domains(struct reading *r, struct conf_fault *fault)
{
	return conf_read(r->etc, "domains", true, take_class, r, fault);
}

static bool take_tls(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	static const struct choice choices[] = {{"none", LEVEL_NONE}, {"starttls", LEVEL_STARTTLS},
	    {"verified", LEVEL_VERIFIED}, {"sts", LEVEL_STS}, {"dane", LEVEL_DANE}};

	return take_choice(context, ORG_KIND_TLS, choices, COUNT_OF(choices),
	    "DOMAIN none|starttls|verified|sts|dane", line, fault);
}

/* ---- lists ---- */

static bool take_entry(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	struct file *f = context;
	struct org_who who;

	for (size_t i = 0; i < line->words; i++) {
		if (!org_who_read(line->word[i].text, &who))
			return conf_blame(fault, line->number, line->word[i].column,
			    ORG_WHO_EXPECTED, line->word[i].text);
		records_add(f->r->records,
		    &(struct record_key){.kind = ORG_KIND_LIST,
			.scope = f->name,
			.prefix = who.prefix,
			.text = who.text,
			.line = line->number},
		    "", 0);
	}
	return true;
}

bool reading_lists(struct reading *r, struct conf_fault *fault)
{
	struct file f = {.r = r};
	char path[128];

	for (size_t i = 0; (f.name = org_names_at(r->names, RULE_NAME_LIST, i)) != NULL; i++) {
		(void)snprintf(path, sizeof path, "lists/%.64s", f.name);
		if (!conf_read(r->etc, path, false, take_entry, &f, fault))
			return false;
	}
	return true;
}

/* ---- tables ---- */

/* The words behind the destination, at their distances: what is told of them has their columns. */
static size_t row_text(const struct conf_line *line, char text[CONF_LINE_MAX + 1])
{
	size_t first = line->word[1].column, end = 0;

	for (size_t i = 1; i < line->words; i++) {
		size_t at = line->word[i].column - first, len = strlen(line->word[i].text);

		memset(text + end, ' ', at - end);
		memcpy(text + at, line->word[i].text, len);
		end = at + len;
	}
	text[end] = '\0';
	return end;
}

static bool check_row(struct file *f, const struct conf_line *line, const char *text, size_t len,
    struct conf_fault *fault)
{
	struct rule_names names = {.known = org_name_known, .context = f->r->names};
	struct rule_action actions[ROW_ACTIONS_MAX];
	size_t n;

	return rule_row_parse(f->arena, text, len, f->shown, line->number, line->word[1].column,
	    &names, actions, COUNT_OF(actions), &n, fault);
}

static bool take_row(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	struct file *f = context;
	char value[ORG_NUMBER + CONF_LINE_MAX + 1];
	struct org_who who;
	size_t len;

	if (!org_who_read(line->word[0].text, &who))
		return conf_blame(fault, line->number, line->word[0].column, ORG_WHO_EXPECTED,
		    line->word[0].text);
	if (line->words < 2)
		return conf_blame(fault, line->number, 0,
		    "actions are expected behind the destination, as in \"zip; password NAME\"");

	cdb_pack(line->number, (unsigned char *)value);
	len = row_text(line, value + ORG_NUMBER);
	if (!check_row(f, line, value + ORG_NUMBER, len, fault))
		return false;
	records_add(f->r->records,
	    &(struct record_key){.kind = ORG_KIND_ROW,
		.scope = f->name,
		.prefix = who.prefix,
		.text = who.text,
		.line = line->number},
	    value, ORG_NUMBER + len);
	return true;
}

static bool read_table(struct file *f, struct conf_fault *fault)
{
	char path[128];
	bool good;

	(void)snprintf(path, sizeof path, "tables/%.64s", f->name);
	(void)snprintf(f->shown, sizeof f->shown, "etc/%.100s", path);
	if (strcmp(f->name, ORG_TLS_TABLE) == 0)
		return conf_read(f->r->etc, path, false, take_tls, f->r, fault);

	f->arena = arena_new(ROW_MEMORY);
	good = f->arena != NULL ? conf_read(f->r->etc, path, false, take_row, f, fault)
				: no_memory(fault);
	arena_free(f->arena);
	return good;
}

bool reading_tables(struct reading *r, struct conf_fault *fault)
{
	struct file f = {.r = r};

	for (size_t i = 0; (f.name = org_names_at(r->names, RULE_NAME_TABLE, i)) != NULL; i++) {
		if (!read_table(&f, fault))
			return false;
	}
	return true;
}

/* ---- holidays ---- */

static int digits(const char *text, size_t n)
{
	int value = 0;

	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

static int month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (leap && month == 2);
}

static bool is_day(const char *text)
{
	int year, month, day;

	if (strlen(text) != 10 || text[4] != '-' || text[7] != '-')
		return false;
	year = digits(text, 4);
	month = digits(text + 5, 2);
	day = digits(text + 8, 2);
	return year >= 1970 && month >= 1 && month <= 12 && day >= 1 &&
	       day <= month_days(year, month);
}

static bool take_holiday(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	struct reading *r = context;
	char name[CONF_LINE_MAX + 1] = "";
	size_t len = 0;

	if (!is_day(line->word[0].text))
		return conf_blame(fault, line->number, line->word[0].column,
		    "a day is expected, as 2026-01-01, not \"%.40s\"", line->word[0].text);
	if (line->words > 1)
		len = row_text(line, name);
	records_add(r->records,
	    &(struct record_key){.kind = ORG_KIND_HOLIDAY,
		.prefix = "",
		.text = line->word[0].text,
		.line = line->number},
	    name, len);
	return true;
}

bool reading_holidays(struct reading *r, struct conf_fault *fault)
{
	return conf_read(r->etc, "holidays", true, take_holiday, r, fault);
}

/* ---- partners ---- */

/* How people call it. */
static void add_company(const struct file *f, unsigned line)
{
	const char *name = partner_name(f->partners, f->number);
	char number[16];

	(void)snprintf(number, sizeof number, "%u", f->number);
	records_add(f->r->records,
	    &(struct record_key){
		.kind = ORG_KIND_COMPANY, .prefix = "", .text = number, .line = line},
	    name, strlen(name));
}

/* The domains before the first '|', which partners_read has found good. */
static bool take_partner(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	struct file *f = context;
	unsigned char value[ORG_NUMBER];
	char word[CONF_LINE_MAX + 1], domain[ADDRESS_TEXT_MAX];

	add_company(f, line->number);
	cdb_pack(f->number++, value);
	for (size_t i = 0; i < line->words; i++) {
		size_t len = strcspn(line->word[i].text, "|");
		bool last = line->word[i].text[len] == '|';

		memcpy(word, line->word[i].text, len);
		word[len] = '\0';
		if (len > 0 && !address_domain(word, len, domain))
			return conf_blame(fault, line->number, line->word[i].column,
			    "a domain was expected: DOMAIN ... | NAME | NAME ...");
		if (len > 0)
			records_add(f->r->records,
			    &(struct record_key){.kind = ORG_KIND_PARTNER,
				.prefix = "",
				.text = domain,
				.line = line->number},
			    value, sizeof value);
		if (last)
			break;
	}
	return true;
}

bool reading_partners(struct reading *r, struct conf_fault *fault)
{
	const struct norm_tables *tables;
	struct partners *partners;
	struct file f = {.r = r};
	bool good = false;

	/* Without the file the tables, which take 50 ms to make, are not needed. */
	if (faccessat(r->etc, "partners", F_OK, 0) != 0 && errno == ENOENT)
		return true;
	tables = norm_prepare();
	*fault = (struct conf_fault){.file = "etc/partners"};
	if (tables == NULL)
		return no_memory(fault);
	partners = partners_read(r->etc, "partners", tables, fault);
	f.partners = partners;
	if (partners != NULL)
		good = conf_read(r->etc, "partners", true, take_partner, &f, fault);
	r->counts.partners = f.number;
	partners_free(partners);
	norm_tables_free(tables);
	return good;
}
