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

#define NEW_FILE  FREEZE_FILE ".new"
#define FILE_MODE 0644 /* every worker of seki-deliver reads it; what stands in it is no secret */

bool freeze_list(int lib, freeze_see *see, void *context, struct conf_fault *fault)
{
	struct freeze_table t;
	bool fine = freeze_table_read(lib, &t, fault);

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

/* Puts `b` in the place of the file, durably. The rename is the commit. */
static bool replace(int lib, const struct buf *b)
{
	int fd = openat(lib, NEW_FILE,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, FILE_MODE);
	bool good;
	int error;

	if (fd < 0)
		return false;
	errno = EIO; /* of a short write */
	good = fchmod(fd, FILE_MODE) == 0 && write(fd, b->bytes, b->len) == (ssize_t)b->len &&
	       fsync(fd) == 0;
	error = errno;
	if (close(fd) != 0 && good) {
		good = false;
		error = errno;
	}
	errno = error;
	return good && renameat(lib, NEW_FILE, lib, FREEZE_FILE) == 0 && fsync(lib) == 0;
}

/* Writes the table without entry `leave_out` (or n: with all), and `added` if it is not NULL. */
static enum freeze_done rewrite(
    int lib, const struct freeze_table *t, size_t leave_out, const struct freeze_entry *added)
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
	else if (replace(lib, &b))
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

static bool lock_directory(int lib)
{
	while (flock(lib, LOCK_EX) != 0) {
		if (errno != EINTR)
			return false;
	}
	return true;
}

enum freeze_done freeze_add(int lib, const struct freeze_entry *e, struct conf_fault *fault)
{
	struct freeze_table t = {.n = 0};
	enum freeze_done done = FREEZE_BAD;
	int error;

	*fault = (struct conf_fault){.file = FREEZE_FILE_SHOWN};
	if (!freeze_address_fine(e->kind, e->address) || strlen(e->address) > FREEZE_TEXT_MAX ||
	    strlen(e->by) > FREEZE_TEXT_MAX || strlen(e->reason) > FREEZE_TEXT_MAX) {
		(void)conf_blame(fault, 0, 0, "the entry is too long, or its address is none");
		return FREEZE_BAD;
	}
	if (!lock_directory(lib))
		return FREEZE_FAILED;

	if (freeze_table_read(lib, &t, fault)) {
		if (position(&t, e->kind, e->address) < t.n)
			done = FREEZE_NOTHING;
		else if (t.n < FREEZE_ENTRIES_MAX)
			done = rewrite(lib, &t, t.n, e);
		else
			(void)conf_blame(fault, 0, 0, "has %zu entries already", t.n);
	}
	error = errno;
	freeze_table_free(&t);
	(void)flock(lib, LOCK_UN);
	errno = error;
	return done;
}

enum freeze_done freeze_remove(
    int lib, enum freeze_kind kind, const char *address, struct conf_fault *fault)
{
	struct freeze_table t = {.n = 0};
	enum freeze_done done = FREEZE_BAD;
	size_t at;
	int error;

	*fault = (struct conf_fault){.file = FREEZE_FILE_SHOWN};
	if (!lock_directory(lib))
		return FREEZE_FAILED;

	if (freeze_table_read(lib, &t, fault)) {
		at = position(&t, kind, address);
		done = at == t.n ? FREEZE_NOTHING : rewrite(lib, &t, at, NULL);
	}
	error = errno;
	freeze_table_free(&t);
	(void)flock(lib, LOCK_UN);
	errno = error;
	return done;
}
