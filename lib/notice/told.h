/*
 * What a notice about held mail says: its variables, those of the request and those that the mail
 * itself gives, and the words that its template makes of them. Internal to lib/notice.
 */
#ifndef SEKISHO_NOTICE_TOLD_H
#define SEKISHO_NOTICE_TOLD_H

#include "lib/dsn/letter.h"
#include "lib/notice/config.h"
#include "lib/notice/request.h"

struct told_text; /* one value, owned */

struct told {
	const struct notice_config *config;
	const struct notice_request *request;
	struct notice_vars *vars;
	struct told_text *texts;
	struct buf subject; /* NUL-ended */
	struct buf text;
};

/*
 * Takes the request's variables. Each becomes one line of what can be seen: blanks for controls and
 * line ends, nothing for marks of direction and letters without width, a local time for one of
 * records. False with errno: no memory. Free it in any case.
 */
NODISCARD bool told_begin(
    struct told *told, const struct notice_config *config, const struct notice_request *request);

/*
 * Adds what the leg in `fd` says of itself, where the request says nothing of it. `header`: its content
 * is still there. False with errno: it cannot be read, or no memory.
 */
NODISCARD bool told_leg(struct told *told, const struct leg *leg, int fd, bool header);

/* Makes the words, once it is known how the mail is attached. False with errno: no memory. */
NODISCARD bool told_write(struct told *told, enum letter_kind attached);

void told_free(struct told *told);

#endif
