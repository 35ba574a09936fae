#include "queue/id.h"

#include <sys/random.h>

#include "lib/base/clock.h"
#include "lib/base/hex.h"

bool id_make(int64_t wall, char id[ID_TEXT])
{
	unsigned char bytes[16];
	uint64_t ms = (uint64_t)(wall / (CLOCK_SECOND / 1000));

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return false;

	for (size_t i = 0; i < 6; i++)
		bytes[i] = (unsigned char)(ms >> (40 - 8 * i));
	hex_encode(bytes, sizeof bytes, id);
	return true;
}

bool id_valid(const char *text, size_t len)
{
	unsigned char bytes[16];

	return len >= ID_LEN && hex_decode(text, bytes, sizeof bytes);
}

int64_t id_time(const char id[ID_TEXT])
{
	uint64_t ms = 0;

	for (size_t i = 0; i < 12; i++)
		ms = ms << 4 | (uint64_t)hex_digit(id[i]);
	return (int64_t)ms * (CLOCK_SECOND / 1000);
}
