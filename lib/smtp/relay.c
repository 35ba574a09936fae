#include "lib/smtp/relay.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/smtp/relay_table.h"

#define TEXT_MAX ((size_t)4 * 1024 * 1024)

void relay_init(struct relay *relay)
{
	*relay = (struct relay){0};
	buf_init(&relay->text, TEXT_MAX);
}

void relay_free(struct relay *relay)
{
	relay_free_secrets(relay);
	free(relay->sources);
	buf_free(&relay->text);
	relay_init(relay);
}

/* ---- by address ---- */

static int compare_to_network(const void *key, const void *source)
{
	const struct relay_source *s = source;

	return memcmp(key, s->network.ip.bytes, sizeof s->network.ip.bytes);
}

const struct relay_source *relay_find(const struct relay *relay, const struct ip *ip)
{
	enum relay_kind kind = ip_is_v4(ip) ? RELAY_V4 : RELAY_V6;
	size_t at = relay->first[kind];

	/* The narrowest networks stand first; those of one width are sorted. */
	while (at < relay->first[kind + 1]) {
		const struct relay_source *narrowest = &relay->sources[at];
		struct ip key = network_mask(ip, narrowest->network.bits);
		const struct relay_source *found = bsearch(key.bytes, narrowest,
		    narrowest->wider - at, sizeof *narrowest, compare_to_network);

		if (found != NULL)
			return found;
		at = narrowest->wider;
	}
	return NULL;
}

/* ---- by certificate ---- */

bool relay_has_certificates(const struct relay *relay)
{
	return relay->first[RELAY_DIGEST] < relay->first[RELAY_NAME + 1];
}

bool relay_has_certificate_names(const struct relay *relay)
{
	return relay->first[RELAY_NAME] < relay->first[RELAY_NAME + 1];
}

bool relay_needs_tls(const struct relay *relay)
{
	return relay_has_certificates(relay) || relay->secrets != NULL;
}

static int compare_to_digest(const void *key, const void *source)
{
	const struct relay_source *s = source;

	return memcmp(key, s->digest, sizeof s->digest);
}

const struct relay_source *relay_find_certificate(
    const struct relay *relay, const unsigned char sha256[32], relay_named *named, void *context)
{
	size_t digests = relay->first[RELAY_DIGEST + 1] - relay->first[RELAY_DIGEST];
	const struct relay_source *found = NULL;

	if (digests > 0)
		found = bsearch(sha256, relay->sources + relay->first[RELAY_DIGEST], digests,
		    sizeof *found, compare_to_digest);
	if (found != NULL || named == NULL)
		return found;

	for (size_t i = relay->first[RELAY_NAME]; i < relay->first[RELAY_NAME + 1]; i++) {
		if (named(context, relay->text.bytes + relay->sources[i].name))
			return &relay->sources[i];
	}
	return NULL;
}

/* ---- what a source may do ---- */

/* `name` is "example.co.jp", or ".example.co.jp" for what lies below it. */
static bool domain_matches(const char *name, const char *domain, size_t len)
{
	size_t n = strlen(name);

	if (name[0] == '.')
		return len > n && strncasecmp(domain + len - n, name, n) == 0;
	return len == n && strncasecmp(domain, name, n) == 0;
}

bool relay_may_use(
    const struct relay *relay, const struct relay_source *source, const char *domain, size_t len)
{
	const char *name;

	if (source->any)
		return true;
	name = relay->text.bytes + source->domain;
	for (size_t i = 0; i < source->domains; i++) {
		if (domain_matches(name, domain, len))
			return true;
		name += strlen(name) + 1;
	}
	return false;
}

const char *relay_secret(
    const struct relay *relay, const struct relay_source *source, const char **value)
{
	(void)relay;
	*value = source->secret != NULL ? source->secret->value : NULL;
	return source->secret != NULL ? source->secret->field : NULL;
}

void relay_quota(const struct relay_source *source, int64_t *hour, int64_t *day)
{
	*hour = source->hour;
	*day = source->day;
}

unsigned relay_line(const struct relay_source *source)
{
	return source->line;
}
