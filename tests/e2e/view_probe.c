/*
 * Whoever asks seki-view(8), by lib/view/view.h as people's pages do. Compiled and run by test_view.py.
 *
 *     view_probe SOCKET PATIENCE_MS outline|html|file FILE OFFSET SIZE [PART]
 *
 * The answer goes to standard output, the status to standard error: a word, and the word of its error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/view/view.h"

static const char *const words[] = {
    [VIEW_DONE] = "done", [VIEW_CUT] = "cut", [VIEW_NONE] = "none", [VIEW_FAILED] = "failed"};

/* From its beginning to its end; it can be changed by nobody. */
static void pour(int fd)
{
	char piece[65536];
	ssize_t n;

	if (fcntl(fd, F_GET_SEALS) != (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE))
		abort();
	while ((n = read(fd, piece, sizeof piece)) > 0)
		(void)!write(STDOUT_FILENO, piece, (size_t)n);
	(void)close(fd);
}

int main(int argc, char **argv)
{
	enum view_status status = VIEW_FAILED;
	struct source message;
	int64_t patience;
	int fd = -1;

	if (argc < 7)
		return 100;
	message = (struct source){open(argv[4], O_RDONLY | O_CLOEXEC), strtoull(argv[5], NULL, 10),
	    strtoull(argv[6], NULL, 10)};
	patience = strtoll(argv[2], NULL, 10) * 1000;
	if (strcmp(argv[3], "outline") == 0) {
		json_t *outline = view_outline(argv[1], &message, patience, &status);

		if (outline != NULL)
			(void)json_dumpf(outline, stdout, JSON_COMPACT);
		json_decref(outline);
	} else {
		fd = strcmp(argv[3], "html") == 0
			 ? view_html(argv[1], &message, patience, &status)
			 : view_file(argv[1], &message, argc > 7 ? argv[7] : "", patience, &status);
	}
	(void)fprintf(
	    stderr, "%s %s\n", words[status], status == VIEW_FAILED ? strerrorname_np(errno) : "-");
	if (fd >= 0)
		pour(fd);
	return 0;
}
