/*
 * ZIP by its central directory (PKWARE APPNOTE 6.3), read where it stands: no table of members is
 * held in memory. What two programs could see differently is found by zip_check.
 */
#ifndef SEKISHO_EXTRACT_ZIP_H
#define SEKISHO_EXTRACT_ZIP_H

#include "lib/base/buf.h"
#include "lib/base/sink.h"
#include "lib/base/source.h"

#define ZIP_STORED   0
#define ZIP_DEFLATED 8
#define ZIP_AES      99

#define ZIP_FLAG_ENCRYPTED  0x0001U
#define ZIP_FLAG_DESCRIPTOR 0x0008U /* sizes stand behind the data */
#define ZIP_FLAG_UTF8       0x0800U
#define ZIP_FLAG_MASKED     0x2000U /* the local header hides them: the directory is encrypted */

enum zip_state {
	ZIP_OK,
	ZIP_END,     /* no more members */
	ZIP_NONE,    /* there is no directory */
	ZIP_DAMAGED, /* it breaks the rules */
	ZIP_HIDDEN,  /* the directory is encrypted */
	ZIP_METHOD,  /* compressed in a way that nothing here knows */
	ZIP_STOPPED, /* the sink wanted no more */
	ZIP_MEMORY,
	ZIP_READ, /* errno */
};

struct zip {
	struct source file;
	uint64_t base;      /* bytes before the archive: what offsets are counted from */
	uint64_t directory; /* where it begins in the file, and where it ends */
	uint64_t directory_end;
	uint64_t entries; /* as declared */
	uint64_t end;     /* behind the end record and its comment */
	bool zip64;
	bool ambiguous; /* bytes between directory and end record, or behind it */
};

struct zip_entry {
	const unsigned char *name; /* bytes; good until the next call */
	size_t name_len;
	const unsigned char *unicode; /* Info-ZIP's Unicode path, NULL: none */
	size_t unicode_len;
	uint64_t local; /* offset of its local header in the file */
	uint64_t packed;
	uint64_t size;
	uint32_t crc;
	unsigned flags;
	unsigned method;
	bool is_folder;
	bool encrypted;
};

/* Finds the directory: ZIP_OK, ZIP_NONE, ZIP_DAMAGED, ZIP_HIDDEN, ZIP_MEMORY or ZIP_READ. */
NODISCARD enum zip_state zip_open(struct zip *zip, const struct source *file);

/* Whether a ZIP ends exactly where the file does (which may begin as anything). */
NODISCARD bool zip_ends_here(const struct source *file);

/* From member to member. */
struct zip_walk {
	const struct zip *zip;
	uint64_t at;    /* of the next entry */
	uint64_t count; /* entries seen */
	struct buf window;
	uint64_t window_at;
};

void zip_walk_begin(struct zip_walk *walk, const struct zip *zip);
/* ZIP_OK, ZIP_END, ZIP_DAMAGED, ZIP_MEMORY or ZIP_READ. */
NODISCARD enum zip_state zip_walk_next(struct zip_walk *walk, struct zip_entry *entry);
void zip_walk_end(struct zip_walk *walk);

/* The member's name as UTF-8, NUL-ended, in `name` (bound MEMBER_NAME_MAX). */
const char *zip_name(const struct zip_entry *entry, struct buf *name);

/* The local header of a member. */
struct zip_local {
	uint64_t data; /* where the member's bytes begin in the file */
	uint64_t packed;
	uint64_t size;
	uint32_t crc;
	unsigned flags;
	unsigned method;
	unsigned name_len;
};

/* ZIP_OK, ZIP_DAMAGED (there is none), ZIP_MEMORY or ZIP_READ. Does not read the name. */
NODISCARD enum zip_state zip_local_read(
    const struct zip *zip, uint64_t at, struct zip_local *local);

/*
 * The member's bytes, unpacked, into the sink, at most the size that the directory gives; their sum
 * and number are compared. ZIP_OK, ZIP_DAMAGED, ZIP_METHOD, ZIP_STOPPED, ZIP_MEMORY, ZIP_READ.
 * What came before damage went into the sink.
 */
NODISCARD enum zip_state zip_unpack(
    const struct zip *zip, const struct zip_entry *entry, struct sink out);

/*
 * Whether directory and local headers say the same (names, sizes, flags, methods), no member
 * overlaps another, no name stands there twice, and nothing stands before, between or behind that
 * the directory does not know. Reads each local header once; at most `most` members (beyond them
 * nothing is said). ZIP_OK; ZIP_DAMAGED: no; ZIP_MEMORY; ZIP_READ.
 */
NODISCARD enum zip_state zip_check(const struct zip *zip, uint64_t most);

#endif
