/*
 * The SMTP server: seki-smtpd(8) without its main. One parent accepts; each connection is served
 * by a confined process forked for it; such a process may serve further connections of the same
 * relay source, one after another.
 */
#ifndef SEKISHO_SMTP_SMTP_H
#define SEKISHO_SMTP_SMTP_H

#include "lib/base/compat.h"
#include "lib/base/settings.h"
#include "lib/smtp/relay.h"

#define SMTP_HOST_MAX   256
#define SMTP_LISTEN_MAX 16

/* What etc/ says, as one piece: it is replaced as a whole or not at all. */
struct smtp_config {
	struct settings settings;
	struct relay relay;
	char host[SMTP_HOST_MAX]; /* the name in the banner */
};

/*
 * Reads etc/settings and etc/relay below the current directory. Returns NULL with what is wrong in
 * `fault`, as "FILE:LINE:COLUMN: TEXT". Free with smtp_config_free.
 */
NODISCARD struct smtp_config *smtp_config_read(char *fault, size_t room);
void smtp_config_free(struct smtp_config *config);

/*
 * Opens a listening socket for each word of `words` (ADDRESS:PORT, [V6]:PORT, *:PORT). Returns how
 * many descriptors are in `fds`; -1 with `fault` filled if a word is malformed, -2 if the system
 * refuses (with the reason in `fault` and errno).
 */
NODISCARD int smtp_listen(const char *words, int fds[SMTP_LISTEN_MAX], char *fault, size_t room);

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
void smtp_serve(const int *listeners, size_t n, struct smtp_config *config, void (*ready)(void));

#endif
