/* Where bytes go that are made piece by piece: a decoder's output, a file's text. */
#ifndef SEKISHO_BASE_SINK_H
#define SEKISHO_BASE_SINK_H

#include "lib/base/compat.h"

struct sink {
	/* Takes a piece, good during the call. False: no more of it is wanted, or can be taken. */
	bool (*take)(void *context, const char *bytes, size_t len);
	void *context;
};

NODISCARD static inline bool sink_put(const struct sink *sink, const char *bytes, size_t len)
{
	return len == 0 || sink->take(sink->context, bytes, len);
}

#endif
