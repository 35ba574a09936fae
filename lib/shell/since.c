#include "lib/shell/since.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

int64_t span_parse(const char *text)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
	int64_t number = 0, all;
	size_t i = 0;

	for (; text[i] >= '0' && text[i] <= '9'; i++) {
		if (i >= 9)
			return -1;
		number = number * 10 + (text[i] - '0');
	}
	for (size_t u = 0; i > 0 && u < COUNT_OF(units); u++) {
		if (text[i] != units[u].letter || text[i + 1] != '\0')
			continue;
		number *= units[u].seconds;
		return __builtin_mul_overflow(number, CLOCK_SECOND, &all) ? INT64_MAX : all;
	}
	return -1;
}

int64_t since_parse(const char *text, int64_t now)
{
	int64_t ago = span_parse(text);
	char whole[32];

	if (ago >= 0)
		return ago > now ? 0 : now - ago;
	if (strlen(text) != 10)
		return clock_parse(text, strlen(text));
	(void)snprintf(whole, sizeof whole, "%sT00:00:00Z", text);
	return clock_parse(whole, strlen(whole));
}
