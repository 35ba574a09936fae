/*
 * Words in the reader's language: gettext's domain "sekisho" from etc/web/locale; English is what stands in the
 * source. One process speaks one language at a time.
 */
#ifndef SEKISHO_WEB_SAY_H
#define SEKISHO_WEB_SAY_H

#include "lib/base/compat.h"

#define N_(text) text /* to be translated where it is used */

/* Opens the catalogues below `locale`, a path from the current directory; before the program is confined. */
void say_open(const char *locale);

/* From now on this language: "ja" or "en"; any other is "en". */
void say_speak(const char *lang);

/* The text in that language; `text` itself if there is none. Not owned. */
const char *say(const char *text);
const char *say_n(const char *one, const char *many, unsigned long n);

#endif
