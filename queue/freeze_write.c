#include "queue/freeze.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "queue/freeze_table.h"
#include "queue/state_file.h"

#define FILE_MODE 0644 /* every worker of seki-deliver reads it; what stands in it is no secret */

/* The directory of the file, locked, and its name there. */
struct place {
	int dir;
	const char *name;
};

bool freeze_list(
    int lib, const char *file, freeze_see *see, void *context, struct conf_fault *fault)
{
	struct freeze_table t;
	bool fine = freeze_table_read(lib, file, &t, fault);

	for (size_t i = 0; fine && i < t.n; i++)
		see(context, &t.entry[i]);
	freeze_table_free(&t);
	return fine;
}

static void write_entry(struct buf *b, const struct freeze_entry *e)
{
	buf_add_text(b, freeze_kind_name(e->kind));
	if (e->kind != FREEZE_ALL) {
		buf_add_text(b, " ");
		buf_add_xtext(b, e->address, strlen(e->address));
	}
	buf_addf(b, " since=%s by=", e->since);
	buf_add_xtext(b, e->by, strlen(e->by));
	buf_add_text(b, " reason=");
	buf_add_xtext(b, e->reason, strlen(e->reason));
	buf_add_text(b, "\n");
}

/* Writes the table without entry `leave_out` (or n: with all), and `added` if it is not NULL. */
static enum freeze_done rewrite(const struct place *place, const struct freeze_table *t,
    size_t leave_out, const struct freeze_entry *added)
{
	struct buf b;
	enum freeze_done done = FREEZE_FAILED;

	buf_init(&b, FREEZE_FILE_MAX);
	for (size_t i = 0; i < t->n; i++) {
		if (i != leave_out)
			write_entry(&b, &t->entry[i]);
	}
	if (added != NULL)
		write_entry(&b, added);

	if (!buf_ok(&b))
		errno = ENOMEM;
	else if (state_file_replace(place->dir, place->name, b.bytes, b.len, FILE_MODE))
		done = FREEZE_DONE;
	buf_free(&b);
	return done;
}

static size_t position(const struct freeze_table *t, enum freeze_kind kind, const char *address)
{
	size_t i = 0;

	while (
	    i < t->n && (t->entry[i].kind != kind || strcasecmp(t->entry[i].address, address) != 0))
		i++;
	return i;
}

/*
 * Opens the file's own directory and locks it. It is opened anew each time, because a lock keeps
 * out only who has another open file: the threads of one program, too.
 */
static bool lock_place(int lib, const char *file, struct place *place)
{
	const char *slash = strchr(file, '/');
	char folder[32] = ".";

	place->name = slash != NULL ? slash + 1 : file;
	if (slash != NULL)
		(void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - file), file);
	place->dir = openat(lib, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (place->dir < 0)
		return false;
	while (flock(place->dir, LOCK_EX) != 0) {
		int error = errno;

		if (error == EINTR)
			continue;
		(void)close(place->dir);
		errno = error;
		return false;
	}
	return true;
}

static void unlock_place(const struct place *place)
{
	int error = errno;

	(void)close(place->dir);
	errno = error;
}

enum freeze_done freeze_add(
    int lib, const char *file, const struct freeze_entry *e, struct conf_fault *fault)
{
	struct freeze_table t = {.n = 0};
	enum freeze_done done = FREEZE_BAD;
	struct place place;

	*fault = freeze_no_fault(file);
	if (!freeze_address_fine(e->kind, e->address) || strlen(e->address) > FREEZE_TEXT_MAX ||
	    strlen(e->by) > FREEZE_TEXT_MAX || strlen(e->reason) > FREEZE_TEXT_MAX) {
		(void)conf_blame(fault, 0, 0, "the entry is too long, or its address is none");
		return FREEZE_BAD;
	}
	if (!lock_place(lib, file, &place))
		return FREEZE_FAILED;

	if (freeze_table_read(lib, file, &t, fault)) {
		if (position(&t, e->kind, e->address) < t.n)
			done = FREEZE_NOTHING;
		else if (t.n < FREEZE_ENTRIES_MAX)
			done = rewrite(&place, &t, t.n, e);
		else
			(void)conf_blame(fault, 0, 0, "has %zu entries already", t.n);
	}
	freeze_table_free(&t);
	unlock_place(&place);
	return done;
}

enum freeze_done freeze_remove(
    int lib, const char *file, enum freeze_kind kind, const char *address, struct conf_fault *fault)
{
	struct freeze_table t = {.n = 0};
	enum freeze_done done = FREEZE_BAD;
	struct place place;
	size_t at;

	*fault = freeze_no_fault(file);
	if (!lock_place(lib, file, &place))
		return errno == ENOENT ? FREEZE_NOTHING : FREEZE_FAILED;

	if (freeze_table_read(lib, file, &t, fault)) {
		at = position(&t, kind, address);
		done = at == t.n ? FREEZE_NOTHING : rewrite(&place, &t, at, NULL);
	}
	freeze_table_free(&t);
	unlock_place(&place);
	return done;
}
