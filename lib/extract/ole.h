/*
 * Compound files (MS-CFB), the containers of legacy Office: a small file system of storages and
 * streams, read where it stands. What it costs is bounded: a directory of at most OLE_ENTRIES_MAX
 * entries, and for each open stream a list of its stretches. A chain that loops or ends too soon is
 * followed no further than its stream is long, and no stream is longer than the file.
 */
#ifndef SEKISHO_EXTRACT_OLE_H
#define SEKISHO_EXTRACT_OLE_H

#include "lib/extract/state.h"
#include "lib/extract/wide.h"

#define OLE_ENTRIES_MAX 65536
#define OLE_NONE        UINT32_MAX
#define OLE_ROOT        0 /* the entry of the root storage */

enum ole_kind { OLE_STORAGE = 1, OLE_STREAM = 2 };

struct ole_entry {
	uint16_t name[32]; /* UTF-16 */
	uint8_t name_len;
	uint8_t kind;
	uint32_t left, right, child; /* the tree of a storage's entries */
	uint32_t parent;             /* OLE_NONE: nothing leads to it */
	uint32_t start;              /* first sector */
	uint64_t size;
};

/* Sectors that follow each other. */
struct ole_stretch {
	uint64_t index; /* of the first of them, in the stream */
	uint32_t sector;
};

struct ole_stream {
	struct ole *ole;
	struct ole_stretch *stretch;
	size_t stretches;
	uint64_t size;  /* of what is there */
	unsigned shift; /* of a sector's size */
	bool mini;      /* sectors of the mini stream */
	bool cut;       /* the chain is shorter than the stream */
};

struct ole;

enum ole_status { OLE_OK, OLE_DAMAGED, OLE_UNREAD, OLE_NO_MEMORY };

/*
 * Opens the container and reads its directory. NULL with `*status`. With OLE_DAMAGED there may be a
 * container all the same, as far as it could be read. The caller closes it.
 */
struct ole *ole_open(const struct source *file, enum ole_status *status);
void ole_close(struct ole *ole);

size_t ole_entries(const struct ole *ole);
const struct ole_entry *ole_entry(const struct ole *ole, uint32_t number);

/* The entries of a storage. */
size_t ole_children(const struct ole *ole, uint32_t parent, const uint32_t **children);

/* The child of storage `parent` of that name (ASCII, any case), or OLE_NONE. */
uint32_t ole_find(const struct ole *ole, uint32_t parent, const char *name);

/* Whether its name begins so. */
NODISCARD bool ole_name_begins(const struct ole_entry *entry, const char *prefix);

/* The name in ASCII, '?' for any other letter. */
void ole_name(const struct ole_entry *entry, char name[33]);

/* False: it is none, or no memory. stream->cut: it is not all there. ole_stream_close. */
NODISCARD bool ole_stream_open(struct ole *ole, uint32_t number, struct ole_stream *stream);
void ole_stream_close(struct ole_stream *stream);

/* Like source_read. Reading on from where one was is fast. */
NODISCARD ssize_t ole_read(const struct ole_stream *stream, uint64_t at, void *into, size_t len);

/* ---- the readers of what is in it: each tells of one storage's document ---- */

/* Text, and what is in the way of it; without in->deep only whether it is encrypted. */
void read_word(struct inside *in, struct ole *ole, uint32_t storage);  /* ole_word.c */
void read_excel(struct inside *in, struct ole *ole, uint32_t storage); /* ole_excel.c */
void read_old_excel(struct inside *in, struct ole *ole, uint32_t storage);
void read_ppt(struct inside *in, struct ole *ole, uint32_t storage); /* ole_ppt.c */
void read_msg(struct inside *in, struct ole *ole, uint32_t storage); /* ole_msg.c */

/* Tells that this storage's document is encrypted. */
void ole_is_encrypted(struct inside *in, uint32_t storage);

/* Opens a stream for a reader: a fault is told if it is not all there. False: nothing to read. */
NODISCARD bool ole_open_told(
    struct inside *in, struct ole *ole, uint32_t number, struct ole_stream *stream);

/* ole_read of all `len` bytes. False: they are not there; the fault is told. */
NODISCARD bool ole_read_told(
    struct inside *in, const struct ole_stream *stream, uint64_t at, void *into, size_t len);

/* ---- objects within documents (ole_object.c) ---- */

/* A stream, from its byte `skip` on, as a file of its own; `name` stands in the paths of faults. */
void read_stream_as_file(
    struct inside *in, struct ole *ole, uint32_t stream, uint64_t skip, const char *name);

/* Copies a stretch of a stream to the scratch file, counted. False: stop; the fault is told. */
NODISCARD bool read_into_spill(struct inside *in, const struct ole_stream *stream, uint64_t at,
    uint64_t len, struct spill *spill);

/* The stream "\1Ole10Native": a file that was put into a document. */
void read_native(struct inside *in, struct ole *ole, uint32_t stream);

/* An object of OLE 1 (MS-OLEDS 2.2.4), as RTF has them. */
void read_ole1(struct inside *in, const struct source *file);

#endif
