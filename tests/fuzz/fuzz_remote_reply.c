/* O: any bytes of a server: bounded, the same however they are cut, and never a control character. */
#include <stdlib.h>
#include <string.h>

#include "lib/remote/command.h"
#include "lib/remote/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(void *context, const char *text, size_t len, bool first)
{
	if (len > REPLY_LINE_MAX)
		abort();
	if (!first)
		offer_read(context, text, len);
}

static enum reply_status feed(
    struct reply *r, struct offer *offer, const char *in, size_t len, size_t step, size_t *used)
{
	enum reply_status status = REPLY_MORE;

	*offer = (struct offer){0};
	reply_init(r, 2048, show, offer);
	for (*used = 0; status == REPLY_MORE && *used < len;) {
		size_t left = len - *used;
		size_t n;

		status = reply_feed(r, in + *used, left < step ? left : step, &n);
		if (n == 0 && status == REPLY_MORE)
			abort();
		*used += n;
	}
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct reply one, many;
	struct offer offer, other;
	size_t step = size > 0 ? 1 + data[0] % 5 : 1;
	size_t len = size > 0 ? size - 1 : 0;
	char *in = malloc(len + 1);
	size_t used, used_many;
	enum reply_status status;

	if (in == NULL)
		abort();
	if (len > 0)
		memcpy(in, data + 1, len);
	status = feed(&one, &offer, in, len, len + 1, &used);
	if (feed(&many, &other, in, len, step, &used_many) != status || used != used_many ||
	    one.code != many.code || strcmp(one.text, many.text) != 0 ||
	    strcmp(one.status, many.status) != 0 || offer.size_max != other.size_max)
		abort();
	if (used > 2048 || one.text_len > REPLY_TEXT_MAX || strlen(one.text) != one.text_len)
		abort();
	if (status == REPLY_DONE && (one.code < 200 || one.code > 599 || in[used - 1] != '\n'))
		abort();
	for (const char *p = one.text; *p != '\0'; p++) {
		if (((unsigned char)*p < ' ' && *p != '\n') || *p == 0x7f)
			abort();
	}
	free(in);
	return 0;
}
