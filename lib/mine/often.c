#include "lib/mine/often.h"

#include <string.h>
#include <sys/mman.h>

#include "lib/base/clock.h"
#include "queue/digest.h"

#define HOUR (3600 * CLOCK_SECOND)

struct often *often_new(void)
{
	void *shared = mmap(
	    NULL, sizeof(struct often), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return shared != MAP_FAILED ? shared : NULL;
}

static uint64_t number_of(const char *who)
{
	char hex[DIGEST_HEX];
	uint64_t number = 0;

	digest_of(who, strlen(who), hex);
	for (size_t i = 0; i < 16; i++)
		number = number << 4 | (uint64_t)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
	return number;
}

bool often_count(struct often *often, const char *who, int64_t now, size_t most, size_t most_all)
{
	uint64_t number = number_of(who);
	size_t his = 0, all = 0;

	for (size_t i = 0; i < OFTEN_MOST; i++) {
		if (often->change[i].at == 0 || now - often->change[i].at >= HOUR)
			continue;
		all++;
		his += often->change[i].who == number;
	}
	if (his >= most || all >= most_all)
		return false;
	often->change[often->next].at = now > 0 ? now : 1;
	often->change[often->next].who = number;
	often->next = (often->next + 1) % OFTEN_MOST;
	return true;
}
