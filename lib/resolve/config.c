#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/resolve/server.h"

#define LOOKUPS 8192

/* The words of a setting that is a list, cut apart where they stand. "-": none. */
static bool split(char *list, struct words *words)
{
	words->n = 0;
	if (strcmp(list, "-") == 0)
		return true;
	while (list != NULL) {
		if (words->n == LOOKUP_WORDS_MAX)
			return false;
		words->word[words->n++] = strsep(&list, " ");
	}
	return true;
}

static bool split_all(struct resolve_config *c, char *text, size_t room)
{
	struct {
		const char *name;
		char *list;
		struct words *words;
	} lists[] = {{"resolve-servers", c->settings.resolve_servers, &c->options.forwarders},
	    {"resolve-stubs", c->settings.resolve_stubs, &c->options.stubs},
	    {"resolve-anchors", c->settings.resolve_anchors, &c->options.anchors},
	    {"resolve-insecure", c->settings.resolve_insecure, &c->options.insecure}};

	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		if (!split(lists[i].list, lists[i].words)) {
			(void)snprintf(text, room, "etc/settings: %s: more than %d words",
			    lists[i].name, LOOKUP_WORDS_MAX);
			return false;
		}
	}
	return true;
}

struct resolve_config *resolve_config_read(char *text, size_t room)
{
	struct conf_fault fault = {0};
	struct resolve_config *c = calloc(1, sizeof *c);
	int etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (c == NULL || etc < 0) {
		(void)snprintf(text, room, "etc: %s", strerrordesc_np(errno));
		goto fail;
	}
	if (!settings_read(etc, &c->settings, &fault)) {
		conf_fault_show(&fault, text, room);
		goto fail;
	}
	if (!split_all(c, text, room))
		goto fail;

	c->options.lookups = LOOKUPS;
	c->bounds = (struct resolve_bounds){.time = c->settings.resolve_time,
	    .clients = (size_t)c->settings.resolve_clients,
	    .questions = (size_t)c->settings.resolve_questions};
	(void)close(etc);
	return c;
fail:
	if (etc >= 0)
		(void)close(etc);
	free(c);
	return NULL;
}
