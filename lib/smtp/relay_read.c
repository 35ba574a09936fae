#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/hex.h"
#include "lib/smtp/address.h"
#include "lib/smtp/relay_table.h"

#define SOURCES_MAX 65536
#define NAMES_MAX   1024 /* each of them may be asked of each client's certificate */
#define QUOTA_MAX   INT64_C(10000000)

struct reader {
	struct relay *relay;
	int etc;
	struct clouds clouds;
	size_t names;
};

/* One line while it is read. */
struct draft {
	struct relay_source source;
	const struct conf_line *line;
	struct conf_fault *fault;
	unsigned any; /* column of the word, or 0 */
	bool cloud;
	bool quota;
};

/* What `word` begins with, or NULL: "secret=" of "secret=NAME" gives "NAME". */
static const char *behind(const char *word, const char *key)
{
	size_t len = strlen(key);

	return strncmp(word, key, len) == 0 ? word + len : NULL;
}

static unsigned column_of(const struct conf_word *word, const char *at)
{
	return word->column + (unsigned)(at - word->text);
}

/* The word up to its "=", for a near one. */
static const char *near_key(const char *word, const char *const *keys, size_t n)
{
	char key[32];
	const char *equals = strchr(word, '=');
	size_t len = equals != NULL ? (size_t)(equals - word) + 1 : strlen(word);

	if (len >= sizeof key)
		return NULL;
	memcpy(key, word, len);
	key[len] = '\0';
	return conf_near(key, keys, n, sizeof *keys);
}

/* ---- the source ---- */

/* 64 digits; colons may stand between bytes, as openssl x509 -fingerprint writes them. */
static bool read_digest(struct draft *d, const struct conf_word *word, const char *text)
{
	unsigned char *digest = d->source.digest;
	size_t digits = 0;

	for (const char *p = text; *p != '\0'; p++) {
		int digit = hex_digit(*p);

		if (*p == ':' && digits % 2 == 0 && digits > 0 && p[1] != ':' && p[1] != '\0')
			continue;
		if (digit < 0 || digits == 2 * (size_t)RELAY_DIGEST_SIZE)
			return conf_blame(d->fault, d->line->number, column_of(word, p),
			    "64 hexadecimal digits were expected, as openssl x509 -fingerprint "
			    "-sha256 writes them");
		digest[digits / 2] =
		    (unsigned char)(digits % 2 == 0 ? digit << 4 : digest[digits / 2] | digit);
		digits++;
	}
	d->source.kind = RELAY_DIGEST;
	return digits == 2 * (size_t)RELAY_DIGEST_SIZE ||
	       conf_blame(d->fault, d->line->number, column_of(word, text),
		   "64 hexadecimal digits were expected, these are %zu", digits);
}

static bool read_name(
    struct reader *r, struct draft *d, const struct conf_word *word, const char *name)
{
	struct relay *relay = r->relay;
	struct ip ip;

	if (address_check_domain(name, strlen(name), false) != ADDRESS_OK || ip_parse(name, &ip))
		return conf_blame(d->fault, d->line->number, column_of(word, name),
		    "a DNS name that the certificate bears was expected, such as "
		    "mx1.example.co.jp");
	for (size_t i = 0; i < relay->n; i++) {
		const struct relay_source *other = &relay->sources[i];

		if (other->kind == RELAY_NAME &&
		    strcasecmp(relay->text.bytes + other->name, name) == 0)
			return conf_blame(d->fault, d->line->number, word->column,
			    "line %u already speaks for this name", other->line);
	}
	if (++r->names > NAMES_MAX)
		return conf_blame(d->fault, d->line->number, word->column,
		    "more than %d names of certificates", NAMES_MAX);

	d->source.kind = RELAY_NAME;
	d->source.name = relay->text.len;
	buf_add(&relay->text, name, strlen(name) + 1);
	return true;
}

static bool read_network(struct draft *d, const struct conf_word *word)
{
	char why[128];
	size_t at;

	if (!network_parse(word->text, &d->source.network, why, sizeof why, &at))
		return conf_blame(
		    d->fault, d->line->number, word->column + (unsigned)at, "%s", why);
	d->source.kind = d->source.network.v4 ? RELAY_V4 : RELAY_V6;
	return true;
}

static bool read_source(struct reader *r, struct draft *d)
{
	static const char *const keys[] = {"cert=", "cert-sha256="};
	const struct conf_word *word = &d->line->word[0];
	const char *name = behind(word->text, "cert=");
	const char *digest = behind(word->text, "cert-sha256=");
	const char *near;

	if (name != NULL)
		return read_name(r, d, word, name);
	if (digest != NULL)
		return read_digest(d, word, digest);
	if (strchr(word->text, '=') == NULL)
		return read_network(d, word);

	near = near_key(word->text, keys, COUNT_OF(keys));
	return conf_blame(d->fault, d->line->number, word->column,
	    "a network, cert=NAME or cert-sha256=DIGITS was expected%s%s%s",
	    near != NULL ? ": did you mean " : "", near != NULL ? near : "",
	    near != NULL ? "?" : "");
}

/* ---- the words behind it ---- */

static bool read_domain(struct reader *r, struct draft *d, const struct conf_word *word)
{
	const char *name = word->text + 1;
	size_t dot = name[0] == '.' ? 1 : 0;

	if (address_check_domain(name + dot, strlen(name + dot), true) != ADDRESS_OK)
		return conf_blame(d->fault, d->line->number, column_of(word, name + dot),
		    "this is no domain name");
	buf_add(&r->relay->text, name, strlen(name) + 1);
	d->source.domains++;
	return true;
}

/* Digits up to `end`, at most QUOTA_MAX; -1 if it is no such number. */
static int64_t quota_number(const char *text, const char *end)
{
	int64_t number = 0;

	if (text == end)
		return -1;
	for (const char *p = text; p < end; p++) {
		if (*p < '0' || *p > '9')
			return -1;
		number = number * 10 + (*p - '0');
		if (number > QUOTA_MAX)
			return -1;
	}
	return number;
}

static bool read_quota(struct draft *d, const struct conf_word *word, const char *text)
{
	const char *slash = strchr(text, '/');

	if (d->quota)
		return conf_blame(
		    d->fault, d->line->number, word->column, "a second quota in one line");
	d->quota = true;
	if (strcmp(text, "none") == 0) {
		d->source.hour = 0;
		d->source.day = 0;
		return true;
	}

	d->source.hour = slash != NULL ? quota_number(text, slash) : -1;
	d->source.day = slash != NULL ? quota_number(slash + 1, text + strlen(text)) : -1;
	if (d->source.hour < 0 || d->source.day < 0)
		return conf_blame(d->fault, d->line->number, column_of(word, text),
		    "recipients an hour and a day were expected, each 0 (any number) to %d, such "
		    "as 500/2000; or none",
		    (int)QUOTA_MAX);
	return true;
}

static bool read_secret(
    struct reader *r, struct draft *d, const struct conf_word *word, const char *name)
{
	if (d->source.secret != NULL)
		return conf_blame(
		    d->fault, d->line->number, word->column, "a second secret in one line");
	d->source.secret = relay_read_secret(
	    r->relay, r->etc, name, d->line->number, column_of(word, name), d->fault);
	return d->source.secret != NULL;
}

static bool blame_word(const struct draft *d, const struct conf_word *word)
{
	static const char *const keys[] = {"any", "cloud", "secret=", "quota="};
	const char *near = near_key(word->text, keys, COUNT_OF(keys));
	bool domain = strchr(word->text, '.') != NULL && strlen(word->text) <= 64 &&
		      address_check_domain(word->text, strlen(word->text), true) == ADDRESS_OK;

	if (near == NULL && !domain)
		return conf_blame(d->fault, d->line->number, word->column,
		    "a sender domain (@example.co.jp), its subdomains (@.example.co.jp), any, "
		    "cloud, secret=NAME or quota=HOUR/DAY was expected");
	return conf_blame(d->fault, d->line->number, word->column,
	    "a sender domain, any, cloud, secret=NAME or quota=HOUR/DAY was expected: did you "
	    "mean %s%s?",
	    near != NULL ? "" : "@", near != NULL ? near : word->text);
}

static bool read_word(struct reader *r, struct draft *d, const struct conf_word *word)
{
	const char *secret = behind(word->text, "secret=");
	const char *quota = behind(word->text, "quota=");

	if (word->text[0] == '@')
		return read_domain(r, d, word);
	if (secret != NULL)
		return read_secret(r, d, word, secret);
	if (quota != NULL)
		return read_quota(d, word, quota);
	if (strcmp(word->text, "any") == 0) {
		d->source.any = true;
		d->any = word->column;
		return true;
	}
	if (strcmp(word->text, "cloud") == 0) {
		d->cloud = true;
		return true;
	}
	return blame_word(d, word);
}

/* ---- a shared source ---- */

static const struct cloud *shared_with(const struct reader *r, const struct relay_source *source)
{
	switch (source->kind) {
	case RELAY_NAME:
		return clouds_find_name(&r->clouds, r->relay->text.bytes + source->name);
	case RELAY_V4:
	case RELAY_V6:
		return clouds_find_network(&r->clouds, &source->network);
	case RELAY_DIGEST: /* says nothing of whose it is: only the word "cloud" does */
	case RELAY_KINDS:
		break;
	}
	return NULL;
}

/* What every tenant of a service has proves nothing by itself: design, "Who may speak". */
static bool check_cloud(const struct reader *r, const struct draft *d)
{
	const struct cloud *cloud = shared_with(r, &d->source);
	const char *owner = cloud != NULL ? r->clouds.text.bytes + cloud->owner : "";
	char where[32] = "";

	if (cloud == NULL && !d->cloud)
		return true;
	if (cloud != NULL)
		(void)snprintf(where, sizeof where, " (etc/clouds:%u)", cloud->line);
	if (d->source.secret == NULL)
		return conf_blame(d->fault, d->line->number, d->source.column,
		    "%.49s is shared by %s%s%s: it needs secret=NAME, the file etc/secrets/NAME "
		    "with a header field that only your connector adds",
		    d->line->word[0].text, cloud != NULL ? "all tenants of " : "strangers", owner,
		    where);
	if (d->any > 0)
		return conf_blame(d->fault, d->line->number, d->any,
		    "%.49s is shared by %s%s%s: name your own sender domains "
		    "(@example.co.jp) in place of any",
		    d->line->word[0].text, cloud != NULL ? "all tenants of " : "strangers", owner,
		    where);
	return true;
}

/* ---- the table ---- */

static bool add(struct relay *relay, const struct draft *d)
{
	struct relay_source *grown;

	if (relay->n >= SOURCES_MAX || !buf_ok(&relay->text))
		return conf_blame(d->fault, d->line->number, 0, "too many sources");
	grown = reallocarray(relay->sources, relay->n + 1, sizeof *grown);
	if (grown == NULL)
		return conf_blame(d->fault, d->line->number, 0, "no memory");
	relay->sources = grown;
	relay->sources[relay->n++] = d->source;
	return true;
}

static bool take_line(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	struct reader *r = context;
	struct draft d = {.line = line, .fault = fault};

	d.source.line = line->number;
	d.source.column = line->word[0].column;
	d.source.hour = RELAY_QUOTA_AS_SETTINGS;
	d.source.day = RELAY_QUOTA_AS_SETTINGS;
	if (!read_source(r, &d))
		return false;

	d.source.domain = r->relay->text.len;
	for (size_t i = 1; i < line->words; i++) {
		if (!read_word(r, &d, &line->word[i]))
			return false;
	}
	if (!buf_ok(&r->relay->text))
		return conf_blame(fault, line->number, 0, "too many sources");
	if (d.source.domains == 0 && !d.source.any)
		return conf_blame(fault, line->number, d.source.column,
		    "whose mail may it send? Sender domains (@example.co.jp) or any are missing");
	return check_cloud(r, &d) && add(r->relay, &d);
}

/* What two lines for the same client have in common: 0. Names were compared when they were read. */
static int compare_subjects(const struct relay_source *a, const struct relay_source *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->kind == RELAY_DIGEST)
		return memcmp(a->digest, b->digest, sizeof a->digest);
	if (a->kind == RELAY_NAME)
		return a->line < b->line ? -1 : a->line > b->line;
	if (a->network.bits != b->network.bits)
		return a->network.bits > b->network.bits ? -1 : 1;
	return memcmp(a->network.ip.bytes, b->network.ip.bytes, sizeof a->network.ip.bytes);
}

static int compare_sources(const void *one, const void *other)
{
	const struct relay_source *a = one, *b = other;
	int order = compare_subjects(a, b);

	return order != 0 ? order : a->line < b->line ? -1 : a->line > b->line;
}

/* Blames the first line in the file that says again whom another speaks for. */
static bool check_doubles(const struct relay *relay, struct conf_fault *fault)
{
	const struct relay_source *again = NULL, *before = NULL;

	for (size_t i = 1; i < relay->n; i++) {
		const struct relay_source *s = &relay->sources[i];

		if (compare_subjects(s - 1, s) == 0 && (again == NULL || s->line < again->line)) {
			again = s;
			before = s - 1;
		}
	}
	return again == NULL ||
	       conf_blame(fault, again->line, again->column, "line %u already speaks for this %s",
		   before->line, again->kind == RELAY_DIGEST ? "certificate" : "network");
}

/* Sorts the sources as relay_find asks for them. */
static bool settle(struct relay *relay, struct conf_fault *fault)
{
	size_t at = 0;

	if (relay->n > 0)
		qsort(relay->sources, relay->n, sizeof *relay->sources, compare_sources);
	if (!check_doubles(relay, fault))
		return false;

	for (size_t i = relay->n; i-- > 0;) {
		struct relay_source *s = &relay->sources[i];
		bool last = i + 1 == relay->n || s[1].kind != s->kind ||
			    s[1].network.bits != s->network.bits;

		s->wider = last ? i + 1 : s[1].wider;
	}
	for (unsigned kind = 0; kind < RELAY_KINDS; kind++) {
		relay->first[kind] = at;
		while (at < relay->n && relay->sources[at].kind == kind)
			at++;
	}
	relay->first[RELAY_KINDS] = at;
	return true;
}

bool relay_read(int etc, struct relay *relay, struct conf_fault *fault)
{
	struct reader r = {.relay = relay, .etc = etc};
	bool good;

	clouds_init(&r.clouds);
	good = clouds_read(etc, &r.clouds, fault) &&
	       conf_read(etc, "relay", false, take_line, &r, fault) && settle(relay, fault);
	clouds_free(&r.clouds);
	return good;
}
