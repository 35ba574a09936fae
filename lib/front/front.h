/*
 * seki-front(8): nginx in front of people's pages. It writes nginx's configuration from the settings, starts it and
 * speaks for it to the supervisor. It reads no byte of a browser's.
 */
#ifndef SEKISHO_FRONT_FRONT_H
#define SEKISHO_FRONT_FRONT_H

#include "lib/base/buf.h"
#include "lib/base/settings.h"

#define FRONT_CONFIG "run/front/nginx.conf"
#define FRONT_PID    "run/front/pid"
#define FRONT_LINE   512

/* Whether nginx is wanted at all: web-listen is not "-". */
bool front_wanted(const struct settings *settings);

/*
 * nginx's configuration. `root`: it is started by root, and works as another user; `v6`: the machine has IPv6;
 * `files`: how many descriptors a process may have. False with `fault`: a setting is wrong.
 */
struct front_machine {
	bool root, v6;
	uint64_t files;
};
NODISCARD bool front_config(const struct settings *settings, const struct front_machine *machine,
    struct buf *out, char *fault, size_t room);

/* The pages that nginx shows by itself, below run/front/pages. False with `fault`. */
NODISCARD bool front_write_pages(char *fault, size_t room);

/*
 * Writes the configuration for `settings` to FRONT_CONFIG if nginx takes it. False with `fault`: the one that was
 * there is there.
 */
NODISCARD bool front_prepare(const struct settings *settings, char *fault, size_t room);

/* Writes a file that nginx's worker may read, anew. False with errno; then there may be a part of it. */
NODISCARD bool front_write_file(const char *path, const struct buf *bytes);

/* Starts nginx with it; `*errors` is the end of a pipe on which it says what is wrong. Dies if it cannot. */
pid_t front_start(int *errors);

/*
 * A line that nginx has said, as it may be logged: without the time in front, and without what stands behind it about
 * a request, which has the secrets of links in it.
 */
void front_line(const char *line, size_t len, char out[FRONT_LINE]);

/* Serves until SIGTERM. */
void front_run(struct settings *settings, int signals, void (*ready)(void));

#endif
