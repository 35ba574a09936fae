/*
 * TLS on the server's side, by OpenSSL: the certificates of etc/tls/, the choice among them by the
 * name that a client asks for (RFC 6066 section 3), resumption by tickets that every process forked
 * later understands (RFC 8446 section 4.6.1), and one connection's stream.
 *
 *   etc/tls/NAME.crt   PEM, the certificate first, then those that lead to its authority
 *   etc/tls/NAME.key   PEM, its private key; not readable by others
 *
 * NAME means nothing but for "default": clients that name no host, or one that no certificate
 * bears, are given that one.
 */
#ifndef SEKISHO_SMTP_TLS_H
#define SEKISHO_SMTP_TLS_H

#include "lib/base/conf.h"
#include "lib/base/settings.h"
#include "lib/smtp/io.h"
#include "lib/smtp/relay.h"

#define TLS_CERTIFICATES_MAX 256
#define TLS_FILE_MAX         128 /* of "etc/tls/NAME.crt" and its NUL */

struct tls_config; /* read-only once it is there, but for its ticket key */

/*
 * Reads what is needed in the directory `etc`. `*config` is NULL if there is no certificate: then
 * there is no TLS. False with the fault if one is damaged, does not fit its key, or can be read by
 * everybody. Free with tls_config_free.
 */
NODISCARD bool tls_config_read(int etc, const struct settings *settings, const struct relay *relay,
    struct tls_config **config, struct conf_fault *fault);
void tls_config_free(struct tls_config *config);

/* Makes a new key for tickets; those of the old one mean a whole handshake. False: no randomness. */
NODISCARD bool tls_new_tickets(struct tls_config *config);

/*
 * Called for each certificate that has expired, is not valid yet, or expires within 14 days.
 * `seconds` until it expires, negative if it has.
 */
typedef void tls_see(void *context, const char *file, int64_t seconds, bool not_yet);
void tls_look(const struct tls_config *config, tls_see *see, void *context);

struct tls; /* one connection */

/*
 * Makes a connection of an accepted socket, which stays the caller's and becomes non-blocking.
 * `ask`: ask the client for a certificate. NULL without memory. Free with tls_free.
 */
NODISCARD struct tls *tls_new(const struct tls_config *config, int fd, bool ask);
void tls_free(struct tls *tls);

enum tls_step { TLS_DONE, TLS_AGAIN, TLS_FAILED };

/* The next step of the handshake; at TLS_AGAIN wait for `*events`; at TLS_FAILED `*why` says why. */
NODISCARD enum tls_step tls_handshake(struct tls *tls, short *events, const char **why);

/* The stream of a connection whose handshake is done. */
struct stream tls_stream(struct tls *tls);

/* "TLSv1.3", and the cipher's standard name. */
const char *tls_version(const struct tls *tls);
const char *tls_cipher(const struct tls *tls);
NODISCARD bool tls_resumed(const struct tls *tls);

/*
 * The relay source that the client's certificate speaks for, or NULL. A line by name counts only if
 * an authority of tls-client-ca has signed the certificate and it is valid now.
 */
const struct relay_source *tls_source(const struct tls *tls, const struct relay *relay);

#endif
