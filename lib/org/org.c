#include "lib/org/layout.h"

#include <cdb.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/mime/address.h"
#include "lib/org/digest.h"

#define GROUP_PLACES ((size_t)132) /* the address, and the at most 127 domains of its domain */

struct org {
	struct cdb cdb; /* never changed: a lookup works on a copy */
	struct org_counts counts;
};

/* ---- looking up ---- */

struct value {
	const char *bytes;
	size_t len;
};

static bool find_key(const struct org *org, const char *key, size_t len, struct value *value)
{
	struct cdb cdb = org->cdb;

	if (cdb_find(&cdb, key, (unsigned)len) <= 0)
		return false;
	value->len = cdb_datalen(&cdb);
	value->bytes = cdb_getdata(&cdb);
	return value->bytes != NULL;
}

/* The record of that kind, of `scope` (a list's name; NULL: none), of `prefix` and `text`. */
static bool find(const struct org *org, enum org_kind kind, const char *scope, const char *prefix,
    const char *text, struct value *value)
{
	char key[ORG_KEY_MAX];
	size_t scope_len = scope != NULL ? strlen(scope) + 1 : 0;
	size_t prefix_len = strlen(prefix), len = strlen(text);

	if (scope_len > ORG_NAME_MAX || 1 + scope_len + prefix_len + len > sizeof key)
		return false;
	key[0] = (char)kind;
	if (scope != NULL)
		memcpy(key + 1, scope, scope_len);
	memcpy(key + 1 + scope_len, prefix, prefix_len);
	memcpy(key + 1 + scope_len + prefix_len, text, len);
	return find_key(org, key, 1 + scope_len + prefix_len + len, value);
}

/* ---- opening ---- */

static bool sum_good(int fd, uint64_t len)
{
	char tail[ORG_MARK_LEN + ORG_SUM_LEN], sum[DIGEST_HEX];
	uint64_t read;

	return pread(fd, tail, sizeof tail, (off_t)len) == (ssize_t)sizeof tail &&
	       memcmp(tail, ORG_MARK, ORG_MARK_LEN) == 0 && digest_file(fd, len, sum, &read) &&
	       read == len && memcmp(sum, tail + ORG_MARK_LEN, ORG_SUM_LEN) == 0;
}

static bool version_good(struct org *org)
{
	const size_t version = strlen(ORG_VERSION);
	const unsigned char *n;
	struct value v;

	if (!find(org, ORG_KIND_VERSION, NULL, "", "", &v) || v.len != version + 3 * ORG_NUMBER ||
	    memcmp(v.bytes, ORG_VERSION, version) != 0)
		return false;
	n = (const unsigned char *)v.bytes + version;
	org->counts = (struct org_counts){.people = cdb_unpack(n),
	    .addresses = cdb_unpack(n + ORG_NUMBER),
	    .partners = cdb_unpack(n + 2 * ORG_NUMBER)};
	return true;
}

static int map(struct org *org, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return errno;
	/* 2048 bytes are the tables at the head of every cdb. */
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)(2048 + ORG_MARK_LEN + ORG_SUM_LEN) ||
	    st.st_size > (off_t)ORG_FILE_MAX)
		return EPROTO;
	if (!sum_good(fd, (uint64_t)st.st_size - ORG_MARK_LEN - ORG_SUM_LEN))
		return EPROTO;
	errno = 0;
	if (cdb_init(&org->cdb, fd) != 0)
		return errno != 0 ? errno : EPROTO;
	if (version_good(org))
		return 0;
	cdb_free(&org->cdb);
	return EPROTO;
}

struct org *org_open(int dir)
{
	struct org *org = calloc(1, sizeof *org);
	int fd = -1, error = ENOMEM;

	if (org == NULL)
		goto fail;
	fd = openat(dir, ORG_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	error = fd < 0 ? errno : map(org, fd);
	if (error != 0)
		goto fail;
	(void)close(fd); /* it is mapped; only read: nothing can be lost */
	return org;

fail:
	if (fd >= 0)
		(void)close(fd);
	free(org);
	errno = error;
	return NULL;
}

void org_close(struct org *org)
{
	if (org == NULL)
		return;
	cdb_free(&org->cdb);
	free(org);
}

struct org_counts org_counts(const struct org *org)
{
	return org->counts;
}

/* ---- domains ---- */

static const char *domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at != NULL ? at + 1 : NULL;
}

/* The domain above; NULL: there is none. */
static const char *above(const char *domain)
{
	const char *dot = strchr(domain, '.');

	return dot != NULL && dot[1] != '\0' ? dot + 1 : NULL;
}

/* The byte that the domain has, or the nearest ".DOMAIN" above it; -1: none. */
static int byte_of(const struct org *org, enum org_kind kind, const char *domain)
{
	struct value v;

	if (find(org, kind, NULL, "", domain, &v))
		return v.len == 1 ? (unsigned char)v.bytes[0] : -1;
	for (domain = above(domain); domain != NULL; domain = above(domain)) {
		if (find(org, kind, NULL, ".", domain, &v))
			return v.len == 1 ? (unsigned char)v.bytes[0] : -1;
	}
	return -1;
}

enum policy_class org_class(const struct org *org, const char *address)
{
	const char *domain = domain_of(address);
	int class = domain != NULL ? byte_of(org, ORG_KIND_CLASS, domain) : CLASS_INTERNAL;

	return class >= 0 && class < CLASS_COUNT ? (enum policy_class) class : CLASS_EXTERNAL;
}

enum policy_tls org_tls(const struct org *org, const char *address)
{
	const char *domain = domain_of(address);
	int level = domain != NULL ? byte_of(org, ORG_KIND_TLS, domain) : -1;

	return level >= 0 && level < LEVEL_COUNT ? (enum policy_tls)level : LEVEL_NONE;
}

uint32_t org_partner(const struct org *org, const char *domain)
{
	char name[ADDRESS_TEXT_MAX];
	struct value v;

	if (!address_domain(domain, strlen(domain), name))
		return ORG_PARTNER_NONE;
	for (const char *at = name; at != NULL; at = above(at)) {
		if (find(org, ORG_KIND_PARTNER, NULL, "", at, &v))
			return v.len == ORG_NUMBER ? cdb_unpack((const unsigned char *)v.bytes)
						   : ORG_PARTNER_NONE;
	}
	return ORG_PARTNER_NONE;
}

const char *org_partner_name(const struct org *org, uint32_t partner, size_t *len)
{
	char number[16];
	struct value v;

	(void)snprintf(number, sizeof number, "%u", partner);
	if (partner == ORG_PARTNER_NONE || !find(org, ORG_KIND_COMPANY, NULL, "", number, &v))
		return NULL;
	*len = v.len;
	return v.bytes;
}

/* ---- under which names an address may stand ---- */

struct names {
	const char *address;
	char base[ORG_ADDRESS_MAX]; /* without its +detail, if that is nothing; else "" */
	const char *domain;         /* that comes next; NULL: none */
	enum { NAMES_ADDRESS, NAMES_BASE, NAMES_DOMAIN, NAMES_ABOVE } next;
	/* The name: */
	const char *prefix;
	const char *text;
};

/* Whose domain is our own sorts its +details itself; of others nobody knows what '+' is. */
static void set_base(struct names *n, const struct org *org)
{
	const char *address = n->address;
	size_t plus = strcspn(address, "+@"), len;

	n->base[0] = '\0';
	if (plus == 0 || address[plus] != '+' || address[0] == '"' || n->domain == NULL ||
	    org_class(org, address) != CLASS_INTERNAL)
		return;
	len = strlen(n->domain - 1);
	if (plus + len >= sizeof n->base)
		return;
	memcpy(n->base, address, plus);
	memcpy(n->base + plus, n->domain - 1, len + 1);
}

static void names_init(struct names *n, const struct org *org, const char *address)
{
	n->address = address;
	n->domain = domain_of(address);
	n->next = NAMES_ADDRESS;
	set_base(n, org);
}

/* The next name, the nearest first: the address, without detail, "@domain", "@.parent" … */
static bool names_next(struct names *n)
{
	n->prefix = "";
	switch (n->next) {
	case NAMES_ADDRESS:
		n->next = NAMES_BASE;
		n->text = n->address;
		return true;
	case NAMES_BASE:
		n->next = NAMES_DOMAIN;
		n->text = n->base;
		if (n->base[0] != '\0')
			return true;
		/* fall through */
	case NAMES_DOMAIN:
		n->next = NAMES_ABOVE;
		n->prefix = "@";
		n->text = n->domain;
		return n->domain != NULL;
	case NAMES_ABOVE:
		n->domain = n->domain != NULL ? above(n->domain) : NULL;
		n->prefix = "@.";
		n->text = n->domain;
		return n->domain != NULL;
	}
	return false;
}

/* ---- people ---- */

static bool person_called(const struct org *org, const char *address, struct org_person *person)
{
	struct value v;

	if (!find(org, ORG_KIND_PERSON, NULL, "", address, &v) || v.len < 2)
		return false;
	*person = (struct org_person){.address = v.bytes + 1,
	    .len = v.len - 1,
	    .shared = ((unsigned char)v.bytes[0] & ORG_PERSON_SHARED) != 0,
	    .english = ((unsigned char)v.bytes[0] & ORG_PERSON_ENGLISH) != 0};
	return true;
}

bool org_person(const struct org *org, const char *address, struct org_person *person)
{
	struct names n;

	names_init(&n, org, address);
	return person_called(org, address, person) ||
	       (n.base[0] != '\0' && person_called(org, n.base, person));
}

/* The own address of a person who is no shared mailbox; false: nobody's. */
static bool own_address(const struct org *org, const char *address, char own[ORG_ADDRESS_MAX])
{
	struct org_person person;

	if (!org_person(org, address, &person) || person.shared || person.len >= ORG_ADDRESS_MAX)
		return false;
	memcpy(own, person.address, person.len);
	own[person.len] = '\0';
	return true;
}

/* Takes the first of texts that each have a NUL behind them. */
static bool text_take(struct value *v, const char **text, size_t *len)
{
	const char *end = v->len > 0 ? memchr(v->bytes, '\0', v->len) : NULL;

	if (end == NULL)
		return false;
	*text = v->bytes;
	*len = (size_t)(end - v->bytes);
	v->bytes += *len + 1;
	v->len -= *len + 1;
	return true;
}

static void see_texts(
    const struct org *org, enum org_kind kind, const char *key, org_see *see, void *context)
{
	struct value v;
	const char *text;
	size_t len;

	if (!find(org, kind, NULL, "", key, &v))
		return;
	while (text_take(&v, &text, &len)) {
		if (!see(context, text, len))
			return;
	}
}

void org_own_domains(const struct org *org, org_see *see, void *context)
{
	see_texts(org, ORG_KIND_OWN, "", see, context);
}

void org_sends_as(const struct org *org, const char *address, org_see *see, void *context)
{
	see_texts(org, ORG_KIND_SENDS_AS, address, see, context);
}

bool org_login_of(const struct org *org, const char *address, char login[ORG_ADDRESS_MAX])
{
	struct value v;

	login[0] = '\0';
	if (!find(org, ORG_KIND_LOGIN_OF, NULL, "", address, &v) || v.len >= ORG_ADDRESS_MAX)
		return false;
	memcpy(login, v.bytes, v.len);
	login[v.len] = '\0';
	return v.len > 0;
}

void org_sharers(const struct org *org, const char *address, org_see *see, void *context)
{
	see_texts(org, ORG_KIND_SHARERS, address, see, context);
}

bool org_login_small(const char *login, char small[ORG_ADDRESS_MAX])
{
	size_t len = strlen(login);

	if (len >= ORG_ADDRESS_MAX)
		return false;
	for (size_t i = 0; i <= len; i++)
		small[i] =
		    (char)(login[i] >= 'A' && login[i] <= 'Z' ? login[i] - 'A' + 'a' : login[i]);
	return true;
}

bool org_login(const struct org *org, const char *login, char address[ORG_ADDRESS_MAX])
{
	char small[ORG_ADDRESS_MAX];
	struct value v;

	if (!org_login_small(login, small) || !find(org, ORG_KIND_LOGIN, NULL, "", small, &v) ||
	    v.len == 0 || v.len >= ORG_ADDRESS_MAX)
		return false;
	memcpy(address, v.bytes, v.len);
	address[v.len] = '\0';
	return true;
}

void org_bosses(const struct org *org, const char *address, org_see *see, void *context)
{
	char own[ORG_ADDRESS_MAX];

	if (own_address(org, address, own))
		see_texts(org, ORG_KIND_BOSSES, own, see, context);
}

void org_deputies(const struct org *org, const char *address, org_see *see, void *context)
{
	char own[ORG_ADDRESS_MAX];

	if (own_address(org, address, own))
		see_texts(org, ORG_KIND_DEPUTIES, own, see, context);
}

/* ---- groups ---- */

/* Where groups of the address stand, each in order of name. Returns how many places. */
static size_t group_places(
    const struct org *org, const char *address, struct value places[GROUP_PLACES])
{
	char own[ORG_ADDRESS_MAX];
	struct names n;
	size_t used = 0;

	if (own_address(org, address, own) && strcmp(own, address) != 0 &&
	    find(org, ORG_KIND_GROUPS, NULL, "", own, &places[used]))
		used++;
	names_init(&n, org, address);
	while (used < GROUP_PLACES && names_next(&n)) {
		if (find(org, ORG_KIND_GROUPS, NULL, n.prefix, n.text, &places[used]))
			used++;
	}
	return used;
}

/* How the first texts of two places stand to each other; one with none left comes last. */
static int place_order(const struct value *a, const struct value *b)
{
	if (a->len == 0 || b->len == 0)
		return (a->len == 0) - (b->len == 0);
	/* Checked by text_good(): there is a NUL. */
	return strcmp(a->bytes, b->bytes);
}

static bool text_good(const struct value *v)
{
	return v->len > 0 && v->bytes[v->len - 1] == '\0';
}

void org_groups(const struct org *org, const char *address, org_see *see, void *context)
{
	struct value places[GROUP_PLACES];
	size_t n = group_places(org, address, places), kept = 0;
	const char *last = NULL, *text;
	size_t len;

	for (size_t i = 0; i < n; i++) {
		if (text_good(&places[i]))
			places[kept++] = places[i];
	}
	for (;;) {
		struct value *first = NULL;

		for (size_t i = 0; i < kept; i++) {
			if (first == NULL || place_order(&places[i], first) < 0)
				first = &places[i];
		}
		if (first == NULL || !text_take(first, &text, &len))
			return;
		if (last != NULL && strcmp(last, text) == 0)
			continue;
		if (!see(context, text, len))
			return;
		last = text;
	}
}

void org_members(const struct org *org, const char *group, org_see *see, void *context)
{
	see_texts(org, ORG_KIND_MEMBERS, group, see, context);
}

bool org_in_group(const struct org *org, const char *group, const char *address)
{
	struct value places[GROUP_PLACES];
	size_t n = group_places(org, address, places), wanted = strlen(group), len;
	const char *text;

	for (size_t i = 0; i < n; i++) {
		while (text_take(&places[i], &text, &len)) {
			if (len == wanted && memcmp(text, group, len) == 0)
				return true;
		}
	}
	return false;
}

/* ---- lists and tables ---- */

bool org_in_list(const struct org *org, const char *list, const char *address)
{
	struct names n;
	struct value v;

	names_init(&n, org, address);
	while (names_next(&n)) {
		if (find(org, ORG_KIND_LIST, list, n.prefix, n.text, &v))
			return true;
	}
	return false;
}

const char *org_table_row(
    const struct org *org, const char *table, const char *address, size_t *len, unsigned *line)
{
	struct names n;
	struct value v;

	names_init(&n, org, address);
	while (names_next(&n)) {
		if (!find(org, ORG_KIND_ROW, table, n.prefix, n.text, &v) || v.len < ORG_NUMBER)
			continue;
		*line = cdb_unpack((const unsigned char *)v.bytes);
		*len = v.len - ORG_NUMBER;
		return v.bytes + ORG_NUMBER;
	}
	return NULL;
}

/* ---- days ---- */

bool org_holiday(const struct org *org, int year, int month, int day)
{
	char text[48];
	struct value v;

	(void)snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
	return find(org, ORG_KIND_HOLIDAY, NULL, "", text, &v);
}
