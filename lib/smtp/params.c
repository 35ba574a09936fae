#include "lib/smtp/params.h"

#include <string.h>
#include <strings.h>

#include "lib/base/hex.h"
#include "lib/smtp/address.h"

bool word_is(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

static bool keyword(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		bool alnum =
		    (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!alnum && (c != '-' || i == 0))
			return false;
	}
	return len > 0;
}

static bool value(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= ' ' || c == '=' || c == 0x7f)
			return false;
	}
	return len > 0;
}

int params_next(const char **rest, size_t *len, struct param *param)
{
	const char *at = *rest;
	const char *end = at + *len;
	const char *stop;
	const char *equals;

	if (at < end && *at != ' ')
		return -1;
	while (at < end && *at == ' ')
		at++;
	if (at == end)
		return 0;

	stop = memchr(at, ' ', (size_t)(end - at));
	if (stop == NULL)
		stop = end;
	equals = memchr(at, '=', (size_t)(stop - at));

	*param = (struct param){.name = at};
	param->name_len = (size_t)((equals != NULL ? equals : stop) - at);
	if (equals != NULL) {
		param->value = equals + 1;
		param->value_len = (size_t)(stop - param->value);
	}
	*rest = stop;
	*len = (size_t)(end - stop);

	if (!keyword(param->name, param->name_len))
		return -1;
	return equals == NULL || value(param->value, param->value_len) ? 1 : -1;
}

int64_t param_number(const char *text, size_t len)
{
	int64_t number = 0;

	if (len < 1 || len > 20)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, text[i] - '0', &number))
			return -1;
	}
	return number;
}

static int upper_digit(char c)
{
	return c >= 'a' && c <= 'f' ? -1 : hex_digit(c);
}

bool param_xtext(const char *in, size_t len, bool utf8, char *out, size_t *out_len)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		if (in[i] != '+') {
			out[used++] = in[i];
			continue;
		}
		if (len - i < 3 || upper_digit(in[i + 1]) < 0 || upper_digit(in[i + 2]) < 0)
			return false;
		out[used++] = (char)(upper_digit(in[i + 1]) * 16 + upper_digit(in[i + 2]));
		i += 2;
	}

	*out_len = used;
	for (size_t i = 0; i < used; i++) {
		if ((unsigned char)out[i] >= 0x80 && !utf8)
			return false;
	}
	return address_utf8(out, used);
}
