#include "lib/hold/lines.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Ids are random in their end, so that nobody chooses where his mail's line stands. */
static size_t place_of(const struct line_source *source, const char *address)
{
	size_t hash = 5381;

	for (const char *at = source->place.name.id + ID_LEN / 2; *at != '\0'; at++)
		hash = hash * 33 + (unsigned char)*at;
	for (const char *at = source->place.name.k; *at != '\0'; at++)
		hash = hash * 33 + (unsigned char)*at;
	for (const char *at = address; *at != '\0'; at++)
		hash = hash * 33 + (unsigned char)*at;
	return hash % LINES_KEPT;
}

bool line_source(const struct hold *h, const struct leg_place *place, struct line_source *source)
{
	char name[NAME_TEXT];
	struct stat st;

	name_format(&place->name, place->state, name);
	if (fstatat(h->stage->spool.dir[place->state], name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	*source = (struct line_source){.place = *place,
	    .inode = st.st_ino,
	    .size = st.st_size,
	    .changed = st.st_mtim,
	    .views = h->views};
	return true;
}

static bool same(const struct line_source *a, const struct line_source *b)
{
	return a->place.state == b->place.state && a->place.name.due == b->place.name.due &&
	       name_same_leg(&a->place.name, &b->place.name) && a->inode == b->inode &&
	       a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
	       a->changed.tv_nsec == b->changed.tv_nsec && a->views == b->views;
}

json_t *lines_find(const struct lines *lines, const struct line_source *source, const char *address)
{
	const struct line_kept *kept = &lines->kept[place_of(source, address)];

	if (kept->line == NULL || !same(&kept->source, source) ||
	    strcmp(kept->address, address) != 0)
		return NULL;
	return json_incref(kept->line);
}

static void drop(struct line_kept *kept)
{
	json_decref(kept->line);
	free(kept->address);
	*kept = (struct line_kept){.line = NULL};
}

void lines_keep(
    struct lines *lines, const struct line_source *source, const char *address, json_t *line)
{
	struct line_kept *kept = &lines->kept[place_of(source, address)];

	drop(kept);
	kept->address = strdup(address);
	if (kept->address == NULL)
		return;
	kept->source = *source;
	kept->line = json_incref(line);
}

void lines_clear(struct lines *lines)
{
	for (size_t i = 0; i < LINES_KEPT; i++)
		drop(&lines->kept[i]);
}
