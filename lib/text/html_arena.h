/* The memory of libgumbo, for those who parse HTML: bounded, as its time is. */
#ifndef SEKISHO_TEXT_HTML_ARENA_H
#define SEKISHO_TEXT_HTML_ARENA_H

#include <setjmp.h>

#include "lib/text/html.h"

#define ARENA_SMALL   ((size_t)1024)
#define ARENA_CLASSES (ARENA_SMALL / 16 + 1)

/*
 * All that libgumbo has. It does not ask whether there is memory, and frees a deep tree by recursion:
 * so a refusal jumps out of it, and everything is freed at once.
 */
struct html_arena {
	jmp_buf *full;
	size_t bound;
	size_t used;
	uint64_t until_ns; /* of the thread's processor time */
	unsigned calls;
	struct arena_chunk *chunks;
	struct arena_big *big;
	char *next;
	size_t left;
	struct arena_free *free[ARENA_CLASSES];
};

void html_arena_init(struct html_arena *a, const struct html_limits *limits, jmp_buf *full);
void *html_arena_alloc(void *arena, size_t size);
void html_arena_release(void *arena, void *block);
void html_arena_free(struct html_arena *a);

#endif
