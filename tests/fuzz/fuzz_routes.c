/*
 * etc/routes: what is wrong is said; what is right reads back from what is shown of it, and every
 * lookup is that of a search line by line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/routes/routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINES_MAX 256

static bool fits(const char *domain, const char *asked, size_t len, size_t *rank)
{
	size_t own = strlen(domain);

	*rank = 1;
	if (strcmp(domain, "*") == 0)
		return true;
	if (domain[1] == '.') {
		*rank = 1 + own;
		return len > own - 1 &&
		       strncasecmp(asked + len - (own - 1), domain + 1, own - 1) == 0;
	}
	*rank = 100000;
	return len == own - 1 && strncasecmp(asked, domain + 1, len) == 0;
}

/* The lines, one by one: which of them is the most specific that fits? */
struct lines {
	char *domain[LINES_MAX];
	size_t n;
};

static bool keep(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	struct lines *lines = context;

	(void)fault;
	if (lines->n < LINES_MAX)
		lines->domain[lines->n++] = strdup(line->word[0].text);
	return true;
}

static void ask(
    const struct routes *routes, const struct lines *lines, const char *asked, size_t len)
{
	const struct route *route = routes_find(routes, asked, len);
	const char *best = NULL;
	size_t most = 0, rank;

	if (len > 255 || memchr(asked, '\0', len) != NULL)
		return;
	for (size_t i = 0; i < lines->n; i++) {
		if (fits(lines->domain[i], asked, len, &rank) && rank > most) {
			most = rank;
			best = lines->domain[i];
		}
	}
	if ((best == NULL) != (route == NULL) ||
	    (best != NULL && strcasecmp(best, route->domain) != 0))
		abort();
}

/* Shown, read again, and shown again: the same. */
static void again(const struct route *route)
{
	struct buf first, second;
	struct conf_fault fault;
	struct routes *routes;
	const char *domain = strcmp(route->domain, "*") == 0 ? "x" : route->domain + 1;

	buf_init(&first, 65536);
	buf_init(&second, 65536);
	route_show(route, &first);
	buf_add_text(&first, "\n");
	if (!buf_ok(&first))
		abort();
	routes = routes_parse(first.bytes, first.len, "again", &fault);
	/* Ports that were not said may make a line too long to be read. */
	if (routes != NULL) {
		char below[300];
		int n = domain[0] == '.' ? snprintf(below, sizeof below, "x%s", domain)
					 : snprintf(below, sizeof below, "%s", domain);

		if (n <= 255) {
			const struct route *found = routes_find(routes, below, (size_t)n);

			if (found == NULL)
				abort();
			route_show(found, &second);
			buf_add_text(&second, "\n");
			if (second.len != first.len ||
			    memcmp(first.bytes, second.bytes, first.len) != 0)
				abort();
		}
	} else if (first.len <= CONF_LINE_MAX) {
		abort();
	}
	routes_free(routes);
	buf_free(&first);
	buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_fault fault = {0};
	struct routes *routes = routes_parse((const char *)data, size, "routes", &fault);
	struct lines lines = {0};

	if (routes == NULL) {
		if (fault.text[0] == '\0')
			abort();
		return 0;
	}
	if (!conf_parse((const char *)data, size, "routes", keep, &lines, &fault))
		abort();
	if (routes_count(routes) <= LINES_MAX) {
		ask(routes, &lines, (const char *)data, size);
		for (size_t i = 0; i < lines.n; i++) {
			const char *domain = lines.domain[i];
			const struct route *route;

			ask(routes, &lines, domain, strlen(domain));
			ask(routes, &lines, domain + 1, strlen(domain + 1));
			if (domain[0] == '@' && domain[1] != '.') {
				route = routes_find(routes, domain + 1, strlen(domain + 1));
				if (route == NULL)
					abort();
				again(route);
			}
		}
	}
	for (size_t i = 0; i < lines.n; i++)
		free(lines.domain[i]);
	routes_free(routes);
	return 0;
}
