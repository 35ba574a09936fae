/* Strangers' text, HTML and PDF; the converter gives their bytes back as text (S1-28, M8). */
#include "fuzz_extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_extract("", data, size);
	return 0;
}
