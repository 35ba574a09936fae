#include "lib/org/digest.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define STEP ((size_t)65536)

static bool feed(struct digest *d, int fd, uint64_t len, uint64_t *read)
{
	char *bytes = malloc(STEP);
	bool good = bytes != NULL;

	while (good && *read < len) {
		size_t most = len - *read < STEP ? (size_t)(len - *read) : STEP;
		ssize_t n = pread(fd, bytes, most, (off_t)*read);

		if (n == 0)
			break;
		good = n > 0 || errno == EINTR;
		if (n > 0) {
			digest_add(d, bytes, (size_t)n);
			*read += (uint64_t)n;
		}
	}
	free(bytes);
	return good;
}

bool digest_file(int fd, uint64_t len, char hex[DIGEST_HEX], uint64_t *read)
{
	struct digest *d = digest_new();
	bool good;

	*read = 0;
	errno = ENOMEM;
	good = d != NULL && feed(d, fd, len, read);
	if (good)
		digest_end(d, hex);
	digest_free(d);
	return good;
}
