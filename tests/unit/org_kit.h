/* A scratch etc/ and a place for what is compiled out of it. */
#ifndef SEKISHO_TESTS_ORG_KIT_H
#define SEKISHO_TESTS_ORG_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/org/compile.h"
#include "lib/org/org.h"

struct kit {
	char path[64];
	int etc;
	int out;
};

static inline int kit_folder(int at, const char *name)
{
	int fd;

	assert_int_equal(mkdirat(at, name, 0755), 0);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static inline void kit_open(struct kit *k)
{
	const char *tmp = getenv("TMPDIR");
	int root;

	(void)snprintf(k->path, sizeof k->path, "%.40s/org.XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(k->path));
	root = open(k->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	k->etc = kit_folder(root, "etc");
	k->out = kit_folder(root, "compiled");
	close(root);
}

static inline int kit_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void kit_close(struct kit *k)
{
	close(k->etc);
	close(k->out);
	assert_int_equal(nftw(k->path, kit_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* Writes etc/`path`, with the directories above it. */
static inline void kit_bytes(struct kit *k, const char *path, const char *bytes, size_t len)
{
	char part[256];
	int fd;

	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		(void)snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
		assert_true(mkdirat(k->etc, part, 0755) == 0 || errno == EEXIST);
	}
	fd = openat(k->etc, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static inline void kit_write(struct kit *k, const char *path, const char *text)
{
	kit_bytes(k, path, text, strlen(text));
}

/* Compiles and opens; whatever is wrong fails the test. */
static inline struct org *kit_org(struct kit *k)
{
	struct conf_fault fault;
	char text[512];
	struct org *org;

	(void)unlinkat(k->out, ORG_FILE, 0);
	if (!org_compile(k->etc, k->out, NULL, &fault)) {
		conf_fault_show(&fault, text, sizeof text);
		fail_msg("%s", text);
	}
	org = org_open(k->out);
	assert_non_null(org);
	return org;
}

/* `expected` is the whole of what is told. */
static inline void kit_blames(struct kit *k, const char *expected)
{
	struct conf_fault fault;
	char text[512];

	assert_false(org_check(k->etc, NULL, &fault));
	conf_fault_show(&fault, text, sizeof text);
	assert_string_equal(text, expected);
}

#endif
