/*
 * Any bytes as lib/quota/counts: what is read is within its bounds, and written again it is read as
 * the same; what is not read leaves nothing behind.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "queue/quota.h"

#define ENTRIES ((size_t)50)
#define BOOT    (INT64_C(40) * 3600 * CLOCK_SECOND)
#define WALL    INT64_C(1795340400000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1); /* a sanitizer sees what is read behind it */
	struct quota *q = quota_new(ENTRIES), *again = quota_new(ENTRIES);
	const char *why = NULL;
	struct buf first, second;

	demand(text != NULL && q != NULL && again != NULL);
	memcpy(text, data, size);
	buf_init(&first, SIZE_MAX);
	buf_init(&second, SIZE_MAX);
	if (quota_read(q, text, size, BOOT, WALL, &why)) {
		demand(quota_entries(q) <= ENTRIES);
		quota_write(q, &first, BOOT, WALL);
		demand(quota_read(again, first.bytes, first.len, BOOT, WALL, &why));
		quota_write(again, &second, BOOT, WALL);
		demand(
		    first.len == second.len && memcmp(first.bytes, second.bytes, first.len) == 0);
	} else {
		demand(why != NULL && quota_entries(q) == 0);
	}
	buf_free(&first);
	buf_free(&second);
	quota_free(q);
	quota_free(again);
	free(text);
	return 0;
}
