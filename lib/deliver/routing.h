/*
 * The configuration as one visit to a leg sees it: routes and settings of one moment. A reload makes
 * a new one; the old one lives until nobody uses it. Internal to lib/deliver.
 */
#ifndef SEKISHO_DELIVER_ROUTING_H
#define SEKISHO_DELIVER_ROUTING_H

#include "lib/resolve/ask.h"
#include "lib/routes/peers.h"

struct routing {
	size_t users; /* counted by the main loop alone */
	struct routes *routes;
	struct routes *fallback; /* the setting "route" */
	struct settings settings;
	struct resolve_own own;
	char hostname[SETTING_TEXT_MAX];
	char helo[SETTING_TEXT_MAX];
};

/* Reads etc/routes; settings are as given. One user. NULL with the fault. */
NODISCARD struct routing *routing_read(
    int etc, const struct settings *settings, struct conf_fault *fault);

struct routing *routing_use(struct routing *r);
void routing_leave(struct routing *r);

#endif
