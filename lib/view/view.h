/*
 * Asking seki-view(8): what a message looks like, for a page. It runs "seki-inspect --view": the message is opened
 * in a sandbox, and nothing of it comes back but what is described here.
 */
#ifndef SEKISHO_VIEW_VIEW_H
#define SEKISHO_VIEW_VIEW_H

#include <jansson.h>

#include "lib/base/source.h"

/*
 * What whoever asks needs of the system: memfd_create(2), ftruncate(2), fcntl(2), lseek(2), fstat(2), pread(2) and a
 * connection to the socket. `message` must be open for reading alone. The settings' view-time is how long seki-view
 * takes at most: a little more is the patience to have.
 */

#define VIEW_SOCKET      "run/view/socket"
#define VIEW_OUTLINE_MAX ((size_t)1024 * 1024)

enum view_status {
	VIEW_DONE,
	VIEW_CUT, /* what was told is true, but not all: too large, too deep, too long */
	VIEW_NONE, /* there is no such part; no HTML, or one that is too large or too complex to be shown */
	VIEW_FAILED, /* seki-view cannot be asked, or could not tell, in time or at all (errno) */
};

/*
 * What there is, as an object, the caller's:
 *   subject, from, to, cc, date   header fields, decoded; "" if there is none
 *   text                          the text that a reader sees first, plain; "" if there is none
 *   text-cut                      true: there is more of it
 *   html                          true: it has HTML that view_html can show
 *   files                         objects of part ("2.1"), name ("" if it has none), type (as declared), kind
 *                                 (what its bytes are, "" unknown), size (bytes), inline (true: an image that the
 *                                 HTML shows where it stands), warnings (words: "type" the bytes are another type
 *                                 than the name or the message says; "program"; "macros"; "encrypted"; "double"
 *                                 two extensions; "name" letters that turn the name round; "nested" an archive in
 *                                 an archive)
 * All texts are UTF-8 without control characters (but \n and \t in `text`), marks of direction and letters that
 * nobody sees; whoever shows them still has to escape them. NULL if it cannot be told: `*status`.
 */
NODISCARD json_t *view_outline(
    const char *socket, const struct source *message, int64_t patience, enum view_status *status);

/*
 * The HTML, sanitised: an HTML document of its own, UTF-8, without scripts, forms, frames, remote loads, styles from
 * elsewhere, or anything that acts; links as text; images of the message itself as data:. Into a file without a
 * name, sealed, from its beginning; the caller closes it. -1: `*status`.
 */
NODISCARD int view_html(
    const char *socket, const struct source *message, int64_t patience, enum view_status *status);

/* The decoded bytes of one part of `files`, into a file without a name. -1: `*status`. */
NODISCARD int view_file(const char *socket, const struct source *message, const char *part,
    int64_t patience, enum view_status *status);

#endif
