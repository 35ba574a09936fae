/* Any bytes as a capability and as a session: nothing but what we have signed is one, and it has one spelling. */
#include <stdlib.h>
#include <string.h>

#include "lib/gate/gate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
	if (!truth)
		abort();
}

/* The input's last byte says whether it is to be read as it is, or signed first and then changed. */
static void signed_and_changed(const struct gate_key *key, const uint8_t *data, size_t size)
{
	struct gate_capability cap = {.rights = 7, .id = "0196c0ffee4f2c1d8a31b7e09c55d210"}, seen;
	char text[GATE_CAP_TEXT], changed[GATE_CAP_TEXT];
	bool same;

	cap.until = 60 * (int64_t)1000000 * 1000;
	demand(gate_capability_write(key, &cap, text));
	memcpy(changed, text, sizeof changed);
	for (size_t i = 0; i + 1 < size; i += 2)
		changed[data[i] % (GATE_CAP_TEXT - 1)] = (char)data[i + 1];
	same = memcmp(text, changed, sizeof text) == 0;
	demand(gate_capability_read(key, changed, GATE_CAP_TEXT - 1, 0, &seen) ==
	       (same ? GATE_GOOD : GATE_FORGED));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gate_key key = {{9, 8, 7}};
	char *text = malloc(size + 1), address[GATE_ADDRESS_MAX], again[GATE_SESSION_TEXT];
	struct gate_capability cap;

	demand(text != NULL);
	memcpy(text, data, size);
	demand(gate_capability_read(&key, text, size, 0, &cap) == GATE_FORGED);
	if (gate_session_read(&key, text, size, 0, address) != GATE_FORGED) {
		/* A seed is one of ours. */
		demand(address[0] != '\0' && strlen(address) < sizeof address);
		demand(gate_session_write(&key, address, INT64_C(2000000000) * 1000000, again));
		demand(strlen(again) == size && memcmp(again, text, size) == 0);
	}
	signed_and_changed(&key, data, size);
	free(text);
	return 0;
}
