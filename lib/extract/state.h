/*
 * What stands behind struct extract and its tables, and what several readers of containers share.
 * For the files of lib/extract alone.
 */
#ifndef SEKISHO_EXTRACT_STATE_H
#define SEKISHO_EXTRACT_STATE_H

#include <iconv.h>
#include <locale.h>

#include "lib/extract/inside.h"

/* A name of a member in bytes is cut here; one of 64 KB, the most that a ZIP holds, fits. */
#define MEMBER_NAME_MAX ((size_t)3 * 65536)

struct extract_tables {
	struct magic_set *magic;
	locale_t locale;    /* libarchive gives names in the charset of the locale */
	iconv_t kept[3];    /* open, so that their modules stay loaded when no file can be opened */
	bool locale_opened; /* locale is not the one of the process */
};

struct extract {
	struct extract_setup setup;
	uint64_t members;
	uint64_t expanded;
	uint64_t scratch_end;
	unsigned limits_told; /* a bit for each extract_fault, within one call of extract_file */
	bool text_open;
};

/* The rest of a container's totals: what came out so far. */
struct unpacking {
	struct inside *in;
	struct spill spill;
	uint64_t out;    /* of the whole container, as far as it counts */
	uint64_t size;   /* of this member */
	uint64_t copies; /* so many bytes count nothing: a TAR holds them as they are */
	bool stopped;    /* a limit was reached, and told: leave the container */
};

/*
 * A member that goes to the scratch file: unpack_begin; the sink takes its bytes, counted against
 * the limits; unpack_look looks at what came; unpack_end gives the room back.
 */
void unpack_begin(struct unpacking *u);
struct sink unpack_sink(struct unpacking *u);
void unpack_look(struct unpacking *u, const char *name);
void unpack_end(struct unpacking *u);

/*
 * A member's name as UTF-8, NUL-ended, in `name`: UTF-8 if it is that, else CP932; a NUL becomes
 * U+FFFD. Never fails: without memory the name is "" or what fitted.
 */
const char *member_name(const void *raw, size_t len, struct buf *name);

/* Whether these bytes are UTF-8 (RFC 3629), whole letters. */
NODISCARD bool is_utf8(const void *bytes, size_t len);

/* Numbers of `n` bytes, lowest first. */
static inline uint64_t le(const unsigned char *at, unsigned n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | at[n];
	return v;
}

/* A fault of something within the file: its path is the file's and `name`. */
void inside_fault_at(struct inside *in, enum extract_fault fault, const char *name);

/* inside_file for a text whose charset was declared. */
void inside_file_labelled(
    struct inside *in, const struct source *file, const char *name, const char *label);

/* Counts a part of a document as inside_member does, but tells nobody of it. False: the limit. */
NODISCARD bool inside_part(struct inside *in);

/* A ZIP in the file, whatever it looks like from its beginning (archive_zip.c). */
void read_zip(struct inside *in);
void read_rar(struct inside *in);                                 /* archive_rar.c */
void read_by_library(struct inside *in, enum file_format format); /* archive.c */

#endif
