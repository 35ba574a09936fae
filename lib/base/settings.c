#include "lib/base/settings.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/die.h"
#include "lib/base/zone.h"

#define CHOICES_MAX 8
#define SHOWN_MAX   32 /* a number with its unit */
#define DIGITS      "0123456789"

static const struct setting table[] = {
#define S(type, name, field, fallback, smallest, largest, what)                                    \
	{name, SETTING_##type, fallback, smallest, largest, what, offsetof(struct settings, field)},
    SETTINGS(S)
#undef S
};

/* A unit of a SIZE or SPAN; largest first, so that the first that divides a value shows it. */
struct unit {
	const char *word;
	int64_t factor;
};

static const struct unit sizes[] = {
    {"GB", INT64_C(1024) * 1024 * 1024},
    {"MB", INT64_C(1024) * 1024},
    {"KB", 1024},
    {"B", 1},
};
static const struct unit spans[] = {
    {"w", 7 * 24 * 3600},
    {"d", 24 * 3600},
    {"h", 3600},
    {"m", 60},
    {"s", 1},
};

/* What reading one file has come to. */
struct reading {
	struct settings *s;
	unsigned set_in[COUNT_OF(table)]; /* the line that set each; 0: none yet */
};

/* One value, and where it stands. */
struct value {
	const struct setting *row;
	const struct conf_line *line;
	struct conf_fault *fault;
	void *field;
};

const struct setting *settings_table(size_t *n)
{
	*n = COUNT_OF(table);
	return table;
}

static const char *first_word(const struct value *v)
{
	return v->line->word[1].text;
}

#define BLAME_WORD(v, at, ...)                                                                     \
	conf_blame((v)->fault, (v)->line->number, (v)->line->word[at].column, __VA_ARGS__)

/* "; near: WORD", or nothing. */
static const char *near_text(const char *near, char *text, size_t room)
{
	(void)snprintf(
	    text, room, "%s%s", near != NULL ? "; near: " : "", near != NULL ? near : "");
	return text;
}

/* ---- numbers ---- */

/* Digits times a factor. What is too large for the type is the largest number: out of bounds. */
static int64_t amount(const char *digits, size_t n, int64_t factor)
{
	int64_t value = 0;

	for (size_t i = 0; i < n; i++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, digits[i] - '0', &value))
			return INT64_MAX;
	}
	return __builtin_mul_overflow(value, factor, &value) ? INT64_MAX : value;
}

/* The value in its largest unit that leaves no remainder; without units, as it is. */
static void show_amount(int64_t value, const struct unit *units, size_t n, char text[SHOWN_MAX])
{
	size_t i = 0;

	if (n == 0) {
		(void)snprintf(text, SHOWN_MAX, "%lld", (long long)value);
		return;
	}

	while (i < n - 1 && (value == 0 || value % units[i].factor != 0))
		i++;
	(void)snprintf(
	    text, SHOWN_MAX, "%lld%s", (long long)(value / units[i].factor), units[i].word);
}

static bool in_bounds(const struct setting *row, int64_t value)
{
	return value >= row->smallest && value <= row->largest;
}

/* "60 needs a unit: 60s, 60m, 60h?": of the three smallest units those that are in bounds. */
static bool blame_bare(const struct value *v, const struct unit *units, size_t n)
{
	const char *digits = first_word(v);
	size_t len = strlen(digits);
	char offer[128] = "";
	size_t used = 0;

	for (size_t i = 0; i < 3 && len < 20; i++) {
		const struct unit *unit = &units[n - 1 - i];

		if (in_bounds(v->row, amount(digits, len, unit->factor)))
			used += (size_t)snprintf(offer + used, sizeof offer - used, "%s%s%s",
			    used > 0 ? ", " : " ", digits, unit->word);
	}
	return BLAME_WORD(v, 1, "%.40s needs a unit:%s%s", digits,
	    used > 0               ? offer
	    : n == COUNT_OF(sizes) ? " B KB MB GB"
				   : " s m h d w",
	    used > 0 ? "?" : "");
}

/* The unit of a size that was meant by "M" or "mb". Not for spans: 6M may mean months. */
static const char *meant(const char *word, const struct unit *units, size_t n)
{
	for (size_t i = 0; n == COUNT_OF(sizes) && i < n; i++) {
		if (word[0] != '\0' && strncasecmp(word, units[i].word, strlen(word)) == 0)
			return units[i].word;
	}
	return NULL;
}

static bool blame_form(const struct value *v, size_t digits, const struct unit *units, size_t n)
{
	const char *word = first_word(v);
	const char *unit = digits > 0 ? meant(word + digits, units, n) : NULL;
	char offer[64] = "";

	if (n == 0 && digits > 0)
		return BLAME_WORD(v, 1, "%s is a number without more: %.*s, not \"%.40s\"",
		    v->row->name, (int)(digits < 20 ? digits : 20), word, word);
	if (n == 0)
		return BLAME_WORD(
		    v, 1, "%s is a number (digits only), not \"%.40s\"", v->row->name, word);

	if (unit != NULL && digits < 20)
		(void)snprintf(offer, sizeof offer, "; near: %.*s%s", (int)digits, word, unit);
	return BLAME_WORD(v, 1, "%s is a whole number and a unit (%s), not \"%.40s\"%s",
	    v->row->name, n == COUNT_OF(sizes) ? "B KB MB GB" : "s m h d w", word, offer);
}

static bool blame_bounds(const struct value *v, const struct unit *units, size_t n)
{
	char smallest[SHOWN_MAX], largest[SHOWN_MAX];

	show_amount(v->row->smallest, units, n, smallest);
	show_amount(v->row->largest, units, n, largest);
	return BLAME_WORD(
	    v, 1, "%s is %s to %s, not %.40s", v->row->name, smallest, largest, first_word(v));
}

/* Digits and one of the units; without units, digits alone. */
static bool take_amount(const struct value *v, const struct unit *units, size_t n, int64_t *value)
{
	const char *word = first_word(v);
	size_t digits = strspn(word, DIGITS);
	int64_t factor = n == 0 && word[digits] == '\0';

	if (n > 0 && digits > 0 && word[digits] == '\0')
		return blame_bare(v, units, n);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(word + digits, units[i].word) == 0)
			factor = units[i].factor;
	}
	if (digits == 0 || factor == 0)
		return blame_form(v, digits, units, n);

	*value = amount(word, digits, factor);
	return in_bounds(v->row, *value) || blame_bounds(v, units, n);
}

static bool take_number(const struct value *v, const struct unit *units, size_t n, int64_t scale)
{
	int64_t value = 0;

	if (!take_amount(v, units, n, &value))
		return false;
	value *= scale; /* the bounds of the table leave room */
	memcpy(v->field, &value, sizeof value);
	return true;
}

/* ---- words ---- */

static bool take_yesno(const struct value *v)
{
	const char *word = first_word(v);
	bool yes = strcmp(word, "yes") == 0;

	if (!yes && strcmp(word, "no") != 0)
		return BLAME_WORD(v, 1, "%s is yes or no, not \"%.40s\"", v->row->name, word);
	memcpy(v->field, &yes, sizeof yes);
	return true;
}

/* Cuts "a|b|c" into its words; returns how many. */
static size_t choices(
    const struct setting *row, char text[SETTING_TEXT_MAX], const char *words[CHOICES_MAX])
{
	size_t n = 0;
	char *rest = text;

	(void)snprintf(text, SETTING_TEXT_MAX, "%s", row->fallback);
	while (rest != NULL && n < CHOICES_MAX)
		words[n++] = strsep(&rest, "|");
	return n;
}

static bool take_choice(const struct value *v)
{
	char text[SETTING_TEXT_MAX], all[SETTING_TEXT_MAX], near[80];
	const char *words[CHOICES_MAX];
	size_t n = choices(v->row, text, words);

	for (size_t i = 0; i < n; i++) {
		int64_t index = (int64_t)i;

		if (strcmp(first_word(v), words[i]) == 0) {
			memcpy(v->field, &index, sizeof index);
			return true;
		}
	}

	(void)snprintf(all, sizeof all, "%s", v->row->fallback);
	for (char *p = all; *p != '\0'; p++)
		*p = *p == '|' ? ' ' : *p;
	return BLAME_WORD(v, 1, "%s is one of %.80s, not \"%.40s\"%s", v->row->name, all,
	    first_word(v),
	    near_text(conf_near(first_word(v), words, n, sizeof words[0]), near, sizeof near));
}

/* Words `from` 1 up to `to`, joined by single spaces. */
static bool take_words(const struct value *v, size_t to)
{
	char text[SETTING_TEXT_MAX] = "";
	size_t used = 0;

	for (size_t i = 1; i < to; i++) {
		size_t len = strlen(v->line->word[i].text);
		size_t gap = i > 1;

		if (used + gap + len >= sizeof text)
			return BLAME_WORD(
			    v, i, "%s is longer than %zu bytes", v->row->name, sizeof text - 1);
		if (gap > 0)
			text[used++] = ' ';
		memcpy(text + used, v->line->word[i].text, len);
		used += len;
	}
	memcpy(v->field, text, sizeof text);
	return true;
}

/* ---- settings that are more than their type ---- */

static bool check_hostname(const struct value *v)
{
	const char *name = first_word(v);
	size_t len = strspn(name, DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.");

	if (name[len] != '\0' || len > 253)
		return BLAME_WORD(v, 1,
		    "hostname is letters, digits, - and . (or - alone), at most 253, not \"%.40s\"",
		    name);
	return true;
}

/* ADDRESS:PORT, [V6]:PORT or *:PORT. */
static bool listen_word(const char *word)
{
	struct in6_addr scratch;
	char address[INET6_ADDRSTRLEN + 2];
	const char *colon = strrchr(word, ':');
	size_t len = colon == NULL ? 0 : (size_t)(colon - word);
	size_t digits = colon == NULL ? 0 : strspn(colon + 1, DIGITS);
	int64_t port;

	if (len == 0 || len >= sizeof address || digits == 0 || colon[1 + digits] != '\0')
		return false;
	port = amount(colon + 1, digits, 1);
	if (port < 1 || port > 65535)
		return false;

	memcpy(address, word, len);
	address[len] = '\0';
	if (address[0] == '[' && address[len - 1] == ']') {
		address[len - 1] = '\0';
		return inet_pton(AF_INET6, address + 1, &scratch) == 1;
	}
	return strcmp(address, "*") == 0 || inet_pton(AF_INET, address, &scratch) == 1;
}

/* The word - alone: none. */
static bool none(const struct value *v)
{
	return v->line->words == 2 && strcmp(first_word(v), "-") == 0;
}

static bool check_listen(const struct value *v)
{
	if (none(v) && v->row->offset != offsetof(struct settings, smtp_listen))
		return true;
	for (size_t i = 1; i < v->line->words; i++) {
		if (!listen_word(v->line->word[i].text))
			return BLAME_WORD(v, i,
			    "%s is ADDRESS:PORT, [V6]:PORT or *:PORT (port 1 to 65535), not "
			    "\"%.40s\"",
			    v->row->name, v->line->word[i].text);
	}
	return true;
}

/*
 * A path that stays in the instance's directory: relative, and no part of it "..".
 */
static bool inside(const char *path)
{
	if (path[0] == '\0' || path[0] == '/')
		return false;

	for (const char *part = path; part != NULL;) {
		const char *slash = strchr(part, '/');
		size_t len = slash == NULL ? strlen(part) : (size_t)(slash - part);

		if (len == 2 && memcmp(part, "..", 2) == 0)
			return false;
		part = slash == NULL ? NULL : slash + 1;
	}
	return true;
}

/* The words of etc/routes; their details are for whoever reads that file (lib/routes). */
static bool check_route(const struct value *v)
{
	static const char maildir[] = "maildir:";
	const char *route = first_word(v);

	if (strcmp(route, "mx") == 0 || (strncmp(route, "host:", 5) == 0 && route[5] != '\0') ||
	    strncmp(route, "refuse:", 7) == 0 || strcmp(route, "refuse") == 0)
		return true;
	if (strncmp(route, maildir, sizeof maildir - 1) != 0)
		return BLAME_WORD(v, 1,
		    "route is mx, host:PLACE, maildir:PATH or refuse:WORD, not \"%.40s\"", route);
	if (!inside(route + sizeof maildir - 1))
		return BLAME_WORD(v, 1,
		    "route: the path is relative to the instance, without \"..\", not \"%.40s\"",
		    route + sizeof maildir - 1);
	return true;
}

/* An unknown one would be UTC to the C library, nine hours from what the rules mean. */
static bool check_time_zone(const struct value *v)
{
	if (zone_known(v->line->word[1].text))
		return true;
	return BLAME_WORD(
	    v, 1, "no time zone \"%.60s\": a name such as Asia/Tokyo, or -", v->line->word[1].text);
}

/* Two digits, at most `largest`; -1: not so. */
static int two_digits(const char *text, int largest)
{
	int n;

	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return -1;
	n = (text[0] - '0') * 10 + text[1] - '0';
	return n <= largest ? n : -1;
}

/* "HH:MM" as minutes; -1: it is none. */
static int minute_of(const char *text)
{
	int hour = two_digits(text, 24),
	    minute = hour >= 0 && text[2] == ':' ? two_digits(text + 3, 59) : -1;

	return minute < 0 || hour * 60 + minute > 24 * 60 ? -1 : hour * 60 + minute;
}

bool settings_hours(const char *text, int *begin, int *end)
{
	if (strlen(text) != strlen("HH:MM-HH:MM") || text[5] != '-')
		return false;
	*begin = minute_of(text);
	*end = minute_of(text + 6);
	return *begin >= 0 && *begin < 24 * 60 && *end >= 0 && *end != *begin;
}

static bool check_hours(const struct value *v)
{
	const char *text = first_word(v);
	int begin, end;

	if (settings_hours(text, &begin, &end) ||
	    (v->row->offset == offsetof(struct settings, quiet_hours) && none(v)))
		return true;
	return BLAME_WORD(v, 1, "%s are like 09:00-18:00, not \"%.40s\"", v->row->name, text);
}

static bool check_plan_states(const struct value *v)
{
	static const char *const states[] = {"approve", "hold", "encrypt", "stagger", "deliver"};
	size_t next = 0;
	size_t last = v->line->words - 1;
	char near[80];

	for (size_t i = 1; i <= last; i++) {
		const char *word = v->line->word[i].text;
		size_t at = 0;

		while (at < COUNT_OF(states) && strcmp(word, states[at]) != 0)
			at++;
		if (at == COUNT_OF(states))
			return BLAME_WORD(v, i, "no state \"%.40s\"%s", word,
			    near_text(conf_near(word, states, COUNT_OF(states), sizeof states[0]),
				near, sizeof near));
		if (at < next)
			return BLAME_WORD(v, i,
			    "%s stands too late or twice: approve hold encrypt stagger deliver is "
			    "the "
			    "order",
			    word);
		next = at + 1;
	}
	if (next != COUNT_OF(states))
		return BLAME_WORD(v, last, "plan-states must end in deliver");
	return true;
}

/* What a TEXT or LIST must be beyond its type. */
static bool check_words(const struct value *v)
{
	static const struct {
		size_t offset;
		bool (*check)(const struct value *v);
	} checks[] = {
	    {offsetof(struct settings, hostname), check_hostname},
	    {offsetof(struct settings, smtp_listen), check_listen},
	    {offsetof(struct settings, submission_listen), check_listen},
	    {offsetof(struct settings, submissions_listen), check_listen},
	    {offsetof(struct settings, plan_states), check_plan_states},
	    {offsetof(struct settings, route), check_route},
	    {offsetof(struct settings, time_zone), check_time_zone},
	    {offsetof(struct settings, working_hours), check_hours},
	    {offsetof(struct settings, quiet_hours), check_hours},
	};

	for (size_t i = 0; i < COUNT_OF(checks); i++) {
		if (checks[i].offset == v->row->offset)
			return checks[i].check(v);
	}
	return true;
}

/* ---- lines ---- */

static bool take_value(const struct value *v)
{
	switch (v->row->type) {
	case SETTING_YESNO:
		return take_yesno(v);
	case SETTING_NUMBER:
		return take_number(v, NULL, 0, 1);
	case SETTING_SIZE:
		return take_number(v, sizes, COUNT_OF(sizes), 1);
	case SETTING_SPAN:
		return take_number(v, spans, COUNT_OF(spans), CLOCK_SECOND);
	case SETTING_TEXT:
		return check_words(v) && take_words(v, 2);
	case SETTING_LIST:
		return check_words(v) && take_words(v, v->line->words);
	case SETTING_CHOICE:
		return take_choice(v);
	}
	die_bug("settings.c: take_value");
}

static bool take_line(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	struct reading *r = context;
	const struct conf_word *name = &line->word[0];
	struct value v = {.line = line, .fault = fault};
	char near[80];
	size_t i = 0;

	while (i < COUNT_OF(table) && strcmp(name->text, table[i].name) != 0)
		i++;
	if (i == COUNT_OF(table))
		return conf_blame(fault, line->number, name->column, "no setting \"%.60s\"%s",
		    name->text,
		    near_text(conf_near(name->text, table, COUNT_OF(table), sizeof table[0]), near,
			sizeof near));

	v.row = &table[i];
	v.field = (char *)r->s + v.row->offset;
	if (r->set_in[i] != 0)
		return BLAME_WORD(
		    &v, 0, "%s was already set in line %u", v.row->name, r->set_in[i]);
	if (line->words < 2)
		return conf_blame(fault, line->number, name->column + (unsigned)strlen(name->text),
		    "%s has no value", v.row->name);
	r->set_in[i] = line->number;

	/* The value first: of "60 m" it is said that 60 needs its unit. */
	if (!take_value(&v))
		return false;
	if (v.row->type != SETTING_LIST && line->words > 2)
		return BLAME_WORD(&v, 2, "%s has one value; \"%.40s\" is too much", v.row->name,
		    line->word[2].text);
	return true;
}

void settings_default(struct settings *s)
{
	struct reading r = {.s = s};

	memset(s, 0, sizeof *s);
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct conf_fault fault;
		char text[SETTING_TEXT_MAX];
		int len =
		    snprintf(text, sizeof text - 1, "%s %s", table[i].name, table[i].fallback);

		if (table[i].type == SETTING_CHOICE)
			len = (int)strcspn(text, "|");
		text[len++] = '\n';

		/* A default passes every check of a value in the file, or the table is wrong. */
		if (!conf_parse(text, (size_t)len, "table", take_line, &r, &fault))
			die_bug(table[i].name);
	}
}

bool settings_read(int etc, struct settings *s, struct conf_fault *fault)
{
	struct reading r = {.s = s};

	settings_default(s);
	return conf_read(etc, "settings", false, take_line, &r, fault);
}

/* ---- showing ---- */

static void show_number(const struct setting *row, int64_t value, char *text, size_t room)
{
	char shown[SHOWN_MAX], words[SETTING_TEXT_MAX];
	const char *choice[CHOICES_MAX] = {NULL};

	switch (row->type) {
	case SETTING_SIZE:
		show_amount(value, sizes, COUNT_OF(sizes), shown);
		break;
	case SETTING_SPAN:
		show_amount(value / CLOCK_SECOND, spans, COUNT_OF(spans), shown);
		break;
	case SETTING_CHOICE:
		if (value < 0 || (size_t)value >= choices(row, words, choice))
			die_bug("settings.c: show_number");
		(void)snprintf(text, room, "%s", choice[value]);
		return;
	case SETTING_NUMBER:
	case SETTING_YESNO:
	case SETTING_TEXT:
	case SETTING_LIST:
		show_amount(value, NULL, 0, shown);
		break;
	}
	(void)snprintf(text, room, "%s", shown);
}

/* Whether the field holds what the default would put there; then the default's spelling is shown. */
static bool is_default(const struct settings *s, const struct setting *row)
{
	struct settings fresh;
	const size_t size = sizeof(int64_t);

	if (row->type != SETTING_SIZE && row->type != SETTING_SPAN)
		return false;
	settings_default(&fresh);
	return memcmp((const char *)s + row->offset, (const char *)&fresh + row->offset, size) == 0;
}

void settings_show(const struct settings *s, const struct setting *row, char *text, size_t room)
{
	const void *field = (const char *)s + row->offset;
	int64_t value;
	bool yes;

	if (row->type == SETTING_TEXT || row->type == SETTING_LIST) {
		(void)snprintf(text, room, "%s", (const char *)field);
	} else if (row->type == SETTING_YESNO) {
		memcpy(&yes, field, sizeof yes);
		(void)snprintf(text, room, "%s", yes ? "yes" : "no");
	} else if (is_default(s, row)) {
		(void)snprintf(text, room, "%s", row->fallback); /* 60s, not 1m */
	} else {
		memcpy(&value, field, sizeof value);
		show_number(row, value, text, room);
	}
}

void settings_hostname(const struct settings *s, char name[SETTING_TEXT_MAX])
{
	memcpy(name, s->hostname, SETTING_TEXT_MAX);
	if (strcmp(name, "-") == 0 && gethostname(name, SETTING_TEXT_MAX) != 0)
		memcpy(name, "localhost", sizeof "localhost");
	name[SETTING_TEXT_MAX - 1] = '\0';
}
