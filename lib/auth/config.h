/* What seki-auth reads: etc/settings and etc/auth. */
#ifndef SEKISHO_AUTH_CONFIG_H
#define SEKISHO_AUTH_CONFIG_H

#include "lib/auth/table.h"
#include "lib/base/settings.h"

struct auth_config {
	struct settings settings;
	struct table table;
};

/* Reads both from etc/ in the current directory. NULL with the fault in `text`. */
NODISCARD struct auth_config *auth_config_read(char *text, size_t room);
void auth_config_free(struct auth_config *config);

#endif
