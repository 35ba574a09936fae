#include "lib/hold/recent.h"

#include <string.h>

#include <openssl/crypto.h>

static bool concerns(const struct recent_act *act, const unsigned char who[GATE_WHO_LEN])
{
	for (size_t i = 0; i < act->people; i++) {
		if (CRYPTO_memcmp(act->who[i], who, GATE_WHO_LEN) == 0)
			return true;
	}
	return false;
}

const struct recent_act *recent_find(
    const struct recent *recent, const char *id, const unsigned char who[GATE_WHO_LEN])
{
	for (size_t i = 1; i <= RECENT_ACTS; i++) {
		const struct recent_act *act =
		    &recent->act[(recent->at + RECENT_ACTS - i) % RECENT_ACTS];

		if (strcmp(act->id, id) == 0 && concerns(act, who))
			return act;
	}
	return NULL;
}
