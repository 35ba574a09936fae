#include "lib/mime/utf8.h"

size_t utf8_step(const char *text, size_t len, uint32_t *point)
{
	/* The least code point that needs so many bytes: below it the form is overlong. */
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char c = (unsigned char)text[0];
	size_t n = c < 0x80 ? 1 : c < 0xc0 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf8 ? 4 : 0;
	uint32_t letter;

	if (n == 0 || n > len)
		return 0;

	letter = n == 1 ? c : c & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		unsigned char more = (unsigned char)text[i];

		if ((more & 0xc0) != 0x80)
			return 0;
		letter = letter << 6 | (more & 0x3f);
	}
	if (letter < least[n] || (letter >= 0xd800 && letter < 0xe000) || letter > 0x10ffff)
		return 0;

	*point = letter;
	return n;
}

bool utf8_unseen(uint32_t point)
{
	return point == 0xa0 || point == 0xad || point == 0x1680 || point == 0x180e ||
	       (point >= 0x2000 && point <= 0x200f) || (point >= 0x2028 && point <= 0x202f) ||
	       (point >= 0x205f && point <= 0x206f) || point == 0x3000 || point == 0xfeff;
}
