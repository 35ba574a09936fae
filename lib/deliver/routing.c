#include "lib/deliver/routing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"

static void free_routing(struct routing *r)
{
	routes_free(r->routes);
	routes_free(r->fallback);
	free(r);
}

/* Who we are: in EHLO, and where mail for us would go round in circles. */
static void name_ourselves(struct routing *r)
{
	const struct settings *s = &r->settings;
	char names[SETTING_TEXT_MAX], *rest = names;

	(void)snprintf(r->hostname, sizeof r->hostname, "%s", s->hostname);
	if (strcmp(r->hostname, "-") == 0 && gethostname(r->hostname, sizeof r->hostname) != 0)
		(void)snprintf(r->hostname, sizeof r->hostname, "localhost");
	(void)snprintf(r->helo, sizeof r->helo, "%s",
	    strcmp(s->deliver_name, "-") == 0 ? r->hostname : s->deliver_name);

	/* A trial's servers are on its own machine. */
	r->own.loopback = !s->trial;
	(void)!resolve_own_name(&r->own, r->hostname);
	(void)snprintf(names, sizeof names, "%s", s->own_names);
	while (rest != NULL) {
		const char *name = strsep(&rest, " ");

		if (strcmp(name, "-") != 0)
			(void)!resolve_own_name(&r->own, name);
	}
	if (!s->trial && !resolve_own_addresses(&r->own))
		LOG_ALARM("no-addresses", kv("why", "the machine's own cannot be read"));
}

struct routing *routing_read(int etc, const struct settings *settings, struct conf_fault *fault)
{
	struct routing *r = calloc(1, sizeof *r);

	if (r == NULL) {
		(void)conf_blame(fault, 0, 0, "no memory");
		return NULL;
	}
	r->users = 1;
	r->settings = *settings;
	r->routes = routes_read(etc, fault);
	if (r->routes == NULL)
		goto fail;
	r->fallback = routes_of_setting(settings, fault);
	if (r->fallback == NULL)
		goto fail;
	name_ourselves(r);
	return r;
fail:
	free_routing(r);
	return NULL;
}

struct routing *routing_use(struct routing *r)
{
	r->users++;
	return r;
}

void routing_leave(struct routing *r)
{
	if (--r->users == 0)
		free_routing(r);
}
