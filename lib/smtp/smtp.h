/*
 * The SMTP server: seki-smtpd(8) without its main. One parent accepts; each connection is served
 * by a confined process forked for it; such a process may serve further connections of the same
 * relay source, one after another.
 */
#ifndef SEKISHO_SMTP_SMTP_H
#define SEKISHO_SMTP_SMTP_H

#include "lib/base/compat.h"
#include "lib/base/settings.h"
#include "lib/people/people.h"
#include "lib/smtp/proxy.h"
#include "lib/smtp/relay.h"
#include "lib/smtp/tls.h"
#include "queue/loop.h"

#define SMTP_HOST_MAX   256
#define SMTP_LISTEN_MAX 48

/* Whom a listening socket is for. */
enum smtp_service {
	SMTP_RELAY,       /* other mail servers: by address or certificate (port 25) */
	SMTP_SUBMISSION,  /* users: STARTTLS, then AUTH (587) */
	SMTP_SUBMISSIONS, /* users: TLS from the first byte, then AUTH (465) */
};

/* What etc/ says, as one piece: it is replaced as a whole or not at all. */
struct smtp_config {
	struct settings settings;
	struct relay relay;
	struct people *people;
	struct proxy_networks *proxies;
	struct tls_config *tls;   /* NULL: there is no certificate, so no TLS */
	struct loop_key loop;     /* of lib/loop/key */
	bool has_loop;            /* seki-queue has made it */
	bool loop_blamed;         /* that it cannot be read was said */
	char host[SMTP_HOST_MAX]; /* the name in the banner */
};

/*
 * Reads etc/settings, relay, people and tls/ below the current directory. Returns NULL with what is
 * wrong in `fault`, as "FILE:LINE:COLUMN: TEXT". Free with smtp_config_free.
 */
NODISCARD struct smtp_config *smtp_config_read(char *fault, size_t room);
void smtp_config_free(struct smtp_config *config);

/*
 * Reads lib/loop/key, which seki-queue makes at its first start: until then no mail of ours can come
 * back. That one which is there cannot be read is an alarm, once for each configuration.
 */
void smtp_config_loop_key(struct smtp_config *config);

/* Says in the log which certificates have expired or soon will, and that one is missing. */
void smtp_config_certificates(const struct smtp_config *config);

struct smtp_listeners {
	size_t n;
	struct smtp_listener {
		int fd;
		enum smtp_service service;
	} at[SMTP_LISTEN_MAX];
};

/*
 * Opens the listening sockets that the settings name (ADDRESS:PORT, [V6]:PORT, *:PORT, or - for
 * none). False with `fault` filled; `*system` then says whether the system refused (errno) or a
 * word is malformed.
 */
NODISCARD bool smtp_listen(const struct settings *settings, struct smtp_listeners *listeners,
    bool *system, char *fault, size_t room);

/*
 * Gives root up, for good, for UID, GID and GIDLIST of the environment (as s6-envuidgid(8) sets
 * them), if it is root and they are set; and what else a process of a network service must not
 * have: dumps, new privileges, descriptors without bound. Dies if any of it fails.
 */
void smtp_drop_privileges(const struct settings *settings);

/*
 * Serves until SIGTERM; owns the descriptors and `config`. Calls `ready` when signals are handled
 * and connections are taken. Returns when the last session has ended or its time is over.
 */
void smtp_serve(struct smtp_listeners *listeners, struct smtp_config *config, void (*ready)(void));

#endif
