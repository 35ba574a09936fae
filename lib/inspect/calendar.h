/*
 * Calendar data and cards as they mean to be read (RFC 5545, RFC 6350): folded lines are joined before
 * their charset is read, a file within (ATTACH with ENCODING=BASE64) is taken out and decoded, and the
 * escapes of the text are undone.
 */
#ifndef SEKISHO_INSPECT_CALENDAR_H
#define SEKISHO_INSPECT_CALENDAR_H

#include "lib/base/sink.h"
#include "lib/mime/transfer.h"

struct calendar_events {
	struct sink lines; /* unfolded (RFC 5545 section 3.1), without the files */
	bool (*file_begins)(void *context);
	bool (*file_goes_on)(void *context, const char *bytes, size_t len);
	bool (*file_ends)(void *context, bool whole);
	/* An attachment in the text that is no base64 (data:). */
	void (*unopened)(void *context);
	void *context; /* of these four */
};

/* The caller's memory, nothing to free. Its fields are its own. */
struct calendar {
	struct calendar_events events;
	char held[2]; /* a line end that may be a fold */
	size_t held_len;
	bool is_attachment; /* the line is one, as far as it was read */
	size_t column;
	bool quoted;    /* within the quotes of a parameter */
	bool in_value;  /* behind the colon */
	bool is_base64; /* by a parameter */
	size_t seen;    /* letters of "ENCODING=BASE64", or of "data:" */
	bool in_file;
	struct transfer_reader file;
	size_t used; /* of `piece` */
	char piece[1024];
};

void calendar_open(struct calendar *c, const struct calendar_events *events);
NODISCARD bool calendar_feed(struct calendar *c, const char *bytes, size_t len);
NODISCARD bool calendar_end(struct calendar *c);

/*
 * Undoes the escapes of a text (RFC 5545 section 3.3.11): \n is a line end, \, a comma. `*escaped` is
 * kept between calls, false at first. False: `out` wants no more.
 */
NODISCARD bool calendar_unescape(bool *escaped, const char *utf8, size_t len, struct sink out);

#endif
