/* The site's time zone, in which rules and people tell the time; records are UTC. */
#ifndef SEKISHO_BASE_ZONE_H
#define SEKISHO_BASE_ZONE_H

#include "lib/base/compat.h"

/* Whether the system knows the zone ("Asia/Tokyo"); "-", the machine's own, always. */
NODISCARD bool zone_known(const char *zone);

/*
 * From now on localtime_r(3) and mktime(3) are of that zone. Only while no other thread uses them.
 * False: no memory.
 */
NODISCARD bool zone_set(const char *zone);

#endif
