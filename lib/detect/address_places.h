/*
 * Japan's prefectures, districts, cities, wards, towns and villages by name (make-places says where
 * they come from), each table sorted by bytes for a binary search.
 */
#ifndef SEKISHO_DETECT_ADDRESS_PLACES_H
#define SEKISHO_DETECT_ADDRESS_PLACES_H

#include "lib/base/compat.h"

#define ADDRESS_PREFECTURES     47
#define ADDRESS_PREFECTURE_ROOM 13
#define ADDRESS_PLACES          2181
#define ADDRESS_PLACE_ROOM      22

extern const char address_prefectures[ADDRESS_PREFECTURES][ADDRESS_PREFECTURE_ROOM];
extern const char address_places[ADDRESS_PLACES][ADDRESS_PLACE_ROOM];

/*
 * Whether the `len` bytes are the name of a prefecture ("東京都"), or of a district, a city, a ward, a
 * town or a village as a whole ("北群馬郡", "川崎市", "宮前区").
 */
NODISCARD bool address_prefecture(const char *name, size_t len);
NODISCARD bool address_place(const char *name, size_t len);

#endif
