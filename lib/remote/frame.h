/* Frames between seki-remote and its employer (lib/remote/protocol.h). */
#ifndef SEKISHO_REMOTE_FRAME_H
#define SEKISHO_REMOTE_FRAME_H

#include "lib/base/compat.h"

#define FRAME_SILENCE_MS 60000 /* an employer that says half a frame, or does not listen, is gone */
#define FRAME_OUT_MAX    ((size_t)131072)

enum frame_status {
	FRAME_OK,
	FRAME_GONE,  /* the other end is closed, or silent within a frame */
	FRAME_WRONG, /* no frame: too long, or descriptors where none belong; or no memory */
};

struct frame {
	char type;
	size_t len;
	char *bytes; /* with a NUL behind; owned */
	int fd;      /* that came with it, or -1; owned */
};

/*
 * Waits for a frame of at most `most` bytes. On FRAME_OK the caller owns `frame`; otherwise there
 * is nothing to free.
 */
NODISCARD enum frame_status frame_read(int socket, size_t most, struct frame *frame);

/* Frees and wipes: an order has a password in it. */
void frame_free(struct frame *frame);

/* Sends all of a frame of at most FRAME_OUT_MAX bytes. False: nobody listens. */
NODISCARD bool frame_write(int socket, char type, const char *bytes, size_t len);

#endif
