#include "lib/smtp/hops.h"

#include <string.h>

/* One byte of a line's start, the line's end excepted. */
static void match(struct hops *h, char c)
{
	static const char field[] = "received:";
	char lower = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;

	h->text = true;
	if (field[h->matched] != lower) {
		h->elsewhere = true;
		return;
	}
	if (field[++h->matched] == '\0') {
		h->count++;
		h->elsewhere = true;
	}
}

unsigned hops_count(struct hops *h, const char *bytes, size_t len)
{
	const char *at = bytes;
	const char *end = bytes + len;

	while (at < end && !h->body) {
		if (h->elsewhere) {
			at = memchr(at, '\n', (size_t)(end - at));
			if (at == NULL)
				break;
		}
		if (*at == '\n') {
			h->body = !h->text;
			h->elsewhere = h->text = false;
			h->matched = 0;
		} else if (*at != '\r') {
			match(h, *at);
		}
		at++;
	}
	return h->count;
}
