/* Any bytes as an operator's order, and as a stage's answer: each has one spelling. */
#include <stdlib.h>
#include <string.h>

#include "queue/order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = malloc(size + 1), again[2 * ORDER_LINE_MAX];
	struct order_answer answer;
	struct order order;
	size_t len;

	demand(line != NULL);
	memcpy(line, data, size);
	if (order_parse(line, size, &order)) {
		len = order_format(&order, again, sizeof again);
		demand(len == size + 1 && memcmp(again, line, size) == 0);
	}
	if (order_answer_parse(line, size, &answer)) {
		len = order_answer_format(&answer, again, sizeof again);
		demand(len > 0 && len <= size + 1 && memcmp(again, line, len - 1) == 0);
	}
	free(line);
	return 0;
}
