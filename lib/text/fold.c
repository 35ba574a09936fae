#include "lib/text/fold.h"

#include <stdlib.h>

#include <utf8proc.h>

char *fold_for_search(const char *text, size_t len)
{
	utf8proc_uint8_t *out = NULL;
	utf8proc_ssize_t n =
	    utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, &out,
		UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
		    UTF8PROC_IGNORE | UTF8PROC_STRIPCC);

	if (n < 0) {
		free(out);
		return NULL;
	}
	return (char *)out;
}
