/*
 * The content of a message as DATA transmits it (RFC 5321 sections 4.1.1.4 and 4.5.2): only
 * CRLF "." CRLF ends it, and the dot that a client put before a line's own is taken away. What
 * other programs may read as a line's end, a CR or LF standing alone, is either a reason to
 * stop at once or becomes CRLF, so that no later reader can find two messages in one.
 */
#ifndef SEKISHO_SMTP_DATA_H
#define SEKISHO_SMTP_DATA_H

#include "lib/base/compat.h"

enum data_status {
	DATA_MORE, /* everything was used; the end was not seen */
	DATA_END,  /* the end was seen */
	DATA_BARE, /* a CR or LF stands alone, and is not to be repaired */
};

enum data_state {
	DATA_LINE_START, /* nothing yet, or behind CRLF */
	DATA_TEXT,
	DATA_CR,     /* a CR that is not yet given out */
	DATA_DOT,    /* a dot at the start of a line, not given out */
	DATA_DOT_CR, /* that and a CR, neither given out */
};

/* Takes decoded content; a failure is the taker's to remember. */
typedef void data_take(void *context, const char *bytes, size_t len);

struct data {
	enum data_state state;
	bool repair;
	data_take *take;
	void *context;
};

void data_init(struct data *d, bool repair, data_take *take, void *context);

/*
 * Decodes what has come, in runs as long as possible. `*used` is what belongs to the message: all
 * of it with DATA_MORE, up to and with the final LF with DATA_END.
 */
NODISCARD enum data_status data_feed(struct data *d, const char *in, size_t len, size_t *used);

#endif
