/*
 * How long people's pages wait for others, in microseconds: seki-web(8) for those whom it asks, and seki-front(8)'s
 * nginx for seki-web.
 */
#ifndef SEKISHO_WEB_PATIENCE_H
#define SEKISHO_WEB_PATIENCE_H

#include "lib/base/clock.h"
#include "lib/base/settings.h"

#define WEB_PATIENCE   (15 * CLOCK_SECOND) /* for an answer of another service */
#define WEB_VIEW_EXTRA (5 * CLOCK_SECOND)  /* that seki-view may take beyond its own time */

/* For the answer to a password, which is late on purpose if it is wrong; more than WEB_PATIENCE. */
static inline int64_t web_patience_password(const struct settings *settings)
{
	return WEB_PATIENCE + settings->auth_timeout + settings->auth_delay_longest;
}

/* For one answer of seki-view. */
static inline int64_t web_patience_view(const struct settings *settings)
{
	return settings->view_time + WEB_VIEW_EXTRA;
}

/*
 * The longest that one request waits in all. Each asks first whose session it is; then it has a password looked at,
 * or gets a mail's body and has it viewed twice (a file: what there is, and its bytes), or asks a few services in turn.
 */
static inline int64_t web_patience_request(const struct settings *settings)
{
	int64_t password = WEB_PATIENCE + web_patience_password(settings);
	int64_t view = 2 * WEB_PATIENCE + 2 * web_patience_view(settings);
	int64_t few = 5 * WEB_PATIENCE;
	int64_t longest = password > view ? password : view;

	return longest > few ? longest : few;
}

#endif
