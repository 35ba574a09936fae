/* What goes over the socket of seki-convert(8): both ends are on one machine, and of one build. */
#ifndef SEKISHO_CONVERT_PROTOCOL_H
#define SEKISHO_CONVERT_PROTOCOL_H

#include "lib/base/compat.h"

#define CONVERT_TOOL_ROOM 8

/* With one descriptor, that of a regular file. */
struct convert_request {
	char tool[CONVERT_TOOL_ROOM]; /* NUL-ended */
	uint64_t offset;
	uint64_t size;
};

/* With one descriptor if the status is "done", that of the text. */
struct convert_reply {
	uint32_t status; /* enum convert_status */
	uint16_t truncated;
	uint16_t flawed;
	uint64_t bytes;
};

/* Sends `bytes`, and `fd` unless it is -1. errno. */
NODISCARD bool convert_put(int socket, const void *bytes, size_t len, int fd);

/*
 * Receives exactly `len` bytes, and at most one descriptor, which the caller owns; `*fd` is -1
 * without one. 1: done; 0: the other end is gone; -1: errno (EPROTO: what came was not that).
 */
NODISCARD int convert_get(int socket, void *bytes, size_t len, int *fd);

#endif
