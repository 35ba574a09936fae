/*
 * What is asked of seki-seal(8), as lines:
 *
 *	remove XTEXT           the address is taken out of To, Cc and Bcc
 *	insert top|end XTEXT   the text, UTF-8 whose lines end in LF, is put into the body
 */
#ifndef SEKISHO_SEAL_ORDER_H
#define SEKISHO_SEAL_ORDER_H

#include "lib/base/buf.h"

#define SEAL_ORDER_MAX   ((size_t)2 * 1024 * 1024)
#define SEAL_REMOVES_MAX 1000
#define SEAL_TEXT_MAX    ((size_t)256 * 1024) /* of all texts at one place */

struct seal_order {
	const char *remove[SEAL_REMOVES_MAX]; /* NUL-ended; in `bytes` */
	size_t removes;
	struct buf top; /* all texts of one place, an empty line between two */
	struct buf end;
	struct buf bytes;
};

void seal_order_init(struct seal_order *order);
void seal_order_free(struct seal_order *order);

/* Adds lines to what is asked, as they are sent. */
void seal_order_add_remove(struct buf *lines, const char *address);
void seal_order_add_text(struct buf *lines, bool top, const char *text, size_t len);

/* Reads all lines. False: they are none, or too much (`order` is to be freed all the same). */
NODISCARD bool seal_order_read(struct seal_order *order, const char *lines, size_t len);

#endif
