/*
 * Telling the supervisor that a service is ready: s6 waits for a newline on the descriptor that
 * notification-fd names, which is 3 for all of ours.
 */
#ifndef SEKISHO_BASE_READY_H
#define SEKISHO_BASE_READY_H

/* First thing in main: descriptor 3 is the supervisor's or nobody's; no file of ours becomes it. */
void ready_keep_fd(void);

/* Says it, once. Without a supervisor nothing happens. */
void ready_tell(void);

#endif
