/*
 * What a session process says, in a frame: any bytes (O, S8). Nothing is read behind its end, what is
 * taken has the form that records and notifications need, and nobody is named who is not there.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xtext.h"
#include "lib/deliver/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST ((size_t)100)

struct called {
	size_t next; /* the lowest that may be called for */
	size_t most;
};

static void note(void *context, size_t index)
{
	struct called *c = context;

	if (index < c->next || index >= c->most)
		abort();
	c->next = index + 1;
}

static void check_rcpts(const char *text, size_t len, size_t most)
{
	struct called c = {.most = most};

	if (verdict_rcpts(text, len, most, note, &c) && c.next == 0)
		abort();
}

static void check_outcome(const char *text, size_t len)
{
	struct verdict v;

	if (!verdict_read(text, len, &v))
		return;
	if (v.class > REMOTE_UNTRIED || v.phase > PHASE_LOCAL || v.code < 0 || v.code > 999 ||
	    strnlen(v.status, sizeof v.status) == sizeof v.status || v.status[1] != '.' ||
	    strspn(v.status, "0123456789.") != strlen(v.status) ||
	    strnlen(v.reply, sizeof v.reply) == sizeof v.reply ||
	    !xtext_valid(v.reply, strlen(v.reply)))
		abort();
}

static void check_value(const char *text, size_t len, const char *key)
{
	size_t n;
	const char *value = verdict_value(text, len, key, &n);

	if (value == NULL)
		return;
	if (value < text + strlen(key) + 1 || n > len - (size_t)(value - text) ||
	    memchr(value, ' ', n) != NULL)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[] = {"rcpt", "host", "tls", "peer", "offers", "sha256"};
	char *copy;

	if (size > 65536)
		return 0;
	copy = malloc(size > 0 ? size : 1); /* ends with the last byte */
	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	check_outcome(copy, size);
	check_rcpts(copy, size, 0);
	check_rcpts(copy, size, 1);
	check_rcpts(copy, size, MOST);
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		check_value(copy, size, keys[i]);
	free(copy);
	return 0;
}
