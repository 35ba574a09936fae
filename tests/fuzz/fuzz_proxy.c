/*
 * The PROXY header: nothing is read behind what is there, and the verdict is the same whether the
 * bytes come at once or one by one. The bytes are also read as words of proxy-from.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/smtp/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory that ends with the last byte. */
static enum proxy_header read_exactly(
    const uint8_t *data, size_t len, size_t *used, struct peer *peer)
{
	char *copy = malloc(len > 0 ? len : 1);
	enum proxy_header verdict;

	if (copy == NULL)
		abort();
	if (len > 0)
		memcpy(copy, data, len);
	verdict = proxy_read(copy, len, used, peer);
	free(copy);
	return verdict;
}

static bool same_peer(const struct peer *a, const struct peer *b)
{
	return a->port == b->port && ip_equal(&a->ip, &b->ip);
}

static void check_header(const uint8_t *data, size_t size)
{
	struct peer whole = {0}, piecemeal = {0};
	size_t whole_used, used = 0, len = 0;
	enum proxy_header verdict, step;

	verdict = read_exactly(data, size, &whole_used, &whole);
	do {
		step = read_exactly(data, len, &used, &piecemeal);
	} while (step == PROXY_MORE && ++len <= size);

	if (step != verdict || used != whole_used || !same_peer(&whole, &piecemeal))
		abort();
	if (verdict == PROXY_MORE && size >= PROXY_HEADER_MAX)
		abort();
	if ((verdict == PROXY_PEER || verdict == PROXY_LOCAL) &&
	    (used != len || used > size || used > PROXY_HEADER_MAX || used < 16))
		abort();
}

static void check_words(const uint8_t *data, size_t size)
{
	char *words = malloc(size + 1);
	char fault[256] = "";
	struct proxy_networks *networks;
	struct ip ip;

	if (words == NULL || !ip_parse("192.0.2.1", &ip))
		abort();
	memcpy(words, data, size);
	words[size] = '\0';
	networks = proxy_networks_read(words, fault, sizeof fault);
	if (networks != NULL)
		(void)proxy_networks_hold(networks, &ip);
	else if (fault[0] == '\0')
		abort();
	proxy_networks_free(networks);
	free(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 4 * PROXY_HEADER_MAX)
		return 0;
	check_header(data, size);
	if (size > 0)
		check_words(data, size);
	return 0;
}
