/*
 * The work of seki-login(8): who is logged in, requests on a Unix socket (lib/login/ask.h), and the mail by which
 * people log in.
 */
#ifndef SEKISHO_LOGIN_SERVER_H
#define SEKISHO_LOGIN_SERVER_H

#include "lib/base/settings.h"

/* Reads etc/settings. False with `fault` filled. */
NODISCARD bool login_settings(struct settings *settings, char *fault, size_t room);

/* No core file, nobody looks into the memory, no new privileges. Ends the program if it cannot. */
void login_harden(void);

/*
 * Makes the socket, reads what is on the disk, gives up all that is not needed (Landlock, seccomp), and answers
 * until SIGTERM. Calls `ready` when the first can be heard. Ends the program if it cannot be begun.
 */
void login_serve(const struct settings *settings, void (*ready)(void));

/* From now on only a few files can be reached, and a few calls are made. Ends the program if that cannot be had. */
void login_confine(void);

#endif
