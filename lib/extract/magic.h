/*
 * What a file is, by its bytes: our own checks for what has a reader here or is dangerous, then
 * libmagic's database for everything else.
 */
#ifndef SEKISHO_EXTRACT_MAGIC_H
#define SEKISHO_EXTRACT_MAGIC_H

#include "lib/extract/inside.h"

/* Types that say that there is content which only its recipient can read. */
#define MAGIC_PGP       "application/pgp-encrypted"
#define MAGIC_ENVELOPED "application/pkcs7-mime"

/* libmagic's database in memory. NULL with errno: missing, or no memory. */
struct magic_set;
NODISCARD struct magic_set *magic_prepare(void);
void magic_set_free(struct magic_set *set);

/* Whether a file begins with a header of TAR; 512 bytes are enough. */
NODISCARD bool magic_is_tar(const unsigned char *head, size_t len);

/* A 7z or RAR archive behind the program that unpacks it: where, in the first 2 MB. */
NODISCARD bool magic_archive_within(const struct source *file, uint64_t *at);

/* The flavour of a ZIP, by its members (magic_zip.c): ZIP, OOXML or ODF; fills type. */
enum file_format zip_format(const struct source *file, char *type, size_t room);

/* Whether these first bytes of a file are text, in whatever charset (magic_text.c). */
NODISCARD bool magic_is_text(const unsigned char *head, size_t len);

/* What kind of text: TEXT, HTML, RTF, MAIL, PROGRAM (a script) …; fills type (magic_text.c). */
enum file_format magic_text_kind(
    const unsigned char *head, size_t len, const char *name, char *type, size_t room);

#endif
