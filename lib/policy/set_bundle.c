#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/policy/set_inside.h"

#define MARK "sekisho-rules 1\n"

static bool blame(struct conf_fault *fault, const char *text)
{
	return conf_blame(fault, 0, 0, "%s", text);
}

/* ---- names ---- */

static bool part_good(const char *part, size_t len)
{
	if (len == 0 || part[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)part[i] <= ' ' || part[i] == 0x7f || part[i] == '/')
			return false;
	}
	return true;
}

/* "must/NAME", "group/OWNER", "group/OWNER/NAME" and their like. */
static bool place(struct bundle_file *file, struct arena *arena)
{
	const char *slash = strchr(file->name, '/');
	const char *owner, *end;
	size_t len = slash != NULL ? (size_t)(slash - file->name) : 0;
	unsigned layer = 0;

	while (layer < LAYER_COUNT && (strlen(policy_layer_word(layer)) != len ||
					  memcmp(policy_layer_word(layer), file->name, len) != 0))
		layer++;
	if (slash == NULL || layer == LAYER_COUNT)
		return false;
	file->layer = (enum policy_layer)layer;
	owner = slash + 1;
	if (layer == LAYER_MUST || layer == LAYER_DEFAULT)
		return part_good(owner, strlen(owner));

	end = strchrnul(owner, '/');
	if (!part_good(owner, (size_t)(end - owner)) ||
	    (*end == '/' && !part_good(end + 1, strlen(end + 1))))
		return false;
	file->owner = arena_text(arena, owner, (size_t)(end - owner));
	return file->owner != NULL;
}

static int by_place(const void *a, const void *b)
{
	const struct bundle_file *x = a, *y = b;
	int order;

	if (x->layer != y->layer)
		return x->layer < y->layer ? -1 : 1;
	order = x->owner != NULL && y->owner != NULL ? strcmp(x->owner, y->owner) : 0;
	return order != 0 ? order : strcmp(x->name, y->name);
}

/* ---- the file ---- */

static bool add(struct bundle *bundle, const struct bundle_file *file)
{
	if (bundle->files == bundle->room) {
		size_t room = bundle->room == 0 ? 16 : bundle->room * 2;
		struct bundle_file *more = reallocarray(bundle->file, room, sizeof *more);

		if (more == NULL)
			return false;
		bundle->file = more;
		bundle->room = room;
	}
	bundle->file[bundle->files++] = *file;
	return true;
}

/* "file NAME SIZE\n", and where it ends; NULL: it is none. */
static const char *read_head(
    const char *at, const char *end, char name[BUNDLE_NAME_MAX], size_t *size)
{
	const char *line_end = memchr(at, '\n', (size_t)(end - at));
	const char *blank;
	size_t len;

	if (line_end == NULL || line_end - at < 5 || memcmp(at, "file ", 5) != 0)
		return NULL;
	at += 5;
	blank = memchr(at, ' ', (size_t)(line_end - at));
	if (blank == NULL || (size_t)(blank - at) >= BUNDLE_NAME_MAX || line_end - blank < 2 ||
	    line_end - blank > 10 || memchr(at, '\0', (size_t)(blank - at)) != NULL)
		return NULL;
	len = (size_t)(blank - at);
	memcpy(name, at, len);
	name[len] = '\0';
	*size = 0;
	for (at = blank + 1; at < line_end; at++) {
		if (*at < '0' || *at > '9')
			return NULL;
		*size = *size * 10 + (size_t)(*at - '0');
	}
	return line_end + 1;
}

static bool read_one(struct bundle *bundle, struct arena *arena, const char **at, const char *end,
    struct conf_fault *fault)
{
	char name[BUNDLE_NAME_MAX];
	struct bundle_file file = {.owner = NULL};

	file.bytes = read_head(*at, end, name, &file.len);
	if (file.bytes == NULL || file.len > (size_t)(end - file.bytes))
		return blame(fault, "is damaged: compile again");
	*at = file.bytes + file.len;
	if (strcmp(name, "allow") == 0 && bundle->allow == NULL) {
		bundle->allow = file.bytes;
		bundle->allow_len = file.len;
		return true;
	}
	file.name = arena_text(arena, name, strlen(name));
	if (file.name == NULL)
		return blame(fault, "no memory");
	if (!place(&file, arena))
		return conf_blame(fault, 0, 0, "\"%.200s\" is no place for rules", name);
	return add(bundle, &file) || blame(fault, "no memory");
}

bool bundle_read(struct bundle *bundle, struct arena *arena, const char *bytes, size_t len,
    struct conf_fault *fault)
{
	const char *at = bytes, *end = bytes + len;

	*bundle = (struct bundle){.files = 0};
	if (len < strlen(MARK) || memcmp(bytes, MARK, strlen(MARK)) != 0)
		return blame(fault, "is not a compiled set of rules");
	for (at += strlen(MARK); at < end;) {
		if (!read_one(bundle, arena, &at, end, fault))
			return false;
	}

	/* It comes in this order already; nothing may depend on who wrote it. */
	if (bundle->files > 0)
		qsort(bundle->file, bundle->files, sizeof bundle->file[0], by_place);
	for (size_t i = 1; i < bundle->files; i++) {
		if (strcmp(bundle->file[i - 1].name, bundle->file[i].name) == 0)
			return conf_blame(
			    fault, 0, 0, "\"%.200s\" is there twice", bundle->file[i].name);
	}
	return true;
}

void bundle_free(struct bundle *bundle)
{
	free(bundle->file);
	*bundle = (struct bundle){.files = 0};
}
