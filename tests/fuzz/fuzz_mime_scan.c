/*
 * The scanner: ranges are in order and within each other, each part has a path of its own, a second
 * scan says the same, and parts that a clear message was cut out of are not there any more.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/mime/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct mime_limits LIMITS = {.depth = 8, .parts = 64, .header = 512};

static struct source source_of(const void *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	return (struct source){.fd = fd, .size = size};
}

static void check(bool fine)
{
	if (!fine)
		abort();
}

static void check_part(const struct mime_tree *t, size_t i, const struct source *source)
{
	const struct mime_part *p = t->parts + i;
	struct param_readings names;
	char path[MIME_PATH_MAX];

	check(p->line <= p->start && p->start <= p->body && p->body <= p->end);
	check(p->end <= p->next && p->next <= source->size);
	check(p->body <= p->preamble && p->preamble <= p->end);
	check(p->body <= p->epilogue && p->epilogue <= p->end);
	check(p->depth <= LIMITS.depth && p->boundaries <= MIME_BOUNDARIES);
	if (p->parent != MIME_NONE) {
		const struct mime_part *above = t->parts + p->parent;

		check(p->parent < i && p->depth == above->depth + 1);
		check(p->line >= above->body && p->next <= above->next);
		check(p->number >= 1 && p->number <= above->children);
	}
	check(strlen(p->type) <= MIME_TYPE_MAX && strlen(p->subtype) <= MIME_TYPE_MAX);
	check(strlen(p->name) <= 3 * MIME_TEXT_MAX && strlen(p->id) <= 3 * MIME_TEXT_MAX);
	check(mime_path(t, i, path, sizeof path));
	check(mime_find(t, path) == i);

	param_readings_init(&names);
	check(mime_names(source, p, LIMITS.header, &names));
	param_readings_free(&names);
}

/* A part that is one of a multipart, and of which there is one reading. */
static bool can_be_dropped(const struct mime_tree *t, size_t i)
{
	const struct mime_part *p = t->parts + i;

	for (int f = 0; f < MIME_FLAG_COUNT; f++) {
		if ((t->flags >> f & 1) != 0 && mime_flag_ambiguous((enum mime_flag_number)f))
			return false;
	}
	return t->limits == 0 && p->parent != MIME_NONE && !MIME_HAS(p->flags, ROOT) &&
	       p->line < p->next;
}

static void check_drop(const struct mime_tree *t, size_t i, const uint8_t *data, size_t size)
{
	const struct mime_part *p = t->parts + i;
	size_t cut = (size_t)(p->next - p->line);
	uint8_t *less = malloc(size);
	struct source source;
	struct mime_tree without;
	size_t below = 1;

	check(less != NULL);
	memcpy(less, data, (size_t)p->line);
	memcpy(less + p->line, data + p->next, size - (size_t)p->next);
	source = source_of(less, size - cut);
	check(mime_scan(&source, &LIMITS, &without));
	for (size_t j = i + 1; j < t->count && t->parts[j].depth > p->depth; j++)
		below++;
	check(without.count == t->count - below);
	mime_tree_free(&without);
	close(source.fd);
	free(less);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source source = source_of(data, size);
	struct mime_tree t, again;

	check(mime_scan(&source, &LIMITS, &t) && mime_scan(&source, &LIMITS, &again));
	check(t.count >= 1 && t.count <= LIMITS.parts);
	check(t.count == again.count && t.flags == again.flags && t.limits == again.limits);
	for (size_t i = 0; i < t.count; i++)
		check_part(&t, i, &source);
	for (size_t i = 1; i < t.count && i < 4; i++) {
		if (can_be_dropped(&t, i))
			check_drop(&t, i, data, size);
	}
	mime_tree_free(&t);
	mime_tree_free(&again);
	close(source.fd);
	return 0;
}
