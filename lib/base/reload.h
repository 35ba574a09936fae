/*
 * The answer to SIGHUP. Who asks (seki reload) writes a word of his own into run/reload, sends the
 * signal, and finds in run/taken/PROGRAM whether the program took the new configuration:
 *
 *   taken NONCE
 *   refused NONCE what is wrong, as FILE:LINE:COLUMN: TEXT
 */
#ifndef SEKISHO_BASE_RELOAD_H
#define SEKISHO_BASE_RELOAD_H

#include "lib/base/compat.h"

#define RELOAD_NONCE_MAX 64

/*
 * Writes the answer, in one write, into run/taken/PROGRAM below the current directory; a file that
 * is not there already is not made. The nonce is "-" if there is none, or no word. `text` is what
 * is wrong, when not `taken`. A failure is nobody's to mend, and is only logged.
 */
void reload_answer(const char *program, bool taken, const char *text);

#endif
