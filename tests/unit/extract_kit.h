/* What the tests of single readers of lib/extract share: a file in memory, read through extract_file, and what it told
 * as one text. Included by one program each. */
#ifndef SEKISHO_TESTS_EXTRACT_KIT_H
#define SEKISHO_TESTS_EXTRACT_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/extract/extract.h"

struct kit {
	struct buf said; /* texts with '|' behind each, "<name>" of members, "!fault" */
	struct extract_file found;
	struct extract_limits limits;
	const char *label;
	bool shallow;
	/* How the converter answers. */
	const char *converts; /* its text; NULL: it fails */
	bool locked;
	unsigned asked;
};

static bool kit_text(void *context, const char *utf8, size_t len)
{
	struct kit *kit = context;

	buf_add(&kit->said, utf8, len);
	return buf_ok(&kit->said);
}

static void kit_text_ends(void *context)
{
	struct kit *kit = context;

	buf_add_text(&kit->said, "|");
}

static void kit_member(void *context, const struct extract_member *member)
{
	struct kit *kit = context;

	buf_addf(&kit->said, "<%s>", member->name);
}

static void kit_fault(void *context, enum extract_fault fault, const char *member)
{
	struct kit *kit = context;

	(void)member;
	buf_addf(&kit->said, "!%s", extract_fault_word(fault));
}

static bool kit_convert(void *context, enum convert_tool tool, const struct source *file,
    struct sink out, bool *encrypted)
{
	struct kit *kit = context;

	(void)file;
	assert_int_equal(tool, CONVERT_PDF);
	kit->asked++;
	*encrypted = kit->locked;
	return kit->converts != NULL && sink_put(&out, kit->converts, strlen(kit->converts));
}

static inline void kit_begin(struct kit *kit)
{
	*kit = (struct kit){.label = "",
	    .limits = {.depth = 20,
		.members = 1000,
		.expansion = 100000000,
		.ratio = 200,
		.convert = 1000000}};
	buf_init(&kit->said, (size_t)16 * 1024 * 1024);
}

/* Looks at the bytes; what was told before is forgotten. Returns it all, NUL-ended. */
static inline const char *kit_look(struct kit *kit, const void *bytes, size_t len)
{
	struct extract_setup setup = {.limits = kit->limits,
	    .told = {.context = kit,
		.text = kit_text,
		.text_ends = kit_text_ends,
		.member = kit_member,
		.fault = kit_fault,
		.convert = kit_convert}};
	struct source file = {memfd_create("file", MFD_CLOEXEC), 0, len};
	struct extract *x;

	setup.scratch = memfd_create("scratch", MFD_CLOEXEC);
	assert_true(file.fd >= 0 && setup.scratch >= 0);
	assert_int_equal(write(file.fd, bytes, len), (ssize_t)len);
	x = extract_new(&setup);
	assert_non_null(x);
	buf_clear(&kit->said);
	kit->asked = 0;
	extract_file(x, &file, "", kit->label, !kit->shallow, &kit->found);
	extract_free(x);
	(void)close(file.fd);
	(void)close(setup.scratch);
	buf_add(&kit->said, "", 1);
	assert_true(buf_ok(&kit->said));
	return kit->said.bytes;
}

static inline void kit_end(struct kit *kit)
{
	buf_free(&kit->said);
}

/* A sample of tests/formats/samples. The caller frees it. */
static inline char *kit_sample(const char *name, size_t *len)
{
	char path[256], *bytes;
	FILE *file;

	snprintf(path, sizeof path, "tests/formats/samples/%s", name);
	file = fopen(path, "rb");
	assert_non_null(file);
	bytes = malloc(1000000);
	assert_non_null(bytes);
	*len = fread(bytes, 1, 1000000, file);
	fclose(file);
	assert_true(*len > 0);
	return bytes;
}

#endif
