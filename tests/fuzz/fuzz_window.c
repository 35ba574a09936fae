/* Hours in a plan: what is read has an end, at which they are over. */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "lib/policy/window.h"

#define NOON INT64_C(1795662000000000) /* 2026-11-26, microseconds */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	(void)setenv("TZ", "Europe/Berlin", 1);
	tzset();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct window w, then;

	if (!window_look(text, size, NULL, NOON, &w))
		return 0;
	if (!w.inside) {
		if (w.ends != NOON)
			abort();
		return 0;
	}
	if (w.ends < 0)
		return 0;
	if (w.ends <= NOON || !window_look(text, size, NULL, w.ends, &then) || then.inside)
		abort();
	if (!window_look(text, size, NULL, w.ends - 1, &then) || !then.inside)
		abort();
	return 0;
}
