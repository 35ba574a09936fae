#include <stdlib.h>
#include <string.h>

#include "lib/rules/parse.h"

/* Small enough that a site with three rules pays little, and a thousand rules need few. */
#define CHUNK ((size_t)16 * 1024)
#define ALIGN (_Alignof(max_align_t))

/* Texts, which need no alignment, are taken from its end. */
struct chunk {
	struct chunk *before;
	size_t used, room; /* room: up to the texts */
	max_align_t bytes[];
};

struct arena {
	struct chunk *last;
	size_t bound, taken; /* of all chunks */
};

struct arena *arena_new(size_t bound)
{
	struct arena *arena = calloc(1, sizeof *arena);

	if (arena != NULL)
		arena->bound = bound;
	return arena;
}

void arena_drop(struct arena *arena)
{
	struct chunk *chunk, *before;

	if (arena == NULL)
		return;
	for (chunk = arena->last; chunk != NULL; chunk = before) {
		before = chunk->before;
		free(chunk);
	}
	free(arena);
}

static struct chunk *grow(struct arena *arena, size_t size)
{
	size_t room = size > CHUNK ? size : CHUNK;
	size_t all;
	struct chunk *chunk;

	/* Near the bound a smaller piece will do. */
	if (room > arena->bound - arena->taken)
		room = size;
	if (room > arena->bound - arena->taken || !size_add(room, sizeof *chunk, &all))
		return NULL;
	chunk = calloc(1, all);
	if (chunk == NULL)
		return NULL;

	*chunk = (struct chunk){.before = arena->last, .room = room};
	arena->last = chunk;
	arena->taken += room;
	return chunk;
}

/* The chunk in which so much is left, or NULL. */
static struct chunk *with_room(struct arena *arena, size_t size)
{
	struct chunk *chunk = arena->last;

	return chunk != NULL && size <= chunk->room - chunk->used ? chunk : grow(arena, size);
}

void *arena_take(struct arena *arena, size_t size)
{
	size_t rounded;
	struct chunk *chunk;
	char *start;

	if (size == 0)
		size = 1; /* so that it is not NULL */
	if (!size_add(size, ALIGN - 1, &rounded))
		return NULL;
	rounded -= rounded % ALIGN;

	chunk = with_room(arena, rounded);
	if (chunk == NULL)
		return NULL;
	start = (char *)chunk->bytes + chunk->used;
	chunk->used += rounded;
	return start;
}

char *arena_text(struct arena *arena, const char *text, size_t len)
{
	struct chunk *chunk;
	char *copy;
	size_t size;

	if (!size_add(len, 1, &size))
		return NULL;
	chunk = with_room(arena, size);
	if (chunk == NULL)
		return NULL;
	chunk->room -= size;
	copy = (char *)chunk->bytes + chunk->room;
	if (len > 0)
		memcpy(copy, text, len);
	return copy; /* zeroed, so it is ended */
}
