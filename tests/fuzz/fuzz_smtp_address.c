/* Addresses: a verdict never depends on what stands behind, and what is taken can be cut apart. */
#include <stdlib.h>
#include <string.h>

#include "lib/smtp/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t domain = 0;
	size_t path = address_path(text, size);
	enum address_verdict plain = address_check(text, size, false, &domain);
	enum address_verdict wide = address_check(text, size, true, &domain);

	if (path > size || (path > 0 && (path < 2 || text[path - 1] != '>')))
		abort();
	if ((plain == ADDRESS_OK || plain == ADDRESS_NEEDS_UTF8) != (wide == ADDRESS_OK))
		abort();
	if (wide != ADDRESS_OK)
		return 0;

	if (size > ADDRESS_MAX || domain < 2 || domain >= size || text[domain - 1] != '@')
		abort();
	if (domain - 1 > ADDRESS_LOCAL_MAX || !address_utf8(text, size))
		abort();
	for (size_t i = 0; i < size; i++) {
		if (data[i] < 0x20 || data[i] == 0x7f)
			abort();
	}
	return 0;
}
