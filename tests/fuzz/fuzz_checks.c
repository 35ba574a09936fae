/* Values of the self-check's facts, as they may stand in a trailer: one line of text, in both languages. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/checks/checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *const rcpt[] = {"b@x.example", "eve@y.example"};

	for (unsigned fact = 0; fact <= CHECK_COUNT; fact++) {
		for (int english = 0; english < 2; english++) {
			struct buf out;

			buf_init(&out, SIZE_MAX);
			check_sentence(&out, english != 0, (enum check_fact)fact,
			    (const char *)data, size, rcpt, 2);
			if (!buf_ok(&out) || out.len == 0 || out.len > 65536)
				abort();
			for (size_t i = 0; i < out.len; i++) {
				if ((unsigned char)out.bytes[i] < ' ' || out.bytes[i] == 0x7f)
					abort();
			}
			buf_free(&out);
		}
	}
	return 0;
}
