/*
 * Files that stand encoded in a text: uuencode ("begin 644 name" … "end"), its base64 kind
 * ("begin-base64") and yEnc ("=ybegin"). The text goes through; what is found is taken out of it and
 * decoded. A "begin" is one when the line behind it is one of uuencode.
 */
#ifndef SEKISHO_MIME_UU_H
#define SEKISHO_MIME_UU_H

#include "lib/base/sink.h"

#define UU_LINE_MAX 1200
#define UU_NAME_MAX 512

enum uu_kind {
	UU_UUENCODE,
	UU_BASE64,
	UU_YENC,
};

/* Who is told; any function but `text` may be NULL. False from one stops. */
struct uu_events {
	struct sink text; /* what is outside of files, line ends included */

	/* A file begins; its name as it stands (any charset), cut to UU_NAME_MAX, not NUL-ended. */
	bool (*begin)(void *context, enum uu_kind kind, const char *name, size_t len);
	bool (*data)(void *context, const char *bytes, size_t len);

	/* It ends: `whole` says whether by its last line and without a line that is none of its. */
	bool (*end)(void *context, bool whole);
	void *context; /* of these three */
};

struct uu_reader;

/* NULL: no memory. The caller frees it by uu_free. */
NODISCARD struct uu_reader *uu_open(const struct uu_events *events);

/* More of the text, in pieces of any size. False: somebody wants no more. */
NODISCARD bool uu_feed(struct uu_reader *r, const char *bytes, size_t len);

/* The text ends here. False: somebody wanted no more. */
NODISCARD bool uu_end(struct uu_reader *r);
void uu_free(struct uu_reader *r);

#endif
