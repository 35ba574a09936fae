/* What the targets of single readers of lib/extract share: the bytes as a file, and a look at what is told of it. */
#ifndef SEKISHO_TESTS_FUZZ_EXTRACT_H
#define SEKISHO_TESTS_FUZZ_EXTRACT_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/extract/extract.h"

#define FUZZ_EXPANSION ((uint64_t)4 * 1024 * 1024)

struct fuzz_told {
	uint64_t text;
	unsigned faults;
	bool open;
};

static bool fuzz_text(void *context, const char *utf8, size_t len)
{
	struct fuzz_told *told = context;
	volatile char last;

	if (len == 0)
		abort();
	last = utf8[len - 1]; /* for the sanitizer */
	(void)last;
	told->open = true;
	told->text += len;
	return true;
}

static void fuzz_text_ends(void *context)
{
	struct fuzz_told *told = context;

	if (!told->open)
		abort();
	told->open = false;
}

static void fuzz_member(void *context, const struct extract_member *member)
{
	(void)context;
	if (memchr(member->name, '\0', 1000000) == NULL)
		abort();
}

static void fuzz_fault(void *context, enum extract_fault fault, const char *member)
{
	struct fuzz_told *told = context;

	if (fault >= EXTRACT_FAULT_COUNT || memchr(member, '\0', 1000000) == NULL)
		abort();
	told->faults++;
}

static bool fuzz_convert(void *context, enum convert_tool tool, const struct source *file,
    struct sink out, bool *encrypted)
{
	(void)context;
	(void)tool;
	*encrypted = false;
	return file->size % 2 == 0 && sink_put(&out, "text", 4);
}

/* The format that was found. */
static enum file_format fuzz_look(
    const struct source *file, int scratch, bool deep, enum file_encrypted *encrypted)
{
	struct fuzz_told told = {.text = 0};
	struct extract_setup setup = {.limits = {.depth = 10,
					  .members = 100,
					  .expansion = FUZZ_EXPANSION,
					  .ratio = 200,
					  .convert = 100000},
	    .told = {&told, fuzz_text, fuzz_text_ends, fuzz_member, fuzz_fault, fuzz_convert},
	    .scratch = scratch};
	struct extract_file found;
	struct extract *x = extract_new(&setup);

	if (x == NULL)
		abort();
	extract_file(x, file, "", "", deep, &found);
	extract_free(x);
	/* Text of three bytes a letter, and each file within told once. */
	if (told.open || (!deep && told.text + told.faults > 0) ||
	    told.text > 8 * (FUZZ_EXPANSION + file->size))
		abort();
	*encrypted = found.encrypted;
	return found.format;
}

/* Archives and their like have targets of their own. */
static bool fuzz_is_ours(enum file_format format)
{
	return format == FORMAT_TEXT || format == FORMAT_HTML || format == FORMAT_RTF ||
	       format == FORMAT_PDF || (format >= FORMAT_OLE && format <= FORMAT_MSG);
}

/* `begin` is what makes a file of this kind; the seeds have it, inputs may have lost it. */
static void fuzz_extract(const char *begin, const uint8_t *data, size_t size)
{
	static int scratch = -1;
	size_t len = strlen(begin);
	struct source file = {memfd_create("file", MFD_CLOEXEC), 0, size};
	enum file_encrypted deep, shallow;
	enum file_format found;

	if (scratch < 0)
		scratch = memfd_create("scratch", MFD_CLOEXEC);
	if (file.fd < 0 || scratch < 0 || write(file.fd, data, size) != (ssize_t)size ||
	    (len > 0 && size >= len && pwrite(file.fd, begin, len, 0) != (ssize_t)len))
		abort();
	found = fuzz_look(&file, scratch, true, &deep);
	if (fuzz_look(&file, scratch, false, &shallow) != found ||
	    (fuzz_is_ours(found) && deep != shallow))
		abort();
	(void)close(file.fd);
	(void)!ftruncate(scratch, 0);
}

#endif
