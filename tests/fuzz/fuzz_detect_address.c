/* Addresses: what is told is in the text, and the same whatever window it was seen through. */
#include <stdlib.h>
#include <string.h>

#include "lib/detect/detect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool see(void *context, const char *value, size_t len, unsigned places)
{
	size_t *total = context;

	if (len == 0 || len > HITS_VALUE_MAX || places != 1U << PLACE_FILES)
		abort();
	if (memchr(value, '\n', len) != NULL || memchr(value, ' ', len) != NULL)
		abort();
	*total += len;
	return true;
}

static size_t count(const char *text, size_t len, size_t from, size_t settled)
{
	struct detect_window window = {
	    .text = text, .len = len, .from = from, .settled = settled, .place = PLACE_FILES};
	struct hits *hits = hits_new();
	size_t total = 0;
	size_t n;

	if (hits == NULL)
		abort();
	detect_addresses(&window, hits);
	n = hits_count(hits, DETECT_ADDRESS, 1U << PLACE_FILES);
	hits_each(hits, DETECT_ADDRESS, see, &total);
	hits_free(hits);

	/* Each is a piece of the text of its own. */
	if (total > len)
		abort();
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t middle = size / 2;
	size_t all = count(text, size, 0, size);

	/* One that stands in both halves is counted in each of them, and none is lost. */
	if (count(text, size, 0, middle) + count(text, size, middle, size) < all)
		abort();
	return 0;
}
