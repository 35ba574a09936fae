/* Names of hosts and domains as text: A-labels in lower case, without the dot at the end. */
#ifndef SEKISHO_RESOLVE_NAME_H
#define SEKISHO_RESOLVE_NAME_H

#include "lib/resolve/ask.h"

/*
 * Whether it is a name that can be asked about: labels of 1 to 63 bytes, lower-case letters, digits,
 * hyphens, and underscores, which some hosts have though RFC 952 knows none.
 */
NODISCARD bool name_good(const char *name);

enum name_wire {
	NAME_WIRE_GOOD,
	NAME_WIRE_ROOT, /* the name of no labels: the host of a null MX */
	NAME_WIRE_BAD,  /* cut short, compressed, or not name_good in lower case */
};

/* A domain name of RFC 1035 section 3.1 that fills all of `len` bytes, as text. */
NODISCARD enum name_wire name_from_wire(
    const unsigned char *bytes, size_t len, char name[RESOLVE_NAME_MAX + 1]);

/* The text of a name with a dot at the end or without, of either case. "" if it is not name_good. */
void name_from_text(const char *text, char name[RESOLVE_NAME_MAX + 1]);

#endif
