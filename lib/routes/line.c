/* One line of etc/routes. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/clock.h"
#include "lib/resolve/ask.h"
#include "lib/routes/table.h"

#define DIGITS          "0123456789"
#define LETTERS         "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define LABEL_BYTES_MAX 63
#define WORD_BYTES_MAX  64
#define PATH_BYTES_MAX  255
#define EXPIRE_MAX      ((int64_t)365 * 86400)
#define RETRY_MAX       ((int64_t)7 * 86400)

struct reading {
	struct routes *routes;
	struct route *route; /* the last one */
	const struct conf_line *line;
	struct conf_fault *fault;
	unsigned login_column;
	unsigned said; /* a bit for each option */
};

/* A word, or a part of it, and where it stands. */
struct value {
	const char *text; /* NUL-ended somewhere behind `len` */
	size_t len;
	unsigned column;
};

#define BLAME(r, column, ...) conf_blame((r)->fault, (r)->line->number, (column), __VA_ARGS__)

static struct value part(const struct value *v, size_t from, size_t len)
{
	return (struct value){
	    .text = v->text + from, .len = len, .column = v->column + (unsigned)from};
}

/* ": WORD?", or nothing. */
static const char *near_text(const char *near, char *text, size_t room)
{
	(void)snprintf(text, room, "%s%s%s", near != NULL ? ": " : "", near != NULL ? near : "",
	    near != NULL ? "?" : "");
	return text;
}

/* ---- names and addresses ---- */

/* Letters, digits, hyphens and what is beyond ASCII, in labels with dots between them. */
static bool is_domain(const char *text, size_t len)
{
	size_t label = 0;

	if (len == 0 || len > DOMAIN_BYTES_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '.' && label == 0)
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > LABEL_BYTES_MAX ||
		    (c != '.' && c != '-' && c != '_' && (unsigned char)c < 0x80 &&
			strchr(LETTERS DIGITS, c) == NULL))
			return false;
	}
	return label > 0;
}

/* What can be asked about in the DNS: unlike a domain without "_". */
static bool is_host(const char *text, size_t len)
{
	char copy[DOMAIN_BYTES_MAX + 1], name[RESOLVE_NAME_MAX + 1];

	if (!is_domain(text, len))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return resolve_name(copy, name);
}

/* "192.0.2.1" or "2001:db8::1". */
static bool is_address(const char *text, size_t len)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr scratch;

	if (len == 0 || len >= sizeof copy)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return inet_pton(AF_INET, copy, &scratch) == 1 || inet_pton(AF_INET6, copy, &scratch) == 1;
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]", as it stands in a mail address. */
static bool is_literal(const char *text, size_t len)
{
	size_t tag = len > 6 && strncasecmp(text, "[IPv6:", 6) == 0 ? 6 : 1;

	return len > 2 && text[0] == '[' && text[len - 1] == ']' &&
	       is_address(text + tag, len - tag - 1);
}

/* ---- DOMAIN ---- */

static bool check_domain(struct reading *r, const struct value *v)
{
	size_t dot = v->len > 1 && v->text[1] == '.';
	struct value name;

	if (strcmp(v->text, "*") == 0)
		return true;
	if (v->text[0] != '@' && is_domain(v->text, v->len))
		return BLAME(r, v->column, "a domain begins with @: @%.*s?", (int)v->len, v->text);
	if (v->text[0] == '*' && v->text[1] == '.' && is_domain(v->text + 2, v->len - 2))
		return BLAME(r, v->column, "what is below a domain is written @.%.*s",
		    (int)v->len - 2, v->text + 2);
	if (v->text[0] != '@')
		return BLAME(r, v->column,
		    "a line begins with @example.com, @.example.com or *, not \"%.40s\"", v->text);

	name = part(v, 1 + dot, v->len - 1 - dot);
	if (name.len > DOMAIN_BYTES_MAX)
		return BLAME(
		    r, name.column, "the domain is longer than %d bytes", DOMAIN_BYTES_MAX);
	if (!is_domain(name.text, name.len) && (dot || !is_literal(name.text, name.len)))
		return BLAME(r, name.column, "\"%.*s\" is no domain such as example.com",
		    (int)name.len, name.text);
	return true;
}

static bool take_domain(struct reading *r, const struct value *v)
{
	struct routes *routes = r->routes;
	const struct entry *other;
	struct entry *entry;

	if (!check_domain(r, v))
		return false;
	other = route_table_find(routes, v->text, v->len);
	if (other != NULL)
		return BLAME(r, v->column, "%.*s stands in line %u already", (int)v->len, v->text,
		    other->route.line);

	if (!route_table_grow(routes))
		return BLAME(r, 0, "no memory");
	entry = &routes->entries[routes->n - 1];
	entry->domain = route_table_text(routes, v->text, v->len);
	if (!buf_ok(&routes->text))
		return BLAME(r, 0, "no memory");
	for (char *p = routes->text.bytes + entry->domain; *p != '\0'; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
	entry->word = route_table_text(routes, "", 0);
	entry->route.line = r->line->number;
	r->route = &entry->route;
	return route_table_index(routes) || BLAME(r, 0, "no memory");
}

/* ---- ROUTE ---- */

static bool take_port(struct reading *r, const struct value *v, uint16_t *port)
{
	unsigned value = 0;

	for (size_t i = 0; i < v->len && i < 6; i++) {
		if (v->text[i] < '0' || v->text[i] > '9') {
			value = 0;
			break;
		}
		value = value * 10 + (unsigned)(v->text[i] - '0');
	}
	if (v->len > 5 || value == 0 || value > 65535 || v->text[0] == '0')
		return BLAME(r, v->column, "a port is 1 to 65535, not \"%.*s\"",
		    (int)(v->len < 40 ? v->len : 40), v->text);
	*port = (uint16_t)value;
	return true;
}

/* "[ADDRESS]" */
static bool take_bracketed(struct reading *r, const struct value *v, uint16_t port)
{
	if (v->len < 2 || v->text[v->len - 1] != ']' || !is_address(v->text + 1, v->len - 2))
		return BLAME(r, v->column,
		    "an address such as [192.0.2.1] or [2001:db8::1] was expected, not \"%.*s\"",
		    (int)(v->len < 60 ? v->len : 60), v->text);
	return route_table_host(r->routes, v->text + 1, v->len - 2, true, port) ||
	       BLAME(r, 0, "no memory");
}

/* "NAME[:PORT]", "[ADDRESS][:PORT]" */
static bool take_place(struct reading *r, const struct value *v)
{
	bool bracketed = v->len > 0 && v->text[0] == '[';
	const char *end = bracketed ? memchr(v->text, ']', v->len) : NULL;
	size_t from = bracketed ? end != NULL ? (size_t)(end - v->text) : v->len : 0;
	const char *colon = memchr(v->text + from, ':', v->len - from);
	size_t len = colon != NULL ? (size_t)(colon - v->text) : v->len;
	struct value name = part(v, 0, len), digits = part(v, len + 1, v->len - len - 1);
	uint16_t port = ROUTE_PORT;

	if (len == 0)
		return BLAME(r, v->column, "a host is missing");
	if (r->route->hosts == ROUTE_HOSTS_MAX)
		return BLAME(r, v->column, "more than %d hosts", ROUTE_HOSTS_MAX);
	if (is_address(v->text, v->len) || is_address(name.text, name.len)) {
		if (is_address(v->text, v->len))
			name.len = v->len;
		return BLAME(r, v->column, "an address stands in brackets: host:[%.*s]%.*s?",
		    (int)name.len, name.text, (int)(v->len - name.len), v->text + name.len);
	}
	if (colon != NULL && !take_port(r, &digits, &port))
		return false;

	if (bracketed)
		return take_bracketed(r, &name, port);
	if (!is_host(name.text, name.len))
		return BLAME(r, name.column, "\"%.*s\" is no name of a host",
		    (int)(name.len < 100 ? name.len : 100), name.text);
	return route_table_host(r->routes, name.text, name.len, false, port) ||
	       BLAME(r, 0, "no memory");
}

/* "PLACE[,host:PLACE…]" */
static bool take_hosts(struct reading *r, const struct value *v)
{
	static const char prefix[] = "host:";
	struct value place = *v;

	for (;;) {
		place.len = strcspn(place.text, ",");
		if (!take_place(r, &place))
			return false;
		if (place.text[place.len] == '\0')
			return true;

		place = part(&place, place.len + 1, 0);
		if (strncmp(place.text, prefix, sizeof prefix - 1) != 0)
			return BLAME(r, place.column,
			    "behind a comma another host was expected: host:%.40s", place.text);
		place = part(&place, sizeof prefix - 1, 0);
	}
}

/* A path that stays in the instance's directory: relative, and no part of it "..". */
static bool take_maildir(struct reading *r, const struct value *v)
{
	const char *rest = v->text;

	if (v->len == 0 || v->len > PATH_BYTES_MAX || v->text[0] == '/')
		return BLAME(r, v->column,
		    "a path relative to the instance was expected, of at most %d bytes",
		    PATH_BYTES_MAX);
	while (*rest != '\0') {
		size_t len = strcspn(rest, "/");

		if (len == 2 && memcmp(rest, "..", 2) == 0)
			return BLAME(r, v->column + (unsigned)(rest - v->text),
			    "the path must not leave the instance: no \"..\"");
		rest += len + (rest[len] == '/');
	}
	r->routes->entries[r->routes->n - 1].word = route_table_text(r->routes, v->text, v->len);
	return buf_ok(&r->routes->text) || BLAME(r, 0, "no memory");
}

static bool take_reason(struct reading *r, const struct value *v)
{
	if (v->len == 0 || v->len > WORD_BYTES_MAX ||
	    strspn(v->text, LETTERS DIGITS "-_") != v->len)
		return BLAME(r, v->column,
		    "why it is refused is one word of letters, digits, - and _, at most %d",
		    WORD_BYTES_MAX);
	r->routes->entries[r->routes->n - 1].word = route_table_text(r->routes, v->text, v->len);
	return buf_ok(&r->routes->text) || BLAME(r, 0, "no memory");
}

enum more { MORE_NONE, MORE_MUST, MORE_MAY };

static const struct kind {
	const char *name; /* first: conf_near() looks here */
	enum route_kind kind;
	enum more more; /* whether a ':' and something follow */
	bool (*take)(struct reading *r, const struct value *v);
	const char *form;
} kinds[] = {
    {"mx", ROUTE_MX, MORE_NONE, NULL, "mx"},
    {"host", ROUTE_HOSTS, MORE_MUST, take_hosts, "host:NAME[:PORT]"},
    {"maildir", ROUTE_MAILDIR, MORE_MUST, take_maildir, "maildir:PATH"},
    {"refuse", ROUTE_REFUSE, MORE_MAY, take_reason, "refuse[:WORD]"},
};

static bool take_route(struct reading *r, const struct value *v)
{
	size_t len = strcspn(v->text, ":");
	bool more = v->text[len] == ':';
	struct value rest = part(v, len + more, v->len - len - more);
	char name[64], near[32];

	(void)snprintf(name, sizeof name, "%.*s", (int)(len < 63 ? len : 63), v->text);
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		const struct kind *kind = &kinds[i];

		if (strcmp(kind->name, name) != 0 || len != strlen(kind->name))
			continue;
		if ((kind->more == MORE_NONE && more) || (kind->more == MORE_MUST && !more))
			return BLAME(
			    r, v->column, "%s was expected, not \"%.40s\"", kind->form, v->text);
		r->route->kind = kind->kind;
		return !more || kind->take(r, &rest);
	}
	return BLAME(r, v->column,
	    "a route is mx, host:NAME[:PORT], maildir:PATH or refuse, not \"%.40s\"%s", v->text,
	    near_text(conf_near(name, kinds, COUNT_OF(kinds), sizeof kinds[0]), near, sizeof near));
}

/* ---- OPTION=VALUE ---- */

/* One of the words, each with its number at the same place. */
static bool take_choice(struct reading *r, const struct value *v, const char *option,
    const char *const *words, size_t n, size_t *at)
{
	char near[32], all[64];
	size_t used = 0;

	for (*at = 0; *at < n; (*at)++) {
		if (strcmp(words[*at], v->text) == 0)
			return true;
	}
	for (size_t i = 0; i < n && used < sizeof all; i++)
		used += (size_t)snprintf(all + used, sizeof all - used, " %s", words[i]);
	return BLAME(r, v->column, "%s is one of%s, not \"%.40s\"%s", option, all, v->text,
	    near_text(conf_near(v->text, words, n, sizeof words[0]), near, sizeof near));
}

static bool take_tls(struct reading *r, const struct value *v)
{
	static const char *const words[] = {"none", "may"};
	static const enum route_tls tls[] = {ROUTE_TLS_NONE, ROUTE_TLS_MAY};
	size_t at;

	if (!take_choice(r, v, "tls", words, COUNT_OF(words), &at))
		return false;
	r->route->tls = tls[at];
	return true;
}

static bool take_ipv(struct reading *r, const struct value *v)
{
	static const char *const words[] = {"4", "6", "any"};
	static const enum route_ip ip[] = {ROUTE_IP_4, ROUTE_IP_6, ROUTE_IP_ANY};
	size_t at;

	if (!take_choice(r, v, "ipv", words, COUNT_OF(words), &at))
		return false;
	r->route->ip = ip[at];
	return true;
}

static bool take_login(struct reading *r, const struct value *v)
{
	struct routes *routes = r->routes;
	struct entry *entry = &routes->entries[routes->n - 1];
	size_t i = 0;

	if (!route_login_name_good(v->text, v->len))
		return BLAME(r, v->column,
		    "the name of a file in etc/logins/ was expected: letters, digits, - _ . (at "
		    "most %d, the first no .)",
		    LOGIN_NAME_BYTES_MAX);
	while (i < routes->login_count &&
	       strcmp(routes->text.bytes + routes->logins[i].text, v->text) != 0)
		i++;
	if (i == ROUTE_LOGINS_MAX)
		return BLAME(r, v->column, "more than %d different logins", ROUTE_LOGINS_MAX);

	if (i == routes->login_count) {
		routes->logins[i] = (struct login_name){.line = r->line->number,
		    .column = v->column,
		    .text = route_table_text(routes, v->text, v->len)};
		if (!buf_ok(&routes->text))
			return BLAME(r, 0, "no memory");
		routes->login_count++;
	}
	entry->login = (uint32_t)i + 1;
	r->login_column = v->column;
	return true;
}

/* Digits as a number; -1 if they are none, or too many. */
static int64_t number(const char *text, size_t len)
{
	int64_t value = 0;

	if (len == 0 || len > 12)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

static bool take_sessions(struct reading *r, const struct value *v)
{
	int64_t value = number(v->text, v->len);

	if (value < 1 || value > ROUTE_SESSIONS_MAX)
		return BLAME(r, v->column, "sessions is 1 to %d, not \"%.40s\"", ROUTE_SESSIONS_MAX,
		    v->text);
	r->route->sessions = (unsigned)value;
	return true;
}

static bool take_span(
    struct reading *r, const struct value *v, const char *option, int64_t most, int64_t *span)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	size_t digits = strspn(v->text, DIGITS);
	int64_t value = number(v->text, digits), seconds = 0;

	if (digits > 0 && digits == v->len)
		return BLAME(r, v->column, "%.20s needs a unit: %.20ss, %.20sm, %.20sh or %.20sd?",
		    v->text, v->text, v->text, v->text, v->text);
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (v->len == digits + 1 && v->text[digits] == units[i].letter)
			seconds = units[i].seconds;
	}
	if (digits == 0 || seconds == 0)
		return BLAME(r, v->column,
		    "%s is a whole number and a unit (s m h d w), not \"%.40s\"", option, v->text);
	if (value < 1 || value > most / seconds)
		return BLAME(r, v->column, "%s is 1s to %lldd, not %.40s", option,
		    (long long)(most / 86400), v->text);
	*span = value * seconds * CLOCK_SECOND;
	return true;
}

static bool take_expire(struct reading *r, const struct value *v)
{
	return take_span(r, v, "expire", EXPIRE_MAX, &r->route->expire);
}

static bool take_retry(struct reading *r, const struct value *v)
{
	return take_span(r, v, "retry", RETRY_MAX, &r->route->retry);
}

static bool take_warn(struct reading *r, const struct value *v)
{
	return take_span(r, v, "warn", EXPIRE_MAX, &r->route->warn);
}

#define KIND(k)     (1U << (k))
#define BY_SMTP     (KIND(ROUTE_MX) | KIND(ROUTE_HOSTS))
#define BY_ANYTHING (BY_SMTP | KIND(ROUTE_MAILDIR))

static const struct option {
	const char *name; /* first: conf_near() looks here */
	bool (*take)(struct reading *r, const struct value *v);
	unsigned kinds; /* of route, for which it means something */
} options[] = {
    {"tls", take_tls, BY_SMTP},
    {"login", take_login, KIND(ROUTE_HOSTS)},
    {"sessions", take_sessions, BY_SMTP},
    {"ipv", take_ipv, BY_SMTP},
    {"expire", take_expire, BY_ANYTHING},
    {"retry", take_retry, BY_ANYTHING},
    {"warn", take_warn, BY_ANYTHING},
};

static bool take_option(struct reading *r, const struct value *v)
{
	size_t len = strcspn(v->text, "="), at = 0;
	struct value value;
	char name[64], near[32];

	if (v->text[len] == '\0')
		return BLAME(r, v->column, "OPTION=VALUE was expected, with no blanks in it");
	(void)snprintf(name, sizeof name, "%.*s", (int)(len < 63 ? len : 63), v->text);
	while (at < COUNT_OF(options) && strcmp(options[at].name, name) != 0)
		at++;
	if (at == COUNT_OF(options))
		return BLAME(r, v->column, "no option \"%s\"%s", name,
		    near_text(conf_near(name, options, COUNT_OF(options), sizeof options[0]), near,
			sizeof near));

	if ((r->said & 1U << at) != 0)
		return BLAME(r, v->column, "a line says %s= once", name);
	r->said |= 1U << at;
	if ((options[at].kinds & KIND(r->route->kind)) == 0)
		return BLAME(r, v->column, "%s= means nothing for the route %s", name,
		    kinds[r->route->kind].form);
	value = part(v, len + 1, v->len - len - 1);
	return options[at].take(r, &value);
}

/* ---- the line ---- */

static struct value word(const struct conf_line *line, size_t at)
{
	return (struct value){.text = line->word[at].text,
	    .len = strlen(line->word[at].text),
	    .column = line->word[at].column};
}

bool route_line_take(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	struct reading r = {.routes = context, .line = line, .fault = fault};
	struct value value = word(line, 0);

	if (r.routes->n == ROUTES_MAX)
		return BLAME(&r, 0, "more than %d routes", ROUTES_MAX);
	if (!take_domain(&r, &value))
		return false;
	if (line->words < 2)
		return BLAME(&r, 0, "where does it go? A route such as mx is missing");
	value = word(line, 1);
	if (!take_route(&r, &value))
		return false;
	for (size_t i = 2; i < line->words; i++) {
		value = word(line, i);
		if (!take_option(&r, &value))
			return false;
	}

	if (r.login_column > 0 && r.route->tls == ROUTE_TLS_NONE)
		return BLAME(&r, r.login_column,
		    "with tls=none the password would be sent for everybody to read");
	return true;
}
