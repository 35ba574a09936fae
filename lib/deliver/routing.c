#include "lib/deliver/routing.h"

#include <stdlib.h>
#include <string.h>

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
	settings_hostname(&r->settings, r->hostname);
	memcpy(r->helo,
	    strcmp(r->settings.deliver_name, "-") == 0 ? r->hostname : r->settings.deliver_name,
	    sizeof r->helo);
	if (!own_of_settings(&r->settings, &r->own))
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
