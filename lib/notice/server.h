/*
 * The work of seki-notice(8): requests on a Unix socket (lib/notice/notice.h), each answered by a
 * process of its own, which can do no more than read the leg it was given and reach seki-queue.
 */
#ifndef SEKISHO_NOTICE_SERVER_H
#define SEKISHO_NOTICE_SERVER_H

#include "lib/notice/config.h"
#include "lib/notice/session.h"

/*
 * No core file, nobody looks into the memory, no new privileges; what OpenSSL and the C library read
 * from files is read now. Ends the program if it cannot.
 */
void notice_harden(void);

/*
 * From now on no file is opened but, to read, those of `etc` and run/, and, to write,
 * run/taken/seki-notice, if it is there. Ends the program if that cannot be had.
 */
void notice_confine(int etc);

/*
 * Answers requests until SIGTERM; then those that have begun may end, for 10 seconds. Settings are
 * read again from the directory `etc` at SIGHUP. Calls `ready` when the first can be heard. Owns the
 * descriptors and the configuration.
 */
void notice_serve(const int listener[NOTICE_DOORS], int signals, int etc,
    struct notice_config *config, void (*ready)(void));

#endif
