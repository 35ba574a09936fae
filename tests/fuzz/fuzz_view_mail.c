/*
 * A message of any kind, outlined, its HTML and its parts shown: what is told is JSON of the form that whoever asks
 * takes, and HTML that is harmless.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/text/html.h"
#include "tests/unit/view_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct inspect_tables *tables;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char fault[256];

	(void)argc;
	(void)argv;
	tables = inspect_prepare_view(fault, sizeof fault);
	if (tables == NULL)
		abort();
	return 0;
}

static int memory(const void *bytes, size_t len)
{
	int fd = memfd_create("fuzz", 0);

	if (fd < 0 || (len > 0 && write(fd, bytes, len) != (ssize_t)len))
		abort();
	return fd;
}

/* All of it, NUL-ended. */
static char *content(int fd, size_t *len)
{
	struct stat st;
	char *text;

	if (fstat(fd, &st) != 0)
		abort();
	*len = (size_t)st.st_size;
	text = calloc(1, *len + 1);
	if (text == NULL || pread(fd, text, *len, 0) != (ssize_t)*len)
		abort();
	return text;
}

static void check_outline(int fd)
{
	size_t len;
	char *text = content(fd, &len);
	json_t *outline = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const char *shown = json_string_value(json_object_get(outline, "text"));

	/* VIEW_OUTLINE_MAX: a client takes no more. */
	if (shown == NULL || len > (size_t)1024 * 1024 ||
	    !view_is_shown(shown, json_string_length(json_object_get(outline, "text")), true))
		abort();
	json_decref(outline);
	free(text);
}

static void check_html(int fd)
{
	struct oracle oracle;
	size_t len;
	char *text = content(fd, &len);

	if (oracle_judge(&oracle, text, len) != NULL)
		abort();
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view_bounds bounds = {65536, 4096};
	struct facts_out *out = malloc(sizeof *out);
	struct inspection i;
	struct ask ask;
	char fault[128], path[MIME_PATH_MAX];
	int shown;

	if (out == NULL)
		abort();
	facts_open(out, -1);
	out->gone = true;
	ask_init(&ask);
	ask.limits.inspect_expansion = 1 << 20;
	ask.limits.inspect_members = 20;
	i = (struct inspection){.socket = -1,
	    .message = {memory(data, size), 0, size},
	    .part = memory("", 0),
	    .unpacked = memory("", 0),
	    .out = out};
	i.by = inspector_new(tables, &ask, fault, sizeof fault);
	shown = memory("", 0);
	if (i.by == NULL || !inspection_begin(&i))
		abort();
	if (inspection_html(&i, &bounds, shown) < VIEW_TOLD_NONE)
		check_html(shown);
	if (mime_path(&i.tree, i.tree.count - 1, path, sizeof path))
		(void)inspection_file(&i, path, shown);
	if (inspection_outline(&i, &bounds, shown) < VIEW_TOLD_NONE)
		check_outline(shown);
	inspection_end(&i);
	inspector_free((struct inspector *)(uintptr_t)i.by);
	ask_free(&ask);
	(void)close(i.message.fd);
	(void)close(i.part);
	(void)close(i.unpacked);
	(void)close(shown);
	free(out);
	return 0;
}
