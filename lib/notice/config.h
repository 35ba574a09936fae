/* What seki-notice needs to know: the settings, and the names that follow from them. */
#ifndef SEKISHO_NOTICE_CONFIG_H
#define SEKISHO_NOTICE_CONFIG_H

#include "lib/base/settings.h"

struct notice_config {
	struct settings settings;
	char mta[SETTING_TEXT_MAX]; /* our own name */
	const char *from;           /* of the mailer daemon; NULL: MAILER-DAEMON@mta */
};

/*
 * Reads etc/settings below the directory `etc` into a new configuration, which the caller frees with
 * free(3). NULL with `text` filled: it is wrong, or there is no memory.
 */
NODISCARD struct notice_config *notice_config_read(int etc, char *text, size_t room);

#endif
