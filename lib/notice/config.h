/* What seki-notice needs to know: the settings, the names that follow from them, and the templates. */
#ifndef SEKISHO_NOTICE_CONFIG_H
#define SEKISHO_NOTICE_CONFIG_H

#include "lib/base/settings.h"
#include "lib/dsn/jis.h"
#include "lib/notice/templates.h"
#include "lib/text/charset.h"

struct notice_config {
	struct settings settings;
	char mta[SETTING_TEXT_MAX]; /* our own name */
	const char *from;           /* of the mailer daemon; NULL: MAILER-DAEMON@mta */

	/* Of notices about held mail. Tables of charsets are read from files: never by a session. */
	struct notice_templates templates;
	struct charset_tables *charsets;
	struct letter_jis *jis;
};

/*
 * Reads etc/settings and etc/notices/ below the directory `etc` into a new configuration, which the
 * caller frees with notice_config_free. A confined process can do it as long as another one is there,
 * which has the tables of charsets. NULL with `text` filled: it is wrong, or there is no memory.
 */
NODISCARD struct notice_config *notice_config_read(int etc, char *text, size_t room);
void notice_config_free(struct notice_config *config);

#endif
