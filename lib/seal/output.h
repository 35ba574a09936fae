/* Writing the new content, piece by piece. Internal to lib/seal. */
#ifndef SEKISHO_SEAL_OUTPUT_H
#define SEKISHO_SEAL_OUTPUT_H

#include "lib/base/buf.h"
#include "lib/base/source.h"
#include "lib/mime/transfer.h"

#define OUTPUT_ROOM ((size_t)65536)

struct output {
	int fd;
	uint64_t size; /* written, with what is still here */
	int error;     /* errno of the first write that failed */
	size_t used;
	char bytes[OUTPUT_ROOM];
};

/* Adds bytes. False: a write failed; nothing more is written. */
NODISCARD bool output_bytes(struct output *out, const char *bytes, size_t len);
NODISCARD bool output_buf(struct output *out, const struct buf *bytes);
NODISCARD bool output_flush(struct output *out);

/* The bytes [from, to) of the source as they are. False: read or write failed (`error`). */
NODISCARD bool output_copy(
    struct output *out, const struct source *source, uint64_t from, uint64_t to);

#define ENCODE_LINE 57 /* bytes that become 76 letters of base64 */

/* Base64, quoted-printable, or the bytes as they are. Its fields are its own. */
struct encode {
	struct output *out;
	enum transfer encoding;
	int held;      /* quoted-printable: a byte whose writing depends on the next; or -1 */
	size_t column; /* the same */
	size_t used;   /* of `line` */
	char line[ENCODE_LINE];
};

void encode_open(struct encode *e, enum transfer encoding, struct output *out);
NODISCARD bool encode_bytes(struct encode *e, const char *bytes, size_t len);
NODISCARD bool encode_end(struct encode *e);

#endif
