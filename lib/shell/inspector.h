/*
 * An inspector of one's own: seki-inspect and seki-convert, started for this one command, so that it
 * works beside a gateway that is down, and without any. Internal to lib/shell/.
 */
#ifndef SEKISHO_SHELL_INSPECTOR_H
#define SEKISHO_SHELL_INSPECTOR_H

#include "lib/base/buf.h"
#include "lib/base/settings.h"
#include "lib/inspect/client.h"

#define INSPECTOR_QUESTIONS ((size_t)8 * 1024 * 1024) /* bytes of an ask */

/* Adds the lines "limit NAME NUMBER" to an ask (lib/inspect/protocol.h). */
void inspector_limits(struct buf *ask, const struct settings *settings);

struct inspector;

/*
 * Asks it for `ask` from now on. It reads its lists and partners from etc/ below the current
 * directory. NULL after a complaint; the caller frees it with inspector_close.
 */
NODISCARD struct inspector *inspector_open(const struct settings *settings, const struct buf *ask);
void inspector_close(struct inspector *inspector);

/* For inspect_ask; the inspector's. */
struct inspect_client *inspector_client(const struct inspector *inspector);

#endif
