/*
 * A connection to a mail server: bounded buffers, deadlines, and TLS when it is begun. A wait ends
 * when the deadline of the whole session passes or the employer goes away.
 *
 * While output is waiting to be taken, replies are read into the input buffer: a server whose
 * replies nobody reads may stop reading our commands (RFC 2920 section 3.1).
 */
#ifndef SEKISHO_REMOTE_CONN_H
#define SEKISHO_REMOTE_CONN_H

#include "lib/base/compat.h"
#include "lib/remote/protocol.h"

#define CONN_BUFFER ((size_t)65536)

struct ssl_st;
struct ssl_ctx_st;

enum conn_status {
	CONN_OK,
	CONN_CLOSED, /* refused, closed or broken */
	CONN_SILENT, /* not in time */
	CONN_LATE,   /* the whole session's time is over */
	CONN_ORPHAN, /* the employer is gone */
};

struct conn {
	int fd;           /* -1: none */
	int employer;     /* watched for its end, or -1 */
	int64_t deadline; /* clock_boot() */
	struct ssl_st *ssl;
	struct ssl_ctx_st *tls; /* the caller's */
	bool broken;            /* nothing can be read or written any more */
	int error;              /* errno of the failure, or 0 */
	short wants;            /* what TLS waits for, or 0 */
	size_t start, end;      /* input not yet used: in[start..end) */
	size_t out_start, out_end;
	char in[CONN_BUFFER];
	char out[CONN_BUFFER];
};

/* How TLS is spoken on all connections; the caller frees it. NULL: no memory. */
NODISCARD struct ssl_ctx_st *conn_tls_new(void);

void conn_init(struct conn *c, struct ssl_ctx_st *tls, int employer, int64_t deadline);

/* Connects. `conn_close` first, if there was a connection. */
NODISCARD enum conn_status conn_open(
    struct conn *c, const struct remote_peer *peer, int64_t patience_ms);

/* Drops it at once, with whatever is unsent. */
void conn_close(struct conn *c);

/*
 * Begins TLS, without looking at the certificate. What was read before is forgotten: it had no
 * protection (S3). Not CONN_OK: the connection is of no use any more; `*why` says why.
 */
NODISCARD enum conn_status conn_start_tls(
    struct conn *c, const char *name, int64_t patience_ms, const char **why);
/* Says the end of TLS, if that needs no wait. */
void conn_end_tls(struct conn *c);
const char *conn_tls_version(const struct conn *c); /* "-": no TLS */
const char *conn_tls_cipher(const struct conn *c);

/* Adds to what is to be sent; sends when the buffer is full, in `patience_ms`. */
NODISCARD enum conn_status conn_put(
    struct conn *c, const char *bytes, size_t len, int64_t patience_ms);

/* Sends everything. After a failure, out_start < out_end tells that something was not taken. */
NODISCARD enum conn_status conn_flush(struct conn *c, int64_t patience_ms);

/* Waits until clock_boot() is `until` for more input. There must be room. */
NODISCARD enum conn_status conn_fill(struct conn *c, int64_t until);

/* Whether something was read that poll will not tell of. */
NODISCARD bool conn_holds(const struct conn *c);

/* Looks, without waiting, whether the server has said something, or has gone. */
NODISCARD bool conn_spoke(struct conn *c);

#endif
