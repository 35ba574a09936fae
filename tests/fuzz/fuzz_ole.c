/* Strangers' compound files: Word, Excel, PowerPoint, messages (S1-28, S1-30, M2). */
#include "fuzz_extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_extract("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", data, size);
	return 0;
}
