/* A question to seki-auth: any bytes are none or one, and that one is written as it was read. */
#include <stdlib.h>
#include <string.h>

#include "lib/auth/question.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char again[QUESTION_PREFIX + AUTH_QUESTION_MAX];
	struct auth_question q;
	char *bytes = malloc(size + 1); /* exactly as long: reading beyond it is seen */
	size_t len;

	if (bytes == NULL)
		abort();
	memcpy(bytes, data, size);
	if (size <= AUTH_QUESTION_MAX && question_read(bytes, size, &q)) {
		len = question_write(&q, again);
		if (len != QUESTION_PREFIX + size || question_length(again) != size ||
		    memcmp(again + QUESTION_PREFIX, bytes, size) != 0)
			abort();
		if (strpbrk(q.login, "\r\n\t\x1b") != NULL || q.password[0] == '\0')
			abort();
	}
	free(bytes);
	return 0;
}
