/* Any bytes as the body of a Received field: no mark of ours is found that is not there. */
#include <stdlib.h>
#include <string.h>

#include "queue/loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct loop_key key = {{1, 2, 3}};
	static const char id[ID_TEXT] = "0196c0ffee4f2c1d8a31b7e09c55d210";
	static const char tail[] = "\r\n by gw id 0196c0ffee4f2c1d8a31b7e09c55d210 (mark ";
	char *body = malloc(size + sizeof tail + LOOP_MARK), mark[LOOP_MARK + 1];
	char *exact = malloc(size + 1);
	size_t len = size + sizeof tail - 1;

	demand(body != NULL && exact != NULL && loop_mark(&key, id, mark));
	memcpy(exact, data, size);
	/* A stranger does not know the key: whatever he writes holds a right mark only by accident. */
	demand(
	    loop_marks_in(&key, exact, size) == 0 || memmem(data, size, mark, LOOP_MARK) != NULL);

	/* Behind anything that does not use up the looks a right one is found. */
	memcpy(body, data, size);
	memcpy(body + size, tail, sizeof tail - 1);
	memcpy(body + len, mark, LOOP_MARK);
	demand(size > 200 || loop_marks_in(&key, body, len + LOOP_MARK) == 1);
	free(body);
	free(exact);
	return 0;
}
