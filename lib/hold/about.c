/* What a leg says of itself in its record `about`, and the link to its page. */
#include <stdio.h>
#include <string.h>

#include "lib/base/xtext.h"
#include "lib/hold/notices.h"

/* Decoded and NUL-ended, whole letters; "" if it is none or too long. */
static void decode(const char *value, size_t len, char *text, size_t room)
{
	char whole[1024];
	size_t n = 0;

	text[0] = '\0';
	if (value == NULL || len > sizeof whole || !xtext_decode(value, len, whole, &n) ||
	    n >= room || memchr(whole, '\0', n) != NULL)
		return;
	memcpy(text, whole, n);
	text[n] = '\0';
}

/* 16 hex digits; 0 if it is anything else. */
static uint64_t read_group(const char *value, size_t len)
{
	uint64_t group = 0;

	if (value == NULL || len != 16)
		return 0;
	for (size_t i = 0; i < len; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *at = strchr(digits, value[i]);

		if (value[i] == '\0' || at == NULL)
			return 0;
		group = group << 4 | (uint64_t)(at - digits);
	}
	return group;
}

void about_read(const struct leg *leg, struct about *about)
{
	struct leg_record record;
	size_t at = 0, len = 0;
	const char *value;

	*about = (struct about){.group = 0};
	while (leg_next_record(leg, &at, &record)) {
		if (!leg_record_is(&record, "about"))
			continue;
		*about = (struct about){.group = 0};
		value = leg_record_value(&record, "subject", &len);
		decode(value, len, about->subject, sizeof about->subject);
		value = leg_record_value(&record, "group", &len);
		about->group = read_group(value, len);
	}
}

void notice_url(const struct hold_view *view, const struct leg *leg, const char *address,
    unsigned rights, int64_t now, char url[NOTICE_URL_MAX])
{
	const char *base = view->settings.web_url;
	struct gate_capability cap = {
	    .rights = rights,
	    .generation = (unsigned char)leg->restores,
	    .until = now + view->settings.link_time,
	};
	char token[GATE_CAP_TEXT];
	size_t len = strlen(base);

	url[0] = '\0';
	if (!view->keyed || strcmp(base, "-") == 0)
		return;
	cap.until += 60 * (int64_t)1000000 - cap.until % (60 * (int64_t)1000000);
	memcpy(cap.id, leg->name.id, sizeof cap.id);
	if (!gate_who(&view->key, address, cap.who) ||
	    !gate_capability_write(&view->key, &cap, token))
		return;
	while (len > 0 && base[len - 1] == '/')
		len--;
	(void)snprintf(url, NOTICE_URL_MAX, "%.*s/gate/m/?%s", (int)len, base, token);
}
