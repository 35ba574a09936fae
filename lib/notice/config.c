#include "lib/notice/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/zone.h"

#define LOCAL_PART_MAX 64 /* RFC 5321 section 4.5.3.1 */

/* LOCAL@DOMAIN that may stand between angle brackets as it is. */
static bool plain_address(const char *text)
{
	const char *at = strchr(text, '@');

	if (at == NULL || at == text || at - text > LOCAL_PART_MAX || at[1] == '\0' ||
	    strchr(at + 1, '@') != NULL)
		return false;
	for (; *text != '\0'; text++) {
		if (*text <= ' ' || *text > '~' || strchr("<>()[]\\,;:\"", *text) != NULL)
			return false;
	}
	return true;
}

/* Once: who is confined can open no file of the system's zones. False: no memory. */
static bool take_time_zone(const struct settings *settings)
{
	return strcmp(settings->time_zone, "-") == 0 || getenv("TZ") != NULL ||
	       zone_set(settings->time_zone);
}

struct notice_config *notice_config_read(int etc, char *text, size_t room)
{
	struct notice_config *config = calloc(1, sizeof *config);
	struct conf_fault fault;

	if (config == NULL) {
		(void)snprintf(text, room, "no memory");
		return NULL;
	}
	if (!settings_read(etc, &config->settings, &fault)) {
		conf_fault_show(&fault, text, room);
		free(config);
		return NULL;
	}

	if (!take_time_zone(&config->settings)) {
		(void)snprintf(text, room, "no memory");
		free(config);
		return NULL;
	}
	settings_hostname(&config->settings, config->mta);
	config->from = config->settings.notice_from;
	if (strcmp(config->from, "-") == 0) {
		config->from = NULL;
	} else if (!plain_address(config->from)) {
		(void)snprintf(text, room,
		    "etc/settings: notice-from is LOCAL@DOMAIN in ASCII, not \"%.60s\"",
		    config->from);
		free(config);
		return NULL;
	}
	return config;
}
