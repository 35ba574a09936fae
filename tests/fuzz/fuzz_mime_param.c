/* Parameters: each is within its field, behind the one before; readings are bounded and differ. */
#include <stdlib.h>
#include <string.h>

#include "lib/mime/param.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_all(const char *body, size_t len, unsigned mode)
{
	const char *first;
	size_t first_len;
	struct param_reader r = param_open(body, len, mode, &first, &first_len);
	const char *last = first + first_len;
	struct param p;

	if (first < body || last > body + len)
		abort();
	while (param_next(&r, &p)) {
		if (p.name < body || p.name + p.name_len > p.value || p.value < last ||
		    p.value + p.value_len > body + len || p.piece < -1)
			abort();
		last = p.value + p.value_len;
	}
	if (r.at > len)
		abort();
}

static void check_readings(const struct param_readings *r)
{
	if (r->count > PARAM_READINGS || (r->count > 1 && (r->flags & PARAM_DIFFER) == 0))
		abort();
	for (size_t i = 0; i < r->count; i++) {
		if (r->all[i].len > PARAM_VALUE_MAX || param_reading(r, i)[r->all[i].len] != '\0')
			abort();
		for (size_t j = 0; j < i; j++) {
			if (r->all[i].len == r->all[j].len &&
			    memcmp(param_reading(r, i), param_reading(r, j), r->all[i].len) == 0)
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *body = (const char *)data;
	struct param_readings r;

	for (unsigned mode = 0; mode < 4; mode++)
		check_all(body, size, mode);

	param_readings_init(&r);
	if (!param_read(body, size, "filename", &r) || !param_read(body, size, "name", &r))
		abort();
	check_readings(&r);
	param_readings_free(&r);
	if (!param_read_bytes(body, size, "boundary", &r))
		abort();
	check_readings(&r);
	param_readings_free(&r);
	return 0;
}
