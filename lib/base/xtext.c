#include "lib/base/xtext.h"

#include "lib/base/hex.h"

static bool stands_for_itself(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '+';
}

size_t xtext_encode_cut(const char *in, size_t len, char *out, size_t room)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)in[i];

		if (stands_for_itself(c)) {
			if (room - used < 1)
				break;
			out[used++] = (char)c;
			continue;
		}

		if (room - used < 3)
			break;
		out[used++] = '+';
		out[used++] = digits[c >> 4];
		out[used++] = digits[c & 15];
	}
	return used;
}

static int upper_digit(char c)
{
	return c >= 'a' && c <= 'f' ? -1 : hex_digit(c);
}

bool xtext_decode(const char *in, size_t len, char *out, size_t *out_len)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)in[i];

		if (c != '+') {
			if (!stands_for_itself(c))
				return false;
			out[used++] = (char)c;
			continue;
		}

		if (len - i < 3 || upper_digit(in[i + 1]) < 0 || upper_digit(in[i + 2]) < 0)
			return false;
		c = (unsigned char)(upper_digit(in[i + 1]) * 16 + upper_digit(in[i + 2]));
		if (stands_for_itself(c))
			return false;
		out[used++] = (char)c;
		i += 2;
	}
	*out_len = used;
	return true;
}

bool xtext_valid(const char *in, size_t len)
{
	char scratch[3];
	size_t got;

	for (size_t i = 0; i < len;) {
		size_t step = in[i] == '+' ? 3 : 1;

		if (len - i < step || !xtext_decode(in + i, step, scratch, &got))
			return false;
		i += step;
	}
	return true;
}
