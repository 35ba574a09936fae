#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/smtp/address.h"
#include "lib/smtp/smtp.h"

/* The name for the banner and for HELO's answer: as set, or the machine's own. */
static bool find_host(struct smtp_config *config, struct conf_fault *fault)
{
	const char *set = config->settings.hostname;
	bool own = strcmp(set, "-") == 0;

	config->host[0] = '\0';
	if (!own && strlen(set) < sizeof config->host)
		memcpy(config->host, set, strlen(set) + 1);
	if (own && gethostname(config->host, sizeof config->host) != 0)
		config->host[0] = '\0';
	config->host[sizeof config->host - 1] = '\0';

	if (address_check_domain(config->host, strlen(config->host), false) == ADDRESS_OK)
		return true;
	(void)snprintf(fault->file, sizeof fault->file, "etc/settings");
	return conf_blame(fault, 0, 0,
	    own ? "the machine's name is no domain name: set hostname"
		: "hostname is no domain name");
}

struct smtp_config *smtp_config_read(char *text, size_t room)
{
	struct conf_fault fault = {0};
	struct smtp_config *config = calloc(1, sizeof *config);
	int etc = open("etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (config == NULL || etc < 0) {
		(void)snprintf(text, room, "etc: %s", strerrordesc_np(errno));
		goto fail;
	}
	relay_init(&config->relay);
	if (!settings_read(etc, &config->settings, &fault) ||
	    !relay_read(etc, &config->relay, &fault) || !find_host(config, &fault)) {
		conf_fault_show(&fault, text, room);
		goto fail;
	}
	close(etc);
	return config;
fail:
	if (etc >= 0)
		close(etc);
	smtp_config_free(config);
	return NULL;
}

void smtp_config_free(struct smtp_config *config)
{
	if (config == NULL)
		return;
	relay_free(&config->relay);
	free(config);
}
