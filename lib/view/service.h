/*
 * seki-view(8), which is "seki-inspect --view": the service at VIEW_SOCKET. Over lib/inspect/packet.h, and once for
 * each connection, whoever asks says
 *
 *   "V" "outline OFFSET SIZE", "html OFFSET SIZE" or "file OFFSET SIZE PART", with two descriptors: a file, open for
 *       reading only, and a file that is written, from its beginning; it is as long as what was written afterwards
 *
 * and hears
 *
 *   "E" "done", "cut", "none" or "failed".
 *
 * Where nothing is heard before the end of the connection, the process was ended by a limit or by a crash.
 */
#ifndef SEKISHO_VIEW_SERVICE_H
#define SEKISHO_VIEW_SERVICE_H

#include "lib/base/settings.h"
#include "lib/inspect/inspect.h"

#define VIEW_FOLDER "run/view" /* where scratch is made, without names */

/* The program: serves until SIGTERM. Returns the exit code, or dies. */
NODISCARD int view_service(void);

/*
 * One request, in the process that it has for itself, which is confined before it reads it: nothing but its message,
 * its scratch and its answer is left to it. Returns the exit code.
 */
NODISCARD int view_serve(
    int socket, const struct settings *settings, const struct inspect_tables *tables);

#endif
