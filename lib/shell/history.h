/* What people and rules decided about a leg, and who was told, in plain words. Internal to lib/shell/. */
#ifndef SEKISHO_SHELL_HISTORY_H
#define SEKISHO_SHELL_HISTORY_H

#include "queue/leg.h"

/* `text` is NUL-ended UTF-8, with strangers' bytes in it: to be shown by out_visible. */
typedef void history_see(void *context, int64_t time, const char *text);

/* Calls for each such record, in order. A leg that nobody decided about has none. */
void history_each(const struct leg *leg, history_see *see, void *context);

#endif
