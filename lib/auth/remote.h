/*
 * A connection to a mail server that checks passwords for us: by TLS, whose certificate must be
 * good for the server's name. Nothing secret is said before that is known.
 */
#ifndef SEKISHO_AUTH_REMOTE_H
#define SEKISHO_AUTH_REMOTE_H

#include "lib/auth/wire.h"

#define REMOTE_HOST_MAX   253
#define REMOTE_CONNECT_MS 10000 /* an attempt to connect to one address */
/* Silence. Longer than the 15 s by which Dovecot slows an address from which logins have failed. */
#define REMOTE_SILENCE_MS 25000
#define REMOTE_SECONDS    60 /* a back end that nobody else ends, ends then */

struct remote_words {
	char host[REMOTE_HOST_MAX + 1]; /* without the brackets of an IPv6 address */
	char port[6];
	const char *ca; /* a file of authorities, or NULL: the system's */
	bool starttls;
	char **program; /* further arguments */
};

/*
 * Reads [--starttls] [--ca FILE] HOST[:PORT] [PROGRAM...]. `implicit` and `explicit` are the ports
 * without and with --starttls. False if the words are others.
 */
NODISCARD bool remote_words(
    char **argv, const char *implicit_port, const char *explicit_port, struct remote_words *words);

struct remote;

/*
 * Connects, and begins TLS unless words->starttls. NULL with the reason in `why`. What follows goes
 * through the wire.
 */
NODISCARD struct remote *remote_open(const struct remote_words *words, const char **why);
struct wire *remote_wire(struct remote *r);
void remote_close(struct remote *r);

#endif
