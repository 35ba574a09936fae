/* The file `rules` with one of its files changed, as if all of etc/ had been read again. */
#include <stdio.h>
#include <string.h>

#include "lib/policy/set_inside.h"

#define MARK "sekisho-rules 1\n"

/* What bundle_read makes of them. False with `fault`; call `end` in any case. */
struct taken {
	struct arena *arena;
	struct bundle bundle;
};

static bool take(struct taken *t, const char *rules, size_t len, struct conf_fault *fault)
{
	*t = (struct taken){.arena = arena_new(SET_ARENA_MAX)};
	if (t->arena == NULL)
		return conf_blame(fault, 0, 0, "no memory");
	return bundle_read(&t->bundle, t->arena, rules, len, fault);
}

static void end(struct taken *t)
{
	bundle_free(&t->bundle);
	if (t->arena != NULL)
		arena_free(t->arena);
}

const char *policy_rules_find(const char *rules, size_t len, const char *name, size_t *n)
{
	struct conf_fault fault;
	const char *found = NULL;
	struct taken t;

	*n = 0;
	if (take(&t, rules, len, &fault)) {
		for (size_t i = 0; i < t.bundle.files; i++) {
			if (strcmp(t.bundle.file[i].name, name) != 0)
				continue;
			found = t.bundle.file[i].bytes; /* in `rules` */
			*n = t.bundle.file[i].len;
		}
	}
	end(&t);
	return found;
}

static void put(struct buf *into, const char *name, const char *bytes, size_t n)
{
	buf_addf(into, "file %s %zu\n", name, n);
	buf_add(into, bytes, n);
}

/* Whether the file comes behind the place of user/`owner`. */
static bool is_behind(const struct bundle_file *file, const char *owner)
{
	if (file->layer != LAYER_USER)
		return file->layer > LAYER_USER;
	return strcmp(file->owner, owner) > 0;
}

bool policy_rules_change(const char *rules, size_t len, const char *name, const char *bytes,
    size_t n, struct buf *into, struct conf_fault *fault)
{
	const char *owner = strncmp(name, "user/", 5) == 0 ? name + 5 : "";
	bool placed = n == 0, good;
	struct taken t;

	*fault = (struct conf_fault){.file = "rules"};
	good = take(&t, rules, len, fault);
	if (good) {
		buf_add_text(into, MARK);
		if (t.bundle.allow != NULL)
			put(into, "allow", t.bundle.allow, t.bundle.allow_len);
	}
	for (size_t i = 0; good && i < t.bundle.files; i++) {
		const struct bundle_file *file = &t.bundle.file[i];

		if (!placed && is_behind(file, owner)) {
			put(into, name, bytes, n);
			placed = true;
		}
		if (strcmp(file->name, name) != 0)
			put(into, file->name, file->bytes, file->len);
	}
	if (good && !placed)
		put(into, name, bytes, n);
	end(&t);
	return good && (buf_ok(into) || conf_blame(fault, 0, 0, "too many rules, or no memory"));
}
