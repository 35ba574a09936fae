/* One message of the gateway, from a leg and what is to be said about it to the spool. */
#ifndef SEKISHO_NOTICE_REPORT_H
#define SEKISHO_NOTICE_REPORT_H

#include "lib/notice/config.h"
#include "lib/notice/request.h"

/*
 * Reads the leg in `fd` (-1 where the request needs none), makes what is asked for as of `now` (wall
 * clock), and brings it in by seki-queue's own door at `door`. Memory does not grow with the mail.
 * What became of it is in `answer`, and in the log.
 */
void notice_report(const struct notice_config *config, const char *door, int fd,
    const struct notice_request *request, int64_t now, struct notice_answer *answer);

#endif
