#include "queue/origin.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/xtext.h"
#include "queue/leg.h"

#define NETWORK "/64"

enum origin_login origin_login(const char *client, char login[ORIGIN_ROOM])
{
	char decoded[3 * ORIGIN_TEXT_MAX];
	size_t len = 0;
	const char *value = leg_param(client, "auth", &len);

	login[0] = '\0';
	if (value == NULL)
		return ORIGIN_NO_LOGIN;
	/* Decoding never makes it longer, but a login within the limit may be written longer. */
	if (len > sizeof decoded || len == 0)
		return ORIGIN_MALFORMED;
	if (!xtext_decode(value, len, decoded, &len) || len > ORIGIN_TEXT_MAX ||
	    memchr(decoded, '\0', len) != NULL)
		return ORIGIN_MALFORMED;
	memcpy(login, decoded, len);
	login[len] = '\0';
	return ORIGIN_LOGIN;
}

static bool mapped_v4(const struct in6_addr *a)
{
	static const unsigned char prefix[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(a->s6_addr, prefix, sizeof prefix) == 0;
}

bool origin_source_of(const char *word, char source[ORIGIN_SOURCE_ROOM])
{
	char text[ORIGIN_SOURCE_ROOM];
	struct in6_addr v6;
	struct in_addr v4;
	size_t len = strlen(word), tail = sizeof NETWORK - 1;
	bool network = len > tail && strcmp(word + len - tail, NETWORK) == 0;

	if (strcmp(word, ORIGIN_UNKNOWN) == 0) {
		(void)snprintf(source, ORIGIN_SOURCE_ROOM, "%s", word);
		return true;
	}
	len -= network ? tail : 0;
	if (len >= sizeof text)
		return false;
	memcpy(text, word, len);
	text[len] = '\0';

	if (!network && inet_pton(AF_INET, text, &v4) == 1)
		return inet_ntop(AF_INET, &v4, source, ORIGIN_SOURCE_ROOM) != NULL;
	if (inet_pton(AF_INET6, text, &v6) != 1)
		return false;
	if (mapped_v4(&v6)) {
		memcpy(&v4, v6.s6_addr + 12, sizeof v4);
		return !network && inet_ntop(AF_INET, &v4, source, ORIGIN_SOURCE_ROOM) != NULL;
	}
	memset(v6.s6_addr + 8, 0, 8);
	if (inet_ntop(AF_INET6, &v6, text, sizeof text) == NULL)
		return false;
	(void)snprintf(source, ORIGIN_SOURCE_ROOM, "%.48s" NETWORK, text);
	return true;
}

void origin_source(const char *client, char source[ORIGIN_SOURCE_ROOM])
{
	char word[ORIGIN_SOURCE_ROOM];
	size_t len = strcspn(client, " ");

	if (len < sizeof word) {
		memcpy(word, client, len);
		word[len] = '\0';
		if (origin_source_of(word, source))
			return;
	}
	(void)snprintf(source, ORIGIN_SOURCE_ROOM, "%s", ORIGIN_UNKNOWN);
}
