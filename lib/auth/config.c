#include "lib/auth/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct auth_config *auth_config_read(char *text, size_t room)
{
	struct conf_fault fault = {0};
	struct auth_config *config = calloc(1, sizeof *config);
	int etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (config == NULL || etc < 0) {
		(void)snprintf(text, room, "etc: %s", strerrordesc_np(errno));
		goto fail;
	}
	table_init(&config->table);
	if (!settings_read(etc, &config->settings, &fault) ||
	    !table_read(etc, &config->table, &fault)) {
		conf_fault_show(&fault, text, room);
		goto fail;
	}
	(void)close(etc);
	return config;
fail:
	if (etc >= 0)
		(void)close(etc);
	auth_config_free(config);
	return NULL;
}

void auth_config_free(struct auth_config *config)
{
	if (config == NULL)
		return;
	table_free(&config->table);
	free(config);
}
