/*
 * Mailboxes: what is seen can be written as a field of its own and is seen again; a field that is
 * clear stays so with one more address behind it, which is seen, too.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/mime/mailboxes.h"

#define ONE_MORE ", boss@example.co.jp"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Addresses with a comma behind each. */
struct list {
	char *text;
	size_t len;
	size_t room;
	size_t n;
};

static bool see(void *context, const char *address, size_t len)
{
	struct list *l = context;
	const char *at = memrchr(address, '@', len);

	if (at == NULL || at == address || at == address + len - 1 || len > MAILBOX_MAX)
		abort();
	if (len + 1 > l->room - l->len)
		abort();
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)address[i] <= ' ' ||
		    strchr("(),;<>\\\x7f", address[i]) != NULL ||
		    (address[i] == '@' && address + i != at))
			abort();
	}
	memcpy(l->text + l->len, address, len);
	l->text[l->len + len] = ',';
	l->len += len + 1;
	l->n++;
	return true;
}

static struct list list(size_t room)
{
	struct list l = {.text = malloc(room), .room = room};

	if (l.text == NULL)
		abort();
	return l;
}

static enum mailboxes read_list(const char *body, size_t len, struct list *l)
{
	*l = list(2 * len + 64);
	return mailboxes_read(body, len, see, l);
}

static void one_more(const char *body, size_t len, const struct list *seen)
{
	size_t more = sizeof ONE_MORE - 1;
	char *longer = malloc(len + more);
	struct list l;

	if (longer == NULL)
		abort();
	if (len > 0)
		memcpy(longer, body, len);
	memcpy(longer + len, ONE_MORE, more);
	if (read_list(longer, len + more, &l) != MAILBOXES_OK || l.n != seen->n + 1 ||
	    memcmp(l.text, seen->text, seen->len) != 0)
		abort();
	free(l.text);
	free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *body = (const char *)data;
	struct list seen, again;

	if (read_list(body, size, &seen) == MAILBOXES_OK) {
		if (read_list(seen.text, seen.len, &again) != MAILBOXES_OK || again.n != seen.n ||
		    again.len != seen.len || memcmp(again.text, seen.text, seen.len) != 0)
			abort();
		free(again.text);
		one_more(body, size, &seen);
	}
	free(seen.text);
	return 0;
}
