/*
 * Any file: its type by magic, and whatever reader that leads to, within small limits. What is told
 * keeps the interface: limits hold, names are NUL-ended UTF-8, texts end, levels are in bounds.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/extract/extract.h"
#include "lib/extract/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEPTH   6
#define MEMBERS 200

struct told {
	unsigned members;
	bool open;
};

static bool text(void *context, const char *utf8, size_t len)
{
	struct told *t = context;

	if (len == 0 || utf8 == NULL)
		abort();
	t->open = true;
	return true;
}

static void text_ends(void *context)
{
	struct told *t = context;

	if (!t->open)
		abort();
	t->open = false;
}

static void member(void *context, const struct extract_member *m)
{
	struct told *t = context;

	if (++t->members > MEMBERS || m->level < 1 || m->level > DEPTH + 1)
		abort();
	if (!is_utf8(m->name, strlen(m->name)))
		abort();
}

static void fault(void *context, enum extract_fault f, const char *where)
{
	(void)context;
	if (f >= EXTRACT_FAULT_COUNT || !is_utf8(where, strlen(where)))
		abort();
}

static bool convert(void *context, enum convert_tool tool, const struct source *file,
    struct sink out, bool *encrypted)
{
	(void)context;
	(void)tool;
	(void)file;
	*encrypted = false;
	return sink_put(&out, "converted", 9);
}

static int in_memory(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || (size > 0 && write(fd, data, size) != (ssize_t)size))
		abort();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct extract_tables *tables;
	struct told told = {0};
	struct extract_setup setup = {
	    .limits = {DEPTH, MEMBERS, 1 << 20, 50, 1 << 20},
	    .told = {&told, text, text_ends, member, fault, convert},
	};
	struct source file = {.size = size};
	struct extract_file found;
	struct extract *x;

	if (tables == NULL)
		tables = extract_prepare();
	setup.tables = tables;
	file.fd = in_memory(data, size);
	setup.scratch = in_memory(data, 0);
	x = extract_new(&setup);
	if (x == NULL || tables == NULL)
		abort();

	extract_file(x, &file, "", "", true, &found);
	if (told.open || found.format >= FORMAT_COUNT ||
	    memchr(found.type, '\0', sizeof found.type) == NULL)
		abort();
	extract_file(x, &file, "x.gz", "", false, &found);
	extract_free(x);
	close(file.fd);
	close(setup.scratch);
	return 0;
}
