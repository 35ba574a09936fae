/* A directory of pages for one test, and pages filled. */
#ifndef SEKISHO_TESTS_WEB_KIT_H
#define SEKISHO_TESTS_WEB_KIT_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "lib/web/say.h"
#include "lib/web/template.h"

struct kit_page {
	const char *name, *text;
};

static inline int kit_folder(char path[128])
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(path, 128, "%s/web.XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(path));
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static inline void kit_put(int dir, const char *name, const void *bytes, size_t len)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(close(fd), 0);
}

/* Reads these pages; NULL with the fault, as it would be shown. */
static inline struct web_templates *kit_pages(
    const struct kit_page *page, size_t n, char *fault, size_t room)
{
	char path[128], file[80];
	int dir = kit_folder(path);
	struct conf_fault why = {0};
	struct web_templates *t;

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(file, sizeof file, "%s.html", page[i].name);
		kit_put(dir, file, page[i].text, strlen(page[i].text));
	}
	t = web_templates_read(dir, &why);
	if (t == NULL)
		conf_fault_show(&why, fault, room);
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(file, sizeof file, "%s.html", page[i].name);
		assert_int_equal(unlinkat(dir, file, 0), 0);
	}
	assert_int_equal(close(dir), 0);
	assert_int_equal(rmdir(path), 0);
	return t;
}

/* `text` as a page, filled with `values` (stolen); the caller frees it. NULL: it is no page. */
static inline char *kit_fill(const char *text, json_t *values)
{
	struct kit_page page = {"x", text};
	char fault[512], *filled = NULL;
	struct web_templates *t = kit_pages(&page, 1, fault, sizeof fault);
	struct buf out;

	if (t == NULL) {
		print_message("%s\n", fault);
		json_decref(values);
		return NULL;
	}
	buf_init(&out, (size_t)16 * 1024 * 1024);
	assert_true(web_template_fill(t, "x", values, &out));
	buf_add(&out, "", 1);
	assert_true(buf_ok(&out));
	filled = out.bytes;
	web_templates_free(t);
	json_decref(values);
	return filled;
}

#endif
