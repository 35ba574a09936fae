/* Facts on their way to the employer: lines "WORD key=xtext …" (sekisho-facts(5)), several a packet. */
#ifndef SEKISHO_INSPECT_OUT_H
#define SEKISHO_INSPECT_OUT_H

#include "lib/base/compat.h"
#include "lib/base/log.h"
#include "lib/inspect/packet.h"

#define FACT_LINE_MAX ((size_t)16384)
#define FACT_VALUE_MAX                                                                             \
	((size_t)2000) /* bytes of one value, in whole letters; a longer one is cut */

struct facts_out {
	int socket;
	bool gone; /* the employer has left: nothing is said any more */
	bool hold; /* nothing leaves yet: it may have to be taken back */
	bool over; /* and there was more than can be held */
	size_t len;
	char text[PACKET_MAX - 1];
};

void facts_open(struct facts_out *out, int socket);

/* Adds a line. Fields are those of the log (lib/base/log.h). */
void facts_line(struct facts_out *out, const char *word, const struct log_field *fields, size_t n);

#define FACT(out, word, ...)                                                                       \
	facts_line((out), (word), (const struct log_field[]){__VA_ARGS__},                         \
	    COUNT_OF(((const struct log_field[]){__VA_ARGS__})))

/* Sends what is waiting. */
void facts_flush(struct facts_out *out);

#endif
