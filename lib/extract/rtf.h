/* Between rtf.c, which reads groups and control words, and rtf_out.c, which makes UTF-8 of letters. */
#ifndef SEKISHO_EXTRACT_RTF_H
#define SEKISHO_EXTRACT_RTF_H

#include "lib/extract/wide.h"

#define RTF_PENDING 4096

/* Text on its way out. */
struct rtf_out {
	struct wide wide;
	unsigned codepage; /* of the bytes that are pending */
	size_t pending;
	bool no_memory;
	char bytes[RTF_PENDING];
};

/* A byte in that code page. One letter may come in two of them. */
void rtf_byte(struct rtf_out *out, unsigned codepage, unsigned char byte);

/* A UTF-16 unit. */
void rtf_unit(struct rtf_out *out, uint32_t unit);

/* Everything goes out. False: no more is wanted. */
NODISCARD bool rtf_flush(struct rtf_out *out);

/* Whether the code page has letters of two bytes. */
bool rtf_is_double(unsigned codepage);

#endif
