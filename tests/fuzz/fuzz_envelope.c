/*
 * Any bytes as an envelope at the queue's door: what is taken names its recipients, is all of it
 * taken, and says the same when it is written again.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "queue/leg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

static bool parameters_fine(const char *params)
{
	for (; *params != '\0'; params++) {
		if (*params < ' ' || *params > '~')
			return false;
	}
	return true;
}

static void add_line(struct buf *b, const char *word, const char *address, const char *params)
{
	buf_addf(b, "%s ", word);
	if (address[0] == '\0')
		buf_add_text(b, "<>");
	else
		buf_add_xtext(b, address, strlen(address));
	/* A line that ends in a blank has empty parameters, too: one spelling for both here. */
	buf_addf(b, "%s%s\n", params[0] != '\0' ? " " : "", params);
}

static void check_again(const struct leg *leg)
{
	struct leg again;
	struct buf b;

	buf_init(&b, SIZE_MAX);
	add_line(&b, "from", leg->from, leg->from_params);
	for (size_t i = 0; i < leg->rcpts; i++)
		add_line(&b, "to", leg->rcpt[i].address, leg->rcpt[i].params);
	buf_addf(&b, "client %s\n", leg->client);
	demand(buf_ok(&b) && leg_read_envelope(b.bytes, b.len, &again));

	demand(strcmp(again.from, leg->from) == 0 && again.rcpts == leg->rcpts);
	for (size_t i = 0; i < leg->rcpts; i++) {
		demand(strcmp(again.rcpt[i].address, leg->rcpt[i].address) == 0);
		demand(strcmp(again.rcpt[i].params, leg->rcpt[i].params) == 0);
	}
	demand(strcmp(again.client, leg->client) == 0);
	leg_free(&again);
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1); /* a sanitizer sees what is read behind it */
	struct leg leg;

	demand(text != NULL);
	memcpy(text, data, size);
	if (leg_read_envelope(text, size, &leg)) {
		demand(leg.rcpts > 0 && leg.rcpts <= LEG_RCPTS_MAX);
		demand(parameters_fine(leg.from_params) && parameters_fine(leg.client));
		for (size_t i = 0; i < leg.rcpts; i++)
			demand(
			    parameters_fine(leg.rcpt[i].params) && leg.rcpt[i].address[0] != '\0');
		check_again(&leg);
		leg_free(&leg);
	}
	free(text);
	return 0;
}
