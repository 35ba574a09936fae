#include "lib/db/look.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/db/places.h"

#define LOCAL_LEAST 3 /* bytes before the @: shorter ones are an edit apart by chance */
#define LABEL_LEAST 5 /* bytes of a label, for the same reason, when the rest may be any */
#define TEXT_MAX    UINT32_MAX
#define DEAD_MANY   4 /* one in so many: the table is made anew */

/* What a key is made of. */
enum key { KEY_LOCAL, KEY_DOMAIN, KEY_BASE };

struct address {
	uint32_t text;   /* where it begins */
	uint32_t domain; /* its number */
	uint16_t local;  /* bytes before the @ */
	bool dead;
};

struct domain {
	uint32_t text;
	uint16_t len;
	uint32_t known; /* addresses */
};

struct look {
	uint64_t seed;
	char *texts; /* NUL-ended */
	size_t texts_len, texts_room;
	struct address *address; /* from 1 */
	size_t addresses, address_room;
	size_t dead;
	struct domain *domain; /* from 1 */
	size_t domains, domain_room;
	struct places by_address; /* KEY_LOCAL, and what is left of it */
	struct places by_domain;  /* KEY_DOMAIN and what is left of it, KEY_BASE */
};

/* ---- edits ---- */

bool look_one_edit(const char *a, size_t a_len, const char *b, size_t b_len)
{
	while (a_len > 0 && b_len > 0 && *a == *b) {
		a++, b++;
		a_len--, b_len--;
	}
	while (a_len > 0 && b_len > 0 && a[a_len - 1] == b[b_len - 1])
		a_len--, b_len--;
	if (a_len == 2 && b_len == 2)
		return a[0] == b[1] && a[1] == b[0];
	return a_len <= 1 && b_len <= 1 && a_len + b_len > 0;
}

/* The length of the label of `a` in which the first byte stands that is not that of `b`. */
static size_t label_that_differs(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t at = 0, begin, end;

	while (at < a_len && at < b_len && a[at] == b[at])
		at++;
	for (begin = at; begin > 0 && a[begin - 1] != '.'; begin--)
		;
	for (end = at; end < a_len && a[end] != '.'; end++)
		;
	return end - begin;
}

/* ---- domains ---- */

/* Words that stand below a country's domain as a top-level domain stands elsewhere. */
static bool is_second_level(const char *label, size_t len)
{
	static const char *const words[] = {"ac", "ad", "co", "com", "ed", "edu", "go", "gob",
	    "gov", "gr", "lg", "ltd", "me", "ne", "net", "or", "org", "plc"};

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strlen(words[i]) == len && memcmp(words[i], label, len) == 0)
			return true;
	}
	return false;
}

/* How much of a domain stands before its top-level domain, without the dot. */
static size_t base_of(const char *domain, size_t len)
{
	const char *dot = memrchr(domain, '.', len), *second;
	size_t base;

	if (dot == NULL)
		return 0;
	base = (size_t)(dot - domain);
	if (len - base - 1 != 2)
		return base;
	second = memrchr(domain, '.', base);
	if (second != NULL && is_second_level(second + 1, base - (size_t)(second - domain) - 1))
		return (size_t)(second - domain);
	return base;
}

/* ---- hashes ---- */

static uint64_t mix(uint64_t hash, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
		hash ^= hash >> 29;
	}
	return hash;
}

static uint64_t finish(uint64_t hash)
{
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93u;
	hash ^= hash >> 32;
	return hash;
}

/* Of a text without its byte `gap` (its length: all of it), within something. */
static uint64_t hash_of(const struct look *look, enum key key, uint64_t within, const char *text,
    size_t len, size_t gap)
{
	uint64_t hash = look->seed ^ (uint64_t)key << 56 ^ within * 0x9e3779b97f4a7c15u;

	hash = mix(hash, text, gap);
	if (gap < len)
		hash = mix(hash, text + gap + 1, len - gap - 1);
	return finish(hash);
}

/* The same letter twice leaves the same. */
static bool repeats(const char *text, size_t gap, size_t len)
{
	return gap > 0 && gap < len && text[gap] == text[gap - 1];
}

/* ---- what there is ---- */

static const char *text_of(const struct look *look, const struct address *a)
{
	return look->texts + a->text;
}

static const char *name_of(const struct look *look, const struct domain *d)
{
	return look->texts + d->text;
}

static uint32_t find_domain(const struct look *look, const char *domain, size_t len)
{
	uint64_t hash = hash_of(look, KEY_DOMAIN, 0, domain, len, len);
	size_t at = 0;
	uint32_t n;

	while ((n = places_next(&look->by_domain, hash, &at)) != 0) {
		const struct domain *d = &look->domain[n];

		if (d->len == len && memcmp(name_of(look, d), domain, len) == 0)
			return n;
	}
	return 0;
}

/* The address, dead or not; 0: none. */
static uint32_t find(const struct look *look, const char *local, size_t len, uint32_t domain)
{
	uint64_t hash = hash_of(look, KEY_LOCAL, domain, local, len, len);
	size_t at = 0;
	uint32_t n;

	while ((n = places_next(&look->by_address, hash, &at)) != 0) {
		const struct address *a = &look->address[n];

		if (a->domain == domain && a->local == len &&
		    memcmp(text_of(look, a), local, len) == 0)
			return n;
	}
	return 0;
}

/* Where an address is cut. False: it is none that can be compared. */
static bool cut(const char *address, size_t *local, const char **domain, size_t *len)
{
	const char *at = strrchr(address, '@');

	if (at == NULL || at[1] == '\0' || strlen(address) > UINT16_MAX)
		return false;
	*local = (size_t)(at - address);
	*domain = at + 1;
	*len = strlen(at + 1);
	return true;
}

static uint32_t find_address(const struct look *look, const char *address)
{
	const char *domain;
	size_t local, len;
	uint32_t d;

	if (!cut(address, &local, &domain, &len))
		return 0;
	d = find_domain(look, domain, len);
	return d == 0 ? 0 : find(look, address, local, d);
}

bool look_has(const struct look *look, const char *address)
{
	uint32_t n = find_address(look, address);

	return n != 0 && !look->address[n].dead;
}

size_t look_count(const struct look *look)
{
	return look->addresses - look->dead;
}

/* ---- adding ---- */

static bool make_room(void *list, size_t *room, size_t used, size_t size)
{
	void **at = list, *more;
	size_t fresh = *room == 0 ? 256 : *room * 2;

	if (used + 1 < *room)
		return true;
	more = reallocarray(*at, fresh, size);
	if (more == NULL)
		return false;
	*at = more;
	*room = fresh;
	return true;
}

static bool add_text(struct look *look, const char *text, size_t len, uint32_t *where)
{
	size_t need = look->texts_len + len + 1;

	if (need > TEXT_MAX)
		return false;
	if (need > look->texts_room) {
		size_t room = need * 2;
		char *more = realloc(look->texts, room);

		if (more == NULL)
			return false;
		look->texts = more;
		look->texts_room = room;
	}
	memcpy(look->texts + look->texts_len, text, len);
	look->texts[look->texts_len + len] = '\0';
	*where = (uint32_t)look->texts_len;
	look->texts_len = need;
	return true;
}

/* It is found by itself, and without each of its letters. */
static bool add_places(const struct look *look, struct places *places, enum key key,
    uint64_t within, const char *text, size_t len, uint32_t number)
{
	for (size_t gap = 0; gap <= len; gap++) {
		if (!repeats(text, gap, len) &&
		    !places_add(places, hash_of(look, key, within, text, len, gap), number))
			return false;
	}
	return true;
}

static uint32_t add_domain(struct look *look, const char *name, size_t len)
{
	uint32_t number = find_domain(look, name, len);
	size_t base = base_of(name, len);
	struct domain d = {.len = (uint16_t)len};

	if (number != 0)
		return number;
	number = (uint32_t)look->domains + 1;
	if (look->domains + 1 >= UINT32_MAX ||
	    !make_room(&look->domain, &look->domain_room, number, sizeof *look->domain) ||
	    !add_text(look, name, len, &d.text))
		return 0;
	look->domain[number] = d;
	look->domains++;
	if (!add_places(look, &look->by_domain, KEY_DOMAIN, 0, name, len, number) ||
	    (base > 0 && !places_add(&look->by_domain, hash_of(look, KEY_BASE, 0, name, base, base),
			     number)))
		return 0;
	return number;
}

bool look_add(struct look *look, const char *address)
{
	const char *domain;
	size_t local, len;
	struct address a = {.dead = false};
	uint32_t number;

	if (!cut(address, &local, &domain, &len))
		return true; /* nothing is like it */
	a.domain = add_domain(look, domain, len);
	if (a.domain == 0)
		return false;
	number = find(look, address, local, a.domain);
	if (number != 0) {
		look->domain[a.domain].known += look->address[number].dead;
		look->dead -= look->address[number].dead;
		look->address[number].dead = false;
		return true;
	}
	number = (uint32_t)look->addresses + 1;
	a.local = (uint16_t)local;
	if (look->addresses + 1 >= UINT32_MAX ||
	    !make_room(&look->address, &look->address_room, number, sizeof *look->address) ||
	    !add_text(look, address, strlen(address), &a.text))
		return false;
	look->address[number] = a;
	look->addresses++;
	look->domain[a.domain].known++;
	return add_places(look, &look->by_address, KEY_LOCAL, a.domain, address, local, number);
}

/* ---- taking away ---- */

static void clear(struct look *look)
{
	free(look->texts);
	free(look->address);
	free(look->domain);
	places_clear(&look->by_address);
	places_clear(&look->by_domain);
}

/* Without those that are dead. Without memory it stays as it is. */
static void make_anew(struct look *look)
{
	struct look fresh = {.seed = look->seed};

	for (size_t i = 1; i <= look->addresses; i++) {
		const struct address *a = &look->address[i];

		if (!a->dead && !look_add(&fresh, text_of(look, a))) {
			clear(&fresh);
			return;
		}
	}
	clear(look);
	*look = fresh;
}

void look_remove(struct look *look, const char *address)
{
	uint32_t number = find_address(look, address);

	if (number == 0 || look->address[number].dead)
		return;
	look->address[number].dead = true;
	look->domain[look->address[number].domain].known--;
	look->dead++;
	if (look->dead > 1024 && look->dead > look->addresses / DEAD_MANY)
		make_anew(look);
}

/* ---- what it looks like ---- */

struct asked {
	const char *address, *domain;
	size_t local, domain_len;
	uint32_t number; /* of the domain; 0: nobody was ever known there */
	bool strange;    /* nobody is known there now */
};

static enum past_look is_like(enum past_look look, const char *text, char like[256])
{
	(void)snprintf(like, 256, "%s", text);
	return look;
}

/* One edit before the @. */
static const char *like_local(const struct look *look, const struct asked *q)
{
	if (q->strange)
		return NULL;
	for (size_t gap = 0; gap <= q->local; gap++) {
		uint64_t hash = hash_of(look, KEY_LOCAL, q->number, q->address, q->local, gap);
		size_t at = 0;
		uint32_t n;

		while ((n = places_next(&look->by_address, hash, &at)) != 0) {
			const struct address *a = &look->address[n];
			size_t longer = a->local > q->local ? a->local : q->local;

			if (!a->dead && a->domain == q->number && longer >= LOCAL_LEAST &&
			    look_one_edit(text_of(look, a), a->local, q->address, q->local))
				return text_of(look, a);
		}
	}
	return NULL;
}

/* Whether the same person, by what stands before the @, is known at another domain. */
static const char *same_at(const struct look *look, const struct asked *q, uint32_t domain)
{
	uint32_t n = find(look, q->address, q->local, domain);

	return n != 0 && !look->address[n].dead ? text_of(look, &look->address[n]) : NULL;
}

static bool long_enough(const struct asked *q, const char *name, size_t len)
{
	size_t mine = label_that_differs(q->domain, q->domain_len, name, len);
	size_t other = label_that_differs(name, len, q->domain, q->domain_len);

	return mine >= LABEL_LEAST && other >= LABEL_LEAST;
}

/* A domain one edit away: who is known there by the same name, else `*any` may be the domain. */
static const char *like_domain(const struct look *look, const struct asked *q, const char **any)
{
	for (size_t gap = 0; gap <= q->domain_len; gap++) {
		uint64_t hash = hash_of(look, KEY_DOMAIN, 0, q->domain, q->domain_len, gap);
		size_t at = 0;
		uint32_t n;

		while ((n = places_next(&look->by_domain, hash, &at)) != 0) {
			const struct domain *d = &look->domain[n];
			const char *name = name_of(look, d), *same;

			if (d->known == 0 || !look_one_edit(name, d->len, q->domain, q->domain_len))
				continue;
			same = same_at(look, q, n);
			if (same != NULL)
				return same;
			if (q->strange && *any == NULL && long_enough(q, name, d->len))
				*any = name;
		}
	}
	return NULL;
}

/* The same under another top-level domain. */
static const char *like_base(const struct look *look, const struct asked *q, const char **any)
{
	size_t base = base_of(q->domain, q->domain_len), at = 0;
	uint64_t hash = hash_of(look, KEY_BASE, 0, q->domain, base, base);
	uint32_t n;

	while (base > 0 && (n = places_next(&look->by_domain, hash, &at)) != 0) {
		const struct domain *d = &look->domain[n];
		const char *name = name_of(look, d), *same;

		if (d->known == 0 || n == q->number || base_of(name, d->len) != base ||
		    memcmp(name, q->domain, base) != 0)
			continue;
		same = same_at(look, q, n);
		if (same != NULL)
			return same;
		if (q->strange && *any == NULL && base >= LOCAL_LEAST)
			*any = name;
	}
	return NULL;
}

enum past_look look_find(const struct look *look, const char *address, char like[256])
{
	const char *edit_any = NULL, *tld_any = NULL, *same;
	struct asked q = {.address = address};
	char domain[256];

	like[0] = '\0';
	if (!cut(address, &q.local, &q.domain, &q.domain_len) || look_has(look, address))
		return LOOK_NONE;
	q.number = find_domain(look, q.domain, q.domain_len);
	q.strange = q.number == 0 || look->domain[q.number].known == 0;

	if ((same = like_local(look, &q)) != NULL ||
	    (same = like_domain(look, &q, &edit_any)) != NULL)
		return is_like(LOOK_EDIT, same, like);
	if ((same = like_base(look, &q, &tld_any)) != NULL)
		return is_like(LOOK_TLD, same, like);
	if (edit_any == NULL && tld_any == NULL)
		return LOOK_NONE;
	(void)snprintf(domain, sizeof domain, "@%s", edit_any != NULL ? edit_any : tld_any);
	return is_like(edit_any != NULL ? LOOK_EDIT : LOOK_TLD, domain, like);
}

struct look *look_new(void)
{
	struct look *look = calloc(1, sizeof *look);

	/* So that nobody can choose addresses that all stand in one place. */
	if (look != NULL &&
	    getrandom(&look->seed, sizeof look->seed, 0) != (ssize_t)sizeof look->seed) {
		free(look);
		return NULL;
	}
	return look;
}

void look_free(struct look *look)
{
	if (look == NULL)
		return;
	clear(look);
	free(look);
}
