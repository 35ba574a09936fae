/* Writing ISO-2022-JP (RFC 1468) for readers whose programs want it. */
#ifndef SEKISHO_DSN_JIS_H
#define SEKISHO_DSN_JIS_H

#include "lib/base/buf.h"

struct letter_jis;

/*
 * libc reads the tables from files: a process that will have none opens it before, and its children by
 * fork(2) have it as well. NULL with errno: no memory, or libc has no such charset.
 */
NODISCARD struct letter_jis *letter_jis_open(void);
void letter_jis_close(struct letter_jis *jis);

/*
 * Adds UTF-8 as ISO-2022-JP; it begins and ends in ASCII, as does each line. Letters that stand for
 * others of JIS X 0208, as U+FF5E of Windows for the wave dash, are taken for those. False: it has a
 * letter that the charset has not, as half-width kana and those of vendors, or there is no memory, or
 * no room; then `out` is to be thrown away.
 */
NODISCARD bool letter_jis_add(
    struct letter_jis *jis, const char *text, size_t len, struct buf *out);

#endif
