#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mime/scan_inside.h"

#define ARENA_BOUND (16UL << 20)
#define CHUNK_FIRST 2048
#define CHUNK_MOST  65536
#define REPLACEMENT "\xef\xbf\xbd"

struct chunk {
	struct chunk *before;
	alignas(max_align_t) char bytes[];
};

struct mime_arena {
	struct chunk *last;
	size_t used; /* of it */
	size_t room;
	size_t total;
	bool full;
	bool failed;
};

/* ---- texts ---- */

struct mime_arena *mime_arena_open(void)
{
	return calloc(1, sizeof(struct mime_arena));
}

void mime_arena_free(struct mime_arena *arena)
{
	if (arena == NULL)
		return;
	while (arena->last != NULL) {
		struct chunk *before = arena->last->before;

		free(arena->last);
		arena->last = before;
	}
	free(arena);
}

static bool add_chunk(struct mime_arena *arena, size_t size)
{
	size_t room = arena->room == 0 ? CHUNK_FIRST : 2 * arena->room;
	struct chunk *chunk;

	if (room > CHUNK_MOST)
		room = CHUNK_MOST;
	if (room < size)
		room = size;
	if (room > ARENA_BOUND - arena->total) {
		arena->full = true;
		return false;
	}
	chunk = malloc(sizeof *chunk + room);
	if (chunk == NULL) {
		arena->failed = true;
		return false;
	}
	chunk->before = arena->last;
	arena->last = chunk;
	arena->used = 0;
	arena->room = room;
	arena->total += room;
	return true;
}

void *mime_arena_take(struct mime_arena *arena, size_t size)
{
	size_t whole = (size + alignof(void *) - 1) / alignof(void *) * alignof(void *);
	char *bytes;

	if (arena->room - arena->used < whole && !add_chunk(arena, whole))
		return NULL;
	bytes = arena->last->bytes + arena->used;
	arena->used += whole;
	return bytes;
}

const char *mime_arena_text(struct mime_arena *arena, const char *bytes, size_t len)
{
	size_t need = len + 1;
	char *copy, *to;

	if (len == 0)
		return "";
	for (size_t i = 0; i < len; i++)
		need += bytes[i] == '\0' ? sizeof REPLACEMENT - 2 : 0;
	copy = to = mime_arena_take(arena, need);
	if (copy == NULL)
		return "";
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != '\0') {
			*to++ = bytes[i];
			continue;
		}
		memcpy(to, REPLACEMENT, sizeof REPLACEMENT - 1);
		to += sizeof REPLACEMENT - 1;
	}
	*to = '\0';
	return copy;
}

bool mime_arena_full(const struct mime_arena *arena)
{
	return arena->full;
}

bool mime_arena_failed(const struct mime_arena *arena)
{
	return arena->failed;
}

/* ---- parts ---- */

void mime_tree_free(struct mime_tree *tree)
{
	mime_arena_free(tree->arena);
	free(tree->parts);
	*tree = (struct mime_tree){.count = 0};
}

const char *mime_param(const struct mime_part *part, const char *name)
{
	for (const struct mime_param *p = part->params; p != NULL; p = p->next) {
		if (strcmp(p->name, name) == 0)
			return p->value;
	}
	return "";
}

bool mime_is_leaf(const struct mime_part *part)
{
	return part->children == 0 || MIME_HAS(part->flags, LEAF_TOO);
}

/* ---- paths ---- */

/* Whether IMAP gives the part no number: it begins with those of its children. */
static bool is_bare(const struct mime_tree *tree, const struct mime_part *part)
{
	/* One that is a message, too, by another reading, may have other children. */
	if (!MIME_HAS(part->flags, ROOT) || !MIME_HAS(part->flags, MULTIPART) ||
	    MIME_HAS(part->flags, MESSAGE) || part->letter > 0)
		return false;
	return part->parent == MIME_NONE || !MIME_HAS(tree->parts[part->parent].flags, MULTIPART);
}

/* One step of a path, from its end backwards. Returns its start, or NULL: no room. */
static char *prepend(char *text, char *at, const struct mime_part *part, bool dot)
{
	/* An alternative message, too: "1a" is that of a part. */
	bool zero =
	    MIME_HAS(part->flags, ROOT) && (MIME_HAS(part->flags, MULTIPART) || part->letter > 0);
	char step[16];
	int len = snprintf(step, sizeof step, "%u", zero ? 0 : (unsigned)part->number);

	if (len > 0 && part->letter > 0)
		step[len++] = (char)('a' + (part->letter - 1) % 26);
	if (dot)
		step[len++] = '.';
	if (len <= 0 || at - text < len)
		return NULL;
	at -= len;
	memcpy(at, step, (size_t)len);
	return at;
}

bool mime_path(const struct mime_tree *tree, size_t index, char *text, size_t size)
{
	char path[MIME_PATH_MAX];
	char *at = path + sizeof path - 1;
	uint32_t next = (uint32_t)index;
	bool last = true;
	size_t len;

	*at = '\0';
	while (next != MIME_NONE) {
		const struct mime_part *part = tree->parts + next;

		if (last || !is_bare(tree, part))
			at = prepend(path, at, part, !last);
		if (at == NULL)
			return false;
		last = false;
		next = part->parent;
	}
	len = (size_t)(path + sizeof path - at);
	if (len > size)
		return false;
	memcpy(text, at, len);
	return true;
}

uint32_t mime_find(const struct mime_tree *tree, const char *path)
{
	char text[MIME_PATH_MAX];

	for (size_t i = 0; i < tree->count; i++) {
		if (mime_path(tree, i, text, sizeof text) && strcmp(text, path) == 0)
			return (uint32_t)i;
	}
	return MIME_NONE;
}

/* ---- headers, read again ---- */

bool mime_header(const struct source *source, const struct mime_part *part, struct buf *out)
{
	uint64_t size = part->body - part->start;
	size_t room = out->bound - out->len;
	size_t len = size < room ? (size_t)size : room;
	char *into = buf_reserve(out, len);
	ssize_t n;

	if (into == NULL) {
		errno = ENOMEM;
		return false;
	}
	n = source_read(source, part->start, into, len);
	if (n < 0)
		return false;
	out->len += (size_t)n;
	return true;
}

bool mime_names(const struct source *source, const struct mime_part *part, size_t most,
    struct param_readings *names)
{
	struct buf header;
	bool fine;

	buf_init(&header, most);
	fine = mime_header(source, part, &header);
	if (fine && !header_names(header.bytes, header.len, names)) {
		errno = ENOMEM;
		fine = false;
	}
	buf_free(&header);
	return fine;
}

/* ---- words ---- */

struct flag {
	const char *word;
	const char *meaning;
	bool ambiguous;
};

static const struct flag FLAGS[] = {
#define X(name, word, ambiguous, what) [MIME_NUMBER_##name] = {word, what, ambiguous},
    MIME_FLAGS(X)
#undef X
};

const char *mime_flag_word(enum mime_flag_number flag)
{
	return FLAGS[flag].word;
}

const char *mime_flag_meaning(enum mime_flag_number flag)
{
	return FLAGS[flag].meaning;
}

bool mime_flag_ambiguous(enum mime_flag_number flag)
{
	return FLAGS[flag].ambiguous;
}
