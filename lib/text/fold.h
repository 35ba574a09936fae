/* Text as a search looks at it: without case and width. */
#ifndef SEKISHO_TEXT_FOLD_H
#define SEKISHO_TEXT_FOLD_H

#include "lib/base/compat.h"

/*
 * UTF-8 in its compatibility form, case folded, without control characters and what nobody sees, so that it is
 * found however it is written. NUL-ended; the caller frees it. NULL: no memory, or no UTF-8.
 */
NODISCARD char *fold_for_search(const char *text, size_t len);

#endif
