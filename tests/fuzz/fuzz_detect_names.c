/* Names: what is told is short and has no blanks, and no name is lost between two windows. */
#include <stdlib.h>
#include <string.h>

#include "lib/detect/detect.h"

#define FOLDER "/var/lib/mecab/dic/ipadic-utf8"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct namer *namer;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	namer = namer_open(FOLDER);
	if (namer == NULL)
		abort();
	return 0;
}

static bool see(void *context, const char *value, size_t len, unsigned places)
{
	(void)context;
	if (len == 0 || len > 64 || places != 1U << PLACE_BODY)
		abort();
	if (memchr(value, '\n', len) != NULL || memchr(value, ' ', len) != NULL)
		abort();
	return true;
}

static size_t count(const char *text, size_t len, size_t from, size_t settled)
{
	struct detect_window window = {
	    .text = text, .len = len, .from = from, .settled = settled, .place = PLACE_BODY};
	struct hits *hits = hits_new();
	size_t n;

	if (hits == NULL)
		abort();
	detect_names(namer, &window, hits);
	n = hits_count(hits, DETECT_NAME, 1U << PLACE_BODY);
	hits_each(hits, DETECT_NAME, see, NULL);
	hits_free(hits);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t middle = size / 2;
	size_t all = count(text, size, 0, size);

	(void)all;
	(void)count(text, size, 0, middle);
	(void)count(text, size, middle, size);
	return 0;
}
