/*
 * The detectors of personal data, as readers of windows (lib/detect/window.h): each tells `hits` what
 * it finds. They keep no state from one window to the next.
 */
#ifndef SEKISHO_DETECT_DETECT_H
#define SEKISHO_DETECT_DETECT_H

#include "lib/detect/hits.h"
#include "lib/detect/window.h"

/* Cards, My Numbers, corporate numbers, phone numbers and mail addresses: those of `wanted` (1 << kind). */
void detect_numbers(
    const struct detect_window *window, unsigned wanted, struct hits *hits); /* numbers*.c */
void detect_mail(const struct detect_window *window, struct hits *hits);     /* mail.c */

/* Postal addresses of Japan. */
void detect_addresses(const struct detect_window *window, struct hits *hits); /* address.c */

/*
 * Names of persons: a family name and a given name, or a family name with an honorific. Opens the
 * dictionary of MeCab at `folder` ("/var/lib/mecab/dic/ipadic-utf8"). NULL with errno.
 */
struct namer;
NODISCARD struct namer *namer_open(const char *folder);
void namer_free(struct namer *namer);
void detect_names(
    struct namer *namer, const struct detect_window *window, struct hits *hits); /* names.c */

/*
 * How a name in kanji is read, in katakana, when the dictionary knows all of it. `namer` is a struct
 * namer; `reading` gets at most `room` bytes, NUL-ended. False: it is not known. (reading.c)
 */
NODISCARD bool namer_reading(void *namer, const char *name, size_t len, char *reading, size_t room);

#endif
