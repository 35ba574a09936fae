#include "lib/detect/address_places.h"

#include <string.h>

/* Finds the `len` bytes in `n` rows of `room` bytes each, padded with NUL. */
static bool in_rows(const char *rows, size_t n, size_t room, const char *name, size_t len)
{
	size_t low = 0;
	size_t high = n;

	if (len >= room)
		return false;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *row = rows + middle * room;
		int order = memcmp(name, row, len);

		if (order == 0 && row[len] == '\0')
			return true;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool address_prefecture(const char *name, size_t len)
{
	return in_rows(
	    address_prefectures[0], ADDRESS_PREFECTURES, ADDRESS_PREFECTURE_ROOM, name, len);
}

bool address_place(const char *name, size_t len)
{
	static const char small_ke[] = "ヶ";
	static const char ke[] = "ケ";
	char plain[ADDRESS_PLACE_ROOM];

	if (len >= sizeof plain)
		return false;

	/* 茅ヶ崎市 and 茅ケ崎市 are one. */
	memcpy(plain, name, len);
	for (size_t at = 0; at + sizeof ke - 1 <= len; at++) {
		if (memcmp(plain + at, small_ke, sizeof ke - 1) == 0)
			memcpy(plain + at, ke, sizeof ke - 1);
	}
	return in_rows(address_places[0], ADDRESS_PLACES, ADDRESS_PLACE_ROOM, plain, len);
}
