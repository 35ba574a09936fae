#include "lib/db/places.h"

#include <stdlib.h>

#define ROOM_FIRST ((size_t)1024)

static void put(struct place *place, size_t room, uint64_t spot, uint32_t tag, uint32_t number)
{
	size_t i = (size_t)spot & (room - 1);

	while (place[i].number != 0)
		i = (i + 1) & (room - 1);
	place[i] = (struct place){tag, number};
}

/*
 * A hash has 32 bits for the place and 32 for the tag; when the table grows the place is found again
 * from both, for the tag holds the low bits.
 */
static uint64_t spot_of(uint32_t tag)
{
	return (uint64_t)tag * 0x9e3779b97f4a7c15u >> 16;
}

static bool grow(struct places *p)
{
	size_t room = p->room == 0 ? ROOM_FIRST : p->room * 2;
	struct place *place;

	if (p->room > SIZE_MAX / 4 / sizeof *place)
		return false;
	place = calloc(room, sizeof *place);
	if (place == NULL)
		return false;
	for (size_t i = 0; i < p->room; i++) {
		if (p->place[i].number != 0)
			put(place, room, spot_of(p->place[i].tag), p->place[i].tag,
			    p->place[i].number);
	}
	free(p->place);
	p->place = place;
	p->room = room;
	return true;
}

bool places_add(struct places *p, uint64_t hash, uint32_t number)
{
	uint32_t tag = (uint32_t)(hash >> 32 ^ hash);

	if (p->used >= p->room / 4 * 3 && !grow(p))
		return false;
	put(p->place, p->room, spot_of(tag), tag, number);
	p->used++;
	return true;
}

void places_clear(struct places *p)
{
	free(p->place);
	*p = (struct places){NULL, 0, 0};
}

uint32_t places_next(const struct places *p, uint64_t hash, size_t *at)
{
	uint32_t tag = (uint32_t)(hash >> 32 ^ hash);

	/* There is always a free place, at which it ends. */
	while (p->room > 0) {
		const struct place *here = &p->place[((size_t)spot_of(tag) + *at) & (p->room - 1)];

		if (here->number == 0)
			return 0;
		++*at;
		if (here->tag == tag)
			return here->number;
	}
	return 0;
}
