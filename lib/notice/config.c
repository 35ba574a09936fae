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

static bool take_from(struct notice_config *config, char *text, size_t room)
{
	config->from = config->settings.notice_from;
	if (strcmp(config->from, "-") == 0) {
		config->from = NULL;
	} else if (!plain_address(config->from)) {
		(void)snprintf(text, room,
		    "etc/settings: notice-from is LOCAL@DOMAIN in ASCII, not \"%.60s\"",
		    config->from);
		return false;
	}
	return true;
}

/* The tables of charsets that mail is read and written by. */
static bool take_charsets(struct notice_config *config, char *text, size_t room)
{
	config->charsets = charset_prepare();
	/* Always: a later setting may want it, when no file can be opened any more. */
	config->jis = letter_jis_open();
	if (config->charsets != NULL && config->jis != NULL)
		return true;
	(void)snprintf(text, room, "no memory, or the C library has no Japanese charsets");
	return false;
}

static bool take_all(struct notice_config *config, int etc, char *text, size_t room)
{
	struct conf_fault fault;

	if (!settings_read(etc, &config->settings, &fault)) {
		conf_fault_show(&fault, text, room);
		return false;
	}
	if (!take_time_zone(&config->settings)) {
		(void)snprintf(text, room, "no memory");
		return false;
	}
	settings_hostname(&config->settings, config->mta);
	if (!take_from(config, text, room))
		return false;
	if (!notice_templates_read(etc, &config->templates, &fault)) {
		conf_fault_show(&fault, text, room);
		return false;
	}
	return take_charsets(config, text, room);
}

struct notice_config *notice_config_read(int etc, char *text, size_t room)
{
	struct notice_config *config = calloc(1, sizeof *config);

	if (config == NULL) {
		(void)snprintf(text, room, "no memory");
		return NULL;
	}
	if (!take_all(config, etc, text, room)) {
		notice_config_free(config);
		return NULL;
	}
	return config;
}

void notice_config_free(struct notice_config *config)
{
	if (config == NULL)
		return;
	notice_templates_free(&config->templates);
	charset_tables_free(config->charsets);
	letter_jis_close(config->jis);
	free(config);
}
