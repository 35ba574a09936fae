#include "lib/routes/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/routes/table.h"

/* Of a line at most everything is kept, with a NUL behind each word. */
#define TEXT_MAX (2 * CONF_FILE_MAX)

#define FIRST_ROOM  64
#define FIRST_SLOTS ((size_t)256)

static char small(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* ---- the table ---- */

uint32_t route_table_text(struct routes *r, const char *text, size_t len)
{
	uint32_t at = (uint32_t)r->text.len;

	buf_add(&r->text, text, len);
	buf_add(&r->text, "", 1);
	return at;
}

bool route_table_grow(struct routes *r)
{
	if (r->n == r->room) {
		size_t room = r->room > 0 ? 2 * r->room : FIRST_ROOM;
		struct entry *entries = reallocarray(r->entries, room, sizeof *entries);

		if (entries == NULL)
			return false;
		r->entries = entries;
		r->room = room;
	}
	r->entries[r->n++] = (struct entry){.first_host = (uint32_t)r->hosted};
	return true;
}

bool route_table_host(struct routes *r, const char *name, size_t len, bool address, uint16_t port)
{
	if (r->hosted == r->host_room) {
		size_t room = r->host_room > 0 ? 2 * r->host_room : FIRST_ROOM;
		struct route_host *hosts = reallocarray(r->hosts, room, sizeof *hosts);
		uint32_t *names;

		if (hosts == NULL)
			return false;
		r->hosts = hosts;
		names = reallocarray(r->host_names, room, sizeof *names);
		if (names == NULL)
			return false;
		r->host_names = names;
		r->host_room = room;
	}

	r->host_names[r->hosted] = route_table_text(r, name, len);
	r->hosts[r->hosted++] = (struct route_host){.address = address, .port = port};
	r->entries[r->n - 1].route.hosts++;
	return buf_ok(&r->text);
}

/*
 * Of what stands behind the '@'. FNV-1a: the names in the table are the administrator's, so nobody
 * else can make them collide.
 */
static size_t slot_of(const struct routes *r, const char *name, size_t len)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)small(name[i])) * UINT64_C(0x100000001b3);
	return (size_t)(hash ^ hash >> 32) & (r->slot_count - 1);
}

static bool is_named(
    const struct routes *r, const struct entry *entry, const char *name, size_t len)
{
	const char *own = r->text.bytes + entry->domain + 1;

	for (size_t i = 0; i < len; i++) {
		if (own[i] == '\0' || own[i] != small(name[i]))
			return false;
	}
	return own[len] == '\0';
}

/* The slot that holds it, or the free one where it would go. */
static size_t find_slot(const struct routes *r, const char *name, size_t len)
{
	size_t slot = slot_of(r, name, len);

	while (r->slots[slot] != 0 && !is_named(r, &r->entries[r->slots[slot] - 1], name, len))
		slot = (slot + 1) & (r->slot_count - 1);
	return slot;
}

/* `name` is "example.com" or ".example.com". */
static const struct entry *find_name(const struct routes *r, const char *name, size_t len)
{
	size_t slot;

	if (r->slot_count == 0 || len > DOMAIN_BYTES_MAX)
		return NULL;
	slot = find_slot(r, name, len);
	return r->slots[slot] != 0 ? &r->entries[r->slots[slot] - 1] : NULL;
}

const struct entry *route_table_find(const struct routes *r, const char *domain, size_t len)
{
	if (len == 1 && domain[0] == '*')
		return r->all != 0 ? &r->entries[r->all - 1] : NULL;
	return len > 0 ? find_name(r, domain + 1, len - 1) : NULL;
}

/* Keeps half of the slots free. */
static bool make_slots(struct routes *r)
{
	size_t count = r->slot_count > 0 ? 2 * r->slot_count : FIRST_SLOTS;
	uint32_t *slots;

	if (2 * r->n <= r->slot_count)
		return true;
	slots = calloc(count, sizeof *slots);
	if (slots == NULL)
		return false;
	free(r->slots);
	r->slots = slots;
	r->slot_count = count;

	for (size_t i = 0; i + 1 < r->n; i++) {
		const char *name = r->text.bytes + r->entries[i].domain + 1;

		if (i + 1 != r->all)
			slots[find_slot(r, name, strlen(name))] = (uint32_t)i + 1;
	}
	return true;
}

bool route_table_index(struct routes *r)
{
	const char *domain = r->text.bytes + r->entries[r->n - 1].domain;

	if (domain[0] == '*') {
		r->all = r->n;
		return true;
	}
	if (!make_slots(r))
		return false;
	r->slots[find_slot(r, domain + 1, strlen(domain + 1))] = (uint32_t)r->n;
	return true;
}

/* ---- reading ---- */

/* Nothing moves any more: offsets become pointers. */
static void settle(struct routes *r)
{
	for (size_t i = 0; i < r->hosted; i++)
		r->hosts[i].name = r->text.bytes + r->host_names[i];
	for (size_t i = 0; i < r->n; i++) {
		struct entry *e = &r->entries[i];

		e->route.domain = r->text.bytes + e->domain;
		e->route.word = r->text.bytes + e->word;
		e->route.host = e->route.hosts > 0 ? r->hosts + e->first_host : NULL;
		if (e->login > 0)
			e->route.login = r->text.bytes + r->logins[e->login - 1].text;
	}
	free(r->host_names);
	r->host_names = NULL;
}

static struct routes *start(const char *file, struct conf_fault *fault)
{
	struct routes *r = calloc(1, sizeof *r);

	if (r == NULL) {
		*fault = (struct conf_fault){.line = 0};
		(void)snprintf(fault->file, sizeof fault->file, "%s", file);
		(void)conf_blame(fault, 0, 0, "no memory");
		return NULL;
	}
	buf_init(&r->text, TEXT_MAX);
	return r;
}

static struct routes *finish(struct routes *r, bool good)
{
	if (!good) {
		routes_free(r);
		return NULL;
	}
	settle(r);
	return r;
}

struct routes *routes_read(int etc, struct conf_fault *fault)
{
	struct routes *r = start("etc/routes", fault);

	if (r == NULL)
		return NULL;
	return finish(r, conf_read(etc, "routes", true, route_line_take, r, fault));
}

struct routes *routes_parse(
    const char *bytes, size_t len, const char *file, struct conf_fault *fault)
{
	struct routes *r = start(file, fault);

	if (r == NULL)
		return NULL;
	return finish(r, conf_parse(bytes, len, file, route_line_take, r, fault));
}

void routes_free(struct routes *routes)
{
	if (routes == NULL)
		return;
	free(routes->entries);
	free(routes->hosts);
	free(routes->host_names);
	free(routes->slots);
	buf_free(&routes->text);
	free(routes);
}

/* ---- questions ---- */

size_t routes_count(const struct routes *routes)
{
	return routes->n;
}

const struct route *routes_find(const struct routes *routes, const char *domain, size_t len)
{
	bool named = len > 0 && domain[0] != '.'; /* a dot would find what is for others */
	const struct entry *found = named ? find_name(routes, domain, len) : NULL;

	/* From the longest end on; a label of its own stands before each dot. */
	for (size_t i = 1; found == NULL && i < len && len <= DOMAIN_BYTES_MAX; i++) {
		if (domain[i] == '.')
			found = find_name(routes, domain + i, len - i);
	}
	if (found == NULL && routes->all != 0)
		found = &routes->entries[routes->all - 1];
	return found != NULL ? &found->route : NULL;
}

bool routes_check_logins(const struct routes *routes, int etc, struct conf_fault *fault)
{
	struct route_login login;

	for (size_t i = 0; i < routes->login_count; i++) {
		const struct login_name *name = &routes->logins[i];

		if (!route_login_read(etc, routes->text.bytes + name->text, &login, fault)) {
			if (fault->file[0] != '\0')
				return false;
			/* The file is not there: the line that names it is to blame. */
			(void)snprintf(fault->file, sizeof fault->file, "etc/routes");
			fault->line = name->line;
			fault->column = name->column;
			return false;
		}
		route_login_wipe(&login);
	}
	return true;
}
