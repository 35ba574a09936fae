/* libarchive over a struct source. For the files of lib/extract alone. */
#ifndef SEKISHO_EXTRACT_UNPACK_H
#define SEKISHO_EXTRACT_UNPACK_H

#include "lib/extract/zip.h"

struct archive;

/* What libarchive reads from: it seeks as it likes. */
struct unpack_file {
	struct source file;
	uint64_t at;
	char *window;
};

/* Opens; on failure archive_errno says why. archive_read_free, then unpack_close, whatever came. */
NODISCARD bool unpack_open(struct unpack_file *u, struct archive *a, const struct source *file);
void unpack_close(struct unpack_file *u);

/* What libarchive's failure means to us: ZIP_MEMORY, ZIP_METHOD, ZIP_READ or ZIP_DAMAGED. */
enum zip_state unpack_failure(struct archive *a);

/* The one member of a ZIP that begins with its local header, whatever its method. */
NODISCARD enum zip_state unpack_zip_member(const struct source *file, struct sink out);

#endif
