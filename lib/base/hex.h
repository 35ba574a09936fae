/* Lower-case hexadecimal, as ids and digests are written. */
#ifndef SEKISHO_BASE_HEX_H
#define SEKISHO_BASE_HEX_H

#include "lib/base/compat.h"

/* The value of a hex digit of either case, or -1. */
static inline int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Writes 2 * len digits and a NUL. */
static inline void hex_encode(const unsigned char *in, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
	out[2 * len] = '\0';
}

/* Reads exactly 2 * len lower-case digits; false if one is not. */
NODISCARD static inline bool hex_decode(const char *in, unsigned char *out, size_t len)
{
	for (size_t i = 0; i < 2 * len; i++) {
		int digit = in[i] >= 'A' && in[i] <= 'F' ? -1 : hex_digit(in[i]);

		if (digit < 0)
			return false;
		out[i / 2] = (unsigned char)(i % 2 == 0 ? digit << 4 : out[i / 2] | digit);
	}
	return true;
}

#endif
