/* Counts the Received lines of a message as it passes: mail that goes round in circles has many. */
#ifndef SEKISHO_SMTP_HOPS_H
#define SEKISHO_SMTP_HOPS_H

#include "lib/base/compat.h"

#define HOPS_MAX 30

struct hops {
	unsigned count;
	unsigned matched; /* bytes of "received:" seen at this line's start */
	bool elsewhere;   /* within a line that is another field's */
	bool text;        /* something stands in this line */
	bool body;        /* the header is over */
};

/* Looks at more of the content; returns how many there are so far. Starts from {0}. */
unsigned hops_count(struct hops *h, const char *bytes, size_t len);

#endif
