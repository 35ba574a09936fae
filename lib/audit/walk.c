#include "lib/audit/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/hex.h"
#include "lib/base/source.h"

#define GROW_LOOKS 5

/* ---- files -------------------------------------------------------------------------------- */

bool walk_is_file(const char *name)
{
	size_t i = 0;

	for (; name[i] != '\0' && i < CHAIN_FILE - 1; i++) {
		if (i == 4 ? name[i] != '-' : name[i] < '0' || name[i] > '9')
			return false;
	}
	return i == CHAIN_FILE - 1 && name[i] == '\0';
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool add_file(struct walk_files *files, const char *name)
{
	char(*more)[CHAIN_FILE];

	if ((files->n & (files->n - 1)) == 0) {
		more = reallocarray(files->name, files->n == 0 ? 1 : 2 * files->n, sizeof *more);
		if (more == NULL)
			return false;
		files->name = more;
	}
	memcpy(files->name[files->n++], name, CHAIN_FILE);
	return true;
}

bool walk_files_read(int dir, struct walk_files *files)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e;
	int error = 0;

	*files = (struct walk_files){.n = 0};
	if (list == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	while (error == 0 && (errno = 0, e = readdir(list)) != NULL) {
		if (!walk_is_file(e->d_name))
			continue;
		if (files->n == WALK_FILES_MAX)
			error = EINVAL;
		else if (!add_file(files, e->d_name))
			error = ENOMEM;
	}
	if (error == 0)
		error = errno;
	(void)closedir(list);
	if (error != 0) {
		walk_files_free(files);
		errno = error;
		return false;
	}
	if (files->n > 0)
		qsort(files->name, files->n, sizeof *files->name, by_name);
	return true;
}

void walk_files_free(struct walk_files *files)
{
	free(files->name);
	*files = (struct walk_files){.n = 0};
}

/* ---- lines -------------------------------------------------------------------------------- */

void walk_lines_from(struct walk_lines *lines, int fd, uint64_t offset, uint64_t end)
{
	lines->fd = fd;
	lines->next = offset;
	lines->end = end;
	lines->have = lines->used = 0;
	lines->skipping = false;
}

/* False with errno. At the end nothing is added. */
static bool fill(struct walk_lines *lines)
{
	struct source source = {lines->fd, 0, lines->end};
	ssize_t n;

	memmove(lines->bytes, lines->bytes + lines->used, lines->have - lines->used);
	lines->have -= lines->used;
	lines->used = 0;
	n = source_read(
	    &source, lines->next, lines->bytes + lines->have, sizeof lines->bytes - lines->have);
	if (n < 0)
		return false;
	lines->have += (size_t)n;
	lines->next += (uint64_t)n;
	return true;
}

enum walk_piece walk_lines_next(
    struct walk_lines *lines, const char **bytes, size_t *len, uint64_t *offset)
{
	for (;;) {
		const char *begin = lines->bytes + lines->used;
		size_t left = lines->have - lines->used;
		const char *newline = memchr(begin, '\n', left);
		bool skipped = lines->skipping;

		*bytes = begin;
		*offset = lines->next - left;
		*len = newline != NULL ? (size_t)(newline - begin) : left;
		if (newline != NULL && (skipped || *len <= CHAIN_LINE_MAX)) {
			lines->used += *len + 1;
			lines->skipping = false;
			if (skipped)
				continue; /* the end of a long one, which was told */
			return WALK_LINE;
		}
		if (*len > CHAIN_LINE_MAX || (skipped && left > 0)) {
			*len = *len < CHAIN_LINE_MAX ? *len : CHAIN_LINE_MAX;
			lines->used += *len;
			lines->skipping = true;
			if (skipped)
				continue;
			return WALK_LONG;
		}
		if (lines->next == lines->end) {
			lines->used = lines->have;
			return left > 0 ? WALK_TORN : WALK_END;
		}
		if (!fill(lines))
			return WALK_FAILED;
	}
}

/* ---- what was accepted -------------------------------------------------------------------- */

static bool take_accepted(const char *line, struct walk_accept *a)
{
	unsigned long long offset;
	unsigned char value[(DIGEST_HEX - 1) / 2];
	char file[CHAIN_FILE], sha256[DIGEST_HEX];

	if (sscanf(line, "%*27s file=%7s offset=%19llu sha256=%64s ", file, &offset, sha256) != 3 ||
	    !walk_is_file(file) || strlen(sha256) != DIGEST_HEX - 1 ||
	    !hex_decode(sha256, value, sizeof value))
		return false;
	memcpy(a->file, file, sizeof file);
	memcpy(a->sha256, sha256, sizeof sha256);
	a->offset = offset;
	return true;
}

bool walk_accepted_read(const char *path, struct walk_accepted *accepted)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	bool fine = true;

	*accepted = (struct walk_accepted){.n = 0};
	if (file == NULL)
		return errno == ENOENT;
	accepted->fault = calloc(WALK_ACCEPT_MAX, sizeof *accepted->fault);
	if (accepted->fault == NULL) {
		(void)fclose(file);
		return false;
	}
	while (accepted->n < WALK_ACCEPT_MAX && getline(&line, &room, file) >= 0) {
		if (take_accepted(line, &accepted->fault[accepted->n]))
			accepted->n++;
	}
	if (ferror(file)) {
		fine = false;
		walk_accepted_free(accepted);
	}
	free(line);
	(void)fclose(file);
	return fine;
}

void walk_accepted_free(struct walk_accepted *accepted)
{
	free(accepted->fault);
	*accepted = (struct walk_accepted){.n = 0};
}

bool walk_is_accepted(
    const struct walk_accepted *accepted, const char *file, uint64_t offset, const char *sha256)
{
	for (size_t i = 0; accepted != NULL && i < accepted->n; i++) {
		const struct walk_accept *a = &accepted->fault[i];

		if (a->offset == offset && strcmp(a->file, file) == 0 &&
		    strcmp(a->sha256, sha256) == 0)
			return true;
	}
	return false;
}

/* ---- all of it ---------------------------------------------------------------------------- */

static void blame(
    struct walk *w, uint64_t line, uint64_t offset, const char *bytes, size_t len, const char *text)
{
	char sha256[DIGEST_HEX];
	struct walk_fault fault = {
	    .file = w->file, .line = line, .offset = offset, .sha256 = sha256, .text = text};

	digest_of(bytes, len, sha256);
	fault.accepted = walk_is_accepted(w->accepted, w->file, offset, sha256);
	if (fault.accepted)
		w->accepted_faults++;
	else
		w->faults++;
	if (w->fault != NULL)
		w->fault(w->context, &fault);
}

/* Whether a line without its end is just being written; then it is read again. */
static bool grows(const struct walk *w, struct walk_lines *lines, uint64_t offset)
{
	static const struct timespec pause = {.tv_nsec = (long)100 * 1000 * 1000};
	struct stat st;

	for (unsigned i = 0; w->live && i < GROW_LOOKS; i++) {
		(void)nanosleep(&pause, NULL);
		if (fstat(lines->fd, &st) == 0 && (uint64_t)st.st_size > lines->end) {
			walk_lines_from(lines, lines->fd, offset, (uint64_t)st.st_size);
			return true;
		}
	}
	return false;
}

static bool walk_lines(struct walk *w, struct check *check, struct walk_lines *lines)
{
	const char *bytes, *text;
	struct chain_line line;
	uint64_t offset;
	size_t len;

	for (;;) {
		switch (walk_lines_next(lines, &bytes, &len, &offset)) {
		case WALK_END:
			return true;
		case WALK_FAILED:
			return false;
		case WALK_LINE:
			text = check_line(check, bytes, len, &line);
			w->lines++;
			if (text != NULL)
				blame(w, check->lines, offset, bytes, len, text);
			if (w->line != NULL && chain_cut(bytes, len, &line) == NULL)
				w->line(w->context, &line);
			break;
		case WALK_TORN:
			if (grows(w, lines, offset))
				break;
			check_no_line(check);
			blame(w, check->lines, offset, bytes, len, "the last line has no end");
			break;
		case WALK_LONG:
			check_no_line(check);
			blame(w, check->lines, offset, bytes, len, "it is longer than any line is");
			break;
		}
	}
}

static bool walk_file(struct walk *w, int dir, struct check *check, struct walk_lines *lines)
{
	int fd = openat(dir, w->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	struct stat st;
	bool fine;
	int error;

	if (fd < 0)
		return false;
	check_file(check, w->file, false);
	w->files++;
	fine = fstat(fd, &st) == 0;
	if (fine) {
		walk_lines_from(lines, fd, 0, (uint64_t)st.st_size);
		fine = walk_lines(w, check, lines);
	}
	error = errno;
	(void)close(fd);
	errno = error;
	return fine;
}

static bool walk_files(struct walk *w, int dir, const struct walk_files *files, struct check *check,
    struct walk_lines *lines)
{
	for (size_t i = 0; i < files->n; i++) {
		if (w->from != NULL && strcmp(files->name[i], w->from) < 0)
			continue;
		(void)snprintf(w->file, sizeof w->file, "%s", files->name[i]);
		if (!walk_file(w, dir, check, lines))
			return false;
		w->size = lines->end;
	}
	return true;
}

bool walk_log(int dir, struct walk *w)
{
	struct walk_lines *lines = malloc(sizeof *lines);
	struct walk_files files = {.n = 0};
	struct check check = {.digest = NULL};
	bool fine = lines != NULL && check_init(&check) && walk_files_read(dir, &files);
	int error;

	if (fine) {
		if (w->from != NULL)
			check_trust(&check);
		fine = walk_files(w, dir, &files, &check, lines);
		w->end = check.end;
	}
	error = errno;
	check_free(&check);
	walk_files_free(&files);
	free(lines);
	errno = error;
	return fine;
}
