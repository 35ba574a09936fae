#include "lib/shell/etc_routes.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/shell/shell.h"

/* ---- the setting -------------------------------------------------------------------------- */

/* Where the value of the setting "route" stands. */
struct place {
	unsigned line, column; /* 0: nowhere, it has its default */
};

static bool take_place(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	struct place *place = context;

	(void)fault;
	if (line->words > 1 && strcmp(line->word[0].text, "route") == 0)
		*place = (struct place){line->number, line->word[1].column};
	return true;
}

static struct routes *read_setting(
    int etc, const struct settings *settings, struct place *place, struct conf_fault *fault)
{
	struct routes *routes;

	*place = (struct place){0, 0};
	if (!conf_read(etc, "settings", false, take_place, place, fault))
		return NULL;
	routes = routes_of_setting(settings, fault);
	if (routes == NULL && place->line > 0) {
		fault->line = place->line;
		fault->column = fault->column > 0 ? place->column + fault->column - 1 : 0;
	}
	return routes;
}

/* ---- who we are --------------------------------------------------------------------------- */

bool etc_routes_read(int etc, struct etc_routes *r, struct conf_fault *fault)
{
	struct place place;

	memset(r, 0, sizeof *r);
	if (!settings_read(etc, &r->settings, fault))
		return false;
	r->fallback = read_setting(etc, &r->settings, &place, fault);
	if (r->fallback == NULL)
		return false;
	r->setting_line = place.line;
	r->routes = routes_read(etc, fault);
	if (r->routes == NULL) {
		etc_routes_free(r);
		return false;
	}
	settings_hostname(&r->settings, r->hostname);
	(void)own_of_settings(&r->settings, &r->own);
	return true;
}

void etc_routes_free(struct etc_routes *r)
{
	routes_free(r->routes);
	routes_free(r->fallback);
}

/* ---- for check ---------------------------------------------------------------------------- */

bool shell_read_routes(int etc, struct conf_fault *fault)
{
	struct routes *routes = routes_read(etc, fault);

	routes_free(routes);
	return routes != NULL;
}

bool shell_read_route_setting(int etc, struct conf_fault *fault)
{
	struct settings settings;
	struct routes *routes;
	struct place place;

	if (!settings_read(etc, &settings, fault))
		return true; /* which its own reader tells */
	routes = read_setting(etc, &settings, &place, fault);
	routes_free(routes);
	return routes != NULL;
}

bool shell_read_logins(int etc, struct conf_fault *fault)
{
	struct routes *routes = routes_read(etc, fault);
	bool good = routes == NULL || routes_check_logins(routes, etc, fault);

	routes_free(routes);
	return good;
}
