#include <string.h>

#include "queue/intake.h"
#include "queue/leg.h"

bool intake_is_own(const char *client)
{
	static const char own[] = "gateway";
	size_t len = 0;
	const char *origin = leg_param(client, "origin", &len);

	return origin != NULL && len == sizeof own - 1 && memcmp(origin, own, len) == 0;
}
