#include "lib/smtp/relay.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/smtp/address.h"

#define SOURCES_MAX      65536
#define DOMAINS_TEXT_MAX ((size_t)4 * 1024 * 1024)

struct relay_source {
	struct ip ip;
	unsigned bits; /* of the 128; an IPv4 network has 96 or more */
	unsigned line;
	bool v4;
	bool any;      /* every sender domain */
	size_t domain; /* offset of the first in relay->domains */
	size_t domains;
};

void relay_init(struct relay *relay)
{
	*relay = (struct relay){0};
	buf_init(&relay->domains, DOMAINS_TEXT_MAX);
}

void relay_free(struct relay *relay)
{
	free(relay->sources);
	buf_free(&relay->domains);
	relay_init(relay);
}

/* Whether the first `bits` bits are equal. */
static bool same_network(const struct ip *a, const struct ip *b, unsigned bits)
{
	unsigned whole = bits / 8;
	unsigned rest = bits % 8;

	if (memcmp(a->bytes, b->bytes, whole) != 0)
		return false;
	return rest == 0 || ((a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest)) == 0;
}

static bool host_bits(const struct ip *ip, unsigned bits)
{
	for (unsigned i = bits; i < 128; i++) {
		if ((ip->bytes[i / 8] & (0x80 >> i % 8)) != 0)
			return true;
	}
	return false;
}

/* A whole decimal number of at most three digits, without leading zeros; -1 if it is none. */
static int short_number(const char *text)
{
	size_t len = strlen(text);
	int number = 0;

	if (len < 1 || len > 3 || (len > 1 && text[0] == '0'))
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		number = number * 10 + (text[i] - '0');
	}
	return number;
}

static bool read_network(struct relay_source *source, unsigned line, const struct conf_word *word,
    struct conf_fault *fault)
{
	const char *slash = strchr(word->text, '/');
	size_t len = slash != NULL ? (size_t)(slash - word->text) : strlen(word->text);
	unsigned column = word->column;
	char text[IP_TEXT];
	unsigned most;
	int bits;

	if (len >= sizeof text)
		return conf_blame(fault, line, column, "this is no network such as 192.0.2.0/24");
	memcpy(text, word->text, len);
	text[len] = '\0';
	if (!ip_parse(text, &source->ip))
		return conf_blame(fault, line, column,
		    "\"%s\" is no IPv4 or IPv6 address (a network is written 192.0.2.0/24)", text);

	source->v4 = strchr(text, ':') == NULL;
	if (!source->v4 && ip_is_v4(&source->ip))
		return conf_blame(fault, line, column, "write this network as IPv4");
	most = source->v4 ? 32 : 128;
	bits = slash != NULL ? short_number(slash + 1) : (int)most;
	if (bits < 0 || (unsigned)bits > most)
		return conf_blame(fault, line, column + (unsigned)len + 1,
		    "a number of bits from 0 to %u was expected", most);

	source->bits = 128 - most + (unsigned)bits;
	if (host_bits(&source->ip, source->bits))
		return conf_blame(fault, line, column,
		    "the address has bits beyond its /%d: which network is meant?", bits);
	return true;
}

static bool read_who(struct relay *relay, struct relay_source *source, unsigned line,
    const struct conf_word *word, struct conf_fault *fault)
{
	const char *name = word->text + 1;
	size_t dot;

	if (strcmp(word->text, "any") == 0) {
		source->any = true;
		return true;
	}
	if (word->text[0] != '@')
		return conf_blame(fault, line, word->column,
		    "a sender domain (@example.co.jp), its subdomains (@.example.co.jp) or \"any\" "
		    "was expected");

	dot = name[0] == '.' ? 1 : 0;
	if (address_check_domain(name + dot, strlen(name + dot), true) != ADDRESS_OK)
		return conf_blame(
		    fault, line, word->column + 1 + (unsigned)dot, "this is no domain name");
	buf_add(&relay->domains, name, strlen(name) + 1);
	source->domains++;
	return true;
}

static bool take_line(void *context, const struct conf_line *line, struct conf_fault *fault)
{
	struct relay *relay = context;
	struct relay_source source = {.line = line->number, .domain = relay->domains.len};
	struct relay_source *grown;

	if (!read_network(&source, line->number, &line->word[0], fault))
		return false;
	for (size_t i = 0; i < relay->n; i++) {
		const struct relay_source *other = &relay->sources[i];

		if (other->v4 == source.v4 && other->bits == source.bits &&
		    ip_equal(&other->ip, &source.ip))
			return conf_blame(fault, line->number, line->word[0].column,
			    "line %u already speaks for this network", other->line);
	}

	if (line->words < 2)
		return conf_blame(fault, line->number, 0,
		    "whose mail may it send? Sender domains (@example.co.jp) or \"any\" are "
		    "missing");
	for (size_t i = 1; i < line->words; i++) {
		if (!read_who(relay, &source, line->number, &line->word[i], fault))
			return false;
	}

	if (relay->n >= SOURCES_MAX || !buf_ok(&relay->domains))
		return conf_blame(fault, line->number, 0, "too many sources");
	grown = reallocarray(relay->sources, relay->n + 1, sizeof source);
	if (grown == NULL)
		return conf_blame(fault, line->number, 0, "no memory");
	relay->sources = grown;
	relay->sources[relay->n++] = source;
	return true;
}

bool relay_read(int etc, struct relay *relay, struct conf_fault *fault)
{
	return conf_read(etc, "relay", false, take_line, relay, fault);
}

const struct relay_source *relay_find(const struct relay *relay, const struct ip *ip)
{
	const struct relay_source *best = NULL;
	bool v4 = ip_is_v4(ip);

	for (size_t i = 0; i < relay->n; i++) {
		const struct relay_source *source = &relay->sources[i];

		if (source->v4 == v4 && (best == NULL || source->bits > best->bits) &&
		    same_network(&source->ip, ip, source->bits))
			best = source;
	}
	return best;
}

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
	const char *name = relay->domains.bytes + source->domain;

	if (source->any)
		return true;
	for (size_t i = 0; i < source->domains; i++) {
		if (domain_matches(name, domain, len))
			return true;
		name += strlen(name) + 1;
	}
	return false;
}
