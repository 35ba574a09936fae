#include "lib/detect/letters.h"

static bool follows(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

static size_t length_of(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead < 0xe0)
		return 2;
	return lead < 0xf0 ? 3 : 4;
}

uint32_t letter_next(const char *text, size_t len, size_t *at)
{
	const unsigned char *bytes = (const unsigned char *)text + *at;
	size_t left = len - *at;
	size_t n;
	uint32_t point;

	if (left == 0)
		return LETTER_NONE;
	if (bytes[0] < 0x80) {
		(*at)++;
		return bytes[0];
	}

	n = length_of(bytes[0]);
	if (follows(bytes[0]) || n > left) {
		(*at)++;
		return LETTER_NONE;
	}

	point = bytes[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if (!follows(bytes[i])) {
			(*at)++;
			return LETTER_NONE;
		}
		point = point << 6 | (bytes[i] & 0x3fU);
	}
	*at += n;
	return point;
}

uint32_t letter_before(const char *text, size_t *at)
{
	size_t start = *at;
	size_t end = *at;
	uint32_t point;

	if (*at == 0)
		return LETTER_NONE;

	do
		start--;
	while (start > 0 && end - start < 4 && follows((unsigned char)text[start]));

	*at = start;
	point = letter_next(text, end, &start);
	if (start != end) {
		*at = end - 1;
		return LETTER_NONE;
	}
	return point;
}
