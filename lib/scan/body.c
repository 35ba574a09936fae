#include "lib/scan/body.h"

#include <stdlib.h>
#include <unistd.h>

#define STEP ((size_t)64 * 1024)

/* How much of an end of the header was seen: a line end, and behind it an empty line. */
enum seen { SEEN_LINE_END, SEEN_CR, SEEN_TEXT, SEEN_ALL };

/* Goes on through the header. Returns how many bytes belong to it. */
static size_t skip_header(enum seen *seen, const char *bytes, size_t len)
{
	size_t i = 0;

	for (; i < len && *seen != SEEN_ALL; i++) {
		if (bytes[i] == '\n')
			*seen = *seen == SEEN_TEXT ? SEEN_LINE_END : SEEN_ALL;
		else if (bytes[i] == '\r' && *seen == SEEN_LINE_END)
			*seen = SEEN_CR;
		else
			*seen = SEEN_TEXT;
	}
	return i;
}

bool body_digest(int fd, const struct leg *leg, char hex[DIGEST_HEX])
{
	struct digest *digest = digest_new();
	char *bytes = malloc(STEP);
	enum seen seen = SEEN_LINE_END;
	uint64_t at = 0;
	bool fine = digest != NULL && bytes != NULL;

	while (fine && at < leg->size) {
		size_t most = leg->size - at < STEP ? (size_t)(leg->size - at) : STEP, head;
		ssize_t n = pread(fd, bytes, most, leg->content + (off_t)at);

		fine = n > 0;
		if (!fine)
			break;
		head = skip_header(&seen, bytes, (size_t)n);
		digest_add(digest, bytes + head, (size_t)n - head);
		at += (uint64_t)n;
	}
	if (fine)
		digest_end(digest, hex);
	digest_free(digest);
	free(bytes);
	return fine;
}
