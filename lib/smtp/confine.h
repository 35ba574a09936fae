/* What a process that reads strangers' bytes is not allowed to do. */
#ifndef SEKISHO_SMTP_CONFINE_H
#define SEKISHO_SMTP_CONFINE_H

#include "lib/base/compat.h"

/*
 * For a session's process: no file can be opened, made or grown, no TCP connection made, no other
 * process made, signalled or traced. run/queue/socket can still be connected to: Landlock does not
 * count that as opening a file. Where the kernel has no Landlock, or less of it, the rest holds.
 */
void confine_session(void);

#endif
