/* Frames between seki-remote and its employer (lib/remote/protocol.h). */
#ifndef SEKISHO_REMOTE_FRAME_H
#define SEKISHO_REMOTE_FRAME_H

#include "lib/base/buf.h"
#include "lib/base/compat.h"

#define FRAME_SILENCE_MS 60000 /* an employer that says half a frame, or does not listen, is gone */
#define FRAME_OUT_MAX    ((size_t)131072)
#define FRAME_AHEAD      ((size_t)4096)

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

/* ---- in ---- */

/* What comes. More than one frame may be read at once, so that a short one costs one call. */
struct frames_in {
	int socket;        /* the caller's */
	int fd;            /* came with what is in `bytes`, or -1 */
	size_t start, end; /* not yet used: bytes[start..end) */
	char bytes[FRAME_AHEAD];
};

void frames_in_init(struct frames_in *in, int socket);

/* Wipes: an order has a password in it. */
void frames_in_free(struct frames_in *in);

/* Whether something was read that poll will not tell of. */
NODISCARD bool frames_in_hold(const struct frames_in *in);

/*
 * Waits for a frame of at most `most` bytes. On FRAME_OK the caller owns `frame`; otherwise there
 * is nothing to free, and nothing more can be read. A descriptor belongs to the message ('S') with
 * which it came.
 */
NODISCARD enum frame_status frame_read(struct frames_in *in, size_t most, struct frame *frame);

/* Frees and wipes. */
void frame_free(struct frame *frame);

/* ---- out ---- */

/* What is to be said. The employer is waked once for all that becomes known at one time. */
struct frames_out {
	int socket; /* the caller's */
	bool gone;  /* nobody listens, or no memory: nothing is said any more */
	struct buf waiting;
};

void frames_out_init(struct frames_out *out, int socket);
void frames_out_free(struct frames_out *out);

/* Adds a frame of at most FRAME_OUT_MAX bytes; it leaves with the next flush at the latest. */
void frame_write(struct frames_out *out, char type, const char *bytes, size_t len);

/* Sends what is waiting, in one write if the socket takes it. */
void frames_out_flush(struct frames_out *out);

#endif
