/* Between index.c and index_list.c: what the index is made of. Internal to them. */
#ifndef SEKISHO_HOLD_INDEX_INSIDE_H
#define SEKISHO_HOLD_INDEX_INSIDE_H

#include "lib/hold/index.h"

#define INDEX_ID_BYTES ((size_t)16)

/*
 * Most people have many legs, and most legs have people in common: those of one leg are a set, which legs
 * of the same people share.
 */
struct person;
struct set;

struct member {
	struct person *person;
	struct set *set;
	struct member *prev, *next; /* of the same person */
	bool asked;
};

struct set {
	void *next_hash;
	struct row *rows;
	size_t hash;
	size_t members;
	struct member member[];
};

struct person {
	void *next_hash;
	struct member *members;
	struct sorted
	    *sorted; /* his rows in order, while somebody asks for them; NULL: nobody does */
	size_t hash;
	char address[];
};

struct row {
	void *next_id, *next_group; /* of the same bucket */
	struct row *prev, *next;    /* of the same set */
	struct set *set;
	int64_t due;
	uint64_t group;
	unsigned char id[INDEX_ID_BYTES];
	unsigned char state;
	bool cut;
	unsigned char risk;
	unsigned char k_len;
	unsigned char text_len;
	char text[]; /* k, then what a query looks at; no NUL */
};

struct table {
	void **bucket;
	size_t buckets; /* a power of two; 0: none yet */
	size_t n;
};

struct index {
	struct table ids, groups, sets, persons;
	struct sorted *sorted; /* index_list.c */
	size_t n_sorted;
	uint64_t asked; /* questions so far: who was not asked about for the longest goes first */
};

/* NULL: nothing is known of him. */
struct person *index_person(const struct index *index, const char *address);

/* What is looked for, folded; the caller frees it. NULL: no memory, or no UTF-8. */
char *index_fold(const char *query);

/* Under which name a leg stands. */
struct leg_name index_name_of(const struct row *row);

/* ---- index_list.c: the rows of some people, kept in order ---- */

/* A row that has come, and one that goes. */
void index_sorted_add(struct index *index, struct row *row);
void index_sorted_take(struct index *index, const struct row *row);
/* One that is of another state now. */
void index_sorted_touch(struct index *index, const struct row *row);
void index_sorted_drop(struct index *index, struct sorted *sorted);

#endif
