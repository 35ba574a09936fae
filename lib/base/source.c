#include "lib/base/source.h"

#include <errno.h>
#include <unistd.h>

ssize_t source_read(const struct source *source, uint64_t at, void *into, size_t len)
{
	char *bytes = into;
	size_t done = 0;

	if (at >= source->size)
		return 0;
	if (len > source->size - at)
		len = (size_t)(source->size - at);
	while (done < len) {
		ssize_t n =
		    pread(source->fd, bytes + done, len - done, (off_t)(source->start + at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0) {
			errno = EIO;
			return -1;
		}
		done += (size_t)n;
	}
	return (ssize_t)done;
}

struct source source_part(const struct source *source, uint64_t at, uint64_t size)
{
	if (at > source->size)
		at = source->size;
	if (size > source->size - at)
		size = source->size - at;
	return (struct source){source->fd, source->start + at, size};
}
