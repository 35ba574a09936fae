/* Why something was not done, by the word that a service says (`code`), in the reader's language. */
#ifndef SEKISHO_WEB_REASONS_H
#define SEKISHO_WEB_REASONS_H

#include "lib/base/compat.h"

/* The sentence, translated; a general one for a word that is not known. Not owned. */
const char *reasons_say(const char *code);

#endif
