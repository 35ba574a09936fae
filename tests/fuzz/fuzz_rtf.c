/* Strangers' RTF: whatever stands in it, what is told is UTF-8, it ends, and no more is told than can be (S1-28, M2). */
#include "fuzz_extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_extract("{\\rtf", data, size);
	return 0;
}
