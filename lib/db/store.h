/*
 * The store behind seki-db(8): tables of keys and values, in order of the keys, and transactions.
 * Everything that knows which database it is stands in one file, so that another can take its place.
 * One process, one thread, one transaction at a time; reading within it sees what it has written.
 *
 * What fails is logged here (history-failed). A store that cannot be trusted any more ends the
 * program: it is recovered at the next start.
 */
#ifndef SEKISHO_DB_STORE_H
#define SEKISHO_DB_STORE_H

#include "lib/base/compat.h"

#define STORE_KEY_MAX   ((size_t)4096)
#define STORE_VALUE_MAX ((size_t)65536)

enum store_table {
	STORE_META,   /* how far trays were read, the last report, people */
	STORE_COUNT,  /* who has written to whom */
	STORE_SENDER, /* enrolled addresses, and the groups of senders */
	STORE_NAME,   /* display names */
	STORE_DAY,    /* what happened each day, and the peaks of the months */
	STORE_SENT,   /* mail that has left, by who sent it; its pairs are numbered */
	STORE_TABLES
};

enum store_opening {
	STORE_OPEN,
	STORE_DAMAGED, /* beyond what recovery can do: a person must look */
	STORE_UNABLE,  /* no room, no memory, no permission, somebody else has it: try again */
};

struct store;

/* Opens the store in `dir`, recovering what a crash left; made if there is none. What is wrong stands
 * in `fault`. */
NODISCARD enum store_opening store_open(
    const char *dir, struct store **store, char *fault, size_t room);

/* Everything that was committed is on disk when it returns. */
void store_close(struct store *store);

enum store_found { STORE_FOUND, STORE_NONE, STORE_FAILED };

/* The value, `*len` bytes of it; one that is longer than `room` is STORE_FAILED. */
NODISCARD enum store_found store_get(struct store *store, enum store_table table, const void *key,
    size_t key_len, void *value, size_t room, size_t *len);

NODISCARD bool store_begin(struct store *store);
NODISCARD bool store_put(struct store *store, enum store_table table, const void *key,
    size_t key_len, const void *value, size_t len);

/* What is not there is deleted. */
NODISCARD bool store_delete(
    struct store *store, enum store_table table, const void *key, size_t key_len);

/* Durable when it returns true. False: nothing of it was done. */
NODISCARD bool store_commit(struct store *store);
void store_abort(struct store *store);

/* Sees each pair from the first key on that is not before `from`; false from `see` stops. It must not
 * change the table. */
typedef bool store_see(
    void *context, const char *key, size_t key_len, const char *value, size_t len);
NODISCARD bool store_walk(struct store *store, enum store_table table, const void *from,
    size_t from_len, store_see *see, void *context);

/* Of a table whose pairs are numbered, from 0 in order of the keys: how many stand before `key`. It takes no
 * longer when there are more. */
NODISCARD bool store_rank(
    struct store *store, enum store_table table, const void *key, size_t key_len, uint64_t *rank);

/* Sees each pair from that number on, as store_walk does. */
NODISCARD bool store_walk_at(
    struct store *store, enum store_table table, uint64_t rank, store_see *see, void *context);

/* From time to time: what was logged goes to its place, and old logs go. */
void store_checkpoint(struct store *store);

#endif
