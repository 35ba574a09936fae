#include <string.h>

#include "lib/db/inside.h"

void key_begin(struct key *k, char kind)
{
	k->len = 1;
	k->bytes[0] = kind;
}

void key_add(struct key *k, const char *bytes, size_t len)
{
	/* Values have PAST_VALUE_MAX bytes at most, and a key up to three and a half of them. */
	if (len > sizeof k->bytes - k->len)
		len = sizeof k->bytes - k->len;
	memcpy(k->bytes + k->len, bytes, len);
	k->len += len;
}

void key_part(struct key *k, const char *text)
{
	key_add(k, text, strlen(text) + 1);
}

void key_last(struct key *k, const char *text)
{
	key_add(k, text, strlen(text));
}

void numbers_put(char *bytes, const uint64_t *number, size_t n)
{
	for (size_t i = 0; i < n * 8; i++)
		bytes[i] = (char)(number[i / 8] >> (8 * (i % 8)) & 0xff);
}

uint64_t numbers_at(const char *value, size_t len, size_t nth)
{
	uint64_t number = 0;

	if (len < (nth + 1) * 8)
		return 0;
	for (size_t i = 8; i-- > 0;)
		number = number << 8 | (unsigned char)value[nth * 8 + i];
	return number;
}

enum store_found numbers_get(
    struct store *s, enum store_table table, const struct key *k, uint64_t *number, size_t n)
{
	char bytes[NUMBERS_MAX * 8];
	size_t len = 0;
	enum store_found found = store_get(s, table, k->bytes, k->len, bytes, sizeof bytes, &len);

	for (size_t i = 0; i < n; i++)
		number[i] = found == STORE_FOUND ? numbers_at(bytes, len, i) : 0;
	return found;
}

bool numbers_set(
    struct store *s, enum store_table table, const struct key *k, const uint64_t *number, size_t n)
{
	char bytes[NUMBERS_MAX * 8];

	numbers_put(bytes, number, n);
	return store_put(s, table, k->bytes, k->len, bytes, n * 8);
}
