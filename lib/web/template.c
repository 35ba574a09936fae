/* The pages of a directory, read and joined. */
#include "lib/web/template.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/web/escape.h"
#include "lib/web/template_inside.h"

#define FOLDER "etc/web/pages"
#define ENDING ".html"

/* ---- reading ------------------------------------------------------------------------------- */

static bool blame_errno(struct conf_fault *fault)
{
	return conf_blame(fault, 0, 0, "%s", strerrordesc_np(errno));
}

/* The whole file; false with `fault`. */
static bool read_file(int pages, const char *name, struct buf *out, struct conf_fault *fault)
{
	int fd = openat(pages, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	ssize_t n = 0;

	if (fd < 0)
		return blame_errno(fault);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return conf_blame(fault, 0, 0, "is no file");
	}
	do {
		char *to = buf_reserve(out, 4096);

		if (to == NULL)
			break;
		n = read(fd, to, 4096);
		if (n > 0)
			out->len += (size_t)n;
	} while (n > 0);
	if (n < 0)
		(void)blame_errno(fault);
	(void)close(fd);
	if (n < 0)
		return false;
	if (!buf_ok(out) || out->len > WEB_TEMPLATE_MAX)
		return conf_blame(fault, 0, 0, "is larger than 256 KB");
	return true;
}

/* NAME of "NAME.html"; 0: it is none. */
static size_t page_name(const char *file)
{
	size_t len = strlen(file), ending = strlen(ENDING);

	if (file[0] == '.' || len <= ending || strcmp(file + len - ending, ENDING) != 0)
		return 0;
	return len - ending;
}

static void set_file(struct conf_fault *fault, const char *name)
{
	(void)snprintf(fault->file, sizeof fault->file, FOLDER "/%.64s" ENDING, name);
}

static bool add_page(struct web_templates *t, int pages, const char *file, struct conf_fault *fault)
{
	size_t len = page_name(file);
	struct template_page *page;
	struct buf bytes;
	bool good;

	if (t->pages == WEB_TEMPLATE_PAGES)
		return conf_blame(fault, 0, 0, "more than %zu pages", WEB_TEMPLATE_PAGES);
	if (len >= TEMPLATE_NAME_MAX || !web_template_is_name(file, len) ||
	    memchr(file, '.', len) != NULL)
		return conf_blame(fault, 0, 0, "the name of a page is a-z, 0-9, - and _");
	page = &t->page[t->pages++];
	memcpy(page->name, file, len);
	buf_init(&page->bytes, WEB_TEMPLATE_MAX * 2);
	buf_init(&bytes, WEB_TEMPLATE_MAX + 4096);
	good =
	    read_file(pages, file, &bytes, fault) &&
	    (escape_is_text(bytes.bytes, bytes.len) || conf_blame(fault, 0, 0, "is not UTF-8")) &&
	    web_template_parse(page, bytes.bytes, bytes.len, fault);
	buf_free(&bytes);
	return good;
}

static int is_page(const struct dirent *entry)
{
	return page_name(entry->d_name) > 0;
}

/* In the order of their names, so that the first fault is always the same. */
static bool add_pages(struct web_templates *t, int pages, struct conf_fault *fault)
{
	struct dirent **entry = NULL;
	int n = scandirat(pages, ".", &entry, is_page, alphasort);
	bool good = n >= 0;

	(void)snprintf(fault->file, sizeof fault->file, FOLDER);
	if (n < 0)
		return blame_errno(fault);
	for (int i = 0; i < n; i++) {
		if (good) {
			(void)snprintf(
			    fault->file, sizeof fault->file, FOLDER "/%.90s", entry[i]->d_name);
			good = add_page(t, pages, entry[i]->d_name, fault);
		}
		free(entry[i]);
	}
	free(entry);
	return good;
}

/* ---- pages within pages -------------------------------------------------------------------- */

static size_t find(const struct web_templates *t, const char *name)
{
	for (size_t i = 0; i < t->pages; i++) {
		if (strcmp(t->page[i].name, name) == 0)
			return i;
	}
	return t->pages;
}

static bool join(struct web_templates *t, struct conf_fault *fault)
{
	for (size_t i = 0; i < t->pages; i++) {
		struct template_page *page = &t->page[i];

		for (size_t k = 0; k < page->nodes; k++) {
			struct node *node = &page->node[k];

			if (node->kind != NODE_PAGE)
				continue;
			node->page = find(t, web_template_text(page, node->text));
			if (node->page < t->pages)
				continue;
			set_file(fault, page->name);
			return conf_blame(fault, node->line, node->column,
			    "there is no page %.60s" ENDING, web_template_text(page, node->text));
		}
	}
	return true;
}

/*
 * How many pages stand within each other at most; more than WEB_TEMPLATE_DEPTH: too many, as in a circle. `known`
 * has what was found, + 1, so that each page is looked at once.
 */
static unsigned depth(
    const struct web_templates *t, size_t page, unsigned above, unsigned char *known)
{
	unsigned most = 1;

	if (above > WEB_TEMPLATE_DEPTH)
		return 1;
	if (known[page] > 0)
		return known[page];
	for (size_t k = 0; k < t->page[page].nodes; k++) {
		const struct node *node = &t->page[page].node[k];
		unsigned below;

		if (node->kind != NODE_PAGE)
			continue;
		below = 1 + depth(t, node->page, above + 1, known);
		most = below > most ? below : most;
		if (most > WEB_TEMPLATE_DEPTH)
			break;
	}
	known[page] = (unsigned char)most;
	return most;
}

static bool check_depth(const struct web_templates *t, struct conf_fault *fault)
{
	unsigned char known[WEB_TEMPLATE_PAGES] = {0};

	for (size_t i = 0; i < t->pages; i++) {
		if (depth(t, i, 1, known) <= WEB_TEMPLATE_DEPTH)
			continue;
		set_file(fault, t->page[i].name);
		return conf_blame(fault, 0, 0,
		    "pages stand within pages more than %d deep, or in a circle",
		    WEB_TEMPLATE_DEPTH);
	}
	return true;
}

/* ---- all ----------------------------------------------------------------------------------- */

struct web_templates *web_templates_read(int pages, struct conf_fault *fault)
{
	struct web_templates *t = calloc(1, sizeof *t);

	if (t != NULL)
		t->page = calloc(WEB_TEMPLATE_PAGES, sizeof *t->page);
	if (t == NULL || t->page == NULL) {
		free(t);
		(void)conf_blame(fault, 0, 0, "no memory");
		return NULL;
	}
	if (!add_pages(t, pages, fault) || !join(t, fault) || !check_depth(t, fault)) {
		web_templates_free(t);
		return NULL;
	}
	return t;
}

bool web_templates_check(int etc, struct conf_fault *fault)
{
	int pages = openat(etc, "web/pages", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct web_templates *t;

	if (pages < 0 && errno == ENOENT)
		return true;
	(void)snprintf(fault->file, sizeof fault->file, FOLDER);
	if (pages < 0)
		return blame_errno(fault);
	t = web_templates_read(pages, fault);
	(void)close(pages);
	web_templates_free(t);
	return t != NULL;
}

void web_templates_free(struct web_templates *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->pages; i++) {
		buf_free(&t->page[i].bytes);
		free(t->page[i].node);
	}
	free(t->page);
	free(t);
}
