/*
 * The content of a message on its way out (RFC 5321 sections 4.1.1.4 and 4.5.2): a dot more at the
 * front of each line that begins with one, and a CRLF at the end if there was none. Everything else
 * leaves as it stands; a CR or LF that stands alone must not leave at all (S2), for it may be the
 * end of a line, and so of the message, to somebody else.
 */
#ifndef SEKISHO_REMOTE_STUFF_H
#define SEKISHO_REMOTE_STUFF_H

#include "lib/base/compat.h"

/* Takes what is to be sent. False stops. */
typedef bool stuff_take(void *context, const char *bytes, size_t len);

enum stuff_status {
	STUFF_OK,
	STUFF_BARE, /* a CR or LF stands alone; what came before it was given out */
	STUFF_STOP, /* the taker wished no more */
};

struct stuff {
	bool middle; /* within a line */
	bool cr;     /* the last byte was a CR */
	stuff_take *take;
	void *context;
};

void stuff_init(struct stuff *s, stuff_take *take, void *context);
NODISCARD enum stuff_status stuff_feed(struct stuff *s, const char *in, size_t len);

/* Behind the last byte: completes the last line. The final dot is the caller's. */
NODISCARD enum stuff_status stuff_end(struct stuff *s);

#endif
