#include <string.h>
#include <strings.h>

#include "lib/dsn/dsn.h"

unsigned dsn_notify_read(const char *text, size_t len)
{
	static const struct {
		const char *word;
		unsigned bit;
	} words[] = {{"never", DSN_NOTIFY_NEVER}, {"success", DSN_NOTIFY_SUCCESS},
	    {"failure", DSN_NOTIFY_FAILURE}, {"delay", DSN_NOTIFY_DELAY}};
	unsigned notify = 0;

	for (size_t at = 0; at <= len;) {
		const char *comma = at < len ? memchr(text + at, ',', len - at) : NULL;
		size_t n = (comma != NULL ? (size_t)(comma - text) : len) - at;
		unsigned bit = 0;

		for (size_t i = 0; i < COUNT_OF(words); i++) {
			if (strlen(words[i].word) == n &&
			    strncasecmp(words[i].word, text + at, n) == 0)
				bit = words[i].bit;
		}
		if (bit == 0)
			return 0;
		notify |= bit;
		at += n + 1;
	}

	if ((notify & DSN_NOTIFY_NEVER) != 0 && notify != DSN_NOTIFY_NEVER)
		return 0;
	return notify;
}

enum dsn_wanted dsn_wanted(unsigned notify, enum dsn_action action, bool null_reverse_path)
{
	/* By which word an action is asked for. */
	static const unsigned asks[DSN_ACTIONS] = {
	    [DSN_FAILED] = DSN_NOTIFY_FAILURE,
	    [DSN_DELAYED] = DSN_NOTIFY_DELAY,
	    [DSN_DELIVERED] = DSN_NOTIFY_SUCCESS,
	    [DSN_RELAYED] = DSN_NOTIFY_SUCCESS,
	    [DSN_EXPANDED] = DSN_NOTIFY_SUCCESS,
	};

	if (notify == 0)
		notify = DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY;
	if ((notify & DSN_NOTIFY_NEVER) != 0 || (notify & asks[action]) == 0)
		return DSN_TO_NOBODY;
	if (!null_reverse_path)
		return DSN_TO_SENDER;
	return action == DSN_FAILED ? DSN_TO_POSTMASTER : DSN_TO_NOBODY;
}
