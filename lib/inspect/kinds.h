/* Whether a file is what its name and its declared type say (M12). */
#ifndef SEKISHO_INSPECT_KINDS_H
#define SEKISHO_INSPECT_KINDS_H

#include "lib/extract/extract.h"

/*
 * "yes", "no", or "unknown" when neither the extension (lower case, with its dot) nor the declared
 * media type says what the file should be. `type` is the type by its bytes.
 */
const char *kind_as_named(
    enum file_format format, const char *type, const char *extension, const char *declared);

/* Whether it (lower case, with its dot) is one that promises something: the extension of a file. */
NODISCARD bool kind_is_extension(const char *extension);

#endif
