/*
 * Packets between seki-inspect(8) and its employer: a SOCK_SEQPACKET socket, each packet a byte TYPE
 * and text behind it, and with some of them descriptors (SCM_RIGHTS).
 */
#ifndef SEKISHO_INSPECT_PACKET_H
#define SEKISHO_INSPECT_PACKET_H

#include "lib/base/compat.h"

#define PACKET_MAX     ((size_t)49152) /* bytes of one, its type included */
#define PACKET_FDS_MAX 4

struct packet {
	char type;
	size_t len;             /* of text */
	char text[PACKET_MAX];  /* NUL-ended */
	int fd[PACKET_FDS_MAX]; /* that came with it; owned by whoever received it */
	size_t fds;
};

enum packet_status {
	PACKET_OK,
	PACKET_GONE,  /* the other end is closed (errno 0), or errno says why not */
	PACKET_WRONG, /* too long, empty, or more descriptors than there may be */
	PACKET_LATE,  /* nothing came in time */
};

/*
 * Sends one, waiting for room at most `patience` microseconds (-1: for ever). False with errno:
 * EMSGSIZE if it is too long, ETIMEDOUT.
 */
NODISCARD bool packet_send_by(int socket, char type, const char *text, size_t len, const int *fd,
    size_t fds, int64_t patience);

/* The same, without descriptors and for as long as it takes. */
NODISCARD bool packet_send(int socket, char type, const char *text, size_t len);

/*
 * Waits at most `patience` microseconds (-1: for ever) for a packet. On PACKET_OK the caller owns
 * its descriptors, else there are none.
 */
NODISCARD enum packet_status packet_receive(int socket, struct packet *packet, int64_t patience);

/* Closes what came with it. */
void packet_close(struct packet *packet);

#endif
