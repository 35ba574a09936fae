/*
 * Between the files of lib/extract: how a reader of one format (archive.c, ooxml.c, rtf.c, ole.c …)
 * tells what it finds. The dispatcher (extract.c) owns struct extract and calls the readers.
 */
#ifndef SEKISHO_EXTRACT_INSIDE_H
#define SEKISHO_EXTRACT_INSIDE_H

#include "lib/extract/extract.h"

/* The file that is being read, and where it stands. */
struct inside {
	struct extract *x;
	struct source file;
	const char *name;  /* of the file, UTF-8, "" if it has none */
	const char *label; /* declared charset, or "" */
	const char *path;  /* of members down to here, for faults; "" at the top */
	unsigned level;    /* containers around it: 0 at the top */
	bool deep;
	struct extract_file *found;
};

/* For readers. */
void inside_fault(struct inside *in, enum extract_fault fault);
NODISCARD bool inside_text(struct inside *in, const char *utf8, size_t len);
void inside_text_ends(struct inside *in);

/* A sink that does the same as inside_text. */
struct sink inside_sink(struct inside *in);

/* Counts unpacked bytes against the limits; tells the fault once. False: stop. */
NODISCARD bool inside_expand(
    struct inside *in, uint64_t out_more, uint64_t out_all, uint64_t in_all);

/* Tells of a member and counts it. False: the limit on members is reached, and told. */
NODISCARD bool inside_member(struct inside *in, const struct extract_member *member);

/*
 * Room on the scratch file for something that must be read at random: spill_begin, spill_write for
 * each piece, then spill_source is the stretch; spill_end gives the room back (strictly nested).
 */
struct spill {
	struct extract *x;
	uint64_t start;
	uint64_t len;
};
void spill_begin(struct extract *x, struct spill *spill);
NODISCARD bool spill_write(struct spill *spill, const char *bytes, size_t len); /* errno */
struct source spill_source(const struct spill *spill);
void spill_end(struct spill *spill);

/* Looks at a member as at a file of its own (its type by magic, its reader). `name` is its name. */
void inside_file(struct inside *in, const struct source *file, const char *name);

/* The readers. Each tells what it finds, with its faults, and fills in->found. */
void read_archive(struct inside *in); /* ZIP, 7z, tar.*, LZH, CAB, RAR, ISO, gzip … (archive*.c) */
void read_zip_office(struct inside *in); /* OOXML, ODF (office*.c) */
void read_tnef(struct inside *in);       /* winmail.dat (tnef.c) */
void read_ole(struct inside *in);        /* legacy Office, encrypted OOXML, .msg (ole.c) */
void read_pdf(struct inside *in);        /* pdf.c */
void read_rtf(struct inside *in);        /* rtf.c */
void read_text(struct inside *in);       /* text, CSV, HTML (text.c) */
void read_mail(struct inside *in);       /* a message as a file (mail.c) */

/* The format by the bytes, and the name where bytes do not tell; fills type (magic.c). */
enum file_format format_of(struct extract_tables *tables, const struct source *file,
    const char *name, char *type, size_t room);

#endif
