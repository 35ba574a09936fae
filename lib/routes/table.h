/* The routes while they are read. Internal to lib/routes. */
#ifndef SEKISHO_ROUTES_TABLE_H
#define SEKISHO_ROUTES_TABLE_H

#include "lib/routes/routes.h"

#define DOMAIN_BYTES_MAX     255
#define LOGIN_NAME_BYTES_MAX 64

/* Offsets are into routes->text: pointers are made when nothing moves any more. */
struct entry {
	struct route route;
	uint32_t domain;
	uint32_t word;
	uint32_t login;      /* 0, or the number of a login name from 1 on */
	uint32_t first_host; /* index */
};

struct login_name {
	uint32_t text;
	unsigned line, column; /* where it stands first */
};

struct routes {
	struct entry *entries;
	size_t n;
	size_t room;

	struct route_host *hosts;
	uint32_t *host_names;
	size_t hosted;
	size_t host_room;

	uint32_t *slots;   /* a hash table: 0, or the number of an entry from 1 on */
	size_t slot_count; /* 0, or a power of two; at most half of them are taken */
	size_t all;        /* 0, or the number of the entry "*" */

	struct login_name logins[ROUTE_LOGINS_MAX];
	size_t login_count;

	struct buf text;
};

/* Adds a NUL-ended text; its offset. buf_ok tells whether it is there. */
uint32_t route_table_text(struct routes *r, const char *text, size_t len);

/* Makes a new last entry. False: no memory. */
NODISCARD bool route_table_grow(struct routes *r);

/* Adds a host to the last entry. False: no memory. */
NODISCARD bool route_table_host(
    struct routes *r, const char *name, size_t len, bool address, uint16_t port);

/* The entry with this domain ("@example.com", "*"), or NULL. */
const struct entry *route_table_find(const struct routes *r, const char *domain, size_t len);

/* Puts the last entry, whose domain is there, into the hash table. False: no memory. */
NODISCARD bool route_table_index(struct routes *r);

/* A conf_take: one line of the file. */
bool route_line_take(void *context, const struct conf_line *line, struct conf_fault *fault);

/* Whether it can be the name of a file in etc/logins/. */
NODISCARD bool route_login_name_good(const char *name, size_t len);

#endif
