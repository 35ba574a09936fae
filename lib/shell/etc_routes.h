/* The routes of etc/ as a command sees them. Internal to lib/shell/. */
#ifndef SEKISHO_SHELL_ETC_ROUTES_H
#define SEKISHO_SHELL_ETC_ROUTES_H

#include "lib/base/settings.h"
#include "lib/routes/peers.h"

struct etc_routes {
	struct settings settings;
	struct routes *routes;
	struct routes *fallback; /* the setting "route" */
	unsigned setting_line;   /* of etc/settings that sets it; 0: none does */
	char hostname[SETTING_TEXT_MAX];
	struct resolve_own own; /* what is ourselves, as seki-deliver sees it */
};

/* Reads all of it as seki-deliver does. False with the first fault. Free with etc_routes_free. */
NODISCARD bool etc_routes_read(int etc, struct etc_routes *r, struct conf_fault *fault);
void etc_routes_free(struct etc_routes *r);

#endif
