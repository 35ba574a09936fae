#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/text/html_inside.h"

#define CHUNK      ((size_t)65536)
#define CLOCK_EACH 64 /* calls: one token is never more than a walk of the open elements */

struct arena_chunk {
	struct arena_chunk *next;
	size_t pad;
};

/* Before each small block. */
struct arena_head {
	size_t room;
	size_t pad; /* blocks are aligned as by malloc(3) */
};

struct arena_free {
	struct arena_free *next;
};

struct arena_big {
	struct arena_big *next;
	struct arena_big *before;
	size_t pad;
	struct arena_head head; /* directly before the block */
};

static uint64_t cpu_ns(void)
{
	struct timespec now = {0, 0};

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void html_arena_init(struct html_arena *a, const struct html_limits *limits, jmp_buf *full)
{
	*a = (struct html_arena){.full = full, .bound = limits->memory};
	a->until_ns = cpu_ns() + (uint64_t)limits->cpu_ms * 1000000u;
}

NORETURN static void refuse(struct html_arena *a)
{
	longjmp(*a->full, 1);
}

/* Memory of libc, within the bound. */
static void *charged(struct html_arena *a, size_t size)
{
	size_t used;
	void *block;

	if (!size_add(a->used, size, &used) || used > a->bound)
		refuse(a);
	block = malloc(size);
	if (block == NULL)
		refuse(a);
	a->used = used;
	return block;
}

static void *big(struct html_arena *a, size_t size)
{
	size_t room;
	struct arena_big *b;

	if (!size_add(size, sizeof *b, &room))
		refuse(a);
	b = charged(a, room);
	*b = (struct arena_big){.next = a->big, .head = {.room = size}};
	if (a->big != NULL)
		a->big->before = b;
	a->big = b;
	return b + 1;
}

void *html_arena_alloc(void *arena, size_t size)
{
	struct html_arena *a = arena;
	size_t class = (size + 15) / 16, room = class * 16;
	struct arena_head *head;

	if (++a->calls % CLOCK_EACH == 0 && cpu_ns() > a->until_ns)
		refuse(a);
	if (size > ARENA_SMALL)
		return big(a, size);
	if (a->free[class] != NULL) {
		void *block = a->free[class];

		a->free[class] = a->free[class]->next;
		return block;
	}

	if (a->left < room + sizeof *head) {
		struct arena_chunk *chunk = charged(a, CHUNK);

		chunk->next = a->chunks;
		a->chunks = chunk;
		a->next = (char *)(chunk + 1);
		a->left = CHUNK - sizeof *chunk;
	}
	head = (struct arena_head *)(void *)a->next;
	head->room = room;
	a->next += sizeof *head + room;
	a->left -= sizeof *head + room;
	return head + 1;
}

void html_arena_release(void *arena, void *block)
{
	struct html_arena *a = arena;
	struct arena_head *head;
	struct arena_big *b;

	if (block == NULL)
		return;
	head = (struct arena_head *)block - 1;
	if (head->room <= ARENA_SMALL) {
		struct arena_free *f = block;

		if (head->room > 0) {
			f->next = a->free[head->room / 16];
			a->free[head->room / 16] = f;
		}
		return;
	}

	b = (struct arena_big *)block - 1;
	if (b->next != NULL)
		b->next->before = b->before;
	if (b->before != NULL)
		b->before->next = b->next;
	else
		a->big = b->next;
	a->used -= b->head.room + sizeof *b;
	free(b);
}

void html_arena_free(struct html_arena *a)
{
	while (a->chunks != NULL) {
		struct arena_chunk *chunk = a->chunks;

		a->chunks = chunk->next;
		free(chunk);
	}
	while (a->big != NULL) {
		struct arena_big *b = a->big;

		a->big = b->next;
		free(b);
	}
}
